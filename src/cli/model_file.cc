#include "cli/model_file.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/python_error.h"
#include "cli/python_text.h"
#include "loader/saved_model.h"
#include "savedmodel/model_source.h"

namespace savedmodel::cli {
namespace {

// Protobuf's message in the reference's words: "1:15 : Message type ...", the place where the field's name begins.
std::string TextError(absl::string_view message) {
  std::string text(message);
  const size_t at = text.find(" as text proto: ");
  int line = 0, column = 0, end = 0;
  if (at == text.npos || std::sscanf(text.c_str() + at, " as text proto: %d:%d: %n", &line, &column, &end) != 2) return text;
  text = absl::StrReplaceAll(text.substr(at + static_cast<size_t>(end)), {{"savedmodel.proto.", "tensorflow."}});
  const absl::string_view before = "has no field named \"";
  const size_t name = text.find(before.data());
  if (name != text.npos) {
    const size_t begin = name + before.size();
    column = std::max(1, column - static_cast<int>(std::min(text.find('"', begin), text.size()) - begin));
  }
  return absl::StrCat(line, ":", column, " : ", text, ".");
}

}  // namespace

absl::StatusOr<std::unique_ptr<proto::SavedModel>> ReadModelFile(const std::string& directory, bool quiet) {
  const absl::StatusOr<ModelLocation> found = FindModel(directory);
  if (absl::IsNotFound(found.status())) return PythonError("OSError", "SavedModel file does not exist at: ", directory);
  if (!found.ok()) return found.status();
  if (!quiet && !found->note.empty()) std::fprintf(stderr, "%s\n", found->note.c_str());
  const std::shared_ptr<FileSource>& source = found->source;
  const bool binary = !source->Exists("saved_model.pbtxt") || source->Exists("saved_model.pb");
  absl::StatusOr<std::unique_ptr<proto::SavedModel>> model = ReadSavedModel(*source);
  if (model.ok()) return model;
  if (!binary) {
    return PythonError("OSError", "Cannot parse pbtxt file ", BytesRepr(directory + "/saved_model.pbtxt"), ": ", TextError(model.status().message()));
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
