// Chains of elementwise functions in one kernel: a small program that every thread goes through for its elements.
#ifndef SAVEDMODEL_KERNELS_CUDA_CHAIN_H_
#define SAVEDMODEL_KERNELS_CUDA_CHAIN_H_

#include "kernels/cuda/elementwise.h"

namespace savedmodel::cuda {

inline constexpr int kChainInputs = 8, kChainSteps = 40, kChainPlaces = 8;

// A place holds one value. kLoad: place `to` = input `a`. kUnary: to = op(place a). kBinary: to = op(place a, place b).
// kBinaryLeft: to = op(value, place b); kBinaryRight: to = op(place a, value).
struct ChainStep {
  enum class Kind : uint8_t { kLoad, kUnary, kBinary, kBinaryLeft, kBinaryRight };
  Kind kind = Kind::kLoad;
  uint8_t op = 0;  // a Unary or a Binary
  uint8_t a = 0, b = 0, to = 0;
  float value = 0;  // the constant; of a Unary its alpha
};

// The result is the place of the last step. Inputs are read by their steps in the dimensions of the result.
struct Chain {
  int steps = 0, inputs = 0;
  ChainStep step[kChainSteps];
  int rank = 0;
  int64_t count = 1;
  int64_t dims[kMaxDims] = {};
  int64_t input_steps[kChainInputs][kMaxDims] = {};
};

// kFloat, kHalf, kBFloat16. `out` may be an input that is as large as it.
int RunChain(void* stream, Element type, const Chain& chain, const void* const* inputs, void* out);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_CHAIN_H_
