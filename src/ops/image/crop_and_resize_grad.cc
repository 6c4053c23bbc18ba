// CropAndResizeGradImage and CropAndResizeGradBoxes: what CropAndResize hands back to the images and to the boxes. One thread,
// so that crops that share pixels add up in a fixed order.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

// One side of a crop: `count` samples between a and b of a side of `size` pixels.
struct Side {
  float a, b;
  int64_t size, count;

  float ratio() const { return count > 1 ? static_cast<float>(size - 1) / static_cast<float>(count - 1) : 0; }
  float At(int64_t i) const {
    const float last = static_cast<float>(size - 1);
    if (count <= 1) return static_cast<float>(0.5 * (a + b) * last);
    return a * last + static_cast<float>(i) * ((b - a) * last / static_cast<float>(count - 1));
  }
  // False where the sample lies outside the image, or nowhere (NaN).
  bool Inside(float at) const { return at >= 0 && at <= static_cast<float>(size - 1); }
  int64_t Low(float at) const { return std::min(static_cast<int64_t>(std::floor(at)), size - 1); }
  int64_t High(float at) const { return std::min(static_cast<int64_t>(std::ceil(at)), size - 1); }
  int64_t Closest(float at) const { return std::min(static_cast<int64_t>(std::round(at)), size - 1); }
};

struct Sizes {
  int64_t batch, height, width, depth, boxes, crop_height, crop_width;
};

absl::Status CheckGrads(const Tensor& grads, const Tensor& boxes, const Tensor& index) {
  SM_CHECK_ARGUMENT(grads.rank() == 4, "grads image must be 4-D, is ", grads.shape().ToString());
  SM_CHECK_ARGUMENT(grads.dim(1) > 0 && grads.dim(2) > 0, "grads dimensions must be positive, are ", grads.shape().ToString());
  const bool none = boxes.num_elements() == 0 && index.num_elements() == 0;
  SM_CHECK_ARGUMENT(none || (boxes.rank() == 2 && boxes.dim(1) == 4), "boxes must be 2-D with 4 columns, is ", boxes.shape().ToString());
  SM_CHECK_ARGUMENT(none || (index.rank() == 1 && index.dim(0) == boxes.dim(0)), "box_index has incompatible shape: ", index.shape().ToString());
  SM_CHECK_ARGUMENT(grads.dim(0) == (none ? 0 : boxes.dim(0)), "boxes and grads have incompatible shape: ", boxes.shape().ToString(), " and ",
                    grads.shape().ToString());
  return absl::OkStatus();
}

absl::Status CheckIndex(const Tensor& index, int64_t batch) {
  for (const int32_t i : index.flat<int32_t>()) {
    if (i < 0 || i >= batch) {
      return absl::OutOfRangeError(absl::StrCat("box_index has values outside [0, batch_size): ", i, ", batch_size is ", batch));
    }
  }
  return absl::OkStatus();
}

template <typename T>
void SpreadPixel(const float* grad, const Sizes& s, const Side& sy, const Side& sx, float y, float x, bool nearest, T* image) {
  const auto add = [&](int64_t row, int64_t column, float weight) {
    T* to = image + (row * s.width + column) * s.depth;
    for (int64_t d = 0; d < s.depth; ++d) to[d] = static_cast<T>(to[d] + static_cast<T>(weight * grad[d]));
  };
  if (nearest) return add(sy.Closest(y), sx.Closest(x), 1);
  const float y_lerp = y - std::floor(y), x_lerp = x - std::floor(x);
  add(sy.Low(y), sx.Low(x), (1 - x_lerp) * (1 - y_lerp));
  add(sy.Low(y), sx.High(x), x_lerp * (1 - y_lerp));
  add(sy.High(y), sx.Low(x), (1 - x_lerp) * y_lerp);
  add(sy.High(y), sx.High(x), x_lerp * y_lerp);
}

