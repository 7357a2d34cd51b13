// SPDX-License-Identifier: MIT
// What ops that shade pixels share: the foreground is taken a block of lanes at a time, its values gathered from planes [batch,
// height, width, channels] into one array a channel, so that the arithmetic between is vector code; sums over pixels are made
// lane by lane and band by band of rows, in an order that depends on the image's size alone.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <vector>

#include "../math/vec.h"
#include "../ops.h"
#include "pool.h"
#include "simd.h"

namespace intaglio {

constexpr int kLanes = 64;
constexpr int64_t kRowsPerBand = 16;

// Where the pixels of a block are in the batch.
struct PixelBlock {
  int64_t at[kLanes];
  int count;
};

// One value a lane, and vectors of them.
template <class T>
struct Lanes {
  alignas(64) T value[kLanes];
  T& operator[](int i) { return value[i]; }
  T operator[](int i) const { return value[i]; }
};

template <class T>
struct Lanes3 {
  Lanes<T> x, y, z;
  INTAGLIO_INLINE Vec3<T> operator[](int i) const { return {x[i], y[i], z[i]}; }
  INTAGLIO_INLINE void put(int i, Vec3<T> v) { x[i] = v.x, y[i] = v.y, z[i] = v.z; }
  INTAGLIO_INLINE void add(int i, Vec3<T> v) { x[i] += v.x, y[i] += v.y, z[i] += v.z; }
};

// `channels` arrays of lanes, one after the other, from a plane; 0 in lanes without a pixel.
template <int channels, class T>
void gather(const T* plane, const PixelBlock& block, Lanes<T>* lanes) {
  for (int i = 0; i < block.count; ++i)
    for (int c = 0; c < channels; ++c) lanes[c][i] = plane[block.at[i] * channels + c];
  for (int i = block.count; i < kLanes; ++i)
    for (int c = 0; c < channels; ++c) lanes[c][i] = 0;
}
template <class T>
void gather(const T* plane, const PixelBlock& block, Lanes3<T>& lanes) {
  gather<3>(plane, block, &lanes.x);
}

// Into a plane, which may be null: nobody wants it.
template <int channels, class T>
void scatter(const Lanes<T>* lanes, const PixelBlock& block, T* plane) {
  if (!plane) return;
  for (int i = 0; i < block.count; ++i)
    for (int c = 0; c < channels; ++c) plane[block.at[i] * channels + c] = lanes[c][i];
}
template <class T>
void scatter(const Lanes3<T>& lanes, const PixelBlock& block, T* plane) {
  scatter<3>(&lanes.x, block, plane);
}

// A plane that an op fills, or null.
template <class T>
struct Filled {
  T* plane;
  int64_t channels;
};

// body(band, b, begin, end): the pixels of one band of rows of image b, on the pool.
template <class Body>
void for_each_band(Raster raster, const Body& body) {
  int64_t bands = (raster.height + kRowsPerBand - 1) / kRowsPerBand;
  parallel_for(raster.batch * bands, [&](int64_t task) {
    int64_t b = task / bands, first = task % bands * kRowsPerBand, last = std::min(raster.height, first + kRowsPerBand);
    body(task, b, b * raster.pixels() + first * raster.width, b * raster.pixels() + last * raster.width);
  });
}

// Background pixels of [begin, end) are 0 in `planes`; body(block) for blocks of the others.
template <class T, class Body>
void for_each_pixel_block(const int32_t* triangle_id, int64_t begin, int64_t end, std::initializer_list<Filled<T>> planes,
                          const Body& body) {
  PixelBlock block;
  block.count = 0;
  for (int64_t at = begin; at < end;) {
    if (triangle_id[at] < 0) {
      int64_t first = at;
      while (at < end && triangle_id[at] < 0) ++at;
      for (const Filled<T>& p : planes)
        if (p.plane) std::fill(p.plane + first * p.channels, p.plane + at * p.channels, (T)0);
      continue;
    }
    block.at[block.count++] = at++;
    if (block.count == kLanes) body(block), block.count = 0;
  }
  if (block.count) body(block);
}

// Sums of `items` values over the pixels of each image, [batch, items]: body(b, begin, end, Lanes<T>* sums) adds those of a
// band into lanes that are 0 at first.
template <class T, class Body>
std::vector<double> sum_over_pixels(Raster raster, int64_t items, const Body& body) {
  int64_t bands = (raster.height + kRowsPerBand - 1) / kRowsPerBand;
  std::vector<double> of_bands(raster.batch * bands * items), sums(raster.batch * items);
  for_each_band(raster, [&](int64_t task, int64_t b, int64_t begin, int64_t end) {
    std::vector<Lanes<T>> lanes(items, Lanes<T>{});
    body(b, begin, end, lanes.data());
    for (int64_t item = 0; item < items; ++item)
      for (T value : lanes[item].value) of_bands[task * items + item] += (double)value;
  });
  for (int64_t task = 0; task < raster.batch * bands; ++task)
    for (int64_t item = 0; item < items; ++item) sums[task / bands * items + item] += of_bands[task * items + item];
  return sums;
}

// Those of `items` from `first` on, of each image, or of all together where they share what the gradient is of; out may be
// null.
template <class T>
void put_sums(const std::vector<double>& sums, int64_t batch, int64_t first, int64_t items, bool own, T* out) {
  if (!out) return;
  int64_t stride = batch ? (int64_t)sums.size() / batch : 0;
  for (int64_t i = 0; i < (own ? batch : 1) * items; ++i) {
    double sum = 0;
    for (int64_t b = own ? i / items : 0; b < (own ? i / items + 1 : batch); ++b) sum += sums[b * stride + first + i % items];
    out[i] = (T)sum;
  }
}

}  // namespace intaglio
