// SPDX-License-Identifier: MIT
// A thread per pixel.
#include "../math/normal_map.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
struct MappedPixel {
  TangentFrame<T> frame;
  Vec3<T> texel;
  T scale;

  INTAGLIO_DEVICE MappedPixel(const NormalMap<T>& map, int64_t at)
      : texel(load3(map.texels, at)), scale(map.scale[map.own_scale ? at / map.raster.pixels() : 0]) {
    Vec4<T> tangent = load4(map.tangents + 4 * at);
    frame = {load3(map.normals, at), {tangent.x, tangent.y, tangent.z}, tangent.w};
  }
};

template <class T>
struct MapNormals {
  NormalMap<T> map;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (map.triangle_id[at] < 0) return store_zero(out, at, 3);
    MappedPixel<T> p(map, at);
    store3(out, at, map_normal(p.frame, p.texel, p.scale));
  }
};

template <class T, class Sums>
struct MapNormalsVjp {
  NormalMap<T> map;
  const T* grad_out;
  T *grad_normals, *grad_tangents, *grad_texels;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (map.triangle_id[at] < 0)
      return store_zero(grad_normals, at, 3), store_zero(grad_tangents, at, 4), store_zero(grad_texels, at, 3);
    MappedPixel<T> p(map, at);
    const int64_t b = at / map.raster.pixels();
    MapNormalVjp<T> back = map_normal_vjp(p.frame, p.texel, p.scale, load3(grad_out, at));
    const T tangent[4] = {back.frame.tangent.x, back.frame.tangent.y, back.frame.tangent.z, back.frame.sign};
    store3(grad_normals, at, back.frame.normal), store(grad_tangents, at, 4, tangent), store3(grad_texels, at, back.texel);
    const T scale[1] = {back.scale};
    add_all(sums, sums.group((uint64_t)b), scale, [&](int) { return map.own_scale ? b : 0; });
  }
};

}  // namespace

template <class T>
void map_normals(const NormalMap<T>& map, T* out) {
  for_each(map.raster.batch * map.raster.pixels(), MapNormals<T>{map, out});
}

template <class T>
void map_normals_vjp(const NormalMap<T>& map, const T* grad_out, T* grad_normals, T* grad_tangents, T* grad_texels,
                     T* grad_scale) {
  Wanted<T> wanted{grad_scale, map.own_scale ? map.raster.batch : 1};
  accumulate_in_double(wanted, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(map.raster.batch * map.raster.pixels(),
             MapNormalsVjp<T, Sums>{map, grad_out, grad_normals, grad_tangents, grad_texels, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                       \
  template void map_normals(const NormalMap<T>&, T*); \
  template void map_normals_vjp(const NormalMap<T>&, const T*, T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
