// Qr: Householder QR, computed in double or complex128.
#include <Eigen/QR>

#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// q and r get the element type T of the outputs, W is computed in.
template <typename T, typename W>
void Decompose(const RowMajorMatrix<W>& matrix, bool full, T* q, T* r) {
  const int64_t m = matrix.rows(), n = matrix.cols(), k = full ? m : std::min(m, n);
  RowMajorMatrix<W> unitary = RowMajorMatrix<W>::Identity(m, k), upper = RowMajorMatrix<W>::Zero(k, n);
  if (m > 0 && n > 0) {
    const Eigen::HouseholderQR<RowMajorMatrix<W>> qr(matrix);
    unitary = qr.householderQ() * unitary;
    upper.template triangularView<Eigen::Upper>() = qr.matrixQR().topRows(k).template triangularView<Eigen::Upper>();
  }
  const auto rounded = [](const W& w) { return static_cast<T>(w); };
  std::transform(unitary.data(), unitary.data() + unitary.size(), q, rounded);
  std::transform(upper.data(), upper.data() + upper.size(), r, rounded);
}

template <typename T>
absl::Status Run(KernelContext& context, bool full) {
  using W = std::conditional_t<std::is_same_v<T, Half>, double, Wide<T>>;
  SM_RETURN_IF_ERROR(CheckMatrices(context, 1));
  const Tensor& input = context.input(0);
  const TensorShape batch = BatchOf(input.shape());
  const MatrixSize size = MatrixSizeOf(input.shape());
  const int64_t m = size.rows, n = size.columns, k = full ? m : std::min(m, n);
  SM_ASSIGN_OR_RETURN(Tensor* q, context.Output(0, Stacked(batch, {m, k})));
  SM_ASSIGN_OR_RETURN(Tensor* r, context.Output(1, Stacked(batch, {k, n})));
  if (q->num_elements() == 0 && r->num_elements() == 0) return absl::OkStatus();
  const double cost = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(std::min(m, n));
  return ForEachMatrix(context, batch.num_elements(), cost, [&](int64_t i) {
    RowMajorMatrix<W> matrix(m, n);
    const T* from = input.data<T>() + i * m * n;
    std::copy(from, from + m * n, matrix.data());
    Decompose<T, W>(matrix, full, q->data<T>() + i * m * k, r->data<T>() + i * k * n);
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool full = init.attrs().Bool("full_matrices");
  return Dispatch<TypeList<float, double, Half, std::complex<float>, std::complex<double>>>(
      init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
        using T = typename decltype(tag)::type;
        return MakeKernel([full](KernelContext& context) { return Run<T>(context, full); });
      });
}

absl::Status Infer(InferContext& context) {
  PartialShape batch;
  int64_t m, n;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &m, &n));
  if (!known) return absl::OkStatus();
  const int64_t k = context.attrs().Bool("full_matrices") ? m : m < 0 || n < 0 ? -1 : std::min(m, n);
  context.set_output(0, Stacked(batch, {m, k}));
  context.set_output(1, Stacked(batch, {k, n}));
  return absl::OkStatus();
}

}  // namespace

void DefineQr(OpTable& ops) {
  ops.Add({.name = "Qr",
           .inputs = "input: T",
           .outputs = "q: T; r: T",
           .attrs = "full_matrices: bool = false; T: {double, float, half, complex64, complex128}",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
