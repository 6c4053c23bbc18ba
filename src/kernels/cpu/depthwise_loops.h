// The depthwise convolution's inner loops, compiled once per instruction set.
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_

#include "kernels/cpu/depthwise_kernels.h"
#include "kernels/cpu/depthwise_sweep.h"

namespace savedmodel {
namespace {

constexpr int kMaxPixels = kRegisters == 32 ? 8 : 6;
constexpr int64_t kBlockChannels = 128;

// What is done to sums in registers. Other activations run over finished numbers, a block of channels at a time.
enum class Finish { kClamp, kSwish, kHardSwish };

struct Limits {
  F low, high;
};

template <int kPixels>
SM_INLINE void FinishSums(Finish finish, const Limits& limits, F (&sum)[kPixels]) {
  switch (finish) {
    case Finish::kClamp:
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) sum[i] = Clamp(sum[i], limits.low, limits.high);
      return;
    case Finish::kSwish:
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) sum[i] = Swish(sum[i]);
      return;
    case Finish::kHardSwish:
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) sum[i] = HardSwish(sum[i]);
      return;
  }
}

// Where the pixels of a tile lie.
struct Place {
  const float* in;       // what the first tap of the first pixel reads; with shared taps: column 0 of the image
  int64_t from;          // shared taps: floats from there to the first tap of the first pixel
  uint32_t inside;       // shared taps: whether column i from the first tap on is inside the image
  const float* residual;
  float* out;
  float* sums;
};

// Adds the taps of one vector of channels. With kWidth > 0 the kernel is that wide and pixels are kStride taps apart: each number
// is loaded once for all pixels that need it.
template <int kPixels, int kWidth, int kStride, bool kInside>
SM_INLINE void AddTaps(const DepthwiseJob& job, const Place& place, const float* in, const float* filter, F (&sum)[kPixels]) {
  for (int y = 0; y < job.taps_h; ++y, in += job.in_row, filter += job.filter_row) {
    if constexpr (kWidth > 0) {
      F weight[kWidth];
#pragma GCC unroll 8
      for (int x = 0; x < kWidth; ++x) weight[x] = Load(filter + x * job.filter_column);
      int64_t at = place.from;
#pragma GCC unroll 32
      for (int x = 0; x < (kPixels - 1) * kStride + kWidth; ++x, at += job.in_column) {
        asm("" : "+r"(at));  // else every column's offset would be kept, more of them than there are registers
        if (!kInside && (place.inside >> x & 1) == 0) continue;
        F v = Load(in + at);
        KeepInRegister(v);
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i) {
          if (x >= i * kStride && x < i * kStride + kWidth) sum[i] = Fma(v, weight[x - i * kStride], sum[i]);
        }
      }
    } else {
      for (int x = 0; x < job.taps_w; ++x) {
        const F weight = Load(filter + x * job.filter_column);
        const float* at = in + x * job.in_column;
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i, at += job.in_pixel) sum[i] = Fma(Load(at), weight, sum[i]);
      }
    }
  }
}

// The last channels, fewer than a vector, of one pixel: `from` and `inside` are the pixel's.
SM_INLINE F AddTapsPartial(const DepthwiseJob& job, const float* in, int64_t from, uint32_t inside, const float* filter, int lanes, F sum) {
  for (int y = 0; y < job.taps_h; ++y, in += job.in_row, filter += job.filter_row) {
    for (int x = 0; x < job.taps_w; ++x) {
      if (job.shared && (inside >> x & 1) == 0) continue;
      sum = Fma(LoadPartial(in + from + x * job.in_column, lanes), LoadPartial(filter + x * job.filter_column, lanes), sum);
    }
  }
  return sum;
}

void RunTail(const DepthwiseJob& job, const Place& place, int pixels, Finish finish, const Limits& limits, int64_t c, int lanes) {
  const F start = job.epilogue.bias != nullptr ? LoadPartial(job.epilogue.bias + c, lanes) : Zero();
  F total = place.sums != nullptr ? LoadPartial(place.sums + c, lanes) : Zero();
  const int64_t stride = job.shared ? job.in_pixel / job.in_column : 0;
  for (int i = 0; i < pixels; ++i) {
    F sum[1] = {AddTapsPartial(job, place.in + c, place.from + i * job.in_pixel, place.inside >> i * stride, job.filter + c, lanes, start)};
    if (place.residual != nullptr) sum[0] = sum[0] + LoadPartial(place.residual + i * job.epilogue.residual_stride + c, lanes);
    FinishSums(finish, limits, sum);
    StorePartial(place.out + i * job.out_pixel + c, sum[0], lanes);
    total = total + sum[0];
  }
  if (place.sums != nullptr) StorePartial(place.sums + c, total, lanes);
}

