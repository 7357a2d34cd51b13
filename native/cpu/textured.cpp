// SPDX-License-Identifier: MIT
// A mip-mapped texture seen on a mesh, in one go: what rasterize, interpolate, screen_derivatives and sample_texture do one
// after the other, row by row of a tile while it is in the cache. Nothing lies between the ids and the image, so background
// costs nothing; the backward pass finds uv and texels anew from the ids.
#include <atomic>
#include <cstring>

#include "pairs.h"
#include "textured_gradient.h"

namespace intaglio {
namespace {

template <class T>
const T* texels_of(const T* texels, const Texture<T>& pyramid, int64_t b) {
  return texels + (pyramid.own_texels ? b * pyramid.num_texels * pyramid.channels : 0);
}

}  // namespace

template <class T>
void textured(const TexturedMesh<T>& mesh, Raster raster, const T* texture, const Texture<T>& pyramid, int64_t channels,
              int32_t* triangle_id, T* texels, T* image) {
  check_mesh(mesh, raster, pyramid);
  build_pyramid(texture, pyramid, pyramid.own_texels ? raster.batch : 1, channels, texels);
  for_each_image(raster.batch, [&](int64_t b) {
    const TexturedView<T> view(mesh, raster, pyramid, b);
    const RowTexels<T> row_texels{texels_of(texels, pyramid, b), channels};
    int32_t* ids = triangle_id + b * raster.pixels();
    T* out = image + b * raster.pixels() * channels;
    auto begin_band = [&](int64_t begin, int64_t end) {
      std::memset(ids + begin * raster.width, 0xff, (end - begin) * raster.width * sizeof(int32_t));
      std::memset(out + begin * raster.width * channels, 0, (end - begin) * raster.width * channels * sizeof(T));
    };
    auto show = [&](const Tile<T>& drawn, int column, int row) {
      const int64_t columns = std::min<int64_t>(kTileWidth, raster.width - column);
      const int64_t rows = std::min<int64_t>(kTileHeight, raster.height - row);
      SeenTile<T>::with([&](SeenTile<T>& tile) {
        const uint32_t seen = rows_to_see(drawn.id, kTileWidth, columns, rows, [](int64_t) { return true; });
        see_tile(view, drawn.id, kTileWidth, column, row, seen, tile);
        for (int y = 0; y < rows; ++y) {
          if (!(seen >> y & 1)) continue;
          const int64_t first = (row + y) * raster.width + column;
          std::memcpy(ids + first, drawn.id + y * kTileWidth, columns * sizeof(int32_t));
          find_texels(view, y, tile);
          paint_row(tile, y, row_texels, out + first * channels);
        }
      });
    };
    Workspace<T>::with([&](Workspace<T>& work) { draw_image(mesh.geometry, b, raster, work, begin_band, show); });
  });
}

namespace {

// What goes back through the images of a textured mesh.
template <class T>
struct Backward {
  const TexturedMesh<T>& mesh;
  const Surface<T>& surface;
  const Texture<T>& pyramid;  // padded texels
  const T* grad_image;
  std::vector<Subpixel> snapped;
  std::atomic<int64_t> cut{0};

  Raster raster() const { return surface.raster; }
  int64_t pixels() const { return surface.raster.pixels(); }

  // Tiles that begin in those rows of image b.
  void go_through(int64_t b, Slice rows, TexturedWants wants, const RowTexels<T>& texels, T* positions, T* uv) const {
    const TexturedView<T> view(mesh, raster(), pyramid, b);
    const int64_t width = raster().width, C = surface.channels;
    const int32_t* ids = surface.triangle_id + b * pixels();
    const T* grads = grad_image + b * pixels() * C;
    const bool to_uv = wants.positions || wants.uv;
    SeenTile<T>::with([&](SeenTile<T>& tile) {
      for (int64_t row = rows.begin; row < rows.end; row += kTileHeight)
        for (int64_t column = 0; column < width; column += kTileWidth) {
          const int64_t columns = std::min<int64_t>(kTileWidth, width - column), first = row * width + column;
          auto has_cotangent = [&](int64_t y) { return !all_zero(grads + (first + y * width) * C, columns * C); };
          const int64_t height = std::min<int64_t>(kTileHeight, raster().height - row);
          const uint32_t seen = rows_to_see(ids + first, width, columns, height, has_cotangent);
          if (!seen) continue;
          see_tile(view, ids + first, width, column, row, seen, tile);
          for (int y = 0; y < height; ++y) {
            if (!(seen >> y & 1)) continue;
            find_texels(view, y, tile);
            carry_row(tile, y, texels, grads + (first + y * width) * C, to_uv);
          }
          if (to_uv) carry_tile(view, tile, positions, uv);
        }
    });
  }

