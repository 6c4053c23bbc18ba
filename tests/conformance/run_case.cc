#include "run_case.h"

#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "compare.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "loader/tensor_proto.h"
#include "savedmodel/savedmodel.h"

namespace savedmodel::conformance {
namespace {

absl::StatusOr<Tensor> Decode(const std::string& bytes) {
  proto::TensorProto message;
  if (!message.ParseFromString(bytes)) return absl::DataLossError("a tensor of the case does not parse");
  return TensorFromProto(message);
}

Outcome BadCase(const absl::Status& status) { return {false, "case", absl::StrCat("the case itself: ", status.ToString()), ""}; }

absl::StatusOr<SavedModelBundle> Load(const Case& test, const std::string& folder, const SessionOptions& options) {
  std::unordered_set<std::string> tags(test.tags().begin(), test.tags().end());
  if (tags.empty()) tags.insert("serve");
  if (!test.model_dir().empty()) return LoadSavedModel(options, RunOptions(), tags, JoinPath(folder, test.model_dir()));
  return LoadSavedModel(options, RunOptions(), tags, MakeMemorySource({{"saved_model.pb", test.model()}}, test.name()));
}

// The tensor behind a key of the signature; tensor names stay as they are where the case names no signature.
absl::StatusOr<std::string> TensorName(const Case& test, const SavedModelBundle& bundle, const std::string& key, bool input) {
  if (test.signature().empty()) return key;
  auto signature = bundle.signatures().find(test.signature());
  if (signature == bundle.signatures().end()) return absl::InvalidArgumentError(absl::StrCat("no signature \"", test.signature(), "\""));
  const auto& infos = input ? signature->second.inputs : signature->second.outputs;
  auto info = infos.find(key);
  if (info == infos.end()) return absl::InvalidArgumentError(absl::StrCat("signature \"", test.signature(), "\" has no ", input ? "input" : "output", " \"", key, "\""));
  return info->second.name;
}

absl::Status Run(const Case& test, const SavedModelBundle& bundle, const Feeds& feeds, std::vector<Tensor>* outputs) {
  Feeds named;
  for (const auto& [key, tensor] : feeds) {
    SM_ASSIGN_OR_RETURN(std::string name, TensorName(test, bundle, key, true));
    named.emplace_back(std::move(name), tensor);
  }
  std::vector<std::string> fetches;
  for (const Fetch& fetch : test.fetches()) {
    SM_ASSIGN_OR_RETURN(std::string name, TensorName(test, bundle, fetch.name(), false));
    fetches.push_back(std::move(name));
  }
  RunOptions options;
  options.cast_feeds = true;  // the cases were made through the reference's Python, which casts
  return bundle.session->Run(options, named, fetches, {test.targets().begin(), test.targets().end()}, outputs, nullptr);
}

Outcome JudgeValues(const Case& test, const std::vector<Tensor>& outputs) {
  if (static_cast<int>(outputs.size()) != test.fetches_size()) {
    return {false, "wrong value", absl::StrCat(outputs.size(), " outputs for ", test.fetches_size(), " fetches"), ""};
  }
  for (int i = 0; i < test.fetches_size(); ++i) {
    absl::StatusOr<Tensor> wanted = Decode(test.fetches(i).tensor());
    if (!wanted.ok()) return BadCase(wanted.status());
    const std::string difference = Compare(outputs[i], *wanted, {test.rtol(), test.atol()}, test.fetches(i).shape_only());
    if (!difference.empty()) return {false, "wrong value", absl::StrCat(test.fetches(i).name(), ": ", difference), SuspectedOps(test)};
  }
  return {true, "", "", ""};
}

}  // namespace

Outcome RunCase(const Case& test, const std::string& folder, const SessionOptions& options, int repeat) {
  Feeds feeds;
  for (const auto& [name, bytes] : test.feeds()) {
    absl::StatusOr<Tensor> tensor = Decode(bytes);
    if (!tensor.ok()) return BadCase(tensor.status());
    feeds.emplace_back(name, *std::move(tensor));
  }
  absl::StatusOr<SavedModelBundle> bundle = Load(test, folder, options);
  if (!bundle.ok()) return JudgeStatus(test, bundle.status());
  Outcome outcome;
  for (int i = 0; i < std::max(repeat, 1); ++i) {
    std::vector<Tensor> outputs;
    absl::Status status = Run(test, *bundle, feeds, &outputs);
    outcome = !status.ok() || test.code() != 0 ? JudgeStatus(test, status) : JudgeValues(test, outputs);
    if (!outcome.passed) break;
  }
  return outcome;
}

}  // namespace savedmodel::conformance
