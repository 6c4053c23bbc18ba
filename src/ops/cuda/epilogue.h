// What CUDA's fused products do after the sum, and the libraries that they are planned with.
#ifndef SAVEDMODEL_OPS_CUDA_EPILOGUE_H_
#define SAVEDMODEL_OPS_CUDA_EPILOGUE_H_

#include "kernels/cuda/libraries.h"
#include "ops/cuda/cuda_kernel.h"
#include "ops/nn/epilogue_attrs.h"

namespace savedmodel {

// Null where the device was opened without.
inline cuda::CudaLibraries* LibrariesOf(GpuDevice& device) { return static_cast<cuda::CudaLibraries*>(device.libraries().get()); }

struct CudaEpilogue {
  bool bias = false, residual = false;  // inputs 2 and the next
  cuda::Unary activation = cuda::Unary::kNone;
  float alpha = 0;
  Tensor factor;           // on the host: what the weights of each channel are multiplied with; not initialized(): nothing
  std::string factor_key;  // names it among those of the same weights
  bool any() const { return bias || residual || activation != cuda::Unary::kNone; }
};
absl::StatusOr<CudaEpilogue> ReadCudaEpilogue(const Attributes& attrs);

// The operands of one run, checked: a bias of `channels`, a residual of the output's shape.
struct EpilogueTensors {
  const void *bias = nullptr, *residual = nullptr;
};
absl::StatusOr<EpilogueTensors> EpilogueInputs(const CudaRun& run, const CudaEpilogue& epilogue, int64_t channels, const TensorShape& output);

// A product of matrices that the library or, without it, our own kernel does. Copies share the plan.
class CudaProduct {
 public:
  CudaProduct() = default;
  // Never fails for the types that IsCudaNumber knows; alpha belongs to the activation.
  static CudaProduct Plan(GpuDevice& device, const cuda::BlasShape& shape, float alpha);
  absl::Status Run(CudaRun& run, const void* a, const void* b, const EpilogueTensors& epilogue, void* out) const;
  bool by_library() const { return product_ != nullptr; }

 private:
  absl::Status RunOwn(CudaRun& run, const void* a, const void* b, const EpilogueTensors& epilogue, void* out) const;
  cuda::BlasShape shape_;
  float alpha_ = 0;
  std::shared_ptr<const cuda::BlasProduct> product_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_CUDA_EPILOGUE_H_
