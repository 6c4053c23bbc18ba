#include "cli/pickle.h"

#include <cstring>
#include <unordered_map>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/literal.h"
#include "cli/numpy_data.h"
#include "cli/pickle_objects.h"
#include "cli/python_error.h"
#include "cli/python_lexer.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

absl::Status Bad(const std::string& what) { return PythonError("_pickle.UnpicklingError", "not a readable pickle: ", what); }

// Two's complement, little-endian, of any length.
Value LongOf(absl::string_view bytes) {
  if (bytes.empty()) return Value::Int(0);
  const bool negative = (bytes.back() & 0x80) != 0;
  std::string digits(1, '\0');  // little-endian decimal digits of the amount
  uint32_t borrow = 1;
  std::string amount(bytes);
  for (char& c : amount) {
    if (!negative) break;
    const uint32_t inverted = static_cast<uint32_t>(static_cast<uint8_t>(~c)) + borrow;
    c = static_cast<char>(inverted);
    borrow = inverted >> 8;
  }
  for (size_t i = amount.size(); i-- > 0;) {
    uint32_t carry = static_cast<uint8_t>(amount[i]);
    for (char& d : digits) {
      carry += static_cast<uint32_t>(d) * 256;
      d = static_cast<char>(carry % 10);
      carry /= 10;
    }
    for (; carry > 0; carry /= 10) digits += static_cast<char>(carry % 10);
  }
  std::string text = negative ? "-" : "";
  for (size_t i = digits.size(); i-- > 0;) text += static_cast<char>('0' + digits[i]);
  return Value::BigInt(text);
}

