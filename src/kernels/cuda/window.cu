#include "kernels/cuda/window.h"

#include "kernels/cuda/functions.h"
#include "kernels/cuda/launch.h"

namespace savedmodel::cuda {
namespace {

// The place of an element of an image tensor.
struct Position {
  int64_t batch, channel, at[3];
};
SM_DEVICE Position PositionOf(int64_t i, int64_t channels, const int64_t (&size)[3], bool channels_last) {
  Position p;
  if (channels_last) {
    p.channel = i % channels;
    i /= channels;
  }
  for (int d = 2; d >= 0; --d) {
    p.at[d] = i % size[d];
    i /= size[d];
  }
  if (!channels_last) {
    p.channel = i % channels;
    i /= channels;
  }
  p.batch = i;
  return p;
}
// The offset of a pixel's channel 0 (channels last) or of a channel's pixel 0, and the step between channels.
SM_DEVICE int64_t Offset(int64_t batch, int64_t channel, int64_t a, int64_t b, int64_t c, int64_t channels, const int64_t (&size)[3], bool channels_last) {
  const int64_t pixel = (a * size[1] + b) * size[2] + c, pixels = size[0] * size[1] * size[2];
  return channels_last ? (batch * pixels + pixel) * channels + channel : (batch * channels + channel) * pixels + pixel;
}

// The lowest finite number.
template <typename T> inline constexpr double kLowest = -3.402823466385288598e38;
template <> inline constexpr double kLowest<double> = -1.7976931348623157e308;
template <> inline constexpr double kLowest<F16> = -65504;
template <> inline constexpr double kLowest<BF16> = -3.3895313892515355e38;

template <typename T>
int PoolOf(void* stream, bool average, const WindowShape& s, const void* x, void* out) {
  using C = ComputeType<T>;
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  const int64_t count = s.batch * s.in_channels * s.out[0] * s.out[1] * s.out[2];
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    const Position p = PositionOf(i, s.in_channels, s.out, s.channels_last);
    C sum = average ? C(0) : s.volume ? -static_cast<C>(INFINITY) : static_cast<C>(kLowest<T>);
    int64_t seen = 0;
    int64_t begin[3], end[3];
    for (int d = 0; d < 3; ++d) {
      begin[d] = p.at[d] * s.stride[d] - s.before[d];
      end[d] = begin[d] + s.window[d] < s.in[d] ? begin[d] + s.window[d] : s.in[d];
      if (begin[d] < 0) begin[d] = 0;
    }
    for (int64_t a = begin[0]; a < end[0]; ++a) {
      for (int64_t b = begin[1]; b < end[1]; ++b) {
        for (int64_t c = begin[2]; c < end[2]; ++c) {
          const C v = static_cast<C>(from[Offset(p.batch, p.channel, a, b, c, s.in_channels, s.in, s.channels_last)]);
          sum = average ? sum + v : s.volume ? (v < sum ? sum : v) : sum < v ? v : sum;
          ++seen;
        }
      }
    }
    to[i] = static_cast<T>(average ? sum / static_cast<C>(seen) : sum);
  });
}

template <typename C>
SM_DEVICE C Finish(const WindowEpilogue& e, C sum, C bias, C residual) {
  C v[1] = {sum + bias + residual};
  ApplyFloat<C, 1>(e.activation, static_cast<C>(e.alpha), v);
  return v[0];
}

