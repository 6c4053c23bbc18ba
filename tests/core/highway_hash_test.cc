#include "core/highway_hash.h"

#include <catch2/catch.hpp>
#include <string>

namespace savedmodel {
namespace {

uint64_t Hash(const std::array<uint64_t, 4>& key, const std::string& bytes) {
  HighwayHash64 hash(key);
  hash.Add(bytes.data(), bytes.size());
  return hash.Finish();
}

// The first 64 bytes of every Riegeli file hold three hashes.
TEST_CASE("highway hash: those of the signature of Riegeli files") {
  const std::array<uint64_t, 4> key = {0x2f696c6567656952, 0x0a7364726f636572, 0x2f696c6567656952, 0x0a7364726f636572};
  CHECK(Hash(key, "") == 0x72c3b1e9c0139fe1);
  std::string block(16, '\0');
  block[8] = 0x40;
  CHECK(Hash(key, block) == 0x3f4a880dd170af83);
  const unsigned char chunk[32] = {0, 0, 0, 0, 0, 0, 0, 0, 0xe1, 0x9f, 0x13, 0xc0, 0xe9, 0xb1, 0xc3, 0x72, 's'};
  CHECK(Hash(key, std::string(reinterpret_cast<const char*>(chunk), 32)) == 0xa9e187923cc2ba91);
}

// Published with the algorithm: bytes 0, 1, 2 ... under the key 0x0706050403020100, 0x0F0E..., for lengths 0, 1, 2 and 3.
TEST_CASE("highway hash: the published values") {
  const std::array<uint64_t, 4> key = {0x0706050403020100, 0x0F0E0D0C0B0A0908, 0x1716151413121110, 0x1F1E1D1C1B1A1918};
  CHECK(Hash(key, "") == 0x907A56DE22C26E53);
  CHECK(Hash(key, std::string(1, '\0')) == 0x7EAB43AAC7CDDD78);
  CHECK(Hash(key, std::string("\0\1", 2)) == 0xB8D0569AB0B53D62);
  CHECK(Hash(key, std::string("\0\1\2", 3)) == 0x5C6BEFAB8A463D80);
}

TEST_CASE("highway hash: pieces of 32 bytes make no difference") {
  const std::array<uint64_t, 4> key = {1, 2, 3, 4};
  std::string bytes;
  for (int i = 0; i < 119; ++i) bytes.push_back(static_cast<char>(i * 7));
  HighwayHash64 hash(key);
  hash.Add(bytes.data(), 64);
  hash.Add(bytes.data() + 64, bytes.size() - 64);
  CHECK(hash.Finish() == Hash(key, bytes));
}

}  // namespace
}  // namespace savedmodel
