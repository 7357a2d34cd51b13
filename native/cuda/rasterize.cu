// SPDX-License-Identifier: MIT
// Visibility on a GPU: every covered sample offers its depth and id to its pixel, which keeps the least: one atomic minimum of
// both, so that neither the order of threads nor who draws a triangle changes the picture. A triangle of a few samples is drawn
// by the thread that makes it ready; others are put on a list by their size: a warp draws each of moderate size, and what is
// larger is cut into tiles, which all warps share. Those that have to be clipped are few, and wait on a list for kernels of
// their own. Lists hold every triangle once and so cannot overflow. Weights are a second sweep over the pixels. (Sorting
// triangles by size for different teams of threads: Laine, Karras: High-Performance Software Rasterization on GPUs, 2011.)
#include "../math/rasterize.h"
#include "check.h"
#include "nearest.h"
#include "sums.h"

namespace intaglio {
namespace {

constexpr int64_t kByThread = 32, kByWarp = 1024;  // samples in a triangle's box, at most
constexpr int kTile = 64;                          // the side of the smallest tile

// Columns and rows of an image.
struct Box {
  int32_t column_begin, column_end, row_begin, row_end;
  INTAGLIO_DEVICE int64_t samples() const { return (int64_t)(column_end - column_begin) * (row_end - row_begin); }
};

template <class T>
INTAGLIO_DEVICE Box box_of(const ReadyTriangle<T>* parts, int count) {
  Box box{INT32_MAX, 0, INT32_MAX, 0};
  for (int i = 0; i < count; ++i) {
    const ReadyTriangle<T>& t = parts[i];
    box.column_begin = min_of<int32_t>(box.column_begin, t.column_begin),
    box.column_end = max_of<int32_t>(box.column_end, t.column_end);
    box.row_begin = min_of<int32_t>(box.row_begin, t.row_begin), box.row_end = max_of<int32_t>(box.row_end, t.row_end);
  }
  return box;
}

// What becomes of a triangle: it is ready to be drawn, has to be clipped first, or is not seen.
enum class Made { kReady, kToBeClipped, kNothing };

// What a layer before shows; nothing is before the first, whose triangle_id is null.
template <class T>
struct LayerBefore {
  const int32_t* triangle_id;
  const T* depth;

  INTAGLIO_DEVICE bool lets_through(int64_t pixel, T own, int32_t id) const {
    if (!triangle_id) return true;
    return triangle_id[pixel] >= 0 && is_behind(own, id, depth[pixel], triangle_id[pixel]);
  }
};

// The triangles of several images, and where those go that a thread does not draw alone.
template <class T, class Pixels>
struct Drawing {
  Geometry<T> g;
  Raster raster;
  LayerBefore<T> before;
  Pixels pixels;
  int64_t first_image, num_images;
  int tile;                 // the side of a tile
  uint32_t* listed;         // [num_images * num_triangles] pairs of image and triangle: moderate ones from the front,
  uint64_t* tiles_end;      // large ones from the back, and up to each of these the number of tiles
  uint32_t* to_be_clipped;  // [num_images * num_triangles] pairs whose size only clipping tells
  uint64_t* counts;         // how many moderate ones; how many large ones << kTileBits | their tiles; how many to be clipped

  static constexpr int kTileBits = 36;

  INTAGLIO_DEVICE int64_t pairs() const { return num_images * g.num_triangles; }
  // Pairs fit into 32 bits, in which a GPU divides several times as fast.
  INTAGLIO_DEVICE int64_t image_of(int64_t pair) const { return first_image + (uint32_t)pair / (uint32_t)g.num_triangles; }
  INTAGLIO_DEVICE int64_t place_in_image(int64_t pair) const { return (uint32_t)pair % (uint32_t)g.num_triangles; }

  INTAGLIO_DEVICE bool find(int64_t pair, int32_t& id, Vec4<T> v[3]) const {
    const int64_t b = image_of(pair);
    const Slice shown = g.shown(b);
    if (place_in_image(pair) >= shown.count()) return false;
    id = (int32_t)(shown.begin + place_in_image(pair));
    Corners corners;
    return id < g.num_triangles && find_triangle(g, b, id, corners, v);
  }

