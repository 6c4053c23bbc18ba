// Parts of a kernel's scratch memory for the tasks that run at the same time.
#ifndef SAVEDMODEL_KERNELS_CPU_SCRATCH_SLOTS_H_
#define SAVEDMODEL_KERNELS_CPU_SCRATCH_SLOTS_H_

#include <atomic>
#include <cstdint>

#include "kernels/cpu/ceil_div.h"

namespace savedmodel {

// Room for so many floats, such that what follows begins at a cache line, too.
inline int64_t AlignedFloats(int64_t floats) { return CeilDiv(floats, 16) * 16; }

// Hands out scratch to the tasks that are at work; there are as many slots as threads, so one is always free.
class ScratchSlots {
 public:
  static constexpr int kMost = 64;
  explicit ScratchSlots(int count) : free_(count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1) {}
  int Take() {
    uint64_t free = free_.load(std::memory_order_relaxed);
    while (true) {
      if (free == 0) {
        free = free_.load(std::memory_order_relaxed);
        continue;
      }
      if (free_.compare_exchange_weak(free, free & (free - 1), std::memory_order_acquire)) return __builtin_ctzll(free);
    }
  }
  void Give(int slot) { free_.fetch_or(uint64_t{1} << slot, std::memory_order_release); }

 private:
  std::atomic<uint64_t> free_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_SCRATCH_SLOTS_H_
