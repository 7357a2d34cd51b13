// SPDX-License-Identifier: MIT
// A thread per pixel.
#include "../math/face_texture.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

template <class T>
struct SampleFace {
  FaceTextures<T> f;
  Raster raster;
  const int32_t* triangle_id;
  const T* barycentrics;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    T* to = out + at * f.channels;
    int32_t id = triangle_id[at];
    if (id >= 0 && id < f.num_triangles)
      return sample_cube(f.cube(b, id), cube_cell(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, f.resolution),
                         f.channels, to);
    for (int64_t c = 0; c < f.channels; ++c) to[c] = 0;
  }
};

template <class T, class Sums>
struct SampleFaceVjp {
  FaceTextures<T> f;
  Raster raster;
  const int32_t* triangle_id;
  const T *barycentrics, *grad_out;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    int64_t at = (b * raster.height + y) * raster.width + x;
    int32_t id = triangle_id[at];
    if (id < 0 || id >= f.num_triangles) return;
    const int64_t first = ((f.own_values ? b * f.num_triangles : 0) + id) * f.texels();
    CubeCell<T> cell = cube_cell(Vec2<T>{barycentrics[2 * at], barycentrics[2 * at + 1]}, f.resolution);
    for_each_corner(cell, [&](int64_t texel, T weight) {
      for (int64_t c = 0; c < f.channels; ++c)
        sums.add((first + texel) * f.channels + c, weight * grad_out[at * f.channels + c]);
    });
  }
};

}  // namespace

template <class T>
void sample_face_texture(const FaceTextures<T>& f, Raster raster, const int32_t* triangle_id, const T* barycentrics, T* out) {
  check_fragments(f.num_triangles, raster.batch * raster.pixels(), triangle_id);
  for_each_pixel(raster, SampleFace<T>{f, raster, triangle_id, barycentrics, out});
}

template <class T>
void sample_face_texture_vjp(const FaceTextures<T>& f, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                             const T* grad_out, T* grad_values) {
  check_fragments(f.num_triangles, raster.batch * raster.pixels(), triangle_id);
  accumulate(grad_values, (f.own_values ? raster.batch : 1) * f.num_triangles * f.texels() * f.channels, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_pixel(raster, SampleFaceVjp<T, Sums>{f, raster, triangle_id, barycentrics, grad_out, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                    \
  template void sample_face_texture(const FaceTextures<T>&, Raster, const int32_t*, const T*, T*); \
  template void sample_face_texture_vjp(const FaceTextures<T>&, Raster, const int32_t*, const T*, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
