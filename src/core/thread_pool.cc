#include "savedmodel/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/flush_denormals.h"
#include "core/spin.h"

namespace savedmodel {
namespace {

// Held for a few instructions by threads that meet within a microsecond, which a lock that sleeps would turn into several.
class SpinLock {
 public:
  void lock() {
    SpinUntil(1000, [this] { return !held_.test_and_set(std::memory_order_acquire); });
  }
  void unlock() { held_.clear(std::memory_order_release); }

 private:
  std::atomic_flag held_ = ATOMIC_FLAG_INIT;
};

// One ParallelFor call. Each thread takes pieces of its own stretch first, by an atomic counter, and then helps the others: so
// from call to call the same thread has the same part, whose data its caches hold.
class Job {
 public:
  Job(absl::FunctionRef<void(int64_t, int64_t)> work, int64_t total, int64_t pieces, int threads)
      : work_(work), piece_((total + pieces - 1) / pieces), stretches_(static_cast<int>(std::min<int64_t>({threads, pieces, kMostStretches}))) {
    for (int i = 0; i < stretches_; ++i) {
      stretch_[i].next.store(total * i / stretches_, std::memory_order_relaxed);
      stretch_[i].end = total * (i + 1) / stretches_;
    }
  }

  bool exhausted() const {
    return std::all_of(stretch_, stretch_ + stretches_,
                       [](const Stretch& s) { return s.next.load(std::memory_order_relaxed) >= s.end; });
  }
  // `thread` counts from 0, the caller.
  void Work(int thread) {
    for (int i = 0; i < stretches_; ++i) {
      Stretch& s = stretch_[(thread + i) % stretches_];
      while (s.next.load(std::memory_order_relaxed) < s.end) {
        const int64_t begin = s.next.fetch_add(piece_, std::memory_order_relaxed);
        if (begin < s.end) work_(begin, std::min(s.end, begin + piece_));
      }
    }
  }

  std::atomic<int> active{0};  // workers inside
  Job* before = nullptr;       // in the pool's list, which so takes no memory
  Job* after = nullptr;

 private:
  static constexpr int64_t kMostStretches = 16;
  struct Stretch {
    std::atomic<int64_t> next;
    int64_t end;
  };

  absl::FunctionRef<void(int64_t, int64_t)> work_;
  int64_t piece_;
  int stretches_;
  Stretch stretch_[kMostStretches];
};

// Workers spin for a short while after each job, since the next layer's job comes soon, and sleep otherwise.
class Pool final : public ThreadPool {
 public:
  explicit Pool(int num_threads) : num_threads_(num_threads) {
    for (int i = 1; i < num_threads; ++i) threads_.emplace_back([this, i] { Loop(i); });
  }
  ~Pool() override {
    stop_.store(true);
    Announce();
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
    Job job(work, total, pieces, num_threads_);
    {
      std::lock_guard<SpinLock> lock(jobs_);
      Append(&job);
    }
    Announce();
    job.Work(0);
    {
      std::lock_guard<SpinLock> lock(jobs_);
      Remove(&job);
    }
    while (job.active.load(std::memory_order_acquire) > 0) Pause();
  }

 private:
  // A worker counts itself among the sleeping before it looks at posted_ for the last time, so one of the two sees the other.
  void Announce() {
    posted_.fetch_add(1);
    if (sleeping_.load() == 0) return;
    { std::lock_guard<std::mutex> lock(sleep_); }
    wake_.notify_all();
  }
  void Sleep(uint64_t seen) {
    std::unique_lock<std::mutex> lock(sleep_);
    sleeping_.fetch_add(1);
    wake_.wait(lock, [&] { return posted_.load() != seen; });
    sleeping_.fetch_sub(1);
  }
  // A job with pieces left, the caller counted among its workers; null if there is none.
  Job* Join() {
    std::lock_guard<SpinLock> lock(jobs_);
    for (Job* job = first_; job != nullptr; job = job->after) {
      if (job->exhausted()) continue;
      job->active.fetch_add(1, std::memory_order_relaxed);
      return job;
    }
    return nullptr;
  }

  void Append(Job* job) {
    job->before = last_;
    (last_ != nullptr ? last_->after : first_) = job;
    last_ = job;
  }
  void Remove(Job* job) {
    (job->before != nullptr ? job->before->after : first_) = job->after;
    (job->after != nullptr ? job->after->before : last_) = job->before;
  }

  void Loop(int thread) {
    FlushDenormals flush;
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < 4000 && posted_.load(std::memory_order_acquire) == seen; ++spin) Pause();
      if (posted_.load(std::memory_order_acquire) == seen) Sleep(seen);
      if (stop_.load()) return;
      seen = posted_.load(std::memory_order_acquire);
      while (Job* job = Join()) {
        job->Work(thread);
        job->active.fetch_sub(1, std::memory_order_release);
      }
    }
  }

  const int num_threads_;
  SpinLock jobs_;
  Job* first_ = nullptr;  // guarded by jobs_, as the list behind it
  Job* last_ = nullptr;   // guarded by jobs_
  std::atomic<uint64_t> posted_{0};  // grows with every job
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stop_{false};
  std::mutex sleep_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::shared_ptr<ThreadPool> MakeThreadPool(int num_threads) {
  if (num_threads <= 0) num_threads = static_cast<int>(std::thread::hardware_concurrency());
  return std::make_shared<Pool>(std::clamp(num_threads, 1, 256));
}

}  // namespace savedmodel
