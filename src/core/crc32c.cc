#include "core/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace savedmodel {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78u;  // bits reversed

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// kTables[k][b]: the crc of byte b followed by k zero bytes.
constexpr Tables MakeTables() {
  Tables tables = {};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

uint32_t ExtendByTables(uint32_t crc, const void* data, size_t n) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  crc = ~crc;
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; n > 0; --n, ++p) crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)
constexpr size_t kStream = 16384;  // bytes

// What kStream zero bytes make of a state: kZeros[k][b] for byte k of it being b and the others 0. Linear, so parts add up.
using Zeros = std::array<std::array<uint32_t, 256>, 4>;
constexpr Zeros MakeZeros() {
  std::array<uint32_t, 32> bits = {};  // of each bit of the state
  for (size_t i = 0; i < 32; ++i) {
    uint32_t state = uint32_t{1} << i;
    for (size_t n = 0; n < kStream; ++n) state = (state >> 8) ^ kTables[0][state & 0xff];
    bits[i] = state;
  }
  Zeros zeros = {};
  for (size_t k = 0; k < 4; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      for (size_t bit = 0; bit < 8; ++bit) {
        if (b >> bit & 1) zeros[k][b] ^= bits[8 * k + bit];
      }
    }
  }
  return zeros;
}

constexpr Zeros kZeros = MakeZeros();

uint32_t AfterZeros(uint32_t s) { return kZeros[0][s & 0xff] ^ kZeros[1][s >> 8 & 0xff] ^ kZeros[2][s >> 16 & 0xff] ^ kZeros[3][s >> 24]; }

// The instruction takes three cycles but starts in each, so three neighbouring streams go at once.
__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(uint32_t crc, const void* data, size_t n) {
  const uint8_t* p = static_cast<const uint8_t*>(data);
  uint64_t state = static_cast<uint32_t>(~crc);
  for (; n >= 3 * kStream; n -= 3 * kStream, p += 3 * kStream) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      uint64_t words[3];
      for (size_t s = 0; s < 3; ++s) std::memcpy(&words[s], p + s * kStream + i, 8);
      state = _mm_crc32_u64(state, words[0]);
      second = _mm_crc32_u64(second, words[1]);
      third = _mm_crc32_u64(third, words[2]);
    }
    state = AfterZeros(AfterZeros(static_cast<uint32_t>(state)) ^ static_cast<uint32_t>(second)) ^ static_cast<uint32_t>(third);
  }
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    state = _mm_crc32_u64(state, word);
  }
  for (; n > 0; --n, ++p) state = _mm_crc32_u8(static_cast<uint32_t>(state), *p);
  return ~static_cast<uint32_t>(state);
}
#endif

using Extend = uint32_t (*)(uint32_t, const void*, size_t);

Extend Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ExtendByInstruction;
#endif
  return ExtendByTables;
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, const void* data, size_t n) {
  static const Extend extend = Choose();
  return extend(crc, data, n);
}

uint32_t ExtendCrc32cPortably(uint32_t crc, const void* data, size_t n) { return ExtendByTables(crc, data, n); }

}  // namespace savedmodel
