// SPDX-License-Identifier: MIT
// Pixels as the renderer of 2018 decides and weighs them. Its arithmetic is repeated operation by operation in the precision
// of the faces, since the outcome at an edge that passes through a pixel centre depends on its rounding.
// Kato, Ushiku, Harada: Neural 3D Mesh Renderer, CVPR 2018; forward_face_index_map, forward_texture_sampling and
// backward_depth_map of its code.
//
// Pixels are counted with y upwards, integers at their centres. A face is drawn if its corners turn counter-clockwise; edges
// belong to it; of equal depths the lowest index wins.
#pragma once
#include "face_texture.h"
#include "sweep_gradient.h"

namespace intaglio {

template <class T>
struct ClassicFace {
  T x[3], y[3], z[3];
};

// Face index >= num_faces is a face turned around: its corners are those of face index - num_faces, last first.
INTAGLIO_HD int64_t classic_source(int64_t num_faces, int64_t index) {
  return index < num_faces ? index : index - num_faces;
}

INTAGLIO_HD int classic_source_corner(int64_t num_faces, int64_t index, int corner) {
  return index < num_faces ? corner : 2 - corner;
}

// Where the corner's x stands in [num_faces, 3, 3]; y and z follow.
INTAGLIO_HD int64_t classic_corner(int64_t num_faces, int64_t index, int corner) {
  return 9 * classic_source(num_faces, index) + 3 * classic_source_corner(num_faces, index, corner);
}

template <class T>
INTAGLIO_HD ClassicFace<T> load_classic_face(const T* faces, int64_t num_faces, int64_t index) {
  ClassicFace<T> f;
  for (int k = 0; k < 3; ++k) {
    const T* p = faces + classic_corner(num_faces, index, k);
    f.x[k] = p[0], f.y[k] = p[1], f.z[k] = p[2];
  }
  return f;
}

template <class T>
INTAGLIO_HD bool classic_is_front(const ClassicFace<T>& f) {
  return !((f.y[2] - f.y[0]) * (f.x[1] - f.x[0]) < (f.y[1] - f.y[0]) * (f.x[2] - f.x[0]));
}

// The ndc of a pixel centre, rounded once.
template <class T>
INTAGLIO_HD T classic_centre(int64_t index, int64_t size) {
  return (T)((double)(2 * index + 1 - size) / (double)size);
}

// An edge seen from a pixel (X, Y): the pixel is outside where left < right. Products, not a difference, are compared.
template <class T>
struct ClassicEdge {
  T x, y, dx, dy;
  INTAGLIO_HD T left(T Y) const { return (Y - y) * dx; }
  INTAGLIO_HD T right(T X) const { return (X - x) * dy; }
};

template <class T>
INTAGLIO_HD ClassicEdge<T> classic_edge(const ClassicFace<T>& f, int edge) {
  int to = (edge + 1) % 3;
  return {f.x[edge], f.y[edge], f.x[to] - f.x[edge], f.y[to] - f.y[edge]};
}

// The inverse of [[x0, x1, x2], [y0, y1, y2], [1, 1, 1]] in pixel coordinates: its rows give the weights of the corners.
template <class T>
struct ScreenInverse {
  T m[3][3];
  T determinant;
};

template <class T>
INTAGLIO_HD ScreenInverse<T> screen_inverse(const ClassicFace<T>& f, int64_t height, int64_t width) {
  T x[3], y[3];
  for (int k = 0; k < 3; ++k) x[k] = sweep_coordinate(f.x[k], width), y[k] = sweep_coordinate(f.y[k], height);
  ScreenInverse<T> inverse;
  inverse.determinant = x[2] * (y[0] - y[1]) + x[0] * (y[1] - y[2]) + x[1] * (y[2] - y[0]);
  for (int k = 0; k < 3; ++k) {
    int a = (k + 1) % 3, b = (k + 2) % 3;
    inverse.m[k][0] = (y[a] - y[b]) / inverse.determinant;
    inverse.m[k][1] = (x[b] - x[a]) / inverse.determinant;
    inverse.m[k][2] = (x[a] * y[b] - x[b] * y[a]) / inverse.determinant;
  }
  return inverse;
}

// Weights on the screen of a pixel (column, row), clamped to the face, and the depth there; NaN for a face without area.
template <class T>
struct ClassicSample {
  T w[3], depth;
};

template <class T>
INTAGLIO_HD ClassicSample<T> classic_sample(const T m[3][3], const T z[3], T column, T row) {
  ClassicSample<T> s;
  T sum = 0;
  for (int k = 0; k < 3; ++k) {
    T w = m[k][0] * column + m[k][1] * row + m[k][2];
    w = w > 0 ? w : (T)0;
    s.w[k] = w < 1 ? w : (T)1;
    sum += s.w[k];
  }
  for (int k = 0; k < 3; ++k) s.w[k] /= sum;
  s.depth = 1 / (s.w[0] / z[0] + s.w[1] / z[1] + s.w[2] / z[2]);
  return s;
}

// A face that may be seen, and the pixels that it may cover.
template <class T>
struct ReadyFace {
  ClassicEdge<T> edge[3];
  T m[3][3], z[3];
  int32_t face_index, column_begin, column_end, row_begin, row_end;
};

struct PixelRange {
  int32_t begin, end;
};

// The pixels between two coordinates, with a margin above the rounding of either.
template <class T>
INTAGLIO_HD PixelRange pixels_between(T low, T high, int64_t size) {
  T begin = std::ceil(low - (T)0.01), end = std::floor(high + (T)0.01) + 1;
  return {(int32_t)clamp(begin, (T)0, (T)size), (int32_t)clamp(end, (T)0, (T)size)};
}

// Rounding lets such a face cover pixels along its line, beyond its corners.
template <class T>
INTAGLIO_HD bool is_needle(const ClassicFace<T>& f) {
  T x = max_of(std::fabs(f.x[1] - f.x[0]), std::fabs(f.x[2] - f.x[0])), y0 = std::fabs(f.y[1] - f.y[0]);
  T y = max_of(y0, std::fabs(f.y[2] - f.y[0])), extent = max_of(x, y);
  T area = (f.y[2] - f.y[0]) * (f.x[1] - f.x[0]) - (f.y[1] - f.y[0]) * (f.x[2] - f.x[0]);
  return area <= (sizeof(T) == 4 ? (T)1e-6 : (T)1e-14) * extent * (2 + extent);
}

// False if nothing of it can be seen: a back face, a face without area or off the image.
template <class T>
INTAGLIO_HD bool make_ready(const ClassicFace<T>& f, int64_t index, int64_t height, int64_t width, ReadyFace<T>& ready) {
  if (!classic_is_front(f)) return false;
  T zero = 0;
  for (int k = 0; k < 3; ++k) zero += (f.x[k] - f.x[k]) + (f.y[k] - f.y[k]);
  if (zero != 0) return false;  // not finite
  ScreenInverse<T> inverse = screen_inverse(f, height, width);
  if (inverse.determinant == 0) return false;
  PixelRange columns{0, (int32_t)width}, rows{0, (int32_t)height};
  if (!is_needle(f)) {
    T x[3], y[3];
    for (int k = 0; k < 3; ++k) x[k] = sweep_coordinate(f.x[k], width), y[k] = sweep_coordinate(f.y[k], height);
    columns = pixels_between(min_of(x[0], min_of(x[1], x[2])), max_of(x[0], max_of(x[1], x[2])), width);
    rows = pixels_between(min_of(y[0], min_of(y[1], y[2])), max_of(y[0], max_of(y[1], y[2])), height);
    if (columns.begin >= columns.end || rows.begin >= rows.end) return false;
  }
  for (int k = 0; k < 3; ++k) {
    ready.edge[k] = classic_edge(f, k);
    ready.z[k] = f.z[k];
    for (int i = 0; i < 3; ++i) ready.m[k][i] = inverse.m[k][i];
  }
  ready.face_index = (int32_t)index;
  ready.column_begin = columns.begin, ready.column_end = columns.end, ready.row_begin = rows.begin, ready.row_end = rows.end;
  return true;
}

// Adds to the cotangent of the face's corners [3][3], corners as drawn.
template <class T>
INTAGLIO_HD void classic_depth_vjp(const ClassicFace<T>& f, const ScreenInverse<T>& inverse, const T w[3], T depth,
                                   T grad_depth, int64_t height, int64_t width, T grad_corner[3][3]) {
  T slope[2] = {};
  for (int axis = 0; axis < 2; ++axis)
    for (int k = 0; k < 3; ++k) slope[axis] += inverse.m[k][axis] / f.z[k];
  for (int k = 0; k < 3; ++k) {
    T scale = grad_depth * w[k] * depth * depth;
    grad_corner[k][0] += scale * slope[0] * (T)width / 2;
    grad_corner[k][1] += scale * slope[1] * (T)height / 2;
    grad_corner[k][2] += scale / (f.z[k] * f.z[k]);
  }
}

// The cell of a face's texture that a pixel reads: weights with perspective, kept eps below the last texel. The axes of the
// cube belong to the corners of the face that is stored, weights to the corners as drawn. A cube of one texel is a constant
// (the original read beyond it).
template <class T>
INTAGLIO_HD CubeCell<T> classic_cell(const T* faces, int64_t num_faces, int64_t index, const T w[3], T depth,
                                     int64_t resolution, T eps) {
  const T last = (T)(resolution - 1), most = max_of(last - eps, (T)0);
  T at[3];
  for (int k = 0; k < 3; ++k) {
    T z = faces[classic_corner(num_faces, index, k) + 2];
    at[classic_source_corner(num_faces, index, k)] = clamp(w[k] * last * (depth / z), (T)0, most);
  }
  return cube_cell_at(at, resolution);
}

}  // namespace intaglio
