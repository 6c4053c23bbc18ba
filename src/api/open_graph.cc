#include "api/open_graph.h"

#include "core/status_macros.h"
#include "loader/importer.h"
#include "loader/saved_model.h"

namespace savedmodel {
namespace {

struct Library {
  Library(std::shared_ptr<const proto::GraphDef> graph, std::shared_ptr<OpCatalog> catalog)
      : graph(std::move(graph)), functions(this->graph->library(), std::move(catalog)) {}
  std::shared_ptr<const proto::GraphDef> graph;
  ImportedFunctions functions;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GraphSession>> OpenGraph(std::shared_ptr<const proto::GraphDef> graph_def, const SessionOptions& options) {
  SM_RETURN_IF_ERROR(CheckSavedTensors(*graph_def));
  SM_RETURN_IF_ERROR(CheckVersions(graph_def->versions()));
  auto catalog = std::make_shared<OpCatalog>(options.ops != nullptr ? options.ops : BuiltinOps());
  auto library = std::make_shared<Library>(graph_def, catalog);
  SM_RETURN_IF_ERROR(library->functions.Check());
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Graph> graph, ImportGraph(*graph_def, library->functions, *catalog));
  auto state = std::make_shared<ResourceStore>();
  state->log = options.log;
  std::shared_ptr<FunctionLibrary> functions(library, &library->functions);
  return std::make_unique<GraphSession>(options, std::move(graph), functions, catalog, state);
}

}  // namespace savedmodel
