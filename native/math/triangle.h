// SPDX-License-Identifier: MIT
// Triangles in the image: the sub-pixel grid on which coverage is decided, and the homogeneous barycentrics from which
// values are computed.
//
// Decisions are integers, values are floats: who covers a pixel depends on snapped positions alone, so that a shared
// edge is covered exactly once; barycentrics and depth use unsnapped positions, so that they are differentiable.
// Olano, Greer: Triangle Scan Conversion using 2D Homogeneous Coordinates, 1997.
#pragma once
#include "vec.h"

namespace intaglio {

// The grid: 256 steps per pixel, origin at the image centre, x right, y down. Pixel centres are then exact for every size.
constexpr int kSubpixels = 256;
constexpr int kHalfPixel = kSubpixels / 2;
// Positions up to this far from the image centre (32768 pixels) are used as they are; farther ones are clipped first.
// It bounds every edge function over 64 pixels below 2^31 (cpu/draw.cpp).
constexpr int32_t kGuardBand = 1 << 23;
// The sub-pixel position of a vertex that has none: behind the near plane or outside the guard band.
constexpr int32_t kUnsnapped = INT32_MIN;

struct Subpixel {
  int32_t x, y;
  INTAGLIO_HD bool valid() const { return x != kUnsnapped; }
};

INTAGLIO_HD int32_t pixel_centre(int64_t index, int64_t size) {
  return (int32_t)((2 * index + 1 - size) * kHalfPixel);
}

// The centre of pixel `index` of `size` in normalized device coordinates, growing with the index.
template <class T>
INTAGLIO_HD T ndc_centre(int64_t index, int64_t size) {
  return (T)(2 * index + 1 - size) / (T)size;
}

template <class T>
INTAGLIO_HD bool inside_guard_band(T x, T y) {
  return std::fabs(x) <= (T)kGuardBand && std::fabs(y) <= (T)kGuardBand;  // false for NaN
}

// The sub-pixel position of a clip-space vertex.
template <class T>
INTAGLIO_HD Subpixel snap(Vec4<T> v, int64_t height, int64_t width) {
  if (!(v.w > 0) || !(v.z >= -v.w)) return {kUnsnapped, 0};
  T x = v.x / v.w * (T)(width * kHalfPixel), y = -v.y / v.w * (T)(height * kHalfPixel);
  if (!inside_guard_band(x, y)) return {kUnsnapped, 0};
  return {(int32_t)std::lrint(x), (int32_t)std::lrint(y)};
}

// Twice the signed area on the grid: positive when a, b, c turn clockwise as seen (y points down).
INTAGLIO_HD int64_t area_twice(Subpixel a, Subpixel b, Subpixel c) {
  return (int64_t)(b.x - a.x) * (c.y - a.y) - (int64_t)(b.y - a.y) * (c.x - a.x);
}

template <class T>
INTAGLIO_HD void load_triangle(const T* pos_clip, const int32_t* triangles, int32_t triangle_id, Vec4<T> v[3]) {
  for (int i = 0; i < 3; ++i) v[i] = load4(pos_clip + 4 * (int64_t)triangles[3 * (int64_t)triangle_id + i]);
}

// A triangle of clip-space vertices as seen from one point (X, Y) of the image in ndc: vertex i moved to (x - X w, y - Y w).
// The edge functions below are cross products of these small vectors: nothing cancels, however small the triangle.
template <class T>
struct SeenTriangle {
  Vec2<T> p[3];
};

template <class T>
INTAGLIO_HD SeenTriangle<T> seen_from(const Vec4<T> v[3], T X, T Y) {
  SeenTriangle<T> s;
  for (int i = 0; i < 3; ++i) s.p[i] = {v[i].x - X * v[i].w, v[i].y - Y * v[i].w};
  return s;
}

template <class T>
INTAGLIO_HD T largest_of(const Vec4<T> v[3]) {
  T largest = 0;
  for (int i = 0; i < 3; ++i)
    largest = max_of(largest, max_of(std::fabs(v[i].x), max_of(std::fabs(v[i].y), std::fabs(v[i].w))));
  return largest;
}

// So large that products of three such numbers overflow, or so small that they vanish. Gradients are left out: nothing that
// moves a huge triangle moves its weights, and those of a minute one would lead beyond all numbers.
template <class T>
INTAGLIO_HD bool is_extreme(const Vec4<T> v[3]) {
  T largest = largest_of(v);
  return largest > (sizeof(T) == 4 ? (T)1e12 : (T)1e100) || largest < (sizeof(T) == 4 ? (T)1e-15 : (T)1e-140);
}

// Weights do not change when the whole triangle is scaled: to a size whose products neither overflow nor vanish.
template <class T>
INTAGLIO_HD void make_moderate(Vec4<T> v[3]) {
  if (!is_extreme(v)) return;
  constexpr bool kSingle = sizeof(T) == 4;
  T scale = largest_of(v) > 1 ? (kSingle ? (T)1e-20 : (T)1e-160) : (kSingle ? (T)1e28 : (T)1e200);
  for (int i = 0; i < 3; ++i) v[i] = {v[i].x * scale, v[i].y * scale, v[i].z * scale, v[i].w * scale};
}

// The least number with an inverse.
template <class T>
INTAGLIO_HD T least_inverted() {
  return sizeof(T) == 4 ? (T)1.2e-38 : (T)2.3e-308;
}

// A sum of products below this cannot be divided by: the quotients, or gradients through them, would not be finite.
template <class T>
INTAGLIO_HD T least_divisor() {
  return sizeof(T) == 4 ? (T)1e-30 : (T)1e-280;
}

// The three homogeneous edge functions: edge[i] is proportional to the weight of vertex i, perspective included.
template <class T>
struct EdgeFunctions {
  T e[3];
  T sum, sign;  // sign: what made the unclamped sum positive
};

// Centres that snapping put into a triangle may lie a hair outside its unsnapped self: weights are clamped to the triangle.
template <class T>
INTAGLIO_HD EdgeFunctions<T> edge_functions(const SeenTriangle<T>& s) {
  EdgeFunctions<T> f;
  T e0 = cross(s.p[1], s.p[2]), e1 = cross(s.p[2], s.p[0]), e2 = cross(s.p[0], s.p[1]);
  T sign = f.sign = e0 + e1 + e2 < 0 ? (T)-1 : (T)1;
  f.e[0] = max_of(sign * e0, (T)0), f.e[1] = max_of(sign * e1, (T)0), f.e[2] = max_of(sign * e2, (T)0);
  f.sum = f.e[0] + f.e[1] + f.e[2];
  return f;
}

// Perspective-correct weights of vertices 0 and 1 from edge functions of positive sum; a triangle without area gives thirds.
template <class T>
INTAGLIO_HD Vec2<T> weights_of(T e0, T e1, T e2) {
  T f0 = max_of(e0, (T)0), f1 = max_of(e1, (T)0), f2 = max_of(e2, (T)0);
  T sum = f0 + f1 + f2, inverse = 1 / sum;
  bool has_area = sum >= least_inverted<T>();
  return {has_area ? f0 * inverse : (T)1 / 3, has_area ? f1 * inverse : (T)1 / 3};
}

// The edge functions at (X, Y) and their steps when X grows by `step`: they are affine.
template <class T>
struct EdgeSteps {
  T e[3], d[3];
};

template <class T>
INTAGLIO_HD EdgeSteps<T> edge_steps(const Vec4<T> v[3], T X, T Y, T step) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  T e0 = cross(s.p[1], s.p[2]), e1 = cross(s.p[2], s.p[0]), e2 = cross(s.p[0], s.p[1]);
  T sign = e0 + e1 + e2 < 0 ? (T)-1 : (T)1;
  return {{e0 * sign, e1 * sign, e2 * sign},
          {(v[2].w * s.p[1].y - v[1].w * s.p[2].y) * step * sign, (v[0].w * s.p[2].y - v[2].w * s.p[0].y) * step * sign,
           (v[1].w * s.p[0].y - v[0].w * s.p[1].y) * step * sign}};
}

