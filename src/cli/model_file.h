// Reads saved_model.pb and picks a meta graph by the text of --tag_set, with the reference tool's errors.
#ifndef SAVEDMODEL_CLI_MODEL_FILE_H_
#define SAVEDMODEL_CLI_MODEL_FILE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "savedmodel/meta_graph.pb.h"

namespace savedmodel::cli {

// `directory` may also hold numbered versions, or be an archive; which model was taken is said on stderr, unless `quiet`.
absl::StatusOr<std::unique_ptr<proto::SavedModel>> ReadModelFile(const std::string& directory, bool quiet = false);

std::vector<std::string> TagsOf(const proto::MetaGraphDef& meta_graph);  // in the file's order
// Comma separated, empty pieces dropped. `trim`: blanks around the tags go.
std::set<std::string> ParseTagSet(const std::string& text, bool trim);

absl::StatusOr<const proto::MetaGraphDef*> FindMetaGraph(const proto::SavedModel& model, const std::string& tag_set, bool trim);

// ValueError with the keys there are.
absl::StatusOr<const proto::SignatureDef*> FindSignature(const proto::MetaGraphDef& meta_graph, const std::string& key);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_MODEL_FILE_H_
