// What the decompositions and solvers share: a tensor of rank >= 2 as a batch of matrices.
#ifndef SAVEDMODEL_OPS_LINALG_MATRIX_BATCH_H_
#define SAVEDMODEL_OPS_LINALG_MATRIX_BATCH_H_

#include <Eigen/Core>
#include <complex>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include "absl/functional/function_ref.h"
#include "ops/dispatch.h"
#include "savedmodel/op.h"

namespace savedmodel {

template <typename T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using MatrixView = Eigen::Map<RowMajorMatrix<T>>;
template <typename T>
using ConstMatrixView = Eigen::Map<const RowMajorMatrix<T>>;

using MatrixTypes = TypeList<float, double, std::complex<float>, std::complex<double>>;

// Solvers are long to compile and large: those of complex numbers exist for complex128 only, some of real ones for double only.
template <typename T>
using Solved = std::conditional_t<std::is_same_v<T, std::complex<float>>, std::complex<double>, T>;
template <typename T>
using Wide = std::conditional_t<Eigen::NumTraits<T>::IsComplex, std::complex<double>, double>;

struct MatrixSize {
  int64_t rows = 0, columns = 0;
  int64_t elements() const { return rows * columns; }
};

// The size of the matrices in a tensor of rank >= 2, and how many there are.
MatrixSize MatrixSizeOf(const TensorShape& shape);
TensorShape BatchOf(const TensorShape& shape);

// Matrix i of a tensor of rank >= 2.
template <typename T>
ConstMatrixView<T> MatrixAt(const Tensor& tensor, int64_t i) {
  const MatrixSize size = MatrixSizeOf(tensor.shape());
  return ConstMatrixView<T>(tensor.data<T>() + i * size.elements(), size.rows, size.columns);
}
template <typename T>
MatrixView<T> MatrixAt(Tensor* tensor, int64_t i, const MatrixSize& size) {
  return MatrixView<T>(tensor->data<T>() + i * size.elements(), size.rows, size.columns);
}
template <typename T>
MatrixView<T> MatrixAt(Tensor* tensor, int64_t i) {
  return MatrixAt<T>(tensor, i, MatrixSizeOf(tensor->shape()));
}

// InvalidArgument unless the first `count` inputs have one rank >= 2 and the same batch dimensions.
absl::Status CheckMatrices(const KernelContext& context, int count);
// The same for one input of square matrices.
absl::Status CheckSquare(const KernelContext& context);

// `batch`, then `dims`.
TensorShape Stacked(const TensorShape& batch, std::initializer_list<int64_t> dims);

// Calls work(i) for the matrices [0, count), in parallel where `cost` (operations for one of them) is worth it. Gives the
// first error.
absl::Status ForEachMatrix(KernelContext& context, int64_t count, double cost, absl::FunctionRef<absl::Status(int64_t i)> work);

// Shape rule: output 0 is input 0, square matrices.
absl::Status SquareShape(InferContext& context);
// Splits input i of rank >= 2 (false if the rank is unknown); InvalidArgument below 2.
absl::StatusOr<bool> SplitMatrices(InferContext& context, int i, PartialShape* batch, int64_t* rows, int64_t* columns);
// InvalidArgument unless the two may be equal; gives what is known.
absl::StatusOr<int64_t> SameSize(int64_t a, int64_t b);
// `batch`, then `dims`.
PartialShape Stacked(const PartialShape& batch, std::initializer_list<int64_t> dims);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_LINALG_MATRIX_BATCH_H_
