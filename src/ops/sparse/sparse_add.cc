// SparseAdd and its gradient, SparseSparseMaximum, SparseSparseMinimum: two sparse tensors joined element by element, an index
// that only one has counting as 0 in the other. SparseTensorDenseAdd. Indices are taken to be in order, as the reference does.
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

// Calls take(i, j) for each index of either, in order; -1 where that one lacks it.
template <typename F>
void Merge(const SparseInput& a, const SparseInput& b, const F& take) {
  int64_t i = 0, j = 0;
  while (i < a.n || j < b.n) {
    const int order = i == a.n ? 1 : j == b.n ? -1 : CompareRows(a.row(i), b.row(j), a.rank);
    take(order <= 0 ? i : -1, order >= 0 ? j : -1);
    if (order <= 0) ++i;
    if (order >= 0) ++j;
  }
}

template <typename T>
T Sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  } else {
    return static_cast<T>(a + b);
  }
}

absl::Status CheckSame(const SparseInput& a, const SparseInput& b) {
  SM_CHECK_ARGUMENT(a.shape == b.shape, "Operands' shapes do not match: got ", a.shape.ToString(), " and ", b.shape.ToString());
  return absl::OkStatus();
}

struct AddOp {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(SparseInput a, ReadSparse(context, 0));
    SM_ASSIGN_OR_RETURN(SparseInput b, ReadSparse(context, 3));
    SM_RETURN_IF_ERROR(CheckSame(a, b));
    const Tensor& thresh_tensor = context.input(6);
    SM_CHECK_ARGUMENT(thresh_tensor.rank() == 0, "The magnitude threshold must be a scalar: got shape ", thresh_tensor.shape().ToString());
    double thresh = 0;
    SM_RETURN_IF_ERROR(Dispatch<RealTypes>(thresh_tensor.dtype(), [&](auto tag) -> absl::Status {
      thresh = static_cast<double>(*thresh_tensor.data<typename decltype(tag)::type>());
      return absl::OkStatus();
    }));
    std::vector<int64_t> indices;
    std::vector<T> values;
    Merge(a, b, [&](int64_t i, int64_t j) {
      const T value = i < 0 ? b.values->data<T>()[j] : j < 0 ? a.values->data<T>()[i] : Sum(a.values->data<T>()[i], b.values->data<T>()[j]);
      double size;
      if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
        size = std::abs(value);
      } else {
        size = std::abs(static_cast<double>(value));
      }
      if (i >= 0 && j >= 0 && !(thresh <= size)) return;  // only sums can be too small to keep
      const int64_t* row = i < 0 ? b.row(j) : a.row(i);
      indices.insert(indices.end(), row, row + a.rank);
      values.push_back(value);
    });
    SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, a.rank, static_cast<int64_t>(values.size())));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {static_cast<int64_t>(values.size())}));
    std::copy(values.begin(), values.end(), out->data<T>());
    return GiveShape(context, 2, a.shape.dims());
  }
};

template <bool kMax>
struct Extremum {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(SparseInput a, ReadSparse(context, 0));
    SM_ASSIGN_OR_RETURN(SparseInput b, ReadSparse(context, 3));
    SM_RETURN_IF_ERROR(CheckSame(a, b));
    for (const SparseInput* side : {&a, &b}) SM_RETURN_IF_ERROR(side->Check(false));
    std::vector<int64_t> indices;
    std::vector<T> values;
    Merge(a, b, [&](int64_t i, int64_t j) {
      const T x = i < 0 ? T(0) : a.values->data<T>()[i], y = j < 0 ? T(0) : b.values->data<T>()[j];
      const int64_t* row = i < 0 ? b.row(j) : a.row(i);
      indices.insert(indices.end(), row, row + a.rank);
      values.push_back((kMax ? x < y : y < x) || y != y ? y : x);  // NaN wherever there is one
    });
    SM_RETURN_IF_ERROR(GiveIndices(context, 0, indices, a.rank, static_cast<int64_t>(values.size())));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(1, {static_cast<int64_t>(values.size())}));
    std::copy(values.begin(), values.end(), out->data<T>());
    return absl::OkStatus();
  }
};

