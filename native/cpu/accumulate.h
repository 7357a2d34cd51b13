// SPDX-License-Identifier: MIT
// Sums of per-pixel contributions into per-vertex arrays, without atomics and bit-identical for any number of threads: rows
// are cut into parts by the image's size alone, each part adds in pixel order into a buffer of its own, buffers are added in
// order.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "../math/vec.h"
#include "../ops.h"
#include "check.h"
#include "pool.h"
#include "rows.h"

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

// Adds to the gradient [.., 4] of the vertices from the first on.
template <class T>
struct AddTo {
  T* sums;
  int64_t first_vertex;

  void operator()(int32_t vertex, Vec4<T> grad) const {
    T* sum = sums + 4 * (vertex - first_vertex);
    sum[0] += grad.x, sum[1] += grad.y, sum[2] += grad.z, sum[3] += grad.w;
  }
};

// The gradient [rows, num_vertices, 4] of positions, made of one for each image. Images that show ranges each have their own,
// of the vertices from the first to the last that they use; those at one row are then added up, in the order of the images.
template <class T>
class ImageGradients {
 public:
  ImageGradients(const Geometry<T>& g, T* grad_pos_clip) : g_(g), out_(grad_pos_clip) {
    if (!g.ranges || !out_) return;
    vertices_.resize(g.num_ranges), begin_.resize(g.num_ranges + 1);
    begin_[0] = 0;
    for (int64_t r = 0; r < g.num_ranges; ++r) {
      vertices_[r] = vertices_shown(g, r);
      begin_[r + 1] = begin_[r] + 4 * vertices_[r].count();
    }
    own_.reset(new T[(size_t)(g.rows * begin_.back())]);
  }

  Slice vertices(int64_t b) const { return g_.ranges ? vertices_[b % g_.num_ranges] : Slice{0, g_.num_vertices}; }
  T* of(int64_t b) const {
    if (!out_) return nullptr;
    if (!g_.ranges) return out_ + b * g_.num_vertices * 4;
    return own_.get() + g_.row_of(b) * begin_.back() + begin_[b % g_.num_ranges];
  }

  // To be called when all are made; each is multiplied by its weight, if there are weights.
  void add_up(const T* weight = nullptr) const {
    if (!g_.ranges || !out_) return;
    parallel_for(g_.rows, [&](int64_t row) {
      T* sums = out_ + row * g_.num_vertices * 4;
      std::fill(sums, sums + g_.num_vertices * 4, (T)0);
      for (int64_t b = row * g_.num_ranges; b < (row + 1) * g_.num_ranges; ++b) {
        const T* own = of(b);
        const T scale = weight ? weight[b] : (T)1;
        T* sum = sums + 4 * vertices(b).begin;
        for (int64_t i = 0; i < 4 * vertices(b).count(); ++i) sum[i] += scale * own[i];
      }
    });
  }

 private:
  const Geometry<T>& g_;
  T* out_;
  std::vector<Slice> vertices_;
  std::vector<int64_t> begin_;  // of each range's among those of one row
  std::unique_ptr<T[]> own_;
};

// body(b, row_begin, row_end, add): adds what those rows of pixels of image b pass on to its vertices. `grad_pos_clip` is
// overwritten.
template <class T, class Body>
void accumulate_positions(const Geometry<T>& g, Raster raster, T* grad_pos_clip, const Body& body) {
  if (!g.ranges)
    return accumulate_rows(
        raster, grad_pos_clip, g.num_vertices * 4, false,
        [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) { body(b, row_begin, row_end, AddTo<T>{sums, 0}); });
  ImageGradients<T> gradients(g, grad_pos_clip);
  const Raster one{1, raster.height, raster.width};
  for_each_image(g.images(), [&](int64_t b) {
    Slice vertices = gradients.vertices(b);
    accumulate_rows(one, gradients.of(b), vertices.count() * 4, false,
                    [&](int64_t, int64_t row_begin, int64_t row_end, T* sums) {
                      body(b, row_begin, row_end, AddTo<T>{sums, vertices.begin});
                    });
  });
  gradients.add_up();
}

}  // namespace intaglio
