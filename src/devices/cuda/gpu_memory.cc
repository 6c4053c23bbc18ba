#include "devices/cuda/gpu_memory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

constexpr size_t kLarge = 1 << 20;

// Sizes come in steps, so that blocks fit again: 512 bytes, and for large ones an eighth of the size.
size_t Rounded(size_t bytes) {
  size_t step = 512;
  while (bytes > kLarge && step < bytes / 8) step *= 2;
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

}  // namespace

struct GpuMemory::Block {
  std::shared_ptr<GpuMemory> memory;
  std::shared_ptr<StreamList> list;
  size_t size;
};

GpuMemory::GpuMemory(const CudaDriver& driver, int device, std::string name, int64_t limit)
    : driver_(driver), device_(device), name_(std::move(name)), limit_(limit) {}

GpuMemory::~GpuMemory() { FreeUnused(); }

void* GpuMemory::TakeFree(std::multimap<size_t, void*>* blocks, size_t bytes, size_t* size) {
  auto it = blocks->lower_bound(bytes);
  if (it == blocks->end()) return nullptr;
  const size_t most = bytes < kLarge ? 2 * bytes + 4096 : bytes + bytes / 4;
  if (it->first > most) return nullptr;
  void* data = it->second;
  *size = it->first;
  blocks->erase(it);
  return data;
}

void GpuMemory::FreeUnused() {
  if (free_.empty()) return;
  driver_.set_device(device_);
  for (const auto& [size, data] : free_) {
    driver_.release(data);
    counts_.held -= static_cast<int64_t>(size);
  }
  free_.clear();
}

absl::Status GpuMemory::OutOfMemory(size_t bytes) const {
  return absl::ResourceExhaustedError(absl::StrCat(name_, ": out of memory: ", bytes, " bytes are wanted, ", counts_.used, " are in use, ", counts_.held,
                                                   " are held, the limit is ", limit_ > 0 ? absl::StrCat(limit_) : "what the GPU has"));
}

absl::StatusOr<Buffer*> GpuMemory::Allocate(size_t bytes, const std::shared_ptr<StreamList>& list) {
  if (bytes > SIZE_MAX / 4) return OutOfMemory(bytes);
  const size_t wanted = Rounded(bytes);
  std::lock_guard<std::mutex> lock(mutex_);
  size_t size = wanted;
  void* data = list != nullptr ? TakeFree(&list->blocks, wanted, &size) : nullptr;
  if (data == nullptr) data = TakeFree(&free_, wanted, &size);
  if (data == nullptr) {
    size = wanted;
    const auto above = [&] { return limit_ > 0 && counts_.held + static_cast<int64_t>(wanted) > limit_; };
    if (above()) FreeUnused();
    if (above()) return OutOfMemory(bytes);
    SM_RETURN_IF_ERROR(CudaStatus(driver_, driver_.set_device(device_), name_));
    int error = driver_.allocate(&data, wanted);
    ++counts_.driver_calls;
    if (error == cuda_error::kOutOfMemory && !free_.empty()) {
      driver_.last_error();
      FreeUnused();
      error = driver_.allocate(&data, wanted);
    }
    if (error == cuda_error::kOutOfMemory) {
      driver_.last_error();
      return OutOfMemory(bytes);
    }
    SM_RETURN_IF_ERROR(CudaStatus(driver_, error, name_));
    counts_.held += static_cast<int64_t>(wanted);
    counts_.peak = std::max(counts_.peak, counts_.held);
  }
  counts_.used += static_cast<int64_t>(size);
  if (list != nullptr) list->busy = true;
  return new Buffer(data, bytes, Release, new Block{shared_from_this(), list, size});
}

void GpuMemory::Release(Buffer* buffer) {
  std::unique_ptr<Block> block(static_cast<Block*>(buffer->owner()));
  const std::shared_ptr<GpuMemory> memory = block->memory;
  {
    std::lock_guard<std::mutex> lock(memory->mutex_);
    memory->counts_.used -= static_cast<int64_t>(block->size);
    auto& blocks = block->list != nullptr && block->list->busy ? block->list->blocks : memory->free_;
    blocks.emplace(block->size, buffer->data());
  }
  delete buffer;
}

void GpuMemory::MarkBusy(StreamList* list) {
  std::lock_guard<std::mutex> lock(mutex_);
  list->busy = true;
}

void GpuMemory::Settle(StreamList* list) {
  std::lock_guard<std::mutex> lock(mutex_);
  list->busy = false;
  free_.merge(list->blocks);
}

GpuMemory::Counts GpuMemory::counts() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

}  // namespace savedmodel
