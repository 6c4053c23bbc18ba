// Whole runs on the emulated GPU: where things are done, copied, recorded, and what goes wrong.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "emulated_gpu.h"
#include "model_builder.h"
#include "op_case.h"
#include "savedmodel/cuda.h"
#include "source_root.h"

namespace savedmodel {
namespace {

struct WithFaults {
  WithFaults() { Faults() = EmulatedFaults(); }
  ~WithFaults() { Faults() = EmulatedFaults(); }
};

ModelBuilder Small() {
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("c", Floats({3}, {1, -2, 3}));
  b.Node("sum", "AddV2", {"x", "c"}).Type("T", DataType::kFloat);
  b.Node("positive", "Relu", {"sum"}).Type("T", DataType::kFloat);
  b.Node("root", "Sqrt", {"positive"}).Type("T", DataType::kFloat);
  b.Node("out", "Mul", {"root", "positive"}).Type("T", DataType::kFloat);
  return b;
}
const Tensor kIn = Floats({2, 3}, {3, 2, 1, 0, 4, 6});
const Tensor kOut = Floats({2, 3}, {8, 0, 8, 1, 2.82842712f, 27});

TEST_CASE("gpu session: a plan is one copy in, one recording, one copy out") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  SessionOptions options;
  options.devices = {device};
  options.disabled_passes = {"fuse_chains"};  // four kernels, not one
  SavedModelBundle bundle = Small().Load(options).value();
  const EmulatedCounts before = Counts();
  for (int i = 0; i < 4; ++i) {
    RunMetadata metadata;
    std::vector<Tensor> outputs;
    absl::Status status = bundle.session->Run({}, {{"x", kIn}}, {"out"}, {}, &outputs, &metadata);
    INFO(status.ToString());
    REQUIRE(status.ok());
    CHECK(Difference(outputs[0], kOut) == "");
    CHECK(metadata.copies == 2);
  }
  CHECK(Counts().recordings == before.recordings + 1);
  CHECK(Counts().replays == before.replays + 3);
  CHECK(Counts().kernels == before.kernels + 8);  // four asked for, four recorded
  CHECK(Counts().bad_copies == before.bad_copies);
}

TEST_CASE("gpu session: everything is given back") {
  WithFaults faults;
  const EmulatedCounts before = Counts();
  {
    auto device = EmulatedGpu().value();
    SessionOptions options;
    options.devices = {device};
    SavedModelBundle bundle = Small().Load(options).value();
    for (int i = 0; i < 3; ++i) REQUIRE(bundle.session->Run({{"x", kIn}}, {"out"}).ok());
  }
  CHECK(Counts().live_bytes == before.live_bytes);
  CHECK(Counts().live_graphs == before.live_graphs);
  CHECK(Counts().streams == before.streams);
  CHECK(Counts().pinned == before.pinned);
}

TEST_CASE("gpu session: a constant handed on inside a recording is there in every run") {
  WithFaults faults;
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Const("c", Floats({2}, {5, 6}));
  b.Node("order", "NoOp", {"^x"});
  b.Node("shaped", "Reshape", {"c", "shape", "^x"}).Type("T", DataType::kFloat).Type("Tshape", DataType::kInt32);
  b.Const("shape", Int32s({2}, {2, 1}));
  b.Node("y", "Neg", {"x"}).Type("T", DataType::kFloat);
  b.Node("sum", "AddV2", {"y", "shaped"}).Type("T", DataType::kFloat);
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = b.Load(options).value();
  for (int i = 0; i < 4; ++i) {
    auto outputs = bundle.session->Run({{"x", Floats({2, 1}, {1, 2})}}, {"sum", "shaped"});
    INFO(outputs.status().ToString());
    REQUIRE(outputs.ok());
    CHECK(Difference((*outputs)[0], Floats({2, 1}, {4, 4})) == "");
    CHECK(Difference((*outputs)[1], Floats({2, 1}, {5, 6})) == "");
  }
}

TEST_CASE("gpu session: a recording that fails leaves the plain way") {
  WithFaults faults;
  Faults().capture_error = 901;
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = Small().Load(options).value();
  for (int i = 0; i < 3; ++i) {
    auto outputs = bundle.session->Run({{"x", kIn}}, {"out"});
    REQUIRE(outputs.ok());
    CHECK(Difference((*outputs)[0], kOut) == "");
  }
}

TEST_CASE("gpu session: several runs at once have streams of their own") {
  WithFaults faults;
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = Small().Load(options).value();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto outputs = bundle.session->Run({{"x", kIn}}, {"out"});
        if (!outputs.ok() || !Difference((*outputs)[0], kOut).empty()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("gpu session: feeds and fetches in device memory are not copied") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  SessionOptions options;
  options.devices = {device};
  SavedModelBundle bundle = Small().Load(options).value();
  CallableOptions call;
  call.feeds = {"x"};
  call.fetches = {"out"};
  call.feed_devices = {{"x", "GPU:0"}};
  call.fetch_devices = {{"out", "GPU:0"}};
  auto callable = bundle.session->MakeCallable(call);
  REQUIRE(callable.ok());
  Tensor x = Tensor::Allocate(DataType::kFloat, {2, 3}, device->allocator()).value();
  REQUIRE(device->CopyFromHost(kIn.raw(), x.raw(), kIn.bytes()).ok());
  for (int i = 0; i < 3; ++i) {
    std::vector<Tensor> outputs;
    RunMetadata metadata;
    absl::Status status = (*callable)->Run({x}, &outputs, &metadata);
    INFO(status.ToString());
    REQUIRE(status.ok());
    CHECK(metadata.copies == 0);
    Tensor host = Tensor::Allocate(DataType::kFloat, {2, 3}).value();
    REQUIRE(device->CopyToHost(outputs[0].raw(), host.raw(), host.bytes()).ok());
    CHECK(Difference(host, kOut) == "");
  }
  call.feed_devices = {{"x", "GPU:7"}};
  auto refused = bundle.session->MakeCallable(call);
  CHECK(absl::IsInvalidArgument(refused.status()));
  CHECK(refused.status().message().find("the session has CPU:0, GPU:0") != std::string::npos);
}

TEST_CASE("gpu session: what the GPU does not do is done by the CPU, with a reason") {
  WithFaults faults;
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Node("det", "Digamma", {"x"}).Type("T", DataType::kFloat);
  b.Node("out", "Neg", {"det"}).Type("T", DataType::kFloat);
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = b.Load(options).value();
  auto outputs = bundle.session->Run({{"x", Floats({1}, {1})}}, {"out"});
  REQUIRE(outputs.ok());
  CHECK(Difference((*outputs)[0], Floats({1}, {0.5772157f})) == "");
  CHECK(bundle.session->LastPlanReport().find("Digamma \"det\" runs on the CPU, not on GPU:0: no kernel for this op") != std::string::npos);
}

TEST_CASE("gpu session: shape arithmetic stays on the host") {
  WithFaults faults;
  ModelBuilder b;
  b.Placeholder("n", DataType::kInt32);
  b.Placeholder("x", DataType::kFloat);
  b.Const("two", Int32s({1}, {2}));
  b.Node("twice", "Mul", {"n", "two"}).Type("T", DataType::kInt32);
  b.Node("out", "Tile", {"x", "twice"}).Type("T", DataType::kFloat).Type("Tmultiples", DataType::kInt32);
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = b.Load(options).value();
  RunMetadata metadata;
  std::vector<Tensor> outputs;
  absl::Status status = bundle.session->Run({}, {{"n", Int32s({1}, {1})}, {"x", Floats({2}, {1, 2})}}, {"out"}, {}, &outputs, &metadata);
  INFO(status.ToString());
  REQUIRE(status.ok());
  CHECK(Difference(outputs[0], Floats({4}, {1, 2, 1, 2})) == "");
  CHECK(metadata.copies == 2);
  CHECK(bundle.session->LastPlanReport().find("Mul \"twice\" runs on the CPU, not on GPU:0: shape arithmetic") != std::string::npos);
}

TEST_CASE("gpu session: an index out of range stops the run, and the next goes on") {
  WithFaults faults;
  ModelBuilder b;
  b.Placeholder("x", DataType::kFloat);
  b.Placeholder("i", DataType::kInt32);
  b.Node("out", "Gather", {"x", "i"}).Type("Tparams", DataType::kFloat).Type("Tindices", DataType::kInt32);
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = b.Load(options).value();
  const Tensor x = Floats({3}, {5, 6, 7});
  for (int i = 0; i < 4; ++i) {
    auto bad = bundle.session->Run({{"x", x}, {"i", Int32s({2}, {1, 3})}}, {"out"});
    CHECK(absl::IsInvalidArgument(bad.status()));
    CHECK(bad.status().message().find("node \"out\"") != std::string::npos);
    auto good = bundle.session->Run({{"x", x}, {"i", Int32s({2}, {1, 2})}}, {"out"});
    REQUIRE(good.ok());
    CHECK(Difference((*good)[0], Floats({2}, {6, 7})) == "");
  }
}

TEST_CASE("gpu session: no memory left stops the run, not the session") {
  WithFaults faults;
  CudaOptions cuda;
  cuda.memory_limit = 1 << 16;
  SessionOptions options;
  options.devices = {EmulatedGpu(cuda).value()};
  SavedModelBundle bundle = Small().Load(options).value();
  auto large = bundle.session->Run({{"x", Tensor::Allocate(DataType::kFloat, {100000, 3}).value()}}, {"out"});
  CHECK(absl::IsResourceExhausted(large.status()));
  auto small = bundle.session->Run({{"x", kIn}}, {"out"});
  REQUIRE(small.ok());
  CHECK(Difference((*small)[0], kOut) == "");
}

TEST_CASE("gpu session: after a kernel's fault new plans run on the CPU") {
  WithFaults faults;
  SessionOptions options;
  options.devices = {EmulatedGpu().value()};
  SavedModelBundle bundle = Small().Load(options).value();
  REQUIRE(bundle.session->Run({{"x", kIn}}, {"out"}).ok());
  Faults().synchronize_error = 719;
  auto failed = bundle.session->Run({{"x", kIn}}, {"out"});
  CHECK(absl::IsInternal(failed.status()));
  CHECK(failed.status().message().find("a kernel faulted") != std::string::npos);
  CHECK_FALSE(bundle.session->Run({{"x", kIn}}, {"out"}).ok());  // the old plan
  auto anew = bundle.session->Run({{"x", Floats({1, 3}, {3, 2, 1})}}, {"out"});
  INFO(anew.status().ToString());
  REQUIRE(anew.ok());
  CHECK(Difference((*anew)[0], Floats({1, 3}, {8, 0, 8})) == "");
}

TEST_CASE("gpu session: a trained model gives the same answers") {
  WithFaults faults;
  Tensor image = Tensor::Allocate(DataType::kFloat, {1, 256, 256, 3}).value();
  for (int64_t i = 0; i < image.num_elements(); ++i) image.data<float>()[i] = static_cast<float>(i % 255) / 127.5f - 1;
  auto here = LoadSavedModel({}, {}, {"serve"}, SourceRoot() + "/models/blazeface");
  REQUIRE(here.ok());
  for (bool libraries : {true, false}) {
    SessionOptions options;
    options.devices = {EmulatedGpu({}, libraries).value()};
    auto there = LoadSavedModel(options, {}, {"serve"}, SourceRoot() + "/models/blazeface");
    REQUIRE(there.ok());
    auto a = RunSignature(*here, "serving_default", {{"input", image}});
    REQUIRE(a.ok());
    for (int i = 0; i < 3; ++i) {
      RunMetadata metadata;
      auto b = RunSignature(*there, "serving_default", {{"input", image}}, {}, &metadata);
      INFO(b.status().ToString());
      REQUIRE(b.ok());
      CHECK(metadata.copies == static_cast<int64_t>(1 + a->size()));
      for (const auto& [key, tensor] : *a) CHECK(Difference(b->at(key), tensor, 1e-3, 1e-3) == "");
    }
  }
}

}  // namespace
}  // namespace savedmodel
