// MaxPool, MaxPoolV2 (ksize and strides as tensors), MaxPool3D. A window over the channels alone is allowed too. NCHW runs
// here; the reference refuses it on the CPU. _PaddedMaxPool is what the fusing passes make of a MaxPool behind a Pad: its
// explicit paddings are zeros.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/nn/pooling.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status CheckFormat(const Attributes& attrs) {
  if (attrs.String("data_format") == "NCHW_VECT_C")
    return absl::UnimplementedError("data_format NCHW_VECT_C is not supported on the CPU");
  return absl::OkStatus();
}

template <int kSpatial>
absl::Status Infer(InferContext& context) {
  if (!CheckFormat(context.attrs()).ok()) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(context.attrs(), kSpatial));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferPool(attrs, context.input(0)));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::Status InferV2(InferContext& context) {
  if (!CheckFormat(context.attrs()).ok()) return absl::OkStatus();
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 4));
  std::vector<int64_t> ksize, strides;
  PartialShape shape = PartialShape::UnknownOfRank(4);
  if (ConstantInts(context, 1, &ksize) && ConstantInts(context, 2, &strides)) {
    SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(context.attrs(), 2, ksize, strides));
    SM_ASSIGN_OR_RETURN(shape, InferPool(attrs, context.input(0)));
  }
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::Status Run(KernelContext& context, const PoolAttrs& attrs, bool zeros_outside = false) {
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(PoolSizes sizes, SizePool(attrs, input.shape()));
  sizes.shape.zeros_outside = zeros_outside;
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, sizes.output));
  if (output->num_elements() == 0) return absl::OkStatus();
  return Dispatch<RealTypes>(input.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    MaxPool<T>(sizes.shape, input.data<T>(), output->data<T>(), attrs.window.layout.spatial_dims == 3, context.pool());
    return absl::OkStatus();
  });
}

template <int kSpatial>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckFormat(init.attrs()));
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(init.attrs(), kSpatial));
  return MakeKernel([attrs](KernelContext& context) { return Run(context, attrs); });
}

absl::StatusOr<KernelPtr> MakePadded(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(init.attrs(), 2));
  return MakeKernel([attrs](KernelContext& context) { return Run(context, attrs, true); });
}

absl::StatusOr<KernelPtr> MakeV2(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckFormat(init.attrs()));
  const Attributes attributes = init.attrs();
  return MakeKernel([attributes](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(std::vector<int64_t> ksize, IntsOf(context.input(1)));
    SM_ASSIGN_OR_RETURN(std::vector<int64_t> strides, IntsOf(context.input(2)));
    SM_ASSIGN_OR_RETURN(PoolAttrs attrs, ReadPoolAttrs(attributes, 2, std::move(ksize), std::move(strides)));
    return Run(context, attrs);
  });
}

}  // namespace

void DefineMaxPool(OpTable& ops) {
  ops.Add({.name = "MaxPool",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, qint8} = DT_FLOAT; ksize: "
                    "list(int) >= 4; "
                    "strides: list(int) >= 4; padding: {'SAME', 'VALID', 'EXPLICIT'}; explicit_paddings: list(int) = []; "
                    "data_format: {'NHWC', "
                    "'NCHW', 'NCHW_VECT_C'} = 'NHWC'",
           .infer = Infer<2>,
           .cpu = Make<2>});
  ops.Add({.name = "_PaddedMaxPool",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double}; ksize: list(int) >= 4; strides: list(int) >= 4; "
                    "padding: {'EXPLICIT'} = 'EXPLICIT'; explicit_paddings: list(int)",
           .infer = Infer<2>,
           .cpu = MakePadded});
  ops.Add({.name = "MaxPoolV2",
           .inputs = "input: T; ksize: int32; strides: int32",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double, int32, int64, uint8, int16, int8, uint16, qint8} = DT_FLOAT; padding: "
                    "{'SAME', 'VALID'}; "
                    "data_format: {'NHWC', 'NCHW', 'NCHW_VECT_C'} = 'NHWC'",
           .infer = InferV2,
           .cpu = MakeV2});
  ops.Add({.name = "MaxPool3D",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "ksize: list(int) >= 5; strides: list(int) >= 5; padding: {'SAME', 'VALID'}; data_format: {'NDHWC', 'NCDHW'} "
                    "= 'NDHWC'; T: "
                    "{half, bfloat16, float}",
           .infer = Infer<3>,
           .cpu = Make<3>});
}

}  // namespace savedmodel
