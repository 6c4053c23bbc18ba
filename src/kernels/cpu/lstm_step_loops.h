// The step of lstm_step.h, compiled once per instruction set: the four gates of a group of units are summed in registers,
// activated and used at once, while the weights of the next group are on their way.
#ifndef SAVEDMODEL_KERNELS_CPU_LSTM_STEP_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_LSTM_STEP_LOOPS_H_

#include "kernels/cpu/lstm_step_kernels.h"
#include "kernels/cpu/simd_math.h"

namespace savedmodel {
namespace {

// Sums of one row alone are too few to hide the latency of the multiply-add: even and odd rows of U have their own.
template <int kRows>
SM_INLINE void SumGates(const LstmStepJob& job, const float* u, F (&sum)[kRows][4]) {
  constexpr int kSets = kRows == 1 ? 2 : 1;
  F part[kSets][kRows][4];
#pragma GCC unroll 32
  for (int i = 0; i < kSets * kRows * 4; ++i) part[i / (kRows * 4)][i / 4 % kRows][i % 4] = Zero();
  const auto step = [&](int64_t k, F(&to)[kRows][4]) __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const F h = Set(job.h[r * job.units + k]);
#pragma GCC unroll 4
      for (int g = 0; g < 4; ++g) to[r][g] = Fma(h, Load(u + (k * 4 + g) * kLanes), to[r][g]);
    }
  };
  int64_t k = 0;
  for (; k + kSets <= job.units; k += kSets) {
#pragma GCC unroll 2
    for (int s = 0; s < kSets; ++s) step(k + s, part[s]);
  }
  for (; k < job.units; ++k) step(k, part[0]);
#pragma GCC unroll 16
  for (int i = 0; i < kRows * 4; ++i) sum[i / 4][i % 4] = kSets == 2 ? part[0][i / 4][i % 4] + part[kSets - 1][i / 4][i % 4] : part[0][i / 4][i % 4];
}

template <int kRows>
void LstmStepRows(const LstmStepJob& job) {
  const int64_t groups = job.group_end - job.group_begin;
  for (int64_t i = 0; i < groups; ++i) {
    const int64_t group = job.backward ? job.group_end - 1 - i : job.group_begin + i, at = group * kLanes;
    const int lanes = static_cast<int>(job.units - at < kLanes ? job.units - at : kLanes);
    F sum[kRows][4];
    SumGates<kRows>(job, job.u + group * job.units * 4 * kLanes, sum);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int g = 0; g < 4; ++g) sum[r][g] = sum[r][g] + LoadPartial(job.z[g] + r * job.z_row + at, lanes);
      float* c = job.c + r * job.units + at;
      const F in = Sigmoid(sum[r][0]), forget = Sigmoid(sum[r][1]), candidate = Tanh(sum[r][2]), output = Sigmoid(sum[r][3]);
      const F state = Fma(forget, LoadPartial(c, lanes), in * candidate);
      StorePartial(c, state, lanes);
      StorePartial(job.out + r * job.units + at, output * Tanh(state), lanes);
    }
  }
}

constexpr int kMostRows = kRegisters == 32 ? 4 : 2;

void LstmStepRun(const LstmStepJob& job) {
  switch (job.rows) {
    case 1: return LstmStepRows<1>(job);
    case 2: return LstmStepRows<2>(job);
#if defined(__AVX512F__)
    case 3: return LstmStepRows<3>(job);
    case 4: return LstmStepRows<4>(job);
#endif
  }
}

constexpr LstmStepKernels kLstmStepHere = {kLanes, kMostRows, LstmStepRun};

}  // namespace
}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_LSTM_STEP_LOOPS_H_
