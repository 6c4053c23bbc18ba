// Files that hold one message, binary or text, whatever their names say.
#ifndef SAVEDMODEL_LOADER_GRAPH_FILE_H_
#define SAVEDMODEL_LOADER_GRAPH_FILE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "savedmodel/file_source.h"
#include "savedmodel/graph.pb.h"
#include "savedmodel/meta_graph.pb.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

// True when the file begins like text: a binary message holds control characters from its first bytes on.
absl::StatusOr<bool> LooksLikeText(FileSource& source, const std::string& path);

// InvalidArgument, saying what the file is, when it is a message of another kind.
absl::StatusOr<std::shared_ptr<proto::GraphDef>> ReadGraphFile(FileSource& source, const std::string& path);
absl::StatusOr<std::shared_ptr<proto::MetaGraphDef>> ReadMetaGraphFile(FileSource& source, const std::string& path);

enum class MessageKind { kSavedModel, kGraph, kMetaGraph };
const char* MessageKindName(MessageKind kind);  // "SavedModel", "GraphDef", "MetaGraphDef"
struct AnyMessage {
  MessageKind kind = MessageKind::kGraph;
  bool text = false;
  std::unique_ptr<google::protobuf::Message> message;
};
// Whichever of the three the file holds; InvalidArgument when it is none.
absl::StatusOr<AnyMessage> ReadAnyMessage(FileSource& source, const std::string& path);

// A file named by a path of the user's own: the directory as a source, and the file's name in it. Links are followed.
struct NamedFile {
  std::shared_ptr<FileSource> source;
  std::string name;
};
absl::StatusOr<NamedFile> SplitPath(const std::string& path);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_GRAPH_FILE_H_
