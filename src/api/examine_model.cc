#include "api/examine_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/graph_reach.h"
#include "api/variables.h"
#include "core/status_macros.h"
#include "loader/checkpoint.h"
#include "loader/function_defs.h"
#include "loader/saved_model.h"
#include "loader/tensor_proto.h"

namespace savedmodel {
namespace {

constexpr char kPrefix[] = "variables/variables";
constexpr char kInitSignature[] = "__saved_model_init_op";
constexpr char kObjectGraph[] = "_CHECKPOINTABLE_OBJECT_GRAPH";

// Empty: the op has a kernel.
std::string ReasonNotToRun(const OpTable& ops, const std::string& op) {
  const std::shared_ptr<const OpDef> def = ops.Find(op);
  if (def == nullptr) return "unknown to this library";
  if (def->cpu != nullptr || def->structural) return "";
  return def->refusal.empty() ? "no kernel" : absl::StrCat("no kernel: ", def->refusal);
}

using Devices = std::vector<std::shared_ptr<Device>>;

DeviceOps MissingOn(const Device& device, const std::set<std::string>& names, const OpTable& ops) {
  DeviceOps found{device.name(), {}};
  for (const std::string& name : names) {
    const std::shared_ptr<const OpDef> def = ops.Find(name);
    if (def != nullptr && def->cpu != nullptr && device.FindKernel(*def) == nullptr) found.missing.push_back(name);
  }
  return found;
}

EntryReport Examine(const std::string& name, const std::vector<ReachedNode>& nodes, const GraphReach& reach, const OpTable& ops,
                    const Devices& devices) {
  EntryReport report;
  report.name = name;
  report.nodes = static_cast<int>(nodes.size());
  std::set<std::string> names;
  std::map<std::string, OpProblem> problems;
  for (const ReachedNode& reached : nodes) {
    const std::string& op = reached.node->op();
    if (reach.IsFunction(op)) continue;
    names.insert(op);
    const std::string reason = ReasonNotToRun(ops, op);
    if (reason.empty()) continue;
    OpProblem& problem = problems[op];
    if (problem.nodes++ > 0) continue;
    problem.op = op;
    problem.reason = reason;
    problem.first_node = reached.node->name();
    if (reached.function != nullptr) problem.function = reached.function->signature().name();
  }
  report.ops = static_cast<int>(names.size());
  for (auto& item : problems) report.problems.push_back(std::move(item.second));
  for (const auto& device : devices) report.devices.push_back(MissingOn(*device, names, ops));
  return report;
}

void Collect(const TensorInfo& info, std::vector<std::string>* names) {
  for (absl::string_view rest = info.name; !rest.empty();) {  // composite tensors list their parts
    const size_t comma = rest.find(',');
    names->emplace_back(rest.substr(0, comma));
    rest = comma == absl::string_view::npos ? "" : rest.substr(comma + 1);
  }
}

int64_t BytesOf(const proto::AttrValue& dtype, const proto::TensorShapeProto& shape) {
  absl::StatusOr<TensorShape> full = ShapeFromProto(shape);
  return full.ok() ? full->num_elements() * static_cast<int64_t>(DataTypeSize(static_cast<DataType>(dtype.type()))) : 0;
}

void FindUnusedVariables(const proto::GraphDef& graph, const std::set<const proto::NodeDef*>& served, MetaGraphReport* report) {
  for (const proto::NodeDef& node : graph.node()) {
    if (!IsVariableOp(node.op()) || served.count(&node) > 0) continue;
    auto dtype = node.attr().find("dtype");
    auto shape = node.attr().find("shape");
    NamedSize variable{node.name(), "", 0};
    if (dtype != node.attr().end() && shape != node.attr().end()) variable.bytes = BytesOf(dtype->second, shape->second.shape());
    report->unused_variables.push_back(std::move(variable));
  }
}

void FindLargeConstants(const proto::GraphDef& graph, MetaGraphReport* report) {
  auto look_at = [&](const auto& nodes, const std::string& where) {
    for (const proto::NodeDef& node : nodes) {
      auto value = node.attr().find("value");
      if (node.op() != "Const" || value == node.attr().end()) continue;
      const int64_t bytes = static_cast<int64_t>(value->second.tensor().ByteSizeLong());
      if (bytes >= kLargeConstant) report->large_constants.push_back({node.name(), where, bytes});
    }
  };
  look_at(graph.node(), "");
  for (const proto::FunctionDef& function : graph.library().function()) look_at(function.node_def(), function.signature().name());
  std::sort(report->large_constants.begin(), report->large_constants.end(), [](const NamedSize& a, const NamedSize& b) { return a.bytes > b.bytes; });
}

// The keys that restore ops ask a checkpoint for: the constants behind RestoreV2's list of names. False when one cannot be told.
bool CollectKeys(const proto::GraphDef& graph, std::set<std::string>* keys) {
  bool complete = true;
  auto look_at = [&](const auto& nodes) {
    std::map<std::string, const proto::NodeDef*> by_name;
    for (const proto::NodeDef& node : nodes) by_name[node.name()] = &node;
    for (const proto::NodeDef& node : nodes) {
      if (node.op() != "RestoreV2" && node.op() != "Restore" && node.op() != "RestoreSlice") continue;
      auto names = node.input_size() < 2 ? by_name.end() : by_name.find(node.input(1).substr(0, node.input(1).find(':')));
      auto value = names == by_name.end() ? node.attr().end() : names->second->attr().find("value");
      if (names == by_name.end() || value == names->second->attr().end()) {
        complete = false;
        continue;
      }
      absl::StatusOr<Tensor> tensor = TensorFromProto(value->second.tensor());
      if (!tensor.ok() || tensor->dtype() != DataType::kString) continue;
      for (const std::string& key : tensor->flat<std::string>()) keys->insert(key);
    }
  };
  look_at(graph.node());
  for (const proto::FunctionDef& function : graph.library().function()) look_at(function.node_def());
  return complete;
}

MetaGraphReport ExamineMetaGraph(FileSource& source, const proto::MetaGraphDef& meta_graph, const OpTable& ops, const Devices& devices) {
  MetaGraphReport report;
  const proto::GraphDef& graph = meta_graph.graph_def();
  report.tags.assign(meta_graph.meta_info_def().tags().begin(), meta_graph.meta_info_def().tags().end());
  report.tensorflow_version = meta_graph.meta_info_def().tensorflow_version();
  report.producer = graph.versions().producer();
  report.min_consumer = graph.versions().min_consumer();
  if (absl::Status status = CheckVersions(graph.versions()); !status.ok()) report.version_problem = std::string(status.message());
  const GraphReach reach(graph);
  std::set<const proto::NodeDef*> served;
  std::set<const proto::FunctionDef*> called;
  auto add = [&](const std::string& name, const std::vector<std::string>& fetches, const std::vector<std::string>& feeds, bool serves) {
    const std::vector<ReachedNode> nodes = reach.From(fetches, feeds);
    report.entries.push_back(Examine(name, nodes, reach, ops, devices));
    for (const ReachedNode& reached : nodes) {
      if (reached.function != nullptr) called.insert(reached.function);
      if (serves) served.insert(reached.node);
    }
  };
  absl::StatusOr<SignatureMap> signatures = ReadSignatures(meta_graph);
  if (signatures.ok()) {
    for (const auto& [key, signature] : *signatures) {
      if (key == kInitSignature) continue;
      std::vector<std::string> fetches, feeds;
      for (const auto& item : signature.outputs) Collect(item.second, &fetches);
      for (const auto& item : signature.inputs) Collect(item.second, &feeds);
      add(key, fetches, feeds, true);
    }
  }
  if (!meta_graph.saver_def().restore_op_name().empty()) {
    add("(restore)", {meta_graph.saver_def().restore_op_name()}, {meta_graph.saver_def().filename_tensor_name()}, false);
  }
  absl::StatusOr<std::string> init = FindInitOp(meta_graph, source.name());
  if (init.ok() && !init->empty()) add("(init)", {*init}, {}, false);
  report.functions = graph.library().function_size();
  report.unused_functions = report.functions - static_cast<int>(called.size());
  FindLargeConstants(graph, &report);
  FindUnusedVariables(graph, served, &report);
  report.keras = ReadKerasObjects(source, meta_graph);
  return report;
}

bool AllFinite(const Tensor& tensor) {
  auto finite = [](auto values) { return std::all_of(values.begin(), values.end(), [](auto value) { return std::isfinite(value); }); };
  if (tensor.dtype() == DataType::kFloat) return finite(tensor.flat<float>());
  if (tensor.dtype() == DataType::kDouble) return finite(tensor.flat<double>());
  return true;
}

CheckpointReport ExamineCheckpoint(std::shared_ptr<FileSource> source, const std::set<std::string>* wanted) {
  CheckpointReport report;
  absl::StatusOr<std::unique_ptr<Checkpoint>> checkpoint = Checkpoint::Open(source, kPrefix);
  if (!checkpoint.ok()) {
    if (!absl::IsNotFound(checkpoint.status())) report.problem = std::string(checkpoint.status().message());
    return report;
  }
  report.there = true;
  report.version = (*checkpoint)->version();
  absl::StatusOr<std::vector<CheckpointEntry>> entries = (*checkpoint)->List();
  if (!entries.ok()) {
    report.problem = std::string(entries.status().message());
    return report;
  }
  for (const CheckpointEntry& entry : *entries) {
    ++report.tensors;
    const std::string kind = absl::StrCat(DataTypeName(entry.dtype), entry.shape.ToString());
    absl::StatusOr<Tensor> tensor = (*checkpoint)->Read(entry.key);
    if (!tensor.ok()) {
      report.damaged.push_back({entry.key, std::string(tensor.status().message()), 0});
      continue;
    }
    const int64_t bytes = static_cast<int64_t>(tensor->bytes());
    report.bytes += bytes;
    if (!AllFinite(*tensor)) report.not_finite.push_back({entry.key, kind, bytes});
    if (wanted != nullptr && entry.key != kObjectGraph && wanted->count(entry.key) == 0) report.unused_tensors.push_back({entry.key, kind, bytes});
  }
  return report;
}

int64_t Total(const std::vector<NamedSize>& list) {
  int64_t bytes = 0;
  for (const NamedSize& item : list) bytes += item.bytes;
  return bytes;
}

void JudgeMetaGraph(const MetaGraphReport& graph, ModelReport* report) {
  const std::string where = absl::StrCat("meta graph {", absl::StrJoin(graph.tags, ", "), "}");
  if (!graph.version_problem.empty()) report->problems.push_back(absl::StrCat(where, ": ", graph.version_problem));
  bool missing = false;
  std::vector<std::string> whole;
  for (const EntryReport& entry : graph.entries) {
    if (entry.problems.empty() && entry.name[0] != '(') whole.push_back(entry.name);
    if (entry.problems.empty()) continue;
    missing = true;
    report->problems.push_back(absl::StrCat(
        where, ", ", entry.name[0] == '(' ? entry.name : absl::StrCat("signature \"", entry.name, "\""), ": ",
        absl::StrJoin(entry.problems, ", ", [](std::string* out, const OpProblem& problem) { absl::StrAppend(out, problem.op); }), " cannot run"));
  }
  if (missing) {
    report->advice.push_back("ops without a kernel: add your own to a copy of BuiltinOps() (savedmodel/op.h), or export the model without them");
    if (!whole.empty()) report->advice.push_back(absl::StrCat(where, ": these signatures can run: ", absl::StrJoin(whole, ", ")));
  }
  if (!graph.unused_variables.empty() && Total(graph.unused_variables) > kLargeConstant) {
    report->advice.push_back(
        absl::StrCat(where, ": ", Total(graph.unused_variables), " bytes of variables serve no signature; `savedmodel freeze` leaves them out"));
  }
}

void JudgeCheckpoint(const CheckpointReport& checkpoint, ModelReport* report) {
  if (!checkpoint.problem.empty()) report->problems.push_back(absl::StrCat("checkpoint: ", checkpoint.problem));
  for (const NamedSize& tensor : checkpoint.damaged) report->problems.push_back(absl::StrCat("variable \"", tensor.name, "\": ", tensor.detail));
  if (!checkpoint.problem.empty() || !checkpoint.damaged.empty()) report->advice.push_back("the checkpoint is damaged: fetch the model's files again");
  if (!checkpoint.not_finite.empty()) {
    report->advice.push_back(absl::StrCat(checkpoint.not_finite.size(), " variables hold NaN or infinities, first \"", checkpoint.not_finite[0].name,
                                          "\": the training diverged, or they are meant as masks"));
  }
}

}  // namespace

absl::StatusOr<ModelReport> ExamineModel(const ModelLocation& location, const OpTable& ops, const Devices& devices) {
  ModelReport report;
  FileSource& source = *location.source;
  report.location = location.note.empty() ? source.name() : location.note;
  report.fingerprint = ReadFingerprint(source);
  SM_ASSIGN_OR_RETURN(const std::unique_ptr<proto::SavedModel> model, ReadSavedModel(source));
  std::set<std::string> keys;
  bool keys_known = model->meta_graphs_size() > 0;
  for (const proto::MetaGraphDef& meta_graph : model->meta_graphs()) {
    report.meta_graphs.push_back(ExamineMetaGraph(source, meta_graph, ops, devices));
    keys_known = CollectKeys(meta_graph.graph_def(), &keys) && keys_known;
    if (absl::StatusOr<SignatureMap> signatures = ReadSignatures(meta_graph); !signatures.ok()) {
      report.problems.push_back(std::string(signatures.status().message()));
    }
    if (absl::Status status = CheckConstants(meta_graph.graph_def()); !status.ok()) report.problems.push_back(std::string(status.message()));
  }
  if (report.meta_graphs.empty()) report.problems.push_back("the model holds no meta graphs");
  report.checkpoint = ExamineCheckpoint(location.source, keys_known ? &keys : nullptr);
  for (const MetaGraphReport& graph : report.meta_graphs) JudgeMetaGraph(graph, &report);
  JudgeCheckpoint(report.checkpoint, &report);
  return report;
}

}  // namespace savedmodel
