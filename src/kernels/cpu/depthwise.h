// Depthwise convolution of float images, channels last: every channel has `multiplier` kernels of its own.
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernels/cpu/conv2d.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/epilogue.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

class DepthwisePlan {
 public:
  DepthwisePlan() = default;
  // In `shape`, out_c is a multiple of in_c and groups counts for nothing. `threads` is the size of the pool that Run gets.
  static absl::StatusOr<DepthwisePlan> Make(const Conv2dShape& shape, int threads);

  int64_t scratch_bytes() const { return scratch_floats_ * static_cast<int64_t>(sizeof(float)); }
  // `filter` is [kernel_h, kernel_w, in_c, multiplier], read as it is; output channel c * multiplier + q is channel c's
  // kernel q. A residual is as large as the output and may be it. `row_sums`, if not null, gets the sum of each output row,
  // [batch, out_h, out_c]: means of the image that way cost no second look at it, and are the same for any number of threads.
  void Run(const float* in, const float* filter, const Epilogue& epilogue, float* out, float* scratch, ThreadPool& pool, float* row_sums = nullptr) const;

  int64_t out_h() const { return out_h_; }
  int64_t out_w() const { return out_w_; }
  // The input rows of one image that output row `row` reads: [first, last).
  void InputRows(int64_t row, int64_t* first, int64_t* last) const;
  // One output row of one image, on the calling thread, from input rows that lie together: `rows` begins with input row
  // `first`. multiplier must be 1. The output row is row `out_row` of `out`, of a residual and of the row sums.
  void RunOneRow(const float* rows, int64_t first, const float* filter, const Epilogue& epilogue, float* out, int64_t row, int64_t out_row,
                 float* row_sums = nullptr) const;

  int64_t row_sums_bytes() const { return shape_.batch * out_h_ * shape_.out_c * static_cast<int64_t>(sizeof(float)); }
  // Means over the pixels of each image, [batch, out_c], out of the sums of its rows.
  void MeansOf(const float* row_sums, float* means) const;

 private:
  void RunRow(const float* rows, int64_t first, const float* filter, const Epilogue& epilogue, float* out, int64_t row, int64_t out_row,
              int64_t c_begin, int64_t c_end, float* row_sums) const;

  Conv2dShape shape_;  // with in_c == out_c
  int64_t multiplier_ = 1;
  int64_t out_h_ = 0, out_w_ = 0;
  CpuLevel level_ = CpuLevel::kPlain;
  int64_t row_splits_ = 1, channel_splits_ = 1;
  int64_t scratch_floats_ = 0;  // the input with every channel repeated
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_H_
