// What each instruction set provides for winograd.h. Free of inline functions (see simd.h).
#ifndef SAVEDMODEL_KERNELS_CPU_WINOGRAD_KERNELS_H_
#define SAVEDMODEL_KERNELS_CPU_WINOGRAD_KERNELS_H_

#include <stdint.h>

#include "kernels/cpu/epilogue.h"

namespace savedmodel {

// A tile is 4 by 4 output pixels, made from 6 by 6 input pixels through 36 "positions".

// Position p of tile t and channel c goes to v[p * position_stride + t * tile_stride + c].
struct WinogradInputJob {
  const float* const* pixels;  // [tiles][36]
  int64_t tiles, channels;
  float* v;
  int64_t position_stride, tile_stride;
};

struct WinogradTile {
  int64_t out;        // pixel index of the tile's first output pixel
  int rows, columns;  // that lie inside the image, 1 to 4
};

// Reads m[p * position_stride + t * tile_stride + c] for columns c.
struct WinogradOutputJob {
  const float* m;
  int64_t position_stride, tile_stride;
  const WinogradTile* tiles;
  int64_t count;
  int columns;
  float* out;                  // of the first column
  int64_t out_row, out_pixel;  // floats to the next image row, to the next pixel
  Epilogue epilogue;           // bias and residual of the first column; residual_stride is out_pixel
};

// Channel c of the filter's tap t has its columns at filter + t * tap_stride + c * channel_stride; they go to
// u[p * position_stride + c * width + column], and zeros to the columns up to `width`.
struct WinogradFilterJob {
  const float* filter;
  int64_t tap_stride, channel_stride;
  int64_t channels;
  int columns, width;
  float* u;
  int64_t position_stride;
};

struct WinogradKernels {
  void (*transform_filter)(const WinogradFilterJob&);
  void (*transform_input)(const WinogradInputJob&);
  void (*transform_output)(const WinogradOutputJob&);
};

extern const WinogradKernels kWinogradPlain;
#if defined(__x86_64__)
extern const WinogradKernels kWinogradAvx2;
extern const WinogradKernels kWinogradAvx512;
#endif

}  // namespace savedmodel

#endif  // SAVEDMODEL_KERNELS_CPU_WINOGRAD_KERNELS_H_
