#include "cli/functions_text.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/python_text.h"
#include "savedmodel/data_type.h"

namespace savedmodel::cli {
namespace {

constexpr char kIndent[] = "          ";
constexpr int kMaxDepth = 64;  // of nested structures; deeper ones show as "..."

std::string DimsText(const proto::TensorShapeProto& shape, bool list) {
  std::string text = list ? "[" : "(";
  for (int i = 0; i < shape.dim_size(); ++i) {
    const std::string size = shape.dim(i).size() < 0 ? "None" : absl::StrCat(shape.dim(i).size());
    absl::StrAppend(&text, i == 0 ? "" : ", ", size);
  }
  if (!list && shape.dim_size() == 1) text += ",";
  return text + (list ? "]" : ")");
}

std::string SpecText(const proto::TensorSpecProto& spec) {
  return absl::StrCat("TensorSpec(shape=", spec.shape().unknown_rank() ? "<unknown>" : DimsText(spec.shape(), false), ", dtype=tf.",
                      DataTypeName(static_cast<DataType>(spec.dtype())), ", name=", spec.name().empty() ? "None" : StringRepr(spec.name()), ")");
}

std::string ClassName(const proto::TypeSpecProto& spec) {
  const std::string& name = spec.type_spec_class_name();
  return name.empty() ? "TypeSpec" : name.substr(name.rfind('.') + 1);
}

std::string TypeName(const proto::StructuredValue& value) {
  switch (value.kind_case()) {
    case proto::StructuredValue::kNoneValue: return "NoneType";
    case proto::StructuredValue::kFloat64Value: return "float";
    case proto::StructuredValue::kInt64Value: return "int";
    case proto::StructuredValue::kStringValue: return "str";
    case proto::StructuredValue::kBoolValue: return "bool";
    case proto::StructuredValue::kListValue: return "list";
    case proto::StructuredValue::kTupleValue: return "tuple";
    case proto::StructuredValue::kDictValue: return "dict";
    case proto::StructuredValue::kNamedTupleValue: return value.named_tuple_value().name();
    case proto::StructuredValue::kTensorShapeValue: return "TensorShape";
    case proto::StructuredValue::kTensorDtypeValue: return "DType";
    case proto::StructuredValue::kTypeSpecValue: return ClassName(value.type_spec_value());
    case proto::StructuredValue::kBoundedTensorSpecValue: return "BoundedTensorSpec";
    default: return "object";
  }
}

std::string Repr(const proto::StructuredValue& value, int depth);

template <typename Values>
std::string Reprs(const Values& values, int depth) {
  return absl::StrJoin(values, ", ", [depth](std::string* out, const proto::StructuredValue& item) { out->append(Repr(item, depth + 1)); });
}

// The keys of a dictionary, sorted: the file has them in no order.
std::map<std::string, const proto::StructuredValue*> Sorted(const proto::DictValue& dict) {
  std::map<std::string, const proto::StructuredValue*> sorted;
  for (const auto& [key, item] : dict.fields()) sorted[key] = &item;
  return sorted;
}

std::string ShapeRepr(const proto::TensorShapeProto& shape) {
  return absl::StrCat("TensorShape(", shape.unknown_rank() ? "None" : DimsText(shape, true), ")");
}

// Python's repr() of what the value was.
std::string Repr(const proto::StructuredValue& value, int depth) {
  if (depth > kMaxDepth) return "...";
  switch (value.kind_case()) {
    case proto::StructuredValue::kNoneValue: return "None";
    case proto::StructuredValue::kFloat64Value: return DoubleRepr(value.float64_value());
    case proto::StructuredValue::kInt64Value: return absl::StrCat(value.int64_value());
    case proto::StructuredValue::kStringValue: return StringRepr(value.string_value());
    case proto::StructuredValue::kBoolValue: return value.bool_value() ? "True" : "False";
    case proto::StructuredValue::kTensorShapeValue: return ShapeRepr(value.tensor_shape_value());
    case proto::StructuredValue::kTensorDtypeValue: return "tf." + DataTypeName(static_cast<DataType>(value.tensor_dtype_value()));
    case proto::StructuredValue::kTensorSpecValue: return SpecText(value.tensor_spec_value());
    case proto::StructuredValue::kTypeSpecValue: {
      const proto::TypeSpecProto& spec = value.type_spec_value();
      return absl::StrCat(ClassName(spec), "(", Reprs(spec.type_state().tuple_value().values(), depth), ")");
    }
    case proto::StructuredValue::kListValue: return absl::StrCat("[", Reprs(value.list_value().values(), depth), "]");
    case proto::StructuredValue::kTupleValue: {
      const auto& items = value.tuple_value().values();
      return absl::StrCat("(", Reprs(items, depth), items.size() == 1 ? ",)" : ")");
    }
    case proto::StructuredValue::kDictValue:
      return absl::StrCat("{", absl::StrJoin(Sorted(value.dict_value()), ", ", [depth](std::string* out, const auto& item) {
                            absl::StrAppend(out, StringRepr(item.first), ": ", Repr(*item.second, depth + 1));
                          }), "}");
    case proto::StructuredValue::kNamedTupleValue:
      return absl::StrCat(value.named_tuple_value().name(), "(",
                          absl::StrJoin(value.named_tuple_value().values(), ", ", [depth](std::string* out, const auto& pair) {
                            absl::StrAppend(out, pair.key(), "=", Repr(pair.value(), depth + 1));
                          }), ")");
    default: return "...";
  }
}

// Python's str(), with quotes around texts.
std::string Str(const proto::StructuredValue& value) {
  if (value.kind_case() == proto::StructuredValue::kStringValue) return absl::StrCat("'", value.string_value(), "'");
  if (value.kind_case() == proto::StructuredValue::kTensorDtypeValue) {
    return absl::StrCat("<dtype: '", DataTypeName(static_cast<DataType>(value.tensor_dtype_value())), "'>");
  }
  if (value.kind_case() == proto::StructuredValue::kTensorShapeValue) {
    return value.tensor_shape_value().unknown_rank() ? "<unknown>" : DimsText(value.tensor_shape_value(), false);
  }
  return Repr(value, 0);
}

// The tool ends each item with ", " and takes the last away with two backspaces, whether there is one or not.
std::string Listed(const std::vector<std::string>& items, const char* open, const char* close) {
  std::string text = open;
  for (const std::string& item : items) absl::StrAppend(&text, item, ", ");
  return absl::StrCat(text, "\b\b", close);
}

std::string ValueText(const proto::StructuredValue& value) {
  std::vector<std::string> items;
  switch (value.kind_case()) {
    case proto::StructuredValue::kListValue:
      for (const auto& item : value.list_value().values()) items.push_back(Str(item));
      return Listed(items, "[", "]");
    case proto::StructuredValue::kTupleValue:
      for (const auto& item : value.tuple_value().values()) items.push_back(Str(item));
      return Listed(items, "[", "]");
    case proto::StructuredValue::kNamedTupleValue:
      for (const auto& pair : value.named_tuple_value().values()) items.push_back(Str(pair.value()));
      return Listed(items, "[", "]");
    case proto::StructuredValue::kTensorShapeValue:
      for (const auto& dim : value.tensor_shape_value().dim()) items.push_back(dim.size() < 0 ? "None" : absl::StrCat(dim.size()));
      return Listed(items, "[", "]");
    case proto::StructuredValue::kDictValue:
      for (const auto& [key, item] : Sorted(value.dict_value())) items.push_back(absl::StrCat("'", key, "': ", Str(*item)));
      return Listed(items, "{", "}");
    default: return Str(value);
  }
}

std::string ArgumentText(const proto::StructuredValue& value) {
  if (value.kind_case() == proto::StructuredValue::kTensorSpecValue) {
    const proto::TensorSpecProto& spec = value.tensor_spec_value();
    return absl::StrCat(kIndent, spec.name(), ": ", SpecText(spec), "\n");
  }
  if (value.kind_case() == proto::StructuredValue::kStringValue) return absl::StrCat(kIndent, value.string_value(), "\n");
  return absl::StrCat(kIndent, "DType: ", TypeName(value), "\n", kIndent, "Value: ", ValueText(value), "\n");
}

void AppendOption(const std::vector<std::string>& positional, const std::vector<std::string>& named, int option, std::string* text) {
  if (!positional.empty()) absl::StrAppend(text, "    Option #", option, "\n      Callable with:\n");
  for (size_t i = 0; i < positional.size(); ++i) absl::StrAppend(text, "        Argument #", i + 1, "\n", positional[i]);
  for (size_t i = 0; i < named.size(); ++i) absl::StrAppend(text, "        Named Argument #", i + 1, "\n", kIndent, named[i], "\n");
}

void AppendConcrete(const proto::SavedObjectGraph& graph, const std::string& name, const proto::SavedBareConcreteFunction* bare, int option,
                    std::string* text) {
  std::vector<std::string> positional, named;
  auto it = graph.concrete_functions().find(name);
  const bool signed_ = it != graph.concrete_functions().end() && it->second.has_canonicalized_input_signature();
  if (signed_ && it->second.canonicalized_input_signature().tuple_value().values_size() == 2) {
    const auto& both = it->second.canonicalized_input_signature().tuple_value().values();
    for (const proto::StructuredValue& value : both[0].tuple_value().values()) positional.push_back(ArgumentText(value));
    std::map<std::string, bool> keys;
    for (const auto& field : both[1].dict_value().fields()) keys[field.first] = true;
    for (const auto& key : keys) named.push_back(key.first);
  } else if (bare != nullptr) {
    for (const std::string& keyword : bare->argument_keywords()) positional.push_back(absl::StrCat(kIndent, keyword, "\n"));
  }
  AppendOption(positional, named, option, text);
}

}  // namespace

std::string FunctionsText(const proto::SavedObjectGraph& graph) {
  std::string text = "\nConcrete Functions:";
  if (graph.nodes_size() == 0) return text + "\n";
  std::map<std::string, const proto::SavedObject*> children;
  for (const auto& child : graph.nodes(0).children()) {
    if (child.node_id() < 0 || child.node_id() >= graph.nodes_size()) continue;
    const proto::SavedObject& object = graph.nodes(child.node_id());
    if (object.has_function() || object.has_bare_concrete_function()) children[child.local_name()] = &object;
  }
  bool first = true;
  for (const auto& [name, object] : children) {
    absl::StrAppend(&text, first ? "\n" : "\n", "  Function Name: '", name, "'\n");
    first = false;
    if (object->has_function()) {
      int option = 0;
      for (const std::string& concrete : object->function().concrete_functions()) AppendConcrete(graph, concrete, nullptr, ++option, &text);
    } else {
      const proto::SavedBareConcreteFunction& bare = object->bare_concrete_function();
      AppendConcrete(graph, bare.concrete_function_name(), &bare, 1, &text);
    }
  }
  if (first) text += "\n";
  return text;
}

}  // namespace savedmodel::cli
