// ns for one array, at every level of this machine.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/vector_math.h"

namespace savedmodel {
namespace {

void Add(const char* name, void (*f)(const float*, float*, int64_t)) {
  for (CpuLevel level : {CpuLevel::kPlain, CpuLevel::kAvx2, CpuLevel::kAvx512}) {
    if (level > DetectedCpu().level) continue;
    for (int64_t n : {17, 4096}) {
      const std::string title = std::string(name) + "/" + CpuLevelName(level) + "/" + std::to_string(n);
      benchmark::RegisterBenchmark(title.c_str(), [=](benchmark::State& state) {
        ScopedCpuLevelCap cap(level);
        std::vector<float> in(n), out(n);
        for (int64_t i = 0; i < n; ++i) in[i] = 0.1f + 5.0f * static_cast<float>(i) / static_cast<float>(n);
        for (auto _ : state) {
          f(in.data(), out.data(), n);
          benchmark::ClobberMemory();
        }
        state.SetItemsProcessed(state.iterations() * n);
      });
    }
  }
}

}  // namespace
}  // namespace savedmodel

int main(int argc, char** argv) {
  using namespace savedmodel;
  Add("exp", VectorExp);
  Add("log", VectorLog);
  Add("tanh", VectorTanh);
  Add("erf", VectorErf);
  Add("sigmoid", VectorSigmoid);
  Add("swish", VectorSwish);
  Add("gelu_erf", VectorGeluErf);
  Add("gelu_tanh", VectorGeluTanh);
  Add("softmax", [](const float* in, float* out, int64_t n) { VectorSoftmax(in, out, n, 1.0f); });
  Add("layer_norm",
      [](const float* in, float* out, int64_t n) { VectorLayerNorm(in, nullptr, nullptr, 1e-3f, out, n); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
