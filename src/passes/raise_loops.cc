// Version 1 loops become While nodes.
//
// A loop is a frame: Enter brings values in, each loop variable is a Merge of its Enter and its NextIteration, LoopCond
// tells whether to go on, a Switch per variable sends it into the body or to its Exit. Innermost frames are raised
// first, so that nested loops are While nodes inside the body when the outer frame's turn comes. Where the Switches ask
// something else than a LoopCond, that is the condition; a NextIteration that goes round no loop hands on.
#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

bool IsEnter(const Node& n) { return n.Is("Enter") || n.Is("RefEnter"); }
bool IsExit(const Node& n) { return n.Is("Exit") || n.Is("RefExit"); }
bool IsNext(const Node& n) { return n.Is("NextIteration") || n.Is("RefNextIteration"); }
bool IsMerge(const Node& n) { return n.Is("Merge") || n.Is("RefMerge"); }
bool IsSwitch(const Node& n) { return n.Is("Switch") || n.Is("RefSwitch"); }

struct Frame {
  std::string name;
  int parent = -1;
  int depth = 0;
};

struct Variable {
  Node* enter = nullptr;
  Node* merge = nullptr;
  Node* next = nullptr;
  Node* exit = nullptr;
};

class Raiser {
 public:
  Raiser(Graph* graph, PassContext& context) : graph_(graph), context_(context) {}

  absl::Status Run() {
    StepOverIterations();
    bool any = false;
    for (const auto& node : graph_->nodes()) any = any || IsEnter(*node);
    if (!any) return absl::OkStatus();
    SM_RETURN_IF_ERROR(AssignFrames());
    std::vector<int> order;
    for (size_t i = 1; i < frames_.size(); ++i) order.push_back(static_cast<int>(i));
    std::sort(order.begin(), order.end(), [&](int a, int b) { return frames_[a].depth > frames_[b].depth; });
    for (int frame : order) SM_RETURN_IF_ERROR(Raise(frame));
    graph_->RemoveIf([&](const Node& node) { return gone_.contains(&node); });
    return absl::OkStatus();
  }

 private:
  // NextIteration nodes that no Merge reads give the next round what they got, and nobody asks which round it is.
  void StepOverIterations() {
    absl::flat_hash_set<const Node*> back;
    for (const auto& node : graph_->nodes()) {
      for (const Output& input : node->inputs) {
        if (IsMerge(*node) && IsNext(*input.node)) back.insert(input.node);
      }
    }
    absl::flat_hash_map<Output, Output> replaced;
    for (const auto& node : graph_->nodes()) {
      if (!IsNext(*node) || back.contains(node.get()) || node->inputs.size() != 1) continue;
      replaced[{node.get(), 0}] = node->inputs[0];
      node->info = context_.catalog->Find(IsRef(node->output_types[0]) ? "RefIdentity" : "Identity");
    }
    if (!replaced.empty()) graph_->ReplaceValues(replaced);
  }

  // A LoopCond of what the Switches of these variables ask; null if they ask nothing.
  Node* AddCondition(int frame, const std::vector<Variable>& variables) {
    Node* cond = nullptr;
    for (size_t i = 0, n = graph_->size(); i < n; ++i) {
      Node* node = graph_->nodes()[i].get();
      if (!IsSwitch(*node) || node->inputs.size() != 2 || gone_.contains(node) || in_.at(node) != frame) continue;
      if (std::none_of(variables.begin(), variables.end(), [&](const Variable& v) { return v.merge == node->inputs[0].node; })) continue;
      if (cond == nullptr) {
        cond = graph_->AddNode(absl::StrCat(node->name, "/_condition"), context_.catalog->Find("LoopCond"), std::make_shared<const Attributes>(),
                               {DataType::kBool});
        cond->inputs = {node->inputs[1]};
        in_[cond] = out_[cond] = frame;
      }
      if (node->inputs[1] == cond->inputs[0]) node->inputs[1] = {cond, 0};
    }
    return cond;
  }

  int FrameOfOutput(const Node* node) const { return out_.at(node); }

