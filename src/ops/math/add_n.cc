// AddN and AccumulateNV2: the sum of tensors of one shape. AddN adds scalar variants too, where they hold lists of tensors.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/lists/nested_value.h"
#include "ops/math/elementwise.h"

namespace savedmodel {
namespace {

struct AddOp {
  static constexpr bool kSimple = true;
  template <typename T>
  SM_INLINE static T Do(T a, T b) {
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};

template <typename T>
absl::Status Run(KernelContext& context) {
  const Tensor& first = context.input(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    SM_CHECK_ARGUMENT(context.input(i).shape() == first.shape(), "the inputs must have the same size and shape. Input 0: ",
                      first.shape().ToString(), " != input ", i, ": ", context.input(i).shape().ToString());
  }
  if (context.num_inputs() == 1) return context.Forward(0, 0, first.shape());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, first.shape()));
  const BinaryLoop add = BinaryLoopOf<AddOp, T, T>();
  T* to = out->data<T>();
  context.pool().ParallelFor(first.num_elements(), GrainFor(context.num_inputs()), [&](int64_t begin, int64_t end) {
    // Pieces small enough that the running sum stays in the nearest cache.
    for (int64_t at = begin; at < end; at += 1024) {
      const int64_t n = std::min<int64_t>(1024, end - at);
      add(first.data<T>() + at, 1, context.input(1).data<T>() + at, 1, to + at, n);
      for (int i = 2; i < context.num_inputs(); ++i) add(to + at, 1, context.input(i).data<T>() + at, 1, to + at, n);
    }
  });
  return absl::OkStatus();
}

absl::Status AddLists(KernelContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    SM_CHECK_ARGUMENT(context.input(i).rank() == 0, "AddN of variants needs scalars, input ", i, " has shape ", context.input(i).shape().ToString());
  }
  Variant sum = context.input(0).scalar<Variant>();
  for (int i = 1; i < context.num_inputs(); ++i) {
    SM_ASSIGN_OR_RETURN(sum, VariantAdd(sum, context.input(i).scalar<Variant>()));
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, TensorShape()));
  *out->data<Variant>() = std::move(sum);
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> AddNKernel(KernelInit& init) {
  if (init.input_dtype(0) == DataType::kVariant) return MakeKernel(AddLists);
  return Dispatch<NumberTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel(Run<T>);
  });
}

absl::Status AddNShape(InferContext& context) {
  PartialShape shape = context.input(0);
  for (int i = 1; i < context.num_inputs(); ++i) {
    SM_ASSIGN_OR_RETURN(shape, shape.MergeWith(context.input(i)));
  }
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

}  // namespace

void DefineAddN(OpTable& ops) {
  ops.Add({.name = "AddN",
           .inputs = "inputs: N * T",
           .outputs = "sum: T",
           .attrs = "N: int >= 1; T: {float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, "
                    "quint16, uint16, complex128, half, uint32, uint64, variant}",
           .infer = AddNShape,
           .cpu = AddNKernel});
  ops.Add({.name = "AccumulateNV2",
           .inputs = "inputs: N * T",
           .outputs = "sum: T",
           .attrs = "N: int >= 1; T: numbertype; shape: shape",
           .infer = AddNShape,
           .cpu = AddNKernel});
}

}  // namespace savedmodel
