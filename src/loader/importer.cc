#include "loader/importer.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/status_macros.h"
#include "loader/attributes.h"

namespace savedmodel {
namespace {

// The arguments of a function as a schema, so that functions and ops are read alike.
ArgSchema ArgOf(const proto::OpDef::ArgDef& arg) {
  ArgSchema schema;
  schema.name = arg.name();
  schema.is_ref = arg.is_ref();
  schema.type = static_cast<DataType>(arg.type());
  schema.type_attr = arg.type_attr();
  schema.type_list_attr = arg.type_list_attr();
  schema.number_attr = arg.number_attr();
  return schema;
}

std::vector<ArgSchema> ArgsOf(const google::protobuf::RepeatedPtrField<proto::OpDef::ArgDef>& args) {
  std::vector<ArgSchema> schemas;
  for (const proto::OpDef::ArgDef& arg : args) schemas.push_back(ArgOf(arg));
  return schemas;
}

bool LegalName(absl::string_view name) {
  auto inside = [](char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '/' || c == '>' || c == '-' || c == '\\'; };
  if (name.empty() || !(absl::ascii_isalnum(name[0]) || name[0] == '.')) return false;
  return std::all_of(name.begin(), name.end(), inside);
}

// "/job:localhost/replica:0/task:0/device:CPU:0" or parts of it; which devices there are is another question.
bool LegalDevice(absl::string_view device) {
  if (device.empty()) return true;
  if (!absl::ConsumePrefix(&device, "/")) return false;
  for (absl::string_view part : absl::StrSplit(device, '/')) {
    const absl::string_view key = part.substr(0, part.find(':'));
    bool known = false;
    for (const char* name : {"job", "replica", "task", "device", "cpu", "gpu", "CPU", "GPU"}) known = known || (key == name && key.size() < part.size());
    if (!known) return false;
  }
  return true;
}

// Builds one graph: first all nodes, then the edges between them.
class Builder {
 public:
  // `nodes`: about how many AddNode will be called for.
  Builder(Graph* graph, ImportedFunctions& functions, OpCatalog& catalog, const Attributes& arguments, int nodes)
      : graph_(graph), functions_(functions), catalog_(catalog), arguments_(arguments) {
    made_.reserve(static_cast<size_t>(nodes));
    numbers_.reserve(static_cast<size_t>(nodes));
    outputs_left_ += int64_t{16} * nodes;
  }

  absl::Status AddNode(const proto::NodeDef& def);
  // An argument of the body, of one or several tensors, which the body calls name or name:i.
  void AddArg(const std::string& name, const std::vector<DataType>& types, bool list);
  absl::Status Connect(bool in_function);

  // "node", "node:k", or in functions "arg", "node:out:k".
  absl::StatusOr<Output> Resolve(absl::string_view text, bool in_function, absl::string_view by);
  Node* FindNode(absl::string_view name) const {
    auto it = numbers_.find(name);
    return it == numbers_.end() ? nullptr : made_[it->second].node;
  }

 private:
  struct Made {
    Node* node = nullptr;
    const proto::NodeDef* def = nullptr;
    const std::vector<ArgSchema>* outputs = nullptr;       // the schema's, or `called`; null if the node has an error
    std::unique_ptr<const std::vector<ArgSchema>> called;  // of a function called by its name
    std::vector<int> output_counts;
    std::vector<DataType> input_types;
  };

  absl::Status Describe(const proto::NodeDef& def, Made* made, Attributes* attributes, std::vector<DataType>* types);
  absl::Status ConnectOne(Made& made, bool in_function);
  absl::Status AddInput(Made& made, const Output& source);

