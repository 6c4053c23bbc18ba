// The register tiles of the matrix product. Include only from files that simd.h allows.
//
// A store and a multiply-add want the same ports of some processors (Zen 4: a store of 64 bytes costs 1.75 multiply-adds), and
// a tile's stores all come at its end: short products lose a fifth to them. So a tile's stores alternate with the first
// multiply-adds of the tile below it, which hides them: 93 to 105 GFLOP/s of 118 for a depth of 16, 111 to 115 for one of 64.
//
// A tile of one vector loads a number of A for each multiply-add. With two multiply-adds and two loads a cycle (Zen 5) there is no
// time to load addresses, too, so rows at even distances are found by a few bases and the distance: 178 GFLOP/s instead of 154.
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_TILES_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_TILES_H_

#include "kernels/cpu/simd_epilogue.h"

namespace savedmodel {
namespace {

// Tiles of equal height, one below the other.
struct Tiles {
  const float* const* rows;
  int64_t row_stride, row_distance;
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
  int64_t prefetch_step;   // bytes for each inner index
  int64_t prefetch_tile;   // bytes for each tile
  int64_t prefetch_tiles;  // so many tiles ask for memory
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
// Where masks cost nothing the last vector is always masked.
constexpr bool kMasked = kLanes == 16;

// Where a tile's rows are. Set() takes their ends and the first inner index, which counts up to 0; At() the index, which
// Advance() makes one more. Of many rows some addresses are read from memory each time: there are fewer general registers than
// rows, and the compiler would move them to and fro between those and vector registers.
enum class RowPlaces { kFew, kMany, kEven };
constexpr int kFewRows = 8;
template <int kRows, RowPlaces kPlaces>
struct Addresses {
  const float* row[kRows];
  SM_INLINE void Set(const Tiles&, const float* const* rows, int64_t end, int64_t) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      row[i] = rows[i] + end;
      asm("" : "+r"(row[i]));  // no vectors of addresses
    }
  }
  SM_INLINE float At(int i, int64_t at) const { return row[i][at]; }
  SM_INLINE void Advance() {}
};
template <int kRows>
struct Addresses<kRows, RowPlaces::kMany> {
  static constexpr int kNear = 7;
  const float* near[kNear];
  const float* volatile far[kRows - kNear];
  SM_INLINE void Set(const Tiles&, const float* const* rows, int64_t end, int64_t) {
#pragma GCC unroll 16
    for (int i = 0; i < kNear; ++i) {
      near[i] = rows[i] + end;
      asm("" : "+r"(near[i]));
    }
#pragma GCC unroll 16
    for (int i = kNear; i < kRows; ++i) far[i - kNear] = rows[i] + end;
  }
  SM_INLINE float At(int i, int64_t at) const { return (i < kNear ? near[i] : far[i - kNear])[at]; }
  SM_INLINE void Advance() {}
};
// Every third address and the distance: three rows are the base, once and twice the distance behind it.
template <int kRows>
struct Addresses<kRows, RowPlaces::kEven> {
  static constexpr int kBases = (kRows + 2) / 3;
  const float* base[kBases];
  int64_t distance;
  SM_INLINE void Set(const Tiles& t, const float* const* rows, int64_t end, int64_t first) {
    distance = t.row_distance;
#pragma GCC unroll 16
    for (int i = 0; i < kBases; ++i) base[i] = rows[3 * i] + end + first;
  }
  SM_INLINE float At(int i, int64_t) const { return base[i / 3][i % 3 * distance]; }
  SM_INLINE void Advance() {
#pragma GCC unroll 16
    for (int i = 0; i < kBases; ++i) {
      ++base[i];
      asm("" : "+r"(base[i]));
    }
  }
};

// The last panel's odd columns, from sums put into memory: rare, so small rather than fast.
void FinishPartial(const Tiles& t, const float* sums, float* to, const float* residual, int rows, int vectors) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < vectors; ++j, sums += kLanes) {
      const int lanes = j == vectors - 1 ? t.last_lanes : kLanes;
      float* c = to + i * t.c_stride + j * kLanes;
      F v = Load(sums);
      if (t.scale != nullptr) v = v * LoadPartial(t.scale + j * kLanes, lanes);
      if (!t.first) {
        v = v + LoadPartial(c, lanes);
      } else {
        if (t.scale != nullptr && t.bias != nullptr) v = v + LoadPartial(t.bias + j * kLanes, lanes);
        if (residual != nullptr) v = v + LoadPartial(residual + i * t.residual_stride + j * kLanes, lanes);
      }
      StorePartial(c, Clamp(v, Set(t.low), Set(t.high)), lanes);
    }
  }
}

