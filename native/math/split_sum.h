// SPDX-License-Identifier: MIT
// Metallic-roughness surfaces under light from everywhere, by the split sum: light that is blurred as the surface blurs it,
// times how much of an even light it reflects, F0 scale + bias. Karis: Real Shading in Unreal Engine 4, 2013.
#pragma once
#include "brdf.h"
#include "texture.h"

namespace intaglio {

template <class T>
struct SplitSum {
  T scale, bias;
};

// What a table [size, size, 2] holds at a cosine, across, and a roughness, down; texel centres at half-integers.
template <class T>
INTAGLIO_HD_INLINE SplitSum<T> split_sum(const T* table, int32_t size, T cosine, T roughness) {
  TexelPair<T> column = texel_pair<Clamp>(cosine, (T)size), row = texel_pair<Clamp>(roughness, (T)size);
  int32_t low = (int32_t)row.low * size, high = (int32_t)row.high * size, left = (int32_t)column.low,
          right = (int32_t)column.high;
  T w[4];
  bilinear_weights(column.place, row.place, w);
  const int32_t at[4] = {2 * (low + left), 2 * (low + right), 2 * (high + left), 2 * (high + right)};
  return {w[0] * table[at[0]] + w[1] * table[at[1]] + w[2] * table[at[2]] + w[3] * table[at[3]],
          w[0] * table[at[0] + 1] + w[1] * table[at[1] + 1] + w[2] * table[at[2] + 1] + w[3] * table[at[3] + 1]};
}

// The cotangents of cosine (x) and roughness (y).
template <class T>
INTAGLIO_HD_INLINE Vec2<T> split_sum_vjp(const T* table, int32_t size, T cosine, T roughness, SplitSum<T> grad) {
  TexelPair<T> column = texel_pair<Clamp>(cosine, (T)size), row = texel_pair<Clamp>(roughness, (T)size);
  int32_t low = (int32_t)row.low * size, high = (int32_t)row.high * size, left = (int32_t)column.low,
          right = (int32_t)column.high;
  const int32_t at[4] = {2 * (low + left), 2 * (low + right), 2 * (high + left), 2 * (high + right)};
  const T corner[4] = {
      grad.scale * table[at[0]] + grad.bias * table[at[0] + 1], grad.scale * table[at[1]] + grad.bias * table[at[1] + 1],
      grad.scale * table[at[2]] + grad.bias * table[at[2] + 1], grad.scale * table[at[3]] + grad.bias * table[at[3] + 1]};
  Vec2<T> place = bilinear_weights_vjp(column.place, row.place, corner);
  return {place.x * (T)size, place.y * (T)size};
}

// One channel of the light that a surface reflects: irradiance over pi reaches its base through what a dielectric's layer
// leaves.
template <class T>
struct Surroundings {
  T irradiance, radiance;
};

template <class T>
INTAGLIO_HD_INLINE T surroundings_given_back(Metallic<T> m, Surroundings<T> light, SplitSum<T> s) {
  T f0 = normal_reflectance(m);
  return m.color * (1 - m.metallic) * (1 - (kDielectric<T> * s.scale + s.bias)) * light.irradiance +
         (f0 * s.scale + s.bias) * light.radiance;
}

template <class T>
struct SurroundingsVjp {
  Metallic<T> material;
  Surroundings<T> light;
  SplitSum<T> split;
};

template <class T>
INTAGLIO_HD_INLINE SurroundingsVjp<T> surroundings_given_back_vjp(Metallic<T> m, Surroundings<T> light, SplitSum<T> s, T grad) {
  T f0 = normal_reflectance(m), diffuse = m.color * (1 - m.metallic), left = 1 - (kDielectric<T> * s.scale + s.bias);
  T grad_diffuse = grad * left * light.irradiance, grad_left = grad * diffuse * light.irradiance;
  T grad_reflected = grad * light.radiance;
  Metallic<T> of_f0 = normal_reflectance_vjp(m, grad_reflected * s.scale);
  return {{grad_diffuse * (1 - m.metallic) + of_f0.color, of_f0.metallic - grad_diffuse * m.color},
          {grad * diffuse * left, grad * (f0 * s.scale + s.bias)},
          {grad_reflected * f0 - kDielectric<T> * grad_left, grad_reflected - grad_left}};
}

}  // namespace intaglio
