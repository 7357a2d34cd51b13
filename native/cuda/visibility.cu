// SPDX-License-Identifier: MIT
// Edges between neighbouring pixels: of most pairs one sees at once that there is none.
#include "../math/antialias.h"
#include "../math/image.h"
#include "sums.h"
#include "walkable.h"

namespace intaglio {
namespace {

template <class T>
Walkable<T> walkable(const Surface<T>& s) {
  check_size(s.raster);
  check_geometry(s.geometry);
  check_neighbours(s.geometry, s.neighbours);
  check_fragments(s.geometry, s.raster.pixels(), s.triangle_id);
  return walkable(s.geometry, s.neighbours, s.raster, s.triangle_id);
}

template <class T>
INTAGLIO_DEVICE bool differ(const T* image, int64_t a, int64_t b, int64_t channels) {
  bool found = false;
  for (int64_t c = 0; c < channels; ++c) found |= image[a * channels + c] != image[b * channels + c];
  return found;
}

template <class T>
INTAGLIO_DEVICE bool any_nonzero(const T* values, int64_t pixel, int64_t channels) {
  bool found = false;
  for (int64_t c = 0; c < channels; ++c) found |= values[pixel * channels + c] != 0;
  return found;
}

template <class T, class Sums>
struct EdgeGradient {
  Walkable<T> w;
  const T *image, *grad_image;
  int64_t channels;
  Sums sums;

  INTAGLIO_DEVICE bool matters(Axis axis, int64_t b, int64_t y, int64_t x) const {
    PixelPair pair;
    const int64_t from = w.pixel(b, y, x);
    int64_t to;
    return w.find_pair(axis, b, y, x, pair, to) && differ(image, from, to, channels) &&
           (any_nonzero(grad_image, from, channels) || any_nonzero(grad_image, to, channels));
  }

  INTAGLIO_DEVICE void operator()(Axis axis, int64_t b, int64_t y, int64_t x) const {
    PixelPair pair;
    const int64_t from = w.pixel(b, y, x);
    int64_t to;
    if (!w.find_pair(axis, b, y, x, pair, to)) return;
    PairEdge<T> edge = w.edge(b, pair);
    if (edge.kind == PairEdgeKind::kNone) return;
    // As the edge moves towards B, the pixel that holds it takes what A shows for what B does.
    const int64_t holder = edge.position < (T)0.5 ? from : to;
    T grad = 0;
    for (int64_t c = 0; c < channels; ++c)
      grad += (image[from * channels + c] - image[to * channels + c]) * grad_image[holder * channels + c];
    AddTo<T, Sums> add{sums, w.g.row_of(b) * w.g.num_vertices * 4};
    if (grad != 0) edge_position_vjp(w.mesh(b), pair, edge, grad, add);
  }
};

// The positions of the edges that are to be blended, of each pixel towards the next of its row and of its column; -1 for none.
template <class T>
struct MapEdges {
  Walkable<T> w;
  const T* image;
  int64_t channels;
  T* position[2];

  INTAGLIO_DEVICE bool matters(Axis axis, int64_t b, int64_t y, int64_t x) const {
    PixelPair pair;
    const int64_t from = w.pixel(b, y, x);
    int64_t to;
    if (w.find_pair(axis, b, y, x, pair, to) && differ(image, from, to, channels)) return true;
    position[(int)axis][from] = -1;
    return false;
  }

  INTAGLIO_DEVICE void operator()(Axis axis, int64_t b, int64_t y, int64_t x) const {
    PixelPair pair;
    int64_t to;
    T found = -1;
    if (w.find_pair(axis, b, y, x, pair, to)) {
      PairEdge<T> edge = w.edge(b, pair);
      if (is_blended_by(edge, axis)) found = edge.position;
    }
    position[(int)axis][w.pixel(b, y, x)] = found;
  }
};

template <class T>
MapEdges<T> map_edges(const Surface<T>& s) {
  const int64_t pixels = s.raster.batch * s.raster.pixels();
  MapEdges<T> map{walkable(s), s.image, s.channels, {scratch<T>(pixels), scratch<T>(pixels)}};
  for_each_pair(s.raster, map);
  return map;
}

template <class T>
struct Antialias {
  MapEdges<T> map;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = map.w.pixel(b, y, x);
    Blend<T> blend = blend_at(map.position[0], map.position[1], map.w.raster.height, map.w.raster.width, at);
    for (int64_t c = 0; c < map.channels; ++c) out[at * map.channels + c] = blend.color(map.image, at, map.channels, c);
  }
};

// What the pixel kept of itself, and what each neighbour took from it.
template <class T>
struct AntialiasImageVjp {
  MapEdges<T> map;
  const T* grad_out;
  T* grad_image;
  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    const Raster r = map.w.raster;
    const int64_t at = map.w.pixel(b, y, x), C = map.channels;
    T kept = blend_at(map.position[0], map.position[1], r.height, r.width, at).kept();
    for (int64_t c = 0; c < C; ++c) grad_image[at * C + c] = kept * grad_out[at * C + c];
    const int64_t step[4] = {1, -1, r.width, -r.width};
    const bool exists[4] = {x + 1 < r.width, x > 0, y + 1 < r.height, y > 0};
    for (int k = 0; k < 4; ++k) {
      if (!exists[k]) continue;
      int64_t taker = at + step[k];
      T share = blend_at(map.position[0], map.position[1], r.height, r.width, taker).share_of(at);
      if (share == 0) continue;
      for (int64_t c = 0; c < C; ++c) grad_image[at * C + c] += share * grad_out[taker * C + c];
    }
  }
};

