// What each instruction set provides for lstm_step.h. Free of inline functions (see simd.h).
#ifndef SAVEDMODEL_KERNELS_CPU_LSTM_STEP_KERNELS_H_
#define SAVEDMODEL_KERNELS_CPU_LSTM_STEP_KERNELS_H_

#include <stdint.h>

namespace savedmodel {

// One step of a few sequences, for some of the units. Groups are as many units as a vector has lanes.
struct LstmStepJob {
  const float* u;  // packed: group, then row of U, then gate i f g o, then lane
  int64_t units;
  int64_t group_begin, group_end;
  bool backward;        // takes the last group first: what the last step used last is still in the first cache
  const float* z[4];    // what is added to h U, gates i f g o of the first row
  int64_t z_row;        // floats to the next row's
  const float* h;       // before the step, [rows, units] without gaps
  float* c;             // likewise; in and out
  float* out;           // h after the step; may not overlap h
  int rows;             // 1 ... max_rows
};

struct LstmStepKernels {
  int lanes, max_rows;
  void (*run)(const LstmStepJob&);
};

extern const LstmStepKernels kLstmStepPlain;
#if defined(__x86_64__)
extern const LstmStepKernels kLstmStepAvx2;
extern const LstmStepKernels kLstmStepAvx512;
#endif

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_LSTM_STEP_KERNELS_H_
