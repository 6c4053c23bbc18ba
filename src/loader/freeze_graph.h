// Variables become constants: a GraphDef that needs no checkpoint.
#ifndef SAVEDMODEL_LOADER_FREEZE_GRAPH_H_
#define SAVEDMODEL_LOADER_FREEZE_GRAPH_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "savedmodel/graph.pb.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

struct FreezeRequest {
  std::vector<TensorInfo> feeds, fetches;
  // The value of the variable that a node with this container and name makes. NotFound when it has none.
  std::function<absl::StatusOr<Tensor>(const std::string& container, const std::string& name)> value;
  // The nodes of variables that stay as they are, with all that is done to them; null: none.
  std::function<bool(const std::string& node)> keep;
};

struct FrozenDef {
  std::shared_ptr<proto::GraphDef> graph;
  std::vector<std::string> variables;  // that became constants
  int64_t variable_bytes = 0;
};

// What the fetches need of the graph, its functions included, with constants in place of variables. A variable's node becomes a
// constant of the same name; the edges that carried its handle, through functions, branches and loops too, carry its value. A fed
// node that is no placeholder becomes one. FailedPrecondition when something needed writes a variable, reads one without a
// value, or is a table; Unimplemented for handles that go where values cannot; ResourceExhausted past the 2 GiB of a message.
absl::StatusOr<FrozenDef> FreezeGraphDef(const proto::GraphDef& graph, const FreezeRequest& request);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_FREEZE_GRAPH_H_
