// doctor: what keeps a model from running here, what is damaged, what is superfluous, and what to do about it.
#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "api/examine_model.h"
#include "cli/commands.h"
#include "cli/output_file.h"
#include "cli/report_json.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

constexpr size_t kShown = 8;  // of each list, in text

int64_t Total(const std::vector<NamedSize>& list) {
  int64_t bytes = 0;
  for (const NamedSize& item : list) bytes += item.bytes;
  return bytes;
}

void Line(int indent, const std::string& text) { std::printf("%*s%s\n", indent, "", text.c_str()); }

void PrintList(int indent, const std::string& head, const std::vector<NamedSize>& list) {
  if (list.empty()) return;
  Line(indent, absl::StrCat(head, ": ", list.size(), Total(list) > 0 ? absl::StrCat(", ", SizeText(Total(list))) : ""));
  for (size_t i = 0; i < std::min(list.size(), kShown); ++i) {
    Line(indent + 2, absl::StrCat(list[i].name, list[i].bytes > 0 ? absl::StrCat("  ", SizeText(list[i].bytes)) : "", list[i].detail.empty() ? "" : absl::StrCat("  ", list[i].detail)));
  }
  if (list.size() > kShown) Line(indent + 2, absl::StrCat("... and ", list.size() - kShown, " more"));
}

void PrintKeras(const std::vector<KerasObject>& objects) {
  if (objects.empty()) return;
  const auto layers = std::count_if(objects.begin(), objects.end(), [](const KerasObject& object) { return absl::StrContains(object.identifier, "layer"); });
  Line(2, absl::StrCat("Keras: ", objects[0].class_name.empty() ? objects[0].identifier : objects[0].class_name, objects[0].name.empty() ? "" : absl::StrCat(" \"", objects[0].name, "\""),
                       ", ", layers, " layers"));
}

void PrintMetaGraph(const MetaGraphReport& graph) {
  Line(0, absl::StrCat("Meta graph with tags {", absl::StrJoin(graph.tags, ", "), "}"));
  Line(2, absl::StrCat("written by TensorFlow ", graph.tensorflow_version.empty() ? "(unknown)" : graph.tensorflow_version, ", graph version ", graph.producer, ", readers from ",
                       graph.min_consumer, " on"));
  if (!graph.version_problem.empty()) Line(2, graph.version_problem);
  PrintKeras(graph.keras);
  for (const EntryReport& entry : graph.entries) {
    const std::string name = entry.name[0] == '(' ? entry.name : absl::StrCat("signature \"", entry.name, "\"");
    Line(2, absl::StrCat(name, ": ", entry.nodes, " nodes, ", entry.ops, " ops, ", entry.problems.empty() ? "all run on the CPU" : absl::StrCat(entry.problems.size(), " of them cannot run")));
    for (const OpProblem& problem : entry.problems) {
      Line(4, absl::StrCat(problem.op, " (", problem.nodes, problem.nodes == 1 ? " node, " : " nodes, first ", "\"", problem.first_node, "\"",
                           problem.function.empty() ? "" : absl::StrCat(" in function ", problem.function), "): ", problem.reason));
    }
  }
  Line(2, absl::StrCat(graph.functions, " functions, ", graph.unused_functions, " that no signature calls"));
  PrintList(2, "variables that no signature reaches", graph.unused_variables);
  PrintList(2, "constants of 1 MiB and more", graph.large_constants);
}

void PrintCheckpoint(const CheckpointReport& checkpoint) {
  if (!checkpoint.problem.empty()) return Line(0, absl::StrCat("Checkpoint: ", checkpoint.problem));
  if (!checkpoint.there) return Line(0, "Checkpoint: none");
  Line(0, absl::StrCat("Checkpoint: version ", checkpoint.version, ", ", checkpoint.tensors, " tensors, ", SizeText(checkpoint.bytes), ", ",
                       checkpoint.damaged.empty() ? "all checksums right" : absl::StrCat(checkpoint.damaged.size(), " damaged")));
  PrintList(2, "damaged", checkpoint.damaged);
  PrintList(2, "with NaN or infinities", checkpoint.not_finite);
  PrintList(2, "that no restore op asks for", checkpoint.unused_tensors);
}

Json SizesJson(const std::vector<NamedSize>& list) {
  std::vector<Json> items;
  for (const NamedSize& item : list) items.push_back(Json::Object({{"name", Json::Text(item.name)}, {"bytes", Json::Number(item.bytes)}, {"detail", Json::Text(item.detail)}}));
  return Json::List(items);
}

