// The file saved_model.pb or saved_model.pbtxt: reading it, choosing the meta graph, refusing what can never run.
#ifndef SAVEDMODEL_LOADER_SAVED_MODEL_H_
#define SAVEDMODEL_LOADER_SAVED_MODEL_H_

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "savedmodel/file_source.h"
#include "savedmodel/meta_graph.pb.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

// NotFound when neither file is there, DataLoss when the bytes are no such message, OutOfRange when they end too early.
absl::StatusOr<std::unique_ptr<proto::SavedModel>> ReadSavedModel(FileSource& source);
absl::Status ReadSavedModel(FileSource& source, proto::SavedModel* model);

// Reads any message the same way. `text`: text format.
absl::Status ReadMessage(FileSource& source, const std::string& path, bool text, google::protobuf::Message* message);

// Merges `bytes`, a part of a message that lies `depth` messages deep in saved_model.pb, as deep as protobuf reads the whole. False
// where they do not parse.
bool MergePart(absl::string_view bytes, int depth, google::protobuf::Message* message);

// Number of the first meta graph whose tags, as a set, equal `tags`; NotFound with the tag sets there are.
absl::StatusOr<int> FindMetaGraph(const proto::SavedModel& model, const std::unordered_set<std::string>& tags);

// InvalidArgument when the graph is older or newer than this library reads.
absl::Status CheckVersions(const proto::VersionDef& versions);

// (tensor name, file name below assets/).
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAssets(const proto::MetaGraphDef& meta_graph);

// The node to run after restoring, empty if there is none; by the signature __saved_model_init_op, else the collections
// saved_model_main_op and legacy_init_op.
absl::StatusOr<std::string> FindInitOp(const proto::MetaGraphDef& meta_graph, const std::string& where);

absl::StatusOr<SignatureMap> ReadSignatures(const proto::MetaGraphDef& meta_graph);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_SAVED_MODEL_H_
