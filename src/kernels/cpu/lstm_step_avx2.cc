#include "kernels/cpu/lstm_step_loops.h"

namespace savedmodel {
extern const LstmStepKernels kLstmStepAvx2 = kLstmStepHere;
}  // namespace savedmodel
