#include "ops/parsing/tensor_proto.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/parsing/wire.h"

namespace savedmodel {
namespace {

// The fields of a TensorProto; lists of numbers as the bytes that hold them, piece by piece.
struct Parts {
  DataType type = DataType::kInvalid;
  std::vector<int64_t> dims;
  bool unknown_rank = false;
  absl::string_view content;
  std::vector<absl::string_view> strings;
  std::vector<uint64_t> numbers;  // of the list that belongs to the dtype, as bits
};

bool ReadShape(absl::string_view bytes, Parts* parts) {
  WireReader reader(bytes);
  uint32_t tag;
  while (!reader.AtEnd()) {
    if (!reader.ReadTag(&tag)) return false;
    if (tag == WireTag(2, kWireBytes)) {
      absl::string_view dim;
      if (!reader.ReadBytes(&dim)) return false;
      uint64_t size = 0;
      for (WireReader inner(dim); !inner.AtEnd();) {
        if (!inner.ReadTag(&tag)) return false;
        if (tag == WireTag(1, kWireVarint) ? !inner.ReadVarint(&size) : !inner.Skip(tag)) return false;
      }
      parts->dims.push_back(static_cast<int64_t>(size));
    } else if (tag == WireTag(3, kWireVarint)) {
      uint64_t value;
      if (!reader.ReadVarint(&value)) return false;
      parts->unknown_rank = value != 0;
    } else if (!reader.Skip(tag)) {
      return false;
    }
  }
  return true;
}

// The list field of a dtype and how its numbers are written; 0 for dtypes without one.
struct ListField {
  uint32_t field;
  WireType wire;
};
ListField FieldOf(DataType type) {
  switch (type) {
    case DataType::kFloat: return {5, kWireFixed32};
    case DataType::kDouble: return {6, kWireFixed64};
    case DataType::kInt32: case DataType::kInt16: case DataType::kInt8: case DataType::kUInt16: case DataType::kUInt8:
    case DataType::kQInt8: case DataType::kQUInt8: case DataType::kQInt16: case DataType::kQUInt16: case DataType::kQInt32:
    case DataType::kInt4: case DataType::kUInt4: case DataType::kInt2: case DataType::kUInt2: return {7, kWireVarint};
    case DataType::kString: return {8, kWireBytes};
    case DataType::kComplex64: return {9, kWireFixed32};
    case DataType::kInt64: return {10, kWireVarint};
    case DataType::kBool: return {11, kWireVarint};
    case DataType::kComplex128: return {12, kWireFixed64};
    case DataType::kHalf: case DataType::kBFloat16: return {13, kWireVarint};
    case DataType::kUInt32: return {16, kWireVarint};
    case DataType::kUInt64: return {17, kWireVarint};
    default: return {0, kWireVarint};
  }
}

bool ReadNumber(WireReader* reader, WireType wire, std::vector<uint64_t>* numbers) {
  uint64_t value = 0;
  uint32_t small = 0;
  const bool good = wire == kWireFixed32   ? reader->ReadFixed32(&small)
                    : wire == kWireFixed64 ? reader->ReadFixed64(&value)
                                           : reader->ReadVarint(&value);
  numbers->push_back(wire == kWireFixed32 ? small : value);
  return good;
}

// Fields of the list come packed or one by one.
bool ReadNumbers(absl::string_view proto, ListField list, std::vector<uint64_t>* numbers) {
  uint32_t tag;
  for (WireReader reader(proto); !reader.AtEnd();) {
    if (!reader.ReadTag(&tag)) return false;
    if (tag == WireTag(list.field, list.wire)) {
      if (!ReadNumber(&reader, list.wire, numbers)) return false;
    } else if (tag == WireTag(list.field, kWireBytes)) {
      absl::string_view packed;
      if (!reader.ReadBytes(&packed)) return false;
      for (WireReader inner(packed); !inner.AtEnd();) {
        if (!ReadNumber(&inner, list.wire, numbers)) return false;
      }
    } else if (!reader.Skip(tag)) {
      return false;
    }
  }
  return true;
}

bool ReadTensorProto(absl::string_view proto, Parts* parts) {
  uint32_t tag;
  for (WireReader reader(proto); !reader.AtEnd();) {
    if (!reader.ReadTag(&tag)) return false;
    absl::string_view bytes;
    uint64_t value;
    switch (tag) {
      case WireTag(1, kWireVarint):
        if (!reader.ReadVarint(&value)) return false;
        parts->type = static_cast<DataType>(static_cast<int32_t>(value));
        break;
      case WireTag(2, kWireBytes):
        if (!reader.ReadBytes(&bytes) || !ReadShape(bytes, parts)) return false;
        break;
      case WireTag(4, kWireBytes):
        if (!reader.ReadBytes(&parts->content)) return false;
        break;
      case WireTag(8, kWireBytes):
        if (!reader.ReadBytes(&bytes)) return false;
        parts->strings.push_back(bytes);
        break;
      default:
        if (!reader.Skip(tag)) return false;
    }
  }
  const ListField list = FieldOf(parts->type);
  return list.field == 0 || list.wire == kWireBytes || ReadNumbers(proto, list, &parts->numbers);
}

// Strings inside tensor_content: all lengths, then all bytes.
bool DecodeStrings(absl::string_view content, Tensor* tensor) {
  WireReader reader(content);
  std::vector<uint64_t> lengths(static_cast<size_t>(tensor->num_elements()));
  for (uint64_t& length : lengths) {
    if (!reader.ReadVarint(&length)) return false;
  }
  absl::string_view bytes = reader.rest();
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] > bytes.size()) return false;
    tensor->data<std::string>()[i].assign(bytes.data(), static_cast<size_t>(lengths[i]));
    bytes.remove_prefix(static_cast<size_t>(lengths[i]));
  }
  return bytes.empty();
}

