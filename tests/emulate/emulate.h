// SPDX-License-Identifier: MIT
// A host that stands in for a GPU: the primitives of native/cuda/launch.h as loops. Threads run one after the other in an order
// that is shuffled anew for every launch (INTAGLIO_EMULATE_SEED repeats it), so that what depends on their order shows; scratch
// memory comes poisoned, so that what was not written shows. A warp is a single thread where its threads add up.
#pragma once
#include <cstdlib>
#include <cstring>

#define INTAGLIO_DEVICE inline

namespace intaglio {

inline const intaglio_queue::Queue& queue() {
  return *intaglio_queue::current;
}

constexpr int kWarp = 32;
constexpr int64_t kBusyWarps = 7;  // few, so that each has to take its turn again

// One launch's order of `count` indices: a bijection of the numbers below the next power of two, those beyond left out.
class Shuffled {
 public:
  explicit Shuffled(int64_t count) : count_((uint64_t)count) {
    while (((uint64_t)1 << bits_) < count_) ++bits_;
    static const uint64_t seed =
        std::getenv("INTAGLIO_EMULATE_SEED") ? std::strtoull(std::getenv("INTAGLIO_EMULATE_SEED"), nullptr, 10) : 1;
    static thread_local uint64_t launches = 0;
    uint64_t state = seed * 0x9E3779B97F4A7C15u + ++launches;
    for (uint64_t& key : key_) {  // splitmix64
      state += 0x9E3779B97F4A7C15u;
      uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      key = z ^ (z >> 31);
    }
  }

  template <class Visit>
  void for_each(const Visit& visit) const {
    for (uint64_t i = 0; i < (uint64_t)1 << bits_; ++i) {
      uint64_t index = mixed(i);
      if (index < count_) visit((int64_t)index);
    }
  }

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

template <class Body>
void for_each(int64_t count, const Body& body) {
  if (count > 0) Shuffled(count).for_each([&](int64_t i) { body(i); });
}

template <class Body>
void for_each_warp(int64_t count, const Body& body) {
  for_each(count * kWarp, [&](int64_t i) { body(i / kWarp, (int)(i % kWarp)); });
}

template <class Body>
void for_each_pixel(Raster raster, const Body& body) {
  for_each(raster.batch * raster.pixels(),
           [&](int64_t i) { body(i / raster.pixels(), i / raster.width % raster.height, i % raster.width); });
}

template <class T>
T fetch(const T* from) {
  return *from;
}

template <class T>
T atomic_add(T* to, T x) {
  T before = *to;
  *to += x;
  return before;
}
template <class T>
void atomic_min(T* to, T x) {
  if (x < *to) *to = x;
}
template <class T>
void atomic_max(T* to, T x) {
  if (x > *to) *to = x;
}
template <class T>
T glance(const T* at) {
  return *at;
}

struct Peers {};
inline Peers peers_of(uint64_t) {
  return {};
}
inline bool is_first(Peers) {
  return true;
}
template <class T>
T sum_over(Peers, T x) {
  return x;
}

}  // namespace intaglio
