#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"
#include "api/restore.h"
#include "loader/importer.h"
#include "loader/saved_model.h"
#include "runtime/graph_session.h"
#include "savedmodel/saved_model_bundle.h"

namespace savedmodel {

struct SavedModelBundle::Contents {
  std::shared_ptr<proto::MetaGraphDef> meta_graph;
  SignatureMap signatures;
  std::unique_ptr<GraphSession> session;  // until the bundle takes it
};

namespace {

// Functions are read from the meta graph when they are called, so it stays as long as the session.
struct Library {
  Library(std::shared_ptr<proto::MetaGraphDef> meta_graph, std::shared_ptr<OpCatalog> catalog)
      : meta_graph(std::move(meta_graph)), functions(this->meta_graph->graph_def().library(), std::move(catalog)) {}
  std::shared_ptr<proto::MetaGraphDef> meta_graph;
  ImportedFunctions functions;
};

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

absl::StatusOr<std::string> ReadWhole(FileSource& source, const std::string& path) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, source.Open(path));
  constexpr uint64_t kMaxAsset = uint64_t{1} << 32;
  if (file->size() > kMaxAsset) return absl::ResourceExhaustedError(absl::StrCat(path, ": is ", file->size(), " bytes long, at most ", kMaxAsset, " are read"));
  std::string text(static_cast<size_t>(file->size()), '\0');
  SM_RETURN_IF_ERROR(file->Read(0, text.size(), text.data()));
  return text;
}

// A model reaches the files it names as its assets, by the path that its asset tensors hold.
void LetReadAssets(ResourceStore* state, std::shared_ptr<FileSource> source, const std::vector<Asset>& assets) {
  std::map<std::string, std::string> files;
  for (const Asset& asset : assets) files[asset.path] = asset.file;
  state->read_asset = [source, files](absl::string_view path) -> absl::StatusOr<std::string> {
    auto it = files.find(std::string(path));
    if (it == files.end()) return absl::NotFoundError(absl::StrCat(path, "; No such file or directory among the assets of this model"));
    return ReadWhole(*source, it->second);
  };
}

Feeds AssetFeeds(const std::vector<Asset>& assets) {
  Feeds feeds;
  for (const Asset& asset : assets) feeds.emplace_back(asset.tensor, Tensor::Scalar<std::string>(asset.path));
  return feeds;
}

absl::StatusOr<std::unique_ptr<SavedModelBundle::Contents>> Load(const SessionOptions& session_options, const RunOptions& run_options,
                                                                 const std::unordered_set<std::string>& tags, std::shared_ptr<FileSource> source) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<proto::SavedModel> model, ReadSavedModel(*source));
  auto contents = std::make_unique<SavedModelBundle::Contents>();
  SM_ASSIGN_OR_RETURN(contents->meta_graph, TakeMetaGraph(model.get(), tags));
  model.reset();
  const proto::MetaGraphDef& meta_graph = *contents->meta_graph;
  SM_RETURN_IF_ERROR(CheckSavedTensors(meta_graph.graph_def()));
  SM_RETURN_IF_ERROR(CheckVersions(meta_graph.graph_def().versions()));
  SM_ASSIGN_OR_RETURN(contents->signatures, ReadSignatures(meta_graph));

  auto catalog = std::make_shared<OpCatalog>(session_options.ops != nullptr ? session_options.ops : BuiltinOps());
  auto library = std::make_shared<Library>(contents->meta_graph, catalog);
  SM_RETURN_IF_ERROR(library->functions.Check());
  SM_ASSIGN_OR_RETURN(std::unique_ptr<Graph> graph, ImportGraph(meta_graph.graph_def(), library->functions, *catalog));

  auto state = std::make_shared<ResourceStore>();
  state->log = session_options.log;
  SM_ASSIGN_OR_RETURN(std::vector<Asset> assets, AssetsOf(meta_graph, *source));
  LetReadAssets(state.get(), source, assets);
  std::shared_ptr<FunctionLibrary> functions(library, &library->functions);
  contents->session = std::make_unique<GraphSession>(session_options, std::move(graph), functions, catalog, state);
  GraphSession& session = *contents->session;

  const Feeds asset_feeds = AssetFeeds(assets);
  SM_RETURN_IF_ERROR(RestoreVariables(meta_graph, source, asset_feeds, run_options, &session));
  SM_ASSIGN_OR_RETURN(std::string init_op, FindInitOp(meta_graph, source->name()));
  if (!init_op.empty()) SM_RETURN_IF_ERROR(session.Run(run_options, asset_feeds, {}, {init_op}, nullptr, nullptr));
  session.FinishLoading();
  return contents;
}

}  // namespace

SavedModelBundle::SavedModelBundle() = default;
SavedModelBundle::SavedModelBundle(SavedModelBundle&&) noexcept = default;
SavedModelBundle& SavedModelBundle::operator=(SavedModelBundle&&) noexcept = default;
SavedModelBundle::~SavedModelBundle() = default;
SavedModelBundle::SavedModelBundle(std::unique_ptr<Contents> contents)
    : session(std::move(contents->session)), contents_(std::move(contents)) {}
const proto::MetaGraphDef& SavedModelBundle::meta_graph_def() const { return *contents_->meta_graph; }
const SignatureMap& SavedModelBundle::signatures() const { return contents_->signatures; }

absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, std::shared_ptr<FileSource> source) {
  SM_ASSIGN_OR_RETURN(std::unique_ptr<SavedModelBundle::Contents> contents, Load(session_options, run_options, tags, std::move(source)));
  return SavedModelBundle(std::move(contents));
}

absl::StatusOr<SavedModelBundle> LoadSavedModel(const SessionOptions& session_options, const RunOptions& run_options,
                                                const std::unordered_set<std::string>& tags, const std::string& path) {
  DirectorySourceOptions source_options;
  source_options.map_files = session_options.map_files;
  absl::StatusOr<std::shared_ptr<FileSource>> source = MakeDirectorySource(path, source_options);
  if (!source.ok()) {
    return absl::NotFoundError(absl::StrCat("Could not find SavedModel .pb or .pbtxt at supplied export directory path: ", path,
                                            ". Check that the directory exists and that you have the right permissions for accessing it. (",
                                            source.status().message(), ")"));
  }
  return LoadSavedModel(session_options, run_options, tags, *std::move(source));
}

}  // namespace savedmodel
