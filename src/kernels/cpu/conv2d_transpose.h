// Transposed convolution ("deconvolution", the gradient of a convolution with respect to its input) of float images,
// channels last.
#ifndef SAVEDMODEL_KERNELS_CPU_CONV2D_TRANSPOSE_H_
#define SAVEDMODEL_KERNELS_CPU_CONV2D_TRANSPOSE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/cpu/conv2d.h"

namespace savedmodel {

struct PackedTransposeFilter {
  std::vector<PackedFilter> phases;
  std::vector<PackedMatrix> rows;  // where windows lie side by side: one matrix per row of the kernel
};

class Conv2dTransposePlan {
 public:
  Conv2dTransposePlan() = default;
  // `forward` is the convolution that this one undoes: Run reads [batch, out_h, out_w, out_c] and writes [batch, in_h, in_w,
  // in_c] of `forward`. Unimplemented for groups, and for stride and dilation above 1 on the same axis.
  static absl::StatusOr<Conv2dTransposePlan> Make(const Conv2dShape& forward, int threads);

  // `filter` is the forward one, [kernel_h, kernel_w, in_c, out_c].
  absl::StatusOr<PackedTransposeFilter> PackFilter(const float* filter, ThreadPool& pool) const;

  int64_t scratch_bytes() const { return (phase_floats_ + conv_floats_) * static_cast<int64_t>(sizeof(float)); }
  // No residual.
  void Run(const float* in, const PackedTransposeFilter& filter, const Epilogue& epilogue, float* out, float* scratch,
           ThreadPool& pool) const;

 private:
  // Output positions phase, phase + stride, ... of one axis: an ordinary convolution with some of the taps.
  struct Axis {
    int64_t phase = 0, count = 0;
    int64_t pad_before = 0, pad_after = 0;
    std::vector<int64_t> taps;  // of the forward kernel, in the order of the input; -1: a tap that always reads padding
  };
  struct Phase {
    Axis h, w;
    Conv2dPlan plan;
  };
  // Kernel and stride are equal and nothing is padded or left over: each input row gives kernel_h whole output rows.
  bool SideBySide() const;
  void RunRows(const float* in, const PackedTransposeFilter& filter, const Epilogue& epilogue, float* out, float* scratch, ThreadPool& pool) const;
  static std::vector<Axis> Phases(int64_t out, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad);

  Conv2dShape forward_;
  std::vector<Phase> phases_;
  bool side_by_side_ = false;
  int64_t phase_floats_ = 0;  // scratch for one phase's result; 0: there is only one phase, which writes the output itself
  int64_t conv_floats_ = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_CONV2D_TRANSPOSE_H_
