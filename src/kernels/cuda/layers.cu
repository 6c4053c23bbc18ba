#include "kernels/cuda/layers.h"

#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

// kCount elements at a time; the row is read three times, the second and third from near memory.
template <typename T, int kCount>
int LayerNormOf(void* stream, int64_t rows, int64_t count, const void* x, const void* gammas, const void* betas, float epsilon, void* out) {
  using Few = Pack<T, kCount>;
  const Few *from = static_cast<const Few*>(x), *gamma = static_cast<const Few*>(gammas), *beta = static_cast<const Few*>(betas);
  Few* to = static_cast<Few*>(out);
  const int64_t packs = count / kCount;
  const int threads = packs <= 32 ? 32 : packs <= 256 ? 128 : 256;
  return ForEachBlock(stream, rows, threads, SM_LAMBDA(int64_t row, Lane lane) {
    const Few* a = from + row * packs;
    Few* b = to + row * packs;
    float sum = 0;
    for (int64_t i = lane.thread; i < packs; i += lane.threads) {
      const Few v = a[i];
      for (int j = 0; j < kCount; ++j) sum += static_cast<float>(v.v[j]);
    }
    const float mean = BlockReduce(lane, sum, [](float p, float q) { return p + q; }) / static_cast<float>(count);
    float squares = 0;
    for (int64_t i = lane.thread; i < packs; i += lane.threads) {
      const Few v = a[i];
      for (int j = 0; j < kCount; ++j) {
        const float distance = static_cast<float>(v.v[j]) - mean;
        squares += distance * distance;
      }
    }
    squares = BlockReduce(lane, squares, [](float p, float q) { return p + q; });
    const float factor = 1.0f / sqrtf(squares / static_cast<float>(count) + epsilon);
    for (int64_t i = lane.thread; i < packs; i += lane.threads) {
      const Few v = a[i];
      Few result;
      for (int j = 0; j < kCount; ++j) {
        float y = (static_cast<float>(v.v[j]) - mean) * factor;
        if (gamma != nullptr) y *= static_cast<float>(gamma[i].v[j]);
        if (beta != nullptr) y += static_cast<float>(beta[i].v[j]);
        result.v[j] = static_cast<T>(y);
      }
      b[i] = result;
    }
  });
}

template <typename T>
int LayerNorm(void* stream, int64_t rows, int64_t count, const void* x, const void* gamma, const void* beta, float epsilon, void* out) {
  bool aligned = count % 4 == 0;
  for (const void* pointer : {x, gamma, beta, static_cast<const void*>(out)}) aligned = aligned && reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
  return aligned ? LayerNormOf<T, 4>(stream, rows, count, x, gamma, beta, epsilon, out) : LayerNormOf<T, 1>(stream, rows, count, x, gamma, beta, epsilon, out);
}

SM_DEVICE float Squash(float x) { return 1.0f / (1.0f + expf(-x)); }

}  // namespace

int RunLayerNorm(void* stream, Element type, int64_t rows, int64_t count, const void* x, const void* gamma, const void* beta, float epsilon, void* out) {
  switch (type) {
    case Element::kFloat: return LayerNorm<float>(stream, rows, count, x, gamma, beta, epsilon, out);
    case Element::kHalf: return LayerNorm<F16>(stream, rows, count, x, gamma, beta, epsilon, out);
    case Element::kBFloat16: return LayerNorm<BF16>(stream, rows, count, x, gamma, beta, epsilon, out);
    default: return kUnsupported;
  }
}

int RunLstmCell(void* stream, int64_t batch, int64_t units, const LstmGates& gates, const float* z, float* c, float* h, float* also) {
  return ForEach(stream, batch * units, SM_LAMBDA(int64_t i) {
    const float* row = z + i / units * 4 * units + i % units;
    const float in = Squash(row[gates.of[0] * units]), forget = Squash(row[gates.of[1] * units]), candidate = tanhf(row[gates.of[2] * units]),
                open = Squash(row[gates.of[3] * units]);
    const float state = forget * c[i] + in * candidate, output = open * tanhf(state);
    c[i] = state;
    h[i] = output;
    if (also != nullptr) also[i] = output;
  });
}

}  // namespace savedmodel::cuda
