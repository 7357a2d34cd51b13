// SPDX-License-Identifier: MIT
// Values that no shape can tell. To hear of them the host would have to wait for the device: only a checked queue does, and
// throws; otherwise kernels leave out what they cannot look up, so that no value leads out of an array.
#pragma once
#include "../math/triangle.h"
#include "../ops_errors.h"
#include "launch.h"

namespace intaglio {

// Finds the first of the indices that is out of [low, high); `first` is UINT64_MAX where there is none.
struct FindIndex {
  const int32_t* index;
  int64_t low, high;
  uint64_t* first;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (index[i] < low || index[i] >= high) atomic_min(first, (uint64_t)i);
  }
};

template <class T>
struct FindNotFinite {
  const T* values;
  uint64_t* first;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (!(values[i] - values[i] == 0)) atomic_min(first, (uint64_t)i);
  }
};

struct FindRange {
  const int32_t* ranges;
  int64_t num_triangles;
  uint64_t* first;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    int64_t begin = ranges[2 * i], count = ranges[2 * i + 1];
    if (begin < 0 || count < 0 || begin + count > num_triangles) atomic_min(first, (uint64_t)i);
  }
};

// Fragments [batch, pixels * layers].
template <class T>
struct FindTriangleId {
  Geometry<T> geometry;
  int64_t per_image;
  const int32_t* triangle_id;
  uint64_t* first;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (triangle_id[i] != -1 && !geometry.shown(i / per_image).holds(triangle_id[i])) atomic_min(first, (uint64_t)i);
  }
};

// The first of `count` that `make(first)` finds, or -1. Waits.
template <class Make>
int64_t find_first(int64_t count, const Make& make) {
  uint64_t* first = scratch<uint64_t>(1);
  fill(first, 1, UINT64_MAX);
  for_each(count, make(first));
  return (int64_t)fetch(first);
}

// The least and the most of a list of indices, in the order of their bits.
struct FindBounds {
  const int32_t* index;
  uint32_t *least, *most;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    uint32_t bits = (uint32_t)index[i] ^ 0x80000000u;
    if (bits < glance(least)) atomic_min(least, bits);
    if (bits > glance(most)) atomic_max(most, bits);
  }
};

inline void check_indices(const char* name, const int32_t* index, int64_t count, int64_t low, int64_t high,
                          const char* remedy) {
  if (!queue().checked || count == 0) return;
  uint32_t *least = scratch<uint32_t>(1), *most = scratch<uint32_t>(1);
  fill(least, 1, UINT32_MAX), fill(most, 1, 0u);
  for_each(count, FindBounds{index, least, most});
  int32_t first = (int32_t)(fetch(least) ^ 0x80000000u), last = (int32_t)(fetch(most) ^ 0x80000000u);
  if (first < low || last >= high) throw_index(name, low, high, first < low ? first : last, remedy);
}

template <class T>
void check_geometry(const Geometry<T>& g) {
  if (!queue().checked) return;
  int64_t wrong = find_first(g.rows * g.num_vertices * 4, [&](uint64_t* first) { return FindNotFinite<T>{g.pos_clip, first}; });
  if (wrong >= 0) throw_not_finite("pos_clip", fetch(g.pos_clip + wrong), wrong, kPositionsRemedy);
  check_indices("triangles", g.triangles, (g.own_triangles ? g.rows : 1) * g.num_triangles * 3, 0, g.num_vertices,
                kTrianglesRemedy);
  if (!g.ranges) return;
  wrong = find_first(g.num_ranges, [&](uint64_t* first) { return FindRange{g.ranges, g.num_triangles, first}; });
  if (wrong >= 0) throw_range(g.num_triangles, fetch(g.ranges + 2 * wrong), fetch(g.ranges + 2 * wrong + 1), wrong);
}

template <class T>
void check_neighbours(const Geometry<T>& g, const int32_t* neighbours) {
  check_indices("neighbours", neighbours, (g.own_triangles ? g.rows : 1) * g.num_triangles * 3, -1, g.num_triangles,
                kNeighboursRemedy);
}

// Fragments of the geometry, `per_image` of them for each image.
template <class T>
void check_fragments(const Geometry<T>& g, int64_t per_image, const int32_t* triangle_id) {
  if (!queue().checked) return;
  int64_t wrong =
      find_first(g.images() * per_image, [&](uint64_t* first) { return FindTriangleId<T>{g, per_image, triangle_id, first}; });
  if (wrong < 0) return;
  Geometry<T> here = g;
  int32_t range[2];
  if (g.ranges) {
    for (int i = 0; i < 2; ++i) range[i] = fetch(g.ranges + 2 * (wrong / per_image % g.num_ranges) + i);
    here.ranges = range, here.num_ranges = 1;
  }
  throw_triangle_id(fetch(triangle_id + wrong), here.shown(0));
}

// Fragments of any of a list of triangles.
inline void check_fragments(int64_t num_triangles, int64_t count, const int32_t* triangle_id) {
  if (!queue().checked) return;
  int64_t wrong = find_first(count, [&](uint64_t* first) { return FindIndex{triangle_id, -1, num_triangles, first}; });
  if (wrong >= 0) throw_triangle_id(fetch(triangle_id + wrong), {0, num_triangles});
}

// The corners of a triangle, in a list of vertices.
struct Corners {
  int32_t vertex[3];
};

// False if the triangle, or a corner of it, is not there.
INTAGLIO_DEVICE bool find_corners(const int32_t* triangles, Slice shown, int64_t num_vertices, int32_t triangle_id,
                                  Corners& found) {
  if (!shown.holds(triangle_id)) return false;
  bool there = true;
  for (int i = 0; i < 3; ++i) {
    found.vertex[i] = triangles[3 * (int64_t)triangle_id + i];
    there &= found.vertex[i] >= 0 && found.vertex[i] < num_vertices;
  }
  return there;
}

// Of a triangle that image b shows, with the positions of its corners.
template <class T>
INTAGLIO_DEVICE bool find_triangle(const Geometry<T>& g, int64_t b, int32_t triangle_id, Corners& found, Vec4<T> v[3]) {
  if (!find_corners(g.triangles_of(b), g.shown(b), g.num_vertices, triangle_id, found)) return false;
  for (int i = 0; i < 3; ++i) v[i] = load4(g.positions_of(b) + 4 * (int64_t)found.vertex[i]);
  return true;
}

}  // namespace intaglio
