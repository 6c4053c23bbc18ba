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
constexpr size_t kTogether = size_t{4} << 20, kMostTogether = size_t{256} << 20, kAlignmentTogether = size_t{2} << 20;

void TakePages(void* memory, size_t bytes) {
#if defined(__linux__)
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE, of Linux 5.14; older ones refuse, and nothing is lost
  constexpr size_t kPage = 4096;
  madvise(memory, bytes / kPage * kPage, kPopulateWrite);
#else
  (void)memory, (void)bytes;
#endif
}

}  // namespace

void* AllocateAligned(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const bool together = bytes >= kTogether && bytes <= kMostTogether;
  const size_t alignment = together ? kAlignmentTogether : kMemoryAlignment;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
  void* memory = std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment);
  if (memory != nullptr && together) TakePages(memory, rounded);
  return memory;
}

}  // namespace savedmodel
