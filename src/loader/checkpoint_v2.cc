// A version 2 checkpoint: a table of entries that tell where in the data files ("shards") each tensor's bytes lie.
#include "loader/checkpoint_v2.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/crc32c.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "loader/checked_ahead.h"
#include "loader/checkpoint_v1.h"
#include "loader/table.h"
#include "loader/tensor_proto.h"
#include "loader/tensor_slice.h"
#include "loader/varint.h"
#include "savedmodel/checkpoint.pb.h"

namespace savedmodel {
namespace {

// Prefix compression can name keys much longer than the file. No real index comes near this many bytes of keys and values.
uint64_t MaxExpanded(uint64_t file_size) { return (uint64_t{64} << 20) + 128 * file_size; }

constexpr size_t kChunk = 1 << 20;  // read and hashed at once, while it is in the cache
// Below this a copy costs less than keeping a file mapped for it.
constexpr size_t kMinShared = 4096;

absl::Status AddContext(const absl::Status& status, absl::string_view before) {
  return absl::Status(status.code(), absl::StrCat(before, status.message()));
}

// Reverses the bytes of each number: of each half, for complex elements.
void SwapBytes(Tensor* tensor) {
  const size_t width = DataTypeSize(tensor->dtype()) / (IsComplex(tensor->dtype()) ? 2 : 1);
  char* begin = static_cast<char*>(tensor->raw());
  for (char* p = begin; width > 1 && p < begin + tensor->bytes(); p += width) std::reverse(p, p + width);
}

// An entry of the index that was checked: dtype and shape make sense, numbers are not negative.
struct Entry {
  DataType dtype = DataType::kInvalid;
  TensorShape shape;
  int shard = 0;
  uint64_t offset = 0, size = 0;
  uint32_t crc = 0;  // unmasked
  std::vector<TensorSlice> slices;
};

// Of a tensor in slices, whose entry has no size.
uint64_t BytesOf(const Entry& entry) {
  uint64_t bytes;
  return __builtin_mul_overflow(static_cast<uint64_t>(entry.shape.num_elements()), static_cast<uint64_t>(DataTypeSize(entry.dtype)), &bytes) ? 0 : bytes;
}

bool LiesIn(const ReadableFile& file, const Entry& entry) { return entry.offset <= file.size() && entry.size <= file.size() - entry.offset; }

class CheckpointV2 final : public Checkpoint {
 public:
  CheckpointV2(std::shared_ptr<FileSource> source, const std::string& prefix, const CheckpointOptions& options)
      : source_(std::move(source)), prefix_(prefix), name_(JoinPath(source_->name(), prefix)), options_(options) {}
  int version() const override { return 2; }

  absl::Status ReadIndex(std::shared_ptr<ReadableFile> file);
  absl::StatusOr<std::vector<CheckpointEntry>> List() const override;
  bool Has(absl::string_view key) const override { return !IsInternal(key) && Lookup(key) != nullptr; }
  absl::StatusOr<CheckpointEntry> Find(absl::string_view key) const override;
  void CheckAhead(const std::atomic<bool>& stop) const override;

 private:
  // The header's key is empty, those of slices begin with a NUL.
  static bool IsInternal(absl::string_view key) { return key.empty() || key[0] == '\0'; }
  const std::string* Lookup(absl::string_view key) const;
  absl::Status ReadHeader();
  absl::StatusOr<Entry> ParseEntry(absl::string_view key) const;
  absl::StatusOr<std::shared_ptr<ReadableFile>> Shard(int shard) const;
  absl::StatusOr<Tensor> ReadWhole(const CheckpointEntry& entry, Allocator* allocator) const override;
  absl::StatusOr<Tensor> ReadSlice(const CheckpointEntry& entry, const TensorSlice& slice, Allocator* allocator) const override;
  absl::StatusOr<Tensor> ReadParts(absl::string_view key, const Entry& entry, const TensorSlice& wanted, Allocator* allocator) const;
  absl::StatusOr<Tensor> ReadStored(absl::string_view key, const Entry& entry, Allocator* allocator) const;
  absl::Status ReadNumbers(absl::string_view key, const Entry& entry, std::shared_ptr<ReadableFile> file, Allocator* allocator, Tensor* tensor) const;
  absl::Status ReadStrings(absl::string_view key, const Entry& entry, const ReadableFile& file, Tensor* tensor) const;
  absl::Status CheckCrc(absl::string_view key, const Entry& entry, uint32_t crc) const;
  const char* Mapped(const Entry& entry, const ReadableFile& file) const;

