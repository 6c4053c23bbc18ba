// Joining elements: reductions over any dimensions, positions of extremes, softmax, scans, normalisation, the k largest.
#ifndef SAVEDMODEL_KERNELS_CUDA_REDUCE_H_
#define SAVEDMODEL_KERNELS_CUDA_REDUCE_H_

#include "kernels/cuda/number.h"

namespace savedmodel::cuda {

enum class Reduction : int { kSum, kMean, kProd, kMax, kMin, kAll, kAny, kSquareSum, kEuclidean };

// Element o of the result joins x at base(o) + offset(r) for all r: the kept dimensions give the base, the reduced ones
// the offset.
struct ReduceShape {
  int kept_rank = 0, reduced_rank = 0;
  int64_t outputs = 1, count = 1;
  int64_t kept[8] = {}, kept_steps[8] = {}, reduced[8] = {}, reduced_steps[8] = {};
};
// kAll and kAny take bools, the others numbers. A mean of integers is rounded towards 0.
int RunReduce(void* stream, Reduction reduction, Element type, const ReduceShape& shape, const void* x, void* out);

// The position of the largest (smallest) element along the middle dimension; the first of equals. NaN is never chosen
// unless it comes first, as in the reference.
int RunArgExtreme(void* stream, bool largest, Element type, int64_t outer, int64_t count, int64_t inner, const void* x, int out_size, void* out);

// Over rows of `count` elements.
int RunSoftmax(void* stream, bool log, Element type, int64_t rows, int64_t count, const void* x, void* out);

enum class Scan : int { kSum, kProd };
int RunScan(void* stream, Scan scan, Element type, int64_t outer, int64_t count, int64_t inner, bool exclusive, bool reverse, const void* x, void* out);

// The k largest of each row in falling order, equal ones by position. Meant for k of up to a few hundred.
int RunTopK(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* values, int index_size, void* indices);

// The same for any k: whole rows are sorted in `scratch`, rows * SortedRow(count) * 16 bytes.
int64_t SortedRow(int64_t count);
int RunTopKSorted(void* stream, Element type, int64_t rows, int64_t count, int64_t k, const void* x, void* scratch, void* values, int index_size, void* indices);

// (x - mean) * scale / sqrt(variance + epsilon) + offset, per channel; x is [outer, channels, inner]. Parameters in float.
int RunNormalize(void* stream, Element type, int64_t outer, int64_t channels, int64_t inner, const void* x, const float* scale, const float* offset,
                 const float* mean, const float* variance, float epsilon, void* out);
// Mean and variance (not the unbiased one) of each channel of [outer, channels, inner].
int RunMoments(void* stream, Element type, int64_t outer, int64_t channels, int64_t inner, const void* x, float* mean, float* variance);
// to = from * factor, floats.
int RunScale(void* stream, int64_t n, const float* from, float factor, float* to);

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_REDUCE_H_
