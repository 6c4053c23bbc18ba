#include "kernels/cuda/move.h"

#include <type_traits>

#include "kernels/cuda/functions.h"
#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

// Dimensions of 1 go, neighbours that both sides step through evenly become one.
void Coalesce(StridedCopy* copy) {
  StridedCopy kept = *copy;
  kept.rank = 0;
  for (int d = 0; d < copy->rank; ++d) {
    if (copy->dims[d] == 1) continue;
    if (kept.rank > 0) {
      const int last = kept.rank - 1;
      if (kept.from_steps[last] == copy->from_steps[d] * copy->dims[d] && kept.to_steps[last] == copy->to_steps[d] * copy->dims[d]) {
        kept.dims[last] *= copy->dims[d];
        kept.from_steps[last] = copy->from_steps[d];
        kept.to_steps[last] = copy->to_steps[d];
        continue;
      }
    }
    kept.Add(copy->dims[d], copy->from_steps[d], copy->to_steps[d]);
  }
  *copy = kept;
}

// Where the last dimension is dense on both sides, elements are moved two at a time, and again, up to 16 bytes.
void Widen(StridedCopy* copy, const void* from, const void* to) {
  while (copy->size < 16 && copy->rank > 0) {
    const int last = copy->rank - 1;
    const uintptr_t wide = static_cast<uintptr_t>(copy->size) * 2;
    bool even = copy->from_steps[last] == 1 && copy->to_steps[last] == 1 && copy->dims[last] % 2 == 0 && copy->from_offset % 2 == 0 &&
                copy->to_offset % 2 == 0 && reinterpret_cast<uintptr_t>(from) % wide == 0 && reinterpret_cast<uintptr_t>(to) % wide == 0;
    for (int d = 0; d < last; ++d) even = even && copy->from_steps[d] % 2 == 0 && copy->to_steps[d] % 2 == 0;
    if (!even) return;
    copy->size *= 2;
    copy->dims[last] /= 2;
    copy->from_offset /= 2;
    copy->to_offset /= 2;
    for (int d = 0; d < last; ++d) {
      copy->from_steps[d] /= 2;
      copy->to_steps[d] /= 2;
    }
  }
}

template <typename T, typename Index>
int CopyElements(void* stream, const StridedCopy& copy, int64_t count, const void* from, void* to) {
  const T* x = static_cast<const T*>(from) + copy.from_offset;
  T* y = static_cast<T*>(to) + copy.to_offset;
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    Index rest = static_cast<Index>(i);
    int64_t p = 0, q = 0;
    SM_ROLLED
    for (int d = copy.rank - 1; d >= 0; --d) {
      const Index dim = static_cast<Index>(copy.dims[d]), quotient = rest / dim, at = rest - quotient * dim;
      p += static_cast<int64_t>(at) * copy.from_steps[d];
      q += static_cast<int64_t>(at) * copy.to_steps[d];
      rest = quotient;
    }
    y[q] = x[p];
  });
}

template <typename T>
int StridedCopyOf(void* stream, const StridedCopy& copy, const void* from, void* to) {
  int64_t count = 1;
  for (int d = 0; d < copy.rank; ++d) count *= copy.dims[d];
  if (count < (int64_t{1} << 31)) return CopyElements<T, uint32_t>(stream, copy, count, from, to);
  return CopyElements<T, int64_t>(stream, copy, count, from, to);
}

// The dimension that lies dense in `from` while another one, the last, lies dense in `to`; -1 where that is not so, or where
// tiles would be mostly empty.
int TurnedDimension(const StridedCopy& copy) {
  const int last = copy.rank - 1;
  if (copy.rank < 2 || copy.size > 8 || copy.to_steps[last] != 1 || copy.from_steps[last] == 1 || copy.dims[last] < 16) return -1;
  for (int d = 0; d < last; ++d) {
    if (copy.from_steps[d] == 1 && copy.dims[d] >= 16) return d;
  }
  return -1;
}

