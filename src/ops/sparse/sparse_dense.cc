// SparseTensorDenseMatMul; SparseDenseCwiseAdd, SparseDenseCwiseMul, SparseDenseCwiseDiv, where the dense tensor broadcasts.
// Sums of half and bfloat16 are kept in float.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "ops/sparse/sparse_input.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename T>
T Conjugate(T value, bool conjugate) {
  if constexpr (std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>) {
    return conjugate ? std::conj(value) : value;
  } else {
    return value;
  }
}

template <typename T>
using Wide = std::conditional_t<sizeof(T) == 2, float, std::conditional_t<std::is_integral_v<T>, uint32_t, T>>;

template <typename T>
absl::Status MatMul(KernelContext& context, bool adjoint_a, bool adjoint_b) {
  const Tensor& b = context.input(3);
  SM_CHECK_ARGUMENT(context.input(0).rank() == 2, "Tensor 'a_indices' is not a matrix");
  SM_CHECK_ARGUMENT(b.rank() == 2, "Tensor 'b' is not a matrix, has shape ", b.shape().ToString());
  SM_CHECK_ARGUMENT(context.input(2).rank() == 1 && context.input(2).dim(0) == 2, "Tensor 'a_shape' must have 2 elements, has shape ",
                    context.input(2).shape().ToString());
  SM_ASSIGN_OR_RETURN(SparseInput a, ReadSparse(context, 0));
  const int64_t rows = a.shape.dim(adjoint_a ? 1 : 0), inner = a.shape.dim(adjoint_a ? 0 : 1);
  const int64_t inner_b = b.dim(adjoint_b ? 1 : 0), columns = b.dim(adjoint_b ? 0 : 1);
  SM_CHECK_ARGUMENT(inner == inner_b, "Cannot multiply A and B because inner dimension does not match: ", inner, " vs. ", inner_b,
                    ".  Did you forget a transpose?  Dimensions of A: ", a.shape.ToString(), ".  Dimensions of B: ", b.shape().ToString());
  for (int64_t i = 0; i < a.n; ++i) {
    const int64_t m = a.row(i)[adjoint_a ? 1 : 0], k = a.row(i)[adjoint_a ? 0 : 1];
    SM_CHECK_ARGUMENT(k >= 0 && k < inner, "k (", k, ") from index[", i, ",", adjoint_a ? 0 : 1, "] out of bounds (>=", inner, ")");
    SM_CHECK_ARGUMENT(m >= 0 && m < rows, "m (", m, ") from index[", i, ",", adjoint_a ? 1 : 0, "] out of bounds (>=", rows, ")");
  }
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {rows, columns}));
  if (out->num_elements() == 0) return absl::OkStatus();
  using W = Wide<T>;
  constexpr bool kSame = sizeof(W) == sizeof(T);
  Tensor sums = *out;
  if (!kSame) {
    SM_ASSIGN_OR_RETURN(sums, context.Scratch(DataType::kFloat, out->shape()));
  }
  W* to = static_cast<W*>(sums.raw());
  std::fill_n(to, out->num_elements(), W(0));
  const T *values = a.values->data<T>(), *dense = b.data<T>();
  const int64_t step = adjoint_b ? b.dim(1) : 1, row_step = adjoint_b ? 1 : b.dim(1);
  context.pool().ParallelFor(columns, 16384 / (a.n + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < a.n; ++i) {
      const int64_t m = a.row(i)[adjoint_a ? 1 : 0], k = a.row(i)[adjoint_a ? 0 : 1];
      const W value = static_cast<W>(Conjugate(values[i], adjoint_a));
      for (int64_t c = begin; c < end; ++c) {
        to[m * columns + c] += value * static_cast<W>(Conjugate(dense[k * row_step + c * step], adjoint_b));
      }
    }
  });
  if (!kSame) {
    for (int64_t i = 0; i < out->num_elements(); ++i) out->data<T>()[i] = static_cast<T>(to[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> MakeMatMul(KernelInit& init) {
  const bool a = init.attrs().Bool("adjoint_a"), b = init.attrs().Bool("adjoint_b");
  using Types = TypeList<float, double, Half, BFloat16, int32_t, std::complex<float>, std::complex<double>>;
  return Dispatch<Types>(init.input_dtype(1), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([=](KernelContext& context) { return MatMul<T>(context, a, b); });
  });
}

absl::Status InferMatMul(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 2));
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 1));
  SM_RETURN_IF_ERROR(RequireRank(context, 3, 2));
  std::vector<int64_t> shape;
  const bool known = ConstantInts(context, 2, &shape) && shape.size() == 2;
  const PartialShape& b = context.input(3);
  context.set_output(0, PartialShape::Of({known ? shape[context.attrs().Bool("adjoint_a") ? 1 : 0] : -1,
                                          b.rank() == 2 ? b.dim(context.attrs().Bool("adjoint_b") ? 0 : 1) : -1}));
  return absl::OkStatus();
}

