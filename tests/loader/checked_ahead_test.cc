#include "loader/checked_ahead.h"

#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "core/crc32c.h"

namespace savedmodel {
namespace {

std::string Bytes() {
  std::string bytes(100000, 'a');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i / 7);
  return bytes;
}

std::vector<CheckedAhead::Stretch> Stretches(const std::string& bytes, size_t size) {
  std::vector<CheckedAhead::Stretch> stretches;
  for (size_t at = 0; at + size <= bytes.size(); at += size) stretches.push_back({at % 2 == 0 ? 1 : 0, at, size, bytes.data() + at});
  return stretches;
}

}  // namespace

TEST_CASE("checked ahead: the same checksums whether asked before, while or after they are computed") {
  const std::string bytes = Bytes();
  const std::vector<CheckedAhead::Stretch> stretches = Stretches(bytes, 777);
  for (int round = 0; round < 20; ++round) {
    CheckedAhead ahead(stretches);
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    const auto ask = [&] {
      for (const auto& s : stretches) wrong += ahead.Crc(s.shard, s.offset, s.size, s.bytes) == Crc32c(s.bytes, s.size) ? 0 : 1;
    };
    std::thread runner([&] { ahead.Run(stop); }), asker(ask);
    ask();
    stop = round % 2 == 0;
    runner.join();
    asker.join();
    ask();
    CHECK(wrong == 0);
  }
}

TEST_CASE("checked ahead: places that it does not know, given twice, or that overlap") {
  const std::string bytes = Bytes();
  std::vector<CheckedAhead::Stretch> stretches = Stretches(bytes, 5000);
  stretches.insert(stretches.end(), stretches.begin(), stretches.end());
  stretches.push_back({1, 4000, 5000, bytes.data() + 4000});
  stretches.push_back({1, 0, 9000, bytes.data()});
  CheckedAhead ahead(stretches);
  const std::atomic<bool> stop{true}, go{false};
  ahead.Run(stop);  // nothing
  ahead.Run(go);
  CHECK(ahead.Crc(1, 0, 5000, bytes.data()) == Crc32c(bytes.data(), 5000));
  CHECK(ahead.Crc(1, 0, 4999, bytes.data()) == Crc32c(bytes.data(), 4999));
  CHECK(ahead.Crc(1, 0, 9000, bytes.data()) == Crc32c(bytes.data(), 9000));
  CHECK(ahead.Crc(1, 4000, 5000, bytes.data() + 4000) == Crc32c(bytes.data() + 4000, 5000));
  CHECK(ahead.Crc(7, 0, 5000, bytes.data()) == Crc32c(bytes.data(), 5000));
  const std::string others(5000, 'x');
  CHECK(ahead.Crc(1, 0, 5000, others.data()) == Crc32c(others.data(), 5000));
  CheckedAhead none({});
  none.Run(go);
  CHECK(none.Crc(0, 0, 9, bytes.data()) == Crc32c(bytes.data(), 9));
}

}  // namespace savedmodel
