// The discrete Fourier transform of real samples in 16 bits, scaled down by the length, rounded where kissfft rounds: the
// audio front end of small devices is defined by that rounding.
#ifndef SAVEDMODEL_OPS_SIGNAL_FIXED_POINT_FOURIER_H_
#define SAVEDMODEL_OPS_SIGNAL_FIXED_POINT_FOURIER_H_

#include <cstdint>
#include <vector>

namespace savedmodel {

struct ComplexInt16 {
  int16_t real = 0, imaginary = 0;
};

// Roots of unity of one length, a power of two that is at least 2. Immutable, so threads may share it.
class FixedPointFourier {
 public:
  explicit FixedPointFourier(int64_t length);

  int64_t length() const { return 2 * half_; }
  // The first length() / 2 + 1 values of the spectrum of samples[0, length()). `work` has room for length() / 2 values.
  void Transform(const int16_t* samples, ComplexInt16* work, ComplexInt16* spectrum) const;

 private:
  void Stage(ComplexInt16* out, const ComplexInt16* in, int64_t stride, int64_t length) const;
  void Pairs(ComplexInt16* data, int64_t stride, int64_t part) const;
  void Quadruples(ComplexInt16* data, int64_t stride, int64_t part) const;

  int64_t half_;
  std::vector<ComplexInt16> roots_, half_steps_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_SIGNAL_FIXED_POINT_FOURIER_H_
