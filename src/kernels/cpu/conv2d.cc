// Convolution as a matrix product whose left side is never built: row i is output pixel i, and for each tap of the kernel a
// pointer says where that pixel's input channels are. Padding points to zeros.
//
// With few channels a tap would be too short. Then a tap is a whole row of the kernel, kernel_w * channels floats that lie
// beside each other in the image; only where the row sticks out of the image is it copied, with zeros, before the product.
#include "kernels/cpu/conv2d.h"

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "kernels/cpu/amx.h"
#include "kernels/cpu/ceil_div.h"
#include "kernels/cpu/elementwise.h"

namespace savedmodel {
namespace {

constexpr int64_t kFewChannels = 16;

// Whether bfloat16 is worth rounding an image with many channels. Pairs must not reach from one pixel to the next.
bool RoundsDense(const Conv2dShape& s) {
  return s.groups == 1 && s.in_c >= kFewChannels && s.in_c % 2 == 0 && s.out_c > kFewChannels;
}

// The same for few channels, which want more work: only where a tap is a whole row, and without tiles only where each
// output has many products.
bool RoundsSparse(const Conv2dShape& s) {
  if (s.groups > 1 || s.in_c < 1 || s.in_c >= kFewChannels || s.out_c <= kFewChannels || !HasFastBf16()) return false;
  if (s.kernel_w == 1 || s.dilation_w > 1 || s.pad_left < 0 || s.pad_right < 0 || s.pad_left + s.pad_right > s.in_w + 64) return false;
  return UsesTiles() || s.kernel_h * s.kernel_w * s.in_c >= 128;
}

// Where rows begin that lie at even distances.
SM_CLONED void FillSeries(const float* first, int64_t step, int64_t n, const float** to) {
  for (int64_t i = 0; i < n; ++i) to[i] = first + i * step;
}

}  // namespace

absl::Status CheckConv2dShape(const Conv2dShape& s) {
  constexpr int64_t kMost = int64_t{1} << 31;
  for (int64_t size : {s.batch, s.in_h, s.in_w, s.in_c, s.out_c}) {
    if (size < 0 || size > kMost) return absl::InvalidArgumentError(absl::StrCat("convolution: size ", size, " is out of range"));
  }
  for (int64_t pad : {s.pad_top, s.pad_bottom, s.pad_left, s.pad_right}) {
    if (pad < -kMost || pad > kMost)
      return absl::InvalidArgumentError(absl::StrCat("convolution: padding ", pad, " is out of range"));
  }
  for (int64_t size : {s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.groups}) {
    if (size < 1 || size > kMost) {
      return absl::InvalidArgumentError(
          absl::StrCat("convolution: kernel, stride, dilation or group count is ", size, ", wanted 1 to 2^31"));
    }
  }
  if (s.kernel_h * s.kernel_w > (int64_t{1} << 24)) {
    return absl::InvalidArgumentError(
        absl::StrCat("convolution: kernel is ", s.kernel_h, " by ", s.kernel_w, ", at most 2^24 taps work"));
  }
  if (s.in_c % s.groups != 0 || s.out_c % s.groups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("convolution: ", s.groups, " groups do not divide ", s.in_c, " input and ", s.out_c, " output channels"));
  }
  const double in = static_cast<double>(s.batch) * s.in_h * s.in_w * s.in_c;
  const double out = static_cast<double>(s.batch) * s.out_h() * s.out_w() * s.out_c;
  const double filter =
      static_cast<double>(s.kernel_h) * s.kernel_w * std::max<int64_t>(s.in_c, 1) * std::max<int64_t>(s.out_c, 1);
  if (std::max({in, out, filter}) > 1e15) return absl::InvalidArgumentError("convolution: more than 1e15 numbers");
  return absl::OkStatus();
}

