#include "ops/cuda/cuda_kernel.h"

#include "ops/dispatch.h"
#include "ops/shared_object.h"

namespace savedmodel {

absl::Status CudaRun::Done(int error) const {
  if (error == 0) return absl::OkStatus();
  if (error == cuda::kUnsupported) return absl::InternalError("a CUDA kernel was chosen for a dtype that it has no code for");
  return stream_.device()->Check(error);
}

int IndexAlarm(const KernelInit& init, absl::string_view what, absl::StatusCode code) {
  return GpuOf(init).AddAlarm(absl::Status(code, absl::StrCat("node \"", init.node_name(), "\": ", what)));
}

cuda::Element ElementOf(DataType type) { return static_cast<cuda::Element>(StorageType(type)); }

bool IsCudaFloat(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kHalf || type == DataType::kBFloat16;
}

bool IsCudaNumber(DataType type) {
  if (IsCudaFloat(type)) return true;
  switch (type) {
    case DataType::kInt8: case DataType::kInt16: case DataType::kInt32: case DataType::kInt64:
    case DataType::kUInt8: case DataType::kUInt16: case DataType::kUInt32: case DataType::kUInt64: return true;
    default: return false;
  }
}

absl::Status WrongType(DataType type) { return absl::UnimplementedError(absl::StrCat("no CUDA kernel for dtype ", DataTypeName(type))); }

std::vector<int64_t> StepsOf(const TensorShape& shape) {
  std::vector<int64_t> steps(static_cast<size_t>(shape.rank()), 1);
  for (int d = shape.rank() - 2; d >= 0; --d) steps[static_cast<size_t>(d)] = steps[static_cast<size_t>(d) + 1] * shape.dim(d + 1);
  return steps;
}

absl::StatusOr<cuda::Broadcast> BroadcastTo(const TensorShape& result, const std::vector<const TensorShape*>& operands) {
  cuda::Broadcast plan;
  plan.count = result.num_elements();
  std::vector<std::vector<int64_t>> steps;
  for (const TensorShape* operand : operands) steps.push_back(StepsOf(*operand));
  for (int d = 0; d < result.rank(); ++d) {
    if (result.dim(d) == 1) continue;
    int64_t here[3] = {};
    for (size_t o = 0; o < operands.size(); ++o) {
      const int own = d - (result.rank() - operands[o]->rank());
      here[o] = own >= 0 && operands[o]->dim(own) != 1 ? steps[o][static_cast<size_t>(own)] : 0;
    }
    bool joins = plan.rank > 0;
    for (size_t o = 0; o < operands.size() && joins; ++o) joins = plan.steps[o][plan.rank - 1] == here[o] * result.dim(d);
    if (!joins) {
      if (plan.rank == cuda::kMaxDims) return absl::UnimplementedError("broadcasting over more than 8 dimensions");
      plan.dims[plan.rank++] = 1;
    }
    plan.dims[plan.rank - 1] *= result.dim(d);
    for (size_t o = 0; o < operands.size(); ++o) plan.steps[o][plan.rank - 1] = here[o];
  }
  return plan;
}

absl::Status WantsRankUpTo(const KernelInit& init, int i, int rank) {
  if (init.input_shape(i).rank() <= rank) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("no CUDA kernel for ", init.input_shape(i).rank(), " dimensions"));
}

absl::StatusOr<std::shared_ptr<const Tensor>> OnDevice(KernelInit& init, const Tensor& constant, const std::string& key, DataType type,
                                                       const TensorShape& shape, const std::function<void(const Tensor& from, Tensor* to)>& make) {
  GpuDevice& device = GpuOf(init);
  return SharedObject<Tensor>(init, constant, absl::StrCat(device.name(), " ", key), [&]() -> absl::StatusOr<Tensor> {
    SM_ASSIGN_OR_RETURN(Tensor host, Tensor::Allocate(type, shape));
    make(constant, &host);
    SM_ASSIGN_OR_RETURN(Tensor there, Tensor::Allocate(type, shape, device.allocator()));
    if (host.bytes() > 0) SM_RETURN_IF_ERROR(device.CopyFromHost(host.raw(), there.raw(), host.bytes()));
    return there;
  });
}

void AddKernel(DeviceKernels* kernels, const char* op, KernelFactory factory, std::vector<std::string> host_inputs) {
  (*kernels)[op] = {.factory = factory, .host_inputs = std::move(host_inputs), .host_outputs = {}, .recordable = true};
}

void AddForwarding(DeviceKernels* kernels, const char* op, std::vector<std::string> host_inputs, std::vector<std::string> host_outputs) {
  const bool recordable = host_outputs.empty();
  (*kernels)[op] = {.factory = nullptr, .host_inputs = std::move(host_inputs), .host_outputs = std::move(host_outputs), .recordable = recordable};
}

const DeviceKernels& CudaKernels() {
  static const DeviceKernels* const kKernels = [] {
    auto* kernels = new DeviceKernels();
    for (const char* op : {"Identity", "StopGradient", "PreventGradient", "Snapshot", "IdentityN", "EnsureShape"}) AddForwarding(kernels, op);
    AddForwarding(kernels, "Reshape", {"shape"});
    AddForwarding(kernels, "Squeeze");
    AddForwarding(kernels, "ExpandDims", {"dim"});
    for (const char* op : {"Shape", "ShapeN", "Size", "Rank"}) AddForwarding(kernels, op, {}, {"output"});
    AddElementwise(kernels);
    AddMoves(kernels);
    AddIndexing(kernels);
    AddReductions(kernels);
    AddWindows(kernels);
    AddProducts(kernels);
    AddImages(kernels);
    AddLayers(kernels);
    AddChains(kernels);
    return kernels;
  }();
  return *kKernels;
}

}  // namespace savedmodel
