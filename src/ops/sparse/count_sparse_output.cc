// DenseCountSparseOutput, SparseCountSparseOutput, RaggedCountSparseOutput: how often each value occurs in each row, or the
// sum of its weights, as a sparse tensor. Values from `maxlength` on are left out, negative ones
// refused.
#include <algorithm>
#include <map>
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

struct Options {
  int64_t minlength, maxlength;
  bool binary;
};

// One row of input: which row of the result each value belongs to.
struct Values {
  std::vector<int64_t> values, rows;
  int64_t num_rows = 1;
  bool matrix = true;  // the result has a row dimension
};

template <typename W>
absl::Status Count(KernelContext& context, const Values& in, const Tensor& weights, const Options& options) {
  std::map<std::pair<int64_t, int64_t>, W> counts;
  int64_t largest = 0;  // so that the result has a column at least
  for (size_t i = 0; i < in.values.size(); ++i) {
    const int64_t value = in.values[i];
    SM_CHECK_ARGUMENT(value >= 0, "Input values must all be non-negative, got ", value);
    if (options.maxlength >= 0 && value >= options.maxlength) continue;
    largest = std::max(largest, value);
    W& count = counts[{in.rows[i], value}];
    const W weight = options.binary || weights.num_elements() == 0 ? W(1) : weights.data<W>()[i];
    if constexpr (std::is_integral_v<W>) {
      count = options.binary ? W(1) : static_cast<W>(static_cast<uint64_t>(count) + static_cast<uint64_t>(weight));
    } else {
      count = options.binary ? W(1) : count + weight;
    }
  }
  SM_CHECK_ARGUMENT(largest < INT64_MAX, "the value ", largest, " is too large");
  const int64_t size = options.maxlength >= 0 ? options.maxlength : std::max(largest + 1, options.minlength);
  const int64_t n = static_cast<int64_t>(counts.size());
  std::vector<int64_t> indices;
  for (const auto& [key, count] : counts) {
    if (in.matrix) indices.push_back(key.first);
    indices.push_back(key.second);
  }
  SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, in.matrix ? 2 : 1, n));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {n}));
  W* to = out->data<W>();
  for (const auto& entry : counts) *to++ = entry.second;
  if (in.matrix) return GiveShape(context, 2, {in.num_rows, size});
  return GiveShape(context, 2, {size});
}

absl::Status CheckWeights(const Tensor& weights, const Tensor& values) {
  SM_CHECK_ARGUMENT(weights.num_elements() == 0 || weights.shape() == values.shape(),
                    "Weights and values must have the same shape. Weight shape: ", weights.shape().ToString(), "; values shape: ",
                    values.shape().ToString());
  return absl::OkStatus();
}

struct Dense {
  static constexpr int kWeights = 1;
  static absl::Status Read(const KernelContext& context, Values* in) {
    const Tensor& values = context.input(0);
    SM_CHECK_ARGUMENT(values.rank() == 1 || values.rank() == 2, "Input must be a 1 or 2-dimensional tensor. Got: ", values.shape().ToString());
    SM_CHECK_ARGUMENT(values.rank() == 1 || values.dim(0) > 0, "Invalid input: Shapes dimension cannot be 0, is ", values.shape().ToString());
    SM_RETURN_IF_ERROR(CheckWeights(context.input(kWeights), values));
    SM_ASSIGN_OR_RETURN(in->values, IntsOf(values));
    in->matrix = values.rank() == 2;
    in->num_rows = in->matrix ? values.dim(0) : 1;
    in->rows.assign(in->values.size(), 0);
    for (size_t i = 0; in->matrix && i < in->rows.size(); ++i) in->rows[i] = static_cast<int64_t>(i) / values.dim(1);
    return absl::OkStatus();
  }
};

