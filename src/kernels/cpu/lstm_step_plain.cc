#include "kernels/cpu/lstm_step_loops.h"

namespace savedmodel {
extern const LstmStepKernels kLstmStepPlain = kLstmStepHere;
}  // namespace savedmodel
