// The transforms of Winograd's F(4x4, 3x3), compiled once per instruction set.
//
// The interpolation points are 0, +-a, +-b and infinity with a = 2/3, b = 3/2: a quarter of the rounding error of the usual
// 0, +-1, +-2, infinity, and a^2 b^2 = 1 saves multiplications.
#ifndef SAVEDMODEL_KERNELS_CPU_WINOGRAD_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_WINOGRAD_LOOPS_H_

#include "kernels/cpu/simd_epilogue.h"
#include "kernels/cpu/winograd_kernels.h"

namespace savedmodel {
namespace {

constexpr double kA = 2.0 / 3, kB = 1.5, kA2 = kA * kA, kB2 = kB * kB;

// Rows of B^T: the coefficients of the products of (x - point) over all points but one.
SM_INLINE void InputTransform(F d0, F d1, F d2, F d3, F d4, F d5, F (&r)[6]) {
  const F minus_a2 = Set(static_cast<float>(-kA2)), minus_b2 = Set(static_cast<float>(-kB2)),
          minus_sum = Set(static_cast<float>(-kA2 - kB2));
  const F even_a = Fma(minus_b2, d2, d4), odd_a = Fma(minus_b2, d1, d3) * Set(static_cast<float>(kA));
  const F even_b = Fma(minus_a2, d2, d4), odd_b = Fma(minus_a2, d1, d3) * Set(static_cast<float>(kB));
  r[0] = Fma(minus_sum, d2, d0 + d4);
  r[1] = even_a + odd_a;
  r[2] = even_a - odd_a;
  r[3] = even_b + odd_b;
  r[4] = even_b - odd_b;
  r[5] = Fma(minus_sum, d3, d1 + d5);
}

// Rows of G: the filter's polynomial at the points. What they lack, one over the product of the differences to the other
// points, is in A^T, where it costs nothing.
SM_INLINE void FilterTransform(F g0, F g1, F g2, F (&r)[6]) {
  const F even_a = Fma(Set(static_cast<float>(kA2)), g2, g0), odd_a = Set(static_cast<float>(kA)) * g1;
  const F even_b = Fma(Set(static_cast<float>(kB2)), g2, g0), odd_b = Set(static_cast<float>(kB)) * g1;
  r[0] = g0;
  r[1] = even_a + odd_a;
  r[2] = even_a - odd_a;
  r[3] = even_b + odd_b;
  r[4] = even_b - odd_b;
  r[5] = g2;
}

// Rows of A^T: powers of the points.
SM_INLINE void OutputTransform(F m0, F m1, F m2, F m3, F m4, F m5, F (&r)[4]) {
  constexpr double kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));
  const auto row = [](double power_a, F a, double power_b, F b) __attribute__((always_inline)) {
    return Fma(Set(static_cast<float>(kScaleA * power_a)), a, Set(static_cast<float>(kScaleB * power_b)) * b);
  };
  const F sum_a = m1 + m2, difference_a = m1 - m2, sum_b = m3 + m4, difference_b = m3 - m4;
  r[0] = m0 + row(1, sum_a, 1, sum_b);
  r[1] = row(kA, difference_a, kB, difference_b);
  r[2] = row(kA2, sum_a, kB2, sum_b);
  r[3] = m5 + row(kA2 * kA, difference_a, kB2 * kB, difference_b);
}

template <bool kPartial>
SM_INLINE F LoadLanes(const float* p, int lanes) {
  return kPartial ? LoadPartial(p, lanes) : Load(p);
}
template <bool kPartial>
SM_INLINE void StoreLanes(float* p, F v, int lanes) {
  if (kPartial) {
    StorePartial(p, v, lanes);
  } else {
    Store(p, v);
  }
}

template <bool kPartial>
SM_INLINE void InputVector(const float* const* pixels, int64_t c, float* v, int64_t position_stride, int lanes) {
  F half[6][6];
#pragma GCC unroll 6
  for (int x = 0; x < 6; ++x) {
    const auto pixel = [&](int y) __attribute__((always_inline)) { return LoadLanes<kPartial>(pixels[y * 6 + x] + c, lanes); };
    F r[6];
    InputTransform(pixel(0), pixel(1), pixel(2), pixel(3), pixel(4), pixel(5), r);
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) half[y][x] = r[y];
  }
#pragma GCC unroll 6
  for (int y = 0; y < 6; ++y) {
    F r[6];
    InputTransform(half[y][0], half[y][1], half[y][2], half[y][3], half[y][4], half[y][5], r);
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) StoreLanes<kPartial>(v + (y * 6 + x) * position_stride, r[x], lanes);
  }
}

