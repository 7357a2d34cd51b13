// SPDX-License-Identifier: MIT
// The inner loops of drawing: one triangle over the samples of one tile.
#include "draw.h"

#include "simd.h"

namespace intaglio {
namespace {

constexpr int kBlock = 16;  // pixels side by side; divides the width of a tile

// e(x, y) = e + x step_x + y step_y >= 0 inside, in units where one pixel is one step: exact, since pixel centres lie
// 256 grid steps apart and the sign of e does not change when it is divided by 256 and rounded down.
struct EdgeStep {
  int32_t e, step_x, step_y;
};

// The edge a -> b as seen from the sample `first`; may overflow for triangles that are not small.
INTAGLIO_INLINE EdgeStep edge_from(Subpixel a, Subpixel b, Subpixel first) {
  GridEdge edge = grid_edge(a, b);
  return {(int32_t)(edge.at(first) >> 8), (int32_t)-edge.dy, (int32_t)edge.dx};
}

// The same over a block of samples of which `first` is the upper left; false if it rejects them all.
inline bool edge_over(EdgeStep& step, Subpixel a, Subpixel b, Subpixel first, int columns, int rows) {
  GridEdge edge = grid_edge(a, b);
  int64_t e = edge.at(first) >> 8, far_x = -edge.dy * (columns - 1), far_y = edge.dx * (rows - 1);
  if (e + std::max<int64_t>(far_x, 0) + std::max<int64_t>(far_y, 0) < 0) return false;
  if (e + std::min<int64_t>(far_x, 0) + std::min<int64_t>(far_y, 0) >= 0)
    step = {0, 0, 0};  // accepts them all
  else
    step = edge_from(a, b, first);  // crosses them: below 2^31 by the guard band
  return true;
}

// Whether a triangle is drawn at a sample of the tile, as far as earlier layers are concerned.
template <class T>
INTAGLIO_INLINE bool is_behind_layer(const Tile<T>&, int, T, int32_t) {
  return true;
}

template <class T>
INTAGLIO_INLINE bool is_behind_layer(const TileBehind<T>& tile, int at, T depth, int32_t id) {
  return is_behind(depth, id, tile.before_depth[at], tile.before_id[at]);
}

template <class T, class AnyTile>
INTAGLIO_INLINE void draw_few(const ReadyTriangle<T>& t, AnyTile& tile, int tile_column, int tile_row) {
  for (uint32_t left = t.covered; left; left &= left - 1) {
    int bit = __builtin_ctz(left), dx = bit % kFewColumns, dy = bit / kFewColumns;
    int x = t.column_begin + dx - tile_column, y = t.row_begin + dy - tile_row;
    if ((unsigned)x >= kTileWidth || (unsigned)y >= kTileHeight) continue;
    T depth = depth_of_sample(t, depth_of_row(t, t.row_begin + dy), (T)dx);
    int at = y * kTileWidth + x;
    bool wins = (depth < tile.depth[at]) & is_behind_layer(tile, at, depth, t.triangle_id);
    tile.depth[at] = wins ? depth : tile.depth[at];
    tile.id[at] = wins ? t.triangle_id : tile.id[at];
  }
}

template <class T, class AnyTile>
INTAGLIO_INLINE void draw(const ReadyTriangle<T>& t, AnyTile& tile, int tile_column, int tile_row, Raster raster) {
  int x0 = std::max(t.column_begin - tile_column, 0), x1 = std::min(t.column_end - tile_column, kTileWidth);
  // One block wherever the box fits into one; more of them start at a multiple of their width, to end within the tile.
  x0 = x1 - x0 <= kBlock ? std::min(x0, kTileWidth - kBlock) : x0 & ~(kBlock - 1);
  int y0 = std::max(t.row_begin - tile_row, 0), y1 = std::min(t.row_end - tile_row, kTileHeight);
  int columns = (x1 - x0 + kBlock - 1) & ~(kBlock - 1);
  Subpixel first{pixel_centre(tile_column + x0, raster.width), pixel_centre(tile_row + y0, raster.height)};
  const bool is_plain = t.is_small & (columns == kBlock);  // no block to reject, nothing to overflow
  EdgeStep edge[3];
  for (int k = 0; k < 3; ++k) {
    Subpixel from = t.corner[k], to = t.corner[(k + 1) % 3];
    if (is_plain)
      edge[k] = edge_from(from, to, first);
    else if (!edge_over(edge[k], from, to, first, columns, y1 - y0))
      return;
  }
  const int32_t id = t.triangle_id;
  const T low = t.least_depth, high = t.most_depth, depth_dx = t.depth_dx, depth_dy = t.depth_dy, base = t.depth;
  const EdgeStep a = edge[0], b = edge[1], c = edge[2];
  for (int x = x0; x < x1; x += kBlock) {  // columns of blocks, so that a block's lanes stay in registers from row to row
    const int32_t a_x = a.e + (x - x0) * a.step_x, b_x = b.e + (x - x0) * b.step_x, c_x = c.e + (x - x0) * c.step_x;
    const T offset = (T)(tile_column + x - t.column_begin);
    int at = y0 * kTileWidth + x;
    int32_t* __restrict ids = tile.id + at;
    T* __restrict depths = tile.depth + at;
    for (int y = 0; y < y1 - y0; ++y, at += kTileWidth, ids += kTileWidth, depths += kTileWidth) {
      const int32_t a_y = a_x + y * a.step_y, b_y = b_x + y * b.step_y, c_y = c_x + y * c.step_y;
      const T row_depth = base + depth_dy * (T)(tile_row + y0 + y - t.row_begin);
      for (int l = 0; l < kBlock; ++l) {
        int32_t outside = (a_y + l * a.step_x) | (b_y + l * b.step_x) | (c_y + l * c.step_x);
        T depth = row_depth + depth_dx * (offset + (T)l);
        depth = depth < low ? low : depth;
        depth = depth > high ? high : depth;
        bool wins = (outside >= 0) & (depth < depths[l]) & is_behind_layer(tile, at + l, depth, id);
        depths[l] = wins ? depth : depths[l];
        ids[l] = wins ? id : ids[l];
      }
    }
  }
}

template <class T, class AnyTile>
INTAGLIO_INLINE void draw_all(const ReadyTriangle<T>* const* begin, const ReadyTriangle<T>* const* end, AnyTile& tile,
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

template <class T>
INTAGLIO_INLINE int64_t make_run_ready(const PlacedVertices<T>& placed, const int32_t* triangles, int64_t begin, int64_t end,
                                       bool cull_backfaces, Raster raster, ReadyTriangle<T>* out, int64_t& size) {
  const Subpixel* snapped = placed.snapped.data();
  int64_t count = size, i = begin;
  for (; i < end; ++i) {
    const int32_t* t = triangles + 3 * i;
    if (!(snapped[t[0]].valid() & snapped[t[1]].valid() & snapped[t[2]].valid())) break;
    count += make_ready(placed, t, (int32_t)i, cull_backfaces, raster, out[count]);
  }
  size = count;
  return i;
}

}  // namespace

INTAGLIO_CLONES int64_t make_ready_run(const PlacedVertices<float>& placed, const int32_t* triangles, int64_t begin,
                                       int64_t end, bool cull_backfaces, Raster raster, ReadyTriangle<float>* out,
                                       int64_t& size) {
  return make_run_ready(placed, triangles, begin, end, cull_backfaces, raster, out, size);
}

int64_t make_ready_run(const PlacedVertices<double>& placed, const int32_t* triangles, int64_t begin, int64_t end,
                       bool cull_backfaces, Raster raster, ReadyTriangle<double>* out, int64_t& size) {
  return make_run_ready(placed, triangles, begin, end, cull_backfaces, raster, out, size);
}

INTAGLIO_CLONES void draw_tile(const ReadyTriangle<float>* const* begin, const ReadyTriangle<float>* const* end,
                               Tile<float>& tile, int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

void draw_tile(const ReadyTriangle<double>* const* begin, const ReadyTriangle<double>* const* end, Tile<double>& tile,
               int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

INTAGLIO_CLONES void draw_tile(const ReadyTriangle<float>* const* begin, const ReadyTriangle<float>* const* end,
                               TileBehind<float>& tile, int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

void draw_tile(const ReadyTriangle<double>* const* begin, const ReadyTriangle<double>* const* end, TileBehind<double>& tile,
               int tile_column, int tile_row, Raster raster) {
  draw_all(begin, end, tile, tile_column, tile_row, raster);
}

}  // namespace intaglio
