// The loops of vector_math.h, compiled once per instruction set.
#ifndef SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_LOOPS_H_

#include "kernels/cpu/simd_math.h"
#include "kernels/cpu/vector_math_table.h"

namespace savedmodel {
namespace {

template <typename Function>
SM_INLINE void Map(const float* in, float* out, int64_t n, Function f) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {  // two at a time hide the latency of the chains
    const F a = f(Load(in + i)), b = f(Load(in + i + kLanes));
    Store(out + i, a);
    Store(out + i + kLanes, b);
  }
  for (; i + kLanes <= n; i += kLanes) Store(out + i, f(Load(in + i)));
  if (i < n) StorePartial(out + i, f(LoadPartial(in + i, static_cast<int>(n - i))), static_cast<int>(n - i));
}

void ExpLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return Exp(x); });
}
void LogLoop(const float* in, float* out, int64_t n) {
  const int64_t whole = n - n % 8;
  Map(
      in, out, whole, [](F x) __attribute__((always_inline)) { return Log(x); });
  for (int64_t i = whole; i < n; ++i) out[i] = __builtin_logf(in[i]);
}
void TanhLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return Tanh(x); });
}
void ErfLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return Erf(x); });
}
void SigmoidLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return Sigmoid(x); });
}
void SwishLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return Swish(x); });
}
void GeluErfLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return GeluErf(x); });
}
void GeluTanhLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return GeluTanh(x); });
}
void HardSwishLoop(const float* in, float* out, int64_t n) {
  Map(
      in, out, n, [](F x) __attribute__((always_inline)) { return HardSwish(x); });
}
void EluLoop(const float* in, float* out, int64_t n, float alpha) {
  const F a = Set(alpha);
  Map(
      in, out, n, [a](F x) __attribute__((always_inline)) { return Elu(x, a); });
}

void ScaleLoop(const float* in, float* out, int64_t n, float factor) {
  const F f = Set(factor);
  Map(
      in, out, n, [f](F x) __attribute__((always_inline)) { return f * x; });
}

// NaN in a row makes the sum NaN.
float SoftmaxWeightsRow(const float* in, const float* mask, float* out, int64_t n, float scale) {
  const int64_t whole = n - n % kLanes;
  const int rest = static_cast<int>(n - whole);
  F factor = Set(scale), tops = Set(-__builtin_inff());
  for (int64_t i = 0; i < whole; i += kLanes) {
    F x = factor * Load(in + i);
    if (mask != nullptr) {
      x = x + Load(mask + i);
      Store(out + i, x);
    }
    tops = Max(x, tops);
  }
  float top = Largest(tops);
  if (rest > 0) {
    F x = factor * LoadPartial(in + whole, rest);
    if (mask != nullptr) {
      x = x + LoadPartial(mask + whole, rest);
      StorePartial(out + whole, x, rest);
    }
    float lanes[kLanes];
    Store(lanes, x);
    for (int i = 0; i < rest; ++i) top = lanes[i] > top ? lanes[i] : top;
  }
  if (mask != nullptr) {
    in = out;
    factor = Set(1.0f);
  }
  const F shift = Set(-top);
  F sums = Zero();
  for (int64_t i = 0; i < whole; i += kLanes) {
    const F e = Exp(Fma(factor, Load(in + i), shift));
    Store(out + i, e);
    sums = sums + e;
  }
  float sum = Sum(sums);
  if (rest > 0) {
    StorePartial(out + whole, Exp(Fma(factor, LoadPartial(in + whole, rest), shift)), rest);
    for (int64_t i = whole; i < n; ++i) sum += out[i];
  }
  return sum;
}

void SoftmaxRow(const float* in, float* out, int64_t n, float scale) {
  ScaleLoop(out, out, n, 1.0f / SoftmaxWeightsRow(in, nullptr, out, n, scale));
}

