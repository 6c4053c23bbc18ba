// A task takes some output rows. It keeps a window of the head's rows: those that the next output rows still need move to the
// window's beginning, new ones are computed behind them. Without a head the input is the window.
#include "kernels/cpu/depthwise_block.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/scratch_slots.h"

namespace savedmodel {
namespace {

constexpr int64_t kWindowBytes = 384 << 10;  // of the head's rows
constexpr int64_t kRoundBytes = 64 << 10;    // of the depthwise convolution's rows
constexpr int64_t kLargeImages = 1 << 20;
constexpr int64_t kFloat = sizeof(float);

int64_t RowBytes(const Conv2dShape& s) { return s.in_w * s.in_c * kFloat; }
int64_t Reach(const Conv2dShape& s) { return (s.kernel_h - 1) * s.dilation_h + 1; }

}  // namespace

bool DepthwiseBlockPlan::HeadPays(const Conv2dShape& s) {
  return s.batch * RowBytes(s) * s.in_h > kLargeImages && RowBytes(s) * (Reach(s) + 1) <= kWindowBytes;
}

bool DepthwiseBlockPlan::ProjectionPays(const Conv2dShape& s) {
  const int64_t row_bytes = s.out_w() * s.out_c * kFloat;
  return s.batch * row_bytes * s.out_h() > kLargeImages / 4 && row_bytes <= kWindowBytes;
}

absl::StatusOr<DepthwiseBlockPlan> DepthwiseBlockPlan::Make(const DepthwiseBlockShape& shape, int threads) {
  const Conv2dShape& s = shape.depthwise;
  if (s.in_c != s.out_c) return absl::InvalidArgumentError("depthwise block: one kernel per channel is wanted");
  DepthwiseBlockPlan plan;
  plan.shape_ = shape;
  SM_ASSIGN_OR_RETURN(plan.depthwise_, DepthwisePlan::Make(s, 1));
  const int64_t out_h = s.out_h(), out_w = s.out_w(), row_floats = s.in_w * s.in_c, out_row_floats = out_w * s.out_c;
  if (shape.head.has_value()) {
    const Conv2dShape& h = *shape.head;
    if (h.groups != 1 || h.batch != s.batch || h.out_h() != s.in_h || h.out_w() != s.in_w || h.out_c != s.in_c) {
      return absl::InvalidArgumentError("depthwise block: the convolution before does not make the input of the depthwise one");
    }
    SM_ASSIGN_OR_RETURN(plan.head_, Conv2dPlan::Make(h, threads, ConvAlgorithm::kDirect, shape.head_precision));
    plan.head_floats_ = AlignedFloats(plan.head_.scratch_bytes() / kFloat);
  }
  if (shape.project_c > 0) {
    plan.round_rows_ = std::clamp<int64_t>(kRoundBytes / std::max<int64_t>(out_row_floats * kFloat, 1), 1, std::max<int64_t>(out_h, 1));
    Conv2dShape rows{.batch = 1, .in_h = plan.round_rows_, .in_w = out_w, .in_c = s.out_c, .out_c = shape.project_c};
    SM_ASSIGN_OR_RETURN(plan.project_, Conv2dPlan::Make(rows, 1, ConvAlgorithm::kDirect, shape.project_precision));
  }
  if (row_floats == 0 || s.batch == 0 || out_h == 0 || out_w == 0) return plan;
  if (shape.head.has_value()) {
    plan.window_rows_ = std::min(std::max(kWindowBytes / RowBytes(s), Reach(s)), s.in_h);
    plan.window_floats_ = AlignedFloats(plan.window_rows_ * row_floats);
  }
  plan.round_floats_ = AlignedFloats(plan.round_rows_ * out_row_floats);
  plan.slots_ = std::clamp(threads, 1, ScratchSlots::kMost);
  plan.slot_floats_ = plan.window_floats_ + plan.round_floats_ + AlignedFloats(plan.project_.scratch_bytes() / kFloat);
  // Rows at the ends of a part are computed twice, so as few parts as keep all threads busy.
  plan.parts_ = s.batch >= 4 * threads ? 1 : std::min<int64_t>(threads == 1 ? 1 : 2 * threads, out_h);
  return plan;
}

void DepthwiseBlockPlan::Run(const Job& job, float* scratch, ThreadPool& pool) const {
  if (slots_ == 0) return;
  const bool headed = shape_.head.has_value();
  float* slot_memory = scratch + head_floats_;
  const float* prepared = headed ? head_.Prepare(job.in, scratch, pool) : job.in;
  const int64_t out_h = depthwise_.out_h();
  ScratchSlots slots(slots_);
  pool.ParallelFor(shape_.depthwise.batch * parts_, 1, [&](int64_t begin, int64_t end) {
    const int slot = slots.Take();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task % parts_;
      RunRows(job, prepared, scratch, slot_memory + slot * slot_floats_, task / parts_, out_h * part / parts_, out_h * (part + 1) / parts_);
    }
    slots.Give(slot);
  });
}

void DepthwiseBlockPlan::RunRows(const Job& job, const float* prepared, const float* shared, float* scratch, int64_t image, int64_t row,
                                 int64_t last_row) const {
  const Conv2dShape& s = shape_.depthwise;
  const int64_t row_floats = s.in_w * s.in_c, out_h = depthwise_.out_h(), out_w = depthwise_.out_w();
  const bool headed = shape_.head.has_value(), projected = shape_.project_c > 0;
  float *window = scratch, *round = scratch + window_floats_, *rounding = round + round_floats_;
  const float* rows = headed ? window : job.in + image * s.in_h * row_floats;
  float* sums = job.row_sums == nullptr ? nullptr : job.row_sums + image * out_h * s.out_c;
  int64_t first = 0, have = 0;  // the head's rows [first, have) are in the window
  CallerOnly caller;
  while (row < last_row) {
    int64_t stop = projected ? std::min(row + round_rows_, last_row) : last_row;
    if (headed) {
      int64_t need, until;
      depthwise_.InputRows(row, &need, &until);
      if (need >= have) {
        first = have = need;
      } else if (need > first) {
        std::memmove(window, window + (need - first) * row_floats, static_cast<size_t>((have - need) * row_floats) * sizeof(float));
        first = need;
      }
      // As many output rows as the window can hold the input of.
      int64_t to = have, next = row;
      for (int64_t a, b; next < stop; ++next, to = std::max(to, b)) {
        depthwise_.InputRows(next, &a, &b);
        if (next > row && b - first > window_rows_) break;
      }
      stop = next;
      if (to > have) {
        const int64_t pixel = image * s.in_h * s.in_w;
        head_.RunPixels(prepared, *job.head, job.head_epilogue, window + (have - first) * row_floats, shared, pixel + have * s.in_w, pixel + to * s.in_w);
        have = to;
      }
    }
    if (!projected) {
      float* out = job.out + image * out_h * out_w * s.out_c;
      for (; row < stop; ++row) depthwise_.RunOneRow(rows, first, job.filter, job.epilogue, out, row, row, sums);
      continue;
    }
    const int64_t pixel = (image * out_h + row) * out_w, pixels = (stop - row) * out_w;
    for (int64_t i = 0; row < stop; ++row, ++i) depthwise_.RunOneRow(rows, first, job.filter, job.epilogue, round, row, i);
    const float* from = project_.Prepare(round, rounding, caller);
    project_.RunPixels(from, *job.project, EpilogueAt(job.project_epilogue, pixel, 0), job.out + pixel * shape_.project_c, rounding, 0, pixels);
  }
}

}  // namespace savedmodel
