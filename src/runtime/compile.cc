#include "runtime/compile.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "runtime/arena.h"

namespace savedmodel {
namespace {

class Init final : public DeviceInit {
 public:
  Init(const Node& node, const CompileContext& context, Plan* plan) : node_(node), context_(context) {
    for (const Output& input : node.inputs) {
      const Tensor* value = ConstantOf(input);
      if (value == nullptr) {
        constants_.push_back(nullptr);
      } else {
        plan->constants.push_back(*value);
        constants_.push_back(&plan->constants.back());
      }
    }
  }
  const std::string& node_name() const override { return node_.name; }
  const Attributes& attrs() const override { return node_.attrs(); }
  int num_inputs() const override { return static_cast<int>(node_.inputs.size()); }
  int num_outputs() const override { return node_.num_outputs(); }
  DataType input_dtype(int i) const override { return RemoveRef(TypeOf(node_.inputs[i])); }
  DataType output_dtype(int i) const override { return node_.output_types[i]; }
  const PartialShape& input_shape(int i) const override { return ShapeOf(node_.inputs[i]); }
  const Tensor* constant(int i) const override { return constants_[i]; }
  SessionState& state() const override { return *context_.state; }
  ThreadPool& pool() const override { return *context_.pool; }
  std::shared_ptr<const void> Shared(const Tensor& constant, absl::string_view key,
                                     const std::function<std::shared_ptr<const void>()>& make) const override {
    return context_.shared->Get(constant, key, make);
  }
  Device* device() const override { return device_; }
  void set_device(Device* device) { device_ = device; }

 private:
  const Node& node_;
  const CompileContext& context_;
  Device* device_ = nullptr;
  std::vector<const Tensor*> constants_;
};

bool IsSwitch(const Node& n) { return n.Is("Switch") || n.Is("RefSwitch") || n.Is("_SwitchN"); }
bool IsMerge(const Node& n) { return n.Is("Merge") || n.Is("RefMerge"); }

class Compiler {
 public:
  Compiler(const Graph& graph, const CompileContext& context) : graph_(graph), context_(context), plan_(std::make_unique<Plan>()) {}

  absl::StatusOr<std::unique_ptr<Plan>> Run() {
    plan_->devices = context_.devices;
    plan_->arena_bytes.resize(context_.devices.size());
    SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph_.TopologicalOrder());
    for (const Node* node : order) plan_->has_branches = plan_->has_branches || IsSwitch(*node) || IsMerge(*node);
    plan_->uses_device.resize(context_.devices.size());
    for (size_t i = 0; i < graph_.args.size(); ++i) {
      plan_->args.push_back(AddSlot({graph_.args[i], 0}, Slot::Kind::kArg, i < context_.arg_devices.size() ? context_.arg_devices[i] : 0));
    }
    for (Node* node : order) SM_RETURN_IF_ERROR(AddNode(*node));
    for (const Output& result : graph_.results) {
      const size_t i = plan_->results.size();
      SM_ASSIGN_OR_RETURN(int slot, SlotOn({result.node, result.index}, i < context_.result_devices.size() ? context_.result_devices[i] : 0));
      plan_->results.push_back(slot);
      plan_->result_types.push_back(RemoveRef(TypeOf(result)));
    }
    GatherDeviceSteps();
    FindLastUses();
    PlaceInArena();
    FindSegments();
    MakeRows();
    for (size_t i = 0; i < plan_->slots.size(); ++i) {
      const Slot::Kind kind = plan_->slots[i].kind;
      if (kind == Slot::Kind::kDynamic || kind == Slot::Kind::kArg) plan_->reset_slots.push_back(static_cast<int>(i));
    }
    return std::move(plan_);
  }

 private:
  struct Value {
    const Node* node;
    int index;
    friend bool operator==(const Value& a, const Value& b) { return a.node == b.node && a.index == b.index; }
    template <typename H>
    friend H AbslHashValue(H h, const Value& v) {
      return H::combine(std::move(h), v.node, v.index);
    }
  };

  // What each slot needs to know while compiling.
  struct SlotInfo {
    int step = -1;
    PartialShape shape;
    bool by_kernel = false;
  };

  int AddSlot(const Value& value, Slot::Kind kind, int device) {
    Slot slot;
    slot.kind = kind;
    slot.dtype = value.node->output_types[value.index];
    slot.device = device;
    plan_->slots.push_back(std::move(slot));
    SlotInfo info;
    info.shape = value.node->output_shapes[value.index];
    infos_.push_back(std::move(info));
    const int id = static_cast<int>(plan_->slots.size()) - 1;
    slots_[value][device] = id;
    return id;
  }

