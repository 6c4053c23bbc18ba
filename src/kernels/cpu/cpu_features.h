// What the processor offers, and which level of it the kernels use.
#ifndef SAVEDMODEL_KERNELS_CPU_CPU_FEATURES_H_
#define SAVEDMODEL_KERNELS_CPU_CPU_FEATURES_H_

#include <cstdint>

namespace savedmodel {

// A set of instructions for which kernels exist; each level includes those before it.
enum class CpuLevel {
  kPlain,   // what the compiler's baseline has
  kAvx2,    // AVX2, FMA
  kAvx512,  // AVX-512 F, BW, DQ, VL
};

struct CpuFeatures {
  CpuLevel level = CpuLevel::kPlain;
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool fast_bf16 = false;        // multiplies two pairs of bfloat16 as fast as two floats (AMD's do, Intel's take twice as long)
  bool amx_bf16 = false;         // tiles; amx.h tells whether they may be used
  bool halved_512 = false;       // executes 512-bit operations in two halves, so that 256-bit ones are as fast
  int64_t l1_bytes = 32 << 10;   // data cache of one core
  int64_t l2_bytes = 512 << 10;  // of one core
};

// Found out once.
const CpuFeatures& DetectedCpu();

// The level in use: the detected one, or the cap below if that is lower.
CpuLevel ActiveCpuLevel();

const char* CpuLevelName(CpuLevel level);

// Whether the caps below leave tiles in use.
bool TilesAllowed();

// For tests and benchmarks: while this lives, kernels use no more than `cap`, and tiles only with kAvx512 and `tiles`. Not for
// use beside running kernels.
class ScopedCpuLevelCap {
 public:
  explicit ScopedCpuLevelCap(CpuLevel cap, bool tiles = true);
  ~ScopedCpuLevelCap();
  ScopedCpuLevelCap(const ScopedCpuLevelCap&) = delete;
  ScopedCpuLevelCap& operator=(const ScopedCpuLevelCap&) = delete;

 private:
  CpuLevel saved_;
  bool saved_tiles_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_CPU_FEATURES_H_