enum class Kind { kAdd, kMul, kDiv };

template <typename T>
bool Apply(Kind kind, T a, T b, T* out) {
  if constexpr (std::is_integral_v<T>) {
    const uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    if (kind == Kind::kDiv && b == 0) return false;
    if (kind == Kind::kDiv && std::is_signed_v<T> && b == static_cast<T>(-1)) {
      *out = static_cast<T>(0 - x);
    } else {
      *out = kind == Kind::kAdd ? static_cast<T>(x + y) : kind == Kind::kMul ? static_cast<T>(x * y) : static_cast<T>(a / b);
    }
  } else {
    if (kind == Kind::kDiv && b == T{}) return false;
    *out = static_cast<T>(kind == Kind::kAdd ? a + b : kind == Kind::kMul ? a * b : a / b);
  }
  return true;
}

template <Kind kKind>
struct Cwise {
  template <typename T>
  static absl::Status Run(KernelContext& context) {
    SM_ASSIGN_OR_RETURN(SparseInput sparse, ReadSparse(context, 0));
    const Tensor& dense = context.input(3);
    SM_CHECK_ARGUMENT(sparse.rank >= 1 && sparse.rank <= 5, "Only tensors with ranks between 1 and 5 are currently supported.  Tensor rank: ", sparse.rank);
    const int lead = sparse.rank - dense.rank();
    bool fits = lead >= 0;
    for (int d = 0; fits && d < dense.rank(); ++d) fits = dense.dim(d) == 1 || dense.dim(d) == sparse.shape.dim(d + lead);
    SM_CHECK_ARGUMENT(fits, "SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: ", sparse.shape.ToString(),
                      " vs. ", dense.shape().ToString());
    SM_RETURN_IF_ERROR(sparse.Check(false));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {sparse.n}));
    for (int64_t i = 0; i < sparse.n; ++i) {
      int64_t place = 0;
      for (int d = 0; d < dense.rank(); ++d) place = place * dense.dim(d) + (dense.dim(d) == 1 ? 0 : sparse.row(i)[d + lead]);
      SM_CHECK_ARGUMENT(Apply(kKind, sparse.values->data<T>()[i], dense.data<T>()[place], out->data<T>() + i), "division by zero: the dense tensor contains 0");
    }
    return absl::OkStatus();
  }
};

absl::Status InferCwise(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 0, 2));
  context.set_output(0, PartialShape::Of({context.input(0).rank() == 2 ? context.input(0).dim(0) : -1}));
  return absl::OkStatus();
}

template <Kind kKind>
void AddCwise(OpTable& ops, const char* name) {
  ops.Add({.name = name,
           .inputs = "sp_indices: int64; sp_values: T; sp_shape: int64; dense: T",
           .outputs = "output: T",
           .attrs = "T: numbertype",
           .infer = InferCwise,
           .cpu = KernelOf<Cwise<kKind>, RealTypes, 1>});
}

}  // namespace

void DefineSparseDense(OpTable& ops) {
  ops.Add({.name = "SparseTensorDenseMatMul",
           .inputs = "a_indices: Tindices; a_values: T; a_shape: int64; b: T",
           .outputs = "product: T",
           .attrs = "T: type; Tindices: {int32, int64} = DT_INT64; adjoint_a: bool = false; adjoint_b: bool = false",
           .infer = InferMatMul,
           .cpu = MakeMatMul});
  AddCwise<Kind::kAdd>(ops, "SparseDenseCwiseAdd");
  AddCwise<Kind::kMul>(ops, "SparseDenseCwiseMul");
  AddCwise<Kind::kDiv>(ops, "SparseDenseCwiseDiv");
}

}  // namespace savedmodel
