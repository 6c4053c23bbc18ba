#include "kernels/cuda/reduce.h"

#include <type_traits>

#include "kernels/cuda/functions.h"
#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

// The threads that a row of `count` elements is worth.
int ThreadsFor(int64_t count) { return count <= 64 ? 32 : count <= 512 ? 128 : count <= 8192 ? 256 : 1024; }

// The ends of an integer type, in the type that is computed with.
template <typename T, typename C>
SM_DEVICE C LargestOf() {
  return static_cast<C>(T(-1) < T(0) ? static_cast<uint64_t>(-1) >> (65 - 8 * sizeof(T)) : static_cast<uint64_t>(-1) >> (64 - 8 * sizeof(T)));
}
template <typename T, typename C>
SM_DEVICE C SmallestOf() {
  return T(-1) < T(0) ? static_cast<C>(-LargestOf<T, C>() - 1) : C(0);
}

// What joins with any T without changing it.
template <typename T>
SM_DEVICE ComputeType<T> FirstOf(Reduction reduction) {
  using C = ComputeType<T>;
  switch (reduction) {
    case Reduction::kProd: case Reduction::kAll: return C(1);
    case Reduction::kMax:
      if constexpr (kIsFloat<C>) return -static_cast<C>(INFINITY);
      else return SmallestOf<T, C>();
    case Reduction::kMin:
      if constexpr (kIsFloat<C>) return static_cast<C>(INFINITY);
      else return LargestOf<T, C>();
    default: return C(0);
  }
}

template <typename C>
SM_DEVICE C Join(Reduction reduction, C a, C b) {
  using U = typename Unsigned<C>::type;
  switch (reduction) {
    case Reduction::kProd: return static_cast<C>(static_cast<U>(a) * static_cast<U>(b));
    case Reduction::kMax:
      if constexpr (kIsFloat<C>) return MaxOf(a, b);
      else return a < b ? b : a;
    case Reduction::kMin:
      if constexpr (kIsFloat<C>) return MinOf(a, b);
      else return b < a ? b : a;
    case Reduction::kAll: return C(a != C(0) && b != C(0));
    case Reduction::kAny: return C(a != C(0) || b != C(0));
    default: return static_cast<C>(static_cast<U>(a) + static_cast<U>(b));
  }
}

template <typename C>
SM_DEVICE C Finish(Reduction reduction, C sum, int64_t count) {
  if constexpr (!kIsFloat<C>) {
    if (count == 0) return sum;
  }
  if (reduction == Reduction::kMean) return sum / static_cast<C>(count);
  if constexpr (kIsFloat<C>) {
    if (reduction == Reduction::kEuclidean) return sqrt(sum);
  }
  return sum;
}

SM_DEVICE int64_t Place(int rank, const int64_t* dims, const int64_t* steps, int64_t i) {
  int64_t place = 0;
  SM_ROLLED
  for (int d = rank - 1; d > 0; --d) {
    const int64_t quotient = i / dims[d];
    place += (i - quotient * dims[d]) * steps[d];
    i = quotient;
  }
  return rank > 0 ? place + i * steps[0] : place;
}

template <typename T>
SM_DEVICE ComputeType<T> Value(Reduction reduction, T v) {
  using C = ComputeType<T>;
  const C c = static_cast<C>(v);
  return reduction == Reduction::kSquareSum || reduction == Reduction::kEuclidean ? c * c : c;
}

// Joins value(first), value(first + step) ... Sums of floats carry what rounding lost (Kahan), as long as they are finite.
template <typename T, typename F>
SM_DEVICE ComputeType<T> JoinAll(Reduction reduction, int64_t first, int64_t count, int64_t step, F value) {
  using C = ComputeType<T>;
  C sum = FirstOf<T>(reduction);
  if constexpr (kIsFloat<C>) {
    if (reduction == Reduction::kSum || reduction == Reduction::kMean || reduction == Reduction::kSquareSum || reduction == Reduction::kEuclidean) {
      C lost = C(0);
      for (int64_t r = first; r < count; r += step) {
        const C wanted = value(r) - lost, next = sum + wanted;
        lost = (next - sum) - wanted;
        if (!(lost == lost)) lost = C(0);
        sum = next;
      }
      return sum;
    }
  }
  for (int64_t r = first; r < count; r += step) sum = Join(reduction, sum, value(r));
  return sum;
}

