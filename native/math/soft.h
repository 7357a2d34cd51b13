// SPDX-License-Identifier: MIT
// Soft triangles: each covers every pixel with a probability that falls with the distance to its outline, and a pixel blends
// the nearest ones by probability and depth. Liu, Li, Chen, Li: Soft Rasterizer: A Differentiable Renderer for Image-based 3D
// Reasoning, ICCV 2019; constants of its published code. Distances are Euclidean in ndc.
#pragma once
#include "vec.h"

namespace intaglio {

// Triangles are left out where their probability is below 1e-4: beyond sqrt(ln(1 / 1e-4 - 1) sigma).
constexpr double kSoftReach = 9.2102403669758494;

// A triangle in ndc, with what its samples need.
template <class T>
struct SoftTriangle {
  Vec2<T> corner[3];
  T inverse_w[3];
  T share[3];           // inverse_w over the largest of the three: what weights are multiplied by, which do not depend on scale
  T depth[3];           // z / w
  T turn;               // +1 if counter-clockwise, else -1
  T inverse_length[3];  // one over the squared length of the edge from corner k to k + 1; 0 if it has none
};

// False if the triangle has no area, reaches behind the eye, or so close to it that its image has no bounds.
template <class T>
INTAGLIO_HD bool soft_triangle(const Vec4<T> v[3], SoftTriangle<T>& t) {
  constexpr T kFarthest = 1e9;
  for (int i = 0; i < 3; ++i) {
    if (!(v[i].w > 0)) return false;
    T inverse = t.inverse_w[i] = 1 / v[i].w;
    t.corner[i] = {v[i].x * inverse, v[i].y * inverse};
    t.depth[i] = v[i].z * inverse;
    if (!(std::fabs(t.corner[i].x) < kFarthest && std::fabs(t.corner[i].y) < kFarthest && std::fabs(t.depth[i]) < kFarthest))
      return false;
  }
  T nearest = max_of(t.inverse_w[0], max_of(t.inverse_w[1], t.inverse_w[2])), area = 0;
  for (int i = 0; i < 3; ++i) {
    t.share[i] = t.inverse_w[i] / nearest;
    Vec2<T> a = t.corner[i], b = t.corner[(i + 1) % 3];
    Vec2<T> edge{b.x - a.x, b.y - a.y};
    T squared = edge.x * edge.x + edge.y * edge.y;
    t.inverse_length[i] = squared > 0 ? 1 / squared : (T)0;
    if (i == 0) area = cross(edge, {t.corner[2].x - a.x, t.corner[2].y - a.y});
  }
  t.turn = area < 0 ? (T)-1 : (T)1;
  return area != 0;
}

// A triangle at one point: the squared distance to its outline, by the edge that lies nearest and the place on it; screen-space
// weights (times twice the area, negative ones set to 0) and the depth that they give.
template <class T>
struct SoftSample {
  T squared_distance, place;
  Vec2<T> to_outline;
  int edge;
  bool inside;
  T weight[3], depth;
};

// One over a sum of weights; 0 of so small a sum that its inverse is not finite.
template <class T>
INTAGLIO_HD T soft_inverse(T sum) {
  T inverse = 1 / sum;
  return sum >= (sizeof(T) == 4 ? (T)1e-35 : (T)1e-300) ? inverse : (T)0;
}

template <class T>
INTAGLIO_HD SoftSample<T> soft_sample(const SoftTriangle<T>& t, T X, T Y) {
  SoftSample<T> s;
  Vec2<T> p[3];
  for (int i = 0; i < 3; ++i) p[i] = {t.corner[i].x - X, t.corner[i].y - Y};
  s.inside = true;
  T sum = 0, depth = 0;
  for (int i = 0; i < 3; ++i) {
    T weight = t.turn * cross(p[(i + 1) % 3], p[(i + 2) % 3]);
    s.inside &= weight >= 0;
    s.weight[i] = weight > 0 ? weight : 0;
    sum += s.weight[i], depth += s.weight[i] * t.depth[i];
  }
  s.depth = depth * soft_inverse(sum);
  for (int i = 0; i < 3; ++i) {
    Vec2<T> a = p[i], edge{p[(i + 1) % 3].x - a.x, p[(i + 1) % 3].y - a.y};
    T place = -(a.x * edge.x + a.y * edge.y) * t.inverse_length[i];
    place = clamp(place, (T)0, (T)1);
    Vec2<T> q{a.x + place * edge.x, a.y + place * edge.y};
    T squared = q.x * q.x + q.y * q.y;
    bool nearer = i == 0 || squared < s.squared_distance;
    s.squared_distance = nearer ? squared : s.squared_distance;
    s.place = nearer ? place : s.place;
    s.to_outline.x = nearer ? q.x : s.to_outline.x, s.to_outline.y = nearer ? q.y : s.to_outline.y;
    s.edge = nearer ? i : s.edge;
  }
  return s;
}

// Whether the sample has any probability worth keeping, before the near plane.
template <class T>
INTAGLIO_HD_INLINE bool soft_is_seen(const SoftSample<T>& s, T squared_reach) {
  return (s.inside | (s.squared_distance < squared_reach)) & (s.depth >= -1);
}

// A triangle, and the pixels that it may reach.
template <class T>
struct BoxedTriangle {
  SoftTriangle<T> shape;
  int32_t triangle_id;
  int32_t column_begin, column_end, row_begin, row_end;
};

// Pixels whose centres lie in [low, high] of ndc, growing with the index.
struct PixelSpan {
  int32_t begin, end;
};

INTAGLIO_HD PixelSpan pixels_within(double low, double high, int64_t size) {
  double first = std::ceil(((low + 1) * (double)size - 1) / 2), last = std::floor(((high + 1) * (double)size - 1) / 2);
  return {(int32_t)clamp(first, 0.0, (double)size), (int32_t)clamp(last + 1, 0.0, (double)size)};
}

// False if it reaches none, or shows a side that is not drawn.
template <class T>
INTAGLIO_HD bool box_triangle(const Vec4<T> v[3], int32_t triangle_id, bool cull_backfaces, int64_t height, int64_t width,
                              double reach, BoxedTriangle<T>& out) {
  if (!soft_triangle(v, out.shape) || (cull_backfaces && out.shape.turn < 0)) return false;
  const Vec2<T>* c = out.shape.corner;
  T left = min_of(c[0].x, min_of(c[1].x, c[2].x)), right = max_of(c[0].x, max_of(c[1].x, c[2].x));
  T low = min_of(c[0].y, min_of(c[1].y, c[2].y)), high = max_of(c[0].y, max_of(c[1].y, c[2].y));
  PixelSpan columns = pixels_within(left - reach, right + reach, width);
  PixelSpan rows = pixels_within(-high - reach, -low + reach, height);  // rows count downwards
  out.triangle_id = triangle_id;
  out.column_begin = columns.begin, out.column_end = columns.end, out.row_begin = rows.begin, out.row_end = rows.end;
  return columns.begin < columns.end && rows.begin < rows.end;
}

// The nearest `layers` of a pixel, by depth, at equal depth in the order in which they came.
template <class T>
INTAGLIO_HD void insert(T depth, int32_t triangle, int64_t layers, T* depths, int32_t* triangles) {
  int64_t at = layers - 1;
  for (; at > 0 && depths[at - 1] > depth; --at) depths[at] = depths[at - 1], triangles[at] = triangles[at - 1];
  depths[at] = depth, triangles[at] = triangle;
}

// Equation (1): sigmoid(+- d^2 / sigma).
template <class T>
INTAGLIO_HD T soft_probability(const SoftSample<T>& s, T sigma) {
  T exponent = s.squared_distance / sigma;
  return 1 / (1 + std::exp(s.inside ? -exponent : exponent));
}

// Perspective-correct weights of vertices 0 and 1, clamped to the triangle.
template <class T>
INTAGLIO_HD Vec2<T> soft_barycentrics(const SoftTriangle<T>& t, const SoftSample<T>& s) {
  T c[3] = {s.weight[0] * t.share[0], s.weight[1] * t.share[1], s.weight[2] * t.share[2]};
  T inverse = soft_inverse(c[0] + c[1] + c[2]);
  return {c[0] * inverse, c[1] * inverse};
}

// The cotangents of the sample's probability, barycentrics and depth, carried to the vertices.
template <class T>
INTAGLIO_HD void soft_sample_vjp(const SoftTriangle<T>& t, T X, T Y, T sigma, T grad_probability, Vec2<T> grad_barycentrics,
                                 T grad_depth, Vec4<T> grad_v[3]) {
  SoftSample<T> s = soft_sample(t, X, Y);
  Vec2<T> p[3], grad_p[3] = {};
  for (int i = 0; i < 3; ++i) p[i] = {t.corner[i].x - X, t.corner[i].y - Y};

  // Through the distance: the nearest point of the outline moves with its edge's ends.
  T probability = soft_probability(s, sigma);
  T grad_squared = grad_probability * probability * (1 - probability) * (s.inside ? 1 : -1) / sigma;
  int a = s.edge, b = (s.edge + 1) % 3;
  grad_p[a].x += 2 * grad_squared * (1 - s.place) * s.to_outline.x;
  grad_p[a].y += 2 * grad_squared * (1 - s.place) * s.to_outline.y;
  grad_p[b].x += 2 * grad_squared * s.place * s.to_outline.x;
  grad_p[b].y += 2 * grad_squared * s.place * s.to_outline.y;

  // Through the weights: depth is their mean of z / w, barycentrics their shares after division by w.
  T share[3], per_sum = soft_inverse(s.weight[0] + s.weight[1] + s.weight[2]);
  for (int i = 0; i < 3; ++i) share[i] = s.weight[i] * t.share[i];
  T per_share = soft_inverse(share[0] + share[1] + share[2]);
  T mean = (grad_barycentrics.x * share[0] + grad_barycentrics.y * share[1]) * per_share;
  const T grad_barycentric[3] = {grad_barycentrics.x, grad_barycentrics.y, 0};
  T grad_weight[3];
  for (int i = 0; i < 3; ++i) {
    T grad_share = (grad_barycentric[i] - mean) * per_share;
    grad_weight[i] = grad_share * t.share[i] + grad_depth * (t.depth[i] - s.depth) * per_sum;
    if (s.weight[i] == 0) grad_weight[i] = 0;
    T grad_z = grad_depth * s.weight[i] * per_sum * t.inverse_w[i];
    grad_v[i].z += grad_z;
    grad_v[i].w -= grad_share * share[i] * t.inverse_w[i] + grad_z * t.depth[i];
  }
  for (int i = 0; i < 3; ++i) {
    int j = (i + 1) % 3, k = (i + 2) % 3;  // weight i = turn cross(p_j, p_k), so p_i stands in weights k (first) and j (second)
    grad_p[i].x += t.turn * (grad_weight[k] * p[j].y - grad_weight[j] * p[k].y);
    grad_p[i].y += t.turn * (grad_weight[j] * p[k].x - grad_weight[k] * p[j].x);
  }

  // Through the perspective division.
  for (int i = 0; i < 3; ++i) {
    grad_v[i].x += grad_p[i].x * t.inverse_w[i], grad_v[i].y += grad_p[i].y * t.inverse_w[i];
    grad_v[i].w -= (grad_p[i].x * t.corner[i].x + grad_p[i].y * t.corner[i].y) * t.inverse_w[i];
  }
}

// The background's nearness: as if it stood just before the far plane.
constexpr double kSoftBackground = 1e-3;

// From 1 at the near plane to 0 at the far plane.
template <class T>
INTAGLIO_HD T soft_nearness(T depth) {
  return (1 - depth) / 2;
}

// The weights of a pixel's layers relative to the nearest: equation (5). exponential[k] = exp((nearness_k - top) / gamma), 0
// for a layer of probability 0, which is none; the layer's weight is its probability times that.
template <class T>
struct SoftWeights {
  T total, background;  // the sum of all weights, and the background's share of it
};

template <class T>
INTAGLIO_HD SoftWeights<T> soft_weights(const T* probability, const T* depth, int64_t layers, T gamma, T* exponential) {
  T top = (T)kSoftBackground;
  for (int64_t k = 0; k < layers; ++k)
    if (probability[k] > 0) top = max_of(top, soft_nearness(depth[k]));
  T rest = std::exp(((T)kSoftBackground - top) / gamma), total = rest;
  for (int64_t k = 0; k < layers; ++k) {
    exponential[k] = probability[k] > 0 ? std::exp((soft_nearness(depth[k]) - top) / gamma) : (T)0;
    total += probability[k] * exponential[k];
  }
  return {total, rest / total};
}

// The cotangent of layer k's probability and depth, where `gain` is how much the result rises per unit of the layer's share
// beyond the mean over all shares.
template <class T>
struct SoftLayerGradient {
  T probability, depth;
};

template <class T>
INTAGLIO_HD SoftLayerGradient<T> soft_weights_vjp(T probability, T exponential, T total, T gamma, T gain) {
  T per_probability = exponential / total * gain;
  return {per_probability, per_probability * probability / gamma * (T)-0.5};
}

// The product of (1 - probability) over all layers but each.
template <class T>
INTAGLIO_HD void products_of_others(const T* probability, int64_t layers, T* out) {
  T before = 1, behind = 1;
  for (int64_t k = 0; k < layers; ++k) out[k] = before, before *= 1 - probability[k];
  for (int64_t k = layers - 1; k >= 0; --k) out[k] *= behind, behind *= 1 - probability[k];
}

// One pixel's layers blended. color [channels] of image [layers, channels]; `exponential` is room for a number for
// each layer.
template <class T>
struct SoftPixel {
  T alpha, background;  // the probability that any covers, and the background's share of the colour
};

template <class T, class Channels>
INTAGLIO_HD SoftPixel<T> soft_blend(const T* image, const T* probability, const T* depth, int64_t layers, Channels channels,
                                    T gamma, T* exponential, T* color) {
  SoftWeights<T> w = soft_weights(probability, depth, layers, gamma, exponential);
  for (int64_t c = 0; c < channels; ++c) color[c] = 0;
  T left = 1;
  for (int64_t k = 0; k < layers; ++k) {
    left *= 1 - probability[k];
    if (exponential[k] == 0) continue;
    T share = probability[k] * exponential[k] / w.total;
    for (int64_t c = 0; c < channels; ++c) color[c] += share * image[k * channels + c];
  }
  return {1 - left, w.background};
}

// grad_color, which of null is 0, and each gradient may be null; `exponential`, `gain` and `others` are room for a number for
// each layer.
template <class T, class Channels>
INTAGLIO_HD void soft_blend_vjp(const T* image, const T* probability, const T* depth, int64_t layers, Channels channels,
                                T gamma, const T* grad_color, SoftPixel<T> grad, T* exponential, T* gain, T* others,
                                T* grad_image, T* grad_depth, T* grad_probability) {
  SoftWeights<T> w = soft_weights(probability, depth, layers, gamma, exponential);
  T mean = w.background * grad.background;
  for (int64_t k = 0; k < layers; ++k) {
    T share = probability[k] * exponential[k] / w.total;
    gain[k] = 0;
    for (int64_t c = 0; c < channels; ++c) {
      T g = grad_color ? grad_color[c] : (T)0;
      gain[k] += g * image[k * channels + c];
      if (grad_image) grad_image[k * channels + c] = share * g;
    }
    mean += share * gain[k];
  }
  products_of_others(probability, layers, others);
  for (int64_t k = 0; k < layers; ++k) {
    SoftLayerGradient<T> g = soft_weights_vjp(probability[k], exponential[k], w.total, gamma, gain[k] - mean);
    if (grad_depth) grad_depth[k] = g.depth;
    if (grad_probability) grad_probability[k] = g.probability + grad.alpha * others[k];
  }
}

}  // namespace intaglio
