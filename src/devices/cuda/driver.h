// The part of CUDA that devices use, as a table of functions: the plug-in fills it with CUDA's own, tests with an
// emulation. Each function gives 0 or CUDA's error.
#ifndef SAVEDMODEL_DEVICES_CUDA_DRIVER_H_
#define SAVEDMODEL_DEVICES_CUDA_DRIVER_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"

namespace savedmodel {

struct GpuProperties {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  size_t memory = 0;
};

enum class CopyKind { kHostToDevice, kDeviceToHost, kDeviceToDevice };

struct CudaDriver {
  int (*driver_version)(int* version) = nullptr;   // 13000 for 13.0; 0: there is no driver
  int (*runtime_version)(int* version) = nullptr;  // of the code itself
  int (*device_count)(int* count) = nullptr;
  int (*set_device)(int device) = nullptr;  // of this thread, for all calls that follow
  int (*properties)(int device, GpuProperties* properties) = nullptr;

  int (*allocate)(void** memory, size_t bytes) = nullptr;
  int (*release)(void* memory) = nullptr;  // waits for the device
  // Host memory that the device can read and write under the same address.
  int (*allocate_pinned)(void** memory, size_t bytes) = nullptr;
  int (*release_pinned)(void* memory) = nullptr;

  int (*create_stream)(void** stream) = nullptr;
  int (*destroy_stream)(void* stream) = nullptr;
  int (*synchronize)(void* stream) = nullptr;
  // Queued; host memory must stay until the copy is done.
  int (*copy)(void* to, const void* from, size_t bytes, CopyKind kind, void* stream) = nullptr;

  int (*begin_capture)(void* stream) = nullptr;
  int (*end_capture)(void* stream, void** graph) = nullptr;  // a graph that can be launched
  int (*launch_graph)(void* graph, void* stream) = nullptr;
  int (*destroy_graph)(void* graph) = nullptr;

  const char* (*error_name)(int error) = nullptr;
  const char* (*error_text)(int error) = nullptr;
  // Forgets the error of the last call, where it is not one that stays.
  int (*last_error)() = nullptr;
};

// CUDA's error numbers that mean something to us.
namespace cuda_error {
inline constexpr int kOutOfMemory = 2, kInsufficientDriver = 35, kNoDevice = 100, kInvalidDevice = 101, kNoKernelImage = 209;
}  // namespace cuda_error

// True for errors after which the process can do nothing more on that GPU: a kernel faulted.
bool IsKernelFault(int error);

// OK for 0; else a Status that says what happened to whom: ResourceExhausted without memory, FailedPrecondition for an old or
// missing driver, NotFound for a missing GPU, Internal for a kernel's fault and all others.
absl::Status CudaStatus(const CudaDriver& driver, int error, const std::string& where);

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_DRIVER_H_
