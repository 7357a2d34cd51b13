// SPDX-License-Identifier: MIT
// From clip space to triangles that are ready to be drawn: snapping, real clipping, culling by sample.
#pragma once
#include <algorithm>
#include <memory>
#include <vector>

#include "../math/triangle.h"
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

// The unsnapped place of a vertex, in pixels from the image centre (y down), and its depth. Means nothing where the vertex has
// no place on the grid.
template <class T>
struct ImagePoint {
  T x, y, depth;
};

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
      T inverse = 1 / v.w;
      to_point[i] = {v.x * inverse * (T)0.5 * (T)raster.width, -v.y * inverse * (T)0.5 * (T)raster.height, v.z * inverse};
    });
  }
};

// A triangle with positive area on the grid that may cover a sample, and the plane of its depth.
template <class T>
struct ReadyTriangle {
  Subpixel corner[3];
  int32_t triangle_id;
  int16_t column_begin, column_end, row_begin, row_end;  // the samples in its bounding box
  uint16_t covered;                                      // those that it covers, if they are few
  bool is_small;                                         // below a thousand pixels in both directions
  T depth, depth_dx, depth_dy;                           // at the first sample of the box, and per pixel
  T least_depth, most_depth;                             // of its vertices: slivers extrapolate
};

// The first index whose pixel centre is at or beyond x.
inline int32_t first_sample(int32_t x, int32_t size) {
  return (x + (size - 1) * kHalfPixel + kSubpixels - 1) >> 8;
}

// The samples of the bounding box of `corner`; false where there are none or the triangle has no area.
// Corners are put into the order of positive area.
template <class T>
INTAGLIO_INLINE bool place(ReadyTriangle<T>& out, Subpixel a, Subpixel b, Subpixel c, int32_t height, int32_t width) {
  int32_t least_x = min_of(a.x, min_of(b.x, c.x)), most_x = max_of(a.x, max_of(b.x, c.x));
  int32_t column_begin = max_of(first_sample(least_x, width), 0);
  int32_t column_end = min_of(first_sample(most_x + 1, width), width);
  int32_t least_y = min_of(a.y, min_of(b.y, c.y)), most_y = max_of(a.y, max_of(b.y, c.y));
  int32_t row_begin = max_of(first_sample(least_y, height), 0);
  int32_t row_end = min_of(first_sample(most_y + 1, height), height);
  if ((column_begin >= column_end) | (row_begin >= row_end)) return false;
  int64_t area = area_twice(a, b, c);
  if (area == 0) return false;
  if (area < 0) std::swap(b, c);
  out.corner[0] = a, out.corner[1] = b, out.corner[2] = c;
  out.column_begin = (int16_t)column_begin, out.column_end = (int16_t)column_end;
  out.row_begin = (int16_t)row_begin, out.row_end = (int16_t)row_end;
  constexpr int32_t kSmall = 1000 * kSubpixels;
  out.is_small = (most_x - least_x < kSmall) & (most_y - least_y < kSmall);
  return true;
}

// The edge function of a -> b at a point of the grid, not negative where the sample there is inside. Positive area with y down
// has its interior right of every edge, so left edges go up and top edges go right: these own the samples on them.
struct GridEdge {
  int64_t dx, dy;
  Subpixel a;
  bool top_left;

  GridEdge(Subpixel a, Subpixel b) : dx(b.x - a.x), dy(b.y - a.y), a(a), top_left((dy < 0) | ((dy == 0) & (dx > 0))) {}
  int64_t at(Subpixel p) const { return dx * (p.y - a.y) - dy * (p.x - a.x) - (top_left ? 0 : 1); }
};

// Triangles with a box of so few samples, most of a dense mesh, are drawn from a mask of the samples that they cover.
constexpr int kFewColumns = 4, kFewRows = 4;

template <class T>
inline bool has_few_samples(const ReadyTriangle<T>& t) {
  return (t.column_end - t.column_begin <= kFewColumns) & (t.row_end - t.row_begin <= kFewRows);
}

