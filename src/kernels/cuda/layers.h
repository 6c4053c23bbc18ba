// Layers of networks that our passes put together: layer normalisation, a step of an LSTM.
#ifndef SAVEDMODEL_KERNELS_CUDA_LAYERS_H_
#define SAVEDMODEL_KERNELS_CUDA_LAYERS_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

// Each row of `count`: (x - mean) / sqrt(variance + epsilon) * gamma + beta; gamma and beta may be null. kFloat, kHalf, kBFloat16.
int RunLayerNorm(void* stream, Element type, int64_t rows, int64_t count, const void* x, const void* gamma, const void* beta, float epsilon, void* out);

// One step of an LSTM: `gates` says which quarter of each row of z [batch, 4 units] are the input, forget, candidate and
// output gates. c [batch, units] becomes the new state; h, and `also` where it is not null, get the output.
struct LstmGates {
  int of[4] = {0, 1, 2, 3};
};
int RunLstmCell(void* stream, int64_t batch, int64_t units, const LstmGates& gates, const float* z, float* c, float* h, float* also);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_LAYERS_H_
