// SPDX-License-Identifier: MIT
// Where the texels of a block of pixels are in the levels of a texture.
#pragma once
#include "../math/texture.h"
#include "check.h"
#include "simd.h"
#include "texels.h"

namespace intaglio {

// The texels of a block of pixels in one level each.
template <class T>
struct TextureBlock : TexelBlock<T> {
  // The level of each pixel: its sizes, its first texel, and its share of the sample.
  T width[kBlock], height[kBlock], share[kBlock];
  int32_t start[kBlock];
  // The place among the texels.
  T across[kBlock], down[kBlock];
};

// The sizes of a pyramid's levels, and the first texel of each.
template <class T>
struct LevelTable {
  T width[kMaxLevels], height[kMaxLevels];
  int32_t start[kMaxLevels], count;

  explicit LevelTable(const Texture<T>& texture) : count((int32_t)texture.num_levels) {
    for (int64_t level = 0, next = 0; level < texture.num_levels; ++level) {
      int64_t w = level_size(texture.width, level), h = level_size(texture.height, level);
      width[level] = (T)w, height[level] = (T)h, start[level] = (int32_t)next;
      next += w * h;
    }
  }
};

// Those of a block's pixels that are wanted, in whole steps of lanes.
struct BlockLanes {
  static constexpr int kStep = 8;
  int begin = 0, end = kBlock;

  static BlockLanes around(int begin, int end) { return {begin / kStep * kStep, end}; }

  template <class Visit>
  INTAGLIO_INLINE void for_each(const Visit& visit) const {
    for (int first = begin; first < end; first += kStep)
      for (int l = 0; l < kStep; ++l) visit(first + l);
  }
};

// Pixels between two levels each: `lod` lies within the levels there are.
void choose_levels(const LevelTable<float>& table, const float* lod, TextureBlock<float>* blocks, BlockLanes lanes = {});
void choose_levels(const LevelTable<double>& table, const double* lod, TextureBlock<double>* blocks, BlockLanes lanes = {});

// Texels and weights of kBlock pixels, from uv and the levels.
void locate(const float* uv, bool nearest, Wrap wrap, TextureBlock<float>& block);
void locate(const double* uv, bool nearest, Wrap wrap, TextureBlock<double>& block);

// The same between texels, from u and v apart.
void locate(const float* u, const float* v, Wrap wrap, BlockLanes lanes, TextureBlock<float>& block);
void locate(const double* u, const double* v, Wrap wrap, BlockLanes lanes, TextureBlock<double>& block);

// Of pixels that all look at one level alone: its sizes and its first texel.
template <class T>
struct OneLevel {
  T width, height;
  int32_t start;
};
void locate(const float* u, const float* v, OneLevel<float> level, Wrap wrap, BlockLanes lanes, TextureBlock<float>& block);
void locate(const double* u, const double* v, OneLevel<double> level, Wrap wrap, BlockLanes lanes, TextureBlock<double>& block);

// Finds the texels of one block of pixels after the other, in one or two levels.
template <class T>
class Locator {
 public:
  Locator(const Texture<T>& texture, Sampler sampler, const SamplePlaces<T>& places)
      : texture_(texture), sampler_(sampler), places_(places), table_(texture) {
    const T finest[kBlock] = {};
    choose_levels(table_, finest, blocks_);
  }

  int num_blocks() const { return sampler_.filter == Filter::kTrilinear ? 2 * (int)num_probes_ : 1; }
  int num_texels() const { return sampler_.filter == Filter::kNearest ? 1 : 4; }

  // Two levels of each probe, one probe after the other; what it returns lasts until the next probe is asked for.
  const TextureBlock<T>& block(int n) {
    if (num_probes_ > 1 && n / 2 != probe_) place_probe(n / 2);
    return blocks_[n % 2];
  }

  bool find(int64_t at, int64_t count) {
    num_seen_ = 0;
    for (int i = 0; i < count; ++i) num_seen_ += is_seen_[i] = places_.is_seen(at + i);
    if (num_seen_ == 0) return false;
    count_ = count;
    uv_block_ = padded_block(places_.uv + 2 * at, 2, count, room_);
    num_probes_ = 1, probe_ = 0;
    if (sampler_.filter == Filter::kTrilinear) sampler_.max_anisotropy > 1 ? find_probes(at) : find_levels(at);
    if (num_probes_ > 1)
      place_probe(0);
    else
      for (int n = 0; n < num_blocks(); ++n) locate_seen(uv_block_, blocks_[n]);
    return true;
  }

 private:
  void locate_seen(const T* uv, TextureBlock<T>& block) {
    locate(uv, sampler_.filter == Filter::kNearest, sampler_.wrap, block);
    if (num_seen_ == count_) return;
    for (auto& weight : block.weight)
      for (int i = 0; i < count_; ++i) weight[i] = is_seen_[i] ? weight[i] : (T)0;
  }

  void find_levels(int64_t at) {
    T lod[kBlock] = {};
    for (int i = 0; i < count_; ++i)
      if (is_seen_[i])
        lod[i] =
            level_of_detail(places_.uv_derivatives + 4 * (at + i), (T)texture_.width, (T)texture_.height, texture_.num_levels);
    choose_levels(table_, lod, blocks_);
  }

  void find_probes(int64_t at) {
    T lod[kBlock];
    for (int i = 0; i < kBlock; ++i) {
      probes_[i] = {1, 0, 0, 0};
      if (i < count_ && is_seen_[i])
        probes_[i] = probe_line(places_.uv_derivatives + 4 * (at + i), (T)texture_.width, (T)texture_.height,
                                texture_.num_levels, sampler_.max_anisotropy);
      lod[i] = probes_[i].level;
      num_probes_ = std::max(num_probes_, probes_[i].count);
    }
    choose_levels(table_, lod, blocks_);
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
    for (TextureBlock<T>& block : blocks_) locate_seen(uv, block);
  }

  const Texture<T>& texture_;
  Sampler sampler_;
  SamplePlaces<T> places_;
  LevelTable<T> table_;
  TextureBlock<T> blocks_[2];
  const T* uv_block_ = nullptr;
  T room_[2 * kBlock];
  ProbeLine<T> probes_[kBlock];
  bool is_seen_[kBlock];
  int64_t count_ = 0, num_seen_ = 0, num_probes_ = 1, probe_ = 0;
};

template <class T>
void check_texture(const Texture<T>& t) {
  if (std::max(t.height, t.width) > kMaxSize)
    throw std::invalid_argument("textures must be at most " + std::to_string(kMaxSize) + " texels wide and high");
}

}  // namespace intaglio
