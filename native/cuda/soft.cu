// SPDX-License-Identifier: MIT
// Soft triangles: every image is cut into tiles, and each tile has a bit for every triangle that may reach it. A thread per
// pixel goes through its tile's triangles in their order and keeps the nearest few, as the CPU does.
#include "../math/soft.h"
#include "../math/triangle.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

// A group of images and its bits. Tiles grow until the bits of one image take no more memory than this.
constexpr int64_t kMostWords = (int64_t)1 << 26;

template <class T>
struct Tiles {
  Geometry<T> g;
  Raster raster;
  double reach;
  int64_t first_image, num_images, side, across, down, words;  // words of bits for each tile
  BoxedTriangle<T>* boxed;                                     // [num_images, num_triangles]
  uint32_t* bits;                                              // [num_images, down, across, words]

  INTAGLIO_DEVICE uint32_t* bits_of(int64_t image, int64_t row, int64_t column) const {
    return bits + ((image * down + row / side) * across + column / side) * words;
  }
};

template <class T>
struct BinTriangles {
  Tiles<T> tiles;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const Geometry<T>& g = tiles.g;
    const int64_t image = i / g.num_triangles, b = tiles.first_image + image, id = i % g.num_triangles;
    Corners corners;
    Vec4<T> v[3];
    BoxedTriangle<T>& t = tiles.boxed[i];
    if (!find_triangle(g, b, (int32_t)id, corners, v)) return;
    if (!box_triangle(v, (int32_t)id, g.cull_backfaces, tiles.raster.height, tiles.raster.width, tiles.reach, t)) return;
    for (int64_t row = t.row_begin / tiles.side; row <= (t.row_end - 1) / tiles.side; ++row)
      for (int64_t column = t.column_begin / tiles.side; column <= (t.column_end - 1) / tiles.side; ++column)
        atomic_add(tiles.bits_of(image, row * tiles.side, column * tiles.side) + id / 32, (uint32_t)1 << id % 32);
  }
};

template <class T>
struct Layers {
  int32_t* triangle_id;
  T *barycentrics, *depth, *probability;
};

template <class T>
struct DrawLayers {
  Tiles<T> tiles;
  T sigma;
  int64_t layers;
  Layers<T> out;

  INTAGLIO_DEVICE void operator()(int64_t image, int64_t y, int64_t x) const {
    const Raster r = tiles.raster;
    const int64_t first = (((tiles.first_image + image) * r.height + y) * r.width + x) * layers;
    const T X = ndc_centre<T>(x, r.width), Y = -ndc_centre<T>(y, r.height), squared_reach = (T)kSoftReach * sigma;
    const BoxedTriangle<T>* boxed = tiles.boxed + image * tiles.g.num_triangles;
    for (int64_t k = first; k < first + layers; ++k) out.triangle_id[k] = -1, out.depth[k] = 1;
    const uint32_t* bits = tiles.bits_of(image, y, x);
    for (int64_t word = 0; word < tiles.words; ++word) {
      const uint32_t some = bits[word];
      for (int bit = 0; some != 0 && bit < 32; ++bit) {
        if (!(some >> bit & 1)) continue;
        const BoxedTriangle<T>& t = boxed[word * 32 + bit];
        if (x < t.column_begin || x >= t.column_end || y < t.row_begin || y >= t.row_end) continue;
        SoftSample<T> s = soft_sample(t.shape, X, Y);
        if (soft_is_seen(s, squared_reach) && s.depth < out.depth[first + layers - 1])
          insert(s.depth, (int32_t)(word * 32 + bit), layers, out.depth + first, out.triangle_id + first);
      }
    }
    for (int64_t k = first; k < first + layers; ++k) {
      Vec2<T> weights{0, 0};
      T probability = 0;
      if (out.triangle_id[k] >= 0) {
        const SoftTriangle<T>& shape = boxed[out.triangle_id[k]].shape;
        SoftSample<T> s = soft_sample(shape, X, Y);
        weights = soft_barycentrics(shape, s), probability = soft_probability(s, sigma);
      }
      out.barycentrics[2 * k] = weights.x, out.barycentrics[2 * k + 1] = weights.y, out.probability[k] = probability;
    }
  }
};

template <class T, class Sums>
struct SoftVjp {
  Geometry<T> g;
  Raster raster;
  T sigma;
  int64_t layers;
  const int32_t* triangle_id;
  const T *grad_barycentrics, *grad_depth, *grad_probability;
  Sums sums;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    T X = ndc_centre<T>(x, raster.width), Y = -ndc_centre<T>(y, raster.height);
    AddTo<T, Sums> add{sums, g.row_of(b) * g.num_vertices * 4};
    const int64_t first = ((b * raster.height + y) * raster.width + x) * layers;
    for (int64_t at = first; at < first + layers; ++at) {
      T to_depth = grad_depth ? grad_depth[at] : (T)0, to_probability = grad_probability ? grad_probability[at] : (T)0;
      Vec2<T> to_weights{0, 0};
      if (grad_barycentrics) to_weights = {grad_barycentrics[2 * at], grad_barycentrics[2 * at + 1]};
      if (to_depth == 0 && to_probability == 0 && to_weights.x == 0 && to_weights.y == 0) continue;
      Corners corners;
      Vec4<T> v[3], grad_v[3] = {};
      SoftTriangle<T> t;
      if (!find_triangle(g, b, triangle_id[at], corners, v) || !soft_triangle(v, t)) continue;
      soft_sample_vjp(t, X, Y, sigma, to_probability, to_weights, to_depth, grad_v);
      for (int i = 0; i < 3; ++i) add(corners.vertex[i], grad_v[i]);
    }
  }
};