  Graph* graph_;
  ImportedFunctions& functions_;
  OpCatalog& catalog_;
  const Attributes& arguments_;
  struct Argument {
    size_t first, count;  // in the graph's args
  };
  std::vector<Made> made_;
  absl::flat_hash_map<absl::string_view, size_t> numbers_;  // in made_, by the nodes' own names
  absl::flat_hash_map<std::string, Argument> arguments_by_name_;
  int64_t outputs_left_ = kMostTensors;  // that attributes or uses may still ask for
};

// What reads a constant trusts its dtype, so the value must be of it.
absl::Status CheckConstant(const proto::NodeDef& def, const Attributes& attributes) {
  if (def.op() != "Const" && def.op() != "HostConst") return absl::OkStatus();
  const DataType stored = attributes.TensorValue("value").dtype(), declared = attributes.Type("dtype");
  if (stored == declared) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("Type mismatch between value (", DataTypeName(stored), ") and dtype (", DataTypeName(declared),
                                                 ")\n\t [[{{node ", def.name(), "}}]]"));
}

// Everything about a node that its edges need. An error is the node's own.
absl::Status Builder::Describe(const proto::NodeDef& def, Made* made, Attributes* attributes, std::vector<DataType>* types) {
  // Attributes may ask for some more inputs than there are, so that the error says which node lacks how many.
  const int64_t most_inputs = def.input_size() + 4096;
  const auto named = [&] { return absl::StrCat("node \"", def.name(), "\" (", def.op(), ")"); };
  const auto at_node = [&](const absl::Status& status, absl::string_view after = "") {
    return status.ok() ? status : absl::Status(status.code(), absl::StrCat(named(), ": ", status.message(), after));
  };
  absl::StatusOr<Attributes> read = ReadAttributes(def.attr(), arguments_, functions_.allocator());
  if (!read.ok()) return at_node(read.status(), absl::StrCat("\n\t [[{{node ", def.name(), "}}]]"));
  *attributes = *std::move(read);
  const OpInfo& info = *made->node->info;
  if (functions_.Has(def.op()) && info.name == "PartitionedCall") {
    // A function called by its name: the same as PartitionedCall of it.
    const std::shared_ptr<const proto::OpDef> signature = functions_.Signature(def.op());
    auto call = std::make_shared<const Attributes>(*attributes);
    made->called = std::make_unique<const std::vector<ArgSchema>>(ArgsOf(signature->output_arg()));
    made->outputs = made->called.get();
    SM_ASSIGN_OR_RETURN(made->input_types, FlatTypes(ArgsOf(signature->input_arg()), *attributes, nullptr, most_inputs));
    SM_ASSIGN_OR_RETURN(*types, FlatTypes(*made->outputs, *attributes, &made->output_counts, outputs_left_));
    Attributes outer;
    outer.Set("f", FunctionRef{def.op(), call});
    outer.Set("Tin", made->input_types);
    outer.Set("Tout", *types);
    *attributes = std::move(outer);
    return at_node(CompleteAttributes(*info.schema, attributes));
  }
  if (info.def == nullptr) {
    return absl::NotFoundError(absl::StrCat("Op type not registered '", def.op(), "': ", named(), " has no definition in this library"));
  }
  SM_RETURN_IF_ERROR(at_node(CompleteAttributes(*info.schema, attributes)));
  made->outputs = &info.schema->outputs;  // lives as long as the node
  SM_ASSIGN_OR_RETURN(made->input_types, FlatTypes(info.schema->inputs, *attributes, nullptr, most_inputs));
  SM_ASSIGN_OR_RETURN(*types, FlatTypes(*made->outputs, *attributes, &made->output_counts, outputs_left_));
  return at_node(CheckConstant(def, *attributes));
}

absl::Status Builder::AddNode(const proto::NodeDef& def) {
  Made& made = made_.emplace_back();
  made.def = &def;
  const bool by_name = functions_.Has(def.op());
  made.node = graph_->AddNode(def.name(), catalog_.Find(by_name ? "PartitionedCall" : def.op()), nullptr, {});
  made.node->device = def.device();
  Attributes attributes;
  std::vector<DataType> types;
  made.node->error = Describe(def, &made, &attributes, &types);
  made.node->attributes = std::make_shared<const Attributes>(std::move(attributes));
  outputs_left_ -= static_cast<int64_t>(types.size());
  made.node->output_shapes.resize(types.size());
  made.node->output_types = std::move(types);
  if (!numbers_.emplace(made.node->name, made_.size() - 1).second) {
    return absl::InvalidArgumentError(absl::StrCat("Node '", def.name(), "' is not unique"));
  }
  return absl::OkStatus();
}

void Builder::AddArg(const std::string& name, const std::vector<DataType>& types, bool list) {
  const std::shared_ptr<const OpInfo> arg = catalog_.Find("_Arg");
  arguments_by_name_[name] = {graph_->args.size(), types.size()};
  for (size_t i = 0; i < types.size(); ++i) {
    Attributes attributes;
    attributes.Set("T", types[i]);
    attributes.Set("index", static_cast<int64_t>(graph_->args.size()));
    graph_->args.push_back(graph_->AddNode(list ? absl::StrCat(name, "_", i) : name, arg, std::make_shared<const Attributes>(std::move(attributes)), {types[i]}));
  }
}

absl::StatusOr<Output> Builder::Resolve(absl::string_view text, bool in_function, absl::string_view by) {
  absl::string_view name = text, argument;
  int64_t index = 0;
  const size_t colon = text.rfind(':');
  if (colon != absl::string_view::npos && absl::SimpleAtoi(text.substr(colon + 1), &index)) {
    name = text.substr(0, colon);
    const size_t second = name.rfind(':');
    if (in_function && second != absl::string_view::npos) {
      argument = name.substr(second + 1);
      name = name.substr(0, second);
    }
  }
  if (in_function && argument.empty()) {
    auto arg = arguments_by_name_.find(name);
    if (arg != arguments_by_name_.end() && index >= 0 && static_cast<size_t>(index) < arg->second.count) {
      return Output{graph_->args[arg->second.first + static_cast<size_t>(index)], 0};
    }
  }
  auto it = numbers_.find(name);
  if (it == numbers_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("Node '", by, "': Unknown input node '", text, "'"));
  }
  Made& made = made_[it->second];
  Node* node = made.node;
  if (!argument.empty() && node->error.ok()) {
    int64_t first = 0;
    size_t i = 0;
    while (i < made.outputs->size() && (*made.outputs)[i].name != argument) first += made.output_counts[i++];
    SM_CHECK_ARGUMENT(i < made.outputs->size(), "Node '", by, "': ", text, " is not found: ", node->op(), " has no output \"", argument, "\"");
    SM_CHECK_ARGUMENT(index >= 0 && index < made.output_counts[i], "Node '", by, "': ", text, " is not found: \"", argument, "\" has ",
                      made.output_counts[i], " tensors");
    index += first;
  }
  if (const int64_t more = index < kMostTensors ? index + 1 - node->num_outputs() : 0; !node->error.ok() && more > 0 && more <= outputs_left_) {
    // How many outputs a node has that could not be read is anyone's guess: as many as are used.
    outputs_left_ -= more;
    node->output_types.resize(static_cast<size_t>(index) + 1, DataType::kInvalid);
    node->output_shapes.resize(node->output_types.size());
  }
  if (index < 0 || index >= node->num_outputs()) {
    return absl::InvalidArgumentError(absl::StrCat("Node '", by, "': Connecting to invalid output ", index, " of source node ", node->name,
                                                   " which has ", node->num_outputs(), " outputs."));
  }
  return Output{node, static_cast<int>(index)};
}