template <typename T>
int ReduceOf(void* stream, Reduction reduction, const ReduceShape& s, const void* x, void* out) {
  using C = ComputeType<T>;
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  // Neighbouring results read neighbouring elements: a thread for each. Else a block for each.
  const bool across = s.kept_rank > 0 && s.kept_steps[s.kept_rank - 1] == 1 && (s.outputs >= 16384 || s.count <= 64);
  if (across || s.count <= 8) {
    return ForEach(stream, s.outputs, SM_LAMBDA(int64_t o) {
      const T* base = from + Place(s.kept_rank, s.kept, s.kept_steps, o);
      const C sum = JoinAll<T>(reduction, 0, s.count, 1, [&](int64_t r) { return Value<T>(reduction, base[Place(s.reduced_rank, s.reduced, s.reduced_steps, r)]); });
      to[o] = static_cast<T>(Finish(reduction, sum, s.count));
    });
  }
  return ForEachBlock(stream, s.outputs, ThreadsFor(s.count), SM_LAMBDA(int64_t o, Lane lane) {
    const T* base = from + Place(s.kept_rank, s.kept, s.kept_steps, o);
    C sum = JoinAll<T>(reduction, lane.thread, s.count, lane.threads,
                       [&](int64_t r) { return Value<T>(reduction, base[Place(s.reduced_rank, s.reduced, s.reduced_steps, r)]); });
    sum = BlockReduce(lane, sum, [reduction](C a, C b) { return Join(reduction, a, b); });
    if (lane.thread == 0) to[o] = static_cast<T>(Finish(reduction, sum, s.count));
  });
}

// An element and where it is.
template <typename C>
struct Found {
  C value;
  int64_t index;
};
template <typename C>
SM_DEVICE Found<C> Better(bool largest, Found<C> a, Found<C> b) {
  if (b.index < 0) return a;
  if (a.index < 0) return b;
  const bool wins = largest ? b.value > a.value : b.value < a.value;
  if (wins) return b;
  const bool loses = largest ? a.value > b.value : a.value < b.value;
  return loses || a.index < b.index ? a : b;
}

// Elements of any type as keys of C: double, int64_t or uint64_t, which hold them exactly.
template <typename C>
SM_DEVICE C KeyAt(Element type, const void* x, int64_t i) {
  switch (type) {
    case Element::kFloat: return static_cast<C>(static_cast<const float*>(x)[i]);
    case Element::kDouble: return static_cast<C>(static_cast<const double*>(x)[i]);
    case Element::kHalf: return static_cast<C>(static_cast<float>(static_cast<const F16*>(x)[i]));
    case Element::kBFloat16: return static_cast<C>(static_cast<float>(static_cast<const BF16*>(x)[i]));
    case Element::kInt8: return static_cast<C>(static_cast<const int8_t*>(x)[i]);
    case Element::kInt16: return static_cast<C>(static_cast<const int16_t*>(x)[i]);
    case Element::kInt32: return static_cast<C>(static_cast<const int32_t*>(x)[i]);
    case Element::kInt64: return static_cast<C>(static_cast<const int64_t*>(x)[i]);
    case Element::kUInt16: return static_cast<C>(static_cast<const uint16_t*>(x)[i]);
    case Element::kUInt32: return static_cast<C>(static_cast<const uint32_t*>(x)[i]);
    case Element::kUInt64: return static_cast<C>(static_cast<const uint64_t*>(x)[i]);
    default: return static_cast<C>(static_cast<const uint8_t*>(x)[i]);
  }
}
int BytesOf(Element type) {
  switch (type) {
    case Element::kDouble: case Element::kInt64: case Element::kUInt64: return 8;
    case Element::kFloat: case Element::kInt32: case Element::kUInt32: return 4;
    case Element::kHalf: case Element::kBFloat16: case Element::kInt16: case Element::kUInt16: return 2;
    default: return 1;
  }
}
SM_DEVICE void MoveElement(int size, const void* from, int64_t i, void* to, int64_t j) {
  switch (size) {
    case 8: static_cast<uint64_t*>(to)[j] = static_cast<const uint64_t*>(from)[i]; break;
    case 4: static_cast<uint32_t*>(to)[j] = static_cast<const uint32_t*>(from)[i]; break;
    case 2: static_cast<uint16_t*>(to)[j] = static_cast<const uint16_t*>(from)[i]; break;
    default: static_cast<uint8_t*>(to)[j] = static_cast<const uint8_t*>(from)[i]; break;
  }
}
SM_DEVICE void StoreIndex(int size, int64_t index, void* to, int64_t j) {
  if (size == 8) static_cast<int64_t*>(to)[j] = index;
  else if (size == 4) static_cast<int32_t*>(to)[j] = static_cast<int32_t>(index);
  else static_cast<int16_t*>(to)[j] = static_cast<int16_t>(index);
}

