#include <catch2/catch.hpp>
#include <cstring>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

// Values as a quantized dtype, which shares the storage of its integer.
template <typename T>
Tensor Codes(DataType type, const TensorShape& shape, const std::vector<T>& values) {
  Tensor t = Tensor::Allocate(type, shape).value();
  for (size_t i = 0; i < values.size(); ++i) t.data<T>()[i] = values[i];
  return t;
}
Tensor Bytes(const TensorShape& shape, const std::vector<uint8_t>& values) { return Codes(DataType::kQUInt8, shape, values); }
Tensor Words(const TensorShape& shape, const std::vector<int32_t>& values) { return Codes(DataType::kQInt32, shape, values); }
Tensor One(float value) { return Tensor::Scalar(value); }

// Equal, quantized dtypes included.
void CheckCodes(const Tensor& actual, const Tensor& expected) {
  REQUIRE(actual.dtype() == expected.dtype());
  REQUIRE(actual.shape() == expected.shape());
  CHECK(std::memcmp(actual.raw(), expected.raw(), actual.bytes()) == 0);
}

TEST_CASE("FakeQuant rounds to codes with 0 among them") {
  OpCase("FakeQuantWithMinMaxArgs")
      .Float("min", 0)
      .Float("max", 255)
      .In(Floats({4}, {-3, 1.4f, 1.6f, 300}))
      .Gives({Floats({4}, {0, 1, 2, 255})});
  OpCase("FakeQuantWithMinMaxVars").In(Floats({2}, {5, -5})).In(One(0)).In(One(0)).Gives({Floats({2}, {0, 0})});
  OpCase("FakeQuantWithMinMaxArgs")
      .Float("min", 1)
      .Float("max", 1)
      .In(Floats({1}, {0}))
      .Refuses(absl::StatusCode::kInvalidArgument, "smaller");
  OpCase("FakeQuantWithMinMaxArgs")
      .Int("num_bits", 17)
      .In(Floats({1}, {0}))
      .Refuses(absl::StatusCode::kInvalidArgument, "num_bits");
  OpCase("FakeQuantWithMinMaxVarsPerChannel")
      .In(Floats({1, 2}, {0, 0}))
      .In(Floats({3}, {0, 0, 0}))
      .In(Floats({3}, {1, 1, 1}))
      .Refuses(absl::StatusCode::kInvalidArgument, "incorrect size");
}

TEST_CASE("QuantizeAndDequantize keeps what codes can express") {
  OpCase("QuantizeAndDequantizeV2")
      .Type("T", DataType::kFloat)
      .Int("num_bits", 3)
      .Bool("range_given", true)
      .In(Floats({3}, {-4, 0.6f, 3}))
      .In(One(-4))
      .In(One(3))
      .Gives({Floats({3}, {-4, 1, 3})});
  OpCase("QuantizeAndDequantizeV3")
      .Type("T", DataType::kFloat)
      .In(Floats({1}, {1}))
      .In(One(0))
      .In(One(1))
      .In(Tensor::Scalar<int32_t>(0))
      .Refuses(absl::StatusCode::kInvalidArgument, "num_bits");
  OpCase("QuantizeAndDequantizeV3")
      .Type("T", DataType::kFloat)
      .Int("axis", 0)
      .Bool("range_given", true)
      .In(Floats({2}, {1, 2}))
      .In(Floats({0}, {}))
      .In(Floats({0}, {}))
      .In(Tensor::Scalar<int32_t>(8))
      .Refuses(absl::StatusCode::kInvalidArgument, "incorrect size");
  OpCase("QuantizeAndDequantizeV3")
      .Type("T", DataType::kFloat)
      .Int("axis", -1)
      .In(One(1))
      .In(One(0))
      .In(One(1))
      .In(Tensor::Scalar<int32_t>(8))
      .Refuses(absl::StatusCode::kInvalidArgument, "Axis requested");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  auto unbounded = [](const Tensor& x) { return OpCase("QuantizeAndDequantizeV2").Type("T", DataType::kFloat).Int("num_bits", 8).Int("axis", -1).Bool("signed_input", true).In(x).In(One(0)).In(One(0)); };
  unbounded(Floats({3}, {1, nan, 2})).Gives({Floats({3}, {1.007874f, nan, 2})});
  unbounded(Floats({2}, {1, nan})).Gives({Floats({2}, {nan, nan})});
  // Ranges that are not used may have any size.
  OpCase("QuantizeAndDequantizeV2")
      .Type("T", DataType::kFloat)
      .Int("num_bits", 2)
      .Int("axis", 0)
      .Bool("signed_input", true)
      .In(Floats({2, 1}, {2, -4}))
      .In(Floats({1}, {0}))
      .In(Floats({1}, {0}))
      .Gives({Floats({2, 1}, {2, -4})});
}

