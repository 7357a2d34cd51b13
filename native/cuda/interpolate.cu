// SPDX-License-Identifier: MIT
// A thread per pixel. Gradients of vertices: pixels of one triangle lie side by side, so most of a warp adds up first.
#include "../math/interpolate.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

template <class T>
void check_attributes(const Attributes<T>& a, Raster raster, const int32_t* triangle_id) {
  check_indices("triangles", a.triangles, (a.own_triangles ? raster.batch : 1) * a.num_triangles * 3, 0, a.num_vertices,
                kAttributesRemedy);
  check_fragments(a.num_triangles, raster.batch * raster.pixels(), triangle_id);
}

// The values of a triangle's corners; false if there is none.
template <class T>
INTAGLIO_DEVICE bool corner_values(const Attributes<T>& a, int64_t b, int32_t triangle_id, Corners& corners,
                                   const T* value[3]) {
  if (!find_corners(a.triangles_of(b), {0, a.num_triangles}, a.num_vertices, triangle_id, corners)) return false;
  for (int i = 0; i < 3; ++i) value[i] = a.values_of(b) + corners.vertex[i] * a.channels;
  return true;
}

template <class T>
struct Interpolate {
  Attributes<T> a;
  Raster raster;
  const int32_t* triangle_id;
  const T* barycentrics;
  T* out;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    T* to = out + at * a.channels;
    Corners corners;
    const T* value[3];
    if (corner_values(a, b, triangle_id[at], corners, value))
      return interpolate(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, value, a.channels, to);
    for (int64_t c = 0; c < a.channels; ++c) to[c] = 0;
  }
};

template <class T>
struct WeightsVjp {
  Attributes<T> a;
  Raster raster;
  const int32_t* triangle_id;
  const T *barycentrics, *grad_out;
  T* grad_barycentrics;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    Corners corners;
    const T* value[3];
    T* const none[3] = {nullptr, nullptr, nullptr};
    Vec2<T> grad{0, 0};
    if (corner_values(a, b, triangle_id[at], corners, value))
      grad = interpolate_vjp(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, value, a.channels,
                             grad_out + at * a.channels, none);
    grad_barycentrics[2 * at] = grad.x, grad_barycentrics[2 * at + 1] = grad.y;
  }
};

template <class T, class Sums>
struct ValuesVjp {
  Attributes<T> a;
  Raster raster;
  const int32_t* triangle_id;
  const T *barycentrics, *grad_out;
  Sums sums;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    Corners corners;
    const T* value[3];
    if (!corner_values(a, b, triangle_id[at], corners, value)) return;
    Vec2<T> weights{barycentrics[2 * at], barycentrics[2 * at + 1]};
    auto group = sums.group((uint64_t)(b * a.num_triangles + triangle_id[at]));
    const int64_t first = a.own_values ? b * a.num_vertices : 0;
    for (int64_t c = 0; c < a.channels; ++c) {
      T grad[3] = {0, 0, 0}, *const grad_corner[3] = {grad, grad + 1, grad + 2};
      const T* const one[3] = {value[0] + c, value[1] + c, value[2] + c};
      interpolate_vjp(weights, one, 1, grad_out + at * a.channels + c, grad_corner);
      add_all(sums, group, grad, [&](int i) { return (first + corners.vertex[i]) * a.channels + c; });
    }
  }
};

template <class T>
struct ScreenDerivatives {
  Attributes<T> a;
  Geometry<T> g;
  Raster raster;
  const int32_t* triangle_id;
  T* out;

  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    T* to = out + at * a.channels * 2;
    Corners corners, places;
    const T* value[3];
    Vec4<T> v[3];
    WeightDerivatives<T> d{{0, 0}, {0, 0}};
    bool is_seen = corner_values(a, b, triangle_id[at], corners, value) && find_triangle(g, b, triangle_id[at], places, v);
    if (is_seen) {
      make_moderate(v);
      d = weight_derivatives(v, ndc_centre<T>(x, raster.width), -ndc_centre<T>(y, raster.height), raster.height, raster.width);
    }
    for (int64_t c = 0; c < a.channels; ++c) {
      T to_0 = is_seen ? value[0][c] - value[2][c] : (T)0, to_1 = is_seen ? value[1][c] - value[2][c] : (T)0;
      to[2 * c] = d.dx.x * to_0 + d.dx.y * to_1;
      to[2 * c + 1] = d.dy.x * to_0 + d.dy.y * to_1;
    }
  }
};

}  // namespace

template <class T>
void interpolate(const Attributes<T>& a, Raster raster, const int32_t* triangle_id, const T* barycentrics, T* out) {
  check_attributes(a, raster, triangle_id);
  for_each_pixel(raster, Interpolate<T>{a, raster, triangle_id, barycentrics, out});
}

template <class T>
void interpolate_vjp(const Attributes<T>& a, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                     const T* grad_out, T* grad_values, T* grad_barycentrics) {
  check_attributes(a, raster, triangle_id);
  if (grad_barycentrics)
    for_each_pixel(raster, WeightsVjp<T>{a, raster, triangle_id, barycentrics, grad_out, grad_barycentrics});
  if (grad_values)
    accumulate(grad_values, (a.own_values ? raster.batch : 1) * a.num_vertices * a.channels, [&](const auto& sums) {
      using Sums = std::decay_t<decltype(sums)>;
      for_each_pixel(raster, ValuesVjp<T, Sums>{a, raster, triangle_id, barycentrics, grad_out, sums});
    });
}

template <class T>
void screen_derivatives(const Attributes<T>& a, const Geometry<T>& g, Raster raster, const int32_t* triangle_id, T* out) {
  check_geometry(g);
  check_attributes(a, raster, triangle_id);
  if (g.num_triangles != a.num_triangles) throw std::invalid_argument("pos_triangles must have as many rows as triangles");
  check_fragments(g, raster.pixels(), triangle_id);
  for_each_pixel(raster, ScreenDerivatives<T>{a, g, raster, triangle_id, out});
}

#define INTAGLIO_INSTANTIATE(T)                                                                            \
  template void interpolate(const Attributes<T>&, Raster, const int32_t*, const T*, T*);                   \
  template void interpolate_vjp(const Attributes<T>&, Raster, const int32_t*, const T*, const T*, T*, T*); \
  template void screen_derivatives(const Attributes<T>&, const Geometry<T>&, Raster, const int32_t*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
