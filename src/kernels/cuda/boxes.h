// Non-maximum suppression.
#ifndef SAVEDMODEL_KERNELS_CUDA_BOXES_H_
#define SAVEDMODEL_KERNELS_CUDA_BOXES_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

// Boxes [count, 4] by falling score (ties: the lower index first), each taken unless it overlaps one taken before by more
// than `overlap`; only scores above `score`, at most `limit`. `alive` is scratch memory of `count` bytes. `selected` gets the
// indices, zeros behind them, and `number` how many there are.
int RunNonMaxSuppression(void* stream, int64_t count, const float* boxes, const float* scores, float overlap, float score, int64_t limit, uint8_t* alive,
                         int32_t* selected, int32_t* number);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_BOXES_H_
