// What a matrix product or convolution does to its sums before they leave the registers.
#ifndef SAVEDMODEL_KERNELS_CPU_EPILOGUE_H_
#define SAVEDMODEL_KERNELS_CPU_EPILOGUE_H_

#include <stdint.h>

namespace savedmodel {

enum class Activation {
  kNone,
  kRelu,
  kRelu6,
  kLeakyRelu,  // slope alpha below 0
  kElu,        // alpha * (e^x - 1) below 0
  kSigmoid,
  kTanh,
  kSwish,      // x * sigmoid(x)
  kHardSwish,  // x * min(max(x/6 + 1/2, 0), 1)
  kGeluErf,
  kGeluTanh,
};

// out = activation(sum * scale + bias + residual)
struct Epilogue {
  const float* scale = nullptr;     // one per output column (channel), or null; float products and convolutions alone have it
  const float* bias = nullptr;      // one per output column (channel), or null
  const float* residual = nullptr;  // as large as the output, or null; may be the output's own memory
  int64_t residual_stride = 0;      // floats from row to row
  Activation activation = Activation::kNone;
  float alpha = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_EPILOGUE_H_
