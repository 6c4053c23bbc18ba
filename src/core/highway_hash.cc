// After "Fast keyed hash/pseudo-random function using SIMD multiply and permute" (Alakuijala, Cox, Wassenberg, 2016).
#include "core/highway_hash.h"

#include <cstring>
#include <utility>

namespace savedmodel {
namespace {

constexpr std::array<uint64_t, 4> kInit0 = {0xdbe6d5d5fe4cce2f, 0xa4093822299f31d0, 0x13198a2e03707344, 0x243f6a8885a308d3};
constexpr std::array<uint64_t, 4> kInit1 = {0x3bd39e10cb0ef593, 0xc0acf169b5f18a8c, 0xbe5466cf34e90c6c, 0x452821e638d01377};

uint64_t SwapHalves(uint64_t x) { return (x >> 32) | (x << 32); }

uint64_t Byte(uint64_t x, int i) { return (x >> (8 * i)) & 0xff; }

// The bytes of two neighbouring lanes, shuffled so that well mixed ones meet badly mixed ones.
void ZipperMergeAndAdd(uint64_t high, uint64_t low, uint64_t* add_high, uint64_t* add_low) {
  *add_low += Byte(low, 3) | Byte(high, 4) << 8 | Byte(low, 2) << 16 | Byte(low, 5) << 24 | Byte(high, 6) << 32 | Byte(low, 1) << 40 |
              Byte(high, 7) << 48 | Byte(low, 0) << 56;
  *add_high += Byte(high, 3) | Byte(low, 4) << 8 | Byte(high, 2) << 16 | Byte(high, 5) << 24 | Byte(high, 1) << 32 | Byte(low, 6) << 40 |
               Byte(high, 0) << 48 | Byte(low, 7) << 56;
}

uint32_t RotateLeft(uint32_t x, unsigned count) { return count == 0 ? x : (x << count) | (x >> (32 - count)); }

}  // namespace

HighwayHash64::HighwayHash64(const std::array<uint64_t, 4>& key) : mul0_(kInit0), mul1_(kInit1) {
  for (size_t i = 0; i < 4; ++i) {
    v0_[i] = kInit0[i] ^ key[i];
    v1_[i] = kInit1[i] ^ SwapHalves(key[i]);
  }
}

void HighwayHash64::Update(const std::array<uint64_t, 4>& lanes) {
  for (size_t i = 0; i < 4; ++i) {
    v1_[i] += mul0_[i] + lanes[i];
    mul0_[i] ^= (v1_[i] & 0xffffffff) * (v0_[i] >> 32);
    v0_[i] += mul1_[i];
    mul1_[i] ^= (v0_[i] & 0xffffffff) * (v1_[i] >> 32);
  }
  ZipperMergeAndAdd(v1_[1], v1_[0], &v0_[1], &v0_[0]);
  ZipperMergeAndAdd(v1_[3], v1_[2], &v0_[3], &v0_[2]);
  ZipperMergeAndAdd(v0_[1], v0_[0], &v1_[1], &v1_[0]);
  ZipperMergeAndAdd(v0_[3], v0_[2], &v1_[3], &v1_[2]);
}

void HighwayHash64::AddPacket(const uint8_t* packet) {
  std::array<uint64_t, 4> lanes;
  for (size_t i = 0; i < 4; ++i) {
    lanes[i] = 0;
    for (size_t k = 0; k < 8; ++k) lanes[i] |= static_cast<uint64_t>(packet[8 * i + k]) << (8 * k);
  }
  Update(lanes);
}

void HighwayHash64::AddRemainder(const uint8_t* bytes, size_t n) {
  const size_t last = n & 3;
  const uint8_t* rest = bytes + (n & ~size_t{3});
  for (uint64_t& v : v0_) v += (static_cast<uint64_t>(n) << 32) + n;
  for (uint64_t& v : v1_) {
    const unsigned count = static_cast<unsigned>(n);
    v = static_cast<uint64_t>(RotateLeft(static_cast<uint32_t>(v >> 32), count)) << 32 | RotateLeft(static_cast<uint32_t>(v), count);
  }
  uint8_t packet[32] = {};
  std::memcpy(packet, bytes, n & ~size_t{3});
  if (n & 16) {
    std::memcpy(packet + 28, bytes + n - 4, 4);
  } else if (last != 0) {
    packet[16] = rest[0];
    packet[17] = rest[last >> 1];
    packet[18] = rest[last - 1];
  }
  AddPacket(packet);
}

void HighwayHash64::Add(const void* data, size_t n) {
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  for (; n >= 32; n -= 32, bytes += 32) AddPacket(bytes);
  if (n > 0) AddRemainder(bytes, n);
}

uint64_t HighwayHash64::Finish() {
  for (int round = 0; round < 4; ++round) {
    const std::array<uint64_t, 4> permuted = {SwapHalves(v0_[2]), SwapHalves(v0_[3]), SwapHalves(v0_[0]), SwapHalves(v0_[1])};
    Update(permuted);
  }
  return v0_[0] + v1_[0] + mul0_[0] + mul1_[0];
}

}  // namespace savedmodel
