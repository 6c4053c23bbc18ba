#include "ops/lists/nested_value.h"

#include <cstring>
#include <typeinfo>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/state/combine.h"

namespace savedmodel {
namespace {

const NestedValue* AsNested(const Variant& value) { return dynamic_cast<const NestedValue*>(value.get()); }

}  // namespace

absl::Status NestedValue::NoFunction(const char* op) const {
  return absl::InternalError(absl::StrCat("No variant function found for op ", op, ": the variant is a ", kind()));
}

absl::StatusOr<Variant> VariantZerosLike(const Variant& value) {
  if (value == nullptr) return Variant();
  const NestedValue* nested = AsNested(value);
  if (nested == nullptr) return absl::InternalError(absl::StrCat("No variant function found for op ZEROS_LIKE: the variant is a ", value->kind()));
  return nested->ZerosLike();
}

absl::StatusOr<Variant> VariantAdd(const Variant& a, const Variant& b) {
  const NestedValue *x = AsNested(a), *y = AsNested(b);
  if (x == nullptr || y == nullptr || typeid(*x) != typeid(*y)) {
    return absl::InternalError(absl::StrCat("Variants a and b have different type ids, or cannot be added: ", a == nullptr ? "null" : a->kind(),
                                            " and ", b == nullptr ? "null" : b->kind()));
  }
  return x->Add(*y);
}

absl::StatusOr<Tensor> TensorZerosLike(const Tensor& tensor) {
  SM_ASSIGN_OR_RETURN(Tensor zeros, Tensor::Allocate(tensor.dtype(), tensor.shape()));
  FillWithZeros(&zeros);
  if (tensor.dtype() == DataType::kVariant) {
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      SM_ASSIGN_OR_RETURN(zeros.data<Variant>()[i], VariantZerosLike(tensor.data<Variant>()[i]));
    }
  }
  return zeros;
}

absl::StatusOr<Tensor> TensorAdd(const Tensor& a, const Tensor& b) {
  SM_CHECK_ARGUMENT(a.shape() == b.shape() && a.dtype() == b.dtype(), "Trying to add two tensors with incompatible element shapes. One is ",
                    DataTypeName(a.dtype()), a.shape().ToString(), " and the other is ", DataTypeName(b.dtype()), b.shape().ToString());
  if (a.dtype() == DataType::kVariant) {
    SM_ASSIGN_OR_RETURN(Tensor sum, Tensor::Allocate(DataType::kVariant, a.shape()));
    for (int64_t i = 0; i < a.num_elements(); ++i) {
      SM_ASSIGN_OR_RETURN(sum.data<Variant>()[i], VariantAdd(a.data<Variant>()[i], b.data<Variant>()[i]));
    }
    return sum;
  }
  SM_ASSIGN_OR_RETURN(Combine add, FindCombine(Combination::kAdd, a.dtype()));
  SM_ASSIGN_OR_RETURN(Tensor sum, a.Clone());
  add(sum.raw(), b.raw(), b.num_elements(), false);
  return sum;
}

void FillWithZeros(Tensor* tensor) {
  if (IsPlainData(tensor->dtype())) {
    if (tensor->bytes() > 0) std::memset(tensor->raw(), 0, tensor->bytes());
  } else if (tensor->dtype() == DataType::kString) {
    for (std::string& s : tensor->flat<std::string>()) s.clear();
  } else if (tensor->dtype() == DataType::kVariant) {
    for (Variant& v : tensor->flat<Variant>()) v.reset();
  } else {
    for (ResourceHandle& h : tensor->flat<ResourceHandle>()) h.reset();
  }
}

}  // namespace savedmodel
