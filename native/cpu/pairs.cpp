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

}  // namespace

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
