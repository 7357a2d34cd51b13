// SPDX-License-Identifier: MIT
// Visibility on the CPU: triangles are made ready in chunks, binned to tiles in order, and drawn tile by tile, where only id
// and depth live; weights are a second sweep over the visible pixels. Per pixel the nearest wins and ties go to the lowest
// index, so that neither tiles nor threads change the picture.
#include <cstring>

#include "accumulate.h"
#include "check.h"
#include "setup.h"
#include "simd.h"

namespace intaglio {
namespace {

// A tile's ids and depths fit into a first-level cache of 32 KB; smaller tiles measured slower, since triangles lie in more of
// them. Widths are multiples of a block of pixels.
constexpr int kTileWidth = 64, kTileHeight = 64, kBlock = 16;

template <class T>
struct Tile {
  alignas(64) int32_t id[kTileHeight * kTileWidth];
  alignas(64) T depth[kTileHeight * kTileWidth];
};

// e(x, y) = e + x step_x + y step_y >= 0 inside, in units where one pixel is one step: exact, since pixel centres lie
// 256 grid steps apart and the sign of e does not change when it is divided by 256 and rounded down.
struct EdgeStep {
  int32_t e, step_x, step_y;
};

// The edge a -> b over a block of samples of which `first` is the upper left; false if it rejects them all.
inline bool edge_over(EdgeStep& step, Subpixel a, Subpixel b, Subpixel first, int columns, int rows) {
  GridEdge edge(a, b);
  int64_t e = edge.at(first) >> 8, far_x = -edge.dy * (columns - 1), far_y = edge.dx * (rows - 1);
  if (e + std::max<int64_t>(far_x, 0) + std::max<int64_t>(far_y, 0) < 0) return false;
  if (e + std::min<int64_t>(far_x, 0) + std::min<int64_t>(far_y, 0) >= 0)
    step = {0, 0, 0};  // accepts them all
  else
    step = {(int32_t)e, (int32_t)-edge.dy, (int32_t)edge.dx};  // crosses them: below 2^31 by the guard band
  return true;
}

// Relative to the triangle's own first sample, so that no tile changes a depth.
template <class T>
INTAGLIO_INLINE T depth_of_row(const ReadyTriangle<T>& t, int row) {
  return t.depth + t.depth_dy * (T)(row - t.row_begin);
}

template <class T>
INTAGLIO_INLINE T depth_of_sample(const ReadyTriangle<T>& t, T row_depth, T column_offset) {
  T depth = row_depth + t.depth_dx * column_offset;
  depth = depth < t.least_depth ? t.least_depth : depth;
  return depth > t.most_depth ? t.most_depth : depth;
}

template <class T>
INTAGLIO_INLINE void draw_few(const ReadyTriangle<T>& t, Tile<T>& tile, int tile_column, int tile_row) {
  for (uint32_t left = t.covered; left; left &= left - 1) {
    int bit = __builtin_ctz(left), dx = bit % kFewColumns, dy = bit / kFewColumns;
    int x = t.column_begin + dx - tile_column, y = t.row_begin + dy - tile_row;
    if ((unsigned)x >= kTileWidth || (unsigned)y >= kTileHeight) continue;
    T depth = depth_of_sample(t, depth_of_row(t, t.row_begin + dy), (T)dx);
    int at = y * kTileWidth + x;
    bool wins = depth < tile.depth[at];
    tile.depth[at] = wins ? depth : tile.depth[at];
    tile.id[at] = wins ? t.triangle_id : tile.id[at];
  }
}

template <class T>
INTAGLIO_INLINE void draw(const ReadyTriangle<T>& t, Tile<T>& tile, int tile_column, int tile_row, Raster raster) {
  int x0 = std::max(t.column_begin - tile_column, 0), x1 = std::min(t.column_end - tile_column, kTileWidth);
  // One block wherever the box fits into one; more of them start at a multiple of their width, to end within the tile.
  x0 = x1 - x0 <= kBlock ? std::min(x0, kTileWidth - kBlock) : x0 & ~(kBlock - 1);
  int y0 = std::max(t.row_begin - tile_row, 0), y1 = std::min(t.row_end - tile_row, kTileHeight);
  int columns = (x1 - x0 + kBlock - 1) & ~(kBlock - 1);
  Subpixel first{pixel_centre(tile_column + x0, raster.width), pixel_centre(tile_row + y0, raster.height)};
  EdgeStep edge[3];
  for (int k = 0; k < 3; ++k)
    if (!edge_over(edge[k], t.corner[k], t.corner[(k + 1) % 3], first, columns, y1 - y0)) return;
  const int32_t id = t.triangle_id;
  const T low = t.least_depth, high = t.most_depth, depth_dx = t.depth_dx, depth_dy = t.depth_dy, base = t.depth;
  const EdgeStep a = edge[0], b = edge[1], c = edge[2];
  for (int x = x0; x < x1; x += kBlock) {  // columns of blocks, so that a block's lanes stay in registers from row to row
    const int32_t a_x = a.e + (x - x0) * a.step_x, b_x = b.e + (x - x0) * b.step_x, c_x = c.e + (x - x0) * c.step_x;
    const T offset = (T)(tile_column + x - t.column_begin);
    int32_t* __restrict ids = tile.id + y0 * kTileWidth + x;
    T* __restrict depths = tile.depth + y0 * kTileWidth + x;
    for (int y = 0; y < y1 - y0; ++y, ids += kTileWidth, depths += kTileWidth) {
      const int32_t a_y = a_x + y * a.step_y, b_y = b_x + y * b.step_y, c_y = c_x + y * c.step_y;
      const T row_depth = base + depth_dy * (T)(tile_row + y0 + y - t.row_begin);
      for (int l = 0; l < kBlock; ++l) {
        int32_t outside = (a_y + l * a.step_x) | (b_y + l * b.step_x) | (c_y + l * c.step_x);
        T depth = row_depth + depth_dx * (offset + (T)l);
        depth = depth < low ? low : depth;
        depth = depth > high ? high : depth;
        bool wins = (outside >= 0) & (depth < depths[l]);
        depths[l] = wins ? depth : depths[l];
        ids[l] = wins ? id : ids[l];
      }
    }
  }
}

template <class T>
INTAGLIO_INLINE void draw_all(const ReadyTriangle<T>* const* begin, const ReadyTriangle<T>* const* end, Tile<T>& tile,
                              int tile_column, int tile_row, Raster raster) {
  for (int i = 0; i < kTileWidth * kTileHeight; ++i) tile.id[i] = -1, tile.depth[i] = 1;
  constexpr int kAhead = 8;  // a tile's triangles lie apart in memory
  for (; begin != end; ++begin) {
    if (end - begin > kAhead) __builtin_prefetch(begin[kAhead]);
    if (has_few_samples(**begin))
      draw_few(**begin, tile, tile_column, tile_row);
    else
      draw(**begin, tile, tile_column, tile_row, raster);
  }
}

INTAGLIO_CLONES void draw_tile(const ReadyTriangle<float>* const* begin, const ReadyTriangle<float>* const* end,
                               Tile<float>& tile, int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

void draw_tile(const ReadyTriangle<double>* const* begin, const ReadyTriangle<double>* const* end, Tile<double>& tile,
               int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

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
    shrink_huge(v);
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

// Working memory of one image, kept from call to call by each thread: its pages cost more than what is done in them.
template <class T>
struct Workspace {
  std::vector<Subpixel> snapped;
  std::vector<std::vector<ReadyTriangle<T>>> chunks;
  std::vector<int32_t> bin_sizes;                // [chunk, tile], then where each chunk's share of a tile begins
  std::vector<const ReadyTriangle<T>*> entries;  // tile by tile, each in the order of the triangles
  std::vector<int32_t> tile_begin;

  // Too large to be kept for a caller who may never draw such a mesh again.
  bool heavy() const { return entries.capacity() * 8 + snapped.capacity() * 8 > (64 << 20); }
};

template <class T, class Visit>
void for_each_tile(const ReadyTriangle<T>& t, int tiles_across, const Visit& visit) {
  for (int ty = t.row_begin / kTileHeight; ty <= (t.row_end - 1) / kTileHeight; ++ty)
    for (int tx = t.column_begin / kTileWidth; tx <= (t.column_end - 1) / kTileWidth; ++tx) visit(ty * tiles_across + tx);
}

template <class T>
void make_all_ready(const Geometry<T>& g, int64_t b, Raster raster, int tiles_across, int64_t tiles, Workspace<T>& work) {
  const int32_t* triangles = g.triangles_of(b);
  const T* pos_clip = g.positions_of(b);
  const Subpixel* snapped = work.snapped.data();
  int64_t chunk_size = std::max<int64_t>(4096, (g.num_triangles + 63) / 64);
  int64_t num_chunks = (g.num_triangles + chunk_size - 1) / chunk_size;
  work.chunks.resize(num_chunks);
  work.bin_sizes.assign(num_chunks * tiles, 0);
  parallel_for(num_chunks, [&](int64_t chunk) {
    std::vector<ReadyTriangle<T>>& out = work.chunks[chunk];
    out.clear();
    int64_t end = std::min(g.num_triangles, (chunk + 1) * chunk_size);
    for (int64_t i = chunk * chunk_size; i < end; ++i) {
      const int32_t* t = triangles + 3 * i;
      if (snapped[t[0]].valid() && snapped[t[1]].valid() && snapped[t[2]].valid()) {
        ReadyTriangle<T> ready;
        if (make_ready(pos_clip, snapped, t, (int32_t)i, raster, ready)) out.push_back(ready);
      } else {
        make_ready_clipped(pos_clip, t, (int32_t)i, raster, out);
      }
    }
    int32_t* sizes = work.bin_sizes.data() + chunk * tiles;
    for (const ReadyTriangle<T>& t : out) for_each_tile(t, tiles_across, [&](int tile) { ++sizes[tile]; });
  });
}

// Counts become offsets, then every chunk puts its triangles into its own share of each tile's list.
template <class T>
void fill_bins(int tiles_across, int64_t tiles, Workspace<T>& work) {
  int64_t num_chunks = (int64_t)work.chunks.size();
  work.tile_begin.resize(tiles + 1);
  int32_t total = 0;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    work.tile_begin[tile] = total;
    for (int64_t chunk = 0; chunk < num_chunks; ++chunk) {
      int32_t& size = work.bin_sizes[chunk * tiles + tile];
      total += size;
      size = total - size;
    }
  }
  work.tile_begin[tiles] = total;
  work.entries.resize(total);
  parallel_for(num_chunks, [&](int64_t chunk) {
    int32_t* next = work.bin_sizes.data() + chunk * tiles;
    for (const ReadyTriangle<T>& t : work.chunks[chunk])
      for_each_tile(t, tiles_across, [&](int tile) { work.entries[next[tile]++] = &t; });
  });
}

template <class T>
void rasterize_image(const Geometry<T>& g, int64_t b, Raster raster, Image<T> image) {
  thread_local Workspace<T> kept;
  Workspace<T>& work = kept;
  int tiles_across = (int)((raster.width + kTileWidth - 1) / kTileWidth);
  int64_t tiles = tiles_across * ((raster.height + kTileHeight - 1) / kTileHeight);
  snap_all(g.positions_of(b), g.num_vertices, raster, work.snapped);
  make_all_ready(g, b, raster, tiles_across, tiles, work);
  fill_bins(tiles_across, tiles, work);
  parallel_for(tiles / tiles_across, [&](int64_t band) {
    int tile_row = (int)band * kTileHeight;
    write_background(tile_row, std::min<int64_t>(tile_row + kTileHeight, raster.height), raster, image);
    for (int64_t t = band * tiles_across; t < (band + 1) * tiles_across; ++t) {
      int32_t begin = work.tile_begin[t], end = work.tile_begin[t + 1];
      if (begin == end) continue;
      int tile_column = (int)(t % tiles_across) * kTileWidth;
      Tile<T> tile;
      draw_tile(work.entries.data() + begin, work.entries.data() + end, tile, tile_column, tile_row, raster);
      write_tile(g, b, tile, tile_column, tile_row, raster, image);
    }
  });
  if (work.heavy()) work = {};
}

template <class T>
void rasterize_batch(const Geometry<T>& g, Raster raster, Image<T> images) {
  check_size(raster);
  check_geometry(g);
  auto draw_image = [&](int64_t b) { rasterize_image(g, b, raster, images.from(b * raster.pixels())); };
  if (g.batch >= num_threads()) return parallel_for(g.batch, draw_image);  // an image per thread needs no meeting points
  for (int64_t b = 0; b < g.batch; ++b) draw_image(b);
}

}  // namespace

template <class T>
void rasterize(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* barycentrics, T* depth) {
  rasterize_batch(g, raster, Image<T>{triangle_id, barycentrics, depth, nullptr});
}

template <class T>
void rasterize_silhouette(const Geometry<T>& g, Raster raster, int32_t* triangle_id, T* covered) {
  rasterize_batch(g, raster, Image<T>{triangle_id, nullptr, nullptr, covered});
}

template <class T>
void rasterize_vjp(const Geometry<T>& g, Raster raster, const int32_t* triangle_id, const T* grad_barycentrics,
                   const T* grad_depth, T* grad_pos_clip) {
  check_geometry(g);
  accumulate_rows(raster, grad_pos_clip, g.num_vertices * 4, false,
                  [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) {
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
                          if (grad_barycentrics)
                            barycentrics_vjp(v, X, Y, {grad_barycentrics[2 * at], grad_barycentrics[2 * at + 1]}, grad_v);
                          if (grad_depth && grad_depth[at] != 0) plane_depth_vjp(v, X, Y, grad_depth[at], grad_v);
                        }
                        for (int i = 0; i < 3; ++i) {
                          T* sum = sums + 4 * (int64_t)triangles[3 * (int64_t)id + i];
                          sum[0] += grad_v[i].x, sum[1] += grad_v[i].y, sum[2] += grad_v[i].z, sum[3] += grad_v[i].w;
                        }
                      }
                    }
                  });
}

template void rasterize(const Geometry<float>&, Raster, int32_t*, float*, float*);
template void rasterize(const Geometry<double>&, Raster, int32_t*, double*, double*);
template void rasterize_silhouette(const Geometry<float>&, Raster, int32_t*, float*);
template void rasterize_silhouette(const Geometry<double>&, Raster, int32_t*, double*);
template void rasterize_vjp(const Geometry<float>&, Raster, const int32_t*, const float*, const float*, float*);
template void rasterize_vjp(const Geometry<double>&, Raster, const int32_t*, const double*, const double*, double*);

}  // namespace intaglio
