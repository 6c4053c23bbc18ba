#include "core/pooled_allocator.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/aligned_memory.h"

namespace savedmodel {
namespace {

// Sizes are rounded up to four steps per power of two, so that a block fits many requests and wastes at most a quarter.
size_t RoundUp(size_t bytes) {
  bytes = std::max<size_t>(bytes, kMemoryAlignment);
  const size_t step = std::max<size_t>(std::bit_floor(bytes) / 4, kMemoryAlignment);
  return (bytes + step - 1) / step * step;
}

int ClassOf(size_t rounded) {
  const int power = std::bit_width(rounded) - 1;
  return power * 4 + static_cast<int>((rounded >> (power - 2)) & 3);
}

}  // namespace

struct PooledAllocator::State {
  // One block: its memory and the Buffer object, made anew in place for each use.
  struct Block {
    void* data;
    size_t size;
    Block* next;
    alignas(Buffer) unsigned char buffer[sizeof(Buffer)];
  };

  State(int64_t limit, int64_t keep) : limit(limit), keep(keep), free(256, nullptr) {}
  ~State() {
    for (Block* block : free) {
      while (block != nullptr) {
        Block* next = block->next;
        Destroy(block);
        block = next;
      }
    }
  }
  static void Destroy(Block* block) {
    std::free(block->data);
    delete block;
  }
  void Unref() {
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  static void Release(Buffer* buffer) {
    Block* block = reinterpret_cast<Block*>(reinterpret_cast<unsigned char*>(buffer) - offsetof(Block, buffer));
    State* state = static_cast<State*>(buffer->owner());
    buffer->~Buffer();
    bool kept = false;
    {
      std::lock_guard<std::mutex> lock(state->mutex);
      state->used -= static_cast<int64_t>(block->size);
      if (!state->closed && state->kept + static_cast<int64_t>(block->size) <= state->keep) {
        Block*& head = state->free[ClassOf(block->size)];
        block->next = head;
        head = block;
        state->kept += static_cast<int64_t>(block->size);
        kept = true;
      }
    }
    if (!kept) Destroy(block);
    state->Unref();
  }

  // A free block of that size, or for large requests one of up to four times as much: steps one after the other use the same
  // scratch memory. Null if there is none.
  Block* TakeFree(size_t rounded) {
    constexpr size_t kLarge = size_t{256} << 10;
    constexpr int kUpTo = 8;  // classes, four for each power of two
    const int least = ClassOf(rounded), most = rounded >= kLarge ? least + kUpTo : least;
    for (int i = least; i <= most && i < static_cast<int>(free.size()); ++i) {
      if (free[i] == nullptr || used + static_cast<int64_t>(free[i]->size) > limit) continue;
      Block* block = free[i];
      free[i] = block->next;
      return block;
    }
    return nullptr;
  }

  const int64_t limit, keep;
  std::mutex mutex;
  std::vector<Block*> free;  // by class
  int64_t used = 0, kept = 0, peak = 0;
  bool closed = false;
  std::atomic<int64_t> refs{1};
};

PooledAllocator::PooledAllocator(int64_t limit, int64_t keep, std::shared_ptr<ThreadPool> pool) : state_(new State(limit, keep)), pool_(std::move(pool)) {}

PooledAllocator::~PooledAllocator() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->closed = true;
  }
  state_->Unref();
}

absl::StatusOr<Buffer*> PooledAllocator::Allocate(size_t bytes) {
  if (bytes > static_cast<size_t>(INT64_MAX / 4)) return absl::ResourceExhaustedError(absl::StrCat("cannot allocate ", bytes, " bytes"));
  const size_t rounded = RoundUp(bytes);
  State::Block* block = nullptr;
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    if (state_->used + static_cast<int64_t>(rounded) > state_->limit) {
      return absl::ResourceExhaustedError(absl::StrCat("OOM: a tensor of ", bytes, " bytes is above the memory limit of ", state_->limit, " bytes, of which ",
                                                       state_->used, " are in use"));
    }
    block = state_->TakeFree(rounded);
    if (block != nullptr) state_->kept -= static_cast<int64_t>(block->size);
    state_->used += static_cast<int64_t>(block != nullptr ? block->size : rounded);
    state_->peak = std::max(state_->peak, state_->used);
  }
  if (block == nullptr) {
    void* data = AllocateUntouched(rounded);
    if (data == nullptr) {
      std::lock_guard<std::mutex> lock(state_->mutex);
      state_->used -= static_cast<int64_t>(rounded);
      return absl::ResourceExhaustedError(absl::StrCat("OOM: cannot allocate ", bytes, " bytes"));
    }
    TakeLargeBlock(data, bytes, pool_.get());
    block = new State::Block{data, rounded, nullptr, {}};
  }
  state_->refs.fetch_add(1, std::memory_order_relaxed);
  return new (block->buffer) Buffer(block->data, bytes, &State::Release, state_);
}

int64_t PooledAllocator::bytes_in_use() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->used;
}

int64_t PooledAllocator::peak_bytes() const {
  std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->peak;
}

}  // namespace savedmodel
