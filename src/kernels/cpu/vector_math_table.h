// The functions that each instruction set provides for vector_math.h. Free of inline functions (see simd.h).
#ifndef SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_TABLE_H_
#define SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_TABLE_H_

#include <stdint.h>

namespace savedmodel {

struct VectorMathTable {
  using Unary = void (*)(const float* in, float* out, int64_t n);
  Unary exp, log, tanh, erf, sigmoid, swish, gelu_erf, gelu_tanh, hard_swish;
  void (*elu)(const float* in, float* out, int64_t n, float alpha);
  void (*scale)(const float* in, float* out, int64_t n, float factor);
  void (*softmax)(const float* in, float* out, int64_t n, float scale);
  float (*softmax_weights)(const float* in, const float* mask, float* out, int64_t n, float scale);
  void (*layer_norm)(const float* in, const float* gamma, const float* beta, float epsilon, float* out, int64_t n);
  void (*max_of)(const float* const* rows, int64_t count, int64_t n, float start, float* out);
  void (*mean_of)(const float* const* rows, int64_t count, int64_t n, float* out);
};

extern const VectorMathTable kVectorMathPlain;
#if defined(__x86_64__)
extern const VectorMathTable kVectorMathAvx2;
extern const VectorMathTable kVectorMathAvx512;
#endif

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_TABLE_H_
