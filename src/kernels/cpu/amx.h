// Whether products of bfloat16 run on the processor's tiles (AMX).
#ifndef SAVEDMODEL_KERNELS_CPU_AMX_H_
#define SAVEDMODEL_KERNELS_CPU_AMX_H_

#include "kernels/cpu/gemm_kernels.h"

namespace savedmodel {

// True if the processor has tiles, the caps of cpu_features.h leave them in use, the operating system lets this process use
// them, and a small product came out right. The first call that gets so far asks the operating system, which from then on
// wants larger alternative signal stacks of the process: so only ask where bfloat16 is wanted. Any thread may call.
bool UsesTiles();

// The kernels of layouts for which UsesTiles() was true.
const GemmKernels& TileKernels();

// Whether `kernels` multiply pairs of bfloat16 correctly, in one small product with every kind of remainder.
bool MultipliesRight(const GemmKernels& kernels);

// For tests: while this lives, `kernels` stand in for the processor's tiles, and UsesTiles() is true. Not for use beside
// running kernels.
class ScopedTileKernels {
 public:
  explicit ScopedTileKernels(const GemmKernels& kernels);
  ~ScopedTileKernels();
  ScopedTileKernels(const ScopedTileKernels&) = delete;
  ScopedTileKernels& operator=(const ScopedTileKernels&) = delete;

 private:
  const GemmKernels* saved_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_AMX_H_
