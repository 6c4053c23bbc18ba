// A product whose left side is scaled by column, as a squeeze-and-excitation block scales the channels of an image before
// its projection: without writing the scaled image where that is the larger operand.
#ifndef SAVEDMODEL_KERNELS_CPU_SCALED_GEMM_H_
#define SAVEDMODEL_KERNELS_CPU_SCALED_GEMM_H_

#include <cstdint>

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/packed_matrix.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// Memory that ScaledGemm needs, in bytes; aligned like any tensor's.
int64_t ScaledGemmScratchBytes(int64_t m, const PackedMatrix& b);

// C[m, n] = activation((A[m, k] * scale[k]) x B + bias + residual). A's rows lie one behind the other,
// C's too. C may not overlap the others, but the residual may be C.
void ScaledGemm(int64_t m, const float* a, const float* scale, const PackedMatrix& b, const Epilogue& epilogue, float* c, float* scratch,
                ThreadPool& pool);

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_SCALED_GEMM_H_
