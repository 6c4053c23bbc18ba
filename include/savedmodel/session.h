// A session runs parts of one loaded graph.
#ifndef SAVEDMODEL_SESSION_H_
#define SAVEDMODEL_SESSION_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "savedmodel/export.h"
#include "savedmodel/options.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

// Tensor name ("x:0", "x") and value.
using Feeds = std::vector<std::pair<std::string, Tensor>>;

struct CallableOptions {
  std::vector<std::string> feeds, fetches, targets;
  // Tensors that are given and wanted in a device's memory, by name: {"x:0", "GPU:0"}. The others are in host memory.
  // A fed tensor must not be written while the run lasts.
  std::map<std::string, std::string> feed_devices, fetch_devices;
  RunOptions run_options;
};

// A prepared run: names are resolved once. Copies share the preparation; any number of threads may call at once.
// Outlives neither its session nor the bundle.
class SAVEDMODEL_EXPORT Callable {
 public:
  virtual ~Callable() = default;
  // Feeds and fetches by position. Feeds are used in place, not copied, and are not changed. `outputs` is resized to
  // the number of fetches; a tensor in it that already has the fetch's dtype and shape and is not shared is written in
  // place, so that a loop which hands the same vector in again allocates nothing.
  virtual absl::Status Run(absl::Span<const Tensor> feeds, std::vector<Tensor>* outputs, RunMetadata* metadata = nullptr) const = 0;
};

// Run may be called by any number of threads at once. Each tensor of the top-level graph can be fed and fetched.
// Names: "node" = "node:0", "node:k"; targets name nodes.
//
// Errors: InvalidArgument for unknown or repeated feeds, a tensor both fed and fetched, a missing placeholder, a feed
// of the wrong dtype, a fetched value of an untaken branch; OutOfRange for an output that the node does not have;
// NotFound for an unknown target and for ops that this library does not know (all in one message); Unimplemented for
// known ops without a kernel; the kernels' own codes with the node's name; Cancelled, DeadlineExceeded,
// ResourceExhausted. After an error outputs are empty and the session is usable; writes already made to variables stand.
class SAVEDMODEL_EXPORT Session {
 public:
  virtual ~Session() = default;

  virtual absl::Status Run(const RunOptions& options, const Feeds& feeds, const std::vector<std::string>& fetches,
                           const std::vector<std::string>& targets, std::vector<Tensor>* outputs, RunMetadata* metadata) = 0;

  absl::StatusOr<std::vector<Tensor>> Run(const Feeds& feeds, const std::vector<std::string>& fetches) {
    std::vector<Tensor> outputs;
    absl::Status status = Run(RunOptions(), feeds, fetches, {}, &outputs, nullptr);
    if (!status.ok()) return status;
    return outputs;
  }
  absl::Status Run(const Feeds& feeds, const std::vector<std::string>& fetches, const std::vector<std::string>& targets,
                   std::vector<Tensor>* outputs) {
    return Run(RunOptions(), feeds, fetches, targets, outputs, nullptr);
  }

  virtual absl::StatusOr<std::unique_ptr<Callable>> MakeCallable(const CallableOptions& options) = 0;

  // Later runs fail with Cancelled; runs under way end by themselves. A second Close is OK.
  virtual absl::Status Close() = 0;

  // What the planner did for the last plan made: passes with times and node counts, nodes by device, fall-backs with
  // their reasons. For people.
  virtual std::string LastPlanReport() const = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_SESSION_H_
