#include "cli/expression.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/numpy_arithmetic.h"
#include "cli/numpy_functions.h"
#include "cli/python_error.h"
#include "cli/python_lexer.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;
constexpr int kMaxDepth = 100;
constexpr int64_t kMaxTotal = int64_t{1} << 27;  // elements of all arrays and lists made on the way

absl::Status Syntax() { return absl::InvalidArgumentError(""); }

class Evaluator {
 public:
  Evaluator(const std::vector<Token>& tokens, uint64_t seed) : tokens_(tokens), random_(seed) {}

  absl::StatusOr<Value> Run() {
    SM_ASSIGN_OR_RETURN(Value value, Element(0));
    if (tokens_[at_].Is(",")) {
      std::vector<Value> items = {std::move(value)};
      while (Take(",") && tokens_[at_].kind != Token::Kind::kEnd) {
        SM_ASSIGN_OR_RETURN(items.emplace_back(), Element(0));
      }
      value = Value::Of(Kind::kTuple, std::move(items));
    }
    if (tokens_[at_].kind != Token::Kind::kEnd) return Syntax();
    return value;
  }

 private:
  bool Take(absl::string_view sign) {
    if (!tokens_[at_].Is(sign)) return false;
    ++at_;
    return true;
  }

  // Counts what a step made.
  absl::StatusOr<Value> Counted(absl::StatusOr<Value> value) {
    if (!value.ok()) return value;
    made_ += value->kind == Kind::kArray && !value->array->objects ? value->array->tensor.num_elements()
                                                                   : static_cast<int64_t>(value->items.size() + value->text.size() / 8);
    if (made_ > kMaxTotal) return absl::InvalidArgumentError("it makes too many elements");
    return value;
  }

  absl::StatusOr<Value> Element(int depth) {  // of a list; a bare type is none
    SM_ASSIGN_OR_RETURN(Value value, Sum(depth));
    if (value.kind == Kind::kDtype) return Syntax();
    return value;
  }

  absl::StatusOr<Value> Sum(int depth) {
    if (depth > kMaxDepth) return Syntax();
    SM_ASSIGN_OR_RETURN(Value left, Product(depth));
    while (tokens_[at_].Is("+") || tokens_[at_].Is("-")) {
      const std::string sign = tokens_[at_++].text;
      SM_ASSIGN_OR_RETURN(const Value right, Product(depth));
      SM_ASSIGN_OR_RETURN(left, Counted(Arithmetic(sign, left, right)));
    }
    return left;
  }

  absl::StatusOr<Value> Product(int depth) {
    SM_ASSIGN_OR_RETURN(Value left, Signed(depth));
    while (tokens_[at_].Is("*") || tokens_[at_].Is("/") || tokens_[at_].Is("//") || tokens_[at_].Is("%")) {
      const std::string sign = tokens_[at_++].text;
      SM_ASSIGN_OR_RETURN(const Value right, Signed(depth));
      SM_ASSIGN_OR_RETURN(left, Counted(Arithmetic(sign, left, right)));
    }
    return left;
  }

  absl::StatusOr<Value> Signed(int depth) {
    if (depth > kMaxDepth) return Syntax();
    if (Take("-")) {
      SM_ASSIGN_OR_RETURN(const Value value, Signed(depth + 1));
      return Counted(Negated(value));
    }
    if (Take("+")) {
      SM_ASSIGN_OR_RETURN(Value value, Signed(depth + 1));
      return value.IsNumber() || value.kind == Kind::kArray ? absl::StatusOr<Value>(std::move(value)) : Syntax();
    }
    SM_ASSIGN_OR_RETURN(Value base, Trailed(depth));
    if (!Take("**")) return base;
    SM_ASSIGN_OR_RETURN(const Value power, Signed(depth + 1));
    return Counted(Arithmetic("**", base, power));
  }

  // A value and the methods called on it.
  absl::StatusOr<Value> Trailed(int depth) {
    SM_ASSIGN_OR_RETURN(Value value, Plain(depth));
    while (Take(".")) {
      if (tokens_[at_].kind != Token::Kind::kName) return Syntax();
      const std::string name = tokens_[at_++].text;
      if (!Take("(")) return absl::InvalidArgumentError(absl::StrCat(".", name, " is not known here"));
      SM_ASSIGN_OR_RETURN(const CallArguments arguments, Arguments(depth + 1));
      SM_ASSIGN_OR_RETURN(value, Counted(CallMethod(value, name, arguments)));
    }
    return value;
  }

