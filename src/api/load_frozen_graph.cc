#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "api/open_graph.h"
#include "core/status_macros.h"
#include "graph/infer.h"
#include "loader/graph_file.h"
#include "savedmodel/frozen_graph.h"

namespace savedmodel {

struct FrozenGraph::Contents {
  std::shared_ptr<const proto::GraphDef> graph_def;
  std::vector<TensorInfo> inputs, outputs;
  std::unique_ptr<GraphSession> session;  // until the bundle takes it
};

namespace {

bool IsPlaceholder(const Node& node) { return node.Is("Placeholder") || node.Is("PlaceholderV2"); }

// The shapes that inference finds for the loaded graph. What it finds stays in the copy.
absl::StatusOr<std::unique_ptr<Graph>> WithShapes(const Graph& graph) {
  std::unique_ptr<Graph> copy = CopyGraph(graph);
  SM_ASSIGN_OR_RETURN(const std::vector<Node*> order, copy->TopologicalOrder());
  for (Node* node : order) {
    if (!node->error.ok()) continue;
    if (node->Is("Const")) {
      node->SetConstant(0, node->attrs().TensorValue("value"));
    } else if (IsPlaceholder(*node)) {
      if (node->attrs().Has("shape")) node->output_shapes[0] = node->attrs().Shape("shape");
    } else {
      InferShapes(node);
    }
  }
  return copy;
}

TensorInfo InfoOf(const Node& node, int output) {
  TensorInfo info;
  info.name = absl::StrCat(node.name, ":", output);
  info.dtype = RemoveRef(node.output_types[static_cast<size_t>(output)]);
  info.shape = node.output_shapes[static_cast<size_t>(output)];
  return info;
}

void Guess(const Graph& graph, FrozenGraph::Contents* contents) {
  absl::flat_hash_set<const Node*> used;
  for (const auto& node : graph.nodes()) {
    for (const Output& input : node->inputs) used.insert(input.node);
    for (const Node* control : node->controls) used.insert(control);
  }
  for (const auto& node : graph.nodes()) {
    if (IsPlaceholder(*node)) {
      contents->inputs.push_back(InfoOf(*node, 0));
      continue;
    }
    const bool unlikely = node->Is("Const") || node->Is("Assign") || node->Is("NoOp");
    if (unlikely || used.contains(node.get())) continue;
    for (int i = 0; i < node->num_outputs(); ++i) contents->outputs.push_back(InfoOf(*node, i));
  }
}

}  // namespace

FrozenGraph::FrozenGraph() = default;
FrozenGraph::FrozenGraph(FrozenGraph&&) noexcept = default;
FrozenGraph& FrozenGraph::operator=(FrozenGraph&&) noexcept = default;
FrozenGraph::~FrozenGraph() = default;
FrozenGraph::FrozenGraph(std::unique_ptr<Contents> contents) : session(std::move(contents->session)), contents_(std::move(contents)) {}
const proto::GraphDef& FrozenGraph::graph_def() const { return *contents_->graph_def; }
const std::vector<TensorInfo>& FrozenGraph::inputs() const { return contents_->inputs; }
const std::vector<TensorInfo>& FrozenGraph::outputs() const { return contents_->outputs; }

absl::StatusOr<FrozenGraph> LoadFrozenGraph(const SessionOptions& options, std::shared_ptr<FileSource> source, const std::string& path) {
  auto contents = std::make_unique<FrozenGraph::Contents>();
  SM_ASSIGN_OR_RETURN(contents->graph_def, ReadGraphFile(*source, path));
  SM_ASSIGN_OR_RETURN(contents->session, OpenGraph(contents->graph_def, options));
  SM_ASSIGN_OR_RETURN(const std::unique_ptr<Graph> shaped, WithShapes(contents->session->graph()));
  Guess(*shaped, contents.get());
  contents->session->FinishLoading();
  return FrozenGraph(std::move(contents));
}

absl::StatusOr<FrozenGraph> LoadFrozenGraph(const SessionOptions& options, const std::string& path) {
  SM_ASSIGN_OR_RETURN(NamedFile file, SplitPath(path));
  return LoadFrozenGraph(options, std::move(file.source), file.name);
}

}  // namespace savedmodel
