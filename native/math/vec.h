// SPDX-License-Identifier: MIT
// Small vectors and the two macros that let one header serve the host and the device.
#pragma once
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define INTAGLIO_HD __host__ __device__ inline
#else
#define INTAGLIO_HD inline
#endif

namespace intaglio {

template <class T>
struct Vec2 {
  T x, y;
};

template <class T>
struct Vec3 {
  T x, y, z;
};

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
INTAGLIO_HD T min_of(T a, T b) {
  return a < b ? a : b;
}

template <class T>
INTAGLIO_HD T max_of(T a, T b) {
  return a > b ? a : b;
}

template <class T>
INTAGLIO_HD T clamp(T x, T low, T high) {
  return min_of(max_of(x, low), high);
}

}  // namespace intaglio
