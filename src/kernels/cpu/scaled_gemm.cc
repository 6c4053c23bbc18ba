// The scale of column k of A is as well the scale of row k of B: the smaller of the two is scaled into scratch. In bfloat16 A
// is rounded into scratch anyway.
#include "kernels/cpu/scaled_gemm.h"

#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_blocks.h"

namespace savedmodel {
namespace {

bool ScalesB(int64_t m, const PackedMatrix& b) { return b.layout().floats() <= m * b.layout().inner; }

SM_CLONED void ScalePanel(const float* from, const float* scale, float* to, int64_t rows, int64_t width) {
  for (int64_t k = 0; k < rows; ++k, from += width, to += width) {
    SM_INDEPENDENT
    for (int64_t j = 0; j < width; ++j) to[j] = from[j] * scale[k];
  }
}

SM_CLONED void Multiply(const float* a, const float* b, float* to, int64_t n) {
  SM_INDEPENDENT
  for (int64_t j = 0; j < n; ++j) to[j] = a[j] * b[j];
}

void ScalePanels(const PackedMatrix& b, const float* scale, float* to, ThreadPool& pool) {
  const PanelLayout& layout = b.layout();
  pool.ParallelFor(layout.panels(), 16384 / (layout.panel * layout.k + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) ScalePanel(b.panel(p), scale, to + p * layout.panel * layout.k, layout.k, layout.width(p));
  });
}

void ScaleRows(int64_t m, int64_t k, const float* a, const float* scale, float* to, ThreadPool& pool) {
  pool.ParallelFor(m, 16384 / (k + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) Multiply(a + i * k, scale, to + i * k, k);
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
