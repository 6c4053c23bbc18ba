// Single items of TensorLists: TensorListGetItem, SetItem, PushBack, PopBack, PushBackBatch, Length, ElementShape, Resize,
// ConcatLists. A list that nobody else holds is changed in place. GetItem and PopBack refuse an item that contradicts a
// constant element_shape, where the reference lets it pass.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/arguments.h"
#include "ops/lists/tensor_list.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

// The shape of an item that was never set: the shapes told, and that of the items which were.
absl::StatusOr<TensorShape> UnsetShape(const KernelContext& context, int shape_input, const TensorList& list) {
  SM_ASSIGN_OR_RETURN(PartialShape shape, ElementShapeInput(context, shape_input, list));
  if (!shape.fully_known()) {
    for (const Tensor& t : list.tensors) {
      if (!t.initialized()) continue;
      SM_ASSIGN_OR_RETURN(shape, shape.MergeWith(t.shape()));
    }
  }
  SM_CHECK_ARGUMENT(shape.fully_known(), "Trying to read an uninitialized tensor but element_shape is not fully defined: ", shape.ToString(),
                    " and no list element is set.");
  return shape.shape();
}

// Output o = the item, or zeros where it is unset.
absl::Status GiveItem(KernelContext& context, int o, const TensorList& list, size_t index, int shape_input, const PartialShape& promised) {
  const Tensor& item = list.tensors[index];
  if (item.initialized()) {
    SM_CHECK_ARGUMENT(promised.CompatibleWith(item.shape()), "list item ", index, " has shape ", item.shape().ToString(),
                      ", element_shape is ", promised.ToString());
    return context.SetOutput(o, item);
  }
  SM_ASSIGN_OR_RETURN(TensorShape shape, UnsetShape(context, shape_input, list));
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(o, shape));
  FillWithZeros(out);
  return absl::OkStatus();
}

PartialShape Promised(KernelInit& init, int i) {
  if (init.constant(i) == nullptr) return PartialShape();
  absl::StatusOr<PartialShape> shape = ElementShapeOf(*init.constant(i));
  return shape.ok() ? *std::move(shape) : PartialShape();
}

absl::StatusOr<KernelPtr> MakeGetItem(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  return MakeKernel([dtype, promised = Promised(init, 2)](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorList* list, ListInput(context, 0, dtype));
    SM_ASSIGN_OR_RETURN(int64_t index, IntScalar(context, 1, "index"));
    SM_CHECK_ARGUMENT(index >= 0 && index < static_cast<int64_t>(list->tensors.size()), "Trying to access element ", index,
                      " in a list with ", list->tensors.size(), " elements.");
    return GiveItem(context, 0, *list, static_cast<size_t>(index), 2, promised);
  });
}

absl::StatusOr<KernelPtr> MakePopBack(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  return MakeKernel([dtype, promised = Promised(init, 1)](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorList* given, ListInput(context, 0, dtype));
    SM_CHECK_ARGUMENT(!given->tensors.empty(), "Trying to pop from an empty list.");
    SM_RETURN_IF_ERROR(GiveItem(context, 1, *given, given->tensors.size() - 1, 1, promised));
    SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorList> list, TakeList(context, 0));
    list->tensors.pop_back();
    return SetListOutput(context, 0, std::move(list));
  });
}

absl::StatusOr<KernelPtr> MakePushBack(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  return MakeKernel([dtype](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorList* given, ListInput(context, 0, dtype));
    SM_CHECK_ARGUMENT(given->element_shape.CompatibleWith(context.input(1).shape()),
                      "Tried to append a tensor with incompatible shape to a list. Op element shape: ", context.input(1).shape().ToString(),
                      " list shape: ", given->element_shape.ToString());
    SM_CHECK_ARGUMENT(given->max_num_elements < 0 || static_cast<int64_t>(given->tensors.size()) < given->max_num_elements,
                      "Tried to push item into a full list list size: ", given->tensors.size(), " max_num_elements: ",
                      given->max_num_elements);
    SM_ASSIGN_OR_RETURN(Tensor item, context.Retain(1));
    SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorList> list, TakeList(context, 0));
    SM_RETURN_IF_ERROR(list->Enclose(item));
    list->tensors.push_back(std::move(item));
    return SetListOutput(context, 0, std::move(list));
  });
}

