// SPDX-License-Identifier: MIT
// One source, several instruction sets: a function marked INTAGLIO_CLONES is compiled for each and chosen when the module
// is loaded. Its loops must be plain and branch-free, and what it calls marked INTAGLIO_INLINE.
#pragma once
#include <cstdint>

#define INTAGLIO_INLINE inline __attribute__((always_inline))
#define INTAGLIO_INLINED __attribute__((always_inline))  // of a lambda

// ifunc needs glibc, and the sanitizers run before it is resolved.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(INTAGLIO_NO_CLONES)
#define INTAGLIO_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
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
