// SPDX-License-Identifier: MIT
// Where the pairs are: a pass over every pixel.
#include "pairs.h"

namespace intaglio {
namespace {

// Bit i: pixel i differs from the one `step` further.
template <class T>
INTAGLIO_INLINE uint32_t differing(const T* values, int64_t step) {
  uint32_t bits = 0;
  for (int i = 0; i < kPairBlock; ++i) bits |= (uint32_t)(values[i] != values[i + step]) << i;
  return bits;
}

INTAGLIO_INLINE bool all_alike(const int32_t* ids, int64_t down) {
  int32_t differs = 0;
  for (int64_t i = 0; i < kPairBlock; ++i) differs |= (ids[i] ^ ids[i + 1]) | (ids[i] ^ ids[i + down]);
  return differs == 0;
}

template <class T>
INTAGLIO_INLINE void mark_blocks(const int32_t* ids, const T* colors, int64_t channels, int64_t down, int64_t blocks,
                                 ChangedBlock* changed) {
  for (int64_t block = 0; block < blocks; ++block, ids += kPairBlock, colors += kPairBlock * channels) {
    changed[block] = {0, 0};
    if (all_alike(ids, down)) continue;
    changed[block] = {differing(ids, 1), differing(ids, down)};
    if (channels > 1) continue;
    changed[block].right &= differing(colors, 1), changed[block].down &= differing(colors, down);
  }
}

INTAGLIO_CLONES void mark_colors(const int32_t* ids, const float* colors, int64_t channels, int64_t down, int64_t blocks,
                                 ChangedBlock* changed) {
  mark_blocks(ids, colors, channels, down, blocks, changed);
}

void mark_colors(const int32_t* ids, const double* colors, int64_t channels, int64_t down, int64_t blocks,
                 ChangedBlock* changed) {
  mark_blocks(ids, colors, channels, down, blocks, changed);
}

// Bit i: pixel i is covered and the one `step` further is not, or the other way round: their signs differ.
INTAGLIO_INLINE uint32_t differing_coverage(const int32_t* ids, int64_t step) {
  uint32_t bits = 0;
  for (int i = 0; i < kPairBlock; ++i) bits |= (uint32_t)(ids[i] ^ ids[i + step]) >> 31 << i;
  return bits;
}

INTAGLIO_CLONES void mark_coverage(const int32_t* ids, int64_t down, int64_t blocks, ChangedBlock* changed) {
  for (int64_t block = 0; block < blocks; ++block, ids += kPairBlock) {
    int32_t differs = 0;  // in its sign
    for (int64_t i = 0; i < kPairBlock; ++i) differs |= (ids[i] ^ ids[i + 1]) | (ids[i] ^ ids[i + down]);
    changed[block] = {0, 0};
    if (differs < 0) changed[block] = {differing_coverage(ids, 1), differing_coverage(ids, down)};
  }
}

// Walks that are under way, by their places in the list of pairs: where each is, and which way its first triangle turned.
struct Walks {
  static constexpr int kLanes = 16;
  int32_t place[PairList::kMost], triangle[PairList::kMost], is_positive[PairList::kMost];
  int size = 0;
};

// What the walks need of a mesh, whatever its scalar is.
struct SurfaceGrid {
  const int32_t *triangles, *neighbours, *snapped;  // of each vertex x and y
  int32_t first_triangle;
  uint32_t num_triangles;
  int32_t height, width;
};

// One step of them all; those that are neither at their goal nor at their wits' end go on.
INTAGLIO_INLINE void take_step(const SurfaceGrid& grid, bool is_first, const PairList& pairs, Walks& walks,
                               int32_t* is_surface) {
  // Lanes beyond the last are steps of some walk, taken in vain. They are filled before any walk goes on.
  for (int i = walks.size; i % Walks::kLanes; ++i) walks.place[i] = walks.place[0], walks.triangle[i] = walks.triangle[0];
  int kept = 0;
  for (int first = 0; first < walks.size; first += Walks::kLanes) {
    int32_t next[Walks::kLanes], turn[Walks::kLanes], neighbour[3][Walks::kLanes];
    int32_t x[3][Walks::kLanes], y[3][Walks::kLanes], column[Walks::kLanes], row[Walks::kLanes], is_y[Walks::kLanes];
    for (int l = 0; l < Walks::kLanes; ++l) {
      const int32_t place = walks.place[first + l];
      const int32_t *corner = grid.triangles + 3 * walks.triangle[first + l],
                    *across = corner - grid.triangles + grid.neighbours;
      for (int k = 0; k < 3; ++k) {
        x[k][l] = grid.snapped[2 * corner[k]], y[k][l] = grid.snapped[2 * corner[k] + 1];
        neighbour[k][l] = across[k];
      }
      column[l] = pairs.column[place], row[l] = pairs.row[place], is_y[l] = pairs.is_y[place];
    }
    for (int l = 0; l < Walks::kLanes; ++l) {
      const int32_t centre_x = (2 * column[l] + 1 - grid.width) * kHalfPixel;  // pixel_centre
      const int32_t centre_y = (2 * row[l] + 1 - grid.height) * kHalfPixel;
      int32_t across_edge[3], along[3], across[3];
      for (int k = 0; k < 3; ++k) {
        // Unsigned, since a vertex without a place is as far as numbers go.
        const int32_t to_x = (int32_t)((uint32_t)x[k][l] - (uint32_t)centre_x);
        const int32_t to_y = (int32_t)((uint32_t)y[k][l] - (uint32_t)centre_y);
        along[k] = is_y[l] ? to_y : to_x, across[k] = is_y[l] ? to_x : to_y;
        across_edge[k] = neighbour[k][l];
      }
      const SureStep step = sure_step(across_edge, along, across);
      next[l] = step.neighbour, turn[l] = step.is_positive;
    }
    for (int l = 0; l < Walks::kLanes && first + l < walks.size; ++l) {
      const int i = first + l, place = walks.place[i];
      const bool turns_back = !is_first & (turn[l] != walks.is_positive[i]);
      const bool is_there = !turns_back & (next[l] >= 0) & (next[l] == pairs.b[place]);
      is_surface[place] = is_there;
      walks.place[kept] = place, walks.triangle[kept] = next[l], walks.is_positive[kept] = turn[l];
      kept += !is_there & !turns_back & ((uint32_t)next[l] - (uint32_t)grid.first_triangle < grid.num_triangles);
    }
  }
  walks.size = kept;
}

INTAGLIO_CLONES void drop(const SurfaceGrid& grid, PairList& pairs) {
  constexpr int kMostSteps = 8;  // of the few that take longer, the walk is the usual one
  int32_t is_surface[PairList::kMost];
  Walks walks;
  for (int i = 0; i < pairs.size; ++i) {
    is_surface[i] = 0;
    walks.place[walks.size] = i, walks.triangle[walks.size] = pairs.a[i];
    walks.size += (pairs.a[i] >= 0) & (pairs.b[i] >= 0);
  }
  for (int step = 0; step < kMostSteps && walks.size > 0; ++step) take_step(grid, step == 0, pairs, walks, is_surface);
  int kept = 0;
  for (int i = 0; i < pairs.size; ++i) {
    pairs.column[kept] = pairs.column[i], pairs.row[kept] = pairs.row[i], pairs.is_y[kept] = pairs.is_y[i];
    pairs.a[kept] = pairs.a[i], pairs.b[kept] = pairs.b[i];
    kept += !is_surface[i];
  }
  pairs.size = kept;
}

}  // namespace

template <class T>
void drop_surface(const WalkedMesh<T>& mesh, PairList& pairs) {
  drop({mesh.triangles, mesh.neighbours, &mesh.snapped->x, mesh.first_triangle, mesh.num_triangles, (int32_t)mesh.height,
        (int32_t)mesh.width},
       pairs);
}
template void drop_surface(const WalkedMesh<float>&, PairList&);
template void drop_surface(const WalkedMesh<double>&, PairList&);

template <class T>
void SeenColors<T>::mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, ChangedBlock* changed) const {
  mark_colors(triangle_id + pixel, at(pixel), channels, down, blocks, changed);
}

template <class T>
void SeenCoverage<T>::mark(const int32_t* ids, int64_t pixel, int64_t down, int64_t blocks, ChangedBlock* changed) const {
  mark_coverage(ids + pixel, down, blocks, changed);
}

template struct SeenColors<float>;
template struct SeenColors<double>;
template struct SeenCoverage<float>;
template struct SeenCoverage<double>;

}  // namespace intaglio