  void walk_edges(int64_t b, Slice rows, T* positions) {
    const Geometry<T>& g = mesh.geometry;
    const WalkedMesh<T> walked = walked_mesh(g, surface.neighbours, b, snapped.data() + b * g.num_vertices, raster());
    const int64_t C = surface.channels;
    const T* grads = grad_image + b * pixels() * C;
    auto grad = [&](int64_t pixel, int64_t c) { return grads[pixel * C + c]; };
    cut += add_row_gradients(walked, SeenColors<T>{surface.image + b * pixels() * C, C}, surface.triangle_id + b * pixels(),
                             raster(), rows, AllColumns{raster().width}, grad, AddTo<T>{positions, 0});
  }

  // Texels alone, in ranges of which each thread has one.
  void spread(T* grad_texels) const {
    auto near = [&](int64_t b, int64_t pixel) -> int64_t {
      const int32_t id = surface.triangle_id[b * pixels() + pixel];
      return id < 0 ? -1 : texel_near(TexturedView<T>(mesh, raster(), pyramid, b), id, pixel);
    };
    auto add_image = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
      const RowTexels<T> texels{pyramid.texels_of(b), surface.channels, sums, begin, end};
      go_through(b, {0, raster().height}, {false, false, true}, texels, nullptr, nullptr);
    };
    accumulate_owned(raster(), grad_texels, pyramid.num_texels, pyramid.channels, !pyramid.own_texels, near, add_image);
  }
};

}  // namespace

template <class T>
int64_t textured_vjp(const TexturedMesh<T>& mesh, const Surface<T>& surface, const Texture<T>& pyramid, const T* grad_image,
                     T* grad_pos_clip, T* grad_uv, T* grad_texels, T* grad_texture) {
  const Raster raster = surface.raster;
  const Geometry<T>& g = mesh.geometry;
  check_mesh(mesh, raster, pyramid);
  check_neighbours(g, surface.neighbours);
  check_indices("fragments.triangle_id", surface.triangle_id, raster.batch * raster.pixels(), -1, g.num_triangles,
                "were these fragments made from other triangles?");
  const TexturedWants wants{grad_pos_clip != nullptr, grad_uv != nullptr, grad_texels != nullptr};
  const int64_t arrays = pyramid.own_texels ? raster.batch : 1, uv_items = mesh.uv.num_vertices * 2;
  Backward<T> back{mesh, surface, pyramid, grad_image, {}, {0}};
  if (wants.positions) snap_all(g.pos_clip, g.rows * g.num_vertices, raster, back.snapped);
  if (wants.uv) std::fill(grad_uv, grad_uv + (mesh.uv.own_values ? raster.batch : 1) * uv_items, (T)0);
  const bool is_together = wants.texels && is_alone(pyramid, raster.batch);
  if (is_together) std::fill(grad_texels, grad_texels + arrays * pyramid.num_texels * pyramid.channels, (T)0);
  auto go_back = [&](int64_t b, ImageSums<T>& sums) {
    sums.begin(mesh, raster, wants);
    T* own_sums = is_together ? grad_texels + (pyramid.texels_of(b) - pyramid.texels) : nullptr;
    const RowTexels<T> texels{pyramid.texels_of(b), surface.channels, own_sums};
    for_each_part(sums.parts(), is_together, [&](int64_t part) {
      T *positions = sums.positions(part), *uv = sums.uv(part);
      back.go_through(b, sums.rows(part), wants, texels, positions, uv);
      if (positions) back.walk_edges(b, sums.rows(part), positions);
    });
  };
  auto add_up = [&](int64_t b, ImageSums<T>& sums) {
    sums.add_up(wants.positions ? grad_pos_clip + b * g.num_vertices * 4 : nullptr,
                wants.uv ? grad_uv + (mesh.uv.own_values ? b * uv_items : 0) : nullptr);
  };
  std::vector<ImageSums<T>> rooms;
  if (wants.positions || wants.uv || is_together) for_each_image_in_order(raster.batch, rooms, go_back, add_up, [](Slice) {});
  if (wants.texels && !is_together) back.spread(grad_texels);
  if (wants.texels) build_pyramid_vjp(grad_texels, pyramid, arrays, surface.channels, grad_texture);
  return back.cut;
}

#define INTAGLIO_INSTANTIATE(T)                                                                                   \
  template void textured(const TexturedMesh<T>&, Raster, const T*, const Texture<T>&, int64_t, int32_t*, T*, T*); \
  template int64_t textured_vjp(const TexturedMesh<T>&, const Surface<T>&, const Texture<T>&, const T*, T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
