// What _Attention's layouts say about its operands.
#ifndef SAVEDMODEL_OPS_NN_ATTENTION_SHAPE_H_
#define SAVEDMODEL_OPS_NN_ATTENTION_SHAPE_H_

#include <string>

#include "kernels/cpu/attention.h"
#include "savedmodel/op.h"

namespace savedmodel {

// Dimensions and distances of one operand by letter: b (batch), h (heads, may be absent), s (rows), d (depth).
class AttentionLayout {
 public:
  static absl::StatusOr<AttentionLayout> Of(const std::string& letters);
  int rank() const { return static_cast<int>(letters_.size()); }
  char last() const { return letters_.back(); }
  int64_t Size(const TensorShape& shape, char letter) const;
  int64_t Distance(const TensorShape& shape, char letter) const;
  AttentionStrides Strides(const TensorShape& shape, char row = 's') const;
  template <typename Sizes>
  void Fill(const Sizes& size_of, absl::InlinedVector<int64_t, 4>* dims) const {
    for (char letter : letters_) dims->push_back(size_of(letter));
  }

 private:
  std::string letters_;
};

struct AttentionLayouts {
  AttentionLayout q, k, v, out;
};
absl::StatusOr<AttentionLayouts> ReadAttentionLayouts(const Attributes& attrs);

struct SizedAttention {
  AttentionShape shape;
  TensorShape output;
};
// Sizes and distances for the inputs of a run, checked against each other.
absl::StatusOr<SizedAttention> SizeAttention(const AttentionLayouts& layouts, float scale, const KernelContext& context);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_NN_ATTENTION_SHAPE_H_
