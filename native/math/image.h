// SPDX-License-Identifier: MIT
// Whole images, compared and made smaller.
#pragma once
#include "vec.h"

namespace intaglio {

// What each of factor x factor samples is of their mean.
template <class T>
INTAGLIO_HD T share_of_sample(int64_t factor) {
  return 1 / (T)(factor * factor);
}

// The cotangent of a, where (a - b)^2 has the cotangent `grad`.
template <class T>
INTAGLIO_HD T squared_difference_vjp(T grad, T difference) {
  return 2 * grad * difference;
}

}  // namespace intaglio