// Bit 4 y + x: the sample x columns and y rows from the first of the box.
template <class T>
INTAGLIO_INLINE uint16_t covered_samples(const ReadyTriangle<T>& t, Raster raster) {
  Subpixel first{pixel_centre(t.column_begin, raster.width), pixel_centre(t.row_begin, raster.height)};
  const GridEdge edge[3] = {{t.corner[0], t.corner[1]}, {t.corner[1], t.corner[2]}, {t.corner[2], t.corner[0]}};
  const int64_t at_first[3] = {edge[0].at(first), edge[1].at(first), edge[2].at(first)};
  const int num_columns = t.column_end - t.column_begin, num_rows = t.row_end - t.row_begin;
  if (num_columns * num_rows == 1) return (at_first[0] | at_first[1] | at_first[2]) >= 0;
  int32_t e[3], dx[3], dy[3];
  for (int k = 0; k < 3; ++k) {
    // In steps of a pixel, as in drawing; so few of them do not change a sign from as far away as this.
    constexpr int64_t kFar = 1 << 30;
    e[k] = (int32_t)std::min(std::max(at_first[k] >> 8, -kFar), kFar), dx[k] = (int32_t)edge[k].dx, dy[k] = (int32_t)edge[k].dy;
  }
  uint32_t covered = 0;
  for (int i = 0; i < kFewColumns * kFewRows; ++i) {
    int x = i % kFewColumns, y = i / kFewColumns;
    int32_t outside = (e[0] - x * dy[0] + y * dx[0]) | (e[1] - x * dy[1] + y * dx[1]) | (e[2] - x * dy[2] + y * dx[2]);
    covered |= (uint32_t)(outside >= 0) << i;
  }
  uint32_t columns = (1u << num_columns) - 1, rows = (1u << kFewColumns * num_rows) - 1;
  return (uint16_t)(covered & columns * 0x1111 & rows);
}

template <class T>
T sample_position(int64_t index, int64_t size) {
  return (T)(2 * index + 1 - size) * (T)0.5;  // in pixels from the image centre
}

// The usual case: all three vertices have a place in the image. False if no sample can be covered.
template <class T>
INTAGLIO_INLINE bool make_ready(const PlacedVertices<T>& placed, const int32_t* triangle, int32_t triangle_id, Raster raster,
                                ReadyTriangle<T>& out) {
  const Subpixel* snapped = placed.snapped.data();
  if (!place(out, snapped[triangle[0]], snapped[triangle[1]], snapped[triangle[2]], (int32_t)raster.height,
             (int32_t)raster.width))
    return false;
  out.covered = 0;
  if (has_few_samples(out) && (out.covered = covered_samples(out, raster)) == 0) return false;
  out.triangle_id = triangle_id;
  const ImagePoint<T>* point = placed.point.data();
  const ImagePoint<T>&a = point[triangle[0]], &b = point[triangle[1]], &c = point[triangle[2]];
  Vec2<T> ab{b.x - a.x, b.y - a.y}, ac{c.x - a.x, c.y - a.y};
  T inverse = 1 / cross(ab, ac), to_b = b.depth - a.depth, to_c = c.depth - a.depth;
  out.depth_dx = (to_b * ac.y - to_c * ab.y) * inverse;
  out.depth_dy = (to_c * ab.x - to_b * ac.x) * inverse;
  if (!(std::fabs(out.depth_dx) < 1e9f && std::fabs(out.depth_dy) < 1e9f)) out.depth_dx = out.depth_dy = 0;
  out.depth = a.depth + out.depth_dx * (sample_position<T>(out.column_begin, raster.width) - a.x) +
              out.depth_dy * (sample_position<T>(out.row_begin, raster.height) - a.y);
  out.least_depth = min_of(a.depth, min_of(b.depth, c.depth));
  out.most_depth = max_of(a.depth, max_of(b.depth, c.depth));
  return true;
}

constexpr int kMaxFan = 7;  // triangles that six planes leave of one

// A homogeneous polygon of at most 3 + 6 corners, cut in place by one plane after the other.
// Sutherland, Hodgman: Reentrant Polygon Clipping, 1974.
struct ClipPolygon {
  Vec4<double> corner[kMaxFan + 2];
  int size = 3;

