// How a session is made and how one run is to go. Plain values; nothing here is shared between sessions.
#ifndef SAVEDMODEL_OPTIONS_H_
#define SAVEDMODEL_OPTIONS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "savedmodel/device.h"
#include "savedmodel/export.h"
#include "savedmodel/op.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

enum class Precision {
  kFloat32,   // as the model says
  // Operands of matrix products and convolutions with known weights are rounded to bfloat16 and summed in float32, where
  // the processor does that quicker than float32 alone (AMX; AVX512-BF16 where vector units are 256 bits wide). Else float32.
  kBFloat16,
  // The same with halves, which keep three more bits and overflow at 65504. GPUs alone; processors compute in float32.
  kFloat16,
};

struct SessionOptions {
  // Threads of the session's own pool, the calling thread included; 0: one per core. Not used when `thread_pool` is set.
  int num_threads = 0;
  // The program's own pool; it must outlive the session.
  std::shared_ptr<ThreadPool> thread_pool;
  Precision precision = Precision::kFloat32;
  // Devices beside the CPU, the preferred first. A node runs on the first that has a kernel for it, else on the CPU.
  std::vector<std::shared_ptr<Device>> devices;
  // True: a node whose device string names a device that is not there makes the run fail (InvalidArgument), as
  // TensorFlow does without soft placement. False: such strings are hints.
  bool strict_devices = false;
  // Variables of a model in a directory are mapped into memory, not read: quicker, and shared by the processes that load
  // the model. Replace the files of a loaded model by renaming new ones over them: one that shrinks while it is mapped
  // ends the process (SIGBUS). False: they are read.
  bool map_files = true;
  // Bytes that tensors of this session may take at once, plans and variables included; 0: the machine's memory.
  int64_t memory_limit = 0;
  // Plans kept (one per kind of run and feed shapes); the least recently used goes first.
  int max_plans = 64;
  // The ops known to the session; null: BuiltinOps(). Copy that table to add your own.
  std::shared_ptr<const OpTable> ops;
  // Names of optimising passes not to run ("fold", "identities", "fuse_bias" ...).
  std::vector<std::string> disabled_passes;
  // Winograd convolutions differ from the plain sum by about 1e-5.
  bool allow_winograd = true;
  // Lines that the model prints (Print, PrintV2) and notes of the planner. Null: they are dropped.
  std::function<void(absl::string_view line)> log;
};

// Ends runs from another thread.
class CancellationToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_release); }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> cancelled_{false};
};

struct RunOptions {
  // DeadlineExceeded when the run takes longer; zero: no limit. Looked at between steps and inside loops.
  std::chrono::milliseconds timeout{0};
  // Cancelled once the token is. May be null; must outlive the run.
  const CancellationToken* cancellation = nullptr;
  // Convert number feeds to the dtype of the fed tensor, as TensorFlow's Python does. False: another dtype is refused.
  bool cast_feeds = false;
  // Fill RunMetadata with the time of each step.
  bool trace = false;
};

struct StepTrace {
  std::string node, op, device;
  int64_t start_ns = 0, duration_ns = 0;  // from the beginning of the run
};

struct SAVEDMODEL_EXPORT RunMetadata {
  std::vector<StepTrace> steps;
  int64_t copies = 0;        // tensors moved between devices by this run
  int64_t copied_bytes = 0;
  // The steps in Chrome's trace format, for chrome://tracing and Perfetto.
  std::string ChromeTraceJson() const;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPTIONS_H_
