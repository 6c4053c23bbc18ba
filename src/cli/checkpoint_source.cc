#include "cli/checkpoint_source.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/python_error.h"
#include "core/status_macros.h"
#include "loader/graph_file.h"

namespace savedmodel::cli {
namespace {

constexpr absl::string_view kFolder = "variables/", kName = "variables";

class CheckpointSource final : public FileSource {
 public:
  CheckpointSource(std::shared_ptr<FileSource> model, NamedFile checkpoint) : model_(std::move(model)), checkpoint_(std::move(checkpoint)) {}
  std::string name() const override { return model_->name(); }
  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    const std::string prefix = absl::StrCat(kFolder, kName);
    if (!absl::StartsWith(path, prefix)) return model_->Open(path);
    return checkpoint_.source->Open(absl::StrCat(checkpoint_.name, path.substr(prefix.size())));
  }
  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) override {
    if (absl::StrCat(folder, "/") != kFolder) return model_->List(folder);
    SM_ASSIGN_OR_RETURN(const std::vector<std::string> names, checkpoint_.source->List(""));
    std::vector<std::string> shown;
    for (const std::string& name : names) {
      if (absl::StartsWith(name, checkpoint_.name)) shown.push_back(absl::StrCat(kName, name.substr(checkpoint_.name.size())));
    }
    return shown;
  }

 private:
  const std::shared_ptr<FileSource> model_;
  const NamedFile checkpoint_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<FileSource>> WithCheckpoint(std::shared_ptr<FileSource> model, const std::string& prefix) {
  absl::StatusOr<NamedFile> file = SplitPath(prefix);
  if (!file.ok() || (!file->source->Exists(file->name + ".index") && !file->source->Exists(file->name))) {
    return PythonError("ValueError", "The passed save_path is not a valid checkpoint: ", prefix);
  }
  return std::make_shared<CheckpointSource>(std::move(model), *std::move(file));
}

}  // namespace savedmodel::cli