// Tiles of 32 x 32 by way of the block's memory, so that both sides are met in their own order.
template <typename T>
int TurnOf(void* stream, const StridedCopy& copy, int turned, const void* from, void* to) {
  constexpr int kSide = 32, kRow = kSide + 1;
  const T* x = static_cast<const T*>(from) + copy.from_offset;
  T* y = static_cast<T*>(to) + copy.to_offset;
  const int last = copy.rank - 1;
  const int64_t across = (copy.dims[last] + kSide - 1) / kSide, down = (copy.dims[turned] + kSide - 1) / kSide;
  int64_t blocks = across * down;
  for (int d = 0; d < last; ++d) blocks *= d == turned ? 1 : copy.dims[d];
  return ForEachSharedBlock(stream, blocks, 256, kSide * kRow * static_cast<int>(sizeof(T)), SM_LAMBDA(int64_t block, Lane lane, unsigned char* memory) {
    T* tile = reinterpret_cast<T*>(memory);
    const int64_t column = block % across * kSide, row = block / across % down * kSide;
    int64_t rest = block / across / down, p = 0, q = 0;
    SM_ROLLED
    for (int d = last - 1; d >= 0; --d) {
      if (d == turned) continue;
      const int64_t at = rest % copy.dims[d];
      p += at * copy.from_steps[d];
      q += at * copy.to_steps[d];
      rest /= copy.dims[d];
    }
    for (int i = lane.thread; i < kSide * kSide; i += lane.threads) {
      const int64_t r = row + i % kSide, c = column + i / kSide;
      if (r < copy.dims[turned] && c < copy.dims[last]) tile[i / kSide * kRow + i % kSide] = x[p + r + c * copy.from_steps[last]];
    }
    Barrier();
    for (int i = lane.thread; i < kSide * kSide; i += lane.threads) {
      const int64_t r = row + i / kSide, c = column + i % kSide;
      if (r < copy.dims[turned] && c < copy.dims[last]) y[q + r * copy.to_steps[turned] + c] = tile[i % kSide * kRow + i / kSide];
    }
  });
}

SM_DEVICE int64_t IndexAt(const void* indices, int size, int64_t i) {
  switch (size) {
    case 2: return static_cast<const int16_t*>(indices)[i];
    case 4: return static_cast<const int32_t*>(indices)[i];
    case 8: return static_cast<const int64_t*>(indices)[i];
    default: return static_cast<const uint8_t*>(indices)[i];
  }
}

template <typename T>
int GatherOf(void* stream, const GatherShape& s, const void* params, const void* indices, Alarm alarm, void* out) {
  const T* from = static_cast<const T*>(params);
  T* to = static_cast<T*>(out);
  return ForEach(stream, s.batch * s.outer * s.count * s.inner, SM_LAMBDA(int64_t i) {
    const int64_t at = i % s.inner, part = i / s.inner;
    const int64_t index_place = part % s.count, block = part / s.count;
    const int64_t index = IndexAt(indices, s.index_size, block / s.outer * s.count + index_place);
    if (index >= 0 && index < s.axis) {
      to[i] = from[(block * s.axis + index) * s.inner + at];
    } else {
      to[i] = T{};
      AtomicStore(alarm.word, alarm.code);
    }
  });
}

// The slice that row r names, -1 where it is out of range.
SM_DEVICE int64_t SliceNumber(const NdShape& s, const void* indices, int64_t r) {
  int64_t slice = 0;
  for (int d = 0; d < s.depth; ++d) {
    const int64_t index = IndexAt(indices, s.index_size, r * s.depth + d);
    if (index < 0 || index >= s.dims[d]) return -1;
    slice = slice * s.dims[d] + index;
  }
  return slice;
}

template <typename T>
int GatherNdOf(void* stream, const NdShape& s, const void* params, const void* indices, Alarm alarm, void* out) {
  const T* from = static_cast<const T*>(params);
  T* to = static_cast<T*>(out);
  return ForEach(stream, s.rows * s.inner, SM_LAMBDA(int64_t i) {
    const int64_t slice = SliceNumber(s, indices, i / s.inner);
    if (slice >= 0) {
      to[i] = from[slice * s.inner + i % s.inner];
    } else {
      to[i] = T{};
      AtomicStore(alarm.word, alarm.code);
    }
  });
}

template <typename T>
int ScatterAssign(void* stream, const NdShape& s, const void* indices, const void* updates, bool one_update, Alarm alarm, void* out) {
  const T* from = static_cast<const T*>(updates);
  T* to = static_cast<T*>(out);
  // Of several updates of one place any one may stand.
  return ForEach(stream, s.rows * s.inner, SM_LAMBDA(int64_t i) {
    const int64_t row = i / s.inner, slice = SliceNumber(s, indices, row);
    if (slice >= 0) {
      to[slice * s.inner + i % s.inner] = from[one_update ? 0 : i];
    } else {
      AtomicStore(alarm.word, alarm.code);
    }
  });
}

