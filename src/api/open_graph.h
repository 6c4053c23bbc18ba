// From a GraphDef to a session over it: what all ways into the library share.
#ifndef SAVEDMODEL_API_OPEN_GRAPH_H_
#define SAVEDMODEL_API_OPEN_GRAPH_H_

#include <memory>

#include "loader/function_defs.h"
#include "runtime/graph_session.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel {

// `options` with a thread pool: a new one where there is none.
SessionOptions WithThreadPool(SessionOptions options);

// The graph is checked as the loader of SavedModels does. Nothing is run; the caller calls FinishLoading.
// `graph` must not change; the session keeps it alive, for its functions are read when they are called.
absl::StatusOr<std::unique_ptr<GraphSession>> OpenGraph(std::shared_ptr<const proto::GraphDef> graph, const SessionOptions& options);
// With functions from elsewhere: those in `graph` are not looked at, and it is not kept.
absl::StatusOr<std::unique_ptr<GraphSession>> OpenGraph(const proto::GraphDef& graph, std::shared_ptr<const FunctionDefs> functions,
                                                        const SessionOptions& options);

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_OPEN_GRAPH_H_
