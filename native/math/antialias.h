// SPDX-License-Identifier: MIT
// How the edges around a pixel blend its colour with its neighbours': each takes the share of the pixel that it leaves to the
// other side.
#pragma once
#include "vec.h"

namespace intaglio {

// What the edges take from a pixel and give to its neighbours: at most four partners with their shares. Where several edges
// would take more than the whole pixel the shares are scaled, so that the blend stays within the hull of the colours.
template <class T>
struct Blend {
  int count = 0;
  int64_t partner[4];
  T share[4], total = 0;

  INTAGLIO_HD void add(int64_t pixel, T amount) {
    if (amount <= 0) return;
    partner[count] = pixel, share[count++] = amount;
    total += amount;
  }
  INTAGLIO_HD T scale() const { return total > 1 ? 1 / total : (T)1; }
  // What is left of the pixel.
  INTAGLIO_HD T kept() const { return 1 - scale() * total; }
  // What `pixel` receives.
  INTAGLIO_HD T share_of(int64_t pixel) const {
    T sum = 0;
    for (int i = 0; i < count; ++i) sum += partner[i] == pixel ? scale() * share[i] : (T)0;
    return sum;
  }
  // One channel of an image [pixels, channels], blended at `pixel`.
  INTAGLIO_HD T color(const T* image, int64_t pixel, int64_t channels, int64_t channel) const {
    const T own = image[pixel * channels + channel];
    T blended = own;
    for (int i = 0; i < count; ++i) blended += scale() * share[i] * (image[partner[i] * channels + channel] - own);
    return blended;
  }
  // d color / d share of `other` in `pixel`: other - own; where the shares are scaled, other - blended, over their total.
  INTAGLIO_HD T color_slope(const T* image, int64_t pixel, int64_t other, int64_t channels, int64_t channel) const {
    T base = total > 1 ? color(image, pixel, channels, channel) : image[pixel * channels + channel];
    return (image[other * channels + channel] - base) * scale();
  }
};

// The share of this pixel that the edge leaves to the neighbour: positive only if the edge lies in this pixel. `position` in
// [0, 1] runs from the centre of the first pixel to that of the second; -1 for no edge.
template <class T>
INTAGLIO_HD T share_of_first(T position) {
  return position >= 0 ? (T)0.5 - position : (T)0;
}
template <class T>
INTAGLIO_HD T share_of_second(T position) {
  return position >= 0 ? position - (T)0.5 : (T)0;
}

// The blend of a pixel of a batch of images; across, down: the positions of the edges towards the next pixel of its row and of
// its column.
template <class T>
INTAGLIO_HD Blend<T> blend_at(const T* across, const T* down, int64_t height, int64_t width, int64_t pixel) {
  Blend<T> blend;
  int64_t x = pixel % width, y = pixel / width % height;
  if (x + 1 < width) blend.add(pixel + 1, share_of_first(across[pixel]));
  if (x > 0) blend.add(pixel - 1, share_of_second(across[pixel - 1]));
  if (y + 1 < height) blend.add(pixel + width, share_of_first(down[pixel]));
  if (y > 0) blend.add(pixel - width, share_of_second(down[pixel - width]));
  return blend;
}

}  // namespace intaglio
