// SPDX-License-Identifier: MIT
#include "../math/face_texture.h"

#include "check.h"
#include "owners.h"
#include "rows.h"

namespace intaglio {

template <class T>
void sample_face_texture(const FaceTextures<T>& f, Raster raster, const int32_t* triangle_id, const T* barycentrics, T* out) {
  with_channels(f.channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      int64_t row = (b * raster.height + y) * raster.width;
      std::fill_n(out + row * channels, raster.width * channels, (T)0);
      for (int64_t at = row; at < row + raster.width; ++at) {
        if (triangle_id[at] == -1) continue;
        check_triangle_id(triangle_id[at], f.num_triangles);
        CubeCell<T> cell = cube_cell(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, f.resolution);
        sample_cube(f.cube(b, triangle_id[at]), cell, channels, out + at * channels);
      }
    });
  });
}

template <class T>
void sample_face_texture_vjp(const FaceTextures<T>& f, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                             const T* grad_out, T* grad_values) {
  auto near = [&](int64_t b, int64_t pixel) -> int64_t { return triangle_id[b * raster.pixels() + pixel]; };
  with_channels(f.channels, [&](auto channels) {
    accumulate_owned(raster, grad_values, f.num_triangles, f.texels() * channels, !f.own_values, near,
                     [&](int64_t b, int64_t begin, int64_t end, T* sums) {
                       for (int64_t at = b * raster.pixels(); at < (b + 1) * raster.pixels(); ++at) {
                         int32_t id = triangle_id[at];
                         if (id == -1) continue;
                         check_triangle_id(id, f.num_triangles);
                         if (id < begin || id >= end) continue;
                         CubeCell<T> cell = cube_cell(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, f.resolution);
                         sample_cube_vjp(cell, channels, grad_out + at * channels, sums + id * f.texels() * channels);
                       }
                     });
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                    \
  template void sample_face_texture(const FaceTextures<T>&, Raster, const int32_t*, const T*, T*); \
  template void sample_face_texture_vjp(const FaceTextures<T>&, Raster, const int32_t*, const T*, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
