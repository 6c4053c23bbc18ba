// What each instruction set provides for gemm.h and conv2d.h. Free of inline functions (see simd.h).
#ifndef SAVEDMODEL_KERNELS_CPU_GEMM_KERNELS_H_
#define SAVEDMODEL_KERNELS_CPU_GEMM_KERNELS_H_

#include <stdint.h>

#include "kernels/cpu/epilogue.h"

namespace savedmodel {

// C[m, columns] += A[m, taps * depth] x B[taps * depth, columns] for one panel of B and one stretch of the inner dimension.
// A's rows are found through pointers, one per row and tap, so a convolution needs no copy of its input.
struct PanelJob {
  const float* const* rows;  // [taps][row_stride], of which the first m of each are used
  int64_t row_stride;
  int64_t row_distance = 0;  // of one tap's rows: floats from each to the next where all lie so far apart; 0: they may not
  int taps;
  int64_t offset;  // added to every pointer
  int64_t depth;   // floats read from every pointer
  int64_t m;

  const float* b;
  int64_t b_stride;  // floats from one inner index to the next
  int columns;       // 1 to the panel's width

  float* c;
  int64_t c_stride;
  bool first, last;   // stretch of the inner dimension: the first overwrites C, the last applies the activation
  Epilogue epilogue;  // bias and residual at this panel's first column and row

  const char* prefetch = nullptr;  // memory that the next job reads, or null
  int64_t prefetch_bytes = 0;      // in one piece, or of each row
  int64_t prefetch_stride = 0;     // bytes from one row of the next job to the next; 0: in one piece
};

struct GemmKernels {
  int lanes;        // floats in a vector
  int max_vectors;  // widest panel
  int max_rows[5];  // tallest tile by vectors in the panel
  void (*run_panel)(const PanelJob&);

  int rate = 16;                      // numbers of B times rows of A in a cycle, as the planner estimates time
  int64_t stretch_bytes = 0;          // of one panel in one job, read again for every tile; 0: as the second cache allows
  void (*release)() = nullptr;        // where not null, called by a thread after its last job
};

extern const GemmKernels kGemmPlain;
#if defined(__x86_64__)
extern const GemmKernels kGemmAvx2;
extern const GemmKernels kGemmAvx512;

// Here a "float" of A and B is a pair of bfloat16.
extern const GemmKernels kGemmAvx512Bf16;
extern const GemmKernels kGemmAmx;
// Rounds n floats, each times its factor if that is not null; an odd n is filled up with a zero.
void ConvertToBf16Avx512(const float* in, const float* factor, int64_t n, void* out);
#endif

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_GEMM_KERNELS_H_
