// SPDX-License-Identifier: MIT
#include "../math/harmonics.h"

#include "pixels.h"

namespace intaglio {
namespace {

constexpr int kItems = 3 * kHarmonics;

// By value: in vector code nothing may change them.
template <class T>
struct Coefficients {
  Vec3<T> of[kHarmonics];

  INTAGLIO_INLINE explicit Coefficients(const T* values) {
    for (int k = 0; k < kHarmonics; ++k) of[k] = {values[3 * k], values[3 * k + 1], values[3 * k + 2]};
  }
};

template <class T>
INTAGLIO_INLINE void harmonic_lanes(const Lanes3<T>& direction, const T* values, Lanes3<T>& out) {
  const Coefficients<T> coefficients(values);
  for (int i = 0; i < kLanes; ++i) out.put(i, harmonics_sum(coefficients.of, direction[i]));
}

// The cotangents of the directions replace them; those of the coefficients are added to their sums.
template <class T>
INTAGLIO_INLINE void harmonic_lanes_vjp(Lanes3<T>& direction, const T* values, const Lanes3<T>& grad_out, Lanes<T>* sums) {
  const Coefficients<T> coefficients(values);
  for (int i = 0; i < kLanes; ++i) {
    T basis[kHarmonics];
    Vec3<T> g = grad_out[i];
    direction.put(i, harmonics_sum_vjp(coefficients.of, direction[i], g, basis));
#pragma GCC unroll 9  // before the lanes become vectors
    for (int k = 0; k < kHarmonics; ++k)
      sums[3 * k][i] += basis[k] * g.x, sums[3 * k + 1][i] += basis[k] * g.y, sums[3 * k + 2][i] += basis[k] * g.z;
  }
}

INTAGLIO_CLONES void harmonic_block(const Lanes3<float>& direction, const float* coefficients, Lanes3<float>& out) {
  harmonic_lanes(direction, coefficients, out);
}
void harmonic_block(const Lanes3<double>& direction, const double* coefficients, Lanes3<double>& out) {
  harmonic_lanes(direction, coefficients, out);
}
INTAGLIO_CLONES void harmonic_block_vjp(Lanes3<float>& direction, const float* coefficients, const Lanes3<float>& grad_out,
                                        Lanes<float>* sums) {
  harmonic_lanes_vjp(direction, coefficients, grad_out, sums);
}
void harmonic_block_vjp(Lanes3<double>& direction, const double* coefficients, const Lanes3<double>& grad_out,
                        Lanes<double>* sums) {
  harmonic_lanes_vjp(direction, coefficients, grad_out, sums);
}

template <class T>
const T* coefficients_of(const Harmonics<T>& h, int64_t b) {
  return h.coefficients + (h.own ? b * kItems : 0);
}

}  // namespace

template <class T>
void spherical_harmonics(const Harmonics<T>& h, T* out) {
  for_each_band(h.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    Lanes3<T> direction, values;
    for_each_pixel_block<T>(h.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      gather(h.directions, pixels, direction);
      harmonic_block(direction, coefficients_of(h, b), values);
      scatter(values, pixels, out);
    });
  });
}

template <class T>
void spherical_harmonics_vjp(const Harmonics<T>& h, const T* grad_out, T* grad_directions, T* grad_coefficients) {
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    Lanes3<T> direction, grad;
    for_each_pixel_block<T>(h.triangle_id, begin, end, {{grad_directions, 3}}, [&](const PixelBlock& pixels) {
      gather(h.directions, pixels, direction);
      gather(grad_out, pixels, grad);
      harmonic_block_vjp(direction, coefficients_of(h, b), grad, sums);
      scatter(direction, pixels, grad_directions);
    });
  };
  put_sums(sum_over_pixels<T>(h.raster, kItems, add_band), h.raster.batch, 0, kItems, h.own, grad_coefficients);
}

#define INTAGLIO_INSTANTIATE(T)                               \
  template void spherical_harmonics(const Harmonics<T>&, T*); \
  template void spherical_harmonics_vjp(const Harmonics<T>&, const T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
