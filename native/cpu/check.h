// SPDX-License-Identifier: MIT
// What no shape can tell: the values that would lead a loop out of its arrays, found before anything is written.
#pragma once
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "../ops_errors.h"

namespace intaglio {

struct IndexRange {
  int32_t least, most;  // INT32_MAX and INT32_MIN of none
};
IndexRange range_of(const int32_t* index, int64_t count);

// Throws unless low <= index[i] < high for all i. The message begins with the argument's name.
inline void check_indices(const char* name, const int32_t* index, int64_t count, int32_t low, int64_t high,
                          const char* remedy) {
  auto [least, most] = range_of(index, count);
  if (count == 0 || (least >= low && most < high)) return;
  int32_t wrong = least < low ? least : most;
  throw_index(name, low, high, wrong, remedy);
}

template <class T>
void check_finite(const char* name, const T* values, int64_t count, const char* remedy) {
  T zero = 0;  // x - x is 0 for finite x and NaN otherwise
  constexpr int kLanes = 32;
  T lane[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int l = 0; l < kLanes; ++l) lane[l] += values[i + l] - values[i + l];
  for (; i < count; ++i) zero += values[i] - values[i];
  for (T l : lane) zero += l;
  if (zero == 0) return;
  for (i = 0; values[i] - values[i] == 0;) ++i;
  throw_not_finite(name, values[i], i, remedy);
}

template <class T>
void check_ranges(const Geometry<T>& g) {
  if (!g.ranges) return;
  for (int64_t r = 0; r < g.num_ranges; ++r) {
    int64_t first = g.ranges[2 * r], count = g.ranges[2 * r + 1];
    if (first < 0 || count < 0 || first + count > g.num_triangles) throw_range(g.num_triangles, first, count, r);
  }
}

template <class T>
void check_geometry(const Geometry<T>& g) {
  check_finite("pos_clip", g.pos_clip, g.rows * g.num_vertices * 4, kPositionsRemedy);
  check_indices("triangles", g.triangles, (g.own_triangles ? g.rows : 1) * g.num_triangles * 3, 0, g.num_vertices,
                kTrianglesRemedy);
  check_ranges(g);
}

template <class T>
void check_neighbours(const Geometry<T>& g, const int32_t* neighbours) {
  check_indices("neighbours", neighbours, (g.own_triangles ? g.rows : 1) * g.num_triangles * 3, -1, g.num_triangles,
                kNeighboursRemedy);
}

// The vertices from the first to the last that the triangles of image b have; all where it shows all triangles.
template <class T>
Slice vertices_shown(const Geometry<T>& g, int64_t b) {
  if (!g.ranges) return {0, g.num_vertices};
  Slice shown = g.shown(b);
  auto [least, most] = range_of(g.triangles_of(b) + 3 * shown.begin, 3 * shown.count());
  return shown.count() == 0 ? Slice{0, 0} : Slice{least, (int64_t)most + 1};
}

// Fragments are checked where a triangle is looked up, not in a pass of their own: reading a large image costs more than an op.
inline void check_triangle_id(int32_t triangle_id, Slice shown) {
  if (triangle_id != -1 && !shown.holds(triangle_id)) throw_triangle_id(triangle_id, shown);
}

inline void check_triangle_id(int32_t triangle_id, int64_t num_triangles) {
  check_triangle_id(triangle_id, Slice{0, num_triangles});
}

}  // namespace intaglio
