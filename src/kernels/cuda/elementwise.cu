#include "kernels/cuda/elementwise.h"

#include "kernels/cuda/functions.h"

namespace savedmodel::cuda {
namespace {

// Elements of T in 16 bytes.
template <typename T> inline constexpr int kWide = 16 / sizeof(T);

inline bool Aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

template <typename T, int kCount>
SM_DEVICE void Load(const T* from, ComputeType<T> (&to)[kCount]) {
  const Pack<T, kCount> pack = *reinterpret_cast<const Pack<T, kCount>*>(from);
  for (int j = 0; j < kCount; ++j) to[j] = static_cast<ComputeType<T>>(pack.v[j]);
}
template <typename T, int kCount>
SM_DEVICE void Store(const ComputeType<T> (&from)[kCount], T* to) {
  Pack<T, kCount> pack;
  for (int j = 0; j < kCount; ++j) pack.v[j] = static_cast<T>(from[j]);
  *reinterpret_cast<Pack<T, kCount>*>(to) = pack;
}

template <typename T, int kCount>
SM_DEVICE void ApplyUnary(Unary op, float alpha, ComputeType<T> (&x)[kCount]) {
  if constexpr (kIsFloat<T>) {
    ApplyFloat<ComputeType<T>, kCount>(op, static_cast<ComputeType<T>>(alpha), x);
  } else {
    ApplyInteger<ComputeType<T>, kCount>(op, x);
  }
}
template <typename T, int kCount>
SM_DEVICE void ApplyBinary(Binary op, ComputeType<T> (&a)[kCount], const ComputeType<T> (&b)[kCount]) {
  if constexpr (kIsFloat<T>) {
    ApplyFloat<ComputeType<T>, kCount>(op, a, b);
  } else {
    ApplyInteger<ComputeType<T>, kCount>(op, a, b);
  }
}

// Elements of T that one thread takes.
template <typename T> inline constexpr int kTaken = sizeof(T) >= 4 ? kWide<T> : 4;

// Up to kCount elements; all of them at once if `wide`.
template <typename T, int kCount>
SM_DEVICE void LoadSome(const T* from, bool wide, int count, ComputeType<T> (&to)[kCount]) {
  if (wide) {
    Load<T, kCount>(from, to);
  } else {
    for (int j = 0; j < kCount; ++j) to[j] = j < count ? static_cast<ComputeType<T>>(from[j]) : ComputeType<T>(0);
  }
}
template <typename T, int kCount>
SM_DEVICE void StoreSome(const ComputeType<T> (&from)[kCount], bool wide, int count, T* to) {
  if (wide) {
    Store<T, kCount>(from, to);
  } else {
    for (int j = 0; j < kCount && j < count; ++j) to[j] = static_cast<T>(from[j]);
  }
}

template <typename T>
int UnaryOf(void* stream, Unary op, float alpha, const void* x, void* out, int64_t n) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  constexpr int kCount = kTaken<T>;
  const bool aligned = Aligned(x) && Aligned(out);
  return ForEach(stream, (n + kCount - 1) / kCount, SM_LAMBDA(int64_t i) {
    const int64_t at = i * kCount;
    const int count = n - at < kCount ? static_cast<int>(n - at) : kCount;
    const bool wide = aligned && count == kCount;
    ComputeType<T> v[kCount];
    LoadSome<T, kCount>(from + at, wide, count, v);
    ApplyUnary<T, kCount>(op, alpha, v);
    StoreSome<T, kCount>(v, wide, count, to + at);
  });
}

template <typename T>
int TestOf(void* stream, Test op, const void* x, void* out, int64_t n) {
  const T* from = static_cast<const T*>(x);
  uint8_t* to = static_cast<uint8_t*>(out);
  return ForEach(stream, n, SM_LAMBDA(int64_t i) {
    const ComputeType<T> v = static_cast<ComputeType<T>>(from[i]);
    const bool nan = v != v, infinite = !nan && v - v != v - v;
    to[i] = op == Test::kIsNan ? nan : op == Test::kIsInf ? infinite : !nan && !infinite;
  });
}

// How an operand is read: each pack its own elements, one for all, a row that repeats, or element by element.
enum class Access : int { kFull, kOne, kRow, kAny };

// kFull or kOne operands of a coalesced shape of rank 1, or a row that repeats: rank 2, steps {0, 1}.
Access AccessOf(const Broadcast& shape, int operand, int count) {
  const int64_t* steps = shape.steps[operand];
  bool one = true, full = true;
  int64_t expected = 1;
  for (int d = shape.rank - 1; d >= 0; --d) {
    one = one && steps[d] == 0;
    full = full && steps[d] == expected;
    expected *= shape.dims[d];
  }
  const bool row = shape.rank == 2 && steps[0] == 0 && steps[1] == 1 && shape.dims[1] % count == 0;
  return full ? Access::kFull : one ? Access::kOne : row ? Access::kRow : Access::kAny;
}

SM_DEVICE int64_t OffsetOf(const Broadcast& shape, int operand, int64_t i) {
  int64_t offset = 0;
  SM_ROLLED
  for (int d = shape.rank - 1; d > 0; --d) {
    const int64_t q = i / shape.dims[d];
    offset += (i - q * shape.dims[d]) * shape.steps[operand][d];
    i = q;
  }
  return shape.rank > 0 ? offset + i * shape.steps[operand][0] : offset;
}

template <typename T, int kCount>
SM_DEVICE void LoadAs(const Broadcast& shape, int operand, Access access, const T* from, int64_t at, bool wide, int count, ComputeType<T> (&to)[kCount]) {
  switch (access) {
    case Access::kFull: LoadSome<T, kCount>(from + at, wide, count, to); break;
    case Access::kRow: LoadSome<T, kCount>(from + at % shape.dims[shape.rank - 1], wide, count, to); break;
    case Access::kOne: {
      const ComputeType<T> v = static_cast<ComputeType<T>>(*from);
      for (int j = 0; j < kCount; ++j) to[j] = v;
      break;
    }
    case Access::kAny:
      for (int j = 0; j < kCount; ++j) to[j] = j < count ? static_cast<ComputeType<T>>(from[OffsetOf(shape, operand, at + j)]) : ComputeType<T>(0);
      break;
  }
}

SM_DEVICE void Offsets(const Broadcast& shape, int64_t i, int64_t* a, int64_t* b) {
  *a = OffsetOf(shape, 0, i);
  *b = OffsetOf(shape, 1, i);
}

template <typename T>
int BinaryOf(void* stream, Binary op, const Broadcast& shape, const void* a, const void* b, void* out) {
  const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  constexpr int kCount = kTaken<T>;
  const Access at_x = AccessOf(shape, 0, kCount), at_y = AccessOf(shape, 1, kCount);
  const bool aligned = Aligned(a) && Aligned(b) && Aligned(out);
  const int64_t n = shape.count;
  return ForEach(stream, (n + kCount - 1) / kCount, SM_LAMBDA(int64_t i) {
    const int64_t at = i * kCount;
    const int count = n - at < kCount ? static_cast<int>(n - at) : kCount;
    const bool wide = aligned && count == kCount;
    ComputeType<T> v[kCount], w[kCount];
    LoadAs<T, kCount>(shape, 0, at_x, x, at, wide, count, v);
    LoadAs<T, kCount>(shape, 1, at_y, y, at, wide, count, w);
    ApplyBinary<T, kCount>(op, v, w);
    StoreSome<T, kCount>(v, wide, count, to + at);
  });
}

template <typename T>
int ComparisonOf(void* stream, Comparison op, const Broadcast& shape, const void* a, const void* b, void* out) {
  const T *x = static_cast<const T*>(a), *y = static_cast<const T*>(b);
  uint8_t* to = static_cast<uint8_t*>(out);
  return ForEach(stream, shape.count, SM_LAMBDA(int64_t i) {
    int64_t p, q;
    Offsets(shape, i, &p, &q);
    to[i] = Compare(op, static_cast<ComputeType<T>>(x[p]), static_cast<ComputeType<T>>(y[q]));
  });
}

template <typename T>
int SelectOf(void* stream, const Broadcast& shape, const void* condition, const void* yes, const void* no, void* out) {
  const uint8_t* c = static_cast<const uint8_t*>(condition);
  const T *x = static_cast<const T*>(yes), *y = static_cast<const T*>(no);
  T* to = static_cast<T*>(out);
  return ForEach(stream, shape.count, SM_LAMBDA(int64_t i) {
    int64_t rest = i, p = 0, q = 0, r = 0;
    SM_ROLLED
    for (int d = shape.rank - 1; d >= 0; --d) {
      const int64_t quotient = rest / shape.dims[d], at = rest - quotient * shape.dims[d];
      p += at * shape.steps[0][d];
      q += at * shape.steps[1][d];
      r += at * shape.steps[2][d];
      rest = quotient;
    }
    to[i] = c[p] != 0 ? x[q] : y[r];
  });
}

template <typename From>
SM_DEVICE void StoreAs(Element type, From v, void* out, int64_t i) {
  using C = ComputeType<From>;
  const C c = static_cast<C>(v);
  switch (type) {
    case Element::kFloat: static_cast<float*>(out)[i] = static_cast<float>(c); break;
    case Element::kDouble: static_cast<double*>(out)[i] = static_cast<double>(c); break;
    case Element::kHalf: static_cast<F16*>(out)[i] = F16(static_cast<float>(c)); break;
    case Element::kBFloat16: static_cast<BF16*>(out)[i] = BF16(static_cast<float>(c)); break;
    case Element::kBool: static_cast<uint8_t*>(out)[i] = c != C(0); break;
    // Floats go to small integers by way of 64 bits, which then wrap.
    case Element::kInt8: static_cast<int8_t*>(out)[i] = static_cast<int8_t>(static_cast<int64_t>(c)); break;
    case Element::kInt16: static_cast<int16_t*>(out)[i] = static_cast<int16_t>(static_cast<int64_t>(c)); break;
    case Element::kInt32: static_cast<int32_t*>(out)[i] = static_cast<int32_t>(c); break;
    case Element::kInt64: static_cast<int64_t*>(out)[i] = static_cast<int64_t>(c); break;
    case Element::kUInt8: static_cast<uint8_t*>(out)[i] = static_cast<uint8_t>(static_cast<int64_t>(c)); break;
    case Element::kUInt16: static_cast<uint16_t*>(out)[i] = static_cast<uint16_t>(static_cast<int64_t>(c)); break;
    case Element::kUInt32: static_cast<uint32_t*>(out)[i] = static_cast<uint32_t>(static_cast<int64_t>(c)); break;
    case Element::kUInt64: static_cast<uint64_t*>(out)[i] = c < C(0) ? static_cast<uint64_t>(static_cast<int64_t>(c)) : static_cast<uint64_t>(c); break;
  }
}

template <typename T>
int CastOf(void* stream, Element to, const void* x, void* out, int64_t n) {
  const T* from = static_cast<const T*>(x);
  return ForEach(stream, n, SM_LAMBDA(int64_t i) { StoreAs<T>(to, from[i], out, i); });
}

template <typename T>
int FillOf(void* stream, const void* value, void* out, int64_t n) {
  T one;
  memcpy(&one, value, sizeof(T));
  T* to = static_cast<T*>(out);
  return ForEach(stream, n, SM_LAMBDA(int64_t i) { to[i] = one; });
}

template <typename T>
int ClipOf(void* stream, const void* x, const void* low, bool one_low, const void* high, bool one_high, void* out, int64_t n) {
  const T *from = static_cast<const T*>(x), *lows = static_cast<const T*>(low), *highs = static_cast<const T*>(high);
  T* to = static_cast<T*>(out);
  return ForEach(stream, n, SM_LAMBDA(int64_t i) {
    using C = ComputeType<T>;
    const C l = static_cast<C>(lows[one_low ? 0 : i]), h = static_cast<C>(highs[one_high ? 0 : i]), v = static_cast<C>(from[i]);
    to[i] = static_cast<T>(MaxOf(MinOf(v, h), l));
  });
}

template <typename T, int kCount>
int EpiloguePacks(void* stream, const T* x, const T* bias, const T* residual, Unary activation, float alpha, int64_t packs, int64_t channels, T* out) {
  return ForEach(stream, packs, SM_LAMBDA(int64_t i) {
    float v[kCount], w[kCount];
    const int64_t at = i * kCount;
    Load<T, kCount>(x + at, v);
    if (bias != nullptr) {
      Load<T, kCount>(bias + at % channels, w);
      for (int j = 0; j < kCount; ++j) v[j] += w[j];
    }
    if (residual != nullptr) {
      Load<T, kCount>(residual + at, w);
      for (int j = 0; j < kCount; ++j) v[j] += w[j];
    }
    ApplyFloat<float, kCount>(activation, alpha, v);
    Store<T, kCount>(v, out + at);
  });
}

template <typename T>
int EpilogueOf(void* stream, const void* x, const void* bias, const void* residual, Unary activation, float alpha, int64_t rows, int64_t channels, void* out) {
  const T *from = static_cast<const T*>(x), *added = static_cast<const T*>(bias), *more = static_cast<const T*>(residual);
  T* to = static_cast<T*>(out);
  if (channels % 4 == 0 && Aligned(x) && Aligned(bias) && Aligned(residual) && Aligned(out)) {
    return EpiloguePacks<T, 4>(stream, from, added, more, activation, alpha, rows * channels / 4, channels, to);
  }
  return EpiloguePacks<T, 1>(stream, from, added, more, activation, alpha, rows * channels, channels, to);
}

template <typename T>
SM_DEVICE ComputeType<T> AtOf(ComputeType<T> from, ComputeType<T> by, int64_t i) {
  using C = ComputeType<T>;
  if constexpr (kIsFloat<T>) {
    return from + static_cast<C>(i) * by;
  } else {
    using U = typename Unsigned<C>::type;
    return static_cast<C>(static_cast<U>(from) + static_cast<U>(i) * static_cast<U>(by));
  }
}

template <typename T>
int RangeOf(void* stream, const void* start, const void* delta, void* out, int64_t n) {
  using C = ComputeType<T>;
  T first, step;
  memcpy(&first, start, sizeof(T));
  memcpy(&step, delta, sizeof(T));
  const C from = static_cast<C>(first), by = static_cast<C>(step);
  T* to = static_cast<T*>(out);
  return ForEach(stream, n, SM_LAMBDA(int64_t i) { to[i] = static_cast<T>(AtOf<T>(from, by, i)); });
}

}  // namespace

