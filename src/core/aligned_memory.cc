#include "core/aligned_memory.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace savedmodel {

void* AllocateAligned(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  constexpr size_t kLargePage = size_t{2} << 20;
  // The first touch of each small page costs more than filling it; of a large page there is one for 512 of those.
  const size_t alignment = bytes >= 2 * kLargePage ? kLargePage : kMemoryAlignment;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
  void* memory = std::aligned_alloc(alignment, (rounded + alignment - 1) / alignment * alignment);
#if defined(__linux__)
  if (memory != nullptr && alignment == kLargePage) madvise(memory, rounded / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace savedmodel
