// SPDX-License-Identifier: MIT
// Sums that many threads add to. By default in floating point, by atomics after the threads of a warp that add to the same
// place have added up; then the last bits depend on who came first. A deterministic queue sums whole numbers instead, whose sum
// does not depend on the order: a first pass over all terms finds the largest of each sum, a second rounds every term to a
// fixed share of it and adds. No term is kept, nothing is sorted, and no buffer can overflow.
#pragma once
#include <type_traits>

#include "launch.h"

namespace intaglio {

template <class T>
struct FloatSums {
  T* out;

  // Threads that add to the same places, by `add_all`, and all alike.
  INTAGLIO_DEVICE Peers group(uint64_t key) const { return peers_of(key); }
  // By one thread.
  INTAGLIO_DEVICE void add(int64_t at, T x) const {
    if (x != 0) atomic_add(out + at, x);
  }
};

struct NoPeers {};

// Where nobody wants them.
struct NoSums {
  INTAGLIO_DEVICE NoPeers group(uint64_t) const { return {}; }
  template <class T>
  INTAGLIO_DEVICE void add(int64_t, T) const {}
};

// Sizes as the bits of floating-point numbers: of positive ones the larger has the larger bits.
template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <class To, class From>
INTAGLIO_HD To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  union {
    From from;
    To to;
  } both;
  both.from = from;
  return both.to;
}

template <class T>
struct LargestTerms {
  BitsOf<T>* largest;

  INTAGLIO_DEVICE NoPeers group(uint64_t) const { return {}; }
  INTAGLIO_DEVICE void add(int64_t at, T x) const {
    BitsOf<T> bits = bits_as<BitsOf<T>>((T)std::fabs(x));
    if (bits > glance(largest + at)) atomic_max(largest + at, bits);
  }
};

// A sum has room for 2^30 terms of 2^32 steps each. double has a second number for what the first leaves of a term.
constexpr int kTermBits = 32;
template <class T>
constexpr int kLimbs = sizeof(T) == 4 ? 1 : 2;

// The power of two that makes the largest term of a sum at most 2^kTermBits steps; 0 if it is not finite.
template <class T>
INTAGLIO_HD double steps_per_unit(BitsOf<T> largest) {
  double size = (double)bits_as<T>(largest);
  if (!(size - size == 0)) return 0;
  if (size == 0) return 1;
  int exponent;
  std::frexp(size, &exponent);  // size < 2^exponent
  return std::ldexp(1.0, exponent < -900 ? 900 : kTermBits - exponent);
}

template <class T>
struct WholeSums {
  const BitsOf<T>* largest;
  uint64_t* whole;  // [items, kLimbs], two's complement

  INTAGLIO_DEVICE NoPeers group(uint64_t) const { return {}; }
  INTAGLIO_DEVICE void add(int64_t at, T x) const {
    double steps = steps_per_unit<T>(largest[at]), term = (double)x * steps;
    if (term == 0) return;  // also where the sum is not finite
    double high = std::rint(term);
    atomic_add(whole + kLimbs<T> * at, (uint64_t)(int64_t)high);
    if (kLimbs<T> == 2) atomic_add(whole + 2 * at + 1, (uint64_t)(int64_t)std::rint(std::ldexp(term - high, kTermBits)));
  }
};

// Adds x[k] at place(k): by all threads of a group.
template <class T, class X, int N, class Place>
INTAGLIO_DEVICE void add_all(const FloatSums<T>& sums, const Peers& group, const X (&x)[N], const Place& place) {
  T sum[N];
  for (int k = 0; k < N; ++k) sum[k] = x[k];
  sum_over(group, sum);
  if (!is_first(group)) return;
  for (int k = 0; k < N; ++k) sums.add(place(k), sum[k]);
}
template <class Sums, class X, int N, class Place>
INTAGLIO_DEVICE void add_all(const Sums& sums, NoPeers, const X (&x)[N], const Place& place) {
  for (int k = 0; k < N; ++k) sums.add(place(k), x[k]);
}

template <class T>
struct FinishSums {
  const BitsOf<T>* largest;
  const uint64_t* whole;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    double steps = steps_per_unit<T>(largest[i]), sum = (double)(int64_t)whole[kLimbs<T> * i];
    if (kLimbs<T> == 2) sum += std::ldexp((double)(int64_t)whole[2 * i + 1], -kTermBits);
    out[i] = steps == 0 ? bits_as<T>(largest[i]) : (T)(sum / steps);  // Inf and NaN stay what they are
  }
};

// How often `accumulate` has all terms added.
inline int num_passes() {
  return queue().deterministic ? 2 : 1;
}

