#include "cli/literal.h"

#include "cli/python_error.h"
#include "cli/python_lexer.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;
constexpr int kMaxDepth = 199;      // Python's limit on nested brackets
constexpr size_t kMaxKeys = 10000;  // of a set or dict

class Parser {
 public:
  explicit Parser(const std::vector<Token>& tokens) : tokens_(tokens) {}

  bool Parse(Value* value) {  // "1, 2" is a tuple
    if (!Item(value, 0)) return false;
    if (tokens_[at_].Is(",")) {
      std::vector<Value> items;
      items.push_back(std::move(*value));
      while (Take(",") && tokens_[at_].kind != Token::Kind::kEnd) {
        if (!Item(&items.emplace_back(), 0)) return false;
      }
      *value = Value::Of(Kind::kTuple, std::move(items));
    }
    return tokens_[at_].kind == Token::Kind::kEnd;
  }

 private:
  bool Take(absl::string_view sign) {
    if (!tokens_[at_].Is(sign)) return false;
    ++at_;
    return true;
  }

  static bool IsNumber(const Value& value) { return value.IsNumber() && value.kind != Kind::kBool; }

  // A value, or the sum of a real and an imaginary number.
  bool Item(Value* value, int depth) {
    if (!Signed(value, depth)) return false;
    const bool minus = tokens_[at_].Is("-");
    if (!minus && !tokens_[at_].Is("+")) return true;
    ++at_;
    Value imaginary;
    if (!Plain(&imaginary, depth) || imaginary.kind != Kind::kComplex || !IsNumber(*value) || value->kind == Kind::kComplex) return false;
    *value = Value::Complex(minus ? value->number - imaginary.number : value->number + imaginary.number);
    return true;
  }

  bool Signed(Value* value, int depth) {
    const bool minus = tokens_[at_].Is("-");
    if (!minus && !tokens_[at_].Is("+")) return Plain(value, depth);
    ++at_;
    if (!Plain(value, depth) || !IsNumber(*value)) return false;
    if (!minus) return true;
    if (value->kind == Kind::kInt || value->kind == Kind::kBigInt) {
      const std::string digits = ValueRepr(*value);
      *value = Value::BigInt(digits == "0" ? digits : "-" + digits);
    } else if (value->kind == Kind::kFloat) {
      *value = Value::Float(-value->number.real());
    } else {
      value->number = -value->number;
    }
    return true;
  }

  bool Plain(Value* value, int depth) {
    if (depth > kMaxDepth) return false;
    const Token& token = tokens_[at_++];
    if (token.kind == Token::Kind::kNumber) return *value = token.value, true;
    if (token.kind == Token::Kind::kString) return Strings(token, value);
    if (token.IsName("None")) return *value = Value(), true;
    if (token.IsName("True") || token.IsName("False")) return *value = Value::Bool(token.text == "True"), true;
    if (token.IsName("set")) return *value = Value::Of(Kind::kSet, {}), Take("(") && Take(")");
    if (token.Is("[")) return value->kind = Kind::kList, Items(value, "]", depth + 1);
    if (token.Is("(")) return value->kind = Kind::kTuple, Items(value, ")", depth + 1);
    if (token.Is("{")) return Braces(value, depth + 1);
    return false;
  }

  bool Strings(const Token& first, Value* value) {  // "a" "b" is one string
    *value = first.value;
    for (; tokens_[at_].kind == Token::Kind::kString; ++at_) {
      if (tokens_[at_].value.kind != value->kind) return false;
      value->text += tokens_[at_].value.text;
    }
    return true;
  }

  bool Items(Value* value, absl::string_view close, int depth) {
    bool comma = false;
    while (!Take(close)) {
      if (!value->items.empty() && !comma) return false;
      if (!Item(&value->items.emplace_back(), depth)) return false;
      comma = Take(",");
    }
    if (close == ")" && value->items.size() == 1 && !comma) {  // brackets around one value
      Value inner = std::move(value->items[0]);
      *value = std::move(inner);
    }
    return true;
  }

  bool Braces(Value* value, int depth) {
    value->kind = Kind::kDict;
    bool comma = true;
    for (size_t n = 0; !Take("}"); ++n) {
      Value key, item;
      if (!comma || n > kMaxKeys || !Item(&key, depth) || !Hashable(key)) return false;
      if (n == 0) value->kind = tokens_[at_].Is(":") ? Kind::kDict : Kind::kSet;
      if (value->kind == Kind::kDict && (!Take(":") || !Item(&item, depth))) return false;
      Insert(value, std::move(key), std::move(item));
      comma = Take(",");
    }
    return true;
  }

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<Value> ParseLiteral(const std::string& text) {
  std::vector<Token> tokens;
  Value value;
  if (!Tokenize(text, &tokens) || !Parser(tokens).Parse(&value)) {
    return PythonError("RuntimeError", "Expression \"", text, "\" is not a valid python literal.");
  }
  return value;
}

}  // namespace savedmodel::cli
