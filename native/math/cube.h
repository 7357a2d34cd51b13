// SPDX-License-Identifier: MIT
// Cube maps: which texels of which face a direction meets. Six faces of size x size texels, +x -x +y -y +z -z, each with the s
// and t of OpenGL's table; row 0 is t = 0. Greene: Environment Mapping and Other Applications of World Projections, 1986.
// OpenGL 4.6, table 8.19 and 8.13.1, Seamless Cube Map Filtering.
#pragma once
#include "texture.h"

namespace intaglio {

// A vector along the axes of a cube's face: s and t across it, `major` outwards.
template <class T>
struct FaceVector {
  int32_t face;
  T s, t, major;
};

// The face that the vector points to, that of its largest component; of equals the first.
template <class T>
INTAGLIO_HD FaceVector<T> onto_face(Vec3<T> v) {
  T x = std::fabs(v.x), y = std::fabs(v.y), z = std::fabs(v.z);
  bool is_x = (x >= y) & (x >= z), is_y = !is_x & (y >= z);
  T along = is_x ? v.x : is_y ? v.y : v.z, sign = along < 0 ? (T)-1 : (T)1;
  int32_t axis = is_x ? 0 : is_y ? 1 : 2;
  return {2 * axis + (along < 0), is_x ? -sign * v.z : is_y ? v.x : sign * v.x, is_y ? sign * v.z : -v.y, sign * along};
}

// Its inverse for a given face; since it only swaps and turns axes, it also carries cotangents back.
template <class T>
INTAGLIO_HD Vec3<T> from_face(FaceVector<T> f) {
  int32_t axis = f.face >> 1;
  T sign = (f.face & 1) ? (T)-1 : (T)1;
  return {axis == 0   ? sign * f.major
          : axis == 1 ? f.s
                      : sign * f.s,
          axis == 1 ? sign * f.major : -f.t,
          axis == 0   ? -sign * f.s
          : axis == 1 ? sign * f.t
                      : sign * f.major};
}

// Where a direction meets the cube: s and t from -1 to 1; `major` is what they were divided by. No direction, the vector 0, has
// major = 0 and stands in the middle of a face; one that is not finite has no place (NaN).
template <class T>
INTAGLIO_HD FaceVector<T> cube_place(Vec3<T> direction) {
  FaceVector<T> f = onto_face(direction);
  bool is_none = (direction.x == 0) & (direction.y == 0) & (direction.z == 0);
  T scale = is_none ? (T)1 : f.major,
    nan = (direction.x - direction.x) + (direction.y - direction.y) + (direction.z - direction.z);
  return {f.face, f.s / scale + nan, f.t / scale + nan, f.major};
}

// The cotangent of the direction; its length does not matter, so this is at right angles to it.
template <class T>
INTAGLIO_HD Vec3<T> cube_place_vjp(FaceVector<T> place, Vec2<T> grad_place) {
  if (place.major == 0) return {0, 0, 0};
  T along = -(grad_place.x * place.s + grad_place.y * place.t);
  return from_face(FaceVector<T>{place.face, grad_place.x / place.major, grad_place.y / place.major, along / place.major});
}

// The two rows or columns of texels around s or t, from -1 to size: the first and the last lie beyond the border; and the
// place between their centres.
template <class T>
INTAGLIO_HD TexelPair<T> face_texel_pair(T place, T size) {
  T at = (place + 1) * (T)0.5 * size - (T)0.5, low = std::floor(at), first = clamp(low, (T)-1, size - 1);
  return {first, first + 1, at - low};
}

// d at / d place.
template <class T>
INTAGLIO_HD T face_texel_pair_vjp(T grad_at, T size) {
  return grad_at * (T)0.5 * size;
}

template <class T>
INTAGLIO_HD T face_texel_nearest(T place, T size) {
  return clamp(std::floor((place + 1) * (T)0.5 * size), (T)0, size - 1);
}

template <class T>
INTAGLIO_HD bool is_beyond(T index, T size) {
  return (index < 0) | (index >= size);
}

// The texel at a whole column and row, counted through all faces. Beyond one border of a face it is that of the next face, as
// if the cube were unfolded; beyond two, some texel near the corner (see share_corner).
template <class T>
INTAGLIO_HD int32_t cube_texel(int32_t face, T column, T row, T size) {
  // Centres in half texels from the middle, at a distance of `size` from the cube's centre; one beyond a border lies on the
  // next face, half a texel down its side.
  T s = 2 * column + 1 - size, t = 2 * row + 1 - size;
  bool over_s = is_beyond(column, size), over_t = !over_s & is_beyond(row, size);
  T side = s < 0 ? -size : size, end = t < 0 ? -size : size;
  T t_inside = clamp(t, 1 - size, size - 1);
  FaceVector<T> f = onto_face(from_face(FaceVector<T>{face, over_s ? side : s,
                                                      over_s   ? t_inside
                                                      : over_t ? end
                                                               : t,
                                                      over_s | over_t ? size - 1 : size}));
  int32_t n = (int32_t)size;
  return (f.face * n + (int32_t)((f.t + size - 1) * (T)0.5)) * n + (int32_t)((f.s + size - 1) * (T)0.5);
}

// Which of the four texels (row low, column low), (low, high), (high, low), (high, high) lies beyond both borders, or -1: at a
// corner of the cube only three texels meet.
template <class T>
INTAGLIO_HD int32_t beyond_corner(TexelPair<T> column, TexelPair<T> row, T size) {
  bool left = column.low < 0, right = column.high >= size, top = row.low < 0, bottom = row.high >= size;
  // A face of one texel is beyond its border to the left or to the right, never both: low is -1 or 0.
  return !(left | right) | !(top | bottom) ? -1 : 2 * (bottom ? 1 : 0) + (right ? 1 : 0);
}

// The mean of the other three stands for the missing texel, as OpenGL recommends: its weight is shared among them.
template <class T>
INTAGLIO_HD void share_corner(int32_t corner, T weight[4]) {
  T part = 0;
  for (int k = 0; k < 4; ++k) part += k == corner ? weight[k] / 3 : (T)0;
  for (int k = 0; k < 4; ++k) weight[k] = k == corner ? (T)0 : weight[k] + part;
}

template <class T>
INTAGLIO_HD void share_corner_vjp(int32_t corner, T grad_weight[4]) {
  if (corner < 0) return;
  // Written so that equal cotangents, as those of a cube of one colour, stay exactly equal.
  T one = grad_weight[corner ^ 1], two = grad_weight[corner ^ 2], three = grad_weight[corner ^ 3];
  grad_weight[corner] = one + ((two - one) + (three - one)) / 3;
}

// Two levels of a pyramid and the share of the second. NaN has a share of NaN.
template <class T>
struct LevelPair {
  int64_t low, high;
  T share;
};

// The levels around an explicit level of detail, within those there are; the last level counts as all of the second.
template <class T>
INTAGLIO_HD LevelPair<T> level_pair(T lod, int64_t num_levels) {
  T within = clamp(lod, (T)0, (T)(num_levels - 1));
  int64_t low = min_of((int64_t)within, max_of<int64_t>(num_levels - 2, 0));
  return {low, min_of(low + 1, num_levels - 1), lod != lod ? lod : within - (T)low};
}

// Between levels a sample changes by their difference, beyond them it stays.
template <class T>
INTAGLIO_HD T level_pair_vjp(T lod, int64_t num_levels, T low_sample, T high_sample) {
  return (lod >= 0) & (lod <= (T)(num_levels - 1)) ? high_sample - low_sample : (T)0;
}

}  // namespace intaglio
