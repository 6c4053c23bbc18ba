// How work is spread over a device. The .cu files are written against this page alone, so that they compile in two ways:
// by nvcc to device code, and by a plain C++ compiler to loops that an emulated stream runs on the host (in tests; there
// a block has one thread). A launcher gives 0 or CUDA's error.
#ifndef SAVEDMODEL_KERNELS_CUDA_LAUNCH_H_
#define SAVEDMODEL_KERNELS_CUDA_LAUNCH_H_

#include "kernels/cuda/number.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#define SM_DEVICE __device__ __forceinline__
#define SM_SHARED_DEVICE __device__ __noinline__
#define SM_ROLLED _Pragma("unroll 1")  // before a loop that is to stay one
#define SM_LAMBDA [=] __device__
#else
#include <functional>
#define SM_DEVICE inline
#define SM_SHARED_DEVICE inline
#define SM_ROLLED
#define SM_LAMBDA [=]
#endif

namespace savedmodel::cuda {

// Bytes that the threads of a block may share on every GPU that we have code for.
inline constexpr int kMostShared = 99 * 1024;

#ifdef __CUDACC__
inline constexpr int kWarp = 32;
#else
inline constexpr int kWarp = 1;
#endif

// The place of a thread in its block, and in its warp.
struct Lane {
  int thread, threads;
  SM_DEVICE int warp() const { return thread / kWarp; }
  SM_DEVICE int warps() const { return threads / kWarp; }
  SM_DEVICE int in_warp() const { return thread % kWarp; }
};

#ifdef __CUDACC__

inline constexpr int64_t kMaxBlocks = 132 * 32;

template <typename F>
__global__ void __launch_bounds__(256) ElementsKernel(int64_t n, F f) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) f(i);
}

template <typename F>
__global__ void __launch_bounds__(1024) BlocksKernel(int64_t blocks, F f) {
  for (int64_t b = blockIdx.x; b < blocks; b += gridDim.x) f(b, Lane{static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)});
}

// f(i) for each i of [0, n).
template <typename F>
int ForEach(void* stream, int64_t n, const F& f) {
  if (n <= 0) return 0;
  const int64_t blocks = (n + 255) / 256;
  ElementsKernel<<<static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks), 256, 0, static_cast<cudaStream_t>(stream)>>>(n, f);
  return static_cast<int>(cudaGetLastError());
}

// f(b, lane) for each b of [0, blocks), by all `threads` (a multiple of 32) of a block.
template <typename F>
int ForEachBlock(void* stream, int64_t blocks, int threads, const F& f) {
  if (blocks <= 0) return 0;
  BlocksKernel<<<static_cast<unsigned>(blocks < kMaxBlocks ? blocks : kMaxBlocks), threads, 0, static_cast<cudaStream_t>(stream)>>>(blocks, f);
  return static_cast<int>(cudaGetLastError());
}

template <typename F>
__global__ void __launch_bounds__(256) SharedBlocksKernel(int64_t blocks, F f) {
  extern __shared__ __align__(128) unsigned char block_memory[];
  for (int64_t b = blockIdx.x; b < blocks; b += gridDim.x) {
    f(b, Lane{static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x)}, block_memory);
    __syncthreads();  // the next block of work writes there
  }
}

