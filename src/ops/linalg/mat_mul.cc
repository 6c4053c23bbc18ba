// MatMul, BatchMatMul, BatchMatMulV2 and BatchMatMulV3. grad_a, grad_b and their like are hints that change no number.
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "ops/linalg/matrix_product.h"
#include "ops/linalg/strided_copy.h"
#include "ops/nn/shared_matrix.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

enum class Form { kMatrix, kBatch, kBroadcast };

// The ranks that the form wants; `a` and `b` are TensorShape or PartialShape of known rank.
template <typename Shape>
absl::Status CheckRanks(Form form, const Shape& a, const Shape& b) {
  if (form == Form::kBroadcast) {
    SM_CHECK_ARGUMENT(a.rank() >= 2, "In[0] ndims must be >= 2: ", a.rank());
    SM_CHECK_ARGUMENT(b.rank() >= 2, "In[1] ndims must be >= 2: ", b.rank());
    return absl::OkStatus();
  }
  SM_CHECK_ARGUMENT(a.rank() == b.rank(), "In[0] and In[1] has different ndims: ", a.ToString(), " vs. ", b.ToString());
  if (form == Form::kMatrix) {
    SM_CHECK_ARGUMENT(a.rank() == 2, "In[0] and In[1] ndims must be == 2: ", a.rank());
  } else {
    SM_CHECK_ARGUMENT(a.rank() >= 2, "In[0] and In[1] ndims must be >= 2: ", a.rank());
  }
  return absl::OkStatus();
}

// What is worked out of two shapes: the product, the batches of each operand, the output.
struct Layout {
  MatrixProduct product;
  std::vector<int64_t> a_batch, b_batch;  // empty: one by one
  TensorShape output;
};

absl::StatusOr<TensorShape> BatchShape(Form form, const TensorShape& a, const TensorShape& b) {
  const TensorShape left(a.dims().subspan(0, a.rank() - 2)), right(b.dims().subspan(0, b.rank() - 2));
  if (form == Form::kBroadcast) {
    absl::StatusOr<TensorShape> batch = Broadcast(left, right);
    SM_CHECK_ARGUMENT(batch.ok(), "In[0] and In[1] must have compatible batch dimensions: ", a.ToString(), " vs. ", b.ToString());
    return batch;
  }
  for (int i = 0; i < left.rank(); ++i) {
    SM_CHECK_ARGUMENT(left.dim(i) == right.dim(i), "In[0].dim(", i, ") and In[1].dim(", i, ") must be the same: ", a.ToString(), " vs ",
                      b.ToString());
  }
  return left;
}

absl::StatusOr<Layout> Plan(Form form, bool transpose_a, bool transpose_b, bool adjoint, const TensorShape& a, const TensorShape& b) {
  SM_RETURN_IF_ERROR(CheckRanks(form, a, b));
  Layout layout;
  SM_ASSIGN_OR_RETURN(layout.output, BatchShape(form, a, b));
  MatrixProduct& p = layout.product;
  p.transpose_a = transpose_a;
  p.transpose_b = transpose_b;
  p.conjugate_a = adjoint && transpose_a;
  p.conjugate_b = adjoint && transpose_b;
  const int64_t a0 = a.dim(a.rank() - 2), a1 = a.dim(a.rank() - 1), b0 = b.dim(b.rank() - 2), b1 = b.dim(b.rank() - 1);
  p.m = transpose_a ? a1 : a0;
  p.k = transpose_a ? a0 : a1;
  p.n = transpose_b ? b0 : b1;
  SM_CHECK_ARGUMENT(p.k == (transpose_b ? b1 : b0), "Matrix size-incompatible: In[0]: ", a.ToString(), ", In[1]: ", b.ToString());
  p.a_count = a.Product(0, a.rank() - 2);
  p.b_count = b.Product(0, b.rank() - 2);
  const TensorShape batch = layout.output;
  p.batches = batch.num_elements();
  layout.output.AddDim(p.m);
  layout.output.AddDim(p.n);
  if (!batch.valid() || !layout.output.valid() || layout.output.num_elements() == 0) {
    p.m = p.n = p.batches = 0;  // Output refuses what is not valid
    return layout;
  }
  if (p.b_count == 1 && p.a_count == p.batches && !transpose_a) {
    p.m *= p.batches;  // one matrix times all rows
    p.batches = p.a_count = 1;
  }
  return layout;
}

// Fills in a_batch and b_batch: apart from Plan, since the output must be allocated (and so be of a sane size) before.
void FillBatches(const TensorShape& a, const TensorShape& b, Layout* layout) {
  const MatrixProduct& p = layout->product;
  const TensorShape batch(layout->output.dims().subspan(0, layout->output.rank() - 2));
  if (p.batches == 0) return;
  if (p.a_count != p.batches) layout->a_batch = BroadcastIndices(batch, TensorShape(a.dims().subspan(0, a.rank() - 2)));
  if (p.b_count != p.batches) layout->b_batch = BroadcastIndices(batch, TensorShape(b.dims().subspan(0, b.rank() - 2)));
}

