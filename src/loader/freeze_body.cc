#include "loader/freeze_body.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

bool Among(const std::string& op, std::initializer_list<const char*> ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* one) { return op == one; });
}

// An op that hands arguments to functions: which inputs, and which attributes list their dtypes and those of the outputs.
struct CallRule {
  const char* op;
  int skipped;  // leading inputs that are the op's own
  const char* input_types[2];
  const char* output_types;
};

constexpr CallRule kCalls[] = {
    {"PartitionedCall", 0, {"Tin", nullptr}, "Tout"},
    {"StatefulPartitionedCall", 0, {"Tin", nullptr}, "Tout"},
    {"If", 1, {"Tin", nullptr}, "Tout"},
    {"StatelessIf", 1, {"Tin", nullptr}, "Tout"},
    {"Case", 1, {"Tin", nullptr}, "Tout"},
    {"StatelessCase", 1, {"Tin", nullptr}, "Tout"},
    {"While", 0, {"T", nullptr}, "T"},
    {"StatelessWhile", 0, {"T", nullptr}, "T"},
    {"MapDefun", 0, {"Targuments", "Tcaptured"}, nullptr},
    {"BatchFunction", 0, {"Tin", "Tcaptured"}, nullptr},
};

const CallRule* FindCall(const std::string& op) {
  auto found = std::find_if(std::begin(kCalls), std::end(kCalls), [&](const CallRule& rule) { return op == rule.op; });
  return found == std::end(kCalls) ? nullptr : found;
}

// Hands its input on, whatever it is.
bool PassesOn(const std::string& op) {
  return Among(op, {"Identity", "Enter", "Exit", "NextIteration", "Switch", "Merge", "StopGradient", "PreventGradient"});
}

bool IsVariable(const std::string& op) { return op == "VarHandleOp" || op == "VariableV2" || op == "Variable"; }

bool IsLoop(const std::string& op) { return op == "While" || op == "StatelessWhile"; }

void SetType(proto::NodeDef* node, const std::string& attribute, DataType dtype) {
  (*node->mutable_attr())[attribute].Clear();
  (*node->mutable_attr())[attribute].set_type(static_cast<proto::DataType>(dtype));
}

void MoveAttribute(proto::NodeDef* node, const char* from, const char* to) {
  auto found = node->attr().find(from);
  if (found == node->attr().end()) return;
  proto::AttrValue value = found->second;
  node->mutable_attr()->erase(from);
  (*node->mutable_attr())[to] = std::move(value);
}

// What was noted about values that are others now.
void DropHints(proto::NodeDef* node) {
  for (const char* name : {"_output_shapes", "_handle_dtypes", "_handle_shapes", "_read_only_resource_inputs", "_class"}) node->mutable_attr()->erase(name);
}

void KeepControls(proto::NodeDef* node) {
  std::vector<std::string> controls;
  for (const std::string& input : node->input()) {
    if (absl::StartsWith(input, "^")) controls.push_back(input);
  }
  node->clear_input();
  for (std::string& control : controls) node->add_input(std::move(control));
}

// The entries of a list of dtypes that begin at `first` and are handles become dtypes.
void PatchTypes(proto::NodeDef* node, const char* attribute, const std::map<int, FrozenHandle>& handles, int first) {
  auto found = node->mutable_attr()->find(attribute);
  if (found == node->mutable_attr()->end()) return;
  auto* list = found->second.mutable_list();
  for (int i = 0; i < list->type_size(); ++i) {
    auto handle = handles.find(first + i);
    if (handle != handles.end()) list->set_type(i, static_cast<proto::DataType>(handle->second.dtype));
  }
}

void ForgetShapes(proto::NodeDef* node, const std::map<int, FrozenHandle>& outputs) {
  auto found = node->mutable_attr()->find("output_shapes");
  if (found == node->mutable_attr()->end()) return;
  auto* list = found->second.mutable_list();
  for (const auto& [i, handle] : outputs) {
    if (i < list->shape_size()) {
      list->mutable_shape(i)->Clear();
      list->mutable_shape(i)->set_unknown_rank(true);
    }
  }
}

