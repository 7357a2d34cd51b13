// SPDX-License-Identifier: MIT
// What ops that work pixel by pixel share: every row once, and loops over channels that unroll.
#pragma once
#include <algorithm>
#include <type_traits>

#include "../ops.h"
#include "pool.h"

namespace intaglio {

constexpr int64_t kRowsPerTask = 16;

// body(b, y): every row of every image once, on the pool.
template <class Body>
void for_each_row(Raster raster, const Body& body) {
  int64_t rows = raster.batch * raster.height, tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  parallel_for(tasks, [&](int64_t task) {
    int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
    for (int64_t row = task * kRowsPerTask; row < end; ++row) body(row / raster.height, row % raster.height);
  });
}

// body(b) for every image: an image per thread where there are enough of them, else each on the whole pool.
template <class Body>
void for_each_image(int64_t batch, const Body& body) {
  if (batch >= num_threads()) return parallel_for(batch, body);
  for (int64_t b = 0; b < batch; ++b) body(b);
}

// Calls visit with the number of channels as a constant where it is a common one, so that inner loops unroll.
template <class Visit>
void with_channels(int64_t channels, const Visit& visit) {
  switch (channels) {
    case 1:
      return visit(std::integral_constant<int64_t, 1>());
    case 2:
      return visit(std::integral_constant<int64_t, 2>());
    case 3:
      return visit(std::integral_constant<int64_t, 3>());
    case 4:
      return visit(std::integral_constant<int64_t, 4>());
    default:
      return visit(channels);
  }
}

}  // namespace intaglio
