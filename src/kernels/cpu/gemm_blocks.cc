#include "kernels/cpu/gemm_blocks.h"

#include <algorithm>

#include "kernels/cpu/ceil_div.h"

namespace savedmodel {
namespace {

constexpr int64_t kTable = 2048;             // row pointers kept on the stack
constexpr int64_t kSmallWork = 8000;         // cycles that do not pay for waking another thread
constexpr int64_t kShortestStretch = 64 << 10;  // bytes of a panel

// The i-th of `parts` nearly equal parts of [0, total) begins here.
int64_t PartBegin(int64_t total, int64_t parts, int64_t i) { return total / parts * i + std::min(i, total % parts); }

using Convert = void (*)(const float* in, const float* factor, int64_t n, void* out);

void ConvertToBf16Plain(const float* in, const float* factor, int64_t n, void* out) {
  auto* to = static_cast<char*>(out);
  const auto rounded = [&](int64_t i) { return Bf16Bits(factor != nullptr ? in[i] * factor[i] : in[i]); };
  for (int64_t i = 0; i < n; i += 2, to += 4) {
    const uint32_t pair = rounded(i) | (i + 1 < n ? rounded(i + 1) << 16 : 0);
    std::memcpy(to, &pair, sizeof pair);
  }
}

Convert ConvertToBf16() {
#if defined(__x86_64__)
  if (ActiveCpuLevel() == CpuLevel::kAvx512 && DetectedCpu().avx512_bf16) return ConvertToBf16Avx512;
#endif
  return ConvertToBf16Plain;
}

}  // namespace

void RoundToBf16(const float* from, int64_t stride, int64_t rows, int64_t n, float* to, ThreadPool& pool, const float* factor) {
  const Convert convert = ConvertToBf16();
  pool.ParallelFor(rows, 32768 / (n + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) convert(from + row * stride, factor, n, to + row * ((n + 1) / 2));
  });
}

// Threads share tasks of rows x panels. Of the ways to cut, takes the one with the least time, estimated as the longest
// thread's arithmetic plus what all tasks together read: each reads its rows of A and its panels of B once.
void BlockedProduct::SplitTasks(const PanelLayout& b, int threads) {
  row_splits = panel_splits = 1;
  const GemmKernels& kernels = KernelsFor(b);
  const int64_t bytes = b.floats() * 4;
  const int64_t work = std::max(m * (b.floats() / 16) / (kernels.rate / 16), bytes / 16);
  if (threads <= 1 || work < kSmallWork) return;
  const int64_t tiles = CeilDiv(m, kernels.max_rows[b.panel / b.lanes]), panels = b.panels();
  const int64_t most = std::clamp<int64_t>(work / kSmallWork, threads, int64_t{4} * threads);
  double best = 0;
  for (int64_t p = 1; p <= std::min(panels, most); ++p) {
    for (int64_t r = 1; r <= std::min(tiles, most / p); ++r) {
      const double rounds = static_cast<double>(CeilDiv(p * r, threads));
      const double largest = static_cast<double>(CeilDiv(panels, p) * CeilDiv(m, r)) / static_cast<double>(panels * m);
      const double arithmetic = static_cast<double>(work) * largest * rounds * (1 + 0.03 / rounds);
      const double traffic = static_cast<double>(r * bytes + p * input_bytes) / (8.0 * threads);
      if (best == 0 || arithmetic + traffic < best) {
        best = arithmetic + traffic;
        panel_splits = p;
        row_splits = r;
      }
    }
  }
}

void BlockedProduct::Plan(const PanelLayout& b, int threads) {
  if (m <= 0 || b.n <= 0) return;
  const GemmKernels& kernels = KernelsFor(b);
  const int64_t tallest = kernels.max_rows[b.panel / b.lanes];
  SplitTasks(b, threads);

  // B comes from the second cache for each tile anyway, and each stretch but the first reads C again.
  const int64_t l2 = DetectedCpu().l2_bytes;
  int64_t steps = (kernels.stretch_bytes > 0 ? kernels.stretch_bytes : std::max(l2 / 4, kShortestStretch)) / 4 / b.panel;
  if (m <= tallest) steps = std::max<int64_t>(taps * depth, 1);  // every number of B is used once anyway
  if (depth > steps) {
    tap_step = 1;
    depth_step = std::min(depth, CeilDiv(CeilDiv(depth, CeilDiv(depth, steps)), 16) * 16);
  } else {
    depth_step = std::max<int64_t>(depth, 1);
    const int64_t fit = std::clamp<int64_t>(steps / depth_step, 1, taps);
    tap_step = static_cast<int>(CeilDiv(taps, CeilDiv(taps, fit)));
  }
  tap_step = std::min(tap_step, 128);
  tap_group = std::min(std::max(128 / tap_step, 1) * tap_step, taps);

  const int64_t rows = CeilDiv(m, row_splits), table_rows = kTable / tap_group;
  const int64_t cached_rows = l2 / 3 / std::max<int64_t>(input_bytes / m, 1);
  if (cached_rows >= std::min<int64_t>(rows, 96)) {
    block_rows = std::min(table_rows, cached_rows);
    group_panels = 1;
  } else {
    block_rows = std::min<int64_t>(table_rows, 256);
    group_panels = std::max<int64_t>(l2 / 4 / (std::min(block_rows, rows) * b.panel * 4), 1);
  }
  block_rows = CeilDiv(rows, CeilDiv(rows, std::max(block_rows, std::min(tallest, table_rows))));
}

