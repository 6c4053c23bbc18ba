#include "ops/linalg/matrix_product.h"

#include <Eigen/Core>
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "core/status_macros.h"
#include "kernels/cpu/gemm.h"
#include "ops/dispatch.h"

namespace savedmodel {
namespace {

// Rows [row, row + rows) and columns [column, column + columns) of one product.
struct Block {
  int64_t row, rows, column, columns;
};

template <typename T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using Source = Eigen::Map<const RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

template <typename T>
Source<T> SourceOf(const T* data, int64_t rows, int64_t columns, int64_t stride) {
  return Source<T>(data, rows, columns, Eigen::OuterStride<>(stride));
}

// Blocks of double and complex numbers, no operand transposed: Eigen's product.
template <typename T>
void MultiplyBlock(const MatrixProduct& p, const Block& block, const T* a, const T* b, T* c) {
  Eigen::Map<RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>> out(c + block.row * p.n + block.column, block.rows, block.columns,
                                                                      Eigen::OuterStride<>(p.n));
  out.noalias() = SourceOf(a + block.row * p.k, block.rows, p.k, p.k) * SourceOf(b + block.column, p.k, block.columns, p.n);
}

// Integer blocks: sums modulo 2^bits, so signed and unsigned share one instance.
template <typename U>
void MultiplyIntegerBlock(const MatrixProduct& p, const Block& block, const U* a, const U* b, U* c) {
  using Wide = std::conditional_t<(sizeof(U) < 4), uint32_t, U>;
  const int64_t row_step = p.transpose_a ? 1 : p.k, column_step = p.transpose_a ? p.m : 1;
  for (int64_t i = block.row; i < block.row + block.rows; ++i) {
    U* out = c + i * p.n + block.column;
    std::fill(out, out + block.columns, U(0));
    for (int64_t q = 0; q < p.k; ++q) {
      const Wide factor = a[i * row_step + q * column_step];
      const U* row = p.transpose_b ? b + block.column * p.k + q : b + q * p.n + block.column;
      const int64_t step = p.transpose_b ? p.k : 1;
      for (int64_t j = 0; j < block.columns; ++j) out[j] = static_cast<U>(Wide(out[j]) + factor * Wide(row[j * step]));
    }
  }
}

constexpr int64_t kGrainProducts = 1 << 16;  // multiplications that are worth a piece of work of their own

// Cuts every product into blocks of enough work and calls work(batch, block) for all of them on the pool.
template <typename F>
void ForEachBlock(ThreadPool& pool, const MatrixProduct& p, const F& work) {
  const int64_t depth = std::max<int64_t>(p.k, 1);
  int64_t rows = p.m, columns = p.n;
  const int64_t wanted = 4 * static_cast<int64_t>(pool.num_threads());
  auto pieces = [&] { return p.batches * ((p.m + rows - 1) / rows) * ((p.n + columns - 1) / columns); };
  auto work_of = [&] { return static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(depth); };
  while (pool.num_threads() > 1 && pieces() < wanted && work_of() > 2. * kGrainProducts && (rows > 16 || columns > 64)) {
    if (rows > 16 && (rows >= columns || columns <= 64)) {
      rows = (rows + 1) / 2;
    } else {
      columns = (columns / 2 + 15) / 16 * 16;
    }
  }
  const int64_t row_pieces = (p.m + rows - 1) / rows, column_pieces = (p.n + columns - 1) / columns;
  const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(kGrainProducts / work_of()));
  auto range = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t column = i % column_pieces * columns, row = i / column_pieces % row_pieces * rows;
      work(i / column_pieces / row_pieces, Block{row, std::min(rows, p.m - row), column, std::min(columns, p.n - column)});
    }
  };
  const int64_t total = p.batches * row_pieces * column_pieces;
  if (total <= grain) return range(0, total);
  pool.ParallelFor(total, grain, range);
}

template <typename T>
void MultiplyAs(KernelContext& context, const MatrixProduct& p, const void* a, const void* b, void* c) {
  ForEachBlock(context.pool(), p, [&](int64_t i, const Block& block) {
    const T* left = static_cast<const T*>(a) + (p.a_batch == nullptr ? i : p.a_batch[i]) * p.m * p.k;
    const T* right = static_cast<const T*>(b) + (p.b_batch == nullptr ? i : p.b_batch[i]) * p.k * p.n;
    T* out = static_cast<T*>(c) + i * p.m * p.n;
    if constexpr (std::is_integral_v<T>) {
      MultiplyIntegerBlock(p, block, left, right, out);
    } else {
      MultiplyBlock(p, block, left, right, out);
    }
  });
}

