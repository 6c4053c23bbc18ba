#include "loader/saved_model.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "google/protobuf/text_format.h"
#include "loader/chunked.h"
#include "loader/tensor_proto.h"

namespace savedmodel {
namespace {

constexpr int kGraphVersion = 2474;    // TensorFlow 2.21's
constexpr int kOldestProducer = 0;

// A file as protobuf wants it, remembering whether more was asked for than there is.
class FileStream final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit FileStream(std::shared_ptr<ReadableFile> file) : file_(std::move(file)), block_(512 << 10) {}
  bool Next(const void** data, int* size) override {
    const uint64_t n = std::min<uint64_t>(block_.size(), file_->size() - at_);
    if (n == 0) {
      at_end_ = true;
      return false;
    }
    status_ = file_->Read(at_, static_cast<size_t>(n), block_.data());
    if (!status_.ok()) return false;
    at_ += n;
    *data = block_.data();
    *size = static_cast<int>(n);
    return true;
  }
  void BackUp(int count) override { at_ -= static_cast<uint64_t>(count); }
  bool Skip(int count) override {
    if (file_->size() - at_ < static_cast<uint64_t>(count)) {
      at_ = file_->size();
      at_end_ = true;
      return false;
    }
    at_ += static_cast<uint64_t>(count);
    return true;
  }
  int64_t ByteCount() const override { return static_cast<int64_t>(at_); }
  const absl::Status& status() const { return status_; }
  bool at_end() const { return at_end_; }

 private:
  std::shared_ptr<ReadableFile> file_;
  std::vector<char> block_;
  uint64_t at_ = 0;
  bool at_end_ = false;
  absl::Status status_;
};

class ErrorKeeper final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty()) text = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  std::string text;
};

std::string TagText(const std::set<std::string>& tags) {
  std::string text = "{ ";
  for (const std::string& tag : tags) absl::StrAppend(&text, tag, " ");
  return text + "}";
}

std::string TensorNames(const proto::TensorInfo& info, int depth = 0) {
  if (info.has_coo_sparse()) {
    return absl::StrCat(info.coo_sparse().values_tensor_name(), ",", info.coo_sparse().indices_tensor_name(), ",", info.coo_sparse().dense_shape_tensor_name());
  }
  if (info.has_composite_tensor() && depth < 16) {
    std::vector<std::string> names;
    for (const proto::TensorInfo& component : info.composite_tensor().components()) names.push_back(TensorNames(component, depth + 1));
    return absl::StrJoin(names, ",");
  }
  return info.name();
}

TensorInfo ReadInfo(const proto::TensorInfo& message) {
  TensorInfo info;
  info.name = TensorNames(message);
  info.dtype = static_cast<DataType>(message.dtype());
  absl::StatusOr<PartialShape> shape = PartialShapeFromProto(message.tensor_shape());
  if (shape.ok()) info.shape = *shape;
  return info;
}

}  // namespace

absl::Status ReadMessage(FileSource& source, const std::string& path, bool text, google::protobuf::Message* message) {
  const std::string where = absl::StrCat(source.name(), "/", path);
  SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source.Open(path));
  if (file->size() > static_cast<uint64_t>(INT32_MAX)) {
    return absl::DataLossError(absl::StrCat(where, ": is ", file->size(), " bytes long, a message has at most ", INT32_MAX));
  }
  FileStream stream(std::move(file));
  bool ok;
  ErrorKeeper errors;
  if (text) {
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&errors);
    parser.SetRecursionLimit(200);
    ok = parser.Parse(&stream, message);
  } else {
    google::protobuf::io::CodedInputStream coded(&stream);
    coded.SetTotalBytesLimit(INT32_MAX);
    ok = message->ParseFromCodedStream(&coded) && coded.ConsumedEntireMessage();
  }
  if (ok) return absl::OkStatus();
  if (!stream.status().ok()) return stream.status();
  if (stream.at_end()) return absl::OutOfRangeError(absl::StrCat(where, ": Read less bytes than requested: the message does not end with the file"));
  return absl::DataLossError(absl::StrCat("Can't parse ", where, text ? " as text proto" : " as binary proto", errors.text.empty() ? "" : ": ", errors.text));
}

bool MergePart(absl::string_view bytes, int depth, google::protobuf::Message* message) {
  constexpr int kMaxNesting = 100;  // of messages, protobuf's
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(kMaxNesting - depth);
  return message->MergePartialFromCodedStream(&stream) && stream.ConsumedEntireMessage();
}

absl::Status ReadSavedModel(FileSource& source, proto::SavedModel* model) {
  for (const char* file : {"saved_model.pb", "saved_model.pbtxt"}) {
    if (source.Exists(file)) return ReadMessage(source, file, absl::EndsWith(file, "txt"), model);
  }
  if (source.Exists("saved_model.cpb")) return ReadChunkedMessage(source, "saved_model.cpb", model);
  return absl::NotFoundError(absl::StrCat("Could not find SavedModel .pb or .pbtxt at supplied export directory path: ", source.name(),
                                          ". Check that the directory exists and that you have the right permissions for accessing it."));
}

