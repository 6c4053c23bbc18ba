#include "runtime/graph_session.h"

#include <unistd.h>

#include <algorithm>
#include <list>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/flush_denormals.h"
#include "core/status_macros.h"
#include "ops/evaluate.h"
#include "passes/extract.h"
#include "passes/pass.h"
#include "runtime/execute.h"

namespace savedmodel {
namespace {

int64_t MemoryLimit(const SessionOptions& options) {
  if (options.memory_limit > 0) return options.memory_limit;
  const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? pages * page : INT64_MAX / 4;
}

constexpr int64_t kKeptBytes = 64 << 20;  // of freed tensors, for the next run

// "x" and "x:0" are one tensor to the graph, but messages and checks use the text given.
std::pair<std::string, int64_t> SplitName(const std::string& name) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos || colon + 1 == name.size()) return {name, 0};
  int64_t index = 0;  // digits only: "y:-1" is a name
  for (size_t i = colon + 1; i < name.size(); ++i) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(name[i]))) return {name, 0};
  }
  if (!absl::SimpleAtoi(name.substr(colon + 1), &index)) index = INT64_MAX;
  return {name.substr(0, colon), index};
}

// A fed output of an op that this library does not know has the dtype of the feed; its readers must want that.
absl::Status CheckFedTypes(const Graph& graph) {
  for (const auto& node : graph.nodes()) {
    if (!node->error.ok() || node->info->schema == nullptr || node->Is("PartitionedCall")) continue;
    absl::StatusOr<std::vector<DataType>> wanted = FlatTypes(node->info->schema->inputs, node->attrs());
    if (!wanted.ok()) continue;
    for (size_t i = 0; i < node->inputs.size() && i < wanted->size(); ++i) {
      const Output& input = node->inputs[i];
      SM_CHECK_ARGUMENT(!input.node->Is("_Arg") || RemoveRef(TypeOf(input)) == RemoveRef((*wanted)[i]), "Input ", i, " of node ", node->name, " is fed ",
                        DataTypeName(TypeOf(input)), ", it wants ", DataTypeName((*wanted)[i]));
    }
  }
  return absl::OkStatus();
}

}  // namespace

// Runs with the same feeds, fetches and targets; holds a plan for each set of feed shapes met.
class RunKind {
 public:
  std::vector<std::string> feed_names;
  std::vector<Output> feeds, fetches;
  std::vector<Node*> targets;
  std::vector<int> feed_devices, fetch_devices;

  struct Entry {
    std::vector<TensorShape> shapes;
    std::vector<DataType> dtypes;
    uint64_t epoch = 0;
    std::shared_ptr<const Plan> plan;
  };

  std::shared_ptr<const Plan> Find(absl::Span<const Tensor> tensors, uint64_t epoch) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->epoch != epoch || !Fits(*it, tensors)) continue;
      if (it != entries_.begin()) entries_.splice(entries_.begin(), entries_, it);
      return it->plan;
    }
    return nullptr;
  }

  void Add(absl::Span<const Tensor> tensors, uint64_t epoch, std::shared_ptr<const Plan> plan, size_t max_plans) {
    Entry entry;
    for (const Tensor& tensor : tensors) {
      entry.shapes.push_back(tensor.shape());
      entry.dtypes.push_back(tensor.dtype());
    }
    entry.epoch = epoch;
    entry.plan = std::move(plan);
    std::lock_guard<std::mutex> lock(mutex_);
    entries_.remove_if([&](const Entry& old) { return old.epoch != epoch; });
    entries_.push_front(std::move(entry));
    while (entries_.size() > std::max<size_t>(max_plans, 1)) entries_.pop_back();
  }

 private:
  static bool Fits(const Entry& entry, absl::Span<const Tensor> tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (entry.dtypes[i] != tensors[i].dtype() || entry.shapes[i] != tensors[i].shape()) return false;
    }
    return true;
  }
  std::mutex mutex_;
  std::list<Entry> entries_;  // the most recently used first
};

