// Checksums computed before somebody wants them, while the processor has time.
#ifndef SAVEDMODEL_LOADER_CHECKED_AHEAD_H_
#define SAVEDMODEL_LOADER_CHECKED_AHEAD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace savedmodel {

// Stretches of files in memory, whose CRC-32C is computed once, by whoever comes first. Any number of threads may ask.
class CheckedAhead {
 public:
  struct Stretch {
    int shard = 0;  // the file
    uint64_t offset = 0, size = 0;
    const char* bytes = nullptr;  // must outlive this object
  };

  // Of stretches that overlap only the first is kept: real files have none.
  explicit CheckedAhead(std::vector<Stretch> stretches);

  // Computes all that nobody has asked for yet, the largest first, until `stop`.
  void Run(const std::atomic<bool>& stop);
  // Of a stretch, or of other bytes at that place.
  uint32_t Crc(int shard, uint64_t offset, uint64_t size, const char* bytes);

 private:
  enum State { kNew, kTaken, kDone };
  struct Entry {
    Stretch stretch;
    std::atomic<int> state{kNew};
    uint32_t crc = 0;  // valid when kDone
  };
  bool Take(Entry& entry);
  void Compute(Entry& entry);

  size_t count_;
  std::unique_ptr<Entry[]> entries_;  // ascending, apart
  std::vector<Entry*> by_size_;       // descending
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_LOADER_CHECKED_AHEAD_H_
