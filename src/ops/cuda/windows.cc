// Convolutions and pools on the GPU. A 1x1 convolution is a matrix product (cuBLASLt); depthwise ones are our own; the others
// are cuDNN's, and where it has no way or is not there, a plain loop of ours.
#include "kernels/cuda/window.h"

#include <list>
#include <mutex>
#include <type_traits>

#include "ops/arguments.h"
#include "ops/cuda/epilogue.h"
#include "ops/cuda/trial.h"
#include "ops/nn/convolution.h"
#include "ops/nn/pooling.h"

namespace savedmodel {
namespace {

cuda::WindowShape WindowOf(const ConvSizes& sizes) {
  cuda::WindowShape shape;
  shape.batch = sizes.batch;
  shape.in_channels = sizes.in_channels;
  shape.out_channels = sizes.out_channels;
  shape.groups = sizes.groups;
  shape.channels_last = sizes.layout.channels_last();
  const size_t spatial = sizes.axes.size();
  for (size_t i = 0; i < spatial; ++i) {
    const size_t d = 3 - spatial + i;
    const WindowAxis& axis = sizes.axes[i];
    shape.in[d] = axis.in;
    shape.out[d] = axis.out;
    shape.window[d] = axis.window;
    shape.stride[d] = axis.stride;
    shape.dilation[d] = axis.dilation;
    shape.before[d] = axis.before;
  }
  return shape;
}

// How one convolution is done.
enum class ConvWay { kNothing, kDirect, kProduct, kLibrary };

struct ConvPlan {
  TensorShape input;
  ConvSizes sizes;
  ConvWay way = ConvWay::kNothing;
  cuda::WindowShape window;
  CudaProduct product;
  std::shared_ptr<const cuda::DnnConvolution> library;
  cuda::DnnShape dnn;
  int64_t pad_before[2] = {}, pad_after[2] = {};  // what is padded by a copy, where the two sides differ
  bool copies_padded() const { return pad_before[0] != 0 || pad_before[1] != 0 || pad_after[0] != 0 || pad_after[1] != 0; }
};

ConvPlan PlanConv(GpuDevice& device, const ConvSizes& sizes, DataType type, const CudaEpilogue& epilogue) {
  ConvPlan plan;
  plan.input = sizes.input;
  plan.sizes = sizes;
  if (sizes.output.num_elements() == 0) return plan;
  plan.way = ConvWay::kDirect;
  plan.window = WindowOf(sizes);
  if (sizes.axes.size() != 2 || !sizes.layout.channels_last() || sizes.depthwise() || sizes.input.num_elements() == 0) return plan;
  cuda::CudaLibraries* libraries = LibrariesOf(device);
  if (libraries == nullptr) return plan;
  const WindowAxis &h = sizes.axes[0], &w = sizes.axes[1];
  const bool pointwise = h.window == 1 && w.window == 1 && h.stride == 1 && w.stride == 1 && h.before == 0 && w.before == 0 && h.out == h.in && w.out == w.in &&
                         sizes.groups == 1;
  if (pointwise) {
    cuda::BlasShape shape;
    shape.type = shape.out_type = ElementOf(type);
    shape.m = sizes.batch * h.in * w.in;
    shape.k = sizes.in_channels;
    shape.n = sizes.out_channels;
    shape.bias = epilogue.bias;
    shape.residual = epilogue.residual;
    shape.activation = epilogue.activation;
    shape.tf32 = device.options().allow_tf32;
    plan.product = CudaProduct::Plan(device, shape, epilogue.alpha);
    if (plan.product.by_library()) {
      plan.way = ConvWay::kProduct;
      return plan;
    }
  }
  cuda::DnnShape& dnn = plan.dnn;
  dnn.type = ElementOf(type);
  dnn.batch = sizes.batch;
  dnn.in_channels = sizes.in_channels;
  dnn.out_channels = sizes.out_channels;
  dnn.groups = sizes.groups;
  for (int i = 0; i < 2; ++i) {
    const WindowAxis& axis = sizes.axes[static_cast<size_t>(i)];
    const int64_t reach = (axis.out - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1;
    const int64_t after = reach - axis.in - axis.before;  // negative: rows that no window reaches
    dnn.window[i] = axis.window;
    dnn.stride[i] = axis.stride;
    dnn.dilation[i] = axis.dilation;
    dnn.out[i] = axis.out;
    dnn.in[i] = axis.in;
    dnn.padding[i] = axis.before;
    // With the same padding on both sides there must come out as many.
    const int64_t even = (axis.in + 2 * axis.before - (axis.window - 1) * axis.dilation - 1) / axis.stride + 1;
    if (after > axis.before || even != axis.out) {
      plan.pad_before[i] = axis.before;
      plan.pad_after[i] = std::max<int64_t>(after, 0);
      dnn.in[i] = axis.in + plan.pad_before[i] + plan.pad_after[i];
      dnn.padding[i] = 0;
      if ((dnn.in[i] - (axis.window - 1) * axis.dilation - 1) / axis.stride + 1 != axis.out) return plan;
    }
  }
  dnn.bias = epilogue.bias;
  dnn.residual = epilogue.residual;
  dnn.activation = epilogue.activation;
  dnn.alpha = epilogue.alpha;
  dnn.tf32 = device.options().allow_tf32;
  plan.library = libraries->Convolution(dnn, [&] { return MakeTrial(device); });
  if (plan.library != nullptr) plan.way = ConvWay::kLibrary;
  return plan;
}

// x with zeros around it.
absl::Status PadCopy(CudaRun& run, const ConvPlan& plan, const Tensor& x, Tensor* padded) {
  const uint64_t zero[2] = {};
  SM_RETURN_IF_ERROR(run.Done(cuda::RunFill(run.handle(), SizeOf(x.dtype()), zero, padded->raw(), padded->num_elements())));
  const int64_t c = plan.dnn.in_channels, row = plan.dnn.in[1] * c, from_row = x.dim(2) * c;
  cuda::StridedCopy copy;
  copy.size = SizeOf(x.dtype());
  copy.to_offset = plan.pad_before[0] * row + plan.pad_before[1] * c;
  copy.Add(x.dim(0), x.dim(1) * from_row, plan.dnn.in[0] * row);
  copy.Add(x.dim(1), from_row, row);
  copy.Add(from_row, 1, 1);
  return run.Done(cuda::RunStridedCopy(run.handle(), copy, x.raw(), padded->raw()));
}

// `filter` is [h, w, in, out] for kDirect and kProduct, [out, h, w, in] for kLibrary.
absl::Status RunConvPlan(CudaRun& run, const ConvPlan& plan, const CudaEpilogue& epilogue, const Tensor& x, const void* filter, const EpilogueTensors& tensors,
                         Tensor* out) {
  const cuda::Element type = ElementOf(x.dtype());
  switch (plan.way) {
    case ConvWay::kNothing:
      return absl::OkStatus();
    case ConvWay::kDirect:
      return run.Done(cuda::RunDirectConv(run.handle(), type, plan.window, x.raw(), filter, {tensors.bias, tensors.residual, epilogue.activation, epilogue.alpha},
                                          out->raw()));
    case ConvWay::kProduct:
      return plan.product.Run(run, x.raw(), filter, tensors, out->raw());
    case ConvWay::kLibrary:
      break;
  }
  Tensor padded, workspace;
  const void* image = x.raw();
  if (plan.copies_padded()) {
    SM_ASSIGN_OR_RETURN(padded, run.context().Scratch(x.dtype(), {x.dim(0), plan.dnn.in[0], plan.dnn.in[1], x.dim(3)}));
    SM_RETURN_IF_ERROR(PadCopy(run, plan, x, &padded));
    image = padded.raw();
  }
  if (plan.library->workspace_bytes() > 0) {
    SM_ASSIGN_OR_RETURN(workspace, run.context().Scratch(DataType::kUInt8, {static_cast<int64_t>(plan.library->workspace_bytes())}));
  }
  SM_RETURN_IF_ERROR(run.Done(plan.library->Run(run.handle(), &run.stream().attachment(), image, filter, tensors.bias, tensors.residual, out->raw(), workspace.raw())));
  if (plan.library->has_epilogue() || !epilogue.any()) return absl::OkStatus();
  return run.Done(cuda::RunEpilogue(run.handle(), type, out->raw(), tensors.bias, tensors.residual, epilogue.activation, epilogue.alpha,
                                    out->num_elements() / plan.sizes.out_channels, plan.sizes.out_channels, out->raw()));
}

// Plans by input shape. Thread-safe.
class ConvPlans {
 public:
  template <typename Make>
  absl::StatusOr<std::shared_ptr<const ConvPlan>> Get(const TensorShape& input, const Make& make) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& plan : plans_) {
      if (plan->input == input) return plan;
    }
    SM_ASSIGN_OR_RETURN(ConvPlan made, make());
    plans_.push_front(std::make_shared<const ConvPlan>(std::move(made)));
    constexpr size_t kKept = 8;
    if (plans_.size() > kKept) plans_.pop_back();
    return plans_.front();
  }

