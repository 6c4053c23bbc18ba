// Tensors of random numbers: uniform, normal, truncated normal and integers, from each kind of source. The numbers are
// those of TensorFlow's CPU kernels, whatever the number of threads.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/random/distributions.h"
#include "ops/random/random_source.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// Fills `out`; `argument` is the first input after those of the source.
using Fill = absl::Status (*)(KernelContext& context, int argument, const Philox& philox, Tensor* out);

template <typename Distribution>
absl::Status FillWith(KernelContext& context, int, const Philox& philox, Tensor* out) {
  using T = typename Distribution::Type;
  FillRandom(context.pool(), philox, out->data<T>(), out->num_elements(), Distribution());
  return absl::OkStatus();
}

template <typename T>
absl::Status FillBetween(KernelContext& context, int argument, const Philox& philox, Tensor* out) {
  const Tensor &low = context.input(argument), &high = context.input(argument + 1);
  SM_CHECK_ARGUMENT(low.rank() == 0, "minval must be 0-D, got shape ", low.shape().ToString());
  SM_CHECK_ARGUMENT(high.rank() == 0, "maxval must be 0-D, got shape ", high.shape().ToString());
  if (out->num_elements() == 0) return absl::OkStatus();
  const T minval = low.scalar<T>(), maxval = high.scalar<T>();
  SM_CHECK_ARGUMENT(minval < maxval, "Need minval < maxval, got ", minval, " >= ", maxval);
  using U = std::make_unsigned_t<T>;
  const UniformInt<T> distribution{static_cast<U>(minval), static_cast<U>(static_cast<U>(maxval) - static_cast<U>(minval))};
  FillRandom(context.pool(), philox, out->data<T>(), out->num_elements(), distribution);
  return absl::OkStatus();
}

template <template <typename> class Distribution, typename Types>
absl::StatusOr<Fill> ChooseFill(DataType type) {
  return DispatchAs<absl::StatusOr<Fill>, Types>(
      type, [](auto tag) -> absl::StatusOr<Fill> { return Fill(FillWith<Distribution<typename decltype(tag)::type>>); });
}

absl::StatusOr<Fill> UniformFill(DataType type) { return ChooseFill<Uniform, FloatTypes>(type); }
absl::StatusOr<Fill> NormalFill(DataType type) { return ChooseFill<Normal, FloatTypes>(type); }
absl::StatusOr<Fill> TruncatedFill(DataType type) { return ChooseFill<TruncatedNormal, FloatTypes>(type); }
absl::StatusOr<Fill> FullIntFill(DataType type) {
  return ChooseFill<FullInt, TypeList<int32_t, int64_t, uint32_t, uint64_t>>(type);
}
absl::StatusOr<Fill> IntFill(DataType type) {
  return DispatchAs<absl::StatusOr<Fill>, IndexTypes>(
      type, [](auto tag) -> absl::StatusOr<Fill> { return Fill(FillBetween<typename decltype(tag)::type>); });
}

template <Source kSource, absl::StatusOr<Fill> (*kChoose)(DataType)>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(Fill fill, kChoose(init.output_dtype(0)));
  SM_ASSIGN_OR_RETURN(RandomSource source, RandomSource::Make(kSource, init));
  return MakeKernel([fill, source](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(TensorShape shape, ShapeInput(context, source.shape_input(), "shape"));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
    SM_ASSIGN_OR_RETURN(Philox philox, source.Draw(context, static_cast<uint64_t>(shape.num_elements())));
    return fill(context, source.first_argument(), philox, out);
  });
}

// With the scalar arguments minval and maxval at kArgument.
template <Source kSource, int kArgument>
absl::Status IntShape(InferContext& context) {
  for (int i = kArgument; i < kArgument + 2; ++i) {
    const PartialShape& bound = context.input(i);
    SM_CHECK_ARGUMENT(!bound.known_rank() || bound.rank() == 0, i == kArgument ? "minval" : "maxval",
                      " must be a scalar; got a tensor of shape ", bound.ToString());
  }
  return RandomShape<kSource>(context);
}

constexpr char kSeedAttrs[] = "seed: int = 0; seed2: int = 0; dtype: {half, bfloat16, float, double}; T: {int32, int64}";
constexpr char kStatelessAttrs[] = "dtype: {half, bfloat16, float, double} = DT_FLOAT; T: {int32, int64} = DT_INT32; Tseed: {int32, int64} = DT_INT64";
constexpr char kKeyAttrs[] = "dtype: {half, bfloat16, float, double} = DT_FLOAT; Tshape: {int32, int64} = DT_INT32";

