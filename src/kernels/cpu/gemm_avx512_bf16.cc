#define SM_BF16_PAIRS
#include "kernels/cpu/gemm_loops.h"

namespace savedmodel {

extern const GemmKernels kGemmAvx512Bf16 = kGemmHere;

void ConvertToBf16Avx512(const float* in, const float* factor, int64_t n, void* out) {
  auto* to = static_cast<char*>(out);
  int64_t i = 0;
  if (factor != nullptr) {
    for (; i + kLanes <= n; i += kLanes) {
      const __m256bh rounded = _mm512_cvtneps_pbh(Load(in + i) * Load(factor + i));
      __builtin_memcpy(to + i * 2, &rounded, sizeof rounded);
    }
  }
  for (; i + kLanes <= n; i += kLanes) {
    const __m256bh rounded = _mm512_cvtneps_pbh(Load(in + i));
    __builtin_memcpy(to + i * 2, &rounded, sizeof rounded);
  }
  if (i < n) {
    const int left = static_cast<int>(n - i);
    F rest = LoadPartial(in + i, left);
    if (factor != nullptr) rest = rest * LoadPartial(factor + i, left);
    const __m256bh rounded = _mm512_cvtneps_pbh(rest);
    __builtin_memcpy(to + i * 2, &rounded, static_cast<size_t>((n - i + 1) / 2 * 4));
  }
}

}  // namespace savedmodel
