#include "cli/to_tensor.h"

#include <catch2/catch.hpp>

#include "cli/json_value.h"
#include "cli/literal.h"

namespace savedmodel::cli {
namespace {

std::string Make(const std::string& literal, DataType type) {
  const absl::StatusOr<Value> value = ParseLiteral(literal);
  REQUIRE(value.ok());
  const absl::StatusOr<Tensor> tensor = ToTensor(*value, type);
  return tensor.ok() ? tensor->DebugString() : std::string(tensor.status().message());
}

TEST_CASE("feeds: numbers become the input's dtype as numpy's astype does") {
  CHECK(Make("[1.9, -1.9]", DataType::kInt64) == "int64[2] 1 -1");
  CHECK(Make("[256, -1]", DataType::kUInt8) == "uint8[2] 0 255");
  CHECK(Make("[9223372036854775808]", DataType::kInt64) == "int64[1] -9223372036854775808");
  CHECK(Make("['7', 2]", DataType::kInt64) == "int64[2] 7 2");
  CHECK(Make("[[], []]", DataType::kFloat) == "float32[2,0]");
  CHECK(Make("[True, 2, 0.0]", DataType::kBool) == "bool[3] 1 1 0");
  CHECK(Make("1+2j", DataType::kFloat) == "float32[] 1");
}

TEST_CASE("feeds: numbers too large for an integer give what the processor gives numpy") {
  CHECK(Make("[1e10, -1e10]", DataType::kInt32) == "int32[2] -2147483648 -2147483648");
  CHECK(Make("[1e10, 300.7]", DataType::kUInt8) == "uint8[2] 0 44");
  CHECK(Make("[1e10]", DataType::kUInt32) == "uint32[1] 1410065408");
  CHECK(Make("[1e300, 1e19, -1.0]", DataType::kUInt64) == "uint64[3] 0 10000000000000000000 18446744073709551615");
  CHECK(Make("[1e999]", DataType::kInt64) == "int64[1] -9223372036854775808");
}

TEST_CASE("feeds: bfloat16 takes numbers alone") {
  CHECK(Make("[True, 2, 0.5]", DataType::kBFloat16) == "bfloat16[3] 1 2 0.5");
  CHECK(Make("'7'", DataType::kBFloat16) == "TypeError: expected number, got str");
  CHECK(Make("[1, None]", DataType::kBFloat16) == "TypeError: expected number, got NoneType");
  CHECK(Make("1+2j", DataType::kBFloat16) == "TypeError: expected number, got complex");
}

TEST_CASE("feeds: a single Python int must survive") {
  CHECK(Make("256", DataType::kUInt8) ==
        "TypeError: Type of feed value 256 with type <class 'int'> is not compatible with Tensor type <class 'numpy.uint8'>. Try explicitly setting the "
        "type of the feed tensor to a larger type (e.g. int64).");
  CHECK(Make("255", DataType::kUInt8) == "uint8[] 255");
  CHECK(Make("123456789012345678901", DataType::kInt64) == "OverflowError: Python int too large to convert to C long");
}

TEST_CASE("feeds: ragged lists, texts and objects") {
  CHECK(Make("[[1, 2], [3]]", DataType::kFloat) ==
        "ValueError: setting an array element with a sequence. The requested array has an inhomogeneous shape after 1 dimensions. The detected shape was "
        "(2,) + inhomogeneous part.");
  CHECK(Make("['abc']", DataType::kFloat) == "ValueError: could not convert string to float: np.str_('abc')");
  CHECK(Make("{}", DataType::kFloat) == "TypeError: float() argument must be a string or a real number, not 'dict'");
  CHECK(Make("[1]", DataType::kString) == "Unsupported object type int");
  CHECK(Make("[['a'], ['b', 'c']]", DataType::kString) == "Unsupported object type list");
}

TEST_CASE("JSON: input files and what --json prints") {
  CHECK(ValueRepr(*ParseJson(R"({"a": [1, 2.5, null, true, "\u00e9\ud83d\ude00"]})")) == "{'a': [1, 2.5, None, True, 'é😀']}");
  CHECK(ValueRepr(*JsonInput(R"({"instances": {"x": [1]}})", "f", "x")) == "[1]");
  CHECK_FALSE(JsonInput(R"({"y": 1})", "f", "x").ok());
  for (const char* bad : {"", "[1", "[1,]", "{1: 2}", "\"a", R"("\ud800")", "tru", "1 2"}) CHECK_FALSE(ParseJson(bad).ok());
  CHECK_FALSE(ParseJson(std::string(100000, '[')).ok());
  CHECK(JsonString("a\"\n\xff") == "\"a\\\"\\n\xef\xbf\xbd\"");
  CHECK(JsonTensor(Tensor::Of<float>({2, 1}, {0.1f, 2})) == "[[0.1], [2]]");
}

}  // namespace
}  // namespace savedmodel::cli
