// The records are pieces of one message. The last record tells where in the message each of the others belongs: by field
// numbers, indices of repeated fields and keys of maps.
#include "loader/chunked.h"

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "loader/riegeli.h"
#include "savedmodel/chunk.pb.h"

namespace savedmodel {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kJoinVersion = 0;  // the newest that is known

// Merges the pieces. Each record is used once, so what comes out is not larger than the file's records.
class Merger {
 public:
  explicit Merger(std::vector<std::string> records) : records_(std::move(records)) {}

  absl::Status Merge(const proto::ChunkedMessage& part, Message* message) {
    if (part.has_chunk_index()) {
      SM_ASSIGN_OR_RETURN(std::string chunk, TakeChunk(part.chunk_index()));
      SM_RETURN_IF_ERROR(MergeBytes(chunk, message));
    }
    std::vector<const proto::ChunkedField*> fields;
    for (const proto::ChunkedField& field : part.chunked_fields()) fields.push_back(&field);
    // Outer before inner, so that an inner piece finds its place; pieces of one field in the order of their records.
    std::stable_sort(fields.begin(), fields.end(), [](const auto* a, const auto* b) { return Before(*a, *b); });
    for (const proto::ChunkedField* field : fields) SM_RETURN_IF_ERROR(Place(*field, message));
    return absl::OkStatus();
  }

 private:
  static bool Before(const proto::ChunkedField& a, const proto::ChunkedField& b) {
    const int depth = std::min(a.field_tag_size(), b.field_tag_size());
    for (int i = 0; i < depth; ++i) {
      const std::pair<uint64_t, uint64_t> x(a.field_tag(i).field(), a.field_tag(i).index()), y(b.field_tag(i).field(), b.field_tag(i).index());
      if (x != y) return x < y;
      const int order = a.field_tag(i).map_key().s().compare(b.field_tag(i).map_key().s());
      if (order != 0) return order < 0;
    }
    if (a.field_tag_size() != b.field_tag_size()) return a.field_tag_size() < b.field_tag_size();
    return a.message().chunk_index() < b.message().chunk_index();
  }

  absl::StatusOr<std::string> TakeChunk(uint64_t index) {
    if (index >= records_.size()) return absl::DataLossError(absl::StrCat("piece ", index, " is wanted, there are ", records_.size()));
    if (!used_.emplace(index, true).second) return absl::DataLossError(absl::StrCat("piece ", index, " is used twice"));
    return std::move(records_[index]);
  }

  static absl::Status MergeBytes(const std::string& bytes, Message* message) {
    if (message->MergeFromString(bytes)) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat("a piece of ", bytes.size(), " bytes is no ", message->GetDescriptor()->name()));
  }

  absl::Status Place(const proto::ChunkedField& piece, Message* message) {
    if (piece.field_tag_size() == 0) return Merge(piece.message(), message);
    int at = 0;
    for (;;) {
      const proto::FieldIndex& tag = piece.field_tag(at++);
      if (!tag.has_field()) return absl::DataLossError("a way to a field does not begin with a field's number");
      const FieldDescriptor* field = message->GetDescriptor()->FindFieldByNumber(static_cast<int>(tag.field()));
      if (field == nullptr) {
        return absl::UnimplementedError(absl::StrCat("a piece belongs to field ", tag.field(), " of ", message->GetDescriptor()->name(),
                                                     ", which this library does not know"));
      }
      const proto::FieldIndex* element = nullptr;
      if (field->is_repeated() && at < piece.field_tag_size() && !piece.field_tag(at).has_field()) element = &piece.field_tag(at++);
      if (at == piece.field_tag_size()) return Set(piece.message(), field, element, message);
      SM_ASSIGN_OR_RETURN(message, Enter(field, element, message));
    }
  }

