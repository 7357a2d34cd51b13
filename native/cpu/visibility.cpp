// SPDX-License-Identifier: MIT
// Edges between neighbouring pixels: their gradient alone (edge), or the blend of the two colours that they cross (antialias).
#include <atomic>

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

// visit(pair, a, b) for the pairs of row y of an image; a and b index pixels of the batch.
template <class T, class Visit>
void for_each_pair(const Surface<T>& s, int64_t image, int64_t y, const Visit& visit) {
  int64_t first = image * s.raster.pixels();
  SeenColors<T> seen{s.image + first * s.channels, s.channels};
  for_each_pair(seen, s.triangle_id + first, s.raster, s.geometry.shown(image), y, 0, s.raster.width,
                [&](const PixelPair& pair, int64_t a, int64_t b) { visit(pair, first + a, first + b); });
}

template <class T>
bool all_zero(const T* a, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (a[i] != 0) return false;
  return true;
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
                         for (int64_t y = row_begin; y < row_end; ++y)
                           for_each_pair(s, image, y, [&](const PixelPair& pair, int64_t a, int64_t b) {
                             if (all_zero(grad_image + a * C, C) && all_zero(grad_image + b * C, C)) return;
                             auto grad = [&](int64_t pixel, int64_t c) { return grad_image[pixel * C + c]; };
                             if (add_pair_gradient(mesh, pair, a, b, SeenColors<T>{s.image, C}, grad, add))
                               cut.fetch_add(1, std::memory_order_relaxed);
                           });
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
    for_each_pair(s, image, row % s.raster.height, [&](const PixelPair& pair, int64_t a, int64_t) {
      PairEdge<T> edge = find_edge(mesh, pair);
      if (edge.cut) cut.fetch_add(1, std::memory_order_relaxed);
      if (is_blended_by(edge, pair.axis)) map.position[(int)pair.axis][a] = edge.position;
    });
  });
  map.cut = cut;
  return map;
}

// What the edges take from a pixel and give to its neighbours: at most four partners with their shares. Where several edges
// would take more than the whole pixel the shares are scaled, so that the blend stays within the hull of the colours.
template <class T>
struct Blend {
  int count = 0;
  int64_t partner[4];
  T share[4], total = 0;

  void add(int64_t pixel, T amount) {
    if (amount <= 0) return;
    partner[count] = pixel, share[count++] = amount;
    total += amount;
  }
  T scale() const { return total > 1 ? 1 / total : (T)1; }
};

// The share of this pixel that the edge leaves to the neighbour: positive only if the edge lies in this pixel.
template <class T>
T share_of_first(T position) {
  return position >= 0 ? (T)0.5 - position : (T)0;
}
template <class T>
T share_of_second(T position) {
  return position >= 0 ? position - (T)0.5 : (T)0;
}

template <class T>
Blend<T> blend_at(const EdgeMap<T>& map, Raster raster, int64_t pixel) {
  Blend<T> blend;
  int64_t x = pixel % raster.width, y = pixel / raster.width % raster.height;
  const T *across = map.position[0].data(), *down = map.position[1].data();
  if (x + 1 < raster.width) blend.add(pixel + 1, share_of_first(across[pixel]));
  if (x > 0) blend.add(pixel - 1, share_of_second(across[pixel - 1]));
  if (y + 1 < raster.height) blend.add(pixel + raster.width, share_of_first(down[pixel]));
  if (y > 0) blend.add(pixel - raster.width, share_of_second(down[pixel - raster.width]));
  return blend;
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
    const T* own = s.image + pixel * C;
    for (int64_t c = 0; c < C; ++c) {
      T color = own[c];
      for (int i = 0; i < blend.count; ++i)
        color += blend.scale() * blend.share[i] * (s.image[blend.partner[i] * C + c] - own[c]);
      out[pixel * C + c] = color;
    }
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
      T kept = 1 - own.scale() * own.total;
      for (int64_t c = 0; c < C; ++c) grad_image[pixel * C + c] = kept * grad_out[pixel * C + c];
      int64_t x = pixel % s.raster.width, y = pixel / s.raster.width % s.raster.height;
      const int64_t step[4] = {1, -1, s.raster.width, -s.raster.width};
      const bool exists[4] = {x + 1 < s.raster.width, x > 0, y + 1 < s.raster.height, y > 0};
      for (int k = 0; k < 4; ++k) {
        if (!exists[k]) continue;
        int64_t taker = pixel + step[k];
        Blend<T> blend = blend_at(map, s.raster, taker);
        for (int i = 0; i < blend.count; ++i)
          if (blend.partner[i] == pixel)
            for (int64_t c = 0; c < C; ++c)
              grad_image[pixel * C + c] += blend.scale() * blend.share[i] * grad_out[taker * C + c];
      }
    });
  if (!grad_pos_clip) return map.cut;
  accumulate_positions(s.geometry, s.raster, grad_pos_clip,
                       [&](int64_t image, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
                         WalkedMesh<T> mesh = walked_mesh(s, snapped, image);
                         for (int64_t y = row_begin; y < row_end; ++y)
                           for_each_pair(s, image, y, [&](const PixelPair& pair, int64_t a, int64_t b) {
                             T position = map.position[(int)pair.axis][a];
                             if (position < 0) return;
                             bool first = position < (T)0.5;
                             int64_t pixel = first ? a : b, partner = first ? b : a;
                             Blend<T> blend = blend_at(map, s.raster, pixel);
                             // d out / d share = partner - own; where the shares are scaled, partner - out, over their total.
                             T grad_share = 0;
                             for (int64_t c = 0; c < C; ++c) {
                               T own = s.image[pixel * C + c], base = own;
                               if (blend.total > 1)
                                 for (int i = 0; i < blend.count; ++i)
                                   base += blend.scale() * blend.share[i] * (s.image[blend.partner[i] * C + c] - own);
                               grad_share += grad_out[pixel * C + c] * (s.image[partner * C + c] - base) * blend.scale();
                             }
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
