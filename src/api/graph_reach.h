// Which nodes of a GraphDef, functions included, a set of tensors needs.
#ifndef SAVEDMODEL_API_GRAPH_REACH_H_
#define SAVEDMODEL_API_GRAPH_REACH_H_

#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "savedmodel/graph.pb.h"

namespace savedmodel {

struct ReachedNode {
  const proto::NodeDef* node;
  const proto::FunctionDef* function;  // null: the top-level graph
};

class GraphReach {
 public:
  // Keeps a reference to `graph`.
  explicit GraphReach(const proto::GraphDef& graph);

  // Backwards from the fetches and targets to the feeds; of functions that are called, all nodes. In no special order. Names
  // that the graph does not have are passed over.
  std::vector<ReachedNode> From(const std::vector<std::string>& fetches, const std::vector<std::string>& feeds) const;
  bool IsFunction(const std::string& name) const { return functions_.contains(name); }

 private:
  const proto::GraphDef& graph_;
  absl::flat_hash_map<std::string, const proto::NodeDef*> nodes_;
  absl::flat_hash_map<std::string, const proto::FunctionDef*> functions_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_GRAPH_REACH_H_
