// What is known before the run becomes constant: shapes, everything computed from constants, the values of variables
// that nothing in the plan writes. Branches whose condition is known are replaced by the branch taken. What a loop only
// hands through is known in its body too.
#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "graph/infer.h"
#include "ops/evaluate.h"
#include "ops/state/variable.h"
#include "passes/pass.h"

namespace savedmodel {
namespace {

constexpr int64_t kMaxFoldedBytes = 64 << 20;  // a constant that computing makes; larger ones are computed in the run
constexpr int kMaxRounds = 16;                 // of a loop's shapes, until nothing is known that does not hold

bool IsIf(const Node& n) { return n.Is("If") || n.Is("StatelessIf") || n.Is("_If"); }
bool IsCase(const Node& n) { return n.Is("Case") || n.Is("StatelessCase"); }
bool IsWhile(const Node& n) { return n.Is("While") || n.Is("StatelessWhile") || n.Is("_While"); }
bool IsHandle(const Node& n) { return n.Is("VarHandleOp") || n.Is("VariableV2") || n.Is("Variable"); }
bool ReadsVariable(const Node& n) { return n.Is("ReadVariableOp") || n.Is("_ReadRef"); }
bool OnlyReads(const Node& n) {
  return ReadsVariable(n) || (n.def() != nullptr && n.def()->effect != Effect::kStateful && !n.def()->structural) || n.Is("DisableCopyOnRead");
}

const Variable* VariableOf(const Tensor* handle) {
  if (handle == nullptr || handle->dtype() != DataType::kResource || handle->num_elements() != 1) return nullptr;
  return dynamic_cast<const Variable*>(handle->data<ResourceHandle>()[0].get());
}

class Folder {
 public:
  Folder(PassContext& context, bool freeze) : context_(context), freeze_(freeze) {}

  // Variables that some node writes, or hands to where this pass cannot see.
  absl::flat_hash_set<const Variable*> written;

  void Run(Graph* graph) {
    absl::StatusOr<std::vector<Node*>> order = graph->TopologicalOrder();
    if (!order.ok()) return;
    // A value that waits for a side effect is not known before the run, even if its number is.
    std::vector<char> touches = TouchesState(*graph);
    for (Node* node : *order) {
      waits_ = false;
      for (const Node* control : node->controls) waits_ = waits_ || touches[control->id()];
      for (const Output& input : node->inputs) {
        waits_ = waits_ || (input.node->Is("Const") && !input.node->controls.empty() && touches[input.node->id()]);
      }
      Visit(node);
    }
  }

 private:
  void Visit(Node* node) {
    if (node->Is("_Arg")) return;
    if (node->Is("Const") || node->Is("HostConst")) {
      if (!node->error.ok()) return;
      node->SetConstant(0, node->attrs().TensorValue("value"));
      return;
    }
    node->constants.clear();
    if (!node->error.ok() || node->def() == nullptr) return;
    if (!node->bodies.empty()) return VisitBodies(node);
    InferShapes(node);
    if (waits_) return;
    if (node->Is("PlaceholderWithDefault")) {
      if (const Tensor* value = ConstantOf(node->inputs[0]); value != nullptr) node->SetConstant(0, *value);
    } else if (IsHandle(*node)) {
      Compute(node, {});
    } else if (ReadsVariable(*node)) {
      FreezeRead(node);
    } else {
      Compute(node);
    }
  }

  void FreezeRead(Node* node) {
    if (node->inputs.empty()) return;
    const Tensor* handle = ConstantOf(node->inputs[0]);
    const Variable* variable = VariableOf(handle);
    if (variable == nullptr) return;
    Tensor value = variable->Read();
    if (!value.initialized() || value.dtype() != node->output_types[0]) return;
    if (freeze_ && !written.contains(variable) && context_.state->Freeze(handle->data<ResourceHandle>()[0].get())) {
      node->SetConstant(0, std::move(value));
    } else if (variable->shape().fully_known()) {
      node->output_shapes[0] = variable->shape();
    }
  }

