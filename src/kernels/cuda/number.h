// The numbers that device kernels compute with. Includes nothing of the library, so that every compiler takes it.
#ifndef SAVEDMODEL_KERNELS_CUDA_NUMBER_H_
#define SAVEDMODEL_KERNELS_CUDA_NUMBER_H_

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define SM_BOTH __host__ __device__ __forceinline__
#else
#define SM_BOTH inline
#endif

namespace savedmodel::cuda {

// Element types, numbered as DataType is.
enum class Element : int {
  kFloat = 1, kDouble = 2, kInt32 = 3, kUInt8 = 4, kInt16 = 5, kInt8 = 6, kInt64 = 9, kBool = 10, kBFloat16 = 14, kUInt16 = 17, kHalf = 19,
  kUInt32 = 22, kUInt64 = 23,
};

// What a launcher gives for element types that it has no code for. Other values are CUDA's errors, 0 is success.
inline constexpr int kUnsupported = -1;

struct F16 {
  uint16_t bits;
  F16() = default;
  SM_BOTH F16(float value) {  // NOLINT: rounds to nearest even
#ifdef __CUDA_ARCH__
    bits = __half_as_ushort(__float2half_rn(value));
#else
    uint32_t u;
    memcpy(&u, &value, 4);
    const uint32_t sign = (u >> 16) & 0x8000u, magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
      bits = static_cast<uint16_t>(sign | 0x7e00u);
    } else if (magnitude >= 0x477ff000u) {
      bits = static_cast<uint16_t>(sign | 0x7c00u);
    } else if (magnitude < 0x38800000u) {  // below the normal numbers: count in units of 2^-24
      float scaled;
      memcpy(&scaled, &magnitude, 4);
      bits = static_cast<uint16_t>(sign | static_cast<uint32_t>(nearbyintf(scaled * 16777216.0f)));
    } else {
      bits = static_cast<uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13));
    }
#endif
  }
  SM_BOTH operator float() const {
#ifdef __CUDA_ARCH__
    return __half2float(__ushort_as_half(bits));
#else
    const uint32_t exponent = (bits >> 10) & 31u, fraction = bits & 0x3ffu;
    float value;
    if (exponent == 0) {
      value = static_cast<float>(fraction) / 16777216.0f;
    } else {
      const uint32_t u = exponent == 31u ? 0x7f800000u | (fraction << 13) : ((exponent + 112u) << 23) | (fraction << 13);
      memcpy(&value, &u, 4);
    }
    return (bits & 0x8000u) != 0 ? -value : value;
#endif
  }
};

struct BF16 {
  uint16_t bits;
  BF16() = default;
  SM_BOTH BF16(float value) {  // NOLINT: rounds to nearest even
    uint32_t u;
    memcpy(&u, &value, 4);
    bits = (u & 0x7fffffffu) > 0x7f800000u ? static_cast<uint16_t>((u >> 16) | 0x40u) : static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  SM_BOTH operator float() const {
    const uint32_t u = static_cast<uint32_t>(bits) << 16;
    float value;
    memcpy(&value, &u, 4);
    return value;
  }
};

// What arithmetic on T is done in: small floats in float, small integers in 32 bits.
template <typename T> struct Compute { using type = T; };
template <> struct Compute<F16> { using type = float; };
template <> struct Compute<BF16> { using type = float; };
template <> struct Compute<int8_t> { using type = int32_t; };
template <> struct Compute<int16_t> { using type = int32_t; };
template <> struct Compute<uint8_t> { using type = uint32_t; };
template <> struct Compute<uint16_t> { using type = uint32_t; };
template <typename T> using ComputeType = typename Compute<T>::type;

template <typename T> inline constexpr bool kIsFloat = false;
template <> inline constexpr bool kIsFloat<float> = true;
template <> inline constexpr bool kIsFloat<double> = true;
template <> inline constexpr bool kIsFloat<F16> = true;
template <> inline constexpr bool kIsFloat<BF16> = true;

template <typename T> struct Unsigned { using type = T; };
template <> struct Unsigned<int32_t> { using type = uint32_t; };
template <> struct Unsigned<int64_t> { using type = uint64_t; };

// Elements that are moved in one access.
template <typename T, int kCount> struct alignas(sizeof(T) * kCount) Pack { T v[kCount]; };
struct alignas(16) Bytes16 { uint64_t a, b; };

// return LAUNCH<T>(arguments) for the T of `element`.
#define SM_BY_FLOAT(element, LAUNCH, ...)                           \
  switch (element) {                                                \
    case Element::kFloat: return LAUNCH<float>(__VA_ARGS__);        \
    case Element::kDouble: return LAUNCH<double>(__VA_ARGS__);      \
    case Element::kHalf: return LAUNCH<F16>(__VA_ARGS__);           \
    case Element::kBFloat16: return LAUNCH<BF16>(__VA_ARGS__);      \
    default: return kUnsupported;                                   \
  }
#define SM_BY_NUMBER(element, LAUNCH, ...)                          \
  switch (element) {                                                \
    case Element::kFloat: return LAUNCH<float>(__VA_ARGS__);        \
    case Element::kDouble: return LAUNCH<double>(__VA_ARGS__);      \
    case Element::kHalf: return LAUNCH<F16>(__VA_ARGS__);           \
    case Element::kBFloat16: return LAUNCH<BF16>(__VA_ARGS__);      \
    case Element::kInt8: return LAUNCH<int8_t>(__VA_ARGS__);        \
    case Element::kInt16: return LAUNCH<int16_t>(__VA_ARGS__);      \
    case Element::kInt32: return LAUNCH<int32_t>(__VA_ARGS__);      \
    case Element::kInt64: return LAUNCH<int64_t>(__VA_ARGS__);      \
    case Element::kUInt8: return LAUNCH<uint8_t>(__VA_ARGS__);      \
    case Element::kUInt16: return LAUNCH<uint16_t>(__VA_ARGS__);    \
    case Element::kUInt32: return LAUNCH<uint32_t>(__VA_ARGS__);    \
    case Element::kUInt64: return LAUNCH<uint64_t>(__VA_ARGS__);    \
    default: return kUnsupported;                                   \
  }
// Elements that are only moved, by their size in bytes.
#define SM_BY_SIZE(size, LAUNCH, ...)                               \
  switch (size) {                                                   \
    case 1: return LAUNCH<uint8_t>(__VA_ARGS__);                    \
    case 2: return LAUNCH<uint16_t>(__VA_ARGS__);                   \
    case 4: return LAUNCH<uint32_t>(__VA_ARGS__);                   \
    case 8: return LAUNCH<uint64_t>(__VA_ARGS__);                   \
    case 16: return LAUNCH<Bytes16>(__VA_ARGS__);                   \
    default: return kUnsupported;                                   \
  }

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_NUMBER_H_
