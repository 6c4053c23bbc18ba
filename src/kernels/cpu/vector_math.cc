#include "kernels/cpu/vector_math.h"

#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/vector_math_table.h"

namespace savedmodel {
namespace {

const VectorMathTable& Table() {
#if defined(__x86_64__)
  switch (ActiveCpuLevel()) {
    case CpuLevel::kAvx512: return kVectorMathAvx512;
    case CpuLevel::kAvx2: return kVectorMathAvx2;
    case CpuLevel::kPlain: break;
  }
#endif
  return kVectorMathPlain;
}

}  // namespace

void VectorExp(const float* in, float* out, int64_t n) { Table().exp(in, out, n); }
void VectorLog(const float* in, float* out, int64_t n) { Table().log(in, out, n); }
void VectorTanh(const float* in, float* out, int64_t n) { Table().tanh(in, out, n); }
void VectorErf(const float* in, float* out, int64_t n) { Table().erf(in, out, n); }
void VectorSigmoid(const float* in, float* out, int64_t n) { Table().sigmoid(in, out, n); }
void VectorSwish(const float* in, float* out, int64_t n) { Table().swish(in, out, n); }
void VectorGeluErf(const float* in, float* out, int64_t n) { Table().gelu_erf(in, out, n); }
void VectorGeluTanh(const float* in, float* out, int64_t n) { Table().gelu_tanh(in, out, n); }
void VectorHardSwish(const float* in, float* out, int64_t n) { Table().hard_swish(in, out, n); }
void VectorElu(const float* in, float* out, int64_t n, float alpha) { Table().elu(in, out, n, alpha); }
void VectorScale(const float* in, float* out, int64_t n, float factor) { Table().scale(in, out, n, factor); }
void VectorSoftmax(const float* in, float* out, int64_t n, float scale) { Table().softmax(in, out, n, scale); }
float VectorSoftmaxWeights(const float* in, const float* mask, float* out, int64_t n, float scale) {
  return Table().softmax_weights(in, mask, out, n, scale);
}
void VectorLayerNorm(const float* in, const float* gamma, const float* beta, float epsilon, float* out, int64_t n) {
  Table().layer_norm(in, gamma, beta, epsilon, out, n);
}
void VectorMaxOf(const float* const* rows, int64_t count, int64_t n, float start, float* out) {
  Table().max_of(rows, count, n, start, out);
}
void VectorMeanOf(const float* const* rows, int64_t count, int64_t n, float* out) { Table().mean_of(rows, count, n, out); }

}  // namespace savedmodel