  // Runs a node whose inputs are all known; ops that look at shapes alone need no values.
  void Compute(Node* node) {
    const OpDef& def = *node->def();
    if (def.effect != Effect::kNone || def.structural || def.cpu == nullptr || node->num_outputs() == 0) return;
    const bool shapes_only = node->Is("Shape") || node->Is("ShapeN") || node->Is("Size") || node->Is("Rank");
    std::vector<Tensor> inputs;
    for (const Output& input : node->inputs) {
      const Tensor* value = ConstantOf(input);
      if (value != nullptr) {
        inputs.push_back(*value);
      } else if (shapes_only && ShapeOf(input).fully_known() && ShapeOf(input).shape().valid()) {
        inputs.push_back(Tensor::View(RemoveRef(TypeOf(input)), ShapeOf(input).shape(), nullptr));
      } else {
        return;
      }
    }
    for (int i = 0; i < node->num_outputs(); ++i) {
      if (!IsPlainData(node->output_types[i]) && node->output_types[i] != DataType::kString) return;
      if (!node->output_shapes[i].fully_known()) continue;
      const TensorShape shape = node->output_shapes[i].shape();
      if (!shape.valid() || shape.num_elements() > kMaxFoldedBytes / static_cast<int64_t>(DataTypeSize(node->output_types[i]))) return;
    }
    Compute(node, std::move(inputs));
  }

  void Compute(Node* node, std::vector<Tensor> inputs) {
    EvaluateOptions options;
    options.node_name = node->name;
    options.output_types = &node->output_types;
    options.allocator = context_.allocator;
    absl::StatusOr<std::vector<Tensor>> outputs =
        Evaluate(*node->def(), node->attrs(), std::move(inputs), *context_.state, *context_.pool, options);
    if (!outputs.ok()) return;  // the run tells the error, if it comes there
    for (int i = 0; i < node->num_outputs(); ++i) node->SetConstant(i, std::move((*outputs)[i]));
  }

  void VisitBodies(Node* node) {
    if (IsWhile(*node)) return VisitWhile(node);
    if (node->Is("For") || node->Is("MapDefun")) return VisitEach(node);
    for (size_t b = 0; b < node->bodies.size(); ++b) {
      Graph* body = node->bodies[b].get();
      for (size_t i = 0; i < body->args.size(); ++i) SetArg(body->args[i], node->inputs[i + 1]);
      Run(body);
      for (int i = 0; i < node->num_outputs(); ++i) {
        const PartialShape& shape = ShapeOf(body->results[i]);
        node->output_shapes[i] = b == 0 ? shape : node->output_shapes[i].Relax(shape);
      }
    }
  }

  static void SetArg(Node* arg, const Output& value) {
    SetArg(arg, ShapeOf(value), ConstantOf(value));
  }
  static void SetArg(Node* arg, const PartialShape& shape, const Tensor* known) {
    arg->constants.clear();
    if (known != nullptr) arg->SetConstant(0, *known);
    arg->output_shapes[0] = shape;
  }

  // The shapes with which a loop begins hold in later rounds only as far as the body gives them back.
  void VisitWhile(Node* node) {
    Graph* cond = node->bodies[0].get();
    Graph* body = node->bodies[1].get();
    const size_t n = node->inputs.size();
    std::vector<PartialShape> shapes(n);
    for (size_t i = 0; i < n; ++i) shapes[i] = ShapeOf(node->inputs[i]);
    for (int round = 0; round < kMaxRounds; ++round) {
      if (round == kMaxRounds - 1) shapes.assign(n, PartialShape());
      for (size_t i = 0; i < n; ++i) {
        const bool invariant = body->results[i] == Output{body->args[i], 0};
        const Tensor* known = invariant ? ConstantOf(node->inputs[i]) : nullptr;
        if (invariant) shapes[i] = ShapeOf(node->inputs[i]);
        for (Graph* graph : {cond, body}) SetArg(graph->args[i], shapes[i], known);
      }
      Run(body);
      bool holds = true;
      for (size_t i = 0; i < n; ++i) {
        PartialShape relaxed = shapes[i].Relax(ShapeOf(body->results[i]));
        if (relaxed != shapes[i]) holds = false;
        shapes[i] = std::move(relaxed);
      }
      if (holds) break;
    }
    Run(cond);
    node->output_shapes = shapes;
    for (size_t i = 0; i < n; ++i) {
      // What comes out unchanged is what went in.
      const Tensor* known = body->results[i] == Output{body->args[i], 0} ? ConstantOf(node->inputs[i]) : nullptr;
      if (known != nullptr) node->SetConstant(static_cast<int>(i), *known);
    }
  }

