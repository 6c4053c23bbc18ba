#include "ops/cuda/trial.h"

#include <chrono>
#include <limits>
#include <vector>

namespace savedmodel {
namespace {

class DeviceTrial final : public cuda::Trial {
 public:
  DeviceTrial(GpuDevice& device, void* stream) : device_(device), stream_(stream) {}
  ~DeviceTrial() override {
    device_.driver().synchronize(stream_);
    for (Buffer* buffer : buffers_) buffer->Unref();
    device_.driver().destroy_stream(stream_);
  }

  void* Memory(size_t bytes) override {
    absl::StatusOr<Buffer*> buffer = device_.Allocate(bytes);
    if (!buffer.ok()) return nullptr;
    buffers_.push_back(*buffer);
    return (*buffer)->data();
  }

  double Time(const std::function<int(void*)>& run) override {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    constexpr int kRuns = 5;
    const CudaDriver& driver = device_.driver();
    if (run(stream_) != 0 || driver.synchronize(stream_) != 0) return Failed();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRuns; ++i) {
      if (run(stream_) != 0) return Failed();
    }
    if (driver.synchronize(stream_) != 0) return kNever;
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / kRuns;
  }

 private:
  // The error of a way that does not work must not be the next call's.
  double Failed() {
    device_.driver().last_error();
    return std::numeric_limits<double>::infinity();
  }

  GpuDevice& device_;
  void* const stream_;
  std::vector<Buffer*> buffers_;
};

}  // namespace

std::unique_ptr<cuda::Trial> MakeTrial(GpuDevice& device) {
  if (!device.options().autotune || device.lost()) return nullptr;
  void* stream = nullptr;
  if (device.driver().set_device(device.index()) != 0 || device.driver().create_stream(&stream) != 0) return nullptr;
  return std::make_unique<DeviceTrial>(device, stream);
}

}  // namespace savedmodel
