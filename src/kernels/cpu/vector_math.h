// Elementary functions over arrays of float, at the processor's full vector width.
//
// `out` may equal `in`; otherwise they must not overlap. Errors are within a few units in the last place; infinities and NaN
// come out as in the C library. All are safe to call from any thread; none starts threads.
#ifndef SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_H_
#define SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_H_

#include <cstdint>

namespace savedmodel {

void VectorExp(const float* in, float* out, int64_t n);
// Bit for bit as the reference: the last n % 8 elements come from the C library's logf, the others from a formula that differs
// by a unit in the last place. Models that stretch tiny differences to the full range show which of the two it was.
void VectorLog(const float* in, float* out, int64_t n);
void VectorTanh(const float* in, float* out, int64_t n);
void VectorErf(const float* in, float* out, int64_t n);
void VectorSigmoid(const float* in, float* out, int64_t n);
void VectorSwish(const float* in, float* out, int64_t n);      // x * sigmoid(x); below -5 these two lose up to |x| units of 1e-7
void VectorGeluErf(const float* in, float* out, int64_t n);    // x/2 * (1 + erf(x / sqrt(2)))
void VectorGeluTanh(const float* in, float* out, int64_t n);   // its approximation by tanh
void VectorHardSwish(const float* in, float* out, int64_t n);  // x * min(max(x/6 + 1/2, 0), 1)
void VectorElu(const float* in, float* out, int64_t n, float alpha);

void VectorScale(const float* in, float* out, int64_t n, float factor);  // factor * x

// softmax(scale * in) of one row; n >= 1.
void VectorSoftmax(const float* in, float* out, int64_t n, float scale);

// e^(x - max x) of one row, where x = scale * in + mask; `mask` may be null. Returns their sum: softmax without the division.
float VectorSoftmaxWeights(const float* in, const float* mask, float* out, int64_t n, float scale);

// (in - mean) / sqrt(variance + epsilon) * gamma + beta over one row of n >= 1. `gamma` and `beta` may be null, `out` may be `in`.
void VectorLayerNorm(const float* in, const float* gamma, const float* beta, float epsilon, float* out, int64_t n);

// The largest of `start` and of each of `count` rows, element by element; NaN counts as the smallest number.
void VectorMaxOf(const float* const* rows, int64_t count, int64_t n, float start, float* out);
// The mean of `count` >= 1 rows, element by element, added up in their order.
void VectorMeanOf(const float* const* rows, int64_t count, int64_t n, float* out);

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_VECTOR_MATH_H_
