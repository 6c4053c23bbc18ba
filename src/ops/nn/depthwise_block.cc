// _DepthwiseBlock: what the fusing passes make of a depthwise convolution and its neighbours, in float (the neighbours in
// bfloat16 if told so), channels last, all shapes, filters and biases known before the run:
//   wide = head ? head_activation(convolution(input, head_filter) + head_bias) : input
//   deep = activation(depthwise(wide, filter) + bias)
//   output = project ? project_activation(deep x project_filter + project_bias + residual) : deep
// `args` are head_filter and head_bias, project_filter and project_bias, residual, as far as there are any.
#include "ops/nn/depthwise_block.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/depthwise_block.h"
#include "ops/nn/conv_shape.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/nn/image_means.h"
#include "ops/nn/shared_matrix.h"
#include "ops/shared_object.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// Where the inputs are, by the attributes; -1: there is none.
struct Inputs {
  int head = -1, project = -1, residual = -1;
};
absl::StatusOr<Inputs> ReadInputs(const Attributes& attrs) {
  Inputs at;
  int count = 3;
  if (attrs.Bool("head")) at.head = count, count += 2;
  if (attrs.Bool("project")) at.project = count, count += 2;
  if (attrs.Bool("residual")) at.residual = count++;
  SM_CHECK_ARGUMENT(attrs.Int("num_args") == count - 3, "num_args is ", attrs.Int("num_args"), ", wants ", count - 3);
  SM_CHECK_ARGUMENT(at.residual < 0 || at.project >= 0, "a residual is added to a projection only");
  return at;
}

absl::StatusOr<WindowAttrs> ReadHeadWindow(const Attributes& attrs) {
  Attributes window;
  for (const char* name : {"strides", "padding", "explicit_paddings", "dilations"}) {
    if (const AttrValue* value = attrs.Find(absl::StrCat("head_", name)); value != nullptr) window.Set(name, *value);
  }
  return ReadWindowAttrs(window, 2);
}

struct Planned {
  TensorShape input, output;
  DepthwiseBlockPlan plan;
  std::shared_ptr<const PackedFilter> head, project;
  Epilogue head_epilogue, epilogue, project_epilogue;  // without their tensors
  ImageMeans means;
};

absl::Status Run(KernelContext& context, const Planned& planned, const Inputs& at) {
  const Tensor& input = context.input(0);
  SM_CHECK_ARGUMENT(input.shape() == planned.input, "the input is ", input.shape().ToString(), ", the plan is for ", planned.input.ToString());
  SM_ASSIGN_OR_RETURN(Tensor* output, context.Output(0, planned.output));
  if (output->num_elements() == 0) return absl::OkStatus();
  const int64_t scratch_bytes = planned.plan.scratch_bytes();
  SM_ASSIGN_OR_RETURN(Tensor scratch, context.Scratch(DataType::kUInt8, {scratch_bytes + (planned.means.wanted ? planned.plan.depthwise().row_sums_bytes() : 0)}));
  float* memory = static_cast<float*>(scratch.raw());
  DepthwiseBlockPlan::Job job;
  job.in = input.data<float>();
  job.filter = context.input(1).data<float>();
  job.epilogue = planned.epilogue;
  job.epilogue.bias = context.input(2).data<float>();
  if (at.head >= 0) {
    job.head = planned.head.get();
    job.head_epilogue = planned.head_epilogue;
    job.head_epilogue.bias = context.input(at.head + 1).data<float>();
  }
  if (at.project >= 0) {
    job.project = planned.project.get();
    job.project_epilogue = planned.project_epilogue;
    job.project_epilogue.bias = context.input(at.project + 1).data<float>();
  }
  if (at.residual >= 0) {
    const Tensor& residual = context.input(at.residual);
    SM_CHECK_ARGUMENT(residual.shape() == planned.output, "the residual has shape ", residual.shape().ToString(), ", the output ", planned.output.ToString());
    job.project_epilogue.residual = residual.data<float>();
    job.project_epilogue.residual_stride = planned.output.dim(3);
  }
  job.out = output->data<float>();
  if (planned.means.wanted) job.row_sums = memory + scratch_bytes / static_cast<int64_t>(sizeof(float));
  planned.plan.Run(job, memory, context.pool());
  if (planned.means.wanted) return GiveImageMeans(context, planned.means, planned.plan.depthwise(), planned.output, job.row_sums);
  return absl::OkStatus();
}

