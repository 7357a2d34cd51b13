// SPDX-License-Identifier: MIT
// A warp for every edge and axis of every triangle that is seen; its threads share the lines that cross the edge, and each
// sweeps its lines from pixel to pixel.
#include "../math/classic.h"
#include "../math/sweep_gradient.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

// Marks the triangles [images, num_triangles] that are seen.
struct MarkSeen {
  const int32_t* triangle_id;
  int64_t per_image, num_triangles;
  uint32_t* seen;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    int32_t id = triangle_id[i];
    if (id >= 0 && id < num_triangles) set_flag(seen + i / per_image * num_triangles + id);
  }
};

uint32_t* mark_seen(Raster raster, const int32_t* triangle_id, int64_t num_triangles) {
  uint32_t* seen = scratch<uint32_t>(raster.batch * num_triangles);
  fill(seen, raster.batch * num_triangles, 0u);
  for_each(raster.batch * raster.pixels(), MarkSeen{triangle_id, raster.pixels(), num_triangles, seen});
  return seen;
}

// One image of a batch.
template <class T>
struct SweptImage {
  const int32_t* triangle_id;
  const T *image, *grad;
  int64_t height, width, channels;

  INTAGLIO_DEVICE int64_t num_lines(int axis) const { return axis == 0 ? width : height; }
  INTAGLIO_DEVICE int64_t num_places(int axis) const { return axis == 0 ? height : width; }
};

// What pixels from `begin` to `end` of a line, whichever comes first, gain by the colour of pixel `other`, over their distance
// from the cut; those of one triangle only unless it is -1.
template <class T, class S>
INTAGLIO_DEVICE void add_run(const SweptImage<T>& s, int axis, int64_t line, const SweepCut<S>& cut, int64_t begin, int64_t end,
                             int64_t other, int32_t triangle_id, T eps, double grad[2]) {
  for (int64_t place = min_of(begin, end); place <= max_of(begin, end); ++place) {
    const int64_t pixel = sweep_pixel(axis, line, place, s.height, s.width);
    if (triangle_id >= 0 && s.triangle_id[pixel] != triangle_id) continue;
    T gain = sweep_gain(s.image + pixel * s.channels, s.grad + pixel * s.channels, s.image + other * s.channels, s.channels);
    if (!(gain > 0)) continue;
    T from_cut = (T)((S)place - cut.cut);
    for (int k = 0; k < 2; ++k)
      if (!std::isinf(cut.reach[k])) grad[k] -= gain / sweep_distance((T)cut.reach[k], from_cut, eps);
  }
}

// The sums of one thread, of the cotangent of both ends of the edge along the places.
template <class T, class S>
INTAGLIO_DEVICE void sweep_edge_lines(const SweptImage<T>& s, const Vec2<S> corner[3], int edge, int axis, int32_t triangle_id,
                                      T eps, int lane, double grad[2]) {
  const SweepEdge<S> e = sweep_edge(corner, edge, axis);
  const SweepLines lines = sweep_lines(e, s.num_lines(axis));
  const int64_t places = s.num_places(axis);
  for (int64_t line = lines.first + lane; line <= lines.last; line += kWarp) {
    const SweepCut<S> cut = sweep_cut(e, line, places);
    if (!cut.exists) continue;
    const int64_t inner = sweep_pixel(axis, line, cut.inner, s.height, s.width);
    const int64_t outer = sweep_pixel(axis, line, cut.outer, s.height, s.width);
    if (s.triangle_id[inner] == triangle_id)
      add_run(s, axis, line, cut, cut.outer, e.out > 0 ? places - 1 : 0, inner, -1, eps, grad);
    add_run(s, axis, line, cut, cut.inner, sweep_far_end(e, line, places), outer, triangle_id, eps, grad);
  }
}

template <class T, class Sums>
struct Sweep {
  Surface<T> s;
  const T* grad_image;
  T eps;
  const uint32_t* seen;
  Sums sums;