  const std::shared_ptr<FileSource> source_;
  const std::string prefix_;
  const std::string name_;  // of the prefix in messages
  const CheckpointOptions options_;
  std::vector<std::pair<std::string, std::string>> entries_;  // key, message; ascending
  int num_shards_ = 0;
  bool swap_ = false;  // written on a machine of the other byte order

  mutable std::mutex mutex_;
  mutable std::map<int, std::shared_ptr<ReadableFile>> shards_;  // those opened so far
  mutable std::unique_ptr<CheckedAhead> owned_ahead_;            // written once, before ahead_ points to it
  mutable std::atomic<CheckedAhead*> ahead_{nullptr};
};

absl::Status CheckpointV2::ReadIndex(std::shared_ptr<ReadableFile> file) {
  const std::string path = name_ + ".index";
  absl::StatusOr<std::unique_ptr<Table>> table = Table::Open(std::move(file));
  if (!table.ok()) return AddContext(table.status(), absl::StrCat(path, ": "));
  uint64_t expanded = 0;
  absl::Status status = (*table)->ForEach([&](absl::string_view key, absl::string_view value) {
    expanded += key.size() + value.size();
    if (expanded > MaxExpanded((*table)->file_size())) return absl::DataLossError("the keys and values are far larger than the file");
    entries_.emplace_back(std::string(key), std::string(value));
    return absl::OkStatus();
  });
  const char* problem = "failed to seek to header entry";
  if (status.ok()) {
    problem = "unable to parse header";
    status = ReadHeader();
  }
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("Unable to read file (", path,
                                                  "). Perhaps the file is corrupt or was produced by a newer version of TensorFlow with format changes (", problem,
                                                  "): ", status.message()));
}

absl::Status CheckpointV2::ReadHeader() {
  if (entries_.empty() || !entries_.front().first.empty()) return absl::DataLossError("the table has no header entry");
  proto::BundleHeaderProto header;
  if (!header.ParseFromString(entries_.front().second)) return absl::DataLossError("Entry for key  not parseable.");
  num_shards_ = header.num_shards();
  swap_ = header.endianness() == proto::BundleHeaderProto::BIG;
  return CheckCheckpointVersions(header.version());
}

const std::string* CheckpointV2::Lookup(absl::string_view key) const {
  auto found = std::lower_bound(entries_.begin(), entries_.end(), key, [](const auto& entry, absl::string_view k) { return absl::string_view(entry.first) < k; });
  return found == entries_.end() || absl::string_view(found->first) != key ? nullptr : &found->second;
}

absl::StatusOr<Entry> CheckpointV2::ParseEntry(absl::string_view key) const {
  const std::string* value = Lookup(key);
  if (value == nullptr || key.empty()) return absl::NotFoundError(absl::StrCat("Key ", key, " not found in checkpoint"));
  proto::BundleEntryProto message;
  if (!message.ParseFromString(*value)) return absl::DataLossError(absl::StrCat("Entry for key ", key, " not parseable."));
  Entry entry;
  entry.dtype = static_cast<DataType>(message.dtype());
  absl::StatusOr<TensorShape> shape = ShapeFromProto(message.shape());
  if (!shape.ok()) return absl::DataLossError(absl::StrCat("Invalid tensor shape: ", key, " ", shape.status().message()));
  entry.shape = *std::move(shape);
  if (DataTypeSize(entry.dtype) == 0 || IsRef(entry.dtype)) {
    return absl::DataLossError(absl::StrCat("Entry for key ", key, " has dtype ", DataTypeName(entry.dtype), " (", message.dtype(), ")"));
  }
  for (const proto::TensorSliceProto& slice : message.slices()) {
    SM_ASSIGN_OR_RETURN(TensorSlice parsed, TensorSlice::FromProto(slice));
    entry.slices.push_back(std::move(parsed));
  }
  if (entry.slices.empty() && (message.shard_id() < 0 || message.shard_id() >= num_shards_ || message.offset() < 0 || message.size() < 0)) {
    return absl::DataLossError(absl::StrCat("Entry for key ", key, " points to bytes ", message.offset(), " and ", message.size(), " more, of shard ",
                                            message.shard_id(), " of ", num_shards_));
  }
  entry.shard = message.shard_id();
  entry.offset = static_cast<uint64_t>(message.offset());
  entry.size = static_cast<uint64_t>(message.size());
  entry.crc = UnmaskCrc32c(message.crc32c());
  return entry;
}

absl::StatusOr<CheckpointEntry> CheckpointV2::Find(absl::string_view key) const {
  SM_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(key));
  CheckpointEntry found;
  found.key = std::string(key);
  found.dtype = entry.dtype;
  found.shape = entry.shape;
  found.sliced = !entry.slices.empty();
  found.shard = entry.shard;
  found.offset = entry.offset;
  found.bytes = entry.slices.empty() ? entry.size : BytesOf(entry);
  return found;
}

