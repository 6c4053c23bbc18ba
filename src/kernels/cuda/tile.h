// Products of small tiles on tensor cores, by the threads of one warp together: 16 rows, 16 columns, kTileDepth<T> deep.
// float is rounded to TF32. Pointers are multiples of 32 bytes, row distances of 16. On the emulated GPU they are loops.
#ifndef SAVEDMODEL_KERNELS_CUDA_TILE_H_
#define SAVEDMODEL_KERNELS_CUDA_TILE_H_

#include "kernels/cuda/launch.h"

#ifdef __CUDACC__
#include <mma.h>
#endif

namespace savedmodel::cuda {

inline constexpr int kTile = 16;
template <typename T> inline constexpr int kTileDepth = sizeof(T) == 4 ? 8 : 16;

#ifdef __CUDACC__

namespace wmma = nvcuda::wmma;

// What wmma calls T, and what lies in memory.
template <typename T> struct TileType;
template <> struct TileType<F16> { using Element = __half; using Memory = __half; };
template <> struct TileType<BF16> { using Element = __nv_bfloat16; using Memory = __nv_bfloat16; };
template <> struct TileType<float> { using Element = wmma::precision::tf32; using Memory = float; };

template <typename Fragment, typename T>
SM_DEVICE void LoadFragment(Fragment* fragment, const T* from, int64_t row) {
  wmma::load_matrix_sync(*fragment, reinterpret_cast<const typename TileType<T>::Memory*>(from), static_cast<unsigned>(row));
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < fragment->num_elements; ++i) fragment->x[i] = wmma::__float_to_tf32(fragment->x[i]);
  }
}

// The left operand: 16 rows that begin `row` elements apart.
template <typename T>
struct LeftTile {
  wmma::fragment<wmma::matrix_a, kTile, kTile, kTileDepth<T>, typename TileType<T>::Element, wmma::row_major> fragment;
  SM_DEVICE void Load(const T* from, int64_t row) { LoadFragment(&fragment, from, row); }
};

// The right operand: kTileDepth rows of 16 columns, or, if kTransposed, stored as 16 rows of kTileDepth.
template <typename T, bool kTransposed>
struct RightTile {
  using Layout = typename std::conditional<kTransposed, wmma::col_major, wmma::row_major>::type;
  wmma::fragment<wmma::matrix_b, kTile, kTile, kTileDepth<T>, typename TileType<T>::Element, Layout> fragment;
  SM_DEVICE void Load(const T* from, int64_t row) { LoadFragment(&fragment, from, row); }
};

template <typename T>
struct TileSum {
  wmma::fragment<wmma::accumulator, kTile, kTile, kTileDepth<T>, float> fragment;
  SM_DEVICE void Clear() { wmma::fill_fragment(fragment, 0.0f); }
  template <bool kTransposed>
  SM_DEVICE void Add(const LeftTile<T>& a, const RightTile<T, kTransposed>& b) { wmma::mma_sync(fragment, a.fragment, b.fragment, fragment); }
  SM_DEVICE void Store(float* to, int row) const { wmma::store_matrix_sync(to, fragment, static_cast<unsigned>(row), wmma::mem_row_major); }
};

#else

template <typename T>
struct LeftTile {
  float v[kTile][16];
  void Load(const T* from, int64_t row) {
    for (int i = 0; i < kTile; ++i) {
      for (int k = 0; k < kTileDepth<T>; ++k) v[i][k] = static_cast<float>(from[i * row + k]);
    }
  }
};

template <typename T, bool kTransposed>
struct RightTile {
  float v[16][kTile];
  void Load(const T* from, int64_t row) {
    for (int k = 0; k < kTileDepth<T>; ++k) {
      for (int j = 0; j < kTile; ++j) v[k][j] = static_cast<float>(kTransposed ? from[j * row + k] : from[k * row + j]);
    }
  }
};

template <typename T>
struct TileSum {
  float v[kTile][kTile];
  void Clear() { memset(v, 0, sizeof(v)); }
  template <bool kTransposed>
  void Add(const LeftTile<T>& a, const RightTile<T, kTransposed>& b) {
    for (int i = 0; i < kTile; ++i) {
      for (int j = 0; j < kTile; ++j) {
        for (int k = 0; k < kTileDepth<T>; ++k) v[i][j] += a.v[i][k] * b.v[k][j];
      }
    }
  }
  void Store(float* to, int row) const {
    for (int i = 0; i < kTile; ++i) memcpy(to + i * row, v[i], sizeof(v[i]));
  }
};

#endif

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_TILE_H_