class PreparedRun final : public Callable {
 public:
  PreparedRun(GraphSession* session, std::shared_ptr<RunKind> kind, RunOptions options)
      : session_(session), kind_(std::move(kind)), options_(options) {}
  absl::Status Run(absl::Span<const Tensor> feeds, std::vector<Tensor>* outputs, RunMetadata* metadata) const override {
    if (outputs == nullptr && !kind_->fetches.empty()) {
      return absl::InvalidArgumentError("`outputs` must be provided when the callable has one or more fetches");
    }
    std::vector<Tensor> none;
    return session_->RunOn(*kind_, options_, feeds, outputs == nullptr ? &none : outputs, metadata);
  }

 private:
  GraphSession* session_;
  std::shared_ptr<RunKind> kind_;
  RunOptions options_;
};

std::shared_ptr<PooledAllocator> MakeSessionAllocator(const SessionOptions& options) {
  return std::make_shared<PooledAllocator>(MemoryLimit(options), kKeptBytes, options.thread_pool);
}

GraphSession::GraphSession(const SessionOptions& options, std::shared_ptr<PooledAllocator> allocator, std::unique_ptr<Graph> graph,
                           std::shared_ptr<FunctionLibrary> functions, std::shared_ptr<OpCatalog> catalog, std::shared_ptr<ResourceStore> state)
    : options_(options),
      pool_(options.thread_pool),
      allocator_(std::move(allocator)),
      graph_(std::move(graph)),
      functions_(std::move(functions)),
      catalog_(std::move(catalog)),
      state_(std::move(state)) {
  devices_.push_back(CpuDevice());
  devices_.insert(devices_.end(), options.devices.begin(), options.devices.end());
  by_name_.reserve(graph_->size());
  for (const auto& node : graph_->nodes()) by_name_.emplace(node->name, node.get());
}

GraphSession::~GraphSession() = default;

void GraphSession::FinishLoading() {
  state_->FinishLoading();
  std::lock_guard<std::mutex> lock(mutex_);
  loading_ = false;
  kinds_.clear();  // restore and init are not run again
}

absl::StatusOr<Output> GraphSession::ResolveTensor(const std::string& name) const {
  const bool control = !name.empty() && name[0] == '^';
  auto [node_name, index] = SplitName(control ? name.substr(1) : name);
  auto it = by_name_.find(node_name);
  if (it == by_name_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("Tensor ", name, index == 0 && name == node_name ? ":0" : "",
                                                   ", specified in either feed_devices or fetch_devices was not found in the Graph"));
  }
  Node* node = it->second;
  if (control) index = -1;
  // A node that could not be read has as many outputs as are used; its own error comes first.
  if (node->def() == nullptr && index >= 0 && index >= node->num_outputs()) {
    return absl::NotFoundError(absl::StrCat("Op type not registered '", node->op(), "': node \"", node->name, "\""));
  }
  if (!node->error.ok() && (index < 0 || index >= node->num_outputs())) return node->error;
  if (index < 0 || index >= node->num_outputs()) {
    return absl::OutOfRangeError(absl::StrCat("Node '", node->name, "' (type: '", node->op(), "', num of outputs: ", node->num_outputs(),
                                              ") does not have output ", index));
  }
  return Output{node, static_cast<int>(index)};
}

