// SPDX-License-Identifier: MIT
// From three vertices to a triangle that is ready to be drawn: its place on the grid, the samples that it may cover, the plane
// of its depth; and the real clipping of those that reach behind the near plane or beyond the guard band.
#pragma once
#include "triangle.h"

namespace intaglio {

// The unsnapped place of a vertex, in pixels from the image centre (y down), and its depth. Means nothing where the vertex has
// no place on the grid.
template <class T>
struct ImagePoint {
  T x, y, depth;
};

template <class T>
INTAGLIO_HD ImagePoint<T> image_point(Vec4<T> v, int64_t height, int64_t width) {
  T inverse = 1 / v.w;
  return {v.x * inverse * (T)0.5 * (T)width, -v.y * inverse * (T)0.5 * (T)height, v.z * inverse};
}

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
INTAGLIO_HD int32_t first_sample(int32_t x, int32_t size) {
  return (x + (size - 1) * kHalfPixel + kSubpixels - 1) >> 8;
}

// The samples of the bounding box of `corner`; false where there are none, the triangle has no area, or shows a side that is
// not drawn. Corners are put into the order of positive area, which is that of a back face: y points down.
template <class T>
INTAGLIO_HD_INLINE bool place(ReadyTriangle<T>& out, Subpixel a, Subpixel b, Subpixel c, bool cull_backfaces, int32_t height,
                              int32_t width) {
  const int64_t area = area_twice(a, b, c);
  if (area == 0 || (cull_backfaces && area > 0)) return false;
  int32_t least_x = min_of(a.x, min_of(b.x, c.x)), most_x = max_of(a.x, max_of(b.x, c.x));
  int32_t column_begin = max_of(first_sample(least_x, width), 0);
  int32_t column_end = min_of(first_sample(most_x + 1, width), width);
  int32_t least_y = min_of(a.y, min_of(b.y, c.y)), most_y = max_of(a.y, max_of(b.y, c.y));
  int32_t row_begin = max_of(first_sample(least_y, height), 0);
  int32_t row_end = min_of(first_sample(most_y + 1, height), height);
  if ((column_begin >= column_end) | (row_begin >= row_end)) return false;
  out.corner[0] = a, out.corner[1] = area < 0 ? c : b, out.corner[2] = area < 0 ? b : c;
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

  INTAGLIO_HD int64_t at(Subpixel p) const { return dx * (p.y - a.y) - dy * (p.x - a.x) - (top_left ? 0 : 1); }
};

INTAGLIO_HD GridEdge grid_edge(Subpixel a, Subpixel b) {
  int64_t dx = b.x - a.x, dy = b.y - a.y;
  return {dx, dy, a, dy < 0 || (dy == 0 && dx > 0)};
}

// Triangles with a box of so few samples, most of a dense mesh, are drawn from a mask of the samples that they cover.
constexpr int kFewColumns = 4, kFewRows = 4;

template <class T>
INTAGLIO_HD bool has_few_samples(const ReadyTriangle<T>& t) {
  return (t.column_end - t.column_begin <= kFewColumns) & (t.row_end - t.row_begin <= kFewRows);
}

// Bit 4 y + x: the sample x columns and y rows from the first of the box.
template <class T>
INTAGLIO_HD_INLINE uint16_t covered_samples(const ReadyTriangle<T>& t, int64_t height, int64_t width) {
  Subpixel first{pixel_centre(t.column_begin, width), pixel_centre(t.row_begin, height)};
  const GridEdge edge[3] = {grid_edge(t.corner[0], t.corner[1]), grid_edge(t.corner[1], t.corner[2]),
                            grid_edge(t.corner[2], t.corner[0])};
  const int64_t at_first[3] = {edge[0].at(first), edge[1].at(first), edge[2].at(first)};
  const int num_columns = t.column_end - t.column_begin, num_rows = t.row_end - t.row_begin;
  if (num_columns * num_rows == 1) return (at_first[0] | at_first[1] | at_first[2]) >= 0;
  int32_t e[3], dx[3], dy[3];
  for (int k = 0; k < 3; ++k) {
    // In steps of a pixel, as in drawing; so few of them do not change a sign from as far away as this.
    constexpr int64_t kFar = 1 << 30;
    e[k] = (int32_t)min_of(max_of(at_first[k] >> 8, -kFar), kFar), dx[k] = (int32_t)edge[k].dx, dy[k] = (int32_t)edge[k].dy;
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
INTAGLIO_HD T sample_position(int64_t index, int64_t size) {
  return (T)(2 * index + 1 - size) * (T)0.5;  // in pixels from the image centre
}

// The usual case: all three vertices have a place in the image, `corner` on the grid and `point` unsnapped. False if no sample
// can be covered.
template <class T>
INTAGLIO_HD_INLINE bool make_ready(const Subpixel corner[3], const ImagePoint<T>& a, const ImagePoint<T>& b,
                                   const ImagePoint<T>& c, int32_t triangle_id, bool cull_backfaces, int64_t height,
                                   int64_t width, ReadyTriangle<T>& out) {
  if (!place(out, corner[0], corner[1], corner[2], cull_backfaces, (int32_t)height, (int32_t)width)) return false;
  out.covered = 0;
  if (has_few_samples(out) && (out.covered = covered_samples(out, height, width)) == 0) return false;
  out.triangle_id = triangle_id;
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

// The depth of a sample, relative to the triangle's own first one, so that no tile changes it.
template <class T>
INTAGLIO_HD_INLINE T depth_of_row(const ReadyTriangle<T>& t, int row) {
  return t.depth + t.depth_dy * (T)(row - t.row_begin);
}

template <class T>
INTAGLIO_HD_INLINE T depth_of_sample(const ReadyTriangle<T>& t, T row_depth, T column_offset) {
  T depth = row_depth + t.depth_dx * column_offset;
  depth = depth < t.least_depth ? t.least_depth : depth;
  return depth > t.most_depth ? t.most_depth : depth;
}

// Whether a triangle is behind what an earlier layer shows. Depths are the same bits at every drawing, so a triangle is never
// behind itself; what clipping left of one may be drawn in pieces, which count as one.
template <class T>
INTAGLIO_HD_INLINE bool is_behind(T depth, int32_t triangle_id, T before, int32_t before_id) {
  return ((depth > before) & (triangle_id != before_id)) | ((depth == before) & (triangle_id > before_id));
}

constexpr int kMaxFan = 7;  // triangles that six planes leave of one

INTAGLIO_HD Vec4<double> between(const Vec4<double>& a, const Vec4<double>& b, double t) {
  return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y), a.z + t * (b.z - a.z), a.w + t * (b.w - a.w)};
}

// A homogeneous polygon of at most 3 + 6 corners, cut in place by one plane after the other.
// Sutherland, Hodgman: Reentrant Polygon Clipping, 1974.
struct ClipPolygon {
  Vec4<double> corner[kMaxFan + 2];
  int size = 3;

  // Keeps where distance >= 0. `settle` puts a new corner exactly onto the plane, however large the coordinates were.
  template <class Distance, class Settle>
  INTAGLIO_HD void cut(const Distance& distance, const Settle& settle) {
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
    for (int i = 0; i < count; ++i) corner[i] = kept[i];
    size = count;
  }
};

// The rare case: a vertex behind the near plane or beyond the guard band. What is left of the triangle is put into `out`, room
// for kMaxFan, as a fan that keeps its id and its depth plane; every value is later computed from the whole triangle, in
// homogeneous coordinates. Returns how many there are.
template <class T>
INTAGLIO_HD int64_t make_ready_clipped(const Vec4<T> v[3], int32_t triangle_id, bool cull_backfaces, int64_t height,
                                       int64_t width, ReadyTriangle<T>* out) {
  ClipPolygon polygon;
  Vec4<double> whole[3];
  for (int i = 0; i < 3; ++i) polygon.corner[i] = whole[i] = {(double)v[i].x, (double)v[i].y, (double)v[i].z, (double)v[i].w};
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
  if (polygon.size < 3) return 0;
  Subpixel at[kMaxFan + 2];
  for (int i = 0; i < polygon.size; ++i) {
    const Vec4<double>& v = polygon.corner[i];
    at[i] = {(int32_t)std::lrint(v.x / v.w * (double)(width * kHalfPixel)),
             (int32_t)std::lrint(-v.y / v.w * (double)(height * kHalfPixel))};
  }
  int64_t count = 0;
  for (int i = 1; i + 1 < polygon.size; ++i) {
    ReadyTriangle<T> ready;
    if (!place(ready, at[0], at[i], at[i + 1], cull_backfaces, (int32_t)height, (int32_t)width)) continue;
    ready.triangle_id = triangle_id;
    ready.covered = has_few_samples(ready) ? covered_samples(ready, height, width) : 0;
    double X = ndc_centre<double>(ready.column_begin, width), Y = -ndc_centre<double>(ready.row_begin, height);
    Vec2<double> slope = plane_depth_slope(whole, X, Y);
    ready.depth = (T)plane_depth(whole, X, Y);
    ready.depth_dx = (T)(slope.x * 2 / (double)width), ready.depth_dy = (T)(slope.y * -2 / (double)height);
    ready.least_depth = -1, ready.most_depth = (T)1e30;
    out[count++] = ready;
  }
  return count;
}

}  // namespace intaglio
