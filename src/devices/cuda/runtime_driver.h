// CUDA's own functions.
#ifndef SAVEDMODEL_DEVICES_CUDA_RUNTIME_DRIVER_H_
#define SAVEDMODEL_DEVICES_CUDA_RUNTIME_DRIVER_H_

#include "devices/cuda/driver.h"

namespace savedmodel {

// Works without a driver: its functions then say so.
const CudaDriver& RuntimeDriver();

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_RUNTIME_DRIVER_H_