absl::StatusOr<std::shared_ptr<RunKind>> GraphSession::FindKind(const std::vector<std::string>& feeds, const std::vector<std::string>& fetches,
                                                                const std::vector<std::string>& targets, const DeviceNames& feed_devices,
                                                                const DeviceNames& fetch_devices) {
  std::string key;
  for (const auto* names : {&feeds, &fetches, &targets}) {
    for (const std::string& name : *names) absl::StrAppend(&key, name.size(), ":", name, ",");
    key += ";";
  }
  for (const auto* devices : {&feed_devices, &fetch_devices}) {
    for (const auto& [name, device] : *devices) absl::StrAppend(&key, name.size(), ":", name, "@", device, ",");
    key += ";";
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = kinds_.find(key);
    if (it != kinds_.end()) return it->second;
  }
  if (fetches.empty() && targets.empty()) return absl::InvalidArgumentError("Must specify at least one target to fetch or execute.");
  for (size_t i = 0; i < feeds.size(); ++i) {
    SM_CHECK_ARGUMENT(std::find(feeds.begin(), feeds.begin() + static_cast<std::ptrdiff_t>(i), feeds[i]) == feeds.begin() + static_cast<std::ptrdiff_t>(i),
                      "Endpoint \"", feeds[i], "\" fed more than once.");
    SM_CHECK_ARGUMENT(std::find(fetches.begin(), fetches.end(), feeds[i]) == fetches.end(), feeds[i], " is both fed and fetched.");
  }
  auto kind = std::make_shared<RunKind>();
  kind->feed_names = feeds;
  for (const std::string& name : feeds) {
    SM_ASSIGN_OR_RETURN(Output output, ResolveTensor(name));
    kind->feeds.push_back(output);
    SM_ASSIGN_OR_RETURN(int device, DeviceOf(feed_devices, name));
    kind->feed_devices.push_back(device);
  }
  for (const std::string& name : fetches) {
    SM_ASSIGN_OR_RETURN(Output output, ResolveTensor(name));
    SM_CHECK_ARGUMENT(std::find(kind->feeds.begin(), kind->feeds.end(), output) == kind->feeds.end(), name, " is both fed and fetched.");
    kind->fetches.push_back(output);
    SM_ASSIGN_OR_RETURN(int device, DeviceOf(fetch_devices, name));
    SM_CHECK_ARGUMENT(device == 0 || IsPlainData(RemoveRef(TypeOf(output))), name, " is of dtype ", DataTypeName(TypeOf(output)),
                      ", which only host memory can hold");
    kind->fetch_devices.push_back(device);
  }
  std::string missing;
  for (const std::string& name : targets) {
    auto it = by_name_.find(SplitName(std::string(absl::StripPrefix(name, "^"))).first);
    if (it == by_name_.end()) {
      absl::StrAppend(&missing, name, " ");
    } else {
      kind->targets.push_back(it->second);
    }
  }
  if (!missing.empty()) return absl::NotFoundError(absl::StrCat("PruneForTargets: Some target nodes not found: ", missing));
  std::lock_guard<std::mutex> lock(mutex_);
  constexpr size_t kMaxKinds = 1024;
  if (kinds_.size() >= kMaxKinds) kinds_.clear();
  return kinds_.emplace(key, std::move(kind)).first->second;
}

absl::StatusOr<int> GraphSession::DeviceOf(const DeviceNames& names, const std::string& tensor) const {
  auto it = names.find(tensor);
  if (it == names.end()) return 0;
  std::string known;
  for (size_t d = 0; d < devices_.size(); ++d) {
    if (devices_[d]->name() == it->second) return static_cast<int>(d);
    absl::StrAppend(&known, known.empty() ? "" : ", ", devices_[d]->name());
  }
  return absl::InvalidArgumentError(absl::StrCat("Tensor ", tensor, ", specified in either feed_devices or fetch_devices, is wanted on ", it->second,
                                                 "; the session has ", known));
}

