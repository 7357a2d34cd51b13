// SPDX-License-Identifier: MIT
// The metallic-roughness material of glTF 2.0, appendix B: a diffuse base under a microfacet layer, times pi, so that a white
// matt surface lit straight from above by light of intensity 1 shows 1. n, v and l are unit vectors: normal, towards the viewer
// and towards the light. Walter et al.: Microfacet Models for Refraction through Rough Surfaces, 2007 (GGX). Heitz:
// Understanding the Masking-Shadowing Function in Microfacet-Based BRDFs, 2014 (Smith). Schlick: An Inexpensive BRDF Model,
// 1994 (Fresnel).
#pragma once
#include "direction.h"

namespace intaglio {

// Smoother than this, at a roughness of 0.045, lobes are narrower than float32 resolves and too bright for it.
template <class T>
constexpr T kLeastAlpha = (T)(0.045 * 0.045);
// What no material has, but what still has a finite square.
template <class T>
constexpr T kMostAlpha = (T)1e4;

// The square of alpha = roughness^2.
template <class T>
INTAGLIO_HD_INLINE T alpha_squared(T roughness) {
  T alpha = clamp(roughness * roughness, kLeastAlpha<T>, kMostAlpha<T>);
  return alpha * alpha;
}

template <class T>
INTAGLIO_HD_INLINE T alpha_squared_vjp(T roughness, T grad) {
  T alpha = roughness * roughness;
  return (alpha > kLeastAlpha<T>)&(alpha < kMostAlpha<T>) ? 4 * alpha * roughness * grad : (T)0;
}

// Half of the visibility function: 1 / (cosine + sqrt(alpha^2 + (1 - alpha^2) cosine^2)), of the cosine of n with v or with l.
// Smith's masking of microfacets by others, separable, over 2 cosine.
template <class T>
INTAGLIO_HD_INLINE T masking(T cosine, T alpha2) {
  return 1 / (cosine + std::sqrt(alpha2 + (1 - alpha2) * (cosine * cosine)));
}

template <class T>
struct MaskingVjp {
  T cosine, alpha2;
};

template <class T>
INTAGLIO_HD_INLINE MaskingVjp<T> masking_vjp(T cosine, T alpha2, T grad) {
  T root = std::sqrt(alpha2 + (1 - alpha2) * (cosine * cosine)), value = 1 / (cosine + root);
  T grad_sum = -grad * (value * value), grad_under = grad_sum / (2 * root);
  return {grad_sum + grad_under * 2 * (1 - alpha2) * cosine, grad_under * (1 - cosine * cosine)};
}

// The viewer's half of the visibility.
template <class T>
INTAGLIO_HD_INLINE T viewer_masking(Sight<T> s, T alpha2) {
  return masking(max_of(dot(s.n, s.v), (T)0), alpha2);
}

template <class T>
struct ViewerMaskingVjp {
  Sight<T> sight;
  T alpha2;
};

template <class T>
INTAGLIO_HD_INLINE ViewerMaskingVjp<T> viewer_masking_vjp(Sight<T> s, T alpha2, T grad) {
  T cosine = dot(s.n, s.v);
  MaskingVjp<T> back = masking_vjp(max_of(cosine, (T)0), alpha2, grad);
  T grad_cosine = cosine > 0 ? back.cosine : (T)0;
  return {{grad_cosine * s.v, grad_cosine * s.n}, back.alpha2};
}

// The share of a light that each lobe sends to the viewer: diffuse, n l; specular, pi D n l times the light's half of the
// visibility (the viewer's, the same for all lights, is left to the caller); both 0 behind the surface. fresnel is Schlick's
// (1 - v h)^5.
template <class T>
struct Lobes {
  T diffuse, specular, fresnel;
};

// Light that comes from where the viewer does not see the surface's front has no half vector: below this |l + v|^2.
template <class T>
constexpr T kLeastHalf = (T)1e-10;

template <class T>
INTAGLIO_HD_INLINE T fifth_power(T x) {
  return (x * x) * (x * x) * x;
}

// The angle between n and the half vector h of v and l, by squares of its sine and cosine, each times `squared` = |l + v|^2;
// the sine by the cross product, since 1 - cos^2 cancels where the lobe is. Facets that face away count as at right angles.
template <class T>
struct HalfVector {
  Vec3<T> half, across;
  T squared, cosine, sine2;
  T faces;  // 1, or 0 where they face away: a number, since vector code cannot mix truths of several origins
};

template <class T>
INTAGLIO_HD_INLINE HalfVector<T> half_vector(Vec3<T> n, Vec3<T> v, Vec3<T> l) {
  Vec3<T> half = l + v, across = cross(n, half);
  T raw = dot(half, half), squared = max_of(raw, kLeastHalf<T>), cosine = dot(n, half);
  T faces = (cosine > 0) & (raw > kLeastHalf<T>) ? (T)1 : (T)0;
  return {half, across, squared, faces * cosine, faces * dot(across, across) + (1 - faces) * squared, faces};
}

template <class T>
struct HalfVectorVjp {
  Vec3<T> n, half;
};

template <class T>
INTAGLIO_HD_INLINE HalfVectorVjp<T> half_vector_vjp(Vec3<T> n, const HalfVector<T>& h, T grad_squared, T grad_cosine,
                                                    T grad_sine2) {
  T grad_cos = h.faces * grad_cosine, grad_across = 2 * h.faces * grad_sine2;
  T grad_sum = grad_squared + (1 - h.faces) * grad_sine2;
  grad_sum = h.squared > kLeastHalf<T> ? 2 * grad_sum : (T)0;
  return {grad_cos * h.half + grad_across * cross(h.half, h.across),
          grad_sum * h.half + grad_cos * n + grad_across * cross(h.across, n)};
}

template <class T>
INTAGLIO_HD_INLINE Lobes<T> lobes(Sight<T> s, Vec3<T> l, T alpha2) {
  const Vec3<T> n = s.n, v = s.v;
  HalfVector<T> h = half_vector(n, v, l);
  T nl = max_of(dot(n, l), (T)0), ratio = h.squared / (h.sine2 + alpha2 * (h.cosine * h.cosine));
  T pi_d = alpha2 * (ratio * ratio), vh = (T)0.5 * std::sqrt(h.squared);
  return {nl, pi_d * masking(nl, alpha2) * nl, fifth_power(max_of(1 - vh, (T)0))};
}

template <class T>
struct LobesVjp {
  Sight<T> sight;
  Vec3<T> l;
  T alpha2;
};

template <class T>
INTAGLIO_HD_INLINE LobesVjp<T> lobes_vjp(Sight<T> s, Vec3<T> l, T alpha2, Lobes<T> grad) {
  const Vec3<T> n = s.n, v = s.v;
  HalfVector<T> h = half_vector(n, v, l);
  T raw_nl = dot(n, l), nl = max_of(raw_nl, (T)0), below = h.sine2 + alpha2 * (h.cosine * h.cosine), ratio = h.squared / below;
  T pi_d = alpha2 * (ratio * ratio), mask = masking(nl, alpha2), vh = (T)0.5 * std::sqrt(h.squared);
  T u = max_of(1 - vh, (T)0);

  MaskingVjp<T> grad_mask = masking_vjp(nl, alpha2, grad.specular * pi_d * nl);
  T grad_nl = raw_nl > 0 ? grad.diffuse + grad.specular * pi_d * mask + grad_mask.cosine : (T)0;
  T grad_pi_d = grad.specular * mask * nl, grad_ratio = 2 * grad_pi_d * alpha2 * ratio,
    grad_below = -grad_ratio * ratio / below;
  T grad_squared = grad_ratio / below - grad.fresnel * 5 * ((u * u) * (u * u)) / (8 * vh);
  HalfVectorVjp<T> grad_h = half_vector_vjp(n, h, grad_squared, 2 * grad_below * alpha2 * h.cosine, grad_below);
  T grad_alpha2 = grad_pi_d * ratio * ratio + grad_mask.alpha2 + grad_below * (h.cosine * h.cosine);
  return {{grad_nl * l + grad_h.n, grad_h.half}, grad_nl * n + grad_h.half, grad_alpha2};
}

// What one channel of the surface gives back of light received by its lobes: `edge` is the part of the microfacets' light that
// grazes them and is reflected whole, `facing` the rest, `base` what reaches the base.
template <class T>
struct Received {
  T base, facing, edge;
};

template <class T>
INTAGLIO_HD_INLINE Received<T> operator+(Received<T> a, Received<T> b) {
  return {a.base + b.base, a.facing + b.facing, a.edge + b.edge};
}

template <class T>
INTAGLIO_HD_INLINE Received<T> operator*(T s, Received<T> a) {
  return {s * a.base, s * a.facing, s * a.edge};
}

// Of a light of which this share arrives, whose channels are then multiplied by its colour.
template <class T>
INTAGLIO_HD_INLINE Received<T> received(T share, Lobes<T> lobe) {
  T facing = share * (1 - lobe.fresnel);
  return {facing * lobe.diffuse, facing * lobe.specular, share * lobe.fresnel * lobe.specular};
}

// The cotangent of one channel's color * share.
template <class T>
INTAGLIO_HD_INLINE T received_vjp(Lobes<T> lobe, Received<T> grad) {
  T facing = 1 - lobe.fresnel;
  return facing * (grad.base * lobe.diffuse + grad.facing * lobe.specular) + lobe.fresnel * lobe.specular * grad.edge;
}

// That of the lobes; `grad` is the sum over the channels, each times its color.
template <class T>
INTAGLIO_HD_INLINE Lobes<T> received_lobes_vjp(T share, Lobes<T> lobe, Received<T> grad) {
  T facing = 1 - lobe.fresnel;
  return {share * facing * grad.base, share * (facing * grad.facing + lobe.fresnel * grad.edge),
          share * (lobe.specular * (grad.edge - grad.facing) - lobe.diffuse * grad.base)};
}

// What of it the viewer sees, by his half of the visibility; its own vjp.
template <class T>
INTAGLIO_HD_INLINE Received<T> masked(Received<T> light, T mask) {
  return {light.base, mask * light.facing, mask * light.edge};
}

// The cotangent of the mask.
template <class T>
INTAGLIO_HD_INLINE T masked_vjp(Received<T> light, Received<T> grad) {
  return grad.facing * light.facing + grad.edge * light.edge;
}

// The reflectance of dielectrics at normal incidence.
template <class T>
constexpr T kDielectric = (T)0.04;

template <class T>
struct Metallic {
  T color, metallic;
};

// F0, from 0.04 to the colour.
template <class T>
INTAGLIO_HD_INLINE T normal_reflectance(Metallic<T> m) {
  return kDielectric<T> + m.metallic * (m.color - kDielectric<T>);
}

template <class T>
INTAGLIO_HD_INLINE Metallic<T> normal_reflectance_vjp(Metallic<T> m, T grad) {
  return {grad * m.metallic, grad * (m.color - kDielectric<T>)};
}

// c_diff (1 - F0) base + F0 facing + edge, where c_diff = color (1 - metallic).
template <class T>
INTAGLIO_HD_INLINE T give_back(Metallic<T> m, Received<T> light) {
  T f0 = normal_reflectance(m);
  return m.color * (1 - m.metallic) * (1 - f0) * light.base + f0 * light.facing + light.edge;
}

template <class T>
INTAGLIO_HD_INLINE Metallic<T> give_back_vjp(Metallic<T> m, Received<T> light, T grad) {
  T diffuse = m.color * (1 - m.metallic), grad_diffuse = grad * (1 - normal_reflectance(m)) * light.base;
  Metallic<T> of_f0 = normal_reflectance_vjp(m, grad * (light.facing - diffuse * light.base));
  return {grad_diffuse * (1 - m.metallic) + of_f0.color, of_f0.metallic - grad_diffuse * m.color};
}

// Its derivative to the light, which it is linear in.
template <class T>
INTAGLIO_HD_INLINE Received<T> give_back_of_light(Metallic<T> m, T grad) {
  T f0 = normal_reflectance(m);
  return {grad * m.color * (1 - m.metallic) * (1 - f0), grad * f0, grad};
}

}  // namespace intaglio
