#include "ops/lists/tensor_list.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/state/combine.h"
#include "ops/state/variable.h"

namespace savedmodel {

absl::StatusOr<const TensorList*> ListInput(const KernelContext& context, int i) {
  const Tensor& tensor = context.input(i);
  SM_CHECK_ARGUMENT(tensor.rank() == 0, "Input list must be a scalar saw: ", tensor.shape().ToString());
  auto list = dynamic_cast<const TensorList*>(tensor.data<Variant>()[0].get());
  SM_CHECK_ARGUMENT(list != nullptr, "Input handle is not a list");
  return list;
}

absl::StatusOr<const TensorList*> ListInput(const KernelContext& context, int i, DataType dtype) {
  SM_ASSIGN_OR_RETURN(const TensorList* list, ListInput(context, i));
  SM_CHECK_ARGUMENT(list->dtype == dtype, "Invalid data types; op elements ", DataTypeName(dtype), " but list elements ",
                    DataTypeName(list->dtype));
  return list;
}

absl::StatusOr<std::shared_ptr<TensorList>> TakeList(KernelContext& context, int i) { return TakeVariant<TensorList>(context, i); }

absl::Status SetListOutput(KernelContext& context, int o, std::shared_ptr<TensorList> list) {
  return context.SetOutput(o, Tensor::Scalar<Variant>(std::move(list)));
}

absl::Status CheckListSize(KernelContext& context, int64_t n) {
  constexpr int64_t kSmall = 4096, kMost = int64_t{1} << 26;
  if (n <= kSmall) return absl::OkStatus();
  if (n > kMost) return absl::ResourceExhaustedError(absl::StrCat("a list of ", n, " elements, the most is ", kMost));
  SM_ASSIGN_OR_RETURN(Buffer * trial, context.allocator()->Allocate(static_cast<size_t>(n) * sizeof(Tensor)));
  trial->Unref();
  return absl::OkStatus();
}

absl::StatusOr<PartialShape> ElementShapeOf(const Tensor& tensor) {
  SM_CHECK_ARGUMENT(tensor.rank() <= 1, "element_shape must be at most rank 1 but has the shape of ", tensor.shape().ToString());
  SM_ASSIGN_OR_RETURN(std::vector<int64_t> dims, IntsOf(tensor));
  if (tensor.rank() == 0) {
    SM_CHECK_ARGUMENT(dims[0] == -1, "The only valid scalar shape tensor is the fully unknown shape specified as -1, not ", dims[0]);
    return PartialShape();
  }
  SM_CHECK_ARGUMENT(dims.size() <= kMaxRank, "element_shape has ", dims.size(), " dimensions, at most ", kMaxRank, " are possible");
  for (int64_t dim : dims) SM_CHECK_ARGUMENT(dim >= -1, "Dimension ", dim, " of element_shape must be >= -1");
  return PartialShape::Of(dims);
}

absl::StatusOr<PartialShape> ElementShapeInput(const KernelContext& context, int i, const TensorList& list) {
  SM_ASSIGN_OR_RETURN(PartialShape shape, ElementShapeOf(context.input(i)));
  return shape.MergeWith(list.element_shape);
}

PartialShape ElementShapeConstant(InferContext& context, int i) {
  const Tensor* tensor = context.constant(i);
  if (tensor == nullptr) return PartialShape();
  absl::StatusOr<PartialShape> shape = ElementShapeOf(*tensor);
  return shape.ok() ? *std::move(shape) : PartialShape();
}

absl::StatusOr<Variant> TensorList::ZerosLike() const {
  auto zeros = std::make_shared<TensorList>(*this);
  for (Tensor& item : zeros->tensors) {
    if (!item.initialized()) continue;
    SM_ASSIGN_OR_RETURN(item, TensorZerosLike(item));
  }
  return Variant(std::move(zeros));
}

absl::StatusOr<Variant> TensorList::Add(const NestedValue& other) const {
  const TensorList *a = this, *b = static_cast<const TensorList*>(&other);
  SM_CHECK_ARGUMENT(a->dtype == b->dtype, "Trying to add two lists of tensors of different dtypes. One is ", DataTypeName(a->dtype),
                    " and the other is ", DataTypeName(b->dtype));
  SM_ASSIGN_OR_RETURN(PartialShape shape, a->element_shape.MergeWith(b->element_shape));
  SM_CHECK_ARGUMENT(a->tensors.size() == b->tensors.size(), "Trying to add two lists of tensors with different lengths. One is ",
                    a->tensors.size(), " and the other is ", b->tensors.size());
  auto sum = std::make_shared<TensorList>(*a);
  sum->element_shape = std::move(shape);
  for (size_t i = 0; i < sum->tensors.size(); ++i) {
    const Tensor& item = b->tensors[i];
    if (!item.initialized()) continue;
    SM_RETURN_IF_ERROR(sum->Enclose(item));
    if (!sum->tensors[i].initialized()) {
      sum->tensors[i] = item;
    } else {
      SM_ASSIGN_OR_RETURN(sum->tensors[i], TensorAdd(sum->tensors[i], item));
    }
  }
  return Variant(std::move(sum));
}

}  // namespace savedmodel
