#include <cstdint>

#include "api/c/handles.h"

namespace savedmodel::c {
namespace {

struct Wrapped {
  SmDeleter deleter;
  void* user;
};

absl::StatusOr<TensorShape> Shape(const int64_t* dims, int32_t rank) {
  SM_CHECK_ARGUMENT(rank >= 0 && rank <= kMaxRank, "rank is ", rank, ", may be 0 to ", kMaxRank);
  SM_CHECK_ARGUMENT(rank == 0 || dims != nullptr, "dims is NULL, rank is ", rank);
  return TensorShape::Make(absl::MakeConstSpan(dims, static_cast<size_t>(rank)));
}

bool IsNumber(int32_t type) { return IsPlainData(static_cast<DataType>(type)) && DataTypeSize(static_cast<DataType>(type)) > 0; }

absl::StatusOr<size_t> BytesOf(SmDataType type, const TensorShape& shape) {
  SM_CHECK_ARGUMENT(IsNumber(type), "dtype is ", DataTypeName(static_cast<DataType>(type)), " (", type, "), wanted one of numbers");
  size_t bytes;
  if (__builtin_mul_overflow(static_cast<size_t>(shape.num_elements()), DataTypeSize(static_cast<DataType>(type)), &bytes)) {
    return absl::ResourceExhaustedError(absl::StrCat("a tensor of shape ", shape.ToString(), " does not fit memory"));
  }
  return bytes;
}

absl::Status Give(Tensor tensor, SmTensor** to) {
  *to = new SmTensor{std::move(tensor)};
  return absl::OkStatus();
}

absl::Status Make(SmDataType type, const int64_t* dims, int32_t rank, const void* data, size_t bytes, SmTensor** tensor) {
  SM_ASSIGN_OR_RETURN(TensorShape shape, Shape(dims, rank));
  SM_ASSIGN_OR_RETURN(const size_t wanted, BytesOf(type, shape));
  SM_CHECK_ARGUMENT(bytes == wanted || (data == nullptr && bytes == 0), "bytes is ", bytes, ", a tensor ", DataTypeName(static_cast<DataType>(type)),
                    shape.ToString(), " takes ", wanted);
  SM_ASSIGN_OR_RETURN(Tensor made, Tensor::Allocate(static_cast<DataType>(type), shape));
  if (wanted > 0 && data != nullptr) std::memcpy(made.raw(), data, wanted);
  if (wanted > 0 && data == nullptr) std::memset(made.raw(), 0, wanted);
  return Give(std::move(made), tensor);
}

absl::Status Wrap(SmDataType type, const int64_t* dims, int32_t rank, void* data, size_t bytes, const Wrapped& wrapped, SmTensor** tensor) {
  SM_ASSIGN_OR_RETURN(TensorShape shape, Shape(dims, rank));
  SM_ASSIGN_OR_RETURN(const size_t wanted, BytesOf(type, shape));
  const DataType dtype = static_cast<DataType>(type);
  SM_CHECK_ARGUMENT(bytes == wanted, "bytes is ", bytes, ", a tensor ", DataTypeName(dtype), shape.ToString(), " takes ", wanted);
  SM_CHECK_ARGUMENT(data != nullptr || bytes == 0, "data is NULL");
  const size_t alignment = std::min<size_t>(DataTypeSize(dtype), 8);
  SM_CHECK_ARGUMENT(reinterpret_cast<uintptr_t>(data) % alignment == 0, "data is not aligned to ", alignment, " bytes");
  if (wrapped.deleter == nullptr) return Give(Tensor::View(dtype, shape, data), tensor);
  auto handle = std::make_unique<SmTensor>();
  auto owner = std::make_unique<Wrapped>(wrapped);
  Buffer* buffer = new Buffer(data, bytes, [](Buffer* b) {
    std::unique_ptr<Wrapped> w(static_cast<Wrapped*>(b->owner()));
    w->deleter(b->data(), b->bytes(), w->user);
    delete b;
  }, owner.get());
  owner.release();
  handle->tensor = Tensor::FromBuffer(dtype, shape, buffer, data);
  *tensor = handle.release();
  return absl::OkStatus();
}

absl::Status MakeStrings(const int64_t* dims, int32_t rank, const char* const* strings, const size_t* lengths, size_t count, SmTensor** tensor) {
  SM_ASSIGN_OR_RETURN(TensorShape shape, Shape(dims, rank));
  SM_CHECK_ARGUMENT(static_cast<uint64_t>(shape.num_elements()) == count, "count is ", count, ", shape ", shape.ToString(), " holds ", shape.num_elements());
  SM_CHECK_ARGUMENT(strings != nullptr || count == 0, "strings is NULL");
  SM_ASSIGN_OR_RETURN(Tensor made, Tensor::Allocate(DataType::kString, shape));
  for (size_t i = 0; i < count; ++i) {
    SM_CHECK_ARGUMENT(strings[i] != nullptr, "strings[", i, "] is NULL");
    made.data<std::string>()[i].assign(strings[i], lengths != nullptr ? lengths[i] : std::strlen(strings[i]));
  }
  return Give(std::move(made), tensor);
}

bool HasNumbers(const SmTensor* tensor) { return tensor != nullptr && IsNumber(static_cast<int32_t>(tensor->tensor.dtype())); }

}  // namespace
}  // namespace savedmodel::c

