// Brotli, as far as the build has it.
#ifndef SAVEDMODEL_LOADER_BROTLI_H_
#define SAVEDMODEL_LOADER_BROTLI_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace savedmodel {

// Unpacks to `out`, which grows with what comes. DataLoss unless exactly `size` bytes come; Unimplemented in builds without it.
absl::Status ExpandBrotli(absl::string_view packed, uint64_t size, std::string* out);

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_BROTLI_H_
