// Archives as sources of files, read by libarchive. An archive is unpacked once, front to back, into memory: the formats
// are streams, and the files of a model are all needed anyway.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "savedmodel/model_source.h"

namespace savedmodel {

namespace {

constexpr size_t kBlock = 256 << 10;
constexpr uint64_t kHarmless = uint64_t{1} << 30;  // below this no ratio is suspicious

// A file that lies in memory, which tensors may share.
class UnpackedFile final : public ReadableFile {
 public:
  explicit UnpackedFile(std::string content) : content_(std::move(content)) {}
  uint64_t size() const override { return content_.size(); }
  absl::Status Read(uint64_t offset, size_t n, void* to) const override {
    if (offset > content_.size() || n > content_.size() - offset) return ReadPastEnd(offset, n, content_.size());
    if (n > 0) std::memcpy(to, content_.data() + offset, n);
    return absl::OkStatus();
  }
  const void* mapping() const override { return content_.empty() ? nullptr : content_.data(); }

 private:
  mutable std::string content_;
};

using Files = std::map<std::string, std::shared_ptr<UnpackedFile>>;

class ArchiveSource final : public FileSource {
 public:
  ArchiveSource(std::string name, Files files) : name_(std::move(name)), files_(std::move(files)) {}
  std::string name() const override { return name_; }

  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    SM_ASSIGN_OR_RETURN(const std::string key, Normal(path));
    auto found = files_.find(key);
    if (found == files_.end()) return absl::NotFoundError(absl::StrCat(name_, "/", path, "; No such file or directory in this archive"));
    return std::shared_ptr<ReadableFile>(found->second);
  }

  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) override {
    std::string prefix;
    if (!folder.empty()) {
      SM_ASSIGN_OR_RETURN(prefix, Normal(folder));
      prefix += "/";
    }
    std::vector<std::string> names;
    for (auto it = files_.lower_bound(prefix); it != files_.end() && it->first.compare(0, prefix.size(), prefix) == 0; ++it) {
      const std::string rest = it->first.substr(prefix.size());
      std::string name = rest.substr(0, rest.find('/'));
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    if (names.empty() && !prefix.empty()) return absl::NotFoundError(absl::StrCat(name_, "/", folder, "; No such directory in this archive"));
    std::sort(names.begin(), names.end());
    return names;
  }

  // "./a//b" -> "a/b".
  static absl::StatusOr<std::string> Normal(absl::string_view path) {
    SM_ASSIGN_OR_RETURN(const std::vector<std::string> parts, PathParts(path));
    std::string joined;
    for (const std::string& part : parts) joined = JoinPath(joined, part);
    return joined;
  }

 private:
  const std::string name_;
  const Files files_;
};

// Reads the archive's own bytes for libarchive.
struct Input {
  std::shared_ptr<ReadableFile> file;
  uint64_t at = 0;
  std::vector<char> block = std::vector<char>(kBlock);
  absl::Status status;

  static la_ssize_t Read(struct archive*, void* self, const void** data) {
    Input* input = static_cast<Input*>(self);
    const size_t n = static_cast<size_t>(std::min<uint64_t>(kBlock, input->file->size() - input->at));
    input->status = input->file->Read(input->at, n, input->block.data());
    if (!input->status.ok()) return ARCHIVE_FATAL;
    input->at += n;
    *data = input->block.data();
    return static_cast<la_ssize_t>(n);
  }
  static la_int64_t Seek(struct archive*, void* self, la_int64_t offset, int whence) {
    Input* input = static_cast<Input*>(self);
    const la_int64_t size = static_cast<la_int64_t>(input->file->size());
    const la_int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<la_int64_t>(input->at) : size;
    la_int64_t to;
    if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > size) return ARCHIVE_FATAL;
    input->at = static_cast<uint64_t>(to);
    return to;
  }
};

// Unpacks one archive, counting what comes out.
class Unpacker {
 public:
  Unpacker(std::shared_ptr<ReadableFile> file, const std::string& name, const ArchiveOptions& options)
      : name_(name), options_(options), archive_(archive_read_new()) {
    input_.file = std::move(file);
  }
  ~Unpacker() { archive_read_free(archive_); }

