// Finding the model behind a path: a SavedModel's directory, a directory of numbered versions, or an archive of either.
#ifndef SAVEDMODEL_MODEL_SOURCE_H_
#define SAVEDMODEL_MODEL_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "savedmodel/export.h"
#include "savedmodel/file_source.h"

namespace savedmodel {

// Limits on what an archive may unpack to. Sizes that the archive claims are not believed: what is counted is what comes out.
struct ArchiveOptions {
  uint64_t max_bytes = uint64_t{8} << 30;  // all files together
  int max_files = 100000;
  // An archive that grows past 1 GiB and past this many times its own size is taken for a decompression bomb.
  uint64_t max_ratio = 200;
};

// True when this library was built with libarchive.
SAVEDMODEL_EXPORT bool CanReadArchives();

// The files of a .zip, .tar, .tar.gz, .tar.bz2, .tar.xz or .tar.zst, unpacked into memory. Only regular files count: links and
// devices are left out. PermissionDenied for an entry whose name is absolute or has "..", InvalidArgument for a name that
// comes twice and for files that are no archive, DataLoss for damaged ones, ResourceExhausted past the limits, Unimplemented
// without libarchive.
SAVEDMODEL_EXPORT absl::StatusOr<std::shared_ptr<FileSource>> MakeArchiveSource(const std::string& path, const ArchiveOptions& options = {});
// The same from an open file; `name` is what messages call it.
SAVEDMODEL_EXPORT absl::StatusOr<std::shared_ptr<FileSource>> MakeArchiveSource(std::shared_ptr<ReadableFile> file, std::string name,
                                                                      const ArchiveOptions& options = {});

// What lies below `folder` of another source.
SAVEDMODEL_EXPORT std::shared_ptr<FileSource> MakeFolderSource(std::shared_ptr<FileSource> source, std::string folder);

struct ModelLocation {
  std::shared_ptr<FileSource> source;  // saved_model.pb, .pbtxt or .cpb lies at its root
  int64_t version = -1;                // the numbered folder that was taken; -1: none
  std::string note;                    // how it was chosen, one line for people; empty when `path` was the model itself
};

// Where LoadSavedModel(path) finds its files. A directory is the model itself when it holds saved_model.pb, .pbtxt or .cpb;
// otherwise its newest version: the folder with the greatest number for a name ("3", "0042"). A file is opened as an archive;
// there a single folder that holds everything is entered too. NotFound when there is none of these.
SAVEDMODEL_EXPORT absl::StatusOr<ModelLocation> FindModel(const std::string& path, const DirectorySourceOptions& directory = {},
                                                              const ArchiveOptions& archive = {});
// The same within a source that can list its folders.
SAVEDMODEL_EXPORT absl::StatusOr<ModelLocation> FindModel(std::shared_ptr<FileSource> source, bool enter_single_folder = false);

}  // namespace savedmodel

#endif  // SAVEDMODEL_MODEL_SOURCE_H_
