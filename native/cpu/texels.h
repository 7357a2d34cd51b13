// SPDX-License-Identifier: MIT
// What maps of texels share, textures and cube maps alike. Pixels are taken in blocks: first the addresses and weights of their
// texels, which is arithmetic for all lanes at once, then the texels themselves. Gradients of texels are summed by owners of
// texel ranges (owners.h).
//
// A map has texels_of(image), num_texels, channels and own_texels. A locator finds what the pixels of a block are made of:
// find(at, count) for pixels at ... at + count of the batch, false if all are 0; then num_blocks() sets of texels, block(n)
// each, of num_texels() texels per pixel.
#pragma once
#include <algorithm>

#include "owners.h"
#include "rows.h"

namespace intaglio {

constexpr int kBlock = 64;

// One set of texels for each pixel of a block: where they are in the map, and their weights. A pixel without weight reads none.
template <class T>
struct TexelBlock {
  int32_t texel[4][kBlock];
  T weight[4][kBlock];
};

// body(at, count): the pixels of one row in blocks.
template <class Body>
void for_each_block(Raster raster, int64_t b, int64_t y, const Body& body) {
  int64_t row = (b * raster.height + y) * raster.width;
  for (int64_t x = 0; x < raster.width; x += kBlock) body(row + x, std::min<int64_t>(kBlock, raster.width - x));
}

// The values of a block's pixels, `width` each: `values` itself where all kBlock are there, else a copy followed by zeros.
template <class T>
const T* padded_block(const T* values, int64_t width, int64_t count, T* room) {
  if (count == kBlock) return values;
  std::copy_n(values, width * count, room);
  std::fill_n(room + width * count, width * (kBlock - count), (T)0);
  return room;
}

template <class T>
T total_weight(const TexelBlock<T>& block, int i) {
  return block.weight[0][i] + block.weight[1][i] + block.weight[2][i] + block.weight[3][i];
}

template <class T, class Channels>
void blend_texels(const T* texels, const TexelBlock<T>& block, int num_texels, int i, Channels channels, T* out) {
  T w0 = block.weight[0][i];
  const T* t0 = texels + block.texel[0][i] * channels;
  if (num_texels == 1) {
    if (w0 == 0) return;
    for (int64_t c = 0; c < channels; ++c) out[c] += w0 * t0[c];
    return;
  }
  if (total_weight(block, i) == 0) return;
  T w1 = block.weight[1][i], w2 = block.weight[2][i], w3 = block.weight[3][i];
  const T *t1 = texels + block.texel[1][i] * channels, *t2 = texels + block.texel[2][i] * channels,
          *t3 = texels + block.texel[3][i] * channels;
  for (int64_t c = 0; c < channels; ++c) out[c] += w0 * t0[c] + w1 * t1[c] + w2 * t2[c] + w3 * t3[c];
}

template <class T, class Map, class MakeLocator>
void sample_map(const Map& map, Raster raster, const MakeLocator& make_locator, T* out) {
  with_channels(map.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      auto locator = make_locator();
      const T* texels = map.texels_of(b);
      for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
        T* to = out + at * channels;
        std::fill_n(to, count * channels, (T)0);
        if (!locator.find(at, count)) return;
        for (int n = 0; n < locator.num_blocks(); ++n) {
          const TexelBlock<T>& block = locator.block(n);
          for (int i = 0; i < count; ++i) blend_texels(texels, block, locator.num_texels(), i, channels, to + i * channels);
        }
      });
    });
  });
}

template <class T, class Channels>
bool all_zero(const T* values, Channels channels) {
  bool any = false;
  for (int64_t c = 0; c < channels; ++c) any |= values[c] != 0;
  return !any;
}

// Adds a block's pixels to the texels from `begin` to `end`; kAll if that is all there are.
template <bool kAll, class T, class Channels>
void spread_block(const TexelBlock<T>& block, int num_texels, int64_t count, Channels channels, const T* grad_out,
                  int64_t begin, int64_t end, T* sums) {
  for (int i = 0; i < count; ++i) {
    const T* grad = grad_out + i * channels;
    if (all_zero(grad, channels)) continue;
    for (int k = 0; k < num_texels; ++k) {
      int64_t texel = block.texel[k][i];
      if (!kAll && (texel < begin || texel >= end)) continue;
      T weight = block.weight[k][i];
      if (weight == 0) continue;
      for (int64_t c = 0; c < channels; ++c) sums[texel * channels + c] += weight * grad[c];
    }
  }
}

template <class T>
bool touches(const TexelBlock<T>& block, int num_texels, int64_t begin, int64_t end) {
  bool any = false;
  for (int k = 0; k < num_texels; ++k)
    for (int i = 0; i < kBlock; ++i) any |= (block.texel[k][i] >= begin) & (block.texel[k][i] < end);
  return any;
}

template <class T, class Map, class MakeLocator>
void spread_to_texels(const Map& map, Raster raster, const MakeLocator& make_locator, const T* grad_out, T* grad_texels) {
  auto probe = make_locator();
  auto near = [&](int64_t b, int64_t pixel) -> int64_t {
    return probe.find(b * raster.pixels() + pixel, 1) ? probe.block(0).texel[0][0] : -1;
  };
  with_channels(map.channels, [&](auto channels) {
    auto add_image = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
      auto locator = make_locator();
      bool all = begin == 0 && end == map.num_texels;
      for (int64_t y = 0; y < raster.height; ++y)
        for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
          const T* grad = grad_out + at * channels;
          if (all_zero(grad, count * channels) || !locator.find(at, count)) return;
          int texels = locator.num_texels();
          for (int n = 0; n < locator.num_blocks(); ++n) {
            const TexelBlock<T>& block = locator.block(n);
            if (all)
              spread_block<true>(block, texels, count, channels, grad, begin, end, sums);
            else if (touches(block, texels, begin, end))
              spread_block<false>(block, texels, count, channels, grad, begin, end, sums);
          }
        });
    };
    accumulate_owned(raster, grad_texels, map.num_texels, channels, !map.own_texels, near, add_image);
  });
}

// The cotangents of the weights of a pixel's texels: each the sum over channels of texel times cotangent.
template <class T, class Channels>
void weight_gradients(const T* texels, const TexelBlock<T>& block, int i, Channels channels, const T* grad_out,
                      T grad_weight[4]) {
  for (int k = 0; k < 4; ++k) {
    const T* texel = texels + block.texel[k][i] * channels;
    T sum = 0;
    for (int64_t c = 0; c < channels; ++c) sum += texel[c] * grad_out[c];
    grad_weight[k] = sum;
  }
}

// visit(locator, texels, at, count, grad_out, channels) for every block of pixels that has a cotangent, on the pool.
template <class T, class Map, class MakeLocator, class Visit>
void for_each_block_with_gradient(const Map& map, Raster raster, const MakeLocator& make_locator, const T* grad_out,
                                  const Visit& visit) {
  with_channels(map.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      auto locator = make_locator();
      for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
        const T* grad = grad_out + at * channels;
        if (all_zero(grad, count * channels) || !locator.find(at, count)) return;
        visit(locator, map.texels_of(b), at, count, grad, channels);
      });
    });
  });
}

}  // namespace intaglio
