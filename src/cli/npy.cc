#include "cli/npy.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/literal.h"
#include "cli/numpy_data.h"
#include "cli/pickle.h"
#include "cli/python_error.h"
#include "core/status_macros.h"

namespace savedmodel::cli {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMaxHeader = 10000;  // as numpy's own limit

absl::Status Bad(const std::string& what) { return PythonError("ValueError", "not a readable .npy file: ", what); }

// Python 2 wrote sizes as 3L.
std::string WithoutL(absl::string_view header) {
  std::string out;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool suffix = header[i] == 'L' && i > 0 && header[i - 1] >= '0' && header[i - 1] <= '9';
    if (!suffix) out += header[i];
  }
  return out;
}

absl::StatusOr<TensorShape> ShapeOf(const Value& value) {
  TensorShape shape;
  if (value.kind != Value::Kind::kTuple || value.items.size() > 64) return Bad("the shape is no tuple of sizes");
  for (const Value& size : value.items) {
    if (size.kind != Value::Kind::kInt || size.integer < 0) return Bad("the shape is no tuple of sizes");
    shape.AddDim(size.integer);
  }
  if (!shape.valid()) return Bad("the shape is too large");
  return shape;
}

std::string Header(const std::string& code, const TensorShape& shape) {
  std::string dims;
  for (int i = 0; i < shape.rank(); ++i) absl::StrAppend(&dims, i == 0 ? "" : " ", shape.dim(i), i + 1 < shape.rank() || i == 0 ? "," : "");
  std::string header = absl::StrCat("{'descr': '", code, "', 'fortran_order': False, 'shape': (", dims, "), }");
  // numpy leaves room for the first size to grow to 21 digits.
  if (shape.rank() > 0) header.append(21 - absl::StrCat(shape.dim(0)).size(), ' ');
  header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string out(kMagic, 6);
  out += {'\x01', '\0', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  return out + header;
}

}  // namespace

bool IsNpy(absl::string_view bytes) { return bytes.substr(0, 6) == absl::string_view(kMagic, 6); }

absl::StatusOr<Value> ReadNpy(absl::string_view bytes) {
  if (!IsNpy(bytes) || bytes.size() < 12) return Bad("no header");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(bytes[i])); };
  const size_t version = byte(6);
  if (version < 1 || version > 3) return Bad(absl::StrCat("version ", version, " of the format; versions 1 to 3 are read"));
  const size_t start = version == 1 ? 10 : 12;
  const size_t length = version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - start) return Bad("the header is cut off");
  if (length > kMaxHeader) return Bad("the header is too long");
  absl::StatusOr<Value> header = ParseLiteral(WithoutL(bytes.substr(start, length)));
  if (!header.ok() || header->kind != Value::Kind::kDict) return Bad("the header is no dictionary");
  const Value* code = Find(*header, "descr");
  const Value* order = Find(*header, "fortran_order");
  const Value* sizes = Find(*header, "shape");
  if (code == nullptr || order == nullptr || sizes == nullptr || order->kind != Value::Kind::kBool) return Bad("the header lacks a key");
  if (code->kind != Value::Kind::kString) return PythonError("TypeError", "arrays of records are not read; save one array a field");
  SM_ASSIGN_OR_RETURN(TensorShape shape, ShapeOf(*sizes));
  SM_ASSIGN_OR_RETURN(NumpyType type, ParseNumpyType(code->text));
  const absl::string_view data = bytes.substr(start + length);
  if (type.objects) return ReadPickle(data);
  SM_ASSIGN_OR_RETURN(Array array, DecodeArray(type, shape, order->integer != 0, data));
  return Value::Of(std::move(array));
}

absl::StatusOr<std::string> WriteNpy(const Tensor& tensor) {
  if (tensor.dtype() == DataType::kString) {
    if (tensor.rank() > 0) return Header("|O", tensor.shape()) + WriteObjectArray(tensor);
    const std::string& text = tensor.scalar<std::string>();
    return absl::StrCat(Header(absl::StrCat("|S", std::max<size_t>(text.size(), 1)), {}), text, text.empty() ? std::string(1, '\0') : "");
  }
  const std::string code = NumpyCode(tensor.dtype());
  if (code.empty()) return absl::UnimplementedError(absl::StrCat("numpy has no dtype for ", DataTypeName(tensor.dtype())));
  return absl::StrCat(Header(code, tensor.shape()), absl::string_view(static_cast<const char*>(tensor.raw()), tensor.bytes()));
}

}  // namespace savedmodel::cli