template <class T>
struct SoftBlend {
  SoftImage<T> s;
  T gamma, *room;
  T *color, *alpha, *background;

  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t first = pixel * s.layers;
    SoftPixel<T> blended = soft_blend(s.image + first * s.channels, s.probability + first, s.depth + first, s.layers,
                                      s.channels, gamma, room + first, color + pixel * s.channels);
    alpha[pixel] = blended.alpha, background[pixel] = blended.background;
  }
};

template <class T>
INTAGLIO_DEVICE T* from(T* array, int64_t at) {
  return array ? array + at : nullptr;
}

template <class T>
struct SoftBlendVjp {
  SoftImage<T> s;
  T gamma, *exponential, *gain, *others;
  const T *grad_color, *grad_alpha, *grad_background;
  T *grad_image, *grad_depth, *grad_probability;

  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t first = pixel * s.layers;
    SoftPixel<T> grad{grad_alpha ? grad_alpha[pixel] : (T)0, grad_background ? grad_background[pixel] : (T)0};
    soft_blend_vjp(s.image + first * s.channels, s.probability + first, s.depth + first, s.layers, s.channels, gamma,
                   from(grad_color, pixel * s.channels), grad, exponential + first, gain + first, others + first,
                   from(grad_image, first * s.channels), from(grad_depth, first), from(grad_probability, first));
  }
};

}  // namespace

template <class T>
void soft_rasterize(const Geometry<T>& g, Raster raster, T sigma, int64_t layers, int32_t* triangle_id, T* barycentrics,
                    T* depth, T* probability) {
  check_size(raster);
  check_geometry(g);
  Tiles<T> tiles{g,       raster, std::sqrt((double)((T)kSoftReach * sigma)), 0, 0, 16, 0, 0, (g.num_triangles + 31) / 32,
                 nullptr, nullptr};
  for (;; tiles.side *= 2) {
    tiles.across = (raster.width + tiles.side - 1) / tiles.side, tiles.down = (raster.height + tiles.side - 1) / tiles.side;
    if (tiles.across * tiles.down * tiles.words <= kMostWords || tiles.across * tiles.down == 1) break;
  }
  const int64_t words = tiles.across * tiles.down * tiles.words, triangles = g.num_triangles > 0 ? g.num_triangles : 1;
  int64_t group = min_of(kMostWords / max_of<int64_t>(words, 1), kMostWords / 4 / triangles);
  group = min_of(max_of<int64_t>(group, 1), g.images());
  tiles.bits = scratch<uint32_t>(group * words);
  tiles.boxed = scratch<BoxedTriangle<T>>(group * g.num_triangles);
  for (int64_t first = 0; first < g.images(); first += group) {
    tiles.first_image = first, tiles.num_images = min_of(group, g.images() - first);
    fill(tiles.bits, tiles.num_images * words, 0u);
    for_each(tiles.num_images * g.num_triangles, BinTriangles<T>{tiles});
    for_each_pixel(Raster{tiles.num_images, raster.height, raster.width},
                   DrawLayers<T>{tiles, sigma, layers, {triangle_id, barycentrics, depth, probability}});
  }
}

template <class T>
void soft_rasterize_vjp(const Geometry<T>& g, Raster raster, T sigma, int64_t layers, const int32_t* triangle_id,
                        const T* grad_barycentrics, const T* grad_depth, const T* grad_probability, T* grad_pos_clip) {
  check_geometry(g);
  check_fragments(g, raster.pixels() * layers, triangle_id);
  accumulate(grad_pos_clip, g.rows * g.num_vertices * 4, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_pixel(
        raster, SoftVjp<T, Sums>{g, raster, sigma, layers, triangle_id, grad_barycentrics, grad_depth, grad_probability, sums});
  });
}

template <class T>
void soft_blend(const SoftImage<T>& s, T gamma, T* color, T* alpha, T* background) {
  const int64_t pixels = s.raster.batch * s.raster.pixels();
  for_each(pixels, SoftBlend<T>{s, gamma, scratch<T>(pixels * s.layers), color, alpha, background});
}

template <class T>
void soft_blend_vjp(const SoftImage<T>& s, T gamma, const T* grad_color, const T* grad_alpha, const T* grad_background,
                    T* grad_image, T* grad_depth, T* grad_probability) {
  const int64_t pixels = s.raster.batch * s.raster.pixels(), room = pixels * s.layers;
  for_each(pixels, SoftBlendVjp<T>{s, gamma, scratch<T>(room), scratch<T>(room), scratch<T>(room), grad_color, grad_alpha,
                                   grad_background, grad_image, grad_depth, grad_probability});
}

#define INTAGLIO_INSTANTIATE(T)                                                                                               \
  template void soft_rasterize(const Geometry<T>&, Raster, T, int64_t, int32_t*, T*, T*, T*);                                 \
  template void soft_rasterize_vjp(const Geometry<T>&, Raster, T, int64_t, const int32_t*, const T*, const T*, const T*, T*); \
  template void soft_blend(const SoftImage<T>&, T, T*, T*, T*);                                                               \
  template void soft_blend_vjp(const SoftImage<T>&, T, const T*, const T*, const T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