// float: our own kernels, batch by batch where an operand broadcasts in part.
absl::Status MultiplyFloats(KernelContext& context, const MatrixProduct& p, const float* a, const float* b, float* c) {
  MatMulShape shape;
  shape.m = p.m;
  shape.n = p.n;
  shape.k = p.k;
  shape.transpose_a = p.transpose_a;
  shape.transpose_b = p.transpose_b;
  shape.a_stride = p.transpose_a ? p.m : p.k;
  shape.b_stride = p.transpose_b ? p.k : p.n;
  shape.c_stride = p.n;
  const bool a_regular = p.a_batch == nullptr || p.a_count == 1, b_regular = p.b_batch == nullptr || p.b_count == 1;
  if (a_regular && b_regular) {
    shape.batch = p.batches;
    shape.a_distance = p.a_batch == nullptr ? p.m * p.k : 0;
    shape.b_distance = p.b_batch == nullptr ? p.k * p.n : 0;
    shape.c_distance = p.m * p.n;
  }
  const MatMulPlan plan(shape, context.pool().num_threads());
  Tensor scratch;
  if (plan.scratch_bytes() > 0) {
    SM_ASSIGN_OR_RETURN(scratch, context.Scratch(DataType::kFloat, {plan.scratch_bytes() / static_cast<int64_t>(sizeof(float))}));
  }
  for (int64_t i = 0; i < p.batches / shape.batch; ++i) {
    const int64_t a_at = p.a_batch == nullptr ? i : p.a_batch[i], b_at = p.b_batch == nullptr ? i : p.b_batch[i];
    plan.Run(a + a_at * p.m * p.k, b + b_at * p.k * p.n, Epilogue(), c + i * p.m * p.n, scratch.data<float>(), context.pool());
  }
  return absl::OkStatus();
}

template <typename From, typename To>
void Convert(ThreadPool& pool, const From* from, To* to, int64_t n) {
  pool.ParallelFor(n, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = static_cast<To>(from[i]);
  });
}

// The operand as a tensor of W; a view when it is of that type already.
template <typename W>
absl::StatusOr<Tensor> Widened(KernelContext& context, DataType type, const void* data, int64_t n) {
  if (type == DataTypeOf<W>::value) return Tensor::View(type, {n}, const_cast<void*>(data));
  SM_ASSIGN_OR_RETURN(Tensor wide, context.Scratch(DataTypeOf<W>::value, {n}));
  using Narrow = TypeList<Half, BFloat16, int8_t, uint8_t, int16_t>;
  SM_RETURN_IF_ERROR((DispatchAs<absl::Status, Narrow>(type, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> || std::is_same_v<W, float>) {
      Convert(context.pool(), static_cast<const T*>(data), wide.template data<W>(), n);
    }
    return absl::OkStatus();
  })));
  return wide;
}

// `count` matrices of rows x columns, as the product wants them: copied transposed or conjugated where asked, else as they are.
template <typename T>
absl::StatusOr<Tensor> Arranged(KernelContext& context, const void* data, int64_t count, int64_t rows, int64_t columns, bool transposed,
                                bool conjugated) {
  const int64_t n = count * rows * columns;
  if (!transposed && !conjugated) return Tensor::View(DataTypeOf<T>::value, {n}, const_cast<void*>(data));
  SM_ASSIGN_OR_RETURN(Tensor copy, context.Scratch(DataTypeOf<T>::value, {n}));
  const int64_t row_step = transposed ? 1 : columns, column_step = transposed ? rows : 1;
  context.pool().ParallelFor(count * rows, std::max<int64_t>(1, 16384 / columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* from = static_cast<const T*>(data) + i / rows * rows * columns + i % rows * row_step;
      T* to = copy.data<T>() + i * columns;
      for (int64_t j = 0; j < columns; ++j) {
        to[j] = from[j * column_step];
        if constexpr (!std::is_same_v<T, double>) {
          if (conjugated) to[j] = std::conj(to[j]);
        }
      }
    }
  });
  return copy;
}

template <typename T>
absl::Status MultiplyArranged(KernelContext& context, const MatrixProduct& p, const void* a, const void* b, void* c) {
  SM_ASSIGN_OR_RETURN(const Tensor left, Arranged<T>(context, a, p.a_count, p.m, p.k, p.transpose_a, p.conjugate_a));
  SM_ASSIGN_OR_RETURN(const Tensor right, Arranged<T>(context, b, p.b_count, p.k, p.n, p.transpose_b, p.conjugate_b));
  MultiplyAs<T>(context, p, left.raw(), right.raw(), c);
  return absl::OkStatus();
}