template <typename C>
int ArgExtremeOf(void* stream, bool largest, Element type, int64_t outer, int64_t count, int64_t inner, const void* x, int out_size, void* out) {
  return ForEachBlock(stream, outer * inner, ThreadsFor(count), SM_LAMBDA(int64_t o, Lane lane) {
    const int64_t base = o / inner * count * inner + o % inner;
    Found<C> best{C(0), -1};
    for (int64_t i = lane.thread; i < count; i += lane.threads) {
      const C value = KeyAt<C>(type, x, base + i * inner);
      if (value == value) best = Better(largest, best, Found<C>{value, i});  // NaN is passed over
    }
    best = BlockReduce(lane, best, [largest](Found<C> a, Found<C> b) { return Better(largest, a, b); });
    if (lane.thread != 0) return;
    StoreIndex(out_size, best.index < 0 ? 0 : best.index, out, o);
  });
}

template <typename T>
int SoftmaxOf(void* stream, bool log_wanted, int64_t rows, int64_t count, const void* x, void* out) {
  using C = ComputeType<T>;
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEachBlock(stream, rows, ThreadsFor(count), SM_LAMBDA(int64_t row, Lane lane) {
    const T* a = from + row * count;
    T* b = to + row * count;
    C largest = -static_cast<C>(INFINITY);
    for (int64_t i = lane.thread; i < count; i += lane.threads) largest = MaxOf(largest, static_cast<C>(a[i]));
    largest = BlockReduce(lane, largest, [](C p, C q) { return MaxOf(p, q); });
    C sum = C(0);
    for (int64_t i = lane.thread; i < count; i += lane.threads) sum += exp(static_cast<C>(a[i]) - largest);
    sum = BlockReduce(lane, sum, [](C p, C q) { return p + q; });
    const C factor = log_wanted ? log(sum) : C(1) / sum;
    for (int64_t i = lane.thread; i < count; i += lane.threads) {
      const C shifted = static_cast<C>(a[i]) - largest;
      b[i] = static_cast<T>(log_wanted ? shifted - factor : exp(shifted) * factor);
    }
  });
}

template <typename C>
SM_DEVICE C Join(Scan scan, C a, C b) {
  using U = typename Unsigned<C>::type;
  return scan == Scan::kSum ? static_cast<C>(static_cast<U>(a) + static_cast<U>(b)) : static_cast<C>(static_cast<U>(a) * static_cast<U>(b));
}

// Each thread joins a piece, the pieces are scanned, and each thread goes over its piece again.
template <typename T>
int ScanOf(void* stream, Scan scan, int64_t outer, int64_t count, int64_t inner, bool exclusive, bool reverse, const void* x, void* out) {
  using C = ComputeType<T>;
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEachBlock(stream, outer * inner, ThreadsFor(count) > 256 ? 256 : ThreadsFor(count), SM_LAMBDA(int64_t o, Lane lane) {
    const int64_t base = o / inner * count * inner + o % inner;
    const int64_t piece = (count + lane.threads - 1) / lane.threads;
    const int64_t begin = lane.thread * piece < count ? lane.thread * piece : count, end = begin + piece < count ? begin + piece : count;
    const C first = scan == Scan::kSum ? C(0) : C(1);
    C sum = first;
    for (int64_t i = begin; i < end; ++i) sum = Join(scan, sum, static_cast<C>(from[base + (reverse ? count - 1 - i : i) * inner]));
    sum = BlockScanExclusive(lane, sum, first, [scan](C a, C b) { return Join(scan, a, b); });
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = base + (reverse ? count - 1 - i : i) * inner;
      const C v = static_cast<C>(from[at]);
      if (exclusive) to[at] = static_cast<T>(sum);
      sum = Join(scan, sum, v);
      if (!exclusive) to[at] = static_cast<T>(sum);
    }
  });
}

