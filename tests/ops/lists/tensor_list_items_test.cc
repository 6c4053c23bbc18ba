#include "lists/list_case.h"

namespace savedmodel {
namespace {

OpCase Typed(const std::string& name, DataType dtype = DataType::kInt32) {
  OpCase op(name);
  op.Type("element_dtype", dtype);
  return op;
}
const Tensor& Unknown() {
  static const Tensor unknown = Int32s({}, {-1});
  return unknown;
}

TEST_CASE("TensorListGetItem gives items, and zeros for unset ones") {
  const Tensor list = ListOf(DataType::kInt32, PartialShape(), {Int32s({2}, {1, 2}), Tensor()});
  Typed("TensorListGetItem").In(list).In(Int32s({}, {0})).In(Unknown()).Gives({Int32s({2}, {1, 2})});
  Typed("TensorListGetItem").In(list).In(Int32s({}, {1})).In(Unknown()).Gives({Int32s({2}, {0, 0})});
  Typed("TensorListGetItem").In(list).In(Int32s({}, {2})).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument, "access element 2");
  Typed("TensorListGetItem").In(list).In(Int32s({}, {-1})).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument);
  Typed("TensorListGetItem", DataType::kFloat).In(list).In(Int32s({}, {0})).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument, "data types");
  const Tensor unset = ListOf(DataType::kInt32, PartialShape(), {Tensor()});
  Typed("TensorListGetItem").In(unset).In(Int32s({}, {0})).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument, "not fully defined");
  Typed("TensorListGetItem").In(unset).In(Int32s({}, {0})).In(Int32s({1}, {1})).Gives({Int32s({1}, {0})});
  const Tensor null = Tensor::Scalar<Variant>(nullptr);
  Typed("TensorListGetItem").In(null).In(Int32s({}, {0})).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument, "not a list");
}

TEST_CASE("TensorListSetItem leaves other copies alone") {
  const Tensor list = ListOf(DataType::kInt32, PartialShape::Of({-1}), {Int32s({1}, {1})});
  const Tensor changed = Outputs(Typed("TensorListSetItem").In(list).In(Int32s({}, {0})).In(Int32s({2}, {5, 6})))[0];
  CHECK(Difference(AsList(list).tensors[0], Int32s({1}, {1})) == "");
  CHECK(Difference(AsList(changed).tensors[0], Int32s({2}, {5, 6})) == "");
  Typed("TensorListSetItem").In(list).In(Int32s({}, {1})).In(Int32s({1}, {5})).Refuses(absl::StatusCode::kInvalidArgument, "modify element 1");
  CHECK(AsList(Outputs(Typed("TensorListSetItem").Bool("resize_if_index_out_of_bounds", true).In(list).In(Int32s({}, {2})).In(Int32s({1}, {5})))[0]).tensors.size() == 3);
  Typed("TensorListSetItem").In(list).In(Int32s({}, {0})).In(Int32s({}, {5})).Refuses(absl::StatusCode::kInvalidArgument, "incompatible shape");
}

TEST_CASE("TensorListPushBack and TensorListPopBack") {
  const Tensor list = ListOf(DataType::kInt32, PartialShape(), {});
  const Tensor one = Outputs(Typed("TensorListPushBack").In(list).In(Int32s({}, {4})))[0];
  const std::vector<Tensor> popped = Outputs(Typed("TensorListPopBack").In(one).In(Unknown()));
  CHECK(AsList(popped[0]).tensors.empty());
  CHECK(Difference(popped[1], Int32s({}, {4})) == "");
  Typed("TensorListPopBack").In(list).In(Unknown()).Refuses(absl::StatusCode::kInvalidArgument, "empty list");
  const Tensor full = ListOf(DataType::kInt32, PartialShape(), {Int32s({}, {1})});
  const_cast<TensorList&>(AsList(full)).max_num_elements = 1;
  Typed("TensorListPushBack").In(full).In(Int32s({}, {4})).Refuses(absl::StatusCode::kInvalidArgument, "full list");
}

TEST_CASE("TensorListPushBackBatch pushes one row to each list") {
  Tensor handles = Tensor::Allocate(DataType::kVariant, {2}).value();
  for (int i = 0; i < 2; ++i) handles.data<Variant>()[i] = ListOf(DataType::kInt32, PartialShape(), {}).scalar<Variant>();
  const Tensor pushed = Outputs(Typed("TensorListPushBackBatch").In(handles).In(Int32s({2, 1}, {4, 5})))[0];
  CHECK(Difference(dynamic_cast<const TensorList&>(*pushed.data<Variant>()[1]).tensors[0], Int32s({1}, {5})) == "");
  Typed("TensorListPushBackBatch").In(handles).In(Int32s({3, 1}, {4, 5, 6})).Refuses(absl::StatusCode::kInvalidArgument, "input_handles.size");
}

TEST_CASE("TensorListLength, ElementShape, Resize, ConcatLists") {
  const Tensor list = ListOf(DataType::kInt32, PartialShape::Of({-1, 2}), {Int32s({1, 2}, {1, 2})});
  OpCase("TensorListLength").In(list).Gives({Int32s({}, {1})});
  OpCase("TensorListElementShape").Type("shape_type", DataType::kInt64).In(list).Gives({Int64s({2}, {-1, 2})});
  OpCase("TensorListElementShape").Type("shape_type", DataType::kInt32).In(ListOf(DataType::kInt32, PartialShape(), {})).Gives({Int32s({}, {-1})});
  CHECK(AsList(Outputs(OpCase("TensorListResize").In(list).In(Int32s({}, {3})))[0]).tensors.size() == 3);
  OpCase("TensorListResize").In(list).In(Int32s({}, {-3})).Refuses(absl::StatusCode::kInvalidArgument, "non-negative");
  CHECK(AsList(Outputs(Typed("TensorListConcatLists").In(list).In(list))[0]).tensors.size() == 2);
  Typed("TensorListConcatLists").In(list).In(ListOf(DataType::kInt32, PartialShape(), {})).Refuses(absl::StatusCode::kInvalidArgument, "not identical");
}

TEST_CASE("Lists do not nest for ever") {
  Tensor list = ListOf(DataType::kVariant, PartialShape(), {});
  absl::StatusOr<std::vector<Tensor>> outputs;
  for (int i = 0; i < 2000; ++i) {
    outputs = Typed("TensorListPushBack", DataType::kVariant).In(ListOf(DataType::kVariant, PartialShape(), {})).In(list).Run();
    if (!outputs.ok()) break;
    list = (*outputs)[0];
  }
  CHECK(outputs.status().code() == absl::StatusCode::kResourceExhausted);
}

TEST_CASE("VariantZerosLike and VariantAdd") {
  const Variant a = ListOf(DataType::kFloat, PartialShape(), {Floats({1}, {1}), Tensor()}).scalar<Variant>();
  const Variant b = ListOf(DataType::kFloat, PartialShape(), {Floats({1}, {2}), Floats({1}, {3})}).scalar<Variant>();
  const Tensor sum = Tensor::Scalar<Variant>(VariantAdd(a, b).value());
  CHECK(Difference(AsList(sum).tensors[0], Floats({1}, {3})) == "");
  CHECK(Difference(AsList(sum).tensors[1], Floats({1}, {3})) == "");
  const Tensor zeros = Tensor::Scalar<Variant>(VariantZerosLike(b).value());
  CHECK(Difference(AsList(zeros).tensors[1], Floats({1}, {0})) == "");
  CHECK(VariantAdd(a, nullptr).status().code() == absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace savedmodel