std::string WithoutRef(const std::string& op) { return absl::StartsWith(op, "Ref") ? op.substr(3) : op; }

}  // namespace

FreezeBody::Place FreezeBody::PlaceOf(const std::string& tensor) const {
  const size_t colon = tensor.find(':');
  if (colon == std::string::npos) return {tensor, 0};
  const std::string node = tensor.substr(0, colon);
  std::string rest = tensor.substr(colon + 1);
  int index = 0;
  if (!in_function_) return {node, absl::SimpleAtoi(rest, &index) ? index : -1};
  const size_t second = rest.find(':');
  const std::string output = rest.substr(0, second);
  if (second != std::string::npos && !absl::SimpleAtoi(rest.substr(second + 1), &index)) return {node, -1};
  if (second == std::string::npos && absl::SimpleAtoi(output, &index)) return {node, index};
  if (output == "output_true" || output == "value_index") return {node, 1};
  auto found = by_name_.find(node);
  const proto::FunctionDef* function = found == by_name_.end() ? nullptr : context_.FindFunction(found->second->op());
  for (int i = 0; function != nullptr && i < function->signature().output_arg_size(); ++i) {
    if (function->signature().output_arg(i).name() == output) return {node, i + index};
  }
  return {node, index};
}

const FrozenHandle* FreezeBody::HandleOf(const std::string& tensor) const {
  const Place place = PlaceOf(tensor);
  if (in_function_) {
    auto argument = arguments_.find(place.first);
    if (argument != arguments_.end()) return &argument->second;
  }
  auto found = handles_.find(place);
  return found == handles_.end() ? nullptr : &found->second;
}

std::string FreezeBody::NewName(const std::string& tensor) const {
  const size_t colon = tensor.find(':');
  if (!in_function_ || colon == std::string::npos) return tensor;
  auto renamed = renamed_outputs_.find(tensor.substr(0, colon));
  return renamed == renamed_outputs_.end() ? tensor : absl::StrCat(renamed->first, ":", renamed->second, ":0");
}

std::map<int, FrozenHandle> FreezeBody::HandleInputs(const proto::NodeDef& node) const {
  std::map<int, FrozenHandle> inputs;
  for (int i = 0; i < node.input_size() && !absl::StartsWith(node.input(i), "^"); ++i) {
    if (const FrozenHandle* handle = HandleOf(node.input(i))) inputs[i] = *handle;
  }
  return inputs;
}

void FreezeBody::SetHandle(const proto::NodeDef& node, int output, const FrozenHandle& handle) {
  grew_ = handles_.emplace(Place(node.name(), output), handle).second || grew_;
}

absl::Status FreezeBody::FindCallHandles(const proto::NodeDef& node, const ArgumentHandles& inputs) {
  if (IsLoop(node.op())) {
    for (const auto& [i, handle] : inputs) {
      if (!handle.reference) SetHandle(node, i, handle);
    }
    return absl::OkStatus();
  }
  const CallRule* rule = FindCall(node.op());
  const int skipped = rule == nullptr ? 0 : rule->skipped;
  ArgumentHandles arguments;
  for (const auto& [i, handle] : inputs) {
    if (!handle.reference) arguments[i - skipped] = handle;
  }
  auto look_at = [&](const std::string& name) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const FrozenFunction function, context_.Specialize(name, arguments));
    for (const auto& [i, handle] : function.outputs) SetHandle(node, i, handle);
    return absl::OkStatus();
  };
  if (rule == nullptr) return look_at(node.op());
  for (const auto& [name, value] : node.attr()) {
    if (value.has_func()) SM_RETURN_IF_ERROR(look_at(value.func().name()));
    for (const auto& function : value.list().func()) SM_RETURN_IF_ERROR(look_at(function.name()));
  }
  return absl::OkStatus();
}

