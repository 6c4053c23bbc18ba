// Fill, ZerosLike, OnesLike and Empty: tensors of one repeated value; ZerosLike of a list is a list of zeros. Empty
// gives zeros whether `init` asks for them or not: no memory of another run shows.
#include <complex>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/array/strided_copy.h"
#include "ops/dispatch.h"
#include "ops/lists/nested_value.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status RunFill(KernelContext& context) {
  const Tensor& value = context.input(1);
  // A shape of one scalar is read as a vector, as old graphs have it.
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, IntVector(context, 0, "dims"));
  SM_CHECK_ARGUMENT(value.rank() == 0 || (value.rank() == 1 && value.num_elements() == 1), "value must represent a scalar, got shape ",
                    value.shape().ToString());
  SM_ASSIGN_OR_RETURN(const TensorShape shape, TensorShape::Make(dims));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  FillRun(value.dtype(), value.raw(), out->raw(), out->num_elements(), context.pool());
  return absl::OkStatus();
}

absl::Status InferFill(InferContext& context) {
  if (context.constant(0) != nullptr && context.constant(0)->rank() == 0) {
    context.set_output(0, PartialShape::UnknownOfRank(1));
    return absl::OkStatus();
  }
  SM_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromConstant(context, 0));
  context.set_output(0, shape);
  return absl::OkStatus();
}

absl::Status RunZerosLike(KernelContext& context) {
  const Tensor& x = context.input(0);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, x.shape()));
  if (x.dtype() == DataType::kVariant) {
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      SM_ASSIGN_OR_RETURN(out->data<Variant>()[i], VariantZerosLike(x.data<Variant>()[i]));
    }
    return absl::OkStatus();
  }
  FillZero(out->dtype(), out->raw(), out->num_elements(), context.pool());
  return absl::OkStatus();
}

struct OnesLike {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, context.input(0).shape()));
    const T one = T(1);
    FillRun(out->dtype(), &one, out->raw(), out->num_elements(), context.pool());
    return absl::OkStatus();
  }
};
using OnesTypes = TypeList<float, double, Half, BFloat16, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                           std::complex<float>, std::complex<double>, bool>;

absl::Status RunEmpty(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeInput(context, 0, "shape"));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  FillZero(out->dtype(), out->raw(), out->num_elements(), context.pool());
  return absl::OkStatus();
}

absl::Status InferEmpty(InferContext& context) {
  SM_ASSIGN_OR_RETURN(PartialShape shape, ShapeFromConstant(context, 0));
  context.set_output(0, shape);
  return absl::OkStatus();
}

template <absl::Status (*kRun)(KernelContext&)>
absl::StatusOr<KernelPtr> Make(KernelInit&) {
  return MakeKernel(kRun);
}

}  // namespace

void DefineFill(OpTable& ops) {
  ops.Add({.name = "Fill",
           .inputs = "dims: index_type; value: T",
           .outputs = "output: T",
           .attrs = "T: type; index_type: {int32, int64} = DT_INT32",
           .infer = InferFill,
           .cpu = Make<RunFill>});
  ops.Add({.name = "ZerosLike", .inputs = "x: T", .outputs = "y: T", .attrs = "T: type", .infer = SameShape, .cpu = Make<RunZerosLike>});
  ops.Add({.name = "OnesLike",
           .inputs = "x: T",
           .outputs = "y: T",
           .attrs = "T: {bfloat16, half, float, double, int8, uint8, int16, uint16, int32, uint32, int64, uint64, complex64, "
                    "complex128, bool}",
           .infer = SameShape,
           .cpu = KernelOf<OnesLike, OnesTypes>});
  ops.Add({.name = "Empty",
           .inputs = "shape: int32",
           .outputs = "output: dtype",
           .attrs = "dtype: type; init: bool = false",
           .infer = InferEmpty,
           .cpu = Make<RunEmpty>,
           .effect = Effect::kStateful});
}

}  // namespace savedmodel
