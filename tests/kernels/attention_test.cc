#include "kernels/cpu/attention.h"

#include <catch2/catch.hpp>
#include <array>
#include <cmath>

#include "levels.h"
#include "random_floats.h"

namespace savedmodel {
namespace {

double WorstError(const AttentionShape& s, const float* q, const float* k, const float* v, const float* mask, const float* out) {
  double worst = 0;
  std::vector<double> weights(s.keys);
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t h = 0; h < s.heads; ++h) {
      const float* keys = k + b * s.k.batch + h * s.k.head;
      for (int64_t i = 0; i < s.queries; ++i) {
        const float* query = q + b * s.q.batch + h * s.q.head + i * s.q.row;
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < s.keys; ++j) {
          double score = 0;
          for (int64_t d = 0; d < s.depth; ++d)
            score += query[d] * (s.keys_transposed ? keys[d * s.k.row + j] : keys[j * s.k.row + d]);
          weights[j] = score * s.scale + (mask != nullptr ? mask[b * s.mask.batch + h * s.mask.head + i * s.mask.row + j] : 0);
          top = std::max(top, weights[j]);
        }
        for (double& w : weights) sum += w = std::exp(w - top);
        for (int64_t d = 0; d < s.value_depth; ++d) {
          double want = 0;
          for (int64_t j = 0; j < s.keys; ++j) want += weights[j] / sum * v[b * s.v.batch + h * s.v.head + j * s.v.row + d];
          const double error = std::abs(out[b * s.out.batch + h * s.out.head + i * s.out.row + d] - want) / 5e-6;
          if (!(error <= worst)) worst = error;
        }
      }
    }
  }
  return worst;
}

TEST_CASE("kernels/attention: heads side by side, masks, both layouts of the keys", "[kernels]") {
  for (int threads : {1, 2, 5}) {
    auto pool = MakeThreadPool(threads);
    for (CpuLevel level : CpuLevelsHere()) {
      ScopedCpuLevelCap cap(level);
      for (const auto& [batch, heads, queries, keys, depth, value_depth] :
           std::vector<std::array<int64_t, 6>>{{1, 1, 1, 1, 1, 1},
                                               {2, 3, 5, 7, 9, 11},
                                               {1, 12, 128, 128, 64, 64},
                                               {3, 2, 65, 33, 16, 70},
                                               {1, 1, 300, 1100, 8, 4},
                                               {1, 2, 1, 40, 32, 32},
                                               {1, 2, 4, 1, 64, 64},
                                               {1, 2, 30, 20, 64, 64},
                                               {1, 2, 30, 100, 64, 8},
                                               {1, 2, 3, 0, 4, 5}}) {
        for (int variant = 0; variant < 4; ++variant) {
          AttentionShape s;
          s.batch = batch, s.heads = heads, s.queries = queries, s.keys = keys, s.depth = depth, s.value_depth = value_depth;
          s.keys_transposed = variant & 1;
          s.scale = 1 / std::sqrt(static_cast<float>(depth));
          s.q = {queries * heads * depth, depth, heads * depth};
          s.k = {keys * heads * depth, s.keys_transposed ? keys : depth, heads * (s.keys_transposed ? keys : depth)};
          s.v = {keys * heads * value_depth, value_depth, heads * value_depth};
          s.out = {queries * heads * value_depth, value_depth, heads * value_depth};
          s.mask = {keys, 0, 0};  // one row per image
          const auto q = RandomFloats(batch * queries * heads * depth, 1), k = RandomFloats(batch * keys * heads * depth, 2),
                     v = RandomFloats(batch * keys * heads * value_depth, 3);
          auto mask = RandomFloats(batch * keys, 4);
          for (size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 == 1 ? -10000.0f : mask[i];
          std::vector<float> out(batch * queries * heads * value_depth, NAN);
          absl::StatusOr<AttentionPlan> plan = AttentionPlan::Make(s, threads);
          REQUIRE(plan.ok());
          std::vector<float> scratch(plan->scratch_bytes() / 4, NAN);
          const float* mask_data = variant & 2 ? mask.data() : nullptr;
          plan->Run(q.data(), k.data(), v.data(), mask_data, out.data(), scratch.data(), *pool);
          INFO(CpuLevelName(level) << " threads " << threads << " " << batch << "," << heads << "," << queries << "," << keys
                                   << "," << depth << "," << value_depth << " variant " << variant);
          CHECK(WorstError(s, q.data(), k.data(), v.data(), mask_data, out.data()) <= 1);
        }
      }
    }
  }
  AttentionShape bad;
  bad.queries = -1;
  CHECK(AttentionPlan::Make(bad, 1).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(AttentionPlan::Make({}, 1)->scratch_bytes() == 0);
}

}  // namespace
}  // namespace savedmodel
