// SPDX-License-Identifier: MIT
// Real spherical harmonics to degree 2, without the Condon-Shortley phase, in the order (0, 0), (1, -1), (1, 0), (1, 1), (2,
// -2), ... (2, 2). Ramamoorthi, Hanrahan: An Efficient Representation for Irradiance Environment Maps, 2001, equation (3).
#pragma once
#include "direction.h"

namespace intaglio {

constexpr int kHarmonics = 9;

// Of the constant, of each coordinate, of products of two, of 3 z^2 - 1 and of x^2 - y^2: sqrt(1 / 4 pi), sqrt(3 / 4 pi),
// sqrt(15 / 4 pi), sqrt(5 / 16 pi), sqrt(15 / 16 pi).
template <class T>
struct HarmonicFactors {
  static constexpr T constant = (T)0.28209479177387814, linear = (T)0.4886025119029199, product = (T)1.0925484305920792,
                     axial = (T)0.31539156525252005, square = (T)0.5462742152960396;
};

template <class T>
INTAGLIO_HD_INLINE void harmonics(Vec3<T> d, T basis[kHarmonics]) {
  using F = HarmonicFactors<T>;
  basis[0] = F::constant;
  basis[1] = F::linear * d.y, basis[2] = F::linear * d.z, basis[3] = F::linear * d.x;
  basis[4] = F::product * d.x * d.y, basis[5] = F::product * d.y * d.z;
  basis[6] = F::axial * (3 * d.z * d.z - 1);
  basis[7] = F::product * d.x * d.z, basis[8] = F::square * (d.x * d.x - d.y * d.y);
}

template <class T>
INTAGLIO_HD_INLINE Vec3<T> harmonics_vjp(Vec3<T> d, const T grad[kHarmonics]) {
  using F = HarmonicFactors<T>;
  return {F::linear * grad[3] + F::product * (grad[4] * d.y + grad[7] * d.z) + 2 * F::square * grad[8] * d.x,
          F::linear * grad[1] + F::product * (grad[4] * d.x + grad[5] * d.z) - 2 * F::square * grad[8] * d.y,
          F::linear * grad[2] + F::product * (grad[5] * d.y + grad[7] * d.x) + 6 * F::axial * grad[6] * d.z};
}

// Unrolled, so that loops over directions become vector code.
#if defined(__CUDACC__)
#define INTAGLIO_UNROLL_HARMONICS _Pragma("unroll")
#else
#define INTAGLIO_UNROLL_HARMONICS _Pragma("GCC unroll 9")
#endif

// What comes from a direction of any length.
template <class T>
INTAGLIO_HD_INLINE Vec3<T> harmonics_sum(const Vec3<T> coefficients[kHarmonics], Vec3<T> direction) {
  T basis[kHarmonics];
  harmonics(unit(direction).v, basis);
  Vec3<T> sum{0, 0, 0};
  INTAGLIO_UNROLL_HARMONICS
  for (int k = 0; k < kHarmonics; ++k) sum = sum + basis[k] * coefficients[k];
  return sum;
}

// The cotangent of the direction; that of coefficient k is basis[k] * grad.
template <class T>
INTAGLIO_HD_INLINE Vec3<T> harmonics_sum_vjp(const Vec3<T> coefficients[kHarmonics], Vec3<T> direction, Vec3<T> grad,
                                             T basis[kHarmonics]) {
  T grad_basis[kHarmonics];
  Unit<T> d = unit(direction);
  harmonics(d.v, basis);
  INTAGLIO_UNROLL_HARMONICS
  for (int k = 0; k < kHarmonics; ++k) grad_basis[k] = dot(grad, coefficients[k]);
  return unit_vjp(d, harmonics_vjp(d.v, grad_basis));
}

}  // namespace intaglio
