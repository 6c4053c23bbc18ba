// MatrixSolveLs: least squares, by the normal equations (`fast`) or a complete orthogonal decomposition.
#include <Eigen/Cholesky>
#include <Eigen/QR>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename T>
absl::Status SolveNormal(const RowMajorMatrix<T>& matrix, const RowMajorMatrix<T>& rhs, double regularizer, RowMajorMatrix<T>& out) {
  const bool tall = matrix.rows() >= matrix.cols();
  const int64_t n = std::min(matrix.rows(), matrix.cols());
  RowMajorMatrix<T> gramian(n, n);
  if (tall) {
    gramian.template triangularView<Eigen::Lower>() = matrix.adjoint() * matrix;
  } else {
    gramian.template triangularView<Eigen::Lower>() = matrix * matrix.adjoint();
  }
  if (regularizer > 0) gramian.diagonal().array() += T(regularizer);
  const Eigen::LLT<Eigen::Ref<RowMajorMatrix<T>>, Eigen::Lower> llt(gramian);
  SM_CHECK_ARGUMENT(llt.info() == Eigen::Success,
                    "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger l2_regularizer > 0.");
  if (tall) {
    out.noalias() = matrix.adjoint() * rhs;
    llt.solveInPlace(out);
  } else {
    out.noalias() = matrix.adjoint() * llt.solve(rhs);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status Run(KernelContext& context, bool fast) {
  using W = std::complex<double>;  // of all dtypes: a seldom op, and a large solver
  SM_RETURN_IF_ERROR(CheckMatrices(context, 2));
  const Tensor &matrix = context.input(0), &rhs = context.input(1), &l2 = context.input(2);
  const MatrixSize size = MatrixSizeOf(matrix.shape()), rhs_size = MatrixSizeOf(rhs.shape());
  SM_CHECK_ARGUMENT(size.rows == rhs_size.rows, "Input matrix and rhs are incompatible: ", matrix.shape().ToString(), " vs. ",
                    rhs.shape().ToString());
  SM_CHECK_ARGUMENT(l2.rank() == 0, "l2_regularizer must be scalar, got shape ", l2.shape().ToString());
  const TensorShape batch = BatchOf(matrix.shape());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, Stacked(batch, {size.columns, rhs_size.columns})));
  if (batch.num_elements() == 0) return absl::OkStatus();
  const double regularizer = l2.scalar<double>();
  SM_CHECK_ARGUMENT(regularizer >= 0, "l2_regularizer must be >= 0.");
  if (out->num_elements() == 0) return absl::OkStatus();
  if (size.rows == 0) {
    std::fill(static_cast<char*>(out->raw()), static_cast<char*>(out->raw()) + out->bytes(), 0);
    return absl::OkStatus();
  }
  const double m = static_cast<double>(size.rows), n = static_cast<double>(size.columns);
  return ForEachMatrix(context, batch.num_elements(), m * n * std::min(m, n), [&](int64_t i) -> absl::Status {
    const RowMajorMatrix<W> a = MatrixAt<T>(matrix, i).template cast<W>(), b = MatrixAt<T>(rhs, i).template cast<W>();
    RowMajorMatrix<W> x(size.columns, rhs_size.columns);
    if (fast) {
      SM_RETURN_IF_ERROR(SolveNormal<W>(a, b, regularizer, x));
    } else {
      Eigen::CompleteOrthogonalDecomposition<RowMajorMatrix<W>> decomposition;
      decomposition.setThreshold(Eigen::NumTraits<T>::epsilon() * static_cast<double>(std::min(size.rows, size.columns)));  // T's, not W's, tells the rank
      decomposition.compute(a);
      x = decomposition.solve(b);
    }
    if constexpr (Eigen::NumTraits<T>::IsComplex) {
      MatrixAt<T>(out, i) = x.template cast<T>();
    } else {
      MatrixAt<T>(out, i) = x.real().template cast<T>();
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool fast = init.attrs().Bool("fast");
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([fast](KernelContext& context) { return Run<T>(context, fast); });
  });
}

absl::Status Infer(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 2, 0));
  PartialShape batch, rhs_batch;
  int64_t rows, columns, rhs_rows, rhs_columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  SM_ASSIGN_OR_RETURN(bool rhs_known, SplitMatrices(context, 1, &rhs_batch, &rhs_rows, &rhs_columns));
  SM_RETURN_IF_ERROR(SameSize(rows, rhs_rows).status());
  if (known && rhs_known) {
    SM_ASSIGN_OR_RETURN(batch, batch.MergeWith(rhs_batch));
  } else if (rhs_known) {
    batch = rhs_batch;
  }
  if (known || rhs_known) context.set_output(0, Stacked(batch, {columns, rhs_columns}));
  return absl::OkStatus();
}

}  // namespace

void DefineMatrixSolveLs(OpTable& ops) {
  ops.Add({.name = "MatrixSolveLs",
           .inputs = "matrix: T; rhs: T; l2_regularizer: double",
           .outputs = "output: T",
           .attrs = "T: {double, float, half, complex64, complex128}; fast: bool = true",
           .infer = Infer,
           .cpu = Make});
  ops.Add({.name = "BatchMatrixSolveLs",
           .inputs = "matrix: T; rhs: T; l2_regularizer: double",
           .outputs = "output: T",
           .attrs = "T: {double, float}; fast: bool = true",
           .infer = Infer,
           .cpu = Make});
}

}  // namespace savedmodel
