// Resizing and cropping images, and normalising over channels, on the GPU.
#include "kernels/cuda/window.h"
#include "ops/arguments.h"
#include "ops/cuda/cuda_kernel.h"

namespace savedmodel {
namespace {

cuda::Corners CornersOf(const Attributes& attrs) {
  return attrs.Bool("align_corners") ? cuda::Corners::kAligned : attrs.Bool("half_pixel_centers") ? cuda::Corners::kHalfPixel : cuda::Corners::kPlain;
}

absl::StatusOr<TensorShape> ResizedShape(const CudaRun& run) {
  const Tensor& x = run.input(0);
  SM_CHECK_ARGUMENT(x.rank() == 4, "input must be 4-dimensional: ", x.shape().ToString());
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> size, IntVector(run.context(), 1, "size"));
  SM_CHECK_ARGUMENT(run.input(1).rank() == 1 && size.size() == 2, "shape_t must have two elements: ", run.input(1).shape().ToString());
  SM_CHECK_ARGUMENT(size[0] > 0 && size[1] > 0, "output dimensions must be positive");
  SM_CHECK_ARGUMENT(x.dim(1) > 0 && x.dim(2) > 0, "input image must be of non-zero size");
  return TensorShape({x.dim(0), size[0], size[1], x.dim(3)});
}

template <bool kNearest>
absl::StatusOr<KernelPtr> MakeResize(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  const bool bilinear = type == DataType::kFloat || type == DataType::kHalf || type == DataType::kBFloat16 || type == DataType::kUInt8;
  if (kNearest ? !IsCudaNumber(type) : !bilinear) return WrongType(type);
  if (init.attrs().Bool("align_corners") && init.attrs().Bool("half_pixel_centers")) {
    return absl::InvalidArgumentError("If half_pixel_centers is True, align_corners must be False.");
  }
  return MakeCudaKernel([type, corners = CornersOf(init.attrs())](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ResizedShape(run));
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    if (kNearest) {
      return run.Done(cuda::RunResizeNearest(run.handle(), SizeOf(type), corners, x.dim(0), x.dim(1), x.dim(2), x.dim(3), shape.dim(1), shape.dim(2), x.raw(),
                                             out->raw()));
    }
    return run.Done(cuda::RunResizeBilinear(run.handle(), ElementOf(type), corners, x.dim(0), x.dim(1), x.dim(2), x.dim(3), shape.dim(1), shape.dim(2), x.raw(),
                                            out->data<float>()));
  });
}

absl::StatusOr<KernelPtr> MakeCropAndResize(KernelInit& init) {
  const DataType type = init.input_dtype(0);
  if (type != DataType::kFloat && type != DataType::kHalf && type != DataType::kUInt8) return WrongType(type);
  return MakeCudaKernel([type, nearest = init.attrs().String("method") == "nearest", extrapolation = init.attrs().Float("extrapolation_value")](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &boxes = run.input(1), &images = run.input(2);
    SM_CHECK_ARGUMENT(x.rank() == 4, "input image must be 4-D: ", x.shape().ToString());
    SM_CHECK_ARGUMENT(boxes.rank() == 2 && boxes.dim(1) == 4 && images.rank() == 1 && images.dim(0) == boxes.dim(0), "boxes must be [boxes, 4], is ",
                      boxes.shape().ToString(), ", box_index ", images.shape().ToString());
    SM_ASSIGN_OR_RETURN(const std::vector<int64_t> size, IntVector(run.context(), 3, "crop_size"));
    SM_CHECK_ARGUMENT(size.size() == 2 && size[0] > 0 && size[1] > 0, "crop dimensions must be positive");
    SM_CHECK_ARGUMENT(x.dim(1) > 0 && x.dim(2) > 0, "image dimensions must be positive");
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, TensorShape({boxes.dim(0), size[0], size[1], x.dim(3)})));
    return run.Done(cuda::RunCropAndResize(run.handle(), ElementOf(type), nearest, x.dim(0), x.dim(1), x.dim(2), x.dim(3), boxes.dim(0), size[0], size[1],
                                           extrapolation, x.raw(), boxes.data<float>(), images.data<int32_t>(), out->data<float>()));
  });
}

absl::StatusOr<KernelPtr> MakeLrn(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return WrongType(init.input_dtype(0));
  const Attributes& attrs = init.attrs();
  return MakeCudaKernel([radius = attrs.Int("depth_radius"), bias = attrs.Float("bias"), alpha = attrs.Float("alpha"), beta = attrs.Float("beta")](CudaRun& run) -> absl::Status {
    const Tensor& x = run.input(0);
    SM_CHECK_ARGUMENT(x.rank() == 4, "in must be 4-dimensional: ", x.shape().ToString());
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    const int64_t channels = x.dim(3), reach = std::min(std::max<int64_t>(radius, 0), channels);
    return run.Done(cuda::RunLrn(run.handle(), x.num_elements() / channels, channels, reach, bias, alpha, beta, x.data<float>(), out->data<float>()));
  });
}

}  // namespace

void AddImages(DeviceKernels* kernels) {
  AddKernel(kernels, "ResizeBilinear", MakeResize<false>, {"size"});
  AddKernel(kernels, "ResizeNearestNeighbor", MakeResize<true>, {"size"});
  AddKernel(kernels, "CropAndResize", MakeCropAndResize, {"crop_size"});
  AddKernel(kernels, "LRN", MakeLrn);
}

}  // namespace savedmodel
