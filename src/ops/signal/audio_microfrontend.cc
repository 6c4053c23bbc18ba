// AudioMicrofrontend: loudness of mel channels in windows of samples, less a running estimate of the noise, perhaps with a gain
// that levels loud and quiet, perhaps logarithmic; in the fixed point of small devices, of which every rounding counts. A window
// that is shorter than the step from one to the next is refused, the reference crashes.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>

#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/signal/fixed_point_fourier.h"
#include "ops/signal/mel_channels.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

constexpr int64_t kMostSamples = 1 << 24, kMostFeatures = 1 << 20;

uint32_t Left(uint32_t value, int64_t bits) { return value << (bits & 31); }

// Hann windows of samples, in 12 bits of fraction.
class Window {
 public:
  explicit Window(int64_t size) {
    const float step = static_cast<float>(M_PI * 2.0 / static_cast<float>(size));
    for (int64_t i = 0; i < size; ++i) {
      const float factor = static_cast<float>(0.5 - 0.5 * std::cos(step * (static_cast<double>(i) + 0.5)));
      factors_.push_back(static_cast<int16_t>(std::floor(factor * (1 << kBits) + 0.5)));
    }
  }

  int64_t size() const { return static_cast<int64_t>(factors_.size()); }

  // Writes size() values, as large as 16 bits allow; gives the bits they were shifted left by.
  int Apply(const int16_t* samples, int16_t* out) const {
    int16_t largest = 0;
    for (int64_t i = 0; i < size(); ++i) {
      out[i] = static_cast<int16_t>(samples[i] * factors_[i] >> kBits);
      largest = std::max(largest, static_cast<int16_t>(out[i] < 0 ? -out[i] : out[i]));
    }
    const int shift = 15 - std::bit_width(static_cast<uint16_t>(largest));
    for (int64_t i = 0; i < size(); ++i) out[i] = static_cast<int16_t>(static_cast<uint16_t>(out[i]) << shift);
    return shift;
  }

 private:
  static constexpr int kBits = 12;
  std::vector<int16_t> factors_;
};

// What a channel's noise is taken for follows its signal slowly; the signal keeps what lies above it.
struct NoiseReduction {
  static constexpr int kBits = 14;
  int64_t smoothing_bits;
  uint16_t smoothing[2], least;  // of even and odd channels; the share of the signal that remains at least

  explicit NoiseReduction(const Attributes& attrs)
      : smoothing_bits(attrs.Int("smoothing_bits")),
        smoothing{Share(attrs, "even_smoothing"), Share(attrs, "odd_smoothing")},
        least(Share(attrs, "min_signal_remaining")) {}

  static uint16_t Share(const Attributes& attrs, const char* name) {
    return static_cast<uint16_t>(static_cast<int32_t>(std::clamp(attrs.Float(name) * (1 << kBits), -2e9f, 2e9f)));
  }

  uint32_t Apply(uint32_t signal, bool odd, uint32_t* estimate) const {
    const uint32_t scaled = Left(signal, smoothing_bits), share = smoothing[odd];
    *estimate = static_cast<uint32_t>((uint64_t{scaled} * share + uint64_t{*estimate} * uint32_t{(1u << kBits) - share}) >> kBits);
    const uint32_t rest = (scaled - std::min(*estimate, scaled)) >> (smoothing_bits & 31);
    return std::max(rest, static_cast<uint32_t>(uint64_t{signal} * least >> kBits));
  }
};

