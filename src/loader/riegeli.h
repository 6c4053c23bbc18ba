// Riegeli/records files: the container of chunked SavedModels (saved_model.cpb). Read only. docs/chunked.md describes what is read.
#ifndef SAVEDMODEL_LOADER_RIEGELI_H_
#define SAVEDMODEL_LOADER_RIEGELI_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "savedmodel/file_source.h"

namespace savedmodel {

// Calls visit(position, record) for all records in order, until one call fails; `position` is the number by which the file's
// writer knows the record. DataLoss for damage (all hashes are compared), Unimplemented for kinds of chunks and of compression
// that this build does not read, ResourceExhausted when the records come to more than `max_bytes`. Memory is taken as records
// come out, never for a size that the file merely claims.
absl::Status ReadRiegeli(const ReadableFile& file, uint64_t max_bytes, absl::FunctionRef<absl::Status(uint64_t position, std::string record)> visit);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_RIEGELI_H_
