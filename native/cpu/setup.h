// SPDX-License-Identifier: MIT
// The vertices and triangles of an image, made ready to be drawn (math/rasterize.h).
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "../math/rasterize.h"
#include "../ops.h"
#include "pool.h"
#include "simd.h"

namespace intaglio {

// body(i, vertex) for `count` clip-space vertices, on the pool.
template <class T, class Body>
void for_each_vertex(const T* pos_clip, int64_t count, const Body& body) {
  constexpr int64_t kSlice = 8192;
  parallel_for((count + kSlice - 1) / kSlice, [&](int64_t slice) {
    int64_t end = std::min(count, (slice + 1) * kSlice);
    for (int64_t i = slice * kSlice; i < end; ++i) body(i, load4(pos_clip + 4 * i));
  });
}

// The grid positions of `count` clip-space vertices.
template <class T>
void snap_all(const T* pos_clip, int64_t count, Raster raster, std::vector<Subpixel>& out) {
  out.resize(count);
  for_each_vertex(pos_clip, count, [&](int64_t i, Vec4<T> v) { out[i] = snap(v, raster.height, raster.width); });
}

// Room for many things, which are not made: what is not written costs no memory.
template <class Thing>
class Room {
 public:
  // For at least so many; what was there may be gone.
  void hold(int64_t count) {
    if (count > capacity_) things_.reset(new Thing[count]), capacity_ = count;
  }
  int64_t capacity() const { return capacity_; }
  Thing* data() const { return things_.get(); }

 private:
  std::unique_ptr<Thing[]> things_;
  int64_t capacity_ = 0;
};

// The vertices of an image where they are drawn, by their index; of those that it does not use nothing is known.
template <class T>
struct PlacedVertices {
  Room<Subpixel> snapped;
  Room<ImagePoint<T>> point;

  void place(const T* pos_clip, Slice used, Raster raster) {
    snapped.hold(used.end), point.hold(used.end);
    Subpixel* to_snapped = snapped.data() + used.begin;
    ImagePoint<T>* to_point = point.data() + used.begin;
    for_each_vertex(pos_clip + 4 * used.begin, used.count(), [&](int64_t i, Vec4<T> v) {
      to_snapped[i] = snap(v, raster.height, raster.width);
      to_point[i] = image_point(v, raster.height, raster.width);
    });
  }
};

// The usual case: all three vertices have a place in the image. False if no sample can be covered.
template <class T>
INTAGLIO_INLINE bool make_ready(const PlacedVertices<T>& placed, const int32_t* triangle, int32_t triangle_id,
                                bool cull_backfaces, Raster raster, ReadyTriangle<T>& out) {
  const Subpixel* snapped = placed.snapped.data();
  const ImagePoint<T>* point = placed.point.data();
  const Subpixel corner[3] = {snapped[triangle[0]], snapped[triangle[1]], snapped[triangle[2]]};
  return make_ready(corner, point[triangle[0]], point[triangle[1]], point[triangle[2]], triangle_id, cull_backfaces,
                    raster.height, raster.width, out);
}

// The rare case, whose fan is appended.
template <class T>
void make_ready_clipped(const T* pos_clip, const int32_t* triangle, int32_t triangle_id, bool cull_backfaces, Raster raster,
                        ReadyTriangle<T>* out, int64_t& size) {
  Vec4<T> v[3];
  for (int i = 0; i < 3; ++i) v[i] = load4(pos_clip + 4 * (int64_t)triangle[i]);
  size += make_ready_clipped(v, triangle_id, cull_backfaces, raster.height, raster.width, out + size);
}

}  // namespace intaglio