template <typename W>
absl::Status MultiplyWide(KernelContext& context, DataType type_a, DataType type_b, DataType type_c, const MatrixProduct& p, const void* a,
                          const void* b, void* c) {
  SM_ASSIGN_OR_RETURN(Tensor left, Widened<W>(context, type_a, a, p.a_count * p.m * p.k));
  SM_ASSIGN_OR_RETURN(Tensor right, Widened<W>(context, type_b, b, p.b_count * p.k * p.n));
  if (type_c == DataTypeOf<W>::value) {
    if constexpr (std::is_same_v<W, float>) {
      return MultiplyFloats(context, p, left.data<float>(), right.data<float>(), static_cast<float*>(c));
    } else {
      MultiplyAs<uint32_t>(context, p, left.raw(), right.raw(), c);
      return absl::OkStatus();
    }
  }
  const int64_t n = p.batches * p.m * p.n;
  SM_ASSIGN_OR_RETURN(Tensor out, context.Scratch(DataType::kFloat, {n}));
  if constexpr (std::is_same_v<W, float>) {
    SM_RETURN_IF_ERROR(MultiplyFloats(context, p, left.data<float>(), right.data<float>(), out.data<float>()));
  }
  if (type_c == DataType::kHalf) {
    Convert(context.pool(), out.data<float>(), static_cast<Half*>(c), n);
  } else {
    Convert(context.pool(), out.data<float>(), static_cast<BFloat16*>(c), n);
  }
  return absl::OkStatus();
}

}  // namespace

bool CanMultiply(DataType type) { return IsInteger(type) || IsComplex(type) || (IsFloating(type) && DataTypeSize(type) >= 2); }

absl::Status Multiply(KernelContext& context, DataType type, const MatrixProduct& p, const void* a, const void* b, void* c) {
  if (p.batches == 0 || p.m == 0 || p.n == 0) return absl::OkStatus();
  if (p.k == 0) {
    std::memset(c, 0, DataTypeSize(type) * static_cast<size_t>(p.batches * p.m * p.n));
    return absl::OkStatus();
  }
  switch (type) {
    case DataType::kFloat:
      return MultiplyFloats(context, p, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(c));
    case DataType::kDouble: return MultiplyArranged<double>(context, p, a, b, c);
    case DataType::kHalf:
    case DataType::kBFloat16: return MultiplyWide<float>(context, type, type, type, p, a, b, c);
    case DataType::kComplex64: return MultiplyArranged<std::complex<float>>(context, p, a, b, c);
    case DataType::kComplex128: return MultiplyArranged<std::complex<double>>(context, p, a, b, c);
    case DataType::kInt8:
    case DataType::kUInt8: MultiplyAs<uint8_t>(context, p, a, b, c); return absl::OkStatus();
    case DataType::kInt16:
    case DataType::kUInt16: MultiplyAs<uint16_t>(context, p, a, b, c); return absl::OkStatus();
    case DataType::kInt32:
    case DataType::kUInt32: MultiplyAs<uint32_t>(context, p, a, b, c); return absl::OkStatus();
    case DataType::kInt64:
    case DataType::kUInt64: MultiplyAs<uint64_t>(context, p, a, b, c); return absl::OkStatus();
    default: return absl::UnimplementedError(absl::StrCat("no matrix product for dtype ", DataTypeName(type)));
  }
}

absl::Status MultiplyMixed(KernelContext& context, DataType type_a, DataType type_b, DataType type_c, const MatrixProduct& p, const void* a,
                           const void* b, void* c) {
  if (type_a == type_b && type_b == type_c) return Multiply(context, type_a, p, a, b, c);
  if (p.batches == 0 || p.m == 0 || p.n == 0) return absl::OkStatus();
  if (p.k == 0) {
    std::memset(c, 0, DataTypeSize(type_c) * static_cast<size_t>(p.batches * p.m * p.n));
    return absl::OkStatus();
  }
  if (type_c == DataType::kInt32) return MultiplyWide<int32_t>(context, type_a, type_b, type_c, p, a, b, c);
  return MultiplyWide<float>(context, type_a, type_b, type_c, p, a, b, c);
}

}  // namespace savedmodel