absl::StatusOr<KernelPtr> MakeSetItem(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  const bool grow = init.attrs().Bool("resize_if_index_out_of_bounds");
  return MakeKernel([=](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorList* given, ListInput(context, 0, dtype));
    SM_ASSIGN_OR_RETURN(int64_t index, IntScalar(context, 1, "index"));
    const int64_t size = static_cast<int64_t>(given->tensors.size());
    SM_CHECK_ARGUMENT(index >= 0 && (grow || index < size), "Trying to modify element ", index, " in a list with ", size, " elements.");
    SM_CHECK_ARGUMENT(given->element_shape.CompatibleWith(context.input(2).shape()),
                      "Tried to set a tensor with incompatible shape at a list index. Item element shape: ",
                      context.input(2).shape().ToString(), " list shape: ", given->element_shape.ToString());
    if (index >= size) SM_RETURN_IF_ERROR(CheckListSize(context, index + 1));
    SM_ASSIGN_OR_RETURN(Tensor item, context.Retain(2));
    SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorList> list, TakeList(context, 0));
    SM_RETURN_IF_ERROR(list->Enclose(item));
    if (index >= size) list->tensors.resize(static_cast<size_t>(index) + 1);
    list->tensors[static_cast<size_t>(index)] = std::move(item);
    return SetListOutput(context, 0, std::move(list));
  });
}

absl::Status PushBackBatch(KernelContext& context, DataType dtype) {
  const Tensor &handles = context.input(0), &input = context.input(1);
  SM_CHECK_ARGUMENT(input.rank() >= 1, "Expected tensor to be at least a vector, but saw shape: ", input.shape().ToString());
  SM_CHECK_ARGUMENT(handles.rank() == 1, "Expected input_handles to be a vector, but saw shape: ", handles.shape().ToString());
  SM_CHECK_ARGUMENT(input.dim(0) == handles.dim(0), "Expected tensor.shape[0] == input_handles.size, but saw ", input.dim(0), " vs. ",
                    handles.dim(0));
  TensorShape row = input.shape();
  row.RemoveDim(0);
  SM_ASSIGN_OR_RETURN(Tensor rows, context.Retain(1));
  SM_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(DataType::kVariant, handles.shape(), context.allocator()));
  for (int64_t i = 0; i < handles.num_elements(); ++i) {
    auto given = dynamic_cast<const TensorList*>(handles.data<Variant>()[i].get());
    SM_CHECK_ARGUMENT(given != nullptr, "Input handle at index ", i, " is not a list.");
    SM_CHECK_ARGUMENT(given->element_shape.CompatibleWith(row), "Tried to append a tensor with incompatible shape to a list at index ", i,
                      ". Op element shape: ", row.ToString(), " list shape: ", given->element_shape.ToString());
    SM_CHECK_ARGUMENT(given->dtype == dtype, "Invalid data type at index ", i, "; op elements ", DataTypeName(dtype), " but list elements ",
                      DataTypeName(given->dtype));
    auto list = std::make_shared<TensorList>(*given);
    SM_RETURN_IF_ERROR(list->Enclose(rows));
    list->tensors.push_back(rows.Slice(i * row.num_elements(), row));
    out.data<Variant>()[i] = std::move(list);
  }
  return context.SetOutput(0, std::move(out));
}

absl::StatusOr<KernelPtr> MakePushBackBatch(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  return MakeKernel([dtype](KernelContext& context) { return PushBackBatch(context, dtype); });
}

absl::StatusOr<KernelPtr> MakeLength(KernelInit&) {
  return MakeKernel([](KernelContext& context) -> absl::Status {
    SM_ASSIGN_OR_RETURN(const TensorList* list, ListInput(context, 0));
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, {}));
    *out->data<int32_t>() = static_cast<int32_t>(list->tensors.size());
    return absl::OkStatus();
  });
}

absl::Status ElementShape(KernelContext& context) {
  SM_ASSIGN_OR_RETURN(const TensorList* list, ListInput(context, 0));
  const PartialShape& shape = list->element_shape;
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, shape.known_rank() ? TensorShape({shape.rank()}) : TensorShape()));
  for (int64_t i = 0; i < out->num_elements(); ++i) {
    const int64_t value = shape.known_rank() ? shape.dim(static_cast<int>(i)) : -1;
    if (out->dtype() == DataType::kInt32) {
      out->data<int32_t>()[i] = static_cast<int32_t>(value);
    } else {
      out->data<int64_t>()[i] = value;
    }
  }
  return absl::OkStatus();
}

absl::Status Resize(KernelContext& context) {
  SM_RETURN_IF_ERROR(ListInput(context, 0).status());
  SM_CHECK_ARGUMENT(context.input(1).rank() == 0, "size must be a scalar");
  const int32_t size = context.input(1).scalar<int32_t>();
  SM_CHECK_ARGUMENT(size >= 0, "TensorListSlice expects size to be non-negative. Got: ", size);
  SM_RETURN_IF_ERROR(CheckListSize(context, size));
  SM_ASSIGN_OR_RETURN(std::shared_ptr<TensorList> list, TakeList(context, 0));
  list->tensors.resize(static_cast<size_t>(size));
  return SetListOutput(context, 0, std::move(list));
}