using savedmodel::Tensor;
namespace c = savedmodel::c;

extern "C" {

size_t SmDataTypeSize(SmDataType type) { return c::IsNumber(type) ? savedmodel::DataTypeSize(static_cast<savedmodel::DataType>(type)) : 0; }

const char* SmDataTypeName(SmDataType type) {
  static const std::vector<std::string>* const names = [] {
    auto* all = new std::vector<std::string>;
    for (int i = 0; i <= SM_UINT64; ++i) all->push_back(savedmodel::DataTypeName(static_cast<savedmodel::DataType>(i)));
    return all;
  }();
  return (*names)[type >= 0 && type <= SM_UINT64 ? static_cast<size_t>(type) : 0].c_str();
}

SmCode SmTensorMake(SmDataType type, const int64_t* dims, int32_t rank, const void* data, size_t bytes, SmTensor** tensor, SmError** error) {
  if (tensor != nullptr) *tensor = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(tensor != nullptr, "tensor is NULL");
    return c::Make(type, dims, rank, data, bytes, tensor);
  });
}

SmCode SmTensorWrap(SmDataType type, const int64_t* dims, int32_t rank, void* data, size_t bytes, SmDeleter deleter, void* user, SmTensor** tensor,
                    SmError** error) {
  if (tensor != nullptr) *tensor = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(tensor != nullptr, "tensor is NULL");
    return c::Wrap(type, dims, rank, data, bytes, {deleter, user}, tensor);
  });
}

SmCode SmTensorMakeStrings(const int64_t* dims, int32_t rank, const char* const* strings, const size_t* lengths, size_t count, SmTensor** tensor,
                           SmError** error) {
  if (tensor != nullptr) *tensor = nullptr;
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(tensor != nullptr, "tensor is NULL");
    return c::MakeStrings(dims, rank, strings, lengths, count, tensor);
  });
}

SmTensor* SmTensorShare(const SmTensor* tensor) { return tensor == nullptr ? nullptr : new (std::nothrow) SmTensor{tensor->tensor}; }
void SmTensorFree(SmTensor* tensor) { delete tensor; }

SmDataType SmTensorDataType(const SmTensor* tensor) { return tensor == nullptr ? SM_INVALID : static_cast<SmDataType>(tensor->tensor.dtype()); }
int32_t SmTensorRank(const SmTensor* tensor) { return tensor == nullptr ? -1 : tensor->tensor.rank(); }
const int64_t* SmTensorDims(const SmTensor* tensor) { return tensor == nullptr ? nullptr : tensor->tensor.shape().dims().data(); }
int64_t SmTensorDim(const SmTensor* tensor, int32_t i) {
  return tensor == nullptr || i < 0 || i >= tensor->tensor.rank() ? -1 : tensor->tensor.dim(i);
}
int64_t SmTensorElementCount(const SmTensor* tensor) {
  return tensor == nullptr || !tensor->tensor.initialized() ? 0 : tensor->tensor.num_elements();
}
size_t SmTensorBytes(const SmTensor* tensor) { return c::HasNumbers(tensor) ? tensor->tensor.bytes() : 0; }
const void* SmTensorData(const SmTensor* tensor) { return c::HasNumbers(tensor) ? tensor->tensor.raw() : nullptr; }

void* SmTensorMutableData(SmTensor* tensor) {
  if (!c::HasNumbers(tensor)) return nullptr;
  return tensor->tensor.buffer() == nullptr || tensor->tensor.unique() ? tensor->tensor.raw() : nullptr;
}

SmCode SmTensorString(const SmTensor* tensor, int64_t i, const char** data, size_t* length, SmError** error) {
  return c::Guarded(error, [&]() -> absl::Status {
    SM_CHECK_ARGUMENT(tensor != nullptr && data != nullptr, "tensor or data is NULL");
    *data = nullptr;
    if (length != nullptr) *length = 0;
    const Tensor& t = tensor->tensor;
    SM_CHECK_ARGUMENT(t.dtype() == savedmodel::DataType::kString, "the tensor is of dtype ", savedmodel::DataTypeName(t.dtype()), ", not string");
    if (i < 0 || i >= t.num_elements()) return absl::OutOfRangeError(absl::StrCat("element ", i, " of a tensor that has ", t.num_elements()));
    const std::string& text = t.data<std::string>()[i];
    *data = text.c_str();
    if (length != nullptr) *length = text.size();
    return absl::OkStatus();
  });
}

size_t SmTensorText(const SmTensor* tensor, int32_t max_elements, char* text, size_t capacity) {
  if (text == nullptr) capacity = 0;
  if (capacity > 0) text[0] = '\0';
  if (tensor == nullptr) return 0;
  try {
    const std::string whole = tensor->tensor.DebugString(std::max(max_elements, 0));
    if (capacity > 0) {
      const size_t n = std::min(whole.size(), capacity - 1);
      std::memcpy(text, whole.data(), n);
      text[n] = '\0';
    }
    return whole.size();
  } catch (...) {
    return 0;
  }
}

}  // extern "C"
