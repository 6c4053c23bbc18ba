// Philox-4x32-10, the counter-based generator behind every random op: key and counter give four words, without history.
#ifndef SAVEDMODEL_OPS_RANDOM_PHILOX_H_
#define SAVEDMODEL_OPS_RANDOM_PHILOX_H_

#include <array>
#include <cstdint>
#include <cstring>

namespace savedmodel {

class Philox {
 public:
  using Words = std::array<uint32_t, 4>;
  using Key = std::array<uint32_t, 2>;

  Philox() = default;
  Philox(const Words& counter, const Key& key) : counter_(counter), key_(key) {}
  // As the ops with seed attributes: `seed` is the key, `seed2` the upper half of the counter.
  Philox(uint64_t seed, uint64_t seed2)
      : counter_{0, 0, static_cast<uint32_t>(seed2), static_cast<uint32_t>(seed2 >> 32)},
        key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {}

  const Words& counter() const { return counter_; }
  const Key& key() const { return key_; }

  // Adds to the counter: passes over `groups` of four words.
  // As the reference adds: a carry out of the lower half of `groups` into an upper half of all ones is lost.
  void Skip(uint64_t groups) {
    const uint32_t low = static_cast<uint32_t>(groups);
    uint32_t high = static_cast<uint32_t>(groups >> 32);
    counter_[0] += low;
    if (counter_[0] < low) ++high;
    counter_[1] += high;
    if (counter_[1] < high) Split(Join(counter_[2], counter_[3]) + 1, &counter_[2]);
  }

  // The next four words.
  Words operator()() {
    Words words = counter_;
    Key key = key_;
    for (int round = 0; round < 10; ++round) {
      const uint64_t a = uint64_t{0xD2511F53} * words[0], b = uint64_t{0xCD9E8D57} * words[2];
      words = {static_cast<uint32_t>(b >> 32) ^ words[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ words[3] ^ key[1], static_cast<uint32_t>(a)};
      key[0] += 0x9E3779B9;
      key[1] += 0xBB67AE85;
    }
    Skip(1);
    return words;
  }

  static uint64_t Join(uint32_t low, uint32_t high) { return low | static_cast<uint64_t>(high) << 32; }
  static void Split(uint64_t value, uint32_t* low_high) {
    low_high[0] = static_cast<uint32_t>(value);
    low_high[1] = static_cast<uint32_t>(value >> 32);
  }

 private:
  Words counter_{};
  Key key_{};
};

// Word by word, the numbers that the samplers with a varying need of words draw.
class PhiloxWords {
 public:
  explicit PhiloxWords(const Philox& philox) : philox_(philox) {}

  uint32_t Next() {
    if (used_ == 4) {
      words_ = philox_();
      used_ = 0;
    }
    return words_[used_++];
  }
  uint64_t Next64() {
    const uint32_t low = Next(), high = Next();
    return Philox::Join(low, high);
  }
  float NextFloat() { return ToFloat(Next()); }
  double NextDouble() {
    const uint32_t first = Next(), second = Next();
    return ToDouble(first, second);
  }
  // Uniform in [0, n), by rejection of what would favour small numbers; n >= 1.
  uint32_t Below(uint32_t n) { return Exact<uint32_t>(n, [this] { return Next(); }); }
  uint64_t Below64(uint64_t n) { return Exact<uint64_t>(n, [this] { return Next64(); }); }

  // In [0, 1): the low bits of the words fill the mantissa.
  static float ToFloat(uint32_t word) {
    const uint32_t bits = 0x3F800000u | (word & 0x7FFFFFu);
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value - 1.f;
  }
  static double ToDouble(uint32_t first, uint32_t second) {
    const uint64_t bits = uint64_t{1023} << 52 | static_cast<uint64_t>(first & 0xFFFFFu) << 32 | second;
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    return value - 1.;
  }

 private:
  template <typename U, typename F>
  static U Exact(U n, const F& next) {
    if ((n & (n - 1)) == 0) return next() & (n - 1);
    const U rest = (~U(0) % n) + 1;
    U value;
    do {
      value = next();
    } while (value < rest);
    return value % n;
  }

  Philox philox_;
  Philox::Words words_{};
  int used_ = 4;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_RANDOM_PHILOX_H_
