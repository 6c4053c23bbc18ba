// SparseConcat, SparseSplit, SparseSlice and its gradient: sparse tensors joined along a dimension, and parts of them.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/sparse/sparse_input.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::Status Concat(KernelContext& context, int count, int64_t axis_attr) {
  std::vector<SparseInput> inputs;
  SparseInput all;
  int axis = 0;
  std::vector<std::pair<int, int64_t>> source;  // input and row of each value
  for (int k = 0; k < count; ++k) {
    SM_ASSIGN_OR_RETURN(SparseInput in, ReadSparse(context, k, count + k, 2 * count + k));
    if (k == 0) {
      SM_ASSIGN_OR_RETURN(axis, NormalizeAxis(axis_attr, in.rank, "Concat dimension"));
      all.shape = in.shape;
      all.shape.set_dim(axis, 0);
      all.rank = in.rank;
    }
    SM_CHECK_ARGUMENT(in.rank == all.rank, "Ranks of all input tensors must match: expected ", all.rank, " but got ", in.rank, " at position ", k);
    for (int d = 0; d < in.rank; ++d) {
      SM_CHECK_ARGUMENT(d == axis || in.shape.dim(d) == all.shape.dim(d), "Input shapes must match: expected ", all.shape.dim(d),
                        " for dimension ", d, " but got ", in.shape.dim(d), " at position ", k);
    }
    for (int64_t i = 0; i < in.n; ++i) {
      all.indices.insert(all.indices.end(), in.row(i), in.row(i) + in.rank);
      uint64_t& moved = reinterpret_cast<uint64_t&>(*(all.indices.end() - in.rank + axis));
      moved += static_cast<uint64_t>(all.shape.dim(axis));
      source.emplace_back(k, i);
    }
    int64_t length = 0;
    SM_CHECK_ARGUMENT(!__builtin_add_overflow(all.shape.dim(axis), in.shape.dim(axis), &length), "the joined dimension is too large");
    all.shape.set_dim(axis, length);
    SM_CHECK_ARGUMENT(all.shape.valid(), "the joined shape ", all.shape.ToString(), " is too large");
  }
  all.n = static_cast<int64_t>(source.size());
  const std::vector<int64_t> order = SortedRows(all);
  std::vector<int64_t> indices;
  indices.reserve(all.indices.size());
  for (int64_t i : order) indices.insert(indices.end(), all.row(i), all.row(i) + all.rank);
  SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, all.rank, all.n));
  SM_RETURN_IF_ERROR(GiveShape(context, 2, all.shape.dims()));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {all.n}));
  return DispatchBySize(out->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < all.n; ++i) {
      const auto& [k, row] = source[static_cast<size_t>(order[static_cast<size_t>(i)])];
      out->data<T>()[i] = context.input(count + k).data<T>()[row];
    }
    return absl::OkStatus();
  });
}

