// Output position o receives input position i through tap k where o = i * stride + k * dilation - pad. Output positions that
// leave the same rest modulo the stride (a phase) see the same taps at neighbouring inputs: a convolution with stride 1 and
// the taps in reverse. Each phase is computed so, and its rows are spread over the output. Where the windows lie side by side,
// a product of an input row with a row of the kernel is a row of the output as it stands.
#include "kernels/cpu/conv2d_transpose.h"

#include <algorithm>

#include "absl/status/status.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/scratch_slots.h"

namespace savedmodel {

std::vector<Conv2dTransposePlan::Axis> Conv2dTransposePlan::Phases(int64_t out, int64_t in, int64_t kernel, int64_t stride,
                                                                   int64_t dilation, int64_t pad) {
  std::vector<Axis> axes;
  for (int64_t phase = 0; phase < std::min(stride, out); ++phase) {
    Axis axis;
    axis.phase = phase;
    axis.count = (out - phase + stride - 1) / stride;
    const int64_t rest = (phase + pad) % stride, first = (phase + pad) / stride;  // input position of the tap `rest`
    for (int64_t tap = rest; tap < kernel; tap += stride) axis.taps.insert(axis.taps.begin(), tap);
    if (axis.taps.empty()) {
      axis.taps = {-1};
      axis.pad_before = axis.count;
    } else {
      axis.pad_before = (static_cast<int64_t>(axis.taps.size()) - 1) * dilation - first;
    }
    axis.pad_after = axis.count + (static_cast<int64_t>(axis.taps.size()) - 1) * dilation - in - axis.pad_before;
    axes.push_back(std::move(axis));
  }
  return axes;
}

bool Conv2dTransposePlan::SideBySide() const {
  const Conv2dShape& f = forward_;
  return f.kernel_h == f.stride_h && f.kernel_w == f.stride_w && f.dilation_h == 1 && f.dilation_w == 1 && f.pad_top == 0 && f.pad_left == 0 &&
         f.in_h == f.out_h() * f.stride_h && f.in_w == f.out_w() * f.stride_w;
}

absl::StatusOr<Conv2dTransposePlan> Conv2dTransposePlan::Make(const Conv2dShape& forward, int threads) {
  if (absl::Status status = CheckConv2dShape(forward); !status.ok()) return status;
  if (forward.groups != 1) return absl::UnimplementedError("transposed convolution: groups");
  if ((forward.stride_h > 1 && forward.dilation_h > 1) || (forward.stride_w > 1 && forward.dilation_w > 1)) {
    return absl::UnimplementedError("transposed convolution: stride and dilation above 1 on the same axis");
  }
  if (forward.pad_top < 0 || forward.pad_left < 0) return absl::UnimplementedError("transposed convolution: negative padding");
  if (forward.stride_h * forward.stride_w > 256) return absl::UnimplementedError("transposed convolution: more than 256 phases");
  Conv2dTransposePlan plan;
  plan.forward_ = forward;
  plan.side_by_side_ = plan.SideBySide();
  if (plan.side_by_side_) {
    plan.conv_floats_ = forward.kernel_w * forward.in_c;  // the bias, once per column of the kernel
    return plan;
  }
  const auto rows =
      Phases(forward.in_h, forward.out_h(), forward.kernel_h, forward.stride_h, forward.dilation_h, forward.pad_top);
  const auto columns =
      Phases(forward.in_w, forward.out_w(), forward.kernel_w, forward.stride_w, forward.dilation_w, forward.pad_left);
  if (forward.batch * forward.in_c == 0) return plan;
  for (const Axis& h : rows) {
    for (const Axis& w : columns) {
      Conv2dShape s;
      s.batch = forward.batch, s.in_h = forward.out_h(), s.in_w = forward.out_w(), s.in_c = forward.out_c, s.out_c = forward.in_c;
      s.kernel_h = static_cast<int64_t>(h.taps.size()), s.kernel_w = static_cast<int64_t>(w.taps.size());
      s.dilation_h = forward.dilation_h, s.dilation_w = forward.dilation_w;
      s.pad_top = h.pad_before, s.pad_bottom = h.pad_after, s.pad_left = w.pad_before, s.pad_right = w.pad_after;
      absl::StatusOr<Conv2dPlan> conv = Conv2dPlan::Make(s, threads);
      if (!conv.ok()) return conv.status();
      if (rows.size() * columns.size() > 1) {
        plan.phase_floats_ = std::max(plan.phase_floats_, AlignedFloats(forward.batch * h.count * w.count * forward.in_c));
      }
      plan.conv_floats_ = std::max(plan.conv_floats_, conv->scratch_bytes() / static_cast<int64_t>(sizeof(float)));
      plan.phases_.push_back({h, w, *std::move(conv)});
    }
  }
  return plan;
}

absl::StatusOr<PackedTransposeFilter> Conv2dTransposePlan::PackFilter(const float* filter, ThreadPool& pool) const {
  PackedTransposeFilter packed;
  const int64_t to_c = forward_.in_c, from_c = forward_.out_c;
  for (int64_t ky = 0; side_by_side_ && ky < forward_.kernel_h; ++ky) {
    // [kernel_w, in_c, out_c] is the transposed matrix as it stands.
    SM_ASSIGN_OR_RETURN(PackedMatrix row, PackedMatrix::Pack(from_c, forward_.kernel_w * to_c, filter + ky * forward_.kernel_w * to_c * from_c, from_c,
                                                             true, pool));
    packed.rows.push_back(std::move(row));
  }
  std::vector<float> part;
  for (const Phase& phase : phases_) {
    part.assign(phase.h.taps.size() * phase.w.taps.size() * static_cast<size_t>(to_c * from_c), 0.0f);
    float* to = part.data();
    for (int64_t ky : phase.h.taps) {
      for (int64_t kx : phase.w.taps) {
        const float* from = filter + (ky * forward_.kernel_w + kx) * to_c * from_c;
        if (ky >= 0 && kx >= 0) {
          for (int64_t c = 0; c < from_c; ++c) {
            for (int64_t o = 0; o < to_c; ++o) to[c * to_c + o] = from[o * from_c + c];
          }
        }
        to += to_c * from_c;
      }
    }
    absl::StatusOr<PackedFilter> one = phase.plan.PackFilter(part.data(), pool);
    if (!one.ok()) return one.status();
    packed.phases.push_back(*std::move(one));
  }
  return packed;
}

void Conv2dTransposePlan::RunRows(const float* in, const PackedTransposeFilter& filter, const Epilogue& epilogue, float* out,
                                  float* scratch, ThreadPool& pool) const {
  const int64_t in_w = forward_.out_w(), in_c = forward_.out_c, n = forward_.kernel_w * forward_.in_c, kernel_h = forward_.kernel_h;
  Epilogue row_epilogue = epilogue;
  if (epilogue.bias != nullptr) {
    for (int64_t x = 0; x < forward_.kernel_w; ++x) std::copy_n(epilogue.bias, forward_.in_c, scratch + x * forward_.in_c);
    row_epilogue.bias = scratch;
  }
  const int64_t work = in_w * in_c * n / 16 + 1;
  pool.ParallelFor(forward_.batch * forward_.out_h() * kernel_h, 16384 / work + 1, [&](int64_t begin, int64_t end) {
    CallerOnly caller;
    for (int64_t row = begin; row < end; ++row) {
      Gemm(in_w, in + row / kernel_h * in_w * in_c, in_c, filter.rows[static_cast<size_t>(row % kernel_h)], row_epilogue, out + row * in_w * n, n, caller);
    }
  });
}

void Conv2dTransposePlan::Run(const float* in, const PackedTransposeFilter& filter, const Epilogue& epilogue, float* out,
                              float* scratch, ThreadPool& pool) const {
  if (side_by_side_) return RunRows(in, filter, epilogue, out, scratch, pool);
  const int64_t channels = forward_.in_c;
  for (size_t i = 0; i < phases_.size(); ++i) {
    const Phase& phase = phases_[i];
    if (phase_floats_ == 0) return phase.plan.Run(in, filter.phases[i], epilogue, out, scratch, pool);
    phase.plan.Run(in, filter.phases[i], epilogue, scratch, scratch + phase_floats_, pool);
    const int64_t columns = phase.w.count, step = forward_.stride_w * channels;
    pool.ParallelFor(forward_.batch * phase.h.count, 16384 / (columns * channels + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t y = phase.h.phase + row % phase.h.count * forward_.stride_h, image = row / phase.h.count;
        const float* from = scratch + row * columns * channels;
        float* to = out + ((image * forward_.in_h + y) * forward_.in_w + phase.w.phase) * channels;
        for (int64_t x = 0; x < columns; ++x) std::copy_n(from + x * channels, channels, to + x * step);
      }
    });
  }
}

}  // namespace savedmodel
