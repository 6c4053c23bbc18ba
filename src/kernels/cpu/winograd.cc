// The image is cut into tiles of 4 by 4 output pixels. Each tile's 6 by 6 input pixels are transformed to 36 numbers a channel
// ("positions"); for each position one matrix product over the channels gives 36 numbers an output channel, which are
// transformed to the tile's 16 outputs. Blocks of tiles are small enough for all of this to stay in the second cache.
#include "kernels/cpu/winograd.h"

#include <algorithm>

#include "core/aligned_memory.h"
#include "kernels/cpu/ceil_div.h"
#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/scratch_slots.h"

namespace savedmodel {
namespace {

constexpr int64_t kMostBlock = 64;  // tiles whose addresses fit the stack

// Above this many bytes the transformed filter does not stay in a cache until the next run.
constexpr int64_t kMostTransformed = 4 << 20;
constexpr int64_t kChunk = 32;  // channels transformed at a time, then

const WinogradKernels& WinogradFor(CpuLevel level) {
#if defined(__x86_64__)
  switch (level) {
    case CpuLevel::kAvx512: return kWinogradAvx512;
    case CpuLevel::kAvx2: return kWinogradAvx2;
    case CpuLevel::kPlain: break;
  }
#else
  (void)level;
#endif
  return kWinogradPlain;
}

// Whether the transformed filter is made anew at every run.
bool TransformsLate(const Conv2dShape& s) { return 36 * 4 * s.in_c * s.out_c > kMostTransformed; }

}  // namespace

bool WinogradPlan::Possible(const Conv2dShape& s) {
  return s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 &&
         s.groups == 1 && s.in_c > 0 && s.out_c > 0 && s.batch * s.out_h() * s.out_w() > 0;
}

// Estimates in cycles of one thread. The constants were fitted on the layers of ResNet-50 and U-Net, on Zen 4 and Zen 5.
bool WinogradPlan::Pays(const Conv2dShape& s, int threads, double direct_speed) {
  if (!Possible(s) || s.in_c < 16 || s.out_c < 16) return false;
  const bool twice = ActiveCpuLevel() == CpuLevel::kAvx512 && !DetectedCpu().halved_512;  // two multiply-adds of 64 bytes a cycle
  const double lanes = PanelLayout::For(1, s.out_c).lanes, rate = twice ? 2 : 1, transform = twice ? 170 : 250;
  const double channels = static_cast<double>(s.in_c) * static_cast<double>(s.out_c);
  const double tiles = static_cast<double>(s.batch * CeilDiv(s.out_h(), 4) * CeilDiv(s.out_w(), 4));
  const double direct = 9 * static_cast<double>(s.batch * s.out_h() * s.out_w()) * channels / lanes / rate / direct_speed;
  const double product = 36 * std::max(tiles, 6.0) * channels / lanes / rate * 1.1;
  const double transforms = tiles * static_cast<double>(s.in_c + s.out_c) / lanes * transform;
  // All threads together read the weights at about 10 bytes a cycle: they are in no cache when their turn comes.
  const double read = 9 * 4 * channels / 10 * threads;
  if (!TransformsLate(s)) return std::max(product, 4 * read) + transforms < 0.85 * std::max(direct, read);
  const double filter = std::max(1.0, tiles / kMostBlock) * channels / lanes * 100;
  return std::max(product + filter, read) + transforms < 0.85 * std::max(direct, read);
}

WinogradPlan::WinogradPlan(const Conv2dShape& shape, int threads)
    : shape_(shape),
      out_h_(shape.out_h()),
      out_w_(shape.out_w()),
      tiles_h_(CeilDiv(out_h_, 4)),
      tiles_w_(CeilDiv(out_w_, 4)),
      tiles_(shape.batch * tiles_h_ * tiles_w_),
      late_(TransformsLate(shape)),
      layout_(PanelLayout::For((late_ ? 9 : 36) * shape.in_c, shape.out_c)),
      chunk_(late_ ? std::min(kChunk, shape.in_c) : shape.in_c),
      zeros_(std::make_shared<const std::vector<float>>(shape.in_c, 0.0f)) {
  // What is at work at once is to fit the second cache: a chunk of the filter and of the image's positions, and their products.
  const int64_t room = DetectedCpu().l2_bytes * 7 / 10 / (36 * 4) - (late_ ? chunk_ * layout_.panel : 0);
  const int64_t fit = room / (chunk_ + layout_.panel);
  const int64_t tallest = KernelsFor(layout_).max_rows[layout_.panel / layout_.lanes];
  block_ = std::clamp(fit, tallest, kMostBlock);
  const bool small = tiles_ * layout_.floats() < 200000;
  if (small) threads = 1;
  slots_ = std::min(threads, ScratchSlots::kMost);
  if (tiles_ >= block_ * threads || threads == 1) {
    const int64_t blocks = CeilDiv(CeilDiv(tiles_, block_), threads) * threads;
    block_ = CeilDiv(tiles_, blocks);
    return;
  }
  shared_input_ = true;
  // Fewer blocks than threads: share out the panels, too.
  panel_splits_ = std::min<int64_t>(layout_.panels(), int64_t{4} * threads);
  const int64_t blocks = std::clamp<int64_t>(CeilDiv(threads, panel_splits_), CeilDiv(tiles_, kMostBlock), tiles_);
  block_ = CeilDiv(tiles_, blocks);
}

int64_t WinogradPlan::scratch_floats() const {
  const int64_t input = shared_input_ ? 36 * input_position(tiles_) : slots_ * 36 * input_position(block_);
  return input + slots_ * slot_floats();
}

absl::StatusOr<PackedMatrix> WinogradPlan::PackFilter(const float* filter, ThreadPool& pool, const PackedStretch* done) const {
  if (late_) return PackedMatrix::Pack(layout_.k, layout_.n, filter, layout_.n, false, pool, GemmPrecision::kFloat, nullptr, done);
  absl::StatusOr<PackedMatrix> packed = PackedMatrix::Allocate(layout_);
  if (!packed.ok()) return packed;
  float* to = packed->mutable_data();
  TakePages(to, static_cast<size_t>(layout_.floats()) * sizeof(float), pool);  // tasks write to 36 places at once
  const WinogradKernels& kernels = WinogradFor(layout_.level);
  constexpr int64_t kChannels = 16;  // a task's
  const int64_t parts = CeilDiv(shape_.in_c, kChannels);
  pool.ParallelFor(layout_.panels() * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t p = task / parts, c = task % parts * kChannels;
      WinogradFilterJob job;
      job.filter = filter + c * shape_.out_c + p * layout_.panel;
      job.tap_stride = shape_.in_c * shape_.out_c;
      job.channel_stride = shape_.out_c;
      job.channels = std::min(kChannels, shape_.in_c - c);
      job.columns = layout_.columns(p);
      job.width = layout_.width(p);
      job.u = to + p * layout_.panel * layout_.k + c * job.width;
      job.position_stride = shape_.in_c * job.width;
      kernels.transform_filter(job);
    }
  });
  return packed;
}

