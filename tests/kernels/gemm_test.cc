#include "kernels/cpu/gemm.h"

#include <catch2/catch.hpp>
#include <array>
#include <cmath>

#include "kernels/cpu/gemm_blocks.h"
#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

double Activate(Activation activation, double x, double alpha) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kRelu: return std::max(x, 0.0);
    case Activation::kRelu6: return std::clamp(x, 0.0, 6.0);
    case Activation::kLeakyRelu: return x < 0 ? alpha * x : x;
    case Activation::kElu: return x < 0 ? alpha * std::expm1(x) : x;
    case Activation::kSigmoid: return 1 / (1 + std::exp(-x));
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSwish: return x / (1 + std::exp(-x));
    case Activation::kHardSwish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case Activation::kGeluErf: return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return x;
}

// The obvious loop. Returns the largest error in units of what rounding may do.
double WorstError(const MatMulShape& s, const float* a, const float* b, const float* bias, const float* residual,
                  Activation activation, float alpha, const float* c) {
  double worst = 0;
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0, size = 1;
      for (int64_t p = 0; p < s.k; ++p) {
        const double x = s.transpose_a ? a[p * s.a_stride + i] : a[i * s.a_stride + p];
        const double y = s.transpose_b ? b[j * s.b_stride + p] : b[p * s.b_stride + j];
        sum += x * y;
        size += std::abs(x * y);
      }
      if (bias != nullptr) sum += bias[j];
      if (residual != nullptr) sum += residual[i * s.c_stride + j];
      const double error = std::abs(c[i * s.c_stride + j] - Activate(activation, sum, alpha)) / (size * 1e-6);
      if (!(error <= worst)) worst = error;
    }
  }
  return worst;
}

void CheckGemm(int64_t m, int64_t n, int64_t k, Activation activation, bool bias, bool residual, bool transposed,
               ThreadPool& pool) {
  const int64_t a_stride = k + 3, c_stride = n + 5, b_stride = (transposed ? k : n) + 2;
  const auto a = RandomFloats(m * a_stride + 1, 1), b = RandomFloats((transposed ? n : k) * b_stride + 1, 2),
             bias_values = RandomFloats(n, 3);
  std::vector<float> c = RandomFloats(m * c_stride, 4);
  const std::vector<float> before = c;
  absl::StatusOr<PackedMatrix> packed = PackedMatrix::Pack(k, n, b.data(), b_stride, transposed, pool);
  REQUIRE(packed.ok());
  Epilogue epilogue;
  if (bias) epilogue.bias = bias_values.data();
  if (residual) epilogue.residual = c.data(), epilogue.residual_stride = c_stride;  // in place
  epilogue.activation = activation;
  epilogue.alpha = 0.3f;
  Gemm(m, a.data(), a_stride, *packed, epilogue, c.data(), c_stride, pool);
  MatMulShape shape;
  shape.m = m, shape.n = n, shape.k = k, shape.transpose_b = transposed;
  shape.a_stride = a_stride, shape.b_stride = b_stride, shape.c_stride = c_stride;
  INFO(CpuLevelName(ActiveCpuLevel()) << " " << m << "x" << n << "x" << k << " activation " << static_cast<int>(activation)
                                      << " bias " << bias << " residual " << residual << " transposed " << transposed);
  CHECK(WorstError(shape, a.data(), b.data(), epilogue.bias, residual ? before.data() : nullptr, activation, 0.3f, c.data()) <=
        1);
  bool untouched = true;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = n; j < c_stride; ++j) untouched = untouched && c[i * c_stride + j] == before[i * c_stride + j];
  }
  CHECK(untouched);

  // The same from B where it is, bit for bit.
  if (const PanelLayout& layout = packed->layout(); !transposed && PackedMatrix::HasRows(layout)) {
    std::vector<float> again = before;
    if (residual) epilogue.residual = again.data();
    const absl::StatusOr<PackedMatrix> rows = PackedMatrix::Rows(layout, b.data(), b_stride, pool);
    REQUIRE(rows.ok());
    Gemm(m, a.data(), a_stride, *rows, epilogue, again.data(), c_stride, pool);
    CHECK(again == c);
  }
}

