#include "core/pooled_allocator.h"

#include <catch2/catch.hpp>
#include <cstring>

namespace savedmodel {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;

TEST_CASE("pooled allocator: no more than the limit at once, and a freed block serves the next tensor") {
  PooledAllocator allocator(8 * kMegabyte, 8 * kMegabyte);
  absl::StatusOr<Buffer*> first = allocator.Allocate(5 * kMegabyte);
  REQUIRE(first.ok());
  CHECK(allocator.Allocate(5 * kMegabyte).status().code() == absl::StatusCode::kResourceExhausted);
  const void* memory = (*first)->data();
  (*first)->Unref();
  CHECK(allocator.bytes_in_use() == 0);
  absl::StatusOr<Buffer*> second = allocator.Allocate(5 * kMegabyte);
  REQUIRE(second.ok());
  CHECK((*second)->data() == memory);
  CHECK(allocator.peak_bytes() == 5 * kMegabyte);
  (*second)->Unref();
}

TEST_CASE("pooled allocator: blocks whose pages several threads take are whole, and outlive it") {
  Buffer* kept = nullptr;
  for (int threads : {1, 2, 5}) {
    PooledAllocator allocator(512 * kMegabyte, 0, MakeThreadPool(threads));
    for (size_t bytes : {size_t{1}, size_t{4} << 20, (size_t{4} << 20) + 1, (size_t{9} << 20) - 5000}) {
      absl::StatusOr<Buffer*> buffer = allocator.Allocate(bytes);
      REQUIRE(buffer.ok());
      CHECK((*buffer)->bytes() == bytes);
      std::memset((*buffer)->data(), 7, bytes);
      if (kept != nullptr) kept->Unref();
      kept = *buffer;
    }
  }
  CHECK(static_cast<const char*>(kept->data())[kept->bytes() - 1] == 7);
  kept->Unref();
}

}  // namespace
}  // namespace savedmodel
