// Bytes of messages: written by hand, and damaged.
#ifndef SAVEDMODEL_TESTS_LOADER_MESSAGE_BYTES_H_
#define SAVEDMODEL_TESTS_LOADER_MESSAGE_BYTES_H_

#include <random>
#include <string>

#include "loader/varint.h"

namespace savedmodel {

// The value of `field` of a message, with its tag and length before it.
inline std::string Field(int field, const std::string& value) {
  std::string bytes(1, static_cast<char>(field << 3 | 2));
  AppendVarint64(value.size(), &bytes);
  return bytes.append(value);
}

// Calls `visit` with `good` cut at every length, with every bit flipped, and with bytes put in and taken out at random.
template <typename Visit>
void ForEachDamage(const std::string& good, const Visit& visit) {
  for (size_t at = 0; at < good.size(); ++at) {
    visit(good.substr(0, at));
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      visit(bad);
    }
  }
  std::minstd_rand random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    const size_t at = random() % bad.size(), n = random() % 4;
    for (size_t j = 0; j < n; ++j) bad.insert(at, 1, static_cast<char>(random() % 2 == 0 ? 0x80 | random() % 128 : random() % 128));
    if (random() % 2 == 0) bad.erase(random() % bad.size(), random() % 5);
    visit(bad);
  }
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_LOADER_MESSAGE_BYTES_H_