absl::StatusOr<std::vector<CheckpointEntry>> CheckpointV2::List() const {
  std::vector<CheckpointEntry> list;
  for (const auto& [key, value] : entries_) {
    if (IsInternal(key)) continue;
    SM_ASSIGN_OR_RETURN(CheckpointEntry entry, Find(key));
    list.push_back(std::move(entry));
  }
  return list;
}

absl::StatusOr<std::shared_ptr<ReadableFile>> CheckpointV2::Shard(int shard) const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<ReadableFile>& file = shards_[shard];
  if (file == nullptr) {
    SM_ASSIGN_OR_RETURN(file, source_->Open(absl::StrFormat("%s.data-%05d-of-%05d", prefix_, shard, num_shards_)));
  }
  return file;
}

absl::StatusOr<Tensor> CheckpointV2::ReadWhole(const CheckpointEntry& found, Allocator* allocator) const {
  SM_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(found.key));
  if (entry.slices.empty()) return ReadStored(found.key, entry, allocator);
  return ReadParts(found.key, entry, TensorSlice::Whole(entry.shape.rank()), allocator);
}

absl::StatusOr<Tensor> CheckpointV2::ReadSlice(const CheckpointEntry& found, const TensorSlice& slice, Allocator* allocator) const {
  SM_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(found.key));
  return ReadParts(found.key, entry, slice, allocator);
}

// The wanted slice, put together from those that are stored.
absl::StatusOr<Tensor> CheckpointV2::ReadParts(absl::string_view key, const Entry& entry, const TensorSlice& wanted, Allocator* allocator) const {
  SliceSet set(entry.shape);
  if (entry.slices.empty()) SM_RETURN_IF_ERROR(set.Add(TensorSlice::Whole(entry.shape.rank())));
  for (const TensorSlice& slice : entry.slices) SM_RETURN_IF_ERROR(set.Add(slice));
  SM_ASSIGN_OR_RETURN(const std::vector<size_t> parts, set.Cover(key, wanted));
  SM_ASSIGN_OR_RETURN(const TensorShape shape, wanted.ShapeWithin(entry.shape));
  Tensor result;
  if (parts.size() != 1) {
    SM_ASSIGN_OR_RETURN(result, Tensor::Allocate(entry.dtype, shape, allocator));
  }
  for (size_t part : parts) {
    const TensorSlice& stored_slice = set.slices()[part];
    Entry stored = entry;  // a slice that is the whole tensor lies under the tensor's own key
    if (!stored_slice.IsWhole()) {
      absl::StatusOr<Entry> found = ParseEntry(stored_slice.Key(key));
      if (!found.ok()) return AddContext(found.status(), absl::StrCat("slice ", stored_slice.ToString(), " of ", key, ": "));
      stored = *std::move(found);
    }
    SM_ASSIGN_OR_RETURN(Tensor values, ReadStored(key, stored, allocator));
    if (parts.size() == 1 && values.shape() == shape && values.dtype() == entry.dtype) return values;
    if (!result.initialized()) {
      SM_ASSIGN_OR_RETURN(result, Tensor::Allocate(entry.dtype, shape, allocator));
    }
    SM_RETURN_IF_ERROR(CopyIntersection(entry.shape, stored_slice, values, wanted, &result));
  }
  return result;
}