// An input where a reference meets a plain argument reads the variable just before its consumer runs.
absl::Status Builder::AddInput(Made& made, const Output& source) {
  Node* node = made.node;
  const size_t i = node->inputs.size();
  const DataType actual = TypeOf(source);
  if (!node->error.ok() || actual == DataType::kInvalid) {
    node->inputs.push_back(source);
    return absl::OkStatus();
  }
  if (i >= made.input_types.size()) {
    return absl::InvalidArgumentError(absl::StrCat("Node '", node->name, "': Input ", i, " of node ", node->name, " does not exist. Node only has ",
                                                   made.input_types.size(), " inputs."));
  }
  const DataType wanted = made.input_types[i];
  if (RemoveRef(actual) != RemoveRef(wanted) || (IsRef(wanted) && !IsRef(actual))) {
    return absl::InvalidArgumentError(absl::StrCat("Input ", i, " of node ", node->name, " was passed ", DataTypeName(actual), " from ",
                                                   source.node->name, ":", source.index, " incompatible with expected ", DataTypeName(wanted), "."));
  }
  if (IsRef(actual) && !IsRef(wanted)) {
    Attributes attributes;
    attributes.Set("T", RemoveRef(actual));
    Node* read = graph_->AddNode(absl::StrCat(node->name, "/_read_", i), catalog_.Find("_ReadRef"),
                                 std::make_shared<const Attributes>(std::move(attributes)), {RemoveRef(actual)});
    read->inputs.push_back(source);
    node->inputs.push_back({read, 0});
    return absl::OkStatus();
  }
  node->inputs.push_back(source);
  return absl::OkStatus();
}