TEST_CASE("kernels/gemm: sizes around the vector and tile sizes", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t m = 1; m <= 14; ++m) {
      for (int64_t n : {1, 3, 4, 5, 8, 15, 16, 17, 31, 33, 48, 63, 64, 65, 80, 96, 100, 129, 200}) {
        CheckGemm(m, n, 1 + (m * n) % 37, Activation::kNone, n % 2 == 0, n % 3 == 0, m % 2 == 0, *pool);
      }
    }
    for (int64_t k : {0, 1, 2, 3, 4, 5, 17}) CheckGemm(7, 70, k, Activation::kNone, true, true, false, *pool);
  }
}

TEST_CASE("kernels/gemm: a matrix that is packed tells of all its parts", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (int64_t k : {3, 700, 3001}) {
    const auto b = RandomFloats(k * 400, 1);
    int64_t told = 0;
    const auto done = [&](int64_t first, int64_t count) {
      CHECK(first == told);
      told += count;
    };
    const PackedStretch stretch = done;
    auto parts = PackedMatrix::Pack(k, 400, b.data(), 400, false, *pool, GemmPrecision::kFloat, nullptr, &stretch);
    auto whole = PackedMatrix::Pack(k, 400, b.data(), 400, false, *pool);
    CHECK(told == k * 400);
    CHECK(std::equal(parts->data(), parts->data() + parts->layout().floats(), whole->data()));
  }
}

TEST_CASE("kernels/gemm: every activation, with one and several stretches of the inner dimension", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int i = 0; i <= static_cast<int>(Activation::kGeluTanh); ++i) {
      CheckGemm(19, 70, 30, static_cast<Activation>(i), true, true, false, *pool);
      CheckGemm(19, 70, 3000, static_cast<Activation>(i), true, false, true, *pool);
    }
    CheckGemm(40, 70, 20000, Activation::kRelu, true, true, false, *pool);
  }
}

TEST_CASE("kernels/gemm: large products, shared among threads", "[kernels]") {
  for (int threads : {1, 2, 5}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      CheckGemm(1, 3000, 700, Activation::kRelu, true, true, false, *pool);
      CheckGemm(130, 300, 900, Activation::kRelu6, true, true, false, *pool);
      CheckGemm(700, 90, 257, Activation::kRelu, true, true, true, *pool);
      CheckGemm(40, 512, 700, Activation::kGeluErf, true, true, false, *pool);
      CheckGemm(49, 512, 1000, Activation::kNone, false, true, false, *pool);
      CheckGemm(300, 333, 2100, Activation::kNone, true, true, false, *pool);
    }
  }
}

TEST_CASE("kernels/gemm: rows found by their distance and one by one give the same bits", "[kernels]") {
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int64_t n : {7, 16, 24, 32}) {
      const int64_t k = 37, a_stride = 41, most = 30;
      const auto a = RandomFloats(most * a_stride, 1), b = RandomFloats(k * n, 2), bias = RandomFloats(n, 3);
      CallerOnly pool;
      const PackedMatrix packed = PackedMatrix::Pack(k, n, b.data(), n, false, pool).value();
      const float* rows[most];
      for (int64_t i = 0; i < most; ++i) rows[i] = a.data() + i * a_stride;
      for (int64_t m = 9; m <= most; ++m) {
        std::vector<float> c[2];
        for (int even = 0; even < 2; ++even) {
          c[even].assign(m * n, 0.0f);
          PanelJob job = {};
          job.rows = rows;
          job.row_stride = job.m = m;
          job.row_distance = even * a_stride;
          job.taps = 1;
          job.depth = k;
          job.b = packed.row(0, 0);
          job.b_stride = packed.stride(0);
          job.columns = packed.layout().columns(0);
          job.c = c[even].data();
          job.c_stride = n;
          job.first = job.last = true;
          job.epilogue.bias = bias.data();
          KernelsFor(packed.layout()).run_panel(job);
        }
        INFO(CpuLevelName(level) << " " << m << " x " << n);
        CHECK(c[0] == c[1]);
      }
    }
  }
}