int RunUnary(void* stream, Unary op, Element type, float alpha, const void* x, void* out, int64_t n) {
  SM_BY_NUMBER(type, UnaryOf, stream, op, alpha, x, out, n)
}
int RunTest(void* stream, Test op, Element type, const void* x, void* out, int64_t n) {
  if (type == Element::kBool) {
    const uint8_t* from = static_cast<const uint8_t*>(x);
    uint8_t* to = static_cast<uint8_t*>(out);
    return ForEach(stream, n, SM_LAMBDA(int64_t i) { to[i] = from[i] == 0; });
  }
  SM_BY_FLOAT(type, TestOf, stream, op, x, out, n)
}
int RunBinary(void* stream, Binary op, Element type, const Broadcast& shape, const void* a, const void* b, void* out) {
  SM_BY_NUMBER(type, BinaryOf, stream, op, shape, a, b, out)
}
int RunComparison(void* stream, Comparison op, Element type, const Broadcast& shape, const void* a, const void* b, void* out) {
  if (type == Element::kBool) type = Element::kUInt8;
  SM_BY_NUMBER(type, ComparisonOf, stream, op, shape, a, b, out)
}
int RunSelect(void* stream, int size, const Broadcast& shape, const void* condition, const void* yes, const void* no, void* out) {
  SM_BY_SIZE(size, SelectOf, stream, shape, condition, yes, no, out)
}
int RunCast(void* stream, Element from, Element to, const void* x, void* out, int64_t n) {
  if (from == Element::kBool) from = Element::kUInt8;
  SM_BY_NUMBER(from, CastOf, stream, to, x, out, n)
}
int RunFill(void* stream, int size, const void* value, void* out, int64_t n) { SM_BY_SIZE(size, FillOf, stream, value, out, n) }
int RunClip(void* stream, Element type, const void* x, const void* low, bool one_low, const void* high, bool one_high, void* out, int64_t n) {
  SM_BY_NUMBER(type, ClipOf, stream, x, low, one_low, high, one_high, out, n)
}
int RunEpilogue(void* stream, Element type, const void* x, const void* bias, const void* residual, Unary activation, float alpha, int64_t rows,
                int64_t channels, void* out) {
  switch (type) {
    case Element::kFloat: return EpilogueOf<float>(stream, x, bias, residual, activation, alpha, rows, channels, out);
    case Element::kHalf: return EpilogueOf<F16>(stream, x, bias, residual, activation, alpha, rows, channels, out);
    case Element::kBFloat16: return EpilogueOf<BF16>(stream, x, bias, residual, activation, alpha, rows, channels, out);
    default: return kUnsupported;
  }
}
int RunRange(void* stream, Element type, const void* start, const void* delta, void* out, int64_t n) {
  SM_BY_NUMBER(type, RangeOf, stream, start, delta, out, n)
}

}  // namespace savedmodel::cuda
