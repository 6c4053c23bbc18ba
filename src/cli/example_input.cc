#include "cli/example_input.h"

#include <cstring>

#include "cli/python_error.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;

void Varint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) *out += static_cast<char>(value | 0x80);
  *out += static_cast<char>(value);
}

// A length-delimited field.
void Field(int number, absl::string_view content, std::string* out) {
  Varint(static_cast<uint64_t>(number) << 3 | 2, out);
  Varint(content.size(), out);
  out->append(content.data(), content.size());
}

absl::StatusOr<std::string> Floats(const std::vector<Value>& items) {
  std::string values;
  for (const Value& item : items) {
    if (!item.IsNumber() || item.kind == Kind::kComplex) return PythonError("TypeError", "must be real number, not ", KindName(item.kind));
    const float value = static_cast<float>(item.number.real());
    char bytes[4];
    std::memcpy(bytes, &value, 4);
    values.append(bytes, 4);
  }
  std::string list, feature;
  Field(1, values, &list);
  Field(2, list, &feature);
  return feature;
}

absl::StatusOr<std::string> Ints(const std::vector<Value>& items) {
  std::string values;
  for (const Value& item : items) {
    if (item.kind == Kind::kBool) return PythonError("TypeError", "Field tensorflow.Int64List.value: Expected an int, got a boolean.");
    if (item.kind == Kind::kBigInt) return PythonError("ValueError", "Value out of range: ", item.text);
    if (item.kind != Kind::kInt) return PythonError("TypeError", "'", KindName(item.kind), "' object cannot be interpreted as an integer");
    Varint(static_cast<uint64_t>(item.integer), &values);
  }
  std::string list, feature;
  Field(1, values, &list);
  Field(3, list, &feature);
  return feature;
}

absl::StatusOr<std::string> Texts(const std::vector<Value>& items) {
  std::string list, feature;
  const Kind kind = items[0].kind;
  for (const Value& item : items) {
    if (kind == Kind::kString && item.kind != kind) return PythonError("AttributeError", "'", KindName(item.kind), "' object has no attribute 'encode'");
    if (item.kind != Kind::kString && item.kind != Kind::kBytes) {
      return PythonError("TypeError", "expected bytes, ", KindName(item.kind), " found");
    }
    if (kind == Kind::kBytes && item.kind != kind) return PythonError("TypeError", "expected bytes, str found");
    Field(1, item.text, &list);
  }
  Field(1, list, &feature);
  return feature;
}

absl::StatusOr<std::string> FeatureOf(const std::string& name, const Value& value) {
  if (value.kind != Kind::kList) {
    return PythonError("ValueError", "feature value must be a list, but ", name, ": \"", ValueText(value), "\" is ", TypeText(value));
  }
  if (value.items.empty()) return PythonError("IndexError", "list index out of range");
  switch (value.items[0].kind) {
    case Kind::kFloat: return Floats(value.items);
    case Kind::kString: case Kind::kBytes: return Texts(value.items);
    case Kind::kBool: case Kind::kInt: case Kind::kBigInt: return Ints(value.items);
    default:
      return PythonError("ValueError", "Type ", TypeText(value.items[0]), " for value ", ValueText(value.items[0]), " is not supported for tf.train.Feature.");
  }
}

absl::StatusOr<std::string> ExampleOf(const Value& example) {
  if (example.kind != Kind::kDict) return PythonError("AttributeError", "'", KindName(example.kind), "' object has no attribute 'items'");
  std::string features, message;
  for (size_t i = 0; i < example.keys.size(); ++i) {
    SM_ASSIGN_OR_RETURN(const std::string feature, FeatureOf(ValueText(example.keys[i]), example.items[i]));
    const Value& key = example.keys[i];
    if (key.kind != Kind::kString && key.kind != Kind::kBytes) {
      return PythonError("TypeError", "bad argument type for built-in operation");
    }
    std::string entry;
    Field(1, key.text, &entry);
    Field(2, feature, &entry);
    Field(1, entry, &features);
  }
  if (!features.empty()) Field(1, features, &message);
  return message;
}

}  // namespace

absl::StatusOr<Value> ExamplesOf(const Value& value) {
  if (value.kind != Kind::kList) {
    return PythonError("ValueError", "tf.Example input must be a list of dictionaries, but \"", ValueText(value), "\" is ", TypeText(value));
  }
  Value examples;
  examples.kind = Kind::kList;
  for (const Value& item : value.items) {
    SM_ASSIGN_OR_RETURN(std::string example, ExampleOf(item));
    examples.items.push_back(Value::Bytes(std::move(example)));
  }
  return examples;
}

}  // namespace savedmodel::cli
