// Softmax and LogSoftmax over the last dimension. Sums are kept in float (double for float64), as the reference does.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/vector_math.h"
#include "ops/dispatch.h"
#include "ops/shape_rules.h"
#include "savedmodel/op.h"

namespace savedmodel {
namespace {

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <typename T>
void Row(const T* in, T* out, int64_t n, bool log) {
  using W = Wide<T>;
  W top = -std::numeric_limits<W>::infinity(), sum = 0;
  for (int64_t i = 0; i < n; ++i) top = std::max(top, static_cast<W>(in[i]));
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<W>(in[i]) - top);
  const W log_sum = std::log(sum), scale = W(1) / sum;
  for (int64_t i = 0; i < n; ++i) {
    const W shifted = static_cast<W>(in[i]) - top;
    out[i] = static_cast<T>(log ? shifted - log_sum : std::exp(shifted) * scale);
  }
}

template <typename T>
absl::Status Run(KernelContext& context, bool log) {
  const Tensor& logits = context.input(0);
  SM_CHECK_ARGUMENT(logits.rank() >= 1, "logits must have >= 1 dimension, got ", logits.shape().ToString());
  SM_ASSIGN_OR_RETURN(Tensor* out, context.Output(0, logits.shape()));
  const int64_t n = logits.dim(logits.rank() - 1);
  if (logits.num_elements() == 0) return absl::OkStatus();
  const T* in = logits.data<T>();
  T* to = out->data<T>();
  context.pool().ParallelFor(logits.num_elements() / n, (std::is_same_v<T, float> && !log ? 16384 : 4096) / n + 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      if constexpr (std::is_same_v<T, float>) {
        if (!log) {
          VectorSoftmax(in + r * n, to + r * n, n, 1);
          continue;
        }
      }
      Row(in + r * n, to + r * n, n, log);
    }
  });
  return absl::OkStatus();
}

template <bool kLog>
absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  return Dispatch<FloatTypes>(init.input_dtype(0), [&](auto tag) -> absl::StatusOr<KernelPtr> {
    using T = typename decltype(tag)::type;
    return MakeKernel([](KernelContext& context) { return Run<T>(context, kLog); });
  });
}

absl::Status Infer(InferContext& context) {
  const PartialShape& logits = context.input(0);
  SM_CHECK_ARGUMENT(!logits.known_rank() || logits.rank() >= 1, "logits must have >= 1 dimension, got ", logits.ToString());
  context.set_output(0, logits);
  return absl::OkStatus();
}

}  // namespace

void DefineSoftmax(OpTable& ops) {
  ops.Add({.name = "Softmax",
           .inputs = "logits: T",
           .outputs = "softmax: T",
           .attrs = "T: {half, bfloat16, float, double}",
           .infer = Infer,
           .cpu = Make<false>,
           .in_place = true});
  ops.Add({.name = "LogSoftmax",
           .inputs = "logits: T",
           .outputs = "logsoftmax: T",
           .attrs = "T: {half, bfloat16, float, double}",
           .infer = Infer,
           .cpu = Make<true>,
           .in_place = true});
}

}  // namespace savedmodel
