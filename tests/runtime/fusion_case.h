// What the tests of fusing passes share: random tensors, and a model run with and without a pass.
#ifndef SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_
#define SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_

#include <catch2/catch.hpp>
#include <random>

#include "model_builder.h"
#include "op_case.h"
#include "passes/pass.h"

namespace savedmodel {

inline Tensor Random(const TensorShape& shape, unsigned seed, float low = -1, float high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> values(low, high);
  Tensor t = Tensor::Allocate(DataType::kFloat, shape).value();
  for (float& v : t.flat<float>()) v = values(random);
  return t;
}

inline size_t StepsOf(SavedModelBundle& bundle, const Feeds& feeds, Tensor* output) {
  RunOptions options;
  options.trace = true;
  RunMetadata metadata;
  std::vector<Tensor> outputs;
  absl::Status status = bundle.session->Run(options, feeds, {"out"}, {}, &outputs, &metadata);
  INFO(status.ToString());
  REQUIRE(status.ok());
  *output = outputs[0];
  return metadata.steps.size();
}

// Runs with all passes and without `pass`: equal answers, and the pass saves steps.
inline void CheckPass(const ModelBuilder& builder, const Tensor& x, const std::string& pass, size_t fused_steps) {
  SessionOptions without;
  without.disabled_passes = {pass};
  SavedModelBundle fused = builder.Load().value(), plain = builder.Load(without).value();
  Tensor a, b;
  const size_t steps = StepsOf(fused, {{"x", x}}, &a);
  CHECK(steps == fused_steps);
  CHECK(StepsOf(plain, {{"x", x}}, &b) >= steps);
  CHECK(Difference(a, b) == "");
  SessionOptions none;
  none.disabled_passes = PassNames();
  SavedModelBundle judge = builder.Load(none).value();
  StepsOf(judge, {{"x", x}}, &b);
  CHECK(Difference(a, b) == "");
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_