absl::StatusOr<Tensor> CheckpointV2::ReadStored(absl::string_view key, const Entry& entry, Allocator* allocator) const {
  if (entry.dtype != DataType::kString && !IsPlainData(entry.dtype)) {
    return absl::UnimplementedError(absl::StrCat("Key ", key, " holds a tensor of dtype ", DataTypeName(entry.dtype), ", which cannot be restored"));
  }
  const uint64_t elements = static_cast<uint64_t>(entry.shape.num_elements());
  uint64_t wanted;
  if (entry.dtype == DataType::kString) {
    if (entry.size < 4 || elements > entry.size - 4) {  // a byte of length each, and the checksum of the lengths
      return absl::DataLossError(absl::StrCat("Invalid size in bundle entry: key ", key, "; stored size ", entry.size, "; expected size is at least ", elements, " + 4"));
    }
  } else if (__builtin_mul_overflow(elements, static_cast<uint64_t>(DataTypeSize(entry.dtype)), &wanted) || wanted != entry.size) {
    return absl::DataLossError(absl::StrCat("Invalid size in bundle entry: key ", key, "; stored size ", entry.size, "; expected size ", elements, " * ",
                                            DataTypeSize(entry.dtype)));
  } else if (wanted == 0) {
    return Tensor::Allocate(entry.dtype, entry.shape, allocator);  // a shard of empty tensors alone has no file
  }
  SM_ASSIGN_OR_RETURN(const std::shared_ptr<ReadableFile> file, Shard(entry.shard));
  if (!LiesIn(*file, entry)) {
    return AddContext(ReadPastEnd(entry.offset, static_cast<size_t>(entry.size), file->size()), absl::StrCat("Key ", key, ", shard ", entry.shard, ": "));
  }
  Tensor tensor;
  if (entry.dtype == DataType::kString) {
    SM_ASSIGN_OR_RETURN(tensor, Tensor::Allocate(entry.dtype, entry.shape, allocator));
    SM_RETURN_IF_ERROR(ReadStrings(key, entry, *file, &tensor));
  } else {
    SM_RETURN_IF_ERROR(ReadNumbers(key, entry, file, allocator, &tensor));
  }
  return tensor;
}

// A share of a mapped file, which stays mapped as long as the tensor lives.
Tensor ShareOf(const Entry& entry, std::shared_ptr<ReadableFile> file) {
  struct Share {
    std::shared_ptr<ReadableFile> file;
    uint64_t offset;
  };
  void* data = const_cast<char*>(static_cast<const char*>(file->mapping())) + entry.offset;  // a tensor's memory; never written
  Buffer* buffer = new Buffer(
      data, static_cast<size_t>(entry.size),
      [](Buffer* b) {
        delete static_cast<Share*>(b->owner());
        delete b;
      },
      new Share{std::move(file), entry.offset},
      [](Buffer* b, size_t offset, size_t bytes) {
        const Share* share = static_cast<const Share*>(b->owner());
        share->file->Idle(share->offset + offset, bytes);
      });
  return Tensor::FromBuffer(entry.dtype, entry.shape, buffer, data);
}

// The bytes of an entry that lies inside the file, if they can be used where they are.
const char* CheckpointV2::Mapped(const Entry& entry, const ReadableFile& file) const {
  const char* mapped = static_cast<const char*>(file.mapping());
  if (mapped == nullptr || swap_ || entry.dtype == DataType::kBool || entry.size < kMinShared || entry.offset % DataTypeSize(entry.dtype) != 0) return nullptr;
  return mapped + entry.offset;
}

void CheckpointV2::CheckAhead(const std::atomic<bool>& stop) const {
  if (!options_.verify_checksums) return;
  std::vector<CheckedAhead::Stretch> stretches;
  for (const auto& [key, value] : entries_) {
    if (stop.load(std::memory_order_relaxed)) return;
    const absl::StatusOr<Entry> entry = ParseEntry(key);
    if (!entry.ok() || !entry->slices.empty() || !IsPlainData(entry->dtype)) continue;
    const absl::StatusOr<std::shared_ptr<ReadableFile>> file = Shard(entry->shard);
    if (!file.ok() || !LiesIn(**file, *entry)) continue;
    if (const char* mapped = Mapped(*entry, **file); mapped != nullptr) stretches.push_back({entry->shard, entry->offset, entry->size, mapped});
  }
  owned_ahead_ = std::make_unique<CheckedAhead>(std::move(stretches));
  ahead_.store(owned_ahead_.get(), std::memory_order_release);
  owned_ahead_->Run(stop);
}

