// Cholesky: the lower triangular factor of positive definite matrices; where there is none, NaN, of complex numbers 0.
#include <Eigen/Cholesky>
#include <limits>

#include "core/status_macros.h"
#include "ops/linalg/matrix_batch.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct Cholesky {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_RETURN_IF_ERROR(CheckSquare(context));
    const Tensor& input = context.input(0);
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, input.shape()));
    if (out->num_elements() == 0) return absl::OkStatus();
    const double n = static_cast<double>(input.dim(input.rank() - 1));
    return ForEachMatrix(context, BatchOf(input.shape()).num_elements(), n * n * n / 3, [&](int64_t i) {
      const Eigen::LLT<RowMajorMatrix<Solved<T>>> llt(MatrixAt<T>(input, i).template cast<Solved<T>>());
      if (llt.info() == Eigen::Success) {
        const RowMajorMatrix<Solved<T>> lower = llt.matrixL();
        MatrixAt<T>(out, i) = lower.template cast<T>();
      } else {
        MatrixAt<T>(out, i).setZero();
        MatrixAt<T>(out, i).template triangularView<Eigen::Lower>().fill(std::numeric_limits<T>::quiet_NaN());
      }
      return absl::OkStatus();
    });
  }
};

}  // namespace

void DefineCholesky(OpTable& ops) {
  ops.Add({.name = "Cholesky",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "T: {double, float, half, complex64, complex128}",
           .infer = SquareShape,
           .cpu = KernelOf<Cholesky, MatrixTypes>});
  ops.Add({.name = "BatchCholesky",
           .inputs = "input: T",
           .outputs = "output: T",
           .attrs = "T: {double, float}",
           .infer = SquareShape,
           .cpu = KernelOf<Cholesky, MatrixTypes>});
}

}  // namespace savedmodel
