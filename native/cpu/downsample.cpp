// SPDX-License-Identifier: MIT
// Supersampled images to their size: the mean of factor x factor samples.
#include <vector>

#include "../math/image.h"
#include "rows.h"

namespace intaglio {

template <class T>
void downsample(const T* image, Raster out_size, int64_t channels, int64_t factor, T* out) {
  const int64_t fine = out_size.width * factor * channels;  // values of a row of samples
  const T share = share_of_sample<T>(factor);
  with_channels(channels, [&](auto channels) {
    for_each_row(out_size, [&](int64_t b, int64_t y) {
      int64_t row = b * out_size.height + y;
      const T* samples = image + row * factor * fine;
      std::vector<T> sum(samples, samples + fine);
      for (int64_t s = 1; s < factor; ++s)
        for (int64_t i = 0; i < fine; ++i) sum[i] += samples[s * fine + i];
      T* pixel = out + row * out_size.width * channels;
      const T* next = sum.data();
      for (int64_t x = 0; x < out_size.width; ++x, pixel += channels) {
        for (int64_t c = 0; c < channels; ++c) pixel[c] = next[c];
        next += channels;
        for (int64_t s = 1; s < factor; ++s, next += channels)
          for (int64_t c = 0; c < channels; ++c) pixel[c] += next[c];
        for (int64_t c = 0; c < channels; ++c) pixel[c] *= share;
      }
    });
  });
}

template <class T>
void downsample_vjp(const T* grad_out, Raster out_size, int64_t channels, int64_t factor, T* grad_image) {
  const int64_t fine = out_size.width * factor * channels;
  const T share = share_of_sample<T>(factor);
  with_channels(channels, [&](auto channels) {
    for_each_row(out_size, [&](int64_t b, int64_t y) {
      int64_t row = b * out_size.height + y;
      const T* pixel = grad_out + row * out_size.width * channels;
      T *first = grad_image + row * factor * fine, *next = first;
      for (int64_t x = 0; x < out_size.width; ++x, pixel += channels)
        for (int64_t s = 0; s < factor; ++s, next += channels)
          for (int64_t c = 0; c < channels; ++c) next[c] = share * pixel[c];
      for (int64_t s = 1; s < factor; ++s) std::copy(first, first + fine, first + s * fine);
    });
  });
}

template void downsample(const float*, Raster, int64_t, int64_t, float*);
template void downsample(const double*, Raster, int64_t, int64_t, double*);
template void downsample_vjp(const float*, Raster, int64_t, int64_t, float*);
template void downsample_vjp(const double*, Raster, int64_t, int64_t, double*);

}  // namespace intaglio
