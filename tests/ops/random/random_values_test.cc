#include <catch2/catch.hpp>
#include <cmath>

#include "op_case.h"

namespace savedmodel {
namespace {

TEST_CASE("RandomUniform, RandomStandardNormal and TruncatedNormal draw TensorFlow's numbers") {
  OpCase("RandomUniform").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kFloat).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Floats({5}, {0.5363449f, 0.47323656f, 0.46388888f, 0.517418f, 0.7000724f})});
  OpCase("RandomUniform").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kDouble).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Doubles({5}, {0.29075960530571, 0.7111111386072226, 0.6005799690799996, 0.8417687975578143, 0.9203967507709336})});
  OpCase("RandomUniform").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kHalf).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<Half>({5}, {0.7373046875f, 0.75390625f, 0.177734375f, 0.6884765625f, 0.9931640625f})});
  OpCase("RandomUniform").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kBFloat16).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<BFloat16>({5}, {0.8984375f, 0.03125f, 0.421875f, 0.5078125f, 0.9453125f})});
  OpCase("RandomStandardNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kFloat).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Floats({5}, {0.1868204f, -1.1004789f, -0.13537489f, -1.2320284f, -0.8370753f})});
  OpCase("RandomStandardNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kDouble).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Doubles({5}, {-1.525099055405142, -0.38024962176211136, -0.8465459513598556, 0.5505260241302896, 0.3121609218993671})});
  OpCase("RandomStandardNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kHalf).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<Half>({5}, {0.186767578125f, -1.1005859375f, -0.1353759765625f, -1.232421875f, -0.8369140625f})});
  OpCase("RandomStandardNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kBFloat16).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<BFloat16>({5}, {0.1865234375f, -1.1015625f, -0.1357421875f, -1.234375f, -0.8359375f})});
  OpCase("TruncatedNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kFloat).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Floats({5}, {0.1868204f, -1.1004789f, -0.13537489f, -1.2320284f, 0.2879778f})});
  OpCase("TruncatedNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kDouble).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Doubles({5}, {-1.525099055405142, -0.38024962176211136, 0.4185934116676903, 1.1712391327721452, -0.2009448520045647})});
  OpCase("TruncatedNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kHalf).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<Half>({5}, {0.186767578125f, -1.1005859375f, -0.1353759765625f, -1.232421875f, 0.2880859375f})});
  OpCase("TruncatedNormal").Int("seed", 7).Int("seed2", 9).Type("dtype", DataType::kBFloat16).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .Gives({Values<BFloat16>({5}, {0.1865234375f, -1.1015625f, -0.1357421875f, -1.234375f, 0.287109375f})});
}

TEST_CASE("RandomUniformInt draws TensorFlow's numbers") {
  OpCase("RandomUniformInt").Int("seed", 7).Int("seed2", 9).Type("Tout", DataType::kInt32).Type("T", DataType::kInt32)
      .In(Int32s({1}, {5}))
      .In(Tensor::Scalar<int32_t>(-3))
      .In(Tensor::Scalar<int32_t>(100))
      .Gives({Int32s({5}, {68, 0, 47, 41, 59})});
  OpCase("RandomUniformInt").Int("seed", 7).Int("seed2", 9).Type("Tout", DataType::kInt64).Type("T", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Tensor::Scalar<int64_t>(-3))
      .In(Tensor::Scalar<int64_t>(1099511627776))
      .Gives({Int64s({3}, {19614855479, 832217225733, 1059667837970})});
}

TEST_CASE("Stateless values are TensorFlow's") {
  OpCase("StatelessRandomUniform").Type("dtype", DataType::kFloat).Type("T", DataType::kInt32).Type("Tseed", DataType::kInt64)
      .In(Int32s({1}, {5}))
      .In(Int64s({2}, {1, -2}))
      .Gives({Floats({5}, {0.7476804f, 0.75662565f, 0.84331036f, 0.24518633f, 0.7087741f})});
  OpCase("StatelessRandomNormalV2").Type("dtype", DataType::kFloat).Type("Tshape", DataType::kInt32)
      .In(Int32s({2}, {2, 2}))
      .In(Values<uint64_t>({1}, {5u}))
      .In(Values<uint64_t>({2}, {9223372036854775808u, 3u}))
      .In(Tensor::Scalar<int32_t>(1))
      .Gives({Floats({2, 2}, {-0.3682361f, -0.087558195f, -0.34446165f, -0.7576114f})});
  OpCase("StatelessTruncatedNormalV2").Type("dtype", DataType::kDouble).Type("Tshape", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Values<uint64_t>({1}, {5u}))
      .In(Values<uint64_t>({2}, {18446744073709551615u, 3u}))
      .In(Tensor::Scalar<int32_t>(3))
      .Gives({Doubles({3}, {-1.335326659326645, 0.6919898225720027, -1.1655669000024291})});
  OpCase("StatelessRandomUniformIntV2").Type("dtype", DataType::kInt64).Type("Tshape", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Values<uint64_t>({1}, {5u}))
      .In(Values<uint64_t>({2}, {1u, 3u}))
      .In(Tensor::Scalar<int32_t>(1))
      .In(Tensor::Scalar<int64_t>(0))
      .In(Tensor::Scalar<int64_t>(10))
      .Gives({Int64s({3}, {0, 7, 2})});
  OpCase("StatelessRandomUniformFullInt").Type("dtype", DataType::kUInt64).Type("T", DataType::kInt32).Type("Tseed", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Int32s({2}, {1, 2}))
      .Gives({Values<uint64_t>({3}, {7464880146280614444u, 1591045637757961278u, 17389275318164050067u})});
  OpCase("StatelessRandomUniformFullInt").Type("dtype", DataType::kUInt64).Type("T", DataType::kInt32).Type("Tseed", DataType::kUInt64)
      .In(Int32s({1}, {3}))
      .In(Values<uint64_t>({2}, {1, 2}))
      .Refuses(absl::StatusCode::kInvalidArgument, "Invalid seed type");
  OpCase("StatelessRandomUniformFullIntV2").Type("dtype", DataType::kInt32).Type("Tshape", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Values<uint64_t>({1}, {5u}))
      .In(Values<uint64_t>({0}, {}))
      .In(Tensor::Scalar<int32_t>(1))
      .Refuses(absl::StatusCode::kInvalidArgument, "length at least 1");
  OpCase("StatelessRandomUniformFullIntV2").Type("dtype", DataType::kInt32).Type("Tshape", DataType::kInt32)
      .In(Int32s({1}, {3}))
      .In(Values<uint64_t>({1}, {5u}))
      .In(Values<uint64_t>({2}, {1u, 3u}))
      .In(Tensor::Scalar<int32_t>(1))
      .Gives({Int32s({3}, {1402720254, -1547162605, 133057285})});
  OpCase("StatelessRandomGetKeyCounter").Type("Tseed", DataType::kInt64)
      .In(Int64s({2}, {1, 2}))
      .Gives({Values<uint64_t>({1}, {10413732777507651514u}),
             Values<uint64_t>({2}, {0u, 17830669156045600267u})});
}

}  // namespace
}  // namespace savedmodel