absl::StatusOr<Conv2dPlan> Conv2dPlan::Make(const Conv2dShape& shape, int threads, ConvAlgorithm algorithm, GemmPrecision precision) {
  if (absl::Status status = CheckConv2dShape(shape); !status.ok()) return status;
  if (algorithm == ConvAlgorithm::kWinograd && !WinogradPlan::Possible(shape)) {
    return absl::InvalidArgumentError(
        "convolution: Winograd's algorithm wants a 3 by 3 kernel, stride and dilation 1, one group");
  }
  Conv2dPlan plan;
  plan.out_h_ = shape.out_h();
  plan.out_w_ = shape.out_w();
  Conv2dShape& s = plan.shape_;
  s = shape;
  const bool sparse = precision == GemmPrecision::kBf16 && RoundsSparse(s);
  if (!sparse && !RoundsDense(s)) precision = GemmPrecision::kFloat;
  const double speed = precision == GemmPrecision::kFloat || !HasFastBf16() ? 1 : UsesTiles() ? 10 : 2;  // of the direct way, floats' is 1
  if (algorithm == ConvAlgorithm::kWinograd || (algorithm == ConvAlgorithm::kAuto && WinogradPlan::Pays(shape, threads, speed))) {
    plan.winograd_ = std::make_shared<const WinogradPlan>(shape, threads);
    plan.scratch_floats_ = plan.winograd_->scratch_floats();
    return plan;
  }
  const int64_t pixels = s.batch * plan.out_h_ * plan.out_w_;
  const bool padded = s.pad_top != 0 || s.pad_bottom != 0 || s.pad_left != 0 || s.pad_right != 0;
  const bool one_row = s.kernel_h * s.kernel_w == 1 && s.stride_h * s.stride_w == 1 && !padded;
  if (one_row) {
    s.in_w = plan.out_w_ = pixels;  // one long row
    s.batch = s.in_h = plan.out_h_ = 1;
  }
  const int64_t channels = s.in_c / s.groups;
  plan.merged_ = s.groups == 1 && s.kernel_w > 1 && s.dilation_w == 1 && channels < kFewChannels;
  plan.tap_width_ = plan.merged_ ? 1 : s.kernel_w;
  const int64_t even = sparse ? channels + channels % 2 : channels;
  plan.layout_ = PanelLayout::For(s.kernel_h * s.kernel_w * even, s.out_c / s.groups, precision);
  if (plan.layout_.bf16) {
    if (sparse) {
      plan.sparse_c_ = s.in_c;
      plan.sparse_w_ = s.in_w;
      plan.sparse_left_ = s.pad_left;
      s.in_c = even;
      s.in_w += s.pad_left + s.pad_right;
      s.pad_left = s.pad_right = 0;
    }
    plan.round_ = s.batch * s.in_h * s.in_w * s.in_c;
    plan.scratch_floats_ = plan.round_ / 2;
    s.in_c /= 2;
  }

  BlockedProduct& product = plan.product_;
  product.m = pixels;
  product.taps = static_cast<int>(s.kernel_h * plan.tap_width_);
  product.depth = plan.merged_ ? s.kernel_w * s.in_c : s.in_c / s.groups;
  product.input_bytes = std::min(s.batch * s.in_h * s.in_w, pixels * product.taps) * (s.in_c / s.groups) * 4;
  if (one_row) product.row_distance = s.in_c;
  product.Plan(plan.layout_, threads);
  if (pixels == 0 || s.out_c == 0) return plan;

  if (plan.merged_) {
    plan.inner_begin_ = s.pad_left <= 0 ? 0 : std::min(CeilDiv(s.pad_left, s.stride_w), plan.out_w_);
    plan.inner_end_ =
        s.in_w + s.pad_left < s.kernel_w ? 0 : std::min((s.in_w + s.pad_left - s.kernel_w) / s.stride_w + 1, plan.out_w_);
    plan.inner_end_ = std::max(plan.inner_end_, plan.inner_begin_);
    const int64_t edges = plan.out_w_ - (plan.inner_end_ - plan.inner_begin_);
    if (plan.sparse_c_ == 0) plan.scratch_floats_ = s.batch * s.in_h * edges * product.depth;
  }
  plan.zeros_ = std::make_shared<const std::vector<float>>(product.depth, 0.0f);
  return plan;
}

absl::StatusOr<PackedFilter> Conv2dPlan::PackFilter(const float* filter, ThreadPool& pool, const float* factor, const PackedStretch* done) const {
  PackedFilter packed;
  if (winograd_ != nullptr) {
    if (factor != nullptr) return absl::InvalidArgumentError("convolution: Winograd's algorithm scales its sums, not the filter");
    absl::StatusOr<PackedMatrix> part = winograd_->PackFilter(filter, pool, done);
    if (!part.ok()) return part.status();
    packed.parts.push_back(*std::move(part));
    return packed;
  }
  std::vector<float> spread;  // with zeros for the channel that the rounded image has more
  if (sparse_c_ % 2 != 0) {
    const int64_t taps = shape_.kernel_h * shape_.kernel_w, run = sparse_c_ * shape_.out_c;
    spread.resize(static_cast<size_t>(taps * (run + shape_.out_c)));
    for (int64_t tap = 0; tap < taps; ++tap) std::copy_n(filter + tap * run, run, spread.data() + tap * (run + shape_.out_c));
    filter = spread.data();
  }
  for (int64_t group = 0; group < shape_.groups; ++group) {
    absl::StatusOr<PackedMatrix> part = PackedMatrix::Allocate(layout_);
    if (!part.ok()) return part.status();
    PackMatrix(layout_, filter + group * layout_.n, shape_.out_c, false, part->mutable_data(), pool,
               factor != nullptr ? factor + group * layout_.n : nullptr, shape_.groups == 1 ? done : nullptr);
    packed.parts.push_back(*std::move(part));
  }
  return packed;
}

