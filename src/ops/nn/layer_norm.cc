// _LayerNorm: what the fusing passes make of a layer normalisation over the last dimension:
// (x - mean) / sqrt(variance + epsilon) * gamma + beta, where gamma and beta are inputs if the attributes say so.
#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/vector_math.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  if (init.input_dtype(0) != DataType::kFloat) return absl::UnimplementedError("the CPU computes this in float32 alone");
  const bool has_gamma = init.attrs().Bool("gamma"), has_beta = init.attrs().Bool("beta");
  const float epsilon = init.attrs().Float("epsilon");
  SM_CHECK_ARGUMENT(init.num_inputs() == 1 + has_gamma + has_beta, "there are ", init.num_inputs(), " inputs, gamma and beta want another number");
  return MakeKernel([=](KernelContext& context) -> absl::Status {
    const Tensor& x = context.input(0);
    SM_CHECK_ARGUMENT(x.rank() >= 1, "x must have at least one dimension");
    const int64_t n = x.dim(x.rank() - 1);
    for (int i = 1; i < context.num_inputs(); ++i) {
      SM_CHECK_ARGUMENT(context.input(i).num_elements() == n, "gamma or beta is ", context.input(i).shape().ToString(), ", rows have ", n, " elements");
    }
    SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, x.shape()));
    if (x.num_elements() == 0) return absl::OkStatus();
    const float* gamma = has_gamma ? context.input(1).data<float>() : nullptr;
    const float* beta = has_beta ? context.input(1 + has_gamma).data<float>() : nullptr;
    const float* from = x.data<float>();
    float* to = out->data<float>();
    context.pool().ParallelFor(x.num_elements() / n, 4096 / n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) VectorLayerNorm(from + r * n, gamma, beta, epsilon, to + r * n, n);
    });
    return absl::OkStatus();
  });
}

}  // namespace

void DefineLayerNorm(OpTable& ops) {
  ops.Add({.name = "_LayerNorm",
           .inputs = "x: T; args: num_args * T",
           .outputs = "y: T",
           .attrs = "T: {float, half, bfloat16}; num_args: int >= 0; epsilon: float; gamma: bool; beta: bool",
           .infer = SameShape,
           .cpu = Make});
}

}  // namespace savedmodel
