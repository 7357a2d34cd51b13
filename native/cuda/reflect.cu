// SPDX-License-Identifier: MIT
// What surfaces mirror, a thread per pixel.
#include "../math/split_sum.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
struct Reflect {
  Seen<T> seen;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (seen.triangle_id[at] < 0) return store_zero(out, at, 3);
    SeenPixel<T> p(seen, at);
    store3(out, at, mirrored(p.sight.n, p.sight.v));
  }
};

template <class T, class Sums>
struct ReflectVjp {
  Seen<T> seen;
  const T* grad_out;
  SeenGradients<T> to;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (seen.triangle_id[at] < 0) return store_zero(to.positions, at, 3), store_zero(to.normals, at, 3);
    SeenPixel<T> p(seen, at);
    MirroredVjp<T> back = mirrored_vjp(p.sight.n, p.sight.v, load3(grad_out, at));
    p.finish(seen, Sight<T>{back.n, back.v}, Vec3<T>{0, 0, 0}, to, sums, sums.group((uint64_t)p.b));
  }
};

// What is around a pixel.
template <class T>
struct SurroundedPixel {
  T cosine, roughness;
  SplitSum<T> split;
  Metallic<T> material[3];
  Surroundings<T> light[3];

  INTAGLIO_DEVICE SurroundedPixel(const Surrounded<T>& s, const SeenPixel<T>& p)
      : cosine(max_of(dot(p.sight.n, p.sight.v), (T)0)),
        roughness(s.roughness_metallic[2 * p.at]),
        split(split_sum(s.table, s.size, cosine, roughness)) {
    for (int64_t c = 0, at = 3 * p.at; c < 3; ++c, ++at)
      material[c] = {s.color[at], s.roughness_metallic[2 * p.at + 1]}, light[c] = {s.irradiance[at], s.radiance[at]};
  }
};

template <class T>
struct ReflectEnvironment {
  Seen<T> seen;
  Surrounded<T> surface;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (seen.triangle_id[at] < 0) return store_zero(out, at, 3);
    SurroundedPixel<T> s(surface, SeenPixel<T>(seen, at));
    for (int c = 0; c < 3; ++c) out[3 * at + c] = surroundings_given_back(s.material[c], s.light[c], s.split);
  }
};

template <class T, class Sums>
struct ReflectEnvironmentVjp {
  Seen<T> seen;
  Surrounded<T> surface;
  const T* grad_out;
  SeenGradients<T> to;
  SurroundedGradients<T> surface_to;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    T color[3] = {}, of_surface[2] = {}, irradiance[3] = {}, radiance[3] = {};
    if (seen.triangle_id[at] >= 0) {
      SeenPixel<T> p(seen, at);
      SurroundedPixel<T> s(surface, p);
      SplitSum<T> grad_split{0, 0};
      for (int c = 0; c < 3; ++c) {
        SurroundingsVjp<T> back = surroundings_given_back_vjp(s.material[c], s.light[c], s.split, grad_out[3 * at + c]);
        color[c] = back.material.color, of_surface[1] += back.material.metallic;
        irradiance[c] = back.light.irradiance, radiance[c] = back.light.radiance;
        grad_split.scale += back.split.scale, grad_split.bias += back.split.bias;
      }
      Vec2<T> back = split_sum_vjp(surface.table, surface.size, s.cosine, s.roughness, grad_split);
      of_surface[0] = back.y;
      T grad_cosine = s.cosine > 0 ? back.x : (T)0;
      p.finish(seen, Sight<T>{grad_cosine * p.sight.v, grad_cosine * p.sight.n}, Vec3<T>{0, 0, 0}, to, sums,
               sums.group((uint64_t)p.b));
    } else {
      store_zero(to.positions, at, 3), store_zero(to.normals, at, 3);
    }
    store(surface_to.color, at, 3, color), store(surface_to.roughness_metallic, at, 2, of_surface);
    store(surface_to.irradiance, at, 3, irradiance), store(surface_to.radiance, at, 3, radiance);
  }
};

}  // namespace

template <class T>
void reflect(const Seen<T>& seen, T* out) {
  for_each(seen.raster.batch * seen.raster.pixels(), Reflect<T>{seen, out});
}

template <class T>
void reflect_vjp(const Seen<T>& seen, const T* grad_out, SeenGradients<T> to) {
  accumulate_in_double(viewer_sums(seen, to), [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(seen.raster.batch * seen.raster.pixels(), ReflectVjp<T, Sums>{seen, grad_out, to, sums});
  });
}

template <class T>
void reflect_environment(const Seen<T>& seen, const Surrounded<T>& surface, T* out) {
  for_each(seen.raster.batch * seen.raster.pixels(), ReflectEnvironment<T>{seen, surface, out});
}

template <class T>
void reflect_environment_vjp(const Seen<T>& seen, const Surrounded<T>& surface, const T* grad_out, SeenGradients<T> to,
                             SurroundedGradients<T> surface_to) {
  accumulate_in_double(viewer_sums(seen, to), [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(seen.raster.batch * seen.raster.pixels(),
             ReflectEnvironmentVjp<T, Sums>{seen, surface, grad_out, to, surface_to, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                           \
  template void reflect(const Seen<T>&, T*);                                                              \
  template void reflect_vjp(const Seen<T>&, const T*, SeenGradients<T>);                                  \
  template void reflect_environment(const Seen<T>&, const Surrounded<T>&, T*);                            \
  template void reflect_environment_vjp(const Seen<T>&, const Surrounded<T>&, const T*, SeenGradients<T>, \
                                        SurroundedGradients<T>);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
