// The session over a loaded graph: resolves names, keeps plans, runs them.
#ifndef SAVEDMODEL_RUNTIME_GRAPH_SESSION_H_
#define SAVEDMODEL_RUNTIME_GRAPH_SESSION_H_

#include <memory>

#include "core/pooled_allocator.h"
#include "graph/graph.h"
#include "ops/resource_store.h"
#include "runtime/compile.h"
#include "savedmodel/session.h"

namespace savedmodel {

class RunKind;
struct RunState;
class Frame;
using DeviceNames = std::map<std::string, std::string>;  // by tensor

// With the limit of `options`; its thread pool is there.
std::shared_ptr<PooledAllocator> MakeSessionAllocator(const SessionOptions& options);

// Everything that callables share with their session.
class GraphSession final : public Session {
 public:
  // `options` with a thread pool.
  GraphSession(const SessionOptions& options, std::shared_ptr<PooledAllocator> allocator, std::unique_ptr<Graph> graph,
               std::shared_ptr<FunctionLibrary> functions, std::shared_ptr<OpCatalog> catalog, std::shared_ptr<ResourceStore> state);
  ~GraphSession() override;

  using Session::Run;
  absl::Status Run(const RunOptions& options, const Feeds& feeds, const std::vector<std::string>& fetches,
                   const std::vector<std::string>& targets, std::vector<Tensor>* outputs, RunMetadata* metadata) override;
  absl::StatusOr<std::unique_ptr<Callable>> MakeCallable(const CallableOptions& options) override;
  absl::Status Close() override;
  std::string LastPlanReport() const override;

  // Until this, variables are taken for what the restore and init ops make of them, not for constants.
  void FinishLoading();

  const Graph& graph() const { return *graph_; }
  ResourceStore& state() { return *state_; }

 private:
  friend class RunKind;
  friend class PreparedRun;
  absl::StatusOr<std::shared_ptr<RunKind>> FindKind(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                                    const std::vector<std::string>& targets, const DeviceNames& feed_devices = {},
                                                    const DeviceNames& fetch_devices = {});
  absl::StatusOr<int> DeviceOf(const DeviceNames& names, const std::string& tensor) const;
  absl::Status OpenStreams(const Plan& plan, Frame* frame, RunState* run) const;
  absl::StatusOr<Output> ResolveTensor(const std::string& name) const;
  absl::StatusOr<Tensor> Convert(const Tensor& tensor, DataType type);
  absl::Status RunOn(RunKind& kind, const RunOptions& options, absl::Span<const Tensor> feeds, std::vector<Tensor>* outputs, RunMetadata* metadata);
  absl::StatusOr<std::shared_ptr<const Plan>> MakePlan(const RunKind& kind, absl::Span<const Tensor> feeds);
  absl::StatusOr<std::shared_ptr<const Plan>> MakePlan(const RunKind& kind, absl::Span<const Tensor> feeds, bool for_device);

  const SessionOptions options_;
  std::shared_ptr<ThreadPool> pool_;
  std::shared_ptr<PooledAllocator> allocator_;
  std::unique_ptr<Graph> graph_;
  std::shared_ptr<FunctionLibrary> functions_;
  std::shared_ptr<OpCatalog> catalog_;
  std::shared_ptr<ResourceStore> state_;
  SharedObjects shared_;
  std::vector<std::shared_ptr<Device>> devices_;
  absl::flat_hash_map<std::string, Node*> by_name_;
  bool loading_ = true;
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<RunKind>> kinds_;  // guarded by mutex_
  std::string report_;                                                // guarded by mutex_
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_RUNTIME_GRAPH_SESSION_H_
