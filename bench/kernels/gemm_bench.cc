// Time and rate of matrix products with packed right-hand sides. Argument: the level (0 plain, 1 AVX2, 2 AVX-512; default
// best).
#include "kernels/cpu/gemm.h"

#include <cstdio>
#include <cstdlib>

#include "timing.h"

int main(int argc, char** argv) {
  using namespace savedmodel;
  ScopedCpuLevelCap cap(argc > 1 ? static_cast<CpuLevel>(std::atoi(argv[1])) : CpuLevel::kAvx512);
  struct Case {
    const char* name;
    int64_t m, n, k;
    Activation activation;
  };
  for (const Case& c :
       {Case{"mlp", 1, 128, 128, Activation::kRelu}, Case{"dense", 1, 1000, 2048, Activation::kNone},
        Case{"dense", 8, 512, 512, Activation::kRelu}, Case{"lstm step", 1, 2048, 1024, Activation::kNone},
        Case{"bert qkv", 128, 768, 768, Activation::kNone}, Case{"bert ffn 1", 128, 3072, 768, Activation::kGeluErf},
        Case{"bert ffn 2", 128, 768, 3072, Activation::kNone}, Case{"bert 384 ffn 1", 384, 3072, 768, Activation::kGeluErf},
        Case{"bert b8 ffn 1", 1024, 3072, 768, Activation::kGeluErf}, Case{"square", 1024, 1024, 1024, Activation::kNone}}) {
    std::printf("%-15s %4ldx%4ldx%4ld", c.name, static_cast<long>(c.m), static_cast<long>(c.n), static_cast<long>(c.k));
    Floats a(c.m * c.k, 0.01f), b(c.k * c.n, 0.25f), out(c.m * c.n, 0), bias(c.n, 0.1f);
    const double flops = 2e-9 * static_cast<double>(c.m * c.n * c.k);
    for (int threads : {1, 2}) {
      auto pool = MakeThreadPool(threads);
      for (GemmPrecision precision : {GemmPrecision::kFloat, GemmPrecision::kBf16}) {
        if (precision == GemmPrecision::kBf16 && !HasFastBf16()) continue;
        auto packed = PackedMatrix::Pack(c.k, c.n, b.data(), c.n, false, *pool, precision);
        Floats scratch(MixedGemmScratchBytes(c.m, *packed) / 4 + 1, 0);
        Epilogue epilogue;
        epilogue.bias = bias.data();
        epilogue.activation = c.activation;
        const int repeats = flops < 1e-3 ? 100 : 1;
        const double time = LeastTime([&] {
                              for (int i = 0; i < repeats; ++i)
                                MixedGemm(c.m, a.data(), c.k, *packed, epilogue, out.data(), c.n, scratch.data(), *pool);
                            }) /
                            repeats;
        const double peak = PeakGflops(*pool);
        std::printf("  %d %s: %8.1f us %6.1f GFLOP/s %3.0f%%", threads, packed->layout().bf16 ? "bf16 " : "float", time * 1e6,
                    flops / time, 100 * flops / time / peak);
      }
    }
    std::printf("\n");
  }
}
