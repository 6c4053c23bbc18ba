#include "kernels/cpu/packed_matrix.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/aligned_memory.h"
#include "kernels/cpu/amx.h"
#include "kernels/cpu/gemm_blocks.h"

namespace savedmodel {
namespace {

// The width whose panels take the least time; among equals the widest, which reads A least often. A last panel of one
// vector has too little arithmetic for its loads. Few panels should come in equal halves: two threads with half of B each read
// it sooner than with half of the rows each and all of B. A panel that the first cache does not hold is read again for each tile:
// tiles of few rows are then slower.
int BestVectors(const GemmKernels& kernels, int64_t k, int64_t n) {
  constexpr int64_t kFirstCache = 28 << 10;
  const int64_t vectors = std::max<int64_t>((n + kernels.lanes - 1) / kernels.lanes, 1);
  int best = 0;
  double least = 0;
  for (int64_t width = std::min<int64_t>(vectors, kernels.max_vectors); width >= 1; --width) {
    const int64_t rest = vectors % width;
    const int64_t half = std::min((vectors + width - 1) / width / 2 * width, vectors);
    const double uneven = vectors > kernels.max_vectors && vectors <= 48 ? static_cast<double>(vectors - 2 * half) : 0;
    const bool streamed = kernels.max_rows[width] <= 4 && k * width * kernels.lanes * 4 > kFirstCache;
    const double time = static_cast<double>(vectors) * (width == 1 ? 1.3 : streamed ? 1.05 : 1.0) + (rest == 1 ? 0.4 : 0.0) + 0.25 * std::abs(uneven);
    if (best == 0 || time < least) {
      best = static_cast<int>(width);
      least = time;
    }
  }
  return best;
}

// columns <= panel width; rows of `to` are `width` floats.
void PackRows(const float* b, int64_t stride, int64_t k, int columns, int width, const float* factor, float* to) {
  if (factor != nullptr) {
    for (int64_t i = 0; i < k; ++i, b += stride, to += width) {
      for (int j = 0; j < columns; ++j) to[j] = b[j] * factor[j];
      for (int j = columns; j < width; ++j) to[j] = 0;
    }
    return;
  }
  if (columns < 16) {  // too short for a call
    for (int64_t i = 0; i < k; ++i, b += stride, to += width) {
      for (int j = 0; j < columns; ++j) to[j] = b[j];
      for (int j = columns; j < width; ++j) to[j] = 0;
    }
    return;
  }
  for (int64_t i = 0; i < k; ++i, b += stride, to += width) {
    std::memcpy(to, b, static_cast<size_t>(columns) * sizeof(float));
    if (columns < width) std::memset(to + columns, 0, static_cast<size_t>(width - columns) * sizeof(float));
  }
}

// Squares of four by four: four rows are read and four written at a time.
void PackColumns(const float* b, int64_t stride, int64_t k, int columns, int width, float* to) {
  typedef float F4 __attribute__((vector_size(16)));
  const int square = columns / 4 * 4;
  const int64_t square_k = k / 4 * 4;
  for (int64_t i = 0; i < square_k; i += 4) {
    for (int j = 0; j < square; j += 4) {
      F4 r[4];
      for (int s = 0; s < 4; ++s) std::memcpy(&r[s], b + (j + s) * stride + i, sizeof(F4));
      const F4 ab0 = __builtin_shuffle(r[0], r[1], (__attribute__((vector_size(16))) int){0, 4, 1, 5});
      const F4 ab1 = __builtin_shuffle(r[0], r[1], (__attribute__((vector_size(16))) int){2, 6, 3, 7});
      const F4 cd0 = __builtin_shuffle(r[2], r[3], (__attribute__((vector_size(16))) int){0, 4, 1, 5});
      const F4 cd1 = __builtin_shuffle(r[2], r[3], (__attribute__((vector_size(16))) int){2, 6, 3, 7});
      const F4 c0 = __builtin_shuffle(ab0, cd0, (__attribute__((vector_size(16))) int){0, 1, 4, 5});
      const F4 c1 = __builtin_shuffle(ab0, cd0, (__attribute__((vector_size(16))) int){2, 3, 6, 7});
      const F4 c2 = __builtin_shuffle(ab1, cd1, (__attribute__((vector_size(16))) int){0, 1, 4, 5});
      const F4 c3 = __builtin_shuffle(ab1, cd1, (__attribute__((vector_size(16))) int){2, 3, 6, 7});
      std::memcpy(to + (i + 0) * width + j, &c0, sizeof(F4));
      std::memcpy(to + (i + 1) * width + j, &c1, sizeof(F4));
      std::memcpy(to + (i + 2) * width + j, &c2, sizeof(F4));
      std::memcpy(to + (i + 3) * width + j, &c3, sizeof(F4));
    }
  }
  for (int64_t i = 0; i < k; ++i) {
    for (int j = i < square_k ? square : 0; j < columns; ++j) to[i * width + j] = b[j * stride + i];
    for (int j = columns; j < width; ++j) to[i * width + j] = 0;
  }
}

void ScaleColumns(int64_t k, int columns, int width, const float* factor, float* panel) {
  for (int64_t i = 0; i < k; ++i, panel += width) {
    for (int j = 0; j < columns; ++j) panel[j] *= factor[j];
  }
}

// Panel p: row i holds numbers 2i and 2i + 1 of every column side by side.
void PackPairs(const PanelLayout& layout, int64_t p, const float* b, int64_t stride, bool transposed, const float* factor, float* to) {
  const int columns = layout.columns(p), width = layout.width(p);
  const int64_t row_step = transposed ? 1 : stride, column_step = transposed ? stride : 1;
  for (int64_t i = 0; i < layout.k; ++i, to += width) {
    const bool both = 2 * i + 1 < layout.inner;
    for (int j = 0; j < width; ++j) {
      uint32_t pair = 0;
      if (j < columns) {
        const float* at = b + 2 * i * row_step + j * column_step;
        const float by = factor != nullptr ? factor[j] : 1.0f;
        pair = Bf16Bits(at[0] * by) | (both ? Bf16Bits(at[row_step] * by) << 16 : 0);
      }
      std::memcpy(to + j, &pair, sizeof pair);
    }
  }
}

}  // namespace

bool HasFastBf16() {
  if (UsesTiles()) return true;
  return ActiveCpuLevel() == CpuLevel::kAvx512 && DetectedCpu().fast_bf16;
}

const GemmKernels& KernelsFor(const PanelLayout& layout) {
  if (layout.tiles) return TileKernels();
#if defined(__x86_64__)
  if (layout.bf16) return kGemmAvx512Bf16;
  switch (layout.level) {
    case CpuLevel::kAvx512: return kGemmAvx512;
    case CpuLevel::kAvx2: return kGemmAvx2;
    case CpuLevel::kPlain: break;
  }
#else
  (void)layout;
#endif
  return kGemmPlain;
}

PanelLayout PanelLayout::For(int64_t inner, int64_t n, GemmPrecision precision) {
  PanelLayout layout;
  layout.level = ActiveCpuLevel();
  layout.bf16 = precision == GemmPrecision::kBf16 && HasFastBf16();
  layout.tiles = layout.bf16 && UsesTiles();
  // Few columns would leave half of a wide vector idle, or too little arithmetic for the loads.
  const bool half_empty = (n - 1) % 16 < 8 && n <= 128;
  if (layout.level == CpuLevel::kAvx512 && DetectedCpu().halved_512 && (n <= 24 || half_empty) && !layout.bf16) layout.level = CpuLevel::kAvx2;
  const GemmKernels& kernels = KernelsFor(layout);
  layout.inner = inner;
  layout.k = layout.bf16 ? (inner + 1) / 2 : inner;
  layout.n = n;
  layout.lanes = kernels.lanes;
  layout.panel = BestVectors(kernels, layout.k, n) * kernels.lanes;
  return layout;
}

void PackMatrix(const PanelLayout& layout, const float* b, int64_t stride, bool transposed, float* to, ThreadPool& pool, const float* factor,
                const PackedStretch* done) {
  if (layout.k == 0 || layout.n == 0) return;
  int64_t row_begin = 0, row_end = layout.k;
  const auto pack = [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t first = p * layout.panel, rows = row_end - row_begin;
      const int width = layout.width(p);
      const float* by = factor != nullptr ? factor + first : nullptr;
      float* panel = to + first * layout.k + row_begin * width;
      TakePages(panel, static_cast<size_t>(width * rows) * sizeof(float));
      if (layout.bf16) {
        PackPairs(layout, p, b + (transposed ? first * stride : first), stride, transposed, by, panel);
      } else if (transposed) {
        PackColumns(b + first * stride, stride, layout.k, layout.columns(p), width, panel);
        if (by != nullptr) ScaleColumns(layout.k, layout.columns(p), width, by, panel);
      } else {
        PackRows(b + row_begin * stride + first, stride, rows, layout.columns(p), width, by, panel);
      }
    }
  };
  const int64_t panel_floats = layout.k * layout.panel;
  if (layout.floats() < 65536) {
    pack(0, layout.panels());
    if (done != nullptr) (*done)(0, layout.inner * layout.n);
    return;
  }
  // Rows can be packed and forgotten a part at a time.
  constexpr int64_t kPart = int64_t{1} << 18;  // floats
  const bool by_rows = done != nullptr && !layout.bf16 && !transposed && stride == layout.n;
  const int64_t part = by_rows ? std::max<int64_t>(kPart / layout.n, 64) : layout.k;
  for (; row_begin < layout.k; row_begin = row_end) {
    row_end = std::min(row_begin + part, layout.k);
    pool.ParallelFor(layout.panels(), 32768 / panel_floats + 1, pack);
    if (by_rows) (*done)(row_begin * stride, (row_end - row_begin) * stride);
  }
  if (done != nullptr && !by_rows) (*done)(0, layout.inner * layout.n);
}

