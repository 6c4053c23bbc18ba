#include "loader/checked_ahead.h"

#include <algorithm>
#include <tuple>

#include "core/crc32c.h"
#include "core/spin.h"

namespace savedmodel {
namespace {

constexpr int kPauses = 100;  // before a thread that waits lets others run

std::tuple<int, uint64_t, uint64_t> Place(const CheckedAhead::Stretch& s) { return {s.shard, s.offset, s.size}; }

}  // namespace

CheckedAhead::CheckedAhead(std::vector<Stretch> stretches) {
  std::sort(stretches.begin(), stretches.end(), [](const Stretch& a, const Stretch& b) { return Place(a) < Place(b); });
  // std::unique compares with the last that stays, so no byte is looked at twice, whatever the entries say.
  stretches.erase(std::unique(stretches.begin(), stretches.end(),
                              [](const Stretch& a, const Stretch& b) { return a.shard == b.shard && b.offset - a.offset < std::max<uint64_t>(a.size, 1); }),
                  stretches.end());
  count_ = stretches.size();
  entries_ = std::make_unique<Entry[]>(count_);
  by_size_.reserve(count_);
  for (size_t i = 0; i < count_; ++i) {
    entries_[i].stretch = stretches[i];
    by_size_.push_back(&entries_[i]);
  }
  std::stable_sort(by_size_.begin(), by_size_.end(), [](const Entry* a, const Entry* b) { return a->stretch.size > b->stretch.size; });
}

bool CheckedAhead::Take(Entry& entry) {
  int state = kNew;
  return entry.state.compare_exchange_strong(state, kTaken, std::memory_order_relaxed);
}

void CheckedAhead::Compute(Entry& entry) {
  entry.crc = Crc32c(entry.stretch.bytes, static_cast<size_t>(entry.stretch.size));
  entry.state.store(kDone, std::memory_order_release);
}

void CheckedAhead::Run(const std::atomic<bool>& stop) {
  for (Entry* entry : by_size_) {
    if (stop.load(std::memory_order_relaxed)) return;
    if (Take(*entry)) Compute(*entry);
  }
}

uint32_t CheckedAhead::Crc(int shard, uint64_t offset, uint64_t size, const char* bytes) {
  const auto wanted = std::make_tuple(shard, offset, size);
  Entry* end = entries_.get() + count_;
  Entry* entry = std::lower_bound(entries_.get(), end, wanted, [](const Entry& e, const auto& place) { return Place(e.stretch) < place; });
  if (entry == end || Place(entry->stretch) != wanted || entry->stretch.bytes != bytes) return Crc32c(bytes, static_cast<size_t>(size));
  if (Take(*entry)) {
    Compute(*entry);
  } else {
    SpinUntil(kPauses, [&] { return entry->state.load(std::memory_order_acquire) == kDone; });
  }
  return entry->crc;
}

}  // namespace savedmodel
