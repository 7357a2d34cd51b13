// SPDX-License-Identifier: MIT
// Textures on the CPU: where the texels of a block of pixels are (texels.h has what is done with them), and pyramids.
#include "../math/texture.h"

#include "check.h"
#include "simd.h"
#include "texels.h"

namespace intaglio {
namespace {

// The texels of a block of pixels in one level each.
template <class T>
struct TextureBlock : TexelBlock<T> {
  // The level of each pixel: its sizes, its first texel, and its share of the sample.
  T width[kBlock], height[kBlock], share[kBlock];
  int32_t start[kBlock];
  // The place among the texels.
  T across[kBlock], down[kBlock];
};

template <class Border, class T>
INTAGLIO_INLINE void locate_nearest(const T* uv, TextureBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i) {
    T width = block.width[i], height = block.height[i];
    T column = wrap_texel<Border>(std::floor(uv[2 * i] * width), width);
    T row = wrap_texel<Border>(std::floor(uv[2 * i + 1] * height), height);
    block.texel[0][i] = block.start[i] + (int32_t)row * (int32_t)width + (int32_t)column;
    block.weight[0][i] = 1;
  }
}

template <class Border, class T>
INTAGLIO_INLINE void locate_bilinear(const T* uv, TextureBlock<T>& block) {
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
INTAGLIO_INLINE void locate_texels(const T* uv, bool nearest, TextureBlock<T>& block) {
  if (nearest) return locate_nearest<Border>(uv, block);
  locate_bilinear<Border>(uv, block);
}

template <class T>
INTAGLIO_INLINE void locate_all(const T* uv, bool nearest, Wrap wrap, TextureBlock<T>& block) {
  if (wrap == Wrap::kRepeat) return locate_texels<Repeat>(uv, nearest, block);
  if (wrap == Wrap::kMirror) return locate_texels<Mirror>(uv, nearest, block);
  locate_texels<Clamp>(uv, nearest, block);
}

INTAGLIO_CLONES void locate(const float* uv, bool nearest, Wrap wrap, TextureBlock<float>& block) {
  locate_all(uv, nearest, wrap, block);
}

void locate(const double* uv, bool nearest, Wrap wrap, TextureBlock<double>& block) {
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
    for (int i = 0; i < kBlock; ++i) put_level(blocks_[0], i, 0, 1);
  }

  int num_blocks() const { return sampler_.filter == Filter::kTrilinear ? 2 * (int)num_probes_ : 1; }
  int num_texels() const { return sampler_.filter == Filter::kNearest ? 1 : 4; }

  // Two levels of each probe, one probe after the other; what it returns lasts until the next probe is asked for.
  const TextureBlock<T>& block(int n) {
    if (num_probes_ > 1 && n / 2 != probe_) place_probe(n / 2);
    return blocks_[n % 2];
  }

  void find(int64_t at, int64_t count) {
    uv_block_ = padded_block(uv_ + 2 * at, 2, count, room_);
    num_probes_ = 1, probe_ = 0;
    if (sampler_.filter == Filter::kTrilinear)
      sampler_.max_anisotropy > 1 ? choose_probes(at, count) : choose_levels(at, count);
    if (num_probes_ > 1) return place_probe(0);
    for (int n = 0; n < num_blocks(); ++n) locate(uv_block_, sampler_.filter == Filter::kNearest, sampler_.wrap, blocks_[n]);
  }

 private:
  void put_level(TextureBlock<T>& to, int i, int64_t level, T share) {
    to.width[i] = (T)level_size(texture_.width, level), to.height[i] = (T)level_size(texture_.height, level);
    to.start[i] = starts_[level], to.share[i] = share;
  }

  void put_levels(int i, T lod) {
    int64_t level = (int64_t)lod;
    put_level(blocks_[0], i, level, 1 - (lod - (T)level));
    put_level(blocks_[1], i, std::min(level + 1, texture_.num_levels - 1), lod - (T)level);
  }

  void choose_levels(int64_t at, int64_t count) {
    for (int i = 0; i < kBlock; ++i)
      put_levels(i, i < count ? level_of_detail(uv_derivatives_ + 4 * (at + i), (T)texture_.width, (T)texture_.height,
                                                texture_.num_levels)
                              : (T)0);
  }

  void choose_probes(int64_t at, int64_t count) {
    for (int i = 0; i < kBlock; ++i) {
      probes_[i] = {1, 0, 0, 0};
      if (i < count)
        probes_[i] = probe_line(uv_derivatives_ + 4 * (at + i), (T)texture_.width, (T)texture_.height, texture_.num_levels,
                                sampler_.max_anisotropy);
      put_levels(i, probes_[i].level);
      num_probes_ = std::max(num_probes_, probes_[i].count);
    }
  }

  void place_probe(int64_t probe) {
    probe_ = probe;
    T uv[2 * kBlock];
    for (int i = 0; i < kBlock; ++i) {
      const ProbeLine<T>& line = probes_[i];
      Vec2<T> offset = line.offset(std::min(probe, line.count - 1));
      uv[2 * i] = uv_block_[2 * i] + offset.x, uv[2 * i + 1] = uv_block_[2 * i + 1] + offset.y;
      T share = line.level - std::floor(line.level), part = probe < line.count ? 1 / (T)line.count : (T)0;
      blocks_[0].share[i] = (1 - share) * part, blocks_[1].share[i] = share * part;
    }
    for (TextureBlock<T>& block : blocks_) locate(uv, false, sampler_.wrap, block);
  }

  const Texture<T>& texture_;
  Sampler sampler_;
  const T *uv_, *uv_derivatives_;
  int32_t starts_[kMaxLevels];
  TextureBlock<T> blocks_[2];
  const T* uv_block_ = nullptr;
  T room_[2 * kBlock];
  ProbeLine<T> probes_[kBlock];
  int64_t num_probes_ = 1, probe_ = 0;
};

template <class T>
void check_texture(const Texture<T>& t) {
  if (std::max(t.height, t.width) > kMaxSize)
    throw std::invalid_argument("textures must be at most " + std::to_string(kMaxSize) + " texels wide and high");
}

}  // namespace