template <absl::StatusOr<Fill> (*kChoose)(DataType)>
void AddFloats(OpTable& ops, const char* seeded, const char* stateless, const char* keyed, const char* stateful) {
  ops.Add({.name = seeded,
           .inputs = "shape: T",
           .outputs = "output: dtype",
           .attrs = kSeedAttrs,
           .infer = RandomShape<Source::kGenerator>,
           .cpu = Make<Source::kGenerator, kChoose>,
           .effect = Effect::kStateful});
  ops.Add({.name = stateless,
           .inputs = "shape: T; seed: Tseed",
           .outputs = "output: dtype",
           .attrs = kStatelessAttrs,
           .infer = RandomShape<Source::kSeed>,
           .cpu = Make<Source::kSeed, kChoose>});
  ops.Add({.name = keyed,
           .inputs = "shape: Tshape; key: uint64; counter: uint64; alg: int32",
           .outputs = "output: dtype",
           .attrs = kKeyAttrs,
           .infer = RandomShape<Source::kKeyCounter>,
           .cpu = Make<Source::kKeyCounter, kChoose>});
  ops.Add({.name = stateful,
           .inputs = "resource: resource; algorithm: int64; shape: shape_dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: type = DT_FLOAT; shape_dtype: type = DT_INT64",
           .infer = RandomShape<Source::kVariable>,
           .cpu = Make<Source::kVariable, kChoose>,
           .effect = Effect::kStateful});
}

void AddIntegers(OpTable& ops) {
  ops.Add({.name = "RandomUniformInt",
           .inputs = "shape: T; minval: Tout; maxval: Tout",
           .outputs = "output: Tout",
           .attrs = "seed: int = 0; seed2: int = 0; Tout: {int32, int64}; T: {int32, int64}",
           .infer = IntShape<Source::kGenerator, 1>,
           .cpu = Make<Source::kGenerator, IntFill>,
           .effect = Effect::kStateful});
  ops.Add({.name = "StatelessRandomUniformInt",
           .inputs = "shape: T; seed: Tseed; minval: dtype; maxval: dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: {int32, int64}; T: {int32, int64}; Tseed: {int32, int64} = DT_INT64",
           .infer = IntShape<Source::kSeed, 2>,
           .cpu = Make<Source::kSeed, IntFill>});
  ops.Add({.name = "StatelessRandomUniformIntV2",
           .inputs = "shape: Tshape; key: uint64; counter: uint64; alg: int32; minval: dtype; maxval: dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: {int32, int64, uint32, uint64}; Tshape: {int32, int64} = DT_INT32",
           .infer = IntShape<Source::kKeyCounter, 4>,
           .cpu = Make<Source::kKeyCounter, IntFill>});
  ops.Add({.name = "StatefulUniformInt",
           .inputs = "resource: resource; algorithm: int64; shape: shape_dtype; minval: dtype; maxval: dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: type = DT_INT64; shape_dtype: type = DT_INT64",
           .infer = IntShape<Source::kVariable, 3>,
           .cpu = Make<Source::kVariable, IntFill>,
           .effect = Effect::kStateful});
}

absl::StatusOr<KernelPtr> MakeFullIntOfSeed(KernelInit& init) {
  const DataType seed = init.input_dtype(1);
  SM_CHECK_ARGUMENT(seed == DataType::kInt32 || seed == DataType::kInt64, "Invalid seed type: ", DataTypeName(seed));
  return Make<Source::kSeed, FullIntFill>(init);
}

void AddFullIntegers(OpTable& ops) {
  ops.Add({.name = "StatelessRandomUniformFullInt",
           .inputs = "shape: T; seed: Tseed",
           .outputs = "output: dtype",
           .attrs = "dtype: {int32, int64, uint32, uint64} = DT_UINT64; T: {int32, int64} = DT_INT32; "
                    "Tseed: {int32, int64, uint32, uint64} = DT_INT64",
           .infer = RandomShape<Source::kSeed>,
           .cpu = MakeFullIntOfSeed});
  ops.Add({.name = "StatelessRandomUniformFullIntV2",
           .inputs = "shape: Tshape; key: uint64; counter: uint64; alg: int32",
           .outputs = "output: dtype",
           .attrs = "dtype: {int32, int64, uint32, uint64} = DT_UINT64; Tshape: {int32, int64} = DT_INT32",
           .infer = RandomShape<Source::kKeyCounter>,
           .cpu = Make<Source::kKeyCounter, FullIntFill>});
  ops.Add({.name = "StatefulUniformFullInt",
           .inputs = "resource: resource; algorithm: int64; shape: shape_dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: type = DT_UINT64; shape_dtype: type = DT_INT64",
           .infer = RandomShape<Source::kVariable>,
           .cpu = Make<Source::kVariable, FullIntFill>,
           .effect = Effect::kStateful});
}

}  // namespace

void DefineRandomValues(OpTable& ops) {
  AddFloats<UniformFill>(ops, "RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2", "StatefulUniform");
  AddFloats<NormalFill>(ops, "RandomStandardNormal", "StatelessRandomNormal", "StatelessRandomNormalV2", "StatefulStandardNormalV2");
  AddFloats<TruncatedFill>(ops, "TruncatedNormal", "StatelessTruncatedNormal", "StatelessTruncatedNormalV2", "StatefulTruncatedNormal");
  ops.Add({.name = "StatefulStandardNormal",
           .inputs = "resource: resource; shape: shape_dtype",
           .outputs = "output: dtype",
           .attrs = "dtype: type = DT_FLOAT; shape_dtype: type = DT_INT64",
           .infer = RandomShape<Source::kTaggedVariable>,
           .cpu = Make<Source::kTaggedVariable, NormalFill>,
           .effect = Effect::kStateful});
  AddIntegers(ops);
  AddFullIntegers(ops);
}

}  // namespace savedmodel
