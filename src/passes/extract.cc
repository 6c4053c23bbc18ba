#include "passes/extract.h"

#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "passes/declared_shapes.h"

namespace savedmodel {
namespace {

struct Missing {
  int nodes = 0;
  std::string first;
  std::string reason;
};

void Note(std::map<std::string, Missing>* missing, const Node& node, const std::string& reason) {
  Missing& entry = (*missing)[node.op()];
  if (entry.nodes++ == 0) {
    entry.first = node.name;
    entry.reason = reason;
  }
}

std::string List(const std::map<std::string, Missing>& missing) {
  std::string text;
  for (const auto& [op, entry] : missing) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", op, " (", entry.nodes, entry.nodes == 1 ? " node, \"" : " nodes, first \"", entry.first, "\"",
                    entry.reason.empty() ? "" : ": ", entry.reason, ")");
  }
  return text;
}

struct Problems {
  std::map<std::string, Missing> unknown, without_kernel;
  absl::Status first;
  std::vector<const Node*> placeholders;
};

// Nodes that only calls read, which may not use what they are given.
absl::flat_hash_set<const Node*> ReadByCallsAlone(const Graph& graph) {
  absl::flat_hash_set<const Node*> by_calls, by_others;
  for (const auto& node : graph.nodes()) {
    const bool call = node->Is("PartitionedCall") || node->Is("StatefulPartitionedCall");
    for (const Output& input : node->inputs) (call ? by_calls : by_others).insert(input.node);
    by_others.insert(node->controls.begin(), node->controls.end());
  }
  for (const Output& result : graph.results) by_others.insert(result.node);
  by_others.insert(graph.control_results.begin(), graph.control_results.end());
  for (const Node* node : by_others) by_calls.erase(node);
  return by_calls;
}

void Collect(const Graph& graph, bool top, Problems* problems) {
  for (const auto& node : graph.nodes()) {
    if (node->def() == nullptr) {
      Note(&problems->unknown, *node, "");
    } else if (!node->error.ok()) {
      if (problems->first.ok()) problems->first = node->error;
    } else if (top && !node->shape_error.ok()) {  // in a branch, only the run knows whether it comes there
      if (problems->first.ok()) {
        problems->first = absl::Status(node->shape_error.code(), absl::StrCat("node \"", node->name, "\" (", node->op(), "): ", node->shape_error.message()));
      }
    } else if (node->Is("Placeholder") || node->Is("PlaceholderV2")) {
      problems->placeholders.push_back(node.get());
    } else if (!node->def()->structural && node->def()->cpu == nullptr) {
      Note(&problems->without_kernel, *node, node->def()->refusal);
    }
    for (const auto& body : node->bodies) Collect(*body, false, problems);
  }
}

// AlreadyExists where temporary variables of one name live at once: more of them are made than destroyed.
absl::Status CheckTemporaries(const Graph& graph) {
  std::map<std::string, int> made, destroyed;
  for (const auto& node : graph.nodes()) {
    const std::string name = node->attrs().String("var_name");
    if (node->Is("TemporaryVariable") && !name.empty()) ++made[name];
    if (node->Is("DestroyTemporaryVariable")) ++destroyed[name];
  }
  for (const auto& [name, count] : made) {
    if (count > 1 && destroyed[name] < count) {
      return absl::AlreadyExistsError(absl::StrCat("Resource ", name, " of TemporaryVariable exists already: ", count, " nodes make it"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Graph>> Extract(const Graph& graph, const std::vector<Output>& feeds, const std::vector<Output>& fetches,
                                               const std::vector<Node*>& targets, OpCatalog& catalog) {
  absl::flat_hash_map<Output, Output> cut;  // value of `graph` -> value of the result
  auto made = std::make_unique<Graph>();
  for (size_t i = 0; i < feeds.size(); ++i) {
    const DataType type = RemoveRef(TypeOf(feeds[i]));
    Attributes attributes;
    attributes.Set("T", type);
    attributes.Set("index", static_cast<int64_t>(i));
    Node* arg = made->AddNode(absl::StrCat("_arg_", feeds[i].node->name, "_", feeds[i].index), catalog.Find("_Arg"),
                              std::make_shared<const Attributes>(std::move(attributes)), {type});
    made->args.push_back(arg);
    cut.emplace(feeds[i], Output{arg, 0});
  }
  // A control edge to a fed placeholder is met by the feed; other fed nodes still run for who waits for them.
  std::vector<char> wanted(graph.size(), 0);
  std::vector<const Node*> stack;
  auto want = [&](const Node* node) {
    if (!wanted[node->id()]) {
      wanted[node->id()] = 1;
      stack.push_back(node);
    }
  };
  auto met_by_feed = [&](const Node* node) {
    return (node->Is("Placeholder") || node->Is("PlaceholderV2")) && cut.contains(Output{const_cast<Node*>(node), 0});
  };
  for (const Output& fetch : fetches) {
    if (!cut.contains(fetch)) want(fetch.node);
  }
  for (const Node* target : targets) want(target);
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    for (const Output& input : node->inputs) {
      if (!cut.contains(input)) want(input.node);
    }
    for (const Node* control : node->controls) {
      if (!met_by_feed(control)) want(control);
    }
  }
  SM_RETURN_IF_ERROR(CheckDeclaredShapes(graph, wanted));
  std::vector<Node*> map(graph.size(), nullptr);
  for (const auto& node : graph.nodes()) {
    if (wanted[node->id()]) map[node->id()] = made->CopyNode(*node);
  }
  auto translate = [&](const Output& value) {
    auto it = cut.find(value);
    return it != cut.end() ? it->second : Output{map[value.node->id()], value.index};
  };
  for (const auto& node : graph.nodes()) {
    Node* copy = map[node->id()];
    if (copy == nullptr) continue;
    copy->inputs.reserve(node->inputs.size());
    copy->controls.reserve(node->controls.size());
    for (const Output& input : node->inputs) copy->inputs.push_back(translate(input));
    for (const Node* control : node->controls) {
      if (map[control->id()] != nullptr) copy->controls.push_back(map[control->id()]);
    }
  }
  for (const Output& fetch : fetches) {
    Output value = translate(fetch);
    if (IsRef(TypeOf(value))) {  // what is fetched of a reference is the variable's value
      Attributes attributes;
      attributes.Set("T", RemoveRef(TypeOf(value)));
      Node* read = made->AddNode(absl::StrCat(value.node->name, "/_fetched_", made->results.size()), catalog.Find("_ReadRef"),
                                 std::make_shared<const Attributes>(std::move(attributes)), {RemoveRef(TypeOf(value))});
      read->inputs = {value};
      value = {read, 0};
    }
    made->results.push_back(value);
  }
  for (const Node* target : targets) map[target->id()]->keep = true;
  return made;
}

absl::Status CheckRunnable(const Graph& graph, bool inlined) {
  Problems problems;
  Collect(graph, true, &problems);
  if (!problems.unknown.empty()) {
    return absl::NotFoundError(absl::StrCat("Op type not registered; unsupported ops: ", List(problems.unknown)));
  }
  if (!problems.first.ok()) return problems.first;
  if (!inlined && !problems.placeholders.empty()) {
    const absl::flat_hash_set<const Node*> not_surely_read = ReadByCallsAlone(graph);
    std::erase_if(problems.placeholders, [&](const Node* node) { return not_surely_read.contains(node); });
  }
  if (!problems.placeholders.empty()) {
    const Node& node = *problems.placeholders.front();
    const PartialShape& shape = node.attrs().Shape("shape");
    return absl::InvalidArgumentError(absl::StrCat(
        "You must feed a value for placeholder tensor '", node.name, "' with dtype ", DataTypeName(node.attrs().Type("dtype")),
        shape.rank() > 0 ? absl::StrCat(" and shape ", shape.ToString()) : "", "\n\t [[{{node ", node.name, "}}]]"));
  }
  if (!problems.without_kernel.empty()) {
    return absl::UnimplementedError(absl::StrCat("unsupported ops: No OpKernel was registered to support ", List(problems.without_kernel)));
  }
  return CheckTemporaries(graph);
}

}  // namespace savedmodel
