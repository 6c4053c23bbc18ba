// SparseReduceSum, SparseReduceMax and their forms with sparse results; SparseSoftmax over the last dimension.
#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/sparse/sparse_input.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// The dimensions that stay, in order.
absl::StatusOr<std::vector<int>> KeptDims(KernelContext& context, int rank) {
  SM_CHECK_ARGUMENT(context.input(3).rank() <= 1, "Expected reduction_axes to be a scalar or a vector; got shape: ", context.input(3).shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> axes, IntsOf(context.input(3)));
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t axis : axes) {
    SM_CHECK_ARGUMENT(axis >= -rank && axis < rank, "Invalid reduction dimension ", axis, ", for input with ", rank, " dimensions.");
    reduced[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  std::vector<int> kept;
  for (int d = 0; d < rank; ++d) {
    if (!reduced[static_cast<size_t>(d)]) kept.push_back(d);
  }
  return kept;
}

template <bool kMax, typename T>
T Join(T a, T b) {
  if constexpr (kMax) {
    return b < a ? a : b;  // of NaN and another, what comes last
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return static_cast<T>(a + b);
  }
}

template <bool kMax, typename T>
struct Result {
  SparseInput in;
  std::vector<int> kept;
  std::vector<int64_t> first;  // a row of each group
  std::vector<T> values;

  absl::Status Compute(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(in, ReadSparse(context, 0));
    SM_ASSIGN_OR_RETURN(kept, KeptDims(context, in.rank));
    SparseInput keys;  // the kept columns
    keys.n = in.n;
    keys.rank = static_cast<int>(kept.size());
    for (int64_t i = 0; i < in.n; ++i) {
      for (int d : kept) keys.indices.push_back(in.row(i)[d]);
    }
    int64_t last = -1;
    for (int64_t i : SortedRows(keys)) {
      const T value = in.values->data<T>()[i];
      if (last < 0 || CompareRows(keys.row(last), keys.row(i), keys.rank) != 0) {
        first.push_back(i);
        values.push_back(value);
      } else {
        values.back() = Join<kMax>(values.back(), value);
      }
      last = i;
    }
    return absl::OkStatus();
  }

  std::vector<int64_t> Dims(bool keep_dims) const {
    std::vector<int64_t> dims;
    for (int d = 0; d < in.rank; ++d) {
      const bool stays = std::binary_search(kept.begin(), kept.end(), d);
      if (stays || keep_dims) dims.push_back(stays ? in.shape.dim(d) : 1);
    }
    return dims;
  }
};

template <bool kMax, bool kSparse, typename T>
absl::Status Reduce(KernelContext& context, bool keep_dims) {
  Result<kMax, T> result;
  SM_RETURN_IF_ERROR(result.Compute(context));
  const std::vector<int64_t> dims = result.Dims(keep_dims);
  const SparseInput& in = result.in;
  const int64_t n = static_cast<int64_t>(result.values.size());
  if (kSparse) {
    std::vector<int64_t> indices;
    for (int64_t i : result.first) {
      for (int d = 0; d < in.rank; ++d) {
        const bool stays = std::binary_search(result.kept.begin(), result.kept.end(), d);
        if (stays || keep_dims) indices.push_back(stays ? in.row(i)[d] : 0);
      }
    }
    SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, static_cast<int>(dims.size()), n));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {n}));
    std::copy(result.values.begin(), result.values.end(), out->data<T>());
    return GiveShape(context, 2, dims);
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, TensorShape(dims)));
  std::fill_n(out->data<T>(), out->num_elements(), T(0));
  for (int64_t k = 0; k < n; ++k) {
    int64_t place = 0;
    for (int d : result.kept) {
      const int64_t at = in.row(result.first[static_cast<size_t>(k)])[d];
      if (at < 0 || at >= in.shape.dim(d)) {
        return absl::InternalError(absl::StrCat("Obtained a write index from ", at, " in dimension ", d, " which is outside of bounds of [0, ",
                                                in.shape.dim(d), ")"));
      }
      place = place * in.shape.dim(d) + at;
    }
    out->data<T>()[place] = result.values[static_cast<size_t>(k)];
  }
  return absl::OkStatus();
}

template <bool kMax, bool kSparse, typename Types>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool keep_dims = init.attrs().Bool("keep_dims");
  return DispatchAs<absl::StatusOr<KernelPtr>, Types>(init.input_dtype(1), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([keep_dims](KernelContext& context) { return Reduce<kMax, kSparse, T>(context, keep_dims); });
  });
}

struct Softmax {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(SparseInput in, ReadSparse(context, 0));
    SM_CHECK_ARGUMENT(in.rank >= 2, "Input should have rank >= 2, but received shape: ", in.shape.ToString());
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {in.n}));
    using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
    const T* from = in.values->data<T>();
    for (int64_t begin = 0, end = 0; begin < in.n; begin = end) {
      while (end < in.n && CompareRows(in.row(begin), in.row(end), in.rank - 1) == 0) ++end;
      W top = static_cast<W>(from[begin]), sum = 0;
      for (int64_t i = begin; i < end; ++i) top = std::max(top, static_cast<W>(from[i]));
      for (int64_t i = begin; i < end; ++i) sum += std::exp(static_cast<W>(from[i]) - top);
      for (int64_t i = begin; i < end; ++i) out->data<T>()[i] = static_cast<T>(std::exp(static_cast<W>(from[i]) - top) / sum);
    }
    return absl::OkStatus();
  }
};

absl::Status InferSoftmax(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 2));
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  SM_RETURN_IF_ERROR(RequireRank(context, 2, 1));
  context.set_output(0, context.input(1));
  return absl::OkStatus();
}

template <bool kMax>
void Add(OpTable& ops, const char* name) {
  using Types = std::conditional_t<kMax, RealTypes, NumberTypes>;
  const char* inputs = "input_indices: int64; input_values: T; input_shape: int64; reduction_axes: int32";
  const std::string attrs = absl::StrCat("keep_dims: bool = false; T: ", kMax ? "realnumbertype" : "numbertype");
  ops.Add({.name = name, .inputs = inputs, .outputs = "output: T", .attrs = attrs, .infer = NoShape, .cpu = Make<kMax, false, Types>});
  ops.Add({.name = absl::StrCat(name, "Sparse"),
           .inputs = inputs,
           .outputs = "output_indices: int64; output_values: T; output_shape: int64",
           .attrs = attrs,
           .infer = NoShape,
           .cpu = Make<kMax, true, Types>});
}

}  // namespace

void DefineSparseReduce(OpTable& ops) {
  Add<false>(ops, "SparseReduceSum");
  Add<true>(ops, "SparseReduceMax");
  ops.Add({.name = "SparseSoftmax",
           .inputs = "sp_indices: int64; sp_values: T; sp_shape: int64",
           .outputs = "output: T",
           .attrs = "T: {half, float, double}",
           .infer = InferSoftmax,
           .cpu = KernelOf<Softmax, TypeList<float, double, Half>, 1>});
}

}  // namespace savedmodel