absl::StatusOr<PackedMatrix> PackedMatrix::Allocate(const PanelLayout& layout) {
  PackedMatrix matrix;
  matrix.layout_ = layout;
  const size_t bytes = static_cast<size_t>(layout.floats()) * sizeof(float) + 64;
  auto* memory = static_cast<float*>(AllocateUntouched(bytes));
  if (memory == nullptr) return absl::ResourceExhaustedError(absl::StrCat("packed matrix: no memory for ", bytes, " bytes"));
  matrix.owned_ = std::shared_ptr<float>(memory, std::free);
  matrix.data_ = memory;
  return matrix;
}

absl::StatusOr<PackedMatrix> PackedMatrix::Pack(int64_t k, int64_t n, const float* b, int64_t stride, bool transposed,
                                                ThreadPool& pool, GemmPrecision precision, const float* factor, const PackedStretch* done) {
  absl::StatusOr<PackedMatrix> matrix = Allocate(PanelLayout::For(k, n, precision));
  if (matrix.ok()) PackMatrix(matrix->layout_, b, stride, transposed, matrix->mutable_data(), pool, factor, done);
  return matrix;
}

PackedMatrix PackedMatrix::View(const PanelLayout& layout, const float* data) {
  PackedMatrix matrix;
  matrix.layout_ = layout;
  matrix.data_ = data;
  return matrix;
}

absl::StatusOr<PackedMatrix> PackedMatrix::Rows(const PanelLayout& layout, const float* b, int64_t stride, ThreadPool& pool) {
  PackedMatrix matrix = View(layout, b);
  matrix.row_stride_ = stride;
  if (layout.n % layout.lanes == 0) return matrix;
  const int64_t last = layout.panels() - 1;
  PanelLayout rest = layout;
  rest.n = layout.columns(last);
  absl::StatusOr<PackedMatrix> copy = Allocate(rest);
  if (!copy.ok()) return copy;
  PackMatrix(rest, b + last * layout.panel, stride, false, copy->mutable_data(), pool);
  matrix.owned_ = std::move(copy->owned_);
  matrix.copied_ = last;
  return matrix;
}

}  // namespace savedmodel