absl::Status CheckBias(const KernelInit& init, int input, int64_t channels) {
  const PartialShape& bias = init.input_shape(input);
  SM_CHECK_ARGUMENT(bias.fully_known() && bias.shape().num_elements() == channels, "a bias is ", bias.ToString(), ", there are ", channels, " channels");
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const PackedFilter>> Packed(const KernelInit& init, const Tensor& filter, const Conv2dPlan& plan, const EpilogueAttrs& epilogue,
                                                           int64_t channels) {
  SM_CHECK_ARGUMENT(!epilogue.factor.initialized() || epilogue.factor.num_elements() == channels, "the factor has ", epilogue.factor.num_elements(),
                    " numbers, wants ", channels);
  return SharedObject<PackedFilter>(init, filter, FilterKey(plan.filter_layout(), epilogue.factor_key),
                                    [&] { return plan.PackFilter(filter.data<float>(), init.pool(), epilogue.factors()); });
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(const Inputs at, ReadInputs(init.attrs()));
  const PartialShape& input = init.input_shape(0);
  const Tensor *filter = init.constant(1), *head = at.head < 0 ? nullptr : init.constant(at.head), *project = at.project < 0 ? nullptr : init.constant(at.project);
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2));
  if (filter == nullptr || (at.head >= 0) != (head != nullptr) || (at.project >= 0) != (project != nullptr) || !input.fully_known() || input.rank() != 4 ||
      !window.layout.channels_last()) {
    return absl::UnimplementedError("a block of convolutions wants channels last, and shapes and filters known before the run");
  }
  auto planned = std::make_shared<Planned>();
  planned->input = input.shape();
  SM_ASSIGN_OR_RETURN(planned->means, ReadImageMeans(init.attrs()));
  SM_CHECK_ARGUMENT(!planned->means.wanted || project == nullptr, "means are taken of the depthwise convolution's images only");
  SM_ASSIGN_OR_RETURN(const EpilogueAttrs last, ReadActivation(init.attrs(), ""));
  SM_ASSIGN_OR_RETURN(const EpilogueAttrs before, ReadActivation(init.attrs(), "head_"));
  SM_ASSIGN_OR_RETURN(const EpilogueAttrs behind, ReadActivation(init.attrs(), "project_"));
  planned->epilogue = EpilogueOf(last);
  planned->head_epilogue = EpilogueOf(before);
  planned->project_epilogue = EpilogueOf(behind);
  DepthwiseBlockShape shape;
  shape.head_precision = before.precision();
  shape.project_precision = behind.precision();
  TensorShape wide = planned->input;
  if (head != nullptr) {
    SM_ASSIGN_OR_RETURN(WindowAttrs head_window, ReadHeadWindow(init.attrs()));
    SM_ASSIGN_OR_RETURN(const ConvSizes sizes, SizeConv(head_window, wide, head->shape()));
    SM_ASSIGN_OR_RETURN(shape.head, ConvShapeOf(sizes));
    SM_RETURN_IF_ERROR(CheckBias(init, at.head + 1, sizes.out_channels));
    wide = sizes.output;
  }
  SM_ASSIGN_OR_RETURN(const ConvSizes sizes, SizeDepthwise(window, wide, filter->shape()));
  SM_CHECK_ARGUMENT(sizes.out_channels == sizes.in_channels, "the depthwise filter has more than one kernel per channel");
  SM_RETURN_IF_ERROR(CheckBias(init, 2, sizes.out_channels));
  SM_ASSIGN_OR_RETURN(shape.depthwise, ConvShapeOf(sizes));
  planned->output = sizes.output;
  if (project != nullptr) {
    SM_CHECK_ARGUMENT(project->rank() == 4 && project->dim(0) == 1 && project->dim(1) == 1 && project->dim(2) == sizes.out_channels && project->dim(3) > 0,
                      "the projection's filter is ", project->shape().ToString(), " for ", sizes.out_channels, " channels");
    shape.project_c = project->dim(3);
    SM_RETURN_IF_ERROR(CheckBias(init, at.project + 1, shape.project_c));
    planned->output.set_dim(3, shape.project_c);
  }
  SM_ASSIGN_OR_RETURN(planned->plan, DepthwiseBlockPlan::Make(shape, init.pool().num_threads()));
  if (head != nullptr) {
    SM_ASSIGN_OR_RETURN(planned->head, Packed(init, *head, planned->plan.head(), before, sizes.in_channels));
  }
  if (project != nullptr) {
    SM_ASSIGN_OR_RETURN(planned->project, Packed(init, *project, planned->plan.project(), behind, shape.project_c));
  }
  return MakeKernel([planned, at](KernelContext& context) { return Run(context, *planned, at); });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(const Inputs at, ReadInputs(context.attrs()));
  PartialShape shape = context.input(0);
  if (at.head >= 0) {
    SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadHeadWindow(context.attrs()));
    SM_ASSIGN_OR_RETURN(shape, InferConvShape(window, shape, context.input(at.head), false));
  }
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(context.attrs(), 2));
  SM_ASSIGN_OR_RETURN(shape, InferConvShape(window, shape, context.input(1), true));
  if (at.project >= 0 && shape.known_rank() && shape.rank() == 4) {
    const PartialShape& filter = context.input(at.project);
    shape = PartialShape::Of({shape.dim(0), shape.dim(1), shape.dim(2), filter.known_rank() && filter.rank() == 4 ? filter.dim(3) : -1});
  }
  context.set_output(0, shape);
  return InferImageMeans(context, shape);
}

}  // namespace

