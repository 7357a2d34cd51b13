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

void throw_triangle_id(int32_t triangle_id, Slice shown) {
  std::string expected = shown.begin == 0 ? "in [-1, " : "-1 or in [" + std::to_string(shown.begin) + ", ";
  throw std::invalid_argument("fragments.triangle_id must be " + expected + std::to_string(shown.end) + "); got " +
                              std::to_string(triangle_id) + " (were these fragments made from other triangles?)");
}

}  // namespace intaglio
