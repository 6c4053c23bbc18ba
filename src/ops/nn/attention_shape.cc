#include "ops/nn/attention_shape.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

// Distances of a mask that is broadcast to [batch, heads, queries, keys] (no heads where rank is 3).
absl::StatusOr<AttentionStrides> MaskStrides(const TensorShape& mask, const AttentionShape& s, int rank) {
  const int64_t sizes[3] = {s.queries, rank == 3 ? s.batch : s.heads, s.batch};
  SM_CHECK_ARGUMENT(mask.rank() >= 1 && mask.rank() <= rank && mask.dim(mask.rank() - 1) == s.keys, "the mask is ", mask.ToString(), ", there are ",
                    s.keys, " keys");
  int64_t distances[3] = {0, 0, 0}, distance = s.keys;
  for (int i = mask.rank() - 2, level = 0; i >= 0; --i, ++level) {
    SM_CHECK_ARGUMENT(mask.dim(i) == 1 || mask.dim(i) == sizes[level], "the mask ", mask.ToString(), " does not fit the scores");
    distances[level] = mask.dim(i) == 1 ? 0 : distance;
    distance *= mask.dim(i);
  }
  return rank == 3 ? AttentionStrides{distances[1], 0, distances[0]} : AttentionStrides{distances[2], distances[1], distances[0]};
}

}  // namespace

absl::StatusOr<AttentionLayout> AttentionLayout::Of(const std::string& letters) {
  AttentionLayout layout;
  layout.letters_ = letters;
  for (char letter : letters) {
    SM_CHECK_ARGUMENT(std::string("bhsd").find(letter) != std::string::npos, "layout \"", letters, "\" has letters other than b, h, s, d");
  }
  for (char letter : {'b', 's', 'd'}) {
    SM_CHECK_ARGUMENT(letters.find(letter) != std::string::npos && letters.find(letter) == letters.rfind(letter), "layout \"", letters, "\" wants ",
                      std::string(1, letter), " once");
  }
  return layout;
}

int64_t AttentionLayout::Size(const TensorShape& shape, char letter) const {
  const size_t at = letters_.find(letter);
  return at == std::string::npos ? 1 : shape.dim(static_cast<int>(at));
}

int64_t AttentionLayout::Distance(const TensorShape& shape, char letter) const {
  const size_t at = letters_.find(letter);
  return at == std::string::npos ? 0 : shape.Product(static_cast<int>(at) + 1, shape.rank());
}

AttentionStrides AttentionLayout::Strides(const TensorShape& shape, char row) const {
  return {Distance(shape, 'b'), Distance(shape, 'h'), Distance(shape, row)};
}

absl::StatusOr<AttentionLayouts> ReadAttentionLayouts(const Attributes& attrs) {
  AttentionLayouts layouts;
  SM_ASSIGN_OR_RETURN(layouts.q, AttentionLayout::Of(attrs.String("q_layout")));
  SM_ASSIGN_OR_RETURN(layouts.k, AttentionLayout::Of(attrs.String("k_layout")));
  SM_ASSIGN_OR_RETURN(layouts.v, AttentionLayout::Of(attrs.String("v_layout")));
  SM_ASSIGN_OR_RETURN(layouts.out, AttentionLayout::Of(attrs.String("out_layout")));
  SM_CHECK_ARGUMENT(layouts.q.last() == 'd' && layouts.v.last() == 'd' && layouts.out.last() == 'd' && (layouts.k.last() == 'd' || layouts.k.last() == 's'),
                    "the depth must be the last dimension");
  return layouts;
}

absl::StatusOr<SizedAttention> SizeAttention(const AttentionLayouts& layouts, float scale, const KernelContext& context) {
  const TensorShape &q = context.input(0).shape(), &k = context.input(1).shape(), &v = context.input(2).shape();
  SM_CHECK_ARGUMENT(q.rank() == layouts.q.rank() && k.rank() == layouts.k.rank() && v.rank() == layouts.v.rank(), "ranks ", q.rank(), ", ", k.rank(),
                    ", ", v.rank(), " do not fit the layouts");
  AttentionShape s;
  s.batch = layouts.q.Size(q, 'b');
  s.heads = layouts.q.Size(q, 'h');
  s.queries = layouts.q.Size(q, 's');
  s.keys = layouts.k.Size(k, 's');
  s.depth = layouts.q.Size(q, 'd');
  s.value_depth = layouts.v.Size(v, 'd');
  for (char letter : {'b', 'h'}) {
    SM_CHECK_ARGUMENT(layouts.k.Size(k, letter) == layouts.q.Size(q, letter) && layouts.v.Size(v, letter) == layouts.q.Size(q, letter),
                      "queries, keys and values differ: ", q.ToString(), ", ", k.ToString(), ", ", v.ToString());
  }
  SM_CHECK_ARGUMENT(layouts.k.Size(k, 'd') == s.depth && layouts.v.Size(v, 's') == s.keys, "queries, keys and values differ: ", q.ToString(), ", ",
                    k.ToString(), ", ", v.ToString());
  absl::InlinedVector<int64_t, 4> dims;
  layouts.out.Fill([&](char letter) { return letter == 'b' ? s.batch : letter == 'h' ? s.heads : letter == 's' ? s.queries : s.value_depth; }, &dims);
  const TensorShape shape{absl::Span<const int64_t>(dims)};
  s.keys_transposed = layouts.k.last() == 's';
  s.q = layouts.q.Strides(q);
  s.k = layouts.k.Strides(k, s.keys_transposed ? 'd' : 's');
  s.v = layouts.v.Strides(v);
  s.out = layouts.out.Strides(shape);
  s.scale = scale;
  if (context.num_inputs() > 3) {
    SM_ASSIGN_OR_RETURN(s.mask, MaskStrides(context.input(3).shape(), s, layouts.q.rank()));
  }
  return SizedAttention{s, shape};
}

}  // namespace savedmodel
