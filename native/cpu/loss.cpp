// SPDX-License-Identifier: MIT
// The sum of squared differences of two images in one pass over each, without an image in between.
#include "loss.h"

#include <algorithm>
#include <vector>

#include "../math/image.h"
#include "../ops.h"
#include "pool.h"
#include "simd.h"

namespace intaglio {
namespace {

constexpr int64_t kSlice = 1 << 14, kLanes = 32;

// The sum of the squares of value(i), in lanes, which are added up two by two.
template <class T, class Value>
INTAGLIO_INLINE double sum_slice(int64_t count, const Value& value) {
  T lane[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t l = 0; l < kLanes; ++l) lane[l] += value(i + l) * value(i + l);
  for (int64_t l = 0; i < count; ++i, ++l) lane[l] += value(i) * value(i);
  double sum[kLanes];
  for (int64_t l = 0; l < kLanes; ++l) sum[l] = (double)lane[l];
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t l = 0; l < half; ++l) sum[l] += sum[l + half];
  return sum[0];
}

}  // namespace

INTAGLIO_CLONES double sum_of_squares(const float* a, const float* b, int64_t count) {
  return sum_slice<float>(count, [&](int64_t i) INTAGLIO_INLINED { return a[i] - b[i]; });
}
double sum_of_squares(const double* a, const double* b, int64_t count) {
  return sum_slice<double>(count, [&](int64_t i) INTAGLIO_INLINED { return a[i] - b[i]; });
}

INTAGLIO_CLONES double sum_of_squares(const float* a, int64_t count) {
  return sum_slice<float>(count, [&](int64_t i) INTAGLIO_INLINED { return a[i]; });
}
double sum_of_squares(const double* a, int64_t count) {
  return sum_slice<double>(count, [&](int64_t i) INTAGLIO_INLINED { return a[i]; });
}

template <class T>
void squared_error(const T* a, const T* b, int64_t count, T* out) {
  std::vector<double> sums((count + kSlice - 1) / kSlice);
  parallel_for((int64_t)sums.size(), [&](int64_t slice) {
    int64_t begin = slice * kSlice;
    sums[slice] = sum_of_squares(a + begin, b + begin, std::min(kSlice, count - begin));
  });
  double sum = 0;
  for (double s : sums) sum += s;
  *out = (T)sum;
}

template <class T>
void squared_error_vjp(const T* a, const T* b, int64_t count, const T* grad_out, T* grad_a) {
  const T grad = *grad_out;
  parallel_for((count + kSlice - 1) / kSlice, [&](int64_t slice) {
    int64_t end = std::min(count, (slice + 1) * kSlice);
    for (int64_t i = slice * kSlice; i < end; ++i) grad_a[i] = squared_difference_vjp(grad, a[i] - b[i]);
  });
}

template void squared_error(const float*, const float*, int64_t, float*);
template void squared_error(const double*, const double*, int64_t, double*);
template void squared_error_vjp(const float*, const float*, int64_t, const float*, float*);
template void squared_error_vjp(const double*, const double*, int64_t, const double*, double*);

}  // namespace intaglio
