// SPDX-License-Identifier: MIT
// Attributes inside a triangle: the weighted sum of its corners, per channel.
#pragma once
#include "triangle.h"

namespace intaglio {

template <class T>
INTAGLIO_HD void interpolate(Vec2<T> weights, const T* const corner[3], int64_t channels, T* out) {
  T third = 1 - weights.x - weights.y;
  for (int64_t c = 0; c < channels; ++c) out[c] = weights.x * corner[0][c] + weights.y * corner[1][c] + third * corner[2][c];
}

// Adds to grad_corner, whose pointers may be null; returns the cotangent of the weights.
template <class T>
INTAGLIO_HD Vec2<T> interpolate_vjp(Vec2<T> weights, const T* const corner[3], int64_t channels, const T* grad_out,
                                    T* const grad_corner[3]) {
  T third = 1 - weights.x - weights.y;
  Vec2<T> grad_weights{0, 0};
  for (int64_t c = 0; c < channels; ++c) {
    T g = grad_out[c];
    grad_weights.x += g * (corner[0][c] - corner[2][c]);
    grad_weights.y += g * (corner[1][c] - corner[2][c]);
    if (grad_corner[0]) {
      grad_corner[0][c] += weights.x * g;
      grad_corner[1][c] += weights.y * g;
      grad_corner[2][c] += third * g;
    }
  }
  return grad_weights;
}

// d weights / d (x, y) in pixels, for vertices 0 and 1: from the derivative of e_i / sum(e) with de_i = d cross(p_j, p_k).
template <class T>
struct WeightDerivatives {
  Vec2<T> dx, dy;
};

// The corners must be moderate.
template <class T>
INTAGLIO_HD WeightDerivatives<T> weight_derivatives(const Vec4<T> v[3], T X, T Y, int64_t height, int64_t width) {
  SeenTriangle<T> s = seen_from(v, X, Y);
  T e[3], sum = 0, sum_x = 0, sum_y = 0, e_x[3], e_y[3];
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    e[i] = cross(s.p[j], s.p[k]);
    e_x[i] = v[k].w * s.p[j].y - v[j].w * s.p[k].y;  // moving X by one moves p_j by -w_j along x
    e_y[i] = v[j].w * s.p[k].x - v[k].w * s.p[j].x;
    sum += e[i], sum_x += e_x[i], sum_y += e_y[i];
  }
  if (!(std::fabs(sum) >= least_divisor<T>())) return {{0, 0}, {0, 0}};
  T to_x = (T)2 / (T)width, to_y = (T)-2 / (T)height;  // a pixel to the right, a pixel down
  T inverse = 1 / sum, share[2] = {e[0] * inverse, e[1] * inverse};
  auto derivative = [&](int i, const T* d, T sum_d, T unit) { return (d[i] - share[i] * sum_d) * inverse * unit; };
  return {{derivative(0, e_x, sum_x, to_x), derivative(1, e_x, sum_x, to_x)},
          {derivative(0, e_y, sum_y, to_y), derivative(1, e_y, sum_y, to_y)}};
}

}  // namespace intaglio
