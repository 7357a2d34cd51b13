// SPDX-License-Identifier: MIT
// The door for torch, paddle and numpy. Every function takes its inputs, then the buffers that it fills.
#include "bind.h"

#include <nanobind/stl/vector.h>

#include "cpu/pool.h"

namespace intaglio {
namespace {

void bind_rasterize(nb::module_& m) {
  m.def("rasterize", [](nb::args args) {
    Arguments next(args);
    Array pos_clip = next("pos_clip"), triangles = next("triangles");
    next.skip();
    next.skip();
    Array triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), depth = next("depth");
    dispatch("rasterize", pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      return [=, id = triangle_id.data<int32_t>({g.batch, -1, -1}), weights = image_of<T>(barycentrics, r),
              z = depth.data<T>({r.batch, r.height, r.width})] { rasterize(g, r, id, weights, z); };
    });
  });
  m.def("silhouette", [](nb::args args) {
    Arguments next(args);
    Array pos_clip = next("pos_clip"), triangles = next("triangles");
    for (int traced = 0; traced < 3; ++traced) next.skip();  // neighbours, which its gradient needs, and the size
    Array triangle_id = next("triangle_id"), covered = next("covered");
    dispatch("silhouette", pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      return [=, id = triangle_id.data<int32_t>({g.batch, -1, -1}), values = covered.data<T>({r.batch, r.height, r.width, 1})] {
        rasterize_silhouette(g, r, id, values);
      };
    });
  });
  m.def("rasterize_vjp", [](nb::args args) {
    Arguments next(args);
    Array pos_clip = next("pos_clip"), triangles = next("triangles"), triangle_id = next("triangle_id"),
          grad_barycentrics = next("grad_barycentrics"), grad_depth = next("grad_depth"), grad_pos_clip = next("grad_pos_clip");
    dispatch("rasterize backward", pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles);
      return
          [=, id = triangle_id.data<Index>({g.batch, -1, -1}), grad_weights = image_of<const T>(grad_barycentrics, r),
           grad_z = grad_depth.data<const T>({r.batch, r.height, r.width}),
           grad = grad_pos_clip.data<T>({g.batch, g.num_vertices, 4})] { rasterize_vjp(g, r, id, grad_weights, grad_z, grad); };
    });
  });
}

void bind_interpolate(nb::module_& m) {
  m.def("interpolate", [](nb::args args) {
    Arguments next(args);
    Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
          barycentrics = next("barycentrics"), out = next("out");
    dispatch("interpolate", attributes, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Attributes<T> a = attributes_of<T>(attributes, triangles, r);
      return [=, id = triangle_id.data<Index>({-1, -1, -1}), weights = image_of<const T>(barycentrics, r),
              values = out.data<T>({r.batch, r.height, r.width, a.channels})] { interpolate(a, r, id, weights, values); };
    });
  });
  m.def("interpolate_vjp", [](nb::args args) {
    Arguments next(args);
    Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
          barycentrics = next("barycentrics"), grad_out = next("grad_out");
    next.skip();
    next.skip();
    Array grad_attributes = next("grad_attributes"), grad_barycentrics = next("grad_barycentrics");
    dispatch("interpolate backward", attributes, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Attributes<T> a = attributes_of<T>(attributes, triangles, r);
      T* grad_values = a.own_values ? grad_attributes.data<T>({r.batch, a.num_vertices, a.channels})
                                    : grad_attributes.data<T>({a.num_vertices, a.channels});
      return [=, id = triangle_id.data<Index>({-1, -1, -1}), weights = image_of<const T>(barycentrics, r),
              grad = grad_out.data<const T>({r.batch, r.height, r.width, a.channels}),
              grad_weights = image_of<T>(grad_barycentrics, r)] {
        interpolate_vjp(a, r, id, weights, grad, grad_values, grad_weights);
      };
    });
  });
  m.def("screen_derivatives", [](nb::args args) {
    Arguments next(args);
    Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
          pos_clip = next("pos_clip"), pos_triangles = next("pos_triangles"), out = next("out");
    dispatch("screen_derivatives", attributes, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      Attributes<T> a = attributes_of<T>(attributes, triangles, r);
      Geometry<T> g = geometry_of<T>(pos_clip, pos_triangles);
      return [=, id = triangle_id.data<Index>({g.batch, -1, -1}),
              values = out.data<T>({r.batch, r.height, r.width, a.channels, 2})] { screen_derivatives(a, g, r, id, values); };
    });
  });
}

template <class T>
Surface<T> surface_of(const Array& image, const Array& triangle_id, const Array& pos_clip, const Array& triangles,
                      const Array& neighbours) {
  Raster r = raster_of(triangle_id);
  Geometry<T> g = geometry_of<T>(pos_clip, triangles);
  Index* table =
      g.own_triangles ? neighbours.data<Index>({g.batch, g.num_triangles, 3}) : neighbours.data<Index>({g.num_triangles, 3});
  return {g, table, r, triangle_id.data<Index>({g.batch, -1, -1}), image_of<const T>(image, r), image.size(-1)};
}

