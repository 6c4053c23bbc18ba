// The functions of elementwise kernels on a few registers at a time: one switch for all of them, so that a dtype needs one
// kernel and not forty. All threads take the same case.
#ifndef SAVEDMODEL_KERNELS_CUDA_FUNCTIONS_H_
#define SAVEDMODEL_KERNELS_CUDA_FUNCTIONS_H_

#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {

template <typename C> SM_DEVICE C ErfinvOf(C x) {
#ifdef __CUDA_ARCH__
  return erfinv(x);
#else
  // Newton's method on a first guess (Giles's logarithm), enough for a judge.
  if (!(x > -1 && x < 1)) return x == 1 ? static_cast<C>(INFINITY) : x == -1 ? static_cast<C>(-INFINITY) : static_cast<C>(NAN);
  const double w = log(1 - static_cast<double>(x) * x), a = 2 / (3.14159265358979323846 * 0.147) + w / 2;
  double y = copysign(sqrt(sqrt(a * a - w / 0.147) - a), static_cast<double>(x));
  for (int i = 0; i < 4; ++i) y -= (erf(y) - x) / (1.1283791670955126 * exp(-y * y));
  return static_cast<C>(y);
#endif
}

template <typename C> SM_DEVICE C SigmoidOf(C x) { return C(1) / (C(1) + exp(-x)); }
template <typename C> SM_DEVICE C RsqrtOf(C x) { return C(1) / sqrt(x); }
template <typename C> SM_DEVICE C SoftplusOf(C x) {
  const C limit = sizeof(C) == 8 ? C(34) : C(14);
  return x > limit ? x : x < -limit ? exp(x) : log1p(exp(x));
}
template <typename C> SM_DEVICE C GeluTanhOf(C x) { return C(0.5) * x * (C(1) + tanh(C(0.7978845608028654) * (x + C(0.044715) * x * x * x))); }
template <typename C> SM_DEVICE C MaxOf(C a, C b) { return a != a ? a : b != b ? b : a < b ? b : a; }  // NaN wins
template <typename C> SM_DEVICE C MinOf(C a, C b) { return a != a ? a : b != b ? b : b < a ? b : a; }

// The functions that are long or seldom met, once for all kernels of a type: nothing is gained by having them inline.
#define SM_ONE(NAME, EXPRESSION) case NAME: return static_cast<C>(EXPRESSION);
template <typename C>
SM_SHARED_DEVICE C LongFloat(Unary op, C alpha, C v) {
  switch (op) {
    SM_ONE(Unary::kExp, exp(v))
    SM_ONE(Unary::kExpm1, expm1(v))
    SM_ONE(Unary::kLog, log(v))
    SM_ONE(Unary::kLog1p, log1p(v))
    SM_ONE(Unary::kSin, sin(v))
    SM_ONE(Unary::kCos, cos(v))
    SM_ONE(Unary::kTan, tan(v))
    SM_ONE(Unary::kAsin, asin(v))
    SM_ONE(Unary::kAcos, acos(v))
    SM_ONE(Unary::kAtan, atan(v))
    SM_ONE(Unary::kSinh, sinh(v))
    SM_ONE(Unary::kCosh, cosh(v))
    SM_ONE(Unary::kTanh, tanh(v))
    SM_ONE(Unary::kAsinh, asinh(v))
    SM_ONE(Unary::kAcosh, acosh(v))
    SM_ONE(Unary::kAtanh, atanh(v))
    SM_ONE(Unary::kSigmoid, SigmoidOf(v))
    SM_ONE(Unary::kElu, v < C(0) ? alpha * expm1(v) : v)
    SM_ONE(Unary::kSelu, v < C(0) ? C(1.7580993408473768) * expm1(v) : C(1.0507009873554805) * v)
    SM_ONE(Unary::kSoftplus, SoftplusOf(v))
    SM_ONE(Unary::kSwish, v * SigmoidOf(v))
    SM_ONE(Unary::kGeluErf, C(0.5) * v * (C(1) + erf(v * C(0.7071067811865476))))
    SM_ONE(Unary::kGeluTanh, GeluTanhOf(v))
    SM_ONE(Unary::kErf, erf(v))
    SM_ONE(Unary::kErfc, erfc(v))
    SM_ONE(Unary::kErfinv, ErfinvOf(v))
    SM_ONE(Unary::kNdtri, C(1.4142135623730951) * ErfinvOf(C(2) * v - C(1)))
    SM_ONE(Unary::kLgamma, lgamma(v))
    default: return v;
  }
}