// f(b, lane, memory): the threads of a block (256 at most) share `bytes` of memory, aligned to 128, at most kMostShared.
template <typename F>
int ForEachSharedBlock(void* stream, int64_t blocks, int threads, int bytes, const F& f) {
  if (blocks <= 0) return 0;
  if (bytes > 48 * 1024) {
    const cudaError_t error = cudaFuncSetAttribute(SharedBlocksKernel<F>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (error != cudaSuccess) return static_cast<int>(error);
  }
  SharedBlocksKernel<<<static_cast<unsigned>(blocks < 65536 ? blocks : 65536), threads, bytes, static_cast<cudaStream_t>(stream)>>>(blocks, f);
  return static_cast<int>(cudaGetLastError());
}

SM_DEVICE void Barrier() { __syncthreads(); }

template <typename T>
SM_DEVICE T ShuffleXor(T value, int mask) {
  static_assert(sizeof(T) % 4 == 0);
  uint32_t words[sizeof(T) / 4];
  memcpy(words, &value, sizeof(T));
#pragma unroll
  for (uint32_t& word : words) word = __shfl_xor_sync(0xffffffffu, word, mask);
  memcpy(&value, words, sizeof(T));
  return value;
}

// The values of all threads of the warp joined by op (commutative); every thread gets the result.
template <typename T, typename Op>
SM_DEVICE T WarpReduce(T value, Op op) {
#pragma unroll
  for (int mask = 16; mask > 0; mask >>= 1) value = op(value, ShuffleXor(value, mask));
  return value;
}

// The values of all threads of the block joined by op (commutative); every thread gets the result.
template <typename T, typename Op>
SM_DEVICE T BlockReduce(const Lane& lane, T value, Op op) {
  value = WarpReduce(value, op);
  if (lane.threads <= 32) return value;
  __shared__ alignas(16) unsigned char memory[32 * sizeof(T)];
  T* parts = reinterpret_cast<T*>(memory);
  __syncthreads();  // an earlier result may still be read
  if (lane.thread % 32 == 0) parts[lane.thread / 32] = value;
  __syncthreads();
  T result = parts[0];
  for (int w = 1; w < lane.threads / 32; ++w) result = op(result, parts[w]);
  return result;
}

// op over the values of the threads before this one; `first` for thread 0. At most 1024 threads.
template <typename T, typename Op>
SM_DEVICE T BlockScanExclusive(const Lane& lane, T value, T first, Op op) {
  __shared__ alignas(16) unsigned char memory[1024 * sizeof(T)];
  T* values = reinterpret_cast<T*>(memory);
  __syncthreads();
  values[lane.thread] = value;
  __syncthreads();
  for (int distance = 1; distance < lane.threads; distance *= 2) {
    const T joined = lane.thread >= distance ? op(values[lane.thread - distance], values[lane.thread]) : values[lane.thread];
    __syncthreads();
    values[lane.thread] = joined;
    __syncthreads();
  }
  return lane.thread == 0 ? first : values[lane.thread - 1];
}

template <typename T>
SM_DEVICE void AtomicStore(T* word, T value) { atomicExch(word, value); }

// *place = op(*place, value), in one step as seen by other threads.
template <typename T, typename Op>
SM_DEVICE void AtomicUpdate(T* place, T value, Op op) {
  using Word = typename std::conditional<sizeof(T) == 8, unsigned long long, typename std::conditional<sizeof(T) == 4, unsigned int, unsigned short>::type>::type;
  Word* word = reinterpret_cast<Word*>(place);
  Word seen = *word;
  while (true) {
    T now;
    memcpy(&now, &seen, sizeof(T));
    const T next = op(now, value);
    Word wanted;
    memcpy(&wanted, &next, sizeof(T));
    const Word before = atomicCAS(word, seen, wanted);
    if (before == seen) return;
    seen = before;
  }
}

#else

// Defined by the emulation in tests/: does `work` when the stream's turn comes.
void EmulatedEnqueue(void* stream, std::function<void()> work);

template <typename F>
int ForEach(void* stream, int64_t n, const F& f) {
  if (n <= 0) return 0;
  EmulatedEnqueue(stream, [n, f] {
    for (int64_t i = 0; i < n; ++i) f(i);
  });
  return 0;
}

template <typename F>
int ForEachBlock(void* stream, int64_t blocks, int, const F& f) {
  if (blocks <= 0) return 0;
  EmulatedEnqueue(stream, [blocks, f] {
    for (int64_t b = 0; b < blocks; ++b) f(b, Lane{0, 1});
  });
  return 0;
}

template <typename F>
int ForEachSharedBlock(void* stream, int64_t blocks, int, int bytes, const F& f) {
  if (blocks <= 0) return 0;
  EmulatedEnqueue(stream, [blocks, bytes, f] {
    const size_t room = static_cast<size_t>(bytes) + 128;
    unsigned char* const memory = new unsigned char[room];
    for (int64_t b = 0; b < blocks; ++b) {
      memset(memory, 0x7f, room);
      f(b, Lane{0, 1}, memory + (128 - reinterpret_cast<uintptr_t>(memory) % 128));
    }
    delete[] memory;
  });
  return 0;
}

inline void Barrier() {}

template <typename T, typename Op>
T WarpReduce(T value, Op) { return value; }

template <typename T, typename Op>
T BlockReduce(const Lane&, T value, Op) { return value; }

template <typename T, typename Op>
T BlockScanExclusive(const Lane&, T, T first, Op) { return first; }

template <typename T>
void AtomicStore(T* word, T value) { *word = value; }

template <typename T, typename Op>
void AtomicUpdate(T* place, T value, Op op) { *place = op(*place, value); }

#endif

}  // namespace savedmodel::cuda

#endif  // SAVEDMODEL_KERNELS_CUDA_LAUNCH_H_
