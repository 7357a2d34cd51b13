// SPDX-License-Identifier: MIT
// Visibility on the CPU: ids and depths come from the tiles; weights are a second sweep over the visible pixels.
#include <cstring>

#include "accumulate.h"
#include "check.h"
#include "draw.h"
#include "simd.h"

namespace intaglio {
namespace {

// Where the values of one image, or of a batch, go. Only triangle_id is always wanted.
template <class T>
struct Image {
  int32_t* triangle_id;
  T* barycentrics;
  T* depth;
  T* covered;

  static T* at(T* values, int64_t index) { return values ? values + index : nullptr; }
  Image from(int64_t pixel) const {
    return {triangle_id + pixel, at(barycentrics, 2 * pixel), at(depth, pixel), at(covered, pixel)};
  }
};

// Weights along a run of pixels of one triangle: the edge functions are affine, so they are stepped from its first pixel. Whole
// blocks are written, up to kRunBlock - 1 pixels too many.
constexpr int kRunBlock = 8;

template <class T>
INTAGLIO_INLINE void weigh_run(const Vec4<T> v[3], T X, T Y, T step, int count, T* barycentrics) {
  const EdgeSteps<T> s = edge_steps(v, X, Y, step);
  for (int i = 0; i < count; i += kRunBlock, barycentrics += 2 * kRunBlock)
    for (int l = 0; l < kRunBlock; ++l) {
      T at = (T)(i + l);
      Vec2<T> weights = weights_of(s.e[0] + at * s.d[0], s.e[1] + at * s.d[1], s.e[2] + at * s.d[2]);
      barycentrics[2 * l] = weights.x, barycentrics[2 * l + 1] = weights.y;
    }
}

// The weights of one row of a tile, its background included. `first` / width is the ndc of its first pixel centre.
template <class T>
INTAGLIO_INLINE void weigh_row(const T* pos_clip, const int32_t* triangles, const int32_t* ids, int columns, int64_t first,
                               T inverse_width, T Y, T* out) {
  T row[2 * (kTileWidth + kRunBlock)];
  for (int x = 0; x < columns;) {
    int begin = x;
    int32_t id = ids[x];
    while (x < columns && ids[x] == id) ++x;
    if (id < 0) {
      std::fill(row + 2 * begin, row + 2 * x, (T)0);
      continue;
    }
    Vec4<T> v[3];
    load_triangle(pos_clip, triangles, id, v);
    make_moderate(v);
    T X = (T)(first + 2 * begin) * inverse_width;
    weigh_run(v, X, Y, 2 * inverse_width, x - begin, row + 2 * begin);
  }
  std::memcpy(out, row, 2 * columns * sizeof(T));
}

INTAGLIO_CLONES void weigh(const float* pos_clip, const int32_t* triangles, const int32_t* ids, int columns, int64_t first,
                           float inverse_width, float Y, float* out) {
  weigh_row(pos_clip, triangles, ids, columns, first, inverse_width, Y, out);
}

void weigh(const double* pos_clip, const int32_t* triangles, const int32_t* ids, int columns, int64_t first,
           double inverse_width, double Y, double* out) {
  weigh_row(pos_clip, triangles, ids, columns, first, inverse_width, Y, out);
}

// What the pixels of a tile show, over a background that has been written already.
template <class T>
void write_tile(const Geometry<T>& g, int64_t b, const Tile<T>& tile, int tile_column, int tile_row, Raster raster,
                Image<T> image) {
  int columns = (int)std::min<int64_t>(kTileWidth, raster.width - tile_column);
  int rows = (int)std::min<int64_t>(kTileHeight, raster.height - tile_row);
  // One output after the other: large buffers tend to lie at the same offset in a page, where a load waits for a store.
  Image<T> out = image.from((int64_t)tile_row * raster.width + tile_column);
  for (int y = 0; y < rows; ++y)
    std::memcpy(out.triangle_id + y * raster.width, tile.id + y * kTileWidth, columns * sizeof(int32_t));
  if (out.depth)
    for (int y = 0; y < rows; ++y) std::memcpy(out.depth + y * raster.width, tile.depth + y * kTileWidth, columns * sizeof(T));
  if (out.covered)
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x) out.covered[y * raster.width + x] = tile.id[y * kTileWidth + x] >= 0 ? (T)1 : (T)0;
  if (!out.barycentrics) return;
  for (int y = 0; y < rows; ++y) {
    const int32_t* ids = tile.id + y * kTileWidth;
    int32_t covered = 0;
    for (int x = 0; x < kTileWidth; ++x) covered |= ids[x] + 1;
    if (covered)
      weigh(g.positions_of(b), g.triangles_of(b), ids, columns, 2 * tile_column + 1 - raster.width, 1 / (T)raster.width,
            -ndc_centre<T>(tile_row + y, raster.height), out.barycentrics + 2 * y * raster.width);
  }
}

// Long contiguous fills do not read what they overwrite: six times as fast as the same bytes tile by tile.
template <class T>
void write_background(int64_t row_begin, int64_t row_end, Raster raster, Image<T> image) {
  int64_t count = (row_end - row_begin) * raster.width;
  Image<T> out = image.from(row_begin * raster.width);
  std::memset(out.triangle_id, 0xff, count * sizeof(int32_t));  // -1
  if (out.barycentrics) std::memset(out.barycentrics, 0, 2 * count * sizeof(T));
  if (out.covered) std::memset(out.covered, 0, count * sizeof(T));
  if (out.depth) fill_words(out.depth, count, (T)1);
}

// What a layer before shows; nothing is before the first.
template <class T>
struct LayerBefore {
  const int32_t* triangle_id;
  const T* depth;

