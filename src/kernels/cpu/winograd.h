// Winograd's F(4x4, 3x3): 3 by 3 convolutions at stride 1 with a quarter of the multiplications. Used by Conv2dPlan.
//
// Rounding errors are about twice those of the direct sum. The transformed filter has four times the filter's size: where it
// would have to come from memory at every run, the filter is kept as it is and transformed while it is used, in parts that
// stay in the second cache.
#ifndef SAVEDMODEL_KERNELS_CPU_WINOGRAD_H_
#define SAVEDMODEL_KERNELS_CPU_WINOGRAD_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "kernels/cpu/conv2d_shape.h"
#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/gemm_kernels.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/winograd_kernels.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

class WinogradPlan {
 public:
  // Whether the shape can be computed so at all, and whether that is expected to be faster than the direct way, which multiplies
  // `direct_speed` times as fast as floats are multiplied.
  static bool Possible(const Conv2dShape& shape);
  static bool Pays(const Conv2dShape& shape, int threads, double direct_speed);

  WinogradPlan(const Conv2dShape& shape, int threads);  // Possible(shape)

  absl::StatusOr<PackedMatrix> PackFilter(const float* filter, ThreadPool& pool, const PackedStretch* done = nullptr) const;
  const PanelLayout& filter_layout() const { return layout_; }
  bool reads_plain_filter() const { return late_; }  // Run takes a filter in place, too
  int64_t scratch_floats() const;
  void Run(const float* in, const PackedMatrix& filter, const Epilogue& epilogue, float* out, float* scratch,
           ThreadPool& pool) const;

 private:
  // What lies where in a stretch of scratch for `tiles` tiles.
  int64_t input_position(int64_t tiles) const { return tiles * shape_.in_c + 16; }
  int64_t output_position(int64_t tiles) const { return tiles * layout_.panel + 16; }
  int64_t filter_position() const { return chunk_ * layout_.panel + 16; }
  int64_t slot_floats() const { return 36 * output_position(block_) + (late_ ? 36 * filter_position() : 0); }

  void TransformInput(const float* in, int64_t begin, int64_t end, float* v, int64_t position_stride) const;
  void MultiplyPanels(const PackedMatrix& filter, const float* v, int64_t v_position, int64_t tile_begin, int64_t tile_end,
                      int64_t panel_begin, int64_t panel_end, const Epilogue& epilogue, float* out, float* slot) const;

  void MultiplyChunk(const PackedMatrix& filter, int64_t p, int64_t panel_end, int64_t channel, int64_t v_position, int64_t m_position,
                     float* slot, PanelJob product) const;

  Conv2dShape shape_;
  int64_t out_h_, out_w_, tiles_h_, tiles_w_, tiles_;
  bool late_ = false;          // the filter is transformed by Run, not by PackFilter
  PanelLayout layout_;         // k = 36 * in_c: position after position; if late_, k = 9 * in_c: tap after tap
  int64_t chunk_ = 0;          // input channels multiplied at a time
  bool shared_input_ = false;  // transform all tiles first, then share out tiles and panels; else whole blocks of tiles
  int64_t block_ = 1;          // tiles at a time
  int64_t panel_splits_ = 1;
  int slots_ = 1;  // tasks at work at once, each with scratch of its own
  std::shared_ptr<const std::vector<float>> zeros_;
};

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_WINOGRAD_H_