template <class T, class Sums>
struct AntialiasPositionVjp {
  MapEdges<T> map;
  const T* grad_out;
  Sums sums;
  INTAGLIO_DEVICE bool matters(Axis axis, int64_t b, int64_t y, int64_t x) const {
    return map.position[(int)axis][map.w.pixel(b, y, x)] >= 0;
  }

  INTAGLIO_DEVICE void operator()(Axis axis, int64_t b, int64_t y, int64_t x) const {
    const Walkable<T>& w = map.w;
    PixelPair pair;
    const int64_t from = w.pixel(b, y, x);
    int64_t to;
    if (!w.find_pair(axis, b, y, x, pair, to)) return;
    const bool first = map.position[(int)axis][from] < (T)0.5;
    const int64_t pixel = first ? from : to, partner = first ? to : from;
    Blend<T> blend = blend_at(map.position[0], map.position[1], w.raster.height, w.raster.width, pixel);
    T grad_share = 0;
    for (int64_t c = 0; c < map.channels; ++c)
      grad_share += grad_out[pixel * map.channels + c] * blend.color_slope(map.image, pixel, partner, map.channels, c);
    if (grad_share == 0) return;
    AddTo<T, Sums> add{sums, w.g.row_of(b) * w.g.num_vertices * 4};
    crossing_position_vjp(w.mesh(b), pair, find_edge(w.mesh(b), pair), first ? -grad_share : grad_share, add);
  }
};

// A silhouette beside its target, whose pixels are factor x factor samples.
template <class T>
struct Comparison {
  Walkable<T> w;
  const T* target;
  int64_t factor;

  INTAGLIO_HD int64_t height() const { return w.raster.height / factor; }
  INTAGLIO_HD int64_t width() const { return w.raster.width / factor; }

  // The covered share of a pixel, less the target's.
  INTAGLIO_DEVICE T difference(int64_t b, int64_t y, int64_t x) const {
    int32_t covered = 0;
    for (int64_t i = 0; i < factor * factor; ++i)
      covered += w.triangle_id[w.pixel(b, y * factor + i / factor, x * factor + i % factor)] >= 0;
    return (T)covered * share_of_sample<T>(factor) - target[(b * height() + y) * width() + x];
  }

  // The cotangent of a sample.
  INTAGLIO_DEVICE T grad(int64_t b, int64_t y, int64_t x) const {
    return squared_difference_vjp((T)1, difference(b, y / factor, x / factor)) / (T)(factor * factor);
  }
};

template <class T>
struct SquaredDifference {
  Comparison<T> c;
  INTAGLIO_DEVICE T operator()(int64_t b, int64_t pixel) const {
    const T difference = c.difference(b, pixel / c.width(), pixel % c.width());
    return difference * difference;
  }
};

template <class T, class Sums>
struct SilhouetteGradient {
  Comparison<T> c;
  bool by_image;  // sums [images, num_vertices, 4] rather than [rows, num_vertices, 4]
  Sums sums;
  // The cotangents of its two pixels.
  INTAGLIO_DEVICE Vec2<T> grads(Axis axis, int64_t b, int64_t y, int64_t x) const {
    return {c.grad(b, y, x), c.grad(b, y + (axis == Axis::kY), x + (axis == Axis::kX))};
  }

  INTAGLIO_DEVICE bool matters(Axis axis, int64_t b, int64_t y, int64_t x) const {
    PixelPair pair;
    int64_t to;
    if (!c.w.find_pair(axis, b, y, x, pair, to) || (pair.triangle_a ^ pair.triangle_b) >= 0) return false;
    const Vec2<T> grad = grads(axis, b, y, x);
    return grad.x != 0 || grad.y != 0;
  }