// In falling order, equal ones by position: is a before b?
template <typename C>
SM_DEVICE bool Before(Found<C> a, Found<C> b) { return a.value > b.value || (!(b.value > a.value) && a.index < b.index); }

template <typename C>
int TopKOf(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* values, int index_size, void* indices) {
  const int size = BytesOf(type);
  return ForEachBlock(stream, rows, ThreadsFor(count), SM_LAMBDA(int64_t row, Lane lane) {
    const int64_t base = row * count;
    Found<C> last{C(0), -1};
    for (int64_t j = 0; j < k; ++j) {
      Found<C> best{C(0), -1};
      for (int64_t i = lane.thread; i < count; i += lane.threads) {
        const Found<C> here{KeyAt<C>(type, x, base + i), i};
        if (last.index >= 0 && !Before(last, here)) continue;
        if (best.index < 0 || Before(here, best)) best = here;
      }
      best = BlockReduce(lane, best, [](Found<C> p, Found<C> q) { return p.index < 0 ? q : q.index < 0 || Before(p, q) ? p : q; });
      if (best.index >= 0) last = best;
      if (best.index < 0) best.index = 0;  // a NaN has no place in the order
      if (lane.thread == 0) {
        MoveElement(size, x, base + best.index, values, row * k + j);
        StoreIndex(index_size, best.index, indices, row * k + j);
      }
    }
  });
}

// Sorts each row in scratch memory, padded to a power of two, by a bitonic network.
template <typename C>
int TopKSortedOf(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* scratch, void* values, int index_size, void* indices) {
  const int size = BytesOf(type);
  Found<C>* all = static_cast<Found<C>*>(scratch);
  const int64_t padded = SortedRow(count);
  return ForEachBlock(stream, rows, 1024, SM_LAMBDA(int64_t row, Lane lane) {
    const int64_t base = row * count;
    Found<C>* sorted = all + row * padded;
    for (int64_t i = lane.thread; i < padded; i += lane.threads) {
      sorted[i] = i < count ? Found<C>{KeyAt<C>(type, x, base + i), i} : Found<C>{C(0), -1};
    }
    Barrier();
    for (int64_t width = 2; width <= padded; width *= 2) {
      for (int64_t distance = width / 2; distance > 0; distance /= 2) {
        for (int64_t i = lane.thread; i < padded; i += lane.threads) {
          const int64_t other = i ^ distance;
          if (other < i) continue;
          const Found<C> p = sorted[i], q = sorted[other];
          // What only fills the row goes behind everything.
          const bool q_first = p.index < 0 ? q.index >= 0 : q.index >= 0 && Before(q, p);
          if (q_first == ((i & width) == 0)) {
            sorted[i] = q;
            sorted[other] = p;
          }
        }
        Barrier();
      }
    }
    for (int64_t j = lane.thread; j < k; j += lane.threads) {
      const int64_t index = sorted[j].index < 0 ? 0 : sorted[j].index;
      MoveElement(size, x, base + index, values, row * k + j);
      StoreIndex(index_size, index, indices, row * k + j);
    }
  });
}

template <typename T>
int NormalizeOf(void* stream, int64_t outer, int64_t channels, int64_t inner, const void* x, const float* scale, const float* offset, const float* mean,
                const float* variance, float epsilon, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEach(stream, outer * channels * inner, SM_LAMBDA(int64_t i) {
    const int64_t c = i / inner % channels;
    const float factor = scale[c] / sqrtf(variance[c] + epsilon);
    to[i] = static_cast<T>((static_cast<float>(from[i]) - mean[c]) * factor + offset[c]);
  });
}