  // The slot of a value on a device; adds a constant or a copy step where there is none yet.
  absl::StatusOr<int> SlotOn(const Value& value, int device) {
    auto& by_device = slots_[value];
    auto found = by_device.find(device);
    if (found != by_device.end()) return found->second;
    if (const Tensor* known = value.node->constant(value.index); known != nullptr) {
      const int slot = AddSlot(value, Slot::Kind::kConstant, device);
      if (device == 0) {
        plan_->slots[slot].constant = *known;
      } else {
        SM_ASSIGN_OR_RETURN(plan_->slots[slot].constant, ConstantOn(*known, device));
      }
      return slot;
    }
    if (by_device.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("node \"", value.node->name, "\" (", value.node->op(), ") is used before it is computed"));
    }
    // From another device, by way of the host where neither end is it.
    int from = by_device.begin()->second;
    if (by_device.contains(0)) from = by_device.at(0);
    if (device != 0 && plan_->slots[from].device != 0) {
      SM_ASSIGN_OR_RETURN(from, SlotOn(value, 0));
    }
    const int to = AddSlot(value, Slot::Kind::kDynamic, device);
    Step step;
    step.kind = Step::Kind::kCopy;
    step.device = device;
    step.inputs = {from};
    step.outputs = {to};
    step.output_types = {value.node->output_types[value.index]};
    step.name = absl::StrCat(value.node->name, ":", value.index);
    step.op = absl::StrCat("copy to ", plan_->devices[device]->name());
    plan_->uses_device[device] = plan_->uses_device[plan_->slots[from].device] = 1;
    FinishStep(std::move(step), nullptr);
    infos_[to].by_kernel = true;
    return to;
  }

  // A constant in a device's memory: all plans of the session share it.
  absl::StatusOr<Tensor> ConstantOn(const Tensor& known, int device) {
    Device& to = *plan_->devices[device];
    absl::Status status;
    auto copy = [&]() -> absl::StatusOr<Tensor> {
      SM_ASSIGN_OR_RETURN(Tensor there, Tensor::Allocate(known.dtype(), known.shape(), to.allocator()));
      if (known.bytes() > 0) SM_RETURN_IF_ERROR(to.CopyFromHost(known.raw(), there.raw(), known.bytes()));
      return there;
    };
    // One buffer may hold tensors of several shapes (a reshaped constant).
    const std::string key = absl::StrCat("on ", to.name(), " ", known.shape().ToString(), " ", static_cast<int>(known.dtype()));
    std::shared_ptr<const void> shared = context_.shared->Get(known, key, [&]() -> std::shared_ptr<const void> {
      absl::StatusOr<Tensor> there = copy();
      if (there.ok()) return std::make_shared<Tensor>(*std::move(there));
      status = there.status();
      return nullptr;
    });
    if (shared == nullptr) return status.ok() ? absl::InternalError("copying a constant to a device failed") : status;
    plan_->shared.push_back(shared);
    return *static_cast<const Tensor*>(shared.get());
  }

  void FinishStep(Step step, const Node* node) {
    const int index = static_cast<int>(plan_->steps.size());
    if (plan_->has_branches) {
      for (int slot : step.inputs) step.checks_dead = step.checks_dead || (slot < static_cast<int>(maybe_dead_.size()) && maybe_dead_[slot]);
      if (node != nullptr && !IsMerge(*node)) {
        for (const Node* control : node->controls) {
          auto it = step_of_.find(control);
          if (it != step_of_.end() && plan_->steps[it->second].checks_dead) {
            step.controls.push_back(it->second);
            step.checks_dead = true;
          }
          // Waiting for a Switch's output is waiting for that branch: its Identity stands for it.
        }
      }
      maybe_dead_.resize(plan_->slots.size(), 0);
      const bool splits = step.kind == Step::Kind::kSwitch || step.kind == Step::Kind::kSwitchN;
      for (int slot : step.outputs) maybe_dead_[slot] = splits || step.checks_dead;
    }
    for (int slot : step.outputs) infos_[slot].step = index;
    if (node != nullptr) step_of_[node] = index;
    plan_->steps.push_back(std::move(step));
  }

