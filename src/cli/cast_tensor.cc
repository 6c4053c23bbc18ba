// numpy's astype.
#include <cmath>
#include <limits>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "cli/python_error.h"
#include "cli/python_lexer.h"
#include "cli/python_text.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

// What the processor's conversions give numpy: the smallest integer of the register for a number that does not fit, of which small
// types take the low bits.
template <typename Register>
Register Convert(double number) {
  constexpr double kLimit = sizeof(Register) == 4 ? 2147483648.0 : 9223372036854775808.0;
  return number > -kLimit - 1 && number < kLimit ? static_cast<Register>(number) : std::numeric_limits<Register>::min();
}

template <typename T>
T ToInteger(double number, int64_t integer, bool exact) {
  if (exact) return static_cast<T>(static_cast<uint64_t>(integer));
  if (sizeof(T) < 4 || std::is_same_v<T, int32_t>) return static_cast<T>(static_cast<uint32_t>(Convert<int32_t>(number)));
  return static_cast<T>(static_cast<uint64_t>(Convert<int64_t>(number)));
}

uint64_t ToUnsigned(double number, int64_t integer, bool exact) {
  constexpr double kHalf = 9223372036854775808.0;
  if (!exact && number >= kHalf) return static_cast<uint64_t>(Convert<int64_t>(number - kHalf)) ^ (uint64_t{1} << 63);
  return ToInteger<uint64_t>(number, integer, exact);
}

// A text as Python's int(), float() and complex() read it: blanks around it, underscores between digits.
std::string Cleaned(const std::string& text) {
  std::string out;
  const absl::string_view inner = absl::StripAsciiWhitespace(text);
  for (size_t i = 0; i < inner.size(); ++i) {
    const bool between = i > 0 && i + 1 < inner.size() && absl::ascii_isdigit(static_cast<unsigned char>(inner[i - 1])) &&
                         absl::ascii_isdigit(static_cast<unsigned char>(inner[i + 1]));
    if (inner[i] != '_' || !between) out += inner[i];
  }
  return out;
}

bool ReadFloat(const std::string& text, double* number) {
  const std::string clean = Cleaned(text);
  const size_t sign = !clean.empty() && (clean[0] == '+' || clean[0] == '-');
  if (clean.size() == sign || clean.find_first_of("xX(") != clean.npos) return false;
  return absl::SimpleAtod(clean, number);
}

bool ReadComplex(const std::string& text, std::complex<double>* number) {
  double real = 0, imaginary = 0;
  if (ReadFloat(text, &real)) return *number = real, true;
  std::string clean = Cleaned(text);
  if (clean.size() > 2 && clean.front() == '(' && clean.back() == ')') clean = Cleaned(clean.substr(1, clean.size() - 2));
  if (clean.empty() || (clean.back() != 'j' && clean.back() != 'J')) return false;
  clean.pop_back();
  size_t split = clean.find_last_of("+-");
  while (split != clean.npos && split > 0 && (clean[split - 1] == 'e' || clean[split - 1] == 'E')) split = clean.find_last_of("+-", split - 1);
  if (split == clean.npos) split = 0;
  std::string last = clean.substr(split);
  if (last.empty() || last == "+" || last == "-") last += "1";
  if (!ReadFloat(last, &imaginary) || (split > 0 && !ReadFloat(clean.substr(0, split), &real))) return false;
  *number = {real, imaginary};
  return true;
}

std::string Shown(const std::string& text, Array::Text kind, DataType type) {
  if (kind == Array::Text::kUnicode) return absl::StrCat("np.str_(", StringRepr(text), ")");
  return IsInteger(type) ? BytesRepr(text) : absl::StrCat("np.bytes_(", BytesRepr(text), ")");
}

}  // namespace

absl::Status StoreText(const std::string& text, const std::string& shown, Tensor* t, int64_t i) {
  const DataType type = t->dtype();
  if (IsInteger(type)) {
    int64_t integer = 0;
    if (!absl::SimpleAtoi(Cleaned(text), &integer)) return PythonError("ValueError", "invalid literal for int() with base 10: ", shown);
    StoreNumber(static_cast<double>(integer), integer, true, t, i);
    const Value back = ElementOf(*t, i, Array::Text::kNone);
    if (back.kind == Value::Kind::kInt && back.integer == integer) return absl::OkStatus();
    return PythonError("OverflowError", "Python integer ", integer, " out of bounds for ", DataTypeName(type));
  }
  std::complex<double> number;
  double real = 0;
  if (IsComplex(type)) {
    if (!ReadComplex(text, &number)) return PythonError("ValueError", "complex() arg is a malformed string");
  } else {
    if (!ReadFloat(text, &real)) return PythonError("ValueError", "could not convert string to float: ", shown);
    number = real;
  }
  if (!StoreNumber(number, 0, false, t, i)) return PythonError("TypeError", "a text cannot be fed as ", DataTypeName(type));
  return absl::OkStatus();
}

