#include "kernels/cpu/lstm_step_loops.h"

namespace savedmodel {
extern const LstmStepKernels kLstmStepAvx512 = kLstmStepHere;
}  // namespace savedmodel