absl::Status Builder::ConnectOne(Made& made, bool in_function) {
  Node* node = made.node;
  node->inputs.reserve(static_cast<size_t>(made.def->input_size()));
  bool in_controls = false;
  for (const std::string& text : made.def->input()) {
    absl::string_view name = text;
    if (absl::ConsumePrefix(&name, "^")) {
      in_controls = true;
      if (in_function && arguments_by_name_.contains(name)) continue;  // an argument is always there
      Node* control = FindNode(name);
      if (control == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("Node '", node->name, "': Unknown input node '", text, "'"));
      }
      if (std::find(node->controls.begin(), node->controls.end(), control) == node->controls.end()) node->controls.push_back(control);
      continue;
    }
    SM_CHECK_ARGUMENT(!in_controls, "Node '", node->name, "': Control dependencies must come after regular dependencies");
    SM_ASSIGN_OR_RETURN(Output source, Resolve(text, in_function, node->name));
    SM_RETURN_IF_ERROR(AddInput(made, source));
  }
  for (size_t i = 0; i < node->inputs.size(); ++i) {
    Node* read = node->inputs[i].node;
    if (read->Is("_ReadRef") && absl::StartsWith(read->name, absl::StrCat(node->name, "/_read_"))) read->controls = node->controls;
  }
  if (node->error.ok() && node->inputs.size() < made.input_types.size()) {
    node->error = absl::InvalidArgumentError(absl::StrCat("Incomplete graph, missing ", made.input_types.size() - node->inputs.size(),
                                                          " inputs for ", node->name));
  }
  return absl::OkStatus();
}

absl::Status Builder::Connect(bool in_function) {
  for (Made& made : made_) SM_RETURN_IF_ERROR(ConnectOne(made, in_function));
  return absl::OkStatus();
}

}  // namespace

ImportedFunctions::ImportedFunctions(std::shared_ptr<const FunctionDefs> defs, std::shared_ptr<OpCatalog> catalog, std::shared_ptr<Allocator> allocator)
    : defs_(std::move(defs)), catalog_(std::move(catalog)), allocator_(std::move(allocator)) {
  for (int i = 0; i < defs_->size(); ++i) numbers_.emplace(defs_->about(i).name, i);
}

