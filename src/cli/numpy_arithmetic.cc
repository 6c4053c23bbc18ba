#include "cli/numpy_arithmetic.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "cli/python_error.h"
#include "cli/to_tensor.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

using Kind = Value::Kind;

bool IsUnsigned(DataType type) { return IsInteger(type) && DataTypeName(type)[0] == 'u'; }
bool IsFloat(DataType type) { return type == DataType::kHalf || type == DataType::kFloat || type == DataType::kDouble; }

DataType SignedOf(size_t bytes) {
  return bytes == 1 ? DataType::kInt8 : bytes == 2 ? DataType::kInt16 : bytes == 4 ? DataType::kInt32 : DataType::kInt64;
}
DataType FloatOf(size_t bytes) { return bytes <= 2 ? DataType::kHalf : bytes == 4 ? DataType::kFloat : DataType::kDouble; }

// The least float that holds all values of an integer or float type, as numpy counts.
size_t FloatBytes(DataType type) {
  if (IsComplex(type)) return DataTypeSize(type) / 2;
  if (IsFloat(type)) return DataTypeSize(type);
  return type == DataType::kBool || DataTypeSize(type) == 1 ? 2 : DataTypeSize(type) == 2 ? 4 : 8;
}

DataType Promoted(DataType a, DataType b) {
  if (a == b || b == DataType::kBool) return a;
  if (a == DataType::kBool) return b;
  if (IsInteger(a) && IsInteger(b)) {
    if (IsUnsigned(a) == IsUnsigned(b)) return DataTypeSize(a) > DataTypeSize(b) ? a : b;
    const DataType plain = IsUnsigned(a) ? b : a, positive = IsUnsigned(a) ? a : b;
    if (DataTypeSize(plain) > DataTypeSize(positive)) return plain;
    return DataTypeSize(positive) == 8 ? DataType::kDouble : SignedOf(2 * DataTypeSize(positive));
  }
  const size_t bytes = std::max(FloatBytes(a), FloatBytes(b));
  if (IsComplex(a) || IsComplex(b)) return bytes <= 4 ? DataType::kComplex64 : DataType::kComplex128;
  return FloatOf(bytes);
}

// A Python number beside an array: it only lifts the kind (int, float, complex).
DataType WithPython(DataType array, const Value& number) {
  if (number.kind == Kind::kBool || IsComplex(array)) return array;
  if (number.kind == Kind::kComplex) return FloatBytes(array) <= 4 && IsFloat(array) ? DataType::kComplex64 : DataType::kComplex128;
  if (IsFloat(array)) return array;
  if (number.kind == Kind::kFloat) return DataType::kDouble;
  return array == DataType::kBool ? DataType::kInt64 : array;
}

double FloorMod(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

double Real(char sign, double a, double b) {
  switch (sign) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    case '/': return a / b;
    case 'f': return std::floor(a / b);
    case '%': return FloorMod(a, b);
    default: return std::pow(a, b);
  }
}

std::complex<double> ComplexOf(char sign, std::complex<double> a, std::complex<double> b) {
  return sign == '+' ? a + b : sign == '-' ? a - b : sign == '*' ? a * b : sign == '/' ? a / b : std::pow(a, b);
}

// Wraps, as numpy's integers do; a division by zero gives 0.
int64_t Integer(char sign, int64_t a, int64_t b) {
  const uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (sign) {
    case '+': return static_cast<int64_t>(x + y);
    case '-': return static_cast<int64_t>(x - y);
    case '*': return static_cast<int64_t>(x * y);
    case 'f': case '%': {
      if (b == 0) return 0;
      if (b == -1) return sign == '%' ? 0 : static_cast<int64_t>(0 - x);
      const int64_t rest = a % b, down = rest != 0 && (rest < 0) != (b < 0);
      return sign == '%' ? rest + (down != 0 ? b : 0) : a / b - down;
    }
    default: {
      uint64_t power = 1, base = x;
      for (uint64_t e = y; e != 0; e >>= 1, base *= base) {
        if ((e & 1) != 0) power *= base;
      }
      return static_cast<int64_t>(power);
    }
  }
}

