// SPDX-License-Identifier: MIT
// Where the pairs are: a pass over every pixel.
#include "pairs.h"

namespace intaglio {
namespace {

template <class T>
INTAGLIO_INLINE bool differs_anywhere(const T* values, int64_t count, int64_t right, int64_t down) {
  int32_t differs = 0;
  for (int64_t i = 0; i < count; ++i) differs |= (values[i] != values[i + right]) | (values[i] != values[i + down]);
  return differs != 0;
}

// Bit i: pixel i differs.
template <class T>
INTAGLIO_INLINE uint32_t differing(const T* values, int64_t down) {
  uint32_t bits = 0;
  for (int i = 0; i < kPairBlock; ++i) bits |= (uint32_t)((values[i] != values[i + 1]) | (values[i] != values[i + down])) << i;
  return bits;
}

// Bit i: pixel i is covered and a neighbour is not, or the other way round: their signs differ.
INTAGLIO_INLINE uint32_t differing_coverage(const int32_t* ids, int64_t down) {
  uint32_t bits = 0;
  for (int i = 0; i < kPairBlock; ++i) bits |= (uint32_t)((ids[i] ^ ids[i + 1]) | (ids[i] ^ ids[i + down])) >> 31 << i;
  return bits;
}

template <class T>
INTAGLIO_INLINE void mark_blocks(const int32_t* ids, const T* colors, int64_t channels, int64_t down, int64_t blocks,
                                 uint32_t* changed) {
  for (int64_t block = 0; block < blocks; ++block, ids += kPairBlock, colors += kPairBlock * channels) {
    bool changes = differs_anywhere(ids, kPairBlock, 1, down) &&
                   differs_anywhere(colors, kPairBlock * channels, channels, down * channels);
    changed[block] = changes ? differing(ids, down) & (channels == 1 ? differing(colors, down) : ~0u) : 0;
  }
}

INTAGLIO_CLONES void mark_colors(const int32_t* ids, const float* colors, int64_t channels, int64_t down, int64_t blocks,
                                 uint32_t* changed) {
  mark_blocks(ids, colors, channels, down, blocks, changed);
}

void mark_colors(const int32_t* ids, const double* colors, int64_t channels, int64_t down, int64_t blocks, uint32_t* changed) {
  mark_blocks(ids, colors, channels, down, blocks, changed);
}

INTAGLIO_CLONES void mark_coverage(const int32_t* ids, int64_t down, int64_t blocks, uint32_t* changed) {
  for (int64_t block = 0; block < blocks; ++block, ids += kPairBlock) {
    int32_t differs = 0;  // in its sign
    for (int64_t i = 0; i < kPairBlock; ++i) differs |= (ids[i] ^ ids[i + 1]) | (ids[i] ^ ids[i + down]);
    changed[block] = differs < 0 ? differing_coverage(ids, down) : 0;
  }
}

constexpr int kPairLanes = 16;

INTAGLIO_INLINE void drop_pairs(const int32_t* triangles, const int32_t* neighbours, const Subpixel* snapped, Raster raster,
                                int64_t y, PairList& pairs) {
  const int32_t* grid = &snapped[0].x;
  const int32_t row = pixel_centre(y, raster.height), width = (int32_t)raster.width;
  int kept = 0;
  for (int first = 0; first < pairs.size; first += kPairLanes) {
    int32_t is_surface[kPairLanes];
    for (int i = pairs.size; i < first + kPairLanes; ++i) pairs.a[i] = pairs.b[i] = -1, pairs.column[i] = pairs.axis[i] = 0;
    for (int l = 0; l < kPairLanes; ++l) {
      const int i = first + l;
      const int32_t a = pairs.a[i], b = pairs.b[i], from = a < 0 ? 0 : a;
      const bool is_x = pairs.axis[i] == (int32_t)Axis::kX;
      const int32_t column = (2 * pairs.column[i] + 1 - width) * kHalfPixel;  // pixel_centre
      int32_t neighbour[3], along[3], across[3];
      for (int k = 0; k < 3; ++k) {
        const int32_t vertex = triangles[3 * from + k];
        neighbour[k] = neighbours[3 * from + k];
        // Unsigned, since a vertex without a place is as far as numbers go.
        const int32_t x = (int32_t)((uint32_t)grid[2 * vertex] - (uint32_t)column);
        const int32_t y = (int32_t)((uint32_t)grid[2 * vertex + 1] - (uint32_t)row);
        along[k] = is_x ? x : y, across[k] = is_x ? y : x;
      }
      is_surface[l] = (a >= 0) & (b >= 0) & surely_steps_to(b, neighbour, along, across);
    }
    const int end = pairs.size - first < kPairLanes ? pairs.size - first : kPairLanes;
    for (int l = 0; l < end; ++l) {
      const int i = first + l;
      pairs.column[kept] = pairs.column[i], pairs.axis[kept] = pairs.axis[i];
      pairs.a[kept] = pairs.a[i], pairs.b[kept] = pairs.b[i];
      kept += !is_surface[l];
    }
  }
  pairs.size = kept;
}

}  // namespace

INTAGLIO_CLONES void drop_surface(const int32_t* triangles, const int32_t* neighbours, const Subpixel* snapped, Raster raster,
                                  int64_t y, PairList& pairs) {
  drop_pairs(triangles, neighbours, snapped, raster, y, pairs);
}

template <class T>
void SeenColors<T>::mark(const int32_t* triangle_id, int64_t pixel, int64_t down, int64_t blocks, uint32_t* changed) const {
  mark_colors(triangle_id + pixel, at(pixel), channels, down, blocks, changed);
}

template <class T>
void SeenCoverage<T>::mark(const int32_t* ids, int64_t pixel, int64_t down, int64_t blocks, uint32_t* changed) const {
  mark_coverage(ids + pixel, down, blocks, changed);
}

template struct SeenColors<float>;
template struct SeenColors<double>;
template struct SeenCoverage<float>;
template struct SeenCoverage<double>;

}  // namespace intaglio
