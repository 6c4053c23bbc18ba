// The tile instructions. Written in assembly, since the compiler's intrinsics take literal tile numbers only and do not all
// tell that they read memory, so that stores of what a tile is to load might be moved behind them or dropped.
#include "kernels/cpu/gemm_amx_loops.h"

namespace savedmodel {
namespace {

struct ProcessorTiles {
  SM_INLINE static void Configure(const TileShapes& shapes) { __asm__ volatile("ldtilecfg %0" : : "m"(shapes)); }
  SM_INLINE static void Release() { __asm__ volatile("tilerelease"); }
  template <int t>
  SM_INLINE static void Zero() {
    __asm__ volatile("tilezero %%tmm%c0" : : "i"(t));
  }
  template <int t, int offset = 0>
  SM_INLINE static void Load(const void* base, int64_t stride) {
    __asm__ volatile("tileloadd %c3(%0,%1,1), %%tmm%c2" : : "r"(base), "r"(stride), "i"(t), "i"(offset) : "memory");
  }
  template <int t>
  SM_INLINE static void Store(void* base, int64_t stride) {
    __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(base), "r"(stride), "i"(t) : "memory");
  }
  template <int c, int a, int b>
  SM_INLINE static void MultiplyAdd() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(c), "i"(a), "i"(b));
  }
};

}  // namespace

extern const GemmKernels kGemmAmx = kTileKernels<ProcessorTiles>;

}  // namespace savedmodel
