// _ConvTransposeEpilogue: what the fusing passes make of Conv2DBackpropInput in float, channels last, with a filter and sizes
// known before the run: activation(transposed convolution + bias).
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/conv2d_transpose.h"
#include "ops/nn/conv_shape.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/shared_object.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct Planned {
  ConvSizes sizes;
  Conv2dTransposePlan plan;
  std::shared_ptr<const PackedTransposeFilter> filter;
  EpilogueAttrs epilogue;
};

absl::Status Run(KernelContext& context, const Planned& planned) {
  const Tensor& image = context.input(0);
  SM_CHECK_ARGUMENT(image.shape() == planned.sizes.output, "the image is ", image.shape().ToString(), ", the plan wants ",
                    planned.sizes.output.ToString());
  SM_ASSIGN_OR_RETURN(Tensor* output, context.Output(0, planned.sizes.input));
  if (output->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(Epilogue epilogue, MakeEpilogue(context, planned.epilogue, planned.sizes.in_channels, planned.sizes.input));
  Tensor scratch;
  if (planned.plan.scratch_bytes() > 0) {
    SM_ASSIGN_OR_RETURN(scratch, context.Scratch(DataType::kUInt8, {planned.plan.scratch_bytes()}));
  }
  planned.plan.Run(image.data<float>(), *planned.filter, epilogue, output->data<float>(), static_cast<float*>(scratch.raw()), context.pool());
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("the CPU computes this in float32 alone");
  const Tensor* filter = init.constant(1);
  SM_ASSIGN_OR_RETURN(WindowAttrs window, ReadWindowAttrs(init.attrs(), 2));
  if (filter == nullptr || !window.layout.channels_last()) {
    return absl::UnimplementedError("the fused transposed convolution wants channels last and a filter known before the run");
  }
  auto planned = std::make_shared<Planned>();
  SM_ASSIGN_OR_RETURN(planned->epilogue, ReadEpilogueAttrs(init.attrs()));
  SM_CHECK_ARGUMENT(!planned->epilogue.residual, "a transposed convolution takes no residual");
  SM_ASSIGN_OR_RETURN(TensorShape sizes, TensorShape::Make(init.attrs().Ints("input_sizes")));
  SM_ASSIGN_OR_RETURN(planned->sizes, SizeConv(window, sizes, filter->shape()));
  SM_ASSIGN_OR_RETURN(Conv2dShape shape, ConvShapeOf(planned->sizes));
  SM_ASSIGN_OR_RETURN(planned->plan, Conv2dTransposePlan::Make(shape, init.pool().num_threads()));
  // The phases depend on everything but the batch.
  std::string key = "transposed";
  for (int64_t v : {shape.in_h, shape.in_w, shape.stride_h, shape.stride_w, shape.dilation_h, shape.dilation_w, shape.pad_top, shape.pad_left}) {
    absl::StrAppend(&key, " ", v);
  }
  SM_ASSIGN_OR_RETURN(planned->filter, SharedObject<PackedTransposeFilter>(
                                           init, *filter, key, [&] { return planned->plan.PackFilter(filter->data<float>(), init.pool()); }));
  return MakeKernel([planned](KernelContext& context) { return Run(context, *planned); });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(TensorShape sizes, TensorShape::Make(context.attrs().Ints("input_sizes")));
  context.set_output(0, sizes);
  return absl::OkStatus();
}

}  // namespace

void DefineConvTransposeEpilogue(OpTable& ops) {
  ops.Add({.name = "_ConvTransposeEpilogue",
           .inputs = "input: T; filter: float; args: num_args * T",
           .outputs = "output: T",
           .attrs = absl::StrCat("T: {float, half, bfloat16}; num_args: int >= 0; input_sizes: list(int); bias: bool; residual: bool; activation: string = ''; "
                    "alpha: float = 0.0", kWindowAttrs),
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
