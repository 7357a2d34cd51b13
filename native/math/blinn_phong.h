// SPDX-License-Identifier: MIT
// Blinn: Models of Light Reflection for Computer Synthesized Pictures, 1977, as Wavefront's MTL files use it (illum 2).
#pragma once
#include "brdf.h"
#include "light.h"

namespace intaglio {

// The cosine between n and the half vector of v and l, 0 where the light stands behind the surface; to the power of the
// shininess it is the highlight.
template <class T>
INTAGLIO_HD_INLINE T highlight_cosine(Vec3<T> n, Vec3<T> v, Vec3<T> l) {
  HalfVector<T> h = half_vector(n, v, l);
  return dot(n, l) > 0 ? h.cosine / std::sqrt(h.squared) : (T)0;
}

template <class T>
struct HighlightVjp {
  Vec3<T> n, half;
};

template <class T>
INTAGLIO_HD_INLINE HighlightVjp<T> highlight_cosine_vjp(Vec3<T> n, Vec3<T> v, Vec3<T> l, T grad) {
  HalfVector<T> h = half_vector(n, v, l);
  T per_length = 1 / std::sqrt(h.squared), lit = dot(n, l) > 0 ? grad : (T)0;
  T grad_squared = (T)-0.5 * lit * h.cosine * per_length * per_length * per_length;
  HalfVectorVjp<T> back = half_vector_vjp(n, h, grad_squared, lit * per_length, (T)0);
  return {back.n, back.half};
}

template <class T>
INTAGLIO_HD T highlight(T cosine, T shininess) {
  return cosine > 0 ? std::pow(cosine, max_of(shininess, (T)0)) : (T)0;
}

// Cosines below this count as this in the slope, which has no bound where the shininess is below 1.
template <class T>
constexpr T kLeastHighlightCosine = (T)1e-6;

// The cotangents of cosine (x) and shininess (y).
template <class T>
INTAGLIO_HD Vec2<T> highlight_vjp(T cosine, T shininess, T grad) {
  if (!(cosine > 0)) return {0, 0};
  T value = highlight(cosine, shininess);
  return {grad * max_of(shininess, (T)0) * value / max_of(cosine, kLeastHighlightCosine<T>),
          shininess > 0 ? grad * value * std::log(cosine) : (T)0};
}

// How much of one light the base and the highlight send to the viewer.
template <class T>
struct BlinnLobes {
  T base, highlight;
};

// One channel's cotangents of those of one light, times its share and color; `grad` is that of the channel.
template <class T>
INTAGLIO_HD_INLINE BlinnLobes<T> blinn_lobes_vjp(T diffuse, T specular, T grad) {
  return {grad * diffuse, grad * specular};
}

// The cotangent of color * share.
template <class T>
INTAGLIO_HD_INLINE T blinn_light_vjp(BlinnLobes<T> lobes, BlinnLobes<T> grad) {
  return grad.base * lobes.base + grad.highlight * lobes.highlight;
}

// From the cotangents of a light's two cosines and of the share that arrives.
template <class T>
struct BlinnLightVjp {
  Sight<T> sight;
  ArriveVjp<T> light;
};

template <class T>
INTAGLIO_HD_INLINE BlinnLightVjp<T> blinn_cosines_vjp(const Light<T>& light, Vec3<T> position, Sight<T> s, T grad_cosine,
                                                      T grad_half_cosine, T grad_share) {
  Vec3<T> l = arrive(light, position).towards;
  HighlightVjp<T> back = highlight_cosine_vjp(s.n, s.v, l, grad_half_cosine);
  ArriveVjp<T> from = arrive_vjp(light, position, Arrival<T>{back.half + grad_cosine * s.n, grad_share});
  return {{back.n + grad_cosine * l, back.half}, from};
}

}  // namespace intaglio