  // Bodies that run once for each of a number of things: nothing is known of what they get.
  void VisitEach(Node* node) {
    Graph* body = node->bodies[0].get();
    for (Node* arg : body->args) SetArg(arg, PartialShape(), nullptr);
    if (node->Is("For")) body->args[0]->output_shapes[0] = TensorShape();
    Run(body);
  }

  PassContext& context_;
  const bool freeze_;
  bool waits_ = false;  // the node being visited waits for a side effect
};

// Collects written variables; false if a handle goes where it cannot be followed.
bool CollectWritten(const Graph& graph, absl::flat_hash_set<const Variable*>* written) {
  bool all_known = true;
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->bodies) all_known = CollectWritten(*body, written) && all_known;
    if (OnlyReads(*node)) continue;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      const DataType type = TypeOf(node->inputs[i]);
      if (type != DataType::kResource && !IsRef(type)) continue;
      const Variable* variable = VariableOf(ConstantOf(node->inputs[i]));
      // A loop or branch that knows the handle inside shows its own writes.
      if (!node->bodies.empty()) {
        const bool inside_known = ConstantOf(node->inputs[i]) != nullptr;
        if (inside_known) continue;
      }
      if (variable != nullptr) {
        written->insert(variable);
      } else if (ConstantOf(node->inputs[i]) == nullptr && (node->def() == nullptr || node->def()->structural || IsRef(type) ||
                                                            node->Is("AssignVariableOp"))) {
        all_known = false;
      }
    }
  }
  return all_known;
}

bool AnyWrite(const Graph& graph) {
  for (const auto& node : graph.nodes()) {
    if (!OnlyReads(*node) && node->bodies.empty()) {
      for (const Output& input : node->inputs) {
        if (TypeOf(input) == DataType::kResource || IsRef(TypeOf(input))) return true;
      }
    }
    for (const auto& body : node->bodies) {
      if (AnyWrite(*body)) return true;
    }
  }
  return false;
}

// Values known before the run become Const nodes, so that nothing hangs on what computed them.
void Materialize(Graph* graph, PassContext& context) {
  absl::flat_hash_map<Output, Output> replaced;
  const size_t n = graph->size();
  for (size_t k = 0; k < n; ++k) {
    Node* node = graph->nodes()[k].get();
    for (const auto& body : node->bodies) Materialize(body.get(), context);
    if (node->Is("Const")) continue;
    for (int i = 0; i < node->num_outputs(); ++i) {
      if (node->constant(i) == nullptr || IsRef(node->output_types[i])) continue;
      Attributes attributes;
      attributes.Set("dtype", node->output_types[i]);
      attributes.Set("value", *node->constant(i));
      Node* made = graph->AddNode(i == 0 ? absl::StrCat(node->name, "/_known") : absl::StrCat(node->name, "/_known_", i),
                                  context.catalog->Find("Const"), std::make_shared<const Attributes>(std::move(attributes)), {node->output_types[i]});
      made->SetConstant(0, *node->constant(i));
      replaced[{node, i}] = {made, 0};
    }
  }
  // An argument that a loop hands through stays what the body returns: that is how the loop knows it.
  std::vector<Output> results = graph->results;
  graph->ReplaceValues(replaced);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].node->Is("_Arg")) graph->results[i] = results[i];
  }
}

