// SPDX-License-Identifier: MIT
// Normals from a map in tangent space. Mikkelsen: Simulation of Wrinkled Surfaces Revisited, 2008, and the rule of his
// mikktspace.h for pixels: normal and tangent as interpolated, not made unit or orthogonal; the bitangent is sign cross(normal,
// tangent). glTF 2.0, 3.9.3: the map's scale.
#pragma once
#include "direction.h"

namespace intaglio {

template <class T>
struct TangentFrame {
  Vec3<T> normal, tangent;
  T sign;
};

template <class T>
INTAGLIO_HD_INLINE Vec3<T> map_normal(const TangentFrame<T>& f, Vec3<T> texel, T scale) {
  T s = scale * (2 * texel.x - 1), t = scale * (2 * texel.y - 1) * f.sign, up = 2 * texel.z - 1;
  return unit(s * f.tangent + t * cross(f.normal, f.tangent) + up * f.normal).v;
}

template <class T>
struct MapNormalVjp {
  TangentFrame<T> frame;
  Vec3<T> texel;
  T scale;
};

template <class T>
INTAGLIO_HD_INLINE MapNormalVjp<T> map_normal_vjp(const TangentFrame<T>& f, Vec3<T> texel, T scale, Vec3<T> grad) {
  T x = 2 * texel.x - 1, y = 2 * texel.y - 1, s = scale * x, t = scale * y * f.sign, up = 2 * texel.z - 1;
  Vec3<T> bitangent = cross(f.normal, f.tangent);
  Vec3<T> g = unit_vjp(unit(s * f.tangent + t * bitangent + up * f.normal), grad);
  T grad_s = dot(g, f.tangent), grad_t = dot(g, bitangent);
  return {{up * g + t * cross(f.tangent, g), s * g + t * cross(g, f.normal), grad_t * scale * y},
          {2 * scale * grad_s, 2 * scale * f.sign * grad_t, 2 * dot(g, f.normal)},
          grad_s * x + grad_t * y * f.sign};
}

}  // namespace intaglio