// Overwrites out[0 ... items) with the sums of what add_all(sums) launches kernels to add.
template <class T, class AddAll>
void accumulate(T* out, int64_t items, const AddAll& add_all) {
  if (items == 0) return;
  if (!queue().deterministic) {
    fill(out, items, (T)0);
    return add_all(FloatSums<T>{out});
  }
  auto* largest = scratch<BitsOf<T>>(items);
  uint64_t* whole = scratch<uint64_t>(kLimbs<T> * items);
  for_both(items, Fill<BitsOf<T>>{largest, 0}, kLimbs<T> * items, Fill<uint64_t>{whole, 0});
  add_all(LargestTerms<T>{largest});
  add_all(WholeSums<T>{largest, whole});
  for_each(items, FinishSums<T>{largest, whole, out});
}

template <class T>
struct Convert {
  const double* from;
  T* to;
  INTAGLIO_DEVICE void operator()(int64_t i) const { to[i] = (T)from[i]; }
};

// The derivatives of each image's error, times its cotangent.
template <class T>
struct Scale {
  const T *derivative, *grad_error;
  int64_t items;
  T* grad;
  INTAGLIO_DEVICE void operator()(int64_t i) const { grad[i] = grad_error[i / items] * derivative[i]; }
};

// An array of sums that somebody wants, or null.
template <class T>
struct Wanted {
  T* out;
  int64_t items;
};

// Sums of many terms, made in double: of one array after the other, in one range of places.
template <class T, class AddAll>
void accumulate_in_double(Wanted<T> first, Wanted<T> second, const AddAll& add_all) {
  if (!first.out && !second.out) return add_all(NoSums{});
  double* sums = scratch<double>(first.items + second.items);
  accumulate(sums, first.items + second.items, add_all);
  if (first.out) for_each(first.items, Convert<T>{sums, first.out});
  if (second.out) for_each(second.items, Convert<T>{sums + first.items, second.out});
}

template <class T, class AddAll>
void accumulate_in_double(Wanted<T> wanted, const AddAll& add_all) {
  accumulate_in_double(wanted, Wanted<T>{nullptr, 0}, add_all);
}

// The threads of an image that sum its items: enough to keep a GPU busy, and not more, since each warp adds to the same place.
inline int64_t stripes_of(int64_t images, int64_t items) {
  constexpr int64_t kAtOnce = 1 << 16, kLeast = 256;
  const int64_t each = max_of(kLeast, kAtOnce / max_of<int64_t>(images, 1));
  return min_of(each, (items + kWarp - 1) / kWarp * kWarp);
}

template <class Term, class Sums>
struct SumItems {
  Term term;
  int64_t items, stripes;
  Sums sums;  // of double
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t b = i / stripes;
    double sum = 0;
    for (int64_t item = i % stripes; item < items; item += stripes) sum += (double)term(b, item);
    const double one[1] = {sum};
    add_all(sums, sums.group((uint64_t)b), one, [b](int) { return b; });
  }
};

// out [images]: the sums of term(b, item) over the items of each image.
template <class T, class Term>
void sum_items(int64_t images, int64_t items, const Term& term, T* out) {
  const int64_t stripes = stripes_of(images, items);
  accumulate_in_double(Wanted<T>{out, images}, [&](const auto& sums) {
    for_each(images * stripes, SumItems<Term, std::decay_t<decltype(sums)>>{term, items, stripes, sums});
  });
}

// Adds the cotangents of a triangle's corners to positions [.., 4] that begin at `first`.
template <class T, class Sums, class Group>
INTAGLIO_DEVICE void add_corners(const Sums& sums, const Group& group, int64_t first, const int32_t vertex[3],
                                 const Vec4<T> grad_v[3]) {
  T grad[12];
  for (int i = 0; i < 3; ++i)
    grad[4 * i] = grad_v[i].x, grad[4 * i + 1] = grad_v[i].y, grad[4 * i + 2] = grad_v[i].z, grad[4 * i + 3] = grad_v[i].w;
  add_all(sums, group, grad, [&](int k) { return first + 4 * (int64_t)vertex[k / 4] + k % 4; });
}

// What math/ emits for a vertex of one image.
template <class T, class Sums>
struct AddTo {
  Sums sums;
  int64_t first;  // of the image's positions
  INTAGLIO_DEVICE void operator()(int32_t vertex, Vec4<T> grad) const {
    int64_t at = first + 4 * (int64_t)vertex;
    sums.add(at, grad.x), sums.add(at + 1, grad.y), sums.add(at + 2, grad.z), sums.add(at + 3, grad.w);
  }
};

}  // namespace intaglio
