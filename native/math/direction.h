// SPDX-License-Identifier: MIT
// Directions: vectors of length 1, or 0 where there is none.
#pragma once
#include "vec.h"

namespace intaglio {

// Squares of lengths below this count as 0: they have no direction, and their gradient no bound.
template <class T>
constexpr T kShortestSquared = (T)1e-30;

template <class T>
struct Unit {
  Vec3<T> v;
  T per_length;  // 1 / the length that it had; 0 if that was 0
};

template <class T>
INTAGLIO_HD_INLINE Unit<T> unit(Vec3<T> a) {
  T squared = dot(a, a), per_length = 1 / std::sqrt(max_of(squared, kShortestSquared<T>));
  per_length = squared > kShortestSquared<T> ? per_length : (T)0;
  return {per_length * a, per_length};
}

template <class T>
INTAGLIO_HD_INLINE Vec3<T> unit_vjp(Unit<T> u, Vec3<T> grad) {
  return u.per_length * (grad - dot(u.v, grad) * u.v);
}

// What leads from a position to a place: a point (x, y, z, 1), or far away in a direction (x, y, z, 0).
template <class T>
INTAGLIO_HD_INLINE Vec3<T> towards(Vec4<T> place, Vec3<T> position) {
  return Vec3<T>{place.x, place.y, place.z} - place.w * position;
}

template <class T>
struct TowardsVjp {
  Vec4<T> place;
  Vec3<T> position;
};

template <class T>
INTAGLIO_HD_INLINE TowardsVjp<T> towards_vjp(Vec4<T> place, Vec3<T> position, Vec3<T> grad) {
  return {{grad.x, grad.y, grad.z, -dot(grad, position)}, -place.w * grad};
}

// How a surface is seen: its unit normal and the unit direction towards the viewer.
template <class T>
struct Sight {
  Vec3<T> n, v;
};

template <class T>
INTAGLIO_HD_INLINE Sight<T> operator+(Sight<T> a, Sight<T> b) {
  return {a.n + b.n, a.v + b.v};
}

template <class T>
INTAGLIO_HD_INLINE Sight<T> sight(Vec4<T> viewer, Vec3<T> position, Vec3<T> normal) {
  return {unit(normal).v, unit(towards(viewer, position)).v};
}

template <class T>
struct SightVjp {
  Vec4<T> viewer;
  Vec3<T> position, normal;
};

template <class T>
INTAGLIO_HD_INLINE SightVjp<T> sight_vjp(Vec4<T> viewer, Vec3<T> position, Vec3<T> normal, Sight<T> grad) {
  TowardsVjp<T> back = towards_vjp(viewer, position, unit_vjp(unit(towards(viewer, position)), grad.v));
  return {back.place, back.position, unit_vjp(unit(normal), grad.n)};
}

// The direction v turned around n, which both are units: 2 (n v) n - v.
template <class T>
INTAGLIO_HD_INLINE Vec3<T> mirrored(Vec3<T> n, Vec3<T> v) {
  return 2 * dot(n, v) * n - v;
}

template <class T>
struct MirroredVjp {
  Vec3<T> n, v;
};

template <class T>
INTAGLIO_HD_INLINE MirroredVjp<T> mirrored_vjp(Vec3<T> n, Vec3<T> v, Vec3<T> grad) {
  T along = 2 * dot(n, grad), cosine = 2 * dot(n, v);
  return {cosine * grad + along * v, along * n - grad};
}

}  // namespace intaglio
