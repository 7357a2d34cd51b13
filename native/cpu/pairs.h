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
  static constexpr bool kMayBeSurface = true;

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
  static constexpr bool kMayBeSurface = false;  // one of two pixels shows nothing

  T at(int64_t pixel) const { return triangle_id[pixel] >= 0 ? (T)1 : (T)0; }
  bool differ(int64_t a, int64_t b) const { return (triangle_id[a] ^ triangle_id[b]) < 0; }
  T difference(int64_t a, int64_t b, int64_t) const { return at(a) - at(b); }
  void mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, uint32_t* changed) const;
};

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
          raster.width,
          std::max(g.num_triangles * 3, g.num_vertices * 2) <= INT32_MAX};
}

// Pairs of a row in their order, those of X before those of Y that begin in the same pixel.
struct PairList {
  static constexpr int kMost = 256;
  int32_t column[kMost], axis[kMost], a[kMost], b[kMost];  // what the pixels show
  int size = 0;

  void add(int64_t x, Axis of, int32_t shown_a, int32_t shown_b) {
    column[size] = (int32_t)x, axis[size] = (int32_t)of, a[size] = shown_a, b[size] = shown_b;
    ++size;
  }
};

// Drops pairs of which one pixel's triangle surely leads to the other's: no edge lies between them.
void drop_surface(const int32_t* triangles, const int32_t* neighbours, const Subpixel* snapped, Raster raster, int64_t y,
                  PairList& pairs);

// visit(pair, a, b) for the pairs that begin in the columns [begin, end) of row y and show different triangles differently; a
// and b are pixels of the image. `begin` is a multiple of kPairBlock. Pairs within a surface may be left out.
template <class T, class Seen, class Visit>
void for_each_pair(const WalkedMesh<T>& mesh, const Seen& seen, const int32_t* triangle_id, Raster raster, int64_t y,
                   int64_t begin, int64_t end, const Visit& visit) {
  int64_t row = y * raster.width, down = y + 1 < raster.height ? raster.width : 0;
  const int32_t* ids = triangle_id + row;
  const Slice shown{mesh.first_triangle, (int64_t)mesh.first_triangle + mesh.num_triangles};
  // The last pixel has no right neighbour: its block is looked through.
  int64_t blocks = std::max<int64_t>(0, std::min(end, raster.width - 1) - begin) / kPairBlock;
  uint32_t changed[kMaxSize / kPairBlock + 1];
  changed[blocks] = ~0u;
  seen.mark(triangle_id, row + begin, down, blocks, changed);
  PairList pairs;
  auto flush = [&] {
    if (Seen::kMayBeSurface && mesh.has_short_indices)
      drop_surface(mesh.triangles, mesh.neighbours, mesh.snapped, raster, y, pairs);
    for (int i = 0; i < pairs.size; ++i) {
      const int64_t x = pairs.column[i], step = pairs.axis[i] == (int32_t)Axis::kX ? 1 : down;
      if (seen.differ(row + x, row + x + step))
        visit(PixelPair{(Axis)pairs.axis[i], x, y, pairs.a[i], pairs.b[i]}, row + x, row + x + step);
    }
    pairs.size = 0;
  };
  auto look = [&](Axis axis, int64_t x, int64_t step) {
    if (ids[x] == ids[x + step]) return;
    check_triangle_id(ids[x], shown);
    check_triangle_id(ids[x + step], shown);
    pairs.add(x, axis, ids[x], ids[x + step]);
  };
  for (int64_t block = 0, first = begin; first < end; ++block, first += kPairBlock) {
    for (uint32_t left = changed[block]; left; left &= left - 1) {
      int64_t x = first + __builtin_ctz(left);
      if (x >= end) break;
      if (x + 1 < raster.width) look(Axis::kX, x, 1);
      look(Axis::kY, x, down);
    }
    if (pairs.size + 2 * kPairBlock > PairList::kMost) flush();
  }
  flush();
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

// The same of all pairs that begin in the columns [begin, end) of a row, where either pixel has a cotangent; the number of
// walks cut short.
template <class T, class Seen, class Grad>
int64_t add_row_gradient(const WalkedMesh<T>& mesh, const Seen& seen, const int32_t* triangle_id, Raster raster, int64_t y,
                         int64_t begin, int64_t end, const Grad& grad, const AddTo<T>& add) {
  int64_t cut = 0;
  auto is_zero = [&](int64_t pixel) {
    for (int64_t c = 0; c < seen.channels; ++c)
      if (grad(pixel, c) != 0) return false;
    return true;
  };
  for_each_pair(mesh, seen, triangle_id, raster, y, begin, end, [&](const PixelPair& pair, int64_t a, int64_t b) {
    if (is_zero(a) && is_zero(b)) return;
    cut += add_pair_gradient(mesh, pair, a, b, seen, grad, add);
  });
  return cut;
}

}  // namespace intaglio
