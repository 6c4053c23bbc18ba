#include "cli/literal.h"

#include <catch2/catch.hpp>

namespace savedmodel::cli {
namespace {

std::string Read(const std::string& text) {
  const absl::StatusOr<Value> value = ParseLiteral(text);
  return value.ok() ? ValueRepr(*value) : "refused";
}

TEST_CASE("literals: numbers") {
  CHECK(Read("1_000") == "1000");
  CHECK(Read("0x1F") == "31");
  CHECK(Read("0b101") == "5");
  CHECK(Read("0o17") == "15");
  CHECK(Read("00") == "0");
  CHECK(Read("-9223372036854775808") == "-9223372036854775808");
  CHECK(Read("123456789012345678901234567890") == "123456789012345678901234567890");
  CHECK(Read("0x10000000000000000") == "18446744073709551616");
  CHECK(Read(".5") == "0.5");
  CHECK(Read("1e999") == "inf");
  CHECK(Read("1.5-2j") == "(1.5-2j)");
  for (const char* bad : {"01", "1__0", "1_", "0x", "1 2", "--3", "-True", "1+2", "2j+1j", "1e", "1.2.3", "٣"}) CHECK(Read(bad) == "refused");
}

TEST_CASE("literals: texts") {
  CHECK(Read("\"a\" 'b'") == "'ab'");
  CHECK(Read(R"("\x41\101\u00e9\n")") == "'AAé\\n'");
  CHECK(Read(R"(b"\xff\0")") == "b'\\xff\\x00'");
  CHECK(Read(R"(r"\n")") == "'\\\\n'");
  CHECK(Read("\"\"\"a\"b\"\"\"") == "'a\"b'");
  CHECK(Read(R"("\N{BULLET}")") == "'•'");
  for (const char* bad : {"\"a", "\"a\" b\"b\"", "f\"a\"", R"("\x0")", "b\"é\"", R"("\ud800")", "\"a\nb\""}) CHECK(Read(bad) == "refused");
}

TEST_CASE("literals: containers") {
  CHECK(Read("[1, (2,), {3}, {'a': None}, (4)]") == "[1, (2,), {3}, {'a': None}, 4]");
  CHECK(Read("1, 2") == "(1, 2)");
  CHECK(Read("{'a': 1, 'a': 2}") == "{'a': 2}");
  CHECK(Read("[\n 1, # one\n 2]\n") == "[1, 2]");
  CHECK(Read("set()") == "set()");
  for (const char* bad : {"", "[1", "[,]", "[1,,2]", "1]", "{[1]}", "{1: 2, 3}", "{1, 2: 3}", "foo", "float", "[1]*2", "(1 if 1 else 2)", "1\n2"}) {
    CHECK(Read(bad) == "refused");
  }
  CHECK(Read(std::string(150, '[') + std::string(150, ']')) != "refused");
  CHECK(Read(std::string(100000, '[')) == "refused");
}

}  // namespace
}  // namespace savedmodel::cli
