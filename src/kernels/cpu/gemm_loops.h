// The register tiles of the matrix product, compiled once per instruction set.
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_

#include "kernels/cpu/gemm_kernels.h"
#include "kernels/cpu/simd_epilogue.h"

namespace savedmodel {
namespace {

struct Tile {
  const float* const* rows;
  int64_t row_stride;
  int taps;
  int64_t offset, depth;
  const float* b;
  int64_t b_stride;
  int last_lanes;  // valid lanes of the last vector
  float* c;
  int64_t c_stride;
  bool first;
  const float* scale;
  const float* bias;
  const float* residual;
  int64_t residual_stride;
  float low, high;
  const char* prefetch;
  int64_t prefetch_step;  // bytes for each inner index
};

#if defined(SM_BF16_PAIRS)
SM_INLINE F MultiplyAdd(F a, F b, F sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
#else
SM_INLINE F MultiplyAdd(F a, F b, F sum) { return Fma(a, b, sum); }
#endif

// Tiles that would keep too few sums in flight to hide the latency of the multiply-add hold `kSets` partial sums each.
constexpr int Sets(int sums) { return sums >= 8 ? 1 : sums >= 4 ? 2 : 4; }
// Below it the sums are done before the sets would pay, and are added up in order, as the reference does.
constexpr int64_t kShortDepth = 16;

// The last panel's odd columns, from sums put into memory: rare, so small rather than fast.
void FinishPartial(const Tile& t, const float* sums, int rows, int vectors) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < vectors; ++j, sums += kLanes) {
      const int lanes = j == vectors - 1 ? t.last_lanes : kLanes;
      float* c = t.c + i * t.c_stride + j * kLanes;
      F v = Load(sums);
      if (t.scale != nullptr) v = v * LoadPartial(t.scale + j * kLanes, lanes);
      if (!t.first) {
        v = v + LoadPartial(c, lanes);
      } else {
        if (t.bias != nullptr) v = v + LoadPartial(t.bias + j * kLanes, lanes);
        if (t.residual != nullptr) v = v + LoadPartial(t.residual + i * t.residual_stride + j * kLanes, lanes);
      }
      StorePartial(c, Clamp(v, Set(t.low), Set(t.high)), lanes);
    }
  }
}

template <int kRows, int kVectors>
SM_INLINE void Finish(const Tile& t, F (&sum)[kRows][kVectors]) {
  // Where masks cost nothing the last vector is always masked.
  constexpr bool kMasked = kLanes == 16;
  const auto load = [&](const float* p, int j) __attribute__((always_inline)) {
    return kMasked && j == kVectors - 1 ? LoadPartial(p, t.last_lanes) : Load(p);
  };
  if (!kMasked && t.last_lanes < kLanes) {
    float sums[kRows * kVectors * kLanes];
#pragma GCC unroll 64
    for (int i = 0; i < kRows * kVectors; ++i) Store(sums + i * kLanes, sum[i / kVectors][i % kVectors]);
    return FinishPartial(t, sums, kRows, kVectors);
  }
  if (t.scale != nullptr) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const F scale = load(t.scale + j * kLanes, j);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) sum[i][j] = sum[i][j] * scale;
    }
  }
  if (t.first && t.bias != nullptr) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const F bias = load(t.bias + j * kLanes, j);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) sum[i][j] = sum[i][j] + bias;
    }
  }
  // What is added from memory: C itself after the first stretch, else the residual.
  const float* add = t.first ? t.residual : t.c;
  const int64_t add_stride = t.first ? t.residual_stride : t.c_stride;
  if (add != nullptr) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[i][j] = sum[i][j] + load(add + i * add_stride + j * kLanes, j);
    }
  }
  const F low = Set(t.low), high = Set(t.high);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      float* c = t.c + i * t.c_stride + j * kLanes;
      if (kMasked && j == kVectors - 1) {
        StorePartial(c, Clamp(sum[i][j], low, high), t.last_lanes);
      } else {
        Store(c, Clamp(sum[i][j], low, high));
      }
    }
  }
}

template <int kRows, int kVectors>
void RunTile(const Tile& t) {
  constexpr int kSets = Sets(kRows * kVectors);
  F sum[kSets][kRows][kVectors];
#pragma GCC unroll 4
  for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[s][i][j] = Zero();
    }
  }
  const float* b = t.b;
  const int64_t b_stride = t.b_stride;
  const char* prefetch = t.prefetch;
  const int64_t prefetch_step = t.prefetch_step;
  const float* const* rows = t.rows;
  for (int tap = 0; tap < t.taps; ++tap, rows += t.row_stride) {
    const float* a[kRows];
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) a[i] = rows[i] + t.offset;
    const auto step = [&](int64_t k, F(&to)[kRows][kVectors]) __attribute__((always_inline)) {
      F row[kVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) row[j] = Load(b + j * kLanes);
      b += b_stride;
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const F x = Set(a[i][k]);
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) to[i][j] = MultiplyAdd(x, row[j], to[i][j]);
      }
      __builtin_prefetch(prefetch, 0, 2);
      prefetch += prefetch_step;
    };
    int64_t k = 0;
    if (kSets > 1 && t.depth >= kShortDepth) {
      for (; k + kSets <= t.depth; k += kSets) {
#pragma GCC unroll 4
        for (int s = 0; s < kSets; ++s) step(k + s, sum[s]);
      }
    }
    for (; k < t.depth; ++k) step(k, sum[0]);
  }