  absl::Status AddNode(const Node& node) {
    if (node.Is("_Arg") || node.Is("Const") || node.Is("HostConst")) {
      // In a branch a constant may be dead: it is handed on by a step that can be.
      if (plan_->has_branches && !node.controls.empty() && !node.Is("_Arg")) return AddDeadableConstant(node);
      return absl::OkStatus();
    }
    bool known = node.num_outputs() > 0 && node.controls.empty() && !node.stateful() && node.bodies.empty();
    for (int i = 0; i < node.num_outputs(); ++i) known = known && node.constant(i) != nullptr;
    if (known) return absl::OkStatus();
    if (node.def() != nullptr && node.def()->structural) return AddStructural(node);
    if ((node.Is("NoOp") || node.Is("ControlTrigger")) && !plan_->has_branches) return absl::OkStatus();
    return AddKernel(node);
  }

  absl::Status AddDeadableConstant(const Node& node) {
    Step step;
    step.kind = Step::Kind::kMerge;  // of one living input
    const int constant = AddSlot({&node, 0}, Slot::Kind::kConstant, 0);
    plan_->slots[constant].constant = node.constants[0];
    slots_[{&node, 0}].clear();
    const int out = AddSlot({&node, 0}, Slot::Kind::kDynamic, 0);
    Slot index;
    index.dtype = DataType::kInt32;
    plan_->slots.push_back(index);
    infos_.emplace_back();
    step.inputs = {constant};
    step.outputs = {out, static_cast<int>(plan_->slots.size()) - 1};
    step.output_types = {node.output_types[0], DataType::kInt32};
    step.name = node.name;
    step.op = node.op();
    FinishStep(std::move(step), &node);
    return absl::OkStatus();
  }

