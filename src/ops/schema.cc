#include "ops/schema.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

// The sets of dtypes that TensorFlow's schemas name.
std::vector<DataType> NamedTypes(absl::string_view name) {
  using D = DataType;
  if (name == "numbertype") {
    return {D::kFloat, D::kDouble, D::kInt32, D::kUInt8, D::kInt16, D::kInt8, D::kComplex64, D::kInt64, D::kQInt8, D::kQUInt8,
            D::kQInt32, D::kBFloat16, D::kQInt16, D::kQUInt16, D::kUInt16, D::kComplex128, D::kHalf, D::kUInt32, D::kUInt64};
  }
  if (name == "realnumbertype") {
    return {D::kFloat, D::kDouble, D::kInt32, D::kUInt8, D::kInt16, D::kInt8, D::kInt64, D::kBFloat16, D::kUInt16, D::kHalf, D::kUInt32, D::kUInt64};
  }
  if (name == "quantizedtype") return {D::kQInt8, D::kQUInt8, D::kQInt16, D::kQUInt16, D::kQInt32};
  return {};
}

// Splits at `separator` outside brackets and quotes.
std::vector<std::string> SplitTop(absl::string_view text, char separator) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  bool quoted = false;
  for (char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted) {
      if (c == '{' || c == '[' || c == '(' || c == '<') ++depth;
      if (c == '}' || c == ']' || c == ')' || c == '>') depth = std::max(0, depth - 1);
      if (c == separator && depth == 0) {
        parts.emplace_back(absl::StripAsciiWhitespace(part));
        part.clear();
        continue;
      }
    }
    part += c;
  }
  absl::string_view last = absl::StripAsciiWhitespace(part);
  if (!last.empty()) parts.emplace_back(last);
  return parts;
}