Json EntryJson(const EntryReport& entry) {
  std::vector<Json> problems;
  for (const OpProblem& problem : entry.problems) {
    problems.push_back(Json::Object({{"op", Json::Text(problem.op)}, {"device", Json::Text("CPU")}, {"reason", Json::Text(problem.reason)}, {"nodes", Json::Number(problem.nodes)},
                                     {"first_node", Json::Text(problem.first_node)}, {"function", Json::Text(problem.function)}}));
  }
  return Json::Object({{"name", Json::Text(entry.name)}, {"nodes", Json::Number(entry.nodes)}, {"ops", Json::Number(entry.ops)}, {"missing", Json::List(problems)}});
}

Json MetaGraphJson(const MetaGraphReport& graph) {
  std::vector<Json> entries, keras;
  for (const EntryReport& entry : graph.entries) entries.push_back(EntryJson(entry));
  for (const KerasObject& object : graph.keras) {
    keras.push_back(Json::Object({{"path", Json::Text(object.path)}, {"identifier", Json::Text(object.identifier)}, {"class_name", Json::Text(object.class_name)}, {"name", Json::Text(object.name)}}));
  }
  return Json::Object({{"tags", Json::Texts(graph.tags)}, {"tensorflow_version", Json::Text(graph.tensorflow_version)}, {"producer", Json::Number(graph.producer)},
                       {"min_consumer", Json::Number(graph.min_consumer)}, {"version_problem", Json::Text(graph.version_problem)}, {"entries", Json::List(entries)},
                       {"functions", Json::Number(graph.functions)}, {"unused_functions", Json::Number(graph.unused_functions)}, {"keras", Json::List(keras)},
                       {"unused_variables", SizesJson(graph.unused_variables)}, {"large_constants", SizesJson(graph.large_constants)}});
}

Json ReportJson(const ModelReport& report) {
  std::vector<Json> graphs;
  for (const MetaGraphReport& graph : report.meta_graphs) graphs.push_back(MetaGraphJson(graph));
  const CheckpointReport& c = report.checkpoint;
  const Json checkpoint = Json::Object({{"there", Json::Bool(c.there)}, {"version", Json::Number(c.version)}, {"tensors", Json::Number(c.tensors)}, {"bytes", Json::Number(c.bytes)},
                                        {"problem", Json::Text(c.problem)}, {"damaged", SizesJson(c.damaged)}, {"not_finite", SizesJson(c.not_finite)},
                                        {"unused", SizesJson(c.unused_tensors)}});
  // The hashes are 64 bits wide: JSON's numbers are not for them.
  const Json fingerprint = !report.fingerprint.has_value() ? Json::Null() : Json::Object({{"saved_model_checksum", Json::Text(absl::StrCat(report.fingerprint->saved_model_checksum))},
                                                                                          {"checkpoint_hash", Json::Text(absl::StrCat(report.fingerprint->checkpoint_hash))},
                                                                                          {"uuid", Json::Text(report.fingerprint->uuid)}});
  return Json::Object({{"location", Json::Text(report.location)}, {"fingerprint", fingerprint}, {"meta_graphs", Json::List(graphs)}, {"checkpoint", checkpoint},
                       {"problems", Json::Texts(report.problems)}, {"advice", Json::Texts(report.advice)}});
}

void PrintReport(const ModelReport& report) {
  Line(0, report.location);
  if (report.fingerprint.has_value()) {
    Line(0, absl::StrCat("Fingerprint: checksum ", report.fingerprint->saved_model_checksum, report.fingerprint->uuid.empty() ? "" : absl::StrCat(", uuid ", report.fingerprint->uuid)));
  }
  for (const MetaGraphReport& graph : report.meta_graphs) PrintMetaGraph(graph);
  PrintCheckpoint(report.checkpoint);
  Line(0, report.problems.empty() ? "Problems: none" : absl::StrCat("Problems: ", report.problems.size()));
  for (const std::string& problem : report.problems) Line(2, problem);
  if (!report.advice.empty()) Line(0, "What to do");
  for (const std::string& advice : report.advice) Line(2, advice);
}

}  // namespace

absl::Status Doctor(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(*arguments.dir));
  SM_ASSIGN_OR_RETURN(const ModelReport report, ExamineModel(found, *BuiltinOps()));
  if (arguments.json) {
    std::puts(ReportJson(report).text().c_str());
  } else {
    PrintReport(report);
  }
  if (report.problems.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(*arguments.dir, ": has ", report.problems.size(), report.problems.size() == 1 ? " problem" : " problems", ", the first: ", report.problems[0]));
}

}  // namespace savedmodel::cli
