#include "kernels/cpu/vector_math.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "levels.h"

namespace savedmodel {
namespace {

using Fast = void (*)(const float*, float*, int64_t);
using Exact = double (*)(double);

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Case {
  const char* name;
  Fast fast;
  Exact exact;
  double from, to;
  double relative, absolute;
};

const Case kCases[] = {
    {"exp", VectorExp, [](double x) { return std::exp(x); }, -87, 88.7, 3e-7, 0},
    {"log", VectorLog, [](double x) { return std::log(x); }, 1e-30, 100, 2e-7, 5e-8},
    {"tanh", VectorTanh, [](double x) { return std::tanh(x); }, -12, 12, 6e-7, 0},
    {"erf", VectorErf, [](double x) { return std::erf(x); }, -6, 6, 6e-7, 0},
    {"sigmoid", VectorSigmoid, Sigmoid, -5, 80, 7e-7, 0},
    {"sigmoid of little", VectorSigmoid, Sigmoid, -80, -5, 8e-6, 0},
    {"swish", VectorSwish, [](double x) { return x * Sigmoid(x); }, -5, 80, 7e-7, 0},
    {"swish of little", VectorSwish, [](double x) { return x * Sigmoid(x); }, -80, -5, 8e-6, 0},
    {"gelu erf", VectorGeluErf, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }, -10, 10, 6e-7, 1e-6},
    {"gelu tanh", VectorGeluTanh,
     [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }, -10, 10, 6e-7, 1e-6},
    {"hard swish", VectorHardSwish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }, -10, 10, 3e-7, 5e-7},
};

}  // namespace

TEST_CASE("kernels/vector_math: functions agree with the C library", "[kernels]") {
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (const Case& c : kCases) {
      for (int n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 20011}) {
        std::vector<float> in(n), out(n + 1, 123.0f);
        for (int i = 0; i < n; ++i) in[i] = static_cast<float>(c.from + (c.to - c.from) * (i + 0.5) / n);
        c.fast(in.data(), out.data(), n);
        double worst = 0;
        float at = 0;
        for (int i = 0; i < n; ++i) {
          const double want = c.exact(in[i]);
          const double error = std::abs(out[i] - want) / (c.relative * std::abs(want) + c.absolute + 1e-38);
          if (!(error <= worst)) worst = error, at = in[i];
        }
        INFO(CpuLevelName(level) << " " << c.name << " n=" << n << " at " << at);
        CHECK(worst <= 1.0);
        CHECK(out[n] == 123.0f);
        c.fast(in.data(), in.data(), n);  // in place
        CHECK(std::equal(in.begin(), in.end(), out.begin()));
      }
    }
  }
}

TEST_CASE("kernels/vector_math: infinities, NaN, zeros and tiny numbers", "[kernels]") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float tiny = std::numeric_limits<float>::denorm_min();
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    const auto at = [](Fast f, float x) {
      float v[3] = {x, x, x};
      f(v, v, 3);
      return v[2];
    };
    INFO(CpuLevelName(level));
    CHECK(at(VectorExp, inf) == inf);
    CHECK(at(VectorExp, 89.0f) == inf);
    CHECK(at(VectorExp, 88.72f) == Approx(std::exp(88.72f)).epsilon(1e-5));
    CHECK(at(VectorExp, -inf) == 0);
    CHECK(at(VectorExp, -100.0f) == Approx(std::exp(-100.0f)).margin(2.9e-45));
    CHECK(at(VectorExp, 0) == 1);
    CHECK(at(VectorLog, inf) == inf);
    CHECK(at(VectorLog, 0) == -inf);
    CHECK(at(VectorLog, -0.0f) == -inf);
    CHECK(std::isnan(at(VectorLog, -1)));
    CHECK(std::isnan(at(VectorLog, -inf)));
    CHECK(at(VectorLog, 1) == 0);
    CHECK(at(VectorLog, tiny) == Approx(std::log(tiny)));
    CHECK(at(VectorTanh, inf) == 1);
    CHECK(at(VectorTanh, -inf) == -1);
    CHECK(at(VectorTanh, 1e-20f) == 1e-20f);
    CHECK(std::signbit(at(VectorTanh, -0.0f)));
    CHECK(at(VectorErf, inf) == 1);
    CHECK(at(VectorErf, -inf) == -1);
    CHECK(at(VectorSigmoid, inf) == 1);
    CHECK(at(VectorSigmoid, -inf) == 0);
    CHECK(at(VectorGeluErf, -20.0f) == 0);
    CHECK(at(VectorGeluErf, 20.0f) == 20.0f);
    for (Fast f : {VectorExp, VectorLog, VectorTanh, VectorErf, VectorSigmoid, VectorSwish, VectorGeluErf, VectorGeluTanh,
                   VectorHardSwish}) {
      CHECK(std::isnan(at(f, nan)));
    }
  }
}

