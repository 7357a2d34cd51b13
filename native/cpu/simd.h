// SPDX-License-Identifier: MIT
// One source, several instruction sets: a function marked INTAGLIO_CLONES is compiled for each and chosen when the module
// is loaded. Its loops must be plain and branch-free; what they call becomes a part of it (flatten), for they would not become
// vectors around a call.
#pragma once
#include <cstdint>

#define INTAGLIO_INLINE inline __attribute__((always_inline))
#define INTAGLIO_INLINED __attribute__((always_inline))  // of a lambda

// ifunc needs glibc, and the sanitizers run before it is resolved.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(INTAGLIO_NO_CLONES)
#define INTAGLIO_CLONES __attribute__((flatten, target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
// Which of those runs here.
inline const char* simd_level() {
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  return __builtin_cpu_supports("x86-64-v3") ? "x86-64-v3" : "default";
}
#else
#define INTAGLIO_CLONES
inline const char* simd_level() {
  return "default";
}
#endif

// Lanes by name.
template <class T, int count>
struct VectorOf {
  typedef T Type __attribute__((vector_size(count * sizeof(T))));
};
template <class T, int count>
using Vector = typename VectorOf<T, count>::Type;

// To `out` those lanes of a and b; b's count on from a's.
template <int... lanes, class V>
INTAGLIO_INLINE void shuffle(const V& a, const V& b, V& out) {
#if defined(__clang__)
  out = __builtin_shufflevector(a, b, lanes...);
#else
  out = __builtin_shuffle(a, b, decltype(a < b){lanes...});
#endif
}

// A long fill with one value. Like memset, x86's string store does not fetch the lines that it overwrites.
template <class T>
inline void fill_words(T* begin, int64_t count, T value) {
#if defined(__x86_64__)
  if constexpr (sizeof(T) == 4) {
    asm volatile("rep stosl" : "+D"(begin), "+c"(count) : "a"(value) : "memory");
    return;
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("rep stosq" : "+D"(begin), "+c"(count) : "a"(value) : "memory");
    return;
  }
#endif
  for (int64_t i = 0; i < count; ++i) begin[i] = value;
}
