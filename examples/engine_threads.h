// A game engine's own worker thread, lent to the model: the two methods of savedmodel::ThreadPool.
#ifndef EXAMPLES_ENGINE_THREADS_H_
#define EXAMPLES_ENGINE_THREADS_H_

#include <savedmodel/thread_pool.h>

#include <atomic>
#include <thread>

class EngineThreads final : public savedmodel::ThreadPool {
 public:
  EngineThreads() : worker_([this] { Serve(); }) {}
  ~EngineThreads() override {
    stop_ = true;
    Wake();
    worker_.join();
  }
  int num_threads() const override { return 2; }  // the calling one counts

  void ParallelFor(int64_t total, int64_t grain, absl::FunctionRef<void(int64_t, int64_t)> work) override {
    // Small work, and work that comes while the worker is busy (from another thread or from inside work), is done here.
    if (total < 2 * grain || busy_.test_and_set(std::memory_order_acquire)) return work(0, total);
    work_ = &work;
    begin_ = total / 2;
    end_ = total;
    done_ = false;
    Wake();
    work(0, total / 2);
    done_.wait(false);
    busy_.clear(std::memory_order_release);
  }

 private:
  void Wake() {
    ++round_;
    round_.notify_one();
  }
  void Serve() {
    for (int seen = 0;; ++seen) {
      round_.wait(seen);
      if (stop_) return;
      (*work_)(begin_, end_);
      done_ = true;
      done_.notify_one();
    }
  }

  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::atomic<int> round_{0};
  std::atomic<bool> done_{true}, stop_{false};
  absl::FunctionRef<void(int64_t, int64_t)>* work_ = nullptr;
  int64_t begin_ = 0, end_ = 0;
  std::thread worker_;
};

#endif  // EXAMPLES_ENGINE_THREADS_H_
