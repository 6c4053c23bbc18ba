// A convolution of one pixel that widens an image, and the depthwise convolution behind it, a few rows at a time: the wide
// image in between, several times larger than what goes in and comes out, stays in the second cache.
#ifndef SAVEDMODEL_KERNELS_CPU_EXPAND_DEPTHWISE_H_
#define SAVEDMODEL_KERNELS_CPU_EXPAND_DEPTHWISE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/cpu/depthwise.h"
#include "kernels/cpu/packed_matrix.h"

namespace savedmodel {

class ExpandDepthwisePlan {
 public:
  ExpandDepthwisePlan() = default;
  // `depthwise` is the second convolution (in_c == out_c), `in_c` the channels before the first. `threads` is the size of the
  // pool that Run gets. `bf16` if the first convolution's filter is packed so.
  static absl::StatusOr<ExpandDepthwisePlan> Make(const Conv2dShape& depthwise, int64_t in_c, int threads, bool bf16 = false);
  // Whether the wide image is too large for the caches, so that this is quicker than one convolution after the other.
  static bool WorthIt(const Conv2dShape& depthwise);

  int64_t scratch_bytes() const { return slots_ * slot_floats_ * static_cast<int64_t>(sizeof(float)); }
  // `expand` is [in_c, channels]; `filter` is [kernel_h, kernel_w, channels, 1] as it is. No residual in
  // either epilogue. `out` is [batch, out_h, out_w, channels]; `row_sums` as DepthwisePlan's.
  void Run(const float* in, const PackedMatrix& expand, const Epilogue& expand_epilogue, const float* filter, const Epilogue& epilogue, float* out,
           float* scratch, ThreadPool& pool, float* row_sums = nullptr) const;
  const DepthwisePlan& depthwise() const { return depthwise_; }

 private:
  Conv2dShape shape_;
  DepthwisePlan depthwise_;
  int64_t in_c_ = 0;
  int64_t round_floats_ = 0;  // room in each slot for the input of a window in bfloat16
  int64_t buffer_rows_ = 0;  // of the wide image, at a time
  int64_t parts_ = 1;        // tasks into which the output rows of an image are cut
  int slots_ = 0;
  int64_t slot_floats_ = 0;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_EXPAND_DEPTHWISE_H_
