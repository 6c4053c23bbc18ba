// Freezing: a signature of a SavedModel as one GraphDef with constants in place of variables.
#ifndef SAVEDMODEL_FREEZE_H_
#define SAVEDMODEL_FREEZE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "savedmodel/export.h"
#include "savedmodel/frozen_graph.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

struct FrozenModel {
  std::shared_ptr<const proto::GraphDef> graph_def;
  std::map<std::string, TensorInfo> inputs, outputs;  // the signature's, by key; the names are those of the graph's tensors
  std::vector<std::string> variables;                 // that became constants
  int64_t variable_bytes = 0;
};

struct FreezeOptions {
  // True for the nodes of variables (by name) that stay variables. Null: none does.
  std::function<bool(const std::string& node)> keep_variable;
};

// What the signature's outputs need, with the values that the variables have now; the bundle is not changed. TensorFlow runs the
// graph too. NotFound for an unknown signature; FailedPrecondition when the signature writes a variable, reads one that has no
// value, or looks things up in a table; Unimplemented for handles that go where values cannot, ResourceExhausted past 2 GiB.
SAVEDMODEL_EXPORT absl::StatusOr<FrozenModel> FreezeSignature(const SavedModelBundle& bundle, const std::string& signature,
                                                             const FreezeOptions& options = {});

}  // namespace savedmodel

#endif  // SAVEDMODEL_FREEZE_H_
