// Sliding windows: where the batch, channel and spatial dimensions lie, and the sizes and paddings that convolutions
// and pools have in common.
#ifndef SAVEDMODEL_OPS_NN_WINDOW_H_
#define SAVEDMODEL_OPS_NN_WINDOW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

enum class Padding { kSame, kValid, kExplicit };
absl::StatusOr<Padding> PaddingOf(const std::string& name);

// The meaning of the dimensions of an image tensor; dimension 0 is the batch.
struct ImageLayout {
  int spatial_dims = 2;
  int channel = 3;
  int first_spatial = 1;
  int rank() const { return spatial_dims + 2; }
  bool channels_last() const { return first_spatial == 1; }
  int64_t batch_of(const TensorShape& shape) const { return shape.dim(0); }
};
// "NHWC", "NCHW", "NDHWC", "NCDHW", "CHANNELS_LAST", "CHANNELS_FIRST"; InvalidArgument for others.
absl::StatusOr<ImageLayout> LayoutOf(const std::string& data_format, int spatial_dims);

// One spatial dimension under a window. `before` and `after` are inputs for Padding::kExplicit.
struct WindowAxis {
  int64_t in = 0, window = 1, stride = 1, dilation = 1;
  int64_t out = 0, before = 0, after = 0;
};
// Fills in out, before and after. `in` of -1 is unknown and gives `out` -1; so does `window` where it matters.
// InvalidArgument where the window does not fit or the numbers overflow.
absl::Status SizeAxis(Padding padding, WindowAxis* axis);

// The attributes of a sliding window, one number per dimension of the tensor (explicit_paddings two).
struct WindowAttrs {
  ImageLayout layout;
  Padding padding = Padding::kValid;
  std::vector<int64_t> strides, dilations, explicit_paddings;

  // Spatial dimension i with its stride, dilation and explicit padding.
  WindowAxis Axis(int i, int64_t in, int64_t window) const;
};
// How our own fused convolutions declare them.
constexpr char kWindowAttrs[] = "; strides: list(int); padding: {'SAME', 'VALID', 'EXPLICIT'}; explicit_paddings: list(int) = []; "
                                "data_format: {'NHWC', 'NCHW'} = 'NHWC'; dilations: list(int) = [1, 1, 1, 1]";
// Reads strides, dilations (where there are any), padding, explicit_paddings and data_format of a convolution.
// InvalidArgument, or `unsupported` for strides and dilations of batch and channels: the reference's codes differ by op.
absl::StatusOr<WindowAttrs> ReadWindowAttrs(const Attributes& attrs, int spatial_dims,
                                            absl::StatusCode unsupported = absl::StatusCode::kInvalidArgument);
absl::Status CheckExplicitPaddings(const WindowAttrs& window);

// The shape of an image tensor in this layout.
TensorShape ImageShape(const ImageLayout& layout, int64_t batch, const std::vector<int64_t>& spatial, int64_t channels);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_WINDOW_H_
