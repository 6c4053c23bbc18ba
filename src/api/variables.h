// The variables of a loaded graph and their values in its session.
#ifndef SAVEDMODEL_API_VARIABLES_H_
#define SAVEDMODEL_API_VARIABLES_H_

#include <memory>
#include <string>

#include "graph/graph.h"
#include "ops/state/variable.h"

namespace savedmodel {

// VarHandleOp, VariableV2 and their like.
bool IsVariableOp(absl::string_view op);

// What the session calls the variable that a node makes: its shared_name, else the node's name.
std::string VariableName(const Node& node);

// The variable of a node for which IsVariableOp holds, made if no run has made it yet. Null when the node cannot run.
std::shared_ptr<Variable> VariableOf(const Node& node, SessionState& state);

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_VARIABLES_H_
