#include "kernels/cpu/gemm.h"

#include <algorithm>

#include "kernels/cpu/gemm_blocks.h"
#include "kernels/cpu/scratch_slots.h"

namespace savedmodel {
namespace {

void Transpose(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to) {  // to [columns, rows]
  for (int64_t i0 = 0; i0 < rows; i0 += 16) {
    for (int64_t j = 0; j < columns; ++j) {
      for (int64_t i = i0; i < std::min(rows, i0 + 16); ++i) to[j * rows + i] = from[i * stride + j];
    }
  }
}

// A product of few rows reads B where it is, whole vectors at a time: packing would cost more than it saves. Only the odd
// columns at the end are packed, since reading past them could leave the tensor.
constexpr int64_t kDirectRows = 16;

constexpr int64_t kTinyWork = 100000;  // multiplications

// No plan, no blocks: planning would take longer than the product.
void TinyGemm(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, const Epilogue& epilogue, float* c,
              int64_t c_stride) {
  const PanelLayout& layout = b.layout();
  if (m <= 0 || layout.n <= 0) return;
  const GemmKernels& kernels = KernelsFor(layout);
  const float* rows[kDirectRows];
  for (int64_t i = 0; i < m; ++i) rows[i] = a + i * a_stride;
  PanelJob job;
  job.rows = rows;
  job.row_stride = job.m = m;
  job.row_distance = a_stride;
  job.taps = 1;
  job.offset = 0;
  job.depth = layout.k;
  job.c_stride = c_stride;
  job.first = job.last = true;
  for (int64_t p = 0, column = 0; column < layout.n; ++p, column += layout.panel) {
    job.columns = layout.columns(p);
    job.b = b.row(p, 0);
    job.b_stride = b.stride(p);
    job.c = c + column;
    job.epilogue = EpilogueAt(epilogue, 0, column);
    kernels.run_panel(job);
  }
  if (kernels.release != nullptr) kernels.release();
}

}  // namespace

void Gemm(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, const Epilogue& epilogue, float* c,
          int64_t c_stride, ThreadPool& pool) {
  if (m <= kDirectRows && m * b.layout().floats() < kTinyWork) return TinyGemm(m, a, a_stride, b, epilogue, c, c_stride);
  BlockedProduct product;
  product.m = m;
  product.depth = b.layout().k;
  product.input_bytes = m * product.depth * 4;
  product.row_distance = a_stride;
  product.Plan(b.layout(), pool.num_threads());
  product.Run(
      b, epilogue, c, c_stride,
      [&](int64_t begin, int64_t rows, int, int, const float** to) {
        for (int64_t i = 0; i < rows; ++i) to[i] = a + (begin + i) * a_stride;
      },
      pool);
}

int64_t MixedGemmScratchBytes(int64_t m, const PackedMatrix& b) { return b.layout().bf16 ? m * b.layout().k * 4 : 0; }

void MixedGemm(int64_t m, const float* a, int64_t a_stride, const PackedMatrix& b, const Epilogue& epilogue, float* c,
               int64_t c_stride, float* scratch, ThreadPool& pool) {
  const PanelLayout& layout = b.layout();
  if (!layout.bf16) return Gemm(m, a, a_stride, b, epilogue, c, c_stride, pool);
  RoundToBf16(a, a_stride, m, layout.inner, scratch, pool);
  Gemm(m, scratch, layout.k, b, epilogue, c, c_stride, pool);
}

MatMulPlan::MatMulPlan(const MatMulShape& shape, int threads) : shape_(shape), layout_(PanelLayout::For(shape.k, shape.n)) {
  if (shape.batch <= 0 || shape.m <= 0 || shape.n <= 0) return;
  direct_ = !shape.transpose_b && shape.m <= kDirectRows;
  const bool small = shape.batch * shape.m * shape.k * shape.n < 100000;
  slices_ = shape.batch == 1 || small ? 1 : std::min<int64_t>(shape.batch, int64_t{2} * threads);
  slice_floats_ = direct_ ? shape.k * layout_.lanes : layout_.floats();
  if (shape.transpose_a) slice_floats_ += shape.m * shape.k;
  slice_floats_ = AlignedFloats(slice_floats_);
}

void MatMulPlan::RunOne(const float* a, const float* b, const Epilogue& epilogue, float* c, float* scratch,
                        ThreadPool& pool) const {
  const MatMulShape& s = shape_;
  int64_t a_stride = s.a_stride;
  if (s.transpose_a) {
    Transpose(a, s.a_stride, s.k, s.m, scratch);
    a = scratch;
    a_stride = s.k;
    scratch += s.m * s.k;
  }
  if (!direct_) {
    PackMatrix(layout_, b, s.b_stride, s.transpose_b, scratch, pool);
    return Gemm(s.m, a, a_stride, PackedMatrix::View(layout_, scratch), epilogue, c, s.c_stride, pool);
  }
  const int64_t odd = s.n % layout_.lanes, whole = s.n - odd;
  const float* rows[kDirectRows];
  for (int64_t i = 0; i < s.m; ++i) rows[i] = a + i * a_stride;
  const GemmKernels& kernels = KernelsFor(layout_);
  const auto run = [&](int64_t first, int columns, const float* from, int64_t stride) {
    PanelJob job = {};
    job.rows = rows;
    job.row_stride = s.m;
    job.row_distance = a_stride;
    job.taps = 1;
    job.depth = s.k;
    job.m = s.m;
    job.b = from;
    job.b_stride = stride;
    job.columns = columns;
    job.c = c + first;
    job.c_stride = s.c_stride;
    job.first = job.last = true;
    job.epilogue = EpilogueAt(epilogue, 0, first);
    kernels.run_panel(job);
  };
  const int64_t widest = layout_.lanes * kernels.max_vectors, panels = (whole + widest - 1) / widest;
  const auto run_panels = [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      run(p * widest, static_cast<int>(std::min(widest, whole - p * widest)), b + p * widest, s.b_stride);
    }
  };
  const int64_t panel_work = s.k * widest;  // numbers of B
  if (panels * panel_work < 200000) {
    run_panels(0, panels);
  } else {
    pool.ParallelFor(panels, 100000 / panel_work + 1, run_panels);
  }
  if (odd > 0) {
    PanelLayout rest = layout_;
    rest.n = odd;
    rest.panel = layout_.lanes;
    CallerOnly caller;
    PackMatrix(rest, b + whole, s.b_stride, false, scratch, caller);
    run(whole, static_cast<int>(odd), scratch, layout_.lanes);
  }
}

void MatMulPlan::Run(const float* a, const float* b, const Epilogue& epilogue, float* c, float* scratch, ThreadPool& pool) const {
  if (slices_ == 0) return;
  const auto one = [&](int64_t i, float* memory, ThreadPool& threads) {
    Epilogue part = epilogue;
    if (part.residual != nullptr) part.residual += i * shape_.c_distance;
    RunOne(a + i * shape_.a_distance, b + i * shape_.b_distance, part, c + i * shape_.c_distance, memory, threads);
  };
  if (shape_.batch == 1) return one(0, scratch, pool);
  const auto slices = [&](int64_t begin, int64_t end) {
    CallerOnly caller;
    for (int64_t slice = begin; slice < end; ++slice) {
      for (int64_t i = shape_.batch * slice / slices_; i < shape_.batch * (slice + 1) / slices_; ++i) {
        one(i, scratch + slice * slice_floats_, caller);
      }
    }
  };
  if (slices_ == 1) return slices(0, 1);
  pool.ParallelFor(slices_, 1, slices);
}

}  // namespace savedmodel
