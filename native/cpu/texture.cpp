// SPDX-License-Identifier: MIT
// Pixels are taken in blocks: first the addresses and weights of their texels, which is arithmetic for all lanes at once, then
// the texels themselves. Gradients of texels are summed by owners of texel ranges (owners.h).
#include "../math/texture.h"

#include "check.h"
#include "owners.h"
#include "rows.h"
#include "simd.h"

namespace intaglio {
namespace {

constexpr int kBlock = 64;

// The texels of a block of pixels in one level each: where they are in the texture, and their weights.
template <class T>
struct TexelBlock {
  // The level of each pixel: its sizes, its first texel, and its share of the sample.
  T width[kBlock], height[kBlock], share[kBlock];
  int32_t start[kBlock];
  // Texels in the order of bilinear_weights; the place among them.
  int32_t texel[4][kBlock];
  T weight[4][kBlock], across[kBlock], down[kBlock];
};

template <class Border, class T>
INTAGLIO_INLINE void locate_nearest(const T* uv, TexelBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i) {
    T width = block.width[i], height = block.height[i];
    T column = wrap_texel<Border>(std::floor(uv[2 * i] * width), width);
    T row = wrap_texel<Border>(std::floor(uv[2 * i + 1] * height), height);
    block.texel[0][i] = block.start[i] + (int32_t)row * (int32_t)width + (int32_t)column;
  }
}

template <class Border, class T>
INTAGLIO_INLINE void locate_bilinear(const T* uv, TexelBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i) {
    T width = block.width[i], height = block.height[i], weight[4];
    TexelPair<T> column = texel_pair<Border>(uv[2 * i], width), row = texel_pair<Border>(uv[2 * i + 1], height);
    int32_t low = block.start[i] + (int32_t)row.low * (int32_t)width,
            high = block.start[i] + (int32_t)row.high * (int32_t)width;
    block.texel[0][i] = low + (int32_t)column.low, block.texel[1][i] = low + (int32_t)column.high;
    block.texel[2][i] = high + (int32_t)column.low, block.texel[3][i] = high + (int32_t)column.high;
    block.across[i] = column.place, block.down[i] = row.place;
    bilinear_weights(column.place, row.place, weight);
    for (int k = 0; k < 4; ++k) block.weight[k][i] = weight[k] * block.share[i];
  }
}

template <class Border, class T>
INTAGLIO_INLINE void locate_texels(const T* uv, bool nearest, TexelBlock<T>& block) {
  if (nearest) return locate_nearest<Border>(uv, block);
  locate_bilinear<Border>(uv, block);
}

template <class T>
INTAGLIO_INLINE void locate_all(const T* uv, bool nearest, Wrap wrap, TexelBlock<T>& block) {
  if (wrap == Wrap::kRepeat) return locate_texels<Repeat>(uv, nearest, block);
  if (wrap == Wrap::kMirror) return locate_texels<Mirror>(uv, nearest, block);
  locate_texels<Clamp>(uv, nearest, block);
}

INTAGLIO_CLONES void locate(const float* uv, bool nearest, Wrap wrap, TexelBlock<float>& block) {
  locate_all(uv, nearest, wrap, block);
}

void locate(const double* uv, bool nearest, Wrap wrap, TexelBlock<double>& block) {
  locate_all(uv, nearest, wrap, block);
}

// Finds the texels of one block of pixels after the other, in one or two levels.
template <class T>
class Locator {
 public:
  Locator(const Texture<T>& texture, Sampler sampler, const T* uv, const T* uv_derivatives)
      : texture_(texture), sampler_(sampler), uv_(uv), uv_derivatives_(uv_derivatives) {
    for (int64_t level = 0, start = 0; level < texture.num_levels; ++level) {
      starts_[level] = (int32_t)start;
      start += level_size(texture.height, level) * level_size(texture.width, level);
    }
    for (int i = 0; i < kBlock; ++i) put_level(block[0], i, 0, 1);
  }

  TexelBlock<T> block[2];
  int num_blocks() const { return sampler_.filter == Filter::kTrilinear ? 2 : 1; }
  int num_texels() const { return sampler_.filter == Filter::kNearest ? 1 : 4; }