absl::Status AddGrad(KernelContext& context) {
  const Tensor &grad = context.input(0), &sum = context.input(3);
  SM_CHECK_ARGUMENT(grad.rank() == 1, "Input backprop_val_grad must be a vector but received shape: ", grad.shape().ToString());
  SM_CHECK_ARGUMENT(sum.rank() == 2 && sum.dim(0) == grad.dim(0), "# elements of backprop_val_grad and # rows of sum_indices should match, are ",
                    grad.shape().ToString(), " and ", sum.shape().ToString());
  for (int o = 0; o < 2; ++o) {
    const Tensor& indices = context.input(1 + o);
    SM_CHECK_ARGUMENT(indices.rank() == 2 && indices.dim(1) == sum.dim(1) && sum.dim(1) <= kMaxRank,
                      "The densified operands should have the same ndims; got shapes: ", indices.shape().ToString(), " and ",
                      sum.shape().ToString());
    const int rank = static_cast<int>(sum.dim(1));
    std::vector<int64_t> from(static_cast<size_t>(indices.dim(0)), -1);
    for (int64_t i = 0, k = 0; i < indices.dim(0) && k < sum.dim(0);) {
      const int order = CompareRows(indices.data<int64_t>() + i * rank, sum.data<int64_t>() + k * rank, rank);
      if (order == 0) from[static_cast<size_t>(i)] = k;
      if (order <= 0) ++i;
      if (order >= 0) ++k;
    }
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, {indices.dim(0)}));
    SM_RETURN_IF_ERROR(DispatchBySize(grad.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (size_t i = 0; i < from.size(); ++i) out->data<T>()[i] = from[i] < 0 ? T() : grad.data<T>()[from[i]];
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

struct DenseAdd {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(SparseInput a, ReadSparse(context, 0));
    const Tensor& b = context.input(3);
    SM_CHECK_ARGUMENT(a.rank == b.rank(), "Two operands have different ranks: a_shape is ", a.shape.ToString(), ", b ", b.shape().ToString());
    SM_CHECK_ARGUMENT(a.shape == b.shape(), "Dimensions of a_shape ", a.shape.ToString(), " and b ", b.shape().ToString(), " are not compatible");
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, b.shape()));
    if (out->raw() != b.raw()) CopyElements(b, out);
    for (int64_t i = 0; i < a.n; ++i) {
      int64_t place = 0;
      for (int d = 0; d < a.rank; ++d) {
        SM_CHECK_ARGUMENT(a.row(i)[d] >= 0 && a.row(i)[d] < b.dim(d), "Sparse tensor has an invalid index on dimension ", d, ": a_indices(", i,
                          ",", d, ") = ", a.row(i)[d], ", dense tensor shape: ", b.shape().ToString());
        place = place * b.dim(d) + a.row(i)[d];
      }
      T& to = out->data<T>()[place];
      to = Sum(to, a.values->data<T>()[i]);
    }
    return absl::OkStatus();
  }
};

absl::Status InferMerged(InferContext& context) { return InferSparseOutput(context, 0, 0); }

absl::Status InferGrad(InferContext& context) {
  for (int o = 0; o < 2; ++o) context.set_output(o, PartialShape::Of({context.input(1 + o).rank() == 2 ? context.input(1 + o).dim(0) : -1}));
  return absl::OkStatus();
}

}  // namespace

void DefineSparseAdd(OpTable& ops) {
  ops.Add({.name = "SparseAdd",
           .inputs = "a_indices: int64; a_values: T; a_shape: int64; b_indices: int64; b_values: T; b_shape: int64; thresh: Treal",
           .outputs = "sum_indices: int64; sum_values: T; sum_shape: int64",
           .attrs = "T: numbertype; Treal: realnumbertype",
           .infer = InferMerged,
           .cpu = KernelOf<AddOp, TypeList<float, double, int8_t, int16_t, int32_t, int64_t, std::complex<float>, std::complex<double>>, 1>});
  ops.Add({.name = "SparseAddGrad",
           .inputs = "backprop_val_grad: T; a_indices: int64; b_indices: int64; sum_indices: int64",
           .outputs = "a_val_grad: T; b_val_grad: T",
           .attrs = "T: numbertype",
           .infer = InferGrad,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(AddGrad); }});
  ops.Add({.name = "SparseSparseMaximum",
           .inputs = "a_indices: int64; a_values: T; a_shape: int64; b_indices: int64; b_values: T; b_shape: int64",
           .outputs = "output_indices: int64; output_values: T",
           .attrs = "T: realnumbertype",
           .infer = InferMerged,
           .cpu = KernelOf<Extremum<true>, RealTypes, 1>});
  ops.Add({.name = "SparseSparseMinimum",
           .inputs = "a_indices: int64; a_values: T; a_shape: int64; b_indices: int64; b_values: T; b_shape: int64",
           .outputs = "output_indices: int64; output_values: T",
           .attrs = "T: numbertype",
           .infer = InferMerged,
           .cpu = KernelOf<Extremum<false>, RealTypes, 1>});
  ops.Add({.name = "SparseTensorDenseAdd",
           .inputs = "a_indices: Tindices; a_values: T; a_shape: Tindices; b: T",
           .outputs = "output: T",
           .attrs = "T: numbertype; Tindices: {int32, int64}",
           .infer = SameShape<3>,
           .cpu = KernelOf<DenseAdd, NumberTypes, 1>});
}

}  // namespace savedmodel
