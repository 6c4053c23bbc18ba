// Checkpoints: the values of a model's variables, as TensorFlow's savers write them. Version 2 ("tensor bundle": PREFIX.index
// and PREFIX.data-00000-of-00001) and version 1 (PREFIX, or PREFIX-00000-of-00001). docs/checkpoint.md describes the files.
#ifndef SAVEDMODEL_LOADER_CHECKPOINT_H_
#define SAVEDMODEL_LOADER_CHECKPOINT_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "savedmodel/file_source.h"
#include "savedmodel/saved_object_graph.pb.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

struct TensorSlice;

struct CheckpointOptions {
  // Compares tensors with their checksums. Without, damaged values load.
  bool verify_checksums = true;
};

struct CheckpointEntry {
  std::string key;
  DataType dtype = DataType::kInvalid;
  TensorShape shape;    // of the whole tensor
  bool sliced = false;  // stored in parts
  int shard = 0;        // where its bytes begin; reading in this order is fastest
  uint64_t offset = 0;
  uint64_t bytes = 0;   // that it takes in the files, as far as they say; strings of version 1 do not
};

// Immutable once open: any number of threads may read at once. Tensors are read when they are asked for. Nothing is
// allocated for a size that the files cannot back.
class Checkpoint {
 public:
  // NotFound when neither version lies at `prefix` ("variables/variables"); DataLoss when it is damaged.
  static absl::StatusOr<std::unique_ptr<Checkpoint>> Open(std::shared_ptr<FileSource> source, const std::string& prefix,
                                                          const CheckpointOptions& options = {});
  virtual ~Checkpoint() = default;

  // Every tensor, sorted by key. The keys of the slices of partitioned tensors are left out.
  virtual absl::StatusOr<std::vector<CheckpointEntry>> List() const = 0;
  virtual bool Has(absl::string_view key) const = 0;
  // NotFound for an unknown key, DataLoss for an entry that makes no sense.
  virtual absl::StatusOr<CheckpointEntry> Find(absl::string_view key) const = 0;
  // The tensor, or the part of it that a specification as RestoreV2's asks for ("4 3 0,2:-"; empty: all of it). It owns its
  // memory; from a mapped file (see ReadableFile::mapping) it may own a share of the mapping.
  absl::StatusOr<Tensor> Read(absl::string_view key, const std::string& shape_and_slice = "", Allocator* allocator = HostAllocator()) const;
  virtual int version() const = 0;  // of the format: 1 or 2
  // Compares mapped tensors with their checksums, front to back, until `stop`: Read then finds that done. Says nothing; only Read
  // does. To be called once, while other threads may read.
  virtual void CheckAhead(const std::atomic<bool>& /*stop*/) const {}

 private:
  virtual absl::StatusOr<Tensor> ReadWhole(const CheckpointEntry& entry, Allocator* allocator) const = 0;
  virtual absl::StatusOr<Tensor> ReadSlice(const CheckpointEntry& entry, const TensorSlice& slice, Allocator* allocator) const = 0;
};

struct CheckpointRequest {
  std::string key;
  std::string shape_and_slice;
  DataType dtype;  // what the graph expects
};

// All of these, in their order, with the checks of RestoreV2: dtypes that differ are all named in one InvalidArgument. The
// files are read front to back.
absl::StatusOr<std::vector<Tensor>> ReadTensors(const Checkpoint& checkpoint, const std::vector<CheckpointRequest>& requests,
                                                Allocator* allocator = HostAllocator());

// The objects that the checkpoint was written from. NotFound when it holds none (it was written from a graph),
// FailedPrecondition when what it holds is none.
absl::StatusOr<proto::TrackableObjectGraph> ReadObjectGraph(const Checkpoint& checkpoint);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_CHECKPOINT_H_
