// SPDX-License-Identifier: MIT
// Lights, and what of them arrives at a point. Khronos: KHR_lights_punctual, 2017 (range is infinite).
#pragma once
#include "direction.h"

namespace intaglio {

constexpr int64_t kLightFields = 12;

// Its place, the colour times intensity, and the cone of a spot: light shines along `axis`, a unit vector; the share that goes
// off it is clamp(cosine * scale + offset, 0, 1)^2. All of it where scale = 0 and offset = 1.
template <class T>
struct Light {
  Vec4<T> place;
  Vec3<T> color, axis;
  T scale, offset;
};

template <class T>
INTAGLIO_HD_INLINE Light<T> load_light(const T* f) {
  return {{f[0], f[1], f[2], f[3]}, {f[4], f[5], f[6]}, {f[7], f[8], f[9]}, f[10], f[11]};
}

// A point light falls off with the squared distance; a nearer one than this counts as at this distance.
template <class T>
constexpr T kNearestSquared = (T)1e-8;

// The direction towards the light, 0 at its very place, and the share of its intensity.
template <class T>
struct Arrival {
  Vec3<T> towards;
  T share;
};

template <class T>
INTAGLIO_HD_INLINE Arrival<T> arrive(const Light<T>& light, Vec3<T> position) {
  Vec3<T> to_light = towards(light.place, position), l = unit(to_light).v;
  T falloff = 1 / max_of(dot(to_light, to_light), kNearestSquared<T>);
  T inside = clamp(-dot(light.axis, l) * light.scale + light.offset, (T)0, (T)1);
  return {l, (light.place.w != 0 ? falloff : (T)1) * inside * inside};
}

// Cotangents of the position and of the light, but for its colour. That a place is a point or a direction is not
// differentiated.
template <class T>
struct ArriveVjp {
  Vec3<T> position, place, axis;
  T scale, offset;
};

template <class T>
INTAGLIO_HD_INLINE ArriveVjp<T> arrive_vjp(const Light<T>& light, Vec3<T> position, Arrival<T> grad) {
  Vec3<T> to_light = towards(light.place, position);
  Unit<T> l = unit(to_light);
  T squared = dot(to_light, to_light), falloff = 1 / max_of(squared, kNearestSquared<T>);
  T cosine = -dot(light.axis, l.v), at = cosine * light.scale + light.offset, inside = clamp(at, (T)0, (T)1);
  T grad_falloff = grad.share * inside * inside;
  T falls = light.place.w != 0 ? (T)1 : (T)0;  // a number: vector code cannot mix a truth of the light with those of lanes
  T grad_squared = squared > kNearestSquared<T> ? -falls * grad_falloff * falloff * falloff : (T)0;
  T grad_inside = 2 * inside * grad.share * (light.place.w != 0 ? falloff : (T)1);
  T grad_at = (at > 0) & (at < 1) ? grad_inside : (T)0;
  T grad_cosine = grad_at * light.scale;
  Vec3<T> grad_to_light = unit_vjp(l, grad.towards - grad_cosine * light.axis) + 2 * grad_squared * to_light;
  return {-light.place.w * grad_to_light, grad_to_light, -grad_cosine * l.v, grad_at * cosine, grad_at};
}

}  // namespace intaglio
