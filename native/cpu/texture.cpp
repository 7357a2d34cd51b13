// SPDX-License-Identifier: MIT
// Textures on the CPU: where the texels of a block of pixels are; texels.h has what is done with them.
#include "locate.h"
#include "simd.h"

namespace intaglio {
namespace {

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

// Pixel i at the level of which the sizes are given; `level` may be the same for all, whose divisions are then made once.
template <class Border, class T>
INTAGLIO_INLINE void locate_between(T u, T v, OneLevel<T> level, T share, int i, TextureBlock<T>& block) {
  const T width = level.width, height = level.height;
  T weight[4];
  TexelPair<T> column = texel_pair<Border>(u, width), row = texel_pair<Border>(v, height);
  int32_t low = level.start + (int32_t)row.low * (int32_t)width, high = level.start + (int32_t)row.high * (int32_t)width;
  block.texel[0][i] = low + (int32_t)column.low, block.texel[1][i] = low + (int32_t)column.high;
  block.texel[2][i] = high + (int32_t)column.low, block.texel[3][i] = high + (int32_t)column.high;
  block.across[i] = column.place, block.down[i] = row.place;
  bilinear_weights(column.place, row.place, weight);
  for (int k = 0; k < 4; ++k) block.weight[k][i] = weight[k] * share;
}

template <class Border, class T>
INTAGLIO_INLINE void locate_bilinear(const T* uv, TextureBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i)
    locate_between<Border>(uv[2 * i], uv[2 * i + 1], {block.width[i], block.height[i], block.start[i]}, block.share[i], i,
                           block);
}

// The same of u and v apart, in the lanes wanted.
template <class Border, class T>
INTAGLIO_INLINE void locate_lanes(const T* u, const T* v, BlockLanes lanes, TextureBlock<T>& block) {
  lanes.for_each([&](int i) INTAGLIO_INLINED {
    locate_between<Border>(u[i], v[i], {block.width[i], block.height[i], block.start[i]}, block.share[i], i, block);
  });
}

template <class Border, class T>
INTAGLIO_INLINE void locate_in_one(const T* u, const T* v, OneLevel<T> level, BlockLanes lanes, TextureBlock<T>& block) {
  lanes.for_each([&](int i) INTAGLIO_INLINED {
    block.width[i] = level.width, block.height[i] = level.height, block.share[i] = 1;
    locate_between<Border>(u[i], v[i], level, (T)1, i, block);
  });
}

template <class Border, class T>
INTAGLIO_INLINE void locate_texels(const T* uv, bool nearest, TextureBlock<T>& block) {
  if (nearest) return locate_nearest<Border>(uv, block);
  locate_bilinear<Border>(uv, block);
}

// visit(border) for what a wrap means.
template <class Visit>
INTAGLIO_INLINE void with_border(Wrap wrap, const Visit& visit) {
  if (wrap == Wrap::kRepeat) return visit(Repeat());
  if (wrap == Wrap::kMirror) return visit(Mirror());
  visit(Clamp());
}

template <class T>
INTAGLIO_INLINE void locate_all(const T* uv, bool nearest, Wrap wrap, TextureBlock<T>& block) {
  with_border(wrap, [&](auto border) INTAGLIO_INLINED { locate_texels<decltype(border)>(uv, nearest, block); });
}

template <class T>
INTAGLIO_INLINE void locate_planes(const T* u, const T* v, Wrap wrap, BlockLanes lanes, TextureBlock<T>& block) {
  with_border(wrap, [&](auto border) INTAGLIO_INLINED { locate_lanes<decltype(border)>(u, v, lanes, block); });
}

template <class T>
INTAGLIO_INLINE void locate_one(const T* u, const T* v, OneLevel<T> level, Wrap wrap, BlockLanes lanes,
                                TextureBlock<T>& block) {
  with_border(wrap, [&](auto border) INTAGLIO_INLINED { locate_in_one<decltype(border)>(u, v, level, lanes, block); });
}

template <class T>
INTAGLIO_INLINE void choose_all(const LevelTable<T>& table, const T* lod, BlockLanes lanes, TextureBlock<T>* blocks) {
  lanes.for_each([&](int i) INTAGLIO_INLINED {
    int32_t level = (int32_t)lod[i], next = min_of(level + 1, table.count - 1);
    T share = lod[i] - (T)level;
    blocks[0].width[i] = table.width[level], blocks[0].height[i] = table.height[level];
    blocks[0].start[i] = table.start[level], blocks[0].share[i] = 1 - share;
    blocks[1].width[i] = table.width[next], blocks[1].height[i] = table.height[next];
    blocks[1].start[i] = table.start[next], blocks[1].share[i] = share;
  });
}

}  // namespace