class MatMulKernel final : public Kernel {
 public:
  MatMulKernel(Form form, KernelInit& init)
      : form_(form), type_a_(init.input_dtype(0)), type_b_(init.input_dtype(1)), type_out_(init.output_dtype(0)),
        adjoint_(form != Form::kMatrix),
        transpose_a_(init.attrs().Bool(form == Form::kMatrix ? "transpose_a" : "adj_x")),
        transpose_b_(init.attrs().Bool(form == Form::kMatrix ? "transpose_b" : "adj_y")) {}

  // Plans now if both shapes are known.
  absl::Status Prepare(const PartialShape& a, const PartialShape& b) {
    if (!a.fully_known() || !b.fully_known()) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(layout_, Plan(form_, transpose_a_, transpose_b_, adjoint_, a.shape(), b.shape()));
    if (layout_.product.batches > kPlannedBatches) return absl::OkStatus();
    FillBatches(a.shape(), b.shape(), &layout_);
    a_shape_ = a.shape();
    b_shape_ = b.shape();
    planned_ = true;
    return absl::OkStatus();
  }

  // Packs a constant matrix of floats on the right, once for all plans of the session.
  absl::Status Pack(KernelInit& init) {
    const Tensor* b = init.constant(1);
    if (type_out_ != DataType::kFloat || b == nullptr || b->rank() != 2 || b->num_elements() == 0 || transpose_a_) return absl::OkStatus();
    absl::StatusOr<std::shared_ptr<const PackedMatrix>> packed = SharedMatrix(init, *b, b->dim(transpose_b_ ? 1 : 0), transpose_b_, {});
    if (packed.ok()) packed_ = *std::move(packed);  // else the matrix is read as it is
    return absl::OkStatus();
  }

  absl::Status Run(KernelContext& context) const override {
    const Tensor& a = context.input(0);
    const Tensor& b = context.input(1);
    if (planned_ && a.shape() == a_shape_ && b.shape() == b_shape_) {
      SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, layout_.output));
      return Execute(context, layout_, out);
    }
    SM_ASSIGN_OR_RETURN(Layout layout, Plan(form_, transpose_a_, transpose_b_, adjoint_, a.shape(), b.shape()));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, layout.output));
    FillBatches(a.shape(), b.shape(), &layout);
    return Execute(context, layout, out);
  }

 private:
  static constexpr int64_t kPlannedBatches = 1 << 16;

  absl::Status Execute(KernelContext& context, const Layout& layout, Tensor* out) const {
    if (packed_ != nullptr && layout.product.batches == 1 && layout.product.k > 0) {
      const MatrixProduct& product = layout.product;
      Gemm(product.m, context.input(0).data<float>(), product.k, *packed_, Epilogue(), out->data<float>(), product.n, context.pool());
      return absl::OkStatus();
    }
    MatrixProduct p = layout.product;
    if (!layout.a_batch.empty()) p.a_batch = layout.a_batch.data();
    if (!layout.b_batch.empty()) p.b_batch = layout.b_batch.data();
    return MultiplyMixed(context, type_a_, type_b_, type_out_, p, context.input(0).raw(), context.input(1).raw(), out->raw());
  }

  const Form form_;
  const DataType type_a_, type_b_, type_out_;
  const bool adjoint_, transpose_a_, transpose_b_;
  bool planned_ = false;
  TensorShape a_shape_, b_shape_;
  Layout layout_;
  std::shared_ptr<const PackedMatrix> packed_;  // null: b is read as it comes
};

// The pairs of dtypes that BatchMatMulV3 multiplies.
bool CanMix(DataType a, DataType b, DataType out) {
  auto byte = [](DataType type) { return type == DataType::kInt8 || type == DataType::kUInt8; };
  auto bfloat = [](DataType type) { return type == DataType::kBFloat16; };
  if (a == b && b == out) return CanMultiply(a);
  if (byte(a) && byte(b)) return out == DataType::kInt32;
  return bfloat(out) && (byte(a) || bfloat(a)) && (byte(b) || bfloat(b));
}

template <Form kForm>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (!CanMix(init.input_dtype(0), init.input_dtype(1), init.output_dtype(0))) {
    return absl::UnimplementedError(absl::StrCat("no product of ", DataTypeName(init.input_dtype(0)), " and ", DataTypeName(init.input_dtype(1)),
                                                 " in ", DataTypeName(init.output_dtype(0))));
  }
  auto kernel = std::make_unique<MatMulKernel>(kForm, init);
  SM_RETURN_IF_ERROR(kernel->Prepare(init.input_shape(0), init.input_shape(1)));
  SM_RETURN_IF_ERROR(kernel->Pack(init));
  return KernelPtr(std::move(kernel));
}

