// A GPU that is not there: device memory is host memory filled with NaN, streams are lists of work that is done when somebody
// waits for it and not before, and our .cu kernels run as plain loops. It is stricter than a real one: work that nobody
// waited for has not happened, freed memory is spoilt at once, copies outside of known memory are an error.
#ifndef SAVEDMODEL_TESTS_CUDA_EMULATED_GPU_H_
#define SAVEDMODEL_TESTS_CUDA_EMULATED_GPU_H_

#include <cstdint>
#include <memory>

#include "devices/cuda/gpu_device.h"

namespace savedmodel {

struct EmulatedCounts {
  int64_t allocations = 0, live_bytes = 0, streams = 0, pinned = 0;
  int64_t to_device = 0, to_host = 0, on_device = 0;  // copies
  int64_t kernels = 0;                                // asked for directly
  int64_t recordings = 0, replays = 0, live_graphs = 0;
  int64_t plans = 0, trials = 0;                      // made by the libraries' stand-ins
  int64_t bad_copies = 0;                             // that touched memory which is not there
};

// What is to go wrong, as CUDA's error numbers; 0: nothing.
struct EmulatedFaults {
  int driver_version = 13000, device_count_error = 0, device_count = 2, capability = 9;
  int allocate_error = 0, synchronize_error = 0, capture_error = 0;
  int64_t memory = int64_t{1} << 34;
};

const CudaDriver& EmulatedDriver();
EmulatedCounts& Counts();
EmulatedFaults& Faults();

// A device with all kernels, and with stand-ins for cuBLASLt and cuDNN if `libraries`.
absl::StatusOr<std::shared_ptr<GpuDevice>> EmulatedGpu(const CudaOptions& options = {}, bool libraries = true);

}  // namespace savedmodel

#endif  // SAVEDMODEL_TESTS_CUDA_EMULATED_GPU_H_