// The gain of a channel falls as its noise grows: a power of it, by parabolas between powers of two.
class GainControl {
 public:
  GainControl(const Attributes& attrs, int64_t correction_bits)
      : strength_(attrs.Float("pcan_strength")), offset_(attrs.Float("pcan_offset")), gain_bits_(attrs.Int("gain_bits")),
        input_bits_(static_cast<uint16_t>(attrs.Int("smoothing_bits")) - correction_bits),
        ratio_shift_(gain_bits_ - correction_bits - kRatioBits) {
    first_ = {Gain(0), Gain(1)};
    for (int bits = 2; bits <= 32; ++bits) {
      const uint32_t low = uint32_t{1} << (bits - 1), high = bits == 32 ? low + (low - 1) : 2 * low;
      const int16_t at_low = Gain(low);
      const int32_t middle = Gain(low + (low >> 1)) - at_low, whole = Gain(high) - at_low;
      const int32_t linear = 4 * middle - whole;
      curves_.push_back({at_low, static_cast<int16_t>(linear), static_cast<int16_t>(whole - linear)});
    }
  }

  uint32_t Apply(uint32_t signal, uint32_t noise) const {
    const auto gain = static_cast<uint32_t>(int32_t{At(noise)});
    return Shrunk(static_cast<uint32_t>(uint64_t{signal} * gain >> (ratio_shift_ & 63)));
  }

 private:
  static constexpr int kRatioBits = 12, kResultBits = 6;
  struct Curve {
    int16_t value, linear, square;
  };

  int16_t Gain(uint32_t noise) const {
    const float scaled = static_cast<float>(noise) / static_cast<float>(Left(1, input_bits_));
    const float gain = static_cast<float>(Left(1, gain_bits_)) * std::pow(scaled + offset_, -strength_);
    return gain > INT16_MAX ? INT16_MAX : static_cast<int16_t>(gain + 0.5f);
  }

  int16_t At(uint32_t noise) const {
    if (noise < 2) return first_[noise];
    const int bits = std::bit_width(noise);
    const Curve& curve = curves_[bits - 2];
    if (noise == 2) return curve.value;
    const auto fraction = static_cast<int16_t>((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3FF);
    const int32_t slope = (curve.square * fraction >> 5) + curve.linear * 32;
    return static_cast<int16_t>(((static_cast<int64_t>(slope) * fraction + (1 << 14)) >> 15) + curve.value);
  }

  static uint32_t Shrunk(uint32_t ratio) {
    if (ratio < (2u << kRatioBits)) return ratio * ratio >> (2 + 2 * kRatioBits - kResultBits);
    return (ratio >> (kRatioBits - kResultBits)) - (1u << kResultBits);
  }

  float strength_, offset_;
  int64_t gain_bits_, input_bits_, ratio_shift_;
  std::array<int16_t, 2> first_{};
  std::vector<Curve> curves_;
};

// Natural logarithms by a table of how far log2(1 + x) lies above x.
class Logarithm {
 public:
  explicit Logarithm(int64_t scale_shift) : scale_shift_(scale_shift) {
    for (int i = 0; i <= 1 << kTableBits; ++i) {
      const double x = static_cast<double>(i) / (1 << kTableBits);
      bulge_.push_back(static_cast<int32_t>(std::lround((std::log2(1 + x) - x) * (1 << kBits))));
    }
  }

  uint32_t Of(uint32_t value) const {
    const int whole = std::bit_width(value) - 1;
    const auto above = static_cast<int32_t>(value - (uint32_t{1} << whole));
    const int32_t fraction = whole < kBits ? above << (kBits - whole) : above >> (whole - kBits);
    const int32_t place = fraction >> (kBits - kTableBits), in_place = fraction - (place << (kBits - kTableBits));
    const int32_t bulge = bulge_[place] + ((bulge_[place + 1] - bulge_[place]) * in_place >> kBits);
    const uint32_t base2 = (static_cast<uint32_t>(whole) << kBits) + static_cast<uint32_t>(fraction + bulge);
    const auto natural = static_cast<uint32_t>((uint64_t{kLn2} * base2 + kHalf) >> kBits);
    return (Left(natural, scale_shift_) + kHalf) >> kBits;
  }

