// The loops of elementwise arithmetic, as templates over what is done to one element.
//
// An operation is a struct with a static function Do over float, double, the integers or complex numbers:
//   struct AddOp { static constexpr bool kSimple = true; template <typename T> SM_INLINE static T Do(T a, T b); };
// half and bfloat16 are computed in float. kSimple says that the compiler can vectorise it, so that the loops over the
// types that models use most get clones for the wider instruction sets. An operation that has a faster way for rows of
// float says so with Row(const float* in, float* out, int64_t n), which must allow in == out.
//
// `out` may be the memory of an operand of the same shape: element i is read before it is written.
#ifndef SAVEDMODEL_KERNELS_CPU_ELEMENTWISE_H_
#define SAVEDMODEL_KERNELS_CPU_ELEMENTWISE_H_

#include <algorithm>
#include <complex>
#include <cstdint>
#include <type_traits>

#include "kernels/cpu/elementwise_half.h"
#include "savedmodel/data_type.h"

#define SM_INLINE __attribute__((always_inline)) inline

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define SM_OPTIMIZED __attribute__((optimize("O3")))
#if defined(__SANITIZE_ADDRESS__) || defined(SAVEDMODEL_THREAD_SANITIZER)
#define SM_CLONED SM_OPTIMIZED  // clones are chosen before the sanitizers are ready
#else
#define SM_CLONED __attribute__((optimize("O3"), target_clones("avx512f", "avx2", "default")))
#endif
#define SM_INDEPENDENT _Pragma("GCC ivdep")
#else
#define SM_OPTIMIZED
#define SM_CLONED
#define SM_INDEPENDENT
#endif

namespace savedmodel {

// What an element is computed in.
template <typename T>
struct ComputeType {
  using type = T;
};
template <>
struct ComputeType<Half> {
  using type = float;
};
template <>
struct ComputeType<BFloat16> {
  using type = float;
};
template <typename T>
using Compute = typename ComputeType<T>::type;

// The unsigned type in which integer arithmetic wraps without undefined behaviour; other types as they are.
template <typename T, bool = std::is_integral_v<T>>
struct WrappingType {
  using type = T;
};
template <typename T>
struct WrappingType<T, true> {
  using type = std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;
};
template <typename T>
using Wrapping = typename WrappingType<T>::type;

template <typename T>
inline constexpr bool kIsComplex = std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <typename T>
SM_INLINE Compute<T> Load(const T& value) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    return value;
  } else {
    return static_cast<Compute<T>>(value);
  }
}

// The operands step by 0 or 1 element.
using BinaryLoop = void (*)(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n);
using UnaryLoop = void (*)(const void* in, void* out, int64_t n);

namespace elementwise_internal {

// Ops whose intermediate results must be rounded to T have Typed<T> instead of Do.
template <typename Op, typename T>
SM_INLINE auto Apply(const Compute<T>& a, const Compute<T>& b) {
  if constexpr (requires { Op::template Typed<T>(a, b); }) {
    return Op::template Typed<T>(a, b);
  } else {
    return Op::Do(a, b);
  }
}

template <typename Op, typename T, typename R>
SM_INLINE void Binary(const T* a, int64_t a_step, const T* b, int64_t b_step, R* out, int64_t n) {
  if (a_step != 0 && b_step != 0) {
    SM_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(Apply<Op, T>(Load(a[i]), Load(b[i])));
  } else if (a_step != 0) {
    const Compute<T> y = Load(*b);
    SM_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(Apply<Op, T>(Load(a[i]), y));
  } else if (b_step != 0) {
    const Compute<T> x = Load(*a);
    SM_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(Apply<Op, T>(x, Load(b[i])));
  } else {
    std::fill_n(out, n, static_cast<R>(Apply<Op, T>(Load(*a), Load(*b))));
  }
}

template <typename Op, typename T, typename R>
SM_INLINE void Unary(const T* in, R* out, int64_t n) {
  SM_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<R>(Op::Do(Load(in[i])));
}

template <typename Op, typename T, typename R>
SM_CLONED void BinaryCloned(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n) {
  Binary<Op>(static_cast<const T*>(a), a_step, static_cast<const T*>(b), b_step, static_cast<R*>(out), n);
}
template <typename Op, typename T, typename R>
SM_OPTIMIZED void BinaryOptimized(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n) {
  Binary<Op>(static_cast<const T*>(a), a_step, static_cast<const T*>(b), b_step, static_cast<R*>(out), n);
}
template <typename Op, typename T, typename R>
void BinaryPlain(const void* a, int64_t a_step, const void* b, int64_t b_step, void* out, int64_t n) {
  Binary<Op>(static_cast<const T*>(a), a_step, static_cast<const T*>(b), b_step, static_cast<R*>(out), n);
}

template <typename Op, typename T, typename R>
SM_CLONED void UnaryCloned(const void* in, void* out, int64_t n) {
  Unary<Op>(static_cast<const T*>(in), static_cast<R*>(out), n);
}
template <typename Op, typename T, typename R>
void UnaryPlain(const void* in, void* out, int64_t n) {
  Unary<Op>(static_cast<const T*>(in), static_cast<R*>(out), n);
}

template <typename T>
void RowToFloat(const T* in, float* out, int64_t n) {
  if constexpr (std::is_same_v<T, Half>) return HalfToFloat(in, out, n);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]);
}
template <typename T>
void RowFromFloat(const float* in, T* out, int64_t n) {
  if constexpr (std::is_same_v<T, Half>) return FloatToHalf(in, out, n);
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(in[i]);
}

// half and bfloat16 through Op::Row, a buffer at a time.
template <typename Op, typename T>
void UnaryRows(const void* in, void* out, int64_t n) {
  if constexpr (std::is_same_v<T, float>) {
    Op::Row(static_cast<const float*>(in), static_cast<float*>(out), n);
  } else {
    constexpr int64_t kBuffer = 256;
    float buffer[kBuffer];
    const T* from = static_cast<const T*>(in);
    T* to = static_cast<T*>(out);
    for (int64_t at = 0; at < n; at += kBuffer) {
      const int64_t count = std::min(kBuffer, n - at);
      RowToFloat(from + at, buffer, count);
      Op::Row(buffer, buffer, count);
      RowFromFloat(buffer, to + at, count);
    }
  }
}

}  // namespace elementwise_internal

// The loop that does Op to elements of T and stores R.
template <typename Op, typename T, typename R>
BinaryLoop BinaryLoopOf() {
  if constexpr (!Op::kSimple) {
    return elementwise_internal::BinaryPlain<Op, T, R>;
  } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, int32_t>) {
    return elementwise_internal::BinaryCloned<Op, T, R>;
  } else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, int64_t> || std::is_same_v<T, bool>) {
    return elementwise_internal::BinaryOptimized<Op, T, R>;
  } else {
    return elementwise_internal::BinaryPlain<Op, T, R>;
  }
}

template <typename Op, typename T, typename R>
UnaryLoop UnaryLoopOf() {
  if constexpr (std::is_same_v<Compute<T>, float> && requires(float* row) { Op::Row(row, row, int64_t{}); }) {
    return elementwise_internal::UnaryRows<Op, T>;
  } else if constexpr (Op::kSimple && (std::is_same_v<T, float> || std::is_same_v<T, int32_t>)) {
    return elementwise_internal::UnaryCloned<Op, T, R>;
  } else {
    return elementwise_internal::UnaryPlain<Op, T, R>;
  }
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_ELEMENTWISE_H_
