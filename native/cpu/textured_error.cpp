// SPDX-License-Identifier: MIT
// A textured mesh compared with a target, image by image while it is in the cache: each tile is drawn onto a canvas that is
// kept from call to call, textured, compared and its gradients carried to texels and corners before the next one is drawn; then
// the canvas' edges are walked. Where there are no triangles the target is only summed.
#include <atomic>
#include <cstring>

#include "../math/image.h"
#include "canvas.h"
#include "loss.h"
#include "pairs.h"
#include "textured_gradient.h"

namespace intaglio {
namespace {

// Memory that is kept from call to call by each thread: its pages cost more than what is done in them.
template <class T>
struct PyramidRoom {
  Room<T> texels, sums;

  template <class Use>
  static void with(const Use& use) {
    thread_local PyramidRoom kept;
    use(kept);
    if (kept.texels.capacity() > (16 << 20)) kept = {};
  }
};

// What one image is made of while it is compared.
template <class T>
struct ComparedImage {
  ColorCanvas<T> canvas;
  ImageSums<T> sums;
  std::vector<double> row_errors;
};

// The images of several threads, kept likewise.
template <class T>
struct ComparedImages {
  std::vector<ComparedImage<T>> images;

  template <class Use>
  static void with(const Use& use) {
    thread_local ComparedImages kept;
    use(kept.images);
    for (const ComparedImage<T>& image : kept.images)
      if (image.canvas.heavy()) return kept.images.clear();
  }
};

template <class T>
struct Compared {
  const TexturedMesh<T>& mesh;
  const int32_t* neighbours;
  Raster raster;
  const Texture<T>& pyramid;  // padded texels
  int64_t channels;
  const T *target, *weight;
  TexturedWants wants;
  T* texel_sums;  // where they are added to on the way, else null
  bool wants_error;

  Raster one() const { return {1, raster.height, raster.width}; }
  int64_t values() const { return raster.pixels() * channels; }
  T scale(int64_t b) const { return squared_difference_vjp(weight ? weight[b] : (T)1, (T)1); }
  bool wants_any() const { return wants.positions || wants.uv || texel_sums; }

  RowTexels<T> texels_of(int64_t b) const {
    const T* own = pyramid.texels_of(b);
    return {own, channels, texel_sums ? texel_sums + (own - pyramid.texels) : nullptr};
  }

  // Rows of the tile whose ids have been put onto the canvas: their colours, and what follows from these.
  void compare_tile(const TexturedView<T>& view, int64_t b, const RowTexels<T>& texels, const Tile<T>& drawn, int column,
                    int row, ColorCanvas<T>& canvas, T* positions, T* uv) const {
    const int64_t columns = std::min<int64_t>(kTileWidth, raster.width - column);
    const int64_t rows = std::min<int64_t>(kTileHeight, raster.height - row);
    const uint32_t seen = rows_to_see(drawn.id, kTileWidth, columns, rows, [](int64_t) { return true; });
    SeenTile<T>::with([&](SeenTile<T>& tile) {
      see_tile(view, drawn.id, kTileWidth, column, row, seen, tile);
      for (int y = 0; y < rows; ++y) {
        if (!(seen >> y & 1)) continue;
        const int64_t first = ((row + y) * raster.width + column) * channels;
        find_texels(view, y, tile);
        if (wants_any())
          compare_row(tile, y, texels, target + b * values() + first, scale(b), canvas.colors() + first);
        else
          paint_row(tile, y, texels, canvas.colors() + first);
      }
      if (positions || uv) carry_tile(view, tile, positions, uv);
    });
  }

  // The sum of squared differences of a row.
  double row_error(int64_t b, int64_t y, const ColorCanvas<T>& canvas) const {
    const Columns drawn = canvas.drawn(y);
    const T *own = target + b * values() + y * raster.width * channels, *colors = canvas.colors() + y * raster.width * channels;
    const int64_t begin = drawn.begin * channels, end = drawn.end * channels, width = raster.width * channels;
    if (drawn.empty()) return sum_of_squares(own, width);
    return sum_of_squares(own, begin) + sum_of_squares(colors + begin, own + begin, end - begin) +
           sum_of_squares(own + end, width - end);
  }

  void draw(int64_t b, const Workspace<T>& work, ComparedImage<T>& image) const {
    const TexturedView<T> view(mesh, raster, pyramid, b);
    const RowTexels<T> texels = texels_of(b);
    for_each_part(image.sums.parts(), texel_sums != nullptr, [&](int64_t part) {
      const Slice rows = image.sums.rows(part);
      for (int64_t row = rows.begin; row < rows.end; row += kTileHeight) {
        draw_band<Tile<T>>(
            work, one(), row / kTileHeight, [](Tile<T>&, int, int) { return true; },
            [&](const Tile<T>& tile, int column, int row) {
              image.canvas.put(tile, column, row);
              compare_tile(view, b, texels, tile, column, row, image.canvas, image.sums.positions(part), image.sums.uv(part));
            });
        image.canvas.end_band(row);
        if (!wants_error) continue;
        for (int64_t y = row; y < std::min(row + kTileHeight, raster.height); ++y)
          image.row_errors[y] = row_error(b, y, image.canvas);
      }
    });
  }

