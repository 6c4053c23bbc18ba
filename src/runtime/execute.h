// Carries a plan out.
#ifndef SAVEDMODEL_RUNTIME_EXECUTE_H_
#define SAVEDMODEL_RUNTIME_EXECUTE_H_

#include <chrono>
#include <vector>

#include "runtime/frame.h"
#include "runtime/plan.h"
#include "savedmodel/options.h"

namespace savedmodel {

// What holds for one Session::Run, sub-plans included.
struct RunState {
  SessionState* state = nullptr;
  ThreadPool* pool = nullptr;
  Allocator* allocator = nullptr;
  const CancellationToken* cancellation = nullptr;
  std::chrono::steady_clock::time_point start, deadline = std::chrono::steady_clock::time_point::max();
  std::vector<Stream*> streams;     // per device, null where there is none; empty where the plan uses no device
  bool watched = false;             // there is a deadline or a token
  RunMetadata* metadata = nullptr;  // when copies are to be counted
  bool trace = false;

  absl::Status Interrupted() const;
  // Waits for all streams.
  absl::Status Synchronize() const;
};

// Runs the steps on a frame whose argument slots are filled. Results are then in the frame's result slots.
absl::Status Execute(const Plan& plan, Frame* frame, const RunState& run);

// The value of result i: moved out of the frame where that is possible. InvalidArgument `Retval[i] does not have value`
// for a dead one. It may be a view of memory that the caller of Execute gave as an argument.
absl::StatusOr<Tensor> TakeResult(const Plan& plan, Frame* frame, size_t i);

}  // namespace savedmodel

#endif  // SAVEDMODEL_RUNTIME_EXECUTE_H_