// The rest of a division by w that rounds towards zero has another sign than w: rounded down, the quotient is one less.
template <typename C> SM_DEVICE bool RoundsUp(C rest, C w) { return rest != C(0) && (rest < C(0)) != (w < C(0)); }
template <typename C> SM_DEVICE C Floored(C rest, C w) { return RoundsUp(rest, w) ? rest + w : rest; }

template <typename C>
SM_SHARED_DEVICE C LongFloat(Binary op, C v, C w) {
  switch (op) {
    SM_ONE(Binary::kPow, pow(v, w))
    SM_ONE(Binary::kFloorMod, Floored(static_cast<C>(fmod(v, w)), w))
    SM_ONE(Binary::kTruncateMod, fmod(v, w))
    SM_ONE(Binary::kAtan2, atan2(v, w))
    SM_ONE(Binary::kXlogy, v == C(0) ? C(0) : v * log(w))
    SM_ONE(Binary::kXlog1py, v == C(0) ? C(0) : v * log1p(w))
    default: return v;
  }
}
#undef SM_ONE

#define SM_EACH(NAME, EXPRESSION)                 \
  case NAME:                                      \
    for (int j = 0; j < kCount; ++j) {            \
      const C v = x[j];                           \
      x[j] = static_cast<C>(EXPRESSION);          \
    }                                             \
    break;

// x = op(x), floats.
template <typename C, int kCount>
SM_DEVICE void ApplyFloat(Unary op, C alpha, C (&x)[kCount]) {
  switch (op) {
    case Unary::kNone: break;
    SM_EACH(Unary::kAbs, fabs(v))
    SM_EACH(Unary::kNeg, -v)
    SM_EACH(Unary::kSign, v > C(0) ? C(1) : v < C(0) ? C(-1) : v)
    SM_EACH(Unary::kSquare, v * v)
    SM_EACH(Unary::kSqrt, sqrt(v))
    SM_EACH(Unary::kRsqrt, RsqrtOf(v))
    SM_EACH(Unary::kReciprocal, C(1) / v)
    SM_EACH(Unary::kRelu, MaxOf(v, C(0)))
    SM_EACH(Unary::kRelu6, MinOf(MaxOf(v, C(0)), C(6)))
    SM_EACH(Unary::kLeakyRelu, v < C(0) ? v * alpha : v)
    SM_EACH(Unary::kSoftsign, v / (C(1) + fabs(v)))
    SM_EACH(Unary::kHardSwish, v * MinOf(MaxOf(v * C(1.0 / 6.0) + C(0.5), C(0)), C(1)))
    SM_EACH(Unary::kCeil, ceil(v))
    SM_EACH(Unary::kFloor, floor(v))
    SM_EACH(Unary::kRint, rint(v))
    default:
      for (int j = 0; j < kCount; ++j) x[j] = LongFloat(op, alpha, x[j]);
      break;
  }
}

// x = op(x), integers: they wrap.
template <typename C, int kCount>
SM_DEVICE void ApplyInteger(Unary op, C (&x)[kCount]) {
  using U = typename Unsigned<C>::type;
  switch (op) {
    SM_EACH(Unary::kAbs, v < C(0) ? U(0) - U(v) : U(v))
    SM_EACH(Unary::kNeg, U(0) - U(v))
    SM_EACH(Unary::kSign, C(v > C(0)) - C(v < C(0)))
    SM_EACH(Unary::kSquare, U(v) * U(v))
    SM_EACH(Unary::kRelu, v < C(0) ? C(0) : v)
    SM_EACH(Unary::kRelu6, v < C(0) ? C(0) : v > C(6) ? C(6) : v)
    SM_EACH(Unary::kInvert, ~U(v))
    default: break;
  }
}
#undef SM_EACH

#define SM_EACH(NAME, EXPRESSION)                 \
  case NAME:                                      \
    for (int j = 0; j < kCount; ++j) {            \
      const C v = a[j], w = b[j];                 \
      a[j] = static_cast<C>(EXPRESSION);          \
    }                                             \
    break;

