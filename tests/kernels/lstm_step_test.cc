#include "kernels/cpu/lstm_step.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "kernels/cpu/gemm_blocks.h"
#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

using Numbers = std::vector<float>;

Numbers Random(size_t n, unsigned seed, float scale = 1) {
  Numbers numbers = RandomFloats(n, seed);
  for (float& number : numbers) number *= scale;
  return numbers;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The formulas in double, in place of c; returns h.
Numbers PlainStep(const Numbers& u, const int64_t gates[4], const Numbers& z, const Numbers& h, Numbers* c, int rows, int64_t n) {
  Numbers out(h.size());
  for (int r = 0; r < rows; ++r) {
    for (int64_t unit = 0; unit < n; ++unit) {
      double sum[4];
      for (int g = 0; g < 4; ++g) {
        const int64_t column = gates[g] * n + unit;
        sum[g] = z[r * 4 * n + column];
        for (int64_t k = 0; k < n; ++k) sum[g] += static_cast<double>(h[r * n + k]) * u[k * 4 * n + column];
      }
      float& state = (*c)[r * n + unit];
      state = static_cast<float>(Sigmoid(sum[1]) * state + Sigmoid(sum[0]) * std::tanh(sum[2]));
      out[r * n + unit] = static_cast<float>(Sigmoid(sum[3]) * std::tanh(state));
    }
  }
  return out;
}

struct Case {
  int64_t units;
  int rows;
  int64_t steps;
  bool last_only;
};

void CheckSteps(const Case& test, ThreadPool& pool) {
  const auto [n, rows, steps, last_only] = test;
  CAPTURE(n, rows, steps, last_only);
  const int64_t gates[4] = {1, 3, 0, 2};
  const size_t size = static_cast<size_t>(rows * n);
  const Numbers u = Random(static_cast<size_t>(n * 4 * n), 1, 0.1f), z = Random(static_cast<size_t>(steps) * 4 * size, 2), h = Random(size, 3);
  Numbers c = Random(size, 4), wanted_c = c, out((last_only ? 1 : static_cast<size_t>(steps)) * size, NAN), spare(size, NAN);
  auto weights = LstmWeights::Pack(u.data(), n, gates);
  REQUIRE(weights.ok());
  LstmSequences s;
  s.z = z.data();
  s.z_step = rows * 4 * n;
  s.z_row = 4 * n;
  s.h = h.data();
  s.c = c.data();
  s.out = out.data();
  s.out_step = last_only ? 0 : rows * n;
  s.spare = spare.data();
  s.steps = steps;
  s.rows = rows;
  weights->Run(s, [] { return false; }, pool);
  Numbers wanted = h;
  for (int64_t t = 0; t < steps; ++t) {
    wanted = PlainStep(u, gates, Numbers(z.begin() + t * s.z_step, z.begin() + (t + 1) * s.z_step), wanted, &wanted_c, rows, n);
    if (last_only && t + 1 < steps) continue;
    for (size_t i = 0; i < size; ++i) REQUIRE(s.Out(t)[i] == Approx(wanted[i]).margin(1e-5));
  }
  for (size_t i = 0; i < size; ++i) REQUIRE(c[i] == Approx(wanted_c[i]).margin(1e-5));
}

}  // namespace

TEST_CASE("LSTM steps: every level, units that fill vectors and that do not, every number of rows") {
  CallerOnly pool;
  for (CpuLevel level : CpuLevelsHere()) {
    ScopedCpuLevelCap cap(level);
    const int64_t gates[4] = {0, 1, 2, 3};
    const float one[4] = {};
    const int most = LstmWeights::Pack(one, 1, gates)->max_rows();
    CAPTURE(CpuLevelName(level), most);
    REQUIRE(most >= 1);
    for (int rows = 1; rows <= most; ++rows) {
      for (int64_t n : {1, 3, 16, 37, 64}) CheckSteps({n, rows, 1 + n % 3, n % 2 == 1}, pool);
    }
  }
}

TEST_CASE("LSTM steps: threads share a step, whether they come at once, late or never") {
  const auto threads = MakeThreadPool(4);
  CallerOnly alone;
  // More threads than there are: the parts that nobody takes are the first one's.
  class Nobody final : public ThreadPool {
   public:
    int num_threads() const override { return 3; }
    void ParallelFor(int64_t total, int64_t, absl::FunctionRef<void(int64_t, int64_t)> work) override { work(0, total); }
  } nobody;
  for (ThreadPool* pool : {threads.get(), static_cast<ThreadPool*>(&alone), static_cast<ThreadPool*>(&nobody)}) {
    for (bool last_only : {false, true}) CheckSteps({203, 2, 40, last_only}, *pool);
  }
}

TEST_CASE("LSTM steps: stopped in the middle") {
  const auto threads = MakeThreadPool(2);
  const int64_t n = 128, gates[4] = {0, 1, 2, 3};
  const Numbers u = Random(n * 4 * n, 1), z(4 * n, 0.5f);
  Numbers h(n), c(n), out(n), spare(n);
  LstmSequences s;
  s.z = z.data();
  s.h = h.data();
  s.c = c.data();
  s.out = out.data();
  s.spare = spare.data();
  s.steps = int64_t{1} << 40;
  s.rows = 1;
  int asked = 0;
  LstmWeights::Pack(u.data(), n, gates)->Run(s, [&] { return ++asked == 5; }, *threads);
  CHECK(asked == 5);
}

}  // namespace savedmodel
