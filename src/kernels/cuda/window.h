// Sliding windows over images: pools, direct convolutions of any kind (the way out where cuDNN has none), depthwise
// convolutions, resizing and cropping.
#ifndef SAVEDMODEL_KERNELS_CUDA_WINDOW_H_
#define SAVEDMODEL_KERNELS_CUDA_WINDOW_H_

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/move.h"
#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

// Up to three spatial dimensions; unused ones, at the front, have size 1.
struct WindowShape {
  int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, window[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, before[3] = {0, 0, 0};
  bool channels_last = true;
  bool volume = false;  // pools in three dimensions, which treat NaN in their own way
};

struct WindowEpilogue {
  const void *bias = nullptr, *residual = nullptr;
  Unary activation = Unary::kNone;
  float alpha = 0;
};

// Largest element, or the mean of those inside the image. A NaN counts as the smallest number; in volumes it takes the place
// of what came before it.
int RunPool(void* stream, bool average, Element type, const WindowShape& shape, const void* x, void* out);
// filter: [window..., in_channels / groups, out_channels].
int RunDirectConv(void* stream, Element type, const WindowShape& shape, const void* x, const void* filter, const WindowEpilogue& epilogue, void* out);
// The gradient of a convolution by its input: out has the input's sizes, x the output's.
int RunDirectConvInputGradient(void* stream, Element type, const WindowShape& shape, const void* x, const void* filter, void* out);

// out[b, m, n] = sum over k of a[b, m, k] * b[b, k, n], all by steps; the batch is up to 6 dimensions.
struct ProductShape {
  int64_t m = 1, n = 1, k = 1;
  int64_t a_row = 1, a_column = 1, b_row = 1, b_column = 1;
  int batch_rank = 0;
  int64_t batch[6] = {}, a_steps[6] = {}, b_steps[6] = {};
};
int RunProduct(void* stream, Element type, const ProductShape& shape, const void* a, const void* b, void* out);

enum class Corners : int { kPlain, kAligned, kHalfPixel };
// x: [batch, in_h, in_w, channels] of numbers; out is float for bilinear, x's type for nearest.
int RunResizeBilinear(void* stream, Element type, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w,
                      const void* x, float* out);
int RunResizeNearest(void* stream, int size, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w,
                     const void* x, void* out);
// boxes: [boxes, 4] floats. Outside of the image is `extrapolation`; a box that is not finite, or of no image, gives the alarm.
int RunCropAndResize(void* stream, Element type, bool nearest, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t boxes, int64_t out_h,
                     int64_t out_w, float extrapolation, const void* x, const float* corners, const int32_t* images, Alarm not_finite, Alarm no_image,
                     float* out);
// Local response normalisation over `radius` channels to each side.
int RunLrn(void* stream, int64_t pixels, int64_t channels, int64_t radius, float bias, float alpha, float beta, const float* x, float* out);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_WINDOW_H_
