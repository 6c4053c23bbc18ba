// The right-hand side of a matrix product, laid out as the kernels read it.
#ifndef SAVEDMODEL_KERNELS_CPU_PACKED_MATRIX_H_
#define SAVEDMODEL_KERNELS_CPU_PACKED_MATRIX_H_

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kernels/cpu/cpu_features.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

enum class GemmPrecision {
  kFloat,
  kBf16,  // both sides rounded to bfloat16, sums in float
};

// Whether the processor multiplies bfloat16 faster than float. Where not, asking for it gives float.
bool HasFastBf16();

// B[k, n] is cut into panels of `panel` columns, each stored row after row without gaps; the last panel is as wide as it
// needs to be, rounded up to whole vectors and filled with zeros.
struct PanelLayout {
  CpuLevel level = CpuLevel::kPlain;  // whose kernels it is for
  bool bf16 = false;
  bool tiles = false;                 // bf16 for the tile kernels
  int64_t inner = 0;  // numbers in a column of B
  int64_t k = 0;      // rows of 4 bytes a column: inner, or half as many pairs of bfloat16
  int64_t n = 0;
  int lanes = 1;
  int panel = 1;

  static PanelLayout For(int64_t inner, int64_t n, GemmPrecision precision = GemmPrecision::kFloat);  // for the active level

  int64_t panels() const { return (n + panel - 1) / panel; }
  int columns(int64_t p) const { return static_cast<int>(std::min<int64_t>(panel, n - p * panel)); }
  int width(int64_t p) const { return (columns(p) + lanes - 1) / lanes * lanes; }  // as stored
  int64_t floats() const { return n == 0 ? 0 : k * ((panels() - 1) * panel + width(panels() - 1)); }
};

// Told of `count` floats of B from b + `first` on, which are packed and will not be read again.
using PackedStretch = absl::FunctionRef<void(int64_t first, int64_t count)>;

// Writes B[inner, n] into `to`, layout.floats() floats. Row i of B begins at b + i * stride; if `transposed`, column j does so.
// `factor`, where not null, has n numbers by which the columns are multiplied. `done`, where not null, is called as parts of a
// large B are packed, and in the end has been told of all of it.
void PackMatrix(const PanelLayout& layout, const float* b, int64_t stride, bool transposed, float* to, ThreadPool& pool,
                const float* factor = nullptr, const PackedStretch* done = nullptr);

// B packed, or a view of it as it lies in memory. Immutable; shares its memory with copies of itself.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  // Copies. ResourceExhausted if there is no memory.
  static absl::StatusOr<PackedMatrix> Pack(int64_t k, int64_t n, const float* b, int64_t stride, bool transposed,
                                           ThreadPool& pool, GemmPrecision precision = GemmPrecision::kFloat, const float* factor = nullptr,
                                           const PackedStretch* done = nullptr);
  // Uninitialised memory for a caller that fills it through mutable_data() before sharing it.
  static absl::StatusOr<PackedMatrix> Allocate(const PanelLayout& layout);
  // A view of memory that holds a packed matrix and outlives this object.
  static PackedMatrix View(const PanelLayout& layout, const float* data);
  // A view of B itself, for layouts of float alone: row i begins at b + i * stride. Where n is no multiple of lanes the last
  // panel is a copy, and there is no such view of a B of one panel. ResourceExhausted if there is no memory for the copy.
  static bool HasRows(const PanelLayout& layout) { return !layout.bf16 && (layout.n % layout.lanes == 0 || layout.panels() > 1); }
  static absl::StatusOr<PackedMatrix> Rows(const PanelLayout& layout, const float* b, int64_t stride, ThreadPool& pool);

  const PanelLayout& layout() const { return layout_; }
  int64_t n() const { return layout_.n; }
  int64_t bytes() const { return layout_.floats() * static_cast<int64_t>(sizeof(float)); }
  const float* data() const { return data_; }
  bool packed() const { return row_stride_ == 0; }
  bool packed(int64_t p) const { return packed() || p == copied_; }                      // whether a panel's rows lie in one piece
  const float* panel(int64_t p) const { return data_ + p * layout_.panel * layout_.k; }  // packed()
  // Row k of panel p, and the floats from there to the next.
  const float* row(int64_t p, int64_t k) const {
    if (p == copied_) return owned_.get() + k * layout_.width(p);
    return packed() ? panel(p) + k * layout_.width(p) : data_ + k * row_stride_ + p * layout_.panel;
  }
  int64_t stride(int64_t p) const { return packed(p) ? layout_.width(p) : row_stride_; }
  float* mutable_data() { return owned_.get(); }

 private:
  PanelLayout layout_;
  std::shared_ptr<float> owned_;
  const float* data_ = nullptr;
  int64_t row_stride_ = 0;  // 0: packed
  int64_t copied_ = -1;     // of a view, the panel that owned_ holds
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_PACKED_MATRIX_H_