// Makes the streams of the devices that the plan uses; they stay with the frame.
absl::Status GraphSession::OpenStreams(const Plan& plan, Frame* frame, RunState* run) const {
  bool any = false;
  for (char used : plan.uses_device) any = any || used;
  if (!any) return absl::OkStatus();
  frame->streams.resize(plan.devices.size());
  run->streams.assign(plan.devices.size(), nullptr);
  for (size_t d = 1; d < plan.devices.size(); ++d) {
    if (!plan.uses_device[d]) continue;
    if (frame->streams[d] == nullptr) {
      SM_ASSIGN_OR_RETURN(frame->streams[d], plan.devices[d]->NewStream());
    }
    run->streams[d] = frame->streams[d].get();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Plan>> GraphSession::MakePlan(const RunKind& kind, absl::Span<const Tensor> feeds) {
  absl::StatusOr<std::shared_ptr<const Plan>> plan = MakePlan(kind, feeds, true);
  // What was made for a device alone, and is then not taken by it, no other has a kernel for.
  if (devices_.size() > 1 && absl::IsUnimplemented(plan.status())) plan = MakePlan(kind, feeds, false);
  return plan;
}

absl::StatusOr<std::shared_ptr<const Plan>> GraphSession::MakePlan(const RunKind& kind, absl::Span<const Tensor> feeds, bool for_device) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Graph> graph, Extract(*graph_, kind.feeds, kind.fetches, kind.targets, *catalog_));
  for (size_t i = 0; i < feeds.size(); ++i) {
    graph->args[i]->output_shapes[0] = feeds[i].shape();
    if (graph->args[i]->output_types[0] == DataType::kInvalid) graph->args[i]->output_types[0] = feeds[i].dtype();
  }
  SM_RETURN_IF_ERROR(CheckFedTypes(*graph));
  PassContext passes;
  passes.catalog = catalog_.get();
  passes.functions = functions_.get();
  passes.state = state_.get();
  passes.pool = pool_.get();
  passes.allocator = allocator_.get();
  passes.freeze_variables = !loading_;
  passes.once = loading_;
  passes.allow_winograd = options_.allow_winograd;
  passes.bfloat16 = options_.precision == Precision::kBFloat16;
  if (devices_.size() > 1) passes.accelerator = devices_[1].get();
  passes.disabled.insert(options_.disabled_passes.begin(), options_.disabled_passes.end());
  if (!for_device) passes.disabled.insert({"lower_precision", "fuse_chains"});
  // What cannot run is refused before anything is computed from it; bodies of calls are seen once they are inlined, and only then
  // is it known whether a call uses the placeholder that nobody fed.
  SM_RETURN_IF_ERROR(CheckRunnable(*graph, false));
  std::vector<PassTime> times;
  SM_RETURN_IF_ERROR(RunPasses(graph.get(), passes, &times));
  SM_RETURN_IF_ERROR(CheckRunnable(*graph, true));
  std::string report;
  for (const PassTime& time : times) absl::StrAppend(&report, "pass ", time.name, ": ", time.milliseconds, " ms, ", time.nodes_after, " nodes\n");
  for (size_t d = 1; d < devices_.size(); ++d) absl::StrAppend(&report, devices_[d]->name(), ": ", devices_[d]->description(), "\n");
  CompileContext compile;
  compile.state = state_.get();
  compile.pool = pool_.get();
  compile.shared = &shared_;
  compile.devices = devices_;
  compile.arg_devices = kind.feed_devices;
  compile.result_devices = kind.fetch_devices;
  compile.strict_devices = options_.strict_devices;
  compile.report = &report;
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Plan> plan, Compile(*graph, compile));
  plan->report = report;
  std::lock_guard<std::mutex> lock(mutex_);
  report_ = std::move(report);
  return std::shared_ptr<const Plan>(std::move(plan));
}

absl::StatusOr<Tensor> GraphSession::Convert(const Tensor& tensor, DataType type) {
  Attributes attributes;
  attributes.Set("SrcT", tensor.dtype());
  attributes.Set("DstT", type);
  attributes.Set("Truncate", false);
  std::shared_ptr<const OpInfo> cast = catalog_->Find("Cast");
  if (cast->def == nullptr) return absl::UnimplementedError("there is no Cast to convert a feed with");
  SM_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, Evaluate(*cast->def, attributes, {tensor}, *state_, *pool_));
  return std::move(outputs[0]);
}

