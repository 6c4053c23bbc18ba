// Exponentials, logarithms, powers and hyperbolic functions.
#include <algorithm>
#include <cmath>

#include "core/status_macros.h"
#include "kernels/cpu/vector_math.h"
#include "ops/math/elementwise.h"

namespace savedmodel {
namespace {

struct ExpOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) { return std::exp(a); }
  static void Row(const float* in, float* out, int64_t n) { VectorExp(in, out, n); }
};

struct LogOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) { return std::log(a); }
  static void Row(const float* in, float* out, int64_t n) { VectorLog(in, out, n); }
};

// Over the whole tensor in groups of eight, so that VectorLog sees the same last elements as the reference.
absl::Status LogFloats(KernelContext& context) {
  const Tensor& x = context.input(0);
  const int64_t n = x.num_elements();
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, x.shape()));
  const float* in = x.data<float>();
  float* to = out->data<float>();
  context.pool().ParallelFor((n + 7) / 8, GrainFor(CostOf<LogOp>()) / 8, [&](int64_t begin, int64_t end) {
    VectorLog(in + 8 * begin, to + 8 * begin, std::min(8 * end, n) - 8 * begin);
  });
  return absl::OkStatus();
}

absl::StatusOr<KernelPtr> LogKernel(KernelInit& init) {
  if (init.input_dtype(0) == DataType::kFloat) return MakeKernel(LogFloats);
  return UnaryKernel<LogOp, FloatAndComplexTypes>(init);
}

struct TanhOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) { return std::tanh(a); }
  static void Row(const float* in, float* out, int64_t n) { VectorTanh(in, out, n); }
};

struct SigmoidOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) { return T(1) / (T(1) + std::exp(-a)); }
  static void Row(const float* in, float* out, int64_t n) { VectorSigmoid(in, out, n); }
};

struct Expm1Op {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) {
    if constexpr (kIsComplex<T>) {
      const auto half_sine = std::sin(a.imag() / 2);
      return T(std::expm1(a.real()) * std::cos(a.imag()) - 2 * half_sine * half_sine, std::exp(a.real()) * std::sin(a.imag()));
    } else {
      return std::expm1(a);
    }
  }
};

struct Log1pOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) {
    if constexpr (kIsComplex<T>) {
      using R = typename T::value_type;
      if (std::abs(a) > R(0.5)) return std::log(T(1) + a);
      return T(std::log1p(a.real() * (2 + a.real()) + a.imag() * a.imag()) / 2, std::atan2(a.imag(), 1 + a.real()));
    } else {
      return std::log1p(a);
    }
  }
};

#define SM_STD_FUNCTION(Name, function)                            \
  struct Name {                                                    \
    static constexpr bool kSimple = false;                         \
    template <typename T>                                          \
    SM_INLINE static T Do(T a) { return std::function(a); }        \
  }
SM_STD_FUNCTION(SinhOp, sinh);
SM_STD_FUNCTION(CoshOp, cosh);
SM_STD_FUNCTION(AsinhOp, asinh);
SM_STD_FUNCTION(AcoshOp, acosh);
SM_STD_FUNCTION(AtanhOp, atanh);
#undef SM_STD_FUNCTION

struct PowOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      Wrapping<T> result = 1, base = static_cast<Wrapping<T>>(a);
      for (auto left = static_cast<Wrapping<T>>(b); left != 0; left >>= 1) {
        if (left & 1) result *= base;
        base *= base;
      }
      return static_cast<T>(result);
    } else {
      return std::pow(a, b);
    }
  }
};

// A square is by far the most common power in models.
template <typename T>
void FloatPow(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n) {
  if (b_step == 0 && *static_cast<const T*>(b) == T(2)) {
    const T* in = static_cast<const T*>(a);
    T* to = static_cast<T*>(out);
    for (int64_t i = 0; i < n; ++i) to[i] = in[i * a_step] * in[i * a_step];
    return;
  }
  BinaryLoopOf<PowOp, T, T>()(a, a_step, b, b_step, out, n);
}

absl::Status CheckExponent(const Tensor&, const Tensor& exponent) {
  return DispatchAs<absl::Status, SignedIntTypes>(exponent.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < exponent.num_elements(); ++i) {
      if (exponent.data<T>()[i] < 0) return absl::InvalidArgumentError("Integers to negative integer powers are not allowed");
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<KernelPtr> PowKernel(KernelInit& init) {
  return Dispatch<SignedNumberTypes>(init.input_dtype(0), [&](auto tag) {
    using T = typename decltype(tag)::type;
    BinaryOptions options{.cost = 16};
    BinaryLoop loop = BinaryLoopOf<PowOp, T, T>();
    if constexpr (std::is_integral_v<T>) options.check = CheckExponent;
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) loop = FloatPow<T>;
    return MakeBinary(init, loop, options);
  });
}

// x * log(y) and x * log(1 + y), 0 where x is 0.
struct XlogyOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T x, T y) { return x == T(0) ? T(0) : x * std::log(y); }
};
struct Xlog1pyOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T x, T y) { return x == T(0) ? T(0) : x * Log1pOp::Do(y); }
};

void AddUnary(OpTable& ops, const char* name, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T", .outputs = "y: T", .attrs = "T: {bfloat16, half, float, double, complex64, complex128}",
           .infer = SameShape, .cpu = cpu, .in_place = true});
}

void AddBinary(OpTable& ops, const char* name, const char* attrs, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T; y: T", .outputs = "z: T", .attrs = attrs, .infer = BroadcastShape, .cpu = cpu, .in_place = true});
}

}  // namespace

void DefineExponential(OpTable& ops) {
  AddUnary(ops, "Exp", UnaryKernel<ExpOp, FloatAndComplexTypes>);
  AddUnary(ops, "Expm1", UnaryKernel<Expm1Op, FloatAndComplexTypes>);
  AddUnary(ops, "Log", LogKernel);
  AddUnary(ops, "Log1p", UnaryKernel<Log1pOp, FloatAndComplexTypes>);
  AddUnary(ops, "Sigmoid", UnaryKernel<SigmoidOp, FloatAndComplexTypes>);
  AddUnary(ops, "Tanh", UnaryKernel<TanhOp, FloatAndComplexTypes>);
  AddUnary(ops, "Sinh", UnaryKernel<SinhOp, FloatAndComplexTypes>);
  AddUnary(ops, "Cosh", UnaryKernel<CoshOp, FloatAndComplexTypes>);
  AddUnary(ops, "Asinh", UnaryKernel<AsinhOp, FloatAndComplexTypes>);
  AddUnary(ops, "Acosh", UnaryKernel<AcoshOp, FloatAndComplexTypes>);
  AddUnary(ops, "Atanh", UnaryKernel<AtanhOp, FloatAndComplexTypes>);
  AddBinary(ops, "Pow", "T: {bfloat16, float, half, double, int8, int16, int32, int64, complex64, complex128}", PowKernel);
  AddBinary(ops, "Xlogy", "T: {half, bfloat16, float, double, complex64, complex128}", BinaryKernel<XlogyOp, FloatAndComplexTypes>);
  AddBinary(ops, "Xlog1py", "T: {half, bfloat16, float, double, complex64, complex128}", BinaryKernel<Xlog1pyOp, FloatAndComplexTypes>);
}

}  // namespace savedmodel
