// Rows near the top and bottom see part of the kernel's height. Across, the common kernels take a whole output row as one job and
// leave out taps beside the image; for others a row is cut into its inner pixels, which see the whole width of the kernel, and
// pixels near the sides, which see part of it: each such run of pixels is a job.
#include "kernels/cpu/depthwise.h"

#include <algorithm>

#include "kernels/cpu/ceil_div.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/cpu/depthwise_kernels.h"

namespace savedmodel {
namespace {

const DepthwiseKernels& DepthwiseFor(CpuLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case CpuLevel::kAvx512: return kDepthwiseAvx512;
    case CpuLevel::kAvx2: return kDepthwiseAvx2;
    case CpuLevel::kPlain: break;
  }
#else
  (void)level;
#endif
  return kDepthwisePlain;
}

// Taps [begin, end) of a kernel whose first tap is at `first` lie inside [0, size).
struct Taps {
  int64_t begin, end;
  bool operator==(const Taps& other) const { return begin == other.begin && end == other.end; }
};
Taps Inside(int64_t first, int64_t taps, int64_t dilation, int64_t size) {
  const int64_t begin = first < 0 ? std::min(CeilDiv(-first, dilation), taps) : 0;
  const int64_t end = size > first ? std::min((size - 1 - first) / dilation + 1, taps) : 0;
  return {begin, std::max(begin, end)};
}

}  // namespace

absl::StatusOr<DepthwisePlan> DepthwisePlan::Make(const Conv2dShape& shape, int threads) {
  Conv2dShape checked = shape;
  checked.groups = 1;
  if (absl::Status status = CheckConv2dShape(checked); !status.ok()) return status;
  if (shape.in_c == 0 ? shape.out_c != 0 : shape.out_c % shape.in_c != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("depthwise convolution: ", shape.out_c, " output channels are no multiple of ", shape.in_c));
  }
  DepthwisePlan plan;
  plan.shape_ = checked;
  plan.shape_.in_c = shape.out_c;
  plan.multiplier_ = shape.in_c == 0 ? 1 : shape.out_c / shape.in_c;
  plan.out_h_ = shape.out_h();
  plan.out_w_ = shape.out_w();
  plan.level_ = ActiveCpuLevel();
  const int64_t rows = shape.batch * plan.out_h_;
  if (rows == 0 || plan.out_w_ == 0 || shape.out_c == 0) return plan;
  if (plan.multiplier_ > 1) plan.scratch_floats_ = shape.batch * shape.in_h * shape.in_w * shape.out_c;

  const int64_t vectors = CeilDiv(shape.out_c, DepthwiseFor(plan.level_).lanes);
  const int64_t work = rows * plan.out_w_ * vectors * shape.kernel_h * shape.kernel_w;  // cycles, about
  if (threads > 1 && work > 20000) {
    const int64_t most = std::clamp<int64_t>(work / 10000 / threads, 1, 4) * threads;  // as many for each thread
    if (rows % threads == 0 || rows >= most * 4 || vectors < threads) {
      plan.row_splits_ = std::min(rows, most);
    } else {  // too few rows to share out evenly
      plan.channel_splits_ = threads;
      plan.row_splits_ = std::min(rows, most / threads);
    }
  }
  return plan;
}