 private:
  static constexpr int kBits = 16, kTableBits = 7;
  static constexpr uint32_t kLn2 = 45426, kHalf = 1 << (kBits - 1);
  int64_t scale_shift_;
  std::vector<int32_t> bulge_;
};

// Where windows lie in the samples, and how windows make rows of the result.
struct Frames {
  int64_t window, step, channels, left, right, stride;
  int64_t features() const { return channels * (1 + left + right); }
  int64_t CountIn(int64_t samples) const { return samples < window ? 0 : (samples - window) / step + 1; }
  int64_t RowsOf(int64_t count) const { return count == 0 ? 0 : (count - 1) / stride + 1; }
};

absl::StatusOr<Frames> FramesOf(const Attributes& attrs) {
  const int64_t rate = attrs.Int("sample_rate");
  const Frames frames{attrs.Int("window_size") * rate / 1000, attrs.Int("window_step") * rate / 1000, attrs.Int("num_channels"),
                      attrs.Int("left_context"), attrs.Int("right_context"), attrs.Int("frame_stride")};
  SM_CHECK_ARGUMENT(frames.step > 0 && frames.stride > 0, "Divisor must be positive: window_step is ", frames.step,
                    " samples, frame_stride ", frames.stride);
  SM_CHECK_ARGUMENT(frames.window >= 0 && frames.window <= kMostSamples, "window_size is ", frames.window,
                    " samples, must be 0 to ", kMostSamples);
  SM_CHECK_ARGUMENT(frames.channels >= 0 && frames.channels <= kMostFeatures && std::abs(frames.left) <= kMostFeatures &&
                        std::abs(frames.right) <= kMostFeatures && frames.left + frames.right >= -1 && frames.features() <= kMostFeatures,
                    "num_channels is ", frames.channels, ", left_context ", frames.left, ", right_context ", frames.right,
                    ", together there must be 0 to ", kMostFeatures, " features");
  SM_CHECK_ARGUMENT(attrs.Int("out_scale") != 0, "out_scale must not be 0");
  return frames;
}

class Microfrontend final : public Kernel {
 public:
  Microfrontend(const Attributes& attrs, const Frames& frames, MelChannels mel)
      : frames_(frames), window_(frames.window), fourier_(static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(frames.window)))),
        mel_(std::move(mel)), noise_(attrs), correction_bits_(std::bit_width(static_cast<uint64_t>(fourier_.length())) - 7),
        zero_padding_(attrs.Bool("zero_padding")), out_scale_(attrs.Int("out_scale")) {
    if (attrs.Bool("enable_pcan")) gain_.emplace(attrs, correction_bits_);
    if (attrs.Bool("enable_log")) logarithm_.emplace(attrs.Int("scale_shift"));
  }

  absl::Status Run(KernelContext& context) const override {
    const Tensor& audio = context.input(0);
    SM_CHECK_ARGUMENT(audio.rank() == 1, "audio is not a vector, has shape ", audio.shape().ToString());
    const int64_t count = frames_.CountIn(audio.dim(0)), rows = frames_.RowsOf(count);
    SM_CHECK_ARGUMENT(count == 0 || frames_.window >= frames_.step, "window_size is ", frames_.window,
                      " samples, must be at least window_step, ", frames_.step);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {rows, frames_.features()}));
    const std::vector<uint16_t> values = Measure(audio.data<int16_t>(), count);
    return Dispatch<TypeList<uint16_t, float>>(out->dtype(), [&](auto tag) -> absl::Status {
      using T = typename decltype(tag)::type;
      T* to = out->data<T>();
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t frame = row * frames_.stride - frames_.left; frame <= row * frames_.stride + frames_.right; ++frame) {
          const bool inside = frame >= 0 && frame < count;
          const uint16_t* from = values.data() + std::clamp<int64_t>(frame, 0, count - 1) * frames_.channels;
          for (int64_t i = 0; i < frames_.channels; ++i) *to++ = inside || !zero_padding_ ? Scaled<T>(from[i]) : T{};
        }
      }
      return absl::OkStatus();
    });
  }

 private:
  template <typename T>
  T Scaled(uint16_t value) const {
    if constexpr (std::is_same_v<T, float>) return static_cast<float>(value) / static_cast<float>(out_scale_);
    return static_cast<T>(value / out_scale_);
  }

  // All windows in turn, as each changes what the next one takes for noise.
  std::vector<uint16_t> Measure(const int16_t* samples, int64_t count) const {
    std::vector<int16_t> window(static_cast<size_t>(fourier_.length()));
    std::vector<ComplexInt16> work(window.size()), spectrum(window.size());
    std::vector<uint32_t> noise(static_cast<size_t>(frames_.channels)), signal(noise.size());
    std::vector<uint16_t> values;
    for (int64_t frame = 0; frame < count; ++frame) {
      const int shift = window_.Apply(samples + frame * frames_.step, window.data());
      fourier_.Transform(window.data(), work.data(), spectrum.data());
      mel_.Measure(spectrum.data(), shift, signal.data());
      for (size_t i = 0; i < signal.size(); ++i) {
        uint32_t value = noise_.Apply(signal[i], i % 2 == 1, &noise[i]);
        if (gain_) value = gain_->Apply(value, noise[i]);
        if (logarithm_) value = Logarithmic(value);
        values.push_back(static_cast<uint16_t>(std::min<uint32_t>(value, UINT16_MAX)));
      }
    }
    return values;
  }

  uint32_t Logarithmic(uint32_t value) const {
    value = correction_bits_ < 0 ? value >> -correction_bits_ : value << correction_bits_;
    return value > 1 ? logarithm_->Of(value) : 0;
  }

  const Frames frames_;
  const Window window_;
  const FixedPointFourier fourier_;
  const MelChannels mel_;
  const NoiseReduction noise_;
  const int correction_bits_;
  const bool zero_padding_;
  const int64_t out_scale_;
  std::optional<GainControl> gain_;
  std::optional<Logarithm> logarithm_;
};

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const Attributes& attrs = init.attrs();
  SM_ASSIGN_OR_RETURN(Frames frames, FramesOf(attrs));
  if (frames.window < 2) return absl::InternalError("failed to populate frontend state: a window has less than 2 samples");
  const MelBand band{frames.channels, attrs.Float("lower_band_limit"), attrs.Float("upper_band_limit")};
  const auto spectrum = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(frames.window)) / 2 + 1);
  SM_ASSIGN_OR_RETURN(MelChannels mel, MelChannels::Of(band, attrs.Int("sample_rate"), spectrum));
  return KernelPtr(std::make_unique<Microfrontend>(attrs, frames, std::move(mel)));
}

