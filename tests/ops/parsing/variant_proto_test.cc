#include "ops/parsing/variant_proto.h"

#include "lists/list_case.h"

namespace savedmodel {
namespace {

using D = DataType;

TEST_CASE("SerializeTensor and ParseTensor take composite tensors") {
  const std::vector<D> types = {D::kInt32, D::kInt64, D::kString};
  OpCase pack("CompositeTensorVariantFromComponents");
  pack.String("metadata", "m").Attr("Tcomponents", types).In(Int32s({2}, {-1, 300})).In(Int64s({0}, {})).In(Strings({1}, {"s"}));
  const Tensor value = Outputs(pack)[0];
  const Tensor text = Outputs(OpCase("SerializeTensor").Type("T", D::kVariant).In(value))[0];
  // dtype, no dimensions, content: the length of one VariantTensorDataProto, its name ...
  CHECK(text.scalar<std::string>().substr(0, 4) == std::string("\x08\x15\x12\x00", 4));
  CHECK(text.scalar<std::string>().find("\n\x16" "CompositeTensorVariant\x12\x01m\x1a") != std::string::npos);
  const Tensor back = Outputs(OpCase("ParseTensor").Type("out_type", D::kVariant).In(text))[0];
  OpCase("CompositeTensorVariantToComponents").String("metadata", "m").Attr("Tcomponents", types).In(back)
      .Gives({Int32s({2}, {-1, 300}), Int64s({0}, {}), Strings({1}, {"s"})});
}

TEST_CASE("Variants of other kinds have no serialized form") {
  OpCase("SerializeTensor").Type("T", D::kVariant).In(ListOf(D::kFloat, PartialShape(), {})).Refuses(absl::StatusCode::kUnimplemented, "TensorList");
  const auto parse = [](const std::string& text) { return OpCase("ParseTensor").Type("out_type", D::kVariant).In(Tensor::Scalar(text)); };
  parse("").Refuses(absl::StatusCode::kInvalidArgument);
  parse("\x22\x05\x04\n\x02no").Refuses(absl::StatusCode::kInvalidArgument, "\"no\"");
  parse("\x22\x7f\x04").Refuses(absl::StatusCode::kInvalidArgument);
  parse("\x12\x04\x12\x02\x08\x02").Refuses(absl::StatusCode::kInvalidArgument, "scalar");
}

}  // namespace
}  // namespace savedmodel