TEST_CASE("QuantizeV2 and Dequantize are inverse up to one code") {
  absl::StatusOr<std::vector<Tensor>> codes =
      OpCase("QuantizeV2").Type("T", DataType::kQUInt8).In(Floats({3}, {0, 127, 255})).In(One(0)).In(One(255)).Run();
  REQUIRE(codes.ok());
  CheckCodes((*codes)[0], Bytes({3}, {0, 127, 255}));
  OpCase("Dequantize")
      .Type("T", DataType::kQUInt8)
      .In(Bytes({3}, {0, 127, 255}))
      .In(One(0))
      .In(One(255))
      .Gives({Floats({3}, {0, 127, 255})});
  OpCase("QuantizeV2")
      .Type("T", DataType::kQUInt8)
      .In(Floats({1}, {0}))
      .In(One(1))
      .In(One(0))
      .Refuses(absl::StatusCode::kInvalidArgument, "larger");
  OpCase("Dequantize")
      .Type("T", DataType::kQUInt8)
      .Int("axis", 3)
      .In(Bytes({1}, {0}))
      .In(Floats({1}, {0}))
      .In(Floats({1}, {1}))
      .Refuses(absl::StatusCode::kInvalidArgument, "Axis");
}

TEST_CASE("Products of codes subtract the codes of zero") {
  absl::StatusOr<std::vector<Tensor>> out = OpCase("QuantizedMatMul")
                                                .Type("T1", DataType::kQUInt8)
                                                .Type("T2", DataType::kQUInt8)
                                                .In(Bytes({1, 2}, {1, 2}))
                                                .In(Bytes({2, 1}, {3, 4}))
                                                .In(One(0))
                                                .In(One(255))
                                                .In(One(0))
                                                .In(One(255))
                                                .Run();
  REQUIRE(out.ok());
  CheckCodes((*out)[0], Words({1, 1}, {11}));
  OpCase("QuantizedMatMul")
      .Type("T1", DataType::kQUInt8)
      .Type("T2", DataType::kQUInt8)
      .In(Bytes({1, 2}, {1, 2}))
      .In(Bytes({2, 1}, {3, 4}))
      .In(One(1))
      .In(One(1))
      .In(One(0))
      .In(One(255))
      .Refuses(absl::StatusCode::kInvalidArgument, "max_a");
}

TEST_CASE("Ranges must be scalars") {
  OpCase("QuantizedRelu")
      .Type("Tinput", DataType::kQUInt8)
      .In(Bytes({1}, {1}))
      .In(Floats({1}, {0}))
      .In(One(1))
      .Refuses(absl::StatusCode::kInvalidArgument);
  OpCase("Requantize")
      .Type("Tinput", DataType::kQInt32)
      .Type("out_type", DataType::kQUInt8)
      .In(Words({1}, {1}))
      .In(One(0))
      .In(One(1))
      .In(One(1))
      .In(One(2))
      .Refuses(absl::StatusCode::kInvalidArgument, "<= 0");
  OpCase("RequantizePerChannel")
      .In(Words({1, 1, 1, 2}, {1, 1}))
      .In(Floats({0}, {}))
      .In(Floats({0}, {}))
      .In(One(0))
      .In(One(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "incorrect size");
  OpCase("RequantizePerChannel")
      .Type("out_type", DataType::kQInt8)
      .In(Words({1, 1, 1, 1}, {1}))
      .In(Floats({1}, {-1}))
      .In(Floats({1}, {1}))
      .In(One(0))
      .In(One(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "requested_output_min");
  OpCase("QuantizedInstanceNorm")
      .Type("T", DataType::kQUInt8)
      .In(Bytes({1, 1, 1, 0}, {}))
      .In(One(0))
      .In(One(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "empty");
  OpCase("QuantizedInstanceNorm")
      .Type("T", DataType::kQUInt8)
      .In(Bytes({1, 1, 1, 1, 1}, {1}))
      .In(One(0))
      .In(One(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "4-dimensional");
}

class UniformQuantize : public OpCase {
 public:
  UniformQuantize() : OpCase("UniformQuantize") {
    Type("Tin", DataType::kFloat)
        .Type("Tout", DataType::kQInt8)
        .Int("quantization_min_val", -128)
        .Int("quantization_max_val", 127);
  }
};

TEST_CASE("Uniform quantization has a scale and a zero point") {
  absl::StatusOr<std::vector<Tensor>> codes =
      UniformQuantize().In(Floats({3}, {-1, 0.5f, 1000})).In(One(0.5f)).In(Tensor::Scalar<int32_t>(1)).Run();
  REQUIRE(codes.ok());
  CheckCodes((*codes)[0], Codes<int8_t>(DataType::kQInt8, {3}, {-1, 2, 127}));
  UniformQuantize()
      .In(Floats({1}, {1}))
      .In(One(0))
      .In(Tensor::Scalar<int32_t>(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "positive");
  UniformQuantize()
      .In(Floats({1}, {1}))
      .In(Floats({2}, {1, 1}))
      .In(Tensor::Scalar<int32_t>(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "shape must be same");
}

}  // namespace
}  // namespace savedmodel
