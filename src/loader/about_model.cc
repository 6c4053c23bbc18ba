#include "loader/about_model.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/files.h"
#include "loader/saved_model.h"
#include "savedmodel/chunk.pb.h"

namespace savedmodel {
namespace {

constexpr uint64_t kMaxFingerprint = 1 << 20;

// The text under a key of a JSON object: the first such key of the text, which is enough for what Keras writes.
std::string JsonText(const std::string& json, const std::string& key) {
  size_t at = json.find(absl::StrCat("\"", key, "\""));
  if (at == std::string::npos) return "";
  at = json.find_first_not_of(" \t\n:", at + key.size() + 2);
  if (at == std::string::npos || json[at] != '"') return "";
  const size_t end = json.find('"', at + 1);
  return end == std::string::npos ? "" : json.substr(at + 1, end - at - 1);
}

KerasObject Describe(std::string path, const std::string& identifier, const std::string& metadata) {
  return {std::move(path), identifier, JsonText(metadata, "class_name"), JsonText(metadata, "name")};
}

}  // namespace

std::optional<Fingerprint> ReadFingerprint(FileSource& source) {
  absl::StatusOr<std::string> bytes = ReadFile(source, "fingerprint.pb", kMaxFingerprint);
  proto::FingerprintDef message;
  if (!bytes.ok() || !message.ParseFromString(*bytes)) return std::nullopt;
  return Fingerprint{message.saved_model_checksum(), message.graph_def_program_hash(), message.signature_def_hash(), message.saved_object_graph_hash(),
                     message.checkpoint_hash(), message.uuid()};
}

std::vector<KerasObject> ReadKerasObjects(FileSource& source, const proto::MetaGraphDef& meta_graph) {
  std::vector<KerasObject> objects;
  proto::SavedKerasMetadata metadata;
  if (source.Exists("keras_metadata.pb") && ReadMessage(source, "keras_metadata.pb", false, &metadata).ok()) {
    for (const proto::SavedKerasObject& node : metadata.nodes()) objects.push_back(Describe(node.node_path(), node.identifier(), node.metadata()));
    return objects;
  }
  int i = 0;
  for (const auto& node : meta_graph.object_graph_def().nodes()) {
    const std::string path = i == 0 ? "root" : absl::StrCat("node ", i);
    ++i;
    if (!absl::StartsWith(node.user_object().identifier(), "_tf_keras_") || node.user_object().metadata().empty()) continue;
    objects.push_back(Describe(path, node.user_object().identifier(), node.user_object().metadata()));
  }
  return objects;
}

}  // namespace savedmodel
