// SPDX-License-Identifier: MIT
// Whole images: means of samples, sums of squares, and values spread over the edges of a surface.
#include "../math/image.h"
#include "../math/smooth.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

template <class T>
struct Downsample {
  const T* image;
  Raster size;
  int64_t channels, factor;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, pixel = i / channels, x = pixel % size.width, row = pixel / size.width;
    T sum = 0;
    for (int64_t s = 0; s < factor * factor; ++s)
      sum += image[((row * factor + s / factor) * size.width * factor + x * factor + s % factor) * channels + c];
    out[i] = sum * share_of_sample<T>(factor);
  }
};

template <class T>
struct DownsampleVjp {
  const T* grad_out;
  Raster size;
  int64_t channels, factor;
  T* grad_image;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, sample = i / channels, x = sample % (size.width * factor);
    const int64_t row = sample / (size.width * factor);
    grad_image[i] = share_of_sample<T>(factor) * grad_out[(row / factor * size.width + x / factor) * channels + c];
  }
};

template <class T>
struct SquaredError {
  const T *a, *b;
  INTAGLIO_DEVICE T operator()(int64_t, int64_t i) const { return (a[i] - b[i]) * (a[i] - b[i]); }
};

template <class T>
struct SquaredErrorVjp {
  const T *a, *b, *grad_out;
  T* grad_a;
  INTAGLIO_DEVICE void operator()(int64_t i) const { grad_a[i] = squared_difference_vjp(*grad_out, a[i] - b[i]); }
};

template <class T>
INTAGLIO_DEVICE T weight_of(const Graph& g, int64_t vertex) {
  return smoothing_weight<T>((int64_t)g.starts[vertex + 1] - g.starts[vertex]);  // whatever they hold, unchecked
}

// A round of smoothing, one channel of one vertex.
template <class T>
struct Smooth {
  const T *values, *before;
  Graph g;
  int64_t channels;
  T share;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t vertex = i / channels, c = i % channels;
    T sum = 0;
    for (int64_t e = max_of(g.starts[vertex], 0), end = min_of<int64_t>(g.starts[vertex + 1], g.num_ends); e < end; ++e) {
      const int64_t other = g.ends[e];
      if (other < 0 || other >= g.num_vertices) continue;
      sum += weight_of<T>(g, other) * before[other * channels + c];
    }
    out[i] = smoothed(values[i], share, weight_of<T>(g, vertex), sum);
  }
};

template <class T>
struct Copy {
  const T* from;
  T* to;
  INTAGLIO_DEVICE void operator()(int64_t i) const { to[i] = from[i]; }
};

struct FindFall {
  const int32_t* starts;
  uint64_t* first;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    if (starts[i] > starts[i + 1]) atomic_min(first, (uint64_t)i);
  }
};

void check_graph(const Graph& g) {
  if (!queue().checked) return;
  int64_t fall = find_first(g.num_vertices, [&](uint64_t* first) { return FindFall{g.starts, first}; });
  if (fall >= 0) throw_fall(fall);
  check_ends(fetch(g.starts), fetch(g.starts + g.num_vertices), g.num_ends);
  check_indices("ends", g.ends, g.num_ends, 0, g.num_vertices, kEndsRemedy);
}

}  // namespace

template <class T>
void downsample(const T* image, Raster size, int64_t channels, int64_t factor, T* out) {
  for_each(size.batch * size.pixels() * channels, Downsample<T>{image, size, channels, factor, out});
}

template <class T>
void downsample_vjp(const T* grad_out, Raster size, int64_t channels, int64_t factor, T* grad_image) {
  for_each(size.batch * size.pixels() * factor * factor * channels,
           DownsampleVjp<T>{grad_out, size, channels, factor, grad_image});
}

template <class T>
void squared_error(const T* a, const T* b, int64_t count, T* out) {
  sum_items(1, count, SquaredError<T>{a, b}, out);
}

template <class T>
void squared_error_vjp(const T* a, const T* b, int64_t count, const T* grad_out, T* grad_a) {
  for_each(count, SquaredErrorVjp<T>{a, b, grad_out, grad_a});
}

template <class T>
void smooth(const T* values, const Graph& g, int64_t channels, int64_t rounds, T share, T* out) {
  check_graph(g);
  const int64_t count = g.num_vertices * channels;
  if (rounds == 0) for_each(count, Copy<T>{values, out});
  T* const others = rounds > 1 ? scratch<T>(count) : nullptr;
  const T* before = values;
  for (int64_t left = rounds; left > 0; --left) {
    T* const to = left % 2 ? out : others;  // the last is `out`
    for_each(count, Smooth<T>{values, before, g, channels, share, to});
    before = to;
  }
}

#define INTAGLIO_INSTANTIATE(T)                                               \
  template void downsample(const T*, Raster, int64_t, int64_t, T*);           \
  template void downsample_vjp(const T*, Raster, int64_t, int64_t, T*);       \
  template void squared_error(const T*, const T*, int64_t, T*);               \
  template void squared_error_vjp(const T*, const T*, int64_t, const T*, T*); \
  template void smooth(const T*, const Graph&, int64_t, int64_t, T, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
