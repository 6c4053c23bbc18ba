#include "loader/function_defs.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/aligned_memory.h"
#include "core/one_by_one.h"
#include "core/status_macros.h"
#include "google/protobuf/arena.h"
#include "loader/function_scan.h"
#include "loader/saved_model.h"
#include "savedmodel/tensor_shape.h"

namespace savedmodel {
namespace {

constexpr int kDepth = 4;  // SavedModel, MetaGraphDef, GraphDef and FunctionDefLibrary lie around a function

FunctionDefs::About LookAt(const proto::FunctionDef& function) {
  FunctionDefs::About about;
  about.name = function.signature().name();
  about.polymorphic = function.signature().attr_size() > 0;
  about.calls_itself = std::any_of(function.node_def().begin(), function.node_def().end(), [&](const auto& node) { return node.op() == about.name; });
  about.constants = CheckConstants(function.node_def());
  return about;
}

}  // namespace

absl::Status CheckConstant(absl::string_view name, absl::string_view op, const proto::TensorShapeProto* shape) {
  if (shape == nullptr) {
    if (op != "Const") return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("Saved model contains node \"", name, "\" which is a constant tensor but no value has been provided"));
  }
  bool negative = shape->unknown_rank();
  std::vector<int64_t> dims;
  for (const auto& dim : shape->dim()) {
    negative = negative || dim.size() < 0;
    dims.push_back(dim.size());
  }
  if (negative) {
    return absl::FailedPreconditionError(absl::StrCat("Saved model contains node \"", name, "\" (op \"", op,
                                                      "\") which initializes from a tensor with -1 elements"));
  }
  if (absl::Status status = TensorShape::Make(dims).status(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("Saved model contains node \"", name, "\" (op \"", op, "\"): ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status CheckConstants(const google::protobuf::RepeatedPtrField<proto::NodeDef>& nodes) {
  for (const proto::NodeDef& node : nodes) {
    auto it = node.attr().find("value");
    const bool has_tensor = it != node.attr().end() && it->second.has_tensor();
    SM_RETURN_IF_ERROR(CheckConstant(node.name(), node.op(), has_tensor ? &it->second.tensor().tensor_shape() : nullptr));
  }
  return absl::OkStatus();
}

absl::Status CheckConstants(const proto::GraphDef& graph) {
  SM_RETURN_IF_ERROR(CheckConstants(graph.node()));
  for (const proto::FunctionDef& function : graph.library().function()) SM_RETURN_IF_ERROR(CheckConstants(function.node_def()));
  return absl::OkStatus();
}

FunctionDefs::FunctionDefs(std::shared_ptr<const proto::FunctionDefLibrary> library) : library_(std::move(library)) {
  about_.reserve(static_cast<size_t>(library_->function_size()));
  for (const proto::FunctionDef& function : library_->function()) about_.push_back(LookAt(function));
}

std::unique_ptr<FunctionDefs> FunctionDefs::FromBytes(const std::vector<absl::string_view>& functions, ThreadPool& pool) {
  std::unique_ptr<FunctionDefs> defs(new FunctionDefs());
  size_t total = 0;
  for (absl::string_view function : functions) defs->ends_.push_back(total += function.size());
  defs->bytes_ = std::shared_ptr<char>(static_cast<char*>(AllocateUntouched(total)), std::free);
  if (defs->bytes_ == nullptr) return nullptr;
  TakePages(defs->bytes_.get(), total, pool);
  defs->about_.resize(functions.size());
  std::atomic<bool> all_parse = true;
  OneByOne(pool, static_cast<int64_t>(functions.size()), [&](int64_t number) {
    if (!all_parse) return;
    const size_t i = static_cast<size_t>(number);
    const absl::string_view bytes = defs->BytesOf(static_cast<int>(i));
    std::copy(functions[i].begin(), functions[i].end(), defs->bytes_.get() + (defs->ends_[i] - functions[i].size()));
    if (absl::optional<About> about = ScanFunction(bytes); about.has_value()) {
      defs->about_[i] = *std::move(about);
      return;
    }
    google::protobuf::Arena arena;
    auto* function = google::protobuf::Arena::CreateMessage<proto::FunctionDef>(&arena);
    if (MergePart(bytes, kDepth, function)) {
      defs->about_[i] = LookAt(*function);
    } else {
      all_parse = false;
    }
  });
  return all_parse ? std::move(defs) : nullptr;
}

absl::string_view FunctionDefs::BytesOf(int i) const {
  const size_t at = static_cast<size_t>(i), begin = at == 0 ? 0 : ends_[at - 1];
  return {bytes_.get() + begin, ends_[at] - begin};
}

absl::Status FunctionDefs::CheckConstants() const {
  for (const About& about : about_) SM_RETURN_IF_ERROR(about.constants);
  return absl::OkStatus();
}

std::shared_ptr<const proto::FunctionDef> FunctionDefs::Get(int i) const {
  if (library_ != nullptr) return {library_, &library_->function(i)};
  auto arena = std::make_shared<google::protobuf::Arena>();
  auto* function = google::protobuf::Arena::CreateMessage<proto::FunctionDef>(arena.get());
  MergePart(BytesOf(i), kDepth, function);
  return {arena, function};
}

void FunctionDefs::ParseInto(proto::FunctionDefLibrary* library) const {
  if (library_ != nullptr) return;
  for (int i = 0; i < size(); ++i) MergePart(BytesOf(i), kDepth, library->add_function());
}

}  // namespace savedmodel