absl::Status ImportedFunctions::Check() const {
  for (int i = 0; i < defs_->size(); ++i) {
    const FunctionDefs::About& about = defs_->about(i);
    const int first = numbers_.at(about.name);
    if (first != i && defs_->Get(first)->SerializeAsString() != defs_->Get(i)->SerializeAsString()) {
      return absl::InvalidArgumentError(absl::StrCat("Cannot add function '", about.name, "' because a different function with the same name already exists."));
    }
    if (catalog_->Find(about.name)->def != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("Cannot add function '", about.name, "' because an op with the same name already exists."));
    }
    if (about.calls_itself) {
      return absl::FailedPreconditionError(absl::StrCat("Function ", about.name, " is self recursive and TensorFlow does not support this scenario."));
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<const proto::OpDef> ImportedFunctions::Signature(const std::string& name) {
  auto it = numbers_.find(name);
  if (it == numbers_.end()) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<const proto::OpDef>& signature = signatures_[name];
  if (signature == nullptr) signature = std::make_shared<proto::OpDef>(defs_->Get(it->second)->signature());
  return signature;
}

absl::StatusOr<std::shared_ptr<const Graph>> ImportedFunctions::Instantiate(const FunctionRef& function) {
  auto it = numbers_.find(function.name);
  if (it == numbers_.end()) return absl::NotFoundError(absl::StrCat("Function ", function.name, " is not defined."));
  const bool polymorphic = defs_->about(it->second).polymorphic;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto built = built_.find(function.name);
    if (!polymorphic && built != built_.end()) return built->second;
  }
  static const Attributes* const kNone = new Attributes();
  absl::StatusOr<std::shared_ptr<const Graph>> graph =
      Build(*defs_->Get(it->second), function.attributes == nullptr ? *kNone : *function.attributes);
  if (!graph.ok()) {
    return absl::Status(graph.status().code(), absl::StrCat("function ", function.name, ": ", graph.status().message()));
  }
  std::lock_guard<std::mutex> lock(mutex_);
  if (!polymorphic) built_.emplace(function.name, *graph);
  return graph;
}

absl::StatusOr<std::shared_ptr<const Graph>> ImportedFunctions::Build(const proto::FunctionDef& function, const Attributes& attributes) {
  auto graph = std::make_shared<Graph>();
  Builder builder(graph.get(), *this, *catalog_, attributes, function.node_def_size());
  for (const proto::OpDef::ArgDef& arg : function.signature().input_arg()) {
    SM_ASSIGN_OR_RETURN(std::vector<DataType> types, FlatTypes({ArgOf(arg)}, attributes));
    builder.AddArg(arg.name(), types, !arg.number_attr().empty() || !arg.type_list_attr().empty());
  }
  for (const proto::NodeDef& node : function.node_def()) SM_RETURN_IF_ERROR(builder.AddNode(node));
  SM_RETURN_IF_ERROR(builder.Connect(true));
  for (const proto::OpDef::ArgDef& arg : function.signature().output_arg()) {
    auto ret = function.ret().find(arg.name());
    SM_CHECK_ARGUMENT(ret != function.ret().end(), "Return ", arg.name(), " missing.");
    SM_ASSIGN_OR_RETURN(std::vector<DataType> types, FlatTypes({ArgOf(arg)}, attributes));
    const bool list = !arg.number_attr().empty() || !arg.type_list_attr().empty();
    for (size_t i = 0; i < types.size(); ++i) {
      std::string text = ret->second;
      if (list && types.size() > 1) {  // "node:out" or "node:out:0" names the first of the list
        std::vector<std::string> parts = absl::StrSplit(text, ':');
        text = absl::StrCat(parts[0], parts.size() > 1 ? absl::StrCat(":", parts[1]) : "", ":", i);
      }
      absl::StatusOr<Output> result = builder.Resolve(text, true, absl::StrCat("return ", arg.name()));
      SM_CHECK_ARGUMENT(result.ok(), "Return ", arg.name(), " -> ", text, " is not found. ", result.status().message());
      if (TypeOf(*result) != DataType::kInvalid && RemoveRef(TypeOf(*result)) != types[i]) {
        return absl::InvalidArgumentError(absl::StrCat("output ", arg.name(), " is ", DataTypeName(TypeOf(*result)), ", its declaration says ",
                                                       DataTypeName(types[i])));
      }
      graph->results.push_back(*result);
    }
  }
  for (const auto& [name, node_name] : function.control_ret()) {
    Node* node = builder.FindNode(node_name);
    SM_CHECK_ARGUMENT(node != nullptr, "control output ", name, " -> ", node_name, " is not found");
    graph->control_results.push_back(node);
  }
  std::sort(graph->control_results.begin(), graph->control_results.end(), [](const Node* a, const Node* b) { return a->id() < b->id(); });
  SM_RETURN_IF_ERROR(graph->TopologicalOrder().status());
  return std::shared_ptr<const Graph>(std::move(graph));
}

namespace {

constexpr int kScalarsAreScalars = 22;  // older producers wrote the shape of a scalar where they meant none

void ForgetScalarShape(Node* node) {
  if (!node->Is("Placeholder") || node->attrs().Shape("shape").rank() != 0) return;
  auto attributes = std::make_shared<Attributes>(node->attrs());
  attributes->Set("shape", PartialShape());
  node->attributes = std::move(attributes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Graph>> ImportGraph(const proto::GraphDef& def, ImportedFunctions& functions, OpCatalog& catalog) {
  auto graph = std::make_unique<Graph>();
  static const Attributes* const kNone = new Attributes();
  Builder builder(graph.get(), functions, catalog, *kNone, def.node_size());
  for (const proto::NodeDef& node : def.node()) {
    SM_CHECK_ARGUMENT(LegalName(node.name()), "Node '", node.name(), "': Node name contains invalid characters");
    SM_CHECK_ARGUMENT(LegalDevice(node.device()), "Malformed device specification '", node.device(), "' in node \"", node.name(), "\"");
    SM_RETURN_IF_ERROR(builder.AddNode(node));
  }
  if (def.versions().producer() < kScalarsAreScalars) {
    for (const auto& node : graph->nodes()) ForgetScalarShape(node.get());
  }
  SM_RETURN_IF_ERROR(builder.Connect(false));
  SM_RETURN_IF_ERROR(graph->TopologicalOrder().status());
  return graph;
}

}  // namespace savedmodel
