// SPDX-License-Identifier: MIT
// A row of a tile of a textured mesh: its texels, its colours, and what their cotangents pass on to texels and uv.
#include <cstring>

#include "seen_texture.h"
#include "simd.h"

namespace intaglio {
namespace {

// The levels of detail of a row; whether any is not the finest.
template <class T>
INTAGLIO_INLINE bool find_levels(const T* footprint, int64_t num_levels, BlockLanes lanes, T* lod) {
  T most[BlockLanes::kStep] = {};
  for (int first = lanes.begin; first < lanes.end; first += BlockLanes::kStep)
    for (int l = 0; l < BlockLanes::kStep; ++l) most[l] = max_of(footprint[first + l], most[l]);  // NaN counts as level 0
  bool any = false;
  for (T m : most) any |= m > 1;
  if (any) lanes.for_each([&](int i) INTAGLIO_INLINED { lod[i] = level_of_detail(footprint[i], num_levels); });
  return any;
}

INTAGLIO_CLONES bool levels_of_row(const float* footprint, int64_t num_levels, BlockLanes lanes, float* lod) {
  return find_levels(footprint, num_levels, lanes, lod);
}
bool levels_of_row(const double* footprint, int64_t num_levels, BlockLanes lanes, double* lod) {
  return find_levels(footprint, num_levels, lanes, lod);
}

// Texels that fill a register are added and scaled as one.
using Quad = Vector<float, 4>;

INTAGLIO_INLINE Quad load_quad(const float* p) {
  Quad q;
  std::memcpy(&q, p, sizeof q);
  return q;
}
INTAGLIO_INLINE void store_quad(Quad q, float* p) {
  std::memcpy(p, &q, sizeof q);
}

// A texel, or as much as is done at a time: one channel, or a register that holds them all, of which C are of the image.
template <class T>
struct OneChannel {
  using Texel = T;
  static INTAGLIO_INLINE int64_t steps(int64_t channels) { return channels; }
  static INTAGLIO_INLINE T load(const T* p) { return *p; }
  static INTAGLIO_INLINE void store(T texel, T* p) { *p = texel; }
  static INTAGLIO_INLINE T load_pixel(const T* p) { return *p; }
  static INTAGLIO_INLINE void store_pixel(T texel, T* p) { *p = texel; }
  static INTAGLIO_INLINE bool is_zero(T x) { return x == 0; }
  static INTAGLIO_INLINE void add_dots(T a, T b, T grad, T* sums) { sums[0] += a * grad, sums[1] += b * grad; }
};

template <int C>
struct AllChannels {
  using Texel = Quad;
  static INTAGLIO_INLINE int64_t steps(int64_t) { return 1; }
  static INTAGLIO_INLINE Quad load(const float* p) { return load_quad(p); }
  static INTAGLIO_INLINE void store(Quad texel, float* p) { store_quad(texel, p); }
  static INTAGLIO_INLINE Quad load_pixel(const float* p) {
    if constexpr (C == 4) return load_quad(p);
    return Quad{p[0], p[1], p[2], 0};
  }
  static INTAGLIO_INLINE void store_pixel(Quad texel, float* p) {
    if constexpr (C == 4) return store_quad(texel, p);
    p[0] = texel[0], p[1] = texel[1], p[2] = texel[2];
  }
  // By its bits; a zero with a sign is none, which only costs time.
  static INTAGLIO_INLINE bool is_zero(Quad x) {
    uint64_t half[2];
    std::memcpy(half, &x, sizeof half);
    return (half[0] | half[1]) == 0;
  }
  static INTAGLIO_INLINE void add_dots(Quad a, Quad b, Quad grad, float* sums) {
    Quad even, odd;
    a *= grad, b *= grad;
    shuffle<0, 4, 2, 6>(a, b, even), shuffle<1, 5, 3, 7>(a, b, odd);
    even += odd;
    sums[0] += even[0] + even[2], sums[1] += even[1] + even[3];
  }
};

// The colour of pixel i and how it changes with uv; kBlocks: in how many levels the row has texels, of which one alone has all
// of every sample.
template <int kBlocks, class Channels, class T>
INTAGLIO_INLINE BilinearSample<typename Channels::Texel> sample_pixel(const TextureBlock<T>* blocks, int i, const T* texels,
                                                                      int64_t stride) {
  using Texel = typename Channels::Texel;
  BilinearSample<Texel> sum{Texel{}, Texel{}, Texel{}};
  for (int n = 0; n < kBlocks; ++n) {
    const TextureBlock<T>& block = blocks[n];
    const T share = kBlocks == 1 ? (T)1 : block.share[i];
    if (share == 0) continue;
    Texel t[4];
    for (int k = 0; k < 4; ++k) t[k] = Channels::load(texels + block.texel[k][i] * stride);
    BilinearSample<Texel> s = bilinear_sample(block.across[i], block.down[i], t[0], t[1], t[2], t[3]);
    if (kBlocks == 1) return {s.value, block.width[i] * s.across, block.height[i] * s.down};
    sum.value += share * s.value;
    sum.across += share * block.width[i] * s.across, sum.down += share * block.height[i] * s.down;
  }
  return sum;
}

// Adds what pixel i takes from its texels to their `sums`, of texels [begin, end) alone unless kAll.
template <int kBlocks, bool kAll, class Channels, class T>
INTAGLIO_INLINE void spread_pixel(const TextureBlock<T>* blocks, int i, typename Channels::Texel grad, int64_t begin,
                                  int64_t end, int64_t stride, T* sums) {
  for (int n = 0; n < kBlocks; ++n) {
    const TextureBlock<T>& block = blocks[n];
    if (kBlocks > 1 && block.share[i] == 0) continue;
    for (int k = 0; k < 4; ++k) {
      const int64_t texel = block.texel[k][i];
      if (!kAll && (texel < begin || texel >= end)) continue;
      T* sum = sums + texel * stride;
      Channels::store(Channels::load(sum) + block.weight[k][i] * grad, sum);
    }
  }
}

// visit(begin, end) for the pixels of a row that show something, whatever triangles.
template <class T, class Visit>
INTAGLIO_INLINE void for_each_span(const SeenTile<T>& tile, int row, const Visit& visit) {
  const PixelRun *run = tile.runs.data() + tile.first_run[row], *last = tile.runs.data() + tile.first_run[row + 1];
  while (run < last) {
    const int begin = run->begin;
    int end = run->end;
    for (++run; run < last && run->begin == end; ++run) end = run->end;
    visit(begin, end);
  }
}

// Where the cotangents of pixels come from. AgainstTarget writes the colours.
template <class T>
struct AgainstTarget {
  const T* target;
  T scale;
  T* out;
  static constexpr bool kIsOfColor = true;

