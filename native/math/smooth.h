// SPDX-License-Identifier: MIT
// Values of vertices, spread over the edges of a surface: Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of
// Geometry, 2021, whose linear system this solves by the beginning of the series of its inverse.
//
// A round takes `share` of a vertex from its neighbours, each weighing 1 / sqrt(its degree times the vertex's), which unlike a
// plain mean is symmetric: the map is its own vjp.
#pragma once
#include "vec.h"

namespace intaglio {

// A vertex's part of the weights of its edges.
template <class T>
INTAGLIO_HD T smoothing_weight(int64_t degree) {
  return degree > 0 ? 1 / std::sqrt((T)degree) : (T)0;
}

// A vertex after a round; `sum` is over its neighbours, each times its weight.
template <class T>
INTAGLIO_HD T smoothed(T value, T share, T weight, T sum) {
  return (1 - share) * value + share * weight * sum;
}

}  // namespace intaglio