  // The message that a step of the way leads to, made if it is not there.
  static absl::StatusOr<Message*> Enter(const FieldDescriptor* field, const proto::FieldIndex* element, Message* message) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::DataLossError(absl::StrCat("field ", field->full_name(), " has no fields"));
    const Reflection* reflection = message->GetReflection();
    if (!field->is_repeated()) return reflection->MutableMessage(message, field);
    if (element == nullptr) return absl::DataLossError(absl::StrCat("field ", field->full_name(), " is repeated, an index was wanted"));
    if (field->is_map()) return EnterMap(field, *element, message);
    const uint64_t size = static_cast<uint64_t>(reflection->FieldSize(*message, field));
    if (element->index() > size || !element->has_index()) {
      return absl::DataLossError(absl::StrCat("element ", element->index(), " of ", field->full_name(), " is wanted, there are ", size));
    }
    if (element->index() == size) return reflection->AddMessage(message, field);
    return reflection->MutableRepeatedMessage(message, field, static_cast<int>(element->index()));
  }

  static absl::StatusOr<Message*> EnterMap(const FieldDescriptor* field, const proto::FieldIndex& element, Message* message) {
    const FieldDescriptor* key = field->message_type()->FindFieldByNumber(1);
    const FieldDescriptor* value = field->message_type()->FindFieldByNumber(2);
    if (key->cpp_type() != FieldDescriptor::CPPTYPE_STRING || value->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || !element.map_key().has_s()) {
      return absl::UnimplementedError(absl::StrCat("a piece lies in the map ", field->full_name(), "; only maps from text to messages are read"));
    }
    const Reflection* reflection = message->GetReflection();
    Message* entry = nullptr;
    for (int i = 0; i < reflection->FieldSize(*message, field) && entry == nullptr; ++i) {
      Message* candidate = reflection->MutableRepeatedMessage(message, field, i);
      if (candidate->GetReflection()->GetString(*candidate, key) == element.map_key().s()) entry = candidate;
    }
    if (entry == nullptr) {
      entry = reflection->AddMessage(message, field);
      entry->GetReflection()->SetString(entry, key, element.map_key().s());
    }
    return entry->GetReflection()->MutableMessage(entry, value);
  }

  // The end of the way: a message is merged, bytes are set.
  absl::Status Set(const proto::ChunkedMessage& part, const FieldDescriptor* field, const proto::FieldIndex* element, Message* message) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      SM_ASSIGN_OR_RETURN(Message * target, Enter(field, element, message));
      return Merge(part, target);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
      return absl::UnimplementedError(absl::StrCat("a piece is the field ", field->full_name(), "; only messages and bytes are read"));
    }
    SM_ASSIGN_OR_RETURN(std::string bytes, TakeChunk(part.chunk_index()));
    const Reflection* reflection = message->GetReflection();
    if (!field->is_repeated()) {
      reflection->SetString(message, field, std::move(bytes));
      return absl::OkStatus();
    }
    const uint64_t size = static_cast<uint64_t>(reflection->FieldSize(*message, field));
    const uint64_t index = element == nullptr ? size : element->index();
    if (index > size) return absl::DataLossError(absl::StrCat("element ", index, " of ", field->full_name(), " is wanted, there are ", size));
    if (index == size) {
      reflection->AddString(message, field, std::move(bytes));
    } else {
      reflection->SetRepeatedString(message, field, static_cast<int>(index), std::move(bytes));
    }
    return absl::OkStatus();
  }

  std::vector<std::string> records_;
  std::map<uint64_t, bool> used_;
};

absl::Status CheckVersion(const proto::ChunkVersionDef& version) {
  if (version.join_version() > kJoinVersion) {
    return absl::UnimplementedError(absl::StrCat("its pieces are to be joined by version ", version.join_version(), ", this library knows ", kJoinVersion));
  }
  if (std::find(version.bad_consumers().begin(), version.bad_consumers().end(), kJoinVersion) != version.bad_consumers().end()) {
    return absl::UnimplementedError(absl::StrCat("it disallows readers of version ", kJoinVersion));
  }
  return absl::OkStatus();
}

absl::Status ReadChunked(const ReadableFile& file, Message* message) {
  // Graphs compress well, weights do not; nothing real comes near this.
  const uint64_t max_bytes = (uint64_t{64} << 20) + 1024 * file.size();
  std::vector<std::string> records;
  std::map<uint64_t, size_t> by_position;
  SM_RETURN_IF_ERROR(ReadRiegeli(file, max_bytes, [&](uint64_t position, std::string record) {
    by_position[position] = records.size();
    records.push_back(std::move(record));
    return absl::OkStatus();
  }));
  proto::ChunkMetadata metadata;
  if (records.empty() || !metadata.ParseFromString(records.back())) return absl::DataLossError("its last record does not tell how the pieces fit");
  SM_RETURN_IF_ERROR(CheckVersion(metadata.version()));
  std::vector<std::string> pieces;
  for (const proto::ChunkInfo& chunk : metadata.chunks()) {
    auto found = by_position.find(chunk.offset());
    if (found == by_position.end()) return absl::DataLossError(absl::StrCat("no piece lies at ", chunk.offset()));
    pieces.push_back(std::move(records[found->second]));
    by_position.erase(found);
  }
  return Merger(std::move(pieces)).Merge(metadata.message(), message);
}

}  // namespace

absl::Status ReadChunkedMessage(FileSource& source, const std::string& path, Message* message) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source.Open(path));
  absl::Status status = ReadChunked(*file, message);
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(source.name(), "/", path, ": ", status.message()));
}

}  // namespace savedmodel