// Element i is entry i of the list, the last entry where the list is shorter, zero where there is none.
void FillNumbers(const std::vector<uint64_t>& numbers, Tensor* tensor) {
  const size_t parts = IsComplex(tensor->dtype()) ? 2 : 1, size = DataTypeSize(tensor->dtype()) / parts;
  char* to = static_cast<char*>(tensor->raw());
  const size_t entries = numbers.size() / parts;
  for (size_t i = 0; i < static_cast<size_t>(tensor->num_elements()); ++i) {
    for (size_t p = 0; p < parts; ++p, to += size) {
      uint64_t bits = entries == 0 ? 0 : numbers[std::min(i, entries - 1) * parts + p];
      if (tensor->dtype() == DataType::kBool) bits = bits != 0;
      std::memcpy(to, &bits, size);  // little-endian
    }
  }
}

void FillStrings(const std::vector<absl::string_view>& strings, Tensor* tensor) {
  for (size_t i = 0; i < static_cast<size_t>(tensor->num_elements()) && !strings.empty(); ++i) {
    const absl::string_view text = strings[std::min(i, strings.size() - 1)];
    tensor->data<std::string>()[i].assign(text.data(), text.size());
  }
}

}  // namespace

absl::StatusOr<Tensor> TensorFromProto(absl::string_view proto, Allocator* allocator) {
  Parts parts;
  SM_CHECK_ARGUMENT(ReadTensorProto(proto, &parts), "Could not parse serialized proto as TensorProto");
  const TensorShape shape(parts.dims);
  const bool known = DataTypeSize(parts.type) > 0 && !IsRef(parts.type);
  SM_CHECK_ARGUMENT(known && shape.valid() && !parts.unknown_rank, "Cannot parse tensor from proto: dtype ",
                    DataTypeName(parts.type), ", shape ", shape.ToString());
  const bool text = parts.type == DataType::kString;
  SM_CHECK_ARGUMENT(text || IsPlainData(parts.type), "Cannot parse tensor from proto: ", DataTypeName(parts.type),
                    " has no serialized form");
  SM_CHECK_ARGUMENT(text || parts.content.empty() || shape.num_elements() == 0 ||
                        parts.content.size() == DataTypeSize(parts.type) * static_cast<size_t>(shape.num_elements()),
                    "Cannot parse tensor from proto: ", parts.content.size(), " bytes of content for shape ", shape.ToString());
  // Every string in tensor_content takes a byte at least.
  SM_CHECK_ARGUMENT(!text || parts.content.empty() || static_cast<size_t>(shape.num_elements()) <= parts.content.size(),
                    "Cannot parse tensor from proto: too little content for shape ", shape.ToString());
  SM_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(parts.type, shape, allocator));
  if (shape.num_elements() == 0) return tensor;
  if (text && !parts.content.empty()) {
    SM_CHECK_ARGUMENT(DecodeStrings(parts.content, &tensor), "Cannot parse tensor from proto: broken string content");
  } else if (text) {
    FillStrings(parts.strings, &tensor);
  } else if (!parts.content.empty()) {
    std::memcpy(tensor.raw(), parts.content.data(), parts.content.size());
    if (parts.type == DataType::kBool) {
      for (int64_t i = 0; i < tensor.num_elements(); ++i) tensor.data<uint8_t>()[i] = tensor.data<uint8_t>()[i] != 0;
    }
  } else {
    FillNumbers(parts.numbers, &tensor);
  }
  return tensor;
}

