// A version 1 checkpoint is one or more tables. Under the key "" each has the names, dtypes, shapes and slices of what it
// holds; under the key of a slice, its values as a message with a typed list.
#include "loader/checkpoint_v1.h"

#include <map>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "loader/table.h"
#include "loader/tensor_proto.h"
#include "loader/tensor_slice.h"
#include "savedmodel/checkpoint.pb.h"

namespace savedmodel {
namespace {

constexpr int kVersion = 1;  // the newest format of checkpoints that this reader knows

struct StoredTensor {
  StoredTensor(DataType type, const TensorShape& shape) : dtype(type), slices(shape) {}
  DataType dtype;
  SliceSet slices;
  std::vector<size_t> files;  // that hold the slices
};

// How many values the typed list of the dtype has; -1 for dtypes that these files do not hold.
int64_t ListSize(DataType dtype, const proto::TensorProto& data) {
  switch (dtype) {
    case DataType::kFloat: return data.float_val_size();
    case DataType::kDouble: return data.double_val_size();
    case DataType::kInt64: return data.int64_val_size();
    case DataType::kBool: return data.bool_val_size();
    case DataType::kString: return data.string_val_size();
    case DataType::kComplex64: return data.scomplex_val_size() / 2;
    case DataType::kComplex128: return data.dcomplex_val_size() / 2;
    case DataType::kUInt32: return data.uint32_val_size();
    case DataType::kUInt64: return data.uint64_val_size();
    case DataType::kHalf: case DataType::kBFloat16: return data.half_val_size();
    case DataType::kInt32: case DataType::kInt16: case DataType::kInt8: case DataType::kUInt16: case DataType::kUInt8:
    case DataType::kQInt32: case DataType::kQInt16: case DataType::kQInt8: case DataType::kQUInt16: case DataType::kQUInt8:
      return data.int_val_size();
    default: return -1;
  }
}

class CheckpointV1 final : public Checkpoint {
 public:
  explicit CheckpointV1(std::string name) : name_(std::move(name)) {}
  int version() const override { return 1; }
  bool Has(absl::string_view key) const override { return tensors_.find(std::string(key)) != tensors_.end(); }

  absl::Status AddFile(FileSource& source, const std::string& path) {
    absl::StatusOr<std::unique_ptr<Table>> table = OpenTable(source, path);
    if (!table.ok()) {
      return absl::DataLossError(absl::StrCat("Unable to open table file ", JoinPath(source.name(), path), ": ", table.status().ToString(),
                                              ": perhaps your file is in a different file format and you need to use a different restore operator?"));
    }
    SM_ASSIGN_OR_RETURN(const std::optional<std::string> header, (*table)->Find(""));
    proto::SavedTensorSlices message;
    if (!header.has_value() || !message.ParseFromString(*header)) {
      return absl::InternalError(absl::StrCat("Failed to find the saved tensor slices at the beginning of the checkpoint file: ", JoinPath(source.name(), path)));
    }
    SM_RETURN_IF_ERROR(CheckCheckpointVersions(message.meta().versions()));
    files_.push_back(*std::move(table));
    for (const proto::SavedSliceMeta& tensor : message.meta().tensor()) SM_RETURN_IF_ERROR(AddTensor(tensor));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<CheckpointEntry>> List() const override {
    std::vector<CheckpointEntry> entries;
    for (const auto& [key, tensor] : tensors_) entries.push_back(EntryOf(key, tensor));
    return entries;
  }

  absl::StatusOr<CheckpointEntry> Find(absl::string_view key) const override {
    auto found = tensors_.find(std::string(key));
    if (found == tensors_.end()) return absl::NotFoundError(absl::StrCat("Tensor name \"", key, "\" not found in checkpoint files ", name_));
    return EntryOf(found->first, found->second);
  }

 private:
  static absl::StatusOr<std::unique_ptr<Table>> OpenTable(FileSource& source, const std::string& path) {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source.Open(path));
    return Table::Open(std::move(file));
  }

  static CheckpointEntry EntryOf(const std::string& key, const StoredTensor& tensor) {
    CheckpointEntry entry;
    entry.key = key;
    entry.dtype = tensor.dtype;
    entry.shape = tensor.slices.full_shape();
    entry.sliced = tensor.slices.slices().size() > 1;
    if (tensor.dtype != DataType::kString) {
      (void)__builtin_mul_overflow(static_cast<uint64_t>(entry.shape.num_elements()), static_cast<uint64_t>(DataTypeSize(tensor.dtype)), &entry.bytes);
    }
    return entry;
  }

