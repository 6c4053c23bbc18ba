// A CUDA stream with its memory, its staging memory in pinned host memory, and its recordings.
#ifndef SAVEDMODEL_DEVICES_CUDA_GPU_STREAM_H_
#define SAVEDMODEL_DEVICES_CUDA_GPU_STREAM_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "devices/cuda/gpu_memory.h"
#include "savedmodel/device.h"

namespace savedmodel {

class GpuDevice;

// Pinned host memory, given out piece by piece and taken back all at once.
class PinnedStaging {
 public:
  explicit PinnedStaging(const CudaDriver& driver) : driver_(driver) {}
  ~PinnedStaging();
  PinnedStaging(const PinnedStaging&) = delete;
  PinnedStaging& operator=(const PinnedStaging&) = delete;
  absl::StatusOr<void*> Take(size_t bytes);  // aligned to 64
  void Reset();

 private:
  struct Chunk {
    char* data;
    size_t bytes;
  };
  const CudaDriver& driver_;
  std::vector<Chunk> chunks_;
  size_t chunk_ = 0, used_ = 0;
};

class GpuStream final : public Stream, public Allocator {
 public:
  // Owns `stream` if `owned`. The device must outlive it.
  static absl::StatusOr<std::unique_ptr<GpuStream>> Make(GpuDevice* device, void* stream, bool owned);
  ~GpuStream() override;

  // What every kernel asks first: makes the stream's GPU this thread's, and says that there is work now.
  absl::Status Enter();
  void* handle() const { return stream_; }
  GpuDevice* device() const { return device_; }
  bool recording() const { return recording_; }
  // A word that kernels write the number of an alarm to (see GpuDevice::AddAlarm); looked at by Synchronize.
  int* alarm_word() const { return alarm_; }
  // Something that belongs to the stream and that only the library which made it knows (cuDNN's handle).
  std::shared_ptr<void>& attachment() { return attachment_; }

  Allocator* allocator() override { return this; }
  absl::StatusOr<Buffer*> Allocate(size_t bytes) override;
  absl::Status CopyFromHost(const void* host, void* device, size_t bytes) override;
  absl::Status CopyToHost(const void* device, void* host, size_t bytes) override;
  absl::Status CopyOnDevice(const void* from, void* to, size_t bytes) override;
  bool host_pending() const override { return !to_host_.empty(); }
  absl::Status Synchronize() override;
  bool can_record() const override;
  absl::Status BeginRecording() override;
  absl::StatusOr<std::unique_ptr<Recording>> EndRecording() override;
  absl::Status Replay(const Recording& recording) override;

 private:
  struct ToHost {
    const void* staged;
    void* host;
    size_t bytes;
  };
  GpuStream(GpuDevice* device, void* stream, bool owned);
  absl::Status Check(int error);

  GpuDevice* const device_;
  void* const stream_;
  const bool owned_;
  std::shared_ptr<GpuMemory::StreamList> list_ = std::make_shared<GpuMemory::StreamList>();
  PinnedStaging staging_;
  std::vector<ToHost> to_host_;
  int* alarm_ = nullptr;
  bool recording_ = false;
  std::shared_ptr<void> attachment_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_GPU_STREAM_H_
