#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "op_case.h"

namespace savedmodel {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

OpCase Cast(DataType from, DataType to) { return OpCase("Cast").Type("SrcT", from).Type("DstT", to); }

TEST_CASE("Cast of floats that do not fit an integer answers as x86 does") {
  const Tensor x = Floats({6}, {kNan, kInf, -1e20f, 300.7f, -1.5f, 3e9f});
  Cast(DataType::kFloat, DataType::kInt8).In(x).Gives({Values<int8_t>({6}, {0, 0, 0, 44, -1, 0})});
  Cast(DataType::kFloat, DataType::kUInt8).In(x).Gives({Values<uint8_t>({6}, {0, 0, 0, 44, 255, 0})});
  Cast(DataType::kFloat, DataType::kInt32).In(x).Gives({Int32s({6}, {INT32_MIN, INT32_MIN, INT32_MIN, 300, -1, INT32_MIN})});
  Cast(DataType::kFloat, DataType::kInt64).In(x).Gives({Int64s({6}, {INT64_MIN, INT64_MIN, INT64_MIN, 300, -1, 3000000000})});
  Cast(DataType::kFloat, DataType::kUInt32).In(x).Gives({Values<uint32_t>({6}, {0, 0, 0, 300, 4294967295u, 3000000000u})});
  Cast(DataType::kFloat, DataType::kUInt64).In(Floats({3}, {kNan, 1e19f, -1}))
      .Gives({Values<uint64_t>({3}, {1ull << 63, 9999999980506447872ull, UINT64_MAX})});
}

TEST_CASE("Cast of whole vectors saturates to small integers") {
  std::vector<double> in(17, -1.5);
  in[3] = 1e10;
  std::vector<uint8_t> out(17, 0);
  out[16] = 255;  // the one that is left over wraps
  // The processor's answer; a GPU has its own for numbers that do not fit.
  CHECK(Difference(Cast(DataType::kDouble, DataType::kUInt8).In(Doubles({17}, in)).Run().value()[0], Values<uint8_t>({17}, out)) == "");
}

TEST_CASE("Cast between other kinds") {
  Cast(DataType::kInt32, DataType::kInt8).In(Int32s({2}, {300, -129})).Gives({Values<int8_t>({2}, {44, 127})});
  Cast(DataType::kBool, DataType::kFloat).In(Bools({2}, {1, 0})).Gives({Floats({2}, {1, 0})});
  Cast(DataType::kFloat, DataType::kBool).In(Floats({3}, {0, -0.5f, kNan})).Gives({Bools({3}, {0, 1, 1})});
  using C = std::complex<float>;
  Cast(DataType::kComplex64, DataType::kInt32).In(Values<C>({1}, {C(3.7f, -1)})).Gives({Int32s({1}, {3})});
  Cast(DataType::kInt32, DataType::kComplex64).In(Int32s({1}, {3})).Gives({Values<C>({1}, {C(3, 0)})});
  Cast(DataType::kDouble, DataType::kHalf).In(Doubles({2}, {1.5, 1e6})).Gives({Values<Half>({2}, {Half(1.5f), Half(kInf)})});
  Cast(DataType::kString, DataType::kString).In(Strings({1}, {"a"})).Gives({Strings({1}, {"a"})});
  Cast(DataType::kFloat, DataType::kString).In(Floats({1}, {1})).Refuses(absl::StatusCode::kUnimplemented, "is not supported");
  Cast(DataType::kFloat, DataType::kInt4).In(Floats({1}, {1})).Refuses(absl::StatusCode::kUnimplemented);
}

TEST_CASE("Cast with Truncate cuts the mantissa") {
  Cast(DataType::kFloat, DataType::kBFloat16).Bool("Truncate", true).In(Floats({3}, {1.2345678f, -3.999f, kNan}))
      .Within(0, 0).Gives({Values<BFloat16>({3}, {BFloat16(1.234375f), BFloat16(-3.984375f), BFloat16(kNan)})});
  Cast(DataType::kFloat, DataType::kHalf).Bool("Truncate", true).In(Floats({2}, {65519, 300.7f}))
      .Within(0, 0).Gives({Values<Half>({2}, {Half(65504), Half(300.5f)})});
  // As if a complex number had no mantissa at all: its bits go, and the exponent's last one.
  using C = std::complex<float>;
  Cast(DataType::kDouble, DataType::kComplex64).Bool("Truncate", true).In(Doubles({3}, {98667.73, -1744078.7, 1.5}))
      .Within(0, 0).Gives({Values<C>({3}, {C(32768), C(-524288), C(0.5f)})});
  Cast(DataType::kFloat, DataType::kComplex64).Bool("Truncate", true).In(Floats({1}, {1.2345678f})).Within(0, 0).Gives({Values<C>({1}, {C(1.2345678f)})});
}

Tensor Through(DataType type, const Tensor& in) {
  const Tensor small = OpCase("Cast").Type("SrcT", in.dtype()).Type("DstT", type).In(in).Run().value()[0];
  return OpCase("Cast").Type("SrcT", type).Type("DstT", in.dtype()).In(small).Run().value()[0];
}

TEST_CASE("Cast through 8 bit floats and 4 bit integers") {
  const Tensor x = Floats({14}, {0, 1, -1.1f, 3.3f, 1e5f, 464, 465, 1e-3f, kNan, kInf, 57344, 61440, 0.0029296875f, 249});
  CHECK(Difference(Through(DataType::kFloat8E5M2, x),
                   Floats({14}, {0, 1, -1, 3.5f, kInf, 448, 448, 0.0009765625f, kNan, kInf, 57344, kInf, 0.0029296875f, 256}), 0, 0) == "");
  CHECK(Difference(Through(DataType::kFloat8E4M3FN, x),
                   Floats({14}, {0, 1, -1.125f, 3.25f, kNan, 448, kNan, 0.001953125f, kNan, kNan, kNan, kNan, 0.00390625f, 256}), 0, 0) == "");
  const Tensor y = Int32s({8}, {1, 7, 8, 15, 16, -8, -9, 127});
  CHECK(Difference(Through(DataType::kInt4, y), Int32s({8}, {1, 7, -8, -1, 0, -8, 7, -1})) == "");
  CHECK(Difference(Through(DataType::kUInt4, y), Int32s({8}, {1, 7, 8, 15, 0, 8, 7, 15})) == "");
}

TEST_CASE("ToBool") {
  OpCase("ToBool").Type("T", DataType::kFloat).In(Floats({}, {kNan})).Gives({Bools({}, {1})});
  OpCase("ToBool").Type("T", DataType::kString).In(Strings({}, {""})).Gives({Bools({}, {0})});
  OpCase("ToBool").Type("T", DataType::kFloat).In(Floats({0, 3}, {})).Gives({Bools({}, {0})});
  using C = std::complex<float>;
  OpCase("ToBool").Type("T", DataType::kComplex64).In(Values<C>({}, {C(0, 1)})).Refuses(absl::StatusCode::kInvalidArgument);
  OpCase("ToBool").Type("T", DataType::kUInt16).In(Values<uint16_t>({}, {1})).Refuses(absl::StatusCode::kInvalidArgument, "uint16");
  OpCase("ToBool").Type("T", DataType::kHalf).In(Values<Half>({}, {Half(1)})).Refuses(absl::StatusCode::kInvalidArgument, "float16");
}

}  // namespace
}  // namespace savedmodel
