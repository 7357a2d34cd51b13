// SPDX-License-Identifier: MIT
// The door's part for gradients that reach beyond the edge.
#include "bind.h"

namespace intaglio {

void bind_sweep_gradient(nb::module_& m) {
  m.def("sweep_gradient_vjp", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles");
    double eps = next.number();
    Array grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
    dispatch("sweep_gradient backward", image, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      Surface<T> s{g, nullptr, r, triangle_id.data<Index>({g.batch, -1, -1}), image_of<const T>(image, r), image.size(-1)};
      return [=, grad = grad_image.data<const T>({r.batch, r.height, r.width, s.channels}),
              out = grad_pos_clip.data<T>({g.batch, g.num_vertices, 4})] { sweep_gradient_vjp(s, (T)eps, grad, out); };
    });
  });
}

namespace {

void bind_soft_rasterize(nb::module_& m) {
  m.def("soft_rasterize", [](nb::args args) {
    Arguments next(args);
    Array pos_clip = next("pos_clip"), triangles = next("triangles");
    next.skip();
    next.skip();
    double sigma = next.number();
    auto layers = (int64_t)next.number();
    Array triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), depth = next("depth"),
          probability = next("probability");
    dispatch("soft_rasterize", pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      int32_t* id = triangle_id.data<int32_t>({g.batch, -1, -1, layers});
      Raster r{g.batch, triangle_id.size(1), triangle_id.size(2)};
      return [=, weights = barycentrics.data<T>({r.batch, r.height, r.width, layers, 2}),
              z = depth.data<T>({r.batch, r.height, r.width, layers}),
              values = probability.data<T>({r.batch, r.height, r.width, layers})] {
        soft_rasterize(g, r, (T)sigma, layers, id, weights, z, values);
      };
    });
  });
  m.def("soft_rasterize_vjp", [](nb::args args) {
    Arguments next(args);
    Array pos_clip = next("pos_clip"), triangles = next("triangles"), triangle_id = next("triangle_id");
    double sigma = next.number();
    Array grad_barycentrics = next("grad_barycentrics"), grad_depth = next("grad_depth"),
          grad_probability = next("grad_probability"), grad_pos_clip = next("grad_pos_clip");
    dispatch("soft_rasterize backward", pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      Index* id = triangle_id.data<Index>({g.batch, -1, -1, -1});
      Raster r{g.batch, triangle_id.size(1), triangle_id.size(2)};
      int64_t layers = triangle_id.size(3);
      return [=, grad_weights = grad_barycentrics.data<const T>({r.batch, r.height, r.width, layers, 2}),
              grad_z = grad_depth.data<const T>({r.batch, r.height, r.width, layers}),
              grad_values = grad_probability.data<const T>({r.batch, r.height, r.width, layers}),
              grad = grad_pos_clip.data<T>({g.batch, g.num_vertices, 4})] {
        soft_rasterize_vjp(g, r, (T)sigma, layers, id, grad_weights, grad_z, grad_values, grad);
      };
    });
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

void bind_soft_blend(nb::module_& m) {
  m.def("soft_blend", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), depth = next("depth"), probability = next("probability");
    double gamma = next.number();
    Array color = next("color"), alpha = next("alpha"), background = next("background");
    dispatch("soft_blend", image, [&](auto scalar) {
      using T = decltype(scalar);
      SoftImage<T> s = soft_image_of<T>(image, depth, probability);
      auto pixels = {s.raster.batch, s.raster.height, s.raster.width};
      return [=, blended = color.data<T>({s.raster.batch, s.raster.height, s.raster.width, s.channels}),
              covered = alpha.data<T>(pixels),
              rest = background.data<T>(pixels)] { soft_blend(s, (T)gamma, blended, covered, rest); };
    });
  });
  m.def("soft_blend_vjp", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), depth = next("depth"), probability = next("probability");
    double gamma = next.number();
    Array grad_color = next("grad_color"), grad_alpha = next("grad_alpha"), grad_background = next("grad_background");
    for (int needs = 0; needs < 3; ++needs) next.skip();
    Array grad_image = next("grad_image"), grad_depth = next("grad_depth"), grad_probability = next("grad_probability");
    dispatch("soft_blend backward", image, [&](auto scalar) {
      using T = decltype(scalar);
      SoftImage<T> s = soft_image_of<T>(image, depth, probability);
      Raster r = s.raster;
      auto pixels = {r.batch, r.height, r.width};
      auto layers = {r.batch, r.height, r.width, s.layers};
      return [=, to_color = grad_color.data<const T>({r.batch, r.height, r.width, s.channels}),
              to_alpha = grad_alpha.data<const T>(pixels), to_background = grad_background.data<const T>(pixels),
              image_out = grad_image.data<T>({r.batch, r.height, r.width, s.layers, s.channels}),
              depth_out = grad_depth.data<T>(layers), probability_out = grad_probability.data<T>(layers)] {
        soft_blend_vjp(s, (T)gamma, to_color, to_alpha, to_background, image_out, depth_out, probability_out);
      };
    });
  });
}

}  // namespace

void bind_soft(nb::module_& m) {
  bind_soft_rasterize(m);
  bind_soft_blend(m);
}

}  // namespace intaglio
