// Trying out the ways that cuBLASLt and cuDNN offer, on the device itself.
#ifndef SAVEDMODEL_OPS_CUDA_TRIAL_H_
#define SAVEDMODEL_OPS_CUDA_TRIAL_H_

#include <memory>

#include "devices/cuda/gpu_device.h"
#include "kernels/cuda/libraries.h"

namespace savedmodel {

// A trial with a stream of its own and memory out of the device's; null unless the device was opened with autotune.
std::unique_ptr<cuda::Trial> MakeTrial(GpuDevice& device);

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_CUDA_TRIAL_H_
