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

// An array of sums to be made, and how many parts of its rows are summed apart.
template <class T>
struct Target {
  T* out;
  int64_t items, parts = 1;
  int64_t first_task = 0;
  T* buffers = nullptr;  // of the parts but the first, which sums into `out` itself

  T* sums(int64_t part) const { return part == 0 ? out : buffers + (part - 1) * items; }
};

// Into how many parts so many rows are cut where a part sums so many items: by sizes alone.
inline int64_t parts_of(int64_t rows, int64_t width, int64_t items) {
  int64_t parts = std::min(rows / kMinRows, rows * width * kPixelsPerItem / std::max<int64_t>(items, 1));
  return std::max<int64_t>(1, std::min(parts, kMaxParts));
}

// Lays out the parts of all targets, of `rows` rows of pixels each; returns the memory of their buffers.
template <class T>
std::unique_ptr<T[]> cut_into_parts(std::vector<Target<T>>& targets, int64_t rows, int64_t width) {
  int64_t tasks = 0, room = 0;
  for (Target<T>& target : targets) {
    target.parts = parts_of(rows, width, target.items);
    target.first_task = tasks;
    tasks += target.parts, room += (target.parts - 1) * target.items;
  }
  std::unique_ptr<T[]> buffers(new T[(size_t)room]);
  T* next = buffers.get();
  for (Target<T>& target : targets) target.buffers = next, next += (target.parts - 1) * target.items;
  return buffers;
}

// body(target, row_begin, row_end, T* sums): adds the contributions of those of its `rows` rows. What the targets hold is
// overwritten.
template <class T, class Body>
void accumulate_targets(std::vector<Target<T>>& targets, int64_t rows, int64_t width, const Body& body) {
  if (targets.empty()) return;
  std::unique_ptr<T[]> buffers = cut_into_parts(targets, rows, width);
  parallel_for(targets.back().first_task + targets.back().parts, [&](int64_t task) {
    auto begins_later = [](int64_t at, const Target<T>& target) { return at < target.first_task; };
    const Target<T>& target = *(std::upper_bound(targets.begin(), targets.end(), task, begins_later) - 1);
    const int64_t part = task - target.first_task;
    T* sums = target.sums(part);
    std::fill(sums, sums + target.items, (T)0);
    body(&target - targets.data(), rows * part / target.parts, rows * (part + 1) / target.parts, sums);
  });
  for (const Target<T>& target : targets) {
    if (target.parts == 1) continue;
    constexpr int64_t kSlice = 16384;
    parallel_for((target.items + kSlice - 1) / kSlice, [&](int64_t slice) {
      int64_t end = std::min(target.items, (slice + 1) * kSlice);
      for (int64_t part = 1; part < target.parts; ++part) {
        const T* buffer = target.sums(part);
        for (int64_t i = slice * kSlice; i < end; ++i) target.out[i] += buffer[i];
      }
    });
  }
}

// body(b, row_begin, row_end, T* sums): adds the contributions of those rows of image b. `shared` sums [items] serve all
// images; otherwise sums are [batch, items]. `out` is overwritten.
template <class T, class Body>
void accumulate_rows(Raster raster, T* out, int64_t items, bool shared, const Body& body) {
  std::vector<Target<T>> targets;
  for (int64_t i = 0; i < (shared ? 1 : raster.batch); ++i) targets.push_back({out + i * items, items});
  int64_t rows = shared ? raster.batch * raster.height : raster.height;  // that end in one target
  accumulate_targets(targets, rows, raster.width, [&](int64_t target, int64_t begin, int64_t end, T* sums) {
    for (int64_t row = begin; row < end;) {  // a shared target's rows run through the images one after the other
      int64_t b = shared ? row / raster.height : target, first = shared ? b * raster.height : 0;
      int64_t stop = std::min(end, first + raster.height);
      body(b, row - first, stop - first, sums);
      row = stop;
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
  ImageGradients<T> gradients(g, grad_pos_clip);
  std::vector<Target<T>> targets;
  for (int64_t b = 0; b < g.images(); ++b) targets.push_back({gradients.of(b), 4 * gradients.vertices(b).count()});
  accumulate_targets(targets, raster.height, raster.width, [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) {
    body(b, row_begin, row_end, AddTo<T>{sums, gradients.vertices(b).begin});
  });
  gradients.add_up();
}

}  // namespace intaglio
