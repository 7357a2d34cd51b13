// SPDX-License-Identifier: MIT
// From clip space to triangles that are ready to be drawn: snapping, real clipping, culling by sample.
#pragma once
#include <algorithm>
#include <vector>

#include "../math/triangle.h"
#include "../ops.h"

namespace intaglio {

// A vertex in the image: its place on the grid, and its unsnapped place in pixels from the image centre (y down).
template <class T>
struct ImageVertex {
  Subpixel at;
  T x, y, depth;
};

// A triangle with positive area on the grid that may cover a sample, and the plane of its depth.
template <class T>
struct ReadyTriangle {
  Subpixel corner[3];
  int32_t triangle_id;
  int16_t column_begin, column_end, row_begin, row_end;  // the samples in its bounding box
  T depth, depth_dx, depth_dy;                           // at the first sample of the box, and per pixel
  T least_depth, most_depth;                             // of its vertices: slivers extrapolate
};

// The first index whose pixel centre is at or beyond x.
inline int32_t first_sample(int32_t x, int64_t size) {
  int64_t twice = (int64_t)x + (size - 1) * kHalfPixel;  // x in grid steps from the centre of pixel 0
  return (int32_t)((twice + kSubpixels - 1) >> 8);
}

template <class T>
ImageVertex<T> project(Vec4<T> v, int64_t height, int64_t width) {
  T inverse = 1 / v.w;
  return {snap(v, height, width), v.x * inverse * (T)0.5 * (T)width, -v.y * inverse * (T)0.5 * (T)height, v.z * inverse};
}

// The samples of the bounding box of `corner`; false where there are none or the triangle has no area.
// Corners are put into the order of positive area.
template <class T>
bool place(ReadyTriangle<T>& out, int64_t height, int64_t width) {
  Subpixel *a = out.corner, *b = a + 1, *c = a + 2;
  auto [left, right] = std::minmax({a->x, b->x, c->x});
  auto [top, bottom] = std::minmax({a->y, b->y, c->y});
  int32_t column_begin = std::max(first_sample(left, width), 0);
  int32_t column_end = std::min<int32_t>(first_sample(right + 1, width), (int32_t)width);
  int32_t row_begin = std::max(first_sample(top, height), 0);
  int32_t row_end = std::min<int32_t>(first_sample(bottom + 1, height), (int32_t)height);
  if (column_begin >= column_end || row_begin >= row_end) return false;
  int64_t area = area_twice(*a, *b, *c);
  if (area == 0) return false;
  if (area < 0) std::swap(*b, *c);
  out.column_begin = (int16_t)column_begin, out.column_end = (int16_t)column_end;
  out.row_begin = (int16_t)row_begin, out.row_end = (int16_t)row_end;
  return true;
}

template <class T>
T sample_position(int64_t index, int64_t size) {
  return (T)(2 * index + 1 - size) * (T)0.5;  // in pixels from the image centre
}

// The usual case: all three vertices have a place in the image.
template <class T>
bool make_ready(ReadyTriangle<T>& out, const ImageVertex<T>& a, const ImageVertex<T>& b, const ImageVertex<T>& c,
                int64_t height, int64_t width) {
  out.corner[0] = a.at, out.corner[1] = b.at, out.corner[2] = c.at;
  if (!place(out, height, width)) return false;
  Vec2<T> ab{b.x - a.x, b.y - a.y}, ac{c.x - a.x, c.y - a.y};
  T inverse = 1 / cross(ab, ac), to_b = b.depth - a.depth, to_c = c.depth - a.depth;
  out.depth_dx = (to_b * ac.y - to_c * ab.y) * inverse;
  out.depth_dy = (to_c * ab.x - to_b * ac.x) * inverse;
  if (!(std::fabs(out.depth_dx) < 1e9f && std::fabs(out.depth_dy) < 1e9f)) out.depth_dx = out.depth_dy = 0;
  out.depth = a.depth + out.depth_dx * (sample_position<T>(out.column_begin, width) - a.x) +
              out.depth_dy * (sample_position<T>(out.row_begin, height) - a.y);
  out.least_depth = min_of(a.depth, min_of(b.depth, c.depth));
  out.most_depth = max_of(a.depth, max_of(b.depth, c.depth));
  return true;
}

// A homogeneous polygon of at most 3 + 6 corners, cut in place by one plane after the other.
// Sutherland, Hodgman: Reentrant Polygon Clipping, 1974.
struct ClipPolygon {
  Vec4<double> corner[9];
  int size = 3;

  template <class Distance>
  void cut(const Distance& distance) {
    Vec4<double> kept[9];
    int count = 0;
    for (int i = 0; i < size; ++i) {
      const Vec4<double>&a = corner[i], &b = corner[i + 1 == size ? 0 : i + 1];
      double da = distance(a), db = distance(b);
      if (da >= 0) kept[count++] = a;
      // From the inner corner to the outer one, so that both triangles of an edge find the same point.
      if ((da >= 0) != (db >= 0)) kept[count++] = da >= 0 ? between(a, b, da / (da - db)) : between(b, a, db / (db - da));
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
void make_ready_clipped(const T* pos_clip, const int32_t* triangle, int32_t triangle_id, int64_t height, int64_t width,
                        std::vector<ReadyTriangle<T>>& out) {
  ClipPolygon polygon;
  Vec4<double> whole[3];
  for (int i = 0; i < 3; ++i) {
    Vec4<T> v = load4(pos_clip + 4 * (int64_t)triangle[i]);
    polygon.corner[i] = whole[i] = {(double)v.x, (double)v.y, (double)v.z, (double)v.w};
  }
  // A hair inside the guard band, since rounding to the grid must not leave it.
  double guard_x = (kGuardBand - 1.0) / (width * (double)kHalfPixel),
         guard_y = (kGuardBand - 1.0) / (height * (double)kHalfPixel);
  polygon.cut([](const Vec4<double>& v) { return v.z + v.w; });
  polygon.cut([](const Vec4<double>& v) { return v.w - 1e-30; });  // a vertex at the eye has no place in the image
  polygon.cut([&](const Vec4<double>& v) { return guard_x * v.w - v.x; });
  polygon.cut([&](const Vec4<double>& v) { return guard_x * v.w + v.x; });
  polygon.cut([&](const Vec4<double>& v) { return guard_y * v.w - v.y; });
  polygon.cut([&](const Vec4<double>& v) { return guard_y * v.w + v.y; });
  if (polygon.size < 3) return;
  Subpixel at[9];
  for (int i = 0; i < polygon.size; ++i) {
    const Vec4<double>& v = polygon.corner[i];
    at[i] = {(int32_t)std::lrint(v.x / v.w * (double)(width * kHalfPixel)),
             (int32_t)std::lrint(-v.y / v.w * (double)(height * kHalfPixel))};
  }
  for (int i = 1; i + 1 < polygon.size; ++i) {
    ReadyTriangle<T> ready;
    ready.corner[0] = at[0], ready.corner[1] = at[i], ready.corner[2] = at[i + 1];
    if (!place(ready, height, width)) continue;
    ready.triangle_id = triangle_id;
    double X = ndc_centre<double>(ready.column_begin, width), Y = -ndc_centre<double>(ready.row_begin, height);
    double depth = plane_depth(whole, X, Y);
    ready.depth = (T)depth;
    ready.depth_dx = (T)(plane_depth(whole, X + 2.0 / width, Y) - depth);
    ready.depth_dy = (T)(plane_depth(whole, X, Y - 2.0 / height) - depth);
    ready.least_depth = -1, ready.most_depth = (T)1e30;
    out.push_back(ready);
  }
}

}  // namespace intaglio
