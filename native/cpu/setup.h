// SPDX-License-Identifier: MIT
// From clip space to triangles that are ready to be drawn: snapping, real clipping, culling by sample.
#pragma once
#include <algorithm>
#include <vector>

#include "../math/triangle.h"
#include "../ops.h"
#include "pool.h"
#include "simd.h"

namespace intaglio {

// The grid positions of `count` clip-space vertices.
template <class T>
void snap_all(const T* pos_clip, int64_t count, Raster raster, std::vector<Subpixel>& out) {
  out.resize(count);
  constexpr int64_t kSlice = 8192;
  parallel_for((count + kSlice - 1) / kSlice, [&](int64_t slice) {
    int64_t end = std::min(count, (slice + 1) * kSlice);
    for (int64_t i = slice * kSlice; i < end; ++i) out[i] = snap(load4(pos_clip + 4 * i), raster.height, raster.width);
  });
}

// A triangle with positive area on the grid that may cover a sample, and the plane of its depth.
template <class T>
struct ReadyTriangle {
  Subpixel corner[3];
  int32_t triangle_id;
  int16_t column_begin, column_end, row_begin, row_end;  // the samples in its bounding box
  uint16_t covered;                                      // those that it covers, if they are few
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
inline bool place(ReadyTriangle<T>& out, Subpixel a, Subpixel b, Subpixel c, int32_t height, int32_t width) {
  int32_t column_begin = max_of(first_sample(min_of(a.x, min_of(b.x, c.x)), width), 0);
  int32_t column_end = min_of(first_sample(max_of(a.x, max_of(b.x, c.x)) + 1, width), width);
  int32_t row_begin = max_of(first_sample(min_of(a.y, min_of(b.y, c.y)), height), 0);
  int32_t row_end = min_of(first_sample(max_of(a.y, max_of(b.y, c.y)) + 1, height), height);
  if ((column_begin >= column_end) | (row_begin >= row_end)) return false;
  int64_t area = area_twice(a, b, c);
  if (area == 0) return false;
  if (area < 0) std::swap(b, c);
  out.corner[0] = a, out.corner[1] = b, out.corner[2] = c;
  out.column_begin = (int16_t)column_begin, out.column_end = (int16_t)column_end;
  out.row_begin = (int16_t)row_begin, out.row_end = (int16_t)row_end;
  return true;
}

// The edge function of a -> b at a point of the grid, not negative where the sample there is inside. Positive area with y down
// has its interior right of every edge, so left edges go up and top edges go right: these own the samples on them.
struct GridEdge {
  int64_t dx, dy;
  Subpixel a;
  bool top_left;

  GridEdge(Subpixel a, Subpixel b) : dx(b.x - a.x), dy(b.y - a.y), a(a), top_left(dy < 0 || (dy == 0 && dx > 0)) {}
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
inline uint16_t covered_samples(const ReadyTriangle<T>& t, Raster raster) {
  Subpixel first{pixel_centre(t.column_begin, raster.width), pixel_centre(t.row_begin, raster.height)};
  GridEdge edge[3] = {{t.corner[0], t.corner[1]}, {t.corner[1], t.corner[2]}, {t.corner[2], t.corner[0]}};
  int64_t e[3] = {edge[0].at(first), edge[1].at(first), edge[2].at(first)};
  int columns = t.column_end - t.column_begin, rows = t.row_end - t.row_begin;
  uint32_t covered = 0;
  for (int y = 0; y < rows; ++y) {
    int64_t e0 = e[0], e1 = e[1], e2 = e[2];
    for (int x = 0; x < columns; ++x) {
      covered |= (uint32_t)((e0 | e1 | e2) >= 0) << (kFewColumns * y + x);
      e0 -= edge[0].dy * kSubpixels, e1 -= edge[1].dy * kSubpixels, e2 -= edge[2].dy * kSubpixels;
    }
    for (int k = 0; k < 3; ++k) e[k] += edge[k].dx * kSubpixels;
  }
  return (uint16_t)covered;
}

template <class T>
T sample_position(int64_t index, int64_t size) {
  return (T)(2 * index + 1 - size) * (T)0.5;  // in pixels from the image centre
}

// The unsnapped place of a vertex, in pixels from the image centre (y down), and its depth.
template <class T>
struct ImagePoint {
  T x, y, depth;
};

template <class T>
ImagePoint<T> image_point(const T* pos_clip, int32_t vertex, Raster raster) {
  Vec4<T> v = load4(pos_clip + 4 * (int64_t)vertex);
  T inverse = 1 / v.w;
  return {v.x * inverse * (T)0.5 * (T)raster.width, -v.y * inverse * (T)0.5 * (T)raster.height, v.z * inverse};
}

// The usual case: all three vertices have a place in the image. False if no sample can be covered.
template <class T>
inline bool make_ready(const T* pos_clip, const Subpixel* snapped, const int32_t* triangle, int32_t triangle_id, Raster raster,
                       ReadyTriangle<T>& out) {
  if (!place(out, snapped[triangle[0]], snapped[triangle[1]], snapped[triangle[2]], (int32_t)raster.height,
             (int32_t)raster.width))
    return false;
  out.covered = 0;
  if (has_few_samples(out) && (out.covered = covered_samples(out, raster)) == 0) return false;
  out.triangle_id = triangle_id;
  ImagePoint<T> a = image_point(pos_clip, triangle[0], raster), b = image_point(pos_clip, triangle[1], raster),
                c = image_point(pos_clip, triangle[2], raster);
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

// A homogeneous polygon of at most 3 + 6 corners, cut in place by one plane after the other.
// Sutherland, Hodgman: Reentrant Polygon Clipping, 1974.
struct ClipPolygon {
  Vec4<double> corner[9];
  int size = 3;

  // Keeps where distance >= 0. `settle` puts a new corner exactly onto the plane, however large the coordinates were.
  template <class Distance, class Settle>
  void cut(const Distance& distance, const Settle& settle) {
    Vec4<double> kept[9];
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
void make_ready_clipped(const T* pos_clip, const int32_t* triangle, int32_t triangle_id, Raster raster,
                        std::vector<ReadyTriangle<T>>& out) {
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
  Subpixel at[9];
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
    out.push_back(ready);
  }
}

}  // namespace intaglio