  // The frame in which each node runs (in_), and in which its outputs live (out_).
  absl::Status AssignFrames() {
    frames_.push_back({});
    absl::flat_hash_map<std::pair<int, std::string>, int> ids;
    SM_ASSIGN_OR_RETURN(std::vector<Node*> order, graph_->TopologicalOrder());
    for (Node* node : order) {
      int in = 0;
      const Node* apart = nullptr;  // an input of a frame beside the one found
      auto deeper = [&](const Node* source) {
        auto it = out_.find(source);
        if (it == out_.end()) return;
        if (frames_[it->second].depth == frames_[in].depth && it->second != in) apart = source;
        if (frames_[it->second].depth > frames_[in].depth) in = it->second;
      };
      for (const Output& input : node->inputs) deeper(input.node);
      SM_CHECK_ARGUMENT(apart == nullptr, "{{node ", node->name, "}} has inputs from different frames. The input {{node ", apart->name,
                        "}} is in frame '", frames_[out_.at(apart)].name, "', another is in '", frames_[in].name, "'.");
      for (const Node* control : node->controls) deeper(control);
      in_[node] = in;
      if (IsEnter(*node)) {
        auto [it, made] = ids.try_emplace({in, node->attrs().String("frame_name")}, static_cast<int>(frames_.size()));
        if (made) frames_.push_back({node->attrs().String("frame_name"), in, frames_[in].depth + 1});
        out_[node] = it->second;
      } else if (IsExit(*node)) {
        SM_CHECK_ARGUMENT(in != 0, "node \"", node->name, "\" (Exit) is in no loop");
        out_[node] = frames_[in].parent;
      } else {
        out_[node] = in;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Raise(int frame) {
    const std::string where = absl::StrCat("loop \"", frames_[frame].name, "\": ");
    std::vector<Node*> enters, exits;
    Node* cond = nullptr;
    std::vector<Variable> variables;
    absl::flat_hash_map<const Node*, Node*> exit_of_switch;
    for (const auto& owned : graph_->nodes()) {
      Node* node = owned.get();
      if (gone_.contains(node)) continue;
      if (IsEnter(*node) && out_.at(node) == frame) enters.push_back(node);
      if (in_.at(node) != frame) continue;
      if (node->Is("LoopCond")) cond = node;
      if (IsExit(*node)) exits.push_back(node);
      if (IsMerge(*node) && node->inputs.size() == 2) {
        Variable variable;
        variable.merge = node;
        for (const Output& input : node->inputs) {
          if (IsEnter(*input.node)) variable.enter = input.node;
          if (IsNext(*input.node)) variable.next = input.node;
        }
        if (variable.enter != nullptr && variable.next != nullptr) variables.push_back(variable);
      }
    }
    if (cond == nullptr && variables.empty()) return StepThrough(enters, exits);
    if (cond == nullptr) cond = AddCondition(frame, variables);
    SM_CHECK_ARGUMENT(cond != nullptr && !cond->inputs.empty(), where, "has no LoopCond");
    for (Node* exit : exits) {
      Node* source = exit->inputs[0].node;
      SM_CHECK_ARGUMENT(IsSwitch(*source) && exit->inputs[0].index == 0, where, "Exit \"", exit->name, "\" does not follow a Switch");
      Variable* variable = nullptr;
      for (Variable& v : variables) {
        if (v.merge == source->inputs[0].node) variable = &v;
      }
      SM_CHECK_ARGUMENT(variable != nullptr, where, "Exit \"", exit->name, "\" leaves no loop variable");
      if (variable->exit != nullptr) {
        duplicates_[exit] = variable->exit;
      } else {
        variable->exit = exit;
      }
    }
    // Loop variables first, then what the loop only reads.
    std::vector<Node*> invariants;
    for (Node* enter : enters) {
      bool is_variable = false;
      for (const Variable& v : variables) is_variable = is_variable || v.enter == enter;
      if (!is_variable) invariants.push_back(enter);
    }
    std::vector<Output> next;
    for (const Variable& v : variables) next.push_back(v.next->inputs[0]);
    std::vector<Node*> outer_controls;
    auto cond_body = std::make_shared<Graph>(), body = std::make_shared<Graph>();
    SM_RETURN_IF_ERROR(Build(frame, variables, invariants, {cond->inputs[0]}, {}, cond_body.get(), &outer_controls));
    std::vector<Node*> next_controls;
    for (const Variable& v : variables) next_controls.insert(next_controls.end(), v.next->controls.begin(), v.next->controls.end());
    SM_RETURN_IF_ERROR(Build(frame, variables, invariants, next, next_controls, body.get(), &outer_controls));

    std::vector<DataType> types;
    for (const Variable& v : variables) types.push_back(TypeOf({v.enter, 0}));
    for (Node* enter : invariants) types.push_back(TypeOf({enter, 0}));
    Attributes attributes;
    attributes.Set("T", types);
    attributes.Set("parallel_iterations", int64_t{10});
    attributes.Set("_lower_using_switch_merge", true);  // its condition is a scalar
    Node* loop = graph_->AddNode(absl::StrCat(frames_[frame].name, "/while"), context_.catalog->Find("While"),
                                 std::make_shared<const Attributes>(std::move(attributes)), types);
    // The invariants are handed through unchanged.
    for (size_t i = 0; i < invariants.size(); ++i) body->results.push_back({body->args[variables.size() + i], 0});
    loop->bodies = {std::move(cond_body), std::move(body)};
    absl::flat_hash_set<Node*> controls;
    auto add_enter = [&](Node* enter) {
      loop->inputs.push_back(enter->inputs[0]);
      for (Node* control : enter->controls) {
        if (controls.insert(control).second) loop->controls.push_back(control);
      }
      if (loop->device.empty()) loop->device = enter->device;
      gone_.insert(enter);
    };
    for (const Variable& v : variables) add_enter(v.enter);
    for (Node* enter : invariants) add_enter(enter);
    for (Node* control : outer_controls) {
      if (controls.insert(control).second) loop->controls.push_back(control);
    }
    in_[loop] = out_[loop] = frames_[frame].parent;

    absl::flat_hash_map<Output, Output> replaced;
    for (size_t i = 0; i < variables.size(); ++i) {
      if (variables[i].exit != nullptr) replaced[{variables[i].exit, 0}] = {loop, static_cast<int>(i)};
    }
    for (const auto& [exit, first] : duplicates_) {
      auto it = replaced.find({first, 0});
      if (it != replaced.end()) replaced[{exit, 0}] = it->second;
    }
    graph_->ReplaceValues(replaced);
    for (const auto& owned : graph_->nodes()) {
      Node* node = owned.get();
      if (node != loop && in_.at(node) == frame) gone_.insert(node);
    }
    for (const auto& owned : graph_->nodes()) {
      if (gone_.contains(owned.get())) continue;
      bool changed = false;
      for (Node*& control : owned->controls) {
        if (gone_.contains(control)) {
          control = loop;
          changed = true;
        }
      }
      if (changed) {
        std::sort(owned->controls.begin(), owned->controls.end());
        owned->controls.erase(std::unique(owned->controls.begin(), owned->controls.end()), owned->controls.end());
      }
    }
    return absl::OkStatus();
  }

  // A frame without a loop runs once: its Enter and Exit nodes only hand on.
  absl::Status StepThrough(const std::vector<Node*>& enters, const std::vector<Node*>& exits) {
    absl::flat_hash_map<Output, Output> replaced;
    for (const auto* nodes : {&enters, &exits}) {
      for (Node* node : *nodes) {
        replaced[{node, 0}] = node->inputs[0];
        in_[node] = out_[node] = 0;
        node->info = context_.catalog->Find(IsRef(node->output_types[0]) ? "RefIdentity" : "Identity");
      }
    }
    graph_->ReplaceValues(replaced);
    return absl::OkStatus();
  }

  // Copies what `results` and `also` need inside the frame; loop variables and invariants become arguments.
  absl::Status Build(int frame, const std::vector<Variable>& variables, const std::vector<Node*>& invariants, const std::vector<Output>& results,
                     const std::vector<Node*>& also, Graph* body, std::vector<Node*>* outer_controls) {
    absl::flat_hash_map<Output, Output> known;
    auto add_arg = [&](const Node* like) {
      Attributes attributes;
      attributes.Set("T", RemoveRef(like->output_types[0]));
      attributes.Set("index", static_cast<int64_t>(body->args.size()));
      Node* arg = body->AddNode(like->name, context_.catalog->Find("_Arg"), std::make_shared<const Attributes>(std::move(attributes)),
                                {like->output_types[0]});
      body->args.push_back(arg);
      return arg;
    };
    for (const Variable& v : variables) known[{v.merge, 0}] = {add_arg(v.enter), 0};
    for (Node* enter : invariants) known[{enter, 0}] = {add_arg(enter), 0};

    std::vector<Node*> found, stack;
    absl::flat_hash_set<const Node*> seen;
    // A loop variable seen through its Switch is the variable.
    auto through_switch = [&](const Output& value) -> Output {
      if (IsSwitch(*value.node) && !value.node->inputs.empty() && known.contains(value.node->inputs[0]) && value.node->inputs.size() == 2 &&
          value.node->inputs[1].node->Is("LoopCond")) {
        return value.node->inputs[0];
      }
      return value;
    };
    auto boundary = [&](const Node* node) {
      return IsEnter(*node) || (IsMerge(*node) && known.contains({const_cast<Node*>(node), 0})) || node->Is("LoopCond") ||
             (IsSwitch(*node) && through_switch({const_cast<Node*>(node), 1}).node != node) || IsNext(*node);
    };
    auto want = [&](Node* node) {
      if (seen.insert(node).second) {
        found.push_back(node);
        stack.push_back(node);
      }
    };
    auto want_value = [&](const Output& raw) -> absl::Status {
      const Output value = through_switch(raw);
      if (known.contains(value)) return absl::OkStatus();
      if (value.node->Is("LoopCond")) return absl::OkStatus();
      if (value.node->Is("Const")) {  // of an inlined function: it may stand anywhere
        want(value.node);
        return absl::OkStatus();
      }
      SM_CHECK_ARGUMENT(FrameOfOutput(value.node) == frame, "loop \"", frames_[frame].name, "\" reads \"", value.node->name,
                        "\" which is outside of it, without an Enter");
      SM_CHECK_ARGUMENT(!boundary(value.node), "loop \"", frames_[frame].name, "\": \"", value.node->name, "\" (", value.node->op(),
                        ") has no place in a loop of this form");
      want(value.node);
      return absl::OkStatus();
    };
    for (const Output& result : results) SM_RETURN_IF_ERROR(want_value(result));
    for (Node* node : also) {
      if (!boundary(node) && FrameOfOutput(node) == frame) want(node);
    }
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      for (const Output& input : node->inputs) SM_RETURN_IF_ERROR(want_value(input));
      for (Node* control : node->controls) {
        if (boundary(control)) continue;
        if (FrameOfOutput(control) == frame) {
          want(control);
        } else {
          outer_controls->push_back(control);
        }
      }
    }
    std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id() < b->id(); });
    absl::flat_hash_map<const Node*, Node*> map;
    for (Node* node : found) map[node] = body->CopyNode(*node);
    absl::Status bad;
    auto translate = [&](const Output& raw) -> Output {
      const Output value = through_switch(raw);
      auto it = known.find(value);
      if (it != known.end()) return it->second;
      auto copied = map.find(value.node);
      if (copied != map.end()) return {copied->second, value.index};
      bad = absl::InvalidArgumentError(absl::StrCat("loop \"", frames_[frame].name, "\": \"", value.node->name, "\" (", value.node->op(),
                                                    ") is read inside, which is not supported"));
      return value;
    };
    for (Node* node : found) {
      Node* copy = map[node];
      for (const Output& input : node->inputs) copy->inputs.push_back(translate(input));
      for (Node* control : node->controls) {
        auto it = map.find(control);
        if (it != map.end()) copy->controls.push_back(it->second);
      }
    }
    for (Node* node : also) {
      auto it = map.find(node);
      if (it != map.end()) it->second->keep = true;
    }
    for (const Output& result : results) body->results.push_back(translate(result));
    return bad;
  }

  Graph* graph_;
  PassContext& context_;
  std::vector<Frame> frames_;
  absl::flat_hash_map<const Node*, int> in_, out_;
  absl::flat_hash_set<const Node*> gone_;
  absl::flat_hash_map<Node*, Node*> duplicates_;  // a second Exit of one variable -> the first
};

}  // namespace

absl::Status RaiseLoops(Graph* graph, PassContext& context) {
  SM_RETURN_IF_ERROR(Raiser(graph, context).Run());
  for (const auto& node : graph->nodes()) {
    for (const auto& body : node->bodies) SM_RETURN_IF_ERROR(RaiseLoops(body.get(), context));
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
