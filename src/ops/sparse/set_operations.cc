// SetSize, DenseToDenseSetOperation, DenseToSparseSetOperation, SparseToSparseSetOperation: the last dimension holds sets,
// the others say which. The sets of a result are in order of their values.
#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/sparse/sparse_input.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

enum class SetOperation { kAMinusB, kBMinusA, kIntersection, kUnion };

using Group = std::vector<int64_t>;
// In the order of the input: a group that comes again, where indices are not sorted, is a group of its own.
template <typename T>
using Sets = std::vector<std::pair<Group, std::set<T>>>;

absl::Status CheckRank2(const TensorShape& shape) {
  SM_CHECK_ARGUMENT(shape.rank() >= 2, "Shape ", shape.ToString(), " has rank ", shape.rank(), " < 2");
  return absl::OkStatus();
}

// Inputs i, i + 1, i + 2.
absl::StatusOr<SparseInput> SparseSets(const KernelContext& context, int i, bool validate) {
  SM_ASSIGN_OR_RETURN(SparseInput in, ReadSparse(context, i));
  SM_RETURN_IF_ERROR(CheckRank2(in.shape));
  if (validate) SM_RETURN_IF_ERROR(in.Check(true));
  return in;
}

absl::Status CheckBelowShape(const SparseInput& in) {
  for (int64_t k = 0; k < in.n; ++k) {
    for (int d = 0; d < in.rank; ++d) {
      const int64_t size = in.shape.dim(d), at = in.row(k)[d];
      if (size <= 0) return absl::InternalError(absl::StrCat("Invalid dim_size[", d, "] = ", size, "."));
      if (at >= size) return absl::InternalError(absl::StrCat("indices[", k, ", ", d, "] expected < ", size, ", got ", at, "."));
    }
  }
  return absl::OkStatus();
}

template <typename T>
Sets<T> GroupSparse(const SparseInput& in) {
  Sets<T> sets;
  for (int64_t k = 0; k < in.n; ++k) {
    Group group(in.row(k), in.row(k) + in.rank - 1);
    if (sets.empty() || sets.back().first != group) sets.emplace_back(std::move(group), std::set<T>());
    sets.back().second.insert(in.values->data<T>()[k]);
  }
  return sets;
}

template <typename T>
Sets<T> GroupDense(const Tensor& in) {
  Sets<T> sets;
  const int64_t size = in.dim(in.rank() - 1);
  Group group(static_cast<size_t>(in.rank()) - 1, 0);
  for (int64_t start = 0; start < in.num_elements(); start += size) {
    sets.emplace_back(group, std::set<T>(in.data<T>() + start, in.data<T>() + start + size));
    for (int d = in.rank() - 2; d >= 0 && ++group[static_cast<size_t>(d)] == in.dim(d); --d) group[static_cast<size_t>(d)] = 0;
  }
  return sets;
}

template <typename T>
std::set<T> Combine(const std::set<T>& a, const std::set<T>& b, SetOperation operation) {
  std::set<T> result;
  auto to = std::inserter(result, result.end());
  switch (operation) {
    case SetOperation::kAMinusB: std::set_difference(a.begin(), a.end(), b.begin(), b.end(), to); break;
    case SetOperation::kBMinusA: std::set_difference(b.begin(), b.end(), a.begin(), a.end(), to); break;
    case SetOperation::kIntersection: std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), to); break;
    case SetOperation::kUnion: std::set_union(a.begin(), a.end(), b.begin(), b.end(), to); break;
  }
  return result;
}

template <typename T>
absl::Status Give(KernelContext& context, const Sets<T>& sets, const TensorShape& groups) {
  std::vector<int64_t> indices;
  std::vector<T> values;
  int64_t largest = 0;
  for (const auto& [group, set] : sets) {
    largest = std::max(largest, static_cast<int64_t>(set.size()));
    int64_t position = 0;
    for (const T& value : set) {
      indices.insert(indices.end(), group.begin(), group.end());
      indices.push_back(position++);
      values.push_back(value);
    }
  }
  TensorShape shape = groups;
  shape.AddDim(largest);
  SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, shape.rank(), static_cast<int64_t>(values.size())));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {static_cast<int64_t>(values.size())}));
  std::copy(values.begin(), values.end(), out->data<T>());
  return GiveShape(context, 2, shape.dims());
}

