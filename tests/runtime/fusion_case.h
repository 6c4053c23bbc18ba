// What the tests of fusing passes share: random tensors, and a model run with and without a pass.
#ifndef SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_
#define SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "emulated_gpu.h"
#include "model_builder.h"
#include "op_case.h"
#include "passes/pass.h"
#include "savedmodel/cuda.h"

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

// The same answers on the emulated GPU, and everything is done there: with and without stand-ins for the libraries, rounded
// to TF32's kernels, and with values kept in two bytes.
inline void CheckOnGpu(const ModelBuilder& builder, const Feeds& feeds, const Tensor& expected) {
  struct Setting {
    const char* name;
    bool libraries, tf32;
    Precision precision;
    double tolerance;
  };
  for (const Setting& setting : {Setting{"float32", true, false, Precision::kFloat32, -1}, Setting{"no libraries", false, false, Precision::kFloat32, -1},
                                 Setting{"TF32", true, true, Precision::kFloat32, 1e-3}, Setting{"bfloat16", true, true, Precision::kBFloat16, 5e-2},
                                 Setting{"float16, no libraries", false, true, Precision::kFloat16, 1e-2}}) {
    CudaOptions cuda;
    cuda.allow_tf32 = setting.tf32;
    cuda.precision = setting.precision;
    SessionOptions options;
    if (const char* plugin = std::getenv("SAVEDMODEL_CUDA_PLUGIN"); plugin != nullptr) {  // a real one
      cuda.plugin = plugin;
      options.devices = {CudaDevice(cuda).value()};
    } else {
      options.devices = {EmulatedGpu(cuda, setting.libraries).value()};
    }
    SavedModelBundle bundle = builder.Load(options).value();
    for (int i = 0; i < 3; ++i) {
      auto outputs = bundle.session->Run(feeds, {"out"});
      INFO(setting.name << " " << outputs.status().ToString() << bundle.session->LastPlanReport());
      REQUIRE(outputs.ok());
      CHECK(Difference((*outputs)[0], expected, setting.tolerance, setting.tolerance) == "");
      CHECK(bundle.session->LastPlanReport().find("runs on the CPU") == std::string::npos);
    }
  }
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
  CheckOnGpu(builder, {{"x", x}}, b);
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_RUNTIME_FUSION_CASE_H_
