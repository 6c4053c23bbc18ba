#include <map>
#include <mutex>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/open_graph.h"
#include "api/variables.h"
#include "core/status_macros.h"
#include "loader/checkpoint.h"
#include "loader/graph_file.h"
#include "loader/saved_model.h"
#include "savedmodel/meta_graph_import.h"

namespace savedmodel {

struct MetaGraph::Contents {
  std::shared_ptr<const proto::MetaGraphDef> meta_graph;
  SignatureMap signatures;
  std::vector<VariableInfo> variables;
  std::map<std::string, const Node*> nodes;      // of the variables, by name
  std::map<std::string, CheckpointRequest> keys;  // of partitioned variables, by name
  GraphSession* graph_session = nullptr;
  std::unique_ptr<GraphSession> session;  // until the bundle takes it
  bool restored = false;
};

namespace {

// The parts of a partitioned variable lie in a checkpoint as slices of the whole.
void ReadPartitions(const proto::MetaGraphDef& meta_graph, MetaGraph::Contents* contents) {
  for (const char* collection : {"variables", "local_variables", "model_variables"}) {
    auto found = meta_graph.collection_def().find(collection);
    if (found == meta_graph.collection_def().end()) continue;
    for (const std::string& bytes : found->second.bytes_list().value()) {
      proto::VariableDef variable;
      if (!variable.ParseFromString(bytes) || !variable.has_save_slice_info_def()) continue;
      const auto& slice = variable.save_slice_info_def();
      if (slice.full_shape_size() == 0 || slice.full_shape_size() != slice.var_offset_size() || slice.full_shape_size() != slice.var_shape_size()) continue;
      std::vector<std::string> extents;
      for (int i = 0; i < slice.var_offset_size(); ++i) extents.push_back(absl::StrCat(slice.var_offset(i), ",", slice.var_shape(i)));
      const std::string name = variable.variable_name().substr(0, variable.variable_name().find(':'));
      contents->keys[name] = {slice.full_name(), absl::StrCat(absl::StrJoin(slice.full_shape(), " "), " ", absl::StrJoin(extents, ":")), DataType::kInvalid};
    }
  }
}

void FindVariables(MetaGraph::Contents* contents) {
  for (const auto& node : contents->graph_session->graph().nodes()) {
    if (!IsVariableOp(node->op()) || !node->error.ok()) continue;
    VariableInfo info;
    info.name = VariableName(*node);
    info.dtype = node->attrs().Type("dtype");
    info.shape = node->attrs().Shape("shape");
    if (!contents->nodes.emplace(info.name, node.get()).second) continue;
    contents->variables.push_back(std::move(info));
  }
}

CheckpointRequest RequestFor(const MetaGraph::Contents& contents, const std::string& name) {
  auto partition = contents.keys.find(name);
  CheckpointRequest request = partition == contents.keys.end() ? CheckpointRequest{name, "", DataType::kInvalid} : partition->second;
  request.dtype = contents.nodes.at(name)->attrs().Type("dtype");
  return request;
}

// Reads everything before anything is changed.
absl::Status RestoreNamed(MetaGraph::Contents& contents, const Checkpoint& checkpoint, const std::vector<std::string>& names) {
  std::vector<CheckpointRequest> requests;
  for (const std::string& name : names) {
    if (contents.nodes.count(name) == 0) {
      return absl::NotFoundError(absl::StrCat("variable \"", name, "\" is not in this graph, which has ", contents.variables.size(), " variables",
                                              contents.variables.empty() ? "" : absl::StrCat(", the first of them \"", contents.variables[0].name, "\"")));
    }
    requests.push_back(RequestFor(contents, name));
  }
  SM_ASSIGN_OR_RETURN(std::vector<Tensor> values, ReadTensors(checkpoint, requests));
  ResourceStore& state = contents.graph_session->state();
  std::vector<std::shared_ptr<Variable>> variables;
  for (size_t i = 0; i < names.size(); ++i) {
    variables.push_back(VariableOf(*contents.nodes.at(names[i]), state));
    if (variables[i] == nullptr || !variables[i]->shape().CompatibleWith(values[i].shape())) {
      return absl::InvalidArgumentError(absl::StrCat("variable \"", names[i], "\": shape in the checkpoint is ", values[i].shape().ToString(),
                                                     ", the graph wants ", variables[i] == nullptr ? "another" : variables[i]->shape().ToString()));
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    variables[i]->Assign(std::move(values[i]));
    state.VariableWritten(variables[i].get());
  }
  return absl::OkStatus();
}

// The way of the graph's own saver.
absl::Status RunRestoreOp(MetaGraph::Contents& contents, std::shared_ptr<const Checkpoint> checkpoint, const std::string& prefix) {
  const proto::SaverDef& saver = contents.meta_graph->saver_def();
  ResourceStore& state = contents.graph_session->state();
  state.read_checkpoint = [checkpoint](absl::string_view, absl::string_view key, absl::string_view slice) { return checkpoint->Read(key, std::string(slice)); };
  const Feeds feeds = {{saver.filename_tensor_name(), Tensor::Scalar<std::string>(prefix)}};
  absl::Status status = contents.graph_session->Run(RunOptions(), feeds, {}, {saver.restore_op_name()}, nullptr, nullptr);
  state.read_checkpoint = nullptr;
  return status;
}

absl::Status RestoreAll(MetaGraph::Contents& contents, std::shared_ptr<const Checkpoint> checkpoint, const std::string& prefix) {
  if (contents.meta_graph->has_saver_def() && !contents.meta_graph->saver_def().restore_op_name().empty()) return RunRestoreOp(contents, checkpoint, prefix);
  std::vector<std::string> names;
  for (const VariableInfo& variable : contents.variables) {
    if (checkpoint->Has(RequestFor(contents, variable.name).key)) names.push_back(variable.name);
  }
  if (names.empty()) {
    return absl::NotFoundError(
        absl::StrCat(prefix, ": holds none of the graph's ", contents.variables.size(), " variables, and the graph has no saver of its own"));
  }
  return RestoreNamed(contents, *checkpoint, names);
}

}  // namespace

MetaGraph::MetaGraph() = default;
MetaGraph::MetaGraph(MetaGraph&&) noexcept = default;
MetaGraph& MetaGraph::operator=(MetaGraph&&) noexcept = default;
MetaGraph::~MetaGraph() = default;
MetaGraph::MetaGraph(std::unique_ptr<Contents> contents) : session(std::move(contents->session)), contents_(std::move(contents)) {}
const proto::MetaGraphDef& MetaGraph::meta_graph_def() const { return *contents_->meta_graph; }
const SignatureMap& MetaGraph::signatures() const { return contents_->signatures; }
const std::vector<VariableInfo>& MetaGraph::variables() const { return contents_->variables; }

absl::Status MetaGraph::Restore(std::shared_ptr<FileSource> source, const std::string& prefix, const std::vector<std::string>& names) {
  SM_ASSIGN_OR_RETURN(const std::unique_ptr<Checkpoint> checkpoint, Checkpoint::Open(std::move(source), prefix));
  SM_RETURN_IF_ERROR(RestoreNamed(*contents_, *checkpoint, names));
  if (!contents_->restored) contents_->graph_session->FinishLoading();
  contents_->restored = true;
  return absl::OkStatus();
}

absl::Status MetaGraph::Restore(std::shared_ptr<FileSource> source, const std::string& prefix) {
  const std::string where = absl::StrCat(source->name(), "/", prefix);
  SM_ASSIGN_OR_RETURN(std::shared_ptr<const Checkpoint> checkpoint, Checkpoint::Open(std::move(source), prefix));
  SM_RETURN_IF_ERROR(RestoreAll(*contents_, std::move(checkpoint), where));
  if (!contents_->restored) contents_->graph_session->FinishLoading();
  contents_->restored = true;
  return absl::OkStatus();
}

absl::Status MetaGraph::Restore(const std::string& prefix) {
  SM_ASSIGN_OR_RETURN(NamedFile file, SplitPath(prefix));
  return Restore(std::move(file.source), file.name);
}

absl::Status MetaGraph::Restore(const std::string& prefix, const std::vector<std::string>& names) {
  SM_ASSIGN_OR_RETURN(NamedFile file, SplitPath(prefix));
  return Restore(std::move(file.source), file.name, names);
}

absl::StatusOr<MetaGraph> ImportMetaGraph(const SessionOptions& options, std::shared_ptr<FileSource> source, const std::string& path) {
  auto contents = std::make_unique<MetaGraph::Contents>();
  SM_ASSIGN_OR_RETURN(contents->meta_graph, ReadMetaGraphFile(*source, path));
  SM_ASSIGN_OR_RETURN(contents->signatures, ReadSignatures(*contents->meta_graph));
  SM_ASSIGN_OR_RETURN(contents->session, OpenGraph({contents->meta_graph, &contents->meta_graph->graph_def()}, options));
  contents->graph_session = contents->session.get();
  FindVariables(contents.get());
  ReadPartitions(*contents->meta_graph, contents.get());
  return MetaGraph(std::move(contents));
}

absl::StatusOr<MetaGraph> ImportMetaGraph(const SessionOptions& options, const std::string& path) {
  SM_ASSIGN_OR_RETURN(NamedFile file, SplitPath(path));
  return ImportMetaGraph(options, std::move(file.source), file.name);
}

}  // namespace savedmodel
