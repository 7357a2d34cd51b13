// SPDX-License-Identifier: MIT
// Edges between neighbouring pixels: their gradient alone (edge), or the blend of the two colours that they cross (antialias).
#include <atomic>

#include "../math/antialias.h"
#include "accumulate.h"
#include "check.h"
#include "pairs.h"
#include "setup.h"

namespace intaglio {
namespace {

template <class T>
void check_surface(const Surface<T>& s) {
  check_size(s.raster);
  check_geometry(s.geometry);
  check_neighbours(s.geometry, s.neighbours);
}

// The grid positions of all vertices of all rows.
template <class T>
std::vector<Subpixel> snap_all(const Surface<T>& s) {
  std::vector<Subpixel> snapped;
  snap_all(s.geometry.pos_clip, s.geometry.rows * s.geometry.num_vertices, s.raster, snapped);
  return snapped;
}

template <class T>
WalkedMesh<T> walked_mesh(const Surface<T>& s, const std::vector<Subpixel>& snapped, int64_t b) {
  const Subpixel* of_row = snapped.data() + s.geometry.row_of(b) * s.geometry.num_vertices;
  return walked_mesh(s.geometry, s.neighbours, b, of_row, s.raster);
}

// visit(pair, a, b) for the pairs of rows of an image; a and b index pixels of the batch.
template <class T, class Visit>
void for_each_pair(const Surface<T>& s, const WalkedMesh<T>& mesh, int64_t image, Slice rows, const Visit& visit) {
  int64_t first = image * s.raster.pixels();
  SeenColors<T> seen{s.image + first * s.channels, s.channels};
  for_each_pair(mesh, seen, s.triangle_id + first, s.raster, rows, AllColumns{s.raster.width},
                [&](const PixelPair& pair, int64_t a, int64_t b) { visit(pair, first + a, first + b); });
}

}  // namespace

template <class T>
int64_t edge_gradient_vjp(const Surface<T>& s, const T* grad_image, T* grad_pos_clip) {
  check_surface(s);
  const int64_t C = s.channels;
  std::vector<Subpixel> snapped = snap_all(s);
  std::atomic<int64_t> cut{0};
  accumulate_positions(s.geometry, s.raster, grad_pos_clip,
                       [&](int64_t image, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
                         WalkedMesh<T> mesh = walked_mesh(s, snapped, image);
                         const int64_t first = image * s.raster.pixels();
                         const SeenColors<T> seen{s.image + first * C, C};
                         auto grad = [&](int64_t pixel, int64_t c) { return grad_image[(first + pixel) * C + c]; };
                         cut += add_row_gradients(mesh, seen, s.triangle_id + first, s.raster, {row_begin, row_end},
                                                  AllColumns{s.raster.width}, grad, add);
                       });
  return cut;
}

namespace {

// The visible edges of a batch of images that are to be blended: for each pixel the position of the edge towards the next pixel
// of its row and of its column, in [0, 1]; -1 for none.
template <class T>
struct EdgeMap {
  std::vector<T> position[2];
  int64_t cut = 0;
};

template <class T>
EdgeMap<T> map_edges(const Surface<T>& s, const std::vector<Subpixel>& snapped) {
  EdgeMap<T> map;
  std::atomic<int64_t> cut{0};
  for (auto& axis : map.position) axis.assign(s.raster.batch * s.raster.pixels(), (T)-1);
  parallel_for(s.raster.batch * s.raster.height, [&](int64_t row) {
    int64_t image = row / s.raster.height;
    WalkedMesh<T> mesh = walked_mesh(s, snapped, image);
    const int64_t y = row % s.raster.height;
    for_each_pair(s, mesh, image, {y, y + 1}, [&](const PixelPair& pair, int64_t a, int64_t) {
      PairEdge<T> edge = find_edge(mesh, pair);
      if (edge.cut) cut.fetch_add(1, std::memory_order_relaxed);
      if (is_blended_by(edge, pair.axis)) map.position[(int)pair.axis][a] = edge.position;
    });
  });
  map.cut = cut;
  return map;
}

template <class T>
Blend<T> blend_at(const EdgeMap<T>& map, Raster raster, int64_t pixel) {
  return intaglio::blend_at(map.position[0].data(), map.position[1].data(), raster.height, raster.width, pixel);
}

template <class Body>
void for_each_pixel(Raster raster, const Body& body) {
  parallel_for(raster.batch * raster.height, [&](int64_t row) {
    for (int64_t pixel = row * raster.width; pixel < (row + 1) * raster.width; ++pixel) body(pixel);
  });
}

}  // namespace

template <class T>
int64_t antialias(const Surface<T>& s, T* out) {
  check_surface(s);
  const int64_t C = s.channels;
  EdgeMap<T> map = map_edges(s, snap_all(s));
  for_each_pixel(s.raster, [&](int64_t pixel) {
    Blend<T> blend = blend_at(map, s.raster, pixel);
    for (int64_t c = 0; c < C; ++c) out[pixel * C + c] = blend.color(s.image, pixel, C, c);
  });
  return map.cut;
}

template <class T>
int64_t antialias_vjp(const Surface<T>& s, const T* grad_out, T* grad_image, T* grad_pos_clip) {
  check_surface(s);
  const int64_t C = s.channels;
  std::vector<Subpixel> snapped = snap_all(s);
  EdgeMap<T> map = map_edges(s, snapped);
  if (grad_image)
    for_each_pixel(s.raster, [&](int64_t pixel) {
      // What the pixel kept of itself, and what each neighbour took from it.
      Blend<T> own = blend_at(map, s.raster, pixel);
      T kept = own.kept();
      for (int64_t c = 0; c < C; ++c) grad_image[pixel * C + c] = kept * grad_out[pixel * C + c];
      int64_t x = pixel % s.raster.width, y = pixel / s.raster.width % s.raster.height;
      const int64_t step[4] = {1, -1, s.raster.width, -s.raster.width};
      const bool exists[4] = {x + 1 < s.raster.width, x > 0, y + 1 < s.raster.height, y > 0};
      for (int k = 0; k < 4; ++k) {
        if (!exists[k]) continue;
        int64_t taker = pixel + step[k];
        Blend<T> blend = blend_at(map, s.raster, taker);
        T share = blend.share_of(pixel);
        if (share == 0) continue;
        for (int64_t c = 0; c < C; ++c) grad_image[pixel * C + c] += share * grad_out[taker * C + c];
      }
    });
  if (!grad_pos_clip) return map.cut;
  accumulate_positions(s.geometry, s.raster, grad_pos_clip,
                       [&](int64_t image, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
                         WalkedMesh<T> mesh = walked_mesh(s, snapped, image);
                         for_each_pair(s, mesh, image, {row_begin, row_end}, [&](const PixelPair& pair, int64_t a, int64_t b) {
                           T position = map.position[(int)pair.axis][a];
                           if (position < 0) return;
                           bool first = position < (T)0.5;
                           int64_t pixel = first ? a : b, partner = first ? b : a;
                           Blend<T> blend = blend_at(map, s.raster, pixel);
                           T grad_share = 0;
                           for (int64_t c = 0; c < C; ++c)
                             grad_share += grad_out[pixel * C + c] * blend.color_slope(s.image, pixel, partner, C, c);
                           T grad_position = first ? -grad_share : grad_share;
                           if (grad_position == 0) return;
                           crossing_position_vjp(mesh, pair, find_edge(mesh, pair), grad_position, add);
                         });
                       });
  return map.cut;
}

#define INTAGLIO_INSTANTIATE(T)                                        \
  template int64_t edge_gradient_vjp(const Surface<T>&, const T*, T*); \
  template int64_t antialias(const Surface<T>&, T*);                   \
  template int64_t antialias_vjp(const Surface<T>&, const T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
