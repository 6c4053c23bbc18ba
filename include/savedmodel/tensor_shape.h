// Shapes of tensors: TensorShape is fully known, PartialShape may lack dimensions or the rank.
#ifndef SAVEDMODEL_TENSOR_SHAPE_H_
#define SAVEDMODEL_TENSOR_SHAPE_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "savedmodel/export.h"

namespace savedmodel {

inline constexpr int kMaxRank = 254;  // as TensorFlow

// Invariant: num_elements() is the exact product of the dimensions, or -1 when a dimension is negative, the rank is
// above kMaxRank or the product does not fit int64: such a shape is !valid(), and no buffer can be made of it. So a
// kernel may build a shape from any numbers and leave the check to the allocation.
class SAVEDMODEL_EXPORT TensorShape {
 public:
  TensorShape() = default;  // a scalar
  TensorShape(std::initializer_list<int64_t> dims) : TensorShape(absl::Span<const int64_t>(dims.begin(), dims.size())) {}
  explicit TensorShape(absl::Span<const int64_t> dims) : dims_(dims.begin(), dims.end()) { Count(); }

  // The same with a Status: InvalidArgument naming the dimensions.
  static absl::StatusOr<TensorShape> Make(absl::Span<const int64_t> dims);

  int rank() const { return static_cast<int>(dims_.size()); }
  int64_t dim(int i) const { return dims_[i]; }
  absl::Span<const int64_t> dims() const { return dims_; }
  int64_t num_elements() const { return num_elements_; }
  bool valid() const { return num_elements_ >= 0; }

  void AddDim(int64_t size) { dims_.push_back(size); Count(); }
  void InsertDim(int at, int64_t size) { dims_.insert(dims_.begin() + at, size); Count(); }
  void RemoveDim(int at) { dims_.erase(dims_.begin() + at); Count(); }
  void set_dim(int i, int64_t size) { dims_[i] = size; Count(); }

  // Product of the dimensions [begin, end); 1 when empty. Call on valid shapes.
  int64_t Product(int begin, int end) const;

  std::string ToString() const;  // "[2,3]", "[]"

  // Asked at every step of a run, of shapes that are short: without a call.
  friend bool operator==(const TensorShape& a, const TensorShape& b) {
    if (a.num_elements_ != b.num_elements_ || a.dims_.size() != b.dims_.size()) return false;
    const int64_t *x = a.dims_.data(), *y = b.dims_.data();
    for (size_t i = 0; i < a.dims_.size(); ++i) {
      if (x[i] != y[i]) return false;
    }
    return true;
  }
  friend bool operator!=(const TensorShape& a, const TensorShape& b) { return !(a == b); }

 private:
  void Count();
  absl::InlinedVector<int64_t, 6> dims_;
  int64_t num_elements_ = 1;
};

// A shape of which the rank or some dimensions (-1) may be unknown.
class SAVEDMODEL_EXPORT PartialShape {
 public:
  PartialShape() = default;  // unknown rank
  PartialShape(const TensorShape& shape) : known_rank_(true), dims_(shape.dims().begin(), shape.dims().end()) {}  // NOLINT
  // Dimensions below 0 are unknown.
  static PartialShape Of(absl::Span<const int64_t> dims);
  static PartialShape UnknownOfRank(int rank) { return Of(absl::InlinedVector<int64_t, 6>(rank < 0 ? 0 : rank, -1)); }

  bool known_rank() const { return known_rank_; }
  int rank() const { return known_rank_ ? static_cast<int>(dims_.size()) : -1; }
  int64_t dim(int i) const { return dims_[i]; }  // -1: unknown
  absl::Span<const int64_t> dims() const { return dims_; }
  void set_dim(int i, int64_t size) { dims_[i] = size; }
  void AddDim(int64_t size) { dims_.push_back(size < 0 ? -1 : size); }

  bool fully_known() const;
  // Call when fully_known().
  TensorShape shape() const { return TensorShape(dims_); }

  // True if some tensor could have both shapes.
  bool CompatibleWith(const PartialShape& other) const;
  // What both say together; InvalidArgument when they contradict.
  absl::StatusOr<PartialShape> MergeWith(const PartialShape& other) const;
  // What holds for both: dimensions that differ become unknown. Used where control flow joins.
  PartialShape Relax(const PartialShape& other) const;

  std::string ToString() const;  // "[2,?]", "<unknown>"

  friend bool operator==(const PartialShape& a, const PartialShape& b) {
    return a.known_rank_ == b.known_rank_ && a.dims_ == b.dims_;
  }
  friend bool operator!=(const PartialShape& a, const PartialShape& b) { return !(a == b); }

 private:
  bool known_rank_ = false;
  absl::InlinedVector<int64_t, 6> dims_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_TENSOR_SHAPE_H_