absl::Status FreezeBody::FindHandles(const proto::NodeDef& node) {
  const std::string& op = node.op();
  if (IsVariable(op)) {
    if (context_.Keeps(node.name())) return absl::OkStatus();
    auto dtype = node.attr().find("dtype");
    const DataType type = dtype == node.attr().end() ? DataType::kInvalid : static_cast<DataType>(dtype->second.type());
    SetHandle(node, 0, {type, op != "VarHandleOp"});
    return absl::OkStatus();
  }
  const ArgumentHandles inputs = HandleInputs(node);
  if (FindCall(op) != nullptr || context_.FindFunction(op) != nullptr) return FindCallHandles(node, inputs);
  if (inputs.empty()) return absl::OkStatus();
  if (op == "IdentityN") {
    for (const auto& [i, handle] : inputs) SetHandle(node, i, handle);
  }
  const FrozenHandle& first = inputs.begin()->second;
  const bool passes = first.reference ? op != WithoutRef(op) && PassesOn(WithoutRef(op)) : PassesOn(op);
  if (!passes || inputs.begin()->first > (WithoutRef(op) == "Merge" ? 8 : 0)) return absl::OkStatus();
  SetHandle(node, 0, first);
  if (WithoutRef(op) == "Switch") SetHandle(node, 1, first);
  return absl::OkStatus();
}

absl::Status FreezeBody::Refuse(const proto::NodeDef& node) const {
  const std::string place = absl::StrCat(where_, "node \"", node.name(), "\" (", node.op(), ")");
  if (absl::StrContains(node.op(), "Assign") || absl::StrContains(node.op(), "Scatter") || absl::StrContains(node.op(), "Apply") ||
      absl::StrContains(node.op(), "Sparse") || node.op() == "CountUpTo" || node.op() == "ResourceCountUpTo") {
    return absl::FailedPreconditionError(absl::StrCat(place, ": writes a variable, a frozen graph has constants that are only read"));
  }
  return absl::UnimplementedError(absl::StrCat(place, ": takes the handle of a variable; only ops that read it, call functions with it or pass it on can be frozen"));
}

// Ops that read a variable become ops on its value.
absl::Status FreezeBody::ApplyRead(proto::NodeDef* node, const FrozenHandle& handle) {
  const std::string op = node->op();
  auto rename = [&](const char* new_op) {
    node->set_op(new_op);
    renamed_outputs_[node->name()] = "output";
  };
  if (op == "ReadVariableOp") {
    rename("Identity");
    node->mutable_attr()->clear();
    SetType(node, "T", handle.dtype);
  } else if (op == "VariableShape") {
    rename("Shape");
    SetType(node, "T", handle.dtype);
  } else if (op == "ResourceGather") {
    rename("GatherV2");
    MoveAttribute(node, "dtype", "Tparams");
    node->mutable_attr()->erase("validate_indices");
    SetType(node, "Taxis", DataType::kInt32);
    proto::NodeDef axis;
    axis.set_name(absl::StrCat(node->name(), "/frozen_axis"));
    axis.set_op("Const");
    SetType(&axis, "dtype", DataType::kInt32);
    proto::TensorProto* value = (*axis.mutable_attr())["value"].mutable_tensor();
    value->set_dtype(static_cast<proto::DataType>(DataType::kInt32));
    value->mutable_tensor_shape();
    auto batch_dims = node->attr().find("batch_dims");
    value->add_int_val(batch_dims == node->attr().end() ? 0 : static_cast<int32_t>(batch_dims->second.i()));
    // before the control inputs
    std::vector<std::string> inputs(node->input().begin(), node->input().end());
    inputs.insert(inputs.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(inputs.size())), in_function_ ? axis.name() + ":output:0" : axis.name());
    node->clear_input();
    for (std::string& input : inputs) node->add_input(std::move(input));
    added_.push_back(std::move(axis));
  } else if (op == "ResourceGatherNd") {
    rename("GatherNd");
    MoveAttribute(node, "dtype", "Tparams");
  } else if (op == "VarIsInitializedOp" || op == "IsVariableInitialized") {
    rename("Const");
    KeepControls(node);
    node->mutable_attr()->clear();
    SetType(node, "dtype", DataType::kBool);
    proto::TensorProto* value = (*node->mutable_attr())["value"].mutable_tensor();
    value->set_dtype(static_cast<proto::DataType>(DataType::kBool));
    value->mutable_tensor_shape();
    value->add_bool_val(true);
  } else if (op == "DestroyResourceOp") {
    node->set_op("NoOp");
    KeepControls(node);
    node->mutable_attr()->clear();
  } else {
    return Refuse(*node);
  }
  return absl::OkStatus();
}