void WinogradPlan::TransformInput(const float* in, int64_t begin, int64_t end, float* v, int64_t position_stride) const {
  const WinogradKernels& kernels = WinogradFor(layout_.level);
  const Conv2dShape& s = shape_;
  const float* pixels[36];
  WinogradInputJob job;
  job.pixels = pixels;
  job.tiles = 1;
  job.channels = s.in_c;
  job.position_stride = position_stride;
  job.tile_stride = s.in_c;
  for (int64_t t = begin; t < end; ++t, v += s.in_c) {
    const int64_t image = t / (tiles_h_ * tiles_w_), y0 = t / tiles_w_ % tiles_h_ * 4 - s.pad_top,
                  x0 = t % tiles_w_ * 4 - s.pad_left;
    for (int64_t y = 0; y < 6; ++y) {
      const bool row_inside = y0 + y >= 0 && y0 + y < s.in_h;
      const float* row = in + (image * s.in_h + y0 + y) * s.in_w * s.in_c;
      for (int64_t x = 0; x < 6; ++x) {
        const bool inside = row_inside && x0 + x >= 0 && x0 + x < s.in_w;
        pixels[y * 6 + x] = inside ? row + (x0 + x) * s.in_c : zeros_->data();
      }
    }
    job.v = v;
    kernels.transform_input(job);
  }
}

// Adds to the products in `slot` those of panel p and the input channels from `channel` on, chunk_ of them. `product` says which tiles.
void WinogradPlan::MultiplyChunk(const PackedMatrix& filter, int64_t p, int64_t panel_end, int64_t channel, int64_t v_position,
                                 int64_t m_position, float* slot, PanelJob product) const {
  const int64_t channels = shape_.in_c, count = std::min(chunk_, channels - channel);
  const int width = layout_.width(p);
  const bool last_chunk = channel + count == channels, last_panel = p + 1 == panel_end;
  const float *u = filter.row(p, channel), *next = nullptr;
  const int64_t next_panel = p + (last_chunk ? 1 : 0);  // whose filter is transformed next
  int64_t u_position = channels * width;
  if (late_) {
    float* transformed = slot + 36 * output_position(block_);
    WinogradFilterJob job = {};
    job.filter = u;
    job.channel_stride = filter.stride(p);
    job.tap_stride = channels * job.channel_stride;
    job.channels = count;
    job.columns = job.width = width;
    job.u = transformed;
    job.position_stride = u_position = filter_position();
    WinogradFor(layout_.level).transform_filter(job);
    u = transformed;
    if (!last_chunk || !last_panel) next = filter.row(next_panel, last_chunk ? 0 : channel + count);
  }
  product.b_stride = product.columns = width;
  product.c_stride = width;
  product.depth = count;
  product.first = channel == 0;
  product.last = last_chunk;
  const bool rows_apart = next != nullptr && !filter.packed(next_panel);
  product.prefetch_bytes = rows_apart ? width : count * width * (late_ ? 1 : 4);
  product.prefetch_stride = rows_apart ? filter.stride(next_panel) * 4 : 0;
  for (int64_t position = 0; position < 36; ++position) {
    product.b = u + position * u_position;
    product.offset = position * v_position + channel;
    product.c = slot + position * m_position;
    const float* ahead = nullptr;
    if (!late_) {
      if (position < 35 || !last_panel) ahead = product.b + u_position;  // the panels lie one after the other
    } else if (next != nullptr) {
      // A quarter of a tap's channels, or of each channel's columns.
      ahead = next + position / 4 * channels * filter.stride(next_panel) + position % 4 * (rows_apart ? 1 : count) * width / 4;
    }
    product.prefetch = reinterpret_cast<const char*>(ahead);
    KernelsFor(layout_).run_panel(product);
  }
}

