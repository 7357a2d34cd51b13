// SPDX-License-Identifier: MIT
// All that this back end asks of a device, so that a host can stand in for it (tests/emulate): run a body once for each of many
// indices, atomics, and what the lanes of a warp tell each other.
//
// A kernel is a struct of pointers and numbers whose operator() is what one thread does; it has neither barriers nor shared
// memory, and warps meet in atomics alone. So any order of the warps, one after the other, is a run that a GPU might make, and
// a host emulates it by a loop over them in shuffled order. What needs all of one step before the next is two kernels.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

#include "../math/vec.h"
#include "../ops.h"
#include "queue.h"

#if defined(INTAGLIO_EMULATE)
#include <emulate.h>
#else

#include <cuda_runtime.h>

#define INTAGLIO_DEVICE __device__ inline

namespace intaglio {

inline const intaglio_queue::Queue& queue() {
  return *intaglio_queue::current;
}

inline void check_cuda(cudaError_t error) {
  if (error == cudaSuccess) return;
  if (error == cudaErrorNoKernelImageForDevice)
    throw std::runtime_error("no kernel for this GPU (it must have compute capability 7.5 or later)");
  if (error == cudaErrorInsufficientDriver) throw std::runtime_error("this intaglio " + intaglio_queue::why_no_devices());
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

constexpr int kBlockThreads = 256, kWarp = 32;
constexpr int kLeastBlocks = 2;  // at once on a multiprocessor: at most 128 registers for a thread

template <class Body>
__global__ void __launch_bounds__(kBlockThreads, kLeastBlocks) run_threads(int64_t count, Body body) {
  const int64_t step = (int64_t)gridDim.x * kBlockThreads;
  for (int64_t i = (int64_t)blockIdx.x * kBlockThreads + threadIdx.x; i < count; i += step) body(i);
}

template <class Body>
__global__ void __launch_bounds__(kBlockThreads, kLeastBlocks) run_warps(int64_t count, Body body) {
  const int64_t step = (int64_t)gridDim.x * (kBlockThreads / kWarp);
  const int lane = threadIdx.x % kWarp;
  for (int64_t i = (int64_t)blockIdx.x * (kBlockThreads / kWarp) + threadIdx.x / kWarp; i < count; i += step) body(i, lane);
}

// Rows of 32 pixels, so that a warp reads and writes side by side.
template <class Body>
__global__ void __launch_bounds__(kBlockThreads, kLeastBlocks) run_pixels(Raster raster, Body body) {
  const int64_t x = (int64_t)blockIdx.x * kWarp + threadIdx.x;
  const int64_t y = (int64_t)blockIdx.y * (kBlockThreads / kWarp) + threadIdx.y;
  if (x >= raster.width || y >= raster.height) return;
  for (int64_t b = blockIdx.z; b < raster.batch; b += gridDim.z) body(b, y, x);
}

inline int64_t ceil_divide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

inline cudaStream_t stream() {
  return (cudaStream_t)queue().stream;
}

constexpr int64_t kMostBlocks = 1 << 20;  // more are looped over

// body(i) for 0 <= i < count, a thread each.
template <class Body>
void for_each(int64_t count, const Body& body) {
  if (count <= 0) return;
  int64_t blocks = ceil_divide(count, kBlockThreads);
  // clang-format off: it takes these for comparisons
  run_threads<<<(unsigned)(blocks < kMostBlocks ? blocks : kMostBlocks), kBlockThreads, 0, stream()>>>(count, body);
  // clang-format on
  check_cuda(cudaGetLastError());
}

// body(i, lane) for 0 <= i < count and 0 <= lane < kWarp, a warp for each i.
template <class Body>
void for_each_warp(int64_t count, const Body& body) {
  if (count <= 0) return;
  int64_t blocks = ceil_divide(count, kBlockThreads / kWarp);
  // clang-format off: it takes these for comparisons
  run_warps<<<(unsigned)(blocks < kMostBlocks ? blocks : kMostBlocks), kBlockThreads, 0, stream()>>>(count, body);
  // clang-format on
  check_cuda(cudaGetLastError());
}

// body(b, y, x) for every pixel.
template <class Body>
void for_each_pixel(Raster raster, const Body& body) {
  if (raster.batch <= 0 || raster.pixels() <= 0) return;
  dim3 threads(kWarp, kBlockThreads / kWarp);
  dim3 blocks((unsigned)ceil_divide(raster.width, threads.x), (unsigned)ceil_divide(raster.height, threads.y),
              (unsigned)(raster.batch < 65535 ? raster.batch : 65535));
  // clang-format off: it takes these for comparisons
  run_pixels<<<blocks, threads, 0, stream()>>>(raster, body);
  // clang-format on
  check_cuda(cudaGetLastError());
}

// As many warps as any GPU of today keeps busy: for work whose amount only the device knows, which they share.
constexpr int64_t kBusyWarps = 8192;

// Waits for the device: only where values of inputs are to be checked.
template <class T>
T fetch(const T* from) {
  T value;
  check_cuda(cudaMemcpyAsync(&value, from, sizeof(T), cudaMemcpyDeviceToHost, stream()));
  check_cuda(cudaStreamSynchronize(stream()));
  return value;
}

template <class T>
__device__ inline T atomic_add(T* to, T x) {
  return atomicAdd(to, x);
}
__device__ inline uint64_t atomic_add(uint64_t* to, uint64_t x) {
  return atomicAdd((unsigned long long*)to, (unsigned long long)x);
}
__device__ inline void atomic_min(uint32_t* to, uint32_t x) {
  atomicMin(to, x);
}
__device__ inline void atomic_min(uint64_t* to, uint64_t x) {
  atomicMin((unsigned long long*)to, (unsigned long long)x);
}
__device__ inline void atomic_max(uint32_t* to, uint32_t x) {
  atomicMax(to, x);
}
__device__ inline void atomic_max(uint64_t* to, uint64_t x) {
  atomicMax((unsigned long long*)to, (unsigned long long)x);
}
// What other threads may be changing.
template <class T>
__device__ inline T glance(const T* at) {
  return *(const volatile T*)at;
}
// What other threads may be setting too.
__device__ inline void set_flag(uint32_t* to) {
  *(volatile uint32_t*)to = 1;
}

__device__ inline int lane_of_warp() {
  return (threadIdx.x + threadIdx.y * blockDim.x) % kWarp;
}
// The lanes of this warp that came here together; what follows is for all of a mask to call alike.
__device__ inline unsigned active_lanes() {
  return __activemask();
}
// Those with the same key.
__device__ inline unsigned match_any(unsigned mask, uint64_t key) {
  return __match_any_sync(mask, (unsigned long long)key);
}
__device__ inline unsigned ballot(unsigned mask, bool vote) {
  return __ballot_sync(mask, vote);
}
// What lane `from` gives.
template <class T>
__device__ inline T shuffle(unsigned mask, T x, int from) {
  return __shfl_sync(mask, x, from);
}

__device__ inline int count_bits(unsigned bits) {
  return __popc(bits);
}
// Of the lowest bit that is set; -1 where none is.
__device__ inline int lowest_bit(unsigned bits) {
  return __ffs((int)bits) - 1;
}

}  // namespace intaglio

#endif

namespace intaglio {

// Those threads of a warp that came here together with the same key.
struct Peers {
  unsigned together, same;
};

INTAGLIO_DEVICE Peers peers_of(uint64_t key) {
  const unsigned together = active_lanes();
  return {together, match_any(together, key)};
}

INTAGLIO_DEVICE bool is_first(const Peers& p) {
  return lowest_bit(p.same) == lane_of_warp();
}

// Sums over the peers, right in the first of them: pairs of the next in line, then pairs of pairs. All that are together must
// come here alike.
template <class T, int N>
INTAGLIO_DEVICE void sum_over(const Peers& p, T (&x)[N]) {
  const int lane = lane_of_warp();
  unsigned later = p.same & (~1u << lane), place = count_bits(p.same & ((1u << lane) - 1));
  while (ballot(p.together, later != 0)) {
    const int next = lowest_bit(later);
    for (int k = 0; k < N; ++k) {
      const T other = shuffle(p.together, x[k], next < 0 ? lane : next);
      if (next >= 0) x[k] += other;
    }
    later &= ballot(p.together, !(place & 1));
    place >>= 1;
  }
}

// What the lanes of a warp found to do, each a bit of `found`, dealt out among them, so that all have as much: work(finder, k)
// for bit k of lane `finder`. All lanes of a warp must come here.
template <class Work>
INTAGLIO_DEVICE void deal(int lane, uint32_t found, const Work& work) {
  constexpr unsigned kAll = 0xffffffffu;
  int end = count_bits(found);  // of this lane's, in the list of all
  for (int step = 1; step < kWarp; step *= 2) {
    const int before = shuffle(kAll, end, lane < step ? lane : lane - step);
    if (lane >= step) end += before;
  }
  const int count = shuffle(kAll, end, kWarp - 1), begin = end - count_bits(found);
  for (int first = 0; first < count; first += kWarp) {
    const int item = first + lane < count ? first + lane : count - 1;
    int finder = 0;  // the first lane whose list ends beyond the item
    for (int step = kWarp / 2; step > 0; step /= 2)
      if (shuffle(kAll, end, finder + step - 1) <= item) finder += step;
    uint32_t left = shuffle(kAll, found, finder);
    for (int before = item - shuffle(kAll, begin, finder); before > 0; --before) left &= left - 1;
    if (first + lane < count) work(finder, lowest_bit(left));
  }
}

// Memory that lasts as long as the work of this call.
template <class T>
T* scratch(int64_t count) {
  return (T*)queue().take(queue().self, (size_t)(count > 0 ? count : 1) * sizeof(T));
}

template <class T>
struct Fill {
  T* to;
  T value;
  INTAGLIO_DEVICE void operator()(int64_t i) const { to[i] = value; }
};

template <class T>
void fill(T* to, int64_t count, T value) {
  for_each(count, Fill<T>{to, value});
}

template <class A, class B>
struct Both {
  A a;
  int64_t count_a;
  B b;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (i < count_a)
      a(i);
    else
      b(i - count_a);
  }
};

// Two kernels that do not depend on each other, in one launch.
template <class A, class B>
void for_both(int64_t count_a, const A& a, int64_t count_b, const B& b) {
  for_each(count_a + count_b, Both<A, B>{a, count_a, b});
}

}  // namespace intaglio
