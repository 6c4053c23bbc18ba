// NVIDIA GPUs: a plug-in that is loaded when it is asked for, so that programs start where no driver is.
#ifndef SAVEDMODEL_CUDA_H_
#define SAVEDMODEL_CUDA_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "savedmodel/device.h"
#include "savedmodel/export.h"
#include "savedmodel/options.h"

namespace savedmodel {

struct CudaOptions {
  int device = 0;  // which of the machine's GPUs, as nvidia-smi counts those that CUDA_VISIBLE_DEVICES shows
  // Bytes of GPU memory that this device object may hold, weights, plans and free blocks kept for reuse included; 0: what
  // there is. Nothing is taken before it is needed.
  int64_t memory_limit = 0;
  // Float products and convolutions on tensor cores with inputs rounded to 10 bits of mantissa, TensorFlow's default.
  bool allow_tf32 = true;
  // kBFloat16 or kFloat16: weights and what flows between convolutions and products are kept in two bytes, sums in float.
  // Feeds and fetches stay what the model says.
  Precision precision = Precision::kFloat32;
  // Time the ways that cuDNN and cuBLASLt offer for each shape when a plan is made, instead of taking their first advice.
  // Plans take longer to make; the choice is kept for the device's lifetime.
  bool autotune = false;
  // Record the steps of a plan as a CUDA graph at their second run, and launch that from then on.
  bool graphs = true;
  // A cudaStream_t of the program's, of the same GPU: all work goes there, and runs must then not overlap. Null: each run
  // that goes on at once has a stream of its own.
  void* stream = nullptr;
  // The file of the plug-in. Empty: libsavedmodel_cuda.so beside this library, then where the system's loader looks.
  std::string plugin;
  // Folders to look for libcudnn.so.9 and libcublasLt.so in before the system's loader does, separated by ':'.
  std::string library_path;
};

// A GPU for SessionOptions::devices; its name is "GPU:" and options.device. Sessions may share it, or each have their own.
//
// Errors say which of these it is: NotFound (the plug-in is not there; no GPU of this number), FailedPrecondition (the
// plug-in is of another version; there is no NVIDIA driver; the driver is too old), ResourceExhausted (no memory left),
// Internal (anything else that CUDA says). The CPU works on in each case.
SAVEDMODEL_EXPORT absl::StatusOr<std::shared_ptr<Device>> CudaDevice(const CudaOptions& options = CudaOptions());

}  // namespace savedmodel

#endif  // SAVEDMODEL_CUDA_H_
