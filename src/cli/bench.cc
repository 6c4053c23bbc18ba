// bench: how long a signature takes, on inputs that are made up.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/bench_inputs.h"
#include "cli/bench_setting.h"
#include "cli/commands.h"
#include "cli/json_value.h"
#include "cli/model_file.h"
#include "cli/python_error.h"
#include "cli/terminal.h"
#include "core/status_macros.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

constexpr int kTracedRuns = 10;
constexpr size_t kShownOps = 20;

struct OpTime {
  std::string op;
  int64_t count = 0;  // in one run
  double ms = 0;      // of one run
};

struct Choice {
  std::vector<std::string> tags;
  std::string signature;
};

// --tag_set, else "serve", else the only one; --signature_def, else serving_default, else the only one.
absl::StatusOr<Choice> Choose(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir, true));
  const proto::MetaGraphDef* meta_graph = nullptr;
  if (arguments.tag_set.has_value() || model->meta_graphs_size() != 1) {
    SM_ASSIGN_OR_RETURN(meta_graph, FindMetaGraph(*model, arguments.tag_set.value_or("serve"), true));
  } else {
    meta_graph = &model->meta_graphs(0);
  }
  Choice choice;
  choice.tags = TagsOf(*meta_graph);
  choice.signature = arguments.signature_def.value_or("serving_default");
  const auto& signatures = meta_graph->signature_def();
  if (!arguments.signature_def.has_value() && signatures.count(choice.signature) == 0) {
    for (const auto& item : signatures) {
      if (item.first != "__saved_model_init_op") choice.signature = item.first;
    }
  }
  SM_RETURN_IF_ERROR(FindSignature(*meta_graph, choice.signature).status());
  return choice;
}

absl::StatusOr<double> NumberOf(const std::optional<std::string>& text, const char* flag, double otherwise, double least, double most) {
  double number = otherwise;
  if (text.has_value() && (!absl::SimpleAtod(*text, &number) || !(number >= least && number <= most))) {
    return PythonError("ValueError", "--", flag, " is \"", *text, "\"; a number from ", least, " to ", most, " was wanted");
  }
  return number;
}

// The time by op of one run, the slowest first; writes the trace where one is wanted.
absl::StatusOr<std::vector<OpTime>> TraceOps(const BenchSetting& setting, const std::optional<std::string>& file) {
  std::map<std::string, OpTime> ops;
  for (int run = 0; run < kTracedRuns; ++run) {
    RunMetadata metadata;
    SM_RETURN_IF_ERROR(setting.RunTraced(&metadata));
    for (const StepTrace& step : metadata.steps) {
      OpTime& op = ops[step.op];
      op.op = step.op;
      if (run == 0) ++op.count;
      op.ms += static_cast<double>(step.duration_ns) / 1e6 / kTracedRuns;
    }
    if (run + 1 < kTracedRuns || !file.has_value()) continue;
    std::ofstream out(*file, std::ios::binary);
    out << metadata.ChromeTraceJson();
    out.close();
    if (!out) return PythonError("OSError", "cannot write the trace to ", *file);
  }
  std::vector<OpTime> sorted;
  for (auto& item : ops) sorted.push_back(std::move(item.second));
  std::sort(sorted.begin(), sorted.end(), [](const OpTime& a, const OpTime& b) { return a.ms > b.ms; });
  return sorted;
}

std::string SettingJson(const BenchSetting& setting) {
  const Latencies l = setting.latencies();
  return absl::StrFormat(
      "{\"setting\": %s, \"threads\": %d, \"streams\": %d, \"load_ms\": %.4g, \"first_ms\": %.4g,\n  \"latency_ms\": {\"min\": %.5g, \"p50\": %.5g, "
      "\"p90\": "
      "%.5g, \"p99\": %.5g, \"mean\": %.5g},\n  \"runs\": %d, \"throughput_per_s\": %.5g}",
      JsonString(setting.name()), setting.threads(), setting.streams(), setting.load_ms(), setting.first_ms(), l.min, l.p50, l.p90, l.p99, l.mean,
      setting.runs(), setting.throughput());
}

std::string OpsJson(const std::vector<OpTime>& ops) {
  std::string out;
  double total = 0;
  for (const OpTime& op : ops) total += op.ms;
  for (const OpTime& op : ops) {
    absl::StrAppendFormat(&out, "%s{\"op\": %s, \"count\": %d, \"ms\": %.4g, \"share\": %.4f}", out.empty() ? "" : ",\n    ", JsonString(op.op),
                          op.count, op.ms, total > 0 ? op.ms / total : 0.0);
  }
  return out;
}

