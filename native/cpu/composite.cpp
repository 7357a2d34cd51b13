// SPDX-License-Identifier: MIT
#include "../math/composite.h"

#include <vector>

#include "rows.h"

namespace intaglio {

template <class T>
void composite(const T* colors, Raster raster, int64_t layers, int64_t channels, T* out) {
  with_channels(channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      const int64_t row = (b * raster.height + y) * raster.width;
      for (int64_t at = row; at < row + raster.width; ++at)
        composite(colors + at * layers * channels, layers, channels, out + at * channels);
    });
  });
}

template <class T>
void composite_vjp(const T* colors, Raster raster, int64_t layers, int64_t channels, const T* grad_out, T* grad_colors) {
  with_channels(channels, [&](auto channels) {
    for_each_row(raster, [&](int64_t b, int64_t y) {
      std::vector<T> behind(layers + 1);
      const int64_t row = (b * raster.height + y) * raster.width;
      for (int64_t at = row; at < row + raster.width; ++at)
        composite_vjp(colors + at * layers * channels, layers, channels, grad_out + at * channels, behind.data(),
                      grad_colors + at * layers * channels);
    });
  });
}

template void composite(const float*, Raster, int64_t, int64_t, float*);
template void composite(const double*, Raster, int64_t, int64_t, double*);
template void composite_vjp(const float*, Raster, int64_t, int64_t, const float*, float*);
template void composite_vjp(const double*, Raster, int64_t, int64_t, const double*, double*);

}  // namespace intaglio