bool Conv2dPlan::reads_in_place() const {
  return shape_.groups == 1 && PackedMatrix::HasRows(filter_layout()) && (winograd_ == nullptr || winograd_->reads_plain_filter());
}

absl::StatusOr<PackedFilter> Conv2dPlan::FilterInPlace(const float* filter, ThreadPool& pool) const {
  absl::StatusOr<PackedMatrix> rows = PackedMatrix::Rows(filter_layout(), filter, shape_.out_c, pool);
  if (!rows.ok()) return rows.status();
  PackedFilter in_place;
  in_place.parts.push_back(*std::move(rows));
  return in_place;
}

// The image in bfloat16, with zeros at both sides and, if the number of channels is odd, one channel of zeros more.
void Conv2dPlan::RoundSparse(const float* in, float* out, ThreadPool& pool) const {
  constexpr int64_t kPart = 2048;  // numbers rounded at a time
  const int64_t from_c = sparse_c_, to_c = shape_.in_c * 2, pixels = kPart / from_c, right = shape_.in_w - sparse_left_ - sparse_w_;
  pool.ParallelFor(shape_.batch * shape_.in_h, 16384 / (shape_.in_w * to_c + 1) + 1, [&](int64_t begin, int64_t end) {
    alignas(float) uint16_t part[kPart];
    CallerOnly caller;
    for (int64_t y = begin; y < end; ++y) {
      char* to = reinterpret_cast<char*>(out + y * shape_.in_w * shape_.in_c);
      const auto zeros = [&](int64_t columns) {
        std::memset(to, 0, static_cast<size_t>(columns * to_c * 2));
        to += columns * to_c * 2;
      };
      zeros(sparse_left_);
      for (int64_t x = 0; x < sparse_w_; x += pixels) {
        const int64_t count = std::min(pixels, sparse_w_ - x), numbers = count * from_c;
        RoundToBf16(in + (y * sparse_w_ + x) * from_c, 0, 1, numbers, reinterpret_cast<float*>(part), caller);
        if (from_c == 3) {  // colours
          for (int64_t i = 0; i < numbers; i += 3, to += 8) {
            const uint64_t pixel = part[i] | uint64_t{part[i + 1]} << 16 | uint64_t{part[i + 2]} << 32;
            std::memcpy(to, &pixel, sizeof pixel);
          }
          continue;
        }
        for (int64_t i = 0; i < numbers; i += from_c, to += to_c * 2) {
          uint16_t pixel[kFewChannels] = {};
          for (int64_t c = 0; c < from_c; ++c) pixel[c] = part[i + c];
          std::memcpy(to, pixel, static_cast<size_t>(to_c * 2));
        }
      }
      zeros(right);
    }
  });
}

// For every row of the image and every output column near its sides, the kernel row with zeros for what lies outside.
void Conv2dPlan::CopyEdges(const float* in, float* edges, ThreadPool& pool) const {
  const Conv2dShape& s = shape_;
  const int64_t count = out_w_ - (inner_end_ - inner_begin_), run = product_.depth, row_floats = s.in_w * s.in_c;
  pool.ParallelFor(s.batch * s.in_h, 4096 / (count * run + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      for (int64_t e = 0; e < count; ++e) {
        const int64_t column = e < inner_begin_ ? e : e - inner_begin_ + inner_end_;
        const int64_t x = (column * s.stride_w - s.pad_left) * s.in_c;  // in floats
        float* to = edges + (y * count + e) * run;
        const int64_t from = std::clamp<int64_t>(-x, 0, run), until = std::clamp(row_floats - x, from, run);
        std::fill(to, to + from, 0.0f);
        std::copy(in + y * row_floats + x + from, in + y * row_floats + x + until, to + from);
        std::fill(to + until, to + run, 0.0f);
      }
    }
  });
}