// Reference variables: an op that takes the reference itself passes it on or writes it; others read a value as before.
absl::Status FreezeBody::ApplyReference(proto::NodeDef* node, const ArgumentHandles& inputs) {
  if (node->op() != WithoutRef(node->op()) && (PassesOn(WithoutRef(node->op())) || node->op() == "RefSelect")) {
    if (node->op() == "RefSelect") return Refuse(*node);
    node->set_op(WithoutRef(node->op()));
    changed_ = true;
    return absl::OkStatus();
  }
  if (node->op() == "IsVariableInitialized") {
    changed_ = true;
    return ApplyRead(node, inputs.begin()->second);
  }
  for (const auto& [i, handle] : inputs) {
    if (context_.TakesReference(node->op(), i)) return Refuse(*node);
  }
  return absl::OkStatus();
}

absl::Status FreezeBody::ApplyCall(proto::NodeDef* node, const ArgumentHandles& all_inputs) {
  ArgumentHandles inputs;
  for (const auto& [i, handle] : all_inputs) {
    if (!handle.reference) inputs.emplace(i, handle);
  }
  const CallRule* rule = FindCall(node->op());
  const int skipped = rule == nullptr ? 0 : rule->skipped;
  ArgumentHandles arguments;
  for (const auto& [i, handle] : inputs) {
    if (!handle.reference) arguments[i - skipped] = handle;
  }
  std::map<int, FrozenHandle> outputs;
  auto replace = [&](const std::string& attribute, const std::string& name) -> absl::StatusOr<std::string> {
    SM_ASSIGN_OR_RETURN(const FrozenFunction function, context_.Specialize(name, arguments));
    if (IsLoop(node->op()) && attribute == "body") {
      if (function.outputs != arguments) {
        return absl::UnimplementedError(absl::StrCat(where_, "node \"", node->name(), "\" (", node->op(), "): its body does not hand on the variables that it takes"));
      }
    }
    if (!IsLoop(node->op())) outputs.insert(function.outputs.begin(), function.outputs.end());
    changed_ = changed_ || function.name != name;
    return function.name;
  };
  if (rule == nullptr) {
    SM_ASSIGN_OR_RETURN(const std::string name, replace("", node->op()));
    node->set_op(name);
    if (!inputs.empty()) DropHints(node);
    return absl::OkStatus();
  }
  for (auto& [attribute, value] : *node->mutable_attr()) {
    if (value.has_func()) {
      SM_ASSIGN_OR_RETURN(const std::string name, replace(attribute, value.func().name()));
      value.mutable_func()->set_name(name);
    }
    if (!value.has_list()) continue;
    for (auto& function : *value.mutable_list()->mutable_func()) {
      SM_ASSIGN_OR_RETURN(const std::string name, replace(attribute, function.name()));
      function.set_name(name);
    }
  }
  if (inputs.empty() && outputs.empty()) return absl::OkStatus();
  changed_ = true;
  DropHints(node);
  if (IsLoop(node->op())) outputs = inputs;
  int first = skipped;
  for (const char* attribute : rule->input_types) {
    if (attribute == nullptr) continue;
    PatchTypes(node, attribute, inputs, first);
    auto found = node->attr().find(attribute);
    if (found != node->attr().end()) first += found->second.list().type_size();
  }
  if (rule->output_types != nullptr) {
    if (!IsLoop(node->op())) PatchTypes(node, rule->output_types, outputs, 0);
    ForgetShapes(node, outputs);
  } else if (!outputs.empty()) {
    return Refuse(*node);
  }
  return absl::OkStatus();
}