std::string Unquote(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

absl::StatusOr<ArgSchema> ParseArg(absl::string_view text) {
  std::vector<std::string> halves = absl::StrSplit(text, absl::MaxSplits(": ", 1));
  SM_CHECK_ARGUMENT(halves.size() == 2, "schema argument \"", text, "\" lacks a type");
  ArgSchema arg;
  arg.name = halves[0];
  std::string type(absl::StripAsciiWhitespace(halves[1]));
  std::vector<std::string> factors = absl::StrSplit(type, " * ");
  if (factors.size() == 2) {
    arg.number_attr = factors[0];
    type = factors[1];
  }
  if (absl::StartsWith(type, "Ref(")) {
    arg.is_ref = true;
    type = type.substr(4, type.size() - 5);
  }
  arg.type = DataTypeFromName(type);
  if (arg.type == DataType::kInvalid) arg.type_attr = type;
  return arg;
}

// A default value, as TensorFlow prints it: DT_FLOAT, 1, 0.5, true, 'text', [1, 2], { unknown_rank: true }, { dim { size: 1 } }.
absl::StatusOr<AttrValue> ParseDefault(absl::string_view kind, absl::string_view text);

template <typename T>
absl::StatusOr<AttrValue> ParseList(absl::string_view element, absl::string_view text) {
  absl::string_view inner = absl::StripAsciiWhitespace(text);
  if (!absl::ConsumePrefix(&inner, "[") || !absl::ConsumeSuffix(&inner, "]")) {
    return absl::InvalidArgumentError(absl::StrCat("schema list \"", text, "\" lacks brackets"));
  }
  std::vector<T> values;
  for (const std::string& part : SplitTop(inner, ',')) {
    SM_ASSIGN_OR_RETURN(AttrValue value, ParseDefault(element, part));
    values.push_back(std::get<T>(value));
  }
  return AttrValue(std::move(values));
}

absl::StatusOr<AttrValue> ParseShape(absl::string_view text) {
  if (absl::StrContains(text, "unknown_rank: true")) return AttrValue(PartialShape());
  PartialShape shape = PartialShape::UnknownOfRank(0);
  size_t at = 0;
  while ((at = text.find("size:", at)) != absl::string_view::npos) {
    at += 5;
    size_t end = text.find_first_of("}", at);
    int64_t size = 0;
    SM_CHECK_ARGUMENT(absl::SimpleAtoi(absl::StripAsciiWhitespace(text.substr(at, end - at)), &size), "schema shape \"", text, "\"");
    shape.AddDim(size);
  }
  return AttrValue(shape);
}

absl::StatusOr<AttrValue> ParseDefault(absl::string_view kind, absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (absl::ConsumePrefix(&kind, "list(")) {
    absl::ConsumeSuffix(&kind, ")");
    if (kind == "int") return ParseList<int64_t>(kind, text);
    if (kind == "float") return ParseList<float>(kind, text);
    if (kind == "bool") return ParseList<bool>(kind, text);
    if (kind == "string") return ParseList<std::string>(kind, text);
    if (kind == "type") return ParseList<DataType>(kind, text);
    if (kind == "shape") return ParseList<PartialShape>(kind, text);
    if (kind == "tensor") return ParseList<Tensor>(kind, text);
    if (kind == "func") return ParseList<FunctionRef>(kind, text);
  }
  if (kind == "int") {
    int64_t value;
    SM_CHECK_ARGUMENT(absl::SimpleAtoi(text, &value), "schema integer \"", text, "\"");
    return AttrValue(value);
  }
  if (kind == "float") {
    float value;
    SM_CHECK_ARGUMENT(absl::SimpleAtof(text, &value), "schema float \"", text, "\"");
    return AttrValue(value);
  }
  if (kind == "bool") return AttrValue(text == "true");
  if (kind == "string") return AttrValue(Unquote(text));
  if (kind == "type") return AttrValue(DataTypeFromName(text));
  if (kind == "shape") return ParseShape(text);
  if (kind == "tensor") return AttrValue(Tensor());  // only ImageSummary has one (a colour), and no kernel reads it
  if (kind == "func") return AttrValue(FunctionRef{Unquote(text), nullptr});
  return absl::InvalidArgumentError(absl::StrCat("schema default \"", text, "\" of kind ", kind));
}

absl::StatusOr<AttrSchema> ParseAttr(absl::string_view text) {
  std::vector<std::string> halves = absl::StrSplit(text, absl::MaxSplits(": ", 1));
  SM_CHECK_ARGUMENT(halves.size() == 2, "schema attribute \"", text, "\" lacks a kind");
  AttrSchema attr;
  attr.name = halves[0];
  std::string rest = halves[1];
  std::string default_text;
  // " = " outside brackets begins the default.
  std::vector<std::string> sides = SplitTop(rest, '=');
  const size_t minimum_at = rest.find(" >= ");
  if (minimum_at != std::string::npos) {
    std::vector<std::string> after = absl::StrSplit(rest.substr(minimum_at + 4), absl::MaxSplits(" = ", 1));
    attr.has_minimum = absl::SimpleAtoi(absl::StripAsciiWhitespace(after[0]), &attr.minimum);
    if (after.size() == 2) default_text = after[1];
    attr.has_default = after.size() == 2;
    rest = rest.substr(0, minimum_at);
  } else if (sides.size() >= 2) {
    attr.has_default = true;
    const size_t at = rest.find(sides[0]) + sides[0].size();
    default_text = rest.substr(rest.find('=', at) + 1);
    rest = sides[0];
  }
  std::string type(absl::StripAsciiWhitespace(rest));
  bool list = absl::StartsWith(type, "list(");
  if (list) type = type.substr(5, type.size() - 6);
  if (absl::StartsWith(type, "{")) {
    const bool strings = type.find('\'') != std::string::npos;
    for (const std::string& part : SplitTop(type.substr(1, type.size() - 2), ',')) {
      if (strings) {
        attr.allowed_strings.push_back(Unquote(part));
      } else {
        attr.allowed_types.push_back(DataTypeFromName(part));
      }
    }
    attr.kind = strings ? "string" : "type";
  } else if (std::vector<DataType> named = NamedTypes(type); !named.empty()) {
    attr.allowed_types = std::move(named);
    attr.kind = "type";
  } else {
    attr.kind = type;
  }
  if (list) attr.kind = absl::StrCat("list(", attr.kind, ")");
  if (attr.has_default) {
    SM_ASSIGN_OR_RETURN(attr.default_value, ParseDefault(attr.kind, default_text));
  }
  return attr;
}

const char* KindOf(const AttrValue& value) {
  static constexpr const char* kKinds[] = {"nothing", "string", "int", "float", "bool", "type", "shape", "tensor", "func",
                                           "list(string)", "list(int)", "list(float)", "list(bool)", "list(type)",
                                           "list(shape)", "list(tensor)", "list(func)"};
  return kKinds[value.index()];
}

// An empty list in a file does not say of what; give it the schema's kind.
AttrValue EmptyList(absl::string_view kind) {
  if (kind == "list(string)") return std::vector<std::string>();
  if (kind == "list(float)") return std::vector<float>();
  if (kind == "list(bool)") return std::vector<bool>();
  if (kind == "list(type)") return std::vector<DataType>();
  if (kind == "list(shape)") return std::vector<PartialShape>();
  if (kind == "list(tensor)") return std::vector<Tensor>();
  if (kind == "list(func)") return std::vector<FunctionRef>();
  return std::vector<int64_t>();
}

int64_t ListSize(const AttrValue& value) {
  return std::visit(
      [](const auto& held) -> int64_t {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<int64_t>> ||
                      std::is_same_v<T, std::vector<float>> || std::is_same_v<T, std::vector<bool>> ||
                      std::is_same_v<T, std::vector<DataType>> || std::is_same_v<T, std::vector<PartialShape>> ||
                      std::is_same_v<T, std::vector<Tensor>> || std::is_same_v<T, std::vector<FunctionRef>>) {
          return static_cast<int64_t>(held.size());
        } else {
          return -1;
        }
      },
      value);
}

