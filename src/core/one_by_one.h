// A loop whose rounds differ much in length.
#ifndef SAVEDMODEL_CORE_ONE_BY_ONE_H_
#define SAVEDMODEL_CORE_ONE_BY_ONE_H_

#include <atomic>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// work(i) for i in [0, count), each once: a thread of the pool takes the next when it is done with one.
inline void OneByOne(ThreadPool& pool, int64_t count, absl::FunctionRef<void(int64_t)> work) {
  std::atomic<int64_t> next = 0;
  pool.ParallelFor(pool.num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < count; i = next++) work(i);
  });
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_CORE_ONE_BY_ONE_H_
