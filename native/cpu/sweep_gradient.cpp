// SPDX-License-Identifier: MIT
// Sweeps over long runs of pixels, whose image and gradient are therefore laid out line by line, channel by channel, in both
// directions. Triangles are swept in parallel, each into sums of its own, which are added to the vertices in their order.
#include "../math/sweep_gradient.h"

#include <vector>

#include "../math/classic.h"
#include "../math/triangle.h"
#include "accumulate.h"
#include "check.h"
#include "pool.h"
#include "rows.h"
#include "simd.h"

namespace intaglio {
namespace {

constexpr int kLanes = 16;

// Lines of one direction, [line, image channels then gradient channels, place], within the box outside of which the gradient is
// zero; around it lie kLanes places of zeros, so that runs need not end with the box.
template <class T>
struct LineImage {
  int64_t first_line = 0, first_place = 0, num_lines = 0, stride = 0, channels = 0;
  std::vector<int32_t> first, last;  // per line of the whole image: the places with a gradient
  std::vector<T> values;

  void lay_out(int64_t line_begin, int64_t line_end, int64_t place_begin, int64_t place_end, int64_t num_channels) {
    first_line = line_begin, first_place = place_begin, num_lines = line_end - line_begin, channels = num_channels;
    stride = place_end - place_begin + 2 * kLanes;
    values.resize(num_lines * 2 * channels * stride);
    for (int64_t plane = 0; plane < num_lines * 2 * channels; ++plane) {
      std::fill_n(values.data() + plane * stride, kLanes, (T)0);
      std::fill_n(values.data() + (plane + 1) * stride - kLanes, kLanes, (T)0);
    }
  }

  // The first channel of the image at a place of a line; the next channel lies a stride further.
  T* at(int64_t line, int64_t place) {
    return values.data() + (line - first_line) * 2 * channels * stride + kLanes + place - first_place;
  }
  const T* at(int64_t line, int64_t place) const { return const_cast<LineImage*>(this)->at(line, place); }

  // Too large to be kept for a caller who may never sweep such an image again.
  bool heavy() const { return values.capacity() * sizeof(T) > (32 << 20); }
};

// One image, seen along both axes (math/sweep_gradient.h).
template <class T>
struct SweptImage {
  int64_t height, width, channels;
  const int32_t* triangle_id;
  const T *image, *grad;
  LineImage<T> lines[2];

