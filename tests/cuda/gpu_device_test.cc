// The device's own side: errors, memory, streams, recordings. The GPU is emulated.
#include <catch2/catch.hpp>
#include <cstring>

#include "devices/cuda/gpu_stream.h"
#include "devices/cuda_plugin.h"
#include "emulated_gpu.h"
#include "kernels/cuda/launch.h"
#include "savedmodel/cuda.h"

namespace savedmodel {
namespace {

// Faults end with the test that asked for them.
struct WithFaults {
  WithFaults() { Faults() = EmulatedFaults(); }
  ~WithFaults() { Faults() = EmulatedFaults(); }
};

std::unique_ptr<GpuStream> StreamOf(GpuDevice& device) {
  return std::unique_ptr<GpuStream>(static_cast<GpuStream*>(device.NewStream().value().release()));
}

std::string Refusal(const CudaOptions& options = {}) {
  auto device = EmulatedGpu(options);
  return device.ok() ? "" : device.status().ToString();
}

TEST_CASE("gpu device: what is missing is named") {
  WithFaults faults;
  Faults().device_count_error = cuda_error::kInsufficientDriver;
  Faults().driver_version = 0;
  CHECK(Refusal().find("FAILED_PRECONDITION: GPU:0: there is no NVIDIA driver") == 0);
  Faults().driver_version = 12020;
  CHECK(Refusal().find("FAILED_PRECONDITION: GPU:0: the NVIDIA driver is too old: it knows CUDA 12.2, CUDA 13.0 is wanted") == 0);
  Faults().device_count_error = cuda_error::kNoDevice;
  CHECK(Refusal().find("NOT_FOUND: GPU:0: there is no NVIDIA GPU") == 0);
  Faults() = EmulatedFaults();
  CudaOptions third;
  third.device = 2;
  CHECK(Refusal(third) == "NOT_FOUND: GPU:2: there is no GPU of this number, this process sees 2");
  third.device = -1;
  CHECK(Refusal(third).find("INVALID_ARGUMENT") == 0);
  Faults().capability = 7;
  CHECK(Refusal().find("FAILED_PRECONDITION: GPU:0: Emulated GPU has compute capability 7.0") == 0);
}

TEST_CASE("gpu device: the plug-in must be there and fit") {
  CudaOptions options;
  options.plugin = "/nowhere/libsavedmodel_cuda.so";
  auto device = CudaDevice(options);
  CHECK(absl::IsNotFound(device.status()));
  CHECK(device.status().message().find("/nowhere/libsavedmodel_cuda.so") != std::string::npos);
  CudaPlugin plugin;
  plugin.open = [](const CudaOptions&) -> absl::StatusOr<std::shared_ptr<Device>> { return absl::InternalError(""); };
  CHECK(CheckCudaPlugin(&plugin, "p").ok());
  plugin.version = 99;
  CHECK(absl::IsFailedPrecondition(CheckCudaPlugin(&plugin, "p")));
  plugin.version = kCudaPluginVersion;
  plugin.tensor_size += 8;
  CHECK(absl::IsFailedPrecondition(CheckCudaPlugin(&plugin, "p")));
  CHECK(absl::IsFailedPrecondition(CheckCudaPlugin(nullptr, "p")));
}

TEST_CASE("gpu memory: kept, reused, limited, given back") {
  WithFaults faults;
  const int64_t before = Counts().live_bytes;
  {
    CudaOptions options;
    options.memory_limit = 1 << 20;
    auto device = EmulatedGpu(options).value();
    Buffer* a = device->Allocate(1000).value();
    const void* place = a->data();
    CHECK(device->memory()->counts().used == 1024);
    a->Unref();
    CHECK(device->memory()->counts().used == 0);
    CHECK(device->memory()->counts().held == 1024);
    Buffer* b = device->Allocate(900).value();
    CHECK(b->data() == place);
    auto large = device->Allocate(1 << 20);
    CHECK(absl::IsResourceExhausted(large.status()));
    CHECK(large.status().message().find("the limit is 1048576") != std::string::npos);
    b->Unref();
    Buffer* fits = device->Allocate(1 << 20).value();  // the free block goes back first
    CHECK(device->memory()->counts().held == 1 << 20);
    fits->Unref();
    CHECK(absl::IsResourceExhausted(device->Allocate(SIZE_MAX).status()));
    Faults().memory = 0;
    CHECK(absl::IsResourceExhausted(EmulatedGpu().value()->Allocate(1).status()));
  }
  CHECK(Counts().live_bytes == before);
}

TEST_CASE("gpu memory: a buffer may outlive its device") {
  WithFaults faults;
  const int64_t before = Counts().live_bytes;
  Buffer* buffer;
  {
    auto device = EmulatedGpu().value();
    buffer = device->Allocate(64).value();
  }
  CHECK(Counts().live_bytes > before);
  buffer->Unref();
  CHECK(Counts().live_bytes == before);
}

TEST_CASE("gpu memory: a stream's freed block is its own until it was waited for") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  auto one = StreamOf(*device), two = StreamOf(*device);
  Buffer* a = one->Allocate(4096).value();
  const void* place = a->data();
  a->Unref();
  Buffer* b = two->Allocate(4096).value();
  CHECK(b->data() != place);
  Buffer* c = one->Allocate(4096).value();
  CHECK(c->data() == place);
  c->Unref();
  REQUIRE(one->Synchronize().ok());
  Buffer* d = two->Allocate(4096).value();
  CHECK(d->data() == place);
  b->Unref();
  d->Unref();
}

TEST_CASE("gpu stream: copies are staged, in order, and done when waited for") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  auto stream = StreamOf(*device);
  Buffer* a = stream->Allocate(16).value();
  Buffer* b = stream->Allocate(16).value();
  int from[4] = {1, 2, 3, 4}, to[4] = {};
  REQUIRE(stream->CopyFromHost(from, a->data(), 16).ok());
  from[0] = 9;  // the host may go on at once
  REQUIRE(stream->CopyOnDevice(a->data(), b->data(), 16).ok());
  REQUIRE(stream->CopyToHost(b->data(), to, 16).ok());
  CHECK(stream->host_pending());
  CHECK(to[3] == 0);
  REQUIRE(stream->Synchronize().ok());
  CHECK_FALSE(stream->host_pending());
  CHECK((to[0] == 1 && to[3] == 4));
  a->Unref();
  b->Unref();
}

