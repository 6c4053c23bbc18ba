// SelfAdjointEig, SelfAdjointEigV2 and Eig; complex64 is computed in complex128. Without compute_v, v is a scalar of 0.
#include <Eigen/Eigenvalues>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename W>
using ComplexOf = std::complex<typename Eigen::NumTraits<W>::Real>;

template <typename W>
using SelfAdjointSolver = Eigen::SelfAdjointEigenSolver<RowMajorMatrix<W>>;

double Cost(const Tensor& input) {
  const double n = static_cast<double>(input.dim(input.rank() - 1));
  return 10 * n * n * n;
}

absl::Status Failed(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat(what, " decomposition was not successful. The input might not be valid."));
}

// Decomposes one matrix into e (n x 1) and, if wanted, v (n x n).
template <typename W>
absl::Status SelfAdjoint(const RowMajorMatrix<W>& matrix, bool vectors, RowMajorMatrix<W>* e, RowMajorMatrix<W>* v) {
  const SelfAdjointSolver<W> solver(matrix, vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success) return Failed("Self-adjoint eigen");
  *e = solver.eigenvalues().template cast<W>();
  if (vectors) *v = solver.eigenvectors();
  return absl::OkStatus();
}

// One output: the values in row 0, the vectors below.
struct SelfAdjointEig {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_RETURN_IF_ERROR(CheckSquare(context));
    const Tensor& input = context.input(0);
    const TensorShape batch = BatchOf(input.shape());
    const int64_t n = input.dim(input.rank() - 1);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, Stacked(batch, {n + 1, n})));
    if (out->num_elements() == 0) return absl::OkStatus();
    return ForEachMatrix(context, batch.num_elements(), Cost(input), [&](int64_t i) -> absl::Status {
      RowMajorMatrix<T> values, vectors;
      SM_RETURN_IF_ERROR(SelfAdjoint<T>(MatrixAt<T>(input, i), true, &values, &vectors));
      MatrixView<T> to = MatrixAt<T>(out, i);
      to.row(0) = values.col(0).transpose();
      to.bottomRows(n) = vectors;
      return absl::OkStatus();
    });
  }
};

template <typename W>
absl::Status General(const RowMajorMatrix<W>& matrix, bool vectors, RowMajorMatrix<ComplexOf<W>>* e, RowMajorMatrix<ComplexOf<W>>* v) {
  using Solver = std::conditional_t<Eigen::NumTraits<W>::IsComplex, Eigen::ComplexEigenSolver<RowMajorMatrix<W>>, Eigen::EigenSolver<RowMajorMatrix<W>>>;
  if (!matrix.allFinite()) return Failed("Eigen");
  const Solver solver(matrix, vectors);
  if (solver.info() != Eigen::Success) return Failed("Eigen");
  *e = solver.eigenvalues();
  if (vectors) *v = solver.eigenvectors();
  return absl::OkStatus();
}

template <typename T, typename Out, bool kSelfAdjoint>
absl::Status Run(KernelContext& context, bool vectors) {
  SM_RETURN_IF_ERROR(CheckSquare(context));
  const Tensor& input = context.input(0);
  const TensorShape batch = BatchOf(input.shape());
  const int64_t n = input.dim(input.rank() - 1);
  SM_ASSIGN_OR_RETURN(Tensor* e, context.Output(0, Stacked(batch, {n})));
  SM_ASSIGN_OR_RETURN(Tensor* v, context.Output(1, vectors ? input.shape() : TensorShape()));
  if (!vectors) *v->data<Out>() = Out(0);
  if (input.num_elements() == 0) return absl::OkStatus();
  return ForEachMatrix(context, batch.num_elements(), Cost(input), [&](int64_t i) -> absl::Status {
    using W = Solved<T>;  // float as it is, since its rounding decides the signs of the vectors
    const RowMajorMatrix<W> matrix = MatrixAt<T>(input, i).template cast<W>();
    RowMajorMatrix<std::conditional_t<kSelfAdjoint, W, ComplexOf<W>>> own_values, own_vectors;
    if constexpr (kSelfAdjoint) {
      SM_RETURN_IF_ERROR(SelfAdjoint<W>(matrix, vectors, &own_values, &own_vectors));
    } else {
      SM_RETURN_IF_ERROR(General<W>(matrix, vectors, &own_values, &own_vectors));
    }
    MatrixAt<Out>(e, i, {n, 1}) = own_values.template cast<Out>();
    if (vectors) MatrixAt<Out>(v, i, {n, n}) = own_vectors.template cast<Out>();
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeSelfAdjoint(KernelInit& init) {
  const bool vectors = init.attrs().Bool("compute_v");
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([vectors](KernelContext& context) { return Run<T, T, true>(context, vectors); });
  });
}

absl::StatusOr<KernelPtr> MakeGeneral(KernelInit& init) {
  const bool vectors = init.attrs().Bool("compute_v");
  return Dispatch<MatrixTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    using Out = std::complex<typename Eigen::NumTraits<T>::Real>;
    SM_CHECK_ARGUMENT(init.output_dtype(0) == DataTypeOf<Out>::value, "Tout is ", DataTypeName(init.output_dtype(0)), ", must be ",
                      DataTypeName(DataTypeOf<Out>::value), " for an input of ", DataTypeName(init.input_dtype(0)));
    return MakeKernel([vectors](KernelContext& context) { return Run<T, Out, false>(context, vectors); });
  });
}

absl::Status Infer(InferContext& context) {
  const bool vectors = context.attrs().Bool("compute_v");
  PartialShape batch;
  int64_t rows, columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  if (!vectors) context.set_output(1, TensorShape());
  if (!known) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(int64_t n, SameSize(rows, columns));
  context.set_output(0, Stacked(batch, {n}));
  if (vectors) context.set_output(1, Stacked(batch, {n, n}));
  return absl::OkStatus();
}

absl::Status InferStacked(InferContext& context) {
  PartialShape batch;
  int64_t rows, columns;
  SM_ASSIGN_OR_RETURN(bool known, SplitMatrices(context, 0, &batch, &rows, &columns));
  if (!known) return absl::OkStatus();
  SM_ASSIGN_OR_RETURN(int64_t n, SameSize(rows, columns));
  context.set_output(0, Stacked(batch, {n < 0 ? -1 : n + 1, n}));
  return absl::OkStatus();
}

}  // namespace

void DefineEigenDecomposition(OpTable& ops) {
  for (const char* name : {"SelfAdjointEig", "BatchSelfAdjointEig"}) {
    ops.Add({.name = name,
             .inputs = "input: T",
             .outputs = "output: T",
             .attrs = name[0] == 'B' ? "T: {double, float}" : "T: {double, float, half}",
             .infer = InferStacked,
             .cpu = KernelOf<SelfAdjointEig, TypeList<float, double>>});
  }
  for (const char* name : {"SelfAdjointEigV2", "BatchSelfAdjointEigV2"}) {
    ops.Add({.name = name,
             .inputs = "input: T",
             .outputs = "e: T; v: T",
             .attrs = name[0] == 'B' ? "compute_v: bool = true; T: {double, float}"
                                     : "compute_v: bool = true; T: {double, float, half, complex64, complex128}",
             .infer = Infer,
             .cpu = MakeSelfAdjoint});
  }
  ops.Add({.name = "Eig",
           .inputs = "input: T",
           .outputs = "e: Tout; v: Tout",
           .attrs = "compute_v: bool = true; T: {float, double, complex64, complex128}; Tout: {complex64, complex128}",
           .infer = Infer,
           .cpu = MakeGeneral});
}

}  // namespace savedmodel