template <class T>
void sample_texture(const Texture<T>& t, Sampler sampler, Raster raster, const T* uv, const T* uv_derivatives, T* out) {
  check_texture(t);
  sample_map(t, raster, [&] { return Locator<T>(t, sampler, uv, uv_derivatives); }, out);
}

template <class T>
void sample_texture_vjp(const Texture<T>& t, Sampler sampler, Raster raster, const T* uv, const T* uv_derivatives,
                        const T* grad_out, T* grad_texels, T* grad_uv) {
  check_texture(t);
  auto make_locator = [&] { return Locator<T>(t, sampler, uv, uv_derivatives); };
  if (grad_texels) spread_to_texels(t, raster, make_locator, grad_out, grad_texels);
  if (!grad_uv) return;
  fill_words(grad_uv, raster.batch * raster.pixels() * 2, (T)0);
  if (sampler.filter == Filter::kNearest) return;
  auto add_block = [&](Locator<T>& locator, const T* texels, int64_t at, int64_t count, const T* grad, auto channels) {
    for (int n = 0; n < locator.num_blocks(); ++n) {
      const TextureBlock<T>& block = locator.block(n);
      for (int i = 0; i < count; ++i) {
        T grad_weight[4];
        weight_gradients(texels, block, i, channels, grad + i * channels, grad_weight);
        Vec2<T> place = bilinear_weights_vjp(block.across[i], block.down[i], grad_weight);
        grad_uv[2 * (at + i)] += place.x * block.width[i] * block.share[i];
        grad_uv[2 * (at + i) + 1] += place.y * block.height[i] * block.share[i];
      }
    }
  };
  for_each_block_with_gradient(t, raster, make_locator, grad_out, add_block);
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