// Protocol 0 texts: Latin-1 with \uXXXX.
bool RawUnicode(absl::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digits = text[i] != '\\' || i + 1 == text.size() ? 0 : text[i + 1] == 'u' ? 4 : text[i + 1] == 'U' ? 8 : 0;
    if (digits == 0) {
      AppendUtf8(static_cast<uint8_t>(text[i]), out);
      continue;
    }
    uint32_t code = 0;
    if (i + 2 + digits > text.size() || !absl::SimpleHexAtoi(text.substr(i + 2, digits), &code) || code > 0x10ffff) return false;
    AppendUtf8(code, out);
    i += 1 + digits;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes), objects_(bytes.size()) {}

  absl::StatusOr<Value> Read() {
    while (at_ < bytes_.size()) {
      const uint8_t code = static_cast<uint8_t>(bytes_[at_++]);
      if (code == '.') {
        if (stack_.empty()) return Bad("it ends without a value");
        return objects_.ToValue(stack_.back());
      }
      SM_RETURN_IF_ERROR(Step(code));
      if (objects_.size() > kMaxObjects) return Bad("too many objects; save an array instead of lists");
    }
    return Bad("it is cut off");
  }

 private:
  static constexpr size_t kMaxObjects = size_t{1} << 22, kMaxLong = 1800;

  // The next n bytes; sets failed_ where there are fewer.
  absl::string_view Take(uint64_t n) {
    if (n > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  uint64_t Number(int size) {
    const absl::string_view bytes = Take(static_cast<uint64_t>(size));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    return value;
  }
  absl::string_view Line() {
    const size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos) {
      failed_ = true;
      return {};
    }
    const absl::string_view line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }

  absl::Status Push(Value value) {
    if (failed_) return Bad("it is cut off");
    stack_.push_back(objects_.Plain(std::move(value)));
    return absl::OkStatus();
  }
  absl::Status PushNode(Object* object) { return stack_.push_back(object), absl::OkStatus(); }
  absl::StatusOr<Object*> Pop() {
    if (stack_.size() <= base_) return Bad("its stack is empty");
    Object* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  // What was pushed since the last mark.
  absl::StatusOr<std::vector<Object*>> PopMark() {
    if (marks_.empty()) return Bad("a mark is missing");
    std::vector<Object*> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    base_ = marks_.empty() ? 0 : marks_.back();
    return items;
  }
  absl::Status Tuple(size_t n) {
    if (stack_.size() - base_ < n) return Bad("its stack is empty");
    std::vector<Object*> items(stack_.end() - static_cast<std::ptrdiff_t>(n), stack_.end());
    stack_.resize(stack_.size() - n);
    return PushNode(objects_.Of(Object::Kind::kTuple, std::move(items)));
  }
  absl::Status Get(uint64_t index) {
    auto it = memo_.find(index);
    if (failed_ || it == memo_.end()) return Bad("it refers to what it does not hold");
    return PushNode(it->second);
  }
  absl::Status Put(uint64_t index) {
    if (failed_ || stack_.size() <= base_) return Bad("its stack is empty");
    memo_[index] = stack_.back();
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> LineNumber() {
    uint64_t number = 0;
    if (!absl::SimpleAtoi(Line(), &number)) return Bad("a number is expected");
    return number;
  }

  absl::Status Step(uint8_t code);
  absl::Status TextStep(uint8_t code);
  absl::Status NumberStep(uint8_t code);
  absl::Status BuildStep(uint8_t code);

  absl::Status Append(std::vector<Object*> items) {
    if (stack_.size() <= base_) return Bad("its stack is empty");
    return objects_.Append(stack_.back(), std::move(items));
  }

  absl::string_view bytes_;
  size_t at_ = 0, base_ = 0;
  bool failed_ = false;
  Objects objects_;
  std::vector<Object*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Object*> memo_;
};

absl::Status Reader::Step(uint8_t code) {
  switch (code) {
    case 0x80: {  // PROTO
      const uint64_t version = Number(1);
      return version > 5 ? Bad(absl::StrCat("protocol ", version, "; protocols 0 to 5 are read")) : absl::OkStatus();
    }
    case 0x95: return Number(8), failed_ ? Bad("it is cut off") : absl::OkStatus();  // FRAME
    case '(':
      marks_.push_back(stack_.size());
      base_ = stack_.size();
      return absl::OkStatus();
    case '0': return Pop().status();
    case '1': return PopMark().status();
    case '2':
      if (stack_.size() <= base_) return Bad("its stack is empty");
      return PushNode(stack_.back());
    case 'h': return Get(Number(1));
    case 'j': return Get(Number(4));
    case 'q': return Put(Number(1));
    case 'r': return Put(Number(4));
    case 0x94: return Put(memo_.size());
    case 'g': {
      SM_ASSIGN_OR_RETURN(const uint64_t index, LineNumber());
      return Get(index);
    }
    case 'p': {
      SM_ASSIGN_OR_RETURN(const uint64_t index, LineNumber());
      return Put(index);
    }
    case 'N': return Push(Value());
    case 0x88: case 0x89: return Push(Value::Bool(code == 0x88));
    case 'I': case 'L': case 'F': case 'K': case 'M': case 'J': case 'G': case 0x8a: case 0x8b: return NumberStep(code);
    case 'V': case 'X': case 0x8c: case 0x8d: case 'S': case 'T': case 'U': case 'B': case 'C': case 0x8e: case 0x96: return TextStep(code);
    default: return BuildStep(code);
  }
}

absl::Status Reader::NumberStep(uint8_t code) {
  switch (code) {
    case 'I': case 'L': {
      absl::string_view line = Line();
      if (code == 'I' && (line == "00" || line == "01")) return Push(Value::Bool(line == "01"));
      if (code == 'L' && !line.empty() && line.back() == 'L') line.remove_suffix(1);
      absl::StatusOr<Value> number = ParseLiteral(std::string(line));
      if (!number.ok() || (number->kind != Value::Kind::kInt && number->kind != Value::Kind::kBigInt)) return Bad("a number is expected");
      return Push(*std::move(number));
    }
    case 'F': {
      double number = 0;
      if (!absl::SimpleAtod(Line(), &number)) return Bad("a number is expected");
      return Push(Value::Float(number));
    }
    case 'K': return Push(Value::Int(static_cast<int64_t>(Number(1))));
    case 'M': return Push(Value::Int(static_cast<int64_t>(Number(2))));
    case 'J': return Push(Value::Int(static_cast<int32_t>(Number(4))));
    case 'G': {
      const uint64_t bits = __builtin_bswap64(Number(8));
      double number;
      std::memcpy(&number, &bits, 8);
      return Push(Value::Float(number));
    }
    default: {
      const uint64_t size = Number(code == 0x8a ? 1 : 4);
      if (size > kMaxLong) return Bad("an integer is too long");
      return Push(LongOf(Take(size)));
    }
  }
}

absl::Status Reader::TextStep(uint8_t code) {
  const auto text = [this](int size) {
    const uint64_t n = Number(size);
    return std::string(Take(n));
  };
  switch (code) {
    case 'X': return Push(Value::String(text(4)));
    case 0x8c: return Push(Value::String(text(1)));
    case 0x8d: return Push(Value::String(text(8)));
    case 'B': return Push(Value::Bytes(text(4)));
    case 'C': return Push(Value::Bytes(text(1)));
    case 0x8e: return Push(Value::Bytes(text(8)));
    case 0x96:
      SM_RETURN_IF_ERROR(Push(Value::Bytes(text(8))));
      stack_.back()->made = true;
      return absl::OkStatus();
    case 'T': return Push(Value::String(text(4)));  // Python 2's strings
    case 'U': return Push(Value::String(text(1)));
    case 'S': {
      absl::StatusOr<Value> read = ParseLiteral(std::string(Line()));
      if (!read.ok() || read->kind != Value::Kind::kString) return Bad("a quoted string is expected");
      return Push(*std::move(read));
    }
    default: {
      std::string out;
      if (!RawUnicode(Line(), &out)) return Bad("a string is expected");
      return Push(Value::String(std::move(out)));
    }
  }
}

absl::Status Reader::BuildStep(uint8_t code) {
  switch (code) {
    case ']': return PushNode(objects_.Of(Object::Kind::kList, {}));
    case ')': return PushNode(objects_.Of(Object::Kind::kTuple, {}));
    case '}': return PushNode(objects_.Of(Object::Kind::kDict, {}));
    case 0x8f: return PushNode(objects_.Of(Object::Kind::kSet, {}));
    case 'l': case 't': case 'd': case 0x91: {
      SM_ASSIGN_OR_RETURN(std::vector<Object*> items, PopMark());
      if (code == 'd' && items.size() % 2 != 0) return Bad("a key without a value");
      const Object::Kind kind = code == 'l' ? Object::Kind::kList : code == 't' ? Object::Kind::kTuple : code == 'd' ? Object::Kind::kDict : Object::Kind::kSet;
      return PushNode(objects_.Of(kind, std::move(items)));
    }
    case 0x85: case 0x86: case 0x87: return Tuple(code - 0x84u);
    case 'a': {
      SM_ASSIGN_OR_RETURN(Object* item, Pop());
      return Append({item});
    }
    case 's': {
      SM_ASSIGN_OR_RETURN(Object* value, Pop());
      SM_ASSIGN_OR_RETURN(Object* key, Pop());
      return Append({key, value});
    }
    case 'e': case 'u': case 0x90: {
      SM_ASSIGN_OR_RETURN(std::vector<Object*> items, PopMark());
      return Append(std::move(items));
    }
    case 'c': {
      const std::string module(Line()), name(Line());
      if (failed_) return Bad("it is cut off");
      return PushNode(objects_.Global(module, name));
    }
    case 0x93: {
      SM_ASSIGN_OR_RETURN(Object* name, Pop());
      SM_ASSIGN_OR_RETURN(Object* module, Pop());
      return PushNode(objects_.Global(module->value.text, name->value.text));
    }
    case 'R': case 0x81: {
      SM_ASSIGN_OR_RETURN(Object* arguments, Pop());
      SM_ASSIGN_OR_RETURN(Object* callee, Pop());
      SM_ASSIGN_OR_RETURN(Object* made, objects_.Call(callee, arguments));
      return PushNode(made);
    }
    case 'b': {
      SM_ASSIGN_OR_RETURN(Object* state, Pop());
      if (stack_.size() <= base_) return Bad("its stack is empty");
      return objects_.Build(stack_.back(), state);
    }
    case 'i': case 'o': case 0x92: return Bad("it makes objects of a class, which is not done here");
    default: return Bad(absl::StrCat("opcode ", absl::Hex(code), " is not known"));
  }
}

}  // namespace

absl::StatusOr<Value> ReadPickle(absl::string_view bytes) {
  if (bytes.empty()) return PythonError("EOFError", "No data left in file");
  return Reader(bytes).Read();
}

}  // namespace savedmodel::cli
