#include "savedmodel/model_source.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/files.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

class FolderSource final : public FileSource {
 public:
  FolderSource(std::shared_ptr<FileSource> source, std::string folder) : source_(std::move(source)), folder_(std::move(folder)) {}
  std::string name() const override { return JoinPath(source_->name(), folder_); }
  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    SM_RETURN_IF_ERROR(PathParts(path).status());  // ".." must not lead out of the folder
    return source_->Open(JoinPath(folder_, path));
  }
  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) override {
    if (folder.empty()) return source_->List(folder_);
    SM_RETURN_IF_ERROR(PathParts(folder).status());
    return source_->List(JoinPath(folder_, folder));
  }

 private:
  const std::shared_ptr<FileSource> source_;
  const std::string folder_;
};

constexpr const char* kModelFiles[] = {"saved_model.pb", "saved_model.pbtxt", "saved_model.cpb"};

bool IsModel(FileSource& source, const std::string& folder) {
  return std::any_of(std::begin(kModelFiles), std::end(kModelFiles), [&](const char* file) { return source.Exists(JoinPath(folder, file)); });
}

struct Version {
  int64_t number;
  std::string folder;
};

// Of the folders named by a number alone, those that hold a model; oldest first.
std::vector<Version> VersionsIn(FileSource& source, const std::vector<std::string>& names) {
  std::vector<Version> versions;
  for (const std::string& name : names) {
    int64_t number;
    const bool digits = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && absl::SimpleAtoi(name, &number) && IsModel(source, name)) versions.push_back({number, name});
  }
  std::sort(versions.begin(), versions.end(), [](const Version& a, const Version& b) {
    return std::make_pair(a.number, a.folder) < std::make_pair(b.number, b.folder);
  });
  return versions;
}

// What archive programs put beside the content.
bool IsSideFile(const std::string& name) { return name == "__MACOSX" || name == "PaxHeader" || name[0] == '.'; }

absl::Status NotFound(const std::string& path, absl::string_view why) {
  return absl::NotFoundError(absl::StrCat("Could not find SavedModel .pb or .pbtxt at supplied export directory path: ", path,
                                          ". Check that the directory exists and that you have the right permissions for accessing it. (", why, ")"));
}

std::string NoteOn(const std::string& where, const std::vector<Version>& versions) {
  if (versions.size() == 1) return absl::StrCat(where, ": version ", versions[0].folder, ", the only one there, is taken");
  constexpr size_t kShown = 8;
  const size_t first = versions.size() > kShown ? versions.size() - kShown : 0;
  const std::string list = absl::StrJoin(versions.begin() + static_cast<std::ptrdiff_t>(first), versions.end(), ", ",
                                         [](std::string* out, const Version& version) { out->append(version.folder); });
  return absl::StrCat(where, ": version ", versions.back().folder, " is taken, the newest of ", versions.size(), " (", first > 0 ? "..., " : "", list, ")");
}

}  // namespace

std::shared_ptr<FileSource> MakeFolderSource(std::shared_ptr<FileSource> source, std::string folder) {
  return std::make_shared<FolderSource>(std::move(source), std::move(folder));
}

absl::StatusOr<ModelLocation> FindModel(std::shared_ptr<FileSource> source, bool enter_single_folder) {
  constexpr int kMaxDepth = 8;
  const std::string where = source->name();
  std::string entered;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    if (IsModel(*source, "")) return ModelLocation{source, -1, entered};
    absl::StatusOr<std::vector<std::string>> names = source->List("");
    if (!names.ok()) return NotFound(where, names.status().message());
    const std::vector<Version> versions = VersionsIn(*source, *names);
    if (!versions.empty()) {
      const std::string note = NoteOn(source->name(), versions);
      return ModelLocation{MakeFolderSource(source, versions.back().folder), versions.back().number, note};
    }
    names->erase(std::remove_if(names->begin(), names->end(), IsSideFile), names->end());
    if (!enter_single_folder || names->size() != 1 || !source->List(names->front()).ok()) break;
    source = MakeFolderSource(source, names->front());
    entered = absl::StrCat(where, ": the folder ", source->name().substr(std::min(where.size() + 1, source->name().size())), " in it is taken");
  }
  return NotFound(where, "it holds none of saved_model.pb, saved_model.pbtxt and saved_model.cpb, and no numbered folder that does");
}

absl::StatusOr<std::shared_ptr<FileSource>> MakeArchiveSource(const std::string& path, const ArchiveOptions& options) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  DirectorySourceOptions follow;
  follow.follow_links_out = true;  // the user named this file
  SM_ASSIGN_OR_RETURN(std::shared_ptr<FileSource> source, MakeDirectorySource(folder, follow));
  SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source->Open(slash == std::string::npos ? path : path.substr(slash + 1)));
  return MakeArchiveSource(std::move(file), path, options);
}

absl::StatusOr<ModelLocation> FindModel(const std::string& path, const DirectorySourceOptions& directory_options, const ArchiveOptions& options) {
  struct stat info;
  if (path.find('\0') == std::string::npos && stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    absl::StatusOr<std::shared_ptr<FileSource>> archive = MakeArchiveSource(path, options);
    if (absl::IsInvalidArgument(archive.status())) return NotFound(path, archive.status().message());
    if (!archive.ok()) return archive.status();
    return FindModel(*std::move(archive), true);
  }
  absl::StatusOr<std::shared_ptr<FileSource>> directory = MakeDirectorySource(path, directory_options);
  if (!directory.ok()) return NotFound(path, directory.status().message());
  return FindModel(*std::move(directory));
}

}  // namespace savedmodel
