#include "ops/signal/mel_channels.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace savedmodel {
namespace {

constexpr int kShareBits = 12;

float Mel(float frequency) { return static_cast<float>(1127.0 * std::log1p(frequency / 700.0)); }

int16_t Quantized(double share) { return static_cast<int16_t>(std::floor(share + 0.5)); }

// The square root, rounded to nearest except just below powers of two of the word.
uint32_t Root(uint64_t number) {
  if (number == 0) return 0;
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << ((std::bit_width(number) - 1) & ~1); bit != 0; bit >>= 2) {
    const bool fits = number >= root + bit;
    if (fits) number -= root + bit;
    root = (root >> 1) + (fits ? bit : 0);
  }
  const uint64_t most = std::bit_width(root) <= 16 ? UINT16_MAX : UINT32_MAX;
  return static_cast<uint32_t>(number > root && root != most ? root + 1 : root);
}

}  // namespace

absl::StatusOr<MelChannels> MelChannels::Of(const MelBand& band, int64_t sample_rate, int64_t spectrum_size) {
  const float lowest = Mel(band.lowest), step = (Mel(band.highest) - lowest) / static_cast<float>(band.channels + 1);
  const float hertz = static_cast<float>(0.5 * static_cast<double>(sample_rate) / (static_cast<float>(spectrum_size) - 1));
  const double first = 1.5 + band.lowest / hertz;
  const absl::Status outside = absl::InternalError("failed to populate frontend state: the band limits lie outside of the spectrum");
  if (!(first > -1 && first < static_cast<double>(spectrum_size))) return outside;
  MelChannels made;
  made.first_ = static_cast<int64_t>(first);
  int64_t frequency = made.first_;
  float center = lowest;
  for (int64_t channel = 0; channel <= band.channels; ++channel) {
    const float before = center;
    const int64_t begin = frequency;
    center = lowest + step * static_cast<float>(channel + 1);
    for (; Mel(static_cast<float>(frequency) * hertz) <= center; ++frequency) {
      if (frequency + 1 >= spectrum_size) return outside;
      const float share = (center - Mel(static_cast<float>(frequency) * hertz)) / (center - before);
      made.shares_.push_back({Quantized(share * (1 << kShareBits)), Quantized((1.0 - share) * (1 << kShareBits))});
    }
    made.widths_.push_back(frequency - begin);
  }
  if (frequency >= spectrum_size) return outside;
  return made;
}

void MelChannels::Measure(const ComplexInt16* spectrum, int shift, uint32_t* values) const {
  uint64_t sum = 0, next = 0;
  const Share* share = shares_.data();
  const ComplexInt16* at = spectrum + first_;
  for (size_t channel = 0; channel < widths_.size(); ++channel) {
    for (int64_t i = 0; i < widths_[channel]; ++i, ++share, ++at) {
      const auto energy = static_cast<int32_t>(static_cast<uint32_t>(at->real * at->real) + static_cast<uint32_t>(at->imaginary * at->imaginary));
      sum += static_cast<uint64_t>(share->weight) * static_cast<uint64_t>(energy);
      next += static_cast<uint64_t>(share->rest) * static_cast<uint64_t>(energy);
    }
    if (channel > 0) values[channel - 1] = Root(sum) >> shift;
    sum = next;
    next = 0;
  }
}

}  // namespace savedmodel
