#include "ops/cuda/epilogue.h"

#include "kernels/cuda/window.h"
#include "ops/cuda/trial.h"

namespace savedmodel {
namespace {

cuda::Unary UnaryOf(Activation activation) {
  switch (activation) {
    case Activation::kNone: return cuda::Unary::kNone;
    case Activation::kRelu: return cuda::Unary::kRelu;
    case Activation::kRelu6: return cuda::Unary::kRelu6;
    case Activation::kLeakyRelu: return cuda::Unary::kLeakyRelu;
    case Activation::kElu: return cuda::Unary::kElu;
    case Activation::kSigmoid: return cuda::Unary::kSigmoid;
    case Activation::kTanh: return cuda::Unary::kTanh;
    case Activation::kSwish: return cuda::Unary::kSwish;
    case Activation::kHardSwish: return cuda::Unary::kHardSwish;
    case Activation::kGeluErf: return cuda::Unary::kGeluErf;
    case Activation::kGeluTanh: return cuda::Unary::kGeluTanh;
  }
  return cuda::Unary::kNone;
}

bool Aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

}  // namespace

absl::StatusOr<CudaEpilogue> ReadCudaEpilogue(const Attributes& attrs) {
  SM_ASSIGN_OR_RETURN(const EpilogueAttrs read, ReadEpilogueAttrs(attrs));
  if (read.scaled) return absl::UnimplementedError("no CUDA kernel for a product whose input is scaled by channel");
  return CudaEpilogue{read.bias, read.residual, UnaryOf(read.activation), read.alpha, read.factor, read.factor_key};
}

absl::StatusOr<EpilogueTensors> EpilogueInputs(const CudaRun& run, const CudaEpilogue& epilogue, int64_t channels, const TensorShape& output) {
  EpilogueTensors tensors;
  int next = 2;
  if (epilogue.bias) {
    const Tensor& bias = run.input(next++);
    SM_CHECK_ARGUMENT(bias.num_elements() == channels, "the bias has shape ", bias.shape().ToString(), ", ", channels, " channels want one number each");
    tensors.bias = bias.raw();
  }
  if (epilogue.residual) {
    const Tensor& residual = run.input(next++);
    SM_CHECK_ARGUMENT(residual.shape() == output, "the residual has shape ", residual.shape().ToString(), ", the output ", output.ToString());
    tensors.residual = residual.raw();
  }
  return tensors;
}

CudaProduct CudaProduct::Plan(GpuDevice& device, const cuda::BlasShape& shape, float alpha) {
  CudaProduct plan;
  plan.shape_ = shape;
  plan.alpha_ = alpha;
  cuda::CudaLibraries* libraries = LibrariesOf(device);
  if (libraries != nullptr && shape.m > 0 && shape.n > 0 && shape.k > 0 && shape.batch > 0) {
    plan.product_ = libraries->Product(shape, [&] { return MakeTrial(device); });
  }
  return plan;
}

absl::Status CudaProduct::RunOwn(CudaRun& run, const void* a, const void* b, const EpilogueTensors& epilogue, void* out) const {
  if (shape_.out_row != 0 || shape_.out_step != 0) return absl::InternalError("a product into spread memory needs cuBLASLt");
  cuda::ProductShape own;
  own.m = shape_.m;
  own.n = shape_.n;
  own.k = shape_.k;
  const int64_t a_distance = shape_.a_row != 0 ? shape_.a_row : shape_.transpose_a ? shape_.m : shape_.k;
  const int64_t b_distance = shape_.b_row != 0 ? shape_.b_row : shape_.transpose_b ? shape_.k : shape_.n;
  own.a_row = shape_.transpose_a ? 1 : a_distance;
  own.a_column = shape_.transpose_a ? a_distance : 1;
  own.b_row = shape_.transpose_b ? 1 : b_distance;
  own.b_column = shape_.transpose_b ? b_distance : 1;
  own.batch_rank = 1;
  own.batch[0] = shape_.batch;
  own.a_steps[0] = shape_.a_step;
  own.b_steps[0] = shape_.b_step;
  Tensor sums;
  const bool mixed = shape_.type != shape_.out_type;
  if (mixed) {
    SM_ASSIGN_OR_RETURN(sums, run.context().Scratch(static_cast<DataType>(shape_.type), {shape_.batch * shape_.m * shape_.n}));
  }
  SM_RETURN_IF_ERROR(run.Done(cuda::RunProduct(run.handle(), shape_.type, own, a, b, mixed ? sums.raw() : out)));
  if (mixed) SM_RETURN_IF_ERROR(run.Done(cuda::RunCast(run.handle(), shape_.type, shape_.out_type, sums.raw(), out, sums.num_elements())));
  if (epilogue.bias == nullptr && epilogue.residual == nullptr && shape_.activation == cuda::Unary::kNone) return absl::OkStatus();
  return run.Done(cuda::RunEpilogue(run.handle(), shape_.out_type, out, epilogue.bias, epilogue.residual, shape_.activation, alpha_, shape_.batch * shape_.m,
                                    shape_.n, out));
}

absl::Status CudaProduct::Run(CudaRun& run, const void* a, const void* b, const EpilogueTensors& epilogue, void* out) const {
  if (shape_.m == 0 || shape_.n == 0 || shape_.batch == 0) return absl::OkStatus();
  const bool aligned = Aligned(a) && Aligned(b) && Aligned(epilogue.bias) && Aligned(epilogue.residual) && Aligned(out);
  if (product_ == nullptr || !aligned) return RunOwn(run, a, b, epilogue, out);
  Tensor workspace;
  if (product_->workspace_bytes() > 0) {
    SM_ASSIGN_OR_RETURN(workspace, run.context().Scratch(DataType::kUInt8, {static_cast<int64_t>(product_->workspace_bytes())}));
  }
  SM_RETURN_IF_ERROR(run.Done(product_->Run(run.handle(), a, b, epilogue.bias, epilogue.residual, out, workspace.raw())));
  if (product_->has_activation() || shape_.activation == cuda::Unary::kNone) return absl::OkStatus();
  return run.Done(cuda::RunEpilogue(run.handle(), shape_.out_type, out, nullptr, nullptr, shape_.activation, alpha_, shape_.batch * shape_.m, shape_.n, out));
}

}  // namespace savedmodel