absl::Status Split(KernelContext& context, int64_t count) {
  SM_RETURN_IF_ERROR(CheckScalar(context, 0, "split_dim"));
  SM_ASSIGN_OR_RETURN(int64_t axis_input, IntScalar(context, 0, "split_dim"));
  SM_ASSIGN_OR_RETURN(SparseInput in, ReadSparse(context, 1));
  SM_CHECK_ARGUMENT(axis_input >= -in.rank && axis_input < in.rank, "Input axis should be in range [", -in.rank, ", ", in.rank, "), got ", axis_input);
  const int axis = static_cast<int>(axis_input < 0 ? axis_input + in.rank : axis_input);
  const int64_t size = in.shape.dim(axis);
  SM_CHECK_ARGUMENT(count >= 1 && count <= size, "Input num_split should be between 1 and the splitting dimension size (", size, "), got ", count);
  const int64_t piece = size / count, longer = size % count;  // the first `longer` parts have one more
  std::vector<std::vector<int64_t>> rows(static_cast<size_t>(count)), indices(static_cast<size_t>(count));
  auto start = [&](int64_t part) { return part * piece + std::min(part, longer); };
  for (int64_t i = 0; i < in.n; ++i) {
    const int64_t at = in.row(i)[axis];
    for (int d = 0; d < in.rank; ++d) {
      SM_CHECK_ARGUMENT(in.row(i)[d] >= 0 && in.row(i)[d] < in.shape.dim(d), "Sparse index tuple indices[", i, ", :] = [",
                        absl::StrJoin(absl::MakeSpan(in.row(i), static_cast<size_t>(in.rank)), ", "), "] is out of bounds");
    }
    const int64_t part = at < longer * (piece + 1) ? at / (piece + 1) : longer + (at - longer * (piece + 1)) / piece;
    rows[static_cast<size_t>(part)].push_back(i);
    std::vector<int64_t>& to = indices[static_cast<size_t>(part)];
    to.insert(to.end(), in.row(i), in.row(i) + in.rank);
    *(to.end() - in.rank + axis) -= start(part);
  }
  const int n = static_cast<int>(count);
  for (int part = 0; part < n; ++part) {
    const std::vector<int64_t>& mine = rows[static_cast<size_t>(part)];
    SM_RETURN_IF_ERROR(GiveIndices(context, part, indices[static_cast<size_t>(part)], in.rank, static_cast<int64_t>(mine.size())));
    SM_RETURN_IF_ERROR(GiveValues(context, n + part, *in.values, mine));
    TensorShape shape = in.shape;
    shape.set_dim(axis, start(part + 1) - start(part));
    SM_RETURN_IF_ERROR(GiveShape(context, 2 * n + part, shape.dims()));
  }
  return absl::OkStatus();
}

absl::Status Slice(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(SparseInput in, ReadSparse(context, 0));
  SM_CHECK_ARGUMENT(context.input(3).rank() == 1 && context.input(4).rank() == 1, "start and size must be vectors, are ",
                    context.input(3).shape().ToString(), " and ", context.input(4).shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> start, IntsOf(context.input(3)));
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> size, IntsOf(context.input(4)));
  SM_CHECK_ARGUMENT(static_cast<int>(start.size()) == in.rank && static_cast<int>(size.size()) == in.rank,
                    "Expected start and size to be vectors of length ", in.rank, ", got ", start.size(), " and ", size.size());
  std::vector<int64_t> dims(static_cast<size_t>(in.rank));
  for (size_t d = 0; d < dims.size(); ++d) {
    SM_CHECK_ARGUMENT(size[d] >= 0, "size[", d, "] must be non-negative, is ", size[d]);
    const __int128 left = static_cast<__int128>(in.shape.dim(static_cast<int>(d))) - start[d];  // a start below 0 is allowed
    dims[d] = left <= 0 ? 0 : static_cast<int64_t>(std::min<__int128>(size[d], left));
  }
  std::vector<int64_t> rows, indices;
  for (int64_t i = 0; i < in.n; ++i) {
    bool inside = true;
    for (size_t d = 0; d < dims.size(); ++d) inside = inside && in.row(i)[d] >= start[d] && static_cast<__int128>(in.row(i)[d]) - start[d] < size[d];
    if (!inside) continue;
    rows.push_back(i);
    for (size_t d = 0; d < dims.size(); ++d) indices.push_back(in.row(i)[d] - start[d]);
  }
  SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, in.rank, static_cast<int64_t>(rows.size())));
  SM_RETURN_IF_ERROR(GiveValues(context, 1, *in.values, rows));
  return GiveShape(context, 2, dims);
}

