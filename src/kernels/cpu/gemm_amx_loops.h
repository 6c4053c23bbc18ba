// The matrix product on tiles: eight registers of up to 16 rows of 64 bytes. Written once over a policy `Tiles`: gemm_amx.cc
// gives the processor's instructions, a test gives a plain emulation of them.
//
// Tiles 0 to 3 hold sums, two by two; 4 and 5 rows of A; 6 and 7 rows of pairs of B, which is how bfloat16 panels are stored.
//
//   struct Tiles {
//     static void Configure(const TileShapes&);  // clears all tiles
//     static void Release();
//     template <int t> static void Zero();
//     template <int t, int offset = 0> static void Load(const void* base, int64_t stride);  // row i at base + offset + i * stride
//     template <int t> static void Store(void* base, int64_t stride);
//     template <int c, int a, int b> static void MultiplyAdd();  // pairs of bfloat16: c += a x b
//   };
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_AMX_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_AMX_LOOPS_H_

#include "kernels/cpu/gemm_kernels.h"
#include "kernels/cpu/simd_epilogue.h"

namespace savedmodel {
namespace {

constexpr int kTileRows = 16, kTileLanes = 16;  // at most; a lane has 4 bytes
constexpr int64_t kRowBytes = 64;
constexpr int kGathered = 4;  // inner steps copied at a time

// The operand of LDTILECFG.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Configuring takes long and clears the tiles, so a thread remembers what it has: rows and pairs, 0 where it has nothing.
thread_local int tiles_configured = 0;

template <class Tiles>
void ConfigureTiles(int rows, int pairs) {
  if (tiles_configured == rows * 32 + pairs) return;
  TileShapes shapes;
  for (int t = 0; t < 8; ++t) {
    shapes.rows[t] = static_cast<uint8_t>(t < 6 ? rows : pairs);
    shapes.row_bytes[t] = static_cast<uint16_t>(t == 4 || t == 5 ? pairs * 4 : kRowBytes);
  }
  Tiles::Configure(shapes);
  tiles_configured = rows * 32 + pairs;
}

template <class Tiles>
void ReleaseTiles() {
  if (tiles_configured == 0) return;
  Tiles::Release();
  tiles_configured = 0;
}

// Memory that the next job reads, asked for bit by bit.
struct Ahead {
  const char* at;
  const char* end;
  int64_t lines;  // for each inner step
};

// What the blocks of a job have in common, and memory for them.
struct Panel {
  explicit Panel(const PanelJob& j) : job(j) {}  // leaves the rest as it is