template <typename T>
int DirectConvOf(void* stream, const WindowShape& s, const void* x, const void* filter, const WindowEpilogue& e, void* out) {
  using C = ComputeType<T>;
  const T *from = static_cast<const T*>(x), *weights = static_cast<const T*>(filter), *bias = static_cast<const T*>(e.bias),
          *residual = static_cast<const T*>(e.residual);
  T* to = static_cast<T*>(out);
  const int64_t count = s.batch * s.out_channels * s.out[0] * s.out[1] * s.out[2];
  const int64_t depth = s.in_channels / s.groups, width = s.out_channels / s.groups;
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    const Position p = PositionOf(i, s.out_channels, s.out, s.channels_last);
    const int64_t first = p.channel / width * depth;
    const int64_t channel_step = s.channels_last ? 1 : s.in[0] * s.in[1] * s.in[2];
    C sum = C(0);
    for (int64_t a = 0; a < s.window[0]; ++a) {
      const int64_t ya = p.at[0] * s.stride[0] - s.before[0] + a * s.dilation[0];
      if (ya < 0 || ya >= s.in[0]) continue;
      for (int64_t b = 0; b < s.window[1]; ++b) {
        const int64_t yb = p.at[1] * s.stride[1] - s.before[1] + b * s.dilation[1];
        if (yb < 0 || yb >= s.in[1]) continue;
        for (int64_t c = 0; c < s.window[2]; ++c) {
          const int64_t yc = p.at[2] * s.stride[2] - s.before[2] + c * s.dilation[2];
          if (yc < 0 || yc >= s.in[2]) continue;
          const T* pixel = from + Offset(p.batch, first, ya, yb, yc, s.in_channels, s.in, s.channels_last);
          const T* tap = weights + ((a * s.window[1] + b) * s.window[2] + c) * depth * s.out_channels + p.channel;
          for (int64_t k = 0; k < depth; ++k) sum += static_cast<C>(pixel[k * channel_step]) * static_cast<C>(tap[k * s.out_channels]);
        }
      }
    }
    to[i] = static_cast<T>(Finish(e, sum, bias == nullptr ? C(0) : static_cast<C>(bias[p.channel]), residual == nullptr ? C(0) : static_cast<C>(residual[i])));
  });
}

// Depthwise, channels last, as many results as channels, four of them a thread.
template <typename T>
int DepthwisePacks(void* stream, const WindowShape& s, const void* x, const void* filter, const WindowEpilogue& e, void* out) {
  using Four = Pack<T, 4>;
  const Four *from = static_cast<const Four*>(x), *weights = static_cast<const Four*>(filter), *bias = static_cast<const Four*>(e.bias),
             *residual = static_cast<const Four*>(e.residual);
  Four* to = static_cast<Four*>(out);
  const int64_t channels = s.in_channels / 4, count = s.batch * s.out[1] * s.out[2] * channels;
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    // Divisions of 64 bits would cost more than the window.
    const uint32_t pixel = static_cast<uint32_t>(i) / static_cast<uint32_t>(channels), line = pixel / static_cast<uint32_t>(s.out[2]);
    const int64_t channel = i - pixel * channels, column = pixel - line * static_cast<uint32_t>(s.out[2]), row = line % static_cast<uint32_t>(s.out[1]);
    const int64_t image = line / static_cast<uint32_t>(s.out[1]) * s.in[1];
    float sum[4] = {0, 0, 0, 0};
    for (int64_t a = 0; a < s.window[1]; ++a) {
      const int64_t y = row * s.stride[1] - s.before[1] + a * s.dilation[1];
      if (y < 0 || y >= s.in[1]) continue;
      for (int64_t b = 0; b < s.window[2]; ++b) {
        const int64_t z = column * s.stride[2] - s.before[2] + b * s.dilation[2];
        if (z < 0 || z >= s.in[2]) continue;
        const Four v = from[((image + y) * s.in[2] + z) * channels + channel], w = weights[(a * s.window[2] + b) * channels + channel];
        for (int j = 0; j < 4; ++j) sum[j] += static_cast<float>(v.v[j]) * static_cast<float>(w.v[j]);
      }
    }
    if (bias != nullptr) {
      const Four v = bias[channel];
      for (int j = 0; j < 4; ++j) sum[j] += static_cast<float>(v.v[j]);
    }
    if (residual != nullptr) {
      const Four v = residual[i];
      for (int j = 0; j < 4; ++j) sum[j] += static_cast<float>(v.v[j]);
    }
    ApplyFloat<float, 4>(e.activation, e.alpha, sum);
    Four result;
    for (int j = 0; j < 4; ++j) result.v[j] = static_cast<T>(sum[j]);
    to[i] = result;
  });
}

