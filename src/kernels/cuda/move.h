// Elements moved without being understood: copies between any two strided views, and gathering and scattering by index.
#ifndef SAVEDMODEL_KERNELS_CUDA_MOVE_H_
#define SAVEDMODEL_KERNELS_CUDA_MOVE_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

// For each index of [dims]: to[to_offset + index . to_steps] = from[from_offset + index . from_steps]. Steps in elements
// of `size` bytes, negative ones and 0 included. Any dimension of 0: nothing happens.
inline constexpr int kMaxCopyDims = 16;
struct StridedCopy {
  int size = 4;
  int rank = 0;
  int64_t from_offset = 0, to_offset = 0;
  int64_t dims[kMaxCopyDims] = {}, from_steps[kMaxCopyDims] = {}, to_steps[kMaxCopyDims] = {};

  void Add(int64_t dim, int64_t from_step, int64_t to_step) {
    dims[rank] = dim;
    from_steps[rank] = from_step;
    to_steps[rank++] = to_step;
  }
};
int RunStridedCopy(void* stream, const StridedCopy& copy, const void* from, void* to);

// Where an index is out of range, the kernel writes `code` into `*word`, which the host can read, and goes on with zeros.
struct Alarm {
  int* word = nullptr;
  int code = 0;
};

// out[b, o, i, :] = params[b, o, indices[b, i], :]; parts of `inner` elements of `size` bytes.
struct GatherShape {
  int size = 4, index_size = 4;  // bytes
  int64_t batch = 1, outer = 1, axis = 1, count = 1, inner = 1;
};
int RunGather(void* stream, const GatherShape& shape, const void* params, const void* indices, Alarm alarm, void* out);

// Rows of `depth` indices, each naming a slice of `inner` elements in a tensor whose first dimensions are dims.
struct NdShape {
  int size = 4, index_size = 4, depth = 1;
  int64_t rows = 0, inner = 1;
  int64_t dims[8] = {};
};
int RunGatherNd(void* stream, const NdShape& shape, const void* params, const void* indices, Alarm alarm, void* out);

enum class Update : int { kAssign, kAdd, kSub, kMin, kMax };
// Slices of `out` joined with those of `updates` (one slice where `one_update`). kAssign takes any type by its size; the
// others float, double, half, bfloat16, int32, uint32, int64 and uint64.
int RunScatterNd(void* stream, Update update, Element type, const NdShape& shape, const void* indices, const void* updates, bool one_update, Alarm alarm,
                 void* out);

// out[ids[i], :] op= data[i, :]; negative ids are dropped, others out of range give the alarm.
int RunSegment(void* stream, Update update, Element type, int index_size, const void* data, const void* ids, int64_t rows, int64_t inner, int64_t segments,
               Alarm alarm, void* out);

// out[o, k, i] = indices[o, i] == k ? on : off. `on` and `off` are one element each, on the device.
int RunOneHot(void* stream, int size, int index_size, int64_t outer, int64_t depth, int64_t inner, const void* indices, const void* on, const void* off,
              void* out);

// Mirrors: out[index] = x at index - before, reflected at the edges (`edge` 0: the edge itself twice, 1: not).
struct MirrorShape {
  int size = 4, rank = 0, skip_edge = 0;
  int64_t in[8] = {}, out[8] = {}, before[8] = {};
};
int RunMirrorPad(void* stream, const MirrorShape& shape, const void* x, void* out);

// The first lengths[b] positions along the sequence reversed: x is [a, batch, b, sequence, c] or with the two swapped,
// given by steps. out has x's shape.
struct ReverseSequenceShape {
  int size = 4, index_size = 4;
  int64_t count = 0, batch = 1, batch_step = 1, sequence = 1, sequence_step = 1;
};
int RunReverseSequence(void* stream, const ReverseSequenceShape& shape, const void* x, const void* lengths, Alarm alarm, void* out);

// The band of matrices: elements below `lower` diagonals or above `upper` ones become zero; negative: all are kept.
int RunBandPart(void* stream, int size, int64_t matrices, int64_t rows, int64_t columns, int64_t lower, int64_t upper, const void* x, void* out);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_MOVE_H_
