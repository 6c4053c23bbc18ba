// The scale of column k of A is as well the scale of row k of B: the smaller of the two is scaled into scratch. In bfloat16 A
// is rounded into scratch anyway.
#include "kernels/cpu/scaled_gemm.h"

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_blocks.h"

namespace savedmodel {
namespace {

bool ScalesB(int64_t m, const PackedMatrix& b) { return b.layout().floats() <= m * b.layout().inner; }

void ScalePanels(const PackedMatrix& b, const float* scale, float* to, ThreadPool& pool) {
  const PanelLayout& layout = b.layout();
  pool.ParallelFor(layout.panels(), 16384 / (layout.panel * layout.k + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int width = layout.width(p);
      const float* from = b.panel(p);
      float* out = to + p * layout.panel * layout.k;
      for (int64_t k = 0; k < layout.k; ++k, from += width, out += width) {
        for (int j = 0; j < width; ++j) out[j] = from[j] * scale[k];
      }
    }
  });
}

void ScaleRows(int64_t m, int64_t k, const float* a, const float* scale, float* to, ThreadPool& pool) {
  pool.ParallelFor(m, 16384 / (k + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < k; ++j) to[i * k + j] = a[i * k + j] * scale[j];
    }
  });
}

}  // namespace

int64_t ScaledGemmScratchBytes(int64_t m, const PackedMatrix& b) {
  if (b.layout().bf16) return MixedGemmScratchBytes(m, b);
  return (ScalesB(m, b) ? b.layout().floats() : m * b.layout().inner) * static_cast<int64_t>(sizeof(float));
}

void ScaledGemm(int64_t m, const float* a, const float* scale, const PackedMatrix& b, const Epilogue& epilogue, float* c, float* scratch,
                ThreadPool& pool) {
  const int64_t k = b.layout().inner, n = b.n();
  if (b.layout().bf16) {
    RoundToBf16(a, k, m, k, scratch, pool, scale);
    return Gemm(m, scratch, b.layout().k, b, epilogue, c, n, pool);
  }
  if (ScalesB(m, b)) {
    ScalePanels(b, scale, scratch, pool);
    return Gemm(m, a, k, PackedMatrix::View(b.layout(), scratch), epilogue, c, n, pool);
  }
  ScaleRows(m, k, a, scale, scratch, pool);
  Gemm(m, scratch, k, b, epilogue, c, n, pool);
}

}  // namespace savedmodel