#pragma GCC unroll 4
  for (int s = 1; s < kSets; ++s) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[0][i][j] = sum[0][i][j] + sum[s][i][j];
    }
  }
  Finish<kRows, kVectors>(t, sum[0]);
}

using TileFunction = void (*)(const Tile&);

#if defined(__AVX512F__)
constexpr int kMaxVectors = 4, kMaxRows[5] = {0, 12, 12, 8, 6};
#define SM_TALL(v) RunTile<7, v>, RunTile<8, v>, RunTile<9, v>, RunTile<10, v>, RunTile<11, v>, RunTile<12, v>
constexpr TileFunction kTiles[5][13] = {
    {},
    {nullptr, RunTile<1, 1>, RunTile<2, 1>, RunTile<3, 1>, RunTile<4, 1>, RunTile<5, 1>, RunTile<6, 1>, SM_TALL(1)},
    {nullptr, RunTile<1, 2>, RunTile<2, 2>, RunTile<3, 2>, RunTile<4, 2>, RunTile<5, 2>, RunTile<6, 2>, SM_TALL(2)},
    {nullptr, RunTile<1, 3>, RunTile<2, 3>, RunTile<3, 3>, RunTile<4, 3>, RunTile<5, 3>, RunTile<6, 3>, RunTile<7, 3>,
     RunTile<8, 3>},
    {nullptr, RunTile<1, 4>, RunTile<2, 4>, RunTile<3, 4>, RunTile<4, 4>, RunTile<5, 4>, RunTile<6, 4>},
};
#undef SM_TALL
#else
// Two vectors of B by six rows, or three by four: twelve sums and their operands in sixteen registers. Without fused
// multiply-add the product needs a register, too.
constexpr int kMaxVectors = kLanes == 8 ? 3 : 2, kMaxRows[5] = {0, 6, kLanes == 8 ? 6 : 5, 4, 0};
constexpr TileFunction kTiles[4][7] = {
    {},
    {nullptr, RunTile<1, 1>, RunTile<2, 1>, RunTile<3, 1>, RunTile<4, 1>, RunTile<5, 1>, RunTile<6, 1>},
    {nullptr, RunTile<1, 2>, RunTile<2, 2>, RunTile<3, 2>, RunTile<4, 2>, RunTile<5, 2>, RunTile<6, 2>},
    {nullptr, RunTile<1, 3>, RunTile<2, 3>, RunTile<3, 3>, RunTile<4, 3>},
};
#endif

void RunPanel(const PanelJob& job) {
  const int vectors = (job.columns + kLanes - 1) / kLanes;
  const int64_t most = kMaxRows[vectors];
  int64_t tiles = 1, height = job.m, taller = 0;
  if (job.m > most) {
    tiles = (job.m + most - 1) / most;
    height = job.m / tiles;
    taller = job.m % tiles;  // the first `taller` tiles have one row more
  }
  Tile t;
  t.row_stride = job.row_stride;
  t.taps = job.taps;
  t.offset = job.offset;
  t.depth = job.depth;
  t.b = job.b;
  t.b_stride = job.b_stride;
  t.last_lanes = job.columns - (vectors - 1) * kLanes;
  t.c_stride = job.c_stride;
  t.first = job.first;
  t.scale = job.epilogue.scale;
  t.bias = job.epilogue.bias;
  t.residual_stride = job.epilogue.residual_stride;
  t.low = job.last ? LowestOutput(job.epilogue) : -__builtin_inff();
  t.high = job.last ? HighestOutput(job.epilogue) : __builtin_inff();
  const bool activate = job.last && !IsClamp(job.epilogue);
  const char* prefetch = job.prefetch != nullptr ? job.prefetch : reinterpret_cast<const char*>(job.b);
  // Each tile asks for its share of the next job's memory: a stretch of it, or of rows far from each other a cache line each.
  const int64_t steps = t.taps * t.depth;
  t.prefetch_step = job.prefetch != nullptr && steps > 0 ? (job.prefetch_bytes + tiles * steps - 1) / (tiles * steps) : 0;
  int64_t prefetch_tile = t.prefetch_step * steps;
  const bool rows_apart = job.prefetch != nullptr && job.prefetch_stride > 0;
  if (rows_apart) {
    t.prefetch_step = job.prefetch_stride;
    prefetch_tile = 64;
  }
  for (int64_t tile = 0, row = 0; tile < tiles; ++tile) {
    const int64_t rows = height + (tile < taller ? 1 : 0);
    t.rows = job.rows + row;
    t.c = job.c + row * job.c_stride;
    t.residual = job.epilogue.residual != nullptr ? job.epilogue.residual + row * job.epilogue.residual_stride : nullptr;
    t.prefetch = prefetch;
    kTiles[vectors][rows](t);
    if (activate) Activate(job.epilogue, t.c, t.c_stride, rows, job.columns);
    prefetch += prefetch_tile;
    if (rows_apart && (tile + 1) * 64 >= job.prefetch_bytes) t.prefetch_step = 0;
    row += rows;
  }
}

constexpr GemmKernels kGemmHere = {
    kLanes, kMaxVectors, {kMaxRows[0], kMaxRows[1], kMaxRows[2], kMaxRows[3], kMaxRows[4]}, RunPanel};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_