  absl::Status AddStructural(const Node& node) {
    Step step;
    step.name = node.name;
    step.op = node.op();
    step.output_types = node.output_types;
    if (node.Is("Switch") || node.Is("RefSwitch")) {
      step.kind = Step::Kind::kSwitch;
    } else if (node.Is("_SwitchN")) {
      step.kind = Step::Kind::kSwitchN;
    } else if (IsMerge(node)) {
      step.kind = Step::Kind::kMerge;
    } else if (node.Is("Case") || node.Is("StatelessCase") || node.Is("If") || node.Is("StatelessIf") || node.Is("_If")) {
      step.kind = Step::Kind::kBranch;
      step.branch_by_index = node.Is("Case") || node.Is("StatelessCase");
      step.scalar_condition = node.attrs().Bool("_lower_using_switch_merge");
    } else if (node.Is("While") || node.Is("StatelessWhile") || node.Is("_While")) {
      step.kind = Step::Kind::kWhile;
      step.scalar_condition = node.attrs().Bool("_lower_using_switch_merge");
    } else if (node.Is("For")) {
      step.kind = Step::Kind::kFor;
    } else if (node.Is("MapDefun")) {
      step.kind = Step::Kind::kMap;
      step.sliced = node.attrs().Types("Targuments").size();
      step.item_shapes = node.attrs().Shapes("output_shapes");
      SM_CHECK_ARGUMENT(step.item_shapes.size() == node.output_types.size(), "node \"", node.name, "\": output_shapes has ", step.item_shapes.size(),
                        " shapes for ", node.output_types.size(), " outputs");
    } else if (node.Is("PlaceholderWithDefault") || node.Is("LoopCond")) {
      step.kind = Step::Kind::kMerge;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("node \"", node.name, "\" (", node.op(), ") stands outside the construct that it belongs to"));
    }
    for (const Output& input : node.inputs) {
      SM_ASSIGN_OR_RETURN(int slot, SlotOn({input.node, input.index}, 0));
      step.inputs.push_back(slot);
    }
    for (const auto& body : node.bodies) {
      CompileContext inner = context_;
      inner.arg_devices.clear();
      inner.result_devices.clear();
      SM_ASSIGN_OR_RETURN(std::unique_ptr<Plan> plan, Compile(*body, inner));
      for (size_t d = 0; d < plan->uses_device.size(); ++d) plan_->uses_device[d] = plan_->uses_device[d] || plan->uses_device[d];
      step.bodies.push_back(std::move(plan));
    }
    const size_t wanted = step.kind == Step::Kind::kBranch ? node.bodies.size() : step.kind == Step::Kind::kWhile ? 2 : step.kind == Step::Kind::kFor || step.kind == Step::Kind::kMap ? 1 : 0;
    if (step.bodies.size() != wanted || (step.kind == Step::Kind::kBranch && wanted == 0)) {
      return absl::InvalidArgumentError(absl::StrCat("node \"", node.name, "\" (", node.op(), ") has no body"));
    }
    for (int i = 0; i < node.num_outputs(); ++i) step.outputs.push_back(AddSlot({&node, i}, Slot::Kind::kDynamic, 0));
    if (step.kind == Step::Kind::kMerge && step.outputs.size() == 1) {
      Slot index;
      index.dtype = DataType::kInt32;
      plan_->slots.push_back(index);
      infos_.emplace_back();
      step.outputs.push_back(static_cast<int>(plan_->slots.size()) - 1);
      step.output_types.push_back(DataType::kInt32);
    }
    FinishStep(std::move(step), &node);
    return absl::OkStatus();
  }

  // Whether the file asks for another device than this one.
  static bool AsksFor(const Node& node, absl::string_view type) {
    return absl::StrContains(node.device, absl::StrCat("device:", type)) || absl::StrContains(node.device, absl::StrCat("/", type, ":"));
  }

  // The arguments of the schema that tensors i belong to, for looking up which live on the host.
  static std::vector<std::string> ArgumentNames(const std::vector<ArgSchema>& args, const Attributes& attrs, size_t count) {
    std::vector<std::string> names;
    std::vector<int> counts;
    if (!FlatTypes(args, attrs, &counts).ok()) return std::vector<std::string>(count);
    for (size_t a = 0; a < args.size(); ++a) names.insert(names.end(), static_cast<size_t>(counts[a]), args[a].name);
    names.resize(count);
    return names;
  }

  // Shape and control arithmetic: small integers that are at hand on the host and stay integers. Sending it to a device
  // would only make it come back.
  bool StaysOnHost(const Node& node) const {
    auto small_integers = [](DataType type) { return IsInteger(RemoveRef(type)) || type == DataType::kBool; };
    for (const Output& input : node.inputs) {
      if (!small_integers(TypeOf(input))) return false;
      if (input.node->constant(input.index) != nullptr) continue;
      auto it = slots_.find(Value{input.node, input.index});
      if (it == slots_.end() || !it->second.contains(0)) return false;
    }
    constexpr int64_t kFew = 1024;
    for (int i = 0; i < node.num_outputs(); ++i) {
      const PartialShape& shape = node.output_shapes[i];
      if (!small_integers(node.output_types[i]) || (shape.fully_known() && shape.shape().num_elements() > kFew)) return false;
    }
    return true;
  }

  absl::Status AddKernel(const Node& node) {
    Init init(node, context_, plan_.get());
    Step step;
    step.name = node.name;
    step.op = node.op();
    step.output_types = node.output_types;
    std::vector<char> host_in(node.inputs.size(), 0), host_out(node.output_types.size(), 0);
    bool plain = !node.inputs.empty();
    for (const Output& input : node.inputs) plain = plain && IsPlainData(TypeOf(input));
    for (DataType type : node.output_types) plain = plain && IsPlainData(type);
    for (size_t d = 1; plain && step.kernel == nullptr && d < plan_->devices.size(); ++d) {
      if (AsksFor(node, "CPU")) break;
      if (StaysOnHost(node)) {
        Report(node, *plan_->devices[d], "shape arithmetic");
        break;
      }
      const DeviceKernel* there = plan_->devices[d]->FindKernel(*node.def());
      if (there == nullptr) {
        Report(node, *plan_->devices[d], "no kernel for this op");
        continue;
      }
      init.set_device(plan_->devices[d].get());
      absl::StatusOr<KernelPtr> kernel = there->factory(init);
      if (!kernel.ok()) {
        if (!absl::IsUnimplemented(kernel.status())) return Named(node, kernel.status());
        Report(node, *plan_->devices[d], kernel.status().message());
        continue;
      }
      step.kernel = *std::move(kernel);
      step.device = static_cast<int>(d);
      step.recordable = there->recordable;
      plan_->uses_device[d] = 1;
      std::vector<std::string> in = ArgumentNames(node.info->schema->inputs, node.attrs(), node.inputs.size());
      std::vector<std::string> out = ArgumentNames(node.info->schema->outputs, node.attrs(), node.output_types.size());
      for (size_t i = 0; i < in.size(); ++i) host_in[i] = Contains(there->host_inputs, in[i]);
      for (size_t i = 0; i < out.size(); ++i) host_out[i] = Contains(there->host_outputs, out[i]);
    }
    if (step.kernel == nullptr) {
      if (node.def()->cpu == nullptr) {
        return absl::UnimplementedError(absl::StrCat("No OpKernel was registered to support Op '", node.op(), "' used by node \"", node.name, "\"",
                                                     node.def()->refusal.empty() ? "" : ": ", node.def()->refusal));
      }
      absl::StatusOr<KernelPtr> kernel = node.def()->cpu(init);
      if (!kernel.ok()) return Named(node, kernel.status());
      step.kernel = *std::move(kernel);
    }
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Output& input = node.inputs[i];
      SM_ASSIGN_OR_RETURN(int slot, SlotOn({input.node, input.index}, host_in[i] ? 0 : step.device));
      step.inputs.push_back(slot);
    }
    for (int i = 0; i < node.num_outputs(); ++i) {
      step.outputs.push_back(AddSlot({&node, i}, Slot::Kind::kDynamic, host_out[i] ? 0 : step.device));
      infos_[step.outputs.back()].by_kernel = true;
    }
    nodes_of_steps_[plan_->steps.size()] = &node;
    FinishStep(std::move(step), &node);
    return absl::OkStatus();
  }

  static bool Contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  static absl::Status Named(const Node& node, const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("node \"", node.name, "\" (", node.op(), "): ", status.message(), "\n\t [[{{node ", node.name, "}}]]"));
  }

  void Report(const Node& node, const Device& device, absl::string_view why) {
    if (context_.report != nullptr) absl::StrAppend(context_.report, node.op(), " \"", node.name, "\" runs on the CPU, not on ", device.name(), ": ", why, "\n");
  }

  // What the host can do before the devices begin goes first: copies of arguments, shape arithmetic. The steps of a device
  // then stand together, and can be recorded as one.
  void GatherDeviceSteps() {
    if (plan_->devices.size() < 2 || plan_->has_branches) return;
    std::vector<char> ready(plan_->slots.size(), 0);
    for (size_t i = 0; i < ready.size(); ++i) ready[i] = plan_->slots[i].kind == Slot::Kind::kArg || plan_->slots[i].kind == Slot::Kind::kConstant;
    const size_t n = plan_->steps.size();
    std::vector<size_t> order, later;
    for (size_t s = 0; s < n; ++s) {
      const Step& step = plan_->steps[s];
      bool early = step.kind == Step::Kind::kCopy;
      if (step.kind == Step::Kind::kKernel && step.device == 0) {
        auto it = nodes_of_steps_.find(s);
        early = it != nodes_of_steps_.end() && it->second->def()->effect == Effect::kNone && it->second->controls.empty();
      }
      for (int slot : step.inputs) early = early && ready[static_cast<size_t>(slot)] && (step.kind != Step::Kind::kCopy || plan_->slots[static_cast<size_t>(slot)].device == 0);
      (early ? order : later).push_back(s);
      if (!early || step.kind == Step::Kind::kCopy) continue;
      for (int slot : step.outputs) ready[static_cast<size_t>(slot)] = 1;
    }
    order.insert(order.end(), later.begin(), later.end());
    std::vector<Step> steps;
    absl::flat_hash_map<size_t, const Node*> nodes;
    for (size_t s : order) {
      for (int slot : plan_->steps[s].outputs) infos_[static_cast<size_t>(slot)].step = static_cast<int>(steps.size());
      if (auto it = nodes_of_steps_.find(s); it != nodes_of_steps_.end()) nodes[steps.size()] = it->second;
      steps.push_back(std::move(plan_->steps[s]));
    }
    plan_->steps = std::move(steps);
    nodes_of_steps_ = std::move(nodes);
  }

  void FindLastUses() {
    last_use_.assign(plan_->slots.size(), -1);
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      for (int slot : plan_->steps[s].inputs) last_use_[slot] = static_cast<int>(s);
    }
    std::vector<char> is_result(plan_->slots.size(), 0);
    for (int slot : plan_->results) is_result[slot] = 1;
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      Step& step = plan_->steps[s];
      for (size_t i = 0; i < step.inputs.size(); ++i) {
        const int slot = step.inputs[i];
        const bool once = std::count(step.inputs.begin(), step.inputs.end(), slot) == 1;
        step.last_use.push_back(last_use_[slot] == static_cast<int>(s) && !is_result[slot] && once);
      }
    }
    for (size_t slot = 0; slot < plan_->slots.size(); ++slot) {
      if (is_result[slot] || plan_->slots[slot].kind == Slot::Kind::kConstant) continue;
      const int at = last_use_[slot] >= 0 ? last_use_[slot] : infos_[slot].step;
      if (at >= 0) plan_->steps[at].releases.push_back(static_cast<int>(slot));
    }
  }

  int Root(int slot) {
    while (parent_[slot] != slot) slot = parent_[slot] = parent_[parent_[slot]];
    return slot;
  }

  // The inputs that output 0 may be written over: [first, second).
  std::pair<size_t, size_t> Replaceable(const Step& step, const Node& node) {
    const OpDef& def = *node.def();
    if (def.in_place) return {0, std::min<size_t>(step.inputs.size(), 2)};
    const int only = def.replaces != nullptr && step.device == 0 ? def.replaces(node.attrs()) : -1;
    if (only < 0 || static_cast<size_t>(only) >= step.inputs.size()) return {0, 0};
    const auto i = static_cast<size_t>(only);
    const int root = Root(step.inputs[i]);
    if (std::count_if(step.inputs.begin(), step.inputs.end(), [&](int slot) { return Root(slot) == root; }) > 1) return {0, 0};
    return {i, i + 1};
  }

  // Values of known shape that a kernel writes get a place in the arena; a result must outlive the run and has its own
  // memory, and so has whatever shares memory with it.
  void PlaceInArena() {
    const size_t n = plan_->slots.size();
    parent_.resize(n);
    std::vector<char> can(n, 0);
    std::vector<size_t> bytes(n, 0);
    std::vector<int> first(n), last(n);
    for (size_t i = 0; i < n; ++i) {
      parent_[i] = static_cast<int>(i);
      const Slot& slot = plan_->slots[i];
      can[i] = slot.kind == Slot::Kind::kDynamic && infos_[i].by_kernel && infos_[i].shape.fully_known() && IsPlainData(slot.dtype) &&
               infos_[i].shape.shape().valid();
      if (can[i] && __builtin_mul_overflow(static_cast<size_t>(infos_[i].shape.shape().num_elements()), DataTypeSize(slot.dtype), &bytes[i])) can[i] = 0;
      constexpr size_t kMaxArenaValue = size_t{1} << 40;
      if (bytes[i] > kMaxArenaValue) can[i] = 0;
      first[i] = infos_[i].step;
      last[i] = std::max(last_use_[i], infos_[i].step);
    }
    std::vector<char> escapes(n, 0);
    for (int slot : plan_->results) escapes[slot] = 1;
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      const Step& step = plan_->steps[s];
      auto it = nodes_of_steps_.find(s);
      if (it == nodes_of_steps_.end() || step.outputs.empty() || !can[step.outputs[0]]) continue;
      const int out = step.outputs[0];
      const OpDef& def = *it->second->def();
      if (def.aliases_input && !step.inputs.empty()) {
        const int in = Root(step.inputs[0]);
        if (can[in] && plan_->slots[in].device == plan_->slots[out].device && bytes[in] == bytes[out]) {
          parent_[out] = in;
          last[in] = std::max(last[in], last[out]);
          escapes[in] = escapes[in] || escapes[out];
        }
      } else if (!escapes[out]) {
        const auto [begin, end] = Replaceable(step, *it->second);
        for (size_t i = begin; i < end; ++i) {
          const int in = Root(step.inputs[i]);
          if (!can[in] || escapes[in] || bytes[in] != bytes[out] || last[in] != static_cast<int>(s) || infos_[step.inputs[i]].shape != infos_[out].shape ||
              plan_->slots[in].device != plan_->slots[out].device || DataTypeSize(plan_->slots[in].dtype) != DataTypeSize(plan_->slots[out].dtype)) {
            continue;
          }
          parent_[out] = in;
          last[in] = last[out];
          break;
        }
      }
    }
    for (size_t device = 0; device < plan_->devices.size(); ++device) {
      std::vector<Lifetime> lifetimes;
      std::vector<int> index(n, -1);
      for (size_t i = 0; i < n; ++i) {
        const int root = Root(static_cast<int>(i));
        if (!can[i] || !can[root] || escapes[root] || plan_->slots[i].device != static_cast<int>(device)) continue;
        if (root == static_cast<int>(i)) {
          index[i] = static_cast<int>(lifetimes.size());
          lifetimes.push_back({first[i], last[i], bytes[i], 0});
        }
      }
      plan_->arena_bytes[device] = AssignOffsets(&lifetimes);
      for (size_t i = 0; i < n; ++i) {
        const int root = Root(static_cast<int>(i));
        if (!can[i] || index[root] < 0) continue;
        Slot& slot = plan_->slots[i];
        slot.kind = Slot::Kind::kArena;
        slot.shape = infos_[i].shape.shape();
        slot.offset = lifetimes[index[root]].offset;
      }
    }
    // The arena needs no emptying between steps.
    for (Step& step : plan_->steps) {
      step.releases.erase(std::remove_if(step.releases.begin(), step.releases.end(),
                                         [&](int slot) { return plan_->slots[slot].kind == Slot::Kind::kArena; }),
                          step.releases.end());
    }
  }

  // After the arena: which steps a stream can record, and which wait for values in host memory.
  void FindSegments() {
    plan_->segment_at.assign(plan_->steps.size(), -1);
    for (size_t s = 0; s < plan_->steps.size(); ++s) {
      Step& step = plan_->steps[s];
      bool fixed = step.kind == Step::Kind::kKernel && step.device != 0 && step.recordable && !step.checks_dead && step.releases.empty();
      for (int id : step.inputs) {
        const Slot& slot = plan_->slots[id];
        step.reads_host = step.reads_host || (slot.device == 0 && slot.kind != Slot::Kind::kConstant);
        fixed = fixed && (slot.kind == Slot::Kind::kConstant || (slot.kind == Slot::Kind::kArena && slot.device == step.device));
      }
      for (int id : step.outputs) fixed = fixed && plan_->slots[id].kind == Slot::Kind::kArena && plan_->slots[id].device == step.device;
      if (!fixed) continue;
      if (!plan_->segments.empty()) {
        Segment& last = plan_->segments.back();
        if (last.device == step.device && last.first + last.count == s) {
          ++last.count;
          continue;
        }
      }
      plan_->segment_at[s] = static_cast<int>(plan_->segments.size());
      plan_->segments.push_back({s, 1, step.device});
    }
  }

  void MakeRows() {
    size_t outputs = 0;
    for (const Step& step : plan_->steps) outputs += step.outputs.size();
    plan_->places.reserve(outputs);  // rows point into it
    for (const Step& step : plan_->steps) {
      StepRow row;
      if (step.kind == Step::Kind::kKernel && !step.checks_dead && step.releases.empty()) row.kernel = step.kernel.get();
      row.outputs = plan_->places.data() + plan_->places.size();
      row.num_inputs = static_cast<int>(step.inputs.size());
      row.num_outputs = static_cast<int>(step.outputs.size());
      for (size_t i = 0; i < step.outputs.size(); ++i) {
        const bool in_arena = plan_->slots[step.outputs[i]].kind == Slot::Kind::kArena;
        plan_->places.push_back({step.outputs[i], i < step.output_types.size() ? step.output_types[i] : DataType::kInvalid, in_arena});
      }
      plan_->rows.push_back(row);
    }
  }

  const Graph& graph_;
  const CompileContext& context_;
  std::unique_ptr<Plan> plan_;
  absl::flat_hash_map<Value, absl::flat_hash_map<int, int>> slots_;  // value -> device -> slot
  std::vector<SlotInfo> infos_;
  std::vector<char> maybe_dead_;
  absl::flat_hash_map<const Node*, int> step_of_;
  absl::flat_hash_map<size_t, const Node*> nodes_of_steps_;
  std::vector<int> last_use_, parent_;
};

}  // namespace

std::shared_ptr<const void> SharedObjects::Get(const Tensor& constant, absl::string_view key,
                                               const std::function<std::shared_ptr<const void>()>& make) {
  const std::pair<const void*, std::string> full(constant.raw(), key);
  std::lock_guard<std::mutex> lock(mutex_);
  auto it = entries_.find(full);
  if (it != entries_.end()) {
    if (std::shared_ptr<const void> object = it->second.object.lock()) return object;
  }
  absl::erase_if(entries_, [](const auto& entry) { return entry.second.object.expired(); });
  std::shared_ptr<const void> object = make();
  entries_[full] = {constant, object};
  return object;
}

absl::StatusOr<std::unique_ptr<Plan>> Compile(const Graph& graph, const CompileContext& context) { return Compiler(graph, context).Run(); }

}  // namespace savedmodel