template <typename T>
absl::Status RunImage(KernelContext& context, bool nearest) {
  const Tensor &grads = context.input(0), &boxes = context.input(1), &index = context.input(2);
  SM_RETURN_IF_ERROR(CheckGrads(grads, boxes, index));
  SM_CHECK_ARGUMENT(context.input(3).rank() == 1, "image_size must be 1-D, is ", context.input(3).shape().ToString());
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> size, IntVector(context, 3, "image_size"));
  SM_CHECK_ARGUMENT(size.size() == 4, "image_size must have 4 elements, has ", size.size());
  SM_CHECK_ARGUMENT(size[1] > 0 && size[2] > 0, "image dimensions must be positive, are ", size[1], " and ", size[2]);
  SM_CHECK_ARGUMENT(grads.dim(3) == size[3], "image_size and grads are incompatible: depths are ", size[3], " and ", grads.dim(3));
  const Sizes s{size[0], size[1], size[2], size[3], grads.dim(0), grads.dim(1), grads.dim(2)};
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, TensorShape{s.batch, s.height, s.width, s.depth}));
  SM_RETURN_IF_ERROR(CheckIndex(index, s.batch));
  std::fill(out->data<T>(), out->data<T>() + out->num_elements(), T(0));
  for (int64_t b = 0; b < s.boxes; ++b) {
    const float* box = boxes.data<float>() + 4 * b;
    const Side sy{box[0], box[2], s.height, s.crop_height}, sx{box[1], box[3], s.width, s.crop_width};
    T* image = out->data<T>() + index.data<int32_t>()[b] * s.height * s.width * s.depth;
    for (int64_t y = 0; y < s.crop_height; ++y) {
      if (!sy.Inside(sy.At(y))) continue;
      for (int64_t x = 0; x < s.crop_width; ++x) {
        if (!sx.Inside(sx.At(x))) continue;
        SpreadPixel(grads.data<float>() + ((b * s.crop_height + y) * s.crop_width + x) * s.depth, s, sy, sx, sy.At(y), sx.At(x), nearest, image);
      }
    }
  }
  return absl::OkStatus();
}

// How far a change of each end of a side moves sample i, times the slope there.
void AddEnds(const Side& side, int64_t i, float slope, float* begin, float* end) {
  const float last = static_cast<float>(side.size - 1);
  if (side.count > 1) {
    *begin += slope * (last - static_cast<float>(i) * side.ratio());
    *end += slope * (static_cast<float>(i) * side.ratio());
  } else {
    *begin += slope * 0.5f * last;
    *end += slope * 0.5f * last;
  }
}

