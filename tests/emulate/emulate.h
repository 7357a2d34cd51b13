// SPDX-License-Identifier: MIT
// A host that stands in for a GPU: the primitives of native/cuda/launch.h. Warps, and threads that meet nobody, run one after
// the other in an order that is shuffled anew for every launch (INTAGLIO_EMULATE_SEED repeats it), so that what depends on
// their order shows. Memory of the device can be reached by kernels alone (device_memory.h), and kernels reach nothing else.
#pragma once
#include <cstdlib>
#include <cstring>

#include "device_memory.h"
#include "warp.h"

#define INTAGLIO_DEVICE inline

namespace intaglio {

using intaglio_emulate::active_lanes;
using intaglio_emulate::ballot;
using intaglio_emulate::lane_of_warp;
using intaglio_emulate::match_any;
using intaglio_emulate::shuffle;

inline const intaglio_queue::Queue& queue() {
  return *intaglio_queue::current;
}

constexpr int kWarp = intaglio_emulate::kLanes;
constexpr int64_t kBusyWarps = 7;  // few, so that each has to take its turn again

// One launch's order of `count` indices: a bijection of the numbers below the next power of two, those beyond left out.
class Shuffled {
 public:
  explicit Shuffled(int64_t count) : count_((uint64_t)count) {
    while (((uint64_t)1 << bits_) < count_) ++bits_;
    static const uint64_t seed =
        std::getenv("INTAGLIO_EMULATE_SEED") ? std::strtoull(std::getenv("INTAGLIO_EMULATE_SEED"), nullptr, 10) : 1;
    static thread_local uint64_t launches = 0;
    intaglio_emulate::Random random{seed * 0x9E3779B97F4A7C15u + ++launches};
    for (uint64_t& key : key_) key = random();
  }

  template <class Visit>
  void for_each(const Visit& visit) const {
    for (uint64_t i = 0; i < (uint64_t)1 << bits_; ++i) {
      uint64_t index = mixed(i);
      if (index < count_) visit((int64_t)index);
    }
  }

  uint64_t seed() const { return key_[0]; }

 private:
  uint64_t mixed(uint64_t x) const {
    const uint64_t mask = ((uint64_t)1 << bits_) - 1;
    const int half = (bits_ + 1) / 2;
    x = (x * (key_[0] | 1) + key_[1]) & mask;  // each of these can be undone
    x ^= x >> half;
    x = (x * (key_[2] | 1) + key_[3]) & mask;
    return x ^ (x >> half);
  }

  uint64_t count_, key_[4];
  int bits_ = 1;
};

// work(first + lane, lane) for `count` numbers, in warps that begin at multiples of 32.
template <class Body, class Work>
void launch_warps(const Body& body, int64_t count, const Work& work) {
  intaglio_emulate::Kernel kernel(&body);
  Shuffled order((count + kWarp - 1) / kWarp);
  intaglio_emulate::Warps<Work> warps(work, order.seed());
  order.for_each([&](int64_t warp) {
    const int64_t first = warp * kWarp;
    warps.run(first, (int)(count - first < kWarp ? count - first : kWarp));
  });
}

// The same of a kernel whose threads need not meet. As long as none of its launches has been seen to let them, each thread
// runs alone, as a GPU might do it too: warps take their time.
template <class Body, class Work>
void launch_threads(const Body& body, int64_t count, const Work& work) {
  static std::atomic<bool> is_alone{!intaglio_emulate::kSeesRaces};
  if (!is_alone) return launch_warps(body, count, work);
  intaglio_emulate::Kernel kernel(&body);
  Shuffled(count).for_each([&](int64_t i) { work(i, 0); });
  if (intaglio_emulate::have_met_alone()) is_alone = false;
}

template <class Body>
void for_each(int64_t count, const Body& body) {
  if (count > 0) launch_threads(body, count, [&body](int64_t i, int) { body(i); });
}

template <class Body>
void for_each_warp(int64_t count, const Body& body) {
  if (count > 0) launch_warps(body, count * kWarp, [&body](int64_t i, int lane) { body(i / kWarp, lane); });
}

// Warps are 32 pixels of a row.
template <class Body>
void for_each_pixel(Raster raster, const Body& body) {
  if (raster.batch <= 0 || raster.pixels() <= 0) return;
  const int64_t pitch = (raster.width + kWarp - 1) / kWarp * kWarp;
  launch_threads(body, raster.batch * raster.height * pitch, [&body, raster, pitch](int64_t i, int) {
    if (i % pitch < raster.width) body(i / pitch / raster.height, i / pitch % raster.height, i % pitch);
  });
}

template <class T>
T fetch(const T* from) {
  if (!queue().checked) intaglio_emulate::Lanes::fail("the host waits for the device, and was not asked to");
  intaglio_emulate::Opened opened;
  return *from;
}

// Only ThreadSanitizer needs them to be atomic.
template <class T>
T glance(const T* at) {
  T value;
  __atomic_load(at, &value, __ATOMIC_RELAXED);
  return value;
}
template <class T>
T atomic_add(T* to, T x) {
  T before = glance(to), after;
  do after = before + x;
  while (!__atomic_compare_exchange(to, &before, &after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return before;
}
inline void set_flag(uint32_t* to) {
  __atomic_store_n(to, 1u, __ATOMIC_RELAXED);
}
template <class T>
void atomic_min(T* to, T x) {
  if (x < glance(to)) __atomic_store(to, &x, __ATOMIC_RELAXED);
}
template <class T>
void atomic_max(T* to, T x) {
  if (x > glance(to)) __atomic_store(to, &x, __ATOMIC_RELAXED);
}

INTAGLIO_DEVICE int count_bits(unsigned bits) {
  return __builtin_popcount(bits);
}
// Of the lowest bit that is set; -1 where none is.
INTAGLIO_DEVICE int lowest_bit(unsigned bits) {
  return __builtin_ffs((int)bits) - 1;
}

}  // namespace intaglio
