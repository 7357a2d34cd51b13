// SPDX-License-Identifier: MIT
// Textures: pyramids of levels, and what a sample takes from which texels. uv (0, 0) is the outer corner of the first texel of
// the first row, the top left of the image; texel centres lie at half-integers. Williams: Pyramidal Parametrics, 1983.
// Heckbert: Fundamentals of Texture Mapping and Image Warping, 1989. OpenGL 4.6, 8.14.
#pragma once
#include <cstring>

#include "vec.h"

namespace intaglio {

INTAGLIO_HD int64_t level_size(int64_t size, int64_t level) {
  return max_of<int64_t>(size >> level, 1);
}

// A weighted mean along one axis: weights of `count` neighbours from `first` on, over `total`. Weights are whole numbers, so
// that the mean of equal texels is exact.
template <class T>
struct Taps {
  int64_t first;
  int count;
  T weight[3], total;
};

// What texel `index` of the next level is made of: the part of each texel of this level, `size` of them, that it covers.
template <class T>
INTAGLIO_HD Taps<T> halving_taps(int64_t index, int64_t size) {
  if (size == 1) return {0, 1, {1, 0, 0}, 1};
  if (size % 2 == 0) return {2 * index, 2, {1, 1, 0}, 2};
  int64_t half = size / 2;  // each covers 2 + 1 / half texels
  return {2 * index, 3, {(T)(half - index), (T)half, (T)(index + 1)}, (T)size};
}

// The same weights, seen from texel `index` of this level: where it goes.
template <class T>
INTAGLIO_HD Taps<T> halving_taps_vjp(int64_t index, int64_t size) {
  int64_t half = size / 2, to = index / 2;
  if (size == 1) return {0, 1, {1, 0, 0}, 1};
  if (size % 2 == 0) return {to, 1, {1, 0, 0}, 2};
  if (index % 2 == 1) return {to, 1, {(T)half, 0, 0}, (T)size};
  if (to == 0 || to == half) return {to == 0 ? 0 : half - 1, 1, {(T)half, 0, 0}, (T)size};
  return {to - 1, 2, {(T)to, (T)(half - to), 0}, (T)size};
}

// value - size * floor(value / size) for whole numbers; exact while they are (|value| < 2^23 in float).
template <class T>
INTAGLIO_HD T whole_modulo(T value, T size) {
  T rest = value - size * std::floor(value * (1 / size));
  rest = rest < 0 ? rest + size : rest;
  return rest >= size ? rest - size : rest;
}

// How a texture goes on beyond its border.
struct Repeat {
  template <class T>
  static INTAGLIO_HD T wrap(T value, T size) {
    return whole_modulo(value, size);
  }
};
struct Mirror {
  template <class T>
  static INTAGLIO_HD T wrap(T value, T size) {
    T folded = whole_modulo(value, 2 * size);
    return folded < size ? folded : 2 * size - 1 - folded;
  }
};
struct Clamp {
  template <class T>
  static INTAGLIO_HD T wrap(T value, T) {
    return value;
  }
};

// The texel that stands at a whole number, from 0 to size - 1 whatever the number: NaN is 0.
template <class Border, class T>
INTAGLIO_HD T wrap_texel(T value, T size) {
  return clamp(Border::wrap(value, size), (T)0, size - 1);
}

// The two texels whose centres lie around a coordinate, along one axis, and the place between them, from 0 to 1. A coordinate
// that is not finite has no place (NaN).
template <class T>
struct TexelPair {
  T low, high, place;
};

template <class Border, class T>
INTAGLIO_HD TexelPair<T> texel_pair(T coordinate, T size) {
  T at = coordinate * size - (T)0.5, low = std::floor(at);
  return {wrap_texel<Border>(low, size), wrap_texel<Border>(low + 1, size), at - low};
}

// The weights of the texels (row low, column low), (low, high), (high, low), (high, high).
template <class T>
INTAGLIO_HD void bilinear_weights(T across, T down, T weight[4]) {
  weight[0] = (1 - down) * (1 - across), weight[1] = (1 - down) * across;
  weight[2] = down * (1 - across), weight[3] = down * across;
}

// The cotangent of the place, across and down, from those of the weights: each the sum over channels of texel times cotangent.
template <class T>
INTAGLIO_HD Vec2<T> bilinear_weights_vjp(T across, T down, const T grad_weight[4]) {
  return {(1 - down) * (grad_weight[1] - grad_weight[0]) + down * (grad_weight[3] - grad_weight[2]),
          (1 - across) * (grad_weight[2] - grad_weight[0]) + across * (grad_weight[3] - grad_weight[1])};
}

// A sample between four texels in that order, and how it changes when its place moves by a texel.
template <class Texel>
struct BilinearSample {
  Texel value, across, down;
};

template <class Texel, class T>
INTAGLIO_HD_INLINE BilinearSample<Texel> bilinear_sample(T across, T down, Texel t0, Texel t1, Texel t2, Texel t3) {
  Texel upper_slope = t1 - t0, lower_slope = t3 - t2;
  Texel upper = t0 + across * upper_slope, lower = t2 + across * lower_slope, slope = lower - upper;
  return {upper + down * slope, upper_slope + down * (lower_slope - upper_slope), slope};
}

// log2 of a number from 1 on, to about a rounding. Plain arithmetic, for all lanes at once.
INTAGLIO_HD float log2_of(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  int32_t shifted = bits - 0x3f3504f3;  // sqrt(1/2): the mantissa then lies around 1
  int32_t exponent = shifted >> 23, mantissa_bits = bits - exponent * (1 << 23);
  float mantissa;
  std::memcpy(&mantissa, &mantissa_bits, sizeof mantissa);
  float t = (mantissa - 1) / (mantissa + 1), square = t * t;  // log(m) = 2 artanh(t), |t| < 0.172
  float series = 1 + square * (1.0f / 3 + square * (1.0f / 5 + square * (1.0f / 7 + square * (1.0f / 9))));
  return (float)exponent + 2.88539008f * t * series;  // 2 / log(2)
}

INTAGLIO_HD double log2_of(double x) {
  return std::log2(x);
}

// The squared longer side of a pixel's footprint, in texels of level 0. d = (du/dx, du/dy, dv/dx, dv/dy), per pixel.
template <class T>
INTAGLIO_HD T footprint_squared(const T d[4], T width, T height) {
  T ux = d[0] * width, uy = d[1] * width, vx = d[2] * height, vy = d[3] * height;
  return max_of(ux * ux + vx * vx, uy * uy + vy * vy);
}

// The level of detail: log2 of the longer side, within the levels there are. OpenGL 4.6, (8.8).
template <class T>
INTAGLIO_HD T level_of_detail(T squared, int64_t num_levels) {
  // NaN counts as level 0.
  return min_of((T)0.5 * log2_of(squared > 1 ? squared : (T)1), (T)(num_levels - 1));
}

template <class T>
INTAGLIO_HD T level_of_detail(const T d[4], T width, T height, int64_t num_levels) {
  return level_of_detail(footprint_squared(d, width, height), num_levels);
}

// A footprint that is longer than it is wide: `count` probes at `level`, evenly along (axis_u, axis_v), which is its longer
// axis.
template <class T>
struct ProbeLine {
  int64_t count;
  T level, axis_u, axis_v;  // the axis in uv

