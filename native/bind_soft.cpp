// SPDX-License-Identifier: MIT
// Bindings of gradients that reach beyond the edge.
#include "bind.h"

namespace intaglio {
namespace bound {

void sweep_gradient_vjp(Arguments& next) {
  Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
        ranges = next("ranges");
  double eps = next.number("eps");
  Array grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges);
    Surface<T> s{g, nullptr, r, triangle_id.data<Index>({g.images(), -1, -1}), image_of<const T>(image, r), image.size(-1)};
    intaglio::sweep_gradient_vjp(s, (T)eps, grad_image.data<const T>({r.batch, r.height, r.width, s.channels}),
                                 grad_pos_clip.data<T>({g.rows, g.num_vertices, 4}));
  });
}

void soft_rasterize(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges");
  const bool cull_backfaces = next.flag("cull_backfaces");
  next.skip(2);  // the size
  double sigma = next.number("sigma");
  int64_t layers = next.integer("layers");
  Array triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), depth = next("depth"),
        probability = next("probability");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges, cull_backfaces);
    int32_t* id = triangle_id.data<int32_t>({g.images(), -1, -1, layers});
    Raster r{g.images(), triangle_id.size(1), triangle_id.size(2)};
    intaglio::soft_rasterize(g, r, (T)sigma, layers, id, barycentrics.data<T>({r.batch, r.height, r.width, layers, 2}),
                             depth.data<T>({r.batch, r.height, r.width, layers}),
                             probability.data<T>({r.batch, r.height, r.width, layers}));
  });
}

void soft_rasterize_vjp(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges"), triangle_id = next("triangle_id");
  double sigma = next.number("sigma");
  Array grad_barycentrics = next("grad_barycentrics"), grad_depth = next("grad_depth"),
        grad_probability = next("grad_probability"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges);
    Index* id = triangle_id.data<Index>({g.images(), -1, -1, -1});
    Raster r{g.images(), triangle_id.size(1), triangle_id.size(2)};
    int64_t layers = triangle_id.size(3);
    intaglio::soft_rasterize_vjp(g, r, (T)sigma, layers, id,
                                 grad_barycentrics.data<const T>({r.batch, r.height, r.width, layers, 2}),
                                 grad_depth.data<const T>({r.batch, r.height, r.width, layers}),
                                 grad_probability.data<const T>({r.batch, r.height, r.width, layers}),
                                 grad_pos_clip.data<T>({g.rows, g.num_vertices, 4}));
  });
}

template <class T>
SoftImage<T> soft_image_of(const Array& image, const Array& depth, const Array& probability) {
  const T* values = image.data<const T>({-1, -1, -1, -1, -1});
  Raster r{image.size(0), image.size(1), image.size(2)};
  int64_t layers = image.size(3);
  return {r,
          layers,
          image.size(4),
          values,
          depth.data<const T>({r.batch, r.height, r.width, layers}),
          probability.data<const T>({r.batch, r.height, r.width, layers})};
}

void soft_blend(Arguments& next) {
  Array image = next("image"), depth = next("depth"), probability = next("probability");
  double gamma = next.number("gamma");
  Array color = next("color"), alpha = next("alpha"), background = next("background");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    SoftImage<T> s = soft_image_of<T>(image, depth, probability);
    auto pixels = {s.raster.batch, s.raster.height, s.raster.width};
    intaglio::soft_blend(s, (T)gamma, color.data<T>({s.raster.batch, s.raster.height, s.raster.width, s.channels}),
                         alpha.data<T>(pixels), background.data<T>(pixels));
  });
}

void soft_blend_vjp(Arguments& next) {
  Array image = next("image"), depth = next("depth"), probability = next("probability");
  double gamma = next.number("gamma");
  Array grad_color = next("grad_color"), grad_alpha = next("grad_alpha"), grad_background = next("grad_background");
  next.skip(3);  // which gradients are wanted
  Array grad_image = next("grad_image"), grad_depth = next("grad_depth"), grad_probability = next("grad_probability");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    SoftImage<T> s = soft_image_of<T>(image, depth, probability);
    Raster r = s.raster;
    auto pixels = {r.batch, r.height, r.width};
    auto layers = {r.batch, r.height, r.width, s.layers};
    intaglio::soft_blend_vjp(s, (T)gamma, grad_color.data<const T>({r.batch, r.height, r.width, s.channels}),
                             grad_alpha.data<const T>(pixels), grad_background.data<const T>(pixels),
                             grad_image.data<T>({r.batch, r.height, r.width, s.layers, s.channels}), grad_depth.data<T>(layers),
                             grad_probability.data<T>(layers));
  });
}

}  // namespace bound

void bind_sweep_gradient(Bindings& to) {
  to.push_back({"sweep_gradient_vjp", "sweep_gradient backward", bound::sweep_gradient_vjp});
}

void bind_soft(Bindings& to) {
  to.insert(to.end(), {{"soft_rasterize", "soft_rasterize", bound::soft_rasterize},
                       {"soft_rasterize_vjp", "soft_rasterize backward", bound::soft_rasterize_vjp},
                       {"soft_blend", "soft_blend", bound::soft_blend},
                       {"soft_blend_vjp", "soft_blend backward", bound::soft_blend_vjp}});
}

}  // namespace intaglio