template <typename T>
absl::Status RunBoxes(KernelContext& context) {
  const Tensor &grads = context.input(0), &image = context.input(1), &boxes = context.input(2), &index = context.input(3);
  SM_RETURN_IF_ERROR(CheckGrads(grads, boxes, index));
  SM_CHECK_ARGUMENT(image.rank() == 4, "input image must be 4-D, is ", image.shape().ToString());
  SM_CHECK_ARGUMENT(image.dim(1) > 0 && image.dim(2) > 0, "image dimensions must be positive, are ", image.shape().ToString());
  SM_CHECK_ARGUMENT(image.dim(3) == grads.dim(3), "image, grads depth differ: ", image.dim(3), " and ", grads.dim(3));
  const Sizes s{image.dim(0), image.dim(1), image.dim(2), image.dim(3), grads.dim(0), grads.dim(1), grads.dim(2)};
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, TensorShape{s.boxes, 4}));
  SM_RETURN_IF_ERROR(CheckIndex(index, s.batch));
  float* to = out->data<float>();
  std::fill(to, to + 4 * s.boxes, 0.0f);
  for (int64_t b = 0; b < s.boxes; ++b, to += 4) {
    const float* box = boxes.data<float>() + 4 * b;
    const Side sy{box[0], box[2], s.height, s.crop_height}, sx{box[1], box[3], s.width, s.crop_width};
    const T* pixels = image.data<T>() + index.data<int32_t>()[b] * s.height * s.width * s.depth;
    for (int64_t y = 0; y < s.crop_height; ++y) {
      const float in_y = sy.At(y), y_lerp = in_y - std::floor(in_y);
      if (!sy.Inside(in_y)) continue;
      for (int64_t x = 0; x < s.crop_width; ++x) {
        const float in_x = sx.At(x), x_lerp = in_x - std::floor(in_x);
        if (!sx.Inside(in_x)) continue;
        const auto pixel = [&](int64_t row, int64_t column) { return pixels + (row * s.width + column) * s.depth; };
        const T *tl = pixel(sy.Low(in_y), sx.Low(in_x)), *tr = pixel(sy.Low(in_y), sx.High(in_x));
        const T *bl = pixel(sy.High(in_y), sx.Low(in_x)), *br = pixel(sy.High(in_y), sx.High(in_x));
        const float* grad = grads.data<float>() + ((b * s.crop_height + y) * s.crop_width + x) * s.depth;
        for (int64_t d = 0; d < s.depth; ++d) {
          const float top_left(tl[d]), top_right(tr[d]), bottom_left(bl[d]), bottom_right(br[d]);
          const float slope_y = (1 - x_lerp) * (bottom_left - top_left) + x_lerp * (bottom_right - top_right);
          const float slope_x = (1 - y_lerp) * (top_right - top_left) + y_lerp * (bottom_right - bottom_left);
          AddEnds(sy, y, slope_y * grad[d], to, to + 2);
          AddEnds(sx, x, slope_x * grad[d], to + 1, to + 3);
        }
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeImage(KernelInit& init) {
  const bool nearest = init.attrs().String("method") == "nearest";
  return Dispatch<TypeList<float, Half, double>>(init.output_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([nearest](KernelContext& context) { return RunImage<T>(context, nearest); });
  });
}

absl::StatusOr<KernelPtr> MakeBoxes(KernelInit& init) {
  return Dispatch<TypeList<float, uint8_t, double, Half, int8_t, int16_t, int32_t, int64_t, uint16_t>>(
      init.input_dtype(1), [&](auto tag) -> absl::StatusOr<KernelPtr> {
        using T = typename decltype(tag)::type;
        return MakeKernel(RunBoxes<T>);
      });
}

absl::Status InferImage(InferContext& context) {
  std::vector<int64_t> size;
  if (!ConstantInts(context, 3, &size)) {
    context.set_output(0, PartialShape::UnknownOfRank(4));
    return absl::OkStatus();
  }
  SM_CHECK_ARGUMENT(size.size() == 4, "image_size must have 4 elements, has ", size.size());
  PartialShape shape = PartialShape::UnknownOfRank(4);
  for (int i = 0; i < 4; ++i) shape.set_dim(i, std::max<int64_t>(size[static_cast<size_t>(i)], -1));
  context.set_output(0, shape);
  return absl::OkStatus();
}

absl::Status InferBoxes(InferContext& context) {
  PartialShape shape = PartialShape::UnknownOfRank(2);
  if (context.input(0).known_rank() && context.input(0).rank() == 4) shape.set_dim(0, context.input(0).dim(0));
  shape.set_dim(1, 4);
  context.set_output(0, shape);
  return absl::OkStatus();
}

}  // namespace

void DefineCropAndResizeGrad(OpTable& ops) {
  ops.Add({.name = "CropAndResizeGradImage",
           .inputs = "grads: float; boxes: float; box_ind: int32; image_size: int32",
           .outputs = "output: T",
           .attrs = "T: {float, half, double}; method: {'bilinear', 'nearest'} = 'bilinear'",
           .infer = InferImage,
           .cpu = MakeImage});
  ops.Add({.name = "CropAndResizeGradBoxes",
           .inputs = "grads: float; image: T; boxes: float; box_ind: int32",
           .outputs = "output: float",
           .attrs = "T: {uint8, uint16, int8, int16, int32, int64, half, float, double}; method: {'bilinear'} = 'bilinear'",
           .infer = InferBoxes,
           .cpu = MakeBoxes});
}

}  // namespace savedmodel