namespace {

// dtype and tensor_shape.
std::string ProtoHead(const Tensor& tensor) {
  std::string shape, text;
  WireWriter shape_writer(&shape), writer(&text);
  for (int64_t d : tensor.shape().dims()) {
    std::string dim;
    WireWriter dim_writer(&dim);
    if (d != 0) {
      dim_writer.Tag(1, kWireVarint);
      dim_writer.Varint(static_cast<uint64_t>(d));
    }
    shape_writer.Bytes(2, dim);
  }
  writer.Tag(1, kWireVarint);
  writer.Varint(static_cast<uint64_t>(tensor.dtype()));
  writer.Bytes(2, shape);
  return text;
}

bool IsSigned(DataType type) {
  switch (type) {
    case DataType::kInt8: case DataType::kInt16: case DataType::kInt32: case DataType::kInt64:
    case DataType::kQInt8: case DataType::kQInt16: case DataType::kQInt32: return true;
    default: return false;
  }
}

}  // namespace

std::string TensorToProto(const Tensor& tensor, bool strings_as_content) {
  std::string text = ProtoHead(tensor);
  WireWriter writer(&text);
  if (tensor.num_elements() == 0) return text;
  if (tensor.dtype() != DataType::kString) {
    writer.Bytes(4, absl::string_view(static_cast<const char*>(tensor.raw()), tensor.bytes()));
  } else if (strings_as_content) {
    std::string content;
    for (const std::string& s : tensor.flat<std::string>()) WireWriter(&content).Varint(s.size());
    for (const std::string& s : tensor.flat<std::string>()) content += s;
    writer.Bytes(4, content);
  } else {
    for (const std::string& s : tensor.flat<std::string>()) writer.Bytes(8, s);
  }
  return text;
}

std::string TensorToListProto(const Tensor& tensor) {
  const ListField list = FieldOf(tensor.dtype());
  if (tensor.num_elements() == 0 || list.field == 0 || list.wire == kWireBytes) return TensorToProto(tensor, false);
  std::string text = ProtoHead(tensor), packed;
  if (list.wire != kWireVarint) {
    packed.assign(static_cast<const char*>(tensor.raw()), tensor.bytes());
  } else {
    const size_t size = DataTypeSize(tensor.dtype());
    const char* from = static_cast<const char*>(tensor.raw());
    for (int64_t i = 0; i < tensor.num_elements(); ++i, from += size) {
      uint64_t bits = 0;
      std::memcpy(&bits, from, size);  // little-endian
      const int unused = 64 - 8 * static_cast<int>(size);
      if (IsSigned(tensor.dtype())) bits = static_cast<uint64_t>(static_cast<int64_t>(bits << unused) >> unused);
      WireWriter(&packed).Varint(bits);
    }
  }
  WireWriter(&text).Bytes(list.field, packed);
  return text;
}

}  // namespace savedmodel
