#include "loader/tensor_proto.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "loader/varint.h"

namespace savedmodel {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor_content is little-endian and is copied as it is");

template <typename... Parts>
absl::Status CannotParse(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("Cannot parse tensor from proto: ", parts...));
}

// Writes `values` (n of them, read by get(i)) and repeats the last; zeros when there are none.
template <typename T, typename Get>
void FillFrom(int64_t n, Get get, Tensor* tensor) {
  absl::Span<T> out = tensor->flat<T>();
  const int64_t total = static_cast<int64_t>(out.size());
  const int64_t given = std::min(n, total);
  for (int64_t i = 0; i < given; ++i) out[i] = get(static_cast<int>(i));
  std::fill(out.begin() + given, out.end(), given > 0 ? out[given - 1] : T());
}

template <typename T, typename List>
void FillFromList(const List& list, Tensor* tensor) {
  FillFrom<T>(list.size(), [&](int i) { return static_cast<T>(list.Get(i)); }, tensor);
}

template <typename T, typename List>
void FillFromPairs(const List& list, Tensor* tensor) {
  FillFrom<std::complex<T>>(list.size() / 2, [&](int i) { return std::complex<T>(list.Get(2 * i), list.Get(2 * i + 1)); }, tensor);
}

absl::Status FillFromLists(const proto::TensorProto& message, Tensor* tensor) {
  switch (tensor->dtype()) {
    case DataType::kFloat: FillFromList<float>(message.float_val(), tensor); break;
    case DataType::kDouble: FillFromList<double>(message.double_val(), tensor); break;
    case DataType::kInt64: FillFromList<int64_t>(message.int64_val(), tensor); break;
    case DataType::kUInt32: FillFromList<uint32_t>(message.uint32_val(), tensor); break;
    case DataType::kUInt64: FillFromList<uint64_t>(message.uint64_val(), tensor); break;
    case DataType::kBool: FillFromList<bool>(message.bool_val(), tensor); break;
    case DataType::kString: FillFromList<std::string>(message.string_val(), tensor); break;
    case DataType::kComplex64: FillFromPairs<float>(message.scomplex_val(), tensor); break;
    case DataType::kComplex128: FillFromPairs<double>(message.dcomplex_val(), tensor); break;
    case DataType::kHalf: case DataType::kBFloat16: FillFromList<uint16_t>(message.half_val(), tensor); break;
    case DataType::kInt32: case DataType::kQInt32: FillFromList<int32_t>(message.int_val(), tensor); break;
    case DataType::kInt16: case DataType::kQInt16: FillFromList<int16_t>(message.int_val(), tensor); break;
    case DataType::kUInt16: case DataType::kQUInt16: FillFromList<uint16_t>(message.int_val(), tensor); break;
    case DataType::kInt8: case DataType::kQInt8: case DataType::kInt4: case DataType::kInt2:
      FillFromList<int8_t>(message.int_val(), tensor);
      break;
    case DataType::kUInt8: case DataType::kQUInt8: case DataType::kUInt4: case DataType::kUInt2:
      FillFromList<uint8_t>(message.int_val(), tensor);
      break;
    case DataType::kFloat8E5M2: case DataType::kFloat8E4M3FN: case DataType::kFloat8E4M3FNUZ:
    case DataType::kFloat8E4M3B11FNUZ: case DataType::kFloat8E5M2FNUZ: {
      const std::string& bytes = message.float8_val();
      FillFrom<uint8_t>(static_cast<int64_t>(bytes.size()), [&](int i) { return static_cast<uint8_t>(bytes[i]); }, tensor);
      break;
    }
    case DataType::kResource:
      if (message.resource_handle_val_size() > 0) {
        return absl::UnimplementedError(absl::StrCat("Cannot parse tensor from proto: resource handle \"", message.resource_handle_val(0).name(),
                                                     "\": handles cannot come from a file or a caller"));
      }
      break;
    case DataType::kVariant:
      if (message.variant_val_size() > 0) {
        return absl::UnimplementedError(absl::StrCat("Cannot parse tensor from proto: variant of type \"", message.variant_val(0).type_name(),
                                                     "\": variants cannot come from a file"));
      }
      break;
    default: return CannotParse("dtype ", DataTypeName(tensor->dtype()), " has no elements in a proto");
  }
  return absl::OkStatus();
}

absl::Status FillFromContent(absl::string_view content, Tensor* tensor) {
  if (tensor->dtype() == DataType::kString) {
    absl::Status status = DecodeStrings(content, tensor);
    return status.ok() ? status : CannotParse(status.message());
  }
  std::memcpy(tensor->raw(), content.data(), content.size());
  if (tensor->dtype() == DataType::kBool) NormalizeBools(tensor);
  return absl::OkStatus();
}

// Before any memory is taken: content of another size than the shape's is refused.
absl::Status CheckContent(DataType dtype, const TensorShape& shape, const std::string& content) {
  const uint64_t elements = static_cast<uint64_t>(shape.num_elements());
  if (dtype == DataType::kString) {
    if (elements <= content.size()) return absl::OkStatus();  // each takes a byte of length at least
    return CannotParse("tensor_content of ", content.size(), " bytes cannot hold ", elements, " strings");
  }
  if (!IsPlainData(dtype)) return CannotParse("dtype ", DataTypeName(dtype), " cannot be given as tensor_content");
  uint64_t wanted;
  if (!__builtin_mul_overflow(elements, static_cast<uint64_t>(DataTypeSize(dtype)), &wanted) && wanted == content.size()) return absl::OkStatus();
  return CannotParse("tensor_content has ", content.size(), " bytes, ", DataTypeName(dtype), shape.ToString(), " wants ", DataTypeSize(dtype), " for each of ",
                     elements, " elements");
}

