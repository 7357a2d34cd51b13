// SPDX-License-Identifier: MIT
// A thread per pixel.
#include "../math/composite.h"
#include "launch.h"

namespace intaglio {
namespace {

template <class T>
struct Composite {
  const T* colors;
  int64_t layers, channels;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    composite(colors + pixel * layers * channels, layers, channels, out + pixel * channels);
  }
};

template <class T>
struct CompositeVjp {
  const T* colors;
  int64_t layers, channels;
  const T* grad_out;
  T *behind, *grad_colors;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t first = pixel * layers * channels;
    composite_vjp(colors + first, layers, channels, grad_out + pixel * channels, behind + pixel * (layers + 1),
                  grad_colors + first);
  }
};

}  // namespace

template <class T>
void composite(const T* colors, Raster raster, int64_t layers, int64_t channels, T* out) {
  for_each(raster.batch * raster.pixels(), Composite<T>{colors, layers, channels, out});
}

template <class T>
void composite_vjp(const T* colors, Raster raster, int64_t layers, int64_t channels, const T* grad_out, T* grad_colors) {
  const int64_t pixels = raster.batch * raster.pixels();
  T* behind = scratch<T>(pixels * (layers + 1));
  for_each(pixels, CompositeVjp<T>{colors, layers, channels, grad_out, behind, grad_colors});
}

#define INTAGLIO_INSTANTIATE(T)                                    \
  template void composite(const T*, Raster, int64_t, int64_t, T*); \
  template void composite_vjp(const T*, Raster, int64_t, int64_t, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
