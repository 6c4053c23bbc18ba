// Messages too large for one record: saved_model.cpb. docs/chunked.md describes the format.
#ifndef SAVEDMODEL_LOADER_CHUNKED_H_
#define SAVEDMODEL_LOADER_CHUNKED_H_

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "savedmodel/file_source.h"

namespace savedmodel {

// Puts `message` together from the records of the file. DataLoss for damage and for pieces that do not fit, Unimplemented for
// what a newer writer did; else the errors of the file.
absl::Status ReadChunkedMessage(FileSource& source, const std::string& path, google::protobuf::Message* message);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_CHUNKED_H_
