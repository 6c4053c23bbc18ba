#include "devices/cuda/gpu_stream.h"

#include <algorithm>
#include <cstring>

#include "core/status_macros.h"
#include "devices/cuda/gpu_device.h"

namespace savedmodel {
namespace {

class GpuRecording final : public Recording {
 public:
  GpuRecording(const CudaDriver& driver, void* graph) : driver_(driver), graph_(graph) {}
  ~GpuRecording() override { driver_.destroy_graph(graph_); }
  void* graph() const { return graph_; }

 private:
  const CudaDriver& driver_;
  void* const graph_;
};

}  // namespace

PinnedStaging::~PinnedStaging() {
  for (const Chunk& chunk : chunks_) driver_.release_pinned(chunk.data);
}

absl::StatusOr<void*> PinnedStaging::Take(size_t bytes) {
  const size_t rounded = (bytes + 63) / 64 * 64;
  while (chunk_ < chunks_.size() && chunks_[chunk_].bytes - used_ < rounded) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) {
    constexpr size_t kSmallest = 1 << 20;
    const size_t size = std::max(rounded, chunks_.empty() ? kSmallest : chunks_.back().bytes);
    void* data = nullptr;
    SM_RETURN_IF_ERROR(CudaStatus(driver_, driver_.allocate_pinned(&data, size), "pinned host memory"));
    chunks_.push_back({static_cast<char*>(data), size});
    used_ = 0;
  }
  void* piece = chunks_[chunk_].data + used_;
  used_ += rounded;
  return piece;
}

void PinnedStaging::Reset() { chunk_ = used_ = 0; }

GpuStream::GpuStream(GpuDevice* device, void* stream, bool owned) : device_(device), stream_(stream), owned_(owned), staging_(device->driver()) {}

absl::StatusOr<std::unique_ptr<GpuStream>> GpuStream::Make(GpuDevice* device, void* stream, bool owned) {
  std::unique_ptr<GpuStream> made(new GpuStream(device, stream, owned));
  void* word = nullptr;
  SM_RETURN_IF_ERROR(device->Check(device->driver().allocate_pinned(&word, 64)));
  made->alarm_ = static_cast<int*>(word);
  *made->alarm_ = 0;
  return made;
}

GpuStream::~GpuStream() {
  const CudaDriver& driver = device_->driver();
  driver.set_device(device_->index());
  driver.synchronize(stream_);
  attachment_.reset();
  device_->memory()->Settle(list_.get());
  if (alarm_ != nullptr) driver.release_pinned(alarm_);
  if (owned_) driver.destroy_stream(stream_);
}

absl::Status GpuStream::Check(int error) { return error == 0 ? absl::OkStatus() : device_->Check(error); }

absl::Status GpuStream::Enter() {
  if (device_->lost()) return device_->LostError();
  device_->memory()->MarkBusy(list_.get());
  return Check(device_->driver().set_device(device_->index()));
}

absl::StatusOr<Buffer*> GpuStream::Allocate(size_t bytes) { return device_->memory()->Allocate(bytes, list_); }

absl::Status GpuStream::CopyFromHost(const void* host, void* device, size_t bytes) {
  SM_RETURN_IF_ERROR(Enter());
  SM_ASSIGN_OR_RETURN(void* staged, staging_.Take(bytes));
  std::memcpy(staged, host, bytes);
  return Check(device_->driver().copy(device, staged, bytes, CopyKind::kHostToDevice, stream_));
}

absl::Status GpuStream::CopyToHost(const void* device, void* host, size_t bytes) {
  SM_RETURN_IF_ERROR(Enter());
  SM_ASSIGN_OR_RETURN(void* staged, staging_.Take(bytes));
  SM_RETURN_IF_ERROR(Check(device_->driver().copy(staged, device, bytes, CopyKind::kDeviceToHost, stream_)));
  to_host_.push_back({staged, host, bytes});
  return absl::OkStatus();
}

absl::Status GpuStream::CopyOnDevice(const void* from, void* to, size_t bytes) {
  SM_RETURN_IF_ERROR(Enter());
  return Check(device_->driver().copy(to, from, bytes, CopyKind::kDeviceToDevice, stream_));
}

absl::Status GpuStream::Synchronize() {
  if (device_->lost()) {
    to_host_.clear();
    return device_->LostError();
  }
  const CudaDriver& driver = device_->driver();
  absl::Status status = Check(driver.set_device(device_->index()));
  if (status.ok()) status = Check(driver.synchronize(stream_));
  if (status.ok()) {
    for (const ToHost& copy : to_host_) std::memcpy(copy.host, copy.staged, copy.bytes);
    if (*alarm_ != 0) {
      status = device_->AlarmStatus(*alarm_);
      *alarm_ = 0;
    }
  }
  to_host_.clear();
  staging_.Reset();
  device_->memory()->Settle(list_.get());
  return status;
}

bool GpuStream::can_record() const { return device_->options().graphs && !device_->lost(); }

absl::Status GpuStream::BeginRecording() {
  SM_RETURN_IF_ERROR(Enter());
  SM_RETURN_IF_ERROR(Check(device_->driver().begin_capture(stream_)));
  recording_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Recording>> GpuStream::EndRecording() {
  recording_ = false;
  void* graph = nullptr;
  SM_RETURN_IF_ERROR(Check(device_->driver().end_capture(stream_, &graph)));
  return std::unique_ptr<Recording>(std::make_unique<GpuRecording>(device_->driver(), graph));
}

absl::Status GpuStream::Replay(const Recording& recording) {
  SM_RETURN_IF_ERROR(Enter());
  return Check(device_->driver().launch_graph(static_cast<const GpuRecording&>(recording).graph(), stream_));
}

}  // namespace savedmodel
