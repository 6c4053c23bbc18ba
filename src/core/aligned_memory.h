// Memory aligned for vector loads, its pages taken at once where it is large.
#ifndef SAVEDMODEL_CORE_ALIGNED_MEMORY_H_
#define SAVEDMODEL_CORE_ALIGNED_MEMORY_H_

#include <cstddef>

#include "savedmodel/thread_pool.h"

namespace savedmodel {

inline constexpr size_t kMemoryAlignment = 64;

// At least `bytes` bytes, uninitialised, aligned to kMemoryAlignment; null if there is no memory. To be given to std::free.
void* AllocateAligned(size_t bytes);

// The same, but its pages are taken where it is first written to: for memory that several threads fill.
void* AllocateUntouched(size_t bytes);
// What a thread calls before it fills [memory, memory + bytes) of that: takes the pages at once that lie inside.
void TakePages(void* memory, size_t bytes);
// All threads of `pool` take a share of them.
void TakePages(void* memory, size_t bytes, ThreadPool& pool);
// The same if the block is large, but not so large that much of it may never be used. `pool` may be null.
void TakeLargeBlock(void* memory, size_t bytes, ThreadPool* pool);

}  // namespace savedmodel

#endif  // SAVEDMODEL_CORE_ALIGNED_MEMORY_H_
