#include "kernels/cuda/boxes.h"

#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

struct Best {
  float score;
  int32_t index;
};

struct Edges {
  float top, left, bottom, right, area;
};
SM_DEVICE Edges EdgesOf(const float* b) {
  Edges e{fminf(b[0], b[2]), fminf(b[1], b[3]), fmaxf(b[0], b[2]), fmaxf(b[1], b[3]), 0};
  e.area = (e.bottom - e.top) * (e.right - e.left);
  return e;
}

SM_DEVICE float Overlap(const Edges& a, const Edges& b) {
  if (a.area <= 0 || b.area <= 0) return 0;
  const float height = fmaxf(fminf(a.bottom, b.bottom) - fmaxf(a.top, b.top), 0.0f), width = fmaxf(fminf(a.right, b.right) - fmaxf(a.left, b.left), 0.0f);
  const float shared = height * width;
  return shared / (a.area + b.area - shared);
}

}  // namespace

// One block looks for the best that is left, and drops what overlaps it, until there is none.
int RunNonMaxSuppression(void* stream, int64_t count, const float* boxes, const float* scores, float overlap, float score, int64_t limit, uint8_t* alive,
                         int32_t* selected, int32_t* number) {
  return ForEachBlock(stream, 1, count <= 256 ? 128 : 1024, SM_LAMBDA(int64_t, Lane lane) {
    for (int64_t i = lane.thread; i < count; i += lane.threads) alive[i] = scores[i] > score;
    int64_t taken = 0;
    for (; taken < limit; ++taken) {
      // A thread meets the same boxes in each round, so that it alone reads and writes their marks.
      Best best{0, -1};
      for (int64_t i = lane.thread; i < count; i += lane.threads) {
        if (alive[i] != 0 && (best.index < 0 || scores[i] > best.score)) best = {scores[i], static_cast<int32_t>(i)};
      }
      best = BlockReduce(lane, best, [](Best a, Best b) {
        if (a.index < 0 || b.index < 0) return a.index < 0 ? b : a;
        return a.score > b.score || (a.score == b.score && a.index < b.index) ? a : b;
      });
      if (best.index < 0) break;
      const Edges kept = EdgesOf(boxes + int64_t{best.index} * 4);
      for (int64_t i = lane.thread; i < count; i += lane.threads) {
        if (alive[i] != 0 && (i == best.index || Overlap(EdgesOf(boxes + i * 4), kept) > overlap)) alive[i] = 0;
      }
      if (lane.thread == 0) selected[taken] = best.index;
    }
    if (lane.thread == 0) *number = static_cast<int32_t>(taken);
    for (int64_t i = taken + lane.thread; i < limit; i += lane.threads) selected[i] = 0;
  });
}

}  // namespace savedmodel::cuda
