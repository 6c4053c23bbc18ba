#include "api/open_graph.h"

#include "core/status_macros.h"
#include "loader/importer.h"
#include "loader/saved_model.h"

namespace savedmodel {

SessionOptions WithThreadPool(SessionOptions options) {
  if (options.thread_pool == nullptr) options.thread_pool = MakeThreadPool(options.num_threads);
  return options;
}

absl::StatusOr<std::unique_ptr<GraphSession>> OpenGraph(std::shared_ptr<const proto::GraphDef> graph, const SessionOptions& options) {
  const std::shared_ptr<const proto::FunctionDefLibrary> library(graph, &graph->library());
  return OpenGraph(*graph, std::make_shared<FunctionDefs>(library), options);
}

absl::StatusOr<std::unique_ptr<GraphSession>> OpenGraph(const proto::GraphDef& graph_def, std::shared_ptr<const FunctionDefs> defs,
                                                        const SessionOptions& session_options) {
  const SessionOptions options = WithThreadPool(session_options);
  SM_RETURN_IF_ERROR(CheckConstants(graph_def.node()));
  SM_RETURN_IF_ERROR(defs->CheckConstants());
  SM_RETURN_IF_ERROR(CheckVersions(graph_def.versions()));
  auto catalog = std::make_shared<OpCatalog>(options.ops != nullptr ? options.ops : BuiltinOps());
  std::shared_ptr<PooledAllocator> allocator = MakeSessionAllocator(options);
  auto functions = std::make_shared<ImportedFunctions>(std::move(defs), catalog, allocator);
  SM_RETURN_IF_ERROR(functions->Check());
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Graph> graph, ImportGraph(graph_def, *functions, *catalog));
  auto state = std::make_shared<ResourceStore>();
  state->log = options.log;
  return std::make_unique<GraphSession>(options, std::move(allocator), std::move(graph), functions, catalog, state);
}

}  // namespace savedmodel