  INTAGLIO_DEVICE Made make(int64_t pair, ReadyTriangle<T>& made) const {
    int32_t id;
    Vec4<T> v[3];
    if (!find(pair, id, v)) return Made::kNothing;
    const int64_t height = raster.height, width = raster.width;
    const Subpixel corner[3] = {snap(v[0], height, width), snap(v[1], height, width), snap(v[2], height, width)};
    if (!(corner[0].valid() & corner[1].valid() & corner[2].valid())) return Made::kToBeClipped;
    const bool is_seen = make_ready(corner, image_point(v[0], height, width), image_point(v[1], height, width),
                                    image_point(v[2], height, width), id, g.cull_backfaces, height, width, made);
    return is_seen ? Made::kReady : Made::kNothing;
  }

  // What clipping leaves of a triangle; how many there are. It takes many registers, so kernels that are to have many threads
  // leave it to others.
  INTAGLIO_DEVICE int clip(int64_t pair, ReadyTriangle<T> parts[kMaxFan]) const {
    int32_t id;
    Vec4<T> v[3];
    if (!find(pair, id, v)) return 0;
    for (int i = 0; i < 3; ++i)
      if (!((v[i].x - v[i].x) + (v[i].y - v[i].y) + (v[i].z - v[i].z) + (v[i].w - v[i].w) == 0)) return 0;
    return (int)make_ready_clipped(v, id, g.cull_backfaces, raster.height, raster.width, parts);
  }

  INTAGLIO_DEVICE void offer(const ReadyTriangle<T>& t, int64_t b, int column, int row) const {
    T depth = depth_of_sample(t, depth_of_row(t, row), (T)(column - t.column_begin));
    const int64_t pixel = (b * raster.height + row) * raster.width + column;
    if (before.lets_through(pixel, depth, t.triangle_id)) pixels.offer(pixel, depth, t.triangle_id);
  }

  // The samples of a triangle within a box, every `step`-th from `begin` on.
  INTAGLIO_DEVICE void draw(const ReadyTriangle<T>& t, int64_t b, Box box, int begin, int step) const {
    box.column_begin = max_of<int32_t>(box.column_begin, t.column_begin),
    box.column_end = min_of<int32_t>(box.column_end, t.column_end);
    box.row_begin = max_of<int32_t>(box.row_begin, t.row_begin), box.row_end = min_of<int32_t>(box.row_end, t.row_end);
    const int columns = box.column_end - box.column_begin, rows = box.row_end - box.row_begin;
    if (columns <= 0 || rows <= 0) return;
    const Subpixel first{pixel_centre(box.column_begin, raster.width), pixel_centre(box.row_begin, raster.height)};
    int64_t e[3], across[3], down[3];
    bool may_be_reached = true;
    for (int k = 0; k < 3; ++k) {
      GridEdge edge = grid_edge(t.corner[k], t.corner[(k + 1) % 3]);
      // In steps of a pixel: centres lie 256 grid steps apart, and the sign stays when it is divided by 256 and rounded down.
      e[k] = edge.at(first) >> 8, across[k] = -edge.dy, down[k] = edge.dx;
      int64_t most = max_of<int64_t>(across[k], 0) * (columns - 1) + max_of<int64_t>(down[k], 0) * (rows - 1);
      may_be_reached &= e[k] + most >= 0;
    }
    if (!may_be_reached) return;
    const int step_x = step % columns, step_y = step / columns;
    for (int x = begin % columns, y = begin / columns; y < rows;) {
      int64_t outside =
          (e[0] + x * across[0] + y * down[0]) | (e[1] + x * across[1] + y * down[1]) | (e[2] + x * across[2] + y * down[2]);
      if (outside >= 0) offer(t, b, box.column_begin + x, box.row_begin + y);
      x += step_x, y += step_y;
      if (x >= columns) x -= columns, ++y;
    }
  }

