#include "devices/cuda/gpu_device.h"

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "devices/cuda/gpu_stream.h"

namespace savedmodel {

GpuDevice::GpuDevice(const CudaDriver& driver, const CudaOptions& options, const DeviceKernels& kernels)
    : driver_(driver),
      options_(options),
      kernels_(kernels),
      name_(absl::StrCat("GPU:", options.device)),
      memory_(std::make_shared<GpuMemory>(driver, options.device, name_, options.memory_limit)) {}

absl::StatusOr<std::shared_ptr<GpuDevice>> GpuDevice::Open(const CudaDriver& driver, const CudaOptions& options, const DeviceKernels& kernels) {
  SM_CHECK_ARGUMENT(options.device >= 0, "CudaOptions::device is ", options.device, ", a number from 0 on was wanted");
  SM_CHECK_ARGUMENT(options.memory_limit >= 0, "CudaOptions::memory_limit is ", options.memory_limit, ", 0 or more was wanted");
  std::shared_ptr<GpuDevice> device(new GpuDevice(driver, options, kernels));
  int count = 0;
  SM_RETURN_IF_ERROR(CudaStatus(driver, driver.device_count(&count), device->name_));
  if (count == 0) return CudaStatus(driver, cuda_error::kNoDevice, device->name_);
  if (options.device >= count) {
    return absl::NotFoundError(absl::StrCat(device->name_, ": there is no GPU of this number, this process sees ", count));
  }
  SM_RETURN_IF_ERROR(CudaStatus(driver, driver.set_device(options.device), device->name_));
  SM_RETURN_IF_ERROR(CudaStatus(driver, driver.properties(options.device, &device->properties_), device->name_));
  if (device->properties_.major < 8) {
    return absl::FailedPreconditionError(absl::StrCat(device->name_, ": ", device->properties_.name, " has compute capability ", device->properties_.major, ".",
                                                      device->properties_.minor, ", 8.0 or later is wanted"));
  }
  SM_RETURN_IF_ERROR(CudaStatus(driver, driver.create_stream(&device->stream_), device->name_));
  return device;
}

GpuDevice::~GpuDevice() {
  if (stream_ == nullptr) return;
  driver_.set_device(options_.device);
  driver_.synchronize(stream_);
  libraries_.reset();
  driver_.destroy_stream(stream_);
}

absl::Status GpuDevice::CopyAndWait(void* to, const void* from, size_t bytes, CopyKind kind) {
  if (lost()) return LostError();
  std::lock_guard<std::mutex> lock(mutex_);
  SM_RETURN_IF_ERROR(CudaStatus(driver_, driver_.set_device(options_.device), name_));
  int error = driver_.copy(to, from, bytes, kind, stream_);
  if (error == 0) error = driver_.synchronize(stream_);
  return CudaStatus(driver_, error, name_);
}

absl::Status GpuDevice::CopyFromHost(const void* host, void* device, size_t bytes) { return CopyAndWait(device, host, bytes, CopyKind::kHostToDevice); }
absl::Status GpuDevice::CopyToHost(const void* device, void* host, size_t bytes) { return CopyAndWait(host, device, bytes, CopyKind::kDeviceToHost); }

absl::StatusOr<std::unique_ptr<Stream>> GpuDevice::NewStream() {
  if (lost()) return LostError();
  SM_RETURN_IF_ERROR(Check(driver_.set_device(options_.device)));
  void* stream = options_.stream;
  const bool owned = stream == nullptr;
  if (owned) SM_RETURN_IF_ERROR(Check(driver_.create_stream(&stream)));
  absl::StatusOr<std::unique_ptr<GpuStream>> made = GpuStream::Make(this, stream, owned);
  if (!made.ok()) {
    if (owned) driver_.destroy_stream(stream);
    return made.status();
  }
  return std::unique_ptr<Stream>(*std::move(made));
}

absl::Status GpuDevice::Synchronize() {
  if (lost()) return LostError();
  SM_RETURN_IF_ERROR(Check(driver_.set_device(options_.device)));
  return Check(driver_.synchronize(options_.stream != nullptr ? options_.stream : stream_));
}

const DeviceKernel* GpuDevice::FindKernel(const OpDef& op) const {
  if (lost()) return nullptr;
  auto it = kernels_.find(op.name);
  if (it == kernels_.end()) return nullptr;
  if (it->second.factory != nullptr) return &it->second;
  if (op.cpu == nullptr) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  std::unique_ptr<DeviceKernel>& kernel = forwarding_[op.name];
  if (kernel == nullptr || kernel->factory != op.cpu) {
    kernel = std::make_unique<DeviceKernel>(it->second);
    kernel->factory = op.cpu;
  }
  return kernel.get();
}

absl::Status GpuDevice::Check(int error) {
  absl::Status status = CudaStatus(driver_, error, name_);
  if (IsKernelFault(error)) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fault_.ok()) fault_ = status;
    lost_.store(true, std::memory_order_release);
  }
  return status;
}

absl::Status GpuDevice::LostError() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return fault_;
}

int GpuDevice::AddAlarm(std::string message) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto [it, added] = alarm_numbers_.emplace(message, static_cast<int>(alarms_.size()) + 1);
  if (added) alarms_.push_back(std::move(message));
  return it->second;
}

absl::Status GpuDevice::AlarmStatus(int number) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (number < 1 || number > static_cast<int>(alarms_.size())) return absl::InternalError(absl::StrCat(name_, ": a kernel wrote over the alarm word"));
  return absl::InvalidArgumentError(alarms_[static_cast<size_t>(number) - 1]);
}

}  // namespace savedmodel