absl::Status CheckType(const AttrSchema& schema, DataType type) {
  if (schema.allowed_types.empty()) return absl::OkStatus();
  if (std::find(schema.allowed_types.begin(), schema.allowed_types.end(), RemoveRef(type)) != schema.allowed_types.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "Value for attr '", schema.name, "' of ", DataTypeName(type), " is not in the list of allowed values: ",
      absl::StrJoin(schema.allowed_types, ", ", [](std::string* out, DataType t) { out->append(DataTypeName(t)); })));
}

absl::Status CheckString(const AttrSchema& schema, const std::string& value) {
  if (schema.allowed_strings.empty()) return absl::OkStatus();
  if (std::find(schema.allowed_strings.begin(), schema.allowed_strings.end(), value) != schema.allowed_strings.end()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("Value for attr '", schema.name, "' of \"", value,
                                                 "\" is not in the list of allowed values: \"",
                                                 absl::StrJoin(schema.allowed_strings, "\", \""), "\""));
}

}  // namespace

const AttrSchema* OpSchema::FindAttr(absl::string_view name) const {
  for (const AttrSchema& attr : attrs) {
    if (attr.name == name) return &attr;
  }
  return nullptr;
}

const ArgSchema* OpSchema::FindOutput(absl::string_view name) const {
  for (const ArgSchema& arg : outputs) {
    if (arg.name == name) return &arg;
  }
  return nullptr;
}