  // Tiles of a box, from left to right and down.
  INTAGLIO_DEVICE int64_t tiles_across(const Box& box) const {
    return (box.column_end - 1) / tile - box.column_begin / tile + 1;
  }
  INTAGLIO_DEVICE int64_t num_tiles(const Box& box) const {
    return tiles_across(box) * ((box.row_end - 1) / tile - box.row_begin / tile + 1);
  }
  INTAGLIO_DEVICE Box tile_of(const Box& box, int64_t index) const {
    int32_t column = (int32_t)(box.column_begin / tile + index % tiles_across(box)) * tile;
    int32_t row = (int32_t)(box.row_begin / tile + index / tiles_across(box)) * tile;
    return {column, column + tile, row, row + tile};
  }

  INTAGLIO_DEVICE void list_large(int64_t pair, const Box& box) const {
    const uint64_t tiles = (uint64_t)num_tiles(box), before = atomic_add(counts + 1, ((uint64_t)1 << kTileBits) + tiles);
    const uint64_t place = before >> kTileBits, mask = ((uint64_t)1 << kTileBits) - 1;
    listed[pairs() - 1 - place] = (uint32_t)pair;
    tiles_end[place] = (before & mask) + tiles;
  }
};

// A thread per triangle.
template <class T, class Pixels>
struct DrawSmall {
  Drawing<T, Pixels> d;
  bool lists;  // whether the others are listed, or are already

  INTAGLIO_DEVICE void operator()(int64_t pair) const {
    ReadyTriangle<T> t;
    const Made made = d.make(pair, t);
    if (made == Made::kToBeClipped && lists) d.to_be_clipped[atomic_add(d.counts + 2, (uint64_t)1)] = (uint32_t)pair;
    if (made != Made::kReady) return;
    const int64_t b = d.image_of(pair);
    const Box box = box_of(&t, 1);
    if (has_few_samples(t)) {
      for (uint32_t left = t.covered; left; left &= left - 1) {
        int bit = 0;
        for (uint32_t lowest = left & (0u - left); lowest > 1; lowest >>= 1) ++bit;
        d.offer(t, b, t.column_begin + bit % kFewColumns, t.row_begin + bit / kFewColumns);
      }
    } else if (box.samples() <= kByThread) {
      d.draw(t, b, box, 0, 1);
    } else if (lists && box.samples() <= kByWarp) {
      d.listed[atomic_add(d.counts, (uint64_t)1)] = (uint32_t)pair;
    } else if (lists) {
      d.list_large(pair, box);
    }
  }
};

// A thread per triangle that has to be clipped.
template <class T, class Pixels>
struct DrawClipped {
  Drawing<T, Pixels> d;
  bool lists;

