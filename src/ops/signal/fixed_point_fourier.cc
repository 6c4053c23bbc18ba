#include "ops/signal/fixed_point_fourier.h"

#include <cmath>

namespace savedmodel {
namespace {

constexpr int kBits = 15;
constexpr int32_t kOne = INT16_MAX;

int16_t Rounded(int64_t product) { return static_cast<int16_t>(static_cast<int32_t>(product + (1 << (kBits - 1))) >> kBits); }

ComplexInt16 Root(double phase) {
  return {static_cast<int16_t>(std::floor(.5 + kOne * std::cos(phase))), static_cast<int16_t>(std::floor(.5 + kOne * std::sin(phase)))};
}

// Sums stay in 16 bits because each stage divides by its radix first.
ComplexInt16 Sum(ComplexInt16 a, ComplexInt16 b) {
  return {static_cast<int16_t>(a.real + b.real), static_cast<int16_t>(a.imaginary + b.imaginary)};
}
ComplexInt16 Difference(ComplexInt16 a, ComplexInt16 b) {
  return {static_cast<int16_t>(a.real - b.real), static_cast<int16_t>(a.imaginary - b.imaginary)};
}
ComplexInt16 Product(ComplexInt16 a, ComplexInt16 b) {
  return {Rounded(int64_t{a.real} * b.real - int64_t{a.imaginary} * b.imaginary),
          Rounded(int64_t{a.real} * b.imaginary + int64_t{a.imaginary} * b.real)};
}
ComplexInt16 Part(ComplexInt16 a, int32_t divisor) {
  return {Rounded(int64_t{a.real} * (kOne / divisor)), Rounded(int64_t{a.imaginary} * (kOne / divisor))};
}

}  // namespace

FixedPointFourier::FixedPointFourier(int64_t length) : half_(length / 2) {
  for (int64_t i = 0; i < half_; ++i) roots_.push_back(Root(-2 * M_PI * static_cast<double>(i) / static_cast<double>(half_)));
  for (int64_t i = 0; i < half_ / 2; ++i) {
    half_steps_.push_back(Root(-M_PI * (static_cast<double>(i + 1) / static_cast<double>(half_) + .5)));
  }
}

void FixedPointFourier::Pairs(ComplexInt16* data, int64_t stride, int64_t part) const {
  for (int64_t i = 0; i < part; ++i) {
    const ComplexInt16 first = Part(data[i], 2), second = Product(Part(data[part + i], 2), roots_[i * stride]);
    data[i] = Sum(first, second);
    data[part + i] = Difference(first, second);
  }
}

void FixedPointFourier::Quadruples(ComplexInt16* data, int64_t stride, int64_t part) const {
  for (int64_t i = 0; i < part; ++i) {
    const ComplexInt16 a = Part(data[i], 4), b = Product(Part(data[part + i], 4), roots_[i * stride]),
                       c = Product(Part(data[2 * part + i], 4), roots_[2 * i * stride]),
                       d = Product(Part(data[3 * part + i], 4), roots_[3 * i * stride]);
    const ComplexInt16 even = Sum(a, c), odd = Difference(a, c), sum = Sum(b, d), turned = Difference(b, d);
    data[i] = Sum(even, sum);
    data[2 * part + i] = Difference(even, sum);
    data[part + i] = {static_cast<int16_t>(odd.real + turned.imaginary), static_cast<int16_t>(odd.imaginary - turned.real)};
    data[3 * part + i] = {static_cast<int16_t>(odd.real - turned.imaginary), static_cast<int16_t>(odd.imaginary + turned.real)};
  }
}

// Fours first, a two last, as the order of roundings is part of the result.
void FixedPointFourier::Stage(ComplexInt16* out, const ComplexInt16* in, int64_t stride, int64_t length) const {
  if (length == 1) {
    *out = *in;
    return;
  }
  const int64_t radix = length % 4 == 0 ? 4 : 2, part = length / radix;
  for (int64_t i = 0; i < radix; ++i) Stage(out + i * part, in + i * stride, stride * radix, part);
  radix == 4 ? Quadruples(out, stride, part) : Pairs(out, stride, part);
}

void FixedPointFourier::Transform(const int16_t* samples, ComplexInt16* work, ComplexInt16* spectrum) const {
  // Even samples are taken for real parts, odd ones for imaginary parts; the two spectra are told apart afterwards.
  std::vector<ComplexInt16> pairs(static_cast<size_t>(half_));
  for (int64_t i = 0; i < half_; ++i) pairs[i] = {samples[2 * i], samples[2 * i + 1]};
  Stage(work, pairs.data(), 1, half_);
  if (half_ == 1) work[0] = Part(work[0], 1);
  const ComplexInt16 mean = Part(work[0], 2);
  spectrum[0] = {static_cast<int16_t>(mean.real + mean.imaginary), 0};
  spectrum[half_] = {static_cast<int16_t>(mean.real - mean.imaginary), 0};
  for (int64_t k = 1; k <= half_ / 2; ++k) {
    const ComplexInt16 mirrored = work[half_ - k];
    const ComplexInt16 a = Part(work[k], 2), b = Part({mirrored.real, static_cast<int16_t>(-mirrored.imaginary)}, 2);
    const ComplexInt16 sum = Sum(a, b), turned = Product(Difference(a, b), half_steps_[k - 1]);
    spectrum[k] = {static_cast<int16_t>((sum.real + turned.real) >> 1), static_cast<int16_t>((sum.imaginary + turned.imaginary) >> 1)};
    spectrum[half_ - k] = {static_cast<int16_t>((sum.real - turned.real) >> 1),
                           static_cast<int16_t>((turned.imaginary - sum.imaginary) >> 1)};
  }
}

}  // namespace savedmodel