TEST_CASE("kernels/gemm: NaN and infinity pass through", "[kernels]") {
  auto pool = MakeThreadPool(1);
  const float nan = std::nanf(""), inf = INFINITY;
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    const float a[3] = {nan, inf, -inf};
    const std::vector<float> b(17, 1.0f);
    auto packed = PackedMatrix::Pack(1, 17, b.data(), 17, false, *pool);
    std::vector<float> c(51);
    Epilogue epilogue;
    epilogue.activation = Activation::kRelu;
    Gemm(3, a, 1, *packed, epilogue, c.data(), 17, *pool);
    for (int j = 0; j < 17; ++j) {
      CHECK(std::isnan(c[j]));
      CHECK(c[17 + j] == inf);
      CHECK(c[34 + j] == 0);
    }
  }
}

TEST_CASE("kernels/gemm: bfloat16 where it is fast", "[kernels]") {
  auto pool = MakeThreadPool(2);
  for (const auto& [m, n, k] :
       std::vector<std::array<int64_t, 3>>{{1, 1, 1}, {1, 70, 33}, {7, 64, 128}, {20, 100, 301}, {200, 300, 2000}}) {
    for (bool transposed : {false, true}) {
      // Numbers that bfloat16 holds exactly, so that only the order of the sums differs.
      auto a = RandomFloats(m * k, 1), b = RandomFloats(n * k, 2);
      for (auto* v : {&a, &b}) {
        for (float& x : *v) x = std::round(x * 64) / 64;
      }
      auto packed = PackedMatrix::Pack(k, n, b.data(), transposed ? k : n, transposed, *pool, GemmPrecision::kBf16);
      REQUIRE(packed.ok());
      CHECK(packed->layout().bf16 == HasFastBf16());
      std::vector<float> c(m * n), scratch(MixedGemmScratchBytes(m, *packed) / 4);
      MixedGemm(m, a.data(), k, *packed, {}, c.data(), n, scratch.data(), *pool);
      MatMulShape shape;
      shape.m = m, shape.n = n, shape.k = k, shape.transpose_b = transposed;
      shape.a_stride = k, shape.b_stride = transposed ? k : n, shape.c_stride = n;
      INFO(m << "x" << n << "x" << k << " transposed " << transposed);
      CHECK(WorstError(shape, a.data(), b.data(), nullptr, nullptr, Activation::kNone, 0, c.data()) <= 1);
    }
  }
}

TEST_CASE("kernels/gemm: batches with strides, both sides transposed or not", "[kernels]") {
  for (int threads : {1, 2}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      for (int variant = 0; variant < 4; ++variant) {
        for (const auto& [batch, m, n, k] : std::vector<std::array<int64_t, 4>>{{1, 1, 1, 1},
                                                                                {3, 1, 40, 20},
                                                                                {1, 4, 1000, 300},
                                                                                {5, 16, 65, 7},
                                                                                {2, 17, 64, 64},
                                                                                {12, 128, 128, 64},
                                                                                {7, 50, 33, 129},
                                                                                {2, 3, 5, 0}}) {
          MatMulShape s;
          s.batch = batch, s.m = m, s.n = n, s.k = k;
          s.transpose_a = variant & 1, s.transpose_b = variant & 2;
          // Interleaved as heads are: the matrices lie beside each other in every row.
          const int64_t a_width = s.transpose_a ? m : k, b_width = s.transpose_b ? k : n;
          s.a_stride = a_width * batch, s.a_distance = a_width;
          s.b_stride = b_width * batch, s.b_distance = b_width;
          s.c_stride = n * batch, s.c_distance = n;
          const auto a = RandomFloats(m * k * batch, 1), b = RandomFloats(n * k * batch, 2), bias = RandomFloats(n, 3);
          std::vector<float> c(m * n * batch, 7.0f);
          MatMulPlan plan(s, threads);
          std::vector<float> scratch(plan.scratch_bytes() / 4);
          Epilogue epilogue;
          epilogue.bias = bias.data();
          epilogue.activation = Activation::kRelu;
          plan.Run(a.data(), b.data(), epilogue, c.data(), scratch.data(), *pool);
          double worst = 0;
          for (int64_t i = 0; i < batch; ++i) {
            worst = std::max(worst, WorstError(s, a.data() + i * s.a_distance, b.data() + i * s.b_distance, bias.data(), nullptr,
                                               Activation::kRelu, 0, c.data() + i * s.c_distance));
          }
          INFO(CpuLevelName(level) << " variant " << variant << " batch " << batch << " " << m << "x" << n << "x" << k);
          CHECK(worst <= 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace savedmodel
