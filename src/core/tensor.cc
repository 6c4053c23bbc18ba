#include "savedmodel/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "core/aligned_memory.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

class Host final : public Allocator {
 public:
  absl::StatusOr<Buffer*> Allocate(size_t bytes) override {
    void* data = AllocateAligned(bytes);
    if (data == nullptr) return absl::ResourceExhaustedError(absl::StrCat("cannot allocate ", bytes, " bytes"));
    return new Buffer(data, bytes, [](Buffer* buffer) {
      std::free(buffer->data());
      delete buffer;
    });
  }
};

// A buffer of C++ objects over a buffer of bytes.
template <typename T>
Buffer* MakeObjects(Buffer* bytes, int64_t count) {
  T* objects = static_cast<T*>(bytes->data());
  for (int64_t i = 0; i < count; ++i) new (objects + i) T();
  return new Buffer(
      objects, static_cast<size_t>(count) * sizeof(T),
      [](Buffer* buffer) {
        T* data = static_cast<T*>(buffer->data());
        const size_t n = buffer->bytes() / sizeof(T);
        for (size_t i = 0; i < n; ++i) data[i].~T();
        static_cast<Buffer*>(buffer->owner())->Unref();
        delete buffer;
      },
      bytes);
}

}  // namespace

Allocator* HostAllocator() {
  static Host* const host = new Host();
  return host;
}

Tensor::Tensor(const Tensor& other)
    : dtype_(other.dtype_), data_(other.data_), buffer_(other.buffer_), shape_(other.shape_) {
  if (buffer_ != nullptr) buffer_->Ref();
}

Tensor::Tensor(Tensor&& other) noexcept
    : dtype_(other.dtype_), data_(other.data_), buffer_(other.buffer_), shape_(std::move(other.shape_)) {
  other.dtype_ = DataType::kInvalid;
  other.data_ = nullptr;
  other.buffer_ = nullptr;
  other.shape_ = TensorShape();
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) {
    Tensor copy(other);
    *this = std::move(copy);
  }
  return *this;
}

Tensor& Tensor::operator=(Tensor&& other) noexcept {
  if (this != &other) {
    if (buffer_ != nullptr) buffer_->Unref();
    dtype_ = other.dtype_;
    data_ = other.data_;
    buffer_ = other.buffer_;
    shape_ = std::move(other.shape_);
    other.dtype_ = DataType::kInvalid;
    other.data_ = nullptr;
    other.buffer_ = nullptr;
    other.shape_ = TensorShape();
  }
  return *this;
}

absl::StatusOr<Tensor> Tensor::Allocate(DataType type, const TensorShape& shape, Allocator* allocator) {
  const size_t size = DataTypeSize(type);
  if (size == 0 || IsRef(type)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot make a tensor of dtype ", DataTypeName(type), " (", static_cast<int>(type), ")"));
  }
  if (!shape.valid()) SM_RETURN_IF_ERROR(TensorShape::Make(shape.dims()).status());
  size_t bytes;
  if (__builtin_mul_overflow(static_cast<size_t>(shape.num_elements()), size, &bytes)) {
    return absl::ResourceExhaustedError(absl::StrCat("a tensor of shape ", shape.ToString(), " and dtype ", DataTypeName(type), " does not fit memory"));
  }
  SM_ASSIGN_OR_RETURN(Buffer * buffer, allocator->Allocate(bytes));
  if (type == DataType::kString) {
    buffer = MakeObjects<std::string>(buffer, shape.num_elements());
  } else if (type == DataType::kResource) {
    buffer = MakeObjects<ResourceHandle>(buffer, shape.num_elements());
  } else if (type == DataType::kVariant) {
    buffer = MakeObjects<Variant>(buffer, shape.num_elements());
  }
  return FromBuffer(type, shape, buffer, buffer->data());
}

Tensor Tensor::View(DataType type, const TensorShape& shape, void* data) {
  Tensor t;
  t.dtype_ = type;
  t.shape_ = shape;
  t.data_ = data;
  return t;
}

Tensor Tensor::FromBuffer(DataType type, const TensorShape& shape, Buffer* buffer, void* data) {
  Tensor t = View(type, shape, data);
  t.buffer_ = buffer;
  return t;
}