bool OverflowsPython(char sign, int64_t a, int64_t b) {
  int64_t out;
  if (sign == '+') return __builtin_add_overflow(a, b, &out);
  if (sign == '-') return __builtin_sub_overflow(a, b, &out);
  if (sign == '*') return __builtin_mul_overflow(a, b, &out);
  return sign == 'p' && std::fabs(std::pow(static_cast<double>(a), static_cast<double>(b))) >= 9.2e18;
}

absl::StatusOr<Value> Numbers(char sign, const Value& a, const Value& b) {
  if (a.kind == Kind::kBigInt || b.kind == Kind::kBigInt) return Cannot("an integer is too large to calculate with");
  if (a.kind == Kind::kComplex || b.kind == Kind::kComplex) {
    if (sign == 'f' || sign == '%') return Cannot("complex numbers have no // and %");
    return Value::Complex(ComplexOf(sign, a.number, b.number));
  }
  if ((sign == '/' || sign == 'f' || sign == '%') && b.number == 0.0) return Cannot("division by zero");
  const bool real = a.kind == Kind::kFloat || b.kind == Kind::kFloat || sign == '/' || (sign == 'p' && b.integer < 0);
  if (real) return Value::Float(Real(sign, a.number.real(), b.number.real()));
  if (OverflowsPython(sign, a.integer, b.integer)) return Cannot("an integer is too large to calculate with");
  return Value::Int(Integer(sign, a.integer, b.integer));
}

// Right-aligned shapes; a size of 1 repeats.
absl::StatusOr<TensorShape> Broadcast(const TensorShape& a, const TensorShape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::vector<int64_t> dims(static_cast<size_t>(rank), 1);
  for (int i = 0; i < rank; ++i) {
    const int64_t x = i < rank - a.rank() ? 1 : a.dim(i - rank + a.rank()), y = i < rank - b.rank() ? 1 : b.dim(i - rank + b.rank());
    if (x != y && x != 1 && y != 1) return Cannot("operands of shapes ", a.ToString(), " and ", b.ToString(), " do not fit each other");
    dims[static_cast<size_t>(i)] = x == 1 ? y : x;
  }
  TensorShape shape{absl::MakeConstSpan(dims)};
  if (!shape.valid() || shape.num_elements() > kMaxArrayElements) return Cannot("an array is larger than ", kMaxArrayElements, " elements");
  return shape;
}

// Where element i of `whole` lies in an array of shape `part`.
int64_t Place(const TensorShape& whole, const TensorShape& part, int64_t i) {
  int64_t place = 0, stride = 1;
  for (int d = whole.rank() - 1, p = part.rank() - 1; p >= 0; --d, --p) {
    if (part.dim(p) != 1) place += i % whole.dim(d) * stride;
    stride *= part.dim(p);
    i /= whole.dim(d);
  }
  return place;
}

