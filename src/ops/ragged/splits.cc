#include "ops/ragged/splits.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"

namespace savedmodel {
namespace {

absl::Status Write(const std::vector<int64_t>& values, Tensor* out) {
  if (out->dtype() == DataType::kInt64) {
    std::copy(values.begin(), values.end(), out->data<int64_t>());
    return absl::OkStatus();
  }
  for (size_t i = 0; i < values.size(); ++i) {
    SM_CHECK_ARGUMENT(values[i] >= INT32_MIN && values[i] <= INT32_MAX, values[i], " does not fit int32");
    out->data<int32_t>()[i] = static_cast<int32_t>(values[i]);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<int64_t>> SplitsOf(const Tensor& tensor, int64_t num_values) {
  SM_CHECK_ARGUMENT(tensor.rank() == 1, "Invalid ragged splits: ragged splits must be rank 1 but is rank ", tensor.rank());
  SM_CHECK_ARGUMENT(tensor.num_elements() > 0, "Invalid ragged splits: ragged splits may not be empty");
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> splits, IntsOf(tensor));
  SM_CHECK_ARGUMENT(splits[0] == 0, "Invalid ragged splits: first element of ragged splits must be 0 but is ", splits[0]);
  for (size_t i = 1; i < splits.size(); ++i) {
    SM_CHECK_ARGUMENT(splits[i] >= splits[i - 1],
                      "Invalid ragged splits: ragged splits must be monotonically increasing, but ragged_splits[", i, "]=", splits[i],
                      " is smaller than row_splits[", i - 1, "]=", splits[i - 1]);
  }
  SM_CHECK_ARGUMENT(num_values < 0 || splits.back() == num_values,
                    "Invalid ragged splits: last element of ragged splits must be the number of ragged values(", num_values, ") but is ",
                    splits.back());
  return splits;
}

absl::StatusOr<RowsOfValues> RowsBySplits(const Tensor& tensor, int64_t num_values) {
  SM_CHECK_ARGUMENT(tensor.num_elements() > 0, "Splits must be non-empty");
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> splits, IntsOf(tensor));
  SM_CHECK_ARGUMENT(splits[0] == 0, "Splits must start with 0, not with ", splits[0]);
  SM_CHECK_ARGUMENT(splits.back() == num_values, "Splits must end with the number of values, got ", splits.back(), " instead of ", num_values);
  RowsOfValues made{std::vector<int64_t>(static_cast<size_t>(num_values)), static_cast<int64_t>(splits.size()) - 1};
  size_t end = 0;  // the last end lies above every value
  for (int64_t i = 0; i < num_values; ++i) {
    while (i >= splits[end]) ++end;
    made.rows[static_cast<size_t>(i)] = static_cast<int64_t>(end) - 1;
  }
  return made;
}

absl::Status GiveInts(KernelContext& context, int o, const TensorShape& shape, const std::vector<int64_t>& values) {
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, shape));
  return Write(values, out);
}

absl::StatusOr<Tensor> IntTensor(DataType type, const std::vector<int64_t>& values) {
  SM_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type, {static_cast<int64_t>(values.size())}));
  SM_RETURN_IF_ERROR(Write(values, &tensor));
  return tensor;
}

}  // namespace savedmodel
