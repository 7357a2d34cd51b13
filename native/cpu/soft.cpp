// SPDX-License-Identifier: MIT
// Soft triangles on the CPU: they are binned to strips of rows by their grown boxes, in order; a strip keeps the nearest few of
// every pixel, sampled a run of lanes at a time. What is kept is sampled again for its values.
#include "../math/soft.h"

#include <vector>

#include "../math/triangle.h"
#include "accumulate.h"
#include "check.h"
#include "rows.h"
#include "simd.h"

namespace intaglio {
namespace {

constexpr int kLanes = 16;
constexpr int64_t kStripRows = 8;

template <class T>
void load_triangle(const Geometry<T>& g, int64_t b, int32_t triangle_id, Vec4<T> v[3]) {
  const int32_t* t = g.triangles_of(b) + 3 * (int64_t)triangle_id;
  for (int i = 0; i < 3; ++i) v[i] = load4(g.positions_of(b) + 4 * (int64_t)t[i]);
}

// The triangles of one image by strip: those of strip s are order[begin[s] ... begin[s + 1]), in their own order.
template <class T>
struct Strips {
  std::vector<BoxedTriangle<T>> triangles;
  std::vector<int32_t> order;
  std::vector<int64_t> begin;
};

template <class T>
Strips<T> bin_triangles(const Geometry<T>& g, int64_t b, Raster raster, double reach) {
  Strips<T> strips;
  int64_t num_strips = (raster.height + kStripRows - 1) / kStripRows;
  strips.begin.assign(num_strips + 1, 0);
  auto for_strips = [](const BoxedTriangle<T>& t, const auto& visit) {
    for (int64_t s = t.row_begin / kStripRows; s <= (t.row_end - 1) / kStripRows; ++s) visit(s);
  };
  for (int64_t i = g.shown(b).begin; i < g.shown(b).end; ++i) {
    BoxedTriangle<T> boxed;
    Vec4<T> v[3];
    load_triangle(g, b, (int32_t)i, v);
    if (!box_triangle(v, (int32_t)i, g.cull_backfaces, raster.height, raster.width, reach, boxed)) continue;
    strips.triangles.push_back(boxed);
    for_strips(boxed, [&](int64_t s) { ++strips.begin[s + 1]; });
  }
  for (int64_t s = 0; s < num_strips; ++s) strips.begin[s + 1] += strips.begin[s];
  strips.order.resize(strips.begin[num_strips]);
  std::vector<int64_t> next(strips.begin.begin(), strips.begin.end() - 1);
  for (size_t i = 0; i < strips.triangles.size(); ++i)
    for_strips(strips.triangles[i], [&](int64_t s) { strips.order[next[s]++] = (int32_t)i; });
  return strips;
}

// Depths of a run of pixels; beyond the far plane where the triangle does not reach.
template <class T>
INTAGLIO_INLINE void sample_lanes(const SoftTriangle<T>& t, const T* X, T Y, T squared_reach, T* depth) {
  for (int l = 0; l < kLanes; ++l) {
    SoftSample<T> s = soft_sample(t, X[l], Y);
    depth[l] = soft_is_seen(s, squared_reach) ? s.depth : (T)2;
  }
}

INTAGLIO_CLONES void sample_run(const SoftTriangle<float>& t, const float* X, float Y, float squared_reach, float* depth) {
  sample_lanes(t, X, Y, squared_reach, depth);
}

void sample_run(const SoftTriangle<double>& t, const double* X, double Y, double squared_reach, double* depth) {
  sample_lanes(t, X, Y, squared_reach, depth);
}

template <class T>
struct Layers {
  int32_t* triangle_id;
  T *barycentrics, *depth, *probability;
};

// Keeps depths in their final place, and where the ids will be, places in strips.triangles; what has none has depth 1, beyond
// which nothing is kept.
template <class T>
void draw_strip(const Strips<T>& strips, int64_t strip, Raster raster, const T* centres, T squared_reach, int64_t layers,
                Layers<T> out) {
  int64_t row_begin = strip * kStripRows, row_end = std::min(raster.height, row_begin + kStripRows);
  std::fill(out.triangle_id + row_begin * raster.width * layers, out.triangle_id + row_end * raster.width * layers, -1);
  std::fill(out.depth + row_begin * raster.width * layers, out.depth + row_end * raster.width * layers, (T)1);
  for (int64_t entry = strips.begin[strip]; entry < strips.begin[strip + 1]; ++entry) {
    const BoxedTriangle<T>& t = strips.triangles[strips.order[entry]];
    for (int64_t y = std::max<int64_t>(row_begin, t.row_begin); y < std::min<int64_t>(row_end, t.row_end); ++y) {
      T Y = -ndc_centre<T>(y, raster.height);
      for (int64_t x = t.column_begin; x < t.column_end; x += kLanes) {
        T depth[kLanes];
        sample_run(t.shape, centres + x, Y, squared_reach, depth);
        int64_t count = std::min<int64_t>(kLanes, t.column_end - x);
        for (int64_t l = 0; l < count; ++l) {
          int64_t first = (y * raster.width + x + l) * layers;
          if (depth[l] < out.depth[first + layers - 1])
            insert(depth[l], strips.order[entry], layers, out.depth + first, out.triangle_id + first);
        }
      }
    }
  }
}

// Ids, probabilities and weights of what a row has kept.
template <class T>
void value_row(const Strips<T>& strips, int64_t y, Raster raster, T sigma, int64_t layers, Layers<T> out) {
  T Y = -ndc_centre<T>(y, raster.height);
  for (int64_t x = 0; x < raster.width; ++x) {
    T X = ndc_centre<T>(x, raster.width);
    for (int64_t at = (y * raster.width + x) * layers, end = at + layers; at < end; ++at) {
      T* weights = out.barycentrics + 2 * at;
      if (out.triangle_id[at] < 0) {
        out.probability[at] = weights[0] = weights[1] = 0;
        continue;
      }
      const BoxedTriangle<T>& t = strips.triangles[out.triangle_id[at]];
      SoftSample<T> s = soft_sample(t.shape, X, Y);
      Vec2<T> barycentrics = soft_barycentrics(t.shape, s);
      out.triangle_id[at] = t.triangle_id;
      out.probability[at] = soft_probability(s, sigma);
      weights[0] = barycentrics.x, weights[1] = barycentrics.y;
    }
  }
}

template <class T>
void soft_rasterize_image(const Geometry<T>& g, int64_t b, Raster raster, T sigma, int64_t layers, Layers<T> out) {
  T squared_reach = (T)kSoftReach * sigma;
  Strips<T> strips = bin_triangles(g, b, raster, std::sqrt((double)squared_reach));
  std::vector<T> centres(raster.width + kLanes);
  for (int64_t x = 0; x < raster.width + kLanes; ++x) centres[x] = ndc_centre<T>(x, raster.width);
  parallel_for((int64_t)strips.begin.size() - 1, [&](int64_t strip) {
    draw_strip(strips, strip, raster, centres.data(), squared_reach, layers, out);
    for (int64_t y = strip * kStripRows; y < std::min(raster.height, (strip + 1) * kStripRows); ++y)
      value_row(strips, y, raster, sigma, layers, out);
  });
}

}  // namespace

template <class T>
void soft_rasterize(const Geometry<T>& g, Raster raster, T sigma, int64_t layers, int32_t* triangle_id, T* barycentrics,
                    T* depth, T* probability) {
  check_size(raster);
  check_geometry(g);
  auto draw_image = [&](int64_t b) {
    int64_t at = b * raster.pixels() * layers;
    Layers<T> out{triangle_id + at, barycentrics + 2 * at, depth + at, probability + at};
    soft_rasterize_image(g, b, raster, sigma, layers, out);
  };
  for_each_image(g.images(), draw_image);
}

template <class T>
void soft_rasterize_vjp(const Geometry<T>& g, Raster raster, T sigma, int64_t layers, const int32_t* triangle_id,
                        const T* grad_barycentrics, const T* grad_depth, const T* grad_probability, T* grad_pos_clip) {
  check_geometry(g);
  auto add_pixel = [&](int64_t b, int64_t x, int64_t y, int64_t first, const AddTo<T>& add) {
    T X = ndc_centre<T>(x, raster.width), Y = -ndc_centre<T>(y, raster.height);
    for (int64_t at = first; at < first + layers; ++at) {
      int32_t id = triangle_id[at];
      if (id == -1) continue;
      check_triangle_id(id, g.shown(b));
      T to_depth = grad_depth ? grad_depth[at] : (T)0, to_probability = grad_probability ? grad_probability[at] : (T)0;
      Vec2<T> to_weights{0, 0};
      if (grad_barycentrics) to_weights = {grad_barycentrics[2 * at], grad_barycentrics[2 * at + 1]};
      if (to_depth == 0 && to_probability == 0 && to_weights.x == 0 && to_weights.y == 0) continue;
      Vec4<T> v[3], grad_v[3] = {};
      SoftTriangle<T> t;
      load_triangle(g, b, id, v);
      if (!soft_triangle(v, t)) continue;
      soft_sample_vjp(t, X, Y, sigma, to_probability, to_weights, to_depth, grad_v);
      for (int i = 0; i < 3; ++i) add(g.triangles_of(b)[3 * (int64_t)id + i], grad_v[i]);
    }
  };
  accumulate_positions(g, raster, grad_pos_clip, [&](int64_t b, int64_t row_begin, int64_t row_end, const AddTo<T>& add) {
    for (int64_t y = row_begin; y < row_end; ++y)
      for (int64_t x = 0; x < raster.width; ++x) add_pixel(b, x, y, ((b * raster.height + y) * raster.width + x) * layers, add);
  });
}

template <class T>
void soft_blend(const SoftImage<T>& s, T gamma, T* color, T* alpha, T* background) {
  with_channels(s.channels, [&](auto channels) {
    for_each_row(s.raster, [&](int64_t b, int64_t y) {
      std::vector<T> room(s.layers);
      for (int64_t x = 0, pixel = (b * s.raster.height + y) * s.raster.width; x < s.raster.width; ++x, ++pixel) {
        const int64_t first = pixel * s.layers;
        SoftPixel<T> blended = soft_blend(s.image + first * channels, s.probability + first, s.depth + first, s.layers,
                                          channels, gamma, room.data(), color + pixel * channels);
        alpha[pixel] = blended.alpha, background[pixel] = blended.background;
      }
    });
  });
}

template <class T>
void soft_blend_vjp(const SoftImage<T>& s, T gamma, const T* grad_color, const T* grad_alpha, const T* grad_background,
                    T* grad_image, T* grad_depth, T* grad_probability) {
  with_channels(s.channels, [&](auto channels) {
    for_each_row(s.raster, [&](int64_t b, int64_t y) {
      std::vector<T> exponential(s.layers), gain(s.layers), others(s.layers);
      for (int64_t x = 0, pixel = (b * s.raster.height + y) * s.raster.width; x < s.raster.width; ++x, ++pixel) {
        const int64_t first = pixel * s.layers;
        auto from = [](auto* array, int64_t at) { return array ? array + at : nullptr; };
        SoftPixel<T> grad{grad_alpha ? grad_alpha[pixel] : (T)0, grad_background ? grad_background[pixel] : (T)0};
        soft_blend_vjp(s.image + first * channels, s.probability + first, s.depth + first, s.layers, channels, gamma,
                       from(grad_color, pixel * channels), grad, exponential.data(), gain.data(), others.data(),
                       from(grad_image, first * channels), from(grad_depth, first), from(grad_probability, first));
      }
    });
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                                               \
  template void soft_rasterize(const Geometry<T>&, Raster, T, int64_t, int32_t*, T*, T*, T*);                                 \
  template void soft_rasterize_vjp(const Geometry<T>&, Raster, T, int64_t, const int32_t*, const T*, const T*, const T*, T*); \
  template void soft_blend(const SoftImage<T>&, T, T*, T*, T*);                                                               \
  template void soft_blend_vjp(const SoftImage<T>&, T, const T*, const T*, const T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