TEST_CASE("kernels/vector_math: the last elements of a logarithm are the C library's", "[kernels]") {
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    INFO(CpuLevelName(level));
    for (int n : {1, 7, 8, 9, 31, 52}) {
      std::vector<float> v(n, 1e-10f);
      VectorLog(v.data(), v.data(), n);
      for (int i = 0; i < n; ++i) CHECK(v[i] == (i < n - n % 8 ? -23.0258522f : -23.0258503f));
    }
  }
}

TEST_CASE("kernels/vector_math: softmax and layer norm of a row", "[kernels]") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int n : {1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 100, 769}) {
      INFO(CpuLevelName(level) << " n=" << n);
      std::vector<float> x(n), gamma(n), beta(n), out(n);
      for (auto* v : {&x, &gamma, &beta}) {
        for (float& e : *v) e = normal(random);
      }
      VectorSoftmax(x.data(), out.data(), n, 3.0f);
      double total = 0;
      for (float e : x) total += std::exp(3.0 * e);
      for (int i = 0; i < n; ++i) CHECK(out[i] == Approx(std::exp(3.0 * x[i]) / total).epsilon(2e-6));

      VectorLayerNorm(x.data(), gamma.data(), beta.data(), 1e-3f, out.data(), n);
      double mean = 0, variance = 0;
      for (int i = 0; i < n; ++i) mean += x[i] / static_cast<double>(n);
      for (int i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean) / n;
      for (int i = 0; i < n; ++i) {
        CHECK(out[i] == Approx((x[i] - mean) / std::sqrt(variance + 1e-3) * gamma[i] + beta[i]).epsilon(1e-4).margin(1e-5));
      }
      VectorLayerNorm(x.data(), nullptr, nullptr, 1e-3f, out.data(), n);
      VectorLayerNorm(x.data(), nullptr, nullptr, 1e-3f, x.data(), n);
      CHECK(x == out);
    }
  }
}

TEST_CASE("kernels/vector_math: largest and mean of rows", "[kernels]") {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    for (int n : {1, 3, 4, 8, 15, 16, 17, 33, 64, 65, 100, 131}) {
      INFO(CpuLevelName(level) << " n=" << n);
      std::vector<std::vector<float>> rows(5, std::vector<float>(n));
      std::vector<const float*> pointers;
      for (auto& row : rows) {
        for (float& e : row) e = normal(random);
        pointers.push_back(row.data());
      }
      rows[1][n / 2] = NAN;
      std::vector<float> out(n);
      for (float start : {-1e30f, 0.0f}) {
        VectorMaxOf(pointers.data(), 5, n, start, out.data());
        for (int i = 0; i < n; ++i) {
          float top = start;
          for (const auto& row : rows) top = top < row[i] ? row[i] : top;
          CHECK(out[i] == top);
        }
      }
      rows[1][n / 2] = 1;
      VectorMeanOf(pointers.data(), 5, n, out.data());
      for (int i = 0; i < n; ++i) CHECK(out[i] == ((((rows[0][i] + rows[1][i]) + rows[2][i]) + rows[3][i]) + rows[4][i]) / 5);
    }
  }
}

}  // namespace savedmodel
