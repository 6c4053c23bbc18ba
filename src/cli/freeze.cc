// freeze: a signature of a SavedModel as one GraphDef file.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/load_progress.h"
#include "cli/model_file.h"
#include "cli/output_file.h"
#include "cli/report_json.h"
#include "core/status_macros.h"
#include "loader/saved_model.h"
#include "savedmodel/graph.pb.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::cli {
namespace {

// The tags asked for; without --tag_set those of the only meta graph, or of the one for serving.
absl::StatusOr<std::unordered_set<std::string>> ChooseTags(const std::string& path, const std::optional<std::string>& asked) {
  if (asked.has_value()) {
    const std::set<std::string> tags = ParseTagSet(*asked, true);
    return std::unordered_set<std::string>(tags.begin(), tags.end());
  }
  SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(path));
  SM_ASSIGN_OR_RETURN(const std::unique_ptr<proto::SavedModel> model, ReadSavedModel(*found.source));
  if (model->meta_graphs_size() != 1) return std::unordered_set<std::string>{"serve"};
  const std::vector<std::string> tags = TagsOf(model->meta_graphs(0));
  return std::unordered_set<std::string>(tags.begin(), tags.end());
}

Json TensorsJson(const std::map<std::string, TensorInfo>& tensors) {
  std::vector<std::pair<std::string, Json>> members;
  for (const auto& [key, info] : tensors) {
    members.emplace_back(
        key, Json::Object(
                 {{"name", Json::Text(info.name)}, {"dtype", Json::Text(DataTypeName(info.dtype))}, {"shape", Json::Text(info.shape.ToString())}}));
  }
  return Json::Object(members);
}

void PrintTensors(const char* what, const std::map<std::string, TensorInfo>& tensors) {
  for (const auto& [key, info] : tensors) {
    std::printf("  %s %s: %s %s%s\n", what, key.c_str(), info.name.c_str(), DataTypeName(info.dtype).c_str(), info.shape.ToString().c_str());
  }
}

}  // namespace

absl::Status Freeze(const Arguments& arguments) {
  const std::string& out = arguments.paths[1];
  const std::string signature = arguments.signature_def.value_or("serving_default");
  SM_RETURN_IF_ERROR(CheckOutputFile(out, arguments.overwrite));
  SM_ASSIGN_OR_RETURN(const auto tags, ChooseTags(arguments.paths[0], arguments.tag_set));
  SM_ASSIGN_OR_RETURN(const SavedModelBundle bundle, LoadWithProgress({}, tags, arguments.paths[0]));
  SM_ASSIGN_OR_RETURN(const FrozenModel frozen, FreezeSignature(bundle, signature));
  int64_t bytes = 0;
  SM_RETURN_IF_ERROR(WriteMessage(out, *frozen.graph_def, arguments.overwrite, &bytes));
  const int nodes = frozen.graph_def->node_size(), functions = frozen.graph_def->library().function_size();
  if (arguments.json) {
    std::puts(Json::Object({{"file", Json::Text(out)},
                            {"bytes", Json::Number(bytes)},
                            {"signature", Json::Text(signature)},
                            {"nodes", Json::Number(nodes)},
                            {"functions", Json::Number(functions)},
                            {"variables", Json::Number(static_cast<int64_t>(frozen.variables.size()))},
                            {"variable_bytes", Json::Number(frozen.variable_bytes)},
                            {"inputs", TensorsJson(frozen.inputs)},
                            {"outputs", TensorsJson(frozen.outputs)}})
                  .text()
                  .c_str());
    return absl::OkStatus();
  }
  std::printf("Signature \"%s\": %zu variables (%s) became constants.\n", signature.c_str(), frozen.variables.size(), SizeText(frozen.variable_bytes).c_str());
  PrintTensors("input", frozen.inputs);
  PrintTensors("output", frozen.outputs);
  std::printf("%s: %s, %d nodes, %d functions\n", out.c_str(), SizeText(bytes).c_str(), nodes, functions);
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
