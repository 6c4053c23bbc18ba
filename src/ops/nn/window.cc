#include "ops/nn/window.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"

namespace savedmodel {

absl::StatusOr<Padding> PaddingOf(const std::string& name) {
  if (name == "SAME") return Padding::kSame;
  if (name == "VALID") return Padding::kValid;
  if (name == "EXPLICIT") return Padding::kExplicit;
  return absl::InvalidArgumentError(absl::StrCat("padding is \"", name, "\", must be SAME, VALID or EXPLICIT"));
}

absl::StatusOr<ImageLayout> LayoutOf(const std::string& data_format, int spatial_dims) {
  ImageLayout layout;
  layout.spatial_dims = spatial_dims;
  if (data_format == "CHANNELS_LAST" || data_format == (spatial_dims == 3 ? "NDHWC" : "NHWC") || data_format == "NHWC") {
    layout.channel = spatial_dims + 1;
    layout.first_spatial = 1;
  } else if (data_format == "CHANNELS_FIRST" || data_format == (spatial_dims == 3 ? "NCDHW" : "NCHW") || data_format == "NCHW") {
    layout.channel = 1;
    layout.first_spatial = 2;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("Invalid data format: \"", data_format, "\""));
  }
  return layout;
}

absl::Status SizeAxis(Padding padding, WindowAxis* axis) {
  SM_CHECK_ARGUMENT(axis->stride > 0, "Stride must be > 0, but got ", axis->stride);
  SM_CHECK_ARGUMENT(axis->dilation > 0, "Dilation rate must be >= 1, but got ", axis->dilation);
  constexpr int64_t kLimit = std::numeric_limits<int64_t>::max() / 8;
  const bool same = padding == Padding::kSame;
  if (padding == Padding::kValid) axis->before = axis->after = 0;
  if (axis->in < 0 || (!same && axis->window < 0)) {
    axis->out = -1;
    return absl::OkStatus();
  }
  if (same) axis->out = axis->in / axis->stride + (axis->in % axis->stride != 0);
  if (axis->window < 0) return absl::OkStatus();
  int64_t effective;
  SM_CHECK_ARGUMENT(!__builtin_mul_overflow(axis->window - 1, axis->dilation, &effective) && effective < kLimit &&
                        axis->in < kLimit && axis->stride < kLimit && axis->before < kLimit && axis->after < kLimit,
                    "window of ", axis->window, " with dilation ", axis->dilation, " and stride ", axis->stride, " over ",
                    axis->in, " is too large");
  effective += 1;
  if (same) {
    // (out - 1) * stride < in, so that nothing overflows.
    const int64_t needed = axis->out == 0 ? 0 : std::max<int64_t>(0, (axis->out - 1) * axis->stride + effective - axis->in);
    axis->before = needed / 2;
    axis->after = needed - axis->before;
    return absl::OkStatus();
  }
  axis->out = (axis->in + axis->before + axis->after - effective + axis->stride) / axis->stride;
  SM_CHECK_ARGUMENT(axis->out >= 0, "Computed output size would be negative: ", axis->out,
                    " [input_size: ", axis->in + axis->before + axis->after, ", effective_filter_size: ", effective,
                    ", stride: ", axis->stride, "]");
  return absl::OkStatus();
}

WindowAxis WindowAttrs::Axis(int i, int64_t in, int64_t window) const {
  const int dim = layout.first_spatial + i;
  WindowAxis axis;
  axis.in = in;
  axis.window = window;
  axis.stride = strides[dim];
  axis.dilation = dilations.empty() ? 1 : dilations[dim];
  if (padding == Padding::kExplicit) {
    axis.before = explicit_paddings[2 * dim];
    axis.after = explicit_paddings[2 * dim + 1];
  }
  return axis;
}

absl::Status CheckExplicitPaddings(const WindowAttrs& window) {
  const std::vector<int64_t>& paddings = window.explicit_paddings;
  if (window.padding != Padding::kExplicit) {
    SM_CHECK_ARGUMENT(paddings.empty(), "explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT");
    return absl::OkStatus();
  }
  const ImageLayout& layout = window.layout;
  SM_CHECK_ARGUMENT(static_cast<int>(paddings.size()) == 2 * layout.rank(), "explicit_paddings attribute must contain ",
                    2 * layout.rank(), " values, but got: ", paddings.size());
  for (int64_t p : paddings) {
    SM_CHECK_ARGUMENT(p >= 0 && p <= std::numeric_limits<int32_t>::max(),
                      "All elements of explicit_paddings must be nonnegative, got [", absl::StrJoin(paddings, ","), "]");
  }
  SM_CHECK_ARGUMENT(
      paddings[0] == 0 && paddings[1] == 0 && paddings[2 * layout.channel] == 0 && paddings[2 * layout.channel + 1] == 0,
      "Nonzero explicit padding in the batch or depth dimensions is not supported");
  return absl::OkStatus();
}

absl::StatusOr<WindowAttrs> ReadWindowAttrs(const Attributes& attrs, int spatial_dims, absl::StatusCode unsupported) {
  WindowAttrs window;
  const std::string format = attrs.Has("data_format") ? attrs.String("data_format") : spatial_dims == 3 ? "NDHWC" : "NHWC";
  SM_ASSIGN_OR_RETURN(window.layout, LayoutOf(format, spatial_dims));
  SM_ASSIGN_OR_RETURN(window.padding, PaddingOf(attrs.String("padding")));
  window.strides = attrs.Ints("strides");
  window.dilations = attrs.Ints("dilations");
  window.explicit_paddings = attrs.Ints("explicit_paddings");
  const int rank = window.layout.rank(), channel = window.layout.channel;
  if (window.dilations.empty()) window.dilations.assign(rank, 1);
  SM_CHECK_ARGUMENT(static_cast<int>(window.strides.size()) == rank, "Sliding window strides field must specify ", rank,
                    " dimensions, has ", window.strides.size());
  SM_CHECK_ARGUMENT(static_cast<int>(window.dilations.size()) == rank, "Sliding window dilations field must specify ", rank,
                    " dimensions, has ", window.dilations.size());
  if (window.strides[0] != 1 || window.strides[channel] != 1) {
    return absl::Status(unsupported, "strides in the batch and depth dimensions are not supported");
  }
  for (int64_t s : window.strides) {
    SM_CHECK_ARGUMENT(s > 0 && s <= std::numeric_limits<int32_t>::max(), "Spatial strides must be larger than 0, are [",
                      absl::StrJoin(window.strides, ","), "]");
  }
  if (window.dilations[0] != 1 || window.dilations[channel] != 1) {
    return absl::Status(unsupported, "dilation rates in the batch and depth dimensions are not supported");
  }
  for (int64_t d : window.dilations) {
    SM_CHECK_ARGUMENT(d > 0 && d <= std::numeric_limits<int32_t>::max(), "Dilated rates must be larger than 0, are [",
                      absl::StrJoin(window.dilations, ","), "]");
  }
  SM_RETURN_IF_ERROR(CheckExplicitPaddings(window));
  return window;
}

TensorShape ImageShape(const ImageLayout& layout, int64_t batch, const std::vector<int64_t>& spatial, int64_t channels) {
  std::vector<int64_t> dims = {batch};
  if (!layout.channels_last()) dims.push_back(channels);
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  if (layout.channels_last()) dims.push_back(channels);
  return TensorShape(dims);
}

}  // namespace savedmodel
