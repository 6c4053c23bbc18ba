// Where a model's files come from: a directory, memory, or a container of the user's own.
#ifndef SAVEDMODEL_FILE_SOURCE_H_
#define SAVEDMODEL_FILE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "savedmodel/export.h"

namespace savedmodel {

// A file opened for reading. Any number of threads may read at once.
class SAVEDMODEL_EXPORT ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual uint64_t size() const = 0;  // bytes
  // Copies exactly the bytes [offset, offset + n) to `to`. OutOfRange when the file ends before.
  virtual absl::Status Read(uint64_t offset, size_t n, void* to) const = 0;
  // All bytes, where they lie in memory as long as this object lives: tensors then share it. Nobody writes it. Else null.
  virtual const void* mapping() const { return nullptr; }
  // Told that the mapped bytes [offset, offset + n) are a tensor that was looked through, as loading does to verify it; for progress.
  virtual void Checked(uint64_t /*offset*/, uint64_t /*n*/) const {}
  // A hint that the mapped bytes [offset, offset + n) will not be read for a while.
  virtual void Idle(uint64_t /*offset*/, uint64_t /*n*/) const {}
};

// A read-only tree of files. Paths are relative and use '/' ("variables/variables.index"). Implement this to load models
// from a packed file, a network store or an encrypted container. Methods may be called by several threads at once.
class SAVEDMODEL_EXPORT FileSource {
 public:
  virtual ~FileSource() = default;
  // What messages call this place, for example the directory's path.
  virtual std::string name() const = 0;
  // NotFound when there is no such file, FailedPrecondition when it is no regular file.
  virtual absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) = 0;
  virtual bool Exists(absl::string_view path) { return Open(path).ok(); }
  // The names (without the folder) of what lies in `folder` ("": the root), sorted. Needed only for old (V1) checkpoints
  // of several files.
  virtual absl::StatusOr<std::vector<std::string>> List(absl::string_view /*folder*/) {
    return absl::UnimplementedError("this source of files cannot list folders");
  }
};

struct DirectorySourceOptions {
  // Maps files into memory instead of reading them: variables are then paged in as they are used, and shared by the
  // processes that load the model. A file that shrinks while it is mapped ends the process (SIGBUS).
  bool map_files = false;
  // Follows symbolic links that lead out of the directory, as those of a download cache do. Only for directories whose
  // content you trust.
  bool follow_links_out = false;
};

// The files beneath a directory, and nothing else: "..", absolute paths, symbolic links that lead out and anything that
// is no regular file (FIFO, device) are refused. The directory is opened once; renaming it later changes nothing.
// NotFound when there is no such directory.
SAVEDMODEL_EXPORT absl::StatusOr<std::shared_ptr<FileSource>> MakeDirectorySource(const std::string& directory,
                                                                const DirectorySourceOptions& options = {});

// Files in memory: path -> content.
SAVEDMODEL_EXPORT std::shared_ptr<FileSource> MakeMemorySource(std::map<std::string, std::string> files, std::string name = "memory");

}  // namespace savedmodel

#endif  // SAVEDMODEL_FILE_SOURCE_H_
