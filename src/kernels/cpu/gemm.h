// Products of float matrices, row-major.
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_H_

#include <cstdint>

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/packed_matrix.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// C[m, n] = activation(A[m, k] x B + bias + residual). Row i of A begins at a + i * a_stride, of C at c + i * c_stride. C may
// not overlap A or B; the residual may be C. Any thread may call; small products do not wake the pool.
void Gemm(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, const Epilogue& epilogue, float* c,
          int64_t c_stride, ThreadPool& pool);

// The same for a B packed with GemmPrecision::kBf16 (or, where that gave float, float): A is rounded into scratch first.
int64_t MixedGemmScratchBytes(int64_t m, const PackedMatrix& b);
void MixedGemm(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, const Epilogue& epilogue, float* c,
               int64_t c_stride, float* scratch, ThreadPool& pool);

// A batch of products whose right-hand side is only known at run time: C[i] = A[i] x B[i], with matrices at fixed distances
// (a distance of 0 repeats one matrix) and rows at fixed strides, so that transposed and interleaved tensors need no copy.
struct MatMulShape {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool transpose_a = false, transpose_b = false;           // a is stored [k, m], b is stored [n, k]
  int64_t a_stride = 0, b_stride = 0, c_stride = 0;        // floats from stored row to stored row
  int64_t a_distance = 0, b_distance = 0, c_distance = 0;  // floats from matrix to matrix
};

class MatMulPlan {
 public:
  MatMulPlan() = default;
  // `threads` is the size of the pool that Run gets. Sizes must not be negative.
  MatMulPlan(const MatMulShape& shape, int threads);

  // Memory that Run needs, aligned like any tensor's; uninitialised.
  int64_t scratch_bytes() const { return slices_ * slice_floats_ * static_cast<int64_t>(sizeof(float)); }
  void Run(const float* a, const float* b, const Epilogue& epilogue, float* c, float* scratch, ThreadPool& pool) const;

 private:
  void RunOne(const float* a, const float* b, const Epilogue& epilogue, float* c, float* scratch, ThreadPool& pool) const;

  MatMulShape shape_;
  PanelLayout layout_;
  bool direct_ = false;  // B's rows are read where they are
  int64_t slices_ = 0;   // parts of the batch, each with scratch of its own
  int64_t slice_floats_ = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_H_
