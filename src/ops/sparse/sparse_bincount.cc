// SparseBincount, RaggedBincount: how often each value occurs, or the sum of its weights, in all or in each row. Values from
// `size` on are left out.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/ragged/splits.h"
#include "ops/shape_rules.h"
#include "ops/sparse/sparse_input.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// Counts values[i] in row rows[i] (all in row 0 when `rows` is empty). Negative values are refused, or left out.
template <typename T>
absl::Status Count(const std::vector<int64_t>& values, const std::vector<int64_t>& rows, int64_t size, const Tensor& weights, bool binary,
                   bool refuse, Tensor* out) {
  T* counts = out->data<T>();
  std::fill_n(counts, out->num_elements(), T(0));
  for (size_t i = 0; i < values.size(); ++i) {
    SM_CHECK_ARGUMENT(!refuse || values[i] >= 0, "Input must be non-negative, found ", values[i]);
    if (values[i] < 0 || values[i] >= size) continue;
    T& count = counts[(rows.empty() ? 0 : rows[i]) * size + values[i]];
    if (binary) {
      count = T(1);
    } else if constexpr (std::is_integral_v<T>) {
      using U = std::make_unsigned_t<T>;
      count = static_cast<T>(static_cast<U>(count) + (weights.num_elements() > 0 ? static_cast<U>(weights.data<T>()[i]) : U(1)));
    } else {
      count += weights.num_elements() > 0 ? weights.data<T>()[i] : T(1);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SizeInput(const KernelContext& context, int i) {
  SM_CHECK_ARGUMENT(context.input(i).rank() == 0, "Shape must be rank 0 but is rank ", context.input(i).rank(), " for size");
  SM_ASSIGN_OR_RETURN(int64_t size, IntScalar(context, i, "size"));
  SM_CHECK_ARGUMENT(size >= 0, "size (", size, ") must be non-negative");
  return size;
}

absl::Status CheckWeights(const Tensor& weights, int64_t n) {
  SM_CHECK_ARGUMENT(weights.num_elements() == 0 || weights.num_elements() == n, "weights must be empty or have the size of values, ", n,
                    ", has shape ", weights.shape().ToString());
  return absl::OkStatus();
}

struct Ragged {
  template <typename T>
  static absl::Status Run(KernelContext& context, bool binary) {
    const Tensor &splits_tensor = context.input(0), &weights = context.input(3);
    SM_ASSIGN_OR_RETURN(int64_t size, SizeInput(context, 2));
    SM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntsOf(context.input(1)));
    SM_ASSIGN_OR_RETURN(const RowsOfValues by_row, RowsBySplits(splits_tensor, static_cast<int64_t>(values.size())));
    SM_RETURN_IF_ERROR(CheckWeights(weights, static_cast<int64_t>(values.size())));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {by_row.num_rows, size}));
    return Count<T>(values, by_row.rows, size, weights, binary, true, out);
  }
};

struct Sparse {
  template <typename T>
  static absl::Status Run(KernelContext& context, bool binary) {
    const Tensor &indices = context.input(0), &shape = context.input(2), &weights = context.input(4);
    SM_ASSIGN_OR_RETURN(int64_t size, SizeInput(context, 3));
    SM_ASSIGN_OR_RETURN(std::vector<int64_t> values, IntsOf(context.input(1)));
    const int64_t n = static_cast<int64_t>(values.size());
    SM_CHECK_ARGUMENT(indices.rank() == 2 && indices.dim(0) == n, "indices must be a matrix with a row per value, is ",
                      indices.shape().ToString(), " for ", n, " values");
    SM_CHECK_ARGUMENT(shape.rank() == 1 && shape.dim(0) == indices.dim(1), "dense_shape must be a vector of ", indices.dim(1), ", is ",
                      shape.shape().ToString());
    SM_RETURN_IF_ERROR(CheckWeights(weights, n));
    const int64_t rank = shape.dim(0);
    SM_ASSIGN_OR_RETURN(const std::vector<int64_t> rows, FirstIndices(indices, shape));
    if (rank == 1) {
      SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {size}));
      return Count<T>(values, {}, size, weights, binary, true, out);
    }
    SM_CHECK_ARGUMENT(rank > 0, "dense_shape must not be empty");
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {shape.data<int64_t>()[0], size}));
    return Count<T>(values, rows, size, weights, binary, false, out);
  }
};

using CountTypes = TypeList<int32_t, int64_t, float, double>;

template <typename Op>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool binary = init.attrs().Bool("binary_output");
  return Dispatch<CountTypes>(init.output_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([binary](KernelContext& context) { return Op::template Run<T>(context, binary); });
  });
}

int64_t ConstantSize(InferContext& context, int i) {
  std::vector<int64_t> size;
  return ConstantInts(context, i, &size) && size.size() == 1 && size[0] >= 0 ? size[0] : -1;
}

absl::Status InferRagged(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 2, 0));
  const int64_t splits = context.input(0).rank() == 1 ? context.input(0).dim(0) : -1;
  context.set_output(0, PartialShape::Of({splits >= 1 ? splits - 1 : -1, ConstantSize(context, 2)}));
  return absl::OkStatus();
}

absl::Status InferSparse(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 3, 0));
  std::vector<int64_t> shape;
  if (!ConstantInts(context, 2, &shape)) return absl::OkStatus();
  if (shape.size() == 1) context.set_output(0, PartialShape::Of({ConstantSize(context, 3)}));
  if (shape.size() > 1) context.set_output(0, PartialShape::Of({shape[0], ConstantSize(context, 3)}));
  return absl::OkStatus();
}

}  // namespace

void DefineSparseBincount(OpTable& ops) {
  ops.Add({.name = "RaggedBincount",
           .inputs = "splits: int64; values: Tidx; size: Tidx; weights: T",
           .outputs = "output: T",
           .attrs = "Tidx: {int32, int64}; T: {int32, int64, float, double}; binary_output: bool = false",
           .infer = InferRagged,
           .cpu = Make<Ragged>});
  ops.Add({.name = "SparseBincount",
           .inputs = "indices: int64; values: Tidx; dense_shape: int64; size: Tidx; weights: T",
           .outputs = "output: T",
           .attrs = "Tidx: {int32, int64}; T: {int32, int64, float, double}; binary_output: bool = false",
           .infer = InferSparse,
           .cpu = Make<Sparse>});
}

}  // namespace savedmodel