  int64_t num_lines(int axis) const { return axis == 0 ? width : height; }
  int64_t num_places(int axis) const { return axis == 0 ? height : width; }
  int64_t pixel(int axis, int64_t line, int64_t place) const { return sweep_pixel(axis, line, place, height, width); }
};

// A run of pixels from the edge to the border of the image, in steps of `direction`.
template <class T>
struct Run {
  const T* at;  // the first pixel's first channel
  int64_t count, stride, channels;
  int direction;
  T from_cut;  // of the first pixel
  T reach[2], eps[2];
};

// The two vertices' sums of gain over distance. Blocks of lanes begin at the edge, so that no pixel of its other side is met.
template <class T>
INTAGLIO_INLINE void sum_lanes(const Run<T>& run, const T* other, T out[2]) {
  T sum0[kLanes] = {}, sum1[kLanes] = {};
  for (int64_t done = 0; done < run.count; done += kLanes) {
    int64_t offset = run.direction > 0 ? done : -done - (kLanes - 1);
    const T *color = run.at + offset, *grad = color + run.channels * run.stride;
    T gain[kLanes] = {};
    for (int64_t c = 0; c < run.channels; ++c, color += run.stride, grad += run.stride)
#pragma GCC unroll 1  // else GCC unrolls before it vectorizes, and then cannot
      for (int l = 0; l < kLanes; ++l) gain[l] += (color[l] - other[c]) * grad[l];
    const T first = (T)offset;  // whole, so that its sum with a lane is exact; a distance of a hair must not be rounded away
    for (int l = 0; l < kLanes; ++l) {
      T g = gain[l] > 0 ? gain[l] : (T)0, distance = run.from_cut + (first + (T)l);
      sum0[l] += g / (run.reach[0] * distance + run.eps[0]);
      sum1[l] += g / (run.reach[1] * distance + run.eps[1]);
    }
  }
  out[0] = out[1] = 0;
  for (int l = 0; l < kLanes; ++l) out[0] += sum0[l], out[1] += sum1[l];
}

INTAGLIO_CLONES void sum_run(const Run<float>& run, const float* other, float out[2]) {
  sum_lanes(run, other, out);
}

void sum_run(const Run<double>& run, const double* other, double out[2]) {
  sum_lanes(run, other, out);
}

// All pixels outside the edge on this line would take the colour of the pixel inside it.
template <class T, class S>
void sweep_outside(const SweptImage<T>& s, int axis, int64_t line, const SweepCut<S>& cut, int out, T eps, double grad[2]) {
  const LineImage<T>& lines = s.lines[axis];
  int64_t count = out > 0 ? lines.last[line] - cut.outer + 1 : cut.outer - lines.first[line] + 1;
  int64_t skip = std::max<int64_t>(0, out > 0 ? lines.first[line] - cut.outer : cut.outer - lines.last[line]);
  if (count <= skip) return;
  int64_t begin = cut.outer + out * skip;
  Run<T> run{lines.at(line, begin), count - skip, lines.stride, lines.channels, out, (T)((S)begin - cut.cut), {}, {}};
  for (int k = 0; k < 2; ++k) run.reach[k] = (T)cut.reach[k], run.eps[k] = (cut.reach[k] > 0) == (out > 0) ? eps : -eps;
  T sums[2];
  sum_run(run, s.image + s.pixel(axis, line, cut.inner) * s.channels, sums);
  for (int k = 0; k < 2; ++k) grad[k] -= sums[k];
}

// The pixels of the triangle on this line would take the colour of the pixel outside the edge.
template <class T, class S>
void sweep_inside(const SweptImage<T>& s, int axis, int64_t line, const SweepCut<S>& cut, int64_t far_end, int32_t triangle_id,
                  T eps, double grad[2]) {
  const T* other = s.image + s.pixel(axis, line, cut.outer) * s.channels;
  const T reach[2] = {(T)cut.reach[0], (T)cut.reach[1]};
  T sums[2] = {};
  with_channels(s.channels, [&](auto channels) {
    for (int64_t place = std::min(cut.inner, far_end); place <= std::max(cut.inner, far_end); ++place) {
      int64_t pixel = s.pixel(axis, line, place);
      if (s.triangle_id[pixel] != triangle_id) continue;
      T gain = sweep_gain(s.image + pixel * channels, s.grad + pixel * channels, other, channels);
      if (!(gain > 0)) continue;
      T from_cut = (T)((S)place - cut.cut);
      for (int k = 0; k < 2; ++k)
        if (!std::isinf(reach[k])) sums[k] += gain / sweep_distance(reach[k], from_cut, eps);
    }
  });
  for (int k = 0; k < 2; ++k) grad[k] -= sums[k];
}

// The cotangent of the ndc positions of the triangle's corners.
struct CornerGradients {
  double x[3] = {}, y[3] = {};
};

template <class T, class S>
CornerGradients sweep_triangle(const SweptImage<T>& s, const Vec2<S> pixel[3], int32_t triangle_id, T eps) {
  CornerGradients grads;
  for (int edge = 0; edge < 3; ++edge)
    for (int axis = 0; axis < 2; ++axis) {
      SweepEdge<S> e = sweep_edge(pixel, edge, axis);
      SweepLines lines = sweep_lines(e, s.num_lines(axis));
      double* moved = axis == 0 ? grads.y : grads.x;
      for (int64_t line = lines.first; line <= lines.last; ++line) {
        SweepCut<S> cut = sweep_cut(e, line, s.num_places(axis));
        if (!cut.exists) continue;
        double grad[2] = {};
        if (s.triangle_id[s.pixel(axis, line, cut.inner)] == triangle_id) sweep_outside(s, axis, line, cut, e.out, eps, grad);
        sweep_inside(s, axis, line, cut, sweep_far_end(e, line, s.num_places(axis)), triangle_id, eps, grad);
        moved[edge] += grad[0], moved[(edge + 1) % 3] += grad[1];
      }
    }
  return grads;
}

template <class T, class Channels>
bool has_gradient(const T* grad, Channels channels) {
  bool any = false;
  for (int64_t c = 0; c < channels; ++c) any |= grad[c] != 0;
  return any;
}

// Which pixels have a gradient, as bounds per row and per column; false if none has.
template <class T>
bool find_gradient(SweptImage<T>& s) {
  LineImage<T>&columns = s.lines[0], &rows = s.lines[1];
  columns.first.assign(s.width, INT32_MAX), columns.last.assign(s.width, -1);
  rows.first.assign(s.height, INT32_MAX), rows.last.assign(s.height, -1);
  bool any = false;
  with_channels(s.channels, [&](auto channels) {
    for (int64_t row = 0; row < s.height; ++row) {
      int32_t up = (int32_t)(s.height - 1 - row), first = INT32_MAX, last = -1;
      for (int64_t x = 0; x < s.width; ++x) {
        if (!has_gradient(s.grad + (row * s.width + x) * channels, channels)) continue;
        first = std::min(first, (int32_t)x), last = (int32_t)x;
        columns.first[x] = up;
        columns.last[x] = std::max(columns.last[x], up);
      }
      rows.first[up] = first, rows.last[up] = last;
      any |= last >= 0;
    }
  });
  return any;
}

// Bounds of a set of lines, as places.
template <class T>
Vec2<int64_t> bounds_of(const LineImage<T>& lines) {
  Vec2<int64_t> bounds{INT32_MAX, -1};
  for (int32_t first : lines.first) bounds.x = std::min<int64_t>(bounds.x, first);
  for (int32_t last : lines.last) bounds.y = std::max<int64_t>(bounds.y, last);
  return bounds;
}

// One tile of the image into lines of one direction; `step_line` and `step_place` lead from pixel to pixel in the image.
template <class T, class Channels>
void copy_tile(const T* image, const T* grad, int64_t step_line, int64_t step_place, int64_t num_lines, int64_t num_places,
               Channels channels, int64_t stride, T* lines) {
  for (int64_t line = 0; line < num_lines; ++line)
    for (int64_t c = 0; c < channels; ++c) {
      T *to = lines + (line * 2 * channels + c) * stride, *to_grad = to + channels * stride;
      int64_t from = line * step_line * channels + c;
      for (int64_t place = 0; place < num_places; ++place, from += step_place * channels)
        to[place] = image[from], to_grad[place] = grad[from];
    }
}

// Copies the box with a gradient into lines of both directions, tile by tile.
template <class T>
void lay_out_lines(SweptImage<T>& s) {
  LineImage<T>&columns = s.lines[0], &rows = s.lines[1];
  Vec2<int64_t> x = bounds_of(rows), y = bounds_of(columns);
  columns.lay_out(x.x, x.y + 1, y.x, y.y + 1, s.channels);
  rows.lay_out(y.x, y.y + 1, x.x, x.y + 1, s.channels);
  constexpr int64_t kTile = 16;
  parallel_for((y.y - y.x) / kTile + 1, [&](int64_t tile_row) {
    int64_t up = y.x + tile_row * kTile, num_up = std::min(y.y + 1 - up, kTile);
    for (int64_t left = x.x; left <= x.y; left += kTile) {
      int64_t num_x = std::min(x.y + 1 - left, kTile), at = s.pixel(1, up, left) * s.channels;
      const T *image = s.image + at, *grad = s.grad + at;
      with_channels(s.channels, [&](auto channels) {
        copy_tile(image, grad, 1, -s.width, num_x, num_up, channels, columns.stride, columns.at(left, up));
        copy_tile(image, grad, -s.width, 1, num_up, num_x, channels, rows.stride, rows.at(up, left));
      });
    }
  });
}

// The triangles that an image shows, in their order. Hidden ones have no pixel to give or take.
std::vector<int32_t> visible_triangles(const int32_t* triangle_id, int64_t pixels, Slice shown) {
  std::vector<uint8_t> seen(shown.count(), 0);
  int32_t last = -1;
  for (int64_t i = 0; i < pixels; ++i) {
    if (triangle_id[i] == last) continue;
    last = triangle_id[i];
    check_triangle_id(last, shown);
    if (last >= 0) seen[last - shown.begin] = 1;
  }
  std::vector<int32_t> visible;
  for (int64_t i = 0; i < shown.count(); ++i)
    if (seen[i]) visible.push_back((int32_t)(shown.begin + i));
  return visible;
}

template <class T>
void see_image(SweptImage<T>& s, Raster raster, int64_t b, const int32_t* triangle_id, const T* image, int64_t channels,
               const T* grad) {
  const int64_t first_pixel = b * raster.pixels();
  s.height = raster.height, s.width = raster.width, s.channels = channels;
  s.triangle_id = triangle_id + first_pixel;
  s.image = image + first_pixel * channels, s.grad = grad + first_pixel * channels;
}

// Sweeps all visible triangles of the image: sweep(triangle_id) on the pool, then add(triangle_id, its corners' cotangents) in
// the order of the triangles.
template <class T, class Sweep, class Add>
void sweep_visible(SweptImage<T>& s, Slice shown, const Sweep& sweep, const Add& add) {
  std::vector<int32_t> visible = visible_triangles(s.triangle_id, s.height * s.width, shown);
  if (visible.empty() || !find_gradient(s)) return;
  lay_out_lines(s);
  std::vector<CornerGradients> grads(visible.size());
  constexpr int64_t kChunk = 16;
  const int64_t count = (int64_t)visible.size();
  parallel_for((count + kChunk - 1) / kChunk, [&](int64_t chunk) {
    for (int64_t i = chunk * kChunk; i < std::min(count, (chunk + 1) * kChunk); ++i) grads[i] = sweep(visible[i]);
  });
  for (int64_t i = 0; i < count; ++i) add(visible[i], grads[i]);
  for (LineImage<T>& lines : s.lines)
    if (lines.heavy()) lines.values = {};
}

template <class T>
void sweep_image(const Surface<T>& surface, int64_t b, const T* grad_image, T eps, Slice vertices, T* grad_vertices) {
  thread_local SweptImage<T> kept;
  SweptImage<T>& s = kept;
  const Geometry<T>& g = surface.geometry;
  const T* positions = g.positions_of(b);
  const int32_t* triangles = g.triangles_of(b);
  see_image(s, surface.raster, b, surface.triangle_id, surface.image, surface.channels, grad_image);
  std::fill_n(grad_vertices, vertices.count() * 4, (T)0);
  auto sweep = [&](int32_t triangle_id) {
    CornerGradients grads;
    Vec2<double> pixel[3];
    int order[3];
    Vec4<T> v[3];
    load_triangle(positions, triangles, triangle_id, v);
    if (!sweep_corners(v, s.height, s.width, pixel, order)) return grads;
    CornerGradients swept = sweep_triangle(s, pixel, triangle_id, eps);
    for (int k = 0; k < 3; ++k) grads.x[order[k]] = swept.x[k], grads.y[order[k]] = swept.y[k];
    return grads;
  };
  sweep_visible(s, g.shown(b), sweep, [&](int32_t triangle_id, const CornerGradients& grads) {
    for (int k = 0; k < 3; ++k) {
      int64_t vertex = triangles[3 * (int64_t)triangle_id + k];
      T* grad = grad_vertices + 4 * (vertex - vertices.begin);
      Vec4<T> moved = sweep_corner_vjp(load4(positions + 4 * vertex), grads.x[k], grads.y[k]);
      grad[0] += moved.x, grad[1] += moved.y, grad[3] += moved.w;
    }
  });
}

// Of faces as drawn in 2018, whose arithmetic is repeated in their own precision.
template <class T>
void sweep_classic_image(const ClassicFaces<T>& f, Raster raster, int64_t b, const int32_t* face_index, const T* image,
                         int64_t channels, T eps, const T* grad_image, T* grad_faces) {
  thread_local SweptImage<T> kept;
  SweptImage<T>& s = kept;
  see_image(s, raster, b, face_index, image, channels, grad_image);
  std::fill_n(grad_faces, f.num_faces * 9, (T)0);
  auto sweep = [&](int32_t id) {
    ClassicFace<T> face = load_classic_face(f.faces_of(b), f.num_faces, id);
    Vec2<T> pixel[3];
    for (int k = 0; k < 3; ++k) pixel[k] = {sweep_coordinate(face.x[k], s.width), sweep_coordinate(face.y[k], s.height)};
    return sweep_triangle(s, pixel, id, eps);
  };
  sweep_visible(s, Slice{0, f.num_drawn()}, sweep, [&](int32_t id, const CornerGradients& grads) {
    for (int k = 0; k < 3; ++k) {
      T* grad = grad_faces + classic_corner(f.num_faces, id, k);
      grad[0] += (T)grads.x[k], grad[1] += (T)grads.y[k];
    }
  });
}

}  // namespace

template <class T>
void sweep_gradient_vjp(const Surface<T>& s, T eps, const T* grad_image, T* grad_pos_clip) {
  check_size(s.raster);
  check_geometry(s.geometry);
  const ImageGradients<T> gradients(s.geometry, grad_pos_clip);
  auto sweep = [&](int64_t b) { sweep_image(s, b, grad_image, eps, gradients.vertices(b), gradients.of(b)); };
  for_each_image(s.raster.batch, sweep);
  gradients.add_up();
}

template <class T>
void classic_sweep_vjp(const ClassicFaces<T>& f, Raster raster, const int32_t* face_index, const T* image, int64_t channels,
                       T eps, const T* grad_image, T* grad_faces) {
  check_size(raster);
  for_each_image(raster.batch, [&](int64_t b) {
    sweep_classic_image(f, raster, b, face_index, image, channels, eps, grad_image, grad_faces + b * f.num_faces * 9);
  });
}

template void sweep_gradient_vjp(const Surface<float>&, float, const float*, float*);
template void sweep_gradient_vjp(const Surface<double>&, double, const double*, double*);
template void classic_sweep_vjp(const ClassicFaces<float>&, Raster, const int32_t*, const float*, int64_t, float, const float*,
                                float*);
template void classic_sweep_vjp(const ClassicFaces<double>&, Raster, const int32_t*, const double*, int64_t, double,
                                const double*, double*);

}  // namespace intaglio
