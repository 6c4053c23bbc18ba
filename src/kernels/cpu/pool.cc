#include "kernels/cpu/pool.h"

#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/cpu/vector_math.h"

namespace savedmodel {
namespace {

template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

template <typename T>
T Lowest() {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    T lowest;
    lowest.bits = std::is_same_v<T, Half> ? 0xfbff : 0xff7f;
    return lowest;
  } else {
    return std::numeric_limits<T>::lowest();
  }
}

// Calls row(batch, at) for all rows of output positions (at[2] is 0), in parallel.
template <typename Row>
void ForEachRow(const PoolShape& shape, ThreadPool& pool, const Row& row) {
  const PoolAxis* axes = shape.axes;
  const double work = static_cast<double>(axes[2].out) * static_cast<double>(shape.channels) *
                      static_cast<double>(std::min(axes[0].window, axes[0].in)) *
                      static_cast<double>(std::min(axes[1].window, axes[1].in)) *
                      static_cast<double>(std::min(axes[2].window, axes[2].in));
  const int64_t grain = static_cast<int64_t>(std::clamp(16384. / (work + 1), 1., 1e9));
  pool.ParallelFor(shape.batch * axes[0].out * axes[1].out, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at[3] = {i / axes[1].out % axes[0].out, i % axes[1].out, 0};
      row(i / axes[1].out / axes[0].out, at);
    }
  });
}

constexpr int64_t kMostPixels = 64;

// Calls pixel(pixels, count, clipped, to) for every output pixel of float images; false for windows of more than kMostPixels.
// `clipped` tells whether the window sticks out of the image.
template <typename Pixel>
bool ForEachPixel(const PoolShape& shape, const float* in, float* out, ThreadPool& pool, const Pixel& pixel) {
  const PoolAxis* axes = shape.axes;
  if (std::max({axes[0].window, axes[1].window, axes[2].window}) > kMostPixels) return false;
  const int64_t window = axes[0].window * axes[1].window * axes[2].window, channels = shape.channels;
  if (window > kMostPixels) return false;
  ForEachRow(shape, pool, [&](int64_t batch, const int64_t row[3]) {
    const float* image = in + batch * shape.in_size();
    float* to = out + batch * shape.out_size() + (row[0] * axes[1].out + row[1]) * axes[2].out * channels;
    for (int64_t x = 0; x < axes[2].out; ++x, to += channels) {
      const int64_t at[3] = {row[0], row[1], x};
      const float* pixels[kMostPixels];
      int64_t count = 0;
      ForEachInWindow(shape, at, [&](int64_t index) { pixels[count++] = image + index * channels; });
      pixel(pixels, count, count < window, to);
    }
  });
  return true;
}

}  // namespace

template <typename T>
void MaxPool(const PoolShape& shape, const T* in, T* out, bool volume, ThreadPool& pool) {
  const int64_t channels = shape.channels;
  if constexpr (std::is_same_v<T, float>) {
    const auto largest = [&](const float* const* pixels, int64_t count, bool clipped, float* to) {
      VectorMaxOf(pixels, count, channels, clipped && shape.zeros_outside ? 0.0f : Lowest<float>(), to);
    };
    if (!volume && ForEachPixel(shape, in, out, pool, largest)) return;
  }
  const T start = volume && !std::is_integral_v<T> ? static_cast<T>(-std::numeric_limits<float>::infinity()) : Lowest<T>();
  ForEachRow(shape, pool, [&](int64_t batch, const int64_t row[3]) {
    const T* image = in + batch * shape.in_size();
    T* to = out + batch * shape.out_size() + (row[0] * shape.axes[1].out + row[1]) * shape.axes[2].out * channels;
    for (int64_t x = 0; x < shape.axes[2].out; ++x, to += channels) {
      const int64_t at[3] = {row[0], row[1], x};
      std::fill_n(to, channels, shape.zeros_outside && shape.Clips(at) ? T(0) : start);
      ForEachInWindow(shape, at, [&](int64_t pixel) {
        const T* from = image + pixel * channels;
        if (volume) {
          for (int64_t c = 0; c < channels; ++c) to[c] = from[c] < to[c] ? to[c] : from[c];
        } else {
          for (int64_t c = 0; c < channels; ++c) to[c] = to[c] < from[c] ? from[c] : to[c];
        }
      });
    }
  });
}