template <typename T>
SM_DEVICE void Join(Update update, T* place, T value) {
  using C = ComputeType<T>;
  switch (update) {
    case Update::kAdd: AtomicUpdate(place, value, [](T a, T b) { return static_cast<T>(static_cast<C>(a) + static_cast<C>(b)); }); break;
    case Update::kSub: AtomicUpdate(place, value, [](T a, T b) { return static_cast<T>(static_cast<C>(a) - static_cast<C>(b)); }); break;
    case Update::kMin: AtomicUpdate(place, value, [](T a, T b) { return static_cast<C>(b) < static_cast<C>(a) ? b : a; }); break;
    case Update::kMax: AtomicUpdate(place, value, [](T a, T b) { return static_cast<C>(a) < static_cast<C>(b) ? b : a; }); break;
    case Update::kAssign: *place = value; break;
  }
}

template <typename T>
int ScatterJoin(void* stream, Update update, const NdShape& s, const void* indices, const void* updates, bool one_update, Alarm alarm, void* out) {
  const T* from = static_cast<const T*>(updates);
  T* to = static_cast<T*>(out);
  return ForEach(stream, s.rows * s.inner, SM_LAMBDA(int64_t i) {
    const int64_t slice = SliceNumber(s, indices, i / s.inner);
    if (slice >= 0) {
      Join(update, to + slice * s.inner + i % s.inner, from[one_update ? 0 : i]);
    } else {
      AtomicStore(alarm.word, alarm.code);
    }
  });
}

template <typename T>
int SegmentOf(void* stream, Update update, int index_size, const void* data, const void* ids, int64_t rows, int64_t inner, int64_t segments, Alarm alarm,
              void* out) {
  const T* from = static_cast<const T*>(data);
  T* to = static_cast<T*>(out);
  return ForEach(stream, rows * inner, SM_LAMBDA(int64_t i) {
    const int64_t id = IndexAt(ids, index_size, i / inner);
    if (id >= 0 && id < segments) {
      Join(update, to + id * inner + i % inner, from[i]);
    } else if (id >= 0) {
      AtomicStore(alarm.word, alarm.code);
    }
  });
}

// Types that can be joined atomically.
#define SM_BY_ATOMIC(element, LAUNCH, ...)                          \
  switch (element) {                                                \
    case Element::kFloat: return LAUNCH<float>(__VA_ARGS__);        \
    case Element::kDouble: return LAUNCH<double>(__VA_ARGS__);      \
    case Element::kHalf: return LAUNCH<F16>(__VA_ARGS__);           \
    case Element::kBFloat16: return LAUNCH<BF16>(__VA_ARGS__);      \
    case Element::kInt32: return LAUNCH<int32_t>(__VA_ARGS__);      \
    case Element::kInt64: return LAUNCH<int64_t>(__VA_ARGS__);      \
    case Element::kUInt32: return LAUNCH<uint32_t>(__VA_ARGS__);    \
    case Element::kUInt64: return LAUNCH<uint64_t>(__VA_ARGS__);    \
    default: return kUnsupported;                                   \
  }

template <typename T>
int OneHotOf(void* stream, int index_size, int64_t outer, int64_t depth, int64_t inner, const void* indices, const void* on, const void* off, void* out) {
  const T *yes = static_cast<const T*>(on), *no = static_cast<const T*>(off);
  T* to = static_cast<T*>(out);
  return ForEach(stream, outer * depth * inner, SM_LAMBDA(int64_t i) {
    const int64_t at = i % inner, k = i / inner % depth, o = i / inner / depth;
    to[i] = IndexAt(indices, index_size, o * inner + at) == k ? *yes : *no;
  });
}

template <typename T>
int MirrorPadOf(void* stream, const MirrorShape& s, const void* x, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  int64_t count = 1;
  for (int d = 0; d < s.rank; ++d) count *= s.out[d];
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    int64_t rest = i, place = 0, step = 1;
    for (int d = s.rank - 1; d >= 0; --d) {
      int64_t at = rest % s.out[d] - s.before[d];
      rest /= s.out[d];
      if (at < 0) at = s.skip_edge - at - 1;
      if (at >= s.in[d]) at = 2 * s.in[d] - 1 - s.skip_edge - at;
      place += at * step;
      step *= s.in[d];
    }
    to[i] = from[place];
  });
}

template <typename T>
int ReverseSequenceOf(void* stream, const ReverseSequenceShape& s, const void* x, const void* lengths, Alarm alarm, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEach(stream, s.count, SM_LAMBDA(int64_t i) {
    const int64_t b = i / s.batch_step % s.batch, at = i / s.sequence_step % s.sequence;
    const int64_t length = IndexAt(lengths, s.index_size, b);
    if (length < 0 || length > s.sequence) AtomicStore(alarm.word, alarm.code);
    to[i] = from[at < length && length <= s.sequence ? i + (length - 1 - 2 * at) * s.sequence_step : i];
  });
}

