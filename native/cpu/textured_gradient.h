// SPDX-License-Identifier: MIT
// How the gradients of textured meshes add up: positions and uv in parts of an image's rows, which are added in their order;
// texels in the order of images, tiles, rows and pixels, by one thread or by the owners of ranges of them (owners.h).
#pragma once
#include "accumulate.h"
#include "owners.h"
#include "seen_texture.h"

namespace intaglio {

// Whose gradients are wanted.
struct TexturedWants {
  bool positions, uv, texels;
};

// The sums of one image's positions and uv.
template <class T>
class ImageSums {
 public:
  // Memory is kept from image to image.
  void begin(const TexturedMesh<T>& mesh, Raster raster, TexturedWants wants) {
    num_positions_ = wants.positions ? mesh.geometry.num_vertices * 4 : 0;
    num_uv_ = wants.uv ? mesh.uv.num_vertices * 2 : 0;
    height_ = raster.height;
    parts_ = parts_of(raster.height, raster.width, num_positions_ + num_uv_);
    room_.hold(parts_ * (num_positions_ + num_uv_));
    is_used_.assign(parts_, 0);
  }

  int64_t parts() const { return parts_; }
  bool is_used(int64_t part) const { return is_used_[part]; }
  // Whole tiles.
  Slice rows(int64_t part) const { return {tile_row(height_ * part / parts_), tile_row(height_ * (part + 1) / parts_)}; }
  // Null if they are not wanted; zeros before the first call for a part.
  T* positions(int64_t part) { return num_positions_ ? of(part) : nullptr; }
  T* uv(int64_t part) { return num_uv_ ? of(part) + num_positions_ : nullptr; }

  // Overwrites the positions' gradient, adds to the uv's.
  void add_up(T* grad_pos_clip, T* grad_uv) {
    if (num_positions_) std::fill(grad_pos_clip, grad_pos_clip + num_positions_, (T)0);
    for (int64_t part = 0; part < parts_; ++part) {
      if (!is_used_[part]) continue;
      const T *positions = room_.data() + part * (num_positions_ + num_uv_), *uv = positions + num_positions_;
      for (int64_t i = 0; i < num_positions_; ++i) grad_pos_clip[i] += positions[i];
      for (int64_t i = 0; i < num_uv_; ++i) grad_uv[i] += uv[i];
    }
  }

 private:
  int64_t tile_row(int64_t row) const { return std::min((row + kTileHeight - 1) / kTileHeight * kTileHeight, height_); }
  T* of(int64_t part) {
    T* sums = room_.data() + part * (num_positions_ + num_uv_);
    if (!is_used_[part]) std::fill(sums, sums + num_positions_ + num_uv_, (T)0), is_used_[part] = 1;
    return sums;
  }

  int64_t num_positions_ = 0, num_uv_ = 0, height_ = 0, parts_ = 0;
  Room<T> room_;
  std::vector<uint8_t> is_used_;
};

// The rows of a tile that show triangles and are wanted, as bits; `ids` of its first pixel, `pitch` apart.
template <class Wants>
uint32_t rows_to_see(const int32_t* ids, int64_t pitch, int64_t columns, int64_t rows, const Wants& wants) {
  uint32_t found = 0;
  for (int64_t y = 0; y < rows; ++y)
    if (any_seen(ids + y * pitch, columns) && wants(y)) found |= (uint32_t)1 << y;
  return found;
}

// A texel that a pixel adds to.
template <class T>
int64_t texel_near(const TexturedView<T>& view, int32_t triangle_id, int64_t pixel) {
  int64_t texel = 0;
  SeenTile<T>::with([&](SeenTile<T>& tile) {
    const int64_t x = pixel % view.raster.width, y = pixel / view.raster.width;
    int32_t ids[kTileWidth];
    std::fill(ids, ids + kTileWidth, -1);
    ids[0] = triangle_id;
    see_tile(view, ids, kTileWidth, x, y, 1, tile);
    find_texels(view, 0, tile);
    texel = tile.blocks[0].texel[0][0];
  });
  return texel;
}

// Whether an image's texels may be added to while it is gone through: no other thread does, and none goes through the same
// image.
template <class T>
bool is_alone(const Texture<T>& pyramid, int64_t batch) {
  return num_threads() == 1 || (pyramid.own_texels && batch >= num_threads());
}

// body(b, room) for every image, a few of them at once with a Room each; then finish(b, room) one after the other, and
// end(begin, end) of those few.
template <class Room, class Body, class Finish, class End>
void for_each_image_in_order(int64_t batch, std::vector<Room>& rooms, const Body& body, const Finish& finish, const End& end) {
  const int64_t most = batch >= num_threads() ? num_threads() : 1;
  if ((int64_t)rooms.size() < most) rooms.resize(most);
  for (int64_t first = 0; first < batch; first += most) {
    const int64_t count = std::min(most, batch - first);
    parallel_for(count, [&](int64_t i) { body(first + i, rooms[i]); });
    for (int64_t i = 0; i < count; ++i) finish(first + i, rooms[i]);
    end(Slice{first, first + count});
  }
}

// body(part) for the parts of an image, on the pool unless the image's texels are added to on the way.
template <class Body>
void for_each_part(int64_t parts, bool is_together, const Body& body) {
  if (!is_together) return parallel_for(parts, body);
  for (int64_t part = 0; part < parts; ++part) body(part);
}

template <class T>
void check_mesh(const TexturedMesh<T>& mesh, Raster raster, const Texture<T>& pyramid) {
  check_size(raster);
  check_geometry(mesh.geometry);
  check_texture(pyramid);
  const Attributes<T>& uv = mesh.uv;
  check_indices("uv_triangles", uv.triangles, (uv.own_triangles ? raster.batch : 1) * uv.num_triangles * 3, 0, uv.num_vertices,
                kUvRemedy);
}

}  // namespace intaglio
