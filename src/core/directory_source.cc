// The files beneath a directory. The kernel keeps paths inside (openat2 with RESOLVE_BENEATH); where it cannot, each
// part of a path is opened by itself and no symbolic link is followed.
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/files.h"
#include "core/status_macros.h"

#if defined(__linux__)
#include <sys/syscall.h>
#endif
#if defined(SYS_openat2)
#include <linux/openat2.h>
#endif

namespace savedmodel {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status ErrorAt(absl::string_view path, int error) {
  if (error == EXDEV || error == ELOOP) {
    return absl::PermissionDeniedError(absl::StrCat(path, "; a symbolic link leads out of the model's directory, or in circles"));
  }
  absl::StatusCode code = absl::ErrnoToStatusCode(error);
  if (error == ENOTDIR || error == EISDIR) code = absl::StatusCode::kFailedPrecondition;
  if (error == EMFILE || error == ENFILE || error == ENOMEM) code = absl::StatusCode::kResourceExhausted;
  return absl::Status(code, absl::StrCat(path, "; ", std::string(strerror(error))));
}

class DiskFile final : public ReadableFile {
 public:
  DiskFile(Descriptor fd, uint64_t size, std::string path) : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}
  ~DiskFile() override {
    if (mapping_ != nullptr) munmap(mapping_, size_);
  }
  uint64_t size() const override { return size_; }
  const void* mapping() const override { return mapping_; }
  // Clean pages of a file take no room until they are read again.
  void Idle(uint64_t offset, uint64_t n) const override {
    constexpr uint64_t kWorthIt = uint64_t{1} << 15;
    if (mapping_ == nullptr || offset > size_ || n > size_ - offset || n < kWorthIt) return;
    const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    const uint64_t begin = (offset + page - 1) / page * page, end = (offset + n) / page * page;
    if (begin < end) madvise(static_cast<char*>(mapping_) + begin, end - begin, MADV_DONTNEED);
  }

  // A file that cannot be mapped is read.
  void Map() {
    if (size_ == 0 || size_ > SIZE_MAX) return;
    void* memory = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (memory != MAP_FAILED) mapping_ = memory;
  }

  absl::Status Read(uint64_t offset, size_t n, void* to) const override {
    if (offset > size_ || n > size_ - offset) return ReadPastEnd(offset, n, size_);
    char* out = static_cast<char*>(to);
    while (n > 0) {
      const ssize_t got = pread(fd_.get(), out, std::min<size_t>(n, 1u << 30), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrorAt(path_, errno);
      if (got == 0) return ReadPastEnd(offset, n, offset);  // the file shrank
      out += got;
      offset += static_cast<uint64_t>(got);
      n -= static_cast<size_t>(got);
    }
    return absl::OkStatus();
  }

 private:
  const Descriptor fd_;
  const uint64_t size_;
  const std::string path_;
  void* mapping_ = nullptr;
};

// A descriptor, or -1 with errno.
int OpenRetrying(int directory, const char* path, int flags) {
  int fd;
  do {
    fd = openat(directory, path, flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int OpenPartByPart(int root, const std::vector<std::string>& parts, int flags) {
  Descriptor folder;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    const int at = i == 0 ? root : folder.get();
    Descriptor next(OpenRetrying(at, parts[i].c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (next.get() < 0) return -1;
    folder = std::move(next);
  }
  return OpenRetrying(parts.size() == 1 ? root : folder.get(), parts.back().c_str(), flags | O_NOFOLLOW);
}

int OpenBeneath(int root, const std::vector<std::string>& parts, int flags) {
#if defined(SYS_openat2)
  const std::string path = absl::StrJoin(parts, "/");
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int tries = 0; tries < 16; ++tries) {  // EAGAIN: something was renamed meanwhile
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINTR || errno == EAGAIN) continue;
    // Kernels before 5.6, and sandboxes that forbid the call, go the slow way.
    if (errno == ENOSYS || errno == EPERM) break;
    return -1;
  }
#endif
  return OpenPartByPart(root, parts, flags);
}

class DirectorySource final : public FileSource {
 public:
  DirectorySource(std::string directory, Descriptor root, const DirectorySourceOptions& options)
      : directory_(std::move(directory)), root_(std::move(root)), options_(options) {}
  std::string name() const override { return directory_; }

  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    const std::string full = JoinPath(directory_, path);
    // A FIFO without a writer would block without O_NONBLOCK; regular files do not care.
    SM_ASSIGN_OR_RETURN(Descriptor fd, OpenInside(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat info;
    if (fstat(fd.get(), &info) != 0) return ErrorAt(full, errno);
    if (S_ISDIR(info.st_mode)) return ErrorAt(full, EISDIR);
    if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(full, "; is no regular file"));
    auto file = std::make_shared<DiskFile>(std::move(fd), static_cast<uint64_t>(info.st_size), full);
    if (options_.map_files) file->Map();
    return file;
  }

  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) override {
    SM_ASSIGN_OR_RETURN(Descriptor fd, OpenInside(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
    DIR* stream = fdopendir(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (stream == nullptr) return ErrorAt(JoinPath(directory_, folder), errno);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(stream);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  absl::StatusOr<Descriptor> OpenInside(absl::string_view path, int flags) {
    std::vector<std::string> parts = {"."};
    if (path != ".") {
      SM_ASSIGN_OR_RETURN(parts, PathParts(path));
    }
    Descriptor fd(options_.follow_links_out ? OpenRetrying(root_.get(), absl::StrJoin(parts, "/").c_str(), flags)
                                            : OpenBeneath(root_.get(), parts, flags));
    if (fd.get() < 0) return ErrorAt(JoinPath(directory_, path), errno);
    return fd;
  }

  const std::string directory_;
  const Descriptor root_;
  const DirectorySourceOptions options_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<FileSource>> MakeDirectorySource(const std::string& directory, const DirectorySourceOptions& options) {
  if (directory.empty()) return absl::NotFoundError("the model's directory has an empty path");
  if (directory.find('\0') != std::string::npos) return absl::InvalidArgumentError("the directory's path holds a NUL byte");
  Descriptor root(OpenRetrying(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY));
  if (root.get() < 0) return ErrorAt(directory, errno);
  return std::make_shared<DirectorySource>(directory, std::move(root), options);
}

}  // namespace savedmodel