  // Keeps where distance >= 0. `settle` puts a new corner exactly onto the plane, however large the coordinates were.
  template <class Distance, class Settle>
  void cut(const Distance& distance, const Settle& settle) {
    Vec4<double> kept[kMaxFan + 2];
    int count = 0;
    for (int i = 0; i < size; ++i) {
      const Vec4<double>&a = corner[i], &b = corner[i + 1 == size ? 0 : i + 1];
      double da = distance(a), db = distance(b);
      if (da >= 0) kept[count++] = a;
      // From the inner corner to the outer one, so that both triangles of an edge find the same point.
      if ((da >= 0) != (db >= 0)) {
        kept[count] = da >= 0 ? between(a, b, da / (da - db)) : between(b, a, db / (db - da));
        settle(kept[count++]);
      }
    }
    std::copy(kept, kept + count, corner);
    size = count;
  }

  static Vec4<double> between(const Vec4<double>& a, const Vec4<double>& b, double t) {
    return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z), a.w + t * (b.w - a.w)};
  }
};

// The rare case: a vertex behind the near plane or beyond the guard band. What is left of the triangle is appended as a fan
// that keeps its id and its depth plane; every value is later computed from the whole triangle, in homogeneous coordinates.
template <class T>
void make_ready_clipped(const T* pos_clip, const int32_t* triangle, int32_t triangle_id, Raster raster, ReadyTriangle<T>* out,
                        int64_t& size) {
  const int64_t height = raster.height, width = raster.width;
  ClipPolygon polygon;
  Vec4<double> whole[3];
  for (int i = 0; i < 3; ++i) {
    Vec4<T> v = load4(pos_clip + 4 * (int64_t)triangle[i]);
    polygon.corner[i] = whole[i] = {(double)v.x, (double)v.y, (double)v.z, (double)v.w};
  }
  // A hair inside the guard band, since rounding to the grid must not leave it.
  double guard_x = (kGuardBand - 1.0) / (width * (double)kHalfPixel),
         guard_y = (kGuardBand - 1.0) / (height * (double)kHalfPixel);
  constexpr double kEye = 1e-30;  // a vertex at the eye has no place in the image
  using Corner = Vec4<double>;
  polygon.cut([](const Corner& v) { return v.z + v.w; }, [](Corner& v) { v.z = -v.w; });
  polygon.cut([](const Corner& v) { return v.w - kEye; }, [](Corner& v) { v.w = kEye; });
  polygon.cut([&](const Corner& v) { return guard_x * v.w - v.x; }, [&](Corner& v) { v.x = guard_x * v.w; });
  polygon.cut([&](const Corner& v) { return guard_x * v.w + v.x; }, [&](Corner& v) { v.x = -guard_x * v.w; });
  polygon.cut([&](const Corner& v) { return guard_y * v.w - v.y; }, [&](Corner& v) { v.y = guard_y * v.w; });
  polygon.cut([&](const Corner& v) { return guard_y * v.w + v.y; }, [&](Corner& v) { v.y = -guard_y * v.w; });
  if (polygon.size < 3) return;
  Subpixel at[kMaxFan + 2];
  for (int i = 0; i < polygon.size; ++i) {
    const Vec4<double>& v = polygon.corner[i];
    at[i] = {(int32_t)std::lrint(v.x / v.w * (double)(width * kHalfPixel)),
             (int32_t)std::lrint(-v.y / v.w * (double)(height * kHalfPixel))};
  }
  for (int i = 1; i + 1 < polygon.size; ++i) {
    ReadyTriangle<T> ready;
    if (!place(ready, at[0], at[i], at[i + 1], (int32_t)height, (int32_t)width)) continue;
    ready.triangle_id = triangle_id;
    ready.covered = has_few_samples(ready) ? covered_samples(ready, raster) : 0;
    double X = ndc_centre<double>(ready.column_begin, width), Y = -ndc_centre<double>(ready.row_begin, height);
    Vec2<double> slope = plane_depth_slope(whole, X, Y);
    ready.depth = (T)plane_depth(whole, X, Y);
    ready.depth_dx = (T)(slope.x * 2 / (double)width), ready.depth_dy = (T)(slope.y * -2 / (double)height);
    ready.least_depth = -1, ready.most_depth = (T)1e30;
    out[size++] = ready;
  }
}

}  // namespace intaglio