Tensor Tensor::Reshaped(const TensorShape& shape) const {
  Tensor t(*this);
  t.shape_ = shape;
  return t;
}

Tensor Tensor::Reinterpreted(DataType type) const {
  Tensor t(*this);
  t.dtype_ = type;
  return t;
}

Tensor Tensor::Slice(int64_t offset, const TensorShape& shape) const {
  Tensor t(*this);
  t.data_ = static_cast<char*>(data_) + static_cast<size_t>(offset) * DataTypeSize(dtype_);
  t.shape_ = shape;
  return t;
}

absl::StatusOr<Tensor> Tensor::Clone(Allocator* allocator) const {
  SM_ASSIGN_OR_RETURN(Tensor copy, Allocate(dtype_, shape_, allocator));
  CopyElements(*this, &copy);
  return copy;
}

void CopyElements(const Tensor& from, Tensor* to) {
  switch (from.dtype()) {
    case DataType::kString:
      std::copy_n(from.data<std::string>(), from.num_elements(), to->data<std::string>());
      break;
    case DataType::kResource:
      std::copy_n(from.data<ResourceHandle>(), from.num_elements(), to->data<ResourceHandle>());
      break;
    case DataType::kVariant:
      std::copy_n(from.data<Variant>(), from.num_elements(), to->data<Variant>());
      break;
    default:
      if (from.bytes() > 0) std::memcpy(to->raw(), from.raw(), from.bytes());
  }
}

namespace {

template <typename T>
void AppendValue(std::string* text, const T& value) {
  absl::StrAppend(text, " ", value);
}
void AppendValue(std::string* text, const std::string& value) { absl::StrAppend(text, " \"", value, "\""); }
void AppendValue(std::string* text, Half value) { absl::StrAppend(text, " ", static_cast<float>(value)); }
void AppendValue(std::string* text, BFloat16 value) { absl::StrAppend(text, " ", static_cast<float>(value)); }
void AppendValue(std::string* text, int8_t value) { absl::StrAppend(text, " ", static_cast<int>(value)); }
void AppendValue(std::string* text, uint8_t value) { absl::StrAppend(text, " ", static_cast<int>(value)); }
template <typename T>
void AppendValue(std::string* text, const std::complex<T>& value) {
  absl::StrAppend(text, " (", value.real(), ",", value.imag(), ")");
}

template <typename T>
void AppendValues(std::string* text, const Tensor& tensor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) AppendValue(text, tensor.data<T>()[i]);
}

}  // namespace

std::string Tensor::DebugString(int max_elements) const {
  std::string text = DataTypeName(dtype_) + shape_.ToString();
  const int64_t n = std::min<int64_t>(num_elements(), max_elements);
  switch (dtype_) {
    case DataType::kFloat: AppendValues<float>(&text, *this, n); break;
    case DataType::kDouble: AppendValues<double>(&text, *this, n); break;
    case DataType::kInt32: case DataType::kQInt32: AppendValues<int32_t>(&text, *this, n); break;
    case DataType::kUInt8: case DataType::kQUInt8: AppendValues<uint8_t>(&text, *this, n); break;
    case DataType::kInt16: case DataType::kQInt16: AppendValues<int16_t>(&text, *this, n); break;
    case DataType::kInt8: case DataType::kQInt8: AppendValues<int8_t>(&text, *this, n); break;
    case DataType::kString: AppendValues<std::string>(&text, *this, n); break;
    case DataType::kComplex64: AppendValues<std::complex<float>>(&text, *this, n); break;
    case DataType::kInt64: AppendValues<int64_t>(&text, *this, n); break;
    case DataType::kBool: AppendValues<bool>(&text, *this, n); break;
    case DataType::kUInt16: case DataType::kQUInt16: AppendValues<uint16_t>(&text, *this, n); break;
    case DataType::kComplex128: AppendValues<std::complex<double>>(&text, *this, n); break;
    case DataType::kHalf: AppendValues<Half>(&text, *this, n); break;
    case DataType::kBFloat16: AppendValues<BFloat16>(&text, *this, n); break;
    case DataType::kUInt32: AppendValues<uint32_t>(&text, *this, n); break;
    case DataType::kUInt64: AppendValues<uint64_t>(&text, *this, n); break;
    default: break;
  }
  if (n < num_elements()) text += " ...";
  return text;
}

}  // namespace savedmodel
