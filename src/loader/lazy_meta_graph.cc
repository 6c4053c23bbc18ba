#include "loader/lazy_meta_graph.h"

#include <algorithm>
#include <atomic>
#include <initializer_list>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/files.h"
#include "core/status_macros.h"
#include "google/protobuf/arena.h"
#include "loader/object_scan.h"
#include "loader/saved_model.h"
#include "loader/wire_form.h"

namespace savedmodel {
namespace {

constexpr uint64_t kMaxBytes = 256 << 20;  // larger files hold constants rather than functions, and are parsed as they are read
constexpr int kObjectsDepth = 2;           // of the object graph: a SavedModel and a MetaGraphDef lie around it

// Parses `bytes` into `message`, at `depth` below the file's own message, except for the submessages that lie in the fields `apart`:
// `take` gets their bytes. A message may be cut between any two fields: the parts, merged, are the message. False when
// something is amiss or unusual, as groups are: nothing writes them.
bool ParseApart(absl::string_view bytes, int depth, google::protobuf::Message* message, std::initializer_list<int> apart,
                absl::FunctionRef<bool(int field, absl::string_view)> take) {
  for (absl::string_view rest = bytes; !rest.empty();) {
    const size_t before = bytes.size() - rest.size();
    uint32_t tag;
    absl::string_view value;
    if (!TakeField(&rest, &tag, &value)) return false;
    const int field = static_cast<int>(tag >> 3);
    if ((tag & 7) != kLengthDelimited || std::find(apart.begin(), apart.end(), field) == apart.end()) continue;
    if (!MergePart(bytes.substr(0, before), depth, message) || !take(field, value)) return false;
    bytes = rest;
  }
  return MergePart(bytes, depth, message);
}

// What is left for the threads to parse, as bytes inside the file's.
struct Rest {
  std::vector<absl::string_view> functions;
  proto::SavedObjectGraph* object_graph = nullptr;
  std::vector<absl::string_view> object_graph_parts;
};

bool ParseWithoutRest(absl::string_view bytes, proto::SavedModel* model, std::vector<Rest>* rests) {
  return ParseApart(bytes, 0, model, {proto::SavedModel::kMetaGraphsFieldNumber}, [&](int, absl::string_view meta_graph_bytes) {
    proto::MetaGraphDef* meta_graph = model->add_meta_graphs();
    Rest& rest = rests->emplace_back();
    auto take = [&](int field, absl::string_view part) {
      if (field == proto::MetaGraphDef::kObjectGraphDefFieldNumber) {
        rest.object_graph = meta_graph->mutable_object_graph_def();
        rest.object_graph_parts.push_back(part);
        return true;
      }
      proto::GraphDef* graph = meta_graph->mutable_graph_def();
      return ParseApart(part, 2, graph, {proto::GraphDef::kLibraryFieldNumber}, [&](int, absl::string_view library) {
        return ParseApart(library, 3, graph->mutable_library(), {proto::FunctionDefLibrary::kFunctionFieldNumber}, [&](int, absl::string_view function) {
          rest.functions.push_back(function);
          return true;
        });
      });
    };
    return ParseApart(meta_graph_bytes, 1, meta_graph, {proto::MetaGraphDef::kGraphDefFieldNumber, proto::MetaGraphDef::kObjectGraphDefFieldNumber}, take);
  });
}

// What becomes of it: messages are made later.
struct Unmade {
  std::shared_ptr<const FunctionDefs> functions;
  std::string objects;  // parts of a message, one behind the other, are the message
};

// The object graph's bytes, or nothing where they had to be parsed.
bool CheckObjects(const Rest& rest, std::string* objects) {
  if (std::all_of(rest.object_graph_parts.begin(), rest.object_graph_parts.end(), IsUsualObjectGraph)) {
    for (absl::string_view part : rest.object_graph_parts) objects->append(part.data(), part.size());
    return true;
  }
  return std::all_of(rest.object_graph_parts.begin(), rest.object_graph_parts.end(),
                     [&](absl::string_view part) { return MergePart(part, kObjectsDepth, rest.object_graph); });
}

// False when something does not parse.
bool CheckRest(const Rest& rest, ThreadPool& pool, Unmade* unmade) {
  std::atomic<bool> good = true;
  pool.ParallelFor(2, 1, [&](int64_t begin, int64_t end) {
    if (begin == 0) unmade->functions = FunctionDefs::FromBytes(rest.functions, pool);  // itself on all threads that are free
    if (end == 2) good = CheckObjects(rest, &unmade->objects);
  });
  return good && unmade->functions != nullptr;
}

std::shared_ptr<proto::SavedModel> MakeModel() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 64 << 10;
  options.max_block_size = 1 << 20;
  auto arena = std::make_shared<google::protobuf::Arena>(options);
  return {arena, google::protobuf::Arena::CreateMessage<proto::SavedModel>(arena.get())};
}

// All functions are checked, those of the other meta graphs too. Null when the file has to be parsed whole, for what it is or
// for the error that this gives.
std::shared_ptr<proto::SavedModel> ReadLazily(FileSource& source, ThreadPool& pool, std::vector<Unmade>* unmade) {
  constexpr char kFile[] = "saved_model.pb";
  if (!source.Exists(kFile)) return nullptr;
  const absl::StatusOr<std::shared_ptr<ReadableFile>> file = source.Open(kFile);
  if (!file.ok() || (*file)->size() > kMaxBytes) return nullptr;
  absl::StatusOr<std::string> read;
  absl::string_view bytes;
  if (const void* mapped = (*file)->mapping(); mapped != nullptr) {
    bytes = {static_cast<const char*>(mapped), static_cast<size_t>((*file)->size())};
  } else {
    read = ReadFile(**file, kFile);
    if (!read.ok()) return nullptr;
    bytes = *read;
  }
  std::shared_ptr<proto::SavedModel> model = MakeModel();
  std::vector<Rest> rests;
  if (!ParseWithoutRest(bytes, model.get(), &rests)) return nullptr;
  for (const Rest& rest : rests) {
    if (!CheckRest(rest, pool, &unmade->emplace_back())) return nullptr;
  }
  return model;
}

}  // namespace

