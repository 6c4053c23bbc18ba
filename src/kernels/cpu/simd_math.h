// Elementary functions of one vector, in single precision: within 2 to 6 units in the last place, infinities and NaN as in
// the C library. Include only from files that simd.h allows.
#ifndef SAVEDMODEL_KERNELS_CPU_SIMD_MATH_H_
#define SAVEDMODEL_KERNELS_CPU_SIMD_MATH_H_

#include "kernels/cpu/simd.h"

namespace savedmodel {
namespace {

// e^x = 2^n * e^r with |r| <= ln(2)/2. The power of two is applied in two halves, so that results near both ends of the
// range come out right.
SM_INLINE F Exp(F x) {
  x = Clamp(x, Set(-104.0f), Set(89.0f));
  const F n = Round(x * Set(1.44269504088896341f));
  F r = Fma(n, Set(-0.693359375f), x);
  r = Fma(n, Set(2.12194440e-4f), r);
  F p = Set(1.9875691500e-4f);
  p = Fma(p, r, Set(1.3981999507e-3f));
  p = Fma(p, r, Set(8.3334519073e-3f));
  p = Fma(p, r, Set(4.1665795894e-2f));
  p = Fma(p, r, Set(1.6666665459e-1f));
  p = Fma(p, r, Set(5.0000001201e-1f));
  p = Fma(p, r * r, r) + Set(1.0f);
#if defined(__AVX512F__)
  return _mm512_scalef_ps(p, n);
#else
  const I whole = ToInt(n), half = ShiftRight<1>(whole);
  const F low = FromBits(ShiftLeft<23>(AddInt(half, SetInt(127))));
  const F high = FromBits(ShiftLeft<23>(AddInt(SubInt(whole, half), SetInt(127))));
  const F y = p * low * high;
  return Select(IsNan(x), x, y);  // the integers made of a NaN are arbitrary
#endif
}

// a * b + c rounded twice, wherever the compiler would fuse it: for functions that must give the reference's bits.
SM_INLINE F MulAdd(F a, F b, F c) {
  F product = a * b;
#if defined(__AVX512F__)
  asm("" : "+v"(product));
#elif defined(__x86_64__)
  asm("" : "+x"(product));
#elif defined(__aarch64__)
  asm("" : "+w"(product));
#endif
  return product + c;
}

// x = 2^e * m with m in [sqrt(1/2), sqrt(2)); log m is a rational function of m - 1. Bit for bit what the reference's vector
// code gives (Eigen, eight floats, no fused multiply-add).
SM_INLINE F Log(F x) {
  const F infinity = Set(__builtin_inff());
  const M tiny = Less(x, Set(1.17549435e-38f));
  const F scaled = Select(tiny, x * Set(8388608.0f), x);
  const I offset = SubInt(Bits(scaled), SetInt(0x3f3504f3));  // the bits of sqrt(1/2)
  F e = ToFloat(ShiftRight<23>(offset));
  e = Select(tiny, e - Set(23.0f), e);
  const F m = FromBits(AddInt(AndInt(offset, SetInt(0x007fffff)), SetInt(0x3f3504f3))) - Set(1.0f);
  F p = MulAdd(Set(0.18256296349849254f), m, Set(1.0000000190281063f));
  p = m * MulAdd(p, m, Set(1.0000000190281136f));
  F q = MulAdd(Set(0.049616247954120038f), m, Set(0.59923249590823520f));
  q = MulAdd(q, m, Set(1.4999999999999927f));
  q = MulAdd(q, m, Set(1.0f));
  F y = MulAdd(e, Set(0.69314718055994531f), p / q);
  y = Select(Less(x, infinity), y, x);
  y = Select(Less(Zero(), x), y, Select(Less(x, Zero()), Set(__builtin_nanf("")), -infinity));
  return Select(IsNan(x), x, y);
}

// x * P(x^2) / Q(x^2) on the range where the function differs from 1, fitted for relative error.
SM_INLINE F Tanh(F x) {
  x = Clamp(x, Set(-9.0f), Set(9.0f));
  const F z = x * x;
  F p = Set(3.6836190347999676e-11f);
  p = Fma(p, z, Set(1.1132209465358756e-07f));
  p = Fma(p, z, Set(4.229904152452946e-05f));
  p = Fma(p, z, Set(0.004426928237080574f));
  p = Fma(p, z, Set(0.140999436378479f));
  p = Fma(p, z, Set(1.0f));
  F q = Set(2.9566087356158732e-09f);
  q = Fma(q, z, Set(2.6062107281177305e-06f));
  q = Fma(q, z, Set(0.0005010227323509753f));
  q = Fma(q, z, Set(0.02920451946556568f));
  q = Fma(q, z, Set(0.4743327796459198f));
  q = Fma(q, z, Set(1.0f));
  return Clamp(x * p / q, Set(-1.0f), Set(1.0f));
}

SM_INLINE F Erf(F x) {
  x = Clamp(x, Set(-3.92f), Set(3.92f));
  const F z = x * x;
  F p = Set(-1.280020711647012e-08f);
  p = Fma(p, z, Set(4.6093141463643406e-06f));
  p = Fma(p, z, Set(0.00037676189094781876f));
  p = Fma(p, z, Set(0.0038386278320103884f));
  p = Fma(p, z, Set(0.054244041442871094f));
  p = Fma(p, z, Set(0.18513520061969757f));
  p = Fma(p, z, Set(1.128379225730896f));
  F q = Set(6.239993672352284e-05f);
  q = Fma(q, z, Set(0.0013015299336984754f));
  q = Fma(q, z, Set(0.015430068597197533f));
  q = Fma(q, z, Set(0.11387378722429276f));
  q = Fma(q, z, Set(0.49740520119667053f));
  q = Fma(q, z, Set(1.0f));
  return Clamp(x * p / q, Set(-1.0f), Set(1.0f));
}

// 1 + e^-x. Where the processor splits a number at its point, fewer steps than Exp: the error grows to |x| units of 1e-7, which
// what it is divided into hides but for the smallest of results.
SM_INLINE F OnePlusExpOfMinus(F x) {
#if defined(__AVX512F__)
  const F t = x * Set(-1.44269504088896341f), r = _mm512_reduce_ps(t, 1);  // t less its floor; 0 for infinities
  F p = Set(0.0018671300495043397f);                                        // 2^r, a minimax polynomial over [0, 1)
  p = Fma(p, r, Set(0.009017030708491802f));
  p = Fma(p, r, Set(0.05579991266131401f));
  p = Fma(p, r, Set(0.24016444385051727f));
  p = Fma(p, r, Set(0.6931512951850891f));
  p = Fma(p, r, Set(1.0f));
  return Set(1.0f) + _mm512_scalef_ps(p, t);
#else
  return Set(1.0f) + Exp(-x);
#endif
}
SM_INLINE F Sigmoid(F x) { return Set(1.0f) / OnePlusExpOfMinus(x); }
SM_INLINE F Swish(F x) { return x / OnePlusExpOfMinus(x); }
SM_INLINE F GeluErf(F x) {
  const F half = x * Set(0.5f);
  return Fma(half, Erf(x * Set(0.70710678118654752f)), half);
}
SM_INLINE F GeluTanh(F x) {
  const F half = x * Set(0.5f);
  const F inner = x * Fma(x * x, Set(0.044715f * 0.79788456080286536f), Set(0.79788456080286536f));
  return Fma(half, Tanh(inner), half);
}
SM_INLINE F HardSwish(F x) { return x * Clamp(Fma(x, Set(1.0f / 6), Set(0.5f)), Zero(), Set(1.0f)); }
SM_INLINE F Elu(F x, F alpha) { return Select(Less(x, Zero()), alpha * (Exp(x) - Set(1.0f)), x); }
SM_INLINE F LeakyRelu(F x, F alpha) { return Select(Less(x, Zero()), alpha * x, x); }

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_SIMD_MATH_H_
