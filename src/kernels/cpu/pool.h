// Pools over one to three spatial dimensions of a dense [batch, d0, d1, d2, channels] tensor. Tensors with the channels
// first are the same with batch * channels for the batch and one channel.
#ifndef SAVEDMODEL_KERNELS_CPU_POOL_H_
#define SAVEDMODEL_KERNELS_CPU_POOL_H_

#include <algorithm>
#include <cstdint>

#include "savedmodel/data_type.h"
#include "savedmodel/thread_pool.h"

namespace savedmodel {

struct PoolAxis {
  int64_t in = 1, out = 1, window = 1, stride = 1, before = 0;
  int64_t begin(int64_t position) const { return std::max<int64_t>(0, position * stride - before); }
  int64_t end(int64_t position) const { return std::min(in, position * stride - before + window); }
};

struct PoolShape {
  int64_t batch = 0, channels = 0;
  PoolAxis axes[3];
  bool zeros_outside = false;  // MaxPool: the image is surrounded by zeros, not by what no number is smaller than
  int64_t in_size() const { return axes[0].in * axes[1].in * axes[2].in * channels; }  // of one image
  int64_t out_size() const { return axes[0].out * axes[1].out * axes[2].out * channels; }
  bool Clips(const int64_t at[3]) const {  // whether the window of this output position sticks out of the image
    int64_t size = 1;
    for (int i = 0; i < 3; ++i) size *= axes[i].end(at[i]) - axes[i].begin(at[i]);
    return size < axes[0].window * axes[1].window * axes[2].window;
  }
};

// Calls visit(index) for the input pixels of output position `at`; index counts pixels of one image. The order is
// row-major.
template <typename Visit>
void ForEachInWindow(const PoolShape& shape, const int64_t at[3], const Visit& visit) {
  const PoolAxis* axes = shape.axes;
  for (int64_t a = axes[0].begin(at[0]); a < axes[0].end(at[0]); ++a) {
    for (int64_t b = axes[1].begin(at[1]); b < axes[1].end(at[1]); ++b) {
      const int64_t row = (a * axes[1].in + b) * axes[2].in;
      for (int64_t c = axes[2].begin(at[2]); c < axes[2].end(at[2]); ++c) visit(row + c);
    }
  }
}

// The largest element of each window. A NaN counts as the smallest number; with `volume` it takes the place of what came
// before it, and -inf that of the lowest number as the start: the reference's two ways.
template <typename T>
void MaxPool(const PoolShape& shape, const T* in, T* out, bool volume, ThreadPool& pool);

// The average over the part of the window that lies inside.
template <typename T>
void AveragePool(const PoolShape& shape, const T* in, T* out, ThreadPool& pool);

// For each output element, where in its image the first largest element of the window is; -1 for an empty window.
template <typename T>
void MaxPoolIndices(const PoolShape& shape, const T* in, int64_t* indices, ThreadPool& pool);

// Gradient of AveragePool: `out` has the sizes of the pool's input.
template <typename T>
void AveragePoolGradient(const PoolShape& shape, const T* gradient, T* out, ThreadPool& pool);

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_POOL_H_
