// Host memory with a limit, which keeps freed blocks for the next tensors of about that size.
#ifndef SAVEDMODEL_CORE_POOLED_ALLOCATOR_H_
#define SAVEDMODEL_CORE_POOLED_ALLOCATOR_H_

#include <cstdint>
#include <memory>

#include "savedmodel/tensor.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// Thread-safe. Buffers may outlive the allocator: they hold its state.
class PooledAllocator final : public Allocator {
 public:
  // At most `limit` bytes in use at once; at most `keep` bytes of free blocks are kept. Where `pool` is not null its threads share
  // the taking of pages.
  PooledAllocator(int64_t limit, int64_t keep, std::shared_ptr<ThreadPool> pool = nullptr);
  ~PooledAllocator() override;
  PooledAllocator(const PooledAllocator&) = delete;
  PooledAllocator& operator=(const PooledAllocator&) = delete;

  absl::StatusOr<Buffer*> Allocate(size_t bytes) override;

  int64_t bytes_in_use() const;
  int64_t peak_bytes() const;

 private:
  struct State;
  State* state_;
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_CORE_POOLED_ALLOCATOR_H_
