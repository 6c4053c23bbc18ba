#include "lists/list_case.h"

namespace savedmodel {
namespace {

TEST_CASE("TensorMap keeps values by key") {
  const Tensor empty = Outputs(OpCase("EmptyTensorMap"))[0];
  auto typed = [](const char* name) {
    OpCase op(name);
    op.Type("key_dtype", DataType::kString);
    return op;
  };
  const Tensor key = Tensor::Scalar("k"), other = Tensor::Scalar("l");
  const Tensor one = Outputs(typed("TensorMapInsert").Type("value_dtype", DataType::kFloat).In(empty).In(key).In(Floats({1}, {2})))[0];
  OpCase("TensorMapSize").In(one).Gives({Int32s({}, {1})});
  OpCase("TensorMapSize").In(empty).Gives({Int32s({}, {0})});
  typed("TensorMapHasKey").In(one).In(key).Gives({Bools({}, {1})});
  typed("TensorMapHasKey").In(one).In(other).Gives({Bools({}, {0})});
  typed("TensorMapLookup").Type("value_dtype", DataType::kFloat).In(one).In(key).Gives({Floats({1}, {2})});
  typed("TensorMapLookup").Type("value_dtype", DataType::kFloat).In(one).In(other).Refuses(absl::StatusCode::kInvalidArgument, "non-existent key");
  typed("TensorMapLookup").Type("value_dtype", DataType::kInt32).In(one).In(key).Refuses(absl::StatusCode::kInvalidArgument, "value_dtype");
  typed("TensorMapStackKeys").In(one).Gives({Strings({1}, {"k"})});
  typed("TensorMapStackKeys").In(empty).Refuses(absl::StatusCode::kInvalidArgument, "empty map");
  const Tensor none = Outputs(typed("TensorMapErase").Type("value_dtype", DataType::kFloat).In(one).In(key))[0];
  OpCase("TensorMapSize").In(none).Gives({Int32s({}, {0})});
  typed("TensorMapErase").Type("value_dtype", DataType::kFloat).In(none).In(key).Refuses(absl::StatusCode::kInvalidArgument, "erase non-existent");
  OpCase("TensorMapSize").In(Tensor::Scalar<Variant>(nullptr)).Refuses(absl::StatusCode::kInvalidArgument, "not a map");
}

TEST_CASE("Maps and optionals add up; other variants do not") {
  const auto map = [](const char* key, float value) {
    OpCase op("TensorMapInsert");
    op.Type("key_dtype", DataType::kString).Type("value_dtype", DataType::kFloat).In(Outputs(OpCase("EmptyTensorMap"))[0]);
    return Outputs(op.In(Tensor::Scalar(key)).In(Tensor::Scalar(value)))[0];
  };
  const auto add = [](const Tensor& a, const Tensor& b) {
    OpCase op("AddN");
    op.Type("T", DataType::kVariant).Int("N", 2).In(a).In(b);
    return op;
  };
  OpCase lookup("TensorMapLookup");
  lookup.Type("key_dtype", DataType::kString).Type("value_dtype", DataType::kFloat).In(Outputs(add(map("a", 1), map("a", 2)))[0]);
  lookup.In(Tensor::Scalar("a")).Gives({Tensor::Scalar(3.0f)});
  OpCase("TensorMapSize").In(Outputs(add(map("a", 1), map("b", 2)))[0]).Gives({Int32s({}, {2})});
  OpCase("TensorMapSize").In(Outputs(OpCase("ZerosLike").Type("T", DataType::kVariant).In(map("a", 1)))[0]).Gives({Int32s({}, {0})});

  const std::vector<DataType> types = {DataType::kFloat};
  const Tensor some = Outputs(OpCase("OptionalFromValue").Attr("Toutput_types", types).In(Floats({2}, {1, 2})))[0];
  const Tensor none = Outputs(OpCase("OptionalNone"))[0];
  const auto get = [&](const Tensor& optional) {
    OpCase op("OptionalGetValue");
    op.Attr("output_types", types).Attr("output_shapes", std::vector<PartialShape>{PartialShape()}).In(optional);
    return op;
  };
  get(Outputs(add(some, some))[0]).Gives({Floats({2}, {2, 4})});
  get(Outputs(OpCase("ZerosLike").Type("T", DataType::kVariant).In(some))[0]).Gives({Floats({2}, {0, 0})});
  OpCase("OptionalHasValue").In(Outputs(add(none, none))[0]).Gives({Bools({}, {0})});
  add(some, none).Refuses(absl::StatusCode::kInvalidArgument, "one has a value");
  add(some, map("a", 1)).Refuses(absl::StatusCode::kInternal, "different type ids");
}

}  // namespace
}  // namespace savedmodel