INTAGLIO_CLONES void locate(const float* uv, bool nearest, Wrap wrap, TextureBlock<float>& block) {
  locate_all(uv, nearest, wrap, block);
}

void locate(const double* uv, bool nearest, Wrap wrap, TextureBlock<double>& block) {
  locate_all(uv, nearest, wrap, block);
}

INTAGLIO_CLONES void locate(const float* u, const float* v, Wrap wrap, BlockLanes lanes, TextureBlock<float>& block) {
  locate_planes(u, v, wrap, lanes, block);
}
void locate(const double* u, const double* v, Wrap wrap, BlockLanes lanes, TextureBlock<double>& block) {
  locate_planes(u, v, wrap, lanes, block);
}

INTAGLIO_CLONES void locate(const float* u, const float* v, OneLevel<float> level, Wrap wrap, BlockLanes lanes,
                            TextureBlock<float>& block) {
  locate_one(u, v, level, wrap, lanes, block);
}
void locate(const double* u, const double* v, OneLevel<double> level, Wrap wrap, BlockLanes lanes,
            TextureBlock<double>& block) {
  locate_one(u, v, level, wrap, lanes, block);
}

INTAGLIO_CLONES void choose_levels(const LevelTable<float>& table, const float* lod, TextureBlock<float>* blocks,
                                   BlockLanes lanes) {
  choose_all(table, lod, lanes, blocks);
}
void choose_levels(const LevelTable<double>& table, const double* lod, TextureBlock<double>* blocks, BlockLanes lanes) {
  choose_all(table, lod, lanes, blocks);
}

template <class T>
void sample_texture(const Texture<T>& t, Sampler sampler, Raster raster, const SamplePlaces<T>& places, T* out) {
  check_texture(t);
  sample_map(t, raster, [&] { return Locator<T>(t, sampler, places); }, out);
}

template <class T>
void sample_texture_vjp(const Texture<T>& t, Sampler sampler, Raster raster, const SamplePlaces<T>& places, const T* grad_out,
                        T* grad_texels, T* grad_uv) {
  check_texture(t);
  auto make_locator = [&] { return Locator<T>(t, sampler, places); };
  if (grad_texels) spread_to_texels(t, raster, make_locator, grad_out, grad_texels);
  if (!grad_uv) return;
  fill_words(grad_uv, raster.batch * raster.pixels() * 2, (T)0);
  if (sampler.filter == Filter::kNearest) return;
  auto add_block = [&](Locator<T>& locator, const T* texels, int64_t at, int64_t count, const T* grad, auto channels) {
    for (int n = 0; n < locator.num_blocks(); ++n) {
      const TextureBlock<T>& block = locator.block(n);
      for (int i = 0; i < count; ++i) {
        if (total_weight(block, i) == 0) continue;
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

#define INTAGLIO_INSTANTIATE(T)                                                                 \
  template void sample_texture(const Texture<T>&, Sampler, Raster, const SamplePlaces<T>&, T*); \
  template void sample_texture_vjp(const Texture<T>&, Sampler, Raster, const SamplePlaces<T>&, const T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
