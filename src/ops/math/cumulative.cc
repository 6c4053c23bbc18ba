// Running sums, products and log-sums of exponentials along one dimension. Each partial result is rounded to the dtype.
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/elementwise.h"
#include "ops/arguments.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

struct CumSum {
  template <typename T>
  static T Start() { return T(0); }
  template <typename T>
  SM_INLINE static T Do(T a, T b) {
    using W = Wrapping<Compute<T>>;
    return static_cast<T>(static_cast<Compute<T>>(static_cast<W>(Load(a)) + static_cast<W>(Load(b))));
  }
};

struct CumProd {
  template <typename T>
  static T Start() { return T(1); }
  template <typename T>
  SM_INLINE static T Do(T a, T b) {
    using W = Wrapping<Compute<T>>;
    return static_cast<T>(static_cast<Compute<T>>(static_cast<W>(Load(a)) * static_cast<W>(Load(b))));
  }
};

struct CumLogSumExp {
  template <typename T>
  static T Start() { return static_cast<T>(-std::numeric_limits<Compute<T>>::infinity()); }
  template <typename T>
  SM_INLINE static T Do(T a, T b) {
    using C = Compute<T>;
    const C x = Load(a), y = Load(b);
    const C low = std::min(x, y), high = std::max(x, y);  // both x where y is NaN, as in the reference
    if (high < std::numeric_limits<C>::lowest()) return static_cast<T>(high);
    return static_cast<T>(std::log1p(std::exp(low - high)) + high);
  }
};

// The slices of one outer index: n rows of `inner` elements.
template <typename Op, typename T>
void Scan(const T* in, T* out, int64_t n, int64_t inner, bool exclusive, bool reverse) {
  const int64_t first = reverse ? n - 1 : 0, step = reverse ? -inner : inner;
  const T* from = in + first * inner;
  T* to = out + first * inner;
  for (int64_t j = 0; j < inner; ++j) to[j] = exclusive ? Op::template Start<T>() : Op::Do(Op::template Start<T>(), from[j]);
  for (int64_t i = 1; i < n; ++i) {
    // The element that joins the running value: the one before for exclusive scans.
    const T* joins = exclusive ? from : from + step;
    const T* previous = to;
    to += step;
    SM_INDEPENDENT
    for (int64_t j = 0; j < inner; ++j) to[j] = Op::Do(previous[j], joins[j]);
    from += step;
  }
}

// One long row, with the running value in a register.
template <typename Op, typename T>
void ScanRow(const T* in, T* out, int64_t n, bool exclusive, bool reverse) {
  T running = Op::template Start<T>();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t at = reverse ? n - 1 - i : i;
    const T next = Op::Do(running, in[at]);
    out[at] = exclusive ? running : next;
    running = next;
  }
}

template <typename Op, typename T>
absl::Status Run(KernelContext& context, bool exclusive, bool reverse) {
  const Tensor &in = context.input(0), &axis_input = context.input(1);
  SM_CHECK_ARGUMENT(axis_input.rank() == 0, "ScanOp: axis must be a scalar, not ", axis_input.shape().ToString());
  SM_ASSIGN_OR_RETURN(const int64_t asked, IntScalar(context, 1, "axis"));
  const int rank = in.rank();
  SM_CHECK_ARGUMENT(asked >= -rank && asked < rank, "ScanOp: Expected scan axis in the range [", -rank, ", ", rank, "), but got ", asked);
  const int axis = static_cast<int>(asked < 0 ? asked + rank : asked);
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, in.shape()));
  if (in.num_elements() == 0) return absl::OkStatus();
  const int64_t n = in.dim(axis), inner = in.shape().Product(axis + 1, rank), outer = in.shape().Product(0, axis);
  const T* from = in.data<T>();
  T* to = out->data<T>();
  context.pool().ParallelFor(outer, std::max<int64_t>(8192 / (n * inner), 1), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      if (inner == 1) {
        ScanRow<Op>(from + o * n, to + o * n, n, exclusive, reverse);
      } else {
        Scan<Op>(from + o * n * inner, to + o * n * inner, n, inner, exclusive, reverse);
      }
    }
  });
  return absl::OkStatus();
}

template <typename Op, typename Types>
absl::StatusOr<KernelPtr> ScanKernel(KernelInit& init) {
  const bool exclusive = init.attrs().Bool("exclusive"), reverse = init.attrs().Bool("reverse");
  return Dispatch<Types>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([exclusive, reverse](KernelContext& context) { return Run<Op, T>(context, exclusive, reverse); });
  });
}

absl::Status ScanShape(InferContext& context) {
  SM_RETURN_IF_ERROR(RequireRank(context, 1, 0));
  return SameShape(context);
}

void AddScan(OpTable& ops, const char* name, const char* type, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T; axis: Tidx", .outputs = "out: T",
           .attrs = std::string("exclusive: bool = false; reverse: bool = false; T: ") + type + "; Tidx: {int32, int64} = DT_INT32",
           .infer = ScanShape, .cpu = cpu});
}

}  // namespace

void DefineCumulative(OpTable& ops) {
  AddScan(ops, "Cumsum", "numbertype", ScanKernel<CumSum, NumberTypes>);
  AddScan(ops, "Cumprod", "numbertype", ScanKernel<CumProd, NumberTypes>);
  AddScan(ops, "CumulativeLogsumexp", "{bfloat16, half, float, double}", ScanKernel<CumLogSumExp, FloatTypes>);
}

}  // namespace savedmodel
