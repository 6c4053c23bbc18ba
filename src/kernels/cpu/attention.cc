// A task takes some queries of one head. It packs that head's keys and values, then block after block of queries: scores into
// scratch that stays in the second cache, softmax without the division in place, product with the values, division.
#include "kernels/cpu/attention.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/cpu/ceil_div.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/scratch_slots.h"
#include "kernels/cpu/vector_math.h"

namespace savedmodel {
namespace {

constexpr int64_t kMostBlock = 64;  // queries whose addresses fit the stack
constexpr int64_t kScoreBytes = 192 << 10;
constexpr int64_t kStretch = 512;  // keys between which a panel of values stays in the caches

}  // namespace

absl::StatusOr<AttentionPlan> AttentionPlan::Make(const AttentionShape& shape, int threads) {
  for (int64_t size : {shape.batch, shape.heads, shape.queries, shape.keys, shape.depth, shape.value_depth}) {
    if (size < 0 || size > (int64_t{1} << 31))
      return absl::InvalidArgumentError(absl::StrCat("attention: size ", size, " is out of range"));
  }
  AttentionPlan plan;
  plan.shape_ = shape;
  const int64_t heads = shape.batch * shape.heads;
  if (heads == 0 || shape.queries == 0 || shape.value_depth == 0) return plan;
  plan.k_layout_ = PanelLayout::For(shape.depth, shape.keys);
  plan.v_layout_ = PanelLayout::For(shape.keys, shape.value_depth);
  plan.score_stride_ = AlignedFloats(shape.keys) + 16;  // rows at a power of two would fall on the same lines of the cache
  const int64_t tallest = KernelsFor(plan.k_layout_).max_rows[plan.k_layout_.panel / plan.k_layout_.lanes];
  plan.block_ = std::clamp(kScoreBytes / 4 / plan.score_stride_, tallest, kMostBlock);
  plan.block_ = std::min(plan.block_ / tallest * tallest, shape.queries);

  const double work = static_cast<double>(heads) * shape.queries * shape.keys * (shape.depth + shape.value_depth) / 16;
  if (threads > 1 && work > 40000) {
    plan.slots_ = std::min(threads, ScratchSlots::kMost);
    // Every task packs the head anew, which is worth it for some hundred queries.
    const int64_t wanted = CeilDiv(int64_t{2} * threads, heads);
    plan.splits_ = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(shape.queries / 96, 1));
  } else {
    plan.slots_ = 1;
  }
  plan.slot_floats_ =
      AlignedFloats(plan.k_layout_.floats()) + AlignedFloats(plan.v_layout_.floats()) + AlignedFloats(plan.block_ * plan.score_stride_);
  return plan;
}

void AttentionPlan::RunQueries(const float* q, const float* mask, const float* packed_k, const float* packed_v, float* out,
                               float* scores, int64_t count) const {
  const GemmKernels &of_keys = KernelsFor(k_layout_), &of_values = KernelsFor(v_layout_);  // few columns have kernels of their own
  const float* rows[kMostBlock];
  float sums[kMostBlock];
  PanelJob job = {};
  job.rows = rows;
  job.row_stride = job.m = count;
  job.taps = 1;
  job.first = job.last = true;

  for (int64_t i = 0; i < count; ++i) rows[i] = q + i * shape_.q.row;
  job.row_distance = shape_.q.row;
  job.depth = shape_.depth;
  job.c_stride = score_stride_;
  for (int64_t p = 0; p < k_layout_.panels(); ++p) {
    job.b = packed_k + p * k_layout_.panel * k_layout_.k;
    job.b_stride = k_layout_.width(p);
    job.columns = k_layout_.columns(p);
    job.c = scores + p * k_layout_.panel;
    of_keys.run_panel(job);
  }
  for (int64_t i = 0; i < count; ++i) {
    float* row = scores + i * score_stride_;
    sums[i] = VectorSoftmaxWeights(row, mask != nullptr ? mask + i * shape_.mask.row : nullptr, row, shape_.keys, shape_.scale);
  }
  for (int64_t i = 0; i < count; ++i) rows[i] = scores + i * score_stride_;
  job.row_distance = score_stride_;
  job.c_stride = shape_.out.row;
  for (int64_t p = 0; p < v_layout_.panels(); ++p) {
    const int width = v_layout_.width(p);
    job.b_stride = width;
    job.columns = v_layout_.columns(p);
    job.c = out + p * v_layout_.panel;
    for (int64_t at = 0; at == 0 || at < shape_.keys; at += kStretch) {
      job.offset = at;
      job.depth = std::min(kStretch, shape_.keys - at);
      job.b = packed_v + p * v_layout_.panel * v_layout_.k + at * width;
      job.first = at == 0;
      of_values.run_panel(job);
    }
    job.offset = 0;
  }
  for (int64_t i = 0; i < count; ++i) {
    float* row = out + i * shape_.out.row;
    VectorScale(row, row, shape_.value_depth, shape_.keys > 0 ? 1.0f / sums[i] : 0.0f);
  }
}

void AttentionPlan::Run(const float* q, const float* k, const float* v, const float* mask, float* out, float* scratch,
                        ThreadPool& pool) const {
  if (slots_ == 0) return;
  const AttentionShape& s = shape_;
  ScratchSlots slots(slots_);
  const auto run = [&](int64_t begin, int64_t end) {
    CallerOnly caller;
    const int slot = slots.Take();
    float* packed_k = scratch + slot * slot_floats_;
    float* packed_v = packed_k + AlignedFloats(k_layout_.floats());
    float* scores = packed_v + AlignedFloats(v_layout_.floats());
    int64_t packed = -1;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t head = task / splits_ % s.heads, batch = task / splits_ / s.heads, part = task % splits_;
      if (packed != task / splits_) {
        packed = task / splits_;
        PackMatrix(k_layout_, k + batch * s.k.batch + head * s.k.head, s.k.row, !s.keys_transposed, packed_k, caller);
        PackMatrix(v_layout_, v + batch * s.v.batch + head * s.v.head, s.v.row, false, packed_v, caller);
      }
      const int64_t last = s.queries * (part + 1) / splits_;
      for (int64_t first = s.queries * part / splits_; first < last; first += block_) {
        const float* mask_row = mask != nullptr ? mask + batch * s.mask.batch + head * s.mask.head + first * s.mask.row : nullptr;
        RunQueries(q + batch * s.q.batch + head * s.q.head + first * s.q.row, mask_row, packed_k, packed_v,
                   out + batch * s.out.batch + head * s.out.head + first * s.out.row, scores, std::min(block_, last - first));
      }
    }
    slots.Give(slot);
  };
  const int64_t tasks = s.batch * s.heads * splits_;
  if (slots_ == 1) return run(0, tasks);
  pool.ParallelFor(tasks, 1, run);
}

}  // namespace savedmodel
