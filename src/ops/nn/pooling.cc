#include "ops/nn/pooling.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();

absl::Status CheckDepthPool(const PoolAttrs& attrs, int64_t depth) {
  const int64_t window = attrs.depth_window();
  if (window == 1) return absl::OkStatus();
  if (attrs.window.padding == Padding::kExplicit)
    return absl::UnimplementedError("Depthwise max pooling does not support explicit padding.");
  if (depth >= 0 && depth % window != 0) {
    return absl::UnimplementedError("Depthwise max pooling requires the depth window to evenly divide the input depth");
  }
  if (attrs.window.strides[attrs.window.layout.channel] != window) {
    return absl::UnimplementedError("Depthwise max pooling requires the depth window to equal the depth stride");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PoolAttrs> ReadPoolAttrs(const Attributes& attrs, int spatial_dims) {
  return ReadPoolAttrs(attrs, spatial_dims, attrs.Ints("ksize"), attrs.Ints("strides"));
}

absl::StatusOr<PoolAttrs> ReadPoolAttrs(const Attributes& attrs, int spatial_dims, std::vector<int64_t> ksize,
                                        std::vector<int64_t> strides) {
  PoolAttrs pool;
  const std::string format = attrs.Has("data_format") ? attrs.String("data_format") : "NHWC";
  SM_ASSIGN_OR_RETURN(pool.window.layout, LayoutOf(format, spatial_dims));
  SM_ASSIGN_OR_RETURN(pool.window.padding, PaddingOf(attrs.String("padding")));
  const ImageLayout& layout = pool.window.layout;
  const size_t rank = static_cast<size_t>(layout.rank());
  SM_CHECK_ARGUMENT(ksize.size() == rank, "Sliding window ksize field must specify ", rank, " dimensions, has ", ksize.size());
  SM_CHECK_ARGUMENT(strides.size() == rank, "Sliding window stride field must specify ", rank, " dimensions, has ",
                    strides.size());
  for (size_t i = 0; i < rank; ++i) {
    SM_CHECK_ARGUMENT(ksize[i] > 0 && ksize[i] <= kMaxInt,
                      "Sliding window ksize must be positive. The specified or inferred ksize is: ", absl::StrJoin(ksize, ","));
  }
  if (ksize[0] != 1 || strides[0] != 1) return absl::UnimplementedError("Pooling is not yet supported on the batch dimension.");
  if (spatial_dims == 3 && (ksize[layout.channel] != 1 || strides[layout.channel] != 1)) {
    return absl::UnimplementedError("Pooling is not yet supported on the depth dimension.");
  }
  for (int64_t stride : strides) {
    SM_CHECK_ARGUMENT(stride > 0 && stride <= kMaxInt, "Sliding window stride must be positive, is ",
                      absl::StrJoin(strides, ","));
  }
  if (ksize[layout.channel] != 1) {
    for (int i = 0; i < layout.spatial_dims; ++i) {
      if (ksize[layout.first_spatial + i] != 1) {
        return absl::UnimplementedError(
            "MaxPooling supports exactly one of pooling across depth or pooling across width/height.");
      }
    }
  }
  pool.ksize = std::move(ksize);
  pool.window.strides = std::move(strides);
  pool.window.explicit_paddings = attrs.Ints("explicit_paddings");
  SM_RETURN_IF_ERROR(CheckExplicitPaddings(pool.window));
  for (int i = 0; pool.window.padding == Padding::kExplicit && i < layout.spatial_dims; ++i) {
    const int dim = layout.first_spatial + i;
    for (int side = 0; side < 2; ++side) {
      const int64_t padding = pool.window.explicit_paddings[2 * dim + side];
      SM_CHECK_ARGUMENT(padding < pool.ksize[dim], "padding ", padding, " needs to be smaller than the window size ",
                        pool.ksize[dim]);
    }
  }
  return pool;
}

absl::StatusOr<PoolSizes> SizePool(const PoolAttrs& attrs, const TensorShape& input) {
  const ImageLayout& layout = attrs.window.layout;
  SM_CHECK_ARGUMENT(input.rank() == layout.rank(), "tensor_in must be ", layout.rank(), "-dimensional, is ", input.ToString());
  const int64_t depth = input.dim(layout.channel);
  SM_RETURN_IF_ERROR(CheckDepthPool(attrs, depth));
  PoolSizes sizes;
  sizes.shape.batch = input.dim(0);
  sizes.shape.channels = depth;
  if (attrs.depth_window() > 1) {
    // As many pixels as there are depth windows, in rows of one channel.
    sizes.output = input;
    sizes.output.set_dim(layout.channel, depth / attrs.depth_window());
    if (!layout.channels_last()) return absl::UnimplementedError("Depthwise max pooling requires NHWC");
    sizes.shape.batch = sizes.output.num_elements();
    sizes.shape.channels = 1;
    sizes.shape.axes[2] = {attrs.depth_window(), 1, attrs.depth_window(), 1, 0};
    return sizes;
  }
  std::vector<int64_t> out;
  for (int i = 0; i < layout.spatial_dims; ++i) {
    const int dim = layout.first_spatial + i;
    WindowAxis axis = attrs.window.Axis(i, input.dim(dim), attrs.ksize[dim]);
    SM_RETURN_IF_ERROR(SizeAxis(attrs.window.padding, &axis));
    out.push_back(axis.out);
    sizes.shape.axes[3 - layout.spatial_dims + i] = {axis.in, axis.out, axis.window, axis.stride, axis.before};
  }
  sizes.output = ImageShape(layout, input.dim(0), out, depth);
  if (!layout.channels_last()) {
    sizes.shape.batch *= depth;
    sizes.shape.channels = 1;
  }
  return sizes;
}

absl::StatusOr<PartialShape> InferPool(const PoolAttrs& attrs, const PartialShape& input) {
  const ImageLayout& layout = attrs.window.layout;
  SM_CHECK_ARGUMENT(!input.known_rank() || input.rank() == layout.rank(), "Shape must be rank ", layout.rank(), " but is ",
                    input.ToString());
  PartialShape shape = PartialShape::UnknownOfRank(layout.rank());
  if (!input.known_rank()) return shape;
  shape.set_dim(0, input.dim(0));
  const int64_t depth = input.dim(layout.channel);
  SM_RETURN_IF_ERROR(CheckDepthPool(attrs, depth));
  shape.set_dim(layout.channel, depth < 0 ? -1 : depth / attrs.depth_window());
  for (int i = 0; i < layout.spatial_dims; ++i) {
    const int dim = layout.first_spatial + i;
    WindowAxis axis = attrs.window.Axis(i, input.dim(dim), attrs.ksize[dim]);
    if (attrs.depth_window() > 1) {
      axis.out = axis.in;
    } else {
      SM_RETURN_IF_ERROR(SizeAxis(attrs.window.padding, &axis));
    }
    shape.set_dim(dim, axis.out);
  }
  return shape;
}

}  // namespace savedmodel
