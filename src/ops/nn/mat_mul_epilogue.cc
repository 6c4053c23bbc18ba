// _MatMulEpilogue: what the fusing passes make of a float product with a matrix known before the run:
// activation(a x b + bias + residual), a [..., k], b [k, n] (or [n, k] transposed). Attribute `tail` gives the output's
// last dimensions where they are not just n (Einsum "abc,cde->abde"). On devices a may be half or bfloat16, and the output float all the same.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "ops/nn/epilogue_attrs.h"
#include "ops/nn/shared_matrix.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// The output's shape for a's; `contracted` last dimensions of a are summed over.
template <typename Shape>
void AppendTail(const std::vector<int64_t>& tail, Shape* shape) {
  for (int64_t d : tail) shape->AddDim(d);
}

class MatMulEpilogueKernel final : public Kernel {
 public:
  MatMulEpilogueKernel(EpilogueAttrs epilogue, std::vector<int64_t> tail, int contracted,
                       std::shared_ptr<const PackedLater<PackedMatrix>> weights)
      : epilogue_(epilogue), tail_(std::move(tail)), contracted_(contracted), weights_(std::move(weights)), layout_(weights_->either().layout()) {}

  absl::Status Run(KernelContext& context) const override {
    const Tensor& a = context.input(0);
    SM_CHECK_ARGUMENT(a.rank() >= contracted_ && a.shape().Product(a.rank() - contracted_, a.rank()) == layout_.inner,
                      "Matrix size-incompatible: In[0]: ", a.shape().ToString(), ", In[1]: [", layout_.inner, ",", layout_.n, "]");
    TensorShape shape(a.shape().dims().subspan(0, static_cast<size_t>(a.rank() - contracted_)));
    const int64_t m = shape.num_elements();
    AppendTail(tail_, &shape);
    SM_ASSIGN_OR_RETURN(Tensor * out, context.Output(0, shape));
    if (out->num_elements() == 0) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(Epilogue epilogue, MakeEpilogue(context, epilogue_, layout_.n, shape));
    if (!layout_.bf16) epilogue.scale = epilogue_.factors();
    const PackedMatrix& weights = weights_->Get(context.pool());
    Tensor scratch;
    if (const int64_t bytes = MixedGemmScratchBytes(m, weights); bytes > 0) {
      SM_ASSIGN_OR_RETURN(scratch, context.Scratch(DataType::kUInt8, {bytes}));
    }
    MixedGemm(m, a.data<float>(), layout_.inner, weights, epilogue, out->data<float>(), layout_.n, static_cast<float*>(scratch.raw()),
              context.pool());
    return absl::OkStatus();
  }

 private:
  const EpilogueAttrs epilogue_;
  const std::vector<int64_t> tail_;
  const int contracted_;
  const std::shared_ptr<const PackedLater<PackedMatrix>> weights_;
  const PanelLayout layout_;
};

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("the CPU computes this in float32 alone");
  const Tensor* b = init.constant(1);
  if (b == nullptr) return absl::UnimplementedError("the fused product wants a matrix known before the run");
  SM_ASSIGN_OR_RETURN(EpilogueAttrs epilogue, ReadEpilogueAttrs(init.attrs()));
  const std::vector<int64_t>& tail = init.attrs().Ints("tail");
  const bool transposed = init.attrs().Bool("transpose_b");
  const int64_t k = init.attrs().Int("k");
  SM_CHECK_ARGUMENT(k > 0 && b->num_elements() % k == 0, "the matrix has ", b->num_elements(), " elements, not rows of ", k);
  const int64_t n = b->num_elements() / k;
  SM_CHECK_ARGUMENT(epilogue.factor.num_elements() == n || !epilogue.factor.initialized(), "the factor has ", epilogue.factor.num_elements(), " numbers, wants ", n);
  SM_ASSIGN_OR_RETURN(std::shared_ptr<const PackedLater<PackedMatrix>> weights, MatrixPackedLater(init, *b, k, transposed, epilogue));
  return KernelPtr(std::make_unique<MatMulEpilogueKernel>(epilogue, tail, static_cast<int>(init.attrs().Int("contracted")),
                                                          std::move(weights)));
}

absl::Status Infer(InferContext& context) {
  const PartialShape& a = context.input(0);
  const int contracted = static_cast<int>(context.attrs().Int("contracted"));
  if (!a.known_rank() || a.rank() < contracted) return absl::OkStatus();
  PartialShape shape = PartialShape::Of(a.dims().subspan(0, static_cast<size_t>(a.rank() - contracted)));
  AppendTail(context.attrs().Ints("tail"), &shape);
  context.set_output(0, shape);
  return absl::OkStatus();
}

}  // namespace

void DefineMatMulEpilogue(OpTable& ops) {
  ops.Add({.name = "_MatMulEpilogue",
           .inputs = "a: T; b: float; args: num_args * Tout",
           .outputs = "output: Tout",
           .attrs = "T: {float, half, bfloat16}; Tout: {float, half, bfloat16} = DT_FLOAT; num_args: int >= 0; k: int >= 1; contracted: int >= 1; tail: list(int); transpose_b: bool = false; bias: bool; "
                    "residual: bool; bfloat16: bool = false; activation: string = ''; alpha: float = 0.0",
           .infer = Infer,
           .cpu = Make,
           .replaces = ResidualInput});
}

}  // namespace savedmodel
