// The loops of a reducer, as templates over what is done to two accumulators.
//
// A reduction is a struct with
//   static A Start();                what an empty reduction gives
//   static A Map(T element);         an element as an accumulator
//   static A Do(A a, A b);           associative
//   static T Finish(A a, int64_t count);
//   static constexpr bool kExact;    Do never rounds: the order does not matter
#ifndef SAVEDMODEL_KERNELS_CPU_REDUCE_LOOPS_H_
#define SAVEDMODEL_KERNELS_CPU_REDUCE_LOOPS_H_

#include "kernels/cpu/reduce.h"

namespace savedmodel {
namespace reduce_internal {

// Sums are built pairwise from leaves of this many elements (rows), so that their error grows with the logarithm.
constexpr int64_t kLeaf = 512, kLeafRows = 32;
constexpr int kLanes = 16;

template <typename Op, typename T, typename A>
SM_INLINE void ColumnsBody(const T* in, int64_t rows, int64_t stride, int64_t columns, A* to) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = in + r * stride;
    SM_INDEPENDENT
    for (int64_t c = 0; c < columns; ++c) to[c] = Op::Do(to[c], Op::Map(row[c]));
  }
}

template <typename Op, typename T, typename A>
SM_INLINE A LeafBody(const T* in, int64_t n) {
  if constexpr (Op::kExact) {
    // Compilers turn selections into vector code along columns only.
    constexpr int64_t kColumns = 64;
    A columns[kColumns];
    for (int64_t c = 0; c < kColumns; ++c) columns[c] = Op::Start();
    ColumnsBody<Op, T, A>(in, n / kColumns, kColumns, kColumns, columns);
    ColumnsBody<Op, T, A>(in + n / kColumns * kColumns, 1, 0, n % kColumns, columns);
    for (int64_t c = 1; c < kColumns; ++c) columns[0] = Op::Do(columns[0], columns[c]);
    return columns[0];
  }
  A lanes[kLanes];
  for (int l = 0; l < kLanes; ++l) lanes[l] = Op::Start();
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] = Op::Do(lanes[l], Op::Map(in[i + l]));
  }
  for (int l = 0; i < n; ++i, ++l) lanes[l] = Op::Do(lanes[l], Op::Map(in[i]));
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) lanes[l] = Op::Do(lanes[l], lanes[l + width]);
  }
  return lanes[0];
}
template <typename Op, typename T, typename A>
SM_CLONED A LeafCloned(const T* in, int64_t n) { return LeafBody<Op, T, A>(in, n); }
template <typename Op, typename T, typename A>
SM_OPTIMIZED A LeafOptimized(const T* in, int64_t n) { return LeafBody<Op, T, A>(in, n); }

template <typename Op, typename T, typename A>
A Pairwise(const T* in, int64_t n) {
  if (n <= kLeaf || Op::kExact) {
    if constexpr (std::is_same_v<T, float>) {
      return LeafCloned<Op, T, A>(in, n);
    } else if constexpr (std::is_same_v<T, double> || std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>) {
      return LeafOptimized<Op, T, A>(in, n);
    } else {
      return LeafBody<Op, T, A>(in, n);
    }
  }
  const int64_t half = (n / 2 + kLeaf - 1) / kLeaf * kLeaf;
  return Op::Do(Pairwise<Op, T, A>(in, half), Pairwise<Op, T, A>(in + half, n - half));
}

template <typename Op, typename T, typename A>
void Row(const void* in, int64_t n, void* accumulator) {
  A& total = *static_cast<A*>(accumulator);
  total = Op::Do(total, Pairwise<Op, T, A>(static_cast<const T*>(in), n));
}

template <typename Op, typename T, typename A>
void ShortRows(const void* in, int64_t rows, int64_t n, void* accumulators) {
  const T* from = static_cast<const T*>(in);
  A* to = static_cast<A*>(accumulators);
  for (int64_t r = 0; r < rows; ++r, from += n) {
    A total = to[r];
    for (int64_t i = 0; i < n; ++i) total = Op::Do(total, Op::Map(from[i]));
    to[r] = total;
  }
}