// a = op(a, b), floats.
template <typename C, int kCount>
SM_DEVICE void ApplyFloat(Binary op, C (&a)[kCount], const C (&b)[kCount]) {
  switch (op) {
    SM_EACH(Binary::kAdd, v + w)
    SM_EACH(Binary::kSub, v - w)
    SM_EACH(Binary::kMul, v * w)
    SM_EACH(Binary::kDiv, v / w)
    SM_EACH(Binary::kDivNoNan, w == C(0) ? C(0) : v / w)
    SM_EACH(Binary::kMulNoNan, w == C(0) ? C(0) : v * w)
    SM_EACH(Binary::kMaximum, MaxOf(v, w))
    SM_EACH(Binary::kMinimum, MinOf(v, w))
    SM_EACH(Binary::kSquaredDifference, (v - w) * (v - w))
    SM_EACH(Binary::kFloorDiv, floor(v / w))
    SM_EACH(Binary::kTruncateDiv, trunc(v / w))
    SM_EACH(Binary::kXdivy, v == C(0) ? C(0) : v / w)
    SM_EACH(Binary::kReluGrad, w > C(0) ? v : C(0))
    SM_EACH(Binary::kSigmoidGrad, w * v * (C(1) - v))
    SM_EACH(Binary::kTanhGrad, w * (C(1) - v * v))
    SM_EACH(Binary::kRsqrtGrad, C(-0.5) * w * v * v * v)
    SM_EACH(Binary::kSqrtGrad, C(0.5) * w / v)
    default:
      for (int j = 0; j < kCount; ++j) a[j] = LongFloat(op, a[j], b[j]);
      break;
  }
}

template <typename C> SM_DEVICE C TruncateDivOf(C v, C w) {
  if (w == C(0)) return C(0);
  if (C(-1) < C(0) && w == C(-1)) return static_cast<C>(typename Unsigned<C>::type(0) - typename Unsigned<C>::type(v));
  return v / w;
}
template <typename C> SM_DEVICE C TruncateModOf(C v, C w) { return w == C(0) || (C(-1) < C(0) && w == C(-1)) ? C(0) : v % w; }
template <typename C> SM_DEVICE C FloorDivOf(C v, C w) {
  const C quotient = TruncateDivOf(v, w), rest = TruncateModOf(v, w);
  return RoundsUp(rest, w) ? quotient - C(1) : quotient;
}

template <typename C>
SM_SHARED_DEVICE C LongInteger(Binary op, C v, C w) {
  switch (op) {
    case Binary::kDiv: case Binary::kTruncateDiv: return TruncateDivOf(v, w);
    case Binary::kTruncateMod: return TruncateModOf(v, w);
    case Binary::kFloorDiv: return FloorDivOf(v, w);
    case Binary::kFloorMod: return Floored(TruncateModOf(v, w), w);
    default: return v;
  }
}

// a = op(a, b), integers: they wrap; a division by zero gives 0.
template <typename C, int kCount>
SM_DEVICE void ApplyInteger(Binary op, C (&a)[kCount], const C (&b)[kCount]) {
  using U = typename Unsigned<C>::type;
  switch (op) {
    SM_EACH(Binary::kAdd, U(v) + U(w))
    SM_EACH(Binary::kSub, U(v) - U(w))
    SM_EACH(Binary::kMul, U(v) * U(w))
    SM_EACH(Binary::kMaximum, v < w ? w : v)
    SM_EACH(Binary::kMinimum, w < v ? w : v)
    SM_EACH(Binary::kSquaredDifference, (U(v) - U(w)) * (U(v) - U(w)))
    SM_EACH(Binary::kAnd, v & w)
    SM_EACH(Binary::kOr, v | w)
    SM_EACH(Binary::kXor, v ^ w)
    SM_EACH(Binary::kReluGrad, w > C(0) ? v : C(0))
    default:
      for (int j = 0; j < kCount; ++j) a[j] = LongInteger(op, a[j], b[j]);
      break;
  }
}
#undef SM_EACH

template <typename C>
SM_DEVICE bool Compare(Comparison op, C v, C w) {
  switch (op) {
    case Comparison::kLess: return v < w;
    case Comparison::kLessEqual: return v <= w;
    case Comparison::kGreater: return v > w;
    case Comparison::kGreaterEqual: return v >= w;
    case Comparison::kEqual: return v == w;
    case Comparison::kNotEqual: return v != w;
    case Comparison::kLogicalAnd: return v != C(0) && w != C(0);
    case Comparison::kLogicalOr: return v != C(0) || w != C(0);
  }
  return false;
}

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_FUNCTIONS_H_
