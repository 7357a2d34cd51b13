// SPDX-License-Identifier: MIT
// The pairs of neighbouring pixels of one image between which its edges run, and what an edge's motion does there.
#pragma once
#include <algorithm>

#include "../math/edge_gradient.h"
#include "accumulate.h"
#include "check.h"
#include "simd.h"

namespace intaglio {

// Most of an image has no edge: a row is looked through in blocks, and the pixels that may differ from their right or their
// lower neighbour, both in the triangle that they show and in what is seen of it, are the bits of a word.
constexpr int64_t kPairBlock = 32;

// What is seen: colours.
template <class T>
struct SeenColors {
  const T* image;  // [height, width, channels]
  int64_t channels;

  const T* at(int64_t pixel) const { return image + pixel * channels; }
  bool differ(int64_t a, int64_t b) const {
    for (int64_t c = 0; c < channels; ++c)
      if (at(a)[c] != at(b)[c]) return true;
    return false;
  }
  T difference(int64_t a, int64_t b, int64_t channel) const { return at(a)[channel] - at(b)[channel]; }
  // changed[i]: the pixels of block i, of those that begin at `pixel`, that may begin a pair; `down` leads to the next row.
  void mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, uint32_t* changed) const;
};

// What is seen: something or nothing, as a silhouette shows it.
template <class T>
struct SeenCoverage {
  const int32_t* triangle_id;
  static constexpr int64_t channels = 1;

  T at(int64_t pixel) const { return triangle_id[pixel] >= 0 ? (T)1 : (T)0; }
  bool differ(int64_t a, int64_t b) const { return (triangle_id[a] ^ triangle_id[b]) < 0; }
  T difference(int64_t a, int64_t b, int64_t) const { return at(a) - at(b); }
  void mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, uint32_t* changed) const;
};

// visit(pair, a, b) for the pairs that begin in the columns [begin, end) of row y and show different triangles differently;
// a and b are pixels of the image. `begin` is a multiple of kPairBlock.
template <class Seen, class Visit>
void for_each_pair(const Seen& seen, const int32_t* triangle_id, Raster raster, Slice shown, int64_t y, int64_t begin,
                   int64_t end, const Visit& visit) {
  int64_t row = y * raster.width, down = y + 1 < raster.height ? raster.width : 0;
  const int32_t* ids = triangle_id + row;
  // The last pixel has no right neighbour: its block is looked through.
  int64_t blocks = std::max<int64_t>(0, std::min(end, raster.width - 1) - begin) / kPairBlock;
  uint32_t changed[kMaxSize / kPairBlock + 1];
  changed[blocks] = ~0u;
  seen.mark(triangle_id, row + begin, down, blocks, changed);
  auto look = [&](Axis axis, int64_t x, int64_t step) {
    if (ids[x] == ids[x + step] || !seen.differ(row + x, row + x + step)) return;
    check_triangle_id(ids[x], shown);
    check_triangle_id(ids[x + step], shown);
    visit(PixelPair{axis, x, y, ids[x], ids[x + step]}, row + x, row + x + step);
  };
  for (int64_t block = 0, first = begin; first < end; ++block, first += kPairBlock)
    for (uint32_t left = changed[block]; left; left &= left - 1) {
      int64_t x = first + __builtin_ctz(left);
      if (x >= end) break;
      if (x + 1 < raster.width) look(Axis::kX, x, 1);
      look(Axis::kY, x, down);
    }
}

// An image's surface to walk on; snapped: the grid positions of its row.
template <class T>
WalkedMesh<T> walked_mesh(const Geometry<T>& g, const int32_t* neighbours, int64_t b, const Subpixel* snapped, Raster raster) {
  Slice shown = g.shown(b);
  return {g.positions_of(b),
          g.triangles_of(b),
          g.of_triangles(neighbours, b),
          (int32_t)shown.begin,
          (uint32_t)shown.count(),
          snapped,
          raster.height,
          raster.width};
}

// Adds what the edge between two pixels passes on to the vertices, of a cotangent grad(pixel, channel) of what is seen; true if
// its walk was cut short.
template <class T, class Seen, class Grad>
bool add_pair_gradient(const WalkedMesh<T>& mesh, const PixelPair& pair, int64_t a, int64_t b, const Seen& seen,
                       const Grad& grad, const AddTo<T>& add) {
  PairEdge<T> edge = find_edge(mesh, pair);
  if (edge.kind == PairEdgeKind::kNone) return edge.cut;
  // As the edge moves towards B, the pixel that holds it takes what A shows for what B does.
  int64_t holder = edge.position < (T)0.5 ? a : b;
  T grad_position = 0;
  for (int64_t c = 0; c < seen.channels; ++c) grad_position += seen.difference(a, b, c) * grad(holder, c);
  if (grad_position != 0) edge_position_vjp(mesh, pair, edge, grad_position, add);
  return edge.cut;
}

}  // namespace intaglio
