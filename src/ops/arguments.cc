#include "ops/arguments.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"

namespace savedmodel {

absl::StatusOr<std::vector<int64_t>> IntsOf(const Tensor& tensor) {
  std::vector<int64_t> values(static_cast<size_t>(tensor.num_elements()));
  absl::Status status = DispatchAs<absl::Status, IntTypes>(tensor.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(tensor.data<T>()[i]);
    return absl::OkStatus();
  });
  SM_CHECK_ARGUMENT(status.ok(), "must hold integers, is ", DataTypeName(tensor.dtype()));
  return values;
}

absl::StatusOr<std::vector<int64_t>> IntVector(const KernelContext& context, int i, const char* name) {
  const Tensor& tensor = context.input(i);
  SM_CHECK_ARGUMENT(tensor.rank() <= 1, name, " must be a vector, has shape ", tensor.shape().ToString());
  return IntsOf(tensor);
}

absl::StatusOr<int64_t> IntScalar(const KernelContext& context, int i, const char* name) {
  const Tensor& tensor = context.input(i);
  SM_CHECK_ARGUMENT(tensor.num_elements() == 1, name, " must be a scalar, has shape ", tensor.shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntsOf(tensor));
  return values[0];
}

absl::StatusOr<TensorShape> ShapeInput(const KernelContext& context, int i, const char* name) {
  const Tensor& tensor = context.input(i);
  SM_CHECK_ARGUMENT(tensor.rank() == 1, name, " must be a vector, has shape ", tensor.shape().ToString());
  SM_CHECK_ARGUMENT(tensor.dtype() == DataType::kInt32 || tensor.dtype() == DataType::kInt64, name, " must be a vector of {int32,int64}, is ",
                    DataTypeName(tensor.dtype()));
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> dims, IntsOf(tensor));
  return TensorShape::Make(dims);
}

absl::StatusOr<int> NormalizeAxis(int64_t axis, int rank, const char* name) {
  SM_CHECK_ARGUMENT(axis >= -rank && axis < rank, name, " is ", axis, ", must be in the range [", -rank, ", ", rank, ")");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

absl::Status CheckRank(const KernelContext& context, int i, int rank, const char* name) {
  SM_CHECK_ARGUMENT(context.input(i).rank() == rank, name, " has shape ", context.input(i).shape().ToString(), ", must have rank ", rank);
  return absl::OkStatus();
}

absl::Status CheckScalar(const KernelContext& context, int i, const char* name) {
  SM_CHECK_ARGUMENT(context.input(i).rank() == 0, name, " must be a scalar, has shape ", context.input(i).shape().ToString());
  return absl::OkStatus();
}

}  // namespace savedmodel
