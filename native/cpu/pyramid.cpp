// SPDX-License-Identifier: MIT
// Pyramids of textures: one level from another, and all of them at once.
#include "pyramid.h"

#include <algorithm>
#include <vector>

#include "rows.h"

namespace intaglio {
namespace {

// Every texel of `to` as the weighted mean of a few of `from`, or with that added; taps(index, size) along each axis.
template <bool add, class T, class TapsOf>
void resample(const T* from, Raster from_size, Raster to_size, int64_t channels, int64_t tap_height, int64_t tap_width,
              const TapsOf& taps_of, T* to) {
  std::vector<Taps<T>> columns(to_size.width);
  for (int64_t x = 0; x < to_size.width; ++x) columns[x] = taps_of(x, tap_width);
  with_channels(channels, [&](auto channels) {
    for_each_row(to_size, [&](int64_t b, int64_t y) {
      Taps<T> rows = taps_of(y, tap_height);
      const T* image = from + b * from_size.pixels() * channels;
      T* out = to + (b * to_size.height + y) * to_size.width * channels;
      for (int64_t x = 0; x < to_size.width; ++x, out += channels) {
        const Taps<T>& taps = columns[x];
        const T total = rows.total * taps.total;
        for (int64_t c = 0; c < channels; ++c) {
          T sum = 0;
          for (int j = 0; j < rows.count; ++j)
            for (int i = 0; i < taps.count; ++i)
              sum +=
                  rows.weight[j] * taps.weight[i] * image[((rows.first + j) * from_size.width + taps.first + i) * channels + c];
          out[c] = add ? out[c] + sum / total : sum / total;
        }
      }
    });
  });
}

// The common case of a level that halves evenly, with the sums of `resample` in their order.
template <class T, class Stride>
void halve_even(const T* from, Raster size, Stride stride, T* to) {
  const int64_t row = size.width * stride, width = size.width / 2;
  for_each_row({size.batch, size.height / 2, width}, [&](int64_t b, int64_t y) {
    const T *upper = from + (b * size.height + 2 * y) * row, *lower = upper + row;
    T* out = to + (b * (size.height / 2) + y) * width * stride;
    for (int64_t x = 0; x < width; ++x, upper += 2 * stride, lower += 2 * stride, out += stride)
      for (int64_t c = 0; c < stride; ++c) out[c] = (upper[c] + upper[stride + c] + lower[c] + lower[stride + c]) * (T)0.25;
  });
}

template <class T, class Stride>
void add_halved_even_vjp(const T* from, Raster size, Stride stride, T* to) {
  const int64_t width = size.width / 2;
  for_each_row(size, [&](int64_t b, int64_t y) {
    const T* row = from + (b * (size.height / 2) + y / 2) * width * stride;
    T* out = to + (b * size.height + y) * size.width * stride;
    for (int64_t x = 0; x < width; ++x, row += stride, out += 2 * stride)
      for (int64_t c = 0; c < stride; ++c) {
        T part = row[c] * (T)0.25;
        out[c] += part, out[stride + c] += part;
      }
  });
}

bool is_even(Raster size) {
  return size.height % 2 == 0 && size.width % 2 == 0;
}

Raster halved(Raster size) {
  return {size.batch, level_size(size.height, 1), level_size(size.width, 1)};
}

}  // namespace

template <class T>
void halve_texture(const T* texture, Raster size, int64_t channels, T* out) {
  resample<false>(texture, size, halved(size), channels, size.height, size.width, halving_taps<T>, out);
}

template <class T>
void halve_texture_vjp(const T* grad_out, Raster size, int64_t channels, T* grad_texture) {
  resample<false>(grad_out, halved(size), size, channels, size.height, size.width, halving_taps_vjp<T>, grad_texture);
}

template <class T>
void build_pyramid(const T* texture, const Texture<T>& pyramid, int64_t arrays, int64_t channels, T* texels) {
  const int64_t stride = pyramid.channels, finest = pyramid.height * pyramid.width;
  with_strides(channels, [&](auto c, auto s) {
    for_each_row({arrays, pyramid.height, pyramid.width}, [&](int64_t array, int64_t y) {
      const T* from = texture + (array * finest + y * pyramid.width) * c;
      T* to = texels + (array * pyramid.num_texels + y * pyramid.width) * s;
      for (int64_t x = 0; x < pyramid.width; ++x)
        for (int64_t i = 0; i < s; ++i) to[x * s + i] = i < c ? from[x * c + i] : (T)0;
    });
  });
  for (int64_t array = 0; array < arrays; ++array) {
    T* level = texels + array * pyramid.num_texels * stride;
    for (int64_t l = 0; l + 1 < pyramid.num_levels; ++l) {
      Raster size{1, level_size(pyramid.height, l), level_size(pyramid.width, l)};
      T* next = level + size.pixels() * stride;
      if (is_even(size))
        with_strides(channels, [&](auto, auto s) { halve_even(level, size, s, next); });
      else
        halve_texture(level, size, stride, next);
      level += size.pixels() * stride;
    }
  }
}

// The texture's own channels of the finest level's gradient.
template <class T, class Channels, class Stride>
void take_finest(const T* finest, Raster size, Channels channels, Stride stride, T* out) {
  for_each_row(size, [&](int64_t, int64_t y) {
    const T* from = finest + y * size.width * stride;
    T* to = out + y * size.width * channels;
    for (int64_t x = 0; x < size.width; ++x)
      for (int64_t c = 0; c < channels; ++c) to[x * channels + c] = from[x * stride + c];
  });
}

// With what a level that halves it evenly passes on.
template <class T, class Channels, class Stride>
void take_finest(const T* finest, const T* halved, Raster size, Channels channels, Stride stride, T* out) {
  for_each_row(size, [&](int64_t, int64_t y) {
    const T *from = finest + y * size.width * stride, *coarse = halved + y / 2 * (size.width / 2) * stride;
    T* to = out + y * size.width * channels;
    for (int64_t x = 0; x < size.width; x += 2, from += 2 * stride, coarse += stride, to += 2 * channels)
      for (int64_t c = 0; c < channels; ++c) {
        const T part = coarse[c] * (T)0.25;
        to[c] = from[c] + part, to[channels + c] = from[stride + c] + part;
      }
  });
}

template <class T>
void build_pyramid_vjp(T* grad_texels, const Texture<T>& pyramid, int64_t arrays, int64_t channels, T* grad_texture) {
  const int64_t stride = pyramid.channels;
  const Raster finest{1, pyramid.height, pyramid.width};
  for (int64_t array = 0; array < arrays; ++array) {
    T *begin = grad_texels + array * pyramid.num_texels * stride, *end = begin + pyramid.num_texels * stride;
    const bool is_last_even = pyramid.num_levels > 1 && is_even(finest);
    for (int64_t l = pyramid.num_levels - 1; l > (is_last_even ? 1 : 0); --l) {
      Raster size{1, level_size(pyramid.height, l - 1), level_size(pyramid.width, l - 1)}, coarse = halved(size);
      T *from = end - coarse.pixels() * stride, *to = from - size.pixels() * stride;
      if (is_even(size))
        with_strides(channels, [&](auto, auto s) { add_halved_even_vjp(from, size, s, to); });
      else
        resample<true>(from, coarse, size, stride, size.height, size.width, halving_taps_vjp<T>, to);
      end = from;
    }
    with_strides(channels, [&](auto c, auto s) {
      T* out = grad_texture + array * finest.pixels() * c;
      if (is_last_even)
        take_finest(begin, begin + finest.pixels() * s, finest, c, s, out);
      else
        take_finest(begin, finest, c, s, out);
    });
  }
}

#define INTAGLIO_INSTANTIATE(T)                                                   \
  template void halve_texture(const T*, Raster, int64_t, T*);                     \
  template void halve_texture_vjp(const T*, Raster, int64_t, T*);                 \
  template void build_pyramid(const T*, const Texture<T>&, int64_t, int64_t, T*); \
  template void build_pyramid_vjp(T*, const Texture<T>&, int64_t, int64_t, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