  // Pixels at ... at + count of the batch.
  void find(int64_t at, int64_t count) {
    const T* uv = uv_ + 2 * at;
    T padded[2 * kBlock];
    if (count < kBlock) {
      std::copy_n(uv, 2 * count, padded);
      std::fill_n(padded + 2 * count, 2 * (kBlock - count), (T)0);
      uv = padded;
    }
    if (sampler_.filter == Filter::kTrilinear) choose_levels(at, count);
    for (int b = 0; b < num_blocks(); ++b) locate(uv, sampler_.filter == Filter::kNearest, sampler_.wrap, block[b]);
  }

 private:
  void put_level(TexelBlock<T>& to, int i, int64_t level, T share) {
    to.width[i] = (T)level_size(texture_.width, level), to.height[i] = (T)level_size(texture_.height, level);
    to.start[i] = starts_[level], to.share[i] = share;
  }

  void choose_levels(int64_t at, int64_t count) {
    for (int i = 0; i < kBlock; ++i) {
      T lod = i < count
                  ? level_of_detail(uv_derivatives_ + 4 * (at + i), (T)texture_.width, (T)texture_.height, texture_.num_levels)
                  : (T)0;
      int64_t level = (int64_t)lod;
      put_level(block[0], i, level, 1 - (lod - (T)level));
      put_level(block[1], i, std::min(level + 1, texture_.num_levels - 1), lod - (T)level);
    }
  }

  const Texture<T>& texture_;
  Sampler sampler_;
  const T *uv_, *uv_derivatives_;
  int32_t starts_[kMaxLevels];
};

// body(at, count): the pixels of one row in blocks.
template <class Body>
void for_each_block(Raster raster, int64_t b, int64_t y, const Body& body) {
  int64_t row = (b * raster.height + y) * raster.width;
  for (int64_t x = 0; x < raster.width; x += kBlock) body(row + x, std::min<int64_t>(kBlock, raster.width - x));
}

template <class T>
void check_texture(const Texture<T>& t) {
  if (std::max(t.height, t.width) > kMaxSize)
    throw std::invalid_argument("textures must be at most " + std::to_string(kMaxSize) + " texels wide and high");
}

template <class T, class Channels>
void blend_texels(const T* texels, const TexelBlock<T>& block, int i, Channels channels, T* out) {
  const T *t0 = texels + block.texel[0][i] * channels, *t1 = texels + block.texel[1][i] * channels;
  const T *t2 = texels + block.texel[2][i] * channels, *t3 = texels + block.texel[3][i] * channels;
  T w0 = block.weight[0][i], w1 = block.weight[1][i], w2 = block.weight[2][i], w3 = block.weight[3][i];
  for (int64_t c = 0; c < channels; ++c) out[c] += w0 * t0[c] + w1 * t1[c] + w2 * t2[c] + w3 * t3[c];
}

}  // namespace

template <class T>
void sample_texture(const Texture<T>& t, Sampler sampler, Raster raster, const T* uv, const T* uv_derivatives, T* out) {
  check_texture(t);
  with_channels(t.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      Locator<T> locator(t, sampler, uv, uv_derivatives);
      const T* texels = t.texels_of(b);
      for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
        locator.find(at, count);
        T* to = out + at * channels;
        if (sampler.filter == Filter::kNearest) {
          for (int i = 0; i < count; ++i)
            for (int64_t c = 0; c < channels; ++c) to[i * channels + c] = texels[locator.block[0].texel[0][i] * channels + c];
          return;
        }
        std::fill_n(to, count * channels, (T)0);
        for (int n = 0; n < locator.num_blocks(); ++n)
          for (int i = 0; i < count; ++i) blend_texels(texels, locator.block[n], i, channels, to + i * channels);
      });
    });
  });
}

namespace {

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
      T weight = num_texels == 1 ? (T)1 : block.weight[k][i];
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

template <class T>
void spread_to_texels(const Texture<T>& t, Sampler sampler, Raster raster, const T* uv, const T* uv_derivatives,
                      const T* grad_out, T* grad_texels) {
  Locator<T> probe(t, sampler, uv, uv_derivatives);
  auto near = [&](int64_t b, int64_t pixel) -> int64_t {
    probe.find(b * raster.pixels() + pixel, 1);
    return probe.block[0].texel[0][0];
  };
  with_channels(t.channels, [&](auto channels) {
    auto add_image = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
      Locator<T> locator(t, sampler, uv, uv_derivatives);
      bool all = begin == 0 && end == t.num_texels;
      for (int64_t y = 0; y < raster.height; ++y)
        for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
          locator.find(at, count);
          const T* grad = grad_out + at * channels;
          int texels = locator.num_texels();
          for (int n = 0; n < locator.num_blocks(); ++n) {
            const TexelBlock<T>& block = locator.block[n];
            if (all)
              spread_block<true>(block, texels, count, channels, grad, begin, end, sums);
            else if (touches(block, texels, begin, end))
              spread_block<false>(block, texels, count, channels, grad, begin, end, sums);
          }
        });
    };
    accumulate_owned(raster, grad_texels, t.num_texels, channels, !t.own_texels, near, add_image);
  });
}