  // Of probe i, from the pixel's uv.
  INTAGLIO_HD Vec2<T> offset(int64_t i) const {
    T place = ((T)i + (T)0.5) / (T)count - (T)0.5;
    return count == 1 ? Vec2<T>{0, 0} : Vec2<T>{axis_u * place, axis_v * place};
  }
};

// The image of a round pixel is an ellipse. Its shorter axis chooses the level, as many probes as it is longer than wide cover
// it; where that were more than `most`, or less than a texel apart, coarser texels or fewer do. The axes: Heckbert, 3.5. Probes
// along the longer one: McCormack, Perry, Farkas, Jouppi: Feline, 1999.
template <class T>
INTAGLIO_HD ProbeLine<T> probe_line(const T d[4], T width, T height, int64_t num_levels, int64_t most) {
  T ux = d[0] * width, uy = d[1] * width, vx = d[2] * height, vy = d[3] * height;
  T uu = ux * ux + uy * uy, vv = vx * vx + vy * vy, uv = ux * vx + uy * vy;
  T half_difference = (uu - vv) * (T)0.5, root = std::sqrt(half_difference * half_difference + uv * uv);
  T major = std::sqrt((uu + vv) * (T)0.5 + root);
  if (!(major - major == 0) || major <= 1) return {1, level_of_detail(d, width, height, num_levels), 0, 0};
  T minor = max_of(std::fabs(ux * vy - uy * vx) / major, (T)1);
  T count = clamp(std::floor(major / minor + (T)0.5), (T)1, (T)most);
  T along_u = uu >= vv ? root + half_difference : uv, along_v = uu >= vv ? uv : root - half_difference;
  T length = std::sqrt(along_u * along_u + along_v * along_v), scale = length > 0 ? major / length : (T)0;
  T level = clamp(log2_of(max_of(minor, major / count)), (T)0, (T)(num_levels - 1));
  return {(int64_t)count, level, along_u * scale / width, along_v * scale / height};
}

}  // namespace intaglio
