#include "runtime/frame.h"

#include <algorithm>

#include "core/status_macros.h"

namespace savedmodel {

Plan::Plan() = default;
Plan::~Plan() = default;

absl::StatusOr<std::unique_ptr<Frame>> Plan::AcquireFrame(Allocator* host) const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Frame> frame = std::move(free_.back());
      free_.pop_back();
      return frame;
    }
  }
  return Frame::Make(*this, host);
}

void Plan::ReleaseFrame(std::unique_ptr<Frame> frame) const {
  frame->Reset();
  constexpr size_t kMaxFree = 16;
  std::lock_guard<std::mutex> lock(mutex_);
  if (free_.size() < kMaxFree) free_.push_back(std::move(frame));
}

absl::StatusOr<std::unique_ptr<Frame>> Frame::Make(const Plan& plan, Allocator* host) {
  std::unique_ptr<Frame> frame(new Frame(plan));
  for (size_t d = 0; d < plan.devices.size(); ++d) {
    Buffer* arena = nullptr;
    if (plan.arena_bytes[d] > 0) {
      Allocator* allocator = d == 0 ? host : plan.devices[d]->allocator();
      SM_ASSIGN_OR_RETURN(arena, allocator->Allocate(plan.arena_bytes[d]));
    }
    frame->arenas_.push_back(arena);
  }
  frame->values.resize(plan.slots.size());
  for (size_t i = 0; i < plan.slots.size(); ++i) {
    const Slot& slot = plan.slots[i];
    if (slot.kind == Slot::Kind::kArena) frame->values[i] = frame->ArenaView(slot);
    if (slot.kind == Slot::Kind::kConstant) frame->values[i] = slot.constant;
  }
  frame->segments.resize(plan.segments.size());
  if (plan.has_branches) {
    frame->dead.resize(plan.slots.size());
    frame->step_dead.resize(plan.steps.size());
  }
  for (const Step& step : plan.steps) {
    frame->first_pointer.push_back(static_cast<int>(frame->pointers.size()));
    for (int slot : step.inputs) frame->pointers.push_back(&frame->values[slot]);
  }
  return frame;
}

Frame::~Frame() {
  segments.clear();
  values.clear();
  for (Buffer* arena : arenas_) {
    if (arena != nullptr) arena->Unref();
  }
}

Tensor Frame::ArenaView(const Slot& slot) const {
  return Tensor::View(slot.dtype, slot.shape, static_cast<char*>(arenas_[slot.device]->data()) + slot.offset);
}

void Frame::Reset() {
  for (int slot : replaced_) values[slot] = ArenaView(plan_.slots[slot]);
  replaced_.clear();
  for (int slot : plan_.reset_slots) values[slot] = Tensor();
  if (plan_.has_branches) {
    std::fill(dead.begin(), dead.end(), 0);
    std::fill(step_dead.begin(), step_dead.end(), 0);
  }
}

}  // namespace savedmodel