 private:
  std::mutex mutex_;
  std::list<std::shared_ptr<const ConvPlan>> plans_;
};

// [h, w, in, out] as it is, or as [out, h, w, in]; each output channel times its factor.
void PackFilter(const Tensor& from, const Tensor& factor, bool outputs_first, Tensor* to) {
  const int64_t outs = from.dim(3), n = from.num_elements(), rest = n / std::max<int64_t>(outs, 1), channels = std::max<int64_t>(factor.num_elements(), 1);
  auto fill = [&](auto* out) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = outputs_first ? i % outs * rest + i / outs : i;
      out[at] = static_cast<T>(from.data<float>()[i] * (factor.initialized() ? factor.data<float>()[i % channels] : 1.0f));
    }
  };
  if (to->dtype() == DataType::kBFloat16) fill(to->data<BFloat16>());
  else if (to->dtype() == DataType::kHalf) fill(to->data<Half>());
  else fill(to->data<float>());
}

absl::StatusOr<KernelPtr> MakeConvEpilogue(KernelInit& init) {
  const Tensor* filter = init.constant(1);
  const DataType type = init.input_dtype(0);
  if (type == DataType::kDouble || !IsCudaFloat(type)) return WrongType(type);
  SM_ASSIGN_OR_RETURN(const WindowAttrs window, ReadWindowAttrs(init.attrs(), 2, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(const CudaEpilogue epilogue, ReadCudaEpilogue(init.attrs()));
  if (!window.layout.channels_last() || filter == nullptr) {
    return absl::UnimplementedError("the fused convolution wants channels last and a filter known before the run");
  }
  const bool depthwise = init.attrs().Bool("depthwise");
  GpuDevice& device = GpuOf(init);
  // What is known now decides how the filter must lie; a shape that is not is taken the plain way.
  auto plans = std::make_shared<ConvPlans>();
  auto size = [=](const TensorShape& input, const TensorShape& shape) { return depthwise ? SizeDepthwise(window, input, shape) : SizeConv(window, input, shape); };
  bool outputs_first = false;
  if (init.input_shape(0).fully_known()) {
    SM_ASSIGN_OR_RETURN(const ConvSizes sizes, size(init.input_shape(0).shape(), filter->shape()));
    SM_ASSIGN_OR_RETURN(const std::shared_ptr<const ConvPlan> plan,
                        plans->Get(sizes.input, [&]() -> absl::StatusOr<ConvPlan> { return PlanConv(device, sizes, type, epilogue); }));
    outputs_first = plan->way == ConvWay::kLibrary;
  }
  const TensorShape& from = filter->shape();
  const TensorShape packed_shape = outputs_first ? TensorShape({from.dim(3), from.dim(0), from.dim(1), from.dim(2)}) : from;
  const int64_t channels = depthwise ? from.dim(2) * from.dim(3) : from.dim(3);
  SM_CHECK_ARGUMENT(!epilogue.factor.initialized() || epilogue.factor.num_elements() == channels, "the factor has ", epilogue.factor.num_elements(),
                    " numbers, wants ", channels);
  absl::StatusOr<std::shared_ptr<const Tensor>> packed =
      OnDevice(init, *filter, absl::StrCat(outputs_first ? "filter, outputs first " : depthwise ? "depthwise filter " : "filter ", DataTypeName(type), epilogue.factor_key), type, packed_shape,
               [&](const Tensor& source, Tensor* to) { PackFilter(source, epilogue.factor, outputs_first, to); });
  if (!packed.ok()) return packed.status();
  return MakeCudaKernel([plans, size, type, epilogue, outputs_first, filter = *packed, shape = from](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    GpuDevice& device = *run.stream().device();
    SM_ASSIGN_OR_RETURN(const std::shared_ptr<const ConvPlan> plan, plans->Get(x.shape(), [&]() -> absl::StatusOr<ConvPlan> {
      SM_ASSIGN_OR_RETURN(const ConvSizes sizes, size(x.shape(), shape));
      ConvPlan made = PlanConv(device, sizes, type, epilogue);
      if ((made.way == ConvWay::kLibrary) != outputs_first && made.way != ConvWay::kNothing) {
        if (outputs_first) return absl::InternalError("cuDNN has no way for a shape of this run, but had one for another");
        made.way = ConvWay::kDirect;
      }
      return made;
    }));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, plan->sizes.output));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(const EpilogueTensors tensors, EpilogueInputs(run, epilogue, plan->sizes.out_channels, plan->sizes.output));
    return RunConvPlan(run, *plan, epilogue, x, filter->raw(), tensors, out);
  });
}