// Output pixels of one output row read at even distances, so each tap's pointers are zeros, an arithmetic series, zeros.
void Conv2dPlan::FillRows(const float* in, const float* edges, int64_t begin, int64_t rows, int tap_begin, int tap_end,
                          const float** to) const {
  const Conv2dShape& s = shape_;
  const float* zeros = zeros_->data();
  const int64_t step = s.stride_w * s.in_c, edge_count = out_w_ - (inner_end_ - inner_begin_);
  for (int64_t i = 0; i < rows;) {
    const int64_t pixel = begin + i, column = pixel % out_w_, line = pixel / out_w_;
    const int64_t y0 = line % out_h_ * s.stride_h - s.pad_top, image = line / out_h_;
    const int64_t columns = std::min(out_w_ - column, rows - i);
    for (int tap = tap_begin; tap < tap_end; ++tap) {
      const float** at = to + (tap - tap_begin) * rows + i;
      const int64_t y = y0 + tap / tap_width_ * s.dilation_h;
      if (y < 0 || y >= s.in_h) {
        std::fill(at, at + columns, zeros);
        continue;
      }
      const int64_t offset =
          merged_ ? -s.pad_left : tap % tap_width_ * s.dilation_w - s.pad_left;  // x = column * stride + offset
      int64_t first = inner_begin_, last = inner_end_;
      if (!merged_) {
        first = offset < 0 ? CeilDiv(-offset, s.stride_w) : 0;
        last = s.in_w > offset ? (s.in_w - 1 - offset) / s.stride_w + 1 : 0;
      }
      const int64_t inner = std::clamp<int64_t>(first - column, 0, columns),
                    outer = std::clamp<int64_t>(last - column, inner, columns);
      const float* edge = edges + (image * s.in_h + y) * edge_count * product_.depth;
      for (int64_t j = 0; j < inner; ++j) at[j] = merged_ ? edge + (column + j) * product_.depth : zeros;
      const float* x = in + ((image * s.in_h + y) * s.in_w + (column + inner) * s.stride_w + offset) * s.in_c;
      FillSeries(x, step, outer - inner, at + inner);
      for (int64_t j = outer; j < columns; ++j) {
        at[j] = merged_ ? edge + (column + j - inner_end_ + inner_begin_) * product_.depth : zeros;
      }
    }
    i += columns;
  }
}

const float* Conv2dPlan::Prepare(const float* in, float* scratch, ThreadPool& pool) const {
  if (sparse_c_ > 0) {
    RoundSparse(in, scratch, pool);
    return scratch;
  }
  if (round_ > 0) {
    constexpr int64_t kPart = 4096;
    RoundToBf16(in, kPart, round_ / kPart, kPart, scratch, pool);
    const int64_t done = round_ / kPart * kPart;
    RoundToBf16(in + done, 0, 1, round_ - done, scratch + done / 2, pool);
    return scratch;
  }
  if (scratch_floats_ > 0) CopyEdges(in, scratch, pool);
  return in;
}

void Conv2dPlan::RunPixels(const float* prepared, const PackedFilter& filter, const Epilogue& epilogue, float* out, const float* scratch,
                           int64_t begin, int64_t end) const {
  const auto fill = [&](int64_t first, int64_t rows, int tap_begin, int tap_end, const float** to) {
    FillRows(prepared, scratch, begin + first, rows, tap_begin, tap_end, to);
  };
  product_.RunBlock(filter.parts[0], epilogue, out, shape_.out_c, fill, {0, end - begin, 0, layout_.panels()});
}

void Conv2dPlan::Run(const float* in, const PackedFilter& filter, const Epilogue& epilogue, float* out, float* scratch,
                     ThreadPool& pool) const {
  if (winograd_ != nullptr) return winograd_->Run(in, filter.parts[0], epilogue, out, scratch, pool);
  if (product_.m == 0 || layout_.n == 0) return;
  in = Prepare(in, scratch, pool);
  const auto run = [&](int64_t group, ThreadPool& threads) {
    const Epilogue part = EpilogueAt(epilogue, 0, group * layout_.n);
    const float* from = in + group * (shape_.in_c / shape_.groups);
    product_.Run(
        filter.parts[group], part, out + group * layout_.n, shape_.out_c,
        [&](int64_t begin, int64_t rows, int tap_begin, int tap_end, const float** to) {
          FillRows(from, scratch, begin, rows, tap_begin, tap_end, to);
        },
        threads);
  };
  if (shape_.groups == 1) return run(0, pool);
  // Groups are small: each runs whole on one thread, or all are shared one after the other.
  if (shape_.groups < pool.num_threads()) {
    for (int64_t group = 0; group < shape_.groups; ++group) run(group, pool);
    return;
  }
  const int64_t work = product_.m * layout_.floats();
  pool.ParallelFor(shape_.groups, 500000 / std::max<int64_t>(work, 1) + 1, [&](int64_t begin, int64_t end) {
    CallerOnly caller;
    for (int64_t group = begin; group < end; ++group) run(group, caller);
  });
}

}  // namespace savedmodel
