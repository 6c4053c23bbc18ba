// QuantizedResizeBilinear: images of codes scaled with 7 (quint8) or 30 (qint32) bits of fixed point, or of floats.
#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/quantization/quantized_range.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct Config {
  bool align_corners, half_pixel_centers;
};

// Between which two source positions each result lies, and how far.
struct Step {
  int64_t lower, upper;
  float fraction;
};

std::vector<Step> Steps(int64_t in, int64_t out, const Config& config) {
  const float scale = config.align_corners && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                                                      : static_cast<float>(in) / static_cast<float>(out);
  std::vector<Step> steps(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    const float at = config.half_pixel_centers ? (static_cast<float>(i) + 0.5f) * scale - 0.5f : static_cast<float>(i) * scale;
    const float floor = std::floor(at);
    Step& step = steps[i];
    step.upper = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(at)), 0, in - 1);
    step.lower = std::min(std::max<int64_t>(static_cast<int64_t>(floor), 0), step.upper);
    step.fraction = at - floor;
  }
  return steps;
}

template <typename T>
T Interpolate(T top_left, T top_right, T bottom_left, T bottom_right, float x, float y) {
  if constexpr (std::is_same_v<T, float>) {
    const float top = top_left + (top_right - top_left) * x, bottom = bottom_left + (bottom_right - bottom_left) * x;
    return top + (bottom - top) * y;
  } else {
    // The reference's 16-bit sums of quint8 never overflow with 7 bits; its 64-bit sums of qint32 may, and wrap.
    constexpr int kBits = sizeof(T) == 1 ? 7 : 30;
    constexpr int64_t kOne = int64_t{1} << kBits;
    const int64_t fx = TruncateToInt64(x * static_cast<float>(kOne)), fy = TruncateToInt64(y * static_cast<float>(kOne));
    auto lerp = [fx](int64_t a, int64_t b) {
      return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(kOne) +
                                  static_cast<uint64_t>(b - a) * static_cast<uint64_t>(fx));
    };
    const int64_t top = lerp(top_left, top_right), bottom = lerp(bottom_left, bottom_right);
    const int64_t difference = static_cast<int64_t>(static_cast<uint64_t>(bottom) - static_cast<uint64_t>(top)) / kOne;
    const uint64_t sum = static_cast<uint64_t>(top) + static_cast<uint64_t>(difference) * static_cast<uint64_t>(fy) +
                         static_cast<uint64_t>(kOne / 2);
    return static_cast<T>(static_cast<int64_t>(sum) / kOne);
  }
}

template <typename T>
void Resize(const Tensor& images, const std::vector<Step>& rows, const std::vector<Step>& columns, T* out) {
  const int64_t height = images.dim(1), width = images.dim(2), depth = images.dim(3);
  for (int64_t b = 0; b < images.dim(0); ++b) {
    const T* image = images.data<T>() + b * height * width * depth;
    for (const Step& y : rows) {
      for (const Step& x : columns) {
        for (int64_t c = 0; c < depth; ++c) {
          auto pixel = [&](int64_t row, int64_t column) { return image[(row * width + column) * depth + c]; };
          *out++ = Interpolate<T>(pixel(y.lower, x.lower), pixel(y.lower, x.upper), pixel(y.upper, x.lower),
                                  pixel(y.upper, x.upper), x.fraction, y.fraction);
        }
      }
    }
  }
}

template <typename T>
absl::Status Run(KernelContext& context, const Config& config) {
  const Tensor& images = context.input(0);
  SM_ASSIGN_OR_RETURN(FloatRange range, RangeInputs(context, 2, "min", "max"));
  SM_CHECK_ARGUMENT(images.rank() == 4, "input must be 4-dimensional, is ", images.shape().ToString());
  SM_CHECK_ARGUMENT(context.input(1).rank() == 1 && context.input(1).num_elements() == 2,
                    "size must be 1-dimensional with 2 elements, is ", context.input(1).shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> size, IntsOf(context.input(1)));
  SM_CHECK_ARGUMENT(size[0] > 0 && size[1] > 0, "output dimensions must be positive, are ", size[0], " and ", size[1]);
  SM_CHECK_ARGUMENT(images.dim(1) > 0 && images.dim(2) > 0, "input image must be of non-zero size, is ",
                    images.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor * output, context.Output(0, TensorShape({images.dim(0), size[0], size[1], images.dim(3)})));
  SM_RETURN_IF_ERROR(StoreRange(context, 1, range));
  if (output->num_elements() == 0) return absl::OkStatus();
  Resize<T>(images, Steps(images.dim(1), size[0], config), Steps(images.dim(2), size[1], config), output->data<T>());
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const Config config{init.attrs().Bool("align_corners"), init.attrs().Bool("half_pixel_centers")};
  return DispatchAs<absl::StatusOr<KernelPtr>, TypeList<uint8_t, int32_t, float>>(
      init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
        using T = typename decltype(tag)::type;
        return MakeKernel([config](KernelContext& context) { return Run<T>(context, config); });
      });
}

absl::Status Infer(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 4));
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  SM_RETURN_IF_ERROR(RequireScalars(context, 2, 3));
  PartialShape shape = context.input(0).known_rank() ? context.input(0) : PartialShape::UnknownOfRank(4);
  std::vector<int64_t> size;
  const bool known = ConstantInts(context, 1, &size) && size.size() == 2;
  for (int i = 0; i < 2; ++i) shape.set_dim(1 + i, known && size[i] >= 0 ? size[i] : -1);
  context.set_output(0, std::move(shape));
  ScalarRangeOutputs(context);
  return absl::OkStatus();
}

}  // namespace

void DefineQuantizedResizeBilinear(OpTable& ops) {
  ops.Add({.name = "QuantizedResizeBilinear",
           .inputs = "images: T; size: int32; min: float; max: float",
           .outputs = "resized_images: T; out_min: float; out_max: float",
           .attrs = "T: {quint8, qint32, float}; align_corners: bool = false; half_pixel_centers: bool = false",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
