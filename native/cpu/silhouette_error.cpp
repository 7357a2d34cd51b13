// SPDX-License-Identifier: MIT
// A silhouette compared with a target, image by image while it is in the cache: drawn onto a canvas that is kept from call to
// call, compared row by row, and its edges walked in the same sweep. Where there are no triangles it is only compared.
#include <atomic>
#include <cstring>

#include "../math/image.h"
#include "accumulate.h"
#include "canvas.h"
#include "check.h"
#include "loss.h"
#include "pairs.h"

namespace intaglio {
namespace {

// out[i]: the share of covered samples among factor x factor, from the row of samples at `ids` on.
template <class T>
INTAGLIO_INLINE void share_covered(const int32_t* ids, int64_t width, int64_t factor, int64_t count, T* out) {
  if (factor == 1) {
    for (int64_t i = 0; i < count; ++i) out[i] = ids[i] >= 0 ? (T)1 : (T)0;
    return;
  }
  const T share = share_of_sample<T>(factor);
  for (int64_t i = 0; i < count; ++i) {
    int32_t covered = 0;
    for (int64_t y = 0; y < factor; ++y)
      for (int64_t x = 0; x < factor; ++x) covered += ids[y * width + i * factor + x] >= 0;
    out[i] = (T)covered * share;
  }
}

INTAGLIO_CLONES void share_row(const int32_t* ids, int64_t width, int64_t factor, int64_t count, float* out) {
  share_covered(ids, width, factor, count, out);
}

void share_row(const int32_t* ids, int64_t width, int64_t factor, int64_t count, double* out) {
  share_covered(ids, width, factor, count, out);
}

// One image beside its target, whose pixels are factor x factor samples of the canvas.
template <class T>
struct Comparison {
  const Canvas& canvas;
  const T* target;  // [.., width]
  int64_t factor, width;

  // The sum of squared differences of a row of pixels.
  double error(int64_t row) const {
    static const T nothing[kMaxSize] = {};
    T shares[kMaxSize];
    Columns drawn{width, 0};
    for (int64_t y = row * factor; y < (row + 1) * factor; ++y) {
      Columns samples = canvas.drawn(y);
      if (!samples.empty()) drawn = drawn.with({samples.begin / factor, (samples.end + factor - 1) / factor});
    }
    const T* own = target + row * width;
    if (drawn.empty()) return sum_of_squares(nothing, own, width);
    int64_t count = drawn.end - drawn.begin;
    share_row(canvas.ids() + row * factor * canvas.width() + drawn.begin * factor, canvas.width(), factor, count, shares);
    return sum_of_squares(nothing, own, drawn.begin) + sum_of_squares(shares, own + drawn.begin, count) +
           sum_of_squares(nothing, own + drawn.end, width - drawn.end);
  }

  // The cotangent of a sample.
  T grad(int64_t column, int64_t row) const {
    int64_t x = column / factor, y = row / factor;
    T share;
    share_covered(canvas.ids() + (y * canvas.width() + x) * factor, canvas.width(), factor, 1, &share);
    return squared_difference_vjp((T)1, share - target[y * width + x]) / (T)(factor * factor);
  }
};

// The gradient of the pairs that begin in rows of samples; the number of walks cut short.
template <class T>
int64_t add_gradient(const Comparison<T>& c, const WalkedMesh<T>& mesh, Raster raster, Slice rows, const AddTo<T>& add) {
  int64_t cut = 0;
  SeenCoverage<T> seen{c.canvas.ids()};
  auto columns = [&](int64_t y) { return c.canvas.tiles().with_pairs(y); };
  for_each_pair(mesh, seen, c.canvas.ids(), raster, rows, columns, [&](const PixelPair& pair, int64_t a, int64_t b) {
    bool across = pair.axis == Axis::kX;
    T grad_a = c.grad(pair.column, pair.row), grad_b = c.grad(pair.column + across, pair.row + !across);
    if (grad_a == 0 && grad_b == 0) return;
    auto grad = [&](int64_t pixel, int64_t) { return pixel == a ? grad_a : grad_b; };
    cut += add_pair_gradient(mesh, pair, a, b, seen, grad, add);
  });
  return cut;
}

}  // namespace

template <class T>
int64_t silhouette_error(const Geometry<T>& g, const int32_t* neighbours, Raster raster, int64_t factor, const T* target,
                         const T* weight, T* error, T* grad_pos_clip) {
  check_size(raster);
  check_geometry(g);
  check_neighbours(g, neighbours);
  std::atomic<int64_t> cut{0};
  const Raster one{1, raster.height, raster.width};
  const int64_t rows = raster.height / factor;
  const ImageGradients<T> gradients(g, grad_pos_clip);
  auto compare = [&](int64_t b, Workspace<T>& work, Canvas& canvas) {
    canvas.begin(one);
    draw_image(
        g, b, one, work, [](int64_t, int64_t) {},
        [&](const Tile<T>& tile, int column, int row) { canvas.put(tile, column, row); });
    canvas.end();
    Comparison<T> comparison{canvas, target + b * raster.pixels() / (factor * factor), factor, raster.width / factor};
    WalkedMesh<T> mesh = walked_mesh(g, neighbours, b, work.placed.snapped.data(), raster);
    std::vector<double> errors(rows);
    const Slice vertices = grad_pos_clip ? gradients.vertices(b) : Slice{0, 0};
    auto look = [&](int64_t, int64_t row_begin, int64_t row_end, T* sums) {
      const AddTo<T> add{sums, vertices.begin};
      for (int64_t y = row_begin; y < row_end; ++y)
        if (error && y % factor == 0) errors[y / factor] = comparison.error(y / factor);
      if (grad_pos_clip) cut += add_gradient(comparison, mesh, one, {row_begin, row_end}, add);
    };
    accumulate_rows(one, gradients.of(b), vertices.count() * 4, false, look);
    if (!error) return;
    double sum = 0;
    for (double e : errors) sum += e;
    error[b] = (T)sum;
  };
  for_each_image(g.images(), [&](int64_t b) {
    Workspace<T>::with([&](Workspace<T>& work) { Canvas::with([&](Canvas& canvas) { compare(b, work, canvas); }); });
  });
  gradients.add_up(weight);
  return cut;
}

template <class T>
void silhouette_error_vjp(const T* derivative, const T* grad_error, int64_t batch, int64_t num_vertices, T* grad_pos_clip) {
  const int64_t items = num_vertices * 4;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = b * items; i < (b + 1) * items; ++i) grad_pos_clip[i] = grad_error[b] * derivative[i];
}

template int64_t silhouette_error(const Geometry<float>&, const int32_t*, Raster, int64_t, const float*, const float*, float*,
                                  float*);
template int64_t silhouette_error(const Geometry<double>&, const int32_t*, Raster, int64_t, const double*, const double*,
                                  double*, double*);
template void silhouette_error_vjp(const float*, const float*, int64_t, int64_t, float*);
template void silhouette_error_vjp(const double*, const double*, int64_t, int64_t, double*);

}  // namespace intaglio