absl::Status Infer(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 1));
  SM_ASSIGN_OR_RETURN(Frames frames, FramesOf(context.attrs()));
  const PartialShape& audio = context.input(0);
  const int64_t samples = audio.known_rank() ? audio.dim(0) : -1;
  context.set_output(0, PartialShape::Of({samples < 0 ? -1 : frames.RowsOf(frames.CountIn(samples)), frames.features()}));
  return absl::OkStatus();
}

}  // namespace

void DefineAudioMicrofrontend(OpTable& ops) {
  ops.Add({.name = "AudioMicrofrontend",
           .inputs = "audio: int16",
           .outputs = "filterbanks: out_type",
           .attrs = "sample_rate: int = 16000; window_size: int = 25; window_step: int = 10; num_channels: int = 32; "
                    "upper_band_limit: float = 7500.0; lower_band_limit: float = 125.0; smoothing_bits: int = 10; "
                    "even_smoothing: float = 0.025; odd_smoothing: float = 0.06; min_signal_remaining: float = 0.05; "
                    "enable_pcan: bool = false; pcan_strength: float = 0.95; pcan_offset: float = 80.0; gain_bits: int = 21; "
                    "enable_log: bool = true; scale_shift: int = 6; left_context: int = 0; right_context: int = 0; "
                    "frame_stride: int = 1; zero_padding: bool = false; out_scale: int = 1; "
                    "out_type: {uint16, float} = DT_UINT16",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