absl::Status ConcatLists(KernelContext& context, DataType dtype) {
  const Tensor &a = context.input(0), &b = context.input(1);
  SM_CHECK_ARGUMENT(a.shape() == b.shape(), "Incompatible input TensorList tensor shapes: ", a.shape().ToString(), " vs. ", b.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(DataType::kVariant, a.shape(), context.allocator()));
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    auto first = dynamic_cast<const TensorList*>(a.data<Variant>()[i].get());
    auto second = dynamic_cast<const TensorList*>(b.data<Variant>()[i].get());
    SM_CHECK_ARGUMENT(first != nullptr && second != nullptr, "input_a and input_b must hold lists, not so at index ", i);
    SM_CHECK_ARGUMENT(first->dtype == dtype && second->dtype == dtype, "lists at index ", i, " are of ", DataTypeName(first->dtype), " and ",
                      DataTypeName(second->dtype), ", element_dtype is ", DataTypeName(dtype));
    SM_CHECK_ARGUMENT(first->element_shape == second->element_shape,
                      "input_a and input_b TensorList element shapes are not identical at index ", i, ": ", first->element_shape.ToString(),
                      " vs. ", second->element_shape.ToString());
    SM_RETURN_IF_ERROR(CheckListSize(context, static_cast<int64_t>(first->tensors.size() + second->tensors.size())));
    auto list = std::make_shared<TensorList>(*first);
    for (const Tensor& item : second->tensors) {
      SM_RETURN_IF_ERROR(list->Enclose(item));
      list->tensors.push_back(item);
    }
    out.data<Variant>()[i] = std::move(list);
  }
  return context.SetOutput(0, std::move(out));
}

absl::StatusOr<KernelPtr> MakeConcatLists(KernelInit& init) {
  const DataType dtype = init.attrs().Type("element_dtype");
  return MakeKernel([dtype](KernelContext& context) { return ConcatLists(context, dtype); });
}

absl::Status InferGetItem(InferContext& context) {
  context.set_output(0, ElementShapeConstant(context, 2));
  return absl::OkStatus();
}

absl::Status InferPopBack(InferContext& context) {
  context.set_output(0, TensorShape());
  context.set_output(1, ElementShapeConstant(context, 1));
  return absl::OkStatus();
}

}  // namespace

void DefineTensorListItems(OpTable& ops) {
  ops.Add({.name = "TensorListGetItem",
           .inputs = "input_handle: variant; index: int32; element_shape: Tshape",
           .outputs = "item: element_dtype",
           .attrs = "element_dtype: type; Tshape: {int32, int64} = DT_INT32",
           .infer = InferGetItem,
           .cpu = MakeGetItem});
  ops.Add({.name = "TensorListPopBack",
           .inputs = "input_handle: variant; element_shape: int32",
           .outputs = "output_handle: variant; tensor: element_dtype",
           .attrs = "element_dtype: type",
           .infer = InferPopBack,
           .cpu = MakePopBack});
  ops.Add({.name = "TensorListPushBack",
           .inputs = "input_handle: variant; tensor: element_dtype",
           .outputs = "output_handle: variant",
           .attrs = "element_dtype: type",
           .infer = ScalarShape,
           .cpu = MakePushBack});
  ops.Add({.name = "TensorListSetItem",
           .inputs = "input_handle: variant; index: int32; item: element_dtype",
           .outputs = "output_handle: variant",
           .attrs = "element_dtype: type; resize_if_index_out_of_bounds: bool = false",
           .infer = ScalarShape,
           .cpu = MakeSetItem});
  ops.Add({.name = "TensorListPushBackBatch",
           .inputs = "input_handles: variant; tensor: element_dtype",
           .outputs = "output_handles: variant",
           .attrs = "element_dtype: type",
           .infer = SameShape<>,
           .cpu = MakePushBackBatch});
  ops.Add({.name = "TensorListLength", .inputs = "input_handle: variant", .outputs = "length: int32", .infer = ScalarShape, .cpu = MakeLength});
  ops.Add({.name = "TensorListElementShape",
           .inputs = "input_handle: variant",
           .outputs = "element_shape: shape_type",
           .attrs = "shape_type: {int32, int64}",
           .infer = NoShape,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(ElementShape); }});
  ops.Add({.name = "TensorListResize",
           .inputs = "input_handle: variant; size: int32",
           .outputs = "output_handle: variant",
           .infer = ScalarShape,
           .cpu = [](KernelInit&) -> absl::StatusOr<KernelPtr> { return MakeKernel(Resize); }});
  ops.Add({.name = "TensorListConcatLists",
           .inputs = "input_a: variant; input_b: variant",
           .outputs = "output: variant",
           .attrs = "element_dtype: type",
           .infer = SameShape<>,
           .cpu = MakeConcatLists});
}

}  // namespace savedmodel