// Functions that other ops name (datasets, sorting by a function of one's own ...) get no handles from here.
absl::Status FreezeBody::ApplyToFunctions(proto::NodeDef* node) {
  auto replace = [this](proto::NameAttrList* function) -> absl::Status {
    if (context_.FindFunction(function->name()) == nullptr) return absl::OkStatus();
    SM_ASSIGN_OR_RETURN(const FrozenFunction made, context_.Specialize(function->name(), {}));
    changed_ = changed_ || made.name != function->name();
    function->set_name(made.name);
    return absl::OkStatus();
  };
  for (auto& item : *node->mutable_attr()) {
    if (item.second.has_func()) SM_RETURN_IF_ERROR(replace(item.second.mutable_func()));
    if (!item.second.has_list()) continue;
    for (auto& function : *item.second.mutable_list()->mutable_func()) SM_RETURN_IF_ERROR(replace(&function));
  }
  return absl::OkStatus();
}

absl::Status FreezeBody::Apply(proto::NodeDef* node) {
  const std::string& op = node->op();
  if (IsVariable(op)) {
    if (context_.Keeps(node->name())) return absl::OkStatus();
    proto::NodeDef constant;
    SM_RETURN_IF_ERROR(context_.MakeConstant(*node, &constant).status());
    constant.mutable_input()->CopyFrom(node->input());
    constant.set_device(node->device());
    *node = std::move(constant);
    renamed_outputs_[node->name()] = "output";
    changed_ = true;
    return absl::OkStatus();
  }
  if (absl::StrContains(op, "HashTable")) {
    return absl::FailedPreconditionError(absl::StrCat(where_, "node \"", node->name(), "\" (", op,
                                                      "): is a table; a frozen graph has no place for what it holds, only for the values of variables"));
  }
  const ArgumentHandles inputs = HandleInputs(*node);
  if (FindCall(op) != nullptr || context_.FindFunction(op) != nullptr) return ApplyCall(node, inputs);
  SM_RETURN_IF_ERROR(ApplyToFunctions(node));
  if (inputs.empty()) return absl::OkStatus();
  const FrozenHandle& first = inputs.begin()->second;
  DropHints(node);
  if (first.reference) return ApplyReference(node, inputs);
  changed_ = true;
  if (op == "IdentityN") {
    PatchTypes(node, "T", inputs, 0);
    return absl::OkStatus();
  }
  if (PassesOn(op) && handles_.count(Place(node->name(), 0)) > 0) {
    SetType(node, "T", first.dtype);
    return absl::OkStatus();
  }
  if (inputs.size() > 1 || inputs.begin()->first != 0) return Refuse(*node);
  return ApplyRead(node, first);
}

absl::Status FreezeBody::Rewrite() {
  for (const proto::NodeDef& node : *nodes_) by_name_[node.name()] = &node;
  // Handles go along edges, in loops against the order of the file too; a file may also be in the opposite order.
  do {
    grew_ = false;
    for (auto node = nodes_->begin(); node != nodes_->end(); ++node) SM_RETURN_IF_ERROR(FindHandles(*node));
    for (auto node = nodes_->rbegin(); node != nodes_->rend(); ++node) SM_RETURN_IF_ERROR(FindHandles(*node));
  } while (grew_);
  for (proto::NodeDef& node : *nodes_) SM_RETURN_IF_ERROR(Apply(&node));
  for (proto::NodeDef& node : added_) *nodes_->Add() = std::move(node);
  if (in_function_ && changed_) {
    for (proto::NodeDef& node : *nodes_) {
      DropHints(&node);
      for (std::string& input : *node.mutable_input()) {
        if (!absl::StartsWith(input, "^")) input = NewName(input);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
