#include "ops/nn/conv_shape.h"

namespace savedmodel {

absl::StatusOr<Conv2dShape> ConvShapeOf(const ConvSizes& sizes) {
  Conv2dShape shape;
  shape.batch = sizes.batch;
  shape.in_h = sizes.axes[0].in;
  shape.in_w = sizes.axes[1].in;
  shape.in_c = sizes.in_channels;
  shape.kernel_h = sizes.axes[0].window;
  shape.kernel_w = sizes.axes[1].window;
  shape.out_c = sizes.out_channels;
  shape.stride_h = sizes.axes[0].stride;
  shape.stride_w = sizes.axes[1].stride;
  shape.dilation_h = sizes.axes[0].dilation;
  shape.dilation_w = sizes.axes[1].dilation;
  shape.pad_top = sizes.axes[0].before;
  shape.pad_left = sizes.axes[1].before;
  // What the windows really reach; SAME and EXPLICIT may leave rows unread at the end.
  auto after = [](const WindowAxis& axis) { return (axis.out - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 - axis.in - axis.before; };
  shape.pad_bottom = after(sizes.axes[0]);
  shape.pad_right = after(sizes.axes[1]);
  shape.groups = sizes.depthwise() ? 1 : sizes.groups;
  if (shape.out_h() != sizes.axes[0].out || shape.out_w() != sizes.axes[1].out) return absl::InternalError("the sizes of a convolution disagree");
  return shape;
}

}  // namespace savedmodel
