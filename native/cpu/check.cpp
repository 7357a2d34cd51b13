// SPDX-License-Identifier: MIT
#include "check.h"

#include "simd.h"

namespace intaglio {

INTAGLIO_CLONES IndexRange range_of(const int32_t* index, int64_t count) {
  int32_t least = INT32_MAX, most = INT32_MIN;
  for (int64_t i = 0; i < count; ++i) {
    least = index[i] < least ? index[i] : least;
    most = index[i] > most ? index[i] : most;
  }
  return {least, most};
}

}  // namespace intaglio
