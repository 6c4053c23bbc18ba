#include "ops/sparse/sparse_input.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"

namespace savedmodel {

absl::Status SparseInput::Check(bool ordered) const {
  for (int64_t i = 0; i < n; ++i) {
    for (int d = 0; d < rank; ++d) {
      SM_CHECK_ARGUMENT(row(i)[d] >= 0 && row(i)[d] < shape.dim(d), "indices[", i, "] = [",
                        absl::StrJoin(absl::MakeSpan(row(i), static_cast<size_t>(rank)), ","), "] is out of bounds: need 0 <= index < ",
                        shape.ToString());
    }
    if (!ordered || i == 0) continue;
    const int order = CompareRows(row(i - 1), row(i), rank);
    SM_CHECK_ARGUMENT(order < 0, "indices[", i, "] = [", absl::StrJoin(absl::MakeSpan(row(i), static_cast<size_t>(rank)), ","),
                      order == 0 ? "] is repeated" : "] is out of order. Many sparse ops require sorted indices.");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> FirstIndices(const Tensor& indices, const Tensor& shape) {
  const int64_t rank = shape.num_elements();
  std::vector<int64_t> first;
  for (int64_t i = 0; i < indices.num_elements(); ++i) {
    const int64_t index = indices.data<int64_t>()[i], size = shape.data<int64_t>()[i % rank];
    SM_CHECK_ARGUMENT(index >= 0 && index < size, "Invalid index value at ", i / rank, ": dimension ", i % rank, " has value ", index,
                      " which is not in [0, ", size, ")");
    if (i % rank == 0) first.push_back(index);
  }
  return first;
}

absl::StatusOr<SparseInput> ReadSparse(const KernelContext& context, int i, int v, int s) {
  const Tensor &indices = context.input(i), &values = context.input(v), &shape = context.input(s);
  SM_CHECK_ARGUMENT(indices.rank() == 2, "Input indices should be a matrix but received shape ", indices.shape().ToString());
  SM_CHECK_ARGUMENT(values.rank() == 1, "Input values should be a vector but received shape ", values.shape().ToString());
  SM_CHECK_ARGUMENT(shape.rank() == 1, "Input shape should be a vector but received shape ", shape.shape().ToString());
  SM_CHECK_ARGUMENT(indices.dim(0) == values.dim(0), "Number of elements in indices (", indices.dim(0), ") and values (", values.dim(0),
                    ") do not match");
  SM_CHECK_ARGUMENT(indices.dim(1) == shape.dim(0), "Index rank (", indices.dim(1), ") and shape rank (", shape.dim(0), ") do not match.");
  SparseInput sparse;
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> dims, IntsOf(shape));
  SM_ASSIGN_OR_RETURN(sparse.shape, TensorShape::Make(dims));
  SM_ASSIGN_OR_RETURN(sparse.indices, IntsOf(indices));
  sparse.n = values.dim(0);
  sparse.rank = static_cast<int>(dims.size());
  sparse.values = &values;
  return sparse;
}

int CompareRows(const int64_t* a, const int64_t* b, int rank) {
  for (int d = 0; d < rank; ++d) {
    if (a[d] != b[d]) return a[d] < b[d] ? -1 : 1;
  }
  return 0;
}

std::vector<int64_t> SortedRows(const SparseInput& sparse) {
  std::vector<int64_t> order(static_cast<size_t>(sparse.n));
  std::iota(order.begin(), order.end(), 0);
  auto less = [&](int64_t a, int64_t b) { return CompareRows(sparse.row(a), sparse.row(b), sparse.rank) < 0; };
  if (!std::is_sorted(order.begin(), order.end(), less)) std::stable_sort(order.begin(), order.end(), less);
  return order;
}

absl::Status GiveIndices(KernelContext& context, int o, const std::vector<int64_t>& indices, int rank, int64_t n) {
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, {n, rank}));
  std::copy(indices.begin(), indices.end(), out->data<int64_t>());
  return absl::OkStatus();
}

absl::Status GiveShape(KernelContext& context, int o, absl::Span<const int64_t> dims) {
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, {static_cast<int64_t>(dims.size())}));
  std::copy(dims.begin(), dims.end(), out->data<int64_t>());
  return absl::OkStatus();
}

absl::Status GiveValues(KernelContext& context, int o, const Tensor& values, const std::vector<int64_t>& order) {
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, {static_cast<int64_t>(order.size())}));
  return DispatchBySize(values.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < order.size(); ++i) out->data<T>()[i] = values.data<T>()[order[i]];
    return absl::OkStatus();
  });
}

absl::Status InferSparseOutput(InferContext& context, int i, int first_output) {
  const int64_t rank = context.input(i).rank() == 2 ? context.input(i).dim(1) : -1;
  context.set_output(first_output, PartialShape::Of({-1, rank}));
  context.set_output(first_output + 1, PartialShape::UnknownOfRank(1));
  if (first_output + 2 < context.num_outputs()) context.set_output(first_output + 2, PartialShape::Of({rank}));
  return absl::OkStatus();
}

}  // namespace savedmodel