// Cotangent of the edge functions carried to the vertices. `grad_edge` belongs to the unclamped, signed functions.
template <class T>
INTAGLIO_HD void edge_functions_vjp(const SeenTriangle<T>& s, T X, T Y, const T grad_edge[3], Vec4<T> grad_v[3]) {
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;  // edge i = cross(p_j, p_k), so p_i stands in edges k (first) and j (second)
    T gx = grad_edge[k] * s.p[j].y - grad_edge[j] * s.p[k].y;
    T gy = grad_edge[j] * s.p[k].x - grad_edge[k] * s.p[j].x;
    grad_v[i].x += gx;
    grad_v[i].y += gy;
    grad_v[i].w -= X * gx + Y * gy;
  }
}

// Clamped weights pass nothing on.
template <class T>
INTAGLIO_HD void barycentrics_vjp(const Vec4<T> v[3], T X, T Y, Vec2<T> grad_weights, Vec4<T> grad_v[3]) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  EdgeFunctions<T> f = edge_functions(s);
  if (!(f.sum >= least_divisor<T>()) || is_extreme(v)) return;
  T inverse = f.sign / f.sum;
  T mean = (grad_weights.x * f.e[0] + grad_weights.y * f.e[1]) / f.sum;
  T grad_edge[3] = {f.e[0] > 0 ? (grad_weights.x - mean) * inverse : (T)0,
                    f.e[1] > 0 ? (grad_weights.y - mean) * inverse : (T)0, f.e[2] > 0 ? -mean * inverse : (T)0};
  edge_functions_vjp(s, X, Y, grad_edge, grad_v);
}

