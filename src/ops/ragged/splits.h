// Row splits: row i of a ragged tensor has the values [splits[i], splits[i + 1]).
#ifndef SAVEDMODEL_OPS_RAGGED_SPLITS_H_
#define SAVEDMODEL_OPS_RAGGED_SPLITS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "savedmodel/op.h"

namespace savedmodel {

// InvalidArgument unless these are a vector that begins with 0, never falls, and ends with `num_values` (-1: any end).
absl::StatusOr<std::vector<int64_t>> SplitsOf(const Tensor& tensor, int64_t num_values);

// The row of each of `num_values` values, for ops that only want of splits, of any rank, that they begin with 0 and end with
// `num_values`: where they fall in between, a value is in the row after the last end that it lies behind.
struct RowsOfValues {
  std::vector<int64_t> rows;
  int64_t num_rows;
};
absl::StatusOr<RowsOfValues> RowsBySplits(const Tensor& splits, int64_t num_values);

// Output o = these integers under `shape`, as the output's dtype; InvalidArgument where int32 cannot hold them.
absl::Status GiveInts(KernelContext& context, int o, const TensorShape& shape, const std::vector<int64_t>& values);
inline absl::Status GiveInts(KernelContext& context, int o, const std::vector<int64_t>& values) {
  return GiveInts(context, o, {static_cast<int64_t>(values.size())}, values);
}
// A tensor of these integers.
absl::StatusOr<Tensor> IntTensor(DataType type, const std::vector<int64_t>& values);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_RAGGED_SPLITS_H_
