// One panel of the matrix product, compiled once per instruction set.
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_

#include "kernels/cpu/gemm_kernels.h"
#include "kernels/cpu/gemm_tiles.h"

namespace savedmodel {
namespace {

// So many are still in the first cache when their activation runs over them.
constexpr int64_t kActivatedTiles = 4;

using TileFunction = void (*)(const Tiles&, int64_t tiles);

#if defined(__AVX512F__)
constexpr int kMaxVectors = 4, kMaxRows[5] = {0, 12, 12, 8, 6};
#define SM_TALL(v) RunTiles<7, v>, RunTiles<8, v>, RunTiles<9, v>, RunTiles<10, v>, RunTiles<11, v>, RunTiles<12, v>
constexpr TileFunction kTiles[5][13] = {
    {},
    {nullptr, RunTiles<1, 1>, RunTiles<2, 1>, RunTiles<3, 1>, RunTiles<4, 1>, RunTiles<5, 1>, RunTiles<6, 1>, SM_TALL(1)},
    {nullptr, RunTiles<1, 2>, RunTiles<2, 2>, RunTiles<3, 2>, RunTiles<4, 2>, RunTiles<5, 2>, RunTiles<6, 2>, SM_TALL(2)},
    {nullptr, RunTiles<1, 3>, RunTiles<2, 3>, RunTiles<3, 3>, RunTiles<4, 3>, RunTiles<5, 3>, RunTiles<6, 3>, RunTiles<7, 3>,
     RunTiles<8, 3>},
    {nullptr, RunTiles<1, 4>, RunTiles<2, 4>, RunTiles<3, 4>, RunTiles<4, 4>, RunTiles<5, 4>, RunTiles<6, 4>},
};
#undef SM_TALL
// The same for more than kFewRows that lie at even distances.
template <int kRows, int kVectors>
constexpr TileFunction kEvenTiles = RunTiles<kRows, kVectors, RowPlaces::kEven>;
constexpr TileFunction kEven[3][4] = {
    {},
    {kEvenTiles<9, 1>, kEvenTiles<10, 1>, kEvenTiles<11, 1>, kEvenTiles<12, 1>},
    {kEvenTiles<9, 2>, kEvenTiles<10, 2>, kEvenTiles<11, 2>, kEvenTiles<12, 2>},
};
TileFunction TileFor(int vectors, int64_t rows, bool even) {
  return even && rows > kFewRows ? kEven[vectors][rows - kFewRows - 1] : kTiles[vectors][rows];
}
#else
// Two vectors of B by six rows, or three by four: twelve sums and their operands in sixteen registers. Without fused
// multiply-add the product needs a register, too.
constexpr int kMaxVectors = kLanes == 8 ? 3 : 2, kMaxRows[5] = {0, 6, kLanes == 8 ? 6 : 5, 4, 0};
constexpr TileFunction kTiles[4][7] = {
    {},
    {nullptr, RunTiles<1, 1>, RunTiles<2, 1>, RunTiles<3, 1>, RunTiles<4, 1>, RunTiles<5, 1>, RunTiles<6, 1>},
    {nullptr, RunTiles<1, 2>, RunTiles<2, 2>, RunTiles<3, 2>, RunTiles<4, 2>, RunTiles<5, 2>, RunTiles<6, 2>},
    {nullptr, RunTiles<1, 3>, RunTiles<2, 3>, RunTiles<3, 3>, RunTiles<4, 3>},
};
TileFunction TileFor(int vectors, int64_t rows, bool) { return kTiles[vectors][rows]; }
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
  Tiles t;
  const bool even = job.row_distance > 0 && job.taps == 1;
  t.row_stride = job.row_stride;
  t.row_distance = job.row_distance;
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
  // Each tile asks for its share of the next job's memory: a stretch of it, or of rows far from each other a cache line each.
  const int64_t steps = t.taps * t.depth;
  t.prefetch = job.prefetch != nullptr ? job.prefetch : reinterpret_cast<const char*>(job.b);
  t.prefetch_step = job.prefetch != nullptr && steps > 0 ? (job.prefetch_bytes + tiles * steps - 1) / (tiles * steps) : 0;
  t.prefetch_tile = t.prefetch_step * steps;
  t.prefetch_tiles = tiles;
  if (job.prefetch != nullptr && job.prefetch_stride > 0) {
    t.prefetch_step = job.prefetch_stride;
    t.prefetch_tile = 64;
    t.prefetch_tiles = (job.prefetch_bytes + 63) / 64;
  }
  t.rows = job.rows;
  t.c = job.c;
  t.residual = job.epilogue.residual;
  for (int64_t tile = 0; tile < tiles;) {
    const int64_t rows = height + (tile < taller ? 1 : 0);
    int64_t count = (tile < taller ? taller : tiles) - tile;
    if (activate && count > kActivatedTiles) count = kActivatedTiles;
    if (Sets(static_cast<int>(rows) * vectors) > 1) count = 1;
    TileFor(vectors, rows, even)(t, count);
    if (activate) Activate(job.epilogue, t.c, t.c_stride, rows * count, job.columns);
    tile += count;
    t.rows += rows * count;
    t.c += rows * count * t.c_stride;
    if (t.residual != nullptr) t.residual += rows * count * t.residual_stride;
    t.prefetch += t.prefetch_tile * count;
    t.prefetch_tiles -= count;
  }
}

constexpr GemmKernels kGemmHere = {
    kLanes, kMaxVectors, {kMaxRows[0], kMaxRows[1], kMaxRows[2], kMaxRows[3], kMaxRows[4]}, RunPanel};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_LOOPS_H_
