// Variant values that hold tensors, and so may hold one another; and the ops on variants that go into what they hold.
#ifndef SAVEDMODEL_OPS_LISTS_NESTED_VALUE_H_
#define SAVEDMODEL_OPS_LISTS_NESTED_VALUE_H_

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "savedmodel/op.h"
#include "savedmodel/tensor.h"

namespace savedmodel {

// A container is freed by recursion, so how deep they nest is bounded: whoever puts a tensor in calls Enclose first.
class NestedValue : public VariantValue {
 public:
  static constexpr int kMaxDepth = 1000;

  // ResourceExhausted if `tensor` already holds containers kMaxDepth deep.
  absl::Status Enclose(const Tensor& tensor) {
    if (tensor.dtype() != DataType::kVariant) return absl::OkStatus();
    for (const Variant& value : tensor.flat<Variant>()) {
      auto nested = dynamic_cast<const NestedValue*>(value.get());
      if (nested != nullptr) depth_ = std::max(depth_, nested->depth_ + 1);
    }
    return depth_ > kMaxDepth ? absl::ResourceExhaustedError("variants are nested too deep") : absl::OkStatus();
  }

  // For ZerosLike and AddN. Internal, as in the reference, for kinds that know nothing of it; `other` is of the same kind.
  virtual absl::StatusOr<Variant> ZerosLike() const { return NoFunction("ZEROS_LIKE"); }
  virtual absl::StatusOr<Variant> Add(const NestedValue& other) const {
    (void)other;
    return NoFunction("ADD");
  }

 private:
  absl::Status NoFunction(const char* op) const;
  int depth_ = 0;
};

// Zeros of a variant's kind, the sum of two: Internal unless both are of one kind that can.
absl::StatusOr<Variant> VariantZerosLike(const Variant& value);
absl::StatusOr<Variant> VariantAdd(const Variant& a, const Variant& b);

// Zeros of a tensor's dtype and shape; the sum of two tensors of one shape. Variants element by element.
absl::StatusOr<Tensor> TensorZerosLike(const Tensor& tensor);
absl::StatusOr<Tensor> TensorAdd(const Tensor& a, const Tensor& b);

// Sets all elements to zero, the empty string or null.
void FillWithZeros(Tensor* tensor);

// The value in input i, a variant, for changing: the input's own where nobody else holds it, else a copy. The input must
// not be looked at afterwards. InvalidArgument for a value of another kind.
template <typename T>
absl::StatusOr<std::shared_ptr<T>> TakeVariant(KernelContext& context, int i) {
  absl::StatusOr<Tensor> tensor = context.Take(i);
  if (!tensor.ok()) return tensor.status();
  if (tensor->num_elements() != 1) return absl::InvalidArgumentError("a variant must be a scalar");
  Variant value = tensor->unique() ? std::move(tensor->data<Variant>()[0]) : tensor->data<Variant>()[0];
  std::shared_ptr<T> typed = std::dynamic_pointer_cast<T>(value);
  if (typed == nullptr) return absl::InvalidArgumentError("the variant holds a value of another kind");
  value.reset();
  if (typed.use_count() > 1) return std::make_shared<T>(*typed);
  std::atomic_thread_fence(std::memory_order_acquire);  // after the last reads of who let go of it
  return typed;
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_LISTS_NESTED_VALUE_H_
