// SPDX-License-Identifier: MIT
// The nearest of what is offered to a pixel, and of equals the lowest index: a minimum, which no order of offers changes.
#pragma once
#include "sums.h"

namespace intaglio {

// Depths in the order of their bits, negative ones too.
INTAGLIO_HD uint32_t ordered(float depth) {
  uint32_t bits = bits_as<uint32_t>(depth + 0.0f);  // of -0 and 0 neither is nearer
  return bits ^ ((bits >> 31) ? 0xffffffffu : 0x80000000u);
}
INTAGLIO_HD uint64_t ordered(double depth) {
  uint64_t bits = bits_as<uint64_t>(depth + 0.0);
  return bits ^ ((bits >> 63) ? ~(uint64_t)0 : (uint64_t)1 << 63);
}
INTAGLIO_HD float from_ordered(uint32_t bits) {
  return bits_as<float>(bits ^ ((bits >> 31) ? 0x80000000u : 0xffffffffu));
}
INTAGLIO_HD double from_ordered(uint64_t bits) {
  return bits_as<double>(bits ^ ((bits >> 63) ? (uint64_t)1 << 63 : ~(uint64_t)0));
}

// What pixels keep. float: depth and id in one word. An empty pixel is `far`, and only what is nearer is kept.
struct PackedPixels {
  uint64_t* nearest;
  float far;
  INTAGLIO_DEVICE void clear(int64_t pixel) const { nearest[pixel] = (uint64_t)ordered(far) << 32; }
  INTAGLIO_DEVICE void offer(int64_t pixel, float depth, int32_t id) const {
    uint64_t word = (uint64_t)ordered(depth) << 32 | (uint32_t)id;
    if (depth < far && word < glance(nearest + pixel)) atomic_min(nearest + pixel, word);
  }
  INTAGLIO_DEVICE float depth(int64_t pixel) const { return from_ordered((uint32_t)(nearest[pixel] >> 32)); }
  INTAGLIO_DEVICE int32_t id(int64_t pixel) const { return depth(pixel) < far ? (int32_t)(uint32_t)nearest[pixel] : -1; }
};

// double: all depths first, then the ids of those that are the nearest.
struct DepthPixels {
  uint64_t* nearest;
  uint32_t* least_id;  // UINT32_MAX for none
  double far;
  bool knows_depth;
  INTAGLIO_DEVICE void clear(int64_t pixel) const { nearest[pixel] = ordered(far), least_id[pixel] = UINT32_MAX; }
  INTAGLIO_DEVICE void offer(int64_t pixel, double depth, int32_t id) const {
    if (!(depth < far)) return;
    if (!knows_depth)
      atomic_min(nearest + pixel, ordered(depth));
    else if (nearest[pixel] == ordered(depth))
      atomic_min(least_id + pixel, (uint32_t)id);
  }
  INTAGLIO_DEVICE double depth(int64_t pixel) const { return from_ordered(nearest[pixel]); }
  INTAGLIO_DEVICE int32_t id(int64_t pixel) const { return (int32_t)least_id[pixel]; }
};

template <class Pixels>
struct Clear {
  Pixels pixels;
  INTAGLIO_DEVICE void operator()(int64_t i) const { pixels.clear(i); }
};

// They are to be cleared: for_each(count, Clear<...>{pixels}).
inline PackedPixels make_pixels(int64_t count, float far) {
  return {scratch<uint64_t>(count), far};
}

inline DepthPixels make_pixels(int64_t count, double far) {
  return {scratch<uint64_t>(count), scratch<uint32_t>(count), far, false};
}

// draw(pixels, is_first): once where depth and id are one word, else for depths and again for ids.
template <class Draw>
void offer_all(PackedPixels pixels, const Draw& draw) {
  draw(pixels, true);
}
template <class Draw>
void offer_all(DepthPixels pixels, const Draw& draw) {
  draw(pixels, true);
  pixels.knows_depth = true;
  draw(pixels, false);
}

}  // namespace intaglio
