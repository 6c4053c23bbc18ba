// Depthwise kernels three wide, in one sweep over a row. Include only from files that simd.h allows.
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_SWEEP_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_SWEEP_H_

#include "kernels/cpu/depthwise_kernels.h"
#include "kernels/cpu/simd_epilogue.h"

namespace savedmodel {
namespace {

// Else the compiler would load the number again for every use.
SM_INLINE void KeepInRegister(F& v) {
#if defined(__x86_64__)
  __asm__("" : "+v"(v));
#else
  (void)v;
#endif
}

// sums[i] += total[i] from lane `first` on.
SM_INLINE void AddLanes(F total, int first, float* sums) {
  if (first == 0) return Store(sums, Load(sums) + total);
  float lanes[kLanes];
  Store(lanes, total);
  for (int i = first; i < kLanes; ++i) sums[i] += lanes[i];
}

// A whole row of a kernel three wide, one vector of channels after the other: weights and the columns that two pixels share stay
// in registers, and each pixel loads only the kStride columns that are new. What lies beside the image is zeros.
template <int kTapsH, int kStride>
void SweepRow(const DepthwiseJob& given) {
  const DepthwiseJob job = given;  // no store can change it
  const F low = Set(LowestOutput(job.epilogue)), high = Set(HighestOutput(job.epilogue));
  const int64_t pixels = job.pixels, columns = job.columns, step = job.in_column;
  int repeated = 0;
  for (int64_t c = 0; c < job.channels; c += kLanes) {
    if (c + kLanes > job.channels) {  // the last vector repeats some of the one before
      repeated = static_cast<int>(c + kLanes - job.channels);
      c = job.channels - kLanes;
    }
    F weight[kTapsH][3], v[kTapsH][3], total = Zero();
    const F start = job.epilogue.bias != nullptr ? Load(job.epilogue.bias + c) : Zero();
    int64_t column = job.first_column;
    const float* in = job.in + c;
    float* out = job.out + c;
#pragma GCC unroll 4
    for (int y = 0; y < kTapsH; ++y) {
#pragma GCC unroll 4
      for (int x = 0; x < 3; ++x) {
        weight[y][x] = Load(job.filter + c + y * job.filter_row + x * job.filter_column);
        KeepInRegister(weight[y][x]);
      }
    }
    int64_t at = column * step;
    const auto load_next = [&](int x) __attribute__((always_inline)) {
      const bool inside = static_cast<uint64_t>(column) < static_cast<uint64_t>(columns);
#pragma GCC unroll 4
      for (int y = 0; y < kTapsH; ++y) v[y][x] = inside ? Load(in + at + y * job.in_row) : Zero();
      ++column;
      at += step;
    };
#pragma GCC unroll 4
    for (int x = kStride; x < 3; ++x) load_next(x);
    for (int64_t i = 0; i < pixels; ++i, out += job.out_pixel) {
#pragma GCC unroll 4
      for (int x = 0; x < 3 - kStride; ++x) {
#pragma GCC unroll 4
        for (int y = 0; y < kTapsH; ++y) v[y][x] = v[y][x + kStride];
      }
#pragma GCC unroll 4
      for (int x = 3 - kStride; x < 3; ++x) load_next(x);
      F sum = start;
#pragma GCC unroll 4
      for (int y = 0; y < kTapsH; ++y) {
#pragma GCC unroll 4
        for (int x = 0; x < 3; ++x) sum = Fma(v[y][x], weight[y][x], sum);
      }
      sum = Clamp(sum, low, high);
      Store(out, sum);
      total = total + sum;
    }
    if (job.sums != nullptr) AddLanes(total, repeated, job.sums + c);
  }
}

using SweepFunction = void (*)(const DepthwiseJob& job);

// Null where tiles of pixels do the row: longer activations keep the ports busy anyway.
SweepFunction SweepFor(const DepthwiseJob& job) {
  if (kRegisters < 32 || !job.shared || job.taps_w != 3 || job.channels < kLanes || job.epilogue.residual != nullptr || !IsClamp(job.epilogue)) return nullptr;
  const bool unit = job.in_column == job.in_pixel;
  if (job.taps_h == 3) return unit ? SweepRow<3, 1> : SweepRow<3, 2>;
  if (job.taps_h == 2) return unit ? SweepRow<2, 1> : SweepRow<2, 2>;
  return nullptr;
}

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_SWEEP_H_
