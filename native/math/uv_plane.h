// SPDX-License-Identifier: MIT
// uv over the pixels of one triangle near one of them, the anchor, and how fast it changes there: the edge functions are affine
// in the image, so what interpolation and screen derivatives (interpolate.h) compute pixel by pixel takes a few sums here, and
// their cotangents a few moments.
#pragma once
#include "triangle.h"

namespace intaglio {

template <class T>
struct UvPlane {
  T e[3], e_x[3], e_y[3], sign;        // edge functions at the anchor, their steps per pixel, and what made their sum positive
  T u, v, to_u[2], to_v[2];            // of corner 2, and from there to corners 0 and 1
  T u_x, u_y, v_x, v_y, sum_x, sum_y;  // steps of the edge functions' sums, weighted by uv and alone, per pixel of x and y
};

// `ndc_step` is a pixel to the right and one down.
template <class T>
INTAGLIO_HD UvPlane<T> uv_plane(const Vec4<T> pos[3], const SeenTriangle<T>& s, Vec2<T> ndc_step, const T* const uv[3]) {
  UvPlane<T> p;
  T sum = 0;
  p.sum_x = p.sum_y = 0;
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    p.e[i] = cross(s.p[j], s.p[k]);
    p.e_x[i] = (pos[k].w * s.p[j].y - pos[j].w * s.p[k].y) * ndc_step.x;
    p.e_y[i] = (pos[j].w * s.p[k].x - pos[k].w * s.p[j].x) * ndc_step.y;
    sum += p.e[i];
  }
  p.sign = sum < 0 ? (T)-1 : (T)1;
  for (int i = 0; i < 3; ++i) {
    p.e[i] *= p.sign, p.e_x[i] *= p.sign, p.e_y[i] *= p.sign;
    p.sum_x += p.e_x[i], p.sum_y += p.e_y[i];
  }
  p.u = uv[2][0], p.v = uv[2][1];
  for (int i = 0; i < 2; ++i) p.to_u[i] = uv[i][0] - p.u, p.to_v[i] = uv[i][1] - p.v;
  p.u_x = p.e_x[0] * p.to_u[0] + p.e_x[1] * p.to_u[1], p.v_x = p.e_x[0] * p.to_v[0] + p.e_x[1] * p.to_v[1];
  p.u_y = p.e_y[0] * p.to_u[0] + p.e_y[1] * p.to_u[1], p.v_y = p.e_y[0] * p.to_v[0] + p.e_y[1] * p.to_v[1];
  return p;
}

// The edge functions of the row `down` pixels below the anchor, in its column.
template <class T>
struct UvRow {
  T e[3];
};

template <class T>
INTAGLIO_HD_INLINE UvRow<T> uv_row(const UvPlane<T>& p, T down) {
  return {{p.e[0] + down * p.e_y[0], p.e[1] + down * p.e_y[1], p.e[2] + down * p.e_y[2]}};
}

// Those `across` pixels right of the anchor's column.
template <class T>
INTAGLIO_HD_INLINE Vec3<T> uv_edges(const UvPlane<T>& p, const UvRow<T>& row, T across) {
  return {row.e[0] + across * p.e_x[0], row.e[1] + across * p.e_x[1], row.e[2] + across * p.e_x[2]};
}

// Clamped to the triangle, their sum and one over it, which means nothing unless there is an area.
template <class T>
struct UvShares {
  Vec3<T> f;
  T sum, inverse;
  bool is_area;
};

template <class T>
INTAGLIO_HD_INLINE UvShares<T> uv_shares(const Vec3<T>& e) {
  const Vec3<T> f{max_of(e.x, (T)0), max_of(e.y, (T)0), max_of(e.z, (T)0)};
  const T sum = f.x + f.y + f.z;
  return {f, sum, 1 / sum, sum >= least_inverted<T>()};
}

// The corners' weights at a pixel of a row.
template <class T>
struct UvWeights {
  T weight[3], inverse;  // inverse: 1 over the sum of the clamped edge functions, 0 where there is none
};

template <class T>
INTAGLIO_HD_INLINE UvWeights<T> uv_weights(const UvPlane<T>& p, const UvRow<T>& row, T across) {
  const UvShares<T> s = uv_shares(uv_edges(p, row, across));
  UvWeights<T> at;
  at.inverse = s.sum >= least_divisor<T>() ? s.inverse : (T)0;
  at.weight[0] = s.is_area ? s.f.x * s.inverse : (T)1 / 3, at.weight[1] = s.is_area ? s.f.y * s.inverse : (T)1 / 3;
  at.weight[2] = s.is_area ? s.f.z * s.inverse : (T)1 / 3;
  return at;
}

// One pixel of a row.
template <class T>
struct UvPixel {
  T u, v, derivative[4];  // du/dx, du/dy, dv/dx, dv/dy per pixel
};

