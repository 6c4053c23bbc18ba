#include "cli/numpy_data.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "cli/python_error.h"
#include "cli/python_lexer.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

struct Code {
  const char* code;
  DataType type;
};
constexpr Code kCodes[] = {{"b1", DataType::kBool},       {"i1", DataType::kInt8},       {"i2", DataType::kInt16},  {"i4", DataType::kInt32},
                           {"i8", DataType::kInt64},      {"u1", DataType::kUInt8},      {"u2", DataType::kUInt16}, {"u4", DataType::kUInt32},
                           {"u8", DataType::kUInt64},     {"f2", DataType::kHalf},       {"f4", DataType::kFloat},  {"f8", DataType::kDouble},
                           {"c8", DataType::kComplex64},  {"c16", DataType::kComplex128}};

std::string Utf8(const char* from, size_t units, bool swap) {
  std::string out;
  for (size_t i = 0; i < units; ++i) {
    uint32_t c;
    std::memcpy(&c, from + i * 4, 4);
    AppendUtf8(swap ? __builtin_bswap32(c) : c, &out);
  }
  return out;
}

}  // namespace

size_t NumpyType::bytes() const {
  if (type != DataType::kString) return DataTypeSize(type);
  return static_cast<size_t>(units) * (text == Array::Text::kUnicode ? 4 : 1);
}

absl::StatusOr<NumpyType> ParseNumpyType(absl::string_view code) {
  NumpyType found;
  absl::string_view rest = code;
  if (!rest.empty() && absl::string_view("<>|=").find(rest[0]) != absl::string_view::npos) {
    found.swap = rest[0] == '>';
    rest.remove_prefix(1);
  }
  for (const Code& known : kCodes) {
    if (rest == known.code) found.type = known.type;
  }
  if (rest == "O" || rest == "O8" || rest == "O4") found.objects = true;
  if (!rest.empty() && (rest[0] == 'S' || rest[0] == 'U' || rest[0] == 'a')) {
    if (absl::SimpleAtoi(rest.substr(1), &found.units) && found.units >= 0 && found.units < (1 << 28)) {
      found.type = DataType::kString;
      found.text = rest[0] == 'U' ? Array::Text::kUnicode : Array::Text::kBytes;
    }
  }
  if (found.type == DataType::kInvalid && !found.objects) {
    return PythonError("TypeError", "arrays of numpy's dtype '", code, "' are not read; save numbers, bools or strings");
  }
  return found;
}

std::string NumpyCode(DataType type) {
  if (type == DataType::kBFloat16) return "<V2";
  if (type == DataType::kQInt8 || type == DataType::kQUInt8) return type == DataType::kQInt8 ? "|i1" : "|u1";
  if (type == DataType::kQInt32) return "<i4";
  for (const Code& known : kCodes) {
    if (known.type == type) return absl::StrCat(DataTypeSize(type) == 1 ? "|" : "<", known.code);
  }
  return "";
}

int64_t FortranPlace(const TensorShape& shape, int64_t i) {
  int64_t place = 0, whole = shape.num_elements();
  for (int d = shape.rank() - 1; d >= 0; --d) {
    whole /= shape.dim(d);
    place += i % shape.dim(d) * whole;
    i /= shape.dim(d);
  }
  return place;
}

absl::StatusOr<Array> DecodeArray(const NumpyType& type, const TensorShape& shape, bool fortran, absl::string_view data) {
  if (!shape.valid() || type.objects) return PythonError("ValueError", "the shape of an array is not valid");
  const size_t size = type.bytes(), n = static_cast<size_t>(shape.num_elements());
  if (size > 0 && n > data.size() / size) {
    return PythonError("ValueError", "an array of shape ", shape.ToString(), " needs ", n * size, " bytes; there are ", data.size());
  }
  if (size == 0 && n > (size_t{1} << 20)) return PythonError("ValueError", "too many empty strings");
  Array array;
  array.text = type.text;
  SM_ASSIGN_OR_RETURN(array.tensor, Tensor::Allocate(type.type, shape));
  Tensor& tensor = array.tensor;
  fortran = fortran && shape.rank() > 1;
  if (type.type != DataType::kString && !fortran && !type.swap && type.type != DataType::kBool) {
    if (n > 0) std::memcpy(tensor.raw(), data.data(), n * size);
    return array;
  }
  const size_t word = IsComplex(type.type) ? size / 2 : size;
  for (size_t i = 0; i < n; ++i) {
    const char* from = data.data() + size * (fortran ? static_cast<size_t>(FortranPlace(shape, static_cast<int64_t>(i))) : i);
    if (type.type == DataType::kString) {
      std::string& out = tensor.data<std::string>()[i];
      out = type.text == Array::Text::kUnicode ? Utf8(from, static_cast<size_t>(type.units), type.swap) : std::string(from, size);
      while (!out.empty() && out.back() == '\0') out.pop_back();
      continue;
    }
    char* to = static_cast<char*>(tensor.raw()) + size * i;
    std::memcpy(to, from, size);
    for (size_t part = 0; type.swap && part < size; part += word) std::reverse(to + part, to + part + word);
    if (type.type == DataType::kBool) *to = *to != 0;
  }
  return array;
}

}  // namespace savedmodel::cli