template <typename T>
void AveragePool(const PoolShape& shape, const T* in, T* out, ThreadPool& pool) {
  using W = Wide<T>;
  const int64_t channels = shape.channels;
  if constexpr (std::is_same_v<T, float>) {
    const auto mean = [&](const float* const* pixels, int64_t count, bool, float* to) {
      if (count == 0) {
        std::fill_n(to, channels, 0.0f);
      } else {
        VectorMeanOf(pixels, count, channels, to);
      }
    };
    if (ForEachPixel(shape, in, out, pool, mean)) return;
  }
  ForEachRow(shape, pool, [&](int64_t batch, const int64_t row[3]) {
    const T* image = in + batch * shape.in_size();
    T* to = out + batch * shape.out_size() + (row[0] * shape.axes[1].out + row[1]) * shape.axes[2].out * channels;
    std::vector<W> sums(static_cast<size_t>(channels));
    for (int64_t x = 0; x < shape.axes[2].out; ++x, to += channels) {
      const int64_t at[3] = {row[0], row[1], x};
      std::fill(sums.begin(), sums.end(), W(0));
      int64_t count = 0;
      ForEachInWindow(shape, at, [&](int64_t pixel) {
        const T* from = image + pixel * channels;
        W* sum = sums.data();
        for (int64_t c = 0; c < channels; ++c) sum[c] += static_cast<W>(from[c]);
        ++count;
      });
      const W divisor = static_cast<W>(std::max<int64_t>(count, 1));
      for (int64_t c = 0; c < channels; ++c) to[c] = static_cast<T>(sums[c] / divisor);
    }
  });
}

template <typename T>
void MaxPoolIndices(const PoolShape& shape, const T* in, int64_t* indices, ThreadPool& pool) {
  const int64_t channels = shape.channels;
  ForEachRow(shape, pool, [&](int64_t batch, const int64_t row[3]) {
    const T* image = in + batch * shape.in_size();
    int64_t* to = indices + batch * shape.out_size() + (row[0] * shape.axes[1].out + row[1]) * shape.axes[2].out * channels;
    for (int64_t x = 0; x < shape.axes[2].out; ++x, to += channels) {
      const int64_t at[3] = {row[0], row[1], x};
      std::fill_n(to, channels, int64_t{-1});
      ForEachInWindow(shape, at, [&](int64_t pixel) {
        const int64_t base = pixel * channels;
        for (int64_t c = 0; c < channels; ++c) {
          if (to[c] < 0 || image[to[c]] < image[base + c]) to[c] = base + c;
        }
      });
    }
  });
}

template <typename T>
void AveragePoolGradient(const PoolShape& shape, const T* gradient, T* out, ThreadPool& pool) {
  using W = Wide<T>;
  const int64_t channels = shape.channels, size = shape.in_size();
  // Windows overlap, so one image is one task.
  pool.ParallelFor(shape.batch, 1, [&](int64_t begin, int64_t end) {
    std::vector<W> sums(static_cast<size_t>(size));
    for (int64_t batch = begin; batch < end; ++batch) {
      std::fill(sums.begin(), sums.end(), W(0));
      const T* from = gradient + batch * shape.out_size();
      for (int64_t a = 0; a < shape.axes[0].out; ++a) {
        for (int64_t b = 0; b < shape.axes[1].out; ++b) {
          for (int64_t c = 0; c < shape.axes[2].out; ++c, from += channels) {
            const int64_t at[3] = {a, b, c};
            int64_t count = 0;
            ForEachInWindow(shape, at, [&](int64_t) { ++count; });
            const W scale = W(1) / static_cast<W>(std::max<int64_t>(count, 1));
            ForEachInWindow(shape, at, [&](int64_t pixel) {
              for (int64_t d = 0; d < channels; ++d) sums[pixel * channels + d] += static_cast<W>(from[d]) * scale;
            });
          }
        }
      }
      for (int64_t i = 0; i < size; ++i) out[batch * size + i] = static_cast<T>(sums[i]);
    }
  });
}

#define SAVEDMODEL_POOL(T)                                                     \
  template void MaxPool<T>(const PoolShape&, const T*, T*, bool, ThreadPool&); \
  template void MaxPoolIndices<T>(const PoolShape&, const T*, int64_t*, ThreadPool&)
SAVEDMODEL_POOL(float);
SAVEDMODEL_POOL(double);
SAVEDMODEL_POOL(Half);
SAVEDMODEL_POOL(BFloat16);
SAVEDMODEL_POOL(int8_t);
SAVEDMODEL_POOL(int16_t);
SAVEDMODEL_POOL(int32_t);
SAVEDMODEL_POOL(int64_t);
SAVEDMODEL_POOL(uint8_t);
SAVEDMODEL_POOL(uint16_t);
SAVEDMODEL_POOL(uint32_t);
SAVEDMODEL_POOL(uint64_t);
#undef SAVEDMODEL_POOL

#define SAVEDMODEL_POOL(T)                                                   \
  template void AveragePool<T>(const PoolShape&, const T*, T*, ThreadPool&); \
  template void AveragePoolGradient<T>(const PoolShape&, const T*, T*, ThreadPool&)
SAVEDMODEL_POOL(float);
SAVEDMODEL_POOL(double);
SAVEDMODEL_POOL(Half);
SAVEDMODEL_POOL(BFloat16);
#undef SAVEDMODEL_POOL

}  // namespace savedmodel