// Conv2D, Conv3D and DepthwiseConv2dNative as they stand in the graph: the filter lies on the device.
template <int kSpatial, bool kDepthwise>
absl::StatusOr<KernelPtr> MakeConv(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsCudaFloat(type)) return WrongType(type);
  SM_ASSIGN_OR_RETURN(const WindowAttrs window, ReadWindowAttrs(init.attrs(), kSpatial, absl::StatusCode::kUnimplemented));
  return MakeCudaKernel([window, type, plans = std::make_shared<ConvPlans>()](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &filter = run.input(1);
    SM_ASSIGN_OR_RETURN(const ConvSizes sizes, kDepthwise ? SizeDepthwise(window, x.shape(), filter.shape()) : SizeConv(window, x.shape(), filter.shape()));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, sizes.output));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(std::shared_ptr<const ConvPlan> plan, plans->Get(x.shape(), [&]() -> absl::StatusOr<ConvPlan> {
      return PlanConv(*run.stream().device(), sizes, type, {});
    }));
    if (plan->sizes.filter != filter.shape()) plan = std::make_shared<const ConvPlan>(PlanConv(*run.stream().device(), sizes, type, {}));
    if (plan->way != ConvWay::kLibrary) return RunConvPlan(run, *plan, {}, x, filter.raw(), {}, out);
    SM_ASSIGN_OR_RETURN(Tensor turned, run.context().Scratch(type, filter.shape()));
    cuda::StridedCopy copy;
    copy.size = SizeOf(type);
    const int64_t outs = filter.dim(3), rest = filter.num_elements() / outs;
    copy.Add(outs, 1, rest);
    copy.Add(rest, outs, 1);
    SM_RETURN_IF_ERROR(run.Done(cuda::RunStridedCopy(run.handle(), copy, filter.raw(), turned.raw())));
    return RunConvPlan(run, *plan, {}, x, turned.raw(), {}, out);
  });
}