absl::StatusOr<std::unique_ptr<proto::SavedModel>> ReadSavedModel(FileSource& source) {
  auto model = std::make_unique<proto::SavedModel>();
  SM_RETURN_IF_ERROR(ReadSavedModel(source, model.get()));
  return model;
}

absl::StatusOr<int> FindMetaGraph(const proto::SavedModel& model, const std::unordered_set<std::string>& tags) {
  const std::set<std::string> wanted(tags.begin(), tags.end());
  std::vector<std::string> there;
  for (int i = 0; i < model.meta_graphs_size(); ++i) {
    const auto& tags_there = model.meta_graphs(i).meta_info_def().tags();
    const std::set<std::string> have(tags_there.begin(), tags_there.end());
    if (have == wanted) return i;
    there.push_back(TagText(have));
  }
  return absl::NotFoundError(absl::StrCat("Could not find meta graph def matching supplied tags: ", TagText(wanted), ". This SavedModel has ",
                                          there.empty() ? "no meta graphs" : absl::StrJoin(there, ", ")));
}

absl::Status CheckVersions(const proto::VersionDef& versions) {
  SM_CHECK_ARGUMENT(versions.producer() >= kOldestProducer, "GraphDef producer version ", versions.producer(), " below min producer ", kOldestProducer,
                    " supported by this library. Please regenerate your graph.");
  SM_CHECK_ARGUMENT(versions.min_consumer() <= kGraphVersion, "GraphDef min consumer version ", versions.min_consumer(), " above current version ",
                    kGraphVersion, " of this library. Please upgrade it.");
  for (int bad : versions.bad_consumers()) {
    SM_CHECK_ARGUMENT(bad != kGraphVersion, "GraphDef disallows consumer version ", kGraphVersion, ". Please upgrade this library.");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAssets(const proto::MetaGraphDef& meta_graph) {
  std::vector<std::pair<std::string, std::string>> assets;
  if (meta_graph.asset_file_def_size() > 0) {
    for (const proto::AssetFileDef& asset : meta_graph.asset_file_def()) assets.emplace_back(asset.tensor_info().name(), asset.filename());
    return assets;
  }
  auto it = meta_graph.collection_def().find("saved_model_assets");
  if (it == meta_graph.collection_def().end()) return assets;
  for (const auto& any : it->second.any_list().value()) {
    proto::AssetFileDef asset;
    if (!absl::EndsWith(any.type_url(), "tensorflow.AssetFileDef")) {
      return absl::FailedPreconditionError(absl::StrCat("Expected Any type_url for: tensorflow.AssetFileDef. Got: ", any.type_url(), "."));
    }
    if (!asset.ParseFromString(std::string(any.value()))) {
      return absl::FailedPreconditionError("Failed to unpack: an asset of the collection saved_model_assets");
    }
    assets.emplace_back(asset.tensor_info().name(), asset.filename());
  }
  return assets;
}

absl::StatusOr<std::string> FindInitOp(const proto::MetaGraphDef& meta_graph, const std::string& where) {
  static constexpr char kSignature[] = "__saved_model_init_op";
  auto signature = meta_graph.signature_def().find(kSignature);
  if (signature != meta_graph.signature_def().end()) {
    auto output = signature->second.outputs().find(kSignature);
    if (output == signature->second.outputs().end()) return absl::FailedPreconditionError(absl::StrCat("Could not find output ", kSignature));
    return output->second.name();
  }
  for (const char* key : {"saved_model_main_op", "legacy_init_op"}) {
    auto collection = meta_graph.collection_def().find(key);
    if (collection == meta_graph.collection_def().end()) continue;
    if (collection->second.node_list().value_size() != 1) {
      return absl::FailedPreconditionError(absl::StrCat("Expected exactly one main op in : ", where));
    }
    return collection->second.node_list().value(0);
  }
  return std::string();
}

absl::StatusOr<SignatureMap> ReadSignatures(const proto::MetaGraphDef& meta_graph) {
  SignatureMap signatures;
  for (const auto& [key, message] : meta_graph.signature_def()) {
    Signature signature;
    signature.method_name = message.method_name();
    for (const auto& [name, info] : message.inputs()) signature.inputs[name] = ReadInfo(info);
    for (const auto& [name, info] : message.outputs()) signature.outputs[name] = ReadInfo(info);
    for (const auto& [name, value] : message.defaults()) {
      absl::StatusOr<Tensor> tensor = TensorFromProto(value);
      if (!tensor.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("signature \"", key, "\": tensor parsing error: default of \"", name, "\": ", tensor.status().message()));
      }
      signature.defaults[name] = *std::move(tensor);
    }
    signatures[key] = std::move(signature);
  }
  return signatures;
}

}  // namespace savedmodel