  INTAGLIO_DEVICE void operator()(int64_t thread) const {
    const int64_t count = (int64_t)d.counts[2];
    for (int64_t i = thread; i < count; i += kBusyWarps * kWarp) {
      const int64_t pair = d.to_be_clipped[i];
      ReadyTriangle<T> parts[kMaxFan];
      const int num_parts = d.clip(pair, parts);
      const Box box = box_of(parts, num_parts);
      if (num_parts == 0) continue;
      if (box.samples() <= kByThread)
        for (int k = 0; k < num_parts; ++k) d.draw(parts[k], d.image_of(pair), box, 0, 1);
      else if (lists)
        d.list_large(pair, box);
    }
  }
};

// A warp per triangle of moderate size.
template <class T, class Pixels>
struct DrawModerate {
  Drawing<T, Pixels> d;
  INTAGLIO_DEVICE void operator()(int64_t warp, int lane) const {
    const int64_t count = (int64_t)d.counts[0];
    for (int64_t i = warp; i < count; i += kBusyWarps) {
      ReadyTriangle<T> t;
      if (d.make(d.listed[i], t) == Made::kReady) d.draw(t, d.image_of(d.listed[i]), box_of(&t, 1), lane, kWarp);
    }
  }
};

// A warp per tile of a large triangle.
template <class T, class Pixels>
struct DrawLarge {
  Drawing<T, Pixels> d;
  INTAGLIO_DEVICE void operator()(int64_t warp, int lane) const {
    const int64_t count = (int64_t)(d.counts[1] >> d.kTileBits);
    const int64_t tiles = (int64_t)(d.counts[1] & (((uint64_t)1 << d.kTileBits) - 1));
    for (int64_t i = warp; i < tiles; i += kBusyWarps) {
      int64_t low = 0, high = count - 1;  // the first triangle whose tiles end beyond i
      while (low < high) {
        int64_t middle = (low + high) / 2;
        if ((int64_t)d.tiles_end[middle] > i)
          high = middle;
        else
          low = middle + 1;
      }
      const int64_t pair = d.listed[d.pairs() - 1 - low];
      ReadyTriangle<T> parts[kMaxFan];
      const Made made = d.make(pair, parts[0]);
      const int num_parts = made == Made::kReady ? 1 : made == Made::kToBeClipped ? d.clip(pair, parts) : 0;
      if (num_parts == 0) continue;
      const Box tile = d.tile_of(box_of(parts, num_parts), i - (low > 0 ? (int64_t)d.tiles_end[low - 1] : 0));
      for (int k = 0; k < num_parts; ++k) d.draw(parts[k], d.image_of(pair), tile, lane, kWarp);
    }
  }
};

// Where the values go. Only triangle_id is always wanted.
template <class T>
struct Image {
  int32_t* triangle_id;
  T *barycentrics, *depth, *covered;
};

template <class T, class Pixels>
struct Resolve {
  Geometry<T> g;
  Raster raster;
  Pixels pixels;
  Image<T> out;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    int32_t id = pixels.id(at);
    out.triangle_id[at] = id;
    if (out.depth) out.depth[at] = pixels.depth(at);
    if (out.covered) out.covered[at] = id >= 0 ? (T)1 : (T)0;
    if (!out.barycentrics) return;
    Vec2<T> weights{0, 0};
    if (id >= 0) {
      Vec4<T> v[3];
      load_triangle(g.positions_of(b), g.triangles_of(b), id, v);
      make_moderate(v);
      EdgeSteps<T> s = edge_steps(v, ndc_centre<T>(x, raster.width), -ndc_centre<T>(y, raster.height), (T)0);
      weights = weights_of(s.e[0], s.e[1], s.e[2]);
    }
    out.barycentrics[2 * at] = weights.x, out.barycentrics[2 * at + 1] = weights.y;
  }
};

// One launch after the other, each waiting for the one before: stages of a group of images whose pairs fit into a list.
template <class T, class Pixels>
void draw_group(Drawing<T, Pixels> d, bool lists) {
  for_each(d.num_images * d.g.num_triangles, DrawSmall<T, Pixels>{d, lists});
  for_each(kBusyWarps * kWarp, DrawClipped<T, Pixels>{d, lists});
  for_each_warp(kBusyWarps, DrawModerate<T, Pixels>{d});
  for_each_warp(kBusyWarps, DrawLarge<T, Pixels>{d});
}

// Lists take 2^28 pairs (16 bytes each), and 2^36 tiles: tiles grow until all triangles might be that large.
template <class T, class Draw>
void for_each_group(const Geometry<T>& g, Raster raster, const Draw& draw) {
  constexpr int64_t kMostPairs = (int64_t)1 << 28;
  if (g.num_triangles > kMostPairs) throw std::invalid_argument("triangles must be at most 2^28 on this device");
  const int64_t most = kMostPairs / (g.num_triangles > 0 ? g.num_triangles : 1), images = g.images();
  const int64_t group = images < most ? images : most, pairs = group * g.num_triangles;
  int tile = kTile;
  auto tiles = [&](int64_t size) { return (size + tile - 1) / tile; };
  while (pairs * tiles(raster.height) * tiles(raster.width) >= (int64_t)1 << 36) tile *= 2;
  uint32_t *listed = scratch<uint32_t>(pairs), *to_be_clipped = scratch<uint32_t>(pairs);
  uint64_t *tiles_end = scratch<uint64_t>(pairs), *counts = scratch<uint64_t>(3);
  for (int64_t first = 0; first < images; first += group)
    draw(first, images - first < group ? images - first : group, tile, listed, tiles_end, to_be_clipped, counts);
}

template <class T>
void rasterize_batch(const Geometry<T>& g, Raster raster, LayerBefore<T> before, Image<T> image) {
  const int64_t num_pixels = raster.batch * raster.pixels();
  auto pixels = make_pixels(num_pixels, (T)1);
  using Pixels = decltype(pixels);
  for_each_group(g, raster, [&](int64_t first, int64_t count, int tile, auto... lists) {
    const Drawing<T, Pixels> group{g, raster, before, pixels, first, count, tile, lists...};
    for_both(first == 0 ? num_pixels : 0, Clear<Pixels>{pixels}, 3, Fill<uint64_t>{group.counts, 0});
    offer_all(pixels, [&](const Pixels& to, bool is_first) {
      Drawing<T, Pixels> here = group;
      here.pixels = to;
      draw_group(here, is_first);
    });
  });
  for_each_pixel(raster, Resolve<T, Pixels>{g, raster, pixels, image});
}

template <class T, class Sums>
struct RasterizeVjp {
  Geometry<T> g;
  Raster raster;
  const int32_t* triangle_id;
  const T *grad_barycentrics, *grad_depth;
  Sums sums;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    Corners corners;
    Vec4<T> v[3], grad_v[3] = {};
    if (!find_triangle(g, b, triangle_id[at], corners, v)) return;
    T X = ndc_centre<T>(x, raster.width), Y = -ndc_centre<T>(y, raster.height);
    if (grad_barycentrics) barycentrics_vjp(v, X, Y, Vec2<T>{grad_barycentrics[2 * at], grad_barycentrics[2 * at + 1]}, grad_v);
    if (grad_depth && grad_depth[at] != 0) plane_depth_vjp(v, X, Y, grad_depth[at], grad_v);
    auto group = sums.group((uint64_t)(b * g.num_triangles + triangle_id[at]));
    add_corners(sums, group, g.row_of(b) * g.num_vertices * 4, corners.vertex, grad_v);
  }
};

}  // namespace