// The transposed convolution: x is [.., out], the result has the sizes asked for.
absl::StatusOr<KernelPtr> MakeConvBackpropInput(KernelInit& init) {
  const DataType type = init.input_dtype(2);
  if (!IsCudaFloat(type)) return WrongType(type);
  SM_ASSIGN_OR_RETURN(const WindowAttrs window, ReadWindowAttrs(init.attrs(), 2, absl::StatusCode::kUnimplemented));
  return MakeCudaKernel([window, type](CudaRun& run) -> absl::Status {
    const Tensor &filter = run.input(1), &gradient = run.input(2);
    SM_ASSIGN_OR_RETURN(TensorShape input, ShapeInput(run.context(), 0, "input_sizes"));
    if (input.rank() == 2 && gradient.rank() == 4 && filter.rank() == 4) {
      // Height and width alone.
      input = ImageShape(window.layout, gradient.dim(0), {input.dim(0), input.dim(1)}, filter.dim(2));
    }
    SM_ASSIGN_OR_RETURN(const ConvSizes sizes, SizeConv(window, input, filter.shape()));
    SM_CHECK_ARGUMENT(sizes.output == gradient.shape(), "Conv2DBackpropInput: out_backprop is ", gradient.shape().ToString(), ", the sizes want ",
                      sizes.output.ToString());
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, input));
    if (out->num_elements() == 0) return absl::OkStatus();
    return run.Done(cuda::RunDirectConvInputGradient(run.handle(), ElementOf(type), WindowOf(sizes), gradient.raw(), filter.raw(), out->raw()));
  });
}

