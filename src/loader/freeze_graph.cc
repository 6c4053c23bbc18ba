#include "loader/freeze_graph.h"

#include <set>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/status_macros.h"
#include "loader/freeze_body.h"
#include "loader/tensor_proto.h"
#include "ops/schema.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

constexpr int64_t kMaxMessage = INT32_MAX;
constexpr int kMaxDepth = 100;  // of calls

std::string NodeOf(absl::string_view tensor) {
  absl::ConsumePrefix(&tensor, "^");
  return std::string(tensor.substr(0, tensor.find(':')));
}

class Freezer final : public FreezeContext {
 public:
  Freezer(const proto::GraphDef& graph, const FreezeRequest& request) : graph_(graph), request_(request), table_(BuiltinOps()) {
    for (const proto::FunctionDef& function : graph.library().function()) functions_.emplace(function.signature().name(), &function);
    result_.graph = std::make_shared<proto::GraphDef>();
  }

  absl::StatusOr<FrozenDef> Run() {
    SM_RETURN_IF_ERROR(CopyNeeded());
    FreezeBody body(*this, "", result_.graph->mutable_node(), nullptr);
    SM_RETURN_IF_ERROR(body.Rewrite());
    for (const TensorInfo& fetch : request_.fetches) {
      if (body.HandleOf(fetch.name) != nullptr && fetch.dtype == DataType::kResource) {
        return absl::FailedPreconditionError(absl::StrCat("output \"", fetch.name, "\": is the handle of a variable, which a frozen graph does not have"));
      }
    }
    for (proto::NodeDef& node : *result_.graph->mutable_node()) node.mutable_attr()->erase("_class");
    *result_.graph->mutable_versions() = graph_.versions();
    for (auto& [name, function] : made_) *result_.graph->mutable_library()->add_function() = std::move(*function);
    if (result_.graph->ByteSizeLong() > static_cast<size_t>(kMaxMessage)) {
      return absl::ResourceExhaustedError(absl::StrCat("the frozen graph takes ", result_.graph->ByteSizeLong(), " bytes, a GraphDef holds at most ", kMaxMessage));
    }
    return std::move(result_);
  }

  absl::StatusOr<DataType> MakeConstant(const proto::NodeDef& variable, proto::NodeDef* constant) override {
    auto text = [&](const char* attribute) {
      auto found = variable.attr().find(attribute);
      return found == variable.attr().end() ? std::string() : found->second.s();
    };
    const std::string name = text("shared_name").empty() ? variable.name() : text("shared_name");
    absl::StatusOr<Tensor> value = request_.value(text("container"), name);
    if (!value.ok()) {
      return absl::Status(value.status().code(), absl::StrCat("variable \"", name, "\" (node \"", variable.name(), "\"): ", value.status().message()));
    }
    bytes_ += static_cast<int64_t>(value->bytes());
    if (bytes_ > kMaxMessage) {
      return absl::ResourceExhaustedError(absl::StrCat("variable \"", name, "\": makes more than ", kMaxMessage, " bytes of constants, more than a GraphDef holds"));
    }
    constant->set_name(variable.name());
    constant->set_op("Const");
    (*constant->mutable_attr())["dtype"].set_type(static_cast<proto::DataType>(value->dtype()));
    SM_RETURN_IF_ERROR(TensorToProto(*value, (*constant->mutable_attr())["value"].mutable_tensor()));
    if (names_.insert(name).second) {
      result_.variables.push_back(name);
      result_.variable_bytes += static_cast<int64_t>(value->bytes());
    }
    return value->dtype();
  }

  bool Keeps(const std::string& node) override { return request_.keep != nullptr && request_.keep(node); }

  const proto::FunctionDef* FindFunction(const std::string& name) override {
    auto made = made_.find(name);
    if (made != made_.end()) return made->second.get();
    auto found = functions_.find(name);
    return found == functions_.end() ? nullptr : found->second;
  }

  absl::StatusOr<FrozenFunction> Specialize(const std::string& name, const ArgumentHandles& arguments) override {
    const std::string key = KeyOf(name, arguments);
    auto known = specialized_.find(key);
    if (known != specialized_.end()) return known->second;
    auto found = functions_.find(name);
    if (found == functions_.end()) {
      if (made_.count(name) > 0) return FrozenFunction{name, {}};
      return absl::NotFoundError(absl::StrCat("Function ", name, " is not defined."));
    }
    if (depth_ >= kMaxDepth || !in_progress_.insert(key).second) {
      return absl::UnimplementedError(absl::StrCat("function ", name, ": calls itself, or calls are more than ", kMaxDepth, " deep"));
    }
    ++depth_;
    absl::StatusOr<FrozenFunction> made = Make(*found->second, arguments);
    --depth_;
    in_progress_.erase(key);
    if (made.ok()) specialized_.emplace(key, *made);
    return made;
  }

  bool TakesReference(const std::string& op, int i) override {
    const std::shared_ptr<const OpDef> def = table_->Find(op);
    if (def == nullptr) return false;
    absl::StatusOr<OpSchema> schema = ParseSchema(*def);
    return schema.ok() && i < static_cast<int>(schema->inputs.size()) && schema->inputs[static_cast<size_t>(i)].is_ref;
  }

 private:
  static std::string KeyOf(const std::string& name, const ArgumentHandles& arguments) {
    std::string key = name;
    for (const auto& [i, handle] : arguments) absl::StrAppend(&key, " ", i, ":", static_cast<int>(handle.dtype));
    return key;
  }