template <typename T>
int BandPartOf(void* stream, int64_t matrices, int64_t rows, int64_t columns, int64_t lower, int64_t upper, const void* x, void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEach(stream, matrices * rows * columns, SM_LAMBDA(int64_t i) {
    const int64_t c = i % columns, r = i / columns % rows;
    to[i] = (lower < 0 || r - c <= lower) && (upper < 0 || c - r <= upper) ? from[i] : T{};
  });
}

// Slices of many bytes are moved in accesses of up to 16.
template <typename Shape>
void WidenSlices(Shape* shape, const void* a, const void* b) {
  while (shape->size < 16 && shape->inner % 2 == 0) {
    const uintptr_t wide = static_cast<uintptr_t>(shape->size) * 2;
    if (reinterpret_cast<uintptr_t>(a) % wide != 0 || reinterpret_cast<uintptr_t>(b) % wide != 0) return;
    shape->size *= 2;
    shape->inner /= 2;
  }
}

}  // namespace

int RunStridedCopy(void* stream, const StridedCopy& copy, const void* from, void* to) {
  StridedCopy plan = copy;
  for (int d = 0; d < plan.rank; ++d) {
    if (plan.dims[d] <= 0) return 0;
  }
  Coalesce(&plan);
  Widen(&plan, from, to);
  if (const int turned = TurnedDimension(plan); turned >= 0) {
    switch (plan.size) {
      case 1: return TurnOf<uint8_t>(stream, plan, turned, from, to);
      case 2: return TurnOf<uint16_t>(stream, plan, turned, from, to);
      case 4: return TurnOf<uint32_t>(stream, plan, turned, from, to);
      default: return TurnOf<uint64_t>(stream, plan, turned, from, to);
    }
  }
  SM_BY_SIZE(plan.size, StridedCopyOf, stream, plan, from, to)
}
int RunGather(void* stream, const GatherShape& shape, const void* params, const void* indices, Alarm alarm, void* out) {
  GatherShape plan = shape;
  WidenSlices(&plan, params, out);
  SM_BY_SIZE(plan.size, GatherOf, stream, plan, params, indices, alarm, out)
}
int RunGatherNd(void* stream, const NdShape& shape, const void* params, const void* indices, Alarm alarm, void* out) {
  NdShape plan = shape;
  WidenSlices(&plan, params, out);
  SM_BY_SIZE(plan.size, GatherNdOf, stream, plan, params, indices, alarm, out)
}
int RunScatterNd(void* stream, Update update, Element type, const NdShape& shape, const void* indices, const void* updates, bool one_update, Alarm alarm,
                 void* out) {
  if (update == Update::kAssign) {
    SM_BY_SIZE(shape.size, ScatterAssign, stream, shape, indices, updates, one_update, alarm, out)
  }
  SM_BY_ATOMIC(type, ScatterJoin, stream, update, shape, indices, updates, one_update, alarm, out)
}
int RunSegment(void* stream, Update update, Element type, int index_size, const void* data, const void* ids, int64_t rows, int64_t inner, int64_t segments,
               Alarm alarm, void* out) {
  SM_BY_ATOMIC(type, SegmentOf, stream, update, index_size, data, ids, rows, inner, segments, alarm, out)
}
int RunOneHot(void* stream, int size, int index_size, int64_t outer, int64_t depth, int64_t inner, const void* indices, const void* on, const void* off,
              void* out) {
  SM_BY_SIZE(size, OneHotOf, stream, index_size, outer, depth, inner, indices, on, off, out)
}
int RunMirrorPad(void* stream, const MirrorShape& shape, const void* x, void* out) { SM_BY_SIZE(shape.size, MirrorPadOf, stream, shape, x, out) }
int RunReverseSequence(void* stream, const ReverseSequenceShape& shape, const void* x, const void* lengths, Alarm alarm, void* out) {
  SM_BY_SIZE(shape.size, ReverseSequenceOf, stream, shape, x, lengths, alarm, out)
}
int RunBandPart(void* stream, int size, int64_t matrices, int64_t rows, int64_t columns, int64_t lower, int64_t upper, const void* x, void* out) {
  SM_BY_SIZE(size, BandPartOf, stream, matrices, rows, columns, lower, upper, x, out)
}

}  // namespace savedmodel::cuda