template <Form kForm>
absl::Status Infer(InferContext& context) {
  const PartialShape &a = context.input(0), &b = context.input(1);
  if (kForm == Form::kMatrix) {
    SM_RETURN_IF_ERROR(RequireRank(context, 0, 2));
    SM_RETURN_IF_ERROR(RequireRank(context, 1, 2));
    if (!a.known_rank() || !b.known_rank()) {
      const bool ta = context.attrs().Bool("transpose_a"), tb = context.attrs().Bool("transpose_b");
      context.set_output(0, PartialShape::Of({a.known_rank() ? a.dim(ta ? 1 : 0) : -1, b.known_rank() ? b.dim(tb ? 0 : 1) : -1}));
      return absl::OkStatus();
    }
  }
  if (!a.known_rank() || !b.known_rank()) {
    const PartialShape& known = a.known_rank() ? a : b;
    const bool same_rank = kForm == Form::kBatch && known.known_rank();
    context.set_output(0, same_rank ? PartialShape::UnknownOfRank(known.rank()) : PartialShape());
    return absl::OkStatus();
  }
  SM_RETURN_IF_ERROR(CheckRanks(kForm, a, b));
  const bool ta = context.attrs().Bool(kForm == Form::kMatrix ? "transpose_a" : "adj_x");
  const bool tb = context.attrs().Bool(kForm == Form::kMatrix ? "transpose_b" : "adj_y");
  auto last = [](const PartialShape& shape, bool second) { return shape.dim(shape.rank() - (second ? 2 : 1)); };
  const int64_t ka = last(a, ta), kb = last(b, !tb);
  SM_CHECK_ARGUMENT(ka < 0 || kb < 0 || ka == kb, "Matrix size-incompatible: In[0]: ", a.ToString(), ", In[1]: ", b.ToString());
  const PartialShape batch_a = PartialShape::Of(a.dims().subspan(0, a.rank() - 2));
  const PartialShape batch_b = PartialShape::Of(b.dims().subspan(0, b.rank() - 2));
  absl::StatusOr<PartialShape> batch = kForm == Form::kBroadcast ? Broadcast(batch_a, batch_b) : batch_a.MergeWith(batch_b);
  SM_CHECK_ARGUMENT(batch.ok(), "In[0] and In[1] must have compatible batch dimensions: ", a.ToString(), " vs. ", b.ToString());
  batch->AddDim(last(a, !ta));
  batch->AddDim(last(b, tb));
  context.set_output(0, *batch);
  return absl::OkStatus();
}

}  // namespace

void DefineMatMul(OpTable& ops) {
  ops.Add({.name = "MatMul",
           .inputs = "a: T; b: T",
           .outputs = "product: T",
           .attrs = "transpose_a: bool = false; transpose_b: bool = false; T: {bfloat16, half, float, double, int32, int64, uint8, uint16, "
                    "uint32, uint64, complex64, complex128}; grad_a: bool = false; grad_b: bool = false",
           .infer = Infer<Form::kMatrix>,
           .cpu = Make<Form::kMatrix>});
  ops.Add({.name = "BatchMatMul",
           .inputs = "x: T; y: T",
           .outputs = "output: T",
           .attrs = "T: {bfloat16, half, float, double, int32, int64, complex64, complex128}; adj_x: bool = false; adj_y: bool = false; "
                    "grad_x: bool = false; grad_y: bool = false",
           .infer = Infer<Form::kBatch>,
           .cpu = Make<Form::kBatch>});
  ops.Add({.name = "BatchMatMulV2",
           .inputs = "x: T; y: T",
           .outputs = "output: T",
           .attrs = "T: {bfloat16, half, float, double, int16, int32, int64, uint8, uint16, uint32, uint64, complex64, complex128}; "
                    "adj_x: bool = false; adj_y: bool = false; grad_x: bool = false; grad_y: bool = false",
           .infer = Infer<Form::kBroadcast>,
           .cpu = Make<Form::kBroadcast>});
  ops.Add({.name = "BatchMatMulV3",
           .inputs = "x: Ta; y: Tb",
           .outputs = "output: Tout",
           .attrs = "Ta: {bfloat16, half, float, double, uint8, int8, int16, int32, int64, complex64, complex128}; Tb: {bfloat16, half, float, "
                    "double, uint8, int8, int16, int32, int64, complex64, complex128}; Tout: {bfloat16, half, float, double, int16, int32, "
                    "int64, complex64, complex128}; adj_x: bool = false; adj_y: bool = false; grad_x: bool = false; grad_y: bool = false",
           .infer = Infer<Form::kBroadcast>,
           .cpu = Make<Form::kBroadcast>});
}

}  // namespace savedmodel