struct Sparse {
  static constexpr int kWeights = 3;
  static absl::Status Read(const KernelContext& context, Values* in) {
    const Tensor &indices = context.input(0), &values = context.input(1), &shape = context.input(2);
    SM_CHECK_ARGUMENT(indices.rank() == 2, "Input indices must be a 2-dimensional tensor. Got: ", indices.shape().ToString());
    SM_CHECK_ARGUMENT(values.rank() == 1, "Input values must be a 1-dimensional tensor. Got: ", values.shape().ToString());
    SM_CHECK_ARGUMENT(shape.rank() == 1, "Input shape must be a 1-dimensional tensor. Got: ", shape.shape().ToString());
    SM_CHECK_ARGUMENT(values.dim(0) == indices.dim(0), "Number of values must match first dimension of indices. Got ", values.dim(0), " and ",
                      indices.dim(0));
    const int64_t rank = indices.dim(1);
    SM_CHECK_ARGUMENT(shape.dim(0) == rank && rank > 0, "Number of dimensions must match second dimension of indices, and be at least one. Got ",
                      shape.dim(0), " dimensions, indices shape: ", indices.shape().ToString());
    SM_RETURN_IF_ERROR(CheckWeights(context.input(kWeights), values));
    SM_ASSIGN_OR_RETURN(in->values, IntsOf(values));
    in->matrix = rank > 1;
    in->num_rows = in->matrix ? shape.data<int64_t>()[0] : 1;
    SM_CHECK_ARGUMENT(in->num_rows > 0 && in->num_rows < INT32_MAX, "Cannot allocate ", in->num_rows, " batches, is the dense shape too wide?");
    SM_ASSIGN_OR_RETURN(in->rows, FirstIndices(indices, shape));
    if (!in->matrix) std::fill(in->rows.begin(), in->rows.end(), 0);
    return absl::OkStatus();
  }
};

struct Ragged {
  static constexpr int kWeights = 2;
  static absl::Status Read(const KernelContext& context, Values* in) {
    const Tensor& values = context.input(1);
    SM_RETURN_IF_ERROR(CheckWeights(context.input(kWeights), values));
    SM_CHECK_ARGUMENT(context.input(0).num_elements() > 1, "Must provide at least 2 elements for the splits argument");
    SM_ASSIGN_OR_RETURN(in->values, IntsOf(values));
    SM_ASSIGN_OR_RETURN(RowsOfValues rows, RowsBySplits(context.input(0), values.num_elements()));
    in->num_rows = rows.num_rows;
    in->rows = std::move(rows.rows);
    return absl::OkStatus();
  }
};

template <typename Form>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const Options options = {init.attrs().Int("minlength"), init.attrs().Int("maxlength"), init.attrs().Bool("binary_output")};
  return Dispatch<TypeList<int32_t, int64_t, float, double>>(init.attrs().Type("output_type"), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using W = typename decltype(tag)::type;
    return MakeKernel([options](KernelContext& context) -> absl::Status {
      Values in;
      SM_RETURN_IF_ERROR(Form::Read(context, &in));
      return Count<W>(context, in, context.input(Form::kWeights), options);
    });
  });
}

void Add(OpTable& ops, const char* name, const char* inputs, KernelFactory make) {
  ops.Add({.name = name,
           .inputs = inputs,
           .outputs = "output_indices: int64; output_values: output_type; output_dense_shape: int64",
           .attrs = "T: {int32, int64}; minlength: int >= -1 = -1; maxlength: int >= -1 = -1; binary_output: bool; "
                    "output_type: {int32, int64, float, double}",
           .infer = NoShape,
           .cpu = make});
}

}  // namespace

void DefineCountSparseOutput(OpTable& ops) {
  Add(ops, "DenseCountSparseOutput", "values: T; weights: output_type", Make<Dense>);
  Add(ops, "SparseCountSparseOutput", "indices: int64; values: T; dense_shape: int64; weights: output_type", Make<Sparse>);
  Add(ops, "RaggedCountSparseOutput", "splits: int64; values: T; weights: output_type", Make<Ragged>);
}

}  // namespace savedmodel
