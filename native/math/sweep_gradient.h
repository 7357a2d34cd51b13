// SPDX-License-Identifier: MIT
// The gradient of Kato, Ushiku, Harada: Neural 3D Mesh Renderer, CVPR 2018: for every edge and every line of pixels across it,
// the edge is swept outwards to the border of the image and inwards through its triangle; a pixel that would gain by the
// change pulls on the edge with its gain over its distance (section 3.1 and backward_pixel_map of the published code).
//
// Pixels are counted as there, y upwards, integers at their centres. For axis 0 a "line" is a column and a "place" a pixel of
// it, counted upwards; for axis 1 a line is a row and a place a column. The vertices move along the places.
#pragma once
#include "vec.h"

namespace intaglio {

// Vertices in pixel coordinates: x = (width ndc + width - 1) / 2, y alike. Whether an edge has passed a pixel is decided here:
// S is double where positions are our own, and float, in the original's order of operations, where its images are to be met.
template <class S>
INTAGLIO_HD S sweep_coordinate(S ndc, int64_t size) {
  return (ndc * (S)size + (S)size - 1) * (S)0.5;
}

// Corners in those coordinates, counter-clockwise; `order` says which is which. False if one lies behind the eye.
template <class T>
INTAGLIO_HD bool sweep_corners(const Vec4<T> v[3], int64_t height, int64_t width, Vec2<double> pixel[3], int order[3]) {
  for (int i = 0; i < 3; ++i) {
    if (!(v[i].w > 0)) return false;
    pixel[i] = {sweep_coordinate((double)v[i].x / v[i].w, width), sweep_coordinate((double)v[i].y / v[i].w, height)};
    order[i] = i;
  }
  Vec2<double> ab{pixel[1].x - pixel[0].x, pixel[1].y - pixel[0].y}, ac{pixel[2].x - pixel[0].x, pixel[2].y - pixel[0].y};
  if (cross(ab, ac) < 0) {
    Vec2<double> first = pixel[0];
    pixel[0] = pixel[2], pixel[2] = first;
    order[0] = 2, order[2] = 0;
  }
  return true;
}

// The cotangent of a corner's ndc carried through the perspective division.
template <class T>
INTAGLIO_HD Vec4<T> sweep_corner_vjp(Vec4<T> v, double grad_x, double grad_y) {
  if (grad_x == 0 && grad_y == 0) return {0, 0, 0, 0};  // a vertex in the plane of the eye, among others
  double w = v.w;
  return {(T)(grad_x / w), (T)(grad_y / w), 0, -(T)((grad_x * v.x + grad_y * v.y) / (w * w))};
}

// Where a place of a line stands in the image, whose row 0 is the top.
INTAGLIO_HD int64_t sweep_pixel(int axis, int64_t line, int64_t place, int64_t height, int64_t width) {
  return axis == 0 ? (height - 1 - place) * width + line : (height - 1 - line) * width + place;
}

// A directed edge a -> b of a triangle whose corners turn counter-clockwise, and the third corner c.
template <class S>
struct SweepEdge {
  S a_line, a_place, b_line, b_place, c_line, c_place;
  int out;  // from the triangle to its outside, along the places
};

template <class S>
INTAGLIO_HD SweepEdge<S> sweep_edge(const Vec2<S> pixel[3], int edge, int axis) {
  Vec2<S> a = pixel[edge], b = pixel[(edge + 1) % 3], c = pixel[(edge + 2) % 3];
  if (axis == 0) return {a.x, a.y, b.x, b.y, c.x, c.y, a.x < b.x ? -1 : 1};
  return {a.y, a.x, b.y, b.x, c.y, c.x, a.y < b.y ? 1 : -1};
}

// The lines that cross the edge, from first to last.
struct SweepLines {
  int64_t first, last;
};

// The upper bound is cut towards zero as the original's conversion to int does: an edge that ends in (-1, 0) is continued to
// line 0.
template <class S>
INTAGLIO_HD SweepLines sweep_lines(const SweepEdge<S>& e, int64_t num_lines) {
  double low = std::ceil(min_of(e.a_line, e.b_line)), high = std::trunc(max_of(e.a_line, e.b_line));
  return {(int64_t)clamp(low, 0.0, (double)num_lines), (int64_t)clamp(high, -1.0, (double)(num_lines - 1))};
}

// The edge on one line: where it cuts the line, the pixels before and behind the cut, and how far each vertex must move (in
// ndc) per pixel that the cut moves; infinite for a vertex that does not move the cut.
template <class S>
struct SweepCut {
  bool exists;
  S cut;
  int64_t inner, outer;
  S reach[2];
};

template <class S>
INTAGLIO_HD SweepCut<S> sweep_cut(const SweepEdge<S>& e, int64_t line, int64_t num_places) {
  SweepCut<S> s;
  S run = e.b_line - e.a_line, at = (S)line;
  s.cut = (e.b_place - e.a_place) / run * (at - e.a_line) + e.a_place;
  S inner = e.out > 0 ? std::floor(s.cut) : std::ceil(s.cut), outer = inner + (S)e.out, last = (S)(num_places - 1);
  s.exists = inner >= 0 && inner <= last && outer >= 0 && outer <= last;  // no for NaN: an edge along its line
  if (!s.exists) return s;
  s.inner = (int64_t)inner, s.outer = (int64_t)outer;
  S unit = 2 / (S)num_places;
  s.reach[0] = e.b_line != at ? run / (e.b_line - at) * unit : (S)INFINITY;
  s.reach[1] = e.a_line != at ? run / (at - e.a_line) * unit : (S)INFINITY;
  return s;
}

// Where the line leaves the triangle on its other side, as a pixel of the line. Where that side lies along the line it is
// undefined, and becomes 0 as in the original's conversion to int.
template <class S>
INTAGLIO_HD int64_t sweep_far_end(const SweepEdge<S>& e, int64_t line, int64_t num_places) {
  S at = (S)line, far;
  if ((at - e.a_line) * (at - e.c_line) < 0)
    far = (e.c_place - e.a_place) / (e.c_line - e.a_line) * (at - e.a_line) + e.a_place;
  else
    far = (e.b_place - e.c_place) / (e.b_line - e.c_line) * (at - e.c_line) + e.c_place;
  far = e.out > 0 ? std::ceil(far) : std::floor(far);
  return (int64_t)clamp(far, (S)0, (S)(num_places - 1));
}

// What a step towards a pixel is divided by: its distance in the motion of a vertex, kept away from zero by eps.
template <class T>
INTAGLIO_HD T sweep_distance(T reach, T from_cut, T eps) {
  T distance = reach * from_cut;
  return distance > 0 ? distance + eps : distance - eps;
}

// What the loss gains if the pixel takes another colour.
template <class T, class Channels>
INTAGLIO_HD T sweep_gain(const T* color, const T* grad, const T* other, Channels channels) {
  T gain = 0;
  for (int64_t c = 0; c < channels; ++c) gain += (color[c] - other[c]) * grad[c];
  return gain;
}

}  // namespace intaglio
