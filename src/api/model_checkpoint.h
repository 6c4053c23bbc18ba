// The checkpoint that lies in a SavedModel.
#ifndef SAVEDMODEL_API_MODEL_CHECKPOINT_H_
#define SAVEDMODEL_API_MODEL_CHECKPOINT_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "loader/checkpoint.h"
#include "savedmodel/file_source.h"

namespace savedmodel {

// Opened by the first that asks, and kept for the others. Any number of threads may ask.
class ModelCheckpoint {
 public:
  explicit ModelCheckpoint(std::shared_ptr<FileSource> source) : source_(std::move(source)) {}

  FileSource& source() const { return *source_; }
  static constexpr char kPrefix[] = "variables/variables";
  bool exists() const;
  absl::StatusOr<const Checkpoint*> Get();  // valid as long as this object; errors are those of Checkpoint::Open
  absl::StatusOr<Tensor> Read(absl::string_view key, absl::string_view slice);

  // Compares values with their checksums before they are read, until the first one is: then the reader knows what is needed.
  void CheckAhead();
  void StopChecking() { stop_.store(true, std::memory_order_relaxed); }

 private:
  const std::shared_ptr<FileSource> source_;
  std::mutex mutex_;
  std::unique_ptr<Checkpoint> checkpoint_;  // guarded by mutex_ until it is there
  std::atomic<bool> stop_{false};
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_MODEL_CHECKPOINT_H_