absl::Status GraphSession::RunOn(RunKind& kind, const RunOptions& options, absl::Span<const Tensor> feeds, std::vector<Tensor>* outputs,
                                 RunMetadata* metadata) {
  if (closed_.load(std::memory_order_acquire)) return absl::CancelledError("Session has been closed.");
  if (feeds.size() != kind.feeds.size()) {
    return absl::InvalidArgumentError(absl::StrCat("Expected ", kind.feeds.size(), " feed tensors, but got ", feeds.size()));
  }
  std::vector<Tensor> cast;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const DataType wanted = RemoveRef(TypeOf(kind.feeds[i]));
    SM_CHECK_ARGUMENT(wanted != DataType::kResource, "Invalid resource type hash code: \"", kind.feed_names[i], "\" is a resource, which cannot be fed");
    if (feeds[i].dtype() == wanted || wanted == DataType::kInvalid) continue;
    if (!options.cast_feeds || kind.feed_devices[i] != 0 || !IsPlainData(wanted) || !IsPlainData(feeds[i].dtype())) {
      return absl::InvalidArgumentError(absl::StrCat("Expects arg[", i, "] (\"", kind.feed_names[i], "\") to be ", DataTypeName(wanted), " but ",
                                                     DataTypeName(feeds[i].dtype()), " is provided"));
    }
    if (cast.empty()) cast.assign(feeds.begin(), feeds.end());
    SM_ASSIGN_OR_RETURN(cast[i], Convert(feeds[i], wanted));
  }
  if (!cast.empty()) feeds = cast;
  FlushDenormals flush;
  const uint64_t epoch = state_->epoch();
  std::shared_ptr<const Plan> plan = kind.Find(feeds, epoch);
  if (plan == nullptr) {
    SM_ASSIGN_OR_RETURN(plan, MakePlan(kind, feeds));
    kind.Add(feeds, epoch, plan, static_cast<size_t>(std::max(options_.max_plans, 1)));
  }
  RunState run;
  run.state = state_.get();
  run.pool = pool_.get();
  run.allocator = allocator_.get();
  run.cancellation = options.cancellation;
  run.trace = options.trace && metadata != nullptr;
  run.metadata = metadata;
  if (run.trace || options.timeout.count() > 0) run.start = std::chrono::steady_clock::now();
  if (options.timeout.count() > 0) run.deadline = run.start + options.timeout;
  run.watched = options.cancellation != nullptr || options.timeout.count() > 0;

  SM_ASSIGN_OR_RETURN(std::unique_ptr<Frame> frame, plan->AcquireFrame(allocator_.get()));
  if (absl::Status opened = OpenStreams(*plan, frame.get(), &run); !opened.ok()) {
    plan->ReleaseFrame(std::move(frame));
    return opened;
  }
  for (size_t i = 0; i < feeds.size(); ++i) frame->values[plan->args[i]] = feeds[i];
  outputs->resize(plan->results.size());
  for (size_t i = 0; i < outputs->size(); ++i) {
    // The caller's tensor is written in place where it may be.
    const int slot = plan->results[i];
    Tensor& offered = (*outputs)[i];
    if (plan->slots[slot].kind == Slot::Kind::kDynamic && plan->slots[slot].device == 0 && offered.unique()) frame->values[slot] = std::move(offered);
    offered = Tensor();
  }
  absl::Status status = Execute(*plan, frame.get(), run);
  if (absl::Status settled = run.Synchronize(); status.ok()) status = settled;
  for (size_t i = 0; status.ok() && i < plan->results.size(); ++i) {
    absl::StatusOr<Tensor> result = TakeResult(*plan, frame.get(), i);
      // Nobody may write a mapped file; a fed tensor fetched again under another name, in a device's memory, is handed back as
      // it is.
      const bool mapped = result.ok() && result->buffer() != nullptr && result->buffer()->read_only();
      if (result.ok() && (mapped || !result->owns()) && kind.fetch_devices[i] == 0) result = result->Clone(allocator_.get());
    if (result.ok()) {
      (*outputs)[i] = *std::move(result);
    } else {
      status = result.status();
    }
  }
  plan->ReleaseFrame(std::move(frame));
  if (!status.ok()) outputs->clear();
  return status;
}

absl::Status GraphSession::Run(const RunOptions& options, const Feeds& feeds, const std::vector<std::string>& fetches,
                               const std::vector<std::string>& targets, std::vector<Tensor>* outputs, RunMetadata* metadata) {
  std::vector<Tensor> none;
  if (outputs == nullptr) outputs = &none;
  outputs->clear();
  if (closed_.load(std::memory_order_acquire)) return absl::CancelledError("Session has been closed.");
  std::vector<std::string> names;
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : feeds) {
    names.push_back(name);
    tensors.push_back(tensor);
  }
  SM_ASSIGN_OR_RETURN(std::shared_ptr<RunKind> kind, FindKind(names, fetches, targets));
  return RunOn(*kind, options, tensors, outputs, metadata);
}

absl::StatusOr<std::unique_ptr<Callable>> GraphSession::MakeCallable(const CallableOptions& options) {
  if (closed_.load(std::memory_order_acquire)) return absl::CancelledError("Session has been closed.");
  SM_ASSIGN_OR_RETURN(std::shared_ptr<RunKind> kind, FindKind(options.feeds, options.fetches, options.targets, options.feed_devices, options.fetch_devices));
  return std::unique_ptr<Callable>(std::make_unique<PreparedRun>(this, std::move(kind), options.run_options));
}

absl::Status GraphSession::Close() {
  closed_.store(true, std::memory_order_release);
  return absl::OkStatus();
}

std::string GraphSession::LastPlanReport() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return report_;
}

}  // namespace savedmodel
