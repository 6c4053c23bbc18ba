// HighwayHash-64, the keyed hash of Riegeli files.
#ifndef SAVEDMODEL_CORE_HIGHWAY_HASH_H_
#define SAVEDMODEL_CORE_HIGHWAY_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace savedmodel {

// The hash of bytes that come in pieces. All pieces but the last must be multiples of 32 bytes.
class HighwayHash64 {
 public:
  explicit HighwayHash64(const std::array<uint64_t, 4>& key);
  void Add(const void* data, size_t n);
  uint64_t Finish();  // once

 private:
  void Update(const std::array<uint64_t, 4>& lanes);
  void AddPacket(const uint8_t* packet);
  void AddRemainder(const uint8_t* bytes, size_t n);

  std::array<uint64_t, 4> v0_, v1_, mul0_, mul1_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_CORE_HIGHWAY_HASH_H_
