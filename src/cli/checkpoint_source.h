// A model's files with another checkpoint in place of its own.
#ifndef SAVEDMODEL_CLI_CHECKPOINT_SOURCE_H_
#define SAVEDMODEL_CLI_CHECKPOINT_SOURCE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "savedmodel/file_source.h"

namespace savedmodel::cli {

// `prefix`: the checkpoint's path without ".index".
absl::StatusOr<std::shared_ptr<FileSource>> WithCheckpoint(std::shared_ptr<FileSource> model, const std::string& prefix);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_CHECKPOINT_SOURCE_H_
