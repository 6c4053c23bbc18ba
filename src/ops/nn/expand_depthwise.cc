// _ExpandDepthwise: what the fusing passes make of a pointwise convolution and the depthwise convolution behind it, in float
// (the first one in bfloat16 if told so),
// channels last, all filters and biases known before the run:
//   wide = expand_activation(input x expand_filter + expand_bias), output = activation(depthwise(wide, filter) + bias)
#include "ops/nn/expand_depthwise.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/expand_depthwise.h"
#include "ops/nn/conv_shape.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/nn/image_means.h"
#include "ops/nn/shared_matrix.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

constexpr int64_t kFewChannels = 16;  // so few are not worth rounding

struct Planned {
  ConvSizes sizes;  // of the depthwise convolution
  int64_t in_channels = 0;
  ExpandDepthwisePlan plan;
  std::shared_ptr<const PackedMatrix> expand;
  Epilogue expand_epilogue, epilogue;
  ImageMeans means;
};

absl::Status Run(KernelContext& context, const Planned& planned) {
  const Tensor& input = context.input(0);
  const TensorShape& wide = planned.sizes.input;
  SM_CHECK_ARGUMENT(input.rank() == 4 && input.dim(0) == wide.dim(0) && input.dim(1) == wide.dim(1) && input.dim(2) == wide.dim(2) &&
                        input.dim(3) == planned.in_channels,
                    "the input is ", input.shape().ToString(), ", the plan is for images that become ", wide.ToString());
  SM_ASSIGN_OR_RETURN(Tensor* output, context.Output(0, planned.sizes.output));
  if (output->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(Tensor scratch, context.Scratch(DataType::kUInt8, {planned.plan.scratch_bytes() + (planned.means.wanted ? planned.plan.depthwise().row_sums_bytes() : 0)}));
  Epilogue expand = planned.expand_epilogue, last = planned.epilogue;
  expand.bias = context.input(2).data<float>();
  last.bias = context.input(4).data<float>();
  float* memory = static_cast<float*>(scratch.raw());
  float* row_sums = planned.means.wanted ? memory + planned.plan.scratch_bytes() / static_cast<int64_t>(sizeof(float)) : nullptr;
  planned.plan.Run(input.data<float>(), *planned.expand, expand, context.input(3).data<float>(), last, output->data<float>(), memory, context.pool(), row_sums);
  if (planned.means.wanted) return GiveImageMeans(context, planned.means, planned.plan.depthwise(), planned.sizes.output, row_sums);
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const PartialShape& input = init.input_shape(0);
  const Tensor *expand = init.constant(1), *filter = init.constant(3);
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2));
  if (expand == nullptr || filter == nullptr || !input.fully_known() || input.rank() != 4 || !window.layout.channels_last()) {
    return absl::UnimplementedError("the fused convolutions want channels last, and shapes and filters known before the run");
  }
  auto planned = std::make_shared<Planned>();
  planned->in_channels = input.dim(3);
  SM_CHECK_ARGUMENT(expand->rank() == 4 && expand->dim(0) == 1 && expand->dim(1) == 1 && expand->dim(2) == input.dim(3) && expand->num_elements() > 0, "the first filter is ",
                    expand->shape().ToString(), " for images ", input.ToString());
  const int64_t channels = expand->dim(3);
  SM_ASSIGN_OR_RETURN(planned->sizes, SizeDepthwise(window, TensorShape({input.dim(0), input.dim(1), input.dim(2), channels}), filter->shape()));
  SM_CHECK_ARGUMENT(planned->sizes.out_channels == channels, "the second filter has more than one kernel per channel");
  for (int i : {2, 4}) {
    SM_CHECK_ARGUMENT(init.input_shape(i).fully_known() && init.input_shape(i).shape().num_elements() == channels, "a bias is ",
                      init.input_shape(i).ToString(), ", there are ", channels, " channels");
  }
  SM_ASSIGN_OR_RETURN(EpilogueAttrs last, ReadActivation(init.attrs(), ""));
  SM_ASSIGN_OR_RETURN(EpilogueAttrs first, ReadActivation(init.attrs(), "expand_"));
  planned->epilogue.activation = last.activation;
  planned->epilogue.alpha = last.alpha;
  planned->expand_epilogue.activation = first.activation;
  planned->expand_epilogue.alpha = first.alpha;
  SM_CHECK_ARGUMENT(!first.factor.initialized() || first.factor.num_elements() == channels, "the factor has ", first.factor.num_elements(), " numbers, wants ",
                    channels);
  SM_ASSIGN_OR_RETURN(Conv2dShape shape, ConvShapeOf(planned->sizes));
  first.bfloat16 = init.attrs().Bool("expand_bfloat16") && input.dim(3) >= kFewChannels;
  SM_ASSIGN_OR_RETURN(planned->expand, SharedMatrix(init, *expand, input.dim(3), false, first));
  SM_ASSIGN_OR_RETURN(planned->plan, ExpandDepthwisePlan::Make(shape, input.dim(3), init.pool().num_threads(), planned->expand->layout().bf16));
  SM_ASSIGN_OR_RETURN(planned->means, ReadImageMeans(init.attrs()));
  return MakeKernel([planned](KernelContext& context) { return Run(context, *planned); });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), 2));
  const PartialShape &input = context.input(0), &expand = context.input(1);
  if (!input.known_rank() || input.rank() != 4 || !expand.known_rank() || expand.rank() != 4) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(PartialShape shape, InferConvShape(window, PartialShape::Of({input.dim(0), input.dim(1), input.dim(2), expand.dim(3)}),
                                                         context.input(3), true));
  context.set_output(0, shape);
  return InferImageMeans(context, shape);
}

}  // namespace

bool ExpansionIsWorthIt(const Attributes& depthwise, const TensorShape& wide, const TensorShape& filter) {
  absl::StatusOr<WindowAttrs> window = ReadWindowAttrs(depthwise, 2);
  if (!window.ok() || filter.rank() != 4 || filter.dim(3) != 1) return false;
  absl::StatusOr<ConvSizes> sizes = SizeDepthwise(*window, wide, filter);
  if (!sizes.ok()) return false;
  absl::StatusOr<Conv2dShape> shape = ConvShapeOf(*sizes);
  return shape.ok() && ExpandDepthwisePlan::WorthIt(*shape);
}

void DefineExpandDepthwise(OpTable& ops) {
  ops.Add({.name = "_ExpandDepthwise",
           .inputs = "input: T; expand_filter: T; expand_bias: T; filter: T; bias: T",
           .outputs = absl::StrCat("output: T", kMeansOutput),
           .attrs = absl::StrCat("T: {float}; expand_activation: string = ''; expand_alpha: float = 0.0; expand_bfloat16: bool = false; activation: string = ''; alpha: float = 0.0; strides: "
                    "list(int); padding: {'SAME', 'VALID', 'EXPLICIT'}; explicit_paddings: list(int) = []; data_format: {'NHWC', 'NCHW'} = 'NHWC'; "
                    "dilations: list(int) = [1, 1, 1, 1]", kMeansAttrs),
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