bool StoreNumber(std::complex<double> number, int64_t integer, bool exact, Tensor* t, int64_t i) {
  const double real = number.real();
  switch (t->dtype()) {
    case DataType::kFloat: return t->data<float>()[i] = static_cast<float>(real), true;
    case DataType::kDouble: return t->data<double>()[i] = real, true;
    case DataType::kHalf: return t->data<Half>()[i] = Half(static_cast<float>(real)), true;
    case DataType::kBFloat16: return t->data<BFloat16>()[i] = BFloat16(static_cast<float>(real)), true;
    case DataType::kComplex64: return t->data<std::complex<float>>()[i] = std::complex<float>(number), true;
    case DataType::kComplex128: return t->data<std::complex<double>>()[i] = number, true;
    case DataType::kBool: return t->data<bool>()[i] = number != 0.0, true;
    case DataType::kInt8: case DataType::kQInt8: return t->data<int8_t>()[i] = ToInteger<int8_t>(real, integer, exact), true;
    case DataType::kInt16: case DataType::kQInt16: return t->data<int16_t>()[i] = ToInteger<int16_t>(real, integer, exact), true;
    case DataType::kInt32: case DataType::kQInt32: return t->data<int32_t>()[i] = ToInteger<int32_t>(real, integer, exact), true;
    case DataType::kInt64: return t->data<int64_t>()[i] = ToInteger<int64_t>(real, integer, exact), true;
    case DataType::kUInt8: case DataType::kQUInt8: return t->data<uint8_t>()[i] = ToInteger<uint8_t>(real, integer, exact), true;
    case DataType::kUInt16: case DataType::kQUInt16: return t->data<uint16_t>()[i] = ToInteger<uint16_t>(real, integer, exact), true;
    case DataType::kUInt32: return t->data<uint32_t>()[i] = ToInteger<uint32_t>(real, integer, exact), true;
    case DataType::kUInt64: return t->data<uint64_t>()[i] = ToUnsigned(real, integer, exact), true;
    default: return false;
  }
}

Value ElementOf(const Tensor& from, int64_t i, Array::Text text) {
  switch (from.dtype()) {
    case DataType::kBool: return Value::Bool(from.data<bool>()[i]);
    case DataType::kInt8: case DataType::kQInt8: return Value::Int(from.data<int8_t>()[i]);
    case DataType::kInt16: case DataType::kQInt16: return Value::Int(from.data<int16_t>()[i]);
    case DataType::kInt32: case DataType::kQInt32: return Value::Int(from.data<int32_t>()[i]);
    case DataType::kInt64: return Value::Int(from.data<int64_t>()[i]);
    case DataType::kUInt8: case DataType::kQUInt8: return Value::Int(from.data<uint8_t>()[i]);
    case DataType::kUInt16: case DataType::kQUInt16: return Value::Int(from.data<uint16_t>()[i]);
    case DataType::kUInt32: return Value::Int(from.data<uint32_t>()[i]);
    case DataType::kUInt64: {
      const uint64_t value = from.data<uint64_t>()[i];
      return value <= INT64_MAX ? Value::Int(static_cast<int64_t>(value)) : Value::BigInt(absl::StrCat(value));
    }
    case DataType::kHalf: return Value::Float(static_cast<float>(from.data<Half>()[i]));
    case DataType::kBFloat16: return Value::Float(static_cast<float>(from.data<BFloat16>()[i]));
    case DataType::kFloat: return Value::Float(from.data<float>()[i]);
    case DataType::kDouble: return Value::Float(from.data<double>()[i]);
    case DataType::kComplex64: return Value::Complex(std::complex<double>(from.data<std::complex<float>>()[i]));
    case DataType::kComplex128: return Value::Complex(from.data<std::complex<double>>()[i]);
    case DataType::kString: {
      const std::string& value = from.data<std::string>()[i];
      return text == Array::Text::kUnicode ? Value::String(value) : Value::Bytes(value);
    }
    default: return Value();
  }
}

absl::StatusOr<Tensor> CastTensor(const Tensor& from, DataType type, Array::Text text) {
  if (from.dtype() == type) return from;
  if (type == DataType::kString) {
    if (from.num_elements() == 0) return Tensor::Allocate(type, from.shape());
    return absl::UnknownError(absl::StrCat("Unsupported object type ", KindName(ElementOf(from, 0, text).kind)));
  }
  SM_ASSIGN_OR_RETURN(Tensor to, Tensor::Allocate(type, from.shape()));
  for (int64_t i = 0; i < from.num_elements(); ++i) {
    if (from.dtype() == DataType::kString) {
      const std::string& one = from.data<std::string>()[i];
      if (type == DataType::kBool) {
        to.data<bool>()[i] = !one.empty();
      } else {
        SM_RETURN_IF_ERROR(StoreText(one, Shown(one, text, type), &to, i));
      }
      continue;
    }
    const Value element = ElementOf(from, i, text);
    const bool wide = from.dtype() == DataType::kUInt64;
    const int64_t integer = wide ? static_cast<int64_t>(from.data<uint64_t>()[i]) : element.integer;
    const bool exact = wide || element.kind <= Value::Kind::kInt;
    if (!StoreNumber(element.number, integer, exact, &to, i)) {
      return PythonError("TypeError", "a tensor of dtype ", DataTypeName(type), " cannot be fed here");
    }
  }
  return to;
}

}  // namespace savedmodel::cli
