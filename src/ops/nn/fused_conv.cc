// _FusedConv2D, _FusedConv3D and _FusedDepthwiseConv2dNative: a convolution, a bias or batch normalization, an activation.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/nn/convolution.h"
#include "ops/nn/fused_ops.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status CheckFormats(const Attributes& attrs) {
  const std::string& filter = attrs.String("filter_format");
  if (attrs.String("data_format") == "NCHW_VECT_C" || (attrs.Has("filter_format") && filter != "HWIO")) {
    return absl::UnimplementedError(
        absl::StrCat("data_format ", attrs.String("data_format"), " with filter_format ", filter, " is not supported"));
  }
  if (!attrs.Ints("padding_list").empty()) return absl::UnimplementedError("padding_list is not supported");
  return absl::OkStatus();
}

template <int kSpatial, bool kDepthwise>
absl::Status Infer(InferContext& context) {
  if (!CheckFormats(context.attrs()).ok()) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), kSpatial, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferConvShape(window, context.input(0), context.input(1), kDepthwise));
  context.set_output(0, std::move(shape));
  return absl::OkStatus();
}

absl::Status Run(KernelContext& context, const WindowAttrs& window, const FusedOps& ops, bool depthwise) {
  const Tensor& input = context.input(0);
  const Tensor& filter = context.input(1);
  SM_ASSIGN_OR_RETURN(ConvSizes sizes, depthwise ? SizeDepthwise(window, input.shape(), filter.shape())
                                                 : SizeConv(window, input.shape(), filter.shape()));
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, sizes.output));
  SM_RETURN_IF_ERROR(RunConv(context, sizes, input, filter, output));
  return ApplyFusedOps(context, ops, 2, window.layout.channel, output);
}

template <int kSpatial, bool kDepthwise>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_RETURN_IF_ERROR(CheckFormats(init.attrs()));
  if (!IsFloating(init.input_dtype(0))) {
    return absl::UnimplementedError(absl::StrCat("no kernel for dtype ", DataTypeName(init.input_dtype(0))));
  }
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), kSpatial, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(FusedOps ops, ReadFusedOps(init.attrs()));
  SM_CHECK_ARGUMENT(init.num_inputs() >= 2 + ops.num_args(), "fused_ops need ", ops.num_args(), " arguments, there are ",
                    init.num_inputs() - 2);
  return MakeKernel([window, ops](KernelContext& context) { return Run(context, window, ops, kDepthwise); });
}

}  // namespace

void DefineFusedConv(OpTable& ops) {
  ops.Add(
      {.name = "_FusedConv2D",
       .inputs = "input: T; filter: T; args: TArgs; host_args: num_host_args * float",
       .outputs = "output: T",
       .attrs =
           "T: {half, float, double, int8, qint8}; TArgs: list(type) >= 1; num_args: int >= 0; num_host_args: int >= 0 = 0; "
           "strides: "
           "list(int); padding: {'SAME', 'VALID', 'EXPLICIT'}; explicit_paddings: list(int) = []; data_format: {'NHWC', 'NCHW', "
           "'NCHW_VECT_C'} = 'NHWC'; filter_format: {'HWIO', 'OIHW', 'OIHW_VECT_I'} = 'HWIO'; dilations: list(int) = [1, 1, 1, "
           "1]; "
           "use_cudnn_on_gpu: bool = true; fused_ops: list(string) = []; epsilon: float = 1e-04; leakyrelu_alpha: float = 0.2",
       .infer = Infer<2, false>,
       .cpu = Make<2, false>});
  ops.Add({.name = "_FusedConv3D",
           .inputs = "input: T; filter: T; args: num_args * T",
           .outputs = "output: T",
           .attrs = "T: {bfloat16, float, half}; num_args: int >= 0; strides: list(int) >= 5; padding: {'SAME', 'VALID'}; "
                    "data_format: {'NDHWC', "
                    "'NCDHW'} = 'NDHWC'; dilations: list(int) = [1, 1, 1, 1, 1]; padding_list: list(int) = []; fused_ops: "
                    "list(string) = []; "
                    "epsilon: float = 1e-04; leakyrelu_alpha: float = 0.2",
           .infer = Infer<3, false>,
           .cpu = Make<3, false>});
  ops.Add({.name = "_FusedDepthwiseConv2dNative",
           .inputs = "input: T; filter: T; args: num_args * T",
           .outputs = "output: T",
           .attrs = "T: {half, bfloat16, float, double}; num_args: int >= 0; strides: list(int); padding: {'SAME', 'VALID'}; "
                    "data_format: {'NHWC', "
                    "'NCHW'} = 'NHWC'; dilations: list(int) = [1, 1, 1, 1]; fused_ops: list(string) = []; epsilon: float = "
                    "1e-04; leakyrelu_alpha: "
                    "float = 0.2",
           .infer = Infer<2, true>,
           .cpu = Make<2, true>});
}

}  // namespace savedmodel
