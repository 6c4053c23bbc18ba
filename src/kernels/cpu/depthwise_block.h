// A depthwise convolution with the convolution before it, the pointwise one behind it, or both, a few rows at a time: the wide
// images in between, several times larger than what goes in and comes out, stay in the second cache. (MobileNetV1's depthwise
// separable convolution, MobileNetV2's inverted bottleneck.)
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_BLOCK_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_BLOCK_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "kernels/cpu/conv2d.h"
#include "kernels/cpu/depthwise.h"

namespace savedmodel {

struct DepthwiseBlockShape {
  std::optional<Conv2dShape> head;  // makes the depthwise convolution's input; one group, not by Winograd's algorithm
  Conv2dShape depthwise;            // in_c == out_c
  int64_t project_c = 0;            // output channels of the pointwise convolution behind, 0: there is none
  GemmPrecision head_precision = GemmPrecision::kFloat, project_precision = GemmPrecision::kFloat;
};

class DepthwiseBlockPlan {
 public:
  // What one run reads and writes. `head` and `project` are packed by the plans below; they and their epilogues count
  // only where the shape has them.
  struct Job {
    const float* in = nullptr;
    const PackedFilter* head = nullptr;
    Epilogue head_epilogue;           // no residual
    const float* filter = nullptr;    // [kernel_h, kernel_w, channels, 1] as it is
    Epilogue epilogue;                // no residual
    const PackedFilter* project = nullptr;
    Epilogue project_epilogue;        // a residual is as large as the output
    float* out = nullptr;             // [batch, out_h, out_w, project_c, or channels]
    float* row_sums = nullptr;        // as DepthwisePlan's, or null; without a projection only
  };

  DepthwiseBlockPlan() = default;
  // `threads` is the size of the pool that Run gets.
  static absl::StatusOr<DepthwiseBlockPlan> Make(const DepthwiseBlockShape& shape, int threads);
  // Whether the images before or behind the depthwise convolution are together too large for the caches, so that running by rows is quicker
  // than one convolution after the other.
  static bool HeadPays(const Conv2dShape& depthwise);
  static bool ProjectionPays(const Conv2dShape& depthwise);

  int64_t scratch_bytes() const { return (head_floats_ + slots_ * slot_floats_) * static_cast<int64_t>(sizeof(float)); }
  void Run(const Job& job, float* scratch, ThreadPool& pool) const;

  const Conv2dPlan& head() const { return head_; }
  const DepthwisePlan& depthwise() const { return depthwise_; }
  const Conv2dPlan& project() const { return project_; }

 private:
  void RunRows(const Job& job, const float* prepared, const float* shared, float* scratch, int64_t image, int64_t row, int64_t last_row) const;

  DepthwiseBlockShape shape_;
  Conv2dPlan head_, project_;  // the projection's image is one round's rows
  DepthwisePlan depthwise_;
  int64_t window_rows_ = 0;  // of the head's output, at a time
  int64_t round_rows_ = 0;   // of the depthwise convolution's output that are projected at a time
  int64_t head_floats_ = 0;  // scratch that all tasks share
  int64_t window_floats_ = 0, round_floats_ = 0;
  int64_t parts_ = 1;        // tasks into which the output rows of an image are cut
  int slots_ = 0;
  int64_t slot_floats_ = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_BLOCK_H_
