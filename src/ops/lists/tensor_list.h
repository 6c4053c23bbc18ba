// TensorList: the value of a variant that holds a list of tensors of one dtype.
#ifndef SAVEDMODEL_OPS_LISTS_TENSOR_LIST_H_
#define SAVEDMODEL_OPS_LISTS_TENSOR_LIST_H_

#include <memory>
#include <vector>

#include "ops/lists/nested_value.h"
#include "savedmodel/op.h"

namespace savedmodel {

// Copies share their tensors. An item that is not initialized() reads as zeros of the element shape.
class TensorList final : public NestedValue {
 public:
  const char* kind() const override { return "TensorList"; }
  absl::StatusOr<Variant> ZerosLike() const override;
  absl::StatusOr<Variant> Add(const NestedValue& other) const override;

  DataType dtype = DataType::kInvalid;
  PartialShape element_shape;
  int64_t max_num_elements = -1;  // -1: no bound
  std::vector<Tensor> tensors;    // each owns its memory
};

// The list in input i, a scalar variant. Holds until the input is taken.
absl::StatusOr<const TensorList*> ListInput(const KernelContext& context, int i);
// The same, and InvalidArgument unless its elements are of this dtype.
absl::StatusOr<const TensorList*> ListInput(const KernelContext& context, int i, DataType dtype);

// The list in input i for changing: the input's own where nobody else holds it, else a copy. Whatever ListInput gave is
// gone afterwards. ListInput must have accepted the input.
absl::StatusOr<std::shared_ptr<TensorList>> TakeList(KernelContext& context, int i);
absl::Status SetListOutput(KernelContext& context, int o, std::shared_ptr<TensorList> list);

// ResourceExhausted where a list of `n` items would not fit the memory of the run.
absl::Status CheckListSize(KernelContext& context, int64_t n);

// A shape as lists take it: a vector with -1 for what is unknown, or the scalar -1.
absl::StatusOr<PartialShape> ElementShapeOf(const Tensor& tensor);
// Input i as such a shape, merged with the list's own.
absl::StatusOr<PartialShape> ElementShapeInput(const KernelContext& context, int i, const TensorList& list);
// Input i of a shape rule, as far as known.
PartialShape ElementShapeConstant(InferContext& context, int i);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_LISTS_TENSOR_LIST_H_
