// SPDX-License-Identifier: MIT
// Sums of per-pixel contributions into per-vertex arrays, without atomics and bit-identical for any number of threads: rows
// are cut into parts by the image's size alone, each part adds in pixel order into a buffer of its own, buffers are added in
// order.
#pragma once
#include <algorithm>
#include <memory>

#include "../ops.h"
#include "pool.h"

namespace intaglio {

// A private buffer must cost little beside the pixels that fill it: one part per this many times its size in pixels.
constexpr int64_t kPixelsPerItem = 1;
constexpr int64_t kMinRows = 64, kMaxParts = 16;

// body(b, row_begin, row_end, T* sums): adds the contributions of those rows of image b. `shared` sums [items] serve all
// images; otherwise sums are [batch, items]. `out` is overwritten.
template <class T, class Body>
void accumulate_rows(Raster raster, T* out, int64_t items, bool shared, const Body& body) {
  int64_t targets = shared ? 1 : raster.batch;
  int64_t rows = shared ? raster.batch * raster.height : raster.height;  // rows that end in one target
  int64_t parts = std::min(rows / kMinRows, rows * raster.width * kPixelsPerItem / std::max<int64_t>(items, 1));
  parts = std::max<int64_t>(1, std::min(parts, kMaxParts));
  std::unique_ptr<T[]> buffers(new T[(size_t)(targets * (parts - 1) * items)]);  // part 0 sums into `out` itself
  parallel_for(targets * parts, [&](int64_t task) {
    int64_t target = task / parts, part = task % parts;
    T* sums = part == 0 ? out + target * items : buffers.get() + (target * (parts - 1) + part - 1) * items;
    std::fill(sums, sums + items, (T)0);
    int64_t begin = rows * part / parts, end = rows * (part + 1) / parts;
    for (int64_t row = begin; row < end;) {  // a shared target's rows run through the images one after the other
      int64_t b = shared ? row / raster.height : target, first = shared ? b * raster.height : 0;
      int64_t stop = std::min(end, first + raster.height);
      body(b, row - first, stop - first, sums);
      row = stop;
    }
  });
  if (parts == 1) return;
  constexpr int64_t kSlice = 16384;
  int64_t slices = (items + kSlice - 1) / kSlice;
  parallel_for(targets * slices, [&](int64_t task) {
    int64_t target = task / slices, begin = task % slices * kSlice, end = std::min(items, begin + kSlice);
    T* sums = out + target * items;
    for (int64_t part = 1; part < parts; ++part) {
      const T* buffer = buffers.get() + (target * (parts - 1) + part - 1) * items;
      for (int64_t i = begin; i < end; ++i) sums[i] += buffer[i];
    }
  });
}

}  // namespace intaglio
