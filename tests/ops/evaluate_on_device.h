// Runs one op on a device without a session: what OpCase does on the CPU.
#ifndef SAVEDMODEL_TESTS_OPS_EVALUATE_ON_DEVICE_H_
#define SAVEDMODEL_TESTS_OPS_EVALUATE_ON_DEVICE_H_

#include <memory>
#include <vector>

#include "savedmodel/device.h"

namespace savedmodel {

// Unimplemented where the device has no kernel for the op, its dtypes or its attributes. Tensors are in host memory.
absl::StatusOr<std::vector<Tensor>> EvaluateOnDevice(const OpDef& op, const Attributes& attributes, const std::vector<Tensor>& inputs, SessionState& state,
                                                     ThreadPool& pool, Device& device);

// The GPU of the plug-in SAVEDMODEL_CUDA_PLUGIN if that is set, else the emulated one.
Device& TestDevice();

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_OPS_EVALUATE_ON_DEVICE_H_
