#include "api/graph_reach.h"

#include "absl/strings/strip.h"

namespace savedmodel {
namespace {

std::string NodeOf(absl::string_view tensor) {
  absl::ConsumePrefix(&tensor, "^");
  return std::string(tensor.substr(0, tensor.find(':')));
}

}  // namespace

GraphReach::GraphReach(const proto::GraphDef& graph) : graph_(graph) {
  for (const proto::NodeDef& node : graph_.node()) nodes_.emplace(node.name(), &node);
  for (const proto::FunctionDef& function : graph_.library().function()) functions_.emplace(function.signature().name(), &function);
}

std::vector<ReachedNode> GraphReach::From(const std::vector<std::string>& fetches, const std::vector<std::string>& feeds) const {
  std::vector<ReachedNode> reached;
  std::set<std::string> seen, seen_functions;
  std::vector<std::string> waiting;
  std::vector<const proto::FunctionDef*> calls;
  for (const std::string& feed : feeds) seen.insert(NodeOf(feed));
  auto want = [&](const std::string& name) {
    if (seen.insert(name).second) waiting.push_back(name);
  };
  auto call = [&](const std::string& name) {
    auto found = functions_.find(name);
    if (found != functions_.end() && seen_functions.insert(name).second) calls.push_back(found->second);
  };
  auto take = [&](const proto::NodeDef& node, const proto::FunctionDef* function) {
    reached.push_back({&node, function});
    call(node.op());
    for (const auto& item : node.attr()) {
      call(item.second.func().name());
      for (const auto& listed : item.second.list().func()) call(listed.name());
    }
  };
  for (const std::string& fetch : fetches) want(NodeOf(fetch));
  while (!waiting.empty()) {
    auto found = nodes_.find(waiting.back());
    waiting.pop_back();
    if (found == nodes_.end()) continue;
    for (const std::string& input : found->second->input()) want(NodeOf(input));
    take(*found->second, nullptr);
  }
  while (!calls.empty()) {
    const proto::FunctionDef* function = calls.back();
    calls.pop_back();
    for (const proto::NodeDef& node : function->node_def()) take(node, function);
  }
  return reached;
}

}  // namespace savedmodel
