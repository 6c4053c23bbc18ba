// What the command line asked for, and the commands. They print to stdout; an error ends the program with exit code 1.
#ifndef SAVEDMODEL_CLI_COMMANDS_H_
#define SAVEDMODEL_CLI_COMMANDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace savedmodel::cli {

struct Arguments {
  std::optional<std::string> dir, tag_set, signature_def, op_denylist, outdir;
  std::string inputs, input_exprs, input_examples;
  bool all = false, list_ops = false, overwrite = false;
  std::optional<std::string> checkpoint;
  std::vector<std::string> paths;  // what follows freeze and convert: a file or directory to read, a file to write
  bool json = false;
};

absl::Status Show(const Arguments& arguments);
absl::Status Scan(const Arguments& arguments);
absl::Status RunModel(const Arguments& arguments);
absl::Status ListOps();
absl::Status ShowCheckpoint(const Arguments& arguments);
absl::Status Freeze(const Arguments& arguments);
absl::Status Convert(const Arguments& arguments);
absl::Status Doctor(const Arguments& arguments);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_COMMANDS_H_
