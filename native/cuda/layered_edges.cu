// SPDX-License-Identifier: MIT
// Edges of all surfaces between neighbouring pixels. What is known of one pair takes kilobytes: so there are fewer threads than
// pixels, each with room of its own, and they take pixels in turn.
#include "../math/layered_edges.h"
#include "sums.h"
#include "walkable.h"

namespace intaglio {
namespace {

constexpr int64_t kWorkers = 1 << 14;

template <class T, class Sums>
struct LayeredEdges {
  LayeredSurface<T> s;
  const T* grad_image;
  Walkable<T> w;
  int64_t workers;
  LayeredPair<T>* room;  // [workers]
  Sums sums;

  INTAGLIO_DEVICE const int32_t* ids(int64_t pixel) const { return s.triangle_id + pixel * s.layers; }

  INTAGLIO_DEVICE static bool are_shown(const PixelLayers& layers, Slice shown) {
    bool all = true;
    for (int k = 0; k < layers.count; ++k) all &= shown.holds(layers.triangle_id[k]);
    return all;
  }

  // Whether something changes from one pixel to the other that the loss hears of.
  INTAGLIO_DEVICE bool matters(int64_t from, int64_t to) const {
    bool same_ids = true, same_image = true, heard = false;
    for (int64_t k = 0; k < s.layers; ++k) same_ids &= ids(from)[k] == ids(to)[k];
    for (int64_t c = 0; c < s.channels; ++c) {
      const int64_t a = from * s.channels + c, b = to * s.channels + c;
      same_image &= s.image[a] == s.image[b];
      heard |= grad_image[a] != 0 || grad_image[b] != 0;
    }
    return !same_ids && !same_image && heard;
  }

  INTAGLIO_DEVICE void visit(Axis axis, int64_t b, int64_t y, int64_t x, LayeredPair<T>& pair) const {
    const int64_t from = w.pixel(b, y, x), to = from + (axis == Axis::kX ? 1 : s.raster.width);
    if (!matters(from, to) || *w.wrong) return;
    const PixelLayers layers_a(ids(from), (int)s.layers), layers_b(ids(to), (int)s.layers);
    const Slice shown = s.geometry.shown(b);
    if (!are_shown(layers_a, shown) || !are_shown(layers_b, shown)) return;
    pair.axis = axis, pair.column = x, pair.row = y;
    pair.num_surfaces = pair.num_edges = 0, pair.cut = false;
    const int64_t pixels[2] = {from, to}, C = s.channels;
    auto gain_of = [&](int holder, int side, int layer) {
      return layer_gain(s.colors + (pixels[side] * s.layers + layer) * C, grad_image + pixels[holder] * C, C);
    };
    auto background_of = [&](int holder, int side) {
      return s.background ? background_gain(s.background_at(b, pixels[side]), grad_image + pixels[holder] * C, C) : (T)0;
    };
    AddTo<T, Sums> add{sums, s.geometry.row_of(b) * s.geometry.num_vertices * 4};
    layered_edges_vjp(w.mesh(b), layers_a, layers_b, (int)s.layers, pair, gain_of, background_of, add);
    if (pair.cut) atomic_add(w.cut, (uint64_t)1);
  }

  INTAGLIO_DEVICE void operator()(int64_t worker) const {
    const Raster r = s.raster;
    for (int64_t pixel = worker; pixel < r.batch * r.pixels(); pixel += workers) {
      const int64_t b = pixel / r.pixels(), y = pixel / r.width % r.height, x = pixel % r.width;
      if (x + 1 < r.width) visit(Axis::kX, b, y, x, room[worker]);
      if (y + 1 < r.height) visit(Axis::kY, b, y, x, room[worker]);
    }
  }
};

}  // namespace

template <class T>
int64_t layered_edge_gradient_vjp(const LayeredSurface<T>& s, const T* grad_image, T* grad_pos_clip) {
  check_size(s.raster);
  check_geometry(s.geometry);
  check_neighbours(s.geometry, s.neighbours);
  check_fragments(s.geometry, s.raster.pixels() * s.layers, s.triangle_id);
  if (s.layers > kMaxPeeled) throw std::invalid_argument("layers must be at most " + std::to_string(kMaxPeeled));
  Walkable<T> w = walkable(s.geometry, s.neighbours, s.raster, s.triangle_id);
  const int64_t workers = min_of(kWorkers, s.raster.batch * s.raster.pixels());
  auto* room = scratch<LayeredPair<T>>(workers);
  accumulate(grad_pos_clip, s.geometry.rows * s.geometry.num_vertices * 4, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(workers, LayeredEdges<T, Sums>{s, grad_image, w, workers, room, sums});
  });
  return number_of(w.cut, num_passes());
}

template int64_t layered_edge_gradient_vjp(const LayeredSurface<float>&, const float*, float*);
template int64_t layered_edge_gradient_vjp(const LayeredSurface<double>&, const double*, double*);

}  // namespace intaglio
