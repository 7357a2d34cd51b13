// SPDX-License-Identifier: MIT
// uv along a run of pixels of one triangle in one row, and how fast it changes there: the edge functions are affine along it,
// so what interpolation and screen derivatives (interpolate.h) compute pixel by pixel takes a few sums here.
#pragma once
#include "triangle.h"

namespace intaglio {

template <class T>
struct UvRun {
  T e[3], step[3], sign;     // edge functions at the first pixel, their steps per pixel, and what made their sum positive
  T u, v, to_u[2], to_v[2];  // of corner 2, and from there to corners 0 and 1
  T u_x, u_y, v_x, v_y, sum_x, sum_y;  // steps of the edge functions' sums, weighted by uv and alone, per pixel of x and y
};

// `ndc_step` is a pixel to the right; (X, Y) the centre of the first pixel.
template <class T>
INTAGLIO_HD UvRun<T> uv_run(const Vec4<T> pos[3], const SeenTriangle<T>& s, Vec2<T> ndc_step, const T* const uv[3]) {
  UvRun<T> run;
  T e_x[3], e_y[3], sum = 0;
  run.sum_x = run.sum_y = 0;
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    run.e[i] = cross(s.p[j], s.p[k]);
    e_x[i] = (pos[k].w * s.p[j].y - pos[j].w * s.p[k].y) * ndc_step.x;
    e_y[i] = (pos[j].w * s.p[k].x - pos[k].w * s.p[j].x) * ndc_step.y;
    sum += run.e[i], run.sum_x += e_x[i], run.sum_y += e_y[i];
  }
  run.u = uv[2][0], run.v = uv[2][1];
  for (int i = 0; i < 2; ++i) run.to_u[i] = uv[i][0] - run.u, run.to_v[i] = uv[i][1] - run.v;
  run.u_x = e_x[0] * run.to_u[0] + e_x[1] * run.to_u[1], run.v_x = e_x[0] * run.to_v[0] + e_x[1] * run.to_v[1];
  run.u_y = e_y[0] * run.to_u[0] + e_y[1] * run.to_u[1], run.v_y = e_y[0] * run.to_v[0] + e_y[1] * run.to_v[1];
  run.sign = sum < 0 ? (T)-1 : (T)1;
  for (int i = 0; i < 3; ++i) run.e[i] *= run.sign, run.step[i] = e_x[i] * run.sign;
  run.u_x *= run.sign, run.v_x *= run.sign, run.sum_x *= run.sign;
  run.u_y *= run.sign, run.v_y *= run.sign, run.sum_y *= run.sign;
  return run;
}

// One pixel of a run.
template <class T>
struct UvPixel {
  T weight[3], inverse;   // of the corners; 1 over the sum of the edge functions, 0 where there is none
  T u, v, derivative[4];  // du/dx, du/dy, dv/dx, dv/dy per pixel
};

template <class T>
INTAGLIO_HD UvPixel<T> uv_at(const UvRun<T>& run, T pixel) {
  UvPixel<T> p;
  T e0 = run.e[0] + pixel * run.step[0], e1 = run.e[1] + pixel * run.step[1], e2 = run.e[2] + pixel * run.step[2];
  T f0 = max_of(e0, (T)0), f1 = max_of(e1, (T)0), f2 = max_of(e2, (T)0), sum = f0 + f1 + f2, inverse = 1 / sum;
  bool is_area = sum >= least_inverted<T>();
  p.inverse = sum >= least_divisor<T>() ? inverse : (T)0;
  p.weight[0] = is_area ? f0 * inverse : (T)1 / 3, p.weight[1] = is_area ? f1 * inverse : (T)1 / 3;
  p.weight[2] = is_area ? f2 * inverse : (T)1 / 3;
  p.u = run.u + (p.weight[0] * run.to_u[0] + p.weight[1] * run.to_u[1]);
  p.v = run.v + (p.weight[0] * run.to_v[0] + p.weight[1] * run.to_v[1]);
  // Derivatives are those of the triangle's plane, which weights leave where they are clamped.
  T plane = e0 + e1 + e2, per_plane = std::fabs(plane) >= least_divisor<T>() ? 1 / plane : (T)0;
  T du = (e0 * run.to_u[0] + e1 * run.to_u[1]) * per_plane, dv = (e0 * run.to_v[0] + e1 * run.to_v[1]) * per_plane;
  p.derivative[0] = (run.u_x - du * run.sum_x) * per_plane, p.derivative[1] = (run.u_y - du * run.sum_y) * per_plane;
  p.derivative[2] = (run.v_x - dv * run.sum_x) * per_plane, p.derivative[3] = (run.v_y - dv * run.sum_y) * per_plane;
  return p;
}

// Adds what a run passes on to the edge functions: their cotangents (barycentrics_vjp), and those times the pixel.
template <class T>
struct UvRunGradient {
  T edge[3] = {}, moment[3] = {};
};

template <class T>
INTAGLIO_HD void uv_at_vjp(const UvRun<T>& run, T pixel, const T weight[3], T inverse, T grad_u, T grad_v,
                           UvRunGradient<T>& grad) {
  T to_0 = grad_u * run.to_u[0] + grad_v * run.to_v[0], to_1 = grad_u * run.to_u[1] + grad_v * run.to_v[1];
  T mean = weight[0] * to_0 + weight[1] * to_1;
  T g0 = weight[0] > 0 ? (to_0 - mean) * inverse : (T)0, g1 = weight[1] > 0 ? (to_1 - mean) * inverse : (T)0,
    g2 = weight[2] > 0 ? -mean * inverse : (T)0;
  grad.edge[0] += g0, grad.edge[1] += g1, grad.edge[2] += g2;
  grad.moment[0] += pixel * g0, grad.moment[1] += pixel * g1, grad.moment[2] += pixel * g2;
}

// edge_functions_vjp over a whole run, whose points have one Y: p_j.x falls by w_j per X.
template <class T>
INTAGLIO_HD void uv_run_vjp(const UvRun<T>& run, const Vec4<T> pos[3], const SeenTriangle<T>& s, T X, T Y, T ndc_step,
                            const UvRunGradient<T>& grad, Vec4<T> grad_pos[3]) {
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    T g_j = grad.edge[j] * run.sign, g_k = grad.edge[k] * run.sign;
    T m_j = grad.moment[j] * run.sign * ndc_step, m_k = grad.moment[k] * run.sign * ndc_step;
    T g_x = g_k * s.p[j].y - g_j * s.p[k].y;
    T g_y = (g_j * s.p[k].x - m_j * pos[k].w) - (g_k * s.p[j].x - m_k * pos[j].w);
    grad_pos[i].x += g_x;
    grad_pos[i].y += g_y;
    grad_pos[i].w -= X * g_x + (m_k * s.p[j].y - m_j * s.p[k].y) + Y * g_y;
  }
}

}  // namespace intaglio