  template <class Channels>
  INTAGLIO_INLINE typename Channels::Texel at(int64_t value, typename Channels::Texel color) const {
    Channels::store_pixel(color, out + value);
    return scale * (color - Channels::load_pixel(target + value));
  }
};
template <class T>
struct AsGiven {
  const T* grad;
  static constexpr bool kIsOfColor = false;

  template <class Channels>
  INTAGLIO_INLINE typename Channels::Texel at(int64_t value, typename Channels::Texel) const {
    return Channels::load_pixel(grad + value);
  }
};

template <int kBlocks, bool kAll, class Channels, class T, class Cotangent>
INTAGLIO_INLINE void carry_pixels(SeenTile<T>& tile, int row, const RowTexels<T> texels, const Cotangent cotangent, bool to_uv,
                                  int64_t stride) {
  const bool samples = Cotangent::kIsOfColor || to_uv;
  const TextureBlock<T>* blocks = tile.blocks;
  T *grad_u = tile.grad_u[row], *grad_v = tile.grad_v[row];
  for_each_span(tile, row, [&](int begin, int end) INTAGLIO_INLINED {
    for (int i = begin; i < end; ++i) {
      T sums[2] = {0, 0};
      for (int64_t c = 0; c < Channels::steps(texels.channels); ++c) {
        BilinearSample<typename Channels::Texel> sample{};
        if (samples) sample = sample_pixel<kBlocks, Channels>(blocks, i, texels.texels + c, stride);
        const auto grad = cotangent.template at<Channels>(i * texels.channels + c, sample.value);
        if (Channels::is_zero(grad)) continue;
        Channels::add_dots(sample.across, sample.down, grad, sums);
        if (texels.sums)
          spread_pixel<kBlocks, kAll, Channels>(blocks, i, grad, texels.begin, texels.end, stride, texels.sums + c);
      }
      grad_u[i] = sums[0], grad_v[i] = sums[1];
    }
  });
}

template <int kBlocks, class Channels, class T>
INTAGLIO_INLINE void paint_pixels(const SeenTile<T>& tile, int row, const RowTexels<T> texels, int64_t stride, T* out) {
  const TextureBlock<T>* blocks = tile.blocks;
  for_each_span(tile, row, [&](int begin, int end) INTAGLIO_INLINED {
    for (int i = begin; i < end; ++i)
      for (int64_t c = 0; c < Channels::steps(texels.channels); ++c)
        Channels::store_pixel(sample_pixel<kBlocks, Channels>(blocks, i, texels.texels + c, stride).value,
                              out + i * texels.channels + c);
  });
}

// visit(channels, stride): what suits texels of so many channels, and how far apart they are.
template <class T, class Visit>
INTAGLIO_INLINE void by_channels(int64_t channels, const Visit& visit) {
  if constexpr (std::is_same_v<T, float>) {
    if (channels == 3) return visit(AllChannels<3>(), (int64_t)4);
    if (channels == 4) return visit(AllChannels<4>(), (int64_t)4);
  }
  if (channels == 1) return visit(OneChannel<T>(), (int64_t)1);
  visit(OneChannel<T>(), padded_channels(channels));
}

template <class T>
INTAGLIO_INLINE void paint(const SeenTile<T>& tile, int row, const RowTexels<T>& texels, T* out) {
  by_channels<T>(texels.channels, [&](auto channels, int64_t stride) INTAGLIO_INLINED {
    if (tile.num_blocks == 1)
      paint_pixels<1, decltype(channels)>(tile, row, texels, stride, out);
    else
      paint_pixels<2, decltype(channels)>(tile, row, texels, stride, out);
  });
}

template <int kBlocks, class T, class Cotangent>
INTAGLIO_INLINE void carry_levels(SeenTile<T>& tile, int row, const RowTexels<T>& texels, const Cotangent& cotangent,
                                  bool to_uv) {
  const bool all = texels.begin == 0 && texels.end == INT64_MAX;
  by_channels<T>(texels.channels, [&](auto channels, int64_t stride) INTAGLIO_INLINED {
    if (all)
      carry_pixels<kBlocks, true, decltype(channels)>(tile, row, texels, cotangent, to_uv, stride);
    else
      carry_pixels<kBlocks, false, decltype(channels)>(tile, row, texels, cotangent, to_uv, stride);
  });
}

template <class T, class Cotangent>
INTAGLIO_INLINE void carry(SeenTile<T>& tile, int row, const RowTexels<T>& texels, const Cotangent& cotangent, bool to_uv) {
  if (tile.num_blocks == 1)
    carry_levels<1>(tile, row, texels, cotangent, to_uv);
  else
    carry_levels<2>(tile, row, texels, cotangent, to_uv);
}

}  // namespace

template <class T>
void find_texels(const TexturedView<T>& view, int row, SeenTile<T>& tile) {
  const PixelRun* runs = tile.runs.data();
  const int first = tile.first_run[row], last = tile.first_run[row + 1];
  const BlockLanes lanes = first < last ? BlockLanes::around(runs[first].begin, runs[last - 1].end) : BlockLanes{0, 0};
  T lod[kBlock];
  tile.num_blocks = levels_of_row(tile.footprint[row], view.levels.count, lanes, lod) ? 2 : 1;
  const T *u = tile.u[row], *v = tile.v[row];
  if (tile.num_blocks == 1)
    return locate(u, v, OneLevel<T>{view.levels.width[0], view.levels.height[0], 0}, view.wrap, lanes, tile.blocks[0]);
  choose_levels(view.levels, lod, tile.blocks, lanes);
  for (TextureBlock<T>& block : tile.blocks) locate(u, v, view.wrap, lanes, block);
}
template void find_texels(const TexturedView<float>&, int, SeenTile<float>&);
template void find_texels(const TexturedView<double>&, int, SeenTile<double>&);

INTAGLIO_CLONES void paint_row(const SeenTile<float>& tile, int row, const RowTexels<float>& texels, float* out) {
  paint(tile, row, texels, out);
}
void paint_row(const SeenTile<double>& tile, int row, const RowTexels<double>& texels, double* out) {
  paint(tile, row, texels, out);
}

INTAGLIO_CLONES void compare_row(SeenTile<float>& tile, int row, const RowTexels<float>& texels, const float* target,
                                 float scale, float* out) {
  carry(tile, row, texels, AgainstTarget<float>{target, scale, out}, true);
}
void compare_row(SeenTile<double>& tile, int row, const RowTexels<double>& texels, const double* target, double scale,
                 double* out) {
  carry(tile, row, texels, AgainstTarget<double>{target, scale, out}, true);
}

INTAGLIO_CLONES void carry_row(SeenTile<float>& tile, int row, const RowTexels<float>& texels, const float* grad, bool to_uv) {
  carry(tile, row, texels, AsGiven<float>{grad}, to_uv);
}
void carry_row(SeenTile<double>& tile, int row, const RowTexels<double>& texels, const double* grad, bool to_uv) {
  carry(tile, row, texels, AsGiven<double>{grad}, to_uv);
}

}  // namespace intaglio
