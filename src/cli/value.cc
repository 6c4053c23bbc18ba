#include "cli/value.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/array_text.h"
#include "cli/python_text.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;
constexpr int kMaxDepth = 300;

std::string Repr(const Value& value, int depth);

std::string Items(const Value& value, int depth) {
  std::string text;
  for (size_t i = 0; i < value.items.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ");
    if (value.kind == Kind::kDict) absl::StrAppend(&text, Repr(value.keys[i], depth + 1), ": ");
    absl::StrAppend(&text, Repr(value.items[i], depth + 1));
  }
  return text;
}

std::string ComplexRepr(std::complex<double> c) {
  auto part = [](double v) {
    std::string text = DoubleRepr(v);
    return text.size() > 2 && text.substr(text.size() - 2) == ".0" ? text.substr(0, text.size() - 2) : text;
  };
  const std::string imaginary = part(c.imag());
  if (c.real() == 0 && !std::signbit(c.real())) return imaginary + "j";
  return absl::StrCat("(", part(c.real()), imaginary[0] == '-' ? "" : "+", imaginary, "j)");
}

std::string Repr(const Value& value, int depth) {
  if (depth > kMaxDepth) return "...";
  switch (value.kind) {
    case Kind::kNone: return "None";
    case Kind::kBool: return value.integer != 0 ? "True" : "False";
    case Kind::kInt: return absl::StrCat(value.integer);
    case Kind::kBigInt: return value.text;
    case Kind::kFloat: return DoubleRepr(value.number.real());
    case Kind::kComplex: return ComplexRepr(value.number);
    case Kind::kString: return StringRepr(value.text);
    case Kind::kBytes: return BytesRepr(value.text);
    case Kind::kList: return absl::StrCat("[", Items(value, depth), "]");
    case Kind::kTuple: return absl::StrCat("(", Items(value, depth), value.items.size() == 1 ? ",)" : ")");
    case Kind::kSet: return value.items.empty() ? "set()" : absl::StrCat("{", Items(value, depth), "}");
    case Kind::kDict: return absl::StrCat("{", Items(value, depth), "}");
    case Kind::kArray: return value.array->objects ? "array(..., dtype=object)" : absl::StrCat("array(", ArrayText(value.array->tensor), ")");
    case Kind::kDtype: return DataTypeName(value.dtype);
  }
  return "";
}

}  // namespace

Value Value::Bool(bool value) {
  Value v;
  v.kind = Kind::kBool;
  v.integer = value;
  v.number = value ? 1.0 : 0.0;
  return v;
}

Value Value::Int(int64_t value) {
  Value v;
  v.kind = Kind::kInt;
  v.integer = value;
  v.number = static_cast<double>(value);
  return v;
}

Value Value::BigInt(std::string digits) {
  int64_t small = 0;
  if (absl::SimpleAtoi(digits, &small)) return Int(small);
  Value v;
  v.kind = Kind::kBigInt;
  double number = 0;
  if (!absl::SimpleAtod(digits, &number)) number = 0;
  v.number = number;
  v.text = std::move(digits);
  return v;
}

Value Value::Float(double value) {
  Value v;
  v.kind = Kind::kFloat;
  v.number = value;
  return v;
}

Value Value::Complex(std::complex<double> value) {
  Value v;
  v.kind = Kind::kComplex;
  v.number = value;
  return v;
}

Value Value::String(std::string text) {
  Value v;
  v.kind = Kind::kString;
  v.text = std::move(text);
  return v;
}

Value Value::Bytes(std::string bytes) {
  Value v;
  v.kind = Kind::kBytes;
  v.text = std::move(bytes);
  return v;
}

Value Value::Of(Kind kind, std::vector<Value> items) {
  Value v;
  v.kind = kind;
  v.items = std::move(items);
  return v;
}

Value Value::Of(Array array) {
  Value v;
  v.kind = Kind::kArray;
  v.array = std::make_shared<const Array>(std::move(array));
  return v;
}

const char* KindName(Kind kind) {
  static constexpr const char* kNames[] = {"NoneType", "bool", "int", "int", "float", "complex", "str", "bytes", "list", "tuple", "set", "dict",
                                           "numpy.ndarray", "type"};
  return kNames[static_cast<int>(kind)];
}

std::string TypeText(const Value& value) { return absl::StrCat("<class '", KindName(value.kind), "'>"); }

std::string ValueRepr(const Value& value) { return Repr(value, 0); }
std::string ValueText(const Value& value) {
  if (value.kind == Kind::kArray && !value.array->objects) return ArrayText(value.array->tensor);
  return value.kind == Kind::kString ? value.text : Repr(value, 0);
}

bool Equal(const Value& a, const Value& b) {
  if (a.IsNumber() && b.IsNumber()) {
    if (a.kind == Kind::kBigInt || b.kind == Kind::kBigInt) return a.kind == b.kind && a.text == b.text;
    if (a.kind <= Kind::kInt && b.kind <= Kind::kInt) return a.integer == b.integer;
    return a.number == b.number;
  }
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::kString || a.kind == Kind::kBytes) return a.text == b.text;
  if (a.kind == Kind::kArray) return a.array == b.array;
  if (a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (!Equal(a.items[i], b.items[i])) return false;
  }
  return true;
}

bool Hashable(const Value& value) {
  if (value.kind == Kind::kList || value.kind == Kind::kSet || value.kind == Kind::kDict || value.kind == Kind::kArray) return false;
  for (const Value& item : value.items) {
    if (!Hashable(item)) return false;
  }
  return true;
}

void Insert(Value* set_or_dict, Value key, Value value) {
  const bool dict = set_or_dict->kind == Kind::kDict;
  std::vector<Value>& keys = dict ? set_or_dict->keys : set_or_dict->items;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!Equal(keys[i], key)) continue;
    if (dict) set_or_dict->items[i] = std::move(value);
    return;
  }
  keys.push_back(std::move(key));
  if (dict) set_or_dict->items.push_back(std::move(value));
}

const Value* Find(const Value& dict, absl::string_view key) {
  for (size_t i = 0; i < dict.keys.size(); ++i) {
    if (dict.keys[i].kind == Kind::kString && dict.keys[i].text == key) return &dict.items[i];
  }
  return nullptr;
}

}  // namespace savedmodel::cli
