// The values of one run of a plan.
#ifndef SAVEDMODEL_RUNTIME_FRAME_H_
#define SAVEDMODEL_RUNTIME_FRAME_H_

#include <memory>
#include <vector>

#include "runtime/plan.h"

namespace savedmodel {

// What a frame remembers of a segment.
struct RecordedSegment {
  int runs = 0;
  bool failed = false;  // recording it did not work: it is run step by step
  Stream* stream = nullptr;
  std::unique_ptr<Recording> recording;
  std::vector<Tensor> scratch;  // memory that the recording uses
};

// Invariant between runs: arena slots hold views of the arena, constants their value, all others nothing.
class Frame {
 public:
  static absl::StatusOr<std::unique_ptr<Frame>> Make(const Plan& plan, Allocator* host);
  ~Frame();

  // A step gave slot a tensor of its own instead of writing the arena; Reset brings the view back.
  void Replace(int slot, Tensor tensor) {
    if (plan_.slots[slot].kind == Slot::Kind::kArena) replaced_.push_back(slot);
    values[slot] = std::move(tensor);
  }
  void Reset();

  std::vector<Tensor> values;                // per slot
  std::vector<uint8_t> dead;                 // per slot, where the plan has branches
  std::vector<uint8_t> step_dead;            // per step, likewise
  std::vector<const Tensor*> pointers;       // of all steps' inputs, one after the other
  std::vector<int> first_pointer;            // per step
  std::vector<std::unique_ptr<Stream>> streams;  // per device, of a frame that a whole run uses
  std::vector<RecordedSegment> segments;

 private:
  explicit Frame(const Plan& plan) : plan_(plan) {}
  Tensor ArenaView(const Slot& slot) const;

  const Plan& plan_;
  std::vector<Buffer*> arenas_;  // per device
  std::vector<int> replaced_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_RUNTIME_FRAME_H_