// `rows` begins with input row `first` of the image; output row `row` of the image is row `out_row` of `out`.
void DepthwisePlan::RunRow(const float* rows, int64_t first, const float* filter, const Epilogue& epilogue, float* out, int64_t row,
                           int64_t out_row, int64_t c_begin, int64_t c_end, float* row_sums) const {
  const Conv2dShape& s = shape_;
  const DepthwiseKernels& kernels = DepthwiseFor(level_);
  const int64_t channels = s.in_c, y0 = row * s.stride_h - s.pad_top;
  const Taps down = Inside(y0, s.kernel_h, s.dilation_h, s.in_h);
  DepthwiseJob job;
  job.in_pixel = s.stride_w * channels;
  job.in_row = s.dilation_h * s.in_w * channels;
  job.in_column = s.dilation_w * channels;
  job.filter_row = s.kernel_w * channels;
  job.filter_column = channels;
  job.taps_h = static_cast<int>(down.end - down.begin);
  job.shared = s.dilation_w == 1 && s.stride_w <= 2 && (s.kernel_w == 3 || s.kernel_w == 5);
  job.first_column = -s.pad_left;
  job.columns = s.in_w;
  job.channels = c_end - c_begin;
  job.out_pixel = channels;
  job.epilogue = epilogue;
  job.sums = row_sums == nullptr ? nullptr : row_sums + out_row * channels + c_begin;
  if (row_sums != nullptr) std::fill_n(job.sums, c_end - c_begin, 0.0f);
  if (epilogue.bias != nullptr) job.epilogue.bias += c_begin;
  const int64_t first_y = y0 + down.begin * s.dilation_h;
  if (job.shared) {
    job.taps_w = static_cast<int>(s.kernel_w);
    job.in = rows + (job.taps_h == 0 ? 0 : (first_y - first) * s.in_w * channels) + c_begin;
    job.filter = filter + down.begin * s.kernel_w * channels + c_begin;
    job.pixels = out_w_;
    job.out = out + out_row * out_w_ * channels + c_begin;
    if (epilogue.residual != nullptr) job.epilogue.residual = epilogue.residual + out_row * out_w_ * epilogue.residual_stride + c_begin;
    return kernels.run(job);
  }
  for (int64_t x = 0; x < out_w_;) {
    const Taps across = Inside(x * s.stride_w - s.pad_left, s.kernel_w, s.dilation_w, s.in_w);
    int64_t end = x + 1;
    if (across.end - across.begin == s.kernel_w) {
      end = std::min((s.in_w - 1 - (s.kernel_w - 1) * s.dilation_w + s.pad_left) / s.stride_w + 1, out_w_);
    } else {
      while (end < out_w_ && Inside(end * s.stride_w - s.pad_left, s.kernel_w, s.dilation_w, s.in_w) == across) ++end;
    }
    job.taps_w = static_cast<int>(across.end - across.begin);
    const bool none = job.taps_w == 0 || job.taps_h == 0;
    if (none) job.taps_h = 0;
    const int64_t first_x = x * s.stride_w - s.pad_left + across.begin * s.dilation_w;
    job.in = none ? rows : rows + ((first_y - first) * s.in_w + first_x) * channels + c_begin;
    job.filter = filter + (down.begin * s.kernel_w + across.begin) * channels + c_begin;
    if (none) job.filter = filter;
    job.pixels = end - x;
    job.out = out + (out_row * out_w_ + x) * channels + c_begin;
    if (epilogue.residual != nullptr)
      job.epilogue.residual = epilogue.residual + (out_row * out_w_ + x) * epilogue.residual_stride + c_begin;
    kernels.run(job);
    job.taps_h = static_cast<int>(down.end - down.begin);
    x = end;
  }
}

void DepthwisePlan::InputRows(int64_t row, int64_t* first, int64_t* last) const {
  const int64_t begin = row * shape_.stride_h - shape_.pad_top;
  *first = std::clamp<int64_t>(begin, 0, shape_.in_h);
  *last = std::clamp<int64_t>(begin + (shape_.kernel_h - 1) * shape_.dilation_h + 1, *first, shape_.in_h);
}

void DepthwisePlan::RunOneRow(const float* rows, int64_t first, const float* filter, const Epilogue& epilogue, float* out, int64_t row,
                              int64_t out_row, float* row_sums) const {
  RunRow(rows, first, filter, epilogue, out, row, out_row, 0, shape_.in_c, row_sums);
}

void DepthwisePlan::MeansOf(const float* row_sums, float* means) const {
  const int64_t channels = shape_.out_c;
  const float pixels = static_cast<float>(out_h_ * out_w_);
  for (int64_t image = 0; image < shape_.batch; ++image, means += channels) {
    std::fill_n(means, channels, 0.0f);
    DepthwiseFor(level_).add(row_sums + image * out_h_ * channels, channels, out_h_, channels, means);
    for (int64_t c = 0; c < channels; ++c) means[c] /= pixels;
  }
}

void DepthwisePlan::Run(const float* in, const float* filter, const Epilogue& epilogue, float* out, float* scratch,
                        ThreadPool& pool, float* row_sums) const {
  const Conv2dShape& s = shape_;
  const int64_t rows = s.batch * out_h_, lanes = DepthwiseFor(level_).lanes;
  if (rows == 0 || out_w_ == 0 || s.in_c == 0) return;
  if (multiplier_ > 1) {
    pool.ParallelFor(scratch_floats_ / multiplier_, 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) std::fill_n(scratch + i * multiplier_, multiplier_, in[i]);
    });
    in = scratch;
  }
  const int64_t vectors = CeilDiv(s.in_c, lanes);
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t part = task / row_splits_, r = task % row_splits_;
      const int64_t c_begin = vectors * part / channel_splits_ * lanes,
                    c_end = std::min(vectors * (part + 1) / channel_splits_ * lanes, s.in_c);
      for (int64_t row = rows * r / row_splits_; row < rows * (r + 1) / row_splits_; ++row) {
        RunRow(in + row / out_h_ * s.in_h * s.in_w * s.in_c, 0, filter, epilogue, out, row % out_h_, row, c_begin, c_end, row_sums);
      }
    }
  };
  if (row_splits_ * channel_splits_ == 1) return run(0, 1);
  pool.ParallelFor(row_splits_ * channel_splits_, 1, run);
}

}  // namespace savedmodel
