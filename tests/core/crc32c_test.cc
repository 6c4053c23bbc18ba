#include "core/crc32c.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace savedmodel {
namespace {

uint32_t BitByBit(const std::vector<uint8_t>& data) {
  uint32_t crc = ~0u;
  for (uint8_t byte : data) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
  }
  return ~crc;
}

TEST_CASE("crc32c: published values") {
  CHECK(Crc32c("", 0) == 0);
  CHECK(Crc32c("123456789", 9) == 0xe3069283u);
  CHECK(Crc32c(std::string(32, '\0').data(), 32) == 0x8a9136aau);
  CHECK(Crc32c(std::string(32, '\xff').data(), 32) == 0x62a8ab43u);
}

TEST_CASE("crc32c: every way gives the same, in one piece and in two") {
  std::vector<uint8_t> data;
  for (int i = 0; i < 70; ++i) {
    CHECK(Crc32c(data.data(), data.size()) == BitByBit(data));
    CHECK(ExtendCrc32cPortably(0, data.data(), data.size()) == BitByBit(data));
    const size_t half = data.size() / 2;
    CHECK(ExtendCrc32c(Crc32c(data.data(), half), data.data() + half, data.size() - half) == BitByBit(data));
    data.push_back(static_cast<uint8_t>(i * 37 + 11));
  }
  for (size_t size : {49151, 49152, 49153, 120000}) {  // around what is done as three streams
    data.resize(size);
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(i * 131 + i / 255);
    CHECK(Crc32c(data.data(), size) == BitByBit(data));
  }
}

TEST_CASE("crc32c: masking is reversible and changes the value") {
  for (uint32_t crc : {0u, 1u, 0xe3069283u, 0xffffffffu}) {
    CHECK(UnmaskCrc32c(MaskCrc32c(crc)) == crc);
    CHECK(MaskCrc32c(crc) != crc);
  }
}

}  // namespace
}  // namespace savedmodel
