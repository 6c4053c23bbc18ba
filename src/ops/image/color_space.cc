// RGBToHSV, HSVToRGB, AdjustHue, AdjustSaturation: each pixel of three channels by itself; half and bfloat16 in float.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <typename W>
void RgbToHsv(const W* in, W* out) {
  const W r = in[0], g = in[1], b = in[2], v = std::max(r, std::max(g, b)), range = v - std::min(r, std::min(g, b));
  const W norm = W(1) / range * (W(1) / W(6));
  W h = r == v ? norm * (g - b) : g == v ? norm * (b - r) + W(2) / W(6) : norm * (r - g) + W(4) / W(6);
  if (!(range > 0)) h = 0;
  if (h < 0) h += W(1);
  out[0] = h;
  out[1] = v > 0 ? range / v : W(0);
  out[2] = v;
}

template <typename W>
void HsvToRgb(const W* in, W* out) {
  const W dh = in[0] * W(6), s = in[1], v = in[2], rest = W(1) - s;
  const auto part = [&](W value) { return (rest + s * std::min(std::max(value, W(0)), W(1))) * v; };
  out[0] = part(std::abs(dh - W(3)) - W(1));
  out[1] = part(W(2) - std::abs(dh - W(2)));
  out[2] = part(W(2) - std::abs(dh - W(4)));
}

// A pixel as hue in sixths [0, 6), and its largest and smallest component.
void RgbToRange(const float* p, float* h, float* low, float* high) {
  const float r = p[0], g = p[1], b = p[2];
  float middle;
  int sixth;
  if (r < g) {
    if (b < r) {
      *high = g, middle = r, *low = b, sixth = 1;
    } else if (b > g) {
      *high = b, middle = g, *low = r, sixth = 3;
    } else {
      *high = g, middle = b, *low = r, sixth = 2;
    }
  } else if (b < g) {
    *high = r, middle = g, *low = b, sixth = 0;
  } else if (b > r) {
    *high = b, middle = r, *low = g, sixth = 4;
  } else {
    *high = r, middle = b, *low = g, sixth = 5;
  }
  const float ratio = (middle - *low) / (*high - *low);
  *h = *high == *low ? 0 : static_cast<float>(sixth) + (sixth % 2 == 0 ? ratio : 1 - ratio);
}

void AdjustHue(const float* in, float delta, float* out) {
  float h, low, high;
  RgbToRange(in, &h, &low, &high);
  h += delta * 6;
  if (!(std::abs(h) < 600)) h = std::isfinite(h) ? std::fmod(h, 6.0f) : 0;  // far off, stepwise would take for ever
  while (h < 0) h += 6;
  while (h >= 6) h -= 6;
  const int sixth = std::min(static_cast<int>(h), 5);
  const float ratio = h - static_cast<float>(sixth), middle = low + (sixth % 2 == 0 ? ratio : 1 - ratio) * (high - low);
  const float components[6][3] = {{high, middle, low}, {middle, high, low}, {low, high, middle},
                                  {low, middle, high}, {middle, low, high}, {high, low, middle}};
  std::copy(components[sixth], components[sixth] + 3, out);
}

void AdjustSaturation(const float* in, float scale, float* out) {
  const float r = in[0], g = in[1], b = in[2], v = std::max(r, std::max(g, b)), range = v - std::min(r, std::min(g, b));
  const float norm = 1.0f / (6.0f * range);
  float h = r == v ? norm * (g - b) : g == v ? norm * (b - r) + 2.0f / 6.0f : norm * (r - g) + 4.0f / 6.0f;
  if (range <= 0) h = 0;
  if (h < 0) h += 1;
  const float s = std::min(1.0f, std::max(0.0f, (v > 0 ? range / v : 0.0f) * scale));
  const float c = s * v, m = v - c, dh = h * 6;
  const int sixth = dh >= 0 && dh < 6 ? static_cast<int>(dh) : 6;
  float phase = sixth < 6 ? dh : 0;
  while (phase >= 2) phase -= 2;
  const float x = c * (1 - std::abs(phase - 1));
  const float components[7][3] = {{c, x, 0}, {x, c, 0}, {0, c, x}, {0, x, c}, {x, 0, c}, {c, 0, x}, {0, 0, 0}};
  for (int i = 0; i < 3; ++i) out[i] = components[sixth][i] + m;
}