  LayerBefore from(int64_t pixel) const { return {triangle_id + pixel, depth + pixel}; }
};

// Copies the layer before into a tile; false if it shows nothing there, behind which there is nothing. Beyond the image, and
// where nothing is shown, lies a depth that no triangle has.
template <class T>
bool see_before(const LayerBefore<T>& before, int tile_column, int tile_row, Raster raster, TileBehind<T>& tile) {
  int columns = (int)std::min<int64_t>(kTileWidth, raster.width - tile_column);
  int rows = (int)std::min<int64_t>(kTileHeight, raster.height - tile_row);
  constexpr T kNoDepth = 2;
  bool any = false;
  std::fill(std::begin(tile.before_id), std::end(tile.before_id), -1);
  std::fill(std::begin(tile.before_depth), std::end(tile.before_depth), kNoDepth);
  for (int y = 0; y < rows; ++y) {
    LayerBefore<T> row = before.from((tile_row + y) * raster.width + tile_column);
    for (int x = 0; x < columns; ++x) {
      bool seen = row.triangle_id[x] >= 0;
      any |= seen;
      tile.before_id[y * kTileWidth + x] = row.triangle_id[x];
      tile.before_depth[y * kTileWidth + x] = seen ? row.depth[x] : kNoDepth;
    }
  }
  return any;
}

template <class T>
void rasterize_batch(const Geometry<T>& g, Raster raster, const LayerBefore<T>* before, Image<T> images) {
  check_size(raster);
  check_geometry(g);
  for_each_image(g.images(), [&](int64_t b) {
    Image<T> image = images.from(b * raster.pixels());
    auto begin_band = [&](int64_t row_begin, int64_t row_end) { write_background(row_begin, row_end, raster, image); };
    auto write = [&](const Tile<T>& tile, int column, int row) { write_tile(g, b, tile, column, row, raster, image); };
    Workspace<T>::with([&](Workspace<T>& work) {
      if (!before) return draw_image(g, b, raster, work, begin_band, write);
      auto begin_tile = [&](TileBehind<T>& tile, int column, int row) {
        return see_before(before->from(b * raster.pixels()), column, row, raster, tile);
      };
      draw_image<TileBehind<T>>(g, b, raster, work, begin_band, begin_tile, write);
    });
  });
}

}  // namespace

template <class T>
void rasterize(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* barycentrics, T* depth) {
  rasterize_batch<T>(g, raster, nullptr, {triangle_id, barycentrics, depth, nullptr});
}

template <class T>
void rasterize_behind(const Geometry<T>& g, Raster raster, const int32_t* before_id, const T* before_depth,
                      int32_t* triangle_id, T* barycentrics, T* depth) {
  const LayerBefore<T> before{before_id, before_depth};
  rasterize_batch<T>(g, raster, &before, {triangle_id, barycentrics, depth, nullptr});
}

template <class T>
void rasterize_silhouette(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* covered) {
  rasterize_batch<T>(g, raster, nullptr, {triangle_id, nullptr, nullptr, covered});
}

template <class T>
void rasterize_vjp(const Geometry<T>& g, Raster raster, const int32_t* triangle_id, const T* grad_barycentrics,
                   const T* grad_depth, T* grad_pos_clip) {
  check_geometry(g);
  accumulate_positions(g, raster, grad_pos_clip, [&](int64_t b, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
    const int32_t* triangles = g.triangles_of(b);
    for (int64_t y = row_begin; y < row_end; ++y) {
      T Y = -ndc_centre<T>(y, raster.height);
      const int64_t row = (b * raster.height + y) * raster.width;
      for (int64_t x = 0; x < raster.width;) {
        int32_t id = triangle_id[row + x];
        if (id < 0) {
          ++x;
          continue;
        }
        Vec4<T> v[3], grad_v[3] = {};
        load_triangle(g.positions_of(b), triangles, id, v);
        for (; x < raster.width && triangle_id[row + x] == id; ++x) {
          T X = ndc_centre<T>(x, raster.width);
          int64_t at = row + x;
          if (grad_barycentrics) barycentrics_vjp(v, X, Y, {grad_barycentrics[2 * at], grad_barycentrics[2 * at + 1]}, grad_v);
          if (grad_depth && grad_depth[at] != 0) plane_depth_vjp(v, X, Y, grad_depth[at], grad_v);
        }
        for (int i = 0; i < 3; ++i) add(triangles[3 * (int64_t)id + i], grad_v[i]);
      }
    }
  });
}

template void rasterize(const Geometry<float>&, Raster, int32_t*, float*, float*);
template void rasterize(const Geometry<double>&, Raster, int32_t*, double*, double*);
template void rasterize_behind(const Geometry<float>&, Raster, const int32_t*, const float*, int32_t*, float*, float*);
template void rasterize_behind(const Geometry<double>&, Raster, const int32_t*, const double*, int32_t*, double*, double*);
template void rasterize_silhouette(const Geometry<float>&, Raster, int32_t*, float*);
template void rasterize_silhouette(const Geometry<double>&, Raster, int32_t*, double*);
template void rasterize_vjp(const Geometry<float>&, Raster, const int32_t*, const float*, const float*, float*);
template void rasterize_vjp(const Geometry<double>&, Raster, const int32_t*, const double*, const double*, double*);

}  // namespace intaglio
