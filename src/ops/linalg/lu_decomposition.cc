// What rests on the LU decomposition with partial pivoting: Lu, MatrixInverse, MatrixSolve, MatrixDeterminant and
// LogMatrixDeterminant.
#include <Eigen/LU>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename T>
using Decomposition = Eigen::PartialPivLU<RowMajorMatrix<T>>;

double Cube(const Tensor& tensor) {
  const double n = static_cast<double>(tensor.dim(tensor.rank() - 1));
  return n * n * n;
}

template <typename W>
absl::Status CheckInvertible(const Decomposition<W>& lu, const char* what) {
  SM_CHECK_ARGUMENT(lu.matrixLU().diagonal().cwiseAbs().minCoeff() > 0, what, " is not invertible.");
  return absl::OkStatus();
}

template <typename T>
Decomposition<Solved<T>> DecompositionOf(const Tensor& input, int64_t i, bool adjoint) {
  RowMajorMatrix<Solved<T>> matrix = MatrixAt<T>(input, i).template cast<Solved<T>>();
  if (adjoint) matrix.adjointInPlace();
  return Decomposition<Solved<T>>(matrix);
}

struct Lu {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_RETURN_IF_ERROR(CheckSquare(context));
    const Tensor& input = context.input(0);
    const TensorShape batch = BatchOf(input.shape());
    const int64_t n = input.dim(input.rank() - 1);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, input.shape()));
    SM_ASSIGN_OR_RETURN(Tensor* order, context.Output(1, Stacked(batch, {n})));
    if (out->num_elements() == 0) return absl::OkStatus();
    return ForEachMatrix(context, batch.num_elements(), Cube(input), [&](int64_t i) {
      const Decomposition<Solved<T>> lu(MatrixAt<T>(input, i).template cast<Solved<T>>());
      MatrixAt<T>(out, i) = lu.matrixLU().template cast<T>();
      const auto permutation = lu.permutationP().transpose().eval();
      for (int64_t row = 0; row < n; ++row) {
        if (order->dtype() == DataType::kInt32) {
          order->data<int32_t>()[i * n + row] = static_cast<int32_t>(permutation.indices()[row]);
        } else {
          order->data<int64_t>()[i * n + row] = permutation.indices()[row];
        }
      }
      return CheckInvertible(lu, "Input");
    });
  }
};

template <typename T>
absl::Status Invert(const Tensor& input, Tensor* out, int64_t i, bool adjoint) {
  const Decomposition<Solved<T>> lu = DecompositionOf<T>(input, i, adjoint);
  SM_RETURN_IF_ERROR(CheckInvertible(lu, "Input"));
  MatrixAt<T>(out, i) = lu.inverse().template cast<T>();
  return absl::OkStatus();
}

template <typename T>
absl::Status Inverse(KernelContext& context, bool adjoint) {
  SM_RETURN_IF_ERROR(CheckSquare(context));
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, input.shape()));
  if (out->num_elements() == 0) return absl::OkStatus();
  return ForEachMatrix(context, BatchOf(input.shape()).num_elements(), 2 * Cube(input),
                       [&](int64_t i) { return Invert<T>(input, out, i, adjoint); });
}

// half is inverted in float.
absl::Status InverseOfHalf(KernelContext& context, bool adjoint) {
  SM_RETURN_IF_ERROR(CheckSquare(context));
  const Tensor& input = context.input(0);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, input.shape()));
  if (out->num_elements() == 0) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(Tensor wide, context.Scratch(DataType::kFloat, input.shape()));
  SM_ASSIGN_OR_RETURN(Tensor inverse, context.Scratch(DataType::kFloat, input.shape()));
  for (int64_t i = 0; i < wide.num_elements(); ++i) wide.data<float>()[i] = input.data<Half>()[i];
  SM_RETURN_IF_ERROR(ForEachMatrix(context, BatchOf(input.shape()).num_elements(), 2 * Cube(input),
                                   [&](int64_t i) { return Invert<float>(wide, &inverse, i, adjoint); }));
  for (int64_t i = 0; i < wide.num_elements(); ++i) out->data<Half>()[i] = inverse.data<float>()[i];
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeInverse(KernelInit& init) {
  const bool adjoint = init.attrs().Bool("adjoint");
  if (init.input_dtype(0) == DataType::kHalf) {
    return MakeKernel([adjoint](KernelContext& context) { return InverseOfHalf(context, adjoint); });
  }
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([adjoint](KernelContext& context) { return Inverse<T>(context, adjoint); });
  });
}

template <typename T>
absl::Status Solve(KernelContext& context, bool adjoint) {
  SM_RETURN_IF_ERROR(CheckMatrices(context, 2));
  const Tensor &matrix = context.input(0), &rhs = context.input(1);
  const MatrixSize size = MatrixSizeOf(matrix.shape()), rhs_size = MatrixSizeOf(rhs.shape());
  SM_CHECK_ARGUMENT(size.rows == size.columns, "First input (lhs) must be a square matrix, has shape ", matrix.shape().ToString());
  SM_CHECK_ARGUMENT(size.rows == rhs_size.rows, "Input matrix and rhs are incompatible: ", matrix.shape().ToString(), " vs. ",
                    rhs.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, rhs.shape()));
  if (out->num_elements() == 0) return absl::OkStatus();
  return ForEachMatrix(context, BatchOf(matrix.shape()).num_elements(), Cube(matrix), [&](int64_t i) -> absl::Status {
    using W = Solved<T>;
    const Decomposition<W> lu = DecompositionOf<T>(matrix, i, adjoint);
    SM_RETURN_IF_ERROR(CheckInvertible(lu, "Input matrix"));
    const RowMajorMatrix<W> solution = lu.solve(RowMajorMatrix<W>(MatrixAt<T>(rhs, i).template cast<W>()));
    MatrixAt<T>(out, i) = solution.template cast<T>();
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeSolve(KernelInit& init) {
  const bool adjoint = init.attrs().Bool("adjoint");
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([adjoint](KernelContext& context) { return Solve<T>(context, adjoint); });
  });
}