DepthwiseBlockPays PaysAsDepthwiseBlock(const Attributes& depthwise, const TensorShape& images, const TensorShape& filter) {
  absl::StatusOr<WindowAttrs> window = ReadWindowAttrs(depthwise, 2);
  if (!window.ok() || filter.rank() != 4 || filter.dim(3) != 1) return {};
  absl::StatusOr<ConvSizes> sizes = SizeDepthwise(*window, images, filter);
  if (!sizes.ok()) return {};
  absl::StatusOr<Conv2dShape> shape = ConvShapeOf(*sizes);
  if (!shape.ok()) return {};
  return {DepthwiseBlockPlan::HeadPays(*shape), DepthwiseBlockPlan::ProjectionPays(*shape)};
}

void DefineDepthwiseBlock(OpTable& ops) {
  ops.Add({.name = "_DepthwiseBlock",
           .inputs = "input: T; filter: T; bias: T; args: num_args * T",
           .outputs = absl::StrCat("output: T", kMeansOutput),
           .attrs = absl::StrCat("T: {float}; num_args: int >= 0; head: bool; project: bool; residual: bool; activation: string = ''; alpha: float = 0.0", kWindowAttrs,
                    "; head_activation: string = ''; head_alpha: float = 0.0; head_bfloat16: bool = false; "
                    "head_strides: list(int) = [1, 1, 1, 1]; head_padding: {'SAME', 'VALID', 'EXPLICIT'} = 'SAME'; head_explicit_paddings: list(int) = []; "
                    "head_dilations: list(int) = [1, 1, 1, 1]; project_activation: string = ''; project_alpha: float = 0.0; project_bfloat16: bool = false", kMeansAttrs),
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