TensorShape Groups(TensorShape shape) {
  shape.RemoveDim(shape.rank() - 1);
  return shape;
}

// How the two inputs come.
template <bool kSparseA, bool kSparseB>
struct Operation {
  template <typename T>
  static absl::Status Run(KernelContext& context, SetOperation operation, bool validate) {
    Side<T> a, b;
    SM_RETURN_IF_ERROR((Load<T, kSparseA>(context, 0, validate, &a)));
    SM_RETURN_IF_ERROR((Load<T, kSparseB>(context, kSparseA ? 3 : 1, validate, &b)));
    const TensorShape groups = Groups(a.shape);
    SM_CHECK_ARGUMENT(groups == Groups(b.shape), "Mismatched shapes ", groups.ToString(), " vs ", Groups(b.shape).ToString());
    for (const Side<T>* side : {&a, &b}) SM_RETURN_IF_ERROR(CheckBelowShape(side->sparse));
    return Give(context, Walk(a.sets, b.sets, operation), groups);
  }

 private:
  template <typename T>
  struct Side {
    SparseInput sparse;  // empty where the input is dense
    TensorShape shape;
    Sets<T> sets;
  };

  template <typename T, bool kSparse>
  static absl::Status Load(KernelContext& context, int i, bool validate, Side<T>* side) {
    if constexpr (kSparse) {
      SM_ASSIGN_OR_RETURN(side->sparse, SparseSets(context, i, validate));
      side->shape = side->sparse.shape;
      side->sets = GroupSparse<T>(side->sparse);
    } else {
      side->shape = context.input(i).shape();
      SM_RETURN_IF_ERROR(CheckRank2(side->shape));
      side->sets = GroupDense<T>(context.input(i));
    }
    return absl::OkStatus();
  }

  // Both in their order. Beside a dense input that has elements, groups that it does not come to are lost.
  template <typename T>
  static Sets<T> Walk(const Sets<T>& a, const Sets<T>& b, SetOperation operation) {
    Sets<T> result;
    for (size_t i = 0, k = 0; i < a.size() || ((kSparseA || a.empty()) && k < b.size());) {
      const bool same = i < a.size() && k < b.size() && a[i].first == b[k].first;
      const bool use_a = same || (i < a.size() && (!kSparseA || k == b.size() || a[i].first < b[k].first)), use_b = same || !use_a;
      std::set<T> combined = Combine(use_a ? a[i].second : std::set<T>(), use_b ? b[k].second : std::set<T>(), operation);
      if (!combined.empty()) result.emplace_back(use_a ? a[i].first : b[k].first, std::move(combined));
      if (use_a) ++i;
      if (use_b) ++k;
    }
    return result;
  }
};

template <typename T>
absl::Status Size(KernelContext& context, bool validate) {
  SM_ASSIGN_OR_RETURN(SparseInput in, SparseSets(context, 0, validate));
  SM_RETURN_IF_ERROR(CheckBelowShape(in));
  for (const int64_t index : in.indices) SM_CHECK_ARGUMENT(index >= 0, "indices must be >= 0, one is ", index);
  const TensorShape groups = Groups(in.shape);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, groups));
  std::fill_n(out->data<int32_t>(), out->num_elements(), 0);
  for (const auto& [group, set] : GroupSparse<T>(in)) {
    int64_t place = 0;
    for (int d = 0; d < groups.rank(); ++d) place = place * groups.dim(d) + group[static_cast<size_t>(d)];
    out->data<int32_t>()[place] = static_cast<int32_t>(set.size());
  }
  return absl::OkStatus();
}

