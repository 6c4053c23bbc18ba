// Writing result files, whole or not at all.
#ifndef SAVEDMODEL_CLI_OUTPUT_FILE_H_
#define SAVEDMODEL_CLI_OUTPUT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace savedmodel::cli {

// AlreadyExists, before any work is done, when the file is there and `overwrite` is not asked for.
absl::Status CheckOutputFile(const std::string& path, bool overwrite);

// Writes the message, as text when the name ends in .pbtxt, .prototxt or .txt. The file appears when it is complete. `bytes`: its size.
absl::Status WriteMessage(const std::string& path, const google::protobuf::Message& message, bool overwrite, int64_t* bytes);

// "12.3 MB"
std::string SizeText(int64_t bytes);

}  // namespace savedmodel::cli

#endif  // SAVEDMODEL_CLI_OUTPUT_FILE_H_
