// show for a file that is a frozen graph: what goes in and out, as far as can be told.
#include <sys/stat.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/report_json.h"
#include "cli/terminal.h"
#include "core/status_macros.h"
#include "savedmodel/frozen_graph.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel::cli {
namespace {

Json InfosJson(const std::vector<TensorInfo>& infos) {
  std::vector<Json> list;
  for (const TensorInfo& info : infos) {
    list.push_back(Json::Object(
        {{"name", Json::Text(info.name)}, {"dtype", Json::Text(DataTypeName(info.dtype))}, {"shape", Json::Text(info.shape.ToString())}}));
  }
  return Json::List(list);
}

void PrintInfos(const char* head, const std::vector<TensorInfo>& infos) {
  std::puts(Paint(Style::kHead, head).c_str());
  for (const TensorInfo& info : infos) std::printf("  %s %s%s\n", info.name.c_str(), DataTypeName(info.dtype).c_str(), info.shape.ToString().c_str());
}

}  // namespace

bool IsRegularFile(const std::string& path) {
  struct stat there;
  return stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode);
}

absl::Status ShowFrozen(const Arguments& arguments) {
  SM_ASSIGN_OR_RETURN(const FrozenGraph graph, LoadFrozenGraph({}, *arguments.dir));
  const int nodes = graph.graph_def().node_size();
  if (arguments.json) {
    std::puts(Json::Object({{"frozen_graph", Json::Text(*arguments.dir)},
                            {"nodes", Json::Number(nodes)},
                            {"inputs", InfosJson(graph.inputs())},
                            {"guessed_outputs", InfosJson(graph.outputs())}})
                  .text()
                  .c_str());
    return absl::OkStatus();
  }
  std::printf("%s is a frozen graph of %d nodes, no SavedModel: it has no signatures.\n", arguments.dir->c_str(), nodes);
  PrintInfos("Placeholders:", graph.inputs());
  PrintInfos("Outputs, guessed: those of nodes that no node uses:", graph.outputs());
  return absl::OkStatus();
}

}  // namespace savedmodel::cli
