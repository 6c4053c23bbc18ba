// An NVIDIA GPU as a device of a session. Knows CUDA by the table of driver.h alone.
#ifndef SAVEDMODEL_DEVICES_CUDA_GPU_DEVICE_H_
#define SAVEDMODEL_DEVICES_CUDA_GPU_DEVICE_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "devices/cuda/gpu_memory.h"
#include "savedmodel/cuda.h"

namespace savedmodel {

// By op. Without a factory: the CPU's kernel, which hands its input on or looks at shapes only.
using DeviceKernels = absl::flat_hash_map<std::string, DeviceKernel>;

class GpuDevice final : public Device, public Allocator {
 public:
  // `driver` and `kernels` must outlive the device.
  static absl::StatusOr<std::shared_ptr<GpuDevice>> Open(const CudaDriver& driver, const CudaOptions& options, const DeviceKernels& kernels);
  ~GpuDevice() override;

  const std::string& name() const override { return name_; }
  const std::string& type() const override { return type_; }
  Allocator* allocator() override { return this; }
  absl::StatusOr<Buffer*> Allocate(size_t bytes) override { return memory_->Allocate(bytes, nullptr); }
  absl::Status CopyFromHost(const void* host, void* device, size_t bytes) override;
  absl::Status CopyToHost(const void* device, void* host, size_t bytes) override;
  absl::StatusOr<std::unique_ptr<Stream>> NewStream() override;
  absl::Status Synchronize() override;
  // None once a kernel has faulted: later plans run on the CPU.
  const DeviceKernel* FindKernel(const OpDef& op) const override;

  const CudaDriver& driver() const { return driver_; }
  const CudaOptions& options() const { return options_; }
  const GpuProperties& properties() const { return properties_; }
  int index() const { return options_.device; }
  GpuMemory* memory() const { return memory_.get(); }
  // Whatever the kernels want to find again (cuBLASLt, cuDNN). Set before the device is used.
  std::shared_ptr<void>& libraries() { return libraries_; }
  void set_description(std::string text) { description_ = std::move(text); }
  std::string description() const override { return description_; }
  DataType activations() const override {
    return options_.precision == Precision::kBFloat16 ? DataType::kBFloat16 : options_.precision == Precision::kFloat16 ? DataType::kHalf : DataType::kFloat;
  }

  // The Status of a CUDA error; remembers a kernel's fault.
  absl::Status Check(int error);
  bool lost() const { return lost_.load(std::memory_order_acquire); }
  absl::Status LostError() const;

  // What kernels find wrong while they run (an index out of range) they tell by a number; this is the number for a Status.
  int AddAlarm(const absl::Status& status);
  absl::Status AlarmStatus(int number) const;

 private:
  GpuDevice(const CudaDriver& driver, const CudaOptions& options, const DeviceKernels& kernels);
  absl::Status CopyAndWait(void* to, const void* from, size_t bytes, CopyKind kind);

  const CudaDriver& driver_;
  const CudaOptions options_;
  const DeviceKernels& kernels_;
  const std::string name_, type_ = "GPU";
  GpuProperties properties_;
  std::shared_ptr<GpuMemory> memory_;
  void* stream_ = nullptr;  // for what happens outside of runs
  std::shared_ptr<void> libraries_;
  std::string description_;
  std::atomic<bool> lost_{false};
  mutable std::mutex mutex_;
  absl::Status fault_;               // guarded by mutex_
  std::vector<absl::Status> alarms_;  // guarded by mutex_
  mutable absl::flat_hash_map<std::string, std::unique_ptr<DeviceKernel>> forwarding_;  // guarded by mutex_
  absl::flat_hash_map<std::string, int> alarm_numbers_;  // guarded by mutex_
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_GPU_DEVICE_H_
