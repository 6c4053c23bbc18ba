// A task takes some output rows. It keeps a window of wide rows: those that the next output rows still need move to the
// window's beginning, new ones are computed behind them.
#include "kernels/cpu/expand_depthwise.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/scratch_slots.h"

namespace savedmodel {
namespace {

constexpr int64_t kWindowBytes = 384 << 10;

int64_t RowBytes(const Conv2dShape& s) { return s.in_w * s.in_c * static_cast<int64_t>(sizeof(float)); }
int64_t Reach(const Conv2dShape& s) { return (s.kernel_h - 1) * s.dilation_h + 1; }

}  // namespace

bool ExpandDepthwisePlan::WorthIt(const Conv2dShape& depthwise) {
  constexpr int64_t kLarge = 1 << 20;
  return RowBytes(depthwise) * depthwise.in_h > kLarge && RowBytes(depthwise) * (Reach(depthwise) + 1) <= kWindowBytes;
}

absl::StatusOr<ExpandDepthwisePlan> ExpandDepthwisePlan::Make(const Conv2dShape& depthwise, int64_t in_c, int threads, bool bf16) {
  if (depthwise.in_c != depthwise.out_c || in_c < 1) return absl::InvalidArgumentError("expanded depthwise convolution: one kernel per channel is wanted");
  ExpandDepthwisePlan plan;
  plan.shape_ = depthwise;
  plan.in_c_ = in_c;
  SM_ASSIGN_OR_RETURN(plan.depthwise_, DepthwisePlan::Make(depthwise, 1));
  const int64_t row_floats = depthwise.in_w * depthwise.in_c;
  if (row_floats == 0 || depthwise.batch == 0 || depthwise.out_h() == 0 || depthwise.out_w() == 0) return plan;
  plan.buffer_rows_ = std::min(std::max(kWindowBytes / RowBytes(depthwise), Reach(depthwise)), depthwise.in_h);
  plan.slots_ = std::clamp(threads, 1, ScratchSlots::kMost);
  if (bf16) plan.round_floats_ = (plan.buffer_rows_ * depthwise.in_w * ((in_c + 1) / 2) + 15) / 16 * 16;
  plan.slot_floats_ = (plan.buffer_rows_ * row_floats + 15) / 16 * 16 + plan.round_floats_;
  // Rows at the ends of a part are computed twice, so as few parts as keep all threads busy.
  plan.parts_ = depthwise.batch >= 4 * threads ? 1 : std::min<int64_t>(threads == 1 ? 1 : 2 * threads, depthwise.out_h());
  return plan;
}

void ExpandDepthwisePlan::Run(const float* in, const PackedMatrix& expand, const Epilogue& expand_epilogue, const float* filter,
                              const Epilogue& epilogue, float* out, float* scratch, ThreadPool& pool,
                              float* row_sums) const {
  if (slots_ == 0) return;
  const Conv2dShape& s = shape_;
  const int64_t row_floats = s.in_w * s.in_c, out_h = depthwise_.out_h(), out_floats = out_h * depthwise_.out_w() * s.out_c;
  ScratchSlots slots(slots_);
  pool.ParallelFor(s.batch * parts_, 1, [&](int64_t begin, int64_t end) {
    CallerOnly caller;
    const int slot = slots.Take();
    float* rounded = scratch + slot * slot_floats_;
    float* window = rounded + round_floats_;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t image = task / parts_, part = task % parts_, last_row = out_h * (part + 1) / parts_;
      const float* from = in + image * s.in_h * s.in_w * in_c_;
      int64_t first = 0, have = 0;  // wide rows [first, have) are in the window
      for (int64_t row = out_h * part / parts_; row < last_row;) {
        int64_t need, until;
        depthwise_.InputRows(row, &need, &until);
        if (need >= have) {
          first = have = need;
        } else if (need > first) {
          std::memmove(window, window + (need - first) * row_floats, static_cast<size_t>((have - need) * row_floats) * sizeof(float));
          first = need;
        }
        // As many output rows as the window can hold the input of.
        int64_t stop = row, to = have;
        for (int64_t a, b; stop < last_row; ++stop, to = std::max(to, b)) {
          depthwise_.InputRows(stop, &a, &b);
          if (stop > row && b - first > buffer_rows_) break;
        }
        if (to > have) {
          MixedGemm((to - have) * s.in_w, from + have * s.in_w * in_c_, in_c_, expand, expand_epilogue, window + (have - first) * row_floats, s.in_c,
                    rounded, caller);
          have = to;
        }
        float* sums = row_sums == nullptr ? nullptr : row_sums + image * out_h * s.out_c;
        for (; row < stop; ++row) depthwise_.RunOneRow(window, first, filter, epilogue, out + image * out_floats, row, sums);
      }
    }
    slots.Give(slot);
  });
}

}  // namespace savedmodel
