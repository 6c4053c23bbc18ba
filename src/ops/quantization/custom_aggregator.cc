// CustomAggregator: what post-training quantization counts while it calibrates. The input goes on as it is, beside its smallest
// and largest value and a histogram whose bins are a power of two wide and begin at a multiple of that.
#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "ops/shape_rules.h"

namespace savedmodel {
namespace {

// What has no bin (NaN, or a width of 0 or infinity) counts in the first.
int64_t BinOf(float value, float begin, float width, int64_t bins) {
  const float bin = std::floor((value - begin) / width);
  if (!(bin > 0) || !std::isfinite(bin)) return 0;
  return bin < static_cast<float>(bins - 1) ? static_cast<int64_t>(bin) : bins - 1;
}

absl::Status Run(KernelContext& context, int64_t bins) {
  const Tensor& x = context.input(0);
  float least = std::numeric_limits<float>::infinity(), most = -least;
  for (const float value : x.flat<float>()) {
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  SM_ASSIGN_OR_RETURN(Tensor* least_out, context.Output(1, {}));
  SM_ASSIGN_OR_RETURN(Tensor* most_out, context.Output(2, {}));
  SM_ASSIGN_OR_RETURN(Tensor* histogram, context.Output(3, {bins}));
  *least_out->data<float>() = least;
  *most_out->data<float>() = most;
  int64_t* counts = histogram->data<int64_t>();
  std::fill(counts, counts + bins, 0);
  if (bins > 0) {
    const float width = std::exp2(std::ceil(std::log2((most - least) / static_cast<float>(bins))));
    const float begin = std::floor(least / width) * width;
    for (const float value : x.flat<float>()) ++counts[BinOf(value, begin, width, bins)];
  }
  return context.Forward(0, 0, x.shape());
}

absl::StatusOr<KernelPtr> Make(KernelInit& init) {
  const int64_t bins = init.attrs().Int("num_bins"), method = init.attrs().Int("calibration_method");
  SM_CHECK_ARGUMENT(bins >= 0, "num_bins must be >= 0, is ", bins);
  return MakeKernel([=](KernelContext& context) -> absl::Status {
    if (method == 0) return absl::AbortedError("The calibration method must be specified, calibration_method is 0");
    return Run(context, bins);
  });
}

absl::Status Infer(InferContext& context) {
  context.set_output(0, context.input(0));
  context.set_output(1, TensorShape());
  context.set_output(2, TensorShape());
  context.set_output(3, TensorShape{std::max<int64_t>(context.attrs().Int("num_bins"), 0)});
  return absl::OkStatus();
}

}  // namespace

void DefineCustomAggregator(OpTable& ops) {
  ops.Add({.name = "CustomAggregator",
           .inputs = "input: float",
           .outputs = "output: float; min: float; max: float; histogram: int64",
           .attrs = "id: string; calibration_method: int = 0; num_bins: int = 0; min_percentile: float = 0.0; max_percentile: float = 0.0",
           .infer = Infer,
           .cpu = Make,
           .aliases_input = true});
}

}  // namespace savedmodel