// z / w of the triangle's plane at (X, Y): with the weights above, sum(e z) / sum(e w), which is affine in (X, Y).
// Unclamped, so that it also extends the plane beyond the triangle.
template <class T>
INTAGLIO_HD T plane_depth(const Vec4<T> v[3], T X, T Y) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  T e[3] = {cross(s.p[1], s.p[2]), cross(s.p[2], s.p[0]), cross(s.p[0], s.p[1])};
  T w = e[0] * v[0].w + e[1] * v[1].w + e[2] * v[2].w;
  return w == 0 ? (T)0 : (e[0] * v[0].z + e[1] * v[1].z + e[2] * v[2].z) / w;
}

// Its derivative with respect to X and Y: moving the point by dX moves p_j by -w_j dX, and sum(e w) does not change.
template <class T>
INTAGLIO_HD Vec2<T> plane_depth_slope(const Vec4<T> v[3], T X, T Y) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  T w = 0;
  Vec2<T> slope{0, 0};
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    w += cross(s.p[j], s.p[k]) * v[i].w;
    slope.x += v[i].z * (v[k].w * s.p[j].y - v[j].w * s.p[k].y);
    slope.y += v[i].z * (v[j].w * s.p[k].x - v[k].w * s.p[j].x);
  }
  return w == 0 ? Vec2<T>{0, 0} : Vec2<T>{slope.x / w, slope.y / w};
}

template <class T>
INTAGLIO_HD void plane_depth_vjp(const Vec4<T> v[3], T X, T Y, T grad_depth, Vec4<T> grad_v[3]) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  T e[3] = {cross(s.p[1], s.p[2]), cross(s.p[2], s.p[0]), cross(s.p[0], s.p[1])};
  T w = e[0] * v[0].w + e[1] * v[1].w + e[2] * v[2].w;
  if (!(std::fabs(w) >= least_divisor<T>()) || is_extreme(v)) return;
  T depth = (e[0] * v[0].z + e[1] * v[1].z + e[2] * v[2].z) / w, scale = grad_depth / w;
  T grad_edge[3];
  for (int i = 0; i < 3; ++i) {
    grad_edge[i] = scale * (v[i].z - depth * v[i].w);
    grad_v[i].z += scale * e[i];
    grad_v[i].w -= scale * depth * e[i];
  }
  edge_functions_vjp(s, X, Y, grad_edge, grad_v);
}

}  // namespace intaglio
