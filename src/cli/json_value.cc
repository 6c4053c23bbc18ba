#include "cli/json_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/python_error.h"
#include "cli/python_lexer.h"
#include "cli/python_text.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;
constexpr int kMaxDepth = 100;
constexpr size_t kMaxKeys = 10000;

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<Value> Run() {
    Value value;
    const bool good = Item(&value, 0);
    Skip();
    if (good && at_ == text_.size()) return value;
    return PythonError("ValueError", "not readable JSON at byte ", at_);
  }

 private:
  void Skip() {
    while (at_ < text_.size() && absl::string_view(" \t\r\n").find(text_[at_]) != absl::string_view::npos) ++at_;
  }
  bool Take(absl::string_view wanted) {
    Skip();
    if (!absl::StartsWith(text_.substr(at_), wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  bool Item(Value* value, int depth) {
    if (depth > kMaxDepth) return false;
    if (Take("null")) return true;
    if (Take("true")) return *value = Value::Bool(true), true;
    if (Take("false")) return *value = Value::Bool(false), true;
    if (Take("NaN")) return *value = Value::Float(std::nan("")), true;  // as Python's json writes them
    if (Take("Infinity")) return *value = Value::Float(HUGE_VAL), true;
    if (Take("-Infinity")) return *value = Value::Float(-HUGE_VAL), true;
    if (Take("\"")) return value->kind = Kind::kString, Text(&value->text);
    if (Take("[")) return List(value, depth);
    if (Take("{")) return Dict(value, depth);
    return Number(value);
  }

  bool List(Value* value, int depth) {
    value->kind = Kind::kList;
    if (Take("]")) return true;
    do {
      if (!Item(&value->items.emplace_back(), depth + 1)) return false;
    } while (Take(","));
    return Take("]");
  }

  bool Dict(Value* value, int depth) {
    value->kind = Kind::kDict;
    if (Take("}")) return true;
    do {
      Value key, item;
      key.kind = Kind::kString;
      if (!Take("\"") || !Text(&key.text) || !Take(":") || !Item(&item, depth + 1) || value->keys.size() > kMaxKeys) return false;
      Insert(value, std::move(key), std::move(item));
    } while (Take(","));
    return Take("}");
  }

  bool Number(Value* value) {
    const size_t begin = at_;
    at_ = std::min(text_.find_first_not_of("0123456789+-.eE", at_), text_.size());
    const std::string digits(text_.substr(begin, at_ - begin));
    double number = 0;
    if (digits.empty() || !absl::SimpleAtod(digits, &number)) return false;
    *value = digits.find_first_of(".eE") == digits.npos ? Value::BigInt(digits) : Value::Float(number);
    return true;
  }

  bool Hex(uint32_t* code) {
    if (at_ + 4 > text_.size()) return false;
    const char* begin = text_.data() + at_;
    at_ += 4;
    return std::from_chars(begin, begin + 4, *code, 16).ptr == begin + 4;
  }

  bool Text(std::string* out) {
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (c != '\\') {
        *out += c;
        continue;
      }
      if (at_ >= text_.size()) return false;
      const char escape = text_[at_++];
      uint32_t code = 0, low = 0;
      switch (escape) {
        case 'b': *out += '\b'; break;
        case 'f': *out += '\f'; break;
        case 'n': *out += '\n'; break;
        case 'r': *out += '\r'; break;
        case 't': *out += '\t'; break;
        case '"': case '\\': case '/': *out += escape; break;
        case 'u':
          if (!Hex(&code)) return false;
          if (code >= 0xd800 && code < 0xdc00) {
            if (!absl::StartsWith(text_.substr(at_), "\\u")) return false;
            at_ += 2;
            if (!Hex(&low) || low < 0xdc00 || low > 0xdfff) return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          }
          AppendUtf8(code, out);
          break;
        default: return false;
      }
    }
    return at_++ < text_.size();
  }

  absl::string_view text_;
  size_t at_ = 0;
};

// How long the UTF-8 letter at `at` is; 0 for bytes that are none.
size_t LetterAt(absl::string_view text, size_t at) {
  const uint8_t c = static_cast<uint8_t>(text[at]);
  const size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
  if (at + n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i) {
    if ((text[at + i] & 0xc0) != 0x80) return 0;
  }
  const uint8_t second = n > 2 ? static_cast<uint8_t>(text[at + 1]) : 0x80;
  const bool bad = (c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f);
  return bad ? 0 : n;
}

std::string Element(const Tensor& tensor, int64_t i) {
  const Value value = ElementOf(tensor, i, Array::Text::kBytes);
  switch (value.kind) {
    case Kind::kBool: return value.integer != 0 ? "true" : "false";
    case Kind::kFloat:
      if (tensor.dtype() == DataType::kFloat && std::isfinite(value.number.real())) {
        char buffer[64];
        return {buffer, std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value.number.real())).ptr};
      }
      return JsonNumber(value.number.real());
    case Kind::kComplex: return absl::StrCat("[", JsonNumber(value.number.real()), ", ", JsonNumber(value.number.imag()), "]");
    case Kind::kBytes: return JsonString(value.text);
    case Kind::kNone: return "null";
    default: return ValueText(value);
  }
}

void Append(const Tensor& tensor, int axis, int64_t offset, std::string* out) {
  if (axis == tensor.rank()) return absl::StrAppend(out, Element(tensor, offset));
  const int64_t stride = tensor.shape().Product(axis + 1, tensor.rank());
  *out += '[';
  for (int64_t i = 0; i < tensor.dim(axis); ++i) {
    if (i > 0) *out += ", ";
    Append(tensor, axis + 1, offset + i * stride, out);
  }
  *out += ']';
}

}  // namespace

absl::StatusOr<Value> ParseJson(absl::string_view text) { return Parser(text).Run(); }

absl::StatusOr<Value> JsonInput(absl::string_view text, const std::string& file, const std::string& key) {
  absl::StatusOr<Value> value = ParseJson(text);
  if (!value.ok()) return PythonError("ValueError", "Input file ", file, ": ", absl::StripPrefix(value.status().message(), "ValueError: "));
  for (int level = 0; level < 2 && value->kind == Kind::kDict; ++level) {
    const Value* found = Find(*value, key);
    if (found == nullptr) found = Find(*value, "inputs");
    if (found == nullptr) found = Find(*value, "instances");
    if (found == nullptr) return PythonError("RuntimeError", "Input file ", file, " does not contain variable with name \"", key, "\".");
    Value inner = *found;
    *value = std::move(inner);
  }
  return value;
}

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const size_t n = LetterAt(text, i);
    const char c = text[i];
    if (n == 0) {
      out += "\xef\xbf\xbd";
    } else if (n > 1) {
      out.append(text.data() + i, n);
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint8_t>(c));
    } else {
      out += c;
    }
    i += n == 0 ? 1 : n;
  }
  return out + "\"";
}

std::string JsonNumber(double value) {
  if (!std::isfinite(value)) return "null";
  char buffer[64];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string JsonTensor(const Tensor& tensor) {
  if (tensor.num_elements() == 0 && tensor.rank() > 0 && tensor.dim(0) > (1 << 20)) return "[]";  // the shape says the rest
  std::string out;
  Append(tensor, 0, 0, &out);
  return out;
}

}  // namespace savedmodel::cli
