#include "api/run_signature.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

template <typename Map>
std::string Keys(const Map& map) {
  return absl::StrJoin(map, ", ", [](std::string* out, const auto& entry) { absl::StrAppend(out, "\"", entry.first, "\""); });
}

}  // namespace

absl::Status CheckInput(const std::string& key, const TensorInfo& info, const Tensor& tensor) {
  SM_CHECK_ARGUMENT(tensor.dtype() == info.dtype, "input \"", key, "\": dtype is ", DataTypeName(tensor.dtype()), ", signature wants ",
                    DataTypeName(info.dtype));
  SM_CHECK_ARGUMENT(info.shape.CompatibleWith(tensor.shape()), "input \"", key, "\": shape is ", tensor.shape().ToString(), ", signature wants ",
                    info.shape.ToString());
  return absl::OkStatus();
}

absl::StatusOr<const Signature*> FindSignature(const SignatureMap& signatures, const std::string& name) {
  auto found = signatures.find(name);
  if (found == signatures.end()) return absl::NotFoundError(absl::StrCat("signature \"", name, "\" not found, this model has ", Keys(signatures)));
  return &found->second;
}

absl::StatusOr<NamedTensors> RunSignature(const SavedModelBundle& bundle, const std::string& key, const NamedTensors& inputs, const RunOptions& options,
                                          RunMetadata* metadata) {
  SM_ASSIGN_OR_RETURN(const Signature* found, FindSignature(bundle.signatures(), key));
  const Signature& signature = *found;
  for (const auto& [name, tensor] : inputs) {
    SM_CHECK_ARGUMENT(signature.inputs.count(name) > 0, "input \"", name, "\" is unknown, signature \"", key, "\" has ", Keys(signature.inputs));
  }
  Feeds feeds;
  for (const auto& [name, info] : signature.inputs) {
    auto given = inputs.find(name);
    if (given == inputs.end()) {
      given = signature.defaults.find(name);
      SM_CHECK_ARGUMENT(given != signature.defaults.end(), "Signature input alias: ", name, " (feed name: ", info.name,
                        ") not found in request and no default value provided");
    }
    SM_RETURN_IF_ERROR(CheckInput(name, info, given->second));
    feeds.emplace_back(info.name, given->second);
  }
  std::vector<std::string> fetches;
  for (const auto& [name, info] : signature.outputs) fetches.push_back(info.name);
  std::vector<Tensor> outputs;
  SM_RETURN_IF_ERROR(bundle.session->Run(options, feeds, fetches, {}, &outputs, metadata));
  NamedTensors named;
  size_t i = 0;
  for (const auto& [name, info] : signature.outputs) named.emplace(name, std::move(outputs[i++]));
  return named;
}

}  // namespace savedmodel