  INTAGLIO_DEVICE void operator()(Axis axis, int64_t b, int64_t y, int64_t x) const {
    const Walkable<T>& w = c.w;
    PixelPair pair;
    int64_t to;
    if (!w.find_pair(axis, b, y, x, pair, to)) return;
    PairEdge<T> edge = w.edge(b, pair);
    if (edge.kind == PairEdgeKind::kNone) return;
    const Vec2<T> grads_of_pixels = grads(axis, b, y, x);
    T grad = edge.position < (T)0.5 ? grads_of_pixels.x : grads_of_pixels.y;
    if (pair.triangle_a < 0) grad = -grad;
    AddTo<T, Sums> add{sums, (by_image ? b : w.g.row_of(b)) * w.g.num_vertices * 4};
    if (grad != 0) edge_position_vjp(w.mesh(b), pair, edge, grad, add);
  }
};

// The images' gradients, each times its weight, added up for each row.
template <class T>
struct AddImages {
  const T *by_image, *weight;
  int64_t num_ranges, items;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    T sum = 0;
    for (int64_t b = i / items * num_ranges; b < (i / items + 1) * num_ranges; ++b)
      sum += weight[b] * by_image[b * items + i % items];
    out[i] = sum;
  }
};

}  // namespace

template <class T>
int64_t edge_gradient_vjp(const Surface<T>& s, const T* grad_image, T* grad_pos_clip) {
  Walkable<T> w = walkable(s);
  accumulate(grad_pos_clip, s.geometry.rows * s.geometry.num_vertices * 4, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_pair(s.raster, EdgeGradient<T, Sums>{w, s.image, grad_image, s.channels, sums});
  });
  return number_of(w.cut, num_passes());
}

template <class T>
int64_t antialias(const Surface<T>& s, T* out) {
  MapEdges<T> map = map_edges(s);
  for_each_pixel(s.raster, Antialias<T>{map, out});
  return number_of(map.w.cut, 1);
}

template <class T>
int64_t antialias_vjp(const Surface<T>& s, const T* grad_out, T* grad_image, T* grad_pos_clip) {
  MapEdges<T> map = map_edges(s);
  if (grad_image) for_each_pixel(s.raster, AntialiasImageVjp<T>{map, grad_out, grad_image});
  if (grad_pos_clip)
    accumulate(grad_pos_clip, s.geometry.rows * s.geometry.num_vertices * 4, [&](const auto& sums) {
      using Sums = std::decay_t<decltype(sums)>;
      for_each_pair(s.raster, AntialiasPositionVjp<T, Sums>{map, grad_out, sums});
    });
  return number_of(map.w.cut, 1);
}

template <class T>
int64_t silhouette_error(const Geometry<T>& g, const int32_t* neighbours, Raster raster, int64_t factor, const T* target,
                         const T* weight, T* error, T* grad_pos_clip) {
  check_neighbours(g, neighbours);
  int32_t* triangle_id = scratch<int32_t>(raster.batch * raster.pixels());
  rasterize_silhouette(g, raster, triangle_id, (T*)nullptr);
  Comparison<T> c{walkable(g, neighbours, raster, triangle_id), target, factor};
  if (error) sum_items(raster.batch, c.height() * c.width(), SquaredDifference<T>{c}, error);
  if (grad_pos_clip) {
    const int64_t items = g.num_vertices * 4;
    T* to = weight ? scratch<T>(g.images() * items) : grad_pos_clip;
    accumulate(to, (weight ? g.images() : g.rows) * items, [&](const auto& sums) {
      using Sums = std::decay_t<decltype(sums)>;
      for_each_pair(raster, SilhouetteGradient<T, Sums>{c, weight != nullptr, sums});
    });
    if (weight) for_each(g.rows * items, AddImages<T>{to, weight, g.num_ranges, items, grad_pos_clip});
  }
  return number_of(c.w.cut, num_passes());
}

template <class T>
void silhouette_error_vjp(const T* derivative, const T* grad_error, int64_t batch, int64_t num_vertices, T* grad_pos_clip) {
  for_each(batch * num_vertices * 4, Scale<T>{derivative, grad_error, num_vertices * 4, grad_pos_clip});
}

#define INTAGLIO_INSTANTIATE(T)                                                                                       \
  template int64_t edge_gradient_vjp(const Surface<T>&, const T*, T*);                                                \
  template int64_t antialias(const Surface<T>&, T*);                                                                  \
  template int64_t antialias_vjp(const Surface<T>&, const T*, T*, T*);                                                \
  template int64_t silhouette_error(const Geometry<T>&, const int32_t*, Raster, int64_t, const T*, const T*, T*, T*); \
  template void silhouette_error_vjp(const T*, const T*, int64_t, int64_t, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
