// In place of brotli.cc in builds without libbrotlidec.
#include "loader/brotli.h"

namespace savedmodel {

absl::Status ExpandBrotli(absl::string_view, uint64_t, std::string*) {
  return absl::UnimplementedError("is compressed with Brotli, and this build is without it (libbrotlidec)");
}

}  // namespace savedmodel