  // The number of walks cut short.
  int64_t walk_edges(int64_t b, const Workspace<T>& work, ComparedImage<T>& image) const {
    const ColorCanvas<T>& canvas = image.canvas;
    const WalkedMesh<T> walked = walked_mesh(mesh.geometry, neighbours, b, work.placed.snapped.data(), raster);
    const T* own = target + b * values();
    const T scale = this->scale(b);
    auto grad = [&](int64_t pixel, int64_t c) {
      return scale * (canvas.colors()[pixel * channels + c] - own[pixel * channels + c]);
    };
    std::atomic<int64_t> cut{0};
    parallel_for(image.sums.parts(), [&](int64_t part) {
      const Slice rows = image.sums.rows(part);
      auto columns = [&](int64_t y) { return canvas.tiles().with_pairs(y); };
      // Of rows in which nothing is drawn, the last may lead down to some that are.
      if (!image.sums.is_used(part) && (rows.count() == 0 || columns(rows.end - 1).empty())) return;
      cut += add_row_gradients(walked, SeenColors<T>{canvas.colors(), channels}, canvas.ids(), one(), rows, columns, grad,
                               AddTo<T>{image.sums.positions(part), 0});
    });
    return cut;
  }

  // The texels of images [shown) alone, whose canvases are there, in ranges of which each thread has one.
  void spread(Slice shown, const std::vector<ComparedImage<T>>& images, T* sums) const {
    auto ids_of = [&](int64_t b) { return images[b - shown.begin].canvas.ids(); };
    auto near = [&](int64_t b, int64_t pixel) -> int64_t {
      const int32_t id = ids_of(b)[pixel];
      return id < 0 ? -1 : texel_near(TexturedView<T>(mesh, raster, pyramid, b), id, pixel);
    };
    auto add_image = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
      spread_image(b, images[b - shown.begin].canvas, {pyramid.texels_of(b), channels, sums, begin, end});
    };
    add_owned(raster, shown, sums, pyramid.num_texels, pyramid.channels, !pyramid.own_texels, near, add_image);
  }

