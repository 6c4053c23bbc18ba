#include "kernels/cuda/attention.h"

#include <type_traits>

#include "kernels/cuda/functions.h"
#include "kernels/cuda/tile.h"

namespace savedmodel::cuda {
namespace {

// What a block keeps: 16 rows of scores, of weights, and of results. Rows are a little longer than needed, so that
// neighbours do not meet in the same banks.
struct BlockPlaces {
  int scores_row, weights_row, result_row;
  int weights_at, result_at, bytes;
};
BlockPlaces PlacesOf(const AttentionSizes& s, size_t size) {
  BlockPlaces p;
  p.scores_row = static_cast<int>(s.keys) + 4;
  p.weights_row = static_cast<int>(s.keys) + (size == 4 ? 4 : 8);
  p.result_row = static_cast<int>(s.value_depth) + 4;
  p.weights_at = kTile * p.scores_row * 4;
  p.result_at = p.weights_at + kTile * p.weights_row * static_cast<int>(size);
  p.bytes = p.result_at + kTile * p.result_row * 4;
  return p;
}

template <typename T, bool kKeysTransposed>
int TiledOf(void* stream, const AttentionSizes& s, const void* queries, const void* keys, const void* values, const void* masks, void* out) {
  const T *q = static_cast<const T*>(queries), *k = static_cast<const T*>(keys), *v = static_cast<const T*>(values), *mask = static_cast<const T*>(masks);
  T* to = static_cast<T*>(out);
  const BlockPlaces places = PlacesOf(s, sizeof(T));
  const int64_t row_tiles = s.queries / kTile;
  // A block takes 16 queries of one head: its warps share the keys, and then the columns of the result.
  return ForEachSharedBlock(stream, s.batch * s.heads * row_tiles, 128, places.bytes, SM_LAMBDA(int64_t block, Lane lane, unsigned char* memory) {
    const int64_t first = block % row_tiles * kTile, head = block / row_tiles % s.heads, batch = block / row_tiles / s.heads;
    float *scores = reinterpret_cast<float*>(memory), *result = reinterpret_cast<float*>(memory + places.result_at);
    T* weights = reinterpret_cast<T*>(memory + places.weights_at);
    const T* q_rows = q + batch * s.q.batch + head * s.q.head + first * s.q.row;
    const T* k_head = k + batch * s.k.batch + head * s.k.head;
    const T* v_head = v + batch * s.v.batch + head * s.v.head;
    for (int64_t at = lane.warp() * kTile; at < s.keys; at += lane.warps() * kTile) {
      TileSum<T> sum;
      sum.Clear();
      for (int64_t d = 0; d < s.depth; d += kTileDepth<T>) {
        LeftTile<T> a;
        RightTile<T, !kKeysTransposed> b;
        a.Load(q_rows + d, s.q.row);
        b.Load(kKeysTransposed ? k_head + d * s.k.row + at : k_head + at * s.k.row + d, s.k.row);
        sum.Add(a, b);
      }
      sum.Store(scores + at, places.scores_row);
    }
    Barrier();
    for (int r = lane.warp(); r < kTile; r += lane.warps()) {
      float* row = scores + r * places.scores_row;
      const T* added = mask == nullptr ? nullptr : mask + batch * s.mask.batch + head * s.mask.head + (first + r) * s.mask.row;
      float largest = -INFINITY;
      for (int64_t i = lane.in_warp(); i < s.keys; i += kWarp) {
        row[i] = row[i] * s.scale + (added == nullptr ? 0.0f : static_cast<float>(added[i]));
        largest = MaxOf(largest, row[i]);
      }
      largest = WarpReduce(largest, [](float a, float b) { return MaxOf(a, b); });
      float sum = 0;
      for (int64_t i = lane.in_warp(); i < s.keys; i += kWarp) {
        row[i] = expf(row[i] - largest);
        sum += row[i];
      }
      sum = WarpReduce(sum, [](float a, float b) { return a + b; });
      for (int64_t i = lane.in_warp(); i < s.keys; i += kWarp) weights[r * places.weights_row + i] = static_cast<T>(row[i] / sum);
    }
    Barrier();
    for (int64_t at = lane.warp() * kTile; at < s.value_depth; at += lane.warps() * kTile) {
      TileSum<T> sum;
      sum.Clear();
      for (int64_t i = 0; i < s.keys; i += kTileDepth<T>) {
        LeftTile<T> a;
        RightTile<T, false> b;
        a.Load(weights + i, places.weights_row);
        b.Load(v_head + i * s.v.row + at, s.v.row);
        sum.Add(a, b);
      }
      sum.Store(result + at, places.result_row);
    }
    Barrier();
    T* rows = to + batch * s.out.batch + head * s.out.head + first * s.out.row;
    for (int64_t i = lane.thread; i < kTile * s.value_depth; i += lane.threads) {
      const int64_t r = i / s.value_depth, c = i % s.value_depth;
      rows[r * s.out.row + c] = static_cast<T>(result[r * places.result_row + c]);
    }
  });
}

template <typename T>
int Tiled(void* stream, const AttentionSizes& s, const void* q, const void* k, const void* v, const void* mask, void* out) {
  return s.keys_transposed ? TiledOf<T, true>(stream, s, q, k, v, mask, out) : TiledOf<T, false>(stream, s, q, k, v, mask, out);
}

template <typename From, typename T>
int SoftmaxOf(void* stream, const AttentionSizes& s, const void* scores, const void* masks, void* weights) {
  const From* from = static_cast<const From*>(scores);
  const T* mask = static_cast<const T*>(masks);
  T* to = static_cast<T*>(weights);
  const int threads = s.keys <= 64 ? 32 : s.keys <= 1024 ? 128 : 256;
  return ForEachBlock(stream, s.batch * s.heads * s.queries, threads, SM_LAMBDA(int64_t block, Lane lane) {
    const int64_t query = block % s.queries, head = block / s.queries % s.heads, batch = block / s.queries / s.heads;
    const From* row = from + block * s.keys;
    const T* added = mask == nullptr ? nullptr : mask + batch * s.mask.batch + head * s.mask.head + query * s.mask.row;
    auto score = [&](int64_t i) { return static_cast<float>(row[i]) * s.scale + (added == nullptr ? 0.0f : static_cast<float>(added[i])); };
    float largest = -INFINITY;
    for (int64_t i = lane.thread; i < s.keys; i += lane.threads) largest = MaxOf(largest, score(i));
    largest = BlockReduce(lane, largest, [](float a, float b) { return MaxOf(a, b); });
    float sum = 0;
    for (int64_t i = lane.thread; i < s.keys; i += lane.threads) sum += expf(score(i) - largest);
    sum = BlockReduce(lane, sum, [](float a, float b) { return a + b; });
    for (int64_t i = lane.thread; i < s.keys; i += lane.threads) to[block * s.keys + i] = static_cast<T>(expf(score(i) - largest) / sum);
  });
}

}  // namespace

bool TilesFit(Element type, const AttentionSizes& s) {
  if (type != Element::kFloat && type != Element::kHalf && type != Element::kBFloat16) return false;
  const int64_t size = type == Element::kFloat ? 4 : 2, deep = type == Element::kFloat ? 8 : 16;
  if (s.queries < kTile || s.keys < kTile || s.depth < deep || s.value_depth < kTile || s.keys > 4096 || s.value_depth > 1024) return false;
  if (s.queries % kTile != 0 || s.keys % kTile != 0 || s.depth % deep != 0 || s.value_depth % kTile != 0) return false;
  for (const HeadSteps* steps : {&s.q, &s.k, &s.v}) {
    for (int64_t step : {steps->batch, steps->head, steps->row}) {
      if (step * size % 32 != 0) return false;
    }
    if (steps->row > 1 << 30) return false;
  }
  return PlacesOf(s, static_cast<size_t>(size)).bytes <= kMostShared;
}

int RunTiledAttention(void* stream, Element type, const AttentionSizes& sizes, const void* q, const void* k, const void* v, const void* mask, void* out) {
  switch (type) {
    case Element::kFloat: return Tiled<float>(stream, sizes, q, k, v, mask, out);
    case Element::kHalf: return Tiled<F16>(stream, sizes, q, k, v, mask, out);
    case Element::kBFloat16: return Tiled<BF16>(stream, sizes, q, k, v, mask, out);
    default: return kUnsupported;
  }
}

int RunMaskedSoftmax(void* stream, Element scores_type, Element type, const AttentionSizes& sizes, const void* scores, const void* mask, void* weights) {
  const bool wide = scores_type == Element::kFloat;
  switch (type) {
    case Element::kFloat: return SoftmaxOf<float, float>(stream, sizes, scores, mask, weights);
    case Element::kHalf: return wide ? SoftmaxOf<float, F16>(stream, sizes, scores, mask, weights) : SoftmaxOf<F16, F16>(stream, sizes, scores, mask, weights);
    case Element::kBFloat16: return wide ? SoftmaxOf<float, BF16>(stream, sizes, scores, mask, weights) : SoftmaxOf<BF16, BF16>(stream, sizes, scores, mask, weights);
    default: return kUnsupported;
  }
}

}  // namespace savedmodel::cuda
