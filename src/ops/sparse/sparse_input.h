// A sparse tensor as ops take it: a matrix of indices, a vector of values, the dense shape.
#ifndef SAVEDMODEL_OPS_SPARSE_SPARSE_INPUT_H_
#define SAVEDMODEL_OPS_SPARSE_SPARSE_INPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "savedmodel/op.h"

namespace savedmodel {

struct SparseInput {
  std::vector<int64_t> indices;  // n rows of rank columns
  int64_t n = 0;
  int rank = 0;
  TensorShape shape;  // valid()
  const Tensor* values = nullptr;

  const int64_t* row(int64_t i) const { return indices.data() + i * rank; }
  // InvalidArgument unless every index lies within the shape and, if `ordered`, each row is greater than the one before.
  absl::Status Check(bool ordered) const;
};

// Inputs i (indices), v (values) and s (shape); InvalidArgument unless they are a matrix, a vector and a vector that fit
// one another. Indices are not looked at.
absl::StatusOr<SparseInput> ReadSparse(const KernelContext& context, int i, int v, int s);
inline absl::StatusOr<SparseInput> ReadSparse(const KernelContext& context, int first) {
  return ReadSparse(context, first, first + 1, first + 2);
}

// The first index of each row of the matrix `indices`, for ops that take dense shapes of any size; InvalidArgument unless every
// index lies within `shape`, a vector of as many entries as the matrix has columns.
absl::StatusOr<std::vector<int64_t>> FirstIndices(const Tensor& indices, const Tensor& shape);

// Below 0, 0, above 0 as row `a` stands before, at or after row `b`.
int CompareRows(const int64_t* a, const int64_t* b, int rank);

// The rows' numbers in the order of their indices; rows that are equal keep their order.
std::vector<int64_t> SortedRows(const SparseInput& sparse);

// Output o, an int64 matrix of `rank` columns, and output o, an int64 vector of the dimensions.
absl::Status GiveIndices(KernelContext& context, int o, const std::vector<int64_t>& indices, int rank, int64_t n);
absl::Status GiveShape(KernelContext& context, int o, absl::Span<const int64_t> dims);
// Output o = these elements of a vector, in this order.
absl::Status GiveValues(KernelContext& context, int o, const Tensor& values, const std::vector<int64_t>& order);

// Outputs of a sparse result whose rank is that of the matrix of input `i`.
absl::Status InferSparseOutput(InferContext& context, int i, int first_output);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_SPARSE_SPARSE_INPUT_H_
