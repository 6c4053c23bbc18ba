#include "cli/expression.h"

#include <catch2/catch.hpp>

#include "cli/to_tensor.h"

namespace savedmodel::cli {
namespace {

std::string Read(const std::string& text) {
  const absl::StatusOr<Value> value = EvaluateExpression(text);
  if (!value.ok()) return "refused";
  return value->kind == Value::Kind::kArray ? value->array->tensor.DebugString() : ValueRepr(*value);
}

TEST_CASE("expressions: Python's arithmetic") {
  CHECK(Read("1 + 2 * 3") == "7");
  CHECK(Read("7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 / 2") == "(3, -4, 1, 2, 3.5)");
  CHECK(Read("2 ** 3 ** 2") == "512");
  CHECK(Read("-2 ** 2") == "-4");
  CHECK(Read("2 ** -1") == "0.5");
  CHECK(Read("[1] * 3 + [2]") == "[1, 1, 1, 2]");
  CHECK(Read("'a' * 2 + 'b'") == "'aab'");
  CHECK(Read("float('nan')") == "nan");
  for (const char* bad : {"1 / 0", "1 // 0", "10 ** 100", "9223372036854775807 + 1", "'a' + 1", "[1] - [1]", "1 +", "+'a'", "1j % 2"}) CHECK(Read(bad) == "refused");
}

TEST_CASE("expressions: arrays") {
  CHECK(Read("np.ones((2, 1))") == "float64[2,1] 1 1");
  CHECK(Read("np.zeros(3, dtype=np.int32)") == "int32[3] 0 0 0");
  CHECK(Read("np.full((2,), 7)") == "int64[2] 7 7");
  CHECK(Read("np.arange(1, 7, 2)") == "int64[3] 1 3 5");
  CHECK(Read("np.arange(6).reshape(2, -1)") == "int64[2,3] 0 1 2 3 4 5");
  CHECK(Read("np.linspace(0, 1, 5)") == "float64[5] 0 0.25 0.5 0.75 1");
  CHECK(Read("np.eye(2)") == "float64[2,2] 1 0 0 1");
  CHECK(Read("np.array([1, 2.5]).astype(np.float32)") == "float32[2] 1 2.5");
  CHECK(Read("np.array([1, 2]).tolist()") == "[1, 2]");
  CHECK(Read("numpy.expand_dims([1, 2], -1)") == "int64[2,1] 1 2");
}

TEST_CASE("expressions: dtypes of results are numpy's") {
  CHECK(Read("np.ones(1, np.float32) * 2") == "float32[1] 2");
  CHECK(Read("np.ones(1, np.int8) + np.ones(1, np.uint8)") == "int16[1] 2");
  CHECK(Read("np.ones(1, np.int32) / 2") == "float64[1] 0.5");
  CHECK(Read("np.ones(1, np.int16) + np.ones(1, np.float16)") == "float32[1] 2");
  CHECK(Read("np.ones(1, np.int32) + 1.5") == "float64[1] 2.5");
  CHECK(Read("np.arange(3) + np.ones((2, 1), np.int64)") == "int64[2,3] 1 2 3 1 2 3");
}

TEST_CASE("expressions: random numbers are in range and the same for the same seed") {
  const absl::StatusOr<Value> a = EvaluateExpression("np.random.rand(100)", 5), b = EvaluateExpression("np.random.rand(100)", 5),
                              c = EvaluateExpression("np.random.rand(100)", 6);
  REQUIRE((a.ok() && b.ok() && c.ok()));
  bool same = true, other = false;
  for (int i = 0; i < 100; ++i) {
    const double x = a->array->tensor.data<double>()[i];
    CHECK((x >= 0 && x < 1));
    same = same && x == b->array->tensor.data<double>()[i];
    other = other || x != c->array->tensor.data<double>()[i];
  }
  CHECK(same);
  CHECK(other);
  const absl::StatusOr<Value> dice = EvaluateExpression("np.random.randint(1, 7, size=(50,))");
  REQUIRE(dice.ok());
  for (int64_t x : dice->array->tensor.flat<int64_t>()) CHECK((x >= 1 && x <= 6));
  CHECK(Read("np.random.randint(3, 3)") == "refused");
}

TEST_CASE("expressions: what is too large or unknown is refused before it is built") {
  for (const char* bad : {"np.zeros((1000000, 1000000))", "np.ones((99999999999, 0, 99999999999, 99999999999))", "np.arange(0, 1, 1e-9)", "np.arange(0, 1, 0)",
                          "np.linspace(0, 1, 1e12)", "['a'] * 100000000", "np.ones((10000, 1)) + np.ones((1, 10000))", "np.foo(1)", "__import__('os')",
                          "np.ones(2).__class__", "open('x')", "np", "np.", "np.float32", "[np.float32]", "np.ones(-1)", "np.ones(1).reshape(2)", "np.ones((2))("}) {
    CHECK(Read(bad) == "refused");
  }
  CHECK(Read(std::string(100000, '-') + "1") == "refused");
  CHECK(Read(std::string(100000, '(') + "1") == "refused");
}

}  // namespace
}  // namespace savedmodel::cli
