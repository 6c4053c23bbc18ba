#include "kernels/cpu/reduce.h"

#include <algorithm>
#include <memory>

#include "kernels/cpu/ceil_div.h"

namespace savedmodel {
namespace {

// Elements that one thread reduces at least.
constexpr int64_t kGrain = 32768;
// About as many has a piece that a single matrix is cut into, so that the order of additions does not depend on the number of threads.
constexpr int64_t kPiece = 16384;

// Rows up to this length are reduced many at once.
constexpr int64_t kShortRow = 64;

struct Accumulators {
  alignas(64) char memory[kAccumulators * kMaxAccumulatorSize];
};

int64_t OffsetOf(int64_t index, absl::Span<const ReducePlan::Dim> dims) {
  int64_t offset = 0;
  for (size_t d = dims.size(); d-- > 0;) {
    offset += index % dims[d].size * dims[d].stride;
    index /= dims[d].size;
  }
  return offset;
}

// Reduces columns [first, first + n) of all matrices that begin at `offset` plus a position in the reduced dimensions.
void ReduceColumns(const ReducePlan& plan, const Reducer& reducer, const char* in, int64_t offset, int64_t first, int64_t n, char* out) {
  Accumulators total;
  reducer.start(total.memory, n);
  const int64_t size = static_cast<int64_t>(reducer.in_size);
  for (int64_t r = 0; r < plan.reduced_total; ++r) {
    const char* matrix = in + (offset + OffsetOf(r, plan.reduced)) * size;
    if (plan.row_is_inner) {
      reducer.row(matrix, plan.rows, total.memory);
    } else {
      reducer.columns(matrix + first * size, plan.rows, plan.columns, n, total.memory);
    }
  }
  reducer.finish(total.memory, n, plan.count, out);
}

// Many short rows that lie one behind the other.
void ReduceShortRows(const ReducePlan& plan, const Reducer& reducer, const char* in, char* out, ThreadPool& pool) {
  const int64_t in_size = static_cast<int64_t>(reducer.in_size), out_size = static_cast<int64_t>(reducer.out_size);
  const int64_t batches = (plan.kept_total + kAccumulators - 1) / kAccumulators;
  pool.ParallelFor(batches, std::max<int64_t>(kGrain / (kAccumulators * plan.rows), 1), [&](int64_t begin, int64_t end) {
    Accumulators total;
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * kAccumulators, rows = std::min(kAccumulators, plan.kept_total - first);
      reducer.start(total.memory, rows);
      reducer.short_rows(in + first * plan.rows * in_size, rows, plan.rows, total.memory);
      reducer.finish(total.memory, rows, plan.count, out + first * out_size);
    }
  });
}

// One large matrix: pieces of its rows go to the threads, as did the rows of whatever made it.
void ReduceByRows(const ReducePlan& plan, const Reducer& reducer, const char* in, char* out, ThreadPool& pool) {
  // Nearly equal pieces, and as many for each of two or four threads.
  const int64_t wanted = CeilDiv(plan.rows * plan.columns, 4 * kPiece) * 4;
  const int64_t step = CeilDiv(plan.rows, wanted), pieces = CeilDiv(plan.rows, step), strips = CeilDiv(plan.columns, kAccumulators);
  auto partial = std::make_unique_for_overwrite<Accumulators[]>(static_cast<size_t>(pieces * strips));
  const int64_t size = static_cast<int64_t>(reducer.in_size), out_size = static_cast<int64_t>(reducer.out_size);
  const auto width = [&](int64_t strip) { return std::min(kAccumulators, plan.columns - strip * kAccumulators); };
  pool.ParallelFor(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t rows = std::min(step, plan.rows - p * step);
      for (int64_t s = 0; s < strips; ++s) {
        void* sums = partial[p * strips + s].memory;
        reducer.start(sums, width(s));
        if (plan.row_is_inner) {
          reducer.row(in + p * step * size, rows, sums);
        } else {
          reducer.columns(in + (p * step * plan.columns + s * kAccumulators) * size, rows, plan.columns, width(s), sums);
        }
      }
    }
  });
  for (int64_t s = 0; s < strips; ++s) {
    // Pairs of neighbours first: sums of many pieces stay accurate.
    for (int64_t apart = 1; apart < pieces; apart *= 2) {
      for (int64_t p = 0; p + apart < pieces; p += 2 * apart) {
        reducer.combine(partial[(p + apart) * strips + s].memory, width(s), partial[p * strips + s].memory);
      }
    }
    reducer.finish(partial[s].memory, width(s), plan.count, out + s * kAccumulators * out_size);
  }
}

}  // namespace

ReducePlan PlanReduce(const TensorShape& shape, absl::Span<const bool> reduce) {
  struct Group {
    int64_t size, stride;
    bool reduced;
  };
  absl::InlinedVector<Group, 6> groups;  // innermost first
  int64_t stride = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    const int64_t size = shape.dim(d);
    if (size == 1) continue;
    if (!groups.empty() && groups.back().reduced == reduce[d]) {
      groups.back().size *= size;
    } else {
      groups.push_back({size, stride, reduce[d]});
    }
    stride *= size;
  }
  ReducePlan plan;
  size_t next = 0;
  if (next < groups.size() && groups[next].reduced) {
    plan.row_is_inner = true;
    plan.rows = groups[next++].size;
  } else if (next < groups.size()) {
    plan.columns = groups[next++].size;
    if (next < groups.size()) plan.rows = groups[next++].size;
  }
  for (size_t g = groups.size(); g-- > next;) {
    (groups[g].reduced ? plan.reduced : plan.kept).push_back({groups[g].size, groups[g].stride});
    (groups[g].reduced ? plan.reduced_total : plan.kept_total) *= groups[g].size;
  }
  plan.count = plan.rows * plan.reduced_total;
  return plan;
}

void Reduce(const ReducePlan& plan, const Reducer& reducer, const void* in, void* out, ThreadPool& pool) {
  const char* from = static_cast<const char*>(in);
  char* to = static_cast<char*>(out);
  const int64_t out_size = static_cast<int64_t>(reducer.out_size);
  if (plan.row_is_inner && plan.rows <= kShortRow && plan.reduced_total == 1 && plan.kept.size() == 1) {
    return ReduceShortRows(plan, reducer, from, to, pool);
  }
  // Few rows of many columns are left to strips, which give all threads something to do.
  const bool alone = plan.kept_total == 1 && plan.reduced_total == 1 && (plan.columns <= kAccumulators || plan.rows >= 128);
  if (alone && plan.rows * plan.columns > 2 * kGrain) {
    return ReduceByRows(plan, reducer, from, to, pool);
  }
  // Strips of the columns keep their accumulators in the nearest cache.
  const int64_t strips = CeilDiv(plan.columns, kAccumulators);
  const int64_t per_strip = plan.count * std::min(plan.columns, kAccumulators);
  pool.ParallelFor(plan.kept_total * strips, std::max<int64_t>(kGrain / per_strip, 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t tile = i / strips, first = i % strips * kAccumulators;
      ReduceColumns(plan, reducer, from, OffsetOf(tile, plan.kept), first, std::min(kAccumulators, plan.columns - first),
                    to + (tile * plan.columns + first) * out_size);
    }
  });
}

}  // namespace savedmodel
