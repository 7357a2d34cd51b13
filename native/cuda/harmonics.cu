// SPDX-License-Identifier: MIT
// A thread per pixel.
#include "../math/harmonics.h"
#include "seen.h"

namespace intaglio {
namespace {

constexpr int64_t kItems = 3 * kHarmonics;

template <class T>
struct HarmonicsPixel {
  Vec3<T> coefficients[kHarmonics], direction;

  INTAGLIO_DEVICE HarmonicsPixel(const Harmonics<T>& h, int64_t at) : direction(load3(h.directions, at)) {
    const T* values = h.coefficients + (h.own ? at / h.raster.pixels() * kItems : 0);
    for (int k = 0; k < kHarmonics; ++k) coefficients[k] = load3(values, k);
  }
};

template <class T>
struct SumHarmonics {
  Harmonics<T> h;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (h.triangle_id[at] < 0) return store_zero(out, at, 3);
    HarmonicsPixel<T> p(h, at);
    store3(out, at, harmonics_sum(p.coefficients, p.direction));
  }
};

template <class T, class Sums>
struct SumHarmonicsVjp {
  Harmonics<T> h;
  const T* grad_out;
  T* grad_directions;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (h.triangle_id[at] < 0) return store_zero(grad_directions, at, 3);
    HarmonicsPixel<T> p(h, at);
    const int64_t b = at / h.raster.pixels(), first = h.own ? b * kItems : 0;
    auto group = sums.group((uint64_t)b);
    T basis[kHarmonics];
    Vec3<T> g = load3(grad_out, at);
    store3(grad_directions, at, harmonics_sum_vjp(p.coefficients, p.direction, g, basis));
    for (int k = 0; k < kHarmonics; ++k) {
      const T color[3] = {basis[k] * g.x, basis[k] * g.y, basis[k] * g.z};
      add_all(sums, group, color, [&](int c) { return first + 3 * k + c; });
    }
  }
};

}  // namespace

template <class T>
void spherical_harmonics(const Harmonics<T>& h, T* out) {
  for_each(h.raster.batch * h.raster.pixels(), SumHarmonics<T>{h, out});
}

template <class T>
void spherical_harmonics_vjp(const Harmonics<T>& h, const T* grad_out, T* grad_directions, T* grad_coefficients) {
  Wanted<T> wanted{grad_coefficients, (h.own ? h.raster.batch : 1) * kItems};
  accumulate_in_double(wanted, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(h.raster.batch * h.raster.pixels(), SumHarmonicsVjp<T, Sums>{h, grad_out, grad_directions, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                               \
  template void spherical_harmonics(const Harmonics<T>&, T*); \
  template void spherical_harmonics_vjp(const Harmonics<T>&, const T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
