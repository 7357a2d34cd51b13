// SPDX-License-Identifier: MIT
// Light from all around as a rough surface mirrors it. Karis, Real Shading in Unreal Engine 4, SIGGRAPH 2013 courses,
// "Pre-Filtered Environment Map": the surface is seen head-on (v = n = r), so that a texel weighs by its angle from the
// mirrored direction alone. All of it is constant; what is linear in the light is its own adjoint with the texels' roles
// exchanged.
#pragma once
#include "cube.h"

namespace intaglio {

// alpha^2 of the lobe over a cube of `size`^2 texels a face: roughness to the fourth, but no narrower than what reaches some
// texel from everywhere. In the middle of a face the next centre lies sqrt(2) / size aside, of length 1; 1e-3 is what 32-bit
// cosines still tell apart. The cosine where such a lobe ends is that of mirror_lobe_end, solved for alpha^2.
template <class T>
INTAGLIO_HD T mirror_lobe_width(T roughness, int64_t size) {
  const double aside2 = max_of(2 / ((double)size * (double)size), 1e-6), along = std::sqrt(1 + aside2);
  const double missing = aside2 / (along * (1 + along)) / 2;  // of (1 + cosine) / 2 to 1
  return max_of(roughness * roughness * roughness * roughness, (T)(1.01 * missing / (99 + missing)));
}

// GGX times the cosine, D(h) (n . l) with h halfway, but for a factor that is the same for all. Walter et al., Microfacet
// Models for Refraction through Rough Surfaces, 2007, equation 33; written so that narrow lobes keep their digits.
template <class T>
INTAGLIO_HD T mirror_lobe(T cosine, T alpha2) {
  T halfway2 = (1 + cosine) * (T)0.5, d = halfway2 * alpha2 + max_of(1 - cosine, (T)0) * (T)0.5;
  return cosine / (d * d);
}

// The cosine where D is a ten-thousandth of its peak, but none from behind the surface: beyond it a lobe counts as 0.
template <class T>
INTAGLIO_HD T mirror_lobe_end(T alpha2) {
  T halfway2 = (1 - 100 * alpha2) / max_of(1 - alpha2, (T)1e-6);
  return max_of(2 * halfway2 - 1, (T)0);
}

// The direction of a texel's centre, not of length 1.
template <class T>
INTAGLIO_HD Vec3<T> texel_direction(int32_t face, T column, T row, T size) {
  return from_face(FaceVector<T>{face, (2 * column + 1) / size - 1, (2 * row + 1) / size - 1, (T)1});
}

// The solid angle from the middle of a face to (s, t) on it.
template <class T>
INTAGLIO_HD T corner_solid_angle(T s, T t) {
  return std::atan2(s * t, std::sqrt(s * s + t * t + 1));
}

template <class T>
INTAGLIO_HD T texel_solid_angle(T column, T row, T size) {
  T s0 = 2 * column / size - 1, t0 = 2 * row / size - 1, s1 = s0 + 2 / size, t1 = t0 + 2 / size;
  return corner_solid_angle(s1, t1) - corner_solid_angle(s0, t1) - corner_solid_angle(s1, t0) + corner_solid_angle(s0, t0);
}

}  // namespace intaglio
