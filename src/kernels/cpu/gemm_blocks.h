// How a product too large for the caches is cut; shared by the matrix product and the convolution.
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_BLOCKS_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_BLOCKS_H_

#include <cstdint>
#include <cstring>

#include "absl/functional/function_ref.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/gemm_kernels.h"
#include "kernels/cpu/packed_matrix.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

const GemmKernels& KernelsFor(const PanelLayout& layout);

// To the nearest, half to even; NaN stays NaN.
inline uint32_t Bf16Bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return bits >> 16 | 0x40u;
  return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

// Rounds `rows` rows of n floats to pairs of bfloat16, (n + 1) / 2 floats' room each, one after the other. `factor`, where not
// null, has n numbers by which the columns are multiplied before.
void RoundToBf16(const float* from, int64_t stride, int64_t rows, int64_t n, float* to, ThreadPool& pool, const float* factor = nullptr);

// A pool of the calling thread alone, for parts of work that is already shared out.
class CallerOnly final : public ThreadPool {
 public:
  int num_threads() const override { return 1; }
  void ParallelFor(int64_t total, int64_t, absl::FunctionRef<void(int64_t, int64_t)> work) override {
    if (total > 0) work(0, total);
  }
};

// What is left of an epilogue from this row and column of its output on.
inline Epilogue EpilogueAt(Epilogue e, int64_t row, int64_t column) {
  if (e.scale != nullptr) e.scale += column;
  if (e.bias != nullptr) e.bias += column;
  if (e.residual != nullptr) e.residual += row * e.residual_stride + column;
  return e;
}

// Rows [row_begin, row_end) by panels [panel_begin, panel_end) of the output.
struct Block {
  int64_t row_begin, row_end, panel_begin, panel_end;
};

// The product of m rows, found through pointers, with a packed matrix whose inner dimension is `taps` stretches of `depth`.
struct BlockedProduct {
  // Writes where row begin + i has its numbers for tap tap_begin + t, to[t * rows + i].
  using FillRows = absl::FunctionRef<void(int64_t begin, int64_t rows, int tap_begin, int tap_end, const float** to)>;

  int64_t m = 0;
  int taps = 1;
  int64_t depth = 0;
  int64_t input_bytes = 0;   // distinct bytes of A behind all m rows
  int64_t row_distance = 0;  // floats from each row to the next where all lie so far apart; 0: they may not

  // Decided by Plan() from the above:
  int64_t row_splits = 1, panel_splits = 1;  // tasks
  int64_t block_rows = 0;                    // rows whose pointers are made at a time
  int64_t group_panels = 0;                  // panels between which a stretch of A stays in the second cache
  int tap_group = 1, tap_step = 1;           // taps in a table of pointers, taps in a stretch
  int64_t depth_step = 0;                    // floats of each tap in a stretch

  void Plan(const PanelLayout& b, int threads);
  void Run(const PackedMatrix& b, const Epilogue& epilogue, float* c, int64_t c_stride, FillRows fill, ThreadPool& pool) const;
  // A part of it, on the calling thread. `epilogue` and `c` are those of the whole product.
  void RunBlock(const PackedMatrix& b, const Epilogue& epilogue, float* c, int64_t c_stride, FillRows fill,
                const Block& block) const;

 private:
  void SplitTasks(const PanelLayout& b, int threads);
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_BLOCKS_H_