  void spread_image(int64_t b, const ColorCanvas<T>& canvas, const RowTexels<T>& texels) const {
    const TexturedView<T> view(mesh, raster, pyramid, b);
    std::vector<T> grad(kTileWidth * channels);
    SeenTile<T>::with([&](SeenTile<T>& tile) {
      for (int64_t row = 0; row < raster.height; row += kTileHeight)
        for (int64_t column = 0; column < raster.width; column += kTileWidth) {
          const int64_t columns = std::min<int64_t>(kTileWidth, raster.width - column);
          const int64_t rows = std::min<int64_t>(kTileHeight, raster.height - row), first = row * raster.width + column;
          const int32_t* ids = canvas.ids() + first;
          const uint32_t seen = rows_to_see(ids, raster.width, columns, rows, [](int64_t) { return true; });
          if (!seen) continue;
          see_tile(view, ids, raster.width, column, row, seen, tile);
          for (int y = 0; y < rows; ++y) {
            if (!(seen >> y & 1)) continue;
            const int64_t at = (first + y * raster.width) * channels;
            for (int64_t i = 0; i < columns * channels; ++i)
              grad[i] = scale(b) * (canvas.colors()[at + i] - target[b * values() + at + i]);
            find_texels(view, y, tile);
            carry_row(tile, y, texels, grad.data(), false);
          }
        }
    });
  }
};

// Gradients are those of the errors times `weight` (of null: 1).
template <class T>
int64_t compare_all(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                    const Texture<T>& sizes, int64_t channels, const T* target, const T* weight, T* error,
                    const TexturedGradients<T>& grads) {
  const Geometry<T>& g = mesh.geometry;
  check_mesh(mesh, raster, sizes);
  check_neighbours(g, neighbours);
  const int64_t arrays = sizes.own_texels ? raster.batch : 1, num_texels = arrays * sizes.num_texels * sizes.channels;
  const int64_t uv_items = mesh.uv.num_vertices * 2;
  const TexturedWants wants{grads.pos_clip != nullptr, grads.uv != nullptr, grads.texture != nullptr};
  const bool is_together = wants.texels && is_alone(sizes, raster.batch);
  if (wants.uv) std::fill(grads.uv, grads.uv + (mesh.uv.own_values ? raster.batch : 1) * uv_items, (T)0);
  std::atomic<int64_t> cut{0};
  auto compare_with = [&](PyramidRoom<T>& room, std::vector<ComparedImage<T>>& images) {
    room.texels.hold(num_texels);
    build_pyramid(texture, sizes, arrays, channels, room.texels.data());
    if (wants.texels) {
      room.sums.hold(num_texels);
      std::fill(room.sums.data(), room.sums.data() + num_texels, (T)0);
    }
    Texture<T> pyramid = sizes;
    pyramid.texels = room.texels.data();
    const Compared<T> compared{mesh,
                               neighbours,
                               raster,
                               pyramid,
                               channels,
                               target,
                               weight,
                               wants,
                               is_together ? room.sums.data() : nullptr,
                               error != nullptr};
    auto compare = [&](int64_t b, ComparedImage<T>& image) {
      image.canvas.begin(compared.one(), channels);
      image.sums.begin(mesh, raster, wants);
      image.row_errors.resize(raster.height);
      Workspace<T>::with([&](Workspace<T>& work) {
        prepare_image(g, b, compared.one(), work);
        compared.draw(b, work, image);
        if (wants.positions) cut += compared.walk_edges(b, work, image);
      });
    };
    auto add_up = [&](int64_t b, ComparedImage<T>& image) {
      image.sums.add_up(wants.positions ? grads.pos_clip + b * g.num_vertices * 4 : nullptr,
                        wants.uv ? grads.uv + (mesh.uv.own_values ? b * uv_items : 0) : nullptr);
      double sum = 0;
      for (double e : image.row_errors) sum += e;
      if (error) error[b] = (T)sum;
    };
    auto end = [&](Slice shown) {
      if (wants.texels && !is_together) compared.spread(shown, images, room.sums.data());
    };
    for_each_image_in_order(raster.batch, images, compare, add_up, end);
    if (wants.texels) build_pyramid_vjp(room.sums.data(), sizes, arrays, channels, grads.texture);
  };
  PyramidRoom<T>::with([&](PyramidRoom<T>& room) {
    ComparedImages<T>::with([&](std::vector<ComparedImage<T>>& images) { compare_with(room, images); });
  });
  return cut;
}

template <class T>
void scale_values(const T* values, int64_t count, T scale, T* out) {
  constexpr int64_t kSlice = 1 << 14;
  parallel_for((count + kSlice - 1) / kSlice, [&](int64_t slice) {
    const int64_t end = std::min(count, (slice + 1) * kSlice);
    for (int64_t i = slice * kSlice; i < end; ++i) out[i] = scale * values[i];
  });
}

}  // namespace

template <class T>
int64_t textured_error(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                       const Texture<T>& pyramid, int64_t channels, const T* target, T* error,
                       const TexturedGradients<T>& derivative) {
  return compare_all<T>(mesh, neighbours, raster, texture, pyramid, channels, target, nullptr, error, derivative);
}

template <class T>
int64_t textured_error_vjp(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                           const Texture<T>& pyramid, int64_t channels, const T* target,
                           const TexturedGradients<const T>& derivative, const T* grad_error,
                           const TexturedGradients<T>& grads) {
  const int64_t batch = raster.batch;
  const bool is_one = std::all_of(grad_error, grad_error + batch, [&](T grad) { return grad == grad_error[0]; });
  const struct {
    const T* derivative;
    T* grad;
    int64_t items;
    bool is_own;
  } parts[] = {{derivative.pos_clip, grads.pos_clip, mesh.geometry.num_vertices * 4, true},
               {derivative.uv, grads.uv, mesh.uv.num_vertices * 2, mesh.uv.own_values},
               {derivative.texture, grads.texture, pyramid.height * pyramid.width * channels, pyramid.own_texels}};
  for (const auto& part : parts)
    if (part.grad && part.items && (!part.derivative || !(is_one || part.is_own)))
      return compare_all<T>(mesh, neighbours, raster, texture, pyramid, channels, target, grad_error, nullptr, grads);
  for (const auto& part : parts) {
    if (!part.grad) continue;
    if (!part.is_own && batch == 0) std::fill(part.grad, part.grad + part.items, (T)0);
    for (int64_t b = 0; b < (part.is_own ? batch : std::min<int64_t>(batch, 1)); ++b)
      scale_values(part.derivative + b * part.items, part.items, grad_error[b], part.grad + b * part.items);
  }
  return 0;
}

#define INTAGLIO_INSTANTIATE(T)                                                                                             \
  template int64_t textured_error(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t,     \
                                  const T*, T*, const TexturedGradients<T>&);                                               \
  template int64_t textured_error_vjp(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t, \
                                      const T*, const TexturedGradients<const T>&, const T*, const TexturedGradients<T>&);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
