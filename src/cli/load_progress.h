// Loading a model, with a bar on the terminal when it takes long.
#ifndef SAVEDMODEL_CLI_LOAD_PROGRESS_H_
#define SAVEDMODEL_CLI_LOAD_PROGRESS_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "savedmodel/file_source.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel::cli {

// While one lives, and half a second has passed, the last line of stderr says how much of a model's files has been read. Nothing
// is written where stderr is no terminal. The line is wiped when the object goes.
class LoadProgress {
 public:
  explicit LoadProgress(const std::string& path);
  ~LoadProgress();
  // Counts what is read from `source` from now on.
  std::shared_ptr<FileSource> Watch(std::shared_ptr<FileSource> source);

  struct Count;

 private:
  void Draw();

  const std::string name_;
  std::shared_ptr<Count> count_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;  // only where there is a terminal
};

// LoadSavedModel with a LoadProgress. Which version of a model was taken is said on stderr.
absl::StatusOr<SavedModelBundle> LoadWithProgress(const SessionOptions& options, const std::unordered_set<std::string>& tags, const std::string& path);
absl::StatusOr<SavedModelBundle> LoadWithProgress(const SessionOptions& options, const std::unordered_set<std::string>& tags,
                                                  std::shared_ptr<FileSource> source);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_LOAD_PROGRESS_H_