// Puts the body of a decided branch in the node's place.
bool DecideBranches(Graph* graph) {
  std::vector<std::pair<Node*, size_t>> decided;
  bool changed = false;
  for (const auto& node : graph->nodes()) {
    for (const auto& body : node->bodies) changed = DecideBranches(body.get()) || changed;
    if (node->bodies.empty() || (!IsIf(*node) && !IsCase(*node))) continue;
    const Tensor* condition = ConstantOf(node->inputs[0]);
    if (condition == nullptr || condition->num_elements() != 1 || condition->rank() != 0) continue;
    if (IsCase(*node) && condition->dtype() == DataType::kInt32) {
      const int32_t index = condition->scalar<int32_t>();
      const size_t last = node->bodies.size() - 1;
      decided.emplace_back(node.get(), index < 0 || static_cast<size_t>(index) > last ? last : static_cast<size_t>(index));
    } else if (IsIf(*node) && condition->dtype() == DataType::kBool) {
      decided.emplace_back(node.get(), condition->scalar<bool>() ? 0 : 1);
    }
  }
  absl::flat_hash_map<Output, Output> replaced;
  absl::flat_hash_map<const Node*, std::vector<Node*>> ends;
  for (auto [node, branch] : decided) {
    const std::shared_ptr<Graph> body = node->bodies[branch];
    std::vector<Node*> map(body->size(), nullptr);
    absl::flat_hash_map<const Node*, Output> args;
    for (size_t i = 0; i < body->args.size(); ++i) args[body->args[i]] = node->inputs[i + 1];
    for (const auto& inner : body->nodes()) {
      if (!args.contains(inner.get())) map[inner->id()] = graph->CopyNode(*inner, absl::StrCat(node->name, "/"));
    }
    auto translate = [&](const Output& value) {
      auto it = args.find(value.node);
      return it != args.end() ? it->second : Output{map[value.node->id()], value.index};
    };
    std::vector<Node*>& end = ends[node];
    for (const auto& inner : body->nodes()) {
      Node* copy = map[inner->id()];
      if (copy == nullptr) continue;
      for (const Output& input : inner->inputs) copy->inputs.push_back(translate(input));
      for (const Node* control : inner->controls) {
        if (map[control->id()] != nullptr) copy->controls.push_back(map[control->id()]);
      }
      copy->controls.insert(copy->controls.end(), node->controls.begin(), node->controls.end());
      if (copy->keep) end.push_back(copy);
    }
    for (size_t i = 0; i < body->results.size(); ++i) {
      const Output value = translate(body->results[i]);
      replaced[{node, static_cast<int>(i)}] = value;
      end.push_back(value.node);
    }
    end.insert(end.end(), node->controls.begin(), node->controls.end());
  }
  if (decided.empty()) return changed;
  graph->ReplaceValues(replaced);
  // Waiting for the branch is waiting for what it did; a branch may have been decided inside another's end.
  for (const auto& node : graph->nodes()) {
    for (bool again = true; again;) {
      again = false;
      for (size_t i = 0; i < node->controls.size(); ++i) {
        auto it = ends.find(node->controls[i]);
        if (it == ends.end()) continue;
        node->controls.erase(node->controls.begin() + static_cast<std::ptrdiff_t>(i));
        for (Node* control : it->second) {
          if (std::find(node->controls.begin(), node->controls.end(), control) == node->controls.end()) node->controls.push_back(control);
        }
        again = true;
        break;
      }
    }
  }
  for (Node*& node : graph->control_results) {
    auto it = ends.find(node);
    if (it != ends.end()) node = it->second.empty() ? graph->nodes()[0].get() : it->second.front();
  }
  graph->RemoveIf([&](const Node& node) { return ends.contains(&node); });
  return true;
}

}  // namespace

absl::Status Fold(Graph* graph, PassContext& context) {
  for (int round = 0; round < kMaxRounds; ++round) {
    bool freeze = context.freeze_variables;
    absl::flat_hash_set<const Variable*> written;
    if (freeze && AnyWrite(*graph)) {
      Folder(context, false).Run(graph);
      freeze = CollectWritten(*graph, &written);
    }
    Folder folder(context, freeze);
    folder.written = std::move(written);
    folder.Run(graph);
    if (!DecideBranches(graph)) break;
    Materialize(graph, context);
    RemoveUnreachable(graph);
  }
  Materialize(graph, context);
  return RemoveUnused(graph, context);
}

}  // namespace savedmodel