  absl::StatusOr<Files> Run() {
    if (archive_ == nullptr) return absl::ResourceExhaustedError("no memory for an archive reader");
    archive_read_support_format_zip(archive_);
    archive_read_support_format_tar(archive_);
    archive_read_support_filter_gzip(archive_);
    archive_read_support_filter_bzip2(archive_);
    archive_read_support_filter_xz(archive_);
    archive_read_support_filter_zstd(archive_);
    archive_read_set_seek_callback(archive_, Input::Seek);
    if (archive_read_open(archive_, &input_, nullptr, Input::Read, nullptr) != ARCHIVE_OK) return NoArchive();
    for (bool first = true;; first = false) {
      struct archive_entry* entry = nullptr;
      const int got = archive_read_next_header(archive_, &entry);
      if (got == ARCHIVE_EOF) break;
      if (got != ARCHIVE_OK && got != ARCHIVE_WARN) return first ? NoArchive() : Damaged("its list of files");
      SM_RETURN_IF_ERROR(Take(entry));
    }
    if (files_.empty()) return absl::InvalidArgumentError(absl::StrCat(name_, ": holds no files, a SavedModel in a .zip or .tar.gz was wanted"));
    return std::move(files_);
  }

 private:
  absl::Status NoArchive() const {
    if (!input_.status.ok()) return input_.status;
    return absl::InvalidArgumentError(absl::StrCat(name_, ": is no .zip or .tar archive that can be read (", Reason(), "), a SavedModel's directory or an archive of one was wanted"));
  }
  absl::Status Damaged(absl::string_view what) const {
    if (!input_.status.ok()) return input_.status;
    return absl::DataLossError(absl::StrCat(name_, ": ", what, " cannot be read: ", Reason()));
  }
  std::string Reason() const {
    const char* text = archive_error_string(archive_);
    return text == nullptr ? "its format is unknown" : text;
  }

  absl::Status Take(struct archive_entry* entry) {
    if (++entries_ > options_.max_files) {
      return absl::ResourceExhaustedError(absl::StrCat(name_, ": holds more than ", options_.max_files, " entries, ArchiveOptions::max_files allows no more"));
    }
    const char* text = archive_entry_pathname(entry);
    if (text == nullptr) return absl::InvalidArgumentError(absl::StrCat(name_, ": entry ", entries_, " has a name that is no text"));
    const absl::string_view given = text;
    if (archive_entry_filetype(entry) == AE_IFDIR || given == "." || given == "./") return absl::OkStatus();
    absl::StatusOr<std::string> path = ArchiveSource::Normal(given);
    if (!path.ok() || path->empty()) {
      return absl::PermissionDeniedError(absl::StrCat(name_, ": entry \"", given, "\" leads out of the archive, relative names without \"..\" were wanted"));
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(std::string content, Unpack(*path));
    if (!files_.emplace(*path, std::make_shared<UnpackedFile>(std::move(content))).second) {
      return absl::InvalidArgumentError(absl::StrCat(name_, ": holds \"", *path, "\" twice"));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Unpack(const std::string& path) {
    std::string content;
    for (;;) {
      const size_t before = content.size();
      // Grows with what comes, not with what is claimed.
      content.resize(before + std::max(kBlock, before / 2));
      size_t filled = before;
      la_ssize_t got = 1;
      while (filled < content.size() && (got = archive_read_data(archive_, &content[filled], content.size() - filled)) > 0) filled += static_cast<size_t>(got);
      content.resize(filled);
      if (got < 0) return Damaged(absl::StrCat("\"", path, "\""));
      total_ += filled - before;
      SM_RETURN_IF_ERROR(CheckTotal());
      if (got == 0) break;
    }
    content.shrink_to_fit();
    return content;
  }

  absl::Status CheckTotal() const {
    if (total_ > options_.max_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(name_, ": unpacks to more than ", options_.max_bytes, " bytes, ArchiveOptions::max_bytes allows no more"));
    }
    if (total_ > kHarmless && total_ / options_.max_ratio > input_.file->size()) {
      return absl::ResourceExhaustedError(absl::StrCat(name_, ": unpacks to more than ", options_.max_ratio, " times its ", input_.file->size(),
                                                       " bytes, which looks like a decompression bomb; unpack it by hand if it is none"));
    }
    return absl::OkStatus();
  }

  const std::string name_;
  const ArchiveOptions options_;
  struct archive* archive_;
  Input input_;
  Files files_;
  int entries_ = 0;
  uint64_t total_ = 0;
};

}  // namespace

bool CanReadArchives() { return true; }

absl::StatusOr<std::shared_ptr<FileSource>> MakeArchiveSource(std::shared_ptr<ReadableFile> file, std::string name, const ArchiveOptions& options) {
  Unpacker unpacker(std::move(file), name, options);
  SM_ASSIGN_OR_RETURN(Files files, unpacker.Run());
  return std::make_shared<ArchiveSource>(std::move(name), std::move(files));
}

}  // namespace savedmodel
