// A GPU's memory for one device object: taken from the driver block by block up to a limit, kept and given out again.
#ifndef SAVEDMODEL_DEVICES_CUDA_GPU_MEMORY_H_
#define SAVEDMODEL_DEVICES_CUDA_GPU_MEMORY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "devices/cuda/driver.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

// Thread-safe; blocks keep it alive. A block that goes while its stream may still work on it waits in that stream's list,
// from which the same stream is served again, and is for all others once the stream was waited for.
class GpuMemory : public std::enable_shared_from_this<GpuMemory> {
 public:
  // `limit` of 0: none.
  GpuMemory(const CudaDriver& driver, int device, std::string name, int64_t limit);
  ~GpuMemory();
  GpuMemory(const GpuMemory&) = delete;
  GpuMemory& operator=(const GpuMemory&) = delete;

  // The blocks of one stream. Used under the mutex of the memory.
  struct StreamList {
    bool busy = false;
    std::multimap<size_t, void*> blocks;
  };

  // `list` may be null: then the block goes back to all at once.
  absl::StatusOr<Buffer*> Allocate(size_t bytes, const std::shared_ptr<StreamList>& list);
  void MarkBusy(StreamList* list);
  // The stream has no work left.
  void Settle(StreamList* list);

  struct Counts {
    int64_t used = 0, held = 0, peak = 0;  // bytes in tensors; bytes taken from the driver; the most ever held
    int64_t driver_calls = 0;
  };
  Counts counts() const;

 private:
  struct Block;
  static void Release(Buffer* buffer);
  void* TakeFree(std::multimap<size_t, void*>* blocks, size_t bytes, size_t* size);
  void FreeUnused();
  absl::Status OutOfMemory(size_t bytes) const;

  const CudaDriver& driver_;
  const int device_;
  const std::string name_;
  const int64_t limit_;
  mutable std::mutex mutex_;
  std::multimap<size_t, void*> free_;
  Counts counts_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_GPU_MEMORY_H_
