// Cuts out of a loaded graph what one kind of run needs.
#ifndef SAVEDMODEL_PASSES_EXTRACT_H_
#define SAVEDMODEL_PASSES_EXTRACT_H_

#include <memory>
#include <vector>

#include "graph/graph.h"

namespace savedmodel {

// A graph whose args are the feeds (as "_Arg" nodes, in order) and whose results are the fetches; targets are kept
// nodes. Everything reachable backwards from fetches and targets, cut at the feeds.
absl::StatusOr<std::unique_ptr<Graph>> Extract(const Graph& graph, const std::vector<Output>& feeds, const std::vector<Output>& fetches,
                                               const std::vector<Node*>& targets, OpCatalog& catalog);

// Errors of the nodes of an extracted graph, told together: unknown ops in one message with counts and first names; else the
// first node's own error; else placeholders that are not fed (before calls are inlined, those that not only calls read); else ops
// without any kernel.
absl::Status CheckRunnable(const Graph& graph, bool inlined);

}  // namespace savedmodel

#endif  // SAVEDMODEL_PASSES_EXTRACT_H_
