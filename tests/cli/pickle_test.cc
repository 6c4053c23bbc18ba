#include "cli/pickle.h"

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "cli/value.h"

namespace savedmodel::cli {
namespace {

// Written by Python 3.11 and numpy 2.
const char kLists0[] = "286c70300a286c70310a49310a6161286c70320a46322e350a61612e";
const char kLists2[] = "80025d7100285d71014b01615d710247400400000000000061652e";
const char kBig2[] = "80025d7100288a090000000000000000408a090000000000000000c04affffffff652e";
const char kFloats2[] =
    "8002636e756d70792e5f636f72652e6d756c746961727261790a5f7265636f6e7374727563740a7100636e756d70790a6e646172726179"
    "0a71014b00857102635f636f646563730a656e636f64650a7103580100000062710458060000006c6174696e3171058671065271078771"
    "08527109284b014b0285710a636e756d70790a64747970650a710b58020000006634710c898887710d52710e284b0358010000003c710f"
    "4e4e4e4affffffff4affffffff4b007471106289680358090000000000c2803f0000004071116805867112527113747114622e";
const char kFloats5[] =
    "8005957c000000000000008c136e756d70792e5f636f72652e6e756d65726963948c0b5f66726f6d627566666572949394289608000000"
    "000000000000803f00000040948c056e756d7079948c0564747970659493948c02663494898887945294284b038c013c944e4e4e4affff"
    "ffff4affffffff4b007494624b0285948c014394749452942e";
const char kObjects4[] =
    "80049590000000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e7374727563749493948c05"
    "6e756d7079948c076e6461727261799493944b0085944301629487945294284b014b02859468038c0564747970659493948c024f389489"
    "8887945294284b038c017c944e4e4e4affffffff4affffffff4b3f749462895d94288c0161946807657494622e";
const char kSystem2[] = "800263706f7369780a73797374656d0a710058040000007472756571018571025271032e";  // calls posix.system("true")

std::string Read(const std::string& bytes) {
  const absl::StatusOr<Value> value = ReadPickle(bytes);
  return value.ok() ? ValueRepr(*value) : std::string(value.status().message());
}
std::string ReadHex(const char* hex) { return Read(absl::HexStringToBytes(hex)); }

TEST_CASE("pickles: plain values of all protocols") {
  CHECK(ReadHex(kLists0) == "[[1], [2.5]]");
  CHECK(ReadHex(kLists2) == "[[1], [2.5]]");
  CHECK(ReadHex(kBig2) == "[1180591620717411303424, -1180591620717411303424, -1]");
  CHECK(Read("(dp0\nVa\np1\nI01\ns.") == "{'a': True}");
  CHECK(Read("L-5L\n.") == "-5");
  CHECK(Read("S'it'\n.") == "'it'");
  CHECK(Read("V\\u00e9\n.") == "'é'");
}

TEST_CASE("pickles: numpy's arrays") {
  CHECK(ReadHex(kFloats2) == "array([1. 2.])");
  CHECK(ReadHex(kFloats5) == "array([1. 2.])");
  const absl::StatusOr<Value> objects = ReadPickle(absl::HexStringToBytes(kObjects4));
  REQUIRE(objects.ok());
  REQUIRE(objects->array->objects);
  CHECK(ValueRepr(objects->array->items[1]) == "b'b'");
}

TEST_CASE("pickles: strings that are written can be read") {
  std::vector<std::string> texts = {"a", "", "b", "a", std::string(300, 'x'), std::string(70000, 'y')};
  for (int i = 0; i < 1500; ++i) texts.push_back(std::to_string(i));
  const absl::StatusOr<Value> value = ReadPickle(WriteObjectArray(Tensor::Vector<std::string>(texts)));
  REQUIRE(value.ok());
  REQUIRE(value->array->items.size() == texts.size());
  for (size_t i = 0; i < texts.size(); ++i) REQUIRE(value->array->items[i].text == texts[i]);
}

TEST_CASE("pickles: nothing is called, the refusal names it") {
  CHECK(absl::StrContains(ReadHex(kSystem2), "posix.system"));
  CHECK(absl::StrContains(Read("cos\nsystem\n(S'true'\ntR."), "os.system"));
  CHECK(absl::StrContains(Read("cbuiltins\neval\n."), "builtins.eval"));
  CHECK(absl::StrContains(Read("(S'true'\nios\nsystem\n."), "class"));
}

TEST_CASE("pickles: damaged ones are refused") {
  const std::string whole = absl::HexStringToBytes(kFloats2);
  for (size_t n = 0; n + 1 < whole.size(); ++n) CHECK_FALSE(ReadPickle(whole.substr(0, n)).ok());
  for (const char* bad : {"a.", "0.", "t.", "h\x05.", "N", "]q", "\x85.", "(e.", "R.", "b.", "}Na.", "]]s."}) CHECK_FALSE(ReadPickle(bad).ok());
  CHECK_FALSE(ReadPickle(std::string("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", 10)).ok());
  CHECK_FALSE(ReadPickle(std::string("\x80\x09N.", 4)).ok());
  CHECK_FALSE(ReadPickle("]2a.").ok());  // a list that holds itself
}

TEST_CASE("pickles: shared lists do not grow without limit") {
  std::string doubling = "]";
  for (int i = 0; i < 60; ++i) doubling += "q" + std::string(1, static_cast<char>(i)) + "0](h" + std::string(1, static_cast<char>(i)) + "h" + std::string(1, static_cast<char>(i)) + "e";
  CHECK(absl::StrContains(Read(doubling + "."), "too many"));
}

}  // namespace
}  // namespace savedmodel::cli
