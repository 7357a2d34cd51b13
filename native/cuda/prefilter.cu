// SPDX-License-Identifier: MIT
// A thread for every texel and image of the cube that gathers; it goes through all texels of the other, which are prepared
// once.
#include "../math/prefilter.h"
#include "launch.h"

namespace intaglio {
namespace {

// A texel's unit direction, in double as the CPU makes it, and the solid angle that it fills.
template <class T>
struct SphereTexel {
  Vec3<T> direction;
  T solid_angle;
};

template <class T>
struct PrepareSphere {
  int64_t size;
  SphereTexel<T>* texels;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const double column = (double)(i % size), row = (double)(i / size % size);
    Vec3<double> d = texel_direction<double>((int32_t)(i / (size * size)), column, row, (double)size);
    const double length = std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
    texels[i] = {{(T)(d.x / length), (T)(d.y / length), (T)(d.z / length)},
                 (T)texel_solid_angle<double>(column, row, (double)size)};
  }
};

template <class T>
struct Sphere {
  int64_t count;
  SphereTexel<T>* texels;
};

template <class T>
Sphere<T> sphere(int64_t size) {
  Sphere<T> made{6 * size * size, scratch<SphereTexel<T>>(6 * size * size)};
  for_each(made.count, PrepareSphere<T>{size, made.texels});
  return made;
}

// visit(texel of `from`, weight): what the lobe around a direction reaches.
template <class T, class Visit>
INTAGLIO_DEVICE void visit_lobe(const Sphere<T>& from, Vec3<T> d, T alpha2, const Visit& visit) {
  const T end = mirror_lobe_end(alpha2);
  for (int64_t i = 0; i < from.count; ++i) {
    const T cosine = dot(d, from.texels[i].direction);
    if (cosine > end) visit(i, mirror_lobe(cosine, alpha2));
  }
}

// What the lobe of every texel of `to` gathers of the light 1.
template <class T>
struct Totals {
  Sphere<T> from, to;
  T alpha2, *total;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    T sum = 0;
    visit_lobe(from, to.texels[i].direction, alpha2,
               [&](int64_t at, T weight) { sum += weight * from.texels[at].solid_angle; });
    total[i] = sum;
  }
};

template <class T>
struct Prefilter {
  Sphere<T> from, to;
  T alpha2;
  const T *total, *texels;
  int64_t channels;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t item) const {
    const int64_t i = item / channels % to.count, c = item % channels, b = item / channels / to.count;
    T sum = 0;
    visit_lobe(from, to.texels[i].direction, alpha2, [&](int64_t at, T weight) {
      sum += weight * (from.texels[at].solid_angle * texels[(b * from.count + at) * channels + c]);
    });
    out[item] = sum / total[i];
  }
};

template <class T>
struct PrefilterVjp {
  Sphere<T> from, to;
  T alpha2;
  const T *total, *grad_out;
  int64_t channels;
  T* grad_texels;
  INTAGLIO_DEVICE void operator()(int64_t item) const {
    const int64_t i = item / channels % from.count, c = item % channels, b = item / channels / from.count;
    T sum = 0;
    visit_lobe(to, from.texels[i].direction, alpha2,
               [&](int64_t at, T weight) { sum += weight * (grad_out[(b * to.count + at) * channels + c] / total[at]); });
    grad_texels[item] = from.texels[i].solid_angle * sum;
  }
};

template <class T>
T* totals(const Sphere<T>& from, const Sphere<T>& to, T alpha2) {
  T* total = scratch<T>(to.count);
  for_each(to.count, Totals<T>{from, to, alpha2, total});
  return total;
}

}  // namespace

template <class T>
void prefilter_cube(const T* texels, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness, T* out) {
  Sphere<T> from = sphere<T>(from_size), to = sphere<T>(to_size);
  const T alpha2 = mirror_lobe_width(roughness, from_size), *total = totals(from, to, alpha2);
  for_each(batch * to.count * channels, Prefilter<T>{from, to, alpha2, total, texels, channels, out});
}

template <class T>
void prefilter_cube_vjp(const T* grad_out, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness,
                        T* grad_texels) {
  Sphere<T> from = sphere<T>(from_size), to = sphere<T>(to_size);
  const T alpha2 = mirror_lobe_width(roughness, from_size), *total = totals(from, to, alpha2);
  for_each(batch * from.count * channels, PrefilterVjp<T>{from, to, alpha2, total, grad_out, channels, grad_texels});
}

#define INTAGLIO_INSTANTIATE(T)                                                      \
  template void prefilter_cube(const T*, int64_t, int64_t, int64_t, int64_t, T, T*); \
  template void prefilter_cube_vjp(const T*, int64_t, int64_t, int64_t, int64_t, T, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
