// SPDX-License-Identifier: MIT
#include "../math/layered_edges.h"

#include <atomic>

#include "accumulate.h"
#include "check.h"
#include "pairs.h"
#include "setup.h"

namespace intaglio {
namespace {

template <class T>
bool all_zero(const T* values, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (values[i] != 0) return false;
  return true;
}

// The pairs of one image.
template <class T>
struct LayeredWalker {
  const LayeredSurface<T>& s;
  const T* grad_image;
  int64_t image;
  WalkedMesh<T> mesh;
  Slice shown;

  const int32_t* ids(int64_t pixel) const { return s.triangle_id + pixel * s.layers; }

  void check(const PixelLayers& layers) const {
    for (int k = 0; k < layers.count; ++k) check_triangle_id(layers.triangle_id[k], shown);
  }

  // What a layer would add to the loss if it were all of the picture, under the cotangent of the picture at another pixel.
  LayerGain<T> gain(int64_t holder, int64_t pixel, int layer) const {
    return layer_gain(s.colors + (pixel * s.layers + layer) * s.channels, grad_image + holder * s.channels, s.channels);
  }

  T background(int64_t holder, int64_t pixel) const {
    if (!s.background) return 0;
    return background_gain(s.background_at(image, pixel), grad_image + holder * s.channels, s.channels);
  }

  // Pixels a and b of the batch; true if a walk was cut short.
  bool visit(Axis axis, int64_t x, int64_t y, const int64_t (&pixels)[2], const AddTo<T>& add) const {
    const int64_t a = pixels[0], b = pixels[1], C = s.channels;
    if (std::equal(ids(a), ids(a) + s.layers, ids(b))) return false;
    if (std::equal(s.image + a * C, s.image + (a + 1) * C, s.image + b * C)) return false;
    if (all_zero(grad_image + a * C, C) && all_zero(grad_image + b * C, C)) return false;
    const PixelLayers layers_a(ids(a), (int)s.layers), layers_b(ids(b), (int)s.layers);
    check(layers_a), check(layers_b);
    LayeredPair<T> pair;
    pair.axis = axis, pair.column = x, pair.row = y;
    auto gain_of = [&](int holder, int side, int layer) { return gain(pixels[holder], pixels[side], layer); };
    auto background_of = [&](int holder, int side) { return background(pixels[holder], pixels[side]); };
    layered_edges_vjp(mesh, layers_a, layers_b, (int)s.layers, pair, gain_of, background_of, add);
    return pair.cut;
  }
};

}  // namespace

template <class T>
int64_t layered_edge_gradient_vjp(const LayeredSurface<T>& s, const T* grad_image, T* grad_pos_clip) {
  check_size(s.raster);
  check_geometry(s.geometry);
  check_neighbours(s.geometry, s.neighbours);
  if (s.layers > kMaxPeeled) throw std::invalid_argument("layers must be at most " + std::to_string(kMaxPeeled));
  std::vector<Subpixel> snapped;
  snap_all(s.geometry.pos_clip, s.geometry.rows * s.geometry.num_vertices, s.raster, snapped);
  std::atomic<int64_t> cut{0};
  const int64_t width = s.raster.width, height = s.raster.height;
  accumulate_positions(
      s.geometry, s.raster, grad_pos_clip, [&](int64_t image, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
        const Subpixel* of_row = snapped.data() + s.geometry.row_of(image) * s.geometry.num_vertices;
        const LayeredWalker<T> walker{s, grad_image, image, walked_mesh(s.geometry, s.neighbours, image, of_row, s.raster),
                                      s.geometry.shown(image)};
        for (int64_t y = row_begin; y < row_end; ++y)
          for (int64_t x = 0; x < width; ++x) {
            const int64_t at = (image * height + y) * width + x;
            if (x + 1 < width) cut += walker.visit(Axis::kX, x, y, {at, at + 1}, add);
            if (y + 1 < height) cut += walker.visit(Axis::kY, x, y, {at, at + width}, add);
          }
      });
  return cut;
}

template int64_t layered_edge_gradient_vjp(const LayeredSurface<float>&, const float*, float*);
template int64_t layered_edge_gradient_vjp(const LayeredSurface<double>&, const double*, double*);

}  // namespace intaglio
