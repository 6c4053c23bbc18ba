#include "graph/graph.h"

#include <algorithm>
#include <queue>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {

Node* Graph::AddNode(std::string name, std::shared_ptr<const OpInfo> info, std::shared_ptr<const Attributes> attributes,
                     std::vector<DataType> output_types) {
  auto node = std::make_unique<Node>();
  node->id_ = static_cast<int>(nodes_.size());
  node->name = std::move(name);
  node->info = std::move(info);
  node->attributes = std::move(attributes);
  node->output_shapes.resize(output_types.size());
  node->output_types = std::move(output_types);
  nodes_.push_back(std::move(node));
  return nodes_.back().get();
}

Node* Graph::CopyNode(const Node& node, const std::string& prefix) {
  Node* copy = AddNode(prefix.empty() ? node.name : absl::StrCat(prefix, node.name), node.info, node.attributes, node.output_types);
  copy->device = node.device;
  copy->output_shapes = node.output_shapes;
  copy->constants = node.constants;
  copy->bodies = node.bodies;
  copy->error = node.error;
  copy->from_call = node.from_call;
  copy->keep = node.keep;
  return copy;
}

void Graph::Renumber() {
  for (size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->id_ = static_cast<int>(i);
}

absl::StatusOr<std::vector<Node*>> Graph::TopologicalOrder() const {
  std::vector<Node*> order;
  order.reserve(nodes_.size());
  const auto for_each_edge = [&](const auto& visit) {
    for (const auto& node : nodes_) {
      const auto depend = [&](const Node* on) {
        if (!on->Is("NextIteration") && !on->Is("RefNextIteration")) visit(on->id(), node->id());
      };
      for (const Output& input : node->inputs) depend(input.node);
      for (const Node* control : node->controls) depend(control);
    }
  };
  // Who waits for node i: users[first[i]] to users[first[i + 1]], in the order of the nodes.
  std::vector<int> waiting(nodes_.size(), 0), first(nodes_.size() + 1, 0), users;
  bool ordered = true;
  for_each_edge([&](int from, int to) {
    ordered = ordered && from < to;
    ++first[static_cast<size_t>(from) + 1];
    ++waiting[to];
  });
  if (ordered) {
    for (const auto& node : nodes_) order.push_back(node.get());
    return order;
  }
  for (size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  users.resize(static_cast<size_t>(first.back()));
  std::vector<int> next(first.begin(), first.end() - 1);
  for_each_edge([&](int from, int to) { users[next[from]++] = to; });
  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (const auto& node : nodes_) {
    if (waiting[node->id()] == 0) ready.push(node->id());
  }
  while (!ready.empty()) {
    const int id = ready.top();
    ready.pop();
    order.push_back(nodes_[id].get());
    for (int i = first[id]; i < first[id + 1]; ++i) {
      if (--waiting[users[i]] == 0) ready.push(users[i]);
    }
  }
  if (order.size() != nodes_.size()) {
    const Node* stuck = nullptr;
    for (const auto& node : nodes_) {
      if (waiting[node->id()] > 0) {
        stuck = node.get();
        break;
      }
    }
    return absl::InvalidArgumentError(absl::StrCat("The graph couldn't be sorted in topological order: ", nodes_.size() - order.size(),
                                                   " nodes in a cycle, one is \"", stuck->name, "\" (", stuck->op(), ")"));
  }
  return order;
}

void Graph::ReplaceValue(const Output& from, const Output& to) {
  absl::flat_hash_map<Output, Output> one;
  one.emplace(from, to);
  ReplaceValues(one);
}

void Graph::ReplaceValues(const absl::flat_hash_map<Output, Output>& replacements) {
  if (replacements.empty()) return;
  auto resolve = [&](Output& value) {
    for (int hops = 0; hops < 1 << 20; ++hops) {
      auto it = replacements.find(value);
      if (it == replacements.end() || it->second == value) return;
      value = it->second;
    }
  };
  for (const auto& node : nodes_) {
    for (Output& input : node->inputs) resolve(input);
  }
  for (Output& result : results) resolve(result);
}

absl::Status Graph::Verify() const {
  const auto own = [&](const Node* node) {
    if (node == nullptr) return false;
    const size_t id = static_cast<size_t>(node->id());
    return id < nodes_.size() && nodes_[id].get() == node;
  };
  auto check = [&](const Output& value, absl::string_view by) -> absl::Status {
    SM_CHECK_ARGUMENT(own(value.node), "\"", by, "\" reads a node outside the graph");
    SM_CHECK_ARGUMENT(value.index >= 0 && value.index < value.node->num_outputs(), "\"", by, "\" reads output ", value.index,
                      " of \"", value.node->name, "\" which has ", value.node->num_outputs());
    return absl::OkStatus();
  };
  for (const auto& node : nodes_) {
    for (const Output& input : node->inputs) SM_RETURN_IF_ERROR(check(input, node->name));
    for (const Node* control : node->controls) {
      SM_CHECK_ARGUMENT(own(control), "\"", node->name, "\" waits for a node outside the graph");
    }
  }
  for (const Output& result : results) SM_RETURN_IF_ERROR(check(result, "a result"));
  for (const Node* node : args) SM_CHECK_ARGUMENT(own(node), "an argument is outside the graph");
  for (const Node* node : control_results) SM_CHECK_ARGUMENT(own(node), "a control result is outside the graph");
  return absl::OkStatus();
}

std::unique_ptr<Graph> CopyGraph(const Graph& graph) {
  auto copy = std::make_unique<Graph>();
  std::vector<Node*> map(graph.size());
  for (const auto& node : graph.nodes()) {
    Node* made = copy->CopyNode(*node);
    for (std::shared_ptr<Graph>& body : made->bodies) body = CopyGraph(*body);
    map[node->id()] = made;
  }
  for (const auto& node : graph.nodes()) {
    Node* made = map[node->id()];
    made->inputs.reserve(node->inputs.size());
    made->controls.reserve(node->controls.size());
    for (const Output& input : node->inputs) made->inputs.push_back({map[input.node->id()], input.index});
    for (const Node* control : node->controls) made->controls.push_back(map[control->id()]);
  }
  for (const Node* arg : graph.args) copy->args.push_back(map[arg->id()]);
  for (const Output& result : graph.results) copy->results.push_back({map[result.node->id()], result.index});
  for (const Node* node : graph.control_results) copy->control_results.push_back(map[node->id()]);
  return copy;
}

std::shared_ptr<const OpInfo> OpCatalog::Find(const std::string& name) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<const OpInfo>& slot = infos_[name];
  if (slot == nullptr) {
    auto info = std::make_shared<OpInfo>();
    info->name = name;
    info->def = table_->Find(name);
    if (info->def != nullptr) {
      absl::StatusOr<OpSchema> schema = ParseSchema(*info->def);
      if (schema.ok()) {
        info->schema = std::make_shared<const OpSchema>(*std::move(schema));
      } else {
        info->def = nullptr;  // a definition that cannot be read is no definition
      }
    }
    slot = std::move(info);
  }
  return slot;
}

}  // namespace savedmodel
