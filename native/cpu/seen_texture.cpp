// SPDX-License-Identifier: MIT
// The inner loops of textured meshes: one row of a tile.
#include "seen_texture.h"

#include <array>
#include <cstring>

#include "simd.h"

namespace intaglio {
namespace {

template <class T>
INTAGLIO_INLINE void add_triangle(const TexturedView<T>& view, int32_t id, int64_t x, int64_t y, TileTriangle<T>& t) {
  t.triangle_id = id, t.column = (int32_t)x, t.row = (int32_t)y;
  const T* corner[3];
  for (int i = 0; i < 3; ++i) corner[i] = view.uv + 2 * (int64_t)view.uv_triangles[3 * (int64_t)id + i];
  load_triangle(view.pos_clip, view.triangles, id, t.pos);
  t.is_extreme = is_extreme(t.pos);
  make_moderate(t.pos);
  t.anchor = {ndc_centre<T>(x, view.raster.width), -ndc_centre<T>(y, view.raster.height)};
  t.seen = seen_from(t.pos, t.anchor.x, t.anchor.y);
  t.plane = uv_plane(t.pos, t.seen, view.ndc_step(), corner);
}

// Bit i: pixel i of a row of kTileWidth shows another triangle than the one before it. The first does.
INTAGLIO_INLINE uint64_t starts_of_runs(const int32_t* ids) {
  uint32_t half[2];
  for (int h = 0; h < 2; ++h) {
    uint32_t bits = 0;
    const int32_t* at = ids + 32 * h;
    for (int i = 0; i < 31; ++i) bits |= (uint32_t)(at[i] != at[i + 1]) << (i + 1);
    half[h] = bits;
  }
  half[1] |= ids[31] != ids[32];
  return ((uint64_t)half[1] << 32 | half[0]) | 1;
}
static_assert(kTileWidth == 64, "a row is a word");

template <class T>
INTAGLIO_INLINE void find_runs(const TexturedView<T>& view, const int32_t* ids, int64_t pitch, uint32_t rows,
                               SeenTile<T>& tile) {
  TileTriangle<T>* triangles = tile.triangles.data();
  PixelRun* runs = tile.runs.data();
  int32_t *places = tile.place.data(), num_runs = 0, num_triangles = 0;
  int32_t padded[kTileWidth];
  for (int i = 0; i < kTileWidth; ++i) padded[i] = -1;
  for (int y = 0; y < tile.num_rows; ++y, ids += pitch) {
    tile.first_run[y] = num_runs;
    if (!(rows >> y & 1)) continue;
    const int32_t* row = ids;
    if (tile.num_columns < kTileWidth) std::memcpy(padded, ids, tile.num_columns * sizeof(int32_t)), row = padded;
    for (uint64_t left = starts_of_runs(row); left;) {
      const int begin = __builtin_ctzll(left);
      left &= left - 1;
      const int32_t id = row[begin], end = left ? __builtin_ctzll(left) : kTileWidth;
      if (id < 0) continue;
      // What is kept of earlier tiles is not believed.
      const int32_t place = places[id];
      runs[num_runs] = {y, begin, end, -1};
      if ((uint32_t)place < (uint32_t)num_triangles && triangles[place].triangle_id == id) {
        runs[triangles[place].last_run].next = num_runs;
        triangles[place].last_run = num_runs;
      } else {
        TileTriangle<T>& added = triangles[num_triangles];
        add_triangle(view, id, tile.column + begin, tile.row + y, added);
        added.first_run = added.last_run = num_runs;
        places[id] = num_triangles++;
      }
      ++num_runs;
    }
  }
  tile.first_run[tile.num_rows] = num_runs;
  tile.num_triangles = num_triangles;
}

// A step of lanes. Vectors by name where a compiler would make branches of what is wanted in some lanes only.
template <class T>
struct StepOf {
  typedef T Lanes __attribute__((vector_size(kRunStep * sizeof(T))));
};
template <class T>
using Step = typename StepOf<T>::Lanes;

template <class T>
INTAGLIO_INLINE void load_step(const T* from, Step<T>& to) {
  std::memcpy(&to, from, sizeof to);
}
// 0, 1, 2 ...
template <class T>
INTAGLIO_INLINE void count_step(Step<T>& to) {
  static_assert(kRunStep == 8, "counted here");
  to = Step<T>{0, 1, 2, 3, 4, 5, 6, 7};
}
// Stores the first `count` lanes; those beyond a run belong to others, or to nothing.
template <class T>
INTAGLIO_INLINE void store_first(int count, const T* from, T* to) {
  Step<T> fresh, kept, index;
  load_step(from, fresh), load_step(to, kept), count_step<T>(index);
  kept = index < (T)count ? fresh : kept;
  std::memcpy(to, &kept, sizeof kept);
}
// Loads the first `count` lanes, and zeros.
template <class T>
INTAGLIO_INLINE void load_first(int count, const T* from, Step<T>& to) {
  Step<T> all, index;
  load_step(from, all), count_step<T>(index);
  to = index < (T)count ? all : Step<T>{};
}
// Whether none of the first `count` lanes is negative, or NaN.
template <class T>
INTAGLIO_INLINE bool is_positive(int count, const T* lanes) {
  Step<T> first;
  load_first(count, lanes, first);
  const auto is_wrong = ~(first >= 0);
  int64_t words[sizeof is_wrong / sizeof(int64_t)], any = 0;
  std::memcpy(words, &is_wrong, sizeof is_wrong);
  for (int64_t word : words) any |= word;
  return any == 0;
}
template <class T>
INTAGLIO_INLINE T total(const Step<T>& lanes) {
  static_assert(kRunStep == 8, "added up here");
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <class T>
INTAGLIO_INLINE void see_triangle(const TileTriangle<T>& triangle, T width, T height, SeenTile<T>& tile) {
  const UvPlane<T> plane = triangle.plane;
  const T across = (T)(tile.column - triangle.column);
  for (int32_t r = triangle.first_run; r >= 0;) {
    const PixelRun run = tile.runs.data()[r];
    r = run.next;
    const UvRow<T> edges = uv_row(plane, (T)(tile.row + run.row - triangle.row));
    for (int first = run.begin; first < run.end; first += kRunStep) {
      const int left = run.end - first;
      T u[kRunStep], v[kRunStep], footprint[kRunStep], margin[kRunStep];
      auto put = [&](int l, const UvPixel<T>& p) INTAGLIO_INLINED {
        u[l] = p.u, v[l] = p.v, footprint[l] = footprint_squared(p.derivative, width, height);
      };
      for (int l = 0; l < kRunStep; ++l) put(l, uv_within(plane, edges, across + (T)(first + l), margin[l]));
      if (!is_positive<T>(left, margin))  // some pixel's centre lies a hair outside
        for (int l = 0; l < kRunStep; ++l) put(l, uv_at(plane, edges, across + (T)(first + l)));
      store_first(left, u, tile.u[run.row] + first), store_first(left, v, tile.v[run.row] + first);
      store_first(left, footprint, tile.footprint[run.row] + first);
    }
  }
}

template <class T>
INTAGLIO_INLINE void see_all(const TexturedView<T>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row,
                             uint32_t rows, SeenTile<T>& tile) {
  tile.column = column, tile.row = row;
  tile.num_columns = (int)std::min<int64_t>(kTileWidth, view.raster.width - column);
  tile.num_rows = (int)std::min<int64_t>(kTileHeight, view.raster.height - row);
  if ((int64_t)tile.place.size() < view.num_triangles) tile.place.resize(view.num_triangles);
  find_runs(view, ids, pitch, rows, tile);
  std::memset(tile.footprint, 0, sizeof tile.footprint);
  for (int t = 0; t < tile.num_triangles; ++t)
    see_triangle(tile.triangles.data()[t], view.levels.width[0], view.levels.height[0], tile);
}

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
using Quad = float __attribute__((vector_size(4 * sizeof(float))));

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
    using Order = int32_t __attribute__((vector_size(16)));
    a *= grad, b *= grad;
    Quad pairs = __builtin_shuffle(a, b, Order{0, 4, 2, 6}) + __builtin_shuffle(a, b, Order{1, 5, 3, 7});
    sums[0] += pairs[0] + pairs[2], sums[1] += pairs[1] + pairs[3];
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

// What a triangle's pixels pass on, lane by lane.
template <class T>
struct TriangleSums {
  Step<T> edge[3] = {}, across[3] = {}, down[3] = {};  // UvPlaneGradient
  Step<T> u[3] = {}, v[3] = {};                        // of the corners
};

template <bool kToPositions, bool kToUv, class T>
INTAGLIO_INLINE void carry_triangle(const SeenTile<T>& tile, const TileTriangle<T>& triangle, TriangleSums<T>& sums) {
  const UvPlane<T> plane = triangle.plane;
  const T across = (T)(tile.column - triangle.column);
  Step<T> index;
  count_step<T>(index);
  for (int32_t r = triangle.first_run; r >= 0;) {
    const PixelRun run = tile.runs.data()[r];
    r = run.next;
    const T down = (T)(tile.row + run.row - triangle.row);
    const UvRow<T> edges = uv_row(plane, down);
    for (int first = run.begin; first < run.end; first += kRunStep) {
      const T *grad_u = tile.grad_u[run.row] + first, *grad_v = tile.grad_v[run.row] + first;
      T edge[3][kRunStep], u[3][kRunStep], v[3][kRunStep];
      for (int l = 0; l < kRunStep; ++l) {
        const UvWeights<T> at = uv_weights(plane, edges, across + (T)(first + l));
        if (kToPositions) {
          const Vec3<T> g = uv_at_vjp(plane, at, grad_u[l], grad_v[l]);
          edge[0][l] = g.x, edge[1][l] = g.y, edge[2][l] = g.z;
        }
        if (kToUv)
          for (int k = 0; k < 3; ++k) u[k][l] = at.weight[k] * grad_u[l], v[k][l] = at.weight[k] * grad_v[l];
      }
      const int left = run.end - first;
      const Step<T> x = index + (across + (T)first);
      Step<T> g;
      for (int k = 0; k < 3; ++k) {
        if (kToPositions) load_first(left, edge[k], g), sums.edge[k] += g, sums.across[k] += x * g, sums.down[k] += down * g;
        if (kToUv) load_first(left, u[k], g), sums.u[k] += g, load_first(left, v[k], g), sums.v[k] += g;
      }
    }
  }
}

template <bool kToPositions, bool kToUv, class T>
INTAGLIO_INLINE void carry_triangles(const TexturedView<T>& view, const SeenTile<T>& tile, T* positions, T* uv) {
  for (int i = 0; i < tile.num_triangles; ++i) {
    const TileTriangle<T>& t = tile.triangles.data()[i];
    TriangleSums<T> sums;
    carry_triangle<kToPositions, kToUv>(tile, t, sums);
    if (kToPositions && !t.is_extreme) {
      UvPlaneGradient<T> grad;
      for (int k = 0; k < 3; ++k)
        grad.edge[k] = total<T>(sums.edge[k]), grad.across[k] = total<T>(sums.across[k]), grad.down[k] = total<T>(sums.down[k]);
      Vec4<T> grad_v[3] = {};
      uv_plane_vjp(t.plane, t.pos, t.seen, t.anchor, view.ndc_step(), grad, grad_v);
      for (int k = 0; k < 3; ++k) {
        T* sum = positions + 4 * (int64_t)view.triangles[3 * (int64_t)t.triangle_id + k];
        sum[0] += grad_v[k].x, sum[1] += grad_v[k].y, sum[3] += grad_v[k].w;
      }
    }
    if (kToUv)
      for (int k = 0; k < 3; ++k) {
        T* sum = uv + 2 * (int64_t)view.uv_triangles[3 * (int64_t)t.triangle_id + k];
        sum[0] += total<T>(sums.u[k]), sum[1] += total<T>(sums.v[k]);
      }
  }
}

template <class T>
INTAGLIO_INLINE void carry_on(const TexturedView<T>& view, const SeenTile<T>& tile, T* positions, T* uv) {
  if (positions && uv) return carry_triangles<true, true>(view, tile, positions, uv);
  if (positions) return carry_triangles<true, false>(view, tile, positions, uv);
  if (uv) carry_triangles<false, true>(view, tile, positions, uv);
}

}  // namespace

INTAGLIO_CLONES void see_tile(const TexturedView<float>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row,
                              uint32_t rows, SeenTile<float>& tile) {
  see_all(view, ids, pitch, column, row, rows, tile);
}
void see_tile(const TexturedView<double>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row, uint32_t rows,
              SeenTile<double>& tile) {
  see_all(view, ids, pitch, column, row, rows, tile);
}

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

INTAGLIO_CLONES void carry_tile(const TexturedView<float>& view, const SeenTile<float>& tile, float* positions, float* uv) {
  carry_on(view, tile, positions, uv);
}
void carry_tile(const TexturedView<double>& view, const SeenTile<double>& tile, double* positions, double* uv) {
  carry_on(view, tile, positions, uv);
}

}  // namespace intaglio
