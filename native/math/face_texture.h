// SPDX-License-Identifier: MIT
// Face textures: every triangle has a cube of texels, addressed by its barycentrics, corner k of the triangle at the far end of
// axis k.
// Kato, Ushiku, Harada: Neural 3D Mesh Renderer, 2018, forward_texture_sampling of its code.
#pragma once
#include "vec.h"

namespace intaglio {

// The cell of the cube that a point falls into: the offset of its lowest texel, the steps to its other texels (in texels), and
// the place in it, from 0 to 1 along each axis.
template <class T>
struct CubeCell {
  int64_t base, step[3];
  T place[3];
};

// The cell around a point given in texels along each axis.
template <class T>
INTAGLIO_HD CubeCell<T> cube_cell_at(const T at[3], int64_t resolution) {
  const int64_t stride[3] = {resolution * resolution, resolution, 1};
  CubeCell<T> cell;
  cell.base = 0;
  for (int k = 0; k < 3; ++k) {
    int64_t low = min_of((int64_t)at[k], max_of<int64_t>(resolution - 2, 0));
    cell.base += low * stride[k];
    cell.step[k] = resolution > 1 ? stride[k] : 0;
    cell.place[k] = at[k] - (T)low;
  }
  return cell;
}

// The point lies at weight * (resolution - 1) along each axis. The original keeps it 1e-3 below the last texel so as not to
// read beyond it (math/classic.h); here the last cell includes its end, and a cube of one texel is a constant.
template <class T>
INTAGLIO_HD CubeCell<T> cube_cell(Vec2<T> weights, int64_t resolution) {
  const T weight[3] = {weights.x, weights.y, 1 - weights.x - weights.y};
  T at[3];
  for (int k = 0; k < 3; ++k) at[k] = clamp(weight[k], (T)0, (T)1) * (T)(resolution - 1);
  return cube_cell_at(at, resolution);
}

// visit(texel offset, weight) for the eight corners of the cell; the weights sum to 1.
template <class T, class Visit>
INTAGLIO_HD void for_each_corner(const CubeCell<T>& cell, const Visit& visit) {
  for (int corner = 0; corner < 8; ++corner) {
    int64_t texel = cell.base;
    T weight = 1;
    for (int k = 0; k < 3; ++k) {
      bool far = corner >> k & 1;
      texel += far ? cell.step[k] : 0;
      weight *= far ? cell.place[k] : 1 - cell.place[k];
    }
    visit(texel, weight);
  }
}

template <class T, class Channels>
INTAGLIO_HD void sample_cube(const T* cube, const CubeCell<T>& cell, Channels channels, T* out) {
  for (int64_t c = 0; c < channels; ++c) out[c] = 0;
  for_each_corner(cell, [&](int64_t texel, T weight) {
    for (int64_t c = 0; c < channels; ++c) out[c] += weight * cube[texel * channels + c];
  });
}

// Adds to grad_cube. The place in the cube gets no gradient, as in 2018.
template <class T, class Channels>
INTAGLIO_HD void sample_cube_vjp(const CubeCell<T>& cell, Channels channels, const T* grad_out, T* grad_cube) {
  for_each_corner(cell, [&](int64_t texel, T weight) {
    for (int64_t c = 0; c < channels; ++c) grad_cube[texel * channels + c] += weight * grad_out[c];
  });
}

}  // namespace intaglio