  absl::StatusOr<Value> Plain(int depth) {
    const Token& token = tokens_[at_];
    if (token.kind == Token::Kind::kEnd) return Syntax();
    ++at_;
    if (token.kind == Token::Kind::kNumber) return token.value;
    if (token.kind == Token::Kind::kString) {
      Value value = token.value;
      for (; tokens_[at_].kind == Token::Kind::kString; ++at_) {
        if (tokens_[at_].value.kind != value.kind) return Syntax();
        value.text += tokens_[at_].value.text;
      }
      return value;
    }
    if (token.Is("[") || token.Is("(")) return Items(token.Is("[") ? "]" : ")", depth + 1);
    if (token.kind == Token::Kind::kName) return Name(token.text, depth);
    return Syntax();
  }

  absl::StatusOr<Value> Items(absl::string_view close, int depth) {
    Value list;
    list.kind = close == "]" ? Kind::kList : Kind::kTuple;
    bool comma = false;
    while (!Take(close)) {
      if (!list.items.empty() && !comma) return Syntax();
      SM_ASSIGN_OR_RETURN(list.items.emplace_back(), Element(depth));
      comma = Take(",");
    }
    if (close == ")" && list.items.size() == 1 && !comma) {
      Value inner = std::move(list.items[0]);
      return inner;
    }
    return list;
  }

  absl::StatusOr<CallArguments> Arguments(int depth) {
    CallArguments arguments;
    bool comma = true;
    while (!Take(")")) {
      if (!comma) return Syntax();
      if (tokens_[at_].kind == Token::Kind::kName && tokens_[at_ + 1].Is("=")) {
        const std::string name = tokens_[at_].text;
        at_ += 2;
        SM_ASSIGN_OR_RETURN(Value value, Sum(depth));
        arguments.named.emplace_back(name, std::move(value));
      } else {
        if (!arguments.named.empty()) return Syntax();
        SM_ASSIGN_OR_RETURN(arguments.positional.emplace_back(), Sum(depth));
      }
      comma = Take(",");
    }
    return arguments;
  }

  absl::StatusOr<Value> Name(std::string name, int depth) {
    if (name == "None") return Value();
    if (name == "True" || name == "False") return Value::Bool(name == "True");
    const bool numpy = name == "np" || name == "numpy";
    if (numpy) {
      name.clear();
      while (Take(".")) {
        if (tokens_[at_].kind != Token::Kind::kName) return Syntax();
        absl::StrAppend(&name, name.empty() ? "" : ".", tokens_[at_++].text);
        if (name != "random") break;
      }
      if (name.empty()) return Syntax();
    }
    const bool call = Take("(");
    if (!numpy) return Builtin(name, call, depth);
    if (!call) return NumpyConstant(name);
    SM_ASSIGN_OR_RETURN(const CallArguments arguments, Arguments(depth + 1));
    return Counted(CallNumpy(name, arguments, &random_));
  }

  // float("nan"), int(3), bool(0); as dtypes without a call.
  absl::StatusOr<Value> Builtin(const std::string& name, bool call, int depth) {
    if (name != "float" && name != "int" && name != "bool" && name != "complex" && name != "str") {
      return Syntax();
    }
    if (!call) return NumpyConstant(name);
    SM_ASSIGN_OR_RETURN(const CallArguments arguments, Arguments(depth + 1));
    if (name == "str" || name == "complex" || arguments.positional.size() != 1 || !arguments.named.empty()) return Syntax();
    const Value& value = arguments.positional[0];
    if (value.kind == Kind::kArray) return Syntax();
    SM_ASSIGN_OR_RETURN(const Value type, NumpyConstant(name));
    SM_ASSIGN_OR_RETURN(const Tensor tensor, ToTensor(value, type.dtype));
    if (tensor.rank() != 0) return Syntax();
    return ElementOf(tensor, 0, Array::Text::kNone);
  }

  const std::vector<Token>& tokens_;
  size_t at_ = 0;
  int64_t made_ = 0;
  RandomNumbers random_;
};

}  // namespace

absl::StatusOr<Value> EvaluateExpression(const std::string& text, uint64_t seed) {
  std::vector<Token> tokens;
  absl::StatusOr<Value> value = Syntax();
  if (Tokenize(text, &tokens)) value = Evaluator(tokens, seed).Run();
  if (value.ok()) return value;
  const absl::string_view why = value.status().message();
  return PythonError("RuntimeError", "Expression \"", text, "\" is not a valid python literal", why.empty() ? "." : ": ", why);
}

}  // namespace savedmodel::cli