// _ConvTransposeEpilogue: the same with filter and sizes known before the run, bias and activation behind it.
absl::StatusOr<KernelPtr> MakeConvTransposeEpilogue(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (type == DataType::kDouble || !IsCudaFloat(type)) return WrongType(type);
  const Tensor* filter = init.constant(1);
  SM_ASSIGN_OR_RETURN(const WindowAttrs window, ReadWindowAttrs(init.attrs(), 2, absl::StatusCode::kUnimplemented));
  SM_ASSIGN_OR_RETURN(const CudaEpilogue epilogue, ReadCudaEpilogue(init.attrs()));
  if (filter == nullptr || !window.layout.channels_last() || epilogue.factor.initialized()) {
    return absl::UnimplementedError("the fused transposed convolution wants channels last and a filter known before the run");
  }
  SM_CHECK_ARGUMENT(!epilogue.residual, "a transposed convolution takes no residual");
  SM_ASSIGN_OR_RETURN(const TensorShape input, TensorShape::Make(init.attrs().Ints("input_sizes")));
  SM_ASSIGN_OR_RETURN(const ConvSizes sizes, SizeConv(window, input, filter->shape()));
  SM_ASSIGN_OR_RETURN(const std::shared_ptr<const Tensor> packed, OnDevice(init, *filter, absl::StrCat("filter ", DataTypeName(type)), type, filter->shape(),
                                                                           [](const Tensor& from, Tensor* to) { PackFilter(from, Tensor(), false, to); }));
  return MakeCudaKernel([sizes, epilogue, packed, element = ElementOf(type)](CudaRun& run) -> absl::Status {
    const Tensor& image = run.input(0);
    SM_CHECK_ARGUMENT(image.shape() == sizes.output, "the image is ", image.shape().ToString(), ", the plan wants ", sizes.output.ToString());
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, sizes.input));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(const EpilogueTensors tensors, EpilogueInputs(run, epilogue, sizes.in_channels, sizes.input));
    SM_RETURN_IF_ERROR(run.Done(cuda::RunDirectConvInputGradient(run.handle(), element, WindowOf(sizes), image.raw(), packed->raw(), out->raw())));
    if (!epilogue.any()) return absl::OkStatus();
    return run.Done(cuda::RunEpilogue(run.handle(), element, out->raw(), tensors.bias, nullptr, epilogue.activation, epilogue.alpha,
                                      out->num_elements() / sizes.in_channels, sizes.in_channels, out->raw()));
  });
}

template <bool kAverage, int kSpatial>
absl::StatusOr<KernelPtr> MakePool(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (!IsCudaFloat(type)) return WrongType(type);
  absl::StatusOr<PoolAttrs> attrs = ReadPoolAttrs(init.attrs(), kSpatial);
  if (!attrs.ok()) return absl::UnimplementedError(attrs.status().message());
  if (attrs->depth_window() != 1) return absl::UnimplementedError("pools over channels are the CPU's");
  return MakeCudaKernel([attrs = *attrs, type](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const PoolSizes sizes, SizePool(attrs, x.shape()));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, sizes.output));
    if (out->num_elements() == 0) return absl::OkStatus();
    const ImageLayout& layout = attrs.window.layout;
    cuda::WindowShape shape;
    shape.batch = x.dim(0);
    shape.in_channels = shape.out_channels = x.dim(layout.channel);
    shape.channels_last = layout.channels_last();
    shape.volume = kSpatial == 3;
    for (int i = 0; i < kSpatial; ++i) {
      const int d = 3 - kSpatial + i, at = layout.first_spatial + i;
      WindowAxis axis = attrs.window.Axis(i, x.dim(at), attrs.ksize[static_cast<size_t>(at)]);
      SM_RETURN_IF_ERROR(SizeAxis(attrs.window.padding, &axis));
      shape.in[d] = axis.in;
      shape.out[d] = axis.out;
      shape.window[d] = axis.window;
      shape.stride[d] = axis.stride;
      shape.before[d] = axis.before;
    }
    return run.Done(cuda::RunPool(run.handle(), kAverage, ElementOf(type), shape, x.raw(), out->raw()));
  });
}

}  // namespace

void AddWindows(DeviceKernels* kernels) {
  AddKernel(kernels, "_ConvEpilogue", MakeConvEpilogue, {"filter"});
  AddKernel(kernels, "_ConvTransposeEpilogue", MakeConvTransposeEpilogue, {"filter"});
  AddKernel(kernels, "Conv2D", MakeConv<2, false>);
  AddKernel(kernels, "Conv3D", MakeConv<3, false>);
  AddKernel(kernels, "DepthwiseConv2dNative", MakeConv<2, true>);
  AddKernel(kernels, "Conv2DBackpropInput", MakeConvBackpropInput, {"input_sizes"});
  AddKernel(kernels, "MaxPool", MakePool<false, 2>);
  AddKernel(kernels, "AvgPool", MakePool<true, 2>);
  AddKernel(kernels, "MaxPool3D", MakePool<false, 3>);
  AddKernel(kernels, "AvgPool3D", MakePool<true, 3>);
}

}  // namespace savedmodel