int64_t PeakMemory() {
  struct rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

void PrintJson(const Choice& choice, const Arguments& arguments, const std::vector<std::unique_ptr<BenchSetting>>& settings, const std::vector<OpTime>& ops) {
  std::string first = SettingJson(*settings[0]);
  first.pop_back();  // the brace: the members go on
  std::printf("%s,\n  \"dir\": %s, \"signature\": %s, \"inputs\": %s,\n  \"peak_memory_bytes\": %lld,\n  \"ops\": [\n    %s\n  ]", first.c_str(),
              JsonString(*arguments.dir).c_str(), JsonString(choice.signature).c_str(), JsonString(settings[0]->inputs()).c_str(),
              static_cast<long long>(PeakMemory()), OpsJson(ops).c_str());
  if (settings.size() > 1) std::printf(",\n  \"compare\": %s", SettingJson(*settings[1]).c_str());
  std::puts("}");
}

void PrintText(const Choice& choice, const Arguments& arguments, const std::vector<std::unique_ptr<BenchSetting>>& settings, const std::vector<OpTime>& ops) {
  std::printf("%s, signature %s, inputs %s\n", arguments.dir->c_str(), choice.signature.c_str(), settings[0]->inputs().c_str());
  const std::string head = absl::StrFormat("%-22s %9s %9s %9s %9s %9s %12s %10s %10s", "setting", "min ms", "p50", "p90", "p99", "mean", "runs per s",
                                           "load ms", "first ms");
  std::puts(Paint(Style::kHead, head).c_str());
  for (const auto& setting : settings) {
    const Latencies l = setting->latencies();
    std::printf("%-22s %9.4g %9.4g %9.4g %9.4g %9.4g %12.5g %10.4g %10.4g\n", setting->name().c_str(), l.min, l.p50, l.p90, l.p99, l.mean,
                setting->throughput(), setting->load_ms(), setting->first_ms());
  }
  std::printf("peak memory %.1f MiB\n\n", static_cast<double>(PeakMemory()) / (1 << 20));
  double total = 0;
  for (const OpTime& op : ops) total += op.ms;
  std::puts(Paint(Style::kHead, absl::StrFormat("%-32s %8s %10s %7s", "op", "count", "ms", "share")).c_str());
  for (size_t i = 0; i < ops.size() && i < kShownOps; ++i) {
    std::printf("%-32s %8lld %10.4f %6.1f%%\n", ops[i].op.c_str(), static_cast<long long>(ops[i].count), ops[i].ms, total > 0 ? 100 * ops[i].ms / total : 0.0);
  }
  if (ops.size() > kShownOps) std::printf("and %zu more\n", ops.size() - kShownOps);
}

}  // namespace

absl::Status Bench(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(const double threads, NumberOf(arguments.threads, "threads", 0, 0, 1024));
  SM_ASSIGN_OR_RETURN(const double streams, NumberOf(arguments.streams, "streams", 1, 1, 1024));
  SM_ASSIGN_OR_RETURN(const double seconds, NumberOf(arguments.seconds, "seconds", 3, 0.001, 86400));
  SM_ASSIGN_OR_RETURN(const ShapeMap shapes, ParseShapes(arguments.shape.value_or("")));
  SM_ASSIGN_OR_RETURN(const Choice choice, Choose(arguments));
  BenchOptions options;
  options.session.num_threads = static_cast<int>(threads);
  if (arguments.precision.has_value()) {
    if (*arguments.precision != "float32" && *arguments.precision != "bfloat16") {
      return PythonError("ValueError", "--precision is \"", *arguments.precision, "\"; it is float32 or bfloat16");
    }
    options.session.precision = *arguments.precision == "bfloat16" ? Precision::kBFloat16 : Precision::kFloat32;
  }
  options.streams = static_cast<int>(streams);
  std::vector<std::pair<std::string, BenchOptions>> wanted = {{"as given", options}};
  if (arguments.compare.has_value()) {
    SM_RETURN_IF_ERROR(ApplySetting(*arguments.compare, &options));
    wanted.emplace_back(*arguments.compare, options);
  }
  std::vector<std::unique_ptr<BenchSetting>> settings;
  for (const auto& [name, chosen] : wanted) {
    SM_ASSIGN_OR_RETURN(std::unique_ptr<BenchSetting> setting, BenchSetting::Load(name, chosen, *arguments.dir, choice.tags, choice.signature, shapes));
    settings.push_back(std::move(setting));
  }
  // In turn, in slices, so that what else the machine does meets all alike.
  const double slice = std::min(seconds / 4, 0.5);
  for (double done = 0; done < seconds; done += slice) {
    for (const auto& setting : settings) SM_RETURN_IF_ERROR(setting->Measure(slice));
  }
  SM_ASSIGN_OR_RETURN(const std::vector<OpTime> ops, TraceOps(*settings[0], arguments.trace));
  arguments.json ? PrintJson(choice, arguments, settings, ops) : PrintText(choice, arguments, settings, ops);
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
