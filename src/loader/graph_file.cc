#include "loader/graph_file.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "loader/chunked.h"
#include "loader/saved_model.h"
#include "loader/varint.h"

namespace savedmodel {
namespace {

using google::protobuf::Message;

// Every node of a real graph has a name and an op; bytes of other messages that happen to parse have not.
bool IsGraph(const proto::GraphDef& graph) {
  return graph.node_size() > 0 && std::all_of(graph.node().begin(), graph.node().end(), [](const proto::NodeDef& node) { return !node.name().empty() && !node.op().empty(); });
}

bool IsMetaGraph(const proto::MetaGraphDef& meta_graph) { return IsGraph(meta_graph.graph_def()); }

bool IsSavedModel(const proto::SavedModel& model) {
  return model.meta_graphs_size() > 0 &&
         std::any_of(model.meta_graphs().begin(), model.meta_graphs().end(), [](const proto::MetaGraphDef& meta_graph) {
           return meta_graph.has_meta_info_def() || IsMetaGraph(meta_graph);
         });
}

// Fields that the message does not have are a sign that the bytes are of another one.
bool Foreign(const Message& message) { return !message.GetReflection()->GetUnknownFields(message).empty(); }

// Which of the three kinds the outermost fields of a binary message allow. Parsing as the wrong one is slow, and protobuf
// complains on stderr.
struct Possible {
  bool saved_model = true, graph = true, meta_graph = true;
};

Possible KindsOf(const ReadableFile& file) {
  constexpr int kMaxFields = 4096;
  constexpr uint32_t kVarint = 0, kBytes = 2;
  Possible possible;
  int first = 0, second = 0;  // how often fields 1 and 2 come
  uint64_t at = 0;
  for (int i = 0; i < kMaxFields && at < file.size(); ++i) {
    char head[20];
    const size_t n = static_cast<size_t>(std::min<uint64_t>(sizeof(head), file.size() - at));
    if (!file.Read(at, n, head).ok()) return {};
    absl::string_view rest(head, n);
    uint64_t tag, length;
    if (!TakeVarint64(&rest, &tag) || !TakeVarint64(&rest, &length)) return {false, false, false};
    const uint64_t field = tag >> 3;
    const uint32_t type = static_cast<uint32_t>(tag & 7);
    first += field == 1;
    second += field == 2;
    possible.saved_model = possible.saved_model && ((field == 1 && type == kVarint) || (field == 2 && type == kBytes));
    possible.graph = possible.graph && field <= 5 && type == (field == 3 ? kVarint : kBytes);
    possible.meta_graph = possible.meta_graph && field <= 7 && type == kBytes && first <= 1 && second <= 1;
    at += n - rest.size();
    if (type == kBytes && __builtin_add_overflow(at, length, &at)) return {false, false, false};
  }
  if (at > file.size()) return {};  // cut short: the parser says so
  return possible;
}

absl::Status WrongKind(FileSource& source, const std::string& path, const char* wanted) {
  const std::string where = absl::StrCat(source.name(), "/", path);
  absl::StatusOr<AnyMessage> any = ReadAnyMessage(source, path);
  if (!any.ok()) return absl::InvalidArgumentError(absl::StrCat(where, ": holds no nodes, a ", wanted, " was wanted"));
  return absl::InvalidArgumentError(absl::StrCat(where, ": is a ", MessageKindName(any->kind), ", a ", wanted, " was wanted"));
}

template <typename M, typename F>
absl::StatusOr<std::shared_ptr<M>> ReadKind(FileSource& source, const std::string& path, const char* wanted, const F& is_one) {
  SM_ASSIGN_OR_RETURN(const bool text, LooksLikeText(source, path));
  auto message = std::make_shared<M>();
  absl::Status status = ReadMessage(source, path, text, message.get());
  if (status.ok() && is_one(*message)) return message;
  absl::Status other = WrongKind(source, path, wanted);
  // A file that is plainly something else is told so; otherwise the parser knows better what is wrong.
  return status.ok() || absl::StrContains(other.message(), ": is a ") ? other : status;
}

}  // namespace

const char* MessageKindName(MessageKind kind) {
  return kind == MessageKind::kSavedModel ? "SavedModel" : kind == MessageKind::kGraph ? "GraphDef" : "MetaGraphDef";
}

absl::StatusOr<bool> LooksLikeText(FileSource& source, const std::string& path) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source.Open(path));
  std::string head(static_cast<size_t>(std::min<uint64_t>(file->size(), 4096)), '\0');
  SM_RETURN_IF_ERROR(file->Read(0, head.size(), head.data()));
  return !head.empty() && std::all_of(head.begin(), head.end(), [](char c) {
    const unsigned char byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : (byte >= '\t' && byte <= '\r');
  });
}

absl::StatusOr<std::shared_ptr<proto::GraphDef>> ReadGraphFile(FileSource& source, const std::string& path) {
  return ReadKind<proto::GraphDef>(source, path, "GraphDef", IsGraph);
}

absl::StatusOr<std::shared_ptr<proto::MetaGraphDef>> ReadMetaGraphFile(FileSource& source, const std::string& path) {
  return ReadKind<proto::MetaGraphDef>(source, path, "MetaGraphDef", IsMetaGraph);
}

absl::StatusOr<AnyMessage> ReadAnyMessage(FileSource& source, const std::string& path) {
  SM_ASSIGN_OR_RETURN(const bool text, LooksLikeText(source, path));
  std::string first_error;
  auto attempt = [&](auto message, MessageKind kind, const auto& is_one) -> std::unique_ptr<Message> {
    const absl::Status status = ReadMessage(source, path, text, message.get());
    if (status.ok() && is_one(*message) && (text || !Foreign(*message))) return message;
    if (!status.ok() && kind == MessageKind::kGraph) first_error = std::string(status.message());
    return nullptr;
  };
  SM_ASSIGN_OR_RETURN(const std::shared_ptr<ReadableFile> file, source.Open(path));
  const Possible possible = text ? Possible() : KindsOf(*file);
  AnyMessage any;
  any.text = text;
  for (MessageKind kind : {MessageKind::kSavedModel, MessageKind::kMetaGraph, MessageKind::kGraph}) {
    if (!(kind == MessageKind::kSavedModel ? possible.saved_model : kind == MessageKind::kGraph ? possible.graph : possible.meta_graph)) continue;
    any.kind = kind;
    any.message = kind == MessageKind::kSavedModel ? attempt(std::make_unique<proto::SavedModel>(), kind, IsSavedModel)
                  : kind == MessageKind::kGraph    ? attempt(std::make_unique<proto::GraphDef>(), kind, IsGraph)
                                                   : attempt(std::make_unique<proto::MetaGraphDef>(), kind, IsMetaGraph);
    if (any.message != nullptr) return any;
  }
  auto chunked = std::make_unique<proto::SavedModel>();
  if (!text && ReadChunkedMessage(source, path, chunked.get()).ok()) {
    any.kind = MessageKind::kSavedModel;
    any.message = std::move(chunked);
    return any;
  }
  return absl::InvalidArgumentError(absl::StrCat(source.name(), "/", path, ": is neither a SavedModel nor a GraphDef nor a MetaGraphDef",
                                                 first_error.empty() ? "" : absl::StrCat(" (", first_error, ")")));
}

absl::StatusOr<NamedFile> SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  DirectorySourceOptions options;
  options.follow_links_out = true;
  SM_ASSIGN_OR_RETURN(std::shared_ptr<FileSource> source, MakeDirectorySource(folder, options));
  return NamedFile{std::move(source), slash == std::string::npos ? path : path.substr(slash + 1)};
}

}  // namespace savedmodel
