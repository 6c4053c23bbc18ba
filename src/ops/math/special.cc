// Error functions, gamma functions of one argument, and the normal quantile.
#include <cmath>
#include <limits>
#include <unsupported/Eigen/SpecialFunctions>

#include "kernels/cpu/vector_math.h"
#include "ops/math/elementwise.h"

namespace savedmodel {
namespace {

struct ErfOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) {
    if constexpr (std::is_same_v<T, double>) {
      if (std::isinf(a)) return std::numeric_limits<double>::quiet_NaN();  // as the reference's quotient of polynomials
    }
    return std::erf(a);
  }
  static void Row(const float* in, float* out, int64_t n) { VectorErf(in, out, n); }
};
struct ErfcOp {
  static constexpr bool kSimple = false;
  template <typename T>
  SM_INLINE static T Do(T a) { return std::erfc(a); }
};
struct LgammaOp {
  static constexpr bool kSimple = false;
  // The reentrant forms: the plain ones write a global sign.
  static float Do(float a) {
    int sign;
    return ::lgammaf_r(a, &sign);
  }
  static double Do(double a) {
    int sign;
    return ::lgamma_r(a, &sign);
  }
};
struct DigammaOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a) { return Eigen::numext::digamma(a); }
};
// The quantile of the standard normal distribution; NaN outside [0, 1].
struct NdtriOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a) { return a >= 0 && a <= 1 ? Eigen::numext::ndtri(a) : std::numeric_limits<T>::quiet_NaN(); }
};
struct ErfinvOp {
  static constexpr bool kSimple = false;
  template <typename T>
  static T Do(T a) { return NdtriOp::Do(T(0.5) * a + T(0.5)) * T(M_SQRT1_2); }
};

void AddUnary(OpTable& ops, const char* name, KernelFactory cpu) {
  ops.Add({.name = name, .inputs = "x: T", .outputs = "y: T", .attrs = "T: {bfloat16, half, float, double}", .infer = SameShape, .cpu = cpu,
           .in_place = true});
}

}  // namespace

void DefineSpecial(OpTable& ops) {
  AddUnary(ops, "Erf", UnaryKernel<ErfOp, FloatTypes>);
  AddUnary(ops, "Erfc", UnaryKernel<ErfcOp, FloatTypes>);
  AddUnary(ops, "Lgamma", UnaryKernel<LgammaOp, HalfSingleDoubleTypes>);
  AddUnary(ops, "Digamma", UnaryKernel<DigammaOp, HalfSingleDoubleTypes>);
  AddUnary(ops, "Ndtri", UnaryKernel<NdtriOp, SingleDoubleTypes>);
  AddUnary(ops, "Erfinv", UnaryKernel<ErfinvOp, SingleDoubleTypes>);
}

}  // namespace savedmodel
