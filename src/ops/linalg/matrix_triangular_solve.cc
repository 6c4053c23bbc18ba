// MatrixTriangularSolve: forward or backward substitution; the batches broadcast. The other triangle is not read.
#include <Eigen/Core>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "ops/linalg/strided_copy.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename Matrix, typename Out>
void Solve(const Matrix& matrix, bool lower, bool adjoint, Out& out) {
  if (lower) {
    const auto triangle = matrix.template triangularView<Eigen::Lower>();
    adjoint ? triangle.adjoint().solveInPlace(out) : triangle.solveInPlace(out);
  } else {
    const auto triangle = matrix.template triangularView<Eigen::Upper>();
    adjoint ? triangle.adjoint().solveInPlace(out) : triangle.solveInPlace(out);
  }
}

template <typename T>
absl::Status Run(KernelContext& context, bool lower, bool adjoint) {
  const Tensor &matrix = context.input(0), &rhs = context.input(1);
  SM_CHECK_ARGUMENT(matrix.rank() >= 2, "In[0] ndims must be >= 2: ", matrix.rank());
  SM_CHECK_ARGUMENT(rhs.rank() >= 2, "In[1] ndims must be >= 2: ", rhs.rank());
  const MatrixSize size = MatrixSizeOf(matrix.shape()), rhs_size = MatrixSizeOf(rhs.shape());
  SM_CHECK_ARGUMENT(size.rows == size.columns, "In[0] matrices in the last dimensions must be square (", size.columns, " =/= ", size.rows, ")");
  const TensorShape matrix_batch = BatchOf(matrix.shape()), rhs_batch = BatchOf(rhs.shape());
  absl::StatusOr<TensorShape> batch = Broadcast(matrix_batch, rhs_batch);
  SM_CHECK_ARGUMENT(batch.ok(), "In[0] and In[1] must have compatible batch dimensions: ", matrix.shape().ToString(), " vs. ",
                    rhs.shape().ToString());
  SM_CHECK_ARGUMENT(size.rows == rhs_size.rows, "In[0] mismatch In[1] shape: ", size.rows, " vs. ", rhs_size.rows, ": ",
                    matrix.shape().ToString(), " ", rhs.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, Stacked(*batch, {rhs_size.rows, rhs_size.columns})));
  if (out->num_elements() == 0) return absl::OkStatus();
  const std::vector<int64_t> of_matrix = BroadcastIndices(*batch, matrix_batch), of_rhs = BroadcastIndices(*batch, rhs_batch);
  const double n = static_cast<double>(size.rows);
  return ForEachMatrix(context, batch->num_elements(), n * n * static_cast<double>(rhs_size.columns) / 2, [&](int64_t i) {
    MatrixView<T> to = MatrixAt<T>(out, i);
    if constexpr (std::is_same_v<T, Solved<T>>) {
      to = MatrixAt<T>(rhs, of_rhs[i]);
      Solve(MatrixAt<T>(matrix, of_matrix[i]), lower, adjoint, to);
    } else {
      const RowMajorMatrix<Solved<T>> wide = MatrixAt<T>(matrix, of_matrix[i]).template cast<Solved<T>>();
      RowMajorMatrix<Solved<T>> solution = MatrixAt<T>(rhs, of_rhs[i]).template cast<Solved<T>>();
      MatrixView<Solved<T>> solving(solution.data(), solution.rows(), solution.cols());
      Solve(ConstMatrixView<Solved<T>>(wide.data(), wide.rows(), wide.cols()), lower, adjoint, solving);
      to = solution.template cast<T>();
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool lower = init.attrs().Bool("lower"), adjoint = init.attrs().Bool("adjoint");
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([lower, adjoint](KernelContext& context) { return Run<T>(context, lower, adjoint); });
  });
}

absl::Status Infer(InferContext& context) {
  PartialShape batch, rhs_batch;
  int64_t rows, columns, rhs_rows, rhs_columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  SM_ASSIGN_OR_RETURN(bool rhs_known, SplitMatrices(context, 1, &rhs_batch, &rhs_rows, &rhs_columns));
  SM_ASSIGN_OR_RETURN(int64_t n, SameSize(rows, columns));
  SM_ASSIGN_OR_RETURN(n, SameSize(n, rhs_rows));
  if (!known || !rhs_known) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(batch, Broadcast(batch, rhs_batch));
  context.set_output(0, Stacked(batch, {n, rhs_columns}));
  return absl::OkStatus();
}

}  // namespace

void DefineMatrixTriangularSolve(OpTable& ops) {
  ops.Add({.name = "MatrixTriangularSolve",
           .inputs = "matrix: T; rhs: T",
           .outputs = "output: T",
           .attrs = "lower: bool = true; adjoint: bool = false; T: {bfloat16, double, float, half, complex64, complex128}",
           .infer = Infer,
           .cpu = Make});
  ops.Add({.name = "BatchMatrixTriangularSolve",
           .inputs = "matrix: T; rhs: T",
           .outputs = "output: T",
           .attrs = "lower: bool = true; adjoint: bool = false; T: {double, float}",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
