#include "savedmodel/freeze.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "loader/freeze_graph.h"
#include "ops/state/variable.h"
#include "runtime/graph_session.h"
#include "savedmodel/meta_graph.pb.h"

namespace savedmodel {

absl::StatusOr<FrozenModel> FreezeSignature(const SavedModelBundle& bundle, const std::string& key, const FreezeOptions& options) {
  auto found = bundle.signatures().find(key);
  if (found == bundle.signatures().end()) {
    const auto quoted = [](std::string* out, const auto& item) { absl::StrAppend(out, "\"", item.first, "\""); };
    return absl::NotFoundError(
        absl::StrCat("signature \"", key, "\" not found, this model has ", absl::StrJoin(bundle.signatures(), ", ", quoted)));
  }
  FrozenModel model;
  model.inputs = found->second.inputs;
  model.outputs = found->second.outputs;
  FreezeRequest request;
  request.keep = options.keep_variable;
  for (auto* list : {&model.inputs, &model.outputs}) {
    for (const auto& [name, info] : *list) {
      if (info.name.empty() || info.name.find(',') != std::string::npos) {
        return absl::UnimplementedError(absl::StrCat("signature \"", key, "\", \"", name, "\": is made of several tensors, one was wanted"));
      }
      (list == &model.inputs ? request.feeds : request.fetches).push_back(info);
    }
  }
  if (request.fetches.empty()) return absl::InvalidArgumentError(absl::StrCat("signature \"", key, "\": has no outputs, at least one was wanted"));
  ResourceStore& state = static_cast<GraphSession&>(*bundle.session).state();
  request.value = [&state](const std::string& container, const std::string& name) -> absl::StatusOr<Tensor> {
    auto variable = std::dynamic_pointer_cast<Variable>(state.Find("variable", container, name));
    Tensor value = variable == nullptr ? Tensor() : variable->Read();
    if (!value.initialized()) return absl::FailedPreconditionError("has no value, neither the checkpoint nor the init op gave it one");
    return value;
  };
  SM_ASSIGN_OR_RETURN(FrozenDef frozen, FreezeGraphDef(bundle.meta_graph_def().graph_def(), request));
  model.graph_def = std::move(frozen.graph);
  model.variables = std::move(frozen.variables);
  model.variable_bytes = frozen.variable_bytes;
  return model;
}

}  // namespace savedmodel
