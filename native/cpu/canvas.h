// SPDX-License-Identifier: MIT
// An image that is drawn to be looked at once, and kept from image to image: tiles that the image before drew and this one does
// not are erased; so background is never written.
#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "draw.h"
#include "pairs.h"

namespace intaglio {

// Which tiles of an image are drawn, and which were of the image before.
class DrawnTiles {
 public:
  // False if the image before was of another size: then nothing is drawn, and the canvas to be cleared.
  bool begin(Raster raster) {
    const bool is_kept = raster.width == raster_.width && raster.height == raster_.height;
    tiles_across_ = (raster.width + kTileWidth - 1) / kTileWidth;
    const int64_t tiles = tiles_across_ * ((raster.height + kTileHeight - 1) / kTileHeight);
    raster_ = raster;
    was_drawn_.swap(is_drawn_);
    if (!is_kept) was_drawn_.assign(tiles, 0);
    is_drawn_.assign(tiles, 0);
    return is_kept;
  }

  void mark(int64_t column, int64_t row) { is_drawn_[tile_at(column, row)] = 1; }

  // erase(column, row) for those tiles of a band that only the image before has drawn.
  template <class Erase>
  void for_each_stale(int64_t row, const Erase& erase) const {
    for (int64_t column = 0; column < raster_.width; column += kTileWidth)
      if (was_drawn_[tile_at(column, row)] && !is_drawn_[tile_at(column, row)]) erase(column, row);
  }

  // Those of a row that tiles with triangles cover.
  Columns drawn(int64_t row) const {
    Columns found{raster_.width, 0};
    for (int64_t column = 0; column < raster_.width; column += kTileWidth)
      if (is_drawn_[tile_at(column, row)]) found = found.with({column, std::min(column + kTileWidth, raster_.width)});
    return found;
  }

  // visit(pixel, y, columns) for the rows of a tile, from pixels of the image on.
  template <class Visit>
  void for_each_row_of_tile(int64_t column, int64_t row, const Visit& visit) const {
    int64_t columns = std::min<int64_t>(kTileWidth, raster_.width - column);
    for (int64_t y = 0; y < std::min<int64_t>(kTileHeight, raster_.height - row); ++y)
      visit((row + y) * raster_.width + column, (int)y, columns);
  }

  // Those in which pairs may begin.
  Columns with_pairs(int64_t row) const {
    Columns columns = drawn(row).with(drawn(std::min(row + 1, raster_.height - 1)));
    return {std::max<int64_t>(columns.begin - kPairBlock, 0), columns.empty() ? 0 : columns.end};
  }

  Raster raster() const { return raster_; }

 private:
  int64_t tile_at(int64_t column, int64_t row) const { return row / kTileHeight * tiles_across_ + column / kTileWidth; }

  std::vector<uint8_t> is_drawn_, was_drawn_;
  Raster raster_{1, 0, 0};
  int64_t tiles_across_ = 0;
};

// The ids of one image.
class Canvas {
 public:
  // use(canvas) with the calling thread's own.
  template <class Use>
  static void with(const Use& use) {
    thread_local Canvas kept;
    use(kept);
    if (kept.ids_.size() > (16 << 20)) kept = {};  // too large to be kept
  }

  void begin(Raster raster) {
    if (!tiles_.begin(raster)) ids_.assign(raster.pixels(), -1);
  }

  template <class T>
  void put(const Tile<T>& tile, int column, int row) {
    tiles_.mark(column, row);
    tiles_.for_each_row_of_tile(column, row, [&](int64_t pixel, int y, int64_t columns) {
      std::memcpy(ids_.data() + pixel, tile.id + y * kTileWidth, columns * sizeof(int32_t));
    });
  }

  // Erases what is left of the image before, in a band of tiles that begins in this row.
  void end_band(int64_t row) {
    tiles_.for_each_stale(row, [&](int64_t column, int64_t row) {
      tiles_.for_each_row_of_tile(column, row,
                                  [&](int64_t pixel, int, int64_t columns) { std::fill_n(ids_.data() + pixel, columns, -1); });
    });
  }
  void end() {
    for (int64_t row = 0; row < tiles_.raster().height; row += kTileHeight) end_band(row);
  }

  const int32_t* ids() const { return ids_.data(); }
  int64_t width() const { return tiles_.raster().width; }
  Columns drawn(int64_t row) const { return tiles_.drawn(row); }
  const DrawnTiles& tiles() const { return tiles_; }

 private:
  std::vector<int32_t> ids_;
  DrawnTiles tiles_;
};

// Ids and colours, 0 on the background.
template <class T>
class ColorCanvas : public Canvas {
 public:
  void begin(Raster raster, int64_t channels) {
    if (channels != channels_) *this = {};
    channels_ = channels;
    Canvas::begin(raster);
    if ((int64_t)colors_.size() != raster.pixels() * channels) colors_.assign(raster.pixels() * channels, (T)0);
  }

  // As Canvas does; what is seen of the tile is to be coloured by the caller.
  void put(const Tile<T>& tile, int column, int row) {
    Canvas::put(tile, column, row);
    tiles().for_each_row_of_tile(column, row, [&](int64_t pixel, int y, int64_t columns) {
      const int32_t* ids = tile.id + y * kTileWidth;
      if (std::any_of(ids, ids + columns, [](int32_t id) { return id < 0; })) clear(pixel, columns);
    });
  }
  void end_band(int64_t row) {
    Canvas::end_band(row);
    tiles().for_each_stale(row, [&](int64_t column, int64_t row) {
      tiles().for_each_row_of_tile(column, row, [&](int64_t pixel, int, int64_t columns) { clear(pixel, columns); });
    });
  }

  T* colors() { return colors_.data(); }
  const T* colors() const { return colors_.data(); }
  int64_t channels() const { return channels_; }
  bool heavy() const { return (int64_t)colors_.size() > (16 << 20); }

 private:
  void clear(int64_t pixel, int64_t columns) { std::fill_n(colors_.data() + pixel * channels_, columns * channels_, (T)0); }

  std::vector<T> colors_;
  int64_t channels_ = 0;
};

}  // namespace intaglio
