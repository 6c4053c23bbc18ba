#include "core/aligned_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace savedmodel {
namespace {

// Taking pages one by one, at their first touch, costs more than filling them; taken together they also lie together, which address
// translation likes. Large pages are as quick to use, but where a hypervisor takes free memory back they have to be fetched from
// it, which takes longer than all the rest.
constexpr size_t kTogether = size_t{1} << 20, kMostTogether = size_t{256} << 20;
constexpr size_t kApart = size_t{4} << 20, kAlignmentApart = size_t{2} << 20;  // blocks that get large pages of their own where the system likes to
constexpr size_t kPage = 4096, kFewPages = size_t{64} << 10;

bool Together(size_t bytes) { return bytes >= kTogether && bytes <= kMostTogether; }

}  // namespace

void* AllocateUntouched(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const size_t alignment = bytes >= kApart && bytes <= kMostTogether ? kAlignmentApart : kMemoryAlignment;
  return std::aligned_alloc(alignment, (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment);
}

void TakePages(void* memory, size_t bytes) {
  if (bytes < kFewPages) return;
#if defined(__linux__)
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, of Linux 5.14; older ones refuse, and nothing is lost
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, kPopulateWrite);
#else
  (void)memory;
#endif
}

void TakePages(void* memory, size_t bytes, ThreadPool& pool) {
  constexpr size_t kPart = size_t{256} << 10;
  pool.ParallelFor(static_cast<int64_t>((bytes + kPart - 1) / kPart), 1, [&](int64_t begin, int64_t end) {
    const size_t first = static_cast<size_t>(begin) * kPart, last = std::min(static_cast<size_t>(end) * kPart, bytes);
    TakePages(static_cast<char*>(memory) + first, last - first);
  });
}

void TakeLargeBlock(void* memory, size_t bytes, ThreadPool* pool) {
  if (!Together(bytes)) return;
  if (pool == nullptr) return TakePages(memory, bytes);
  TakePages(memory, bytes, *pool);
}

void* AllocateAligned(size_t bytes) {
  void* memory = AllocateUntouched(bytes);
  if (memory != nullptr) TakeLargeBlock(memory, bytes, nullptr);
  return memory;
}

}  // namespace savedmodel