template <typename T>
int InputGradientOf(void* stream, const WindowShape& s, const void* x, const void* filter, void* out) {
  using C = ComputeType<T>;
  const T *from = static_cast<const T*>(x), *weights = static_cast<const T*>(filter);
  T* to = static_cast<T*>(out);
  const int64_t count = s.batch * s.in_channels * s.in[0] * s.in[1] * s.in[2];
  const int64_t depth = s.in_channels / s.groups, width = s.out_channels / s.groups;
  return ForEach(stream, count, SM_LAMBDA(int64_t i) {
    const Position p = PositionOf(i, s.in_channels, s.in, s.channels_last);
    const int64_t group = p.channel / depth, k = p.channel % depth;
    const int64_t channel_step = s.channels_last ? 1 : s.out[0] * s.out[1] * s.out[2];
    C sum = C(0);
    for (int64_t a = 0; a < s.window[0]; ++a) {
      const int64_t ya = p.at[0] + s.before[0] - a * s.dilation[0];
      if (ya < 0 || ya % s.stride[0] != 0 || ya / s.stride[0] >= s.out[0]) continue;
      for (int64_t b = 0; b < s.window[1]; ++b) {
        const int64_t yb = p.at[1] + s.before[1] - b * s.dilation[1];
        if (yb < 0 || yb % s.stride[1] != 0 || yb / s.stride[1] >= s.out[1]) continue;
        for (int64_t c = 0; c < s.window[2]; ++c) {
          const int64_t yc = p.at[2] + s.before[2] - c * s.dilation[2];
          if (yc < 0 || yc % s.stride[2] != 0 || yc / s.stride[2] >= s.out[2]) continue;
          const T* pixel = from + Offset(p.batch, group * width, ya / s.stride[0], yb / s.stride[1], yc / s.stride[2], s.out_channels, s.out, s.channels_last);
          const T* tap = weights + (((a * s.window[1] + b) * s.window[2] + c) * depth + k) * s.out_channels + group * width;
          for (int64_t o = 0; o < width; ++o) sum += static_cast<C>(pixel[o * channel_step]) * static_cast<C>(tap[o]);
        }
      }
    }
    to[i] = static_cast<T>(sum);
  });
}

template <typename T>
int ProductOf(void* stream, const ProductShape& s, const void* a, const void* b, void* out) {
  using C = ComputeType<T>;
  const T *left = static_cast<const T*>(a), *right = static_cast<const T*>(b);
  T* to = static_cast<T*>(out);
  int64_t batches = 1;
  for (int d = 0; d < s.batch_rank; ++d) batches *= s.batch[d];
  return ForEach(stream, batches * s.m * s.n, SM_LAMBDA(int64_t i) {
    const int64_t column = i % s.n, row = i / s.n % s.m;
    int64_t rest = i / s.n / s.m, p = row * s.a_row, q = column * s.b_column;
    for (int d = s.batch_rank - 1; d >= 0; --d) {
      p += rest % s.batch[d] * s.a_steps[d];
      q += rest % s.batch[d] * s.b_steps[d];
      rest /= s.batch[d];
    }
    using U = typename Unsigned<C>::type;
    U sum = U(0);
    for (int64_t k = 0; k < s.k; ++k) sum += static_cast<U>(static_cast<C>(left[p + k * s.a_column])) * static_cast<U>(static_cast<C>(right[q + k * s.b_row]));
    to[i] = static_cast<T>(static_cast<C>(sum));
  });
}

SM_DEVICE float ScaleOf(Corners corners, int64_t in, int64_t out) {
  return corners == Corners::kAligned && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : static_cast<float>(in) / static_cast<float>(out);
}

template <typename T>
int BilinearOf(void* stream, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w, const void* x,
               float* out) {
  const T* from = static_cast<const T*>(x);
  return ForEach(stream, batch * out_h * out_w * channels, SM_LAMBDA(int64_t i) {
    const int64_t c = i % channels, column = i / channels % out_w, row = i / channels / out_w % out_h, b = i / channels / out_w / out_h;
    const float shift = corners == Corners::kHalfPixel ? 0.5f : 0.0f;
    const float y = (static_cast<float>(row) + shift) * ScaleOf(corners, in_h, out_h) - shift;
    const float z = (static_cast<float>(column) + shift) * ScaleOf(corners, in_w, out_w) - shift;
    const float y_floor = floorf(y), z_floor = floorf(z);
    const int64_t top = y_floor > 0 ? static_cast<int64_t>(y_floor) : 0, left = z_floor > 0 ? static_cast<int64_t>(z_floor) : 0;
    const int64_t y_ceil = static_cast<int64_t>(ceilf(y)), z_ceil = static_cast<int64_t>(ceilf(z));
    const int64_t bottom = y_ceil < 0 ? 0 : y_ceil < in_h ? y_ceil : in_h - 1, right = z_ceil < 0 ? 0 : z_ceil < in_w ? z_ceil : in_w - 1;
    const float v = y - y_floor, w = z - z_floor;
    const int64_t last_top = top < in_h ? top : in_h - 1, last_left = left < in_w ? left : in_w - 1;
    const T *above = from + (b * in_h + last_top) * in_w * channels + c, *below = from + (b * in_h + bottom) * in_w * channels + c;
    const float a0 = static_cast<float>(above[last_left * channels]), a1 = static_cast<float>(above[right * channels]);
    const float b0 = static_cast<float>(below[last_left * channels]), b1 = static_cast<float>(below[right * channels]);
    const float upper = a0 + (a1 - a0) * w, lower = b0 + (b1 - b0) * w;
    out[i] = upper + (lower - upper) * v;
  });
}