// No sane mesh gets here, so it is said rather than counted: the edges of these pixels pass for edges without motion.
void warn_of_cut_walks(const char* op, int64_t count) {
  if (count == 0) return;
  std::string text = std::string(op) + ": " + std::to_string(count) +
                     " pixel pairs gave up after 4096 triangles within one pixel; their gradient may be wrong";
  if (PyErr_WarnEx(PyExc_RuntimeWarning, text.c_str(), 1) < 0) throw nb::python_error();
}

void bind_visibility(nb::module_& m) {
  m.def("edge_gradient_vjp", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
          neighbours = next("neighbours"), grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
    int64_t cut = dispatch("edge_gradient backward", image, [&](auto scalar) {
      using T = decltype(scalar);
      Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, neighbours);
      return [=, grad = grad_image.data<const T>({s.raster.batch, s.raster.height, s.raster.width, s.channels}),
              out = grad_pos_clip.data<T>({s.raster.batch, s.geometry.num_vertices, 4})] {
        return edge_gradient_vjp(s, grad, out);
      };
    });
    warn_of_cut_walks("edge_gradient", cut);
  });
  m.def("antialias", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
          neighbours = next("neighbours"), out = next("out");
    int64_t cut = dispatch("antialias", image, [&](auto scalar) {
      using T = decltype(scalar);
      Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, neighbours);
      return [=, blended = out.data<T>({s.raster.batch, s.raster.height, s.raster.width, s.channels})] {
        return antialias(s, blended);
      };
    });
    warn_of_cut_walks("antialias", cut);
  });
  m.def("antialias_vjp", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
          neighbours = next("neighbours"), grad_out = next("grad_out");
    next.skip();
    next.skip();
    Array grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
    dispatch("antialias backward", image, [&](auto scalar) {
      using T = decltype(scalar);
      Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, neighbours);
      auto pixels = {s.raster.batch, s.raster.height, s.raster.width, s.channels};
      return [=, grad = grad_out.data<const T>(pixels), image_out = grad_image.data<T>(pixels),
              pos_out = grad_pos_clip.data<T>({s.raster.batch, s.geometry.num_vertices, 4})] {
        return antialias_vjp(s, grad, image_out, pos_out);
      };
    });
  });
}

void bind_downsample(nb::module_& m) {
  m.def("downsample", [](nb::args args) {
    Arguments next(args);
    Array image = next("image");
    next.skip();
    Array out = next("out");
    dispatch("downsample", image, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r{out.size(0), out.size(1), out.size(2)};
      int64_t channels = out.size(3), factor = image.size(1) / r.height;
      return [=, samples = image.data<const T>({r.batch, factor * r.height, factor * r.width, channels}),
              means = image_of<T>(out, r)] { downsample(samples, r, channels, factor, means); };
    });
  });
  m.def("downsample_vjp", [](nb::args args) {
    Arguments next(args);
    Array grad_out = next("grad_out");
    next.skip();
    Array grad_image = next("grad_image");
    dispatch("downsample backward", grad_out, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r{grad_out.size(0), grad_out.size(1), grad_out.size(2)};
      int64_t channels = grad_out.size(3), factor = grad_image.size(1) / r.height;
      return [=, grad = image_of<const T>(grad_out, r),
              out = grad_image.data<T>({r.batch, factor * r.height, factor * r.width, channels})] {
        downsample_vjp(grad, r, channels, factor, out);
      };
    });
  });
}

void bind_loss(nb::module_& m) {
  m.def("squared_error", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), target = next("target"), out = next("out");
    dispatch("squared_error", image, [&](auto scalar) {
      using T = decltype(scalar);
      return [count = image.count(), a = image.flat<const T>(image.count()), b = target.flat<const T>(image.count()),
              sum = out.flat<T>(1)] { squared_error(a, b, count, sum); };
    });
  });
  m.def("squared_error_vjp", [](nb::args args) {
    Arguments next(args);
    Array image = next("image"), target = next("target"), grad_out = next("grad_out"), grad_image = next("grad_image");
    dispatch("squared_error backward", image, [&](auto scalar) {
      using T = decltype(scalar);
      return [count = image.count(), a = image.flat<const T>(image.count()), b = target.flat<const T>(image.count()),
              grad = *grad_out.flat<const T>(1),
              out = grad_image.flat<T>(image.count())] { squared_error_vjp(a, b, count, grad, out); };
    });
  });
}

}  // namespace
}  // namespace intaglio

NB_MODULE(_native, m) {
  using namespace intaglio;
  bind_rasterize(m);
  bind_interpolate(m);
  bind_visibility(m);
  bind_downsample(m);
  bind_loss(m);
  bind_texture(m);
  bind_sweep_gradient(m);
  bind_soft(m);
  m.def("recycled_array", &recycled_array);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
}