using SetTypes = TypeList<int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, std::string>;

absl::StatusOr<KernelPtr> MakeSize(KernelInit& init) {
  const bool validate = init.attrs().Bool("validate_indices");
  return DispatchAs<absl::StatusOr<KernelPtr>, SetTypes>(init.input_dtype(1), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([validate](KernelContext& context) { return Size<T>(context, validate); });
  });
}

template <bool kSparseA, bool kSparseB>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const bool validate = init.attrs().Bool("validate_indices");
  std::string name = init.attrs().String("set_operation");
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  SetOperation operation = SetOperation::kUnion;
  if (name == "a-b") {
    operation = SetOperation::kAMinusB;
  } else if (name == "b-a") {
    operation = SetOperation::kBMinusA;
  } else if (name == "intersection") {
    operation = SetOperation::kIntersection;
  } else {
    SM_CHECK_ARGUMENT(name == "union", "Invalid set_operation ", name, ", must be a-b, b-a, intersection or union");
  }
  return DispatchAs<absl::StatusOr<KernelPtr>, SetTypes>(init.attrs().Type("T"), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([=](KernelContext& context) { return Operation<kSparseA, kSparseB>::template Run<T>(context, operation, validate); });
  });
}

template <bool kSparseA, bool kSparseB>
absl::Status Infer(InferContext& context) {
  const int b = kSparseA ? 3 : 1;
  if (!kSparseA && context.input(0).known_rank()) {
    SM_CHECK_ARGUMENT(context.input(0).rank() >= 2, "set1 must have rank 2 or more, is ", context.input(0).ToString());
  }
  for (int i : {kSparseA ? 0 : -1, kSparseB ? b : -1}) {
    if (i < 0) continue;
    SM_RETURN_IF_ERROR(RequireRank(context, i, 2));
    SM_RETURN_IF_ERROR(RequireRank(context, i + 1, 1));
    SM_RETURN_IF_ERROR(RequireRank(context, i + 2, 1));
  }
  const PartialShape& first = context.input(0);
  const int64_t rank = kSparseA ? (first.rank() == 2 ? first.dim(1) : -1) : first.rank();
  context.set_output(0, PartialShape::Of({-1, rank}));
  context.set_output(1, PartialShape::UnknownOfRank(1));
  context.set_output(2, PartialShape::Of({rank}));
  return absl::OkStatus();
}

}  // namespace

void DefineSetOperations(OpTable& ops) {
  const char* types = "T: {int8, int16, int32, int64, uint8, uint16, string}";
  const char* outputs = "result_indices: int64; result_values: T; result_shape: int64";
  ops.Add({.name = "SetSize",
           .inputs = "set_indices: int64; set_values: T; set_shape: int64",
           .outputs = "size: int32",
           .attrs = absl::StrCat("validate_indices: bool = true; ", types),
           .infer = NoShape,
           .cpu = MakeSize});
  ops.Add({.name = "DenseToDenseSetOperation",
           .inputs = "set1: T; set2: T",
           .outputs = outputs,
           .attrs = absl::StrCat("set_operation: string; validate_indices: bool = true; ", types),
           .infer = Infer<false, false>,
           .cpu = Make<false, false>});
  ops.Add({.name = "DenseToSparseSetOperation",
           .inputs = "set1: T; set2_indices: int64; set2_values: T; set2_shape: int64",
           .outputs = outputs,
           .attrs = absl::StrCat("set_operation: string; validate_indices: bool = true; ", types),
           .infer = Infer<false, true>,
           .cpu = Make<false, true>});
  ops.Add({.name = "SparseToSparseSetOperation",
           .inputs = "set1_indices: int64; set1_values: T; set1_shape: int64; set2_indices: int64; set2_values: T; set2_shape: int64",
           .outputs = outputs,
           .attrs = absl::StrCat("set_operation: string; validate_indices: bool = true; ", types),
           .infer = Infer<true, true>,
           .cpu = Make<true, true>});
}

}  // namespace savedmodel
