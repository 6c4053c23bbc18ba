// On a real GPU, by the plug-in of SAVEDMODEL_CUDA_PLUGIN; hidden, asked for by the tag [gpu] (see tests/gpu/run).
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>

#include "model_builder.h"
#include "op_case.h"
#include "savedmodel/cuda.h"
#include "source_root.h"

namespace savedmodel {
namespace {

CudaOptions Plain() {
  CudaOptions options;
  const char* plugin = std::getenv("SAVEDMODEL_CUDA_PLUGIN");
  options.plugin = plugin == nullptr ? "" : plugin;
  options.allow_tf32 = false;
  return options;
}

std::shared_ptr<Device> Gpu(const CudaOptions& options = Plain()) {
  auto device = CudaDevice(options);
  INFO(device.status().ToString());
  REQUIRE(device.ok());
  return *device;
}

ModelBuilder Dense() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("w", Floats({4, 2}, {1, -1, 2, 0, 0, 3, 1, 1}));
  b.Const("b", Floats({2}, {0.5f, -20}));
  b.Node("product", "MatMul", {"x", "w"}).Type("T", DataType::kFloat);
  b.Node("sum", "BiasAdd", {"product", "b"}).Type("T", DataType::kFloat);
  b.Node("positive", "Relu", {"sum"}).Type("T", DataType::kFloat);
  b.Node("out", "Softmax", {"positive"}).Type("T", DataType::kFloat);
  return b;
}
const Tensor kIn = Floats({2, 4}, {1, 2, 3, 4, -1, 0, 1, 0});

TEST_CASE("real gpu: eager, recorded and replayed runs agree with the CPU", "[.gpu]") {
  const Tensor wanted = Dense().Load().value().session->Run({{"x", kIn}}, {"out"}).value()[0];
  for (bool graphs : {false, true}) {
    CudaOptions cuda = Plain();
    cuda.graphs = graphs;
    SessionOptions options;
    options.devices = {Gpu(cuda)};
    SavedModelBundle bundle = Dense().Load(options).value();
    for (int i = 0; i < 4; ++i) {
      auto outputs = bundle.session->Run({{"x", kIn}}, {"out"});
      INFO(outputs.status().ToString() << bundle.session->LastPlanReport());
      REQUIRE(outputs.ok());
      CHECK(Difference((*outputs)[0], wanted) == "");
    }
  }
}

TEST_CASE("real gpu: runs at once, from one session and from two", "[.gpu]") {
  auto device = Gpu();
  SessionOptions options;
  options.devices = {device};
  SavedModelBundle one = Dense().Load(options).value(), two = Dense().Load(options).value();
  const Tensor wanted = Dense().Load().value().session->Run({{"x", kIn}}, {"out"}).value()[0];
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        auto outputs = (t % 2 == 0 ? one : two).session->Run({{"x", kIn}}, {"out"});
        if (!outputs.ok() || !Difference((*outputs)[0], wanted).empty()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("real gpu: feeds and fetches stay on the device", "[.gpu]") {
  auto device = Gpu();
  SessionOptions options;
  options.devices = {device};
  SavedModelBundle bundle = Dense().Load(options).value();
  CallableOptions call;
  call.feeds = {"x"};
  call.fetches = {"out"};
  call.feed_devices = {{"x", device->name()}};
  call.fetch_devices = {{"out", device->name()}};
  auto callable = bundle.session->MakeCallable(call).value();
  Tensor x = Tensor::Allocate(DataType::kFloat, {2, 4}, device->allocator()).value();
  REQUIRE(device->CopyFromHost(kIn.raw(), x.raw(), kIn.bytes()).ok());
  std::vector<Tensor> outputs;
  RunMetadata metadata;
  REQUIRE(callable->Run({x}, &outputs, &metadata).ok());
  CHECK(metadata.copies == 0);
  Tensor host = Tensor::Allocate(DataType::kFloat, {2, 2}).value();
  REQUIRE(device->CopyToHost(outputs[0].raw(), host.raw(), host.bytes()).ok());
  CHECK(Difference(host, Dense().Load().value().session->Run({{"x", kIn}}, {"out"}).value()[0]) == "");
}

TEST_CASE("real gpu: a limit of memory is kept, and an index out of range noticed", "[.gpu]") {
  CudaOptions cuda = Plain();
  cuda.memory_limit = 1 << 20;
  SessionOptions options;
  options.devices = {Gpu(cuda)};
  SavedModelBundle bundle = Dense().Load(options).value();
  CHECK(absl::IsResourceExhausted(bundle.session->Run({{"x", Tensor::Allocate(DataType::kFloat, {1000000, 4}).value()}}, {"out"}).status()));
  CHECK(bundle.session->Run({{"x", kIn}}, {"out"}).ok());
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Placeholder("i", DataType::kInt32);
  b.Node("out", "Gather", {"x", "i"}).Type("Tparams", DataType::kFloat).Type("Tindices", DataType::kInt32);
  SavedModelBundle gather = b.Load(options).value();
  for (int i = 0; i < 3; ++i) {
    CHECK(absl::IsInvalidArgument(gather.session->Run({{"x", Floats({2}, {1, 2})}, {"i", Int32s({1}, {7})}}, {"out"}).status()));
    CHECK(gather.session->Run({{"x", Floats({2}, {1, 2})}, {"i", Int32s({1}, {1})}}, {"out"}).ok());
  }
}

TEST_CASE("real gpu: a trained model gives the same answers", "[.gpu]") {
  Tensor image = Tensor::Allocate(DataType::kFloat, {1, 256, 256, 3}).value();
  for (int64_t i = 0; i < image.num_elements(); ++i) image.data<float>()[i] = static_cast<float>(i % 255) / 127.5f - 1;
  auto here = LoadSavedModel({}, {}, {"serve"}, SourceRoot() + "/models/blazeface");
  REQUIRE(here.ok());
  SessionOptions options;
  options.devices = {Gpu()};
  auto there = LoadSavedModel(options, {}, {"serve"}, SourceRoot() + "/models/blazeface");
  REQUIRE(there.ok());
  auto a = RunSignature(*here, "serving_default", {{"input", image}});
  REQUIRE(a.ok());
  for (int i = 0; i < 3; ++i) {
    RunMetadata metadata;
    auto b = RunSignature(*there, "serving_default", {{"input", image}}, {}, &metadata);
    INFO(b.status().ToString() << there->session->LastPlanReport());
    REQUIRE(b.ok());
    CHECK(metadata.copies == static_cast<int64_t>(1 + a->size()));
    for (const auto& [key, tensor] : *a) CHECK(Difference(b->at(key), tensor, 1e-3, 1e-3) == "");
  }
}

}  // namespace
}  // namespace savedmodel
