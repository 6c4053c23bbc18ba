#include "savedmodel/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/flush_denormals.h"

namespace savedmodel {
namespace {

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// One ParallelFor call: pieces are taken by an atomic counter.
struct Job {
  absl::FunctionRef<void(int64_t, int64_t)> work;
  int64_t total, piece;
  std::atomic<int64_t> next{0};
  std::atomic<int> active{0};  // workers inside
  Job* before = nullptr;       // in the pool's list, which so takes no memory
  Job* after = nullptr;

  bool exhausted() const { return next.load(std::memory_order_relaxed) >= total; }
  void Work() {
    while (true) {
      const int64_t begin = next.fetch_add(piece, std::memory_order_relaxed);
      if (begin >= total) return;
      work(begin, std::min(total, begin + piece));
    }
  }
};

// Workers spin for a short while after each job, since the next layer's job comes soon, and sleep otherwise.
class Pool final : public ThreadPool {
 public:
  explicit Pool(int num_threads) : num_threads_(num_threads) {
    for (int i = 1; i < num_threads; ++i) threads_.emplace_back([this] { Loop(); });
  }
  ~Pool() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
      posted_.fetch_add(1);
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  int num_threads() const override { return num_threads_; }

  void ParallelFor(int64_t total, int64_t grain, absl::FunctionRef<void(int64_t, int64_t)> work) override {
    if (total <= 0) return;
    grain = std::max<int64_t>(grain, 1);
    if (num_threads_ == 1 || total <= grain) {
      work(0, total);
      return;
    }
    const int64_t pieces = std::min<int64_t>(total / grain, int64_t{4} * num_threads_);
    if (pieces <= 1) {
      work(0, total);
      return;
    }
    Job job{work, total, (total + pieces - 1) / pieces};
    bool sleepers;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      Append(&job);
      posted_.fetch_add(1, std::memory_order_release);
      sleepers = sleeping_ > 0;
    }
    if (sleepers) wake_.notify_all();
    job.Work();
    {
      std::lock_guard<std::mutex> lock(mutex_);
      Remove(&job);
    }
    while (job.active.load(std::memory_order_acquire) > 0) Pause();
  }

 private:
  void Append(Job* job) {
    job->before = last_;
    (last_ != nullptr ? last_->after : first_) = job;
    last_ = job;
  }
  void Remove(Job* job) {
    (job->before != nullptr ? job->before->after : first_) = job->after;
    (job->after != nullptr ? job->after->before : last_) = job->before;
  }

  void Loop() {
    FlushDenormals flush;
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < 4000 && posted_.load(std::memory_order_acquire) == seen; ++spin) Pause();
      Job* job = nullptr;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        if (posted_.load() == seen && !stop_) {
          ++sleeping_;
          wake_.wait(lock, [&] { return posted_.load() != seen || stop_; });
          --sleeping_;
        }
        if (stop_) return;
        for (Job* candidate = first_; candidate != nullptr; candidate = candidate->after) {
          if (!candidate->exhausted()) {
            job = candidate;
            job->active.fetch_add(1, std::memory_order_relaxed);
            break;
          }
        }
        if (job == nullptr) seen = posted_.load();
      }
      if (job == nullptr) continue;
      job->Work();
      job->active.fetch_sub(1, std::memory_order_release);
    }
  }

  const int num_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Job* first_ = nullptr;             // guarded by mutex_, as the list behind it
  Job* last_ = nullptr;              // guarded by mutex_
  std::atomic<uint64_t> posted_{0};  // grows with every job
  int sleeping_ = 0;                 // guarded by mutex_
  bool stop_ = false;                // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace

std::shared_ptr<ThreadPool> MakeThreadPool(int num_threads) {
  if (num_threads <= 0) num_threads = static_cast<int>(std::thread::hardware_concurrency());
  return std::make_shared<Pool>(std::clamp(num_threads, 1, 256));
}

}  // namespace savedmodel