template <class T>
void rasterize(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* barycentrics, T* depth) {
  check_size(raster);
  check_geometry(g);
  rasterize_batch(g, raster, {}, Image<T>{triangle_id, barycentrics, depth, nullptr});
}

template <class T>
void rasterize_behind(const Geometry<T>& g, Raster raster, const int32_t* before_id, const T* before_depth,
                      int32_t* triangle_id, T* barycentrics, T* depth) {
  check_size(raster);
  check_geometry(g);
  rasterize_batch(g, raster, {before_id, before_depth}, Image<T>{triangle_id, barycentrics, depth, nullptr});
}

template <class T>
void rasterize_silhouette(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* covered) {
  check_size(raster);
  check_geometry(g);
  rasterize_batch(g, raster, {}, Image<T>{triangle_id, nullptr, nullptr, covered});
}

template <class T>
void rasterize_vjp(const Geometry<T>& g, Raster raster, const int32_t* triangle_id, const T* grad_barycentrics,
                   const T* grad_depth, T* grad_pos_clip) {
  check_geometry(g);
  check_fragments(g, raster.pixels(), triangle_id);
  accumulate(grad_pos_clip, g.rows * g.num_vertices * 4, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_pixel(raster, RasterizeVjp<T, Sums>{g, raster, triangle_id, grad_barycentrics, grad_depth, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                           \
  template void rasterize(const Geometry<T>&, Raster, int32_t*, T*, T*);                                  \
  template void rasterize_behind(const Geometry<T>&, Raster, const int32_t*, const T*, int32_t*, T*, T*); \
  template void rasterize_silhouette(const Geometry<T>&, Raster, int32_t*, T*);                           \
  template void rasterize_vjp(const Geometry<T>&, Raster, const int32_t*, const T*, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