void TransformInput(const WinogradInputJob& job) {
  for (int64_t t = 0; t < job.tiles; ++t) {
    const float* const* pixels = job.pixels + t * 36;
    float* v = job.v + t * job.tile_stride;
    int64_t c = 0;
    for (; c + kLanes <= job.channels; c += kLanes) InputVector<false>(pixels, c, v + c, job.position_stride, kLanes);
    if (c < job.channels) InputVector<true>(pixels, c, v + c, job.position_stride, static_cast<int>(job.channels - c));
  }
}

template <bool kPartial>
SM_INLINE void OutputVector(const WinogradOutputJob& job, const WinogradTile& tile, const float* m, int column, int lanes, F low,
                            F high) {
  F half[4][6];
#pragma GCC unroll 6
  for (int x = 0; x < 6; ++x) {
    const auto at = [&](int y) __attribute__((always_inline)) { return Load(m + (y * 6 + x) * job.position_stride); };
    F r[4];
    OutputTransform(at(0), at(1), at(2), at(3), at(4), at(5), r);
#pragma GCC unroll 4
    for (int y = 0; y < 4; ++y) half[y][x] = r[y];
  }
  const F scale = job.epilogue.scale != nullptr ? LoadLanes<kPartial>(job.epilogue.scale + column, lanes) : Set(1.0f);
  const F bias = job.epilogue.bias != nullptr ? LoadLanes<kPartial>(job.epilogue.bias + column, lanes) : Zero();
  const int64_t first = tile.out * job.out_pixel + column;
  const bool whole = tile.columns == 4;
#pragma GCC unroll 4
  for (int y = 0; y < 4; ++y) {
    if (y >= tile.rows) return;
    F r[4];
    OutputTransform(half[y][0], half[y][1], half[y][2], half[y][3], half[y][4], half[y][5], r);
    const int64_t row = first + y * job.out_row;
#pragma GCC unroll 4
    for (int x = 0; x < 4; ++x) {
      if (!whole && x >= tile.columns) break;
      const int64_t at = row + x * job.out_pixel;
      F v = Fma(r[x], scale, bias);
      if (job.epilogue.residual != nullptr) v = v + LoadLanes<kPartial>(job.epilogue.residual + at, lanes);
      StoreLanes<kPartial>(job.out + at, Clamp(v, low, high), lanes);
    }
  }
}

void TransformOutput(const WinogradOutputJob& job) {
  const F low = Set(LowestOutput(job.epilogue)), high = Set(HighestOutput(job.epilogue));
  for (int64_t t = 0; t < job.count; ++t) {
    const float* m = job.m + t * job.tile_stride;
    const WinogradTile& tile = job.tiles[t];
    int c = 0;
    for (; c + kLanes <= job.columns; c += kLanes) OutputVector<false>(job, tile, m + c, c, kLanes, low, high);
    if (c < job.columns) OutputVector<true>(job, tile, m + c, c, job.columns - c, low, high);
    if (IsClamp(job.epilogue)) continue;
    for (int y = 0; y < tile.rows; ++y) {
      Activate(job.epilogue, job.out + tile.out * job.out_pixel + y * job.out_row, job.out_pixel, tile.columns, job.columns);
    }
  }
}

template <bool kPartial>
SM_INLINE void FilterVector(const float* from, int64_t tap_stride, float* u, int64_t position_stride, int lanes) {
  F half[6][3];
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) {
    F g[3], r[6];
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) g[y] = LoadLanes<kPartial>(from + (y * 3 + x) * tap_stride, lanes);
    FilterTransform(g[0], g[1], g[2], r);
#pragma GCC unroll 6
    for (int y = 0; y < 6; ++y) half[y][x] = r[y];
  }
#pragma GCC unroll 6
  for (int y = 0; y < 6; ++y) {
    F r[6];
    FilterTransform(half[y][0], half[y][1], half[y][2], r);
#pragma GCC unroll 6
    for (int x = 0; x < 6; ++x) Store(u + (y * 6 + x) * position_stride, r[x]);
  }
}

void TransformFilter(const WinogradFilterJob& job) {
  const int64_t tap_stride = job.tap_stride, position_stride = job.position_stride;
  for (int j = 0; j < job.width; j += kLanes) {
    const int left = job.columns - j;
    const float* from = job.filter + j;
    float* u = job.u + j;
    for (int64_t c = job.channels; c > 0; --c, from += job.channel_stride, u += job.width) {
      if (left >= kLanes) {
        FilterVector<false>(from, tap_stride, u, position_stride, kLanes);
      } else {
        FilterVector<true>(from, tap_stride, u, position_stride, left < 0 ? 0 : left);
      }
    }
  }
}

constexpr WinogradKernels kWinogradHere = {TransformFilter, TransformInput, TransformOutput};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_WINOGRAD_LOOPS_H_
