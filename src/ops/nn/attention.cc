// _Attention: what the fusing passes make of softmax(scale * q k' + mask) v. The layouts name the dimensions of each
// operand with the letters b (batch), h (heads, may be absent), s (rows) and d (depth), d last; keys may have s last.
// The mask is broadcast to [b, h, rows of q, rows of k]; its last dimension is that of k.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/attention.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// Dimensions and distances of one operand by letter.
class Layout {
 public:
  static absl::StatusOr<Layout> Of(const std::string& letters) {
    Layout layout;
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
  int rank() const { return static_cast<int>(letters_.size()); }
  char last() const { return letters_.back(); }
  int64_t Size(const TensorShape& shape, char letter) const {
    const size_t at = letters_.find(letter);
    return at == std::string::npos ? 1 : shape.dim(static_cast<int>(at));
  }
  int64_t Distance(const TensorShape& shape, char letter) const {
    const size_t at = letters_.find(letter);
    return at == std::string::npos ? 0 : shape.Product(static_cast<int>(at) + 1, shape.rank());
  }
  AttentionStrides Strides(const TensorShape& shape, char row = 's') const {
    return {Distance(shape, 'b'), Distance(shape, 'h'), Distance(shape, row)};
  }
  template <typename Sizes>
  void Fill(const Sizes& size_of, absl::InlinedVector<int64_t, 4>* dims) const {
    for (char letter : letters_) dims->push_back(size_of(letter));
  }

 private:
  std::string letters_;
};

struct Layouts {
  Layout q, k, v, out;
};

absl::StatusOr<Layouts> ReadLayouts(const Attributes& attrs) {
  Layouts layouts;
  SM_ASSIGN_OR_RETURN(layouts.q, Layout::Of(attrs.String("q_layout")));
  SM_ASSIGN_OR_RETURN(layouts.k, Layout::Of(attrs.String("k_layout")));
  SM_ASSIGN_OR_RETURN(layouts.v, Layout::Of(attrs.String("v_layout")));
  SM_ASSIGN_OR_RETURN(layouts.out, Layout::Of(attrs.String("out_layout")));
  SM_CHECK_ARGUMENT(layouts.q.last() == 'd' && layouts.v.last() == 'd' && layouts.out.last() == 'd' && (layouts.k.last() == 'd' || layouts.k.last() == 's'),
                    "the depth must be the last dimension");
  return layouts;
}

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

absl::Status Run(KernelContext& context, const Layouts& layouts, float scale) {
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
  const float* mask = nullptr;
  if (context.num_inputs() > 3) {
    SM_ASSIGN_OR_RETURN(s.mask, MaskStrides(context.input(3).shape(), s, layouts.q.rank()));
    mask = context.input(3).data<float>();
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape));
  if (out->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(const AttentionPlan plan, AttentionPlan::Make(s, context.pool().num_threads()));
  SM_ASSIGN_OR_RETURN(Tensor scratch, context.Scratch(DataType::kUInt8, {plan.scratch_bytes()}));
  plan.Run(context.input(0).data<float>(), context.input(1).data<float>(), context.input(2).data<float>(), mask, out->data<float>(),
           static_cast<float*>(scratch.raw()), context.pool());
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  SM_ASSIGN_OR_RETURN(Layouts layouts, ReadLayouts(init.attrs()));
  const float scale = init.attrs().Float("scale");
  return MakeKernel([layouts = std::move(layouts), scale](KernelContext& context) { return Run(context, layouts, scale); });
}

absl::Status Infer(InferContext& context) {
  SM_ASSIGN_OR_RETURN(Layouts layouts, ReadLayouts(context.attrs()));
  const PartialShape &q = context.input(0), &v = context.input(2);
  if (!q.fully_known() || !v.fully_known() || q.rank() != layouts.q.rank() || v.rank() != layouts.v.rank()) return absl::OkStatus();
  absl::InlinedVector<int64_t, 4> dims;
  layouts.out.Fill([&](char letter) { return letter == 'd' ? layouts.v.Size(v.shape(), 'd') : layouts.q.Size(q.shape(), letter); }, &dims);
  context.set_output(0, PartialShape::Of(dims));
  return absl::OkStatus();
}

}  // namespace

void DefineAttention(OpTable& ops) {
  ops.Add({.name = "_Attention",
           .inputs = "q: T; k: T; v: T; mask: num_args * T",
           .outputs = "output: T",
           .attrs = "T: {float}; num_args: int >= 0; q_layout: string; k_layout: string; v_layout: string; out_layout: string; scale: float",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