template <typename Op, typename T, typename A>
SM_CLONED void ColumnsCloned(const T* in, int64_t rows, int64_t stride, int64_t columns, A* to) {
  ColumnsBody<Op, T, A>(in, rows, stride, columns, to);
}
template <typename Op, typename T, typename A>
SM_OPTIMIZED void ColumnsOptimized(const T* in, int64_t rows, int64_t stride, int64_t columns, A* to) {
  ColumnsBody<Op, T, A>(in, rows, stride, columns, to);
}

template <typename Op, typename T, typename A>
void ColumnsPairwise(const T* in, int64_t rows, int64_t stride, int64_t columns, A* to) {
  if (Op::kExact || rows <= kLeafRows) {
    if constexpr (std::is_same_v<T, float>) {
      return ColumnsCloned<Op, T, A>(in, rows, stride, columns, to);
    } else {
      return ColumnsOptimized<Op, T, A>(in, rows, stride, columns, to);
    }
  }
  const int64_t half = (rows / 2 + kLeafRows - 1) / kLeafRows * kLeafRows;
  A other[kAccumulators];
  for (int64_t c = 0; c < columns; ++c) other[c] = Op::Start();
  ColumnsPairwise<Op, T, A>(in, half, stride, columns, other);
  for (int64_t c = 0; c < columns; ++c) to[c] = Op::Do(to[c], other[c]);
  for (int64_t c = 0; c < columns; ++c) other[c] = Op::Start();
  ColumnsPairwise<Op, T, A>(in + half * stride, rows - half, stride, columns, other);
  for (int64_t c = 0; c < columns; ++c) to[c] = Op::Do(to[c], other[c]);
}

template <typename Op, typename T, typename A>
void Columns(const void* in, int64_t rows, int64_t stride, int64_t columns, void* accumulators) {
  constexpr int64_t kWide = 64;
  const T* from = static_cast<const T*>(in);
  A* to = static_cast<A*>(accumulators);
  if (stride == columns && columns <= kWide / 4 && rows >= 2 * kWide) {
    // A few columns: several rows side by side fill the vectors.
    const int64_t group = kWide / columns, groups = rows / group;
    A wide[kWide];
    for (int64_t c = 0; c < kWide; ++c) wide[c] = Op::Start();
    ColumnsPairwise<Op, T, A>(from, groups, group * columns, group * columns, wide);
    for (int64_t c = 0; c < group * columns; ++c) to[c % columns] = Op::Do(to[c % columns], wide[c]);
    from += groups * group * columns;
    rows -= groups * group;
  }
  ColumnsPairwise<Op, T, A>(from, rows, stride, columns, to);
}

}  // namespace reduce_internal

// Op reduces elements of T; A is its accumulator.
template <typename Op, typename T, typename A>
Reducer ReducerOf() {
  static_assert(sizeof(A) <= kMaxAccumulatorSize);
  return {.in_size = sizeof(T),
          .accumulator_size = sizeof(A),
          .out_size = sizeof(T),
          .start = [](void* to, int64_t n) { std::fill_n(static_cast<A*>(to), n, Op::Start()); },
          .row = reduce_internal::Row<Op, T, A>,
          .short_rows = reduce_internal::ShortRows<Op, T, A>,
          .columns = reduce_internal::Columns<Op, T, A>,
          .combine = [](const void* from, int64_t n, void* to) {
            for (int64_t i = 0; i < n; ++i) static_cast<A*>(to)[i] = Op::Do(static_cast<A*>(to)[i], static_cast<const A*>(from)[i]);
          },
          .finish = [](const void* from, int64_t n, int64_t count, void* to) {
            for (int64_t i = 0; i < n; ++i) static_cast<T*>(to)[i] = Op::Finish(static_cast<const A*>(from)[i], count);
          }};
}

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_REDUCE_LOOPS_H_
