// Conv2D: images with a filter [height, width, in_channels / groups, out_channels]; the number of groups is what the
// channels of image and filter make it. NCHW runs here too; the reference refuses it on the CPU.
#include "core/status_macros.h"
#include "ops/nn/convolution.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), 2, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferConvShape(window, context.input(0), context.input(1), false));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2, absl::StatusCode::kUnimplemented));
  return MakeKernel([window](KernelContext& context) -> absl::Status {
    const Tensor& input = context.input(0);
    const Tensor& filter = context.input(1);
    SM_ASSIGN_OR_RETURN(ConvSizes sizes, SizeConv(window, input.shape(), filter.shape()));
    SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, sizes.output));
    return RunConv(context, sizes, input, filter, output);
  });
}

}  // namespace

void DefineConv2d(OpTable& ops) {
  ops.Add({.name = "Conv2D",
           .inputs = "input: T; filter: T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double, int32}; strides: list(int); use_cudnn_on_gpu: bool = true; padding: "
                    "{'SAME', 'VALID', "
                    "'EXPLICIT'}; explicit_paddings: list(int) = []; data_format: {'NHWC', 'NCHW'} = 'NHWC'; dilations: "
                    "list(int) = [1, 1, 1, 1]",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