// How uv change where they are (du, dv) from those of corner 2, and the edge functions' sum is 1 / per_sum.
template <class T>
INTAGLIO_HD_INLINE void uv_slopes(const UvPlane<T>& p, T du, T dv, T per_sum, T derivative[4]) {
  derivative[0] = (p.u_x - du * p.sum_x) * per_sum, derivative[1] = (p.u_y - du * p.sum_y) * per_sum;
  derivative[2] = (p.v_x - dv * p.sum_x) * per_sum, derivative[3] = (p.v_y - dv * p.sum_y) * per_sum;
}

template <class T>
INTAGLIO_HD_INLINE UvPixel<T> uv_at(const UvPlane<T>& p, const UvRow<T>& row, T across) {
  const Vec3<T> e = uv_edges(p, row, across);
  const UvShares<T> s = uv_shares(e);
  UvPixel<T> at;
  at.u = p.u + (s.is_area ? (s.f.x * p.to_u[0] + s.f.y * p.to_u[1]) * s.inverse : (p.to_u[0] + p.to_u[1]) / 3);
  at.v = p.v + (s.is_area ? (s.f.x * p.to_v[0] + s.f.y * p.to_v[1]) * s.inverse : (p.to_v[0] + p.to_v[1]) / 3);
  // Derivatives are those of the triangle's plane, which weights leave where they are clamped.
  T plane = e.x + e.y + e.z, per_plane = std::fabs(plane) >= least_divisor<T>() ? 1 / plane : (T)0;
  T du = (e.x * p.to_u[0] + e.y * p.to_u[1]) * per_plane, dv = (e.x * p.to_v[0] + e.y * p.to_v[1]) * per_plane;
  uv_slopes(p, du, dv, per_plane, at.derivative);
  return at;
}

// The same bits, of a pixel within the triangle: no edge function is negative, and their sum can be divided by. `margin` is
// negative, or NaN, where that is not so.
template <class T>
INTAGLIO_HD_INLINE UvPixel<T> uv_within(const UvPlane<T>& p, const UvRow<T>& row, T across, T& margin) {
  const Vec3<T> e = uv_edges(p, row, across);
  UvPixel<T> at;
  T sum = e.x + e.y + e.z, inverse = 1 / sum;
  T du = (e.x * p.to_u[0] + e.y * p.to_u[1]) * inverse, dv = (e.x * p.to_v[0] + e.y * p.to_v[1]) * inverse;
  at.u = p.u + du, at.v = p.v + dv;
  uv_slopes(p, du, dv, inverse, at.derivative);
  T least = min_of(e.x, min_of(e.y, e.z)), room = sum - least_divisor<T>();
  margin = least < room ? least : room;
  return at;
}

// What a pixel's uv passes on to the edge functions there: the cotangents of barycentrics_vjp. Clamped weights pass nothing on.
template <class T>
INTAGLIO_HD_INLINE Vec3<T> uv_at_vjp(const UvPlane<T>& p, const UvWeights<T>& at, T grad_u, T grad_v) {
  const T *weight = at.weight, inverse = at.inverse;
  T to_0 = grad_u * p.to_u[0] + grad_v * p.to_v[0], to_1 = grad_u * p.to_u[1] + grad_v * p.to_v[1];
  T mean = weight[0] * to_0 + weight[1] * to_1;
  return {weight[0] > 0 ? (to_0 - mean) * inverse : (T)0, weight[1] > 0 ? (to_1 - mean) * inverse : (T)0,
          weight[2] > 0 ? -mean * inverse : (T)0};
}

// Sums over pixels of the edge functions' cotangents, and of those times the pixel's distance from the anchor.
template <class T>
struct UvPlaneGradient {
  T edge[3], across[3], down[3];
};

// edge_functions_vjp over many pixels of the triangle that was seen from the anchor's (X, Y): p_j falls by w_j per X and per Y.
// The products of both distances cancel.
template <class T>
INTAGLIO_HD void uv_plane_vjp(const UvPlane<T>& p, const Vec4<T> pos[3], const SeenTriangle<T>& s, Vec2<T> anchor,
                              Vec2<T> ndc_step, const UvPlaneGradient<T>& grad, Vec4<T> grad_pos[3]) {
  const T step_x = p.sign * ndc_step.x, step_y = p.sign * ndc_step.y;
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    T g_j = grad.edge[j] * p.sign, g_k = grad.edge[k] * p.sign;
    T x_j = grad.across[j] * step_x, x_k = grad.across[k] * step_x, y_j = grad.down[j] * step_y, y_k = grad.down[k] * step_y;
    T g_x = (g_k * s.p[j].y - y_k * pos[j].w) - (g_j * s.p[k].y - y_j * pos[k].w);
    T g_y = (g_j * s.p[k].x - x_j * pos[k].w) - (g_k * s.p[j].x - x_k * pos[j].w);
    grad_pos[i].x += g_x;
    grad_pos[i].y += g_y;
    grad_pos[i].w -=
        (anchor.x * g_x + (x_k * s.p[j].y - x_j * s.p[k].y)) + (anchor.y * g_y + (y_j * s.p[k].x - y_k * s.p[j].x));
  }
}

}  // namespace intaglio
