// Comparisons of two broadcast tensors. Equal and NotEqual answer with one value where the shapes do not fit and
// incompatible_shape_error is false.
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/math/elementwise.h"

namespace savedmodel {
namespace {

#define SM_COMPARISON(Name, expression)             \
  struct Name {                                     \
    static constexpr bool kSimple = true;           \
    template <typename T>                           \
    SM_INLINE static bool Do(const T& a, const T& b) { return expression; } \
  }
SM_COMPARISON(EqualOp, a == b);
SM_COMPARISON(NotEqualOp, a != b);
SM_COMPARISON(LessOp, a < b);
SM_COMPARISON(LessEqualOp, a <= b);
#undef SM_COMPARISON

template <typename Op, bool kIfIncompatible>
absl::StatusOr<KernelPtr> EqualityKernel(KernelInit& init) {
  return Dispatch<ValueTypes>(init.input_dtype(0), [&](auto tag) {
    using T = typename decltype(tag)::type;
    BinaryOptions options;
    if (!init.attrs().Bool("incompatible_shape_error")) options.if_incompatible = kIfIncompatible;
    return MakeBinary(init, BinaryLoopOf<Op, T, bool>(), options);
  });
}

// a > b as b < a: the same loops.
template <typename Op, typename T>
void Swapped(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n) {
  BinaryLoopOf<Op, T, bool>()(b, b_step, a, a_step, out, n);
}

template <typename Op>
absl::StatusOr<KernelPtr> SwappedKernel(KernelInit& init) {
  return Dispatch<RealTypes>(init.input_dtype(0), [&](auto tag) { return MakeBinary(init, Swapped<Op, typename decltype(tag)::type>); });
}

absl::Status EqualityShape(InferContext& context) {
  absl::StatusOr<PartialShape> shape = Broadcast(context.input(0), context.input(1));
  if (!context.attrs().Bool("incompatible_shape_error")) {
    // Shapes that may turn out not to fit could give a scalar.
    const bool known = context.input(0).fully_known() && context.input(1).fully_known();
    context.set_output(0, !shape.ok() ? PartialShape(TensorShape()) : known ? *shape : PartialShape());
    return absl::OkStatus();
  }
  SM_RETURN_IF_ERROR(shape.status());
  context.set_output(0, *std::move(shape));
  return absl::OkStatus();
}

template <typename T>
absl::Status ApproximateEqual(KernelContext& context, T tolerance) {
  const Tensor &x = context.input(0), &y = context.input(1);
  SM_CHECK_ARGUMENT(x.shape() == y.shape(), "x and y must be of the same shape. x shape: ", x.shape().ToString(),
                    ". y shape: ", y.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, x.shape()));
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    out->data<bool>()[i] = std::abs(x.data<T>()[i] - y.data<T>()[i]) < tolerance;
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> ApproximateEqualKernel(KernelInit& init) {
  return Dispatch<SingleDoubleTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    const T tolerance = static_cast<T>(init.attrs().Float("tolerance"));
    return MakeKernel([tolerance](KernelContext& context) { return ApproximateEqual<T>(context, tolerance); });
  });
}

void AddOrder(OpTable& ops, const char* name, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T; y: T", .outputs = "z: bool", .attrs = "T: realnumbertype", .infer = BroadcastShape, .cpu = cpu,
           .in_place = true});
}

void AddEquality(OpTable& ops, const char* name, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T; y: T", .outputs = "z: bool", .attrs = "T: type; incompatible_shape_error: bool = true",
           .infer = EqualityShape, .cpu = cpu});
}

}  // namespace

void DefineComparison(OpTable& ops) {
  AddEquality(ops, "Equal", EqualityKernel<EqualOp, false>);
  AddEquality(ops, "NotEqual", EqualityKernel<NotEqualOp, true>);
  AddOrder(ops, "Less", BinaryKernel<LessOp, RealTypes, bool>);
  AddOrder(ops, "LessEqual", BinaryKernel<LessEqualOp, RealTypes, bool>);
  AddOrder(ops, "Greater", SwappedKernel<LessOp>);
  AddOrder(ops, "GreaterEqual", SwappedKernel<LessEqualOp>);
  ops.Add({.name = "ApproximateEqual",
           .inputs = "x: T; y: T",
           .outputs = "z: bool",
           .attrs = "T: numbertype; tolerance: float = 1e-05",
           .infer = SameShapesRule,
           .cpu = ApproximateEqualKernel});
}

}  // namespace savedmodel
