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

// A number from 0 to 1 between two entries of a table, whose first and last stand at 0 and at 1. Numbers beyond are those ends.
template <class T>
struct TablePlace {
  int32_t low, high;
  T place, slope;  // from low to high, and how it changes with the number
};

template <class T>
INTAGLIO_HD_INLINE TablePlace<T> table_place(T number, int32_t size) {
  T at = clamp(number, (T)0, (T)1) * (T)(size - 1);
  int32_t high = min_of((int32_t)at + 1, size - 1), low = max_of(high - 1, 0);  // at 1 the cell that ends there
  return {low, high, at - (T)low, number >= 0 && number <= 1 ? (T)(size - 1) : (T)0};
}

// Where a table [size, size, 2] is read for a cosine, across, and a roughness, down.
template <class T>
struct TableCell {
  TablePlace<T> column, row;
  int32_t at[4];
};

template <class T>
INTAGLIO_HD_INLINE TableCell<T> table_cell(int32_t size, T cosine, T roughness) {
  TablePlace<T> column = table_place(cosine, size), row = table_place(roughness, size);
  int32_t low = row.low * size, high = row.high * size;
  return {column, row, {2 * (low + column.low), 2 * (low + column.high), 2 * (high + column.low), 2 * (high + column.high)}};
}

template <class T>
INTAGLIO_HD_INLINE SplitSum<T> split_sum(const T* table, int32_t size, T cosine, T roughness) {
  TableCell<T> cell = table_cell(size, cosine, roughness);
  T w[4];
  bilinear_weights(cell.column.place, cell.row.place, w);
  SplitSum<T> found{0, 0};
  for (int k = 0; k < 4; ++k) found.scale += w[k] * table[cell.at[k]], found.bias += w[k] * table[cell.at[k] + 1];
  return found;
}

// The cotangents of cosine (x) and roughness (y).
template <class T>
INTAGLIO_HD_INLINE Vec2<T> split_sum_vjp(const T* table, int32_t size, T cosine, T roughness, SplitSum<T> grad) {
  TableCell<T> cell = table_cell(size, cosine, roughness);
  T corner[4];
  for (int k = 0; k < 4; ++k) corner[k] = grad.scale * table[cell.at[k]] + grad.bias * table[cell.at[k] + 1];
  Vec2<T> place = bilinear_weights_vjp(cell.column.place, cell.row.place, corner);
  return {place.x * cell.column.slope, place.y * cell.row.slope};
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