// Channels [c, end) of kPixels pixels. Where they are no multiple of a vector the last vector repeats some of the one before;
// not so if a residual, which may lie where the output goes, would then be added twice.
template <int kPixels, int kWidth, int kStride>
void RunPixels(const DepthwiseJob& job, const Place& place, Finish finish, int64_t c, int64_t end) {
  const Limits limits = {Set(LowestOutput(job.epilogue)), Set(HighestOutput(job.epilogue))};
  constexpr int kColumns = (kPixels - 1) * kStride + kWidth;
  const bool inside = kWidth == 0 || (~place.inside & ((1u << kColumns) - 1)) == 0;
  const bool repeat = end - c >= kLanes && place.residual == nullptr;
  int repeated = 0;
  for (int64_t next; c < end; c = next) {
    next = c + kLanes;
    if (next > end) {
      if (!repeat) return RunTail(job, place, kPixels, finish, limits, c, static_cast<int>(end - c));
      repeated = static_cast<int>(next - end);
      c = end - kLanes;
      next = end;
    }
    F sum[kPixels];
    const F start = job.epilogue.bias != nullptr ? Load(job.epilogue.bias + c) : Zero();
#pragma GCC unroll 8
    for (int i = 0; i < kPixels; ++i) sum[i] = start;
    if (inside) {
      AddTaps<kPixels, kWidth, kStride, true>(job, place, place.in + c, job.filter + c, sum);
    } else {
      AddTaps<kPixels, kWidth, kStride, kWidth == 0>(job, place, place.in + c, job.filter + c, sum);
    }
    if (place.residual != nullptr) {
#pragma GCC unroll 8
      for (int i = 0; i < kPixels; ++i) sum[i] = sum[i] + Load(place.residual + i * job.epilogue.residual_stride + c);
    }
    FinishSums(finish, limits, sum);
#pragma GCC unroll 8
    for (int i = 0; i < kPixels; ++i) Store(place.out + i * job.out_pixel + c, sum[i]);
    if (place.sums != nullptr) {
      F total = sum[0];
#pragma GCC unroll 8
      for (int i = 1; i < kPixels; ++i) total = total + sum[i];
      AddLanes(total, repeated, place.sums + c);
    }
  }
}

using PixelsFunction = void (*)(const DepthwiseJob& job, const Place& place, Finish finish, int64_t c, int64_t end);

template <int kWidth, int kStride>
struct PixelsTable {
  static constexpr PixelsFunction kRun[9] = {nullptr,
                                             RunPixels<1, kWidth, kStride>,
                                             RunPixels<2, kWidth, kStride>,
                                             RunPixels<3, kWidth, kStride>,
                                             RunPixels<4, kWidth, kStride>,
                                             RunPixels<5, kWidth, kStride>,
                                             RunPixels<6, kWidth, kStride>,
                                             RunPixels<kRegisters == 32 ? 7 : 1, kWidth, kStride>,
                                             RunPixels<kRegisters == 32 ? 8 : 1, kWidth, kStride>};
};

void AddPixels(const float* out, int64_t pixel, int64_t pixels, int64_t channels, float* sums) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    F sum = Load(sums + c);
    for (int64_t i = 0; i < pixels; ++i) sum = sum + Load(out + i * pixel + c);
    Store(sums + c, sum);
  }
  for (; c < channels; ++c) {
    for (int64_t i = 0; i < pixels; ++i) sums[c] += out[i * pixel + c];
  }
}

const PixelsFunction* PixelsFor(const DepthwiseJob& job) {
  if (!job.shared) return PixelsTable<0, 0>::kRun;
  const bool unit = job.in_column == job.in_pixel;
  if (job.taps_w == 3) return unit ? PixelsTable<3, 1>::kRun : PixelsTable<3, 2>::kRun;
  return unit ? PixelsTable<5, 1>::kRun : PixelsTable<5, 2>::kRun;
}

// Bits [0, n), as far as there are.
SM_INLINE uint32_t BitsBelow(int64_t n) { return n <= 0 ? 0 : n >= 32 ? ~0u : (1u << n) - 1; }

void RunDepthwise(const DepthwiseJob& job) {
  if (const SweepFunction sweep = SweepFor(job); sweep != nullptr) return sweep(job);
  const PixelsFunction* run = PixelsFor(job);
  const Activation activation = job.epilogue.activation;
  const Finish finish = activation == Activation::kSwish ? Finish::kSwish : activation == Activation::kHardSwish ? Finish::kHardSwish : Finish::kClamp;
  const bool in_registers = IsClamp(job.epilogue) || finish != Finish::kClamp;
  const int64_t block = in_registers ? job.channels : kBlockChannels;
  const int64_t tiles = (job.pixels + kMaxPixels - 1) / kMaxPixels;
  for (int64_t tile = 0, at = 0; tile < tiles; ++tile) {
    const int64_t pixels = job.pixels / tiles + (tile < job.pixels % tiles ? 1 : 0);
    Place place;
    place.in = job.in;
    if (job.shared) {
      const int64_t column = job.first_column + at * (job.in_pixel / job.in_column);
      place.from = column * job.in_column;
      place.inside = BitsBelow(job.columns - column) & ~BitsBelow(-column);
    } else {
      place.in += at * job.in_pixel;
      place.from = 0;
      place.inside = 0;
    }
    place.residual = job.epilogue.residual != nullptr ? job.epilogue.residual + at * job.epilogue.residual_stride : nullptr;
    place.out = job.out + at * job.out_pixel;
    place.sums = in_registers ? job.sums : nullptr;
    for (int64_t c = 0; c < job.channels; c += block) {
      const int64_t end = c + block < job.channels ? c + block : job.channels;
      run[pixels](job, place, finish, c, end);
      if (in_registers) continue;
      Activate(job.epilogue, place.out + c, job.out_pixel, pixels, static_cast<int>(end - c));
      if (job.sums != nullptr) AddPixels(place.out + c, job.out_pixel, pixels, end - c, job.sums + c);
    }
    at += pixels;
  }
}

constexpr DepthwiseKernels kDepthwiseHere = {kLanes, RunDepthwise, AddPixels};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_
