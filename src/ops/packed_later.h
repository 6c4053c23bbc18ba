// Weights that are packed the second time they are used: the first answer comes sooner from where they lie in the model's file,
// and a model that runs once need not pack at all.
#ifndef SAVEDMODEL_OPS_PACKED_LATER_H_
#define SAVEDMODEL_OPS_PACKED_LATER_H_

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/status/statusor.h"
#include "kernels/cpu/packed_matrix.h"
#include "savedmodel/tensor.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// `Packed` is a PackedMatrix or PackedFilter. Both ways give the same answers, bit for bit. May be used by several threads.
template <typename Packed>
class PackedLater {
 public:
  // `done` is to be called with stretches of the weights, as they are packed.
  using Pack = std::function<absl::StatusOr<Packed>(const float* weights, ThreadPool& pool, PackedStretch done)>;

  explicit PackedLater(Packed packed) : packed_(std::move(packed)), ready_(&packed_) {}
  PackedLater(Tensor weights, Packed in_place, Pack pack)
      : weights_(std::move(weights)), in_place_(std::move(in_place)), pack_(std::move(pack)) {}

  // Small weights are packed at once.
  static bool Pays(const Tensor& weights) { return weights.bytes() >= (size_t{1} << 18); }

  // One of the two, for what both have: their layout.
  const Packed& either() const { return ready_.load(std::memory_order_acquire) != nullptr ? packed_ : in_place_; }

  // Valid as long as this object.
  const Packed& Get(ThreadPool& pool) const {
    if (const Packed* packed = ready_.load(std::memory_order_acquire)) return *packed;
    if (!used_.exchange(true, std::memory_order_relaxed)) return in_place_;
    std::lock_guard<std::mutex> lock(mutex_);
    if (const Packed* packed = ready_.load(std::memory_order_relaxed)) return *packed;
    const auto idle = [this](int64_t first, int64_t count) {
      weights_.buffer()->Idle(static_cast<size_t>(first) * sizeof(float), static_cast<size_t>(count) * sizeof(float));
    };
    absl::StatusOr<Packed> packed = pack_(weights_.data<float>(), pool, idle);
    if (!packed.ok()) return in_place_;  // there is no memory for it
    packed_ = *std::move(packed);
    ready_.store(&packed_, std::memory_order_release);
    return packed_;
  }

 private:
  const Tensor weights_;
  const Packed in_place_;
  const Pack pack_;
  mutable std::mutex mutex_;
  mutable std::atomic<bool> used_{false};
  mutable Packed packed_;  // written once, under mutex_, before ready_ points to it
  mutable std::atomic<const Packed*> ready_{nullptr};
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_PACKED_LATER_H_