SM_DEVICE int64_t NearestPlace(Corners corners, int64_t at, int64_t in, int64_t out) {
  const float scale = ScaleOf(corners, in, out);
  const float place = corners == Corners::kHalfPixel ? floorf((static_cast<float>(at) + 0.5f) * scale)
                      : corners == Corners::kAligned ? roundf(static_cast<float>(at) * scale)
                                                     : floorf(static_cast<float>(at) * scale);
  const int64_t index = static_cast<int64_t>(place);
  return index < 0 ? 0 : index < in ? index : in - 1;
}

template <typename T>
int NearestOf(void* stream, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w, const void* x,
              void* out) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  return ForEach(stream, batch * out_h * out_w * channels, SM_LAMBDA(int64_t i) {
    const int64_t c = i % channels, column = i / channels % out_w, row = i / channels / out_w % out_h, b = i / channels / out_w / out_h;
    to[i] = from[((b * in_h + NearestPlace(corners, row, in_h, out_h)) * in_w + NearestPlace(corners, column, in_w, out_w)) * channels + c];
  });
}

template <typename T>
int CropOf(void* stream, bool nearest, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t boxes, int64_t out_h, int64_t out_w,
           float extrapolation, const void* x, const float* corners, const int32_t* images, Alarm not_finite, Alarm no_image,
                     float* out) {
  const T* from = static_cast<const T*>(x);
  return ForEach(stream, boxes * out_h * out_w * channels, SM_LAMBDA(int64_t i) {
    const int64_t c = i % channels, column = i / channels % out_w, row = i / channels / out_w % out_h, box = i / channels / out_w / out_h;
    const float* edge = corners + box * 4;
    const int64_t image = images[box];
    const float h = static_cast<float>(in_h - 1), w = static_cast<float>(in_w - 1);
    const float y = out_h > 1 ? edge[0] * h + static_cast<float>(row) * ((edge[2] - edge[0]) * h / static_cast<float>(out_h - 1)) : 0.5f * (edge[0] + edge[2]) * h;
    const float z = out_w > 1 ? edge[1] * w + static_cast<float>(column) * ((edge[3] - edge[1]) * w / static_cast<float>(out_w - 1)) : 0.5f * (edge[1] + edge[3]) * w;
    if (image < 0 || image >= batch) AtomicStore(no_image.word, no_image.code);
    if (!(fabsf(edge[0]) < INFINITY && fabsf(edge[1]) < INFINITY && fabsf(edge[2]) < INFINITY && fabsf(edge[3]) < INFINITY)) {
      AtomicStore(not_finite.word, not_finite.code);
    }
    if (image < 0 || image >= batch || !(y >= 0 && y <= h && z >= 0 && z <= w)) {
      out[i] = extrapolation;
      return;
    }
    const T* pixels = from + image * in_h * in_w * channels + c;
    if (nearest) {
      out[i] = static_cast<float>(pixels[(static_cast<int64_t>(roundf(y)) * in_w + static_cast<int64_t>(roundf(z))) * channels]);
      return;
    }
    const int64_t top = static_cast<int64_t>(floorf(y)), bottom = static_cast<int64_t>(ceilf(y)), left = static_cast<int64_t>(floorf(z)),
                  right = static_cast<int64_t>(ceilf(z));
    const float v = y - static_cast<float>(top), u = z - static_cast<float>(left);
    const float a0 = static_cast<float>(pixels[(top * in_w + left) * channels]), a1 = static_cast<float>(pixels[(top * in_w + right) * channels]);
    const float b0 = static_cast<float>(pixels[(bottom * in_w + left) * channels]), b1 = static_cast<float>(pixels[(bottom * in_w + right) * channels]);
    const float upper = a0 + (a1 - a0) * u, lower = b0 + (b1 - b0) * u;
    out[i] = upper + (lower - upper) * v;
  });
}

}  // namespace

