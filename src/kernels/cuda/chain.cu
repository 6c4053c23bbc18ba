#include "kernels/cuda/chain.h"

#include "kernels/cuda/functions.h"
#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

// The places of one thread, kCount elements each. Which place a step uses is known at run time only: they lie in the
// thread's own memory, which stays in the nearest cache.
template <int kCount>
struct Places {
  float v[kChainPlaces][kCount];
};

template <int kCount>
SM_DEVICE void Copy(const float (&from)[kCount], float (&to)[kCount]) {
  for (int j = 0; j < kCount; ++j) to[j] = from[j];
}

template <int kCount>
SM_DEVICE void DoStep(const ChainStep& step, Places<kCount>* places) {
  float x[kCount], y[kCount];
  if (step.kind == ChainStep::Kind::kBinaryLeft) {
    for (int j = 0; j < kCount; ++j) x[j] = step.value;
  } else {
    Copy(places->v[step.a], x);
  }
  if (step.kind == ChainStep::Kind::kUnary) {
    ApplyFloat<float, kCount>(static_cast<Unary>(step.op), step.value, x);
  } else {
    if (step.kind == ChainStep::Kind::kBinaryRight) {
      for (int j = 0; j < kCount; ++j) y[j] = step.value;
    } else {
      Copy(places->v[step.b], y);
    }
    ApplyFloat<float, kCount>(static_cast<Binary>(step.op), x, y);
  }
  Copy(x, places->v[step.to]);
}

struct Inputs {
  const void* data[kChainInputs];
  // How packs of a flat loop are read: each its own, one element for all, a row that repeats.
  enum class Way : uint8_t { kFull, kOne, kRow } way[kChainInputs];
};

template <typename T, int kCount>
SM_DEVICE void LoadPack(const T* from, float (&to)[kCount]) {
  const Pack<T, kCount> pack = *reinterpret_cast<const Pack<T, kCount>*>(from);
  for (int j = 0; j < kCount; ++j) to[j] = static_cast<float>(pack.v[j]);
}

template <typename T, int kCount>
int Flat(void* stream, const Chain& chain, const Inputs& inputs, void* out) {
  T* to = static_cast<T*>(out);
  const int64_t row = chain.rank > 0 ? chain.dims[chain.rank - 1] : 1;
  return ForEach(stream, chain.count / kCount, SM_LAMBDA(int64_t i) {
    Places<kCount> places;
    int last = 0;
    for (int s = 0; s < chain.steps; ++s) {
      const ChainStep step = chain.step[s];
      last = step.to;
      if (step.kind != ChainStep::Kind::kLoad) {
        DoStep<kCount>(step, &places);
        continue;
      }
      const T* from = static_cast<const T*>(inputs.data[step.a]);
      if (inputs.way[step.a] == Inputs::Way::kOne) {
        const float one = static_cast<float>(*from);
        for (int j = 0; j < kCount; ++j) places.v[step.to][j] = one;
      } else {
        LoadPack<T, kCount>(from + (inputs.way[step.a] == Inputs::Way::kRow ? i * kCount % row : i * kCount), places.v[step.to]);
      }
    }
    Pack<T, kCount> pack;
    for (int j = 0; j < kCount; ++j) pack.v[j] = static_cast<T>(places.v[last][j]);
    *reinterpret_cast<Pack<T, kCount>*>(to + i * kCount) = pack;
  });
}

template <typename T>
int Strided(void* stream, const Chain& chain, const Inputs& inputs, void* out) {
  T* to = static_cast<T*>(out);
  return ForEach(stream, chain.count, SM_LAMBDA(int64_t i) {
    Places<1> places;
    int last = 0;
    for (int s = 0; s < chain.steps; ++s) {
      const ChainStep step = chain.step[s];
      last = step.to;
      if (step.kind != ChainStep::Kind::kLoad) {
        DoStep<1>(step, &places);
        continue;
      }
      int64_t rest = i, at = 0;
      SM_ROLLED
      for (int d = chain.rank - 1; d >= 0; --d) {
        const int64_t quotient = rest / chain.dims[d];
        at += (rest - quotient * chain.dims[d]) * chain.input_steps[step.a][d];
        rest = quotient;
      }
      places.v[step.to][0] = static_cast<float>(static_cast<const T*>(inputs.data[step.a])[at]);
    }
    to[i] = static_cast<T>(places.v[last][0]);
  });
}

// Whether a flat loop over packs can read the input, and how.
bool FlatWay(const Chain& chain, int input, int count, Inputs::Way* way) {
  const int64_t* steps = chain.input_steps[input];
  bool one = true, full = true;
  int64_t expected = 1;
  for (int d = chain.rank - 1; d >= 0; --d) {
    one = one && steps[d] == 0;
    full = full && steps[d] == expected;
    expected *= chain.dims[d];
  }
  bool row = chain.rank > 1 && steps[chain.rank - 1] == 1 && chain.dims[chain.rank - 1] % count == 0;
  for (int d = 0; d + 1 < chain.rank; ++d) row = row && steps[d] == 0;
  *way = full ? Inputs::Way::kFull : one ? Inputs::Way::kOne : Inputs::Way::kRow;
  return full || one || row;
}

template <typename T>
int ChainOf(void* stream, const Chain& chain, const void* const* pointers, void* out) {
  constexpr int kCount = 4;
  Inputs inputs = {};
  bool flat = chain.count % kCount == 0 && reinterpret_cast<uintptr_t>(out) % 16 == 0;
  for (int i = 0; i < chain.inputs; ++i) {
    inputs.data[i] = pointers[i];
    flat = flat && FlatWay(chain, i, kCount, &inputs.way[i]) && reinterpret_cast<uintptr_t>(pointers[i]) % 16 == 0;
  }
  return flat ? Flat<T, kCount>(stream, chain, inputs, out) : Strided<T>(stream, chain, inputs, out);
}

}  // namespace

int RunChain(void* stream, Element type, const Chain& chain, const void* const* inputs, void* out) {
  switch (type) {
    case Element::kFloat: return ChainOf<float>(stream, chain, inputs, out);
    case Element::kHalf: return ChainOf<F16>(stream, chain, inputs, out);
    case Element::kBFloat16: return ChainOf<BF16>(stream, chain, inputs, out);
    default: return kUnsupported;
  }
}

}  // namespace savedmodel::cuda