void BlockedProduct::RunBlock(const PackedMatrix& b, const Epilogue& epilogue, float* c, int64_t c_stride, FillRows fill,
                              const Block& block) const {
  const PanelLayout& layout = b.layout();
  const GemmKernels& kernels = KernelsFor(layout);
  const float* table[kTable];
  PanelJob job;
  job.rows = table;
  job.row_distance = row_distance;
  job.c_stride = c_stride;
  for (int tap_table = 0; tap_table < taps; tap_table += tap_group) {
    const int table_end = std::min(tap_table + tap_group, taps);
    for (int64_t row = block.row_begin; row < block.row_end; row += block_rows) {
      const int64_t rows = std::min(block_rows, block.row_end - row);
      fill(row, rows, tap_table, table_end, table);
      job.row_stride = rows;
      job.m = rows;
      for (int64_t group = block.panel_begin; group < block.panel_end; group += group_panels) {
        const int64_t group_end = std::min(group + group_panels, block.panel_end);
        for (int tap = tap_table; tap < table_end; tap += tap_step) {
          job.rows = table + (tap - tap_table) * rows;
          job.taps = std::min(tap_step, table_end - tap);
          for (int64_t at = 0; at == 0 || at < depth; at += depth_step) {
            job.offset = at;
            job.depth = std::min(depth_step, depth - at);
            job.first = tap == 0 && at == 0;
            job.last = tap + job.taps == taps && at + job.depth == depth;
            const bool table_done = tap + job.taps == table_end && at + job.depth == depth;
            for (int64_t p = group; p < group_end; ++p) {
              const int64_t column = p * layout.panel;
              job.b = b.row(p, tap * depth + at);
              job.b_stride = b.stride(p);
              job.columns = layout.columns(p);
              job.c = c + row * c_stride + column;
              job.epilogue = EpilogueAt(epilogue, row, column);
              // The next job reads the same stretch of the next panel, or the next stretch of the group's first one.
              job.prefetch = nullptr;
              const auto prefetch = [&](int64_t panel, int64_t inner) {
                job.prefetch = reinterpret_cast<const char*>(b.row(panel, inner));
                job.prefetch_stride = b.packed(panel) ? 0 : b.stride(panel) * 4;
                job.prefetch_bytes = (b.packed(panel) ? job.taps * job.depth : 1) * layout.width(panel) * 4;
              };
              if (p + 1 < group_end) {
                prefetch(p + 1, tap * depth + at);
              } else if (!table_done) {
                prefetch(group, tap * depth + at + job.taps * job.depth);
              } else if (group_end < block.panel_end) {
                prefetch(group_end, tap_table * depth);
              }
              kernels.run_panel(job);
            }
          }
        }
      }
    }
  }
  if (kernels.release != nullptr) kernels.release();
}

void BlockedProduct::Run(const PackedMatrix& b, const Epilogue& epilogue, float* c, int64_t c_stride, FillRows fill,
                         ThreadPool& pool) const {
  const int64_t panels = b.layout().panels();
  if (m <= 0 || panels <= 0) return;
  if (row_splits * panel_splits == 1) return RunBlock(b, epilogue, c, c_stride, fill, {0, m, 0, panels});
  // Vector kernels make tiles of nearly equal height of any number of rows.
  const int64_t unit = b.layout().tiles ? 16 : 1, units = CeilDiv(m, unit);
  pool.ParallelFor(row_splits * panel_splits, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      // Neighbours share panels, which then are still in the cache.
      const int64_t p = task / row_splits, r = task % row_splits;
      Block block;
      block.row_begin = std::min(PartBegin(units, row_splits, r) * unit, m);
      block.row_end = std::min(PartBegin(units, row_splits, r + 1) * unit, m);
      block.panel_begin = PartBegin(panels, panel_splits, p);
      block.panel_end = PartBegin(panels, panel_splits, p + 1);
      RunBlock(b, epilogue, c, c_stride, fill, block);
    }
  });
}

}  // namespace savedmodel