// convert(const W* in, W* out) for each pixel.
template <typename T, typename F>
absl::Status EachPixel(KernelContext& context, const F& convert) {
  using W = Wide<T>;
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, context.input(0).shape()));
  const T* from = context.input(0).data<T>();
  T* to = out->data<T>();
  context.pool().ParallelFor(out->num_elements() / 3, 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * 3; i < end * 3; i += 3) {
      const W in[3] = {static_cast<W>(from[i]), static_cast<W>(from[i + 1]), static_cast<W>(from[i + 2])};
      W result[3];
      convert(in, result);
      for (int c = 0; c < 3; ++c) to[i + c] = T(result[c]);
    }
  });
  return absl::OkStatus();
}

template <bool kToHsv>
struct Convert {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    const TensorShape& shape = context.input(0).shape();
    SM_CHECK_ARGUMENT(shape.rank() >= 1, "input must be at least 1D, is ", shape.ToString());
    const int64_t channels = shape.dim(shape.rank() - 1);
    if (channels != 3) return absl::FailedPreconditionError(absl::StrCat("input must have 3 channels but input only has ", channels, " channels."));
    return EachPixel<T>(context, kToHsv ? RgbToHsv<Wide<T>> : HsvToRgb<Wide<T>>);
  }
};

template <void (*kAdjust)(const float*, float, float*)>
absl::Status RunAdjust(KernelContext& context) {
  const TensorShape& shape = context.input(0).shape();
  SM_CHECK_ARGUMENT(shape.rank() >= 3, "input must be at least 3-D, got shape ", shape.ToString());
  SM_RETURN_IF_ERROR(CheckScalar(context, 1, "delta or scale"));
  const int64_t channels = shape.dim(shape.rank() - 1);
  SM_CHECK_ARGUMENT(channels == 3, "input must have 3 channels but instead has ", channels, " channels.");
  const float by = context.input(1).scalar<float>();
  return EachPixel<float>(context, [by](const float* in, float* out) { kAdjust(in, by, out); });
}

template <void (*kAdjust)(const float*, float, float*)>
absl::StatusOr<KernelPtr> MakeAdjust(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("only float32 is adjusted on the CPU");
  return MakeKernel(RunAdjust<kAdjust>);
}

// A wrong number of channels is the kernel's to refuse, with another code than that of a wrong rank.
absl::Status InferThreeChannels(InferContext& context) {
  const PartialShape& shape = context.input(0);
  SM_CHECK_ARGUMENT(!shape.known_rank() || shape.rank() >= 1, "input must be at least 1D, is ", shape.ToString());
  context.set_output(0, shape);
  return absl::OkStatus();
}

}  // namespace

void DefineColorSpace(OpTable& ops) {
  const std::string types = "T: {half, bfloat16, float, double} = DT_FLOAT", floats = "T: {half, float} = DT_FLOAT";
  const auto add = [&](std::string name, std::string inputs, std::string attrs, KernelFactory make, InferFunction infer) {
    ops.Add({.name = name, .inputs = inputs, .outputs = "output: T", .attrs = attrs, .infer = infer, .cpu = make});
  };
  add("RGBToHSV", "images: T", types, KernelOf<Convert<true>, FloatTypes>, InferThreeChannels);
  add("HSVToRGB", "images: T", types, KernelOf<Convert<false>, FloatTypes>, InferThreeChannels);
  add("AdjustHue", "images: T; delta: float", floats, MakeAdjust<AdjustHue>, SameShape<>);
  add("AdjustSaturation", "images: T; scale: float", floats, MakeAdjust<AdjustSaturation>, SameShape<>);
}

}  // namespace savedmodel
