// Tensor: a dtype, a shape and a buffer that copies share.
#ifndef SAVEDMODEL_TENSOR_H_
#define SAVEDMODEL_TENSOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "savedmodel/data_type.h"
#include "savedmodel/export.h"
#include "savedmodel/tensor_shape.h"

namespace savedmodel {

// Reference-counted memory. The last reference runs the release function.
class Buffer {
 public:
  using Release = void (*)(Buffer* buffer);
  using IdleHook = void (*)(Buffer* buffer, size_t offset, size_t bytes);
  // `idle`: memory that nobody may write, mapped from a file; the function is called when a part will not be read for a while.
  Buffer(void* data, size_t bytes, Release release, void* owner = nullptr, IdleHook idle = nullptr)
      : data_(data), bytes_(bytes), release_(release), owner_(owner), idle_(idle) {}
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  void* owner() const { return owner_; }
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) release_(this);
  }
  // A hint: its bytes, or `bytes` of them from `offset` on, will not be read for a while. They stay as they are.
  void Idle() { Idle(0, bytes_); }
  void Idle(size_t offset, size_t bytes) {
    if (idle_ != nullptr) idle_(this, offset, bytes);
  }
  bool read_only() const { return idle_ != nullptr; }
  // Nobody else holds it, and it may be written.
  bool unique() const { return idle_ == nullptr && refs_.load(std::memory_order_acquire) == 1; }

 private:
  void* data_;
  size_t bytes_;
  Release release_;  // frees data and deletes the Buffer
  void* owner_;
  IdleHook idle_;
  std::atomic<int64_t> refs_{1};
};

// Where buffers come from: plain memory, a device's, or a run's metered memory.
class SAVEDMODEL_EXPORT Allocator {
 public:
  virtual ~Allocator() = default;
  // Memory of at least `bytes`, aligned to 64 bytes, with one reference; ResourceExhausted when there is none.
  virtual absl::StatusOr<Buffer*> Allocate(size_t bytes) = 0;
};

// The host's memory. Lives for ever, has no state.
SAVEDMODEL_EXPORT Allocator* HostAllocator();

// A Tensor owns a share of its buffer, or is a view over memory that somebody else keeps alive (owns() is false).
// Copies are cheap and share the memory: whoever writes must know that no other copy is being read.
// Elements are row-major. Strings are std::string; resources and variants are shared pointers.
// A default-made Tensor has dtype kInvalid. Different Tensor objects may be used by different threads.
class SAVEDMODEL_EXPORT Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor& other);
  Tensor(Tensor&& other) noexcept;
  Tensor& operator=(const Tensor& other);
  Tensor& operator=(Tensor&& other) noexcept;
  ~Tensor() { if (buffer_ != nullptr) buffer_->Unref(); }

  // New memory; plain elements are uninitialised, strings empty, handles null. InvalidArgument for a shape that is not
  // valid() or an unknown dtype, ResourceExhausted where the allocator has no more.
  static absl::StatusOr<Tensor> Allocate(DataType type, const TensorShape& shape, Allocator* allocator = HostAllocator());
  // A view over `data`, which must hold shape.num_elements() elements and outlive every copy of the view.
  static Tensor View(DataType type, const TensorShape& shape, void* data);
  // A share of `buffer` (takes one reference over), elements from `data` on, which lies inside it.
  static Tensor FromBuffer(DataType type, const TensorShape& shape, Buffer* buffer, void* data);

  // A scalar, and a tensor of the given values. Abort only on exhausted memory, as std::vector does.
  template <typename T>
  static Tensor Scalar(T value);
  static Tensor Scalar(const char* text) { return Scalar<std::string>(text); }
  template <typename T>
  static Tensor Of(const TensorShape& shape, absl::Span<const T> values);
  template <typename T>
  static Tensor Vector(const std::vector<T>& values) {
    return Of<T>({static_cast<int64_t>(values.size())}, values);
  }

  DataType dtype() const { return dtype_; }
  const TensorShape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int i) const { return shape_.dim(i); }
  int64_t num_elements() const { return shape_.num_elements(); }
  size_t bytes() const { return DataTypeSize(dtype_) * static_cast<size_t>(num_elements()); }
  bool initialized() const { return dtype_ != DataType::kInvalid; }
  bool owns() const { return buffer_ != nullptr || num_elements() == 0; }
  // True if no other Tensor shares the memory, so that it may be overwritten.
  bool unique() const { return buffer_ != nullptr && buffer_->unique(); }
  Buffer* buffer() const { return buffer_; }

  const void* raw() const { return data_; }
  void* raw() { return data_; }
  // Elements as T; T must be the type that stores dtype() (see DataTypeOf).
  template <typename T>
  const T* data() const { return static_cast<const T*>(data_); }
  template <typename T>
  T* data() { return static_cast<T*>(data_); }
  template <typename T>
  absl::Span<const T> flat() const { return {data<T>(), static_cast<size_t>(num_elements())}; }
  template <typename T>
  absl::Span<T> flat() { return {data<T>(), static_cast<size_t>(num_elements())}; }
  template <typename T>
  const T& scalar() const { return *data<T>(); }

  // The same memory under another shape of as many elements (the caller checked that).
  Tensor Reshaped(const TensorShape& shape) const;
  // The same memory read as another dtype of the same element size.
  Tensor Reinterpreted(DataType type) const;
  // A part of the memory: elements [offset, offset + shape.num_elements()), shared.
  Tensor Slice(int64_t offset, const TensorShape& shape) const;
  // A deep copy in new host memory.
  absl::StatusOr<Tensor> Clone(Allocator* allocator = HostAllocator()) const;

  std::string DebugString(int max_elements = 16) const;  // "float32[2,2] 1 2 3 4"

 private:
  friend class Frame;
  DataType dtype_ = DataType::kInvalid;
  void* data_ = nullptr;
  Buffer* buffer_ = nullptr;
  TensorShape shape_;
};

// Copies the elements of `from` over those of `to`: equal dtype and number of elements, both in host memory.
SAVEDMODEL_EXPORT void CopyElements(const Tensor& from, Tensor* to);

// State that a session keeps under a handle: a variable, a table, a TensorArray.
class SAVEDMODEL_EXPORT Resource {
 public:
  virtual ~Resource() = default;
  virtual const char* kind() const = 0;  // "variable", "table" ...

  // True if a session keeps it under a name; the others end with their last handle. Set before any handle is given out.
  bool named() const { return named_; }
  void set_named() { named_ = true; }

 private:
  bool named_ = false;
};

// The value behind an element of a variant tensor. Shared by copies, so immutable once another copy may exist.
class SAVEDMODEL_EXPORT VariantValue {
 public:
  virtual ~VariantValue() = default;
  virtual const char* kind() const = 0;  // "TensorList" ...
};

template <typename T>
Tensor Tensor::Of(const TensorShape& shape, absl::Span<const T> values) {
  Tensor t = Allocate(DataTypeOf<T>::value, shape).value();
  for (int64_t i = 0; i < t.num_elements(); ++i) t.data<T>()[i] = values[i];
  return t;
}

template <typename T>
Tensor Tensor::Scalar(T value) {
  return Of<T>(TensorShape(), absl::Span<const T>(&value, 1));
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_TENSOR_H_
