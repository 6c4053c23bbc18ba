#include "devices/cuda/runtime_driver.h"

#include <cuda_runtime_api.h>

namespace savedmodel {
namespace {

cudaStream_t StreamOf(void* stream) { return static_cast<cudaStream_t>(stream); }

int Properties(int device, GpuProperties* properties) {
  cudaDeviceProp from;
  const cudaError_t error = cudaGetDeviceProperties(&from, device);
  if (error != cudaSuccess) return error;
  properties->name = from.name;
  properties->major = from.major;
  properties->minor = from.minor;
  properties->multiprocessors = from.multiProcessorCount;
  properties->memory = from.totalGlobalMem;
  return 0;
}

int Copy(void* to, const void* from, size_t bytes, CopyKind kind, void* stream) {
  const cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice};
  return cudaMemcpyAsync(to, from, bytes, kinds[static_cast<int>(kind)], StreamOf(stream));
}

int EndCapture(void* stream, void** graph) {
  cudaGraph_t captured = nullptr;
  cudaError_t error = cudaStreamEndCapture(StreamOf(stream), &captured);
  if (error != cudaSuccess) return error;
  cudaGraphExec_t ready = nullptr;
  error = cudaGraphInstantiate(&ready, captured, 0);
  cudaGraphDestroy(captured);
  if (error != cudaSuccess) return error;
  // What launching needs on the device is sent there now, not by the first launch.
  error = cudaGraphUpload(ready, StreamOf(stream));
  *graph = ready;
  return error;
}

}  // namespace

const CudaDriver& RuntimeDriver() {
  static const CudaDriver* const kDriver = new CudaDriver{
      .driver_version = [](int* version) -> int { return cudaDriverGetVersion(version); },
      .runtime_version = [](int* version) -> int { return cudaRuntimeGetVersion(version); },
      .device_count = [](int* count) -> int { return cudaGetDeviceCount(count); },
      .set_device = [](int device) -> int { return cudaSetDevice(device); },
      .properties = Properties,
      .allocate = [](void** memory, size_t bytes) -> int { return cudaMalloc(memory, bytes); },
      .release = [](void* memory) -> int { return cudaFree(memory); },
      .allocate_pinned = [](void** memory, size_t bytes) -> int { return cudaHostAlloc(memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped); },
      .release_pinned = [](void* memory) -> int { return cudaFreeHost(memory); },
      .create_stream = [](void** stream) -> int { return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking); },
      .destroy_stream = [](void* stream) -> int { return cudaStreamDestroy(StreamOf(stream)); },
      .synchronize = [](void* stream) -> int { return cudaStreamSynchronize(StreamOf(stream)); },
      .copy = Copy,
      // Relaxed: libraries may allocate while they are recorded.
      .begin_capture = [](void* stream) -> int { return cudaStreamBeginCapture(StreamOf(stream), cudaStreamCaptureModeRelaxed); },
      .end_capture = EndCapture,
      .launch_graph = [](void* graph, void* stream) -> int { return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), StreamOf(stream)); },
      .destroy_graph = [](void* graph) -> int { return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); },
      .error_name = [](int error) -> const char* { return cudaGetErrorName(static_cast<cudaError_t>(error)); },
      .error_text = [](int error) -> const char* { return cudaGetErrorString(static_cast<cudaError_t>(error)); },
      .last_error = []() -> int { return cudaGetLastError(); },
  };
  return *kDriver;
}

}  // namespace savedmodel
