#include "api/variables.h"

namespace savedmodel {

bool IsVariableOp(absl::string_view op) { return op == "VarHandleOp" || op == "VariableV2" || op == "Variable"; }

std::string VariableName(const Node& node) {
  const std::string& shared_name = node.attrs().String("shared_name");
  return shared_name.empty() ? node.name : shared_name;
}

std::shared_ptr<Variable> VariableOf(const Node& node, SessionState& state) {
  if (!node.error.ok()) return nullptr;
  const std::string name = VariableName(node);
  absl::StatusOr<ResourceHandle> handle = state.FindOrCreate("variable", node.attrs().String("container"), name, [&]() -> absl::StatusOr<ResourceHandle> {
    return ResourceHandle(std::make_shared<Variable>(name, node.attrs().Type("dtype"), node.attrs().Shape("shape")));
  });
  return handle.ok() ? std::dynamic_pointer_cast<Variable>(*handle) : nullptr;
}

}  // namespace savedmodel
