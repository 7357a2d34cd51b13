// SPDX-License-Identifier: MIT
// Surfaces to be walked from pixel to pixel.
#pragma once
#include "../math/edge_gradient.h"
#include "check.h"

namespace intaglio {

template <class T>
struct Snap {
  const T* pos_clip;
  Raster raster;
  Subpixel* snapped;
  INTAGLIO_DEVICE void operator()(int64_t i) const { snapped[i] = snap(load4(pos_clip + 4 * i), raster.height, raster.width); }
};

struct FlagIndex {
  const int32_t* index;
  int64_t end;
  uint32_t* wrong;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (index[i] < 0 || index[i] >= end) set_flag(wrong);
  }
};

// A surface that walks can be taken on. Triangles whose corners are not there would lead a walk anywhere: `wrong` is then not
// 0, and there are no edges.
template <class T>
struct Walkable {
  Geometry<T> g;
  const int32_t* neighbours;
  Raster raster;
  const int32_t* triangle_id;
  const Subpixel* snapped;  // [rows, num_vertices]
  const uint32_t* wrong;
  uint64_t* cut;  // walks cut short

  INTAGLIO_DEVICE WalkedMesh<T> mesh(int64_t b) const {
    Slice shown = g.shown(b);
    return {g.positions_of(b),
            g.triangles_of(b),
            g.of_triangles(neighbours, b),
            (int32_t)shown.begin,
            (uint32_t)shown.count(),
            snapped + g.row_of(b) * g.num_vertices,
            raster.height,
            raster.width};
  }
  INTAGLIO_DEVICE int64_t pixel(int64_t b, int64_t y, int64_t x) const { return (b * raster.height + y) * raster.width + x; }

  // The pair of a pixel and the next along an axis, if both are there and show different triangles; `to` is the other pixel.
  INTAGLIO_DEVICE bool find_pair(Axis axis, int64_t b, int64_t y, int64_t x, PixelPair& pair, int64_t& to) const {
    if (axis == Axis::kX ? x + 1 >= raster.width : y + 1 >= raster.height) return false;
    int64_t at = pixel(b, y, x);
    to = at + (axis == Axis::kX ? 1 : raster.width);
    pair = {axis, x, y, triangle_id[at], triangle_id[to]};
    if (pair.triangle_a == pair.triangle_b || *wrong) return false;
    Slice shown = g.shown(b);
    return (pair.triangle_a < 0 || shown.holds(pair.triangle_a)) && (pair.triangle_b < 0 || shown.holds(pair.triangle_b));
  }

  INTAGLIO_DEVICE PairEdge<T> edge(int64_t b, const PixelPair& pair) const {
    PairEdge<T> found = find_edge(mesh(b), pair);
    if (found.cut) atomic_add(cut, (uint64_t)1);
    return found;
  }
};

template <class T>
Walkable<T> walkable(const Geometry<T>& g, const int32_t* neighbours, Raster raster, const int32_t* triangle_id) {
  auto* snapped = scratch<Subpixel>(g.rows * g.num_vertices);
  uint32_t* wrong = scratch<uint32_t>(1);
  uint64_t* cut = scratch<uint64_t>(1);
  for_both(1, Fill<uint32_t>{wrong, 0}, 1, Fill<uint64_t>{cut, 0});
  for_both(g.rows * g.num_vertices, Snap<T>{g.pos_clip, raster, snapped}, (g.own_triangles ? g.rows : 1) * g.num_triangles * 3,
           FlagIndex{g.triangles, g.num_vertices, wrong});
  return {g, neighbours, raster, triangle_id, snapped, wrong, cut};
}

// The host hears of walks cut short where it waits for the device anyway; `times` that each was taken.
inline int64_t number_of(const uint64_t* cut, int times) {
  return queue().checked ? (int64_t)fetch(cut) / times : 0;
}

constexpr int kPairRows = 8;

template <class Body>
struct VisitPairs {
  Raster raster;
  Body body;

  INTAGLIO_HD int64_t across() const { return (raster.width + kWarp - 1) / kWarp; }
  INTAGLIO_HD int64_t down() const { return (raster.height + kPairRows - 1) / kPairRows; }

  INTAGLIO_DEVICE void operator()(int64_t block, int lane) const {
    const int64_t b = block / (across() * down()), x = block % across() * kWarp, y = block / across() % down() * kPairRows;
    uint32_t found = 0;
    for (int k = 0; k < 2 * kPairRows; ++k)
      if (x + lane < raster.width && y + k / 2 < raster.height && body.matters((Axis)(k % 2), b, y + k / 2, x + lane))
        found |= 1u << k;
    deal(lane, found, [&](int finder, int k) { body((Axis)(k % 2), b, y + k / 2, x + finder); });
  }
};

// body(axis, b, y, x) for those pairs of a pixel and the next along an axis for which body.matters(axis, b, y, x). They are few
// and far apart, and take long: so a warp looks at a block of 32 x kPairRows pixels and then shares them.
template <class Body>
void for_each_pair(Raster raster, const Body& body) {
  const VisitPairs<Body> visit{raster, body};
  for_each_warp(raster.batch * visit.across() * visit.down(), visit);
}

}  // namespace intaglio