// Sign (a unit number) and logarithm of the absolute value of the determinant.
template <typename T, typename W = Solved<T>>
std::pair<W, typename Eigen::NumTraits<W>::Real> LogDeterminant(const ConstMatrixView<T>& matrix) {
  if (matrix.size() == 0) return {W(1), 0};
  const Decomposition<W> lu(matrix.template cast<W>());
  const auto diagonal = lu.matrixLU().diagonal().array().eval();
  const W sign = static_cast<W>(lu.permutationP().determinant()) * diagonal.sign().prod();
  return {sign, diagonal.cwiseAbs().log().sum()};
}

struct Determinant {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_RETURN_IF_ERROR(CheckSquare(context));
    const Tensor& input = context.input(0);
    const TensorShape batch = BatchOf(input.shape());
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, batch));
    Tensor* logarithm = nullptr;
    if (context.num_outputs() == 2) {
      SM_ASSIGN_OR_RETURN(logarithm, context.Output(1, batch));
    }
    return ForEachMatrix(context, batch.num_elements(), Cube(input), [&](int64_t i) {
      const auto [sign, log_absolute] = LogDeterminant<T>(MatrixAt<T>(input, i));
      out->data<T>()[i] = static_cast<T>(logarithm == nullptr ? sign * std::exp(log_absolute) : sign);
      if (logarithm != nullptr) logarithm->data<T>()[i] = static_cast<T>(log_absolute);
      return absl::OkStatus();
    });
  }
};

absl::Status LuShape(InferContext& context) {
  PartialShape batch;
  int64_t rows, columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  if (!known) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(int64_t n, SameSize(rows, columns));
  context.set_output(0, Stacked(batch, {n, n}));
  context.set_output(1, Stacked(batch, {n}));
  return absl::OkStatus();
}

absl::Status BatchShape(InferContext& context) {
  PartialShape batch;
  int64_t rows, columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  if (!known) return absl::OkStatus();
  SM_RETURN_IF_ERROR(SameSize(rows, columns).status());
  for (int i = 0; i < context.num_outputs(); ++i) context.set_output(i, batch);
  return absl::OkStatus();
}

absl::Status SolveShape(InferContext& context) {
  PartialShape batch, rhs_batch;
  int64_t rows, columns, rhs_rows, rhs_columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  SM_ASSIGN_OR_RETURN(bool rhs_known, SplitMatrices(context, 1, &rhs_batch, &rhs_rows, &rhs_columns));
  SM_ASSIGN_OR_RETURN(int64_t n, SameSize(rows, columns));
  SM_ASSIGN_OR_RETURN(n, SameSize(n, rhs_rows));
  if (known && rhs_known) {
    SM_ASSIGN_OR_RETURN(batch, batch.MergeWith(rhs_batch));
  } else if (rhs_known) {
    batch = rhs_batch;
  }
  if (known || rhs_known) context.set_output(0, Stacked(batch, {n, rhs_columns}));
  return absl::OkStatus();
}

constexpr char kAdjointTypes[] = "adjoint: bool = false; T: {double, float, half, complex64, complex128}";

}  // namespace

void DefineLuDecomposition(OpTable& ops) {
  ops.Add({.name = "Lu",
           .inputs = "input: T",
           .outputs = "lu: T; p: output_idx_type",
           .attrs = "T: {double, float, half, complex64, complex128}; output_idx_type: {int32, int64} = DT_INT32",
           .infer = LuShape,
           .cpu = KernelOf<Lu, MatrixTypes>});
  for (const char* name : {"MatrixInverse", "BatchMatrixInverse"}) {
    ops.Add({.name = name,
             .inputs = "input: T",
             .outputs = "output: T",
             .attrs = name[0] == 'B' ? "adjoint: bool = false; T: {double, float}" : kAdjointTypes,
             .infer = SquareShape,
             .cpu = MakeInverse});
  }
  for (const char* name : {"MatrixSolve", "BatchMatrixSolve"}) {
    ops.Add({.name = name,
             .inputs = "matrix: T; rhs: T",
             .outputs = "output: T",
             .attrs = name[0] == 'B' ? "adjoint: bool = false; T: {double, float}" : kAdjointTypes,
             .infer = SolveShape,
             .cpu = MakeSolve});
  }
  for (const char* name : {"MatrixDeterminant", "BatchMatrixDeterminant"}) {
    ops.Add({.name = name,
             .inputs = "input: T",
             .outputs = "output: T",
             .attrs = name[0] == 'B' ? "T: {float, double, complex64, complex128}" : "T: {half, float, double, complex64, complex128}",
             .infer = BatchShape,
             .cpu = KernelOf<Determinant, MatrixTypes>});
  }
  ops.Add({.name = "LogMatrixDeterminant",
           .inputs = "input: T",
           .outputs = "sign: T; log_abs_determinant: T",
           .attrs = "T: {half, float, double, complex64, complex128}",
           .infer = BatchShape,
           .cpu = KernelOf<Determinant, MatrixTypes>});
}

}  // namespace savedmodel
