// Convolution of float images, channels last ([batch, height, width, channels]).
#ifndef SAVEDMODEL_KERNELS_CPU_CONV2D_H_
#define SAVEDMODEL_KERNELS_CPU_CONV2D_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/cpu/conv2d_shape.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/winograd.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

// Weights in the order that one kind of plan reads. Shares its memory with copies of itself.
struct PackedFilter {
  std::vector<PackedMatrix> parts;  // one per group
};

enum class ConvAlgorithm {
  kAuto,      // Winograd where it is possible and expected to be faster
  kDirect,    // the sum as it is written
  kWinograd,  // refused where it is not possible
};

// All that can be decided from the shape. Run is const and may be called by many threads at once, each with its own scratch.
class Conv2dPlan {
 public:
  Conv2dPlan() = default;
  // `threads` is the size of the pool that Run gets.
  static absl::StatusOr<Conv2dPlan> Make(const Conv2dShape& shape, int threads, ConvAlgorithm algorithm = ConvAlgorithm::kAuto,
                                         GemmPrecision precision = GemmPrecision::kFloat);

  // `filter` is [kernel_h, kernel_w, in_c / groups, out_c]; `factor`, where not null, has a number for each output channel to
  // multiply it with, which Winograd's algorithm refuses: Epilogue::scale does the same. Plans whose filter_layout() are equal
  // share packed filters. `done`, where not null, may be told of what is packed.
  absl::StatusOr<PackedFilter> PackFilter(const float* filter, ThreadPool& pool, const float* factor = nullptr, const PackedStretch* done = nullptr) const;
  // Whether Run takes the filter as it lies in memory, too, and that filter: slower to use than a packed one. The memory has to
  // outlive it.
  bool reads_in_place() const;
  absl::StatusOr<PackedFilter> FilterInPlace(const float* filter, ThreadPool& pool) const;
  const PanelLayout& filter_layout() const { return winograd_ ? winograd_->filter_layout() : layout_; }

  int64_t scratch_bytes() const { return scratch_floats_ * static_cast<int64_t>(sizeof(float)); }
  // `out` is [batch, out_h, out_w, out_c]; a residual has the same shape (its residual_stride is out_c) and may be `out`.
  void Run(const float* in, const PackedFilter& filter, const Epilogue& epilogue, float* out, float* scratch,
           ThreadPool& pool) const;

  // The same for some pixels at a time, where the plan is kDirect and there is one group. Prepare gives what RunPixels takes
  // for `in`; any number of threads may then call that at once with the same scratch. It computes output pixels [begin, end), counted over the whole
  // batch, and `out` and a residual begin with the first of them.
  const float* Prepare(const float* in, float* scratch, ThreadPool& pool) const;
  void RunPixels(const float* prepared, const PackedFilter& filter, const Epilogue& epilogue, float* out, const float* scratch, int64_t begin,
                 int64_t end) const;

 private:
  void FillRows(const float* in, const float* edges, int64_t begin, int64_t rows, int tap_begin, int tap_end,
                const float** to) const;
  void RoundSparse(const float* in, float* to, ThreadPool& pool) const;
  void CopyEdges(const float* in, float* edges, ThreadPool& pool) const;

  Conv2dShape shape_;
  int64_t out_h_ = 0, out_w_ = 0;
  PanelLayout layout_;                       // of one group
  BlockedProduct product_;                   // of one group
  bool merged_ = false;                      // a tap is a whole row of the kernel: few channels
  int64_t tap_width_ = 1;                    // of taps in kernel_w
  int64_t inner_begin_ = 0, inner_end_ = 0;  // output columns whose kernel rows lie inside the image (merged only)
  int64_t scratch_floats_ = 0;
  int64_t round_ = 0;  // numbers of the input to round to bfloat16 in scratch; from then on in_c counts pairs
  // Few channels in bfloat16: the rounded image has an even number of channels and its zeros at both sides, and shape_ is its.
  int64_t sparse_c_ = 0, sparse_w_ = 0, sparse_left_ = 0;  // channels, width and left padding of the input, or 0
  std::shared_ptr<const std::vector<float>> zeros_;  // what padding reads
  std::shared_ptr<const WinogradPlan> winograd_;     // does it all, if not null
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_CONV2D_H_
