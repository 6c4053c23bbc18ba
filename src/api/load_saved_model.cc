#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/model_checkpoint.h"
#include "api/open_graph.h"
#include "api/restore.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "loader/about_model.h"
#include "loader/lazy_meta_graph.h"
#include "loader/saved_model.h"
#include "runtime/graph_session.h"
#include "savedmodel/model_source.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

struct SavedModelBundle::Contents {
  std::shared_ptr<LazyMetaGraph> meta_graph;
  SignatureMap signatures;
  std::string location;
  std::optional<Fingerprint> fingerprint;
  std::unique_ptr<GraphSession> session;  // until the bundle takes it
};

namespace {

struct Asset {
  std::string tensor, path, file;  // what the tensor is fed, where the source has it
};

absl::StatusOr<std::vector<Asset>> AssetsOf(const proto::MetaGraphDef& meta_graph, const FileSource& source) {
  std::vector<Asset> assets;
  SM_ASSIGN_OR_RETURN(auto pairs, ReadAssets(meta_graph));
  for (const auto& [tensor, filename] : pairs) {
    const std::string file = absl::StrCat("assets/", filename);
    assets.push_back({tensor, absl::StrCat(source.name(), "/", file), file});
  }
  return assets;
}

// A model reaches the files it names as its assets, by the path that its asset tensors hold.
void LetReadAssets(ResourceStore* state, std::shared_ptr<FileSource> source, const std::vector<Asset>& assets) {
  std::map<std::string, std::string> files;
  for (const Asset& asset : assets) files[asset.path] = asset.file;
  state->read_asset = [source, files](absl::string_view path) -> absl::StatusOr<std::string> {
    auto it = files.find(std::string(path));
    if (it == files.end()) return absl::NotFoundError(absl::StrCat(path, "; No such file or directory among the assets of this model"));
    constexpr uint64_t kMaxAsset = uint64_t{1} << 32;
    return ReadFile(*source, it->second, kMaxAsset);
  };
}

Feeds AssetFeeds(const std::vector<Asset>& assets) {
  Feeds feeds;
  for (const Asset& asset : assets) feeds.emplace_back(asset.tensor, Tensor::Scalar<std::string>(asset.path));
  return feeds;
}

absl::Status Open(const SessionOptions& options, const RunOptions& run_options, const std::unordered_set<std::string>& tags,
                  std::shared_ptr<FileSource> source, std::shared_ptr<ModelCheckpoint> checkpoint, SavedModelBundle::Contents* contents) {
  SM_ASSIGN_OR_RETURN(contents->meta_graph, LazyMetaGraph::Read(*source, tags, *options.thread_pool));
  const proto::MetaGraphDef& meta_graph = contents->meta_graph->outline();
  SM_ASSIGN_OR_RETURN(contents->signatures, ReadSignatures(meta_graph));
  contents->fingerprint = ReadFingerprint(*source);
  SM_ASSIGN_OR_RETURN(contents->session, OpenGraph(meta_graph.graph_def(), contents->meta_graph->functions(), options));
  GraphSession& session = *contents->session;
  SM_ASSIGN_OR_RETURN(std::vector<Asset> assets, AssetsOf(meta_graph, *source));
  LetReadAssets(&session.state(), source, assets);

  const Feeds asset_feeds = AssetFeeds(assets);
  SM_RETURN_IF_ERROR(RestoreVariables(*contents->meta_graph, checkpoint, asset_feeds, run_options, &session));
  SM_ASSIGN_OR_RETURN(std::string init_op, FindInitOp(meta_graph, source->name()));
  if (!init_op.empty()) SM_RETURN_IF_ERROR(session.Run(run_options, asset_feeds, {}, {init_op}, nullptr, nullptr));
  session.FinishLoading();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SavedModelBundle::Contents>> Load(const SessionOptions& session_options, const RunOptions& run_options,
                                                                 const std::unordered_set<std::string>& tags, std::shared_ptr<FileSource> source) {
  const SessionOptions options = WithThreadPool(session_options);
  auto contents = std::make_unique<SavedModelBundle::Contents>();
  auto checkpoint = std::make_shared<ModelCheckpoint>(source);
  absl::Status status;
  // One thread reads, imports and plans; another, if there is one, checks the values that the plan will read.
  options.thread_pool->ParallelFor(2, 1, [&](int64_t begin, int64_t end) {
    if (begin == 0) {
      status = Open(options, run_options, tags, source, checkpoint, contents.get());
      checkpoint->StopChecking();
    }
    if (end == 2) checkpoint->CheckAhead();
  });
  if (!status.ok()) return status;
  return contents;
}

}  // namespace

SavedModelBundle::SavedModelBundle() = default;
SavedModelBundle::SavedModelBundle(SavedModelBundle&&) noexcept = default;
SavedModelBundle& SavedModelBundle::operator=(SavedModelBundle&&) noexcept = default;
SavedModelBundle::~SavedModelBundle() = default;
SavedModelBundle::SavedModelBundle(std::unique_ptr<Contents> contents)
    : session(std::move(contents->session)), contents_(std::move(contents)) {}
const proto::MetaGraphDef& SavedModelBundle::meta_graph_def() const { return contents_->meta_graph->whole(); }
const std::string& SavedModelBundle::location() const { return contents_->location; }
const std::optional<Fingerprint>& SavedModelBundle::fingerprint() const { return contents_->fingerprint; }
const SignatureMap& SavedModelBundle::signatures() const { return contents_->signatures; }

absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, std::shared_ptr<FileSource> source) {
  const std::string location = source->name();
  SM_ASSIGN_OR_RETURN(std::unique_ptr<SavedModelBundle::Contents> contents, Load(session_options, run_options, tags, std::move(source)));
  contents->location = location;
  return SavedModelBundle(std::move(contents));
}

absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, const std::string& path) {
  SM_ASSIGN_OR_RETURN(const ModelLocation found, FindModel(path, {.map_files = session_options.map_files}));
  if (!found.note.empty() && session_options.log) session_options.log(found.note);
  SM_ASSIGN_OR_RETURN(std::unique_ptr<SavedModelBundle::Contents> contents, Load(session_options, run_options, tags, found.source));
  contents->location = found.note.empty() ? found.source->name() : found.note;
  return SavedModelBundle(std::move(contents));
}

}  // namespace savedmodel
