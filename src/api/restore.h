// Puts the checkpoint's values into the variables of a session that is being loaded.
#ifndef SAVEDMODEL_API_RESTORE_H_
#define SAVEDMODEL_API_RESTORE_H_

#include <atomic>
#include <memory>
#include <mutex>

#include "loader/checkpoint.h"
#include "loader/lazy_meta_graph.h"
#include "runtime/graph_session.h"
#include "savedmodel/file_source.h"

namespace savedmodel {

// The checkpoint of a model: opened by the first that asks, and kept for the others. Any number of threads may ask.
class ModelCheckpoint {
 public:
  explicit ModelCheckpoint(std::shared_ptr<FileSource> source) : source_(std::move(source)) {}

  FileSource& source() const { return *source_; }
  static constexpr char kPrefix[] = "variables/variables";
  bool exists() const;
  absl::StatusOr<const Checkpoint*> Get();
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

// Runs the meta graph's restore op, as the reference does; without a saver or without a checkpoint there is nothing to
// do. Then variables that functions capture and the restore op left alone get the values that the object graph names:
// Keras 3 models written by tf.saved_model.save need that.
absl::Status RestoreVariables(LazyMetaGraph& meta_graph, std::shared_ptr<ModelCheckpoint> checkpoint, const Feeds& asset_feeds, const RunOptions& options,
                              GraphSession* session);

}  // namespace savedmodel

#endif  // SAVEDMODEL_API_RESTORE_H_
