// doctor: what keeps a model from running here, what is damaged, what is superfluous, and what to do about it.
#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "api/examine_model.h"
#include "cli/commands.h"
#include "cli/load_progress.h"
#include "cli/output_file.h"
#include "cli/report_json.h"
#include "cli/terminal.h"
#include "core/status_macros.h"
#include "savedmodel/cuda.h"

namespace savedmodel::cli {
namespace {

constexpr size_t kShown = 8;  // of each list, in text

int64_t Total(const std::vector<NamedSize>& list) {
  int64_t bytes = 0;
  for (const NamedSize& item : list) bytes += item.bytes;
  return bytes;
}

void Line(int indent, const std::string& text) { std::printf("%*s%s\n", indent, "", text.c_str()); }

void PrintList(int indent, const std::string& head, const std::vector<NamedSize>& list, Style style) {
  if (list.empty()) return;
  Line(indent, absl::StrCat(Paint(style, head), ": ", list.size(), Total(list) > 0 ? absl::StrCat(", ", SizeText(Total(list))) : ""));
  for (size_t i = 0; i < std::min(list.size(), kShown); ++i) {
    const NamedSize& item = list[i];
    Line(indent + 2, absl::StrCat(item.name, item.bytes > 0 ? absl::StrCat("  ", SizeText(item.bytes)) : "", item.detail.empty() ? "" : "  ", item.detail));
  }
  if (list.size() > kShown) Line(indent + 2, absl::StrCat("... and ", list.size() - kShown, " more"));
}

void PrintKeras(const std::vector<KerasObject>& objects) {
  if (objects.empty()) return;
  const KerasObject& root = objects[0];
  const auto layers = std::count_if(objects.begin(), objects.end(), [](const KerasObject& object) { return absl::StrContains(object.identifier, "layer"); });
  Line(2, absl::StrCat("Keras: ", root.class_name.empty() ? root.identifier : root.class_name,
                       root.name.empty() ? "" : absl::StrCat(" \"", root.name, "\""), ", ", layers, " layers"));
}

void PrintEntry(const EntryReport& entry) {
  const std::string name = entry.name[0] == '(' ? entry.name : absl::StrCat("signature \"", entry.name, "\"");
  const size_t bad = entry.problems.size();
  Line(2, absl::StrCat(Paint(Style::kName, name), ": ", entry.nodes, " nodes, ", entry.ops, " ops, ",
                       bad == 0 ? Paint(Style::kGood, "all run on the CPU") : Paint(Style::kBad, absl::StrCat(bad, " of them cannot run"))));
  for (const OpProblem& problem : entry.problems) {
    const std::string nodes = absl::StrCat(problem.nodes, problem.nodes == 1 ? " node, " : " nodes, first ", "\"", problem.first_node, "\"");
    const std::string function = problem.function.empty() ? "" : absl::StrCat(" in function ", problem.function);
    Line(4, absl::StrCat(Paint(Style::kBad, problem.op), " (", nodes, function, "): ", problem.reason));
  }
  for (const DeviceOps& on : entry.devices) {
    const std::string rest =
        absl::StrCat(on.missing.size(), on.missing.size() == 1 ? " op runs" : " ops run", " on the CPU: ", absl::StrJoin(on.missing, ", "));
    Line(4, absl::StrCat(on.device, ": ", on.missing.empty() ? Paint(Style::kGood, "a kernel for every op") : Paint(Style::kWarn, rest)));
  }
}

void PrintMetaGraph(const MetaGraphReport& graph) {
  Line(0, Paint(Style::kHead, absl::StrCat("Meta graph with tags {", absl::StrJoin(graph.tags, ", "), "}")));
  Line(2, absl::StrCat("written by TensorFlow ", graph.tensorflow_version.empty() ? "(unknown)" : graph.tensorflow_version, ", graph version ",
                       graph.producer, ", readers from ", graph.min_consumer, " on"));
  if (!graph.version_problem.empty()) Line(2, Paint(Style::kBad, graph.version_problem));
  PrintKeras(graph.keras);
  for (const EntryReport& entry : graph.entries) PrintEntry(entry);
  Line(2, absl::StrCat(graph.functions, " functions, ", graph.unused_functions, " that no signature calls"));
  PrintList(2, "variables that no signature reaches", graph.unused_variables, Style::kWarn);
  PrintList(2, "constants of 1 MiB and more", graph.large_constants, Style::kWarn);
}

void PrintCheckpoint(const CheckpointReport& checkpoint) {
  const std::string head = Paint(Style::kHead, "Checkpoint: ");
  if (!checkpoint.problem.empty()) return Line(0, absl::StrCat(head, Paint(Style::kBad, checkpoint.problem)));
  if (!checkpoint.there) return Line(0, absl::StrCat(head, "none"));
  const size_t bad = checkpoint.damaged.size();
  Line(0, absl::StrCat(head, "version ", checkpoint.version, ", ", checkpoint.tensors, " tensors, ", SizeText(checkpoint.bytes), ", ",
                       bad == 0 ? Paint(Style::kGood, "all checksums right") : Paint(Style::kBad, absl::StrCat(bad, " damaged"))));
  PrintList(2, "damaged", checkpoint.damaged, Style::kBad);
  PrintList(2, "with NaN or infinities", checkpoint.not_finite, Style::kWarn);
  PrintList(2, "that no restore op asks for", checkpoint.unused_tensors, Style::kWarn);
}

Json SizesJson(const std::vector<NamedSize>& list) {
  std::vector<Json> items;
  for (const NamedSize& item : list) {
    items.push_back(Json::Object({{"name", Json::Text(item.name)}, {"bytes", Json::Number(item.bytes)}, {"detail", Json::Text(item.detail)}}));
  }
  return Json::List(items);
}

Json EntryJson(const EntryReport& entry) {
  std::vector<Json> problems, devices;
  for (const OpProblem& problem : entry.problems) {
    problems.push_back(Json::Object({{"op", Json::Text(problem.op)},
                                     {"device", Json::Text("CPU")},
                                     {"reason", Json::Text(problem.reason)},
                                     {"nodes", Json::Number(problem.nodes)},
                                     {"first_node", Json::Text(problem.first_node)},
                                     {"function", Json::Text(problem.function)}}));
  }
  for (const DeviceOps& on : entry.devices) {
    devices.push_back(Json::Object({{"device", Json::Text(on.device)}, {"on_the_cpu", Json::Texts(on.missing)}}));
  }
  return Json::Object({{"name", Json::Text(entry.name)},
                       {"nodes", Json::Number(entry.nodes)},
                       {"ops", Json::Number(entry.ops)},
                       {"missing", Json::List(problems)},
                       {"devices", Json::List(devices)}});
}

Json MetaGraphJson(const MetaGraphReport& graph) {
  std::vector<Json> entries, keras;
  for (const EntryReport& entry : graph.entries) entries.push_back(EntryJson(entry));
  for (const KerasObject& object : graph.keras) {
    keras.push_back(Json::Object({{"path", Json::Text(object.path)},
                                  {"identifier", Json::Text(object.identifier)},
                                  {"class_name", Json::Text(object.class_name)},
                                  {"name", Json::Text(object.name)}}));
  }
  return Json::Object({{"tags", Json::Texts(graph.tags)},
                       {"tensorflow_version", Json::Text(graph.tensorflow_version)},
                       {"producer", Json::Number(graph.producer)},
                       {"min_consumer", Json::Number(graph.min_consumer)},
                       {"version_problem", Json::Text(graph.version_problem)},
                       {"entries", Json::List(entries)},
                       {"functions", Json::Number(graph.functions)},
                       {"unused_functions", Json::Number(graph.unused_functions)},
                       {"keras", Json::List(keras)},
                       {"unused_variables", SizesJson(graph.unused_variables)},
                       {"large_constants", SizesJson(graph.large_constants)}});
}

Json CheckpointJson(const CheckpointReport& c) {
  return Json::Object({{"there", Json::Bool(c.there)},
                       {"version", Json::Number(c.version)},
                       {"tensors", Json::Number(c.tensors)},
                       {"bytes", Json::Number(c.bytes)},
                       {"problem", Json::Text(c.problem)},
                       {"damaged", SizesJson(c.damaged)},
                       {"not_finite", SizesJson(c.not_finite)},
                       {"unused", SizesJson(c.unused_tensors)}});
}

// The hashes are 64 bits wide: JSON's numbers are not for them.
Json FingerprintJson(const std::optional<Fingerprint>& found) {
  if (!found.has_value()) return Json::Null();
  return Json::Object({{"saved_model_checksum", Json::Text(absl::StrCat(found->saved_model_checksum))},
                       {"checkpoint_hash", Json::Text(absl::StrCat(found->checkpoint_hash))},
                       {"uuid", Json::Text(found->uuid)}});
}

// The devices looked at, and why there is no GPU among them.
struct Machine {
  std::vector<std::shared_ptr<Device>> devices;
  std::string no_gpu;
};

Machine Look() {
  Machine machine;
  absl::StatusOr<std::shared_ptr<Device>> gpu = CudaDevice({});
  if (gpu.ok()) {
    machine.devices.push_back(*std::move(gpu));
  } else {
    const absl::string_view why = gpu.status().message();  // where it was looked for comes behind the colon
    machine.no_gpu = std::string(why.substr(0, why.find(": ")));
  }
  return machine;
}

Json ReportJson(const ModelReport& report, const Machine& machine) {
  std::vector<Json> graphs;
  std::vector<std::string> devices = {"CPU"};
  for (const MetaGraphReport& graph : report.meta_graphs) graphs.push_back(MetaGraphJson(graph));
  for (const auto& device : machine.devices) devices.push_back(device->name());
  return Json::Object({{"location", Json::Text(report.location)},
                       {"devices", Json::Texts(devices)},
                       {"fingerprint", FingerprintJson(report.fingerprint)},
                       {"meta_graphs", Json::List(graphs)},
                       {"checkpoint", CheckpointJson(report.checkpoint)},
                       {"problems", Json::Texts(report.problems)},
                       {"advice", Json::Texts(report.advice)}});
}

void PrintReport(const ModelReport& report, const Machine& machine) {
  Line(0, Paint(Style::kHead, report.location));
  if (report.fingerprint.has_value()) {
    const std::string uuid = report.fingerprint->uuid.empty() ? "" : absl::StrCat(", uuid ", report.fingerprint->uuid);
    Line(0, absl::StrCat(Paint(Style::kHead, "Fingerprint: "), "checksum ", report.fingerprint->saved_model_checksum, uuid));
  }
  std::string devices = "CPU";
  for (const auto& device : machine.devices) absl::StrAppend(&devices, ", ", device->name(), " (", device->description(), ")");
  Line(0, absl::StrCat(Paint(Style::kHead, "Devices: "), devices, machine.no_gpu.empty() ? "" : absl::StrCat("; no GPU: ", machine.no_gpu)));
  for (const MetaGraphReport& graph : report.meta_graphs) PrintMetaGraph(graph);
  PrintCheckpoint(report.checkpoint);
  const size_t bad = report.problems.size();
  Line(0, bad == 0 ? Paint(Style::kGood, "Problems: none") : Paint(Style::kBad, absl::StrCat("Problems: ", bad)));
  for (const std::string& problem : report.problems) Line(2, problem);
  if (!report.advice.empty()) Line(0, Paint(Style::kHead, "What to do"));
  for (const std::string& advice : report.advice) Line(2, advice);
}

}  // namespace

absl::Status Doctor(const Arguments& arguments) {
  const Machine machine = Look();
  absl::StatusOr<ModelReport> report;
  {
    LoadProgress progress(*arguments.dir);
    SM_ASSIGN_OR_RETURN(ModelLocation found, FindModel(*arguments.dir));
    found.source = progress.Watch(found.source);
    report = ExamineModel(found, *BuiltinOps(), machine.devices);
  }
  if (!report.ok()) return report.status();
  if (arguments.json) {
    std::puts(ReportJson(*report, machine).text().c_str());
  } else {
    PrintReport(*report, machine);
  }
  const size_t bad = report->problems.size();
  if (bad == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(*arguments.dir, ": has ", bad, bad == 1 ? " problem" : " problems", ", the first: ", report->problems[0]));
}

}  // namespace savedmodel::cli
