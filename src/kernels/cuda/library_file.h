// Functions of a shared library that is looked for at run time.
#ifndef SAVEDMODEL_KERNELS_CUDA_LIBRARY_FILE_H_
#define SAVEDMODEL_KERNELS_CUDA_LIBRARY_FILE_H_

#include <dlfcn.h>

#include <string>

namespace savedmodel::cuda {

// Opens `name` in the folders of `path` (separated by ':'), else where the system's loader looks. Null with the reason.
// Never closed.
inline void* OpenLibraryFile(const std::string& path, const char* name, std::string* problem) {
  std::string rest = path;
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string folder = rest.substr(0, colon);
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    if (folder.empty()) continue;
    if (void* library = dlopen((folder + "/" + name).c_str(), RTLD_NOW | RTLD_LOCAL); library != nullptr) return library;
  }
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* text = dlerror();
    *problem = text == nullptr ? name : text;
  }
  return library;
}

template <typename F>
bool LoadFunction(void* library, const char* name, F* function, std::string* problem) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  if (*function == nullptr) *problem = std::string("the library has no ") + name;
  return *function != nullptr;
}

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_LIBRARY_FILE_H_