absl::StatusOr<std::shared_ptr<LazyMetaGraph>> LazyMetaGraph::Read(FileSource& source, const std::unordered_set<std::string>& tags, ThreadPool& pool) {
  auto lazy = std::make_shared<LazyMetaGraph>();
  std::vector<Unmade> unmade;
  lazy->model_ = ReadLazily(source, pool, &unmade);
  const bool whole = lazy->model_ == nullptr;
  if (whole) {
    lazy->model_ = MakeModel();
    SM_RETURN_IF_ERROR(ReadSavedModel(source, lazy->model_.get()));
  }
  SM_ASSIGN_OR_RETURN(const int found, FindMetaGraph(*lazy->model_, tags));
  lazy->meta_graph_ = lazy->model_->mutable_meta_graphs(found);
  if (whole) {
    const proto::FunctionDefLibrary& library = lazy->meta_graph_->graph_def().library();
    lazy->functions_ = std::make_shared<FunctionDefs>(std::shared_ptr<const proto::FunctionDefLibrary>(lazy->model_, &library));
  } else {
    lazy->functions_ = std::move(unmade[static_cast<size_t>(found)].functions);
    lazy->objects_ = std::move(unmade[static_cast<size_t>(found)].objects);
  }
  return lazy;
}

const proto::SavedObjectGraph& LazyMetaGraph::object_graph() {
  std::call_once(objects_parsed_, [&] {
    if (objects_.empty()) return;
    MergePart(objects_, kObjectsDepth, meta_graph_->mutable_object_graph_def());
    objects_ = std::string();
  });
  return meta_graph_->object_graph_def();
}

const proto::MetaGraphDef& LazyMetaGraph::whole() {
  std::call_once(completed_, [&] {
    object_graph();
    if (meta_graph_->graph_def().has_library()) functions_->ParseInto(meta_graph_->mutable_graph_def()->mutable_library());
  });
  return *meta_graph_;
}

}  // namespace savedmodel
