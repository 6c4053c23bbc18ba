// From an optimised graph to a plan: order, devices, kernels, places.
#ifndef SAVEDMODEL_RUNTIME_COMPILE_H_
#define SAVEDMODEL_RUNTIME_COMPILE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/plan.h"
#include "savedmodel/options.h"

namespace savedmodel {

// Packed weights and the like, by constant and key: made once for all plans of a session. Thread-safe.
class SharedObjects {
 public:
  std::shared_ptr<const void> Get(const Tensor& constant, absl::string_view key, const std::function<std::shared_ptr<const void>()>& make);

 private:
  struct Entry {
    Tensor constant;  // keeps the address that is the key
    std::weak_ptr<const void> object;
  };
  std::mutex mutex_;
  absl::flat_hash_map<std::pair<const void*, std::string>, Entry> entries_;
};

struct CompileContext {
  SessionState* state = nullptr;
  ThreadPool* pool = nullptr;
  SharedObjects* shared = nullptr;
  std::vector<std::shared_ptr<Device>> devices;  // 0 is the CPU, then in order of preference from 1 on
  std::vector<int> arg_devices, result_devices;  // where args are and results are wanted; empty: on the host
  bool strict_devices = false;
  std::string* report = nullptr;
};

// The graph's args and results become the plan's. The graph may be dropped afterwards.
absl::StatusOr<std::unique_ptr<Plan>> Compile(const Graph& graph, const CompileContext& context);

}  // namespace savedmodel

#endif  // SAVEDMODEL_RUNTIME_COMPILE_H_