// Vector j of kVectors at p, of which the last one may be odd.
template <int kVectors>
SM_INLINE F LoadColumn(const Tiles& t, const float* p, int j) {
  return kMasked && j == kVectors - 1 ? LoadPartial(p + j * kLanes, t.last_lanes) : Load(p + j * kLanes);
}
template <int kVectors>
SM_INLINE void StoreColumn(const Tiles& t, float* p, int j, F v) {
  if (kMasked && j == kVectors - 1) {
    StorePartial(p + j * kLanes, v, t.last_lanes);
  } else {
    Store(p + j * kLanes, v);
  }
}

// All that comes between the products and the clamp.
template <int kRows, int kVectors>
SM_INLINE void AddRest(const Tiles& t, const float* c, const float* residual, F (&sum)[kRows][kVectors]) {
  if (t.scale != nullptr) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      const F scale = LoadColumn<kVectors>(t, t.scale, j);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) sum[i][j] = sum[i][j] * scale;
    }
    if (t.first && t.bias != nullptr) {
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) {
        const F bias = LoadColumn<kVectors>(t, t.bias, j);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) sum[i][j] = sum[i][j] + bias;
      }
    }
  }
  // What is added from memory: C itself after the first stretch, else the residual.
  const float* add = t.first ? residual : c;
  const int64_t add_stride = t.first ? t.residual_stride : t.c_stride;
  if (add == nullptr) return;
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) sum[i][j] = sum[i][j] + LoadColumn<kVectors>(t, add + i * add_stride, j);
  }
}

// Where registers are scarce: a number that is read from memory each time.
template <bool kInMemory>
struct Number {
  int64_t value;
};
template <>
struct Number<true> {
  volatile int64_t value;
};