  const PanelJob& job;
  int height;             // rows of a tile
  int pairs;              // depth of a tile
  int64_t steps;          // whole tiles in the depth
  int tail;               // pairs that are left, fewer than `pairs`
  float low, high;
  bool clamp;
  Ahead ahead;
  bool b_tail_made;
  alignas(64) float a_copy[2][kGathered][kTileRows * kTileLanes];
  alignas(64) float b_copy[kTileRows * 2 * kTileLanes];
  alignas(64) float sums[kTileRows * kTileLanes];
};

// Copies 16 lanes of which the first n are read and the others become 0.
SM_INLINE void CopyLanes(const float* from, int n, float* to) {
#pragma GCC unroll 4
  for (int j = 0; j < kTileLanes; j += kLanes) {
    const int left = n - j;
    Store(to + j, LoadPartial(from + j, left < 0 ? 0 : left < kLanes ? left : kLanes));
  }
}

// Whether the rows begin at even distances, as a tile is loaded.
bool Equidistant(const float* const* rows, int count, int64_t* stride) {
  const auto at = [&](int i) { return reinterpret_cast<intptr_t>(rows[i]); };
  *stride = count > 1 ? at(1) - at(0) : 0;
  intptr_t differs = 0;
  for (int i = 2; i < count; ++i) differs |= (at(i) - at(i - 1)) ^ *stride;
  return differs == 0;
}

template <int kRows>
struct Operand {
  const char* at[kRows];
  int64_t stride[kRows];
  int64_t step;
};

// A function of its own: every value has a register then.
template <class Tiles, int kRows, int kVectors>
__attribute__((noinline)) void MultiplySteps(const Operand<kRows>& operand, const float* b_begin, int64_t b_stride, int64_t b_step,
                                             int64_t steps, Ahead& ahead_of) {
  const char* a0 = operand.at[0];
  const char* a1 = operand.at[kRows - 1];
  const int64_t stride0 = operand.stride[0], stride1 = operand.stride[kRows - 1], step = operand.step;
  const char* b = reinterpret_cast<const char*>(b_begin);
  const char* ahead = ahead_of.at;
  const char* const ahead_end = ahead_of.end;
  const int64_t ahead_bytes = ahead_of.lines * 64;
  for (; steps > 0; --steps) {
    Tiles::template Load<6>(b, b_stride);
    Tiles::template Load<4>(a0, stride0);
    Tiles::template MultiplyAdd<0, 4, 6>();
    if constexpr (kVectors == 2) {
      Tiles::template Load<7, 64>(b, b_stride);
      Tiles::template MultiplyAdd<1, 4, 7>();
    }
    if constexpr (kRows == 2) {
      Tiles::template Load<5>(a1, stride1);
      Tiles::template MultiplyAdd<2, 5, 6>();
      if constexpr (kVectors == 2) Tiles::template MultiplyAdd<3, 5, 7>();
    }
    a0 += step;
    a1 += step;
    b += b_step;
    if (ahead < ahead_end) {
      const char* const until = ahead + ahead_bytes;
      do {
        __builtin_prefetch(ahead, 0, 2);
        ahead += 64;
      } while (ahead != until);
    }
  }
  ahead_of.at = ahead;
}

// A tile of sums starts from what is added to it anyway, where that can be loaded as a tile.
template <class Tiles, int t>
SM_INLINE void Seed(const PanelJob& job, int64_t row, int column) {
  const Epilogue& e = job.epilogue;
  if (column + kTileLanes > job.columns) {
    Tiles::template Zero<t>();
  } else if (!job.first) {
    Tiles::template Load<t>(job.c + row * job.c_stride + column, job.c_stride * 4);
  } else if (e.bias != nullptr) {
    Tiles::template Load<t>(e.bias + column, 0);
  } else if (e.residual != nullptr) {
    Tiles::template Load<t>(e.residual + row * e.residual_stride + column, e.residual_stride * 4);
  } else {
    Tiles::template Zero<t>();
  }
}

// Rows [begin, end) of a tile of sums that begins at C's row `row`: adds what Seed did not, clamps, writes to C.
void FinishSums(const Panel& p, int64_t row, int begin, int end, int column) {
  const PanelJob& job = p.job;
  const Epilogue& e = job.epilogue;
  const int lanes = job.columns - column < kTileLanes ? job.columns - column : kTileLanes;
  const bool seeded = lanes == kTileLanes;
  const float* bias = seeded || !job.first ? nullptr : e.bias;
  const float* add = nullptr;
  int64_t add_stride = 0;
  if (!job.first) {
    if (!seeded) add = job.c, add_stride = job.c_stride;
  } else if (!seeded || e.bias != nullptr) {
    add = e.residual, add_stride = e.residual_stride;
  }
  const F low = Set(p.low), high = Set(p.high);
  for (int j = 0; j < lanes; j += kLanes) {
    const int n = lanes - j < kLanes ? lanes - j : kLanes, at = column + j;
    const F shift = bias != nullptr ? LoadPartial(bias + at, n) : Zero();
    for (int i = begin; i < end; ++i) {
      F v = Load(p.sums + i * kTileLanes + j) + shift;
      if (add != nullptr) v = v + LoadPartial(add + (row + i) * add_stride + at, n);
      StorePartial(job.c + (row + i) * job.c_stride + at, Clamp(v, low, high), n);
    }
  }
}

// The first `skip` rows of the tile are another tile's.
template <class Tiles, int t>
SM_INLINE void Finish(Panel& p, int64_t row, int skip, int column) {
  const PanelJob& job = p.job;
  const bool added = !job.first || job.epilogue.bias == nullptr || job.epilogue.residual == nullptr;
  if (added && !p.clamp && skip == 0 && column + kTileLanes <= job.columns) {
    return Tiles::template Store<t>(job.c + row * job.c_stride + column, job.c_stride * 4);
  }
  Tiles::template Store<t>(p.sums, kRowBytes);
  FinishSums(p, row, skip, p.height, column);
}

// Rows [row0, row0 + height) of C and, with kRows = 2, [row1, row1 + height).
template <class Tiles, int kRows, int kVectors>
__attribute__((noinline)) void MultiplyBlock(Panel& p, int64_t row0, int64_t row1, int skip) {
  const PanelJob& job = p.job;
  Seed<Tiles, 0>(job, row0, 0);
  if constexpr (kVectors == 2) Seed<Tiles, 1>(job, row0, kTileLanes);
  if constexpr (kRows == 2) Seed<Tiles, 2>(job, row1, 0);
  if constexpr (kRows == 2 && kVectors == 2) Seed<Tiles, 3>(job, row1, kTileLanes);

  const int64_t b_stride = job.b_stride * 4, b_step = b_stride * p.pairs;
  const float* const* tap_rows = job.rows;
  const float* b = job.b;
  for (int tap = 0; tap < job.taps; ++tap, tap_rows += job.row_stride, b += job.b_stride * job.depth) {
    const float* const* rows[2] = {tap_rows + row0, tap_rows + row1};
    Operand<kRows> a;
    bool even = true;
    for (int r = 0; r < kRows; ++r) even = Equidistant(rows[r], p.height, &a.stride[r]) && even;
    // Copies come in the order in which they are read, several steps ahead: a tile cannot be loaded from a store under way.
    const auto gather = [&](int64_t first, int count, int pairs) {
      for (int s = 0; s < count; ++s) {
        for (int r = 0; r < kRows; ++r) {
          for (int i = 0; i < p.height; ++i) {
            CopyLanes(rows[r][i] + job.offset + (first + s) * p.pairs, pairs, p.a_copy[r][s] + i * kTileLanes);
          }
        }
      }
      for (int r = 0; r < kRows; ++r) {
        a.at[r] = reinterpret_cast<const char*>(p.a_copy[r]);
        a.stride[r] = kRowBytes;
      }
      a.step = sizeof p.a_copy[0][0];
    };
    if (even) {
      for (int r = 0; r < kRows; ++r) a.at[r] = reinterpret_cast<const char*>(rows[r][0] + job.offset);
      a.step = p.pairs * 4;
      MultiplySteps<Tiles, kRows, kVectors>(a, b, b_stride, b_step, p.steps, p.ahead);
    } else {
      for (int64_t s = 0; s < p.steps; s += kGathered) {
        const int count = p.steps - s < kGathered ? static_cast<int>(p.steps - s) : kGathered;
        gather(s, count, p.pairs);
        MultiplySteps<Tiles, kRows, kVectors>(a, b + s * p.pairs * job.b_stride, b_stride, b_step, count, p.ahead);
      }
    }
    if (p.tail > 0) {
      gather(p.steps, 1, p.tail);
      if (!p.b_tail_made || job.taps > 1) {
        const float* from = b + p.steps * p.pairs * job.b_stride;
        for (int i = 0; i < p.pairs; ++i, from += job.b_stride) {
          for (int v = 0; v < kVectors; ++v) {
            CopyLanes(from + v * kTileLanes, i < p.tail ? kTileLanes : 0, p.b_copy + (i * kVectors + v) * kTileLanes);
          }
        }
        p.b_tail_made = true;
      }
      MultiplySteps<Tiles, kRows, kVectors>(a, p.b_copy, kVectors * kRowBytes, 0, 1, p.ahead);
    }
  }

  const int skip0 = kRows == 1 ? skip : 0;
  Finish<Tiles, 0>(p, row0, skip0, 0);
  if constexpr (kVectors == 2) Finish<Tiles, 1>(p, row0, skip0, kTileLanes);
  if constexpr (kRows == 2) Finish<Tiles, 2>(p, row1, skip, 0);
  if constexpr (kRows == 2 && kVectors == 2) Finish<Tiles, 3>(p, row1, skip, kTileLanes);
}

// All tiles have the same number of rows, the last one begins early enough to end where C does: its first rows are another
// tile's, too, and dropped. Likewise the depth is cut into equal parts where it can be; else its rest is copied beside zeros.
template <class Tiles>
void RunTilePanel(const PanelJob& job) {
  if (job.m <= 0) return;
  const int64_t tiles = (job.m + kTileRows - 1) / kTileRows, parts = (job.depth + kTileLanes - 1) / kTileLanes;
  Panel p(job);
  p.height = static_cast<int>((job.m + tiles - 1) / tiles);
  p.pairs = parts > 0 && job.depth % parts == 0 ? static_cast<int>(job.depth / parts) : kTileLanes;
  p.steps = job.depth / p.pairs;
  p.tail = static_cast<int>(job.depth % p.pairs);
  p.low = job.last ? LowestOutput(job.epilogue) : -__builtin_inff();
  p.high = job.last ? HighestOutput(job.epilogue) : __builtin_inff();
  p.clamp = job.last && IsClamp(job.epilogue) && job.epilogue.activation != Activation::kNone;
  p.b_tail_made = false;
  const bool activate = job.last && !IsClamp(job.epilogue);
  ConfigureTiles<Tiles>(p.height, p.pairs);

  const int64_t steps = (tiles + 1) / 2 * job.taps * (p.steps + (p.tail > 0)), lines = (job.prefetch_bytes + 63) / 64;
  p.ahead = {job.prefetch, job.prefetch, 0};
  if (job.prefetch != nullptr && steps > 0) {
    p.ahead.end = job.prefetch + job.prefetch_bytes;
    p.ahead.lines = (lines + steps - 1) / steps;
  }

  const bool wide = job.columns > kTileLanes;
  for (int64_t tile = 0; tile < tiles; tile += 2) {
    const int64_t row0 = tile * p.height, row1 = row0 + p.height, last = job.m - p.height;
    if (tile + 1 < tiles) {
      const int64_t begin = row1 < last ? row1 : last;
      const int skip = static_cast<int>(row1 - begin);
      wide ? MultiplyBlock<Tiles, 2, 2>(p, row0, begin, skip) : MultiplyBlock<Tiles, 2, 1>(p, row0, begin, skip);
    } else {
      const int skip = static_cast<int>(row0 - last);
      wide ? MultiplyBlock<Tiles, 1, 2>(p, last, 0, skip) : MultiplyBlock<Tiles, 1, 1>(p, last, 0, skip);
    }
    if (activate) {
      const int64_t end = row1 + p.height < job.m && tile + 1 < tiles ? row1 + p.height : job.m;
      Activate(job.epilogue, job.c + row0 * job.c_stride, job.c_stride, end - row0, job.columns);
    }
  }
}

// A tile of sums takes 16 cycles for 16 * 16 * 16 pairs; loads and the ends of blocks take some of that. The stretch of a
// panel stays in the first cache, of 48 kB, while A streams out of the second.
template <class Tiles>
constexpr GemmKernels kTileKernels = {kTileLanes, 2, {0, 2 * kTileRows, 2 * kTileRows, 0, 0}, RunTilePanel<Tiles>,
                                      /*rate=*/160, /*stretch_bytes=*/32 << 10, ReleaseTiles<Tiles>};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_AMX_LOOPS_H_
