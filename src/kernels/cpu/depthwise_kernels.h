// What each instruction set provides for depthwise.h. Free of inline functions (see simd.h).
#ifndef SAVEDMODEL_KERNELS_CPU_DEPTHWISE_KERNELS_H_
#define SAVEDMODEL_KERNELS_CPU_DEPTHWISE_KERNELS_H_

#include <stdint.h>

#include "kernels/cpu/epilogue.h"

namespace savedmodel {

// Neighbouring output pixels of one row, for a range of channels. All see the same taps; or, if they share what they read, taps
// outside of the image are left out.
struct DepthwiseJob {
  const float* in;                      // what the first tap of the first pixel reads; `shared`: column 0 of the image
  int64_t in_pixel, in_row, in_column;  // floats to the next output pixel's input, to the next tap down, to the right
  const float* filter;
  int64_t filter_row, filter_column;  // floats to the next tap down, to the right
  int taps_h, taps_w;
  bool shared;                     // in_column is in_pixel or half of it, and taps_w is 3 or 5
  int64_t first_column, columns;   // `shared`: where the first tap of the first pixel is, of how many columns
  int64_t pixels, channels;
  float* out;
  int64_t out_pixel;
  Epilogue epilogue;  // bias and residual at the first pixel and channel
  float* sums;        // one per channel, to which the finished pixels are added; or null
};

struct DepthwiseKernels {
  int lanes;
  void (*run)(const DepthwiseJob&);
  // sums[c] += out[c] + out[pixel + c] + ..., of `pixels` pixels.
  void (*add)(const float* out, int64_t pixel, int64_t pixels, int64_t channels, float* sums);
};

extern const DepthwiseKernels kDepthwisePlain;
#if defined(__x86_64__)
extern const DepthwiseKernels kDepthwiseAvx2;
extern const DepthwiseKernels kDepthwiseAvx512;
#endif

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_DEPTHWISE_KERNELS_H_
