// The way into the plug-in.
#include "devices/cuda_plugin.h"

#include "absl/strings/str_cat.h"
#include "devices/cuda/runtime_driver.h"
#include "kernels/cuda/libraries.h"
#include "ops/cuda/cuda_kernel.h"

namespace savedmodel {
namespace {

absl::StatusOr<std::shared_ptr<Device>> Open(const CudaOptions& options) {
  SM_ASSIGN_OR_RETURN(std::shared_ptr<GpuDevice> device, GpuDevice::Open(RuntimeDriver(), options, CudaKernels()));
  auto libraries = std::make_shared<cuda::CudaLibraries>();
  libraries->blas = cuda::OpenBlas(options.library_path, &libraries->blas_problem);
  libraries->dnn = cuda::OpenDnn(options.library_path, &libraries->dnn_problem);
  const GpuProperties& properties = device->properties();
  std::string description = absl::StrCat(properties.name, ", compute capability ", properties.major, ".", properties.minor);
  if (libraries->blas == nullptr) absl::StrAppend(&description, "; matrix products are slow without cuBLASLt: ", libraries->blas_problem);
  if (libraries->dnn == nullptr) absl::StrAppend(&description, "; convolutions are slow without cuDNN: ", libraries->dnn_problem);
  device->set_description(std::move(description));
  device->libraries() = std::move(libraries);
  return std::shared_ptr<Device>(std::move(device));
}

}  // namespace
}  // namespace savedmodel

extern "C" SAVEDMODEL_EXPORT const savedmodel::CudaPlugin* savedmodel_cuda_plugin() {
  static const savedmodel::CudaPlugin* const kPlugin = [] {
    auto* plugin = new savedmodel::CudaPlugin();
    plugin->open = savedmodel::Open;
    return plugin;
  }();
  return kPlugin;
}
