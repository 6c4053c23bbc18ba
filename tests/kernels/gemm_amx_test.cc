// The product on tiles, without a processor that has them: the loops over emulated tiles run everywhere; the compiled
// instructions run on a processor with AVX-512, where unknown ones are trapped and emulated, or for real.
#include <catch2/catch.hpp>
#include <atomic>
#include <cmath>

#include "emulated_tiles.h"
#include "kernels/cpu/amx.h"
#include "kernels/cpu/conv2d.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_amx_loops.h"
#include "kernels/cpu/scaled_gemm.h"
#include "random_floats.h"
#include "trapped_tiles.h"

namespace savedmodel {
namespace {

std::atomic<bool> refused{false};

// The policy of gemm_amx_loops.h; notes what the processor would refuse.
struct PlainTiles {
  static EmulatedTiles& here() { return EmulatedTiles::OfThisThread(); }
  static void Note(bool done) {
    if (!done) refused = true;
  }
  static void Configure(const TileShapes& shapes) { Note(here().Configure(&shapes)); }
  static void Release() { here().Release(); }
  template <int t>
  static void Zero() {
    Note(here().Zero(t));
  }
  template <int t, int offset = 0>
  static void Load(const void* base, int64_t stride) {
    Note(here().Load(t, static_cast<const char*>(base) + offset, stride));
  }
  template <int t>
  static void Store(void* base, int64_t stride) {
    Note(here().Store(t, static_cast<char*>(base), stride));
  }
  template <int c, int a, int b>
  static void MultiplyAdd() {
    Note(here().MultiplyAdd(c, a, b));
  }
};

constexpr GemmKernels kPlainTiles = kTileKernels<PlainTiles>;

// Runs `test` with the emulated tiles and, where this machine can, with the compiled instructions.
template <typename Test>
void WithTiles(Test test) {
  refused = false;
  {
    INFO("emulated tiles");
    ScopedTileKernels use(kPlainTiles);
    test();
    CHECK(!refused);
    CHECK(!EmulatedTiles::OfThisThread().configured());  // released after the last job
  }
#if defined(__x86_64__) && defined(__linux__)
  if (DetectedCpu().level != CpuLevel::kAvx512) return;
  INFO("compiled instructions");
  if (UsesTiles()) return test();
  if (DetectedCpu().amx_bf16) return;  // the operating system does not let this process
  TrappedTiles traps;
  const int64_t before = TrappedTiles::products();
  ScopedTileKernels use(kGemmAmx);
  test();
  CHECK(TrappedTiles::products() > before);
  CHECK(!EmulatedTiles::OfThisThread().configured());
#endif
}

// Numbers that bfloat16 holds exactly, so that only the order of the sums differs from the float product.
std::vector<float> ShortFloats(int64_t n, unsigned seed) {
  auto v = RandomFloats(n, seed);
  for (float& x : v) x = std::round(x * 64) / 64;
  return v;
}

std::vector<float> Sizes(std::vector<float> v) {
  for (float& x : v) x = std::abs(x);
  return v;
}

// The largest difference in units of what the order of the sums may do: 1e-6 of 1 plus the sum of the products' sizes.
double WorstDifference(const std::vector<float>& got, const std::vector<float>& want, const std::vector<float>& sizes) {
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(got[i] - want[i]) / ((1.0 + sizes[i]) * 1e-6);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

void CheckGemm(int64_t m, int64_t n, int64_t k, const Epilogue& kind, bool bias, bool residual, bool transposed, ThreadPool& pool) {
  const int64_t a_stride = k + 2, c_stride = n + 5, b_stride = transposed ? k : n;
  const auto a = ShortFloats(m * a_stride, 1), b = ShortFloats(k * n, 2), bias_values = RandomFloats(n, 3);
  const std::vector<float> before = RandomFloats(m * c_stride, 4);
  const auto run = [&](const std::vector<float>& left, const std::vector<float>& right, GemmPrecision precision, bool plain) {
    std::vector<float> c = plain ? std::vector<float>(m * c_stride) : before;
    auto packed = PackedMatrix::Pack(k, n, right.data(), b_stride, transposed, pool, precision);
    REQUIRE(packed.ok());
    REQUIRE(packed->layout().tiles == (precision == GemmPrecision::kBf16));
    Epilogue epilogue;
    if (!plain) {
      epilogue = kind;
      if (bias) epilogue.bias = bias_values.data();
      if (residual) epilogue.residual = c.data(), epilogue.residual_stride = c_stride;  // in place
    }
    std::vector<float> scratch(MixedGemmScratchBytes(m, *packed) / 4 + 1, NAN);
    MixedGemm(m, left.data(), a_stride, *packed, epilogue, c.data(), c_stride, scratch.data(), pool);
    return c;
  };
  INFO(m << "x" << n << "x" << k << " activation " << static_cast<int>(kind.activation) << " bias " << bias << " residual "
         << residual << " transposed " << transposed);
  const auto got = run(a, b, GemmPrecision::kBf16, false), want = run(a, b, GemmPrecision::kFloat, false);
  CHECK(WorstDifference(got, want, run(Sizes(a), Sizes(b), GemmPrecision::kFloat, true)) <= 1);
  bool untouched = true;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = n; j < c_stride; ++j) untouched = untouched && got[i * c_stride + j] == before[i * c_stride + j];
  }
  CHECK(untouched);
}

Epilogue Kind(Activation activation) {
  Epilogue epilogue;
  epilogue.activation = activation;
  epilogue.alpha = 0.3f;
  return epilogue;
}

TEST_CASE("kernels/gemm_amx: remainders of rows, columns and depth", "[kernels]") {
  WithTiles([] {
    auto pool = MakeThreadPool(2);
    int turn = 0;
    for (int64_t m = 1; m <= 50; ++m) {
      for (int64_t n : {1, 15, 16, 17, 31, 32, 33, 48, 70}) {
        ++turn;
        const Activation activation = turn % 5 < 2 ? Activation::kRelu6 : Activation::kNone;
        CheckGemm(m, n, 1 + turn * 7 % 70, Kind(activation), turn % 2 == 0, turn % 3 == 0, turn % 7 == 0, *pool);
      }
    }
    for (int64_t k = 0; k <= 140; ++k) CheckGemm(k % 2 == 0 ? 35 : 1, 40, k, Kind(Activation::kNone), k % 4 < 2, k % 3 == 0, false, *pool);
    for (int64_t m : {64, 97, 128, 161, 225, 256, 257}) CheckGemm(m, 33, 66, Kind(Activation::kRelu), true, true, false, *pool);
  });
}

TEST_CASE("kernels/gemm_amx: every activation, with one and several stretches of the inner dimension", "[kernels]") {
  WithTiles([] {
    auto pool = MakeThreadPool(1);
    for (int i = 0; i <= static_cast<int>(Activation::kGeluTanh); ++i) {
      const Epilogue kind = Kind(static_cast<Activation>(i));
      CheckGemm(19, 70, 30, kind, true, true, false, *pool);
      CheckGemm(49, 33, 1100, kind, i % 2 == 0, i % 3 == 0, true, *pool);
    }
    for (int i = 0; i < 4; ++i) CheckGemm(64, 64, 1536, Kind(Activation::kNone), i & 1, i & 2, false, *pool);
  });
}

TEST_CASE("kernels/gemm_amx: large products, shared among threads", "[kernels]") {
  WithTiles([] {
    for (int threads : {1, 2, 5}) {
      auto pool = MakeThreadPool(threads);
      CheckGemm(1, 1000, 700, Kind(Activation::kRelu), true, true, false, *pool);
      CheckGemm(130, 300, 900, Kind(Activation::kRelu6), true, true, false, *pool);
      CheckGemm(700, 90, 257, Kind(Activation::kSwish), true, true, true, *pool);
    }
  });
}

TEST_CASE("kernels/gemm_amx: NaN and infinity pass through and reach no other row", "[kernels]") {
  WithTiles([] {
    auto pool = MakeThreadPool(1);
    for (int64_t k : {1, 20, 35}) {
      constexpr int64_t kRows = 18;
      std::vector<float> a(kRows * k, 0.5f), c(kRows * 17);
      a[0] = std::nanf(""), a[k] = INFINITY, a[2 * k] = -INFINITY;
      const std::vector<float> b(17 * k, 1.0f);
      auto packed = PackedMatrix::Pack(k, 17, b.data(), 17, false, *pool, GemmPrecision::kBf16);
      std::vector<float> scratch(MixedGemmScratchBytes(kRows, *packed) / 4 + 1);
      MixedGemm(kRows, a.data(), k, *packed, Kind(Activation::kRelu), c.data(), 17, scratch.data(), *pool);
      for (int j = 0; j < 17; ++j) {
        CHECK(std::isnan(c[j]));
        CHECK(c[17 + j] == INFINITY);
        CHECK(c[34 + j] == 0);
        for (int i = 3; i < kRows; ++i) CHECK(c[i * 17 + j] == 0.5f * static_cast<float>(k));
      }
    }
  });
}

TEST_CASE("kernels/gemm_amx: columns of the left side scaled while they are rounded", "[kernels]") {
  WithTiles([] {
    auto pool = MakeThreadPool(2);
    for (int64_t k : {16, 18, 33, 130}) {
      constexpr int64_t kRows = 21, kColumns = 20;
      const auto a = ShortFloats(kRows * k, 1), b = ShortFloats(kColumns * k, 2);
      std::vector<float> scale(k);
      for (int64_t i = 0; i < k; ++i) scale[i] = std::ldexp(1.0f, static_cast<int>(i % 3) - 1);
      const auto run = [&](GemmPrecision precision) {
        auto packed = PackedMatrix::Pack(k, kColumns, b.data(), kColumns, false, *pool, precision);
        std::vector<float> c(kRows * kColumns), scratch(ScaledGemmScratchBytes(kRows, *packed) / 4 + 1);
        ScaledGemm(kRows, a.data(), scale.data(), *packed, Kind(Activation::kRelu), c.data(), scratch.data(), *pool);
        return c;
      };
      CHECK(WorstDifference(run(GemmPrecision::kBf16), run(GemmPrecision::kFloat), std::vector<float>(kRows * kColumns, 100.0f)) <= 1);
    }
  });
}

void CheckConv(const Conv2dShape& s, ThreadPool& pool) {
  INFO("in " << s.batch << "x" << s.in_h << "x" << s.in_w << "x" << s.in_c << " kernel " << s.kernel_h << "x" << s.kernel_w << " out "
             << s.out_c << " stride " << s.stride_h << "," << s.stride_w << " dilation " << s.dilation_h << "," << s.dilation_w
             << " pad " << s.pad_top << "," << s.pad_bottom << "," << s.pad_left << "," << s.pad_right);
  const auto in = ShortFloats(s.batch * s.in_h * s.in_w * s.in_c, 1), filter = ShortFloats(s.kernel_h * s.kernel_w * s.in_c * s.out_c, 2),
             bias = RandomFloats(s.out_c, 3), before = RandomFloats(s.batch * s.out_h() * s.out_w() * s.out_c, 4);
  const auto run = [&](const std::vector<float>& image, const std::vector<float>& weights, GemmPrecision precision, bool plain) {
    std::vector<float> out = plain ? std::vector<float>(before.size()) : before;
    auto plan = Conv2dPlan::Make(s, pool.num_threads(), ConvAlgorithm::kDirect, precision);
    REQUIRE(plan.ok());
    REQUIRE(plan->filter_layout().tiles == (precision == GemmPrecision::kBf16));
    auto packed = plan->PackFilter(weights.data(), pool);
    REQUIRE(packed.ok());
    std::vector<float> scratch(plan->scratch_bytes() / 4, NAN);
    Epilogue epilogue;
    if (!plain) {
      epilogue = Kind(Activation::kRelu);
      epilogue.bias = bias.data();
      epilogue.residual = out.data();
      epilogue.residual_stride = s.out_c;
    }
    plan->Run(image.data(), *packed, epilogue, out.data(), scratch.data(), pool);
    return out;
  };
  CHECK(WorstDifference(run(in, filter, GemmPrecision::kBf16, false), run(in, filter, GemmPrecision::kFloat, false),
                        run(Sizes(in), Sizes(filter), GemmPrecision::kFloat, true)) <= 1);
}

TEST_CASE("kernels/gemm_amx: convolutions", "[kernels]") {
  WithTiles([] {
    auto pool = MakeThreadPool(2);
    for (int64_t channels : {16, 24, 34, 50, 80}) {
      for (int64_t kernel : {1, 2, 3}) {
        for (int64_t stride : {1, 2}) {
          Conv2dShape s;
          s.batch = 2, s.in_h = 7, s.in_w = 8 + stride, s.in_c = channels, s.out_c = 20 + channels / 3;
          s.kernel_h = kernel, s.kernel_w = kernel == 2 ? 5 : kernel;
          s.stride_h = stride, s.stride_w = stride;
          s.pad_top = s.pad_left = kernel / 2, s.pad_bottom = kernel % 2, s.pad_right = kernel - 1;
          CheckConv(s, *pool);
          s.dilation_h = 2, s.dilation_w = 3 - stride;
          CheckConv(s, *pool);
        }
      }
    }
    for (int64_t channels : {1, 2, 3, 7, 14, 15}) {  // a tap is a row of the kernel
      for (int64_t stride : {1, 2}) {
        Conv2dShape s;
        s.batch = 2, s.in_h = 9, s.in_w = 12 + stride, s.in_c = channels, s.out_c = 20;
        s.kernel_h = s.kernel_w = stride == 1 ? 3 : 7, s.stride_h = s.stride_w = stride;
        s.pad_top = s.pad_left = 3, s.pad_right = stride;
        CheckConv(s, *pool);
        s.pad_left = s.pad_right = 0, s.in_w = channels == 3 ? 1500 : 7;  // a row in several parts
        CheckConv(s, *pool);
      }
    }
    Conv2dShape s;
    s.in_h = s.in_w = 7, s.in_c = 300, s.out_c = 50, s.kernel_h = s.kernel_w = 3;  // several stretches
    s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
    CheckConv(s, *pool);
    s.in_h = 20, s.in_w = 40, s.in_c = 32;  // rows long enough to be loaded as they are
    CheckConv(s, *pool);
    s.in_h = s.in_w = 12, s.in_c = 18, s.out_c = 17, s.kernel_h = s.kernel_w = 12;  // more taps than one table of pointers holds
    s.pad_right = s.pad_bottom = 5;
    CheckConv(s, *pool);
  });
}

TEST_CASE("kernels/gemm_amx: tiles come before Winograd's algorithm", "[kernels]") {
  Conv2dShape s;
  s.in_h = s.in_w = 56, s.in_c = s.out_c = 64, s.kernel_h = s.kernel_w = 3;
  s.pad_top = s.pad_bottom = s.pad_left = s.pad_right = 1;
  ScopedTileKernels use(kPlainTiles);
  const auto layout = [&](GemmPrecision precision) {
    return Conv2dPlan::Make(s, 2, ConvAlgorithm::kAuto, precision)->filter_layout();
  };
  CHECK(layout(GemmPrecision::kBf16).tiles);
  CHECK(layout(GemmPrecision::kBf16).inner == 9 * 64);
  CHECK(!layout(GemmPrecision::kFloat).tiles);
}

TEST_CASE("kernels/gemm_amx: the check at first use", "[kernels]") {
  WithTiles([] { CHECK(MultipliesRight(TileKernels())); });
  static void (*const right)(const PanelJob&) = kPlainTiles.run_panel;
  GemmKernels wrong = kPlainTiles;
  wrong.run_panel = [](const PanelJob& job) {
    right(job);
    job.c[job.c_stride + 3] += 1;
  };
  CHECK(!MultipliesRight(wrong));
  wrong.run_panel = [](const PanelJob&) {};
  CHECK(!MultipliesRight(wrong));
  // Agrees with the other kernels for pairs on what a pair is.
  if (DetectedCpu().avx512_bf16) CHECK(MultipliesRight(kGemmAvx512Bf16));
}

TEST_CASE("kernels/gemm_amx: caps", "[kernels]") {
  {
    ScopedCpuLevelCap cap(CpuLevel::kAvx2);
    CHECK(!UsesTiles());
    CHECK(!PanelLayout::For(64, 64, GemmPrecision::kBf16).bf16);
  }
  {
    ScopedCpuLevelCap cap(CpuLevel::kAvx512, false);
    CHECK(!UsesTiles());
    CHECK(!PanelLayout::For(64, 64, GemmPrecision::kBf16).tiles);
  }
  CHECK((!UsesTiles() || DetectedCpu().amx_bf16));
  CHECK(!PanelLayout::For(64, 64).tiles);
}

}  // namespace
}  // namespace savedmodel
