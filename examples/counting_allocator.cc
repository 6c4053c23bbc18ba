// Counts what the whole program, libraries included, takes from the heap: malloc and its kin of this program stand before
// those of the C library (glibc), and operator new calls malloc.
#include "counting_allocator.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

static std::atomic<long> allocations{0};
long Allocations() { return allocations.load(); }

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) { return ++allocations, __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return ++allocations, __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return ++allocations, __libc_realloc(old, size); }
void* memalign(size_t alignment, size_t size) { return ++allocations, __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) { return ++allocations, __libc_memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  ++allocations;
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
