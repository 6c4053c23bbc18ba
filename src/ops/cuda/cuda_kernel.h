// What CUDA kernels of ops are made with.
#ifndef SAVEDMODEL_OPS_CUDA_CUDA_KERNEL_H_
#define SAVEDMODEL_OPS_CUDA_CUDA_KERNEL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "devices/cuda/gpu_device.h"
#include "devices/cuda/gpu_stream.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/move.h"
#include "savedmodel/device.h"

namespace savedmodel {

// One run of a kernel: the context and the stream to ask for work.
class CudaRun {
 public:
  CudaRun(KernelContext& context, GpuStream& stream) : context_(context), stream_(stream) {}
  KernelContext& context() const { return context_; }
  GpuStream& stream() const { return stream_; }
  void* handle() const { return stream_.handle(); }
  const Tensor& input(int i) const { return context_.input(i); }
  absl::StatusOr<Tensor*> Output(int i, const TensorShape& shape) const { return context_.Output(i, shape); }
  // The Status of what a launcher gave.
  absl::Status Done(int error) const;
  cuda::Alarm Alarm(int code) const { return {stream_.alarm_word(), code}; }

 private:
  KernelContext& context_;
  GpuStream& stream_;
};

// A Kernel out of a callable: absl::Status(CudaRun&), const.
template <typename F>
KernelPtr MakeCudaKernel(F run) {
  return MakeKernel([run = std::move(run)](KernelContext& context) -> absl::Status {
    GpuStream& stream = static_cast<GpuStream&>(*static_cast<DeviceContext&>(context).stream());
    SM_RETURN_IF_ERROR(stream.Enter());
    CudaRun cuda(context, stream);
    return run(cuda);
  });
}

inline GpuDevice& GpuOf(const KernelInit& init) { return static_cast<GpuDevice&>(*static_cast<const DeviceInit&>(init).device()); }
// A number for what is wrong if a kernel finds an index of this node out of range.
int IndexAlarm(const KernelInit& init, absl::string_view what, absl::StatusCode code = absl::StatusCode::kInvalidArgument);

// The kernels' name for a dtype (quantized ones are their integers).
cuda::Element ElementOf(DataType type);
inline int SizeOf(DataType type) { return static_cast<int>(DataTypeSize(type)); }
bool IsCudaFloat(DataType type);    // float, double, half, bfloat16
bool IsCudaNumber(DataType type);   // those and all integers
inline bool IsCudaPlain(DataType type) { return IsPlainData(type); }
absl::Status WrongType(DataType type);  // Unimplemented: the CPU does it

// Row-major steps of the dimensions.
std::vector<int64_t> StepsOf(const TensorShape& shape);
// Up to three operands broadcast to `result`, dimensions joined where they can be; Unimplemented above 8 dimensions.
absl::StatusOr<cuda::Broadcast> BroadcastTo(const TensorShape& result, const std::vector<const TensorShape*>& operands);
// Unimplemented if input i is known to have more than `rank` dimensions.
absl::Status WantsRankUpTo(const KernelInit& init, int i, int rank);

// The tensor in device memory, packed once per session: `make` fills a new tensor on the host.
absl::StatusOr<std::shared_ptr<const Tensor>> OnDevice(KernelInit& init, const Tensor& constant, const std::string& key, DataType type,
                                                       const TensorShape& shape, const std::function<void(const Tensor& from, Tensor* to)>& make);

void AddKernel(DeviceKernels* kernels, const char* op, KernelFactory factory, std::vector<std::string> host_inputs = {});
// For ops that hand memory on or only look at shapes: the CPU's own kernel, whose elements stay where they are.
void AddForwarding(DeviceKernels* kernels, const char* op, std::vector<std::string> host_inputs = {}, std::vector<std::string> host_outputs = {});

void AddElementwise(DeviceKernels* kernels);
void AddMoves(DeviceKernels* kernels);
void AddIndexing(DeviceKernels* kernels);
void AddReductions(DeviceKernels* kernels);
void AddWindows(DeviceKernels* kernels);
void AddProducts(DeviceKernels* kernels);
void AddImages(DeviceKernels* kernels);
void AddLayers(DeviceKernels* kernels);
void AddChains(DeviceKernels* kernels);

// All of them.
const DeviceKernels& CudaKernels();

}  // namespace savedmodel

#endif  // SAVEDMODEL_OPS_CUDA_CUDA_KERNEL_H_