// One tile only where there are several sets of sums.
template <int kRows, int kVectors, RowPlaces kPlaces = (kRows > kFewRows ? RowPlaces::kMany : RowPlaces::kFew)>
void RunTiles(const Tiles& given, int64_t tiles) {
  const Tiles t = given;  // no store can change it
  constexpr int kSets = Sets(kRows * kVectors);
  if (kSets > 1) tiles = 1;
  const bool partial = !kMasked && t.last_lanes < kLanes;
  F sum[kSets][kRows][kVectors];
  float start[kVectors * kLanes];  // where sums begin; those that are scaled get their bias behind that
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) {
    F v = Zero();
    if (t.first && t.bias != nullptr && t.scale == nullptr) {
      v = partial && j == kVectors - 1 ? LoadPartial(t.bias + j * kLanes, t.last_lanes) : LoadColumn<kVectors>(t, t.bias, j);
    }
    if (tiles > 1) Store(start + j * kLanes, v);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      sum[0][i][j] = v;
#pragma GCC unroll 4
      for (int s = 1; s < kSets; ++s) sum[s][i][j] = Zero();
    }
  }
  const float* const* tile_rows = t.rows;
  float* c = t.c;
  const float* residual = t.residual;
  const char* tile_prefetch = t.prefetch;
  Number<kSets == 1> prefetch_step = {t.prefetch_step};
  int64_t begun = 0;  // inner indices that were done while the tile above was stored
  const int64_t end = t.offset + t.depth;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    if (tile >= t.prefetch_tiles) prefetch_step.value = 0;
    if (tile > 0 && begun == 0) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[0][i][j] = Load(start + j * kLanes);
      }
    }
    // The next tile's residual: a piece of each row, too far apart for the processor to foresee, and written over next where the
    // output lies there.
    if (kRegisters >= 32 && residual != nullptr && t.first && tile + 1 < tiles) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) __builtin_prefetch(residual + (kRows + i) * t.residual_stride + j * kLanes, 1, 3);
      }
    }
    const float* b = t.b + begun * t.b_stride;
    const int64_t b_stride = t.b_stride;
    const char* prefetch = tile_prefetch + begun * prefetch_step.value;
    const float* const* rows = tile_rows;
    int64_t k = begun - t.depth;  // counts up to 0
    for (int tap = 0; tap < t.taps; ++tap, rows += t.row_stride, k = -t.depth) {
      Addresses<kRows, kPlaces> a;
      a.Set(t, rows, end, k);
      const auto step = [&](int64_t at, F(&to)[kRows][kVectors]) __attribute__((always_inline)) {
        F row[kVectors];
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) row[j] = Load(b + j * kLanes);
        b += b_stride;
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const F x = Set(a.At(i, at));
#pragma GCC unroll 4
          for (int j = 0; j < kVectors; ++j) to[i][j] = MultiplyAdd(x, row[j], to[i][j]);
        }
        a.Advance();
        __builtin_prefetch(prefetch, 0, 2);
        prefetch += prefetch_step.value;
      };
      if (kSets > 1 && t.depth >= kShortDepth) {
        for (; k + kSets <= 0; k += kSets) {
#pragma GCC unroll 4
          for (int s = 0; s < kSets; ++s) step(k + s, sum[s]);
        }
      }
      for (; k < 0; ++k) step(k, sum[0]);
    }
#pragma GCC unroll 4
    for (int s = 1; s < kSets; ++s) {
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) sum[0][i][j] = sum[0][i][j] + sum[s][i][j];
      }
    }
    begun = 0;
    tile_rows += kRows;
    tile_prefetch += t.prefetch_tile;
    if (partial) {
      float sums[kRows * kVectors * kLanes];
#pragma GCC unroll 64
      for (int i = 0; i < kRows * kVectors; ++i) Store(sums + i * kLanes, sum[0][i / kVectors][i % kVectors]);
      FinishPartial(given, sums, c, residual, kRows, kVectors);
    } else {
      AddRest<kRows, kVectors>(t, c, residual, sum[0]);
      // With registers to spare the compiler would keep these in some during the loop above, and the rows of B in none.
      if (kSets == 1 && kRegisters >= 32) asm volatile("" : : "r"(start) : "memory");
      const Tiles& limits = kRegisters >= 32 ? given : t;
      const F low = Set(limits.low), high = Set(limits.high);
      if (kSets == 1 && tile + 1 < tiles && t.depth > 0) {
        F row[kVectors];
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) row[j] = Load(t.b + j * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          const F x = Set(tile_rows[i][t.offset]);
#pragma GCC unroll 4
          for (int j = 0; j < kVectors; ++j) {
            StoreColumn<kVectors>(t, c + i * t.c_stride, j, Clamp(sum[0][i][j], low, high));
            sum[0][i][j] = MultiplyAdd(x, row[j], Load(start + j * kLanes));
          }
        }
        __builtin_prefetch(tile_prefetch, 0, 2);
        begun = 1;
      } else {
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
          for (int j = 0; j < kVectors; ++j) StoreColumn<kVectors>(t, c + i * t.c_stride, j, Clamp(sum[0][i][j], low, high));
        }
      }
    }
    c += kRows * t.c_stride;
    if (residual != nullptr) residual += kRows * t.residual_stride;
  }
}

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_TILES_H_
