// SPDX-License-Identifier: MIT
// Sums of per-pixel contributions into arrays that are large beside the image (texels), where accumulate.h's private buffers
// would cost more than the pixels: every part owns a range of the targets, looks at every pixel, and adds what falls into its
// range, in pixel order. Each sum is thus made by one part in one order: bit-identical for any number of threads and any cut.
#pragma once
#include <algorithm>
#include <vector>

#include "../ops.h"
#include "pool.h"

namespace intaglio {

// Where to cut `targets` into `parts` so that about as many pixels fall into each: by a sample of the pixels. Only speed
// depends on it. near(b, pixel) is a target that the pixel adds to, or -1.
template <class Near>
std::vector<int64_t> cut_by_pixels(Raster raster, int64_t image_begin, int64_t image_end, int64_t targets, int64_t parts,
                                   const Near& near) {
  constexpr int64_t kSamples = 1024;
  int64_t pixels = (image_end - image_begin) * raster.pixels(), step = pixels / kSamples + 1;
  std::vector<int64_t> places;
  if (parts > 1)
    for (int64_t i = 0; i < pixels; i += step) {
      int64_t target = near(image_begin + i / raster.pixels(), i % raster.pixels());
      if (target >= 0) places.push_back(std::min(target, targets));
    }
  std::sort(places.begin(), places.end());
  std::vector<int64_t> cuts(parts + 1, 0);
  cuts[parts] = targets;
  for (int64_t part = 1; part < parts; ++part)
    cuts[part] = places.empty() ? targets * part / parts : places[places.size() * part / parts];
  return cuts;
}

// body(b, begin, end, T* sums): adds the contributions of image b, of those from the first to the last, to sums[begin * width
// ... end * width), targets being rows of `width` values. `shared` sums serve all images; otherwise they are [batch, targets,
// width]. To be added to what `out` holds.
template <class T, class Near, class Body>
void add_owned(Raster raster, Slice shown, T* out, int64_t targets, int64_t width, bool shared, const Near& near,
               const Body& body) {
  int64_t arrays = shared ? 1 : shown.count(), images = shared ? shown.count() : 1;
  int64_t parts = std::max<int64_t>(1, std::min(num_threads() / std::max<int64_t>(arrays, 1), targets));
  std::vector<std::vector<int64_t>> cuts(arrays);
  for (int64_t array = 0; array < arrays; ++array) {
    int64_t first = shown.begin + array * images;
    cuts[array] = cut_by_pixels(raster, first, first + images, targets, parts, near);
  }
  parallel_for(arrays * parts, [&](int64_t task) {
    int64_t array = task / parts, begin = cuts[array][task % parts], end = cuts[array][task % parts + 1];
    int64_t first = shown.begin + array * images;
    T* sums = shared ? out : out + first * targets * width;
    for (int64_t b = first; b < first + images; ++b) body(b, begin, end, sums);
  });
}

// The same for all images, overwriting `out`.
template <class T, class Near, class Body>
void accumulate_owned(Raster raster, T* out, int64_t targets, int64_t width, bool shared, const Near& near, const Body& body) {
  auto add = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
    if (!shared || b == 0) std::fill(sums + begin * width, sums + end * width, (T)0);
    body(b, begin, end, sums);
  };
  if (shared && raster.batch == 0) std::fill(out, out + targets * width, (T)0);
  add_owned(raster, {0, raster.batch}, out, targets, width, shared, near, add);
}

}  // namespace intaglio
