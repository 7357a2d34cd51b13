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

// Those of a block that differ from their right neighbour and from their lower one.
struct ChangedBlock {
  uint32_t right, down;
};

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
  void mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, ChangedBlock* changed) const;
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
  void mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, ChangedBlock* changed) const;
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

// Pairs, by where they begin and the triangles that they show.
struct PairList {
  static constexpr int kMost = 512;
  int32_t column[kMost], row[kMost], is_y[kMost], a[kMost], b[kMost];
  int size = 0;
};

// Drops pairs of which a's triangle surely leads to b's within a surface: no edge lies between them.
template <class T>
void drop_surface(const WalkedMesh<T>& mesh, PairList& pairs);

// Columns of a row, from a multiple of kPairBlock on.
struct Columns {
  int64_t begin, end;
  bool empty() const { return begin >= end; }
  Columns with(Columns other) const { return {std::min(begin, other.begin), std::max(end, other.end)}; }
};

// Those of every row, where nothing more is known.
struct AllColumns {
  int64_t width;
  Columns operator()(int64_t) const { return {0, width}; }
};

// Finds pairs row by row, and visits them by the list.
template <class T, class Seen, class Visit>
class PairFinder {
 public:
  PairFinder(const WalkedMesh<T>& mesh, const Seen& seen, const int32_t* triangle_id, Raster raster, const Visit& visit)
      : mesh_(mesh), seen_(seen), triangle_id_(triangle_id), raster_(raster), visit_(visit) {}

  void look_at(int64_t y, Columns columns) {
    const int64_t row = y * raster_.width, down = y + 1 < raster_.height ? raster_.width : 0;
    // The last pixel has no right neighbour: its block is looked through.
    const int64_t last = std::min(columns.end, raster_.width - 1);
    const int64_t blocks = std::max<int64_t>(0, last - columns.begin) / kPairBlock;
    ChangedBlock changed[kMaxSize / kPairBlock + 1];
    changed[blocks] = {~0u, ~0u};
    seen_.mark(triangle_id_, row + columns.begin, down, blocks, changed);
    const int64_t ends[2] = {last, down ? columns.end : 0}, steps[2] = {1, down};
    for (int axis = 0; axis < 2; ++axis)
      for (int64_t block = 0, first = columns.begin; first < ends[axis]; ++block, first += kPairBlock) {
        const uint32_t bits = axis == 0 ? changed[block].right : changed[block].down;
        if (!bits) continue;
        if (pairs_.size + kPairBlock > PairList::kMost) finish();
        add(axis, y, first, ends[axis], bits, steps[axis]);
      }
  }

  void finish() {
    if (Seen::kMayBeSurface && mesh_.has_short_indices) drop_surface(mesh_, pairs_);
    for (int i = 0; i < pairs_.size; ++i) {
      const int64_t a = pairs_.row[i] * raster_.width + pairs_.column[i], b = a + (pairs_.is_y[i] ? raster_.width : 1);
      if (seen_.differ(a, b))
        visit_(PixelPair{pairs_.is_y[i] ? Axis::kY : Axis::kX, pairs_.column[i], pairs_.row[i], pairs_.a[i], pairs_.b[i]}, a,
               b);
    }
    pairs_.size = 0;
  }

 private:
  void add(int axis, int64_t y, int64_t first, int64_t end, uint32_t bits, int64_t step) {
    const int32_t* ids = triangle_id_ + y * raster_.width;
    const Slice shown{mesh_.first_triangle, (int64_t)mesh_.first_triangle + mesh_.num_triangles};
    int size = pairs_.size;
    for (; bits; bits &= bits - 1) {
      const int64_t x = first + __builtin_ctz(bits);
      if (x >= end) break;
      const int32_t a = ids[x], b = ids[x + step];
      check_triangle_id(a, shown);
      check_triangle_id(b, shown);
      pairs_.column[size] = (int32_t)x, pairs_.row[size] = (int32_t)y, pairs_.is_y[size] = axis;
      pairs_.a[size] = a, pairs_.b[size] = b;
      size += a != b;
    }
    pairs_.size = size;
  }

  const WalkedMesh<T>& mesh_;
  const Seen& seen_;
  const int32_t* triangle_id_;
  Raster raster_;
  const Visit& visit_;
  PairList pairs_;
};

// visit(pair, a, b) for the pairs that begin in the rows, in those of their columns(y), and show different triangles
// differently: row by row, first those along it, then those down from it; a and b are pixels of the image. Pairs within a
// surface may be left out.
template <class T, class Seen, class ColumnsOf, class Visit>
void for_each_pair(const WalkedMesh<T>& mesh, const Seen& seen, const int32_t* triangle_id, Raster raster, Slice rows,
                   const ColumnsOf& columns_of, const Visit& visit) {
  PairFinder<T, Seen, Visit> finder(mesh, seen, triangle_id, raster, visit);
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    const Columns columns = columns_of(y);
    if (!columns.empty()) finder.look_at(y, columns);
  }
  finder.finish();
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

// The same of all pairs that begin in the rows, where either pixel has a cotangent; the number of walks cut short.
template <class T, class Seen, class ColumnsOf, class Grad>
int64_t add_row_gradients(const WalkedMesh<T>& mesh, const Seen& seen, const int32_t* triangle_id, Raster raster, Slice rows,
                          const ColumnsOf& columns_of, const Grad& grad, const AddTo<T>& add) {
  int64_t cut = 0;
  auto is_zero = [&](int64_t pixel) {
    for (int64_t c = 0; c < seen.channels; ++c)
      if (grad(pixel, c) != 0) return false;
    return true;
  };
  for_each_pair(mesh, seen, triangle_id, raster, rows, columns_of, [&](const PixelPair& pair, int64_t a, int64_t b) {
    if (is_zero(a) && is_zero(b)) return;
    cut += add_pair_gradient(mesh, pair, a, b, seen, grad, add);
  });
  return cut;
}

}  // namespace intaglio
