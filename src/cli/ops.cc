// ops and doctor: what this library can run, and what of a model it cannot.
#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/json_value.h"
#include "cli/model_file.h"
#include "cli/op_set.h"
#include "cli/python_text.h"
#include "core/status_macros.h"
#include "loader/saved_model.h"
#include "savedmodel/op.h"

namespace savedmodel::cli {
namespace {

// "kernel", "no kernel" with the reason, or "unknown".
std::string StateOf(const OpTable& table, const std::string& op) {
  const std::shared_ptr<const OpDef> def = table.Find(op);
  if (def == nullptr) return "unknown";
  if (def->cpu != nullptr || def->structural) return "kernel";
  return def->refusal.empty() ? "no kernel" : absl::StrCat("no kernel: ", def->refusal);
}

}  // namespace

absl::Status ListOps(const Arguments& arguments) {
  const std::shared_ptr<const OpTable> table = BuiltinOps();
  std::map<std::string, std::string> sorted;
  for (const auto& item : table->ops()) sorted[item.first] = StateOf(*table, item.first);
  bool first = true;
  for (const auto& [name, state] : sorted) {
    if (arguments.json) {
      std::printf("%s{\"op\": %s, \"state\": %s}", first ? "[\n  " : ",\n  ", JsonString(name).c_str(), JsonString(state).c_str());
    } else {
      std::printf("%s\t%s\n", name.c_str(), state.c_str());
    }
    first = false;
  }
  if (arguments.json) std::puts("\n]");
  return absl::OkStatus();
}

absl::Status Doctor(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadModelFile(*arguments.dir));
  const std::shared_ptr<const OpTable> table = BuiltinOps();
  for (const proto::MetaGraphDef& meta_graph : model->meta_graphs()) {
    const auto& info = meta_graph.meta_info_def();
    std::printf("MetaGraph with tag set %s\n", ListRepr(TagsOf(meta_graph)).c_str());
    std::printf("  written by TensorFlow %s, graph version %d\n", info.tensorflow_version().empty() ? "(unknown)" : info.tensorflow_version().c_str(),
                meta_graph.graph_def().versions().producer());
    const absl::Status versions = CheckVersions(meta_graph.graph_def().versions());
    if (!versions.ok()) std::printf("  %s\n", std::string(versions.message()).c_str());
    int missing = 0;
    const std::set<std::string> ops = OpsOf(meta_graph, true);
    for (const std::string& op : ops) {
      const std::string state = StateOf(*table, op);
      if (state == "kernel") continue;
      ++missing;
      std::printf("  op %s: %s\n", op.c_str(), state.c_str());
    }
    std::printf("  %zu ops, %d without a kernel\n", ops.size(), missing);
  }
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
