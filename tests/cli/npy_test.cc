#include "cli/npy.h"

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace savedmodel::cli {
namespace {

std::string File(const std::string& header, const std::string& data, int version = 1) {
  std::string out = std::string("\x93NUMPY") + static_cast<char>(version) + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> (8 * i));
  return out + header + data;
}

std::string Read(const std::string& bytes) {
  const absl::StatusOr<Value> value = ReadNpy(bytes);
  if (!value.ok()) return std::string(value.status().message());
  return value->kind == Value::Kind::kArray && !value->array->objects ? value->array->tensor.DebugString() : "objects";
}

std::string Header(const std::string& code, const std::string& shape, bool fortran = false) {
  return absl::StrCat("{'descr': '", code, "', 'fortran_order': ", fortran ? "True" : "False", ", 'shape': ", shape, ", }\n");
}

TEST_CASE("npy: versions, byte orders, Fortran order") {
  for (int version : {1, 2, 3}) CHECK(Read(File(Header("<i2", "(2,)"), std::string("\1\0\2\0", 4), version)) == "int16[2] 1 2");
  CHECK(Read(File(Header(">i2", "(2,)"), std::string("\0\1\0\2", 4))) == "int16[2] 1 2");
  CHECK(Read(File(Header("|u1", "(2, 3)", true), "\1\2\3\4\5\6")) == "uint8[2,3] 1 3 5 2 4 6");
  CHECK(Read(File(Header("|u1", "()"), "\7")) == "uint8[] 7");
  CHECK(Read(File(Header("|u1", "(2L,)"), "\1\2")) == "uint8[2] 1 2");
  CHECK(Read(File(Header("|b1", "(2,)"), std::string("\0\5", 2))) == "bool[2] 0 1");
}

TEST_CASE("npy: texts lose the zeros at their end") {
  const absl::StatusOr<Value> bytes = ReadNpy(File(Header("|S3", "(2,)"), std::string("ab\0c\0\0", 6)));
  REQUIRE(bytes.ok());
  CHECK(bytes->array->tensor.data<std::string>()[0] == "ab");
  CHECK(bytes->array->tensor.data<std::string>()[1] == "c");
  const absl::StatusOr<Value> letters = ReadNpy(File(Header("<U2", "(1,)"), std::string("\xe9\0\0\0\0\0\0\0", 8)));
  REQUIRE(letters.ok());
  CHECK(letters->array->tensor.data<std::string>()[0] == "é");
}

TEST_CASE("npy: what is written is read back") {
  const Tensor numbers = Tensor::Of<float>({2, 2}, {1, -2, 0.5f, 1e10f});
  CHECK(Read(*WriteNpy(numbers)) == numbers.DebugString());
  CHECK(Read(*WriteNpy(Tensor::Scalar<double>(3))) == "float64[] 3");
  CHECK(WriteNpy(numbers)->size() == 128 + 16);
  CHECK(Read(*WriteNpy(Tensor::Vector<std::string>({"a", "b"}))) == "objects");
  CHECK(absl::StrContains(*WriteNpy(Tensor::Scalar<std::string>("abc")), "'|S3'"));
}

TEST_CASE("npy: damaged and unknown files are refused") {
  CHECK_FALSE(ReadNpy("").ok());
  CHECK_FALSE(ReadNpy(File(Header("<f4", "(2,)"), "1234567")).ok());
  CHECK_FALSE(ReadNpy(File(Header("<f4", "(99999999999, 99999999999)"), "")).ok());
  CHECK_FALSE(ReadNpy(File(Header("<f4", "(-1,)"), "")).ok());
  CHECK_FALSE(ReadNpy(File(Header("|S0", "(99999999999,)"), "")).ok());
  CHECK_FALSE(ReadNpy(File(Header("|V3", "(1,)"), "123")).ok());
  CHECK_FALSE(ReadNpy(File("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")).ok());
  CHECK_FALSE(ReadNpy(File("__import__('os')", "")).ok());
  CHECK_FALSE(ReadNpy(File(Header("<f4", "(1,)"), "1234", 4)).ok());
  CHECK_FALSE(ReadNpy(File(Header("|O", "(1,)"), "cos\nsystem\n(S'true'\ntR.")).ok());
}

}  // namespace
}  // namespace savedmodel::cli