int RunPool(void* stream, bool average, Element type, const WindowShape& shape, const void* x, void* out) {
  SM_BY_FLOAT(type, PoolOf, stream, average, shape, x, out)
}
int RunDirectConv(void* stream, Element type, const WindowShape& shape, const void* x, const void* filter, const WindowEpilogue& epilogue, void* out) {
  const bool depthwise = shape.channels_last && shape.groups == shape.in_channels && shape.out_channels == shape.in_channels && shape.in[0] == 1 &&
                         shape.out[0] == 1 && shape.window[0] == 1 && shape.before[0] == 0 && shape.in_channels % 4 == 0 &&
                         shape.batch * shape.out[1] * shape.out[2] * shape.in_channels / 4 <= int64_t{UINT32_MAX};
  bool aligned = true;
  for (const void* pointer : {x, filter, epilogue.bias, epilogue.residual, static_cast<const void*>(out)}) {
    aligned = aligned && reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
  }
  if (depthwise && aligned && type == Element::kFloat) return DepthwisePacks<float>(stream, shape, x, filter, epilogue, out);
  if (depthwise && aligned && type == Element::kHalf) return DepthwisePacks<F16>(stream, shape, x, filter, epilogue, out);
  if (depthwise && aligned && type == Element::kBFloat16) return DepthwisePacks<BF16>(stream, shape, x, filter, epilogue, out);
  SM_BY_FLOAT(type, DirectConvOf, stream, shape, x, filter, epilogue, out)
}
int RunDirectConvInputGradient(void* stream, Element type, const WindowShape& shape, const void* x, const void* filter, void* out) {
  SM_BY_FLOAT(type, InputGradientOf, stream, shape, x, filter, out)
}
int RunProduct(void* stream, Element type, const ProductShape& shape, const void* a, const void* b, void* out) {
  SM_BY_NUMBER(type, ProductOf, stream, shape, a, b, out)
}
int RunResizeBilinear(void* stream, Element type, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w,
                      const void* x, float* out) {
  switch (type) {
    case Element::kFloat: return BilinearOf<float>(stream, corners, batch, in_h, in_w, channels, out_h, out_w, x, out);
    case Element::kHalf: return BilinearOf<F16>(stream, corners, batch, in_h, in_w, channels, out_h, out_w, x, out);
    case Element::kBFloat16: return BilinearOf<BF16>(stream, corners, batch, in_h, in_w, channels, out_h, out_w, x, out);
    case Element::kUInt8: return BilinearOf<uint8_t>(stream, corners, batch, in_h, in_w, channels, out_h, out_w, x, out);
    default: return kUnsupported;
  }
}
int RunResizeNearest(void* stream, int size, Corners corners, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t out_h, int64_t out_w,
                     const void* x, void* out) {
  SM_BY_SIZE(size, NearestOf, stream, corners, batch, in_h, in_w, channels, out_h, out_w, x, out)
}
int RunCropAndResize(void* stream, Element type, bool nearest, int64_t batch, int64_t in_h, int64_t in_w, int64_t channels, int64_t boxes, int64_t out_h,
                     int64_t out_w, float extrapolation, const void* x, const float* corners, const int32_t* images, Alarm not_finite, Alarm no_image,
                     float* out) {
  switch (type) {
    case Element::kFloat: return CropOf<float>(stream, nearest, batch, in_h, in_w, channels, boxes, out_h, out_w, extrapolation, x, corners, images, not_finite,
                                                no_image, out);
    case Element::kHalf: return CropOf<F16>(stream, nearest, batch, in_h, in_w, channels, boxes, out_h, out_w, extrapolation, x, corners, images, not_finite,
                                                no_image, out);
    case Element::kUInt8: return CropOf<uint8_t>(stream, nearest, batch, in_h, in_w, channels, boxes, out_h, out_w, extrapolation, x, corners, images, not_finite,
                                                no_image, out);
    default: return kUnsupported;
  }
}
int RunLrn(void* stream, int64_t pixels, int64_t channels, int64_t radius, float bias, float alpha, float beta, const float* x, float* out) {
  return ForEach(stream, pixels * channels, SM_LAMBDA(int64_t i) {
    const int64_t c = i % channels, begin = c > radius ? c - radius : 0, end = c + radius < channels ? c + radius : channels - 1;
    float sum = 0;
    for (int64_t k = begin; k <= end; ++k) sum += x[i - c + k] * x[i - c + k];
    out[i] = x[i] * powf(bias + alpha * sum, -beta);
  });
}

}  // namespace savedmodel::cuda