absl::Status CheckpointV2::ReadNumbers(absl::string_view key, const Entry& entry, std::shared_ptr<ReadableFile> file, Allocator* allocator, Tensor* tensor) const {
  const size_t size = static_cast<size_t>(entry.size);
  if (const char* mapped = Mapped(entry, *file); mapped != nullptr) {
    if (options_.verify_checksums) {
      CheckedAhead* ahead = ahead_.load(std::memory_order_acquire);
      SM_RETURN_IF_ERROR(CheckCrc(key, entry, ahead != nullptr ? ahead->Crc(entry.shard, entry.offset, entry.size, mapped) : Crc32c(mapped, size)));
    }
    file->Checked(entry.offset, size);
    *tensor = ShareOf(entry, std::move(file));  // its pages stay for the first run
    return absl::OkStatus();
  }
  SM_ASSIGN_OR_RETURN(*tensor, Tensor::Allocate(entry.dtype, entry.shape, allocator));
  char* to = static_cast<char*>(tensor->raw());
  uint32_t crc = 0;
  for (size_t done = 0; done < size;) {
    const size_t n = std::min(kChunk, size - done);
    SM_RETURN_IF_ERROR(file->Read(entry.offset + done, n, to + done));
    if (options_.verify_checksums) crc = ExtendCrc32c(crc, to + done, n);
    done += n;
  }
  SM_RETURN_IF_ERROR(CheckCrc(key, entry, crc));
  if (swap_) SwapBytes(tensor);
  if (entry.dtype == DataType::kBool) NormalizeBools(tensor);
  return absl::OkStatus();
}

// The lengths as varints, their checksum, the bytes.
absl::Status CheckpointV2::ReadStrings(absl::string_view key, const Entry& entry, const ReadableFile& file, Tensor* tensor) const {
  // The allocator answers with a Status where std::string would throw: a sparse file may claim any size.
  SM_ASSIGN_OR_RETURN(const Tensor bytes, Tensor::Allocate(DataType::kUInt8, TensorShape({static_cast<int64_t>(entry.size)})));
  SM_RETURN_IF_ERROR(file.Read(entry.offset, bytes.bytes(), bytes.buffer()->data()));
  absl::string_view rest(static_cast<const char*>(bytes.raw()), bytes.bytes());
  absl::string_view lengths = rest;
  uint32_t crc = 0;  // of the lengths as numbers of 4 bytes, or 8 where they need them
  bool fits = true;
  uint64_t total = 0;
  for (int64_t i = 0; i < tensor->num_elements() && fits; ++i) {
    uint64_t length;
    fits = TakeVarint64(&rest, &length) && rest.size() >= 4;
    crc = ExtendCrc32c(crc, &length, length <= UINT32_MAX ? 4 : 8);
    total = length > entry.size || total > entry.size ? UINT64_MAX : total + length;
  }
  uint32_t stored = 0;
  if (fits) std::memcpy(&stored, rest.data(), 4);
  if (fits && options_.verify_checksums && UnmaskCrc32c(stored) != crc) {
    return absl::DataLossError(absl::StrCat("The length checksum does not match: expected ", UnmaskCrc32c(stored), " but actual is ", crc, ", key ", key));
  }
  if (!fits || rest.size() - 4 != total) {
    return absl::DataLossError(absl::StrCat("String lengths longer than expected offset: key ", key, ", stored size ", entry.size));
  }
  SM_RETURN_IF_ERROR(CheckCrc(key, entry, ExtendCrc32c(crc, rest.data(), rest.size())));
  rest.remove_prefix(4);
  for (std::string& text : tensor->flat<std::string>()) {
    uint64_t length;
    TakeVarint64(&lengths, &length);  // as above
    text.assign(rest.data(), static_cast<size_t>(length));
    rest.remove_prefix(static_cast<size_t>(length));
  }
  return absl::OkStatus();
}

absl::Status CheckpointV2::CheckCrc(absl::string_view key, const Entry& entry, uint32_t crc) const {
  if (!options_.verify_checksums || crc == entry.crc) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("TensorBundle at ", name_, " shard ", entry.shard, " (", entry.size, " bytes): Checksum does not match: stored ", entry.crc,
                                          " vs. calculated on the restored bytes ", crc, ", key ", key, ", offset ", entry.offset));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Checkpoint>> OpenCheckpointV2(std::shared_ptr<FileSource> source, const std::string& prefix, std::shared_ptr<ReadableFile> index,
                                                             const CheckpointOptions& options) {
  auto checkpoint = std::make_unique<CheckpointV2>(std::move(source), prefix, options);
  SM_RETURN_IF_ERROR(checkpoint->ReadIndex(std::move(index)));
  return checkpoint;
}

}  // namespace savedmodel
