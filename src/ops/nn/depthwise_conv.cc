// DepthwiseConv2dNative: each channel with its own `multiplier` filters, filter [height, width, channels, multiplier].
#include "core/status_macros.h"
#include "ops/nn/convolution.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), 2));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferConvShape(window, context.input(0), context.input(1), true));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2));
  return MakeKernel([window](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(ConvSizes sizes, SizeDepthwise(window, context.input(0).shape(), context.input(1).shape()));
    SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, sizes.output));
    return RunConv(context, sizes, context.input(0), context.input(1), output);
  });
}

}  // namespace

void DefineDepthwiseConv(OpTable& ops) {
  ops.Add({.name = "DepthwiseConv2dNative",
           .inputs = "input: T; filter: T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double}; strides: list(int); padding: {'SAME', 'VALID', 'EXPLICIT'}; "
                    "explicit_paddings: list(int) "
                    "= []; data_format: {'NHWC', 'NCHW'} = 'NHWC'; dilations: list(int) = [1, 1, 1, 1]",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
