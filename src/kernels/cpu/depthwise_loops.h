// The depthwise convolution's inner loops, compiled once per instruction set.
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_

#include "kernels/cpu/depthwise_kernels.h"
#include "kernels/cpu/simd_epilogue.h"

namespace savedmodel {
namespace {

constexpr int kMaxPixels = kRegisters == 32 ? 8 : 6;
constexpr int64_t kBlockChannels = 128;

template <bool kPartial>
SM_INLINE F LoadLanes(const float* p, int lanes) {
  return kPartial ? LoadPartial(p, lanes) : Load(p);
}

// Else the compiler would load the number again for every use.
SM_INLINE void KeepInRegister(F& v) {
#if defined(__x86_64__)
  __asm__("" : "+v"(v));
#else
  (void)v;
#endif
}

// What is done to sums in registers. Other activations run over finished numbers, a block of channels at a time.
enum class Finish { kClamp, kSwish, kHardSwish };

template <Finish kFinish>
SM_INLINE F Finished(F v, F low, F high) {
  if constexpr (kFinish == Finish::kSwish) return Swish(v);
  if constexpr (kFinish == Finish::kHardSwish) return HardSwish(v);
  return Clamp(v, low, high);
}

// One vector of channels of kPixels pixels. With kWidth > 0 the kernel is that wide and pixels are kStride taps apart: each
// number is loaded once for all pixels that need it.
template <int kPixels, int kWidth, int kStride, bool kPartial, Finish kFinish>
SM_INLINE void RunVector(const DepthwiseJob& job, const float* in, const float* filter, const float* bias, const float* residual,
                         float* out, float* sums, int lanes, F low, F high) {
  F sum[kPixels];
  const F start = bias != nullptr ? LoadLanes<kPartial>(bias, lanes) : Zero();
#pragma GCC unroll 8
  for (int i = 0; i < kPixels; ++i) sum[i] = start;
  for (int y = 0; y < job.taps_h; ++y, in += job.in_row, filter += job.filter_row) {
    if constexpr (kWidth > 0) {
      F weight[kWidth];
#pragma GCC unroll 8
      for (int x = 0; x < kWidth; ++x) weight[x] = LoadLanes<kPartial>(filter + x * job.filter_column, lanes);
      const float* at = in;
#pragma GCC unroll 32
      for (int x = 0; x < (kPixels - 1) * kStride + kWidth; ++x, at += job.in_column) {
        F v = LoadLanes<kPartial>(at, lanes);
        KeepInRegister(v);
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i) {
          if (x >= i * kStride && x < i * kStride + kWidth) sum[i] = Fma(v, weight[x - i * kStride], sum[i]);
        }
      }
    } else {
      for (int x = 0; x < job.taps_w; ++x) {
        const F weight = LoadLanes<kPartial>(filter + x * job.filter_column, lanes);
        const float* at = in + x * job.in_column;
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i, at += job.in_pixel) sum[i] = Fma(LoadLanes<kPartial>(at, lanes), weight, sum[i]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kPixels; ++i) {
    F v = sum[i];
    if (residual != nullptr) v = v + LoadLanes<kPartial>(residual + i * job.epilogue.residual_stride, lanes);
    sum[i] = v = Finished<kFinish>(v, low, high);
    if (kPartial) {
      StorePartial(out + i * job.out_pixel, v, lanes);
    } else {
      Store(out + i * job.out_pixel, v);
    }
  }
  if (sums == nullptr) return;
  F total = LoadLanes<kPartial>(sums, lanes);
#pragma GCC unroll 8
  for (int i = 0; i < kPixels; ++i) total = total + sum[i];
  if (kPartial) {
    StorePartial(sums, total, lanes);
  } else {
    Store(sums, total);
  }
}

template <int kPixels, Finish kFinish>
void RunTail(const DepthwiseJob& job, const float* in, const float* residual, float* out, float* sums, int64_t c, int lanes, F low, F high) {
  const float* bias = job.epilogue.bias;
  RunVector<kPixels, 0, 0, true, kFinish>(job, in + c, job.filter + c, bias != nullptr ? bias + c : nullptr,
                                          residual != nullptr ? residual + c : nullptr, out + c, sums != nullptr ? sums + c : nullptr, lanes, low, high);
}

// Channels [c, end) of kPixels pixels.
template <Finish kFinish, int kPixels, int kWidth, int kStride>
void RunPixels(const DepthwiseJob& job, const float* in, const float* residual, float* out, float* sums, int64_t c, int64_t end) {
  const float* bias = job.epilogue.bias;
  const F low = Set(LowestOutput(job.epilogue)), high = Set(HighestOutput(job.epilogue));
  for (; c + kLanes <= end; c += kLanes) {
    RunVector<kPixels, kWidth, kStride, false, kFinish>(job, in + c, job.filter + c, bias != nullptr ? bias + c : nullptr,
                                                        residual != nullptr ? residual + c : nullptr, out + c, sums != nullptr ? sums + c : nullptr, kLanes,
                                                        low, high);
  }
  if (c < end) RunTail<kPixels, kFinish>(job, in, residual, out, sums, c, static_cast<int>(end - c), low, high);
}

using PixelsFunction = void (*)(const DepthwiseJob& job, const float* in, const float* residual, float* out, float* sums, int64_t c, int64_t end);

template <Finish kFinish, int kWidth, int kStride>
struct PixelsTable {
  static constexpr PixelsFunction kRun[9] = {nullptr,
                                             RunPixels<kFinish, 1, kWidth, kStride>,
                                             RunPixels<kFinish, 2, kWidth, kStride>,
                                             RunPixels<kFinish, 3, kWidth, kStride>,
                                             RunPixels<kFinish, 4, kWidth, kStride>,
                                             RunPixels<kFinish, 5, kWidth, kStride>,
                                             RunPixels<kFinish, 6, kWidth, kStride>,
                                             RunPixels<kFinish, kRegisters == 32 ? 7 : 1, kWidth, kStride>,
                                             RunPixels<kFinish, kRegisters == 32 ? 8 : 1, kWidth, kStride>};
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

// For kernels 3 or 5 wide over neighbouring pixels.
template <Finish kFinish>
const PixelsFunction* AdjacentPixels(const DepthwiseJob& job) {
  const bool unit = job.in_column == job.in_pixel;
  if (job.taps_w == 3) return unit ? PixelsTable<kFinish, 3, 1>::kRun : PixelsTable<kFinish, 3, 2>::kRun;
  return unit ? PixelsTable<kFinish, 5, 1>::kRun : PixelsTable<kFinish, 5, 2>::kRun;
}

void RunDepthwise(const DepthwiseJob& job) {
  const Activation activation = job.epilogue.activation;
  const PixelsFunction* run = PixelsTable<Finish::kClamp, 0, 0>::kRun;
  bool in_registers = IsClamp(job.epilogue);
  if (job.adjacent && (job.taps_w == 3 || job.taps_w == 5)) {
    run = activation == Activation::kSwish       ? AdjacentPixels<Finish::kSwish>(job)
          : activation == Activation::kHardSwish ? AdjacentPixels<Finish::kHardSwish>(job)
                                                 : AdjacentPixels<Finish::kClamp>(job);
    in_registers = in_registers || activation == Activation::kSwish || activation == Activation::kHardSwish;
  }
  const int64_t block = in_registers ? job.channels : kBlockChannels;
  const int64_t tiles = (job.pixels + kMaxPixels - 1) / kMaxPixels;
  for (int64_t tile = 0, at = 0; tile < tiles; ++tile) {
    const int64_t pixels = job.pixels / tiles + (tile < job.pixels % tiles ? 1 : 0);
    const float* residual =
        job.epilogue.residual != nullptr ? job.epilogue.residual + at * job.epilogue.residual_stride : nullptr;
    float* out = job.out + at * job.out_pixel;
    for (int64_t c = 0; c < job.channels; c += block) {
      const int64_t end = c + block < job.channels ? c + block : job.channels;
      run[pixels](job, job.in + at * job.in_pixel, residual, out, in_registers ? job.sums : nullptr, c, end);
      if (in_registers) continue;
      Activate(job.epilogue, out + c, job.out_pixel, pixels, static_cast<int>(end - c));
      if (job.sums != nullptr) AddPixels(out + c, job.out_pixel, pixels, end - c, job.sums + c);
    }
    at += pixels;
  }
}

constexpr DepthwiseKernels kDepthwiseHere = {kLanes, RunDepthwise, AddPixels};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_LOOPS_H_