absl::StatusOr<OpSchema> ParseSchema(const OpDef& op) {
  OpSchema schema;
  schema.op = op.name;
  for (const std::string& part : SplitTop(op.attrs, ';')) {
    SM_ASSIGN_OR_RETURN(AttrSchema attr, ParseAttr(part));
    schema.attrs.push_back(std::move(attr));
  }
  for (auto [text, args] : {std::pair(&op.inputs, &schema.inputs), std::pair(&op.outputs, &schema.outputs)}) {
    for (const std::string& part : SplitTop(*text, ';')) {
      SM_ASSIGN_OR_RETURN(ArgSchema arg, ParseArg(part));
      if (!arg.type_attr.empty()) {
        const AttrSchema* attr = schema.FindAttr(arg.type_attr);
        SM_CHECK_ARGUMENT(attr != nullptr, "schema of ", op.name, ": \"", part, "\" names no attribute");
        if (attr->kind == "list(type)") std::swap(arg.type_attr, arg.type_list_attr);
      }
      args->push_back(std::move(arg));
    }
  }
  return schema;
}

absl::Status CompleteAttributes(const OpSchema& schema, Attributes* attributes) {
  attributes->Reserve(schema.attrs.size());
  for (const AttrSchema& attr : schema.attrs) {
    const AttrValue* value = attributes->Find(attr.name);
    if (value == nullptr) {
      if (!attr.has_default) {
        return absl::NotFoundError(absl::StrCat("No attr named '", attr.name, "' in NodeDef, op ", schema.op, " needs it"));
      }
      attributes->Set(attr.name, attr.default_value);
      continue;
    }
    const absl::string_view kind = KindOf(*value);
    if (kind != attr.kind) {
      if (absl::StartsWith(attr.kind, "list(") && ListSize(*value) == 0) {
        attributes->Set(attr.name, EmptyList(attr.kind));
        value = attributes->Find(attr.name);
      } else {
        return absl::InvalidArgumentError(absl::StrCat("AttrValue of '", attr.name, "' had value with type '", kind, "' when '", attr.kind, "' expected"));
      }
    }
    if (attr.has_minimum) {
      const int64_t actual = attr.kind == "int" ? std::get<int64_t>(*value) : ListSize(*value);
      SM_CHECK_ARGUMENT(actual >= attr.minimum, "Value for attr '", attr.name, "' of ", actual, " must be at least minimum ", attr.minimum);
    }
    if (attr.kind == "type") {
      SM_RETURN_IF_ERROR(CheckType(attr, std::get<DataType>(*value)));
    } else if (attr.kind == "list(type)") {
      for (DataType type : std::get<std::vector<DataType>>(*value)) SM_RETURN_IF_ERROR(CheckType(attr, type));
    } else if (attr.kind == "string") {
      SM_RETURN_IF_ERROR(CheckString(attr, std::get<std::string>(*value)));
    } else if (attr.kind == "list(string)") {
      for (const std::string& s : std::get<std::vector<std::string>>(*value)) SM_RETURN_IF_ERROR(CheckString(attr, s));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<DataType>> FlatTypes(const std::vector<ArgSchema>& arguments, const Attributes& attributes,
                                                std::vector<int>* counts, int64_t most) {
  std::vector<DataType> types;
  for (const ArgSchema& arg : arguments) {
    const size_t before = types.size();
    if (!arg.type_list_attr.empty()) {
      const std::vector<DataType>& list = attributes.Types(arg.type_list_attr);
      types.insert(types.end(), list.begin(), list.end());
    } else {
      const DataType type = arg.type_attr.empty() ? arg.type : attributes.Type(arg.type_attr);
      const int64_t n = arg.number_attr.empty() ? 1 : attributes.Int(arg.number_attr);
      const int64_t left = most - static_cast<int64_t>(before);
      SM_CHECK_ARGUMENT(n >= 0 && (n <= 1 || n <= left), "attribute '", arg.number_attr, "' is ", n, ", must be in [0, ", left, "]");
      types.insert(types.end(), static_cast<size_t>(n), type);
    }
    if (arg.is_ref) {
      for (size_t i = before; i < types.size(); ++i) types[i] = MakeRef(types[i]);
    }
    if (counts != nullptr) counts->push_back(static_cast<int>(types.size() - before));
  }
  return types;
}

}  // namespace savedmodel
