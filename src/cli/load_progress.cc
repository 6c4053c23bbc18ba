#include "cli/load_progress.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "core/status_macros.h"
#include "savedmodel/model_source.h"

namespace savedmodel::cli {

struct LoadProgress::Count {
  std::atomic<uint64_t> done{0}, total{0};  // bytes: read or checked, of the files opened so far
};

namespace {

using Count = LoadProgress::Count;
constexpr auto kFirst = std::chrono::milliseconds(500), kEach = std::chrono::milliseconds(100);
constexpr int kCells = 30;

class WatchedFile final : public ReadableFile {
 public:
  WatchedFile(std::shared_ptr<ReadableFile> file, std::shared_ptr<Count> count) : file_(std::move(file)), count_(std::move(count)) {}
  uint64_t size() const override { return file_->size(); }
  absl::Status Read(uint64_t offset, size_t n, void* to) const override {
    count_->done += n;
    return file_->Read(offset, n, to);
  }
  const void* mapping() const override { return file_->mapping(); }
  void Checked(uint64_t offset, uint64_t n) const override {
    count_->done += n;
    file_->Checked(offset, n);
  }
  void Idle(uint64_t offset, uint64_t n) const override { file_->Idle(offset, n); }

 private:
  const std::shared_ptr<ReadableFile> file_;
  const std::shared_ptr<Count> count_;
};

class WatchedSource final : public FileSource {
 public:
  WatchedSource(std::shared_ptr<FileSource> source, std::shared_ptr<Count> count) : source_(std::move(source)), count_(std::move(count)) {}
  std::string name() const override { return source_->name(); }
  absl::StatusOr<std::shared_ptr<ReadableFile>> Open(absl::string_view path) override {
    SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source_->Open(path));
    count_->total += file->size();
    return std::make_shared<WatchedFile>(std::move(file), count_);
  }
  bool Exists(absl::string_view path) override { return source_->Exists(path); }
  absl::StatusOr<std::vector<std::string>> List(absl::string_view folder) override { return source_->List(folder); }

 private:
  const std::shared_ptr<FileSource> source_;
  const std::shared_ptr<Count> count_;
};

std::string LastPart(const std::string& path) {
  const std::string plain(absl::StripSuffix(path, "/"));
  const std::string name = plain.substr(plain.rfind('/') + 1);
  return name.size() > 30 ? absl::StrCat(name.substr(0, 27), "...") : name;
}

}  // namespace

LoadProgress::LoadProgress(const std::string& path) : name_(LastPart(path)), count_(std::make_shared<Count>()) {
  if (!IsTerminal(stderr)) return;
  thread_ = std::thread([this] {
    std::unique_lock<std::mutex> lock(mutex_);
    if (wake_.wait_for(lock, kFirst, [this] { return done_; })) return;
    do {
      Draw();
    } while (!wake_.wait_for(lock, kEach, [this] { return done_; }));
    std::fputs("\r\x1b[K", stderr);
    std::fflush(stderr);
  });
}

LoadProgress::~LoadProgress() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::shared_ptr<FileSource> LoadProgress::Watch(std::shared_ptr<FileSource> source) {
  return std::make_shared<WatchedSource>(std::move(source), count_);
}

void LoadProgress::Draw() {
  const uint64_t total = count_->total, done = std::min<uint64_t>(count_->done, total);
  std::string line = absl::StrCat("\rloading ", name_);
  if (total > 0) {
    const int full = static_cast<int>(static_cast<double>(kCells) * static_cast<double>(done) / static_cast<double>(total));
    const std::string bar = absl::StrCat(std::string(static_cast<size_t>(full), '#'), std::string(static_cast<size_t>(kCells - full), '.'));
    absl::StrAppend(&line, " [", Paint(Style::kGood, bar, stderr), "] ", SizeText(static_cast<int64_t>(done)), " of ", SizeText(static_cast<int64_t>(total)));
  }
  std::fprintf(stderr, "%s\x1b[K", line.c_str());
  std::fflush(stderr);
}

absl::StatusOr<SavedModelBundle> LoadWithProgress(const SessionOptions& options, const std::unordered_set<std::string>& tags, const std::string& path) {
  LoadProgress progress(path);
  SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(path, {.map_files = options.map_files}));
  if (!found.note.empty()) std::fprintf(stderr, "%s\n", found.note.c_str());
  return LoadSavedModel(options, {}, tags, progress.Watch(found.source));
}

absl::StatusOr<SavedModelBundle> LoadWithProgress(const SessionOptions& options, const std::unordered_set<std::string>& tags,
                                                  std::shared_ptr<FileSource> source) {
  LoadProgress progress(source->name());
  return LoadSavedModel(options, {}, tags, progress.Watch(std::move(source)));
}

}  // namespace savedmodel::cli