TEST_CASE("gpu stream: a recording is replayed with its addresses") {
  WithFaults faults;
  const int64_t graphs = Counts().live_graphs;
  auto device = EmulatedGpu().value();
  auto stream = StreamOf(*device);
  Buffer* a = stream->Allocate(16).value();
  float* data = static_cast<float*>(a->data());
  const float start[4] = {1, 2, 3, 4};
  REQUIRE(stream->CopyFromHost(start, data, 16).ok());
  REQUIRE(stream->BeginRecording().ok());
  REQUIRE(cuda::ForEach(stream->handle(), 4, [data](int64_t i) { data[i] *= 2; }) == 0);
  auto recording = stream->EndRecording();
  REQUIRE(recording.ok());
  for (int i = 0; i < 3; ++i) REQUIRE(stream->Replay(**recording).ok());
  float result[4];
  REQUIRE(stream->CopyToHost(data, result, 16).ok());
  REQUIRE(stream->Synchronize().ok());
  CHECK(result[3] == 32);
  recording->reset();
  CHECK(Counts().live_graphs == graphs);
  a->Unref();
  CudaOptions without;
  without.graphs = false;
  CHECK_FALSE(StreamOf(*EmulatedGpu(without).value())->can_record());
}

TEST_CASE("gpu device: after a fault it is lost, and says so") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  auto stream = StreamOf(*device);
  OpDef relu{.name = "Relu"};
  CHECK(device->FindKernel(relu) != nullptr);
  Faults().synchronize_error = 700;
  absl::Status status = stream->Synchronize();
  CHECK(absl::IsInternal(status));
  CHECK(status.message().find("a kernel faulted") != std::string::npos);
  Faults() = EmulatedFaults();
  CHECK(device->lost());
  CHECK(stream->Enter() == status);
  CHECK(device->NewStream().status() == status);
  CHECK(device->FindKernel(relu) == nullptr);
}

TEST_CASE("gpu device: alarms are numbers for messages") {
  WithFaults faults;
  auto device = EmulatedGpu().value();
  auto stream = StreamOf(*device);
  const int number = device->AddAlarm("node \"g\": out of range");
  CHECK(device->AddAlarm("node \"g\": out of range") == number);
  CHECK(device->AddAlarm("another") != number);
  *stream->alarm_word() = number;
  absl::Status status = stream->Synchronize();
  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() == "node \"g\": out of range");
  CHECK(stream->Synchronize().ok());
}

TEST_CASE("gpu stream: the program's own stream is used and left alone") {
  WithFaults faults;
  void* own = nullptr;
  REQUIRE(EmulatedDriver().create_stream(&own) == 0);
  const int64_t streams = Counts().streams;
  {
    CudaOptions options;
    options.stream = own;
    auto device = EmulatedGpu(options).value();
    CHECK(StreamOf(*device)->handle() == own);
  }
  CHECK(Counts().streams == streams);
  EmulatedDriver().destroy_stream(own);
}

}  // namespace
}  // namespace savedmodel
