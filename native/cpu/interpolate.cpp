// SPDX-License-Identifier: MIT
#include "../math/interpolate.h"

#include "accumulate.h"
#include "check.h"
#include "rows.h"

namespace intaglio {
namespace {

// The three corners of a triangle in an array of `channels` values per vertex.
template <class T>
void corners(T* values, const int32_t* triangles, int32_t triangle_id, int64_t channels, T* out[3]) {
  for (int i = 0; i < 3; ++i) out[i] = values + (int64_t)triangles[3 * (int64_t)triangle_id + i] * channels;
}

template <class T>
void check_attributes(const Attributes<T>& a, Raster raster) {
  check_indices("triangles", a.triangles, (a.own_triangles ? raster.batch : 1) * a.num_triangles * 3, 0, a.num_vertices,
                kAttributesRemedy);
}

}  // namespace

template <class T>
void interpolate(const Attributes<T>& a, Raster raster, const int32_t* triangle_id, const T* barycentrics, T* out) {
  check_attributes(a, raster);
  with_channels(a.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      int64_t row = (b * raster.height + y) * raster.width;
      const int32_t* ids = triangle_id + row;
      std::fill_n(out + row * channels, raster.width * channels, (T)0);
      const T* corner[3] = {};
      int32_t last = -1;
      for (int64_t x = 0; x < raster.width; ++x) {
        if (ids[x] == -1) continue;
        if (ids[x] != last) {
          check_triangle_id(ids[x], a.num_triangles);
          corners(a.values_of(b), a.triangles_of(b), last = ids[x], channels, corner);
        }
        const T* weights = barycentrics + 2 * (row + x);
        interpolate(Vec2<T>{weights[0], weights[1]}, corner, channels, out + (row + x) * channels);
      }
    });
  });
}

template <class T>
void interpolate_vjp(const Attributes<T>& a, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                     const T* grad_out, T* grad_values, T* grad_barycentrics) {
  check_attributes(a, raster);
  auto one_row = [&](int64_t b, int64_t y, auto channels, T* sums) {
    int64_t row = (b * raster.height + y) * raster.width;
    const T* corner[3] = {};
    T* grad_corner[3] = {};
    int32_t last = -1;
    for (int64_t at = row; at < row + raster.width; ++at) {
      int32_t id = triangle_id[at];
      Vec2<T> grad_weights{0, 0};
      if (id != -1) {
        if (id != last) {
          check_triangle_id(id, a.num_triangles);
          corners(a.values_of(b), a.triangles_of(b), id, channels, corner);
          if (sums) corners(sums, a.triangles_of(b), id, channels, grad_corner);
          last = id;
        }
        const T* weights = barycentrics + 2 * at;
        grad_weights =
            interpolate_vjp(Vec2<T>{weights[0], weights[1]}, corner, channels, grad_out + at * channels, grad_corner);
      }
      if (grad_barycentrics) grad_barycentrics[2 * at] = grad_weights.x, grad_barycentrics[2 * at + 1] = grad_weights.y;
    }
  };
  with_channels(a.channels, [&](auto channels) {
    if (!grad_values) return for_each_row(raster, [&](int64_t b, int64_t y) { one_row(b, y, channels, (T*)nullptr); });
    accumulate_rows(raster, grad_values, a.num_vertices * channels, !a.own_values,
                    [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) {
                      for (int64_t y = row_begin; y < row_end; ++y) one_row(b, y, channels, sums);
                    });
  });
}

template <class T>
void screen_derivatives(const Attributes<T>& a, const Geometry<T>& g, Raster raster, const int32_t* triangle_id, T* out) {
  check_geometry(g);
  check_attributes(a, raster);
  if (g.num_triangles != a.num_triangles) throw std::invalid_argument("pos_triangles must have as many rows as triangles");
  with_channels(a.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      const T Y = -ndc_centre<T>(y, raster.height);
      const int64_t row = (b * raster.height + y) * raster.width;
      std::fill_n(out + row * channels * 2, raster.width * channels * 2, (T)0);
      const T *position[3], *corner[3] = {};
      Vec4<T> v[3] = {};
      int32_t last = -1;
      for (int64_t x = 0; x < raster.width; ++x) {
        const int32_t id = triangle_id[row + x];
        if (id == -1) continue;
        if (id != last) {
          check_triangle_id(id, a.num_triangles);
          corners(g.positions_of(b), g.triangles_of(b), id, 4, position);
          corners(a.values_of(b), a.triangles_of(b), id, channels, corner);
          for (int i = 0; i < 3; ++i) v[i] = load4(position[i]);
          make_moderate(v);
          last = id;
        }
        WeightDerivatives<T> d = weight_derivatives(v, ndc_centre<T>(x, raster.width), Y, raster.height, raster.width);
        T* derivatives = out + (row + x) * channels * 2;
        for (int64_t c = 0; c < channels; ++c) {
          T to_0 = corner[0][c] - corner[2][c], to_1 = corner[1][c] - corner[2][c];
          derivatives[2 * c] = d.dx.x * to_0 + d.dx.y * to_1;
          derivatives[2 * c + 1] = d.dy.x * to_0 + d.dy.y * to_1;
        }
      }
    });
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                            \
  template void interpolate(const Attributes<T>&, Raster, const int32_t*, const T*, T*);                   \
  template void interpolate_vjp(const Attributes<T>&, Raster, const int32_t*, const T*, const T*, T*, T*); \
  template void screen_derivatives(const Attributes<T>&, const Geometry<T>&, Raster, const int32_t*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
