// Resizing and cropping images, normalising over channels, and choosing boxes, on the GPU.
#include <algorithm>
#include <limits>

#include "kernels/cuda/boxes.h"
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
  const int not_finite = IndexAlarm(init, "Boxes contains at least one element that is not finite");
  const int no_image = IndexAlarm(init, "box_index has values outside [0, batch_size)", absl::StatusCode::kOutOfRange);
  return MakeCudaKernel([type, not_finite, no_image, nearest = init.attrs().String("method") == "nearest", extrapolation = init.attrs().Float("extrapolation_value")](CudaRun& run) -> absl::Status {
    const Tensor &x = run.input(0), &boxes = run.input(1), &images = run.input(2);
    SM_CHECK_ARGUMENT(x.rank() == 4, "input image must be 4-D: ", x.shape().ToString());
    SM_CHECK_ARGUMENT(boxes.rank() == 2 && boxes.dim(1) == 4 && images.rank() == 1 && images.dim(0) == boxes.dim(0), "boxes must be [boxes, 4], is ",
                      boxes.shape().ToString(), ", box_index ", images.shape().ToString());
    SM_ASSIGN_OR_RETURN(const std::vector<int64_t> size, IntVector(run.context(), 3, "crop_size"));
    SM_CHECK_ARGUMENT(size.size() == 2 && size[0] > 0 && size[1] > 0, "crop dimensions must be positive");
    SM_CHECK_ARGUMENT(x.dim(1) > 0 && x.dim(2) > 0, "image dimensions must be positive");
    SM_ASSIGN_OR_RETURN(Tensor * out, run.Output(0, TensorShape({boxes.dim(0), size[0], size[1], x.dim(3)})));
    return run.Done(cuda::RunCropAndResize(run.handle(), ElementOf(type), nearest, x.dim(0), x.dim(1), x.dim(2), x.dim(3), boxes.dim(0), size[0], size[1],
                                           extrapolation, x.raw(), boxes.data<float>(), images.data<int32_t>(), run.Alarm(not_finite), run.Alarm(no_image),
                                           out->data<float>()));
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

// NonMaxSuppression V1 to V5 in float, without soft suppression. How many boxes stay is known when the kernel is done: the
// run waits for it.
template <int kVersion>
absl::StatusOr<KernelPtr> MakeNonMaxSuppression(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return WrongType(init.input_dtype(0));
  for (int i = 3; i < init.num_inputs(); ++i) {
    if (init.input_dtype(i) != DataType::kFloat) return WrongType(init.input_dtype(i));
  }
  const Tensor* sigma = kVersion == 5 ? init.constant(5) : nullptr;
  if (kVersion == 5 && (sigma == nullptr || sigma->rank() != 0 || sigma->scalar<float>() != 0)) return absl::UnimplementedError("soft suppression is the CPU's");
  const float attr_overlap = kVersion == 1 ? init.attrs().Float("iou_threshold") : 0;
  const bool pad = kVersion >= 4 && init.attrs().Bool("pad_to_max_output_size");
  return MakeCudaKernel([attr_overlap, pad](CudaRun& run) -> absl::Status {
    SM_RETURN_IF_ERROR(CheckScalar(run.context(), 2, "max_output_size"));
    SM_ASSIGN_OR_RETURN(const int64_t limit, IntScalar(run.context(), 2, "max_output_size"));
    SM_CHECK_ARGUMENT(limit >= 0, "output size must be non-negative, is ", limit);
    float overlap = attr_overlap, lowest = -std::numeric_limits<float>::max();
    if (kVersion >= 2) {
      SM_RETURN_IF_ERROR(CheckScalar(run.context(), 3, "iou_threshold"));
      overlap = run.input(3).scalar<float>();
    }
    SM_CHECK_ARGUMENT(overlap >= 0 && overlap <= 1, "iou_threshold must be in [0, 1], is ", overlap);
    if (kVersion >= 3) {
      SM_RETURN_IF_ERROR(CheckScalar(run.context(), 4, "score_threshold"));
      lowest = run.input(4).scalar<float>();
    }
    const Tensor &boxes = run.input(0), &scores = run.input(1);
    SM_CHECK_ARGUMENT(boxes.rank() == 2, "boxes must be 2-D, is ", boxes.shape().ToString());
    SM_CHECK_ARGUMENT(boxes.dim(1) == 4, "boxes must have 4 columns (Dimension must be 4 but is ", boxes.dim(1), ")");
    SM_CHECK_ARGUMENT(scores.rank() == 1, "scores must be 1-D, is ", scores.shape().ToString());
    const int64_t count = boxes.dim(0);
    SM_CHECK_ARGUMENT(scores.dim(0) == count, "scores has incompatible shape (Dimensions must be equal, but are ", count, " and ", scores.dim(0), ")");
    SM_CHECK_ARGUMENT(count <= std::numeric_limits<int>::max(), "too many boxes: ", count);
    // More than there are boxes can not be taken.
    const int64_t most = std::min(limit, count);
    SM_ASSIGN_OR_RETURN(Tensor alive, run.context().Scratch(DataType::kUInt8, {std::max<int64_t>(count, 1)}));
    SM_ASSIGN_OR_RETURN(Tensor selected, run.context().Scratch(DataType::kInt32, {most + 1}));
    int32_t* const taken = selected.data<int32_t>();
    SM_RETURN_IF_ERROR(run.Done(cuda::RunNonMaxSuppression(run.handle(), count, boxes.data<float>(), scores.data<float>(), overlap, lowest, most,
                                                           alive.data<uint8_t>(), taken, taken + most)));
    int32_t number = 0;
    SM_RETURN_IF_ERROR(run.stream().CopyToHost(taken + most, &number, sizeof(number)));
    SM_RETURN_IF_ERROR(run.stream().Synchronize());
    const int64_t length = pad ? limit : number;
    SM_ASSIGN_OR_RETURN(Tensor * indices, run.Output(0, TensorShape{length}));
    if (length > 0) {
      const int32_t zero = 0;
      if (length > number) SM_RETURN_IF_ERROR(run.Done(cuda::RunFill(run.handle(), 4, &zero, indices->raw(), length)));
      if (number > 0) SM_RETURN_IF_ERROR(run.stream().CopyOnDevice(taken, indices->raw(), static_cast<size_t>(number) * 4));
    }
    if (kVersion == 5) {
      SM_ASSIGN_OR_RETURN(Tensor * kept, run.Output(1, TensorShape{length}));
      if (length > number) {
        const float none = 0;
        SM_RETURN_IF_ERROR(run.Done(cuda::RunFill(run.handle(), 4, &none, kept->raw(), length)));
      }
      if (number > 0) {
        cuda::GatherShape gather;
        gather.axis = count;
        gather.count = number;
        SM_RETURN_IF_ERROR(run.Done(cuda::RunGather(run.handle(), gather, scores.raw(), indices->raw(), run.Alarm(0), kept->raw())));
      }
    }
    if (kVersion >= 4) {
      SM_ASSIGN_OR_RETURN(Tensor * valid, run.Output(kVersion - 3, TensorShape()));
      *valid->data<int32_t>() = number;  // in host memory
    }
    return absl::OkStatus();
  });
}

template <int kVersion>
void AddNonMaxSuppression(DeviceKernels* kernels, const char* op) {
  (*kernels)[op] = {.factory = MakeNonMaxSuppression<kVersion>, .host_inputs = {"max_output_size", "iou_threshold", "score_threshold", "soft_nms_sigma"},
                    .host_outputs = {"valid_outputs"}, .recordable = false};
}

}  // namespace

void AddImages(DeviceKernels* kernels) {
  AddNonMaxSuppression<1>(kernels, "NonMaxSuppression");
  AddNonMaxSuppression<2>(kernels, "NonMaxSuppressionV2");
  AddNonMaxSuppression<3>(kernels, "NonMaxSuppressionV3");
  AddNonMaxSuppression<4>(kernels, "NonMaxSuppressionV4");
  AddNonMaxSuppression<5>(kernels, "NonMaxSuppressionV5");
  AddKernel(kernels, "ResizeBilinear", MakeResize<false>, {"size"});
  AddKernel(kernels, "ResizeNearestNeighbor", MakeResize<true>, {"size"});
  AddKernel(kernels, "CropAndResize", MakeCropAndResize, {"crop_size"});
  AddKernel(kernels, "LRN", MakeLrn);
}

}  // namespace savedmodel