  absl::Status AddTensor(const proto::SavedSliceMeta& message) {
    SM_ASSIGN_OR_RETURN(const TensorShape shape, ShapeFromProto(message.shape()));
    const DataType dtype = static_cast<DataType>(message.type());
    auto found = tensors_.try_emplace(message.name(), dtype, shape).first;
    StoredTensor& tensor = found->second;
    if (tensor.dtype != dtype || tensor.slices.full_shape() != shape) {
      return absl::InternalError(absl::StrCat("Incompatible tensor shapes or types detected for tensor ", message.name(), ": existing = ", DataTypeName(tensor.dtype),
                                              tensor.slices.full_shape().ToString(), ", new = ", DataTypeName(dtype), shape.ToString()));
    }
    for (const proto::TensorSliceProto& slice_message : message.slice()) {
      SM_ASSIGN_OR_RETURN(const TensorSlice slice, TensorSlice::FromProto(slice_message));
      SM_RETURN_IF_ERROR(tensor.slices.Add(slice));
      tensor.files.push_back(files_.size() - 1);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Tensor> ReadWhole(const CheckpointEntry& entry, Allocator* allocator) const override {
    return ReadSlice(entry, TensorSlice::Whole(entry.shape.rank()), allocator);
  }

  absl::StatusOr<Tensor> ReadSlice(const CheckpointEntry& entry, const TensorSlice& wanted, Allocator* allocator) const override {
    const StoredTensor& tensor = tensors_.at(entry.key);
    SM_ASSIGN_OR_RETURN(const std::vector<size_t> parts, tensor.slices.Cover(entry.key, wanted));
    std::vector<Tensor> stored;
    for (size_t part : parts) {
      SM_ASSIGN_OR_RETURN(Tensor values, ReadStored(entry, tensor.slices.slices()[part], tensor.files[part], allocator));
      stored.push_back(std::move(values));
    }
    SM_ASSIGN_OR_RETURN(const TensorShape shape, wanted.ShapeWithin(entry.shape));
    if (parts.size() == 1 && stored[0].shape() == shape) return stored[0];
    SM_ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(entry.dtype, shape, allocator));
    for (size_t i = 0; i < parts.size(); ++i) {
      SM_RETURN_IF_ERROR(CopyIntersection(entry.shape, tensor.slices.slices()[parts[i]], stored[i], wanted, &result));
    }
    return result;
  }

  absl::StatusOr<Tensor> ReadStored(const CheckpointEntry& entry, const TensorSlice& slice, size_t file, Allocator* allocator) const {
    SM_ASSIGN_OR_RETURN(const std::optional<std::string> value, files_[file]->Find(slice.Key(entry.key)));
    proto::SavedTensorSlices message;
    if (!value.has_value() || !message.ParseFromString(*value)) {
      return absl::InvalidArgumentError(absl::StrCat("Error copying slice data: no values of tensor ", entry.key, ", slice ", slice.ToString()));
    }
    SM_ASSIGN_OR_RETURN(const TensorShape shape, slice.ShapeWithin(entry.shape));
    proto::TensorProto* data = message.mutable_data()->mutable_data();
    const int64_t given = ListSize(entry.dtype, *data);
    if (given != shape.num_elements()) {
      return absl::InvalidArgumentError(absl::StrCat("Error copying slice data: tensor ", entry.key, ", slice ", slice.ToString(), " has ", given, " values, ",
                                                     DataTypeName(entry.dtype), shape.ToString(), " was wanted"));
    }
    data->set_dtype(static_cast<proto::DataType>(entry.dtype));
    data->clear_tensor_content();
    ShapeToProto(shape, data->mutable_tensor_shape());
    return TensorFromProto(*data, allocator);
  }

  const std::string name_;
  std::vector<std::unique_ptr<Table>> files_;
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpoint>> OpenCheckpointV1(std::shared_ptr<FileSource> source, const std::string& prefix, const std::vector<std::string>& files) {
  auto checkpoint = std::make_unique<CheckpointV1>(JoinPath(source->name(), prefix));
  for (const std::string& file : files) SM_RETURN_IF_ERROR(checkpoint->AddFile(*source, file));
  return checkpoint;
}

absl::Status CheckCheckpointVersions(const proto::VersionDef& versions) {
  if (versions.producer() < 0) return absl::InvalidArgumentError(absl::StrCat("Checkpoint producer version ", versions.producer(), " below min producer 0"));
  if (versions.min_consumer() > kVersion) {
    return absl::InvalidArgumentError(absl::StrCat("Checkpoint min consumer version ", versions.min_consumer(), " above current version ", kVersion));
  }
  if (absl::c_linear_search(versions.bad_consumers(), kVersion)) {
    return absl::InvalidArgumentError(absl::StrCat("Checkpoint disallows consumer version ", kVersion));
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
