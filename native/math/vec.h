// SPDX-License-Identifier: MIT
// Small vectors and the macros that let one header serve the host and the device.
#pragma once
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define INTAGLIO_HD __host__ __device__ inline
#else
#define INTAGLIO_HD inline
#endif
// Inlined however long it is, so that loops over it become vector code.
#define INTAGLIO_HD_INLINE INTAGLIO_HD __attribute__((always_inline))

namespace intaglio {

template <class T>
struct Vec2 {
  T x, y;
};

template <class T>
struct Vec3 {
  T x, y, z;
};

template <class T>
INTAGLIO_HD_INLINE Vec3<T> operator+(Vec3<T> a, Vec3<T> b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}

template <class T>
INTAGLIO_HD_INLINE Vec3<T> operator-(Vec3<T> a, Vec3<T> b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}

template <class T>
INTAGLIO_HD_INLINE Vec3<T> operator*(T s, Vec3<T> a) {
  return {s * a.x, s * a.y, s * a.z};
}

template <class T>
INTAGLIO_HD_INLINE T dot(Vec3<T> a, Vec3<T> b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

template <class T>
INTAGLIO_HD_INLINE Vec3<T> cross(Vec3<T> a, Vec3<T> b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

// A clip-space position, or its cotangent.
template <class T>
struct Vec4 {
  T x, y, z, w;
};

template <class T>
INTAGLIO_HD Vec4<T> load4(const T* p) {
  return {p[0], p[1], p[2], p[3]};
}

template <class T>
INTAGLIO_HD T cross(Vec2<T> a, Vec2<T> b) {
  return a.x * b.y - a.y * b.x;
}

template <class T>
INTAGLIO_HD_INLINE T min_of(T a, T b) {
  return a < b ? a : b;
}

template <class T>
INTAGLIO_HD_INLINE T max_of(T a, T b) {
  return a > b ? a : b;
}

template <class T>
INTAGLIO_HD_INLINE T clamp(T x, T low, T high) {
  return min_of(max_of(x, low), high);
}

}  // namespace intaglio