template <typename T>
int MomentsOf(void* stream, int64_t outer, int64_t channels, int64_t inner, const void* x, float* mean, float* variance) {
  const T* from = static_cast<const T*>(x);
  const int64_t count = outer * inner;
  return ForEachBlock(stream, channels, ThreadsFor(count), SM_LAMBDA(int64_t c, Lane lane) {
    float sum = 0;
    for (int64_t i = lane.thread; i < count; i += lane.threads) sum += static_cast<float>(from[(i / inner * channels + c) * inner + i % inner]);
    const float average = BlockReduce(lane, sum, [](float a, float b) { return a + b; }) / static_cast<float>(count);
    float squares = 0;
    for (int64_t i = lane.thread; i < count; i += lane.threads) {
      const float distance = static_cast<float>(from[(i / inner * channels + c) * inner + i % inner]) - average;
      squares += distance * distance;
    }
    squares = BlockReduce(lane, squares, [](float a, float b) { return a + b; });
    if (lane.thread == 0) {
      mean[c] = average;
      variance[c] = squares / static_cast<float>(count);
    }
  });
}

#define SM_BY_SMALL_FLOAT(element, LAUNCH, ...)                     \
  switch (element) {                                                \
    case Element::kFloat: return LAUNCH<float>(__VA_ARGS__);        \
    case Element::kHalf: return LAUNCH<F16>(__VA_ARGS__);           \
    case Element::kBFloat16: return LAUNCH<BF16>(__VA_ARGS__);      \
    default: return kUnsupported;                                   \
  }

// return LAUNCH<C>(arguments) for the keys that hold elements of `element`.
#define SM_BY_KEY(element, LAUNCH, ...)                             \
  switch (element) {                                                \
    case Element::kFloat: case Element::kDouble: case Element::kHalf: case Element::kBFloat16: return LAUNCH<double>(__VA_ARGS__); \
    case Element::kInt8: case Element::kInt16: case Element::kInt32: case Element::kInt64: case Element::kUInt8:                   \
    case Element::kUInt16: case Element::kUInt32: return LAUNCH<int64_t>(__VA_ARGS__);                                            \
    case Element::kUInt64: return LAUNCH<uint64_t>(__VA_ARGS__);    \
    default: return kUnsupported;                                   \
  }

}  // namespace

int RunReduce(void* stream, Reduction reduction, Element type, const ReduceShape& shape, const void* x, void* out) {
  if (type == Element::kBool) type = Element::kUInt8;
  SM_BY_NUMBER(type, ReduceOf, stream, reduction, shape, x, out)
}
int RunArgExtreme(void* stream, bool largest, Element type, int64_t outer, int64_t count, int64_t inner, const void* x, int out_size, void* out) {
  if (type == Element::kBool) type = Element::kUInt8;
  SM_BY_KEY(type, ArgExtremeOf, stream, largest, type, outer, count, inner, x, out_size, out)
}
int RunSoftmax(void* stream, bool log, Element type, int64_t rows, int64_t count, const void* x, void* out) {
  SM_BY_FLOAT(type, SoftmaxOf, stream, log, rows, count, x, out)
}
int RunScan(void* stream, Scan scan, Element type, int64_t outer, int64_t count, int64_t inner, bool exclusive, bool reverse, const void* x, void* out) {
  SM_BY_NUMBER(type, ScanOf, stream, scan, outer, count, inner, exclusive, reverse, x, out)
}
int RunTopK(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* values, int index_size, void* indices) {
  SM_BY_KEY(type, TopKOf, stream, type, rows, count, k, x, values, index_size, indices)
}
int64_t SortedRow(int64_t count) {
  int64_t padded = 1;
  while (padded < count) padded *= 2;
  return padded;
}
int RunTopKSorted(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* scratch, void* values, int index_size, void* indices) {
  SM_BY_KEY(type, TopKSortedOf, stream, type, rows, count, k, x, scratch, values, index_size, indices)
}
int RunNormalize(void* stream, Element type, int64_t outer, int64_t channels, int64_t inner, const void* x, const float* scale, const float* offset,
                 const float* mean, const float* variance, float epsilon, void* out) {
  SM_BY_SMALL_FLOAT(type, NormalizeOf, stream, outer, channels, inner, x, scale, offset, mean, variance, epsilon, out)
}
int RunMoments(void* stream, Element type, int64_t outer, int64_t channels, int64_t inner, const void* x, float* mean, float* variance) {
  SM_BY_SMALL_FLOAT(type, MomentsOf, stream, outer, channels, inner, x, mean, variance)
}
int RunScale(void* stream, int64_t n, const float* from, float factor, float* to) {
  return ForEach(stream, n, SM_LAMBDA(int64_t i) { to[i] = from[i] * factor; });
}

}  // namespace savedmodel::cuda