// Tiles [tile_begin, tile_end), of which v holds the first one's positions first.
void WinogradPlan::MultiplyPanels(const PackedMatrix& filter, const float* v, int64_t v_position, int64_t tile_begin,
                                  int64_t tile_end, int64_t panel_begin, int64_t panel_end, const Epilogue& epilogue, float* out,
                                  float* slot) const {
  const int64_t tiles = tile_end - tile_begin, m_position = output_position(tiles), channels = shape_.in_c;
  const float* rows[kMostBlock];
  WinogradTile places[kMostBlock];
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t tile = tile_begin + t, y = tile / tiles_w_ % tiles_h_ * 4, x = tile % tiles_w_ * 4;
    rows[t] = v + t * channels;
    places[t] = {(tile / (tiles_h_ * tiles_w_) * out_h_ + y) * out_w_ + x, static_cast<int>(std::min<int64_t>(4, out_h_ - y)),
                 static_cast<int>(std::min<int64_t>(4, out_w_ - x))};
  }
  PanelJob product = {};
  product.rows = rows;
  product.row_stride = tiles;
  product.row_distance = channels;
  product.taps = 1;
  product.m = tiles;
  for (int64_t p = panel_begin; p < panel_end; ++p) {
    for (int64_t c = 0; c < channels; c += chunk_) MultiplyChunk(filter, p, panel_end, c, v_position, m_position, slot, product);
    WinogradOutputJob job;
    job.m = slot;
    job.position_stride = m_position;
    job.tile_stride = layout_.width(p);
    job.tiles = places;
    job.count = tiles;
    job.columns = layout_.columns(p);
    job.out = out + p * layout_.panel;
    job.out_pixel = shape_.out_c;
    job.out_row = out_w_ * shape_.out_c;
    job.epilogue = EpilogueAt(epilogue, 0, p * layout_.panel);
    WinogradFor(layout_.level).transform_output(job);
  }
}

void WinogradPlan::Run(const float* in, const PackedMatrix& filter, const Epilogue& epilogue, float* out, float* scratch,
                       ThreadPool& pool) const {
  const int64_t blocks = CeilDiv(tiles_, block_), panels = layout_.panels();
  ScratchSlots slots(slots_);
  if (!shared_input_) {
    const int64_t v_position = input_position(block_), stride = 36 * v_position + slot_floats();
    const auto run = [&](int64_t begin, int64_t end) {
      const int slot = slots.Take();
      float* v = scratch + slot * stride;
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * block_, last = std::min(first + block_, tiles_);
        if (first >= last) break;
        TransformInput(in, first, last, v, v_position);
        MultiplyPanels(filter, v, v_position, first, last, 0, panels, epilogue, out, v + 36 * v_position);
      }
      slots.Give(slot);
    };
    if (slots_ == 1) return run(0, blocks);
    return pool.ParallelFor(blocks, 1, run);
  }
  const int64_t v_position = input_position(tiles_);
  float* m = scratch + 36 * v_position;
  pool.ParallelFor(
      tiles_, 1, [&](int64_t begin, int64_t end) { TransformInput(in, begin, end, scratch + begin * shape_.in_c, v_position); });
  pool.ParallelFor(blocks * panel_splits_, 1, [&](int64_t begin, int64_t end) {
    const int slot = slots.Take();
    for (int64_t task = begin; task < end; ++task) {
      const int64_t block = task % blocks, part = task / blocks, first = block * block_, last = std::min(first + block_, tiles_);
      if (first >= last) continue;
      MultiplyPanels(filter, scratch + first * shape_.in_c, v_position, first, last, panels * part / panel_splits_,
                     panels * (part + 1) / panel_splits_, epilogue, out, m + slot * slot_floats());
    }
    slots.Give(slot);
  });
}

}  // namespace savedmodel
