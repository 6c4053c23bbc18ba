#include "devices/cuda_plugin.h"

#include <dlfcn.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"

namespace savedmodel {
namespace {

// The folder of this library (of the program, where it is linked in), with the slash.
std::string OwnFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&OwnFolder), &info) == 0 || info.dli_fname == nullptr) return "";
  const std::string file = info.dli_fname;
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

}  // namespace

absl::Status CheckCudaPlugin(const CudaPlugin* plugin, const std::string& file) {
  const CudaPlugin own;
  if (plugin == nullptr || plugin->version != own.version) {
    return absl::FailedPreconditionError(absl::StrCat(file, ": the plug-in's interface is ", plugin == nullptr ? 0 : plugin->version, ", this library's is ",
                                                      own.version, "; use the plug-in that was built with the library"));
  }
  if (plugin->options_size != own.options_size || plugin->tensor_size != own.tensor_size || plugin->device_kernel_size != own.device_kernel_size ||
      plugin->open == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(file, ": the plug-in was built with another compiler or other headers than this library"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Device>> CudaDevice(const CudaOptions& options) {
  std::vector<std::string> files;
  if (options.plugin.empty()) {
    files = {OwnFolder() + kCudaPluginFile, kCudaPluginFile};
  } else {
    files = {options.plugin};
  }
  std::string problems;
  for (const std::string& file : files) {
    // Never closed: devices, kernels and tensors hold on to code of it.
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* text = dlerror();
      absl::StrAppend(&problems, problems.empty() ? "" : "; ", text == nullptr ? file.c_str() : text);
      continue;
    }
    const auto function = reinterpret_cast<CudaPluginFunction>(dlsym(library, kCudaPluginFunction));
    if (function == nullptr) return absl::FailedPreconditionError(absl::StrCat(file, ": is no CUDA plug-in, it has no ", kCudaPluginFunction));
    const CudaPlugin* plugin = function();
    SM_RETURN_IF_ERROR(CheckCudaPlugin(plugin, file));
    return plugin->open(options);
  }
  return absl::NotFoundError(absl::StrCat("the CUDA plug-in is not there: ", problems));
}

}  // namespace savedmodel