  INTAGLIO_DEVICE void operator()(int64_t i, int lane) const {
    const Geometry<T>& g = s.geometry;
    const int64_t pair = i / 6, b = pair / g.num_triangles;
    const int edge = (int)(i % 6 / 2), axis = (int)(i % 2);
    if (!seen[pair]) return;
    const int32_t id = (int32_t)(pair % g.num_triangles);
    Corners corners;
    Vec4<T> v[3];
    Vec2<double> pixel[3];
    int order[3];
    if (!find_triangle(g, b, id, corners, v) || !sweep_corners(v, s.raster.height, s.raster.width, pixel, order)) return;
    const int64_t first = b * s.raster.pixels();
    const SweptImage<T> image{s.triangle_id + first,
                              s.image + first * s.channels,
                              grad_image + first * s.channels,
                              s.raster.height,
                              s.raster.width,
                              s.channels};
    double grad[2] = {0, 0};
    sweep_edge_lines(image, pixel, edge, axis, id, eps, lane, grad);
    auto group = sums.group((uint64_t)i);
    for (int k = 0; k < 2; ++k) {
      const int corner = order[(edge + k) % 3];
      Vec4<T> moved = sweep_corner_vjp(v[corner], axis == 0 ? 0.0 : grad[k], axis == 0 ? grad[k] : 0.0);
      const int64_t at = (g.row_of(b) * g.num_vertices + corners.vertex[corner]) * 4;
      const T of_corner[3] = {moved.x, moved.y, moved.w};
      add_all(sums, group, of_corner, [at](int item) { return at + (item < 2 ? item : 3); });
    }
  }
};

// Of faces as drawn in 2018, whose arithmetic is repeated in their own precision.
template <class T, class Sums>
struct ClassicSweep {
  ClassicFaces<T> f;
  Raster raster;
  const int32_t* face_index;
  const T *image, *grad_image;
  int64_t channels;
  T eps;
  const uint32_t* seen;
  Sums sums;

  INTAGLIO_DEVICE void operator()(int64_t i, int lane) const {
    const int64_t pair = i / 6, b = pair / f.num_drawn(), id = pair % f.num_drawn();
    const int edge = (int)(i % 6 / 2), axis = (int)(i % 2);
    if (!seen[pair]) return;
    const ClassicFace<T> face = load_classic_face(f.faces_of(b), f.num_faces, id);
    Vec2<T> pixel[3];
    for (int k = 0; k < 3; ++k)
      pixel[k] = {sweep_coordinate(face.x[k], raster.width), sweep_coordinate(face.y[k], raster.height)};
    const int64_t seen_from = b * raster.pixels();
    const SweptImage<T> swept{face_index + seen_from,
                              image + seen_from * channels,
                              grad_image + seen_from * channels,
                              raster.height,
                              raster.width,
                              channels};
    double grad[2] = {0, 0};
    sweep_edge_lines(swept, pixel, edge, axis, (int32_t)id, eps, lane, grad);
    auto group = sums.group((uint64_t)i);
    const int64_t first = b * f.num_faces * 9 + (axis == 0 ? 1 : 0);
    add_all(sums, group, grad, [&](int k) { return first + classic_corner(f.num_faces, id, (edge + k) % 3); });
  }
};

}  // namespace

template <class T>
void sweep_gradient_vjp(const Surface<T>& s, T eps, const T* grad_image, T* grad_pos_clip) {
  const Geometry<T>& g = s.geometry;
  check_size(s.raster);
  check_geometry(g);
  check_fragments(g, s.raster.pixels(), s.triangle_id);
  const uint32_t* seen = mark_seen(s.raster, s.triangle_id, g.num_triangles);
  accumulate(grad_pos_clip, g.rows * g.num_vertices * 4, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_warp(s.raster.batch * g.num_triangles * 6, Sweep<T, Sums>{s, grad_image, eps, seen, sums});
  });
}

template <class T>
void classic_sweep_vjp(const ClassicFaces<T>& f, Raster raster, const int32_t* face_index, const T* image, int64_t channels,
                       T eps, const T* grad_image, T* grad_faces) {
  check_size(raster);
  check_fragments(f.num_drawn(), raster.batch * raster.pixels(), face_index);
  const uint32_t* seen = mark_seen(raster, face_index, f.num_drawn());
  accumulate(grad_faces, f.batch * f.num_faces * 9, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each_warp(raster.batch * f.num_drawn() * 6,
                  ClassicSweep<T, Sums>{f, raster, face_index, image, grad_image, channels, eps, seen, sums});
  });
}

#define INTAGLIO_INSTANTIATE(T)                                         \
  template void sweep_gradient_vjp(const Surface<T>&, T, const T*, T*); \
  template void classic_sweep_vjp(const ClassicFaces<T>&, Raster, const int32_t*, const T*, int64_t, T, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