// The last string stands for all that follow: no more of them than a real file has.
absl::Status CheckRepeated(const proto::TensorProto& message, int64_t elements) {
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  const int64_t given = message.string_val_size(), missing = elements - given;
  if (given == 0 || missing <= 0) return absl::OkStatus();
  const int64_t each = static_cast<int64_t>(message.string_val(static_cast<int>(given) - 1).size());
  if (each <= 32 || missing <= kMostBytes / each) return absl::OkStatus();
  return CannotParse("a string of ", each, " bytes is repeated ", missing, " times, at most ", kMostBytes, " bytes are possible");
}

// A shape's dimensions as numbers; InvalidArgument where the rank is too large.
absl::StatusOr<std::vector<int64_t>> Dimensions(const proto::TensorShapeProto& message) {
  if (message.dim_size() > kMaxRank) {
    return absl::InvalidArgumentError(absl::StrCat("shape has ", message.dim_size(), " dimensions, at most ", kMaxRank, " are possible"));
  }
  std::vector<int64_t> dims;
  for (const auto& dim : message.dim()) dims.push_back(dim.size());
  return dims;
}

}  // namespace

absl::StatusOr<TensorShape> ShapeFromProto(const proto::TensorShapeProto& message) {
  if (message.unknown_rank()) return absl::InvalidArgumentError("the shape's rank is unknown");
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, Dimensions(message));
  return TensorShape::Make(dims);
}

absl::StatusOr<PartialShape> PartialShapeFromProto(const proto::TensorShapeProto& message) {
  if (message.unknown_rank()) return PartialShape();
  SM_ASSIGN_OR_RETURN(const std::vector<int64_t> dims, Dimensions(message));
  for (int64_t dim : dims) {
    if (dim < -1) return absl::InvalidArgumentError(absl::StrCat("shape has a dimension of size ", dim));
  }
  return PartialShape::Of(dims);
}

void ShapeToProto(const PartialShape& shape, proto::TensorShapeProto* message) {
  message->Clear();
  message->set_unknown_rank(!shape.known_rank());
  if (!shape.known_rank()) return;
  for (int64_t dim : shape.dims()) message->add_dim()->set_size(dim);
}

absl::Status DecodeStrings(absl::string_view content, Tensor* strings) {
  absl::Span<std::string> out = strings->flat<std::string>();
  absl::string_view rest = content;
  std::vector<uint64_t> lengths(out.size());
  uint64_t total = 0;
  for (uint64_t& length : lengths) {
    if (!TakeVarint64(&rest, &length) || length > content.size() || (total += length) > content.size()) {
      return absl::InvalidArgumentError("the lengths of the strings are cut short or too large");
    }
  }
  if (total != rest.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the strings take ", total, " bytes, there are ", rest.size()));
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].assign(rest.data(), static_cast<size_t>(lengths[i]));
    rest.remove_prefix(static_cast<size_t>(lengths[i]));
  }
  return absl::OkStatus();
}

void NormalizeBools(Tensor* bools) {
  uint8_t* bytes = static_cast<uint8_t*>(bools->raw());
  for (int64_t i = 0; i < bools->num_elements(); ++i) bytes[i] = bytes[i] != 0;
}

absl::StatusOr<Tensor> TensorFromProto(const proto::TensorProto& message, Allocator* allocator) {
  const DataType dtype = static_cast<DataType>(message.dtype());
  if (DataTypeSize(dtype) == 0 || IsRef(dtype)) return CannotParse("dtype ", DataTypeName(dtype), " (", static_cast<int>(dtype), ")");
  absl::StatusOr<TensorShape> shape = ShapeFromProto(message.tensor_shape());
  if (!shape.ok()) return CannotParse(shape.status().message());
  const bool from_content = !message.tensor_content().empty();
  if (from_content && shape->num_elements() > 0) SM_RETURN_IF_ERROR(CheckContent(dtype, *shape, message.tensor_content()));
  if (!from_content && dtype == DataType::kString) SM_RETURN_IF_ERROR(CheckRepeated(message, shape->num_elements()));
  absl::StatusOr<Tensor> allocated = Tensor::Allocate(dtype, *shape, allocator);
  // Without content behind it, a size that memory cannot hold is a mistake of the file, not of the machine.
  if (!allocated.ok() && !from_content) return CannotParse(allocated.status().message());
  SM_ASSIGN_OR_RETURN(Tensor tensor, std::move(allocated));
  if (tensor.num_elements() == 0) return tensor;
  SM_RETURN_IF_ERROR(from_content ? FillFromContent(message.tensor_content(), &tensor) : FillFromLists(message, &tensor));
  return tensor;
}

absl::Status TensorToProto(const Tensor& tensor, proto::TensorProto* message) {
  message->Clear();
  if (tensor.dtype() != DataType::kString && !IsPlainData(tensor.dtype())) {
    return absl::UnimplementedError(absl::StrCat("a tensor of dtype ", DataTypeName(tensor.dtype()), " cannot be serialized"));
  }
  message->set_dtype(static_cast<proto::DataType>(tensor.dtype()));
  ShapeToProto(tensor.shape(), message->mutable_tensor_shape());
  if (tensor.dtype() == DataType::kString) {
    for (const std::string& text : tensor.flat<std::string>()) message->add_string_val(text);
  } else if (tensor.bytes() > 0) {
    message->set_tensor_content(tensor.raw(), tensor.bytes());
  }
  return absl::OkStatus();
}

}  // namespace savedmodel