absl::StatusOr<Value> Arrays(char sign, const Value& a, const Value& b) {
  SM_ASSIGN_OR_RETURN(const Array x, ToArray(a));
  SM_ASSIGN_OR_RETURN(const Array y, ToArray(b));
  if (x.objects || y.objects || x.text != Array::Text::kNone || y.text != Array::Text::kNone) return Cannot("texts and objects are no numbers");
  const DataType xt = x.tensor.dtype(), yt = y.tensor.dtype();
  DataType type = a.IsNumber() ? WithPython(yt, a) : b.IsNumber() ? WithPython(xt, b) : Promoted(xt, yt);
  if (sign == '/' && !IsComplex(type) && !IsFloat(type)) type = DataType::kDouble;
  if (type == DataType::kBool) type = sign == '+' || sign == '*' ? DataType::kBool : DataType::kInt8;
  const bool complex = IsComplex(type), real = IsFloat(type);
  if (complex && (sign == 'f' || sign == '%')) return Cannot("complex numbers have no // and %");
  const DataType wide = complex ? DataType::kComplex128 : real ? DataType::kDouble : DataType::kInt64;
  SM_ASSIGN_OR_RETURN(const TensorShape shape, Broadcast(x.tensor.shape(), y.tensor.shape()));
  SM_ASSIGN_OR_RETURN(const Tensor left, CastTensor(x.tensor, wide));
  SM_ASSIGN_OR_RETURN(const Tensor right, CastTensor(y.tensor, wide));
  SM_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(wide, shape));
  const bool same = left.shape() == shape, also = right.shape() == shape;
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    const int64_t l = same ? i : Place(shape, left.shape(), i), r = also ? i : Place(shape, right.shape(), i);
    if (complex) {
      out.data<std::complex<double>>()[i] = ComplexOf(sign, left.data<std::complex<double>>()[l], right.data<std::complex<double>>()[r]);
    } else if (real) {
      out.data<double>()[i] = Real(sign, left.data<double>()[l], right.data<double>()[r]);
    } else {
      if (sign == 'p' && right.data<int64_t>()[r] < 0) return Cannot("integers to negative integer powers are not allowed");
      out.data<int64_t>()[i] = Integer(sign, left.data<int64_t>()[l], right.data<int64_t>()[r]);
    }
  }
  Array result;
  SM_ASSIGN_OR_RETURN(result.tensor, CastTensor(out, type));
  return Value::Of(std::move(result));
}

// "a" + "b", [1] + [2], [1] * 3, "a" * 3.
absl::StatusOr<Value> Sequences(char sign, const Value& a, const Value& b) {
  const bool text = a.kind == Kind::kString || a.kind == Kind::kBytes;
  Value out = a;
  if (sign == '+' && a.kind == b.kind) {
    out.text += b.text;
    out.items.insert(out.items.end(), b.items.begin(), b.items.end());
    return out;
  }
  if (sign != '*' || b.kind != Kind::kInt) return Cannot("'", KindName(a.kind), "' and '", KindName(b.kind), "' have no such operation");
  const int64_t times = std::max<int64_t>(b.integer, 0);
  const int64_t size = text ? static_cast<int64_t>(a.text.size()) : static_cast<int64_t>(a.items.size());
  if (size > 0 && times > kMaxListItems / size) return Cannot("a repeated list is longer than ", kMaxListItems, " items");
  out.text.clear();
  out.items.clear();
  for (int64_t i = 0; i < times && size > 0; ++i) {
    out.text += a.text;
    out.items.insert(out.items.end(), a.items.begin(), a.items.end());
  }
  return out;
}

bool IsSequenceOrText(const Value& v) { return v.IsSequence() || v.kind == Kind::kString || v.kind == Kind::kBytes; }

}  // namespace

absl::StatusOr<Value> Arithmetic(absl::string_view sign, const Value& a, const Value& b) {
  const char code = sign == "//" ? 'f' : sign == "**" ? 'p' : sign[0];
  if (a.kind == Kind::kDtype || b.kind == Kind::kDtype) return Cannot("types are no numbers");
  if (a.IsNumber() && b.IsNumber()) return Numbers(code, a, b);
  if (a.kind == Kind::kArray || b.kind == Kind::kArray) return Arrays(code, a, b);
  if (IsSequenceOrText(a)) return Sequences(code, a, b);
  if (IsSequenceOrText(b) && code == '*') return Sequences(code, b, a);
  return Cannot("'", KindName(a.kind), "' and '", KindName(b.kind), "' have no such operation");
}

absl::StatusOr<Value> Negated(const Value& value) {
  if (value.kind == Kind::kBigInt) return Value::BigInt(value.text[0] == '-' ? value.text.substr(1) : "-" + value.text);
  if (value.kind == Kind::kFloat) return Value::Float(-value.number.real());
  if (value.kind == Kind::kComplex) return Value::Complex(-value.number);
  if (value.kind == Kind::kInt && value.integer == INT64_MIN) return Value::BigInt("9223372036854775808");
  if (value.kind == Kind::kArray && !value.array->objects && IsFloat(value.array->tensor.dtype())) return Arithmetic("*", value, Value::Int(-1));
  return Arithmetic("-", Value::Int(0), value);
}

}  // namespace savedmodel::cli
