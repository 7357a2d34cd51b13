// SPDX-License-Identifier: MIT
// An image drawn tile by tile: triangles are made ready in chunks, binned to tiles in order, and drawn where only id and depth
// live. Per pixel the nearest wins and ties go to the lowest index, so that neither tiles nor threads change the picture.
#pragma once
#include "bins.h"
#include "check.h"
#include "rows.h"
#include "setup.h"

namespace intaglio {

// A tile's ids and depths fit into a first-level cache of 32 KB, a band's outputs at 1024 pixels into a second-level cache of 1
// MB: taller tiles let two threads wait for memory. Widths are multiples of a block of pixels.
constexpr int kTileWidth = 64, kTileHeight = 32;

template <class T>
struct Tile {
  alignas(64) int32_t id[kTileHeight * kTileWidth];
  alignas(64) T depth[kTileHeight * kTileWidth];
};

// A tile on which only what lies behind an earlier layer is drawn.
template <class T>
struct TileBehind : Tile<T> {
  alignas(64) int32_t before_id[kTileHeight * kTileWidth];
  alignas(64) T before_depth[kTileHeight * kTileWidth];
};

// Makes the triangles [begin, end) ready, in order, until one has to be clipped; appends them at out[size] and returns where it
// stopped.
int64_t make_ready_run(const PlacedVertices<float>& placed, const int32_t* triangles, int64_t begin, int64_t end,
                       bool cull_backfaces, Raster raster, ReadyTriangle<float>* out, int64_t& size);
int64_t make_ready_run(const PlacedVertices<double>& placed, const int32_t* triangles, int64_t begin, int64_t end,
                       bool cull_backfaces, Raster raster, ReadyTriangle<double>* out, int64_t& size);

// Draws the triangles [begin, end) over an empty tile whose first pixel is given.
void draw_tile(const ReadyTriangle<float>* const* begin, const ReadyTriangle<float>* const* end, Tile<float>& tile,
               int tile_column, int tile_row, Raster raster);
void draw_tile(const ReadyTriangle<double>* const* begin, const ReadyTriangle<double>* const* end, Tile<double>& tile,
               int tile_column, int tile_row, Raster raster);
void draw_tile(const ReadyTriangle<float>* const* begin, const ReadyTriangle<float>* const* end, TileBehind<float>& tile,
               int tile_column, int tile_row, Raster raster);
void draw_tile(const ReadyTriangle<double>* const* begin, const ReadyTriangle<double>* const* end, TileBehind<double>& tile,
               int tile_column, int tile_row, Raster raster);

// The ready triangles of a part of a mesh; room is kept, since writing it anew would cost as much as making them.
template <class T>
struct ReadyChunk {
  std::vector<ReadyTriangle<T>> room;
  int64_t size = 0;

  void reserve(int64_t count) {
    if ((int64_t)room.size() < count) room.resize(count);
  }
  const ReadyTriangle<T>* begin() const { return room.data(); }
  const ReadyTriangle<T>* end() const { return room.data() + size; }
};

// Working memory of one image, kept from call to call by each thread: its pages cost more than what is done in them.
template <class T>
struct Workspace {
  PlacedVertices<T> placed;
  std::vector<ReadyChunk<T>> chunks;
  Bins<ReadyTriangle<T>> bins;  // by tile, each in the order of the triangles

  // Too large to be kept for a caller who may never draw such a mesh again.
  bool heavy() const { return bins.entries.capacity() * 8 + placed.point.capacity() * 20 > (64 << 20); }

  // use(workspace) with the calling thread's own.
  template <class Use>
  static void with(const Use& use) {
    thread_local Workspace kept;
    use(kept);
    if (kept.heavy()) kept = {};
  }
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
  const Slice shown = g.shown(b);
  int64_t chunk_size = std::max<int64_t>(1024, (shown.count() + 63) / 64);
  int64_t num_chunks = (shown.count() + chunk_size - 1) / chunk_size;
  work.chunks.resize(num_chunks);
  work.bins.sizes.assign(num_chunks * tiles, 0);
  parallel_for(num_chunks, [&](int64_t chunk) {
    ReadyChunk<T>& out = work.chunks[chunk];
    out.size = 0;
    int64_t begin = shown.begin + chunk * chunk_size, end = std::min(shown.end, begin + chunk_size);
    for (int64_t i = begin; i < end; ++i) {
      out.reserve(out.size + end - i + kMaxFan);
      i = make_ready_run(work.placed, triangles, i, end, g.cull_backfaces, raster, out.room.data(), out.size);
      if (i < end)
        make_ready_clipped(pos_clip, triangles + 3 * i, (int32_t)i, g.cull_backfaces, raster, out.room.data(), out.size);
    }
    int32_t* sizes = work.bins.sizes.data() + chunk * tiles;
    for (const ReadyTriangle<T>& t : out) for_each_tile(t, tiles_across, [&](int tile) { ++sizes[tile]; });
  });
}

// Makes image b ready to be drawn band by band; how many bands of tiles there are.
template <class T>
int64_t prepare_image(const Geometry<T>& g, int64_t b, Raster raster, Workspace<T>& work) {
  int tiles_across = (int)((raster.width + kTileWidth - 1) / kTileWidth);
  int64_t bands = (raster.height + kTileHeight - 1) / kTileHeight, tiles = tiles_across * bands;
  work.placed.place(g.positions_of(b), vertices_shown(g, b), raster);
  make_all_ready(g, b, raster, tiles_across, tiles, work);
  work.bins.deal(work.chunks, tiles,
                 [&](const ReadyTriangle<T>& t, const auto& visit) { for_each_tile(t, tiles_across, visit); });
  return bands;
}

// For those tiles of a band that hold a triangle's samples, from left to right: begin_tile(tile, column, row), and unless that
// says false visit(tile, column, row).
template <class AnyTile, class T, class BeginTile, class Visit>
void draw_band(const Workspace<T>& work, Raster raster, int64_t band, const BeginTile& begin_tile, const Visit& visit) {
  const int64_t tiles_across = (raster.width + kTileWidth - 1) / kTileWidth;
  for (int64_t t = band * tiles_across; t < (band + 1) * tiles_across; ++t) {
    int32_t begin = work.bins.begin[t], end = work.bins.begin[t + 1];
    if (begin == end) continue;
    int column = (int)(t % tiles_across) * kTileWidth, row = (int)band * kTileHeight;
    AnyTile tile;
    if (!begin_tile(tile, column, row)) continue;
    draw_tile(work.bins.entries.data() + begin, work.bins.entries.data() + end, tile, column, row, raster);
    visit(tile, column, row);
  }
}

// Draws image b: begin_band(row_begin, row_end) for every band of tiles, then its tiles as draw_band does.
template <class AnyTile, class T, class BeginBand, class BeginTile, class Visit>
void draw_image(const Geometry<T>& g, int64_t b, Raster raster, Workspace<T>& work, const BeginBand& begin_band,
                const BeginTile& begin_tile, const Visit& visit) {
  parallel_for(prepare_image(g, b, raster, work), [&](int64_t band) {
    begin_band(band * kTileHeight, std::min<int64_t>((band + 1) * kTileHeight, raster.height));
    draw_band<AnyTile>(work, raster, band, begin_tile, visit);
  });
}

template <class T, class BeginBand, class Visit>
void draw_image(const Geometry<T>& g, int64_t b, Raster raster, Workspace<T>& work, const BeginBand& begin_band,
                const Visit& visit) {
  draw_image<Tile<T>>(g, b, raster, work, begin_band, [](Tile<T>&, int, int) { return true; }, visit);
}

}  // namespace intaglio
