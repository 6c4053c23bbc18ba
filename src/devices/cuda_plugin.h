// What the CUDA plug-in shows: one C function, savedmodel_cuda_plugin, which gives this table.
#ifndef SAVEDMODEL_DEVICES_CUDA_PLUGIN_H_
#define SAVEDMODEL_DEVICES_CUDA_PLUGIN_H_

#include <cstddef>

#include "savedmodel/cuda.h"

namespace savedmodel {

// Grows whenever a type that crosses the border changes: the table, CudaOptions, Device, Stream, Kernel and their like.
inline constexpr int kCudaPluginVersion = 2;

struct CudaPlugin {
  int version = kCudaPluginVersion;
  // Two builds that differ here do not fit, whatever their versions say.
  size_t options_size = sizeof(CudaOptions), tensor_size = sizeof(Tensor), device_kernel_size = sizeof(DeviceKernel);
  // Opens a device with all its kernels.
  absl::StatusOr<std::shared_ptr<Device>> (*open)(const CudaOptions& options) = nullptr;
};

using CudaPluginFunction = const CudaPlugin* (*)();
inline constexpr char kCudaPluginFunction[] = "savedmodel_cuda_plugin";
inline constexpr char kCudaPluginFile[] = "libsavedmodel_cuda.so";

// FailedPrecondition unless the plug-in of `file` fits this library.
absl::Status CheckCudaPlugin(const CudaPlugin* plugin, const std::string& file);

}  // namespace savedmodel

#endif  // SAVEDMODEL_DEVICES_CUDA_PLUGIN_H_
