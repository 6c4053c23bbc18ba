#include "cli/model_file.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "loader/saved_model.h"

namespace savedmodel::cli {

absl::StatusOr<std::unique_ptr<proto::SavedModel>> ReadModelFile(const std::string& directory) {
  absl::StatusOr<std::shared_ptr<FileSource>> source = MakeDirectorySource(directory);
  if (!source.ok()) return PythonError("OSError", "SavedModel file does not exist at: ", directory);
  const bool binary = (*source)->Exists("saved_model.pb");
  if (!binary && !(*source)->Exists("saved_model.pbtxt")) {
    return PythonError("OSError", "SavedModel file does not exist at: ", directory);
  }
  absl::StatusOr<std::unique_ptr<proto::SavedModel>> model = ReadSavedModel(**source);
  if (model.ok()) return model;
  if (!binary) {
    return PythonError("OSError", "Cannot parse pbtxt file ", BytesRepr(directory + "/saved_model.pbtxt"), ": ", model.status().message());
  }
  return PythonError("OSError", "Cannot parse proto file ", BytesRepr(directory + "/saved_model.pb"),
                     ": Error parsing message with type 'tensorflow.SavedModel': Wire format was corrupt.");
}

std::vector<std::string> TagsOf(const proto::MetaGraphDef& meta_graph) {
  return {meta_graph.meta_info_def().tags().begin(), meta_graph.meta_info_def().tags().end()};
}

std::set<std::string> ParseTagSet(const std::string& text, bool trim) {
  std::set<std::string> tags;
  for (absl::string_view piece : absl::StrSplit(text, ',')) {
    if (trim) piece = absl::StripAsciiWhitespace(piece);
    if (!piece.empty()) tags.emplace(piece);
  }
  return tags;
}

absl::StatusOr<const proto::MetaGraphDef*> FindMetaGraph(const proto::SavedModel& model, const std::string& tag_set, bool trim) {
  const std::set<std::string> wanted = ParseTagSet(tag_set, trim);
  std::vector<std::string> there;
  for (const proto::MetaGraphDef& meta_graph : model.meta_graphs()) {
    const std::vector<std::string> tags = TagsOf(meta_graph);
    if (std::set<std::string>(tags.begin(), tags.end()) == wanted) return &meta_graph;
    there.push_back(absl::StrJoin(std::set<std::string>(tags.begin(), tags.end()), ","));
  }
  return PythonError("RuntimeError", "MetaGraphDef associated with tag-set ", tag_set,
                     " could not be found in the SavedModel. Please use one of the following tag-sets: ", ListRepr(there));
}

absl::StatusOr<const proto::SignatureDef*> FindSignature(const proto::MetaGraphDef& meta_graph, const std::string& key) {
  auto it = meta_graph.signature_def().find(key);
  if (it != meta_graph.signature_def().end()) return &it->second;
  std::set<std::string> keys;
  for (const auto& item : meta_graph.signature_def()) keys.insert(item.first);
  return PythonError("ValueError", "Could not find signature \"", key, "\". Please choose from: ", absl::StrJoin(keys, ", "));
}

}  // namespace savedmodel::cli