template <class T, class Channels>
void add_uv_gradients(const T* texels, const TexelBlock<T>& block, int64_t count, Channels channels, const T* grad_out,
                      T* grad_uv) {
  T grad_weight[4][kBlock];
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < 4; ++k) {
      const T *texel = texels + block.texel[k][i] * channels, *grad = grad_out + i * channels;
      T sum = 0;
      for (int64_t c = 0; c < channels; ++c) sum += texel[c] * grad[c];
      grad_weight[k][i] = sum;
    }
  for (int i = 0; i < count; ++i) {
    const T corner[4] = {grad_weight[0][i], grad_weight[1][i], grad_weight[2][i], grad_weight[3][i]};
    Vec2<T> place = bilinear_weights_vjp(block.across[i], block.down[i], corner);
    grad_uv[2 * i] += place.x * block.width[i] * block.share[i];
    grad_uv[2 * i + 1] += place.y * block.height[i] * block.share[i];
  }
}

}  // namespace

template <class T>
void sample_texture_vjp(const Texture<T>& t, Sampler sampler, Raster raster, const T* uv, const T* uv_derivatives,
                        const T* grad_out, T* grad_texels, T* grad_uv) {
  check_texture(t);
  if (grad_texels) spread_to_texels(t, sampler, raster, uv, uv_derivatives, grad_out, grad_texels);
  if (!grad_uv) return;
  with_channels(t.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      Locator<T> locator(t, sampler, uv, uv_derivatives);
      for_each_block(raster, b, y, [&](int64_t at, int64_t count) {
        std::fill_n(grad_uv + 2 * at, 2 * count, (T)0);
        if (sampler.filter == Filter::kNearest) return;
        locator.find(at, count);
        for (int n = 0; n < locator.num_blocks(); ++n)
          add_uv_gradients(t.texels_of(b), locator.block[n], count, channels, grad_out + at * channels, grad_uv + 2 * at);
      });
    });
  });
}

namespace {

// Every texel of `to` as the weighted mean of a few of `from`; taps(index, size) along each axis.
template <class T, class TapsOf>
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
        for (int64_t c = 0; c < channels; ++c) out[c] = 0;
        for (int j = 0; j < rows.count; ++j)
          for (int i = 0; i < taps.count; ++i) {
            const T* texel = image + ((rows.first + j) * from_size.width + taps.first + i) * channels;
            for (int64_t c = 0; c < channels; ++c) out[c] += rows.weight[j] * taps.weight[i] * texel[c];
          }
        for (int64_t c = 0; c < channels; ++c) out[c] /= rows.total * taps.total;
      }
    });
  });
}

Raster halved(Raster size) {
  return {size.batch, level_size(size.height, 1), level_size(size.width, 1)};
}

}  // namespace

template <class T>
void halve_texture(const T* texture, Raster size, int64_t channels, T* out) {
  resample(texture, size, halved(size), channels, size.height, size.width, halving_taps<T>, out);
}

template <class T>
void halve_texture_vjp(const T* grad_out, Raster size, int64_t channels, T* grad_texture) {
  resample(grad_out, halved(size), size, channels, size.height, size.width, halving_taps_vjp<T>, grad_texture);
}

#define INTAGLIO_INSTANTIATE(T)                                                                               \
  template void sample_texture(const Texture<T>&, Sampler, Raster, const T*, const T*, T*);                   \
  template void sample_texture_vjp(const Texture<T>&, Sampler, Raster, const T*, const T*, const T*, T*, T*); \
  template void halve_texture(const T*, Raster, int64_t, T*);                                                 \
  template void halve_texture_vjp(const T*, Raster, int64_t, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
