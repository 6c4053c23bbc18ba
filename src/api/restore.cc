#include "api/restore.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "api/variables.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

// Checkpoint keys of the saved objects that are variables: both object graphs are walked side by side from the root.
absl::flat_hash_map<int, std::string> VariableKeys(const proto::SavedObjectGraph& saved, const proto::TrackableObjectGraph& trackable) {
  absl::flat_hash_map<int, std::string> keys;
  if (saved.nodes_size() == 0 || trackable.nodes_size() == 0) return keys;
  std::vector<char> seen(static_cast<size_t>(saved.nodes_size()), 0);
  std::vector<std::pair<int, int>> stack = {{0, 0}};
  seen[0] = 1;
  while (!stack.empty()) {
    auto [s, t] = stack.back();
    stack.pop_back();
    for (const auto& attribute : trackable.nodes(t).attributes()) {
      if (attribute.name() == "VARIABLE_VALUE") keys[s] = attribute.checkpoint_key();
    }
    absl::flat_hash_map<std::string, int> children;
    for (const auto& child : trackable.nodes(t).children()) children[child.local_name()] = child.node_id();
    for (const auto& child : saved.nodes(s).children()) {
      auto it = children.find(child.local_name());
      if (it == children.end() || it->second < 0 || it->second >= trackable.nodes_size()) continue;
      if (child.node_id() < 0 || child.node_id() >= saved.nodes_size() || seen[child.node_id()]) continue;
      seen[child.node_id()] = 1;
      stack.emplace_back(child.node_id(), it->second);
    }
  }
  return keys;
}

// The variable that a value of the top-level graph is a handle of: VarHandleOp, perhaps behind identities.
std::shared_ptr<Variable> VariableBehind(Output value, SessionState& state) {
  for (int hops = 0; hops < 64 && value.node->Is("Identity") && !value.node->inputs.empty(); ++hops) value = value.node->inputs[0];
  if (!value.node->Is("VarHandleOp") || !value.node->error.ok()) return nullptr;
  return VariableOf(*value.node, state);
}

// The variable behind an input if it has no value.
std::shared_ptr<Variable> EmptyVariable(const Output& input, SessionState& state) {
  if (TypeOf(input) != DataType::kResource) return nullptr;
  std::shared_ptr<Variable> variable = VariableBehind(input, state);
  return variable == nullptr || variable->Read().initialized() ? nullptr : variable;
}

// Only then the object graph, which few models need, is made.
bool CallsWithEmpty(const Node& node, SessionState& state) {
  return node.error.ok() && (node.Is("StatefulPartitionedCall") || node.Is("PartitionedCall")) &&
         std::any_of(node.inputs.begin(), node.inputs.end(), [&](const Output& input) { return EmptyVariable(input, state) != nullptr; });
}

absl::Status RepairCaptured(LazyMetaGraph& meta_graph, ModelCheckpoint& values, GraphSession* session) {
  absl::flat_hash_map<int, std::string> keys;
  bool keys_read = false;
  for (const auto& node : session->graph().nodes()) {
    if (!CallsWithEmpty(*node, session->state())) continue;
    const proto::SavedObjectGraph& objects = meta_graph.object_graph();
    auto function = objects.concrete_functions().find(node->attrs().Function("f").name);
    if (function == objects.concrete_functions().end()) continue;
    const auto& bound = function->second.bound_inputs();
    const size_t n = static_cast<size_t>(bound.size());
    if (n > node->inputs.size()) continue;
    for (size_t i = 0; i < n; ++i) {
      const Output& input = node->inputs[node->inputs.size() - n + i];
      std::shared_ptr<Variable> variable = EmptyVariable(input, session->state());
      if (variable == nullptr) continue;
      if (!keys_read) {
        keys_read = true;
        SM_ASSIGN_OR_RETURN(const Checkpoint* checkpoint, values.Get());
        absl::StatusOr<proto::TrackableObjectGraph> trackable = ReadObjectGraph(*checkpoint);
        if (!trackable.ok()) return absl::OkStatus();  // written from a graph: nothing to repair by
        keys = VariableKeys(objects, *trackable);
      }
      auto key = keys.find(bound[static_cast<int>(i)]);
      if (key == keys.end()) continue;
      SM_ASSIGN_OR_RETURN(Tensor value, values.Read(key->second, ""));
      if (value.dtype() == variable->dtype() && variable->shape().CompatibleWith(value.shape())) variable->Assign(std::move(value));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RestoreVariables(LazyMetaGraph& meta_graph, std::shared_ptr<ModelCheckpoint> checkpoint, const Feeds& asset_feeds, const RunOptions& options,
                              GraphSession* session) {
  const proto::MetaGraphDef& graph = meta_graph.outline();
  if (!graph.has_saver_def()) return absl::OkStatus();
  session->state().read_checkpoint = [checkpoint](absl::string_view, absl::string_view key, absl::string_view slice) { return checkpoint->Read(key, slice); };
  if (!checkpoint->exists()) return absl::OkStatus();
  Feeds feeds = asset_feeds;
  feeds.emplace_back(graph.saver_def().filename_tensor_name(), Tensor::Scalar<std::string>(absl::StrCat(checkpoint->source().name(), "/", ModelCheckpoint::kPrefix)));
  SM_RETURN_IF_ERROR(session->Run(options, feeds, {}, {graph.saver_def().restore_op_name()}, nullptr, nullptr));
  return RepairCaptured(meta_graph, *checkpoint, session);
}

}  // namespace savedmodel