absl::Status SliceGrad(KernelContext& context) {
  const Tensor &grad = context.input(0), &in = context.input(1), &start = context.input(2), &out = context.input(3);
  SM_CHECK_ARGUMENT(in.rank() == 2 && out.rank() == 2, "Input and output indices should be matrices but received shapes: ",
                    in.shape().ToString(), " and ", out.shape().ToString());
  SM_CHECK_ARGUMENT(grad.rank() == 1 && grad.dim(0) == out.dim(0), "# elements and rows should match, backprop_val_grad is ",
                    grad.shape().ToString(), ", output_indices ", out.shape().ToString());
  const int64_t rank = in.dim(1);
  SM_CHECK_ARGUMENT(out.dim(1) == rank && start.rank() == 1 && start.dim(0) == rank, "The input and output should have the same ndims: got: ",
                    rank, " and ", out.dim(1), ", input_start ", start.shape().ToString());
  std::vector<int64_t> from(static_cast<size_t>(in.dim(0)), -1);
  int64_t next = 0;
  for (int64_t i = 0; i < in.dim(0) && next < out.dim(0); ++i) {
    bool same = true;
    for (int64_t d = 0; d < rank; ++d) {
      const uint64_t place = static_cast<uint64_t>(out.data<int64_t>()[next * rank + d]) + static_cast<uint64_t>(start.data<int64_t>()[d]);
      same = same && static_cast<uint64_t>(in.data<int64_t>()[i * rank + d]) == place;
    }
    if (same) from[static_cast<size_t>(i)] = next++;
  }
  SM_CHECK_ARGUMENT(next == out.dim(0), "Elements of backprop_val_grad aren't all propagated. Num elements:", out.dim(0), ", used: ", next);
  SM_ASSIGN_OR_RETURN(Tensor* result, context.Output(0, {in.dim(0)}));
  return DispatchBySize(grad.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < from.size(); ++i) result->data<T>()[i] = from[i] < 0 ? T() : grad.data<T>()[from[i]];
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> MakeConcat(KernelInit& init) {
  const int count = init.num_inputs() / 3;
  const int64_t axis = init.attrs().Int("concat_dim");
  return MakeKernel([=](KernelContext& context) { return Concat(context, count, axis); });
}

absl::StatusOr<KernelPtr> MakeSplit(KernelInit& init) {
  const int64_t count = init.attrs().Int("num_split");
  return MakeKernel([count](KernelContext& context) { return Split(context, count); });
}

absl::Status InferConcat(InferContext& context) { return InferSparseOutput(context, 0, 0); }

absl::Status InferSplit(InferContext& context) {
  const int n = context.num_outputs() / 3;
  const int64_t rank = context.input(3).rank() == 1 ? context.input(3).dim(0) : -1;
  for (int i = 0; i < n; ++i) {
    context.set_output(i, PartialShape::Of({-1, rank}));
    context.set_output(n + i, PartialShape::UnknownOfRank(1));
    context.set_output(2 * n + i, PartialShape::Of({rank}));
  }
  return absl::OkStatus();
}

absl::Status InferSliceGrad(InferContext& context) {
  context.set_output(0, PartialShape::Of({context.input(1).rank() == 2 ? context.input(1).dim(0) : -1}));
  return absl::OkStatus();
}

}  // namespace

void DefineSparseParts(OpTable& ops) {
  ops.Add({.name = "SparseConcat",
           .inputs = "indices: N * int64; values: N * T; shapes: N * int64",
           .outputs = "output_indices: int64; output_values: T; output_shape: int64",
           .attrs = "concat_dim: int; N: int >= 2; T: type",
           .infer = InferConcat,
           .cpu = MakeConcat});
  ops.Add({.name = "SparseSplit",
           .inputs = "split_dim: int64; indices: int64; values: T; shape: int64",
           .outputs = "output_indices: num_split * int64; output_values: num_split * T; output_shape: num_split * int64",
           .attrs = "num_split: int >= 1; T: type",
           .infer = InferSplit,
           .cpu = MakeSplit});
  ops.Add({.name = "SparseSlice",
           .inputs = "indices: int64; values: T; shape: int64; start: int64; size: int64",
           .outputs = "output_indices: int64; output_values: T; output_shape: int64",
           .attrs = "T: type",
           .infer = InferConcat,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(Slice); }});
  ops.Add({.name = "SparseSliceGrad",
           .inputs = "backprop_val_grad: T; input_indices: int64; input_start: int64; output_indices: int64",
           .outputs = "val_grad: T",
           .attrs = "T: numbertype",
           .infer = InferSliceGrad,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(SliceGrad); }});
}

}  // namespace savedmodel
