// Channels of a spectrum in 16 bits, evenly spaced on the mel scale, in the fixed point of the audio front end.
#ifndef SAVEDMODEL_OPS_SIGNAL_MEL_CHANNELS_H_
#define SAVEDMODEL_OPS_SIGNAL_MEL_CHANNELS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "ops/signal/fixed_point_fourier.h"

namespace savedmodel {

struct MelBand {
  int64_t channels;
  float lowest, highest;  // in Hz
};

class MelChannels {
 public:
  // Internal where the band reaches beyond the spectrum.
  static absl::StatusOr<MelChannels> Of(const MelBand& band, int64_t sample_rate, int64_t spectrum_size);

  // values[c] = the root of channel c's energy, shifted right by `shift`.
  void Measure(const ComplexInt16* spectrum, int shift, uint32_t* values) const;

 private:
  struct Share {
    int16_t weight, rest;  // of one frequency: what its channel gets, and what the next one gets
  };

  int64_t first_ = 0;            // frequency
  std::vector<int64_t> widths_;  // frequencies of each channel, one channel more than there are results
  std::vector<Share> shares_;    // of frequency first_ + i
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_SIGNAL_MEL_CHANNELS_H_