  // The nodes that the fetches reach, in the file's order; fed ones become placeholders.
  absl::Status CopyNeeded() {
    absl::flat_hash_map<std::string, const proto::NodeDef*> by_name;
    for (const proto::NodeDef& node : graph_.node()) by_name.emplace(node.name(), &node);
    absl::flat_hash_map<std::string, const TensorInfo*> fed;
    for (const TensorInfo& feed : request_.feeds) {
      const size_t colon = feed.name.find(':');
      if (colon == std::string::npos || feed.name.substr(colon) == ":0") fed.emplace(NodeOf(feed.name), &feed);
    }
    absl::flat_hash_set<std::string> needed;
    std::vector<std::string> waiting;
    auto want = [&](const std::string& name) {
      if (needed.insert(name).second) waiting.push_back(name);
    };
    for (const TensorInfo& fetch : request_.fetches) want(NodeOf(fetch.name));
    for (const TensorInfo& feed : request_.feeds) want(NodeOf(feed.name));
    while (!waiting.empty()) {
      auto found = by_name.find(waiting.back());
      if (found == by_name.end()) return absl::InvalidArgumentError(absl::StrCat("node \"", waiting.back(), "\" is not in the graph"));
      waiting.pop_back();
      if (fed.contains(found->first) && found->second->op() != "PlaceholderWithDefault") continue;
      for (const std::string& input : found->second->input()) want(NodeOf(input));
    }
    for (const proto::NodeDef& node : graph_.node()) {
      if (!needed.contains(node.name())) continue;
      proto::NodeDef* copy = result_.graph->add_node();
      auto feed = fed.find(node.name());
      if (feed == fed.end() || node.op() == "PlaceholderWithDefault") {
        *copy = node;
      } else {
        MakePlaceholder(node, *feed->second, copy);
      }
    }
    return absl::OkStatus();
  }

  static void MakePlaceholder(const proto::NodeDef& node, const TensorInfo& feed, proto::NodeDef* placeholder) {
    if (node.op() == "Placeholder") {
      *placeholder = node;
      return;
    }
    placeholder->set_name(node.name());
    placeholder->set_op("Placeholder");
    (*placeholder->mutable_attr())["dtype"].set_type(static_cast<proto::DataType>(RemoveRef(feed.dtype)));
    ShapeToProto(feed.shape, (*placeholder->mutable_attr())["shape"].mutable_shape());
  }

  absl::StatusOr<FrozenFunction> Make(const proto::FunctionDef& original, const ArgumentHandles& arguments) {
    const std::string& name = original.signature().name();
    if (!arguments.empty() && original.signature().attr_size() > 0) {
      return absl::UnimplementedError(absl::StrCat("function ", name, ": takes variables and its dtypes depend on its callers"));
    }
    auto copy = std::make_unique<proto::FunctionDef>(original);
    std::map<std::string, FrozenHandle> by_name;
    for (const auto& [i, handle] : arguments) {
      if (i < 0 || i >= copy->signature().input_arg_size()) return absl::InvalidArgumentError(absl::StrCat("function ", name, ": is called with too many arguments"));
      auto* arg = copy->mutable_signature()->mutable_input_arg(i);
      by_name[arg->name()] = handle;
      arg->set_type(static_cast<proto::DataType>(handle.dtype));
      arg->clear_handle_data();
      const uint32_t index = static_cast<uint32_t>(i);
      auto hints = copy->mutable_arg_attr()->find(index);
      if (hints != copy->mutable_arg_attr()->end()) {
        for (const char* hint : {"_output_shapes", "_handle_dtypes", "_handle_shapes"}) hints->second.mutable_attr()->erase(hint);
      }
      copy->mutable_resource_arg_unique_id()->erase(index);
    }
    FreezeBody body(*this, absl::StrCat("function ", name, ": "), copy->mutable_node_def(), &by_name);
    SM_RETURN_IF_ERROR(body.Rewrite());
    FrozenFunction made{name, {}};
    for (int i = 0; i < copy->signature().output_arg_size(); ++i) {
      auto* arg = copy->mutable_signature()->mutable_output_arg(i);
      auto ret = copy->mutable_ret()->find(arg->name());
      if (ret == copy->mutable_ret()->end()) continue;
      if (const FrozenHandle* handle = body.HandleOf(ret->second); handle != nullptr && static_cast<DataType>(arg->type()) == DataType::kResource) {
        made.outputs[i] = *handle;
        arg->set_type(static_cast<proto::DataType>(handle->dtype));
        arg->clear_handle_data();
      }
      ret->second = body.NewName(ret->second);
    }
    if (body.changed() || !arguments.empty()) Rename(copy.get(), &made);
    made_[made.name] = std::move(copy);
    return made;
  }

  // A new name, so that the old one stays what other signatures call; and no promises that held for the old body only.
  void Rename(proto::FunctionDef* function, FrozenFunction* made) {
    const std::string base = absl::StrCat(function->signature().name(), "_frozen");
    made->name = base;
    for (int n = 1; FindFunction(made->name) != nullptr; ++n) made->name = absl::StrCat(base, "_", n);
    function->mutable_signature()->set_name(made->name);
    for (const char* attribute : {"_input_shapes", "api_implements", "api_preferred_device", "forward_function_name", "backward_function_name"}) {
      function->mutable_attr()->erase(attribute);
    }
  }

  const proto::GraphDef& graph_;
  const FreezeRequest& request_;
  const std::shared_ptr<const OpTable> table_;
  std::map<std::string, const proto::FunctionDef*> functions_;
  std::map<std::string, std::unique_ptr<proto::FunctionDef>> made_;
  std::map<std::string, FrozenFunction> specialized_;
  std::set<std::string> in_progress_, names_;
  int depth_ = 0;
  int64_t bytes_ = 0;
  FrozenDef result_;
};

}  // namespace

absl::StatusOr<FrozenDef> FreezeGraphDef(const proto::GraphDef& graph, const FreezeRequest& request) { return Freezer(graph, request).Run(); }

}  // namespace savedmodel
