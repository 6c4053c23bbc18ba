// In place of archive_source.cc in builds without libarchive.
#include "absl/strings/str_cat.h"
#include "savedmodel/model_source.h"

namespace savedmodel {

bool CanReadArchives() { return false; }

absl::StatusOr<std::shared_ptr<FileSource>> MakeArchiveSource(std::shared_ptr<ReadableFile>, std::string name, const ArchiveOptions&) {
  return absl::UnimplementedError(absl::StrCat(name, ": is a file, and this build reads no archives (it was made without libarchive); unpack it"));
}

}  // namespace savedmodel