// The sum of term(x) over whole vectors of a row, in four parts: one alone would have each addition wait for the one before.
template <typename Term>
SM_INLINE float SumOver(const float* in, int64_t whole, Term term) {
  F parts[4] = {Zero(), Zero(), Zero(), Zero()};
  int64_t i = 0;
  for (; i + 4 * kLanes <= whole; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) parts[p] = term(Load(in + i + p * kLanes), parts[p]);
  }
  for (; i < whole; i += kLanes) parts[0] = term(Load(in + i), parts[0]);
  return Sum((parts[0] + parts[1]) + (parts[2] + parts[3]));
}

// The row is read from memory once: the later passes find it in the first cache. Two passes for mean and variance, since
// the mean of squares loses digits when the mean is large.
void LayerNormRow(const float* in, const float* gamma, const float* beta, float epsilon, float* out, int64_t n) {
  const int64_t whole = n - n % kLanes;
  const int rest = static_cast<int>(n - whole);
  float total = SumOver(in, whole, [](F v, F sum) { return sum + v; });
  for (int64_t i = whole; i < n; ++i) total += in[i];
  const float mean = total / static_cast<float>(n);
  const F center = Set(mean);
  float squares = SumOver(in, whole, [center](F v, F sum) {
    const F d = v - center;
    return Fma(d, d, sum);
  });
  for (int64_t i = whole; i < n; ++i) squares += (in[i] - mean) * (in[i] - mean);
  const F scale = Set(1.0f / __builtin_sqrtf(squares / static_cast<float>(n) + epsilon));
  for (int64_t i = 0; i < n; i += kLanes) {
    const bool full = i < whole;
    F v = ((full ? Load(in + i) : LoadPartial(in + i, rest)) - center) * scale;
    if (gamma != nullptr) v = v * (full ? Load(gamma + i) : LoadPartial(gamma + i, rest));
    if (beta != nullptr) v = v + (full ? Load(beta + i) : LoadPartial(beta + i, rest));
    if (full) {
      Store(out + i, v);
    } else {
      StorePartial(out + i, v, rest);
    }
  }
}

// Combines the rows from `start` on, in order, four vectors at a time.
template <typename Combine, typename Finish>
SM_INLINE void CombineRows(const float* const* rows, int64_t count, int64_t n, float start, float* out, Combine combine, Finish finish) {
  constexpr int kAtOnce = 4;
  int64_t i = 0;
  for (; i + kAtOnce * kLanes <= n; i += kAtOnce * kLanes) {
    F v[kAtOnce];
#pragma GCC unroll 4
    for (int j = 0; j < kAtOnce; ++j) v[j] = Set(start);
    for (int64_t r = 0; r < count; ++r) {
      const float* row = rows[r] + i;
#pragma GCC unroll 4
      for (int j = 0; j < kAtOnce; ++j) v[j] = combine(Load(row + j * kLanes), v[j]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kAtOnce; ++j) Store(out + i + j * kLanes, finish(v[j]));
  }
  for (; i < n; i += kLanes) {
    const int lanes = n - i < kLanes ? static_cast<int>(n - i) : kLanes;
    F v = Set(start);
    for (int64_t r = 0; r < count; ++r) v = combine(LoadPartial(rows[r] + i, lanes), v);
    StorePartial(out + i, finish(v), lanes);
  }
}

void MaxOfRows(const float* const* rows, int64_t count, int64_t n, float start, float* out) {
  CombineRows(
      rows, count, n, start, out, [](F x, F top) __attribute__((always_inline)) { return Max(x, top); },
      [](F top) __attribute__((always_inline)) { return top; });
}

void MeanOfRows(const float* const* rows, int64_t count, int64_t n, float* out) {
  const F divisor = Set(static_cast<float>(count));
  CombineRows(
      rows, count, n, 0.0f, out, [](F x, F sum) __attribute__((always_inline)) { return sum + x; },
      [&](F sum) __attribute__((always_inline)) { return sum / divisor; });
}

constexpr VectorMathTable kVectorMathHere = {ExpLoop,   LogLoop,     TanhLoop,          ErfLoop,       SigmoidLoop,
                                             SwishLoop, GeluErfLoop, GeluTanhLoop,      HardSwishLoop, EluLoop,
                                             ScaleLoop, SoftmaxRow,  SoftmaxWeightsRow, LayerNormRow,  MaxOfRows,     MeanOfRows};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_LOOPS_H_
