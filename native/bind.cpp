// SPDX-License-Identifier: MIT
// Bindings of what draws and of what looks at whole images, and the table of all.
#include "bind.h"

namespace intaglio {
namespace bound {

void rasterize(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges");
  const bool cull_backfaces = next.flag("cull_backfaces");
  next.skip(2);  // the size
  Array triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), depth = next("depth");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges, cull_backfaces);
    intaglio::rasterize(g, r, triangle_id.data<int32_t>({g.images(), -1, -1}), image_of<T>(barycentrics, r),
                        depth.data<T>({r.batch, r.height, r.width}));
  });
}

void rasterize_behind(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges");
  const bool cull_backfaces = next.flag("cull_backfaces");
  Array before_id = next("before_id"), before_depth = next("before_depth");
  Array triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), depth = next("depth");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges, cull_backfaces);
    intaglio::rasterize_behind(g, r, before_id.data<Index>({r.batch, r.height, r.width}),
                               before_depth.data<const T>({r.batch, r.height, r.width}),
                               triangle_id.data<int32_t>({g.images(), -1, -1}), image_of<T>(barycentrics, r),
                               depth.data<T>({r.batch, r.height, r.width}));
  });
}

void rasterize_vjp(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges"), triangle_id = next("triangle_id"),
        grad_barycentrics = next("grad_barycentrics"), grad_depth = next("grad_depth"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges);
    intaglio::rasterize_vjp(g, r, triangle_id.data<Index>({g.images(), -1, -1}), image_of<const T>(grad_barycentrics, r),
                            grad_depth.data<const T>({r.batch, r.height, r.width}),
                            grad_pos_clip.data<T>({g.rows, g.num_vertices, 4}));
  });
}

void silhouette(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges");
  next.skip(1);  // neighbours, which its gradient needs
  const bool cull_backfaces = next.flag("cull_backfaces");
  next.skip(2);  // the size
  Array triangle_id = next("triangle_id"), covered = next("covered");
  for_scalar_of(pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges, cull_backfaces);
    rasterize_silhouette(g, r, triangle_id.data<int32_t>({g.images(), -1, -1}),
                         covered.data<T>({r.batch, r.height, r.width, 1}));
  });
}

void interpolate(Arguments& next) {
  Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
        barycentrics = next("barycentrics"), out = next("out");
  for_scalar_of(attributes, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Attributes<T> a = attributes_of<T>(attributes, triangles, r);
    intaglio::interpolate(a, r, triangle_id.data<Index>({-1, -1, -1}), image_of<const T>(barycentrics, r),
                          out.data<T>({r.batch, r.height, r.width, a.channels}));
  });
}

void interpolate_vjp(Arguments& next) {
  Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
        barycentrics = next("barycentrics"), grad_out = next("grad_out");
  next.skip(2);  // which gradients are wanted
  Array grad_attributes = next("grad_attributes"), grad_barycentrics = next("grad_barycentrics");
  for_scalar_of(attributes, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Attributes<T> a = attributes_of<T>(attributes, triangles, r);
    T* grad_values = a.own_values ? grad_attributes.data<T>({r.batch, a.num_vertices, a.channels})
                                  : grad_attributes.data<T>({a.num_vertices, a.channels});
    intaglio::interpolate_vjp(a, r, triangle_id.data<Index>({-1, -1, -1}), image_of<const T>(barycentrics, r),
                              grad_out.data<const T>({r.batch, r.height, r.width, a.channels}), grad_values,
                              image_of<T>(grad_barycentrics, r));
  });
}

void screen_derivatives(Arguments& next) {
  Array attributes = next("attributes"), triangles = next("triangles"), triangle_id = next("triangle_id"),
        pos_clip = next("pos_clip"), pos_triangles = next("pos_triangles"), ranges = next("ranges"), out = next("out");
  for_scalar_of(attributes, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Attributes<T> a = attributes_of<T>(attributes, triangles, r);
    Geometry<T> g = geometry_of<T>(pos_clip, pos_triangles, ranges);
    intaglio::screen_derivatives(a, g, r, triangle_id.data<Index>({g.images(), -1, -1}),
                                 out.data<T>({r.batch, r.height, r.width, a.channels, 2}));
  });
}

template <class T>
Surface<T> surface_of(const Array& image, const Array& triangle_id, const Array& pos_clip, const Array& triangles,
                      const Array& ranges, const Array& neighbours) {
  Raster r = raster_of(triangle_id);
  Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges);
  return {g,
          neighbours_of(neighbours, g),
          r,
          triangle_id.data<Index>({g.images(), -1, -1}),
          image_of<const T>(image, r),
          image.size(-1)};
}

void edge_gradient_vjp(Arguments& next) {
  Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
        ranges = next("ranges"), neighbours = next("neighbours"), grad_image = next("grad_image"),
        grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, ranges, neighbours);
    auto pixels = {s.raster.batch, s.raster.height, s.raster.width, s.channels};
    next.warning = warning_of_cut_walks(intaglio::edge_gradient_vjp(
        s, grad_image.data<const T>(pixels), grad_pos_clip.data<T>({s.geometry.rows, s.geometry.num_vertices, 4})));
  });
}

// What has been read of a call that compares silhouettes with their targets.
struct Compared {
  Array pos_clip, triangles, ranges, neighbours, target;
  bool cull_backfaces;
  int64_t factor;

  // Only one of weight, and error is given.
  void run(const Array& weight, const Array& error, const Array& grad_pos_clip, Arguments& next) const {
    for_scalar_of(pos_clip, [&](auto scalar) {
      using T = decltype(scalar);
      Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges, cull_backfaces);
      Raster r{g.images(), target.size(1) * factor, target.size(2) * factor};
      next.warning = warning_of_cut_walks(intaglio::silhouette_error(
          g, neighbours_of(neighbours, g), r, factor, target.data<const T>({r.batch, -1, -1}), weight.data<const T>({r.batch}),
          error.data<T>({r.batch}), grad_pos_clip.data<T>({g.rows, g.num_vertices, 4})));
    });
  }
};

const Array kNotGiven(nullptr, "nothing");

void silhouette_error(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), neighbours = next("neighbours"), target = next("target");
  const bool cull_backfaces = next.flag("cull_backfaces");
  int64_t factor = next.integer("supersample");
  next.skip(1);  // whether the gradient is wanted
  Array error = next("error"), grad_pos_clip = next("grad_pos_clip");
  Compared{pos_clip, triangles, kNotGiven, neighbours, target, cull_backfaces, factor}.run(kNotGiven, error, grad_pos_clip,
                                                                                           next);
}

Compared compared_ranges(Arguments& next) {
  Array pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges"), neighbours = next("neighbours"),
        target = next("target");
  const bool cull_backfaces = next.flag("cull_backfaces");
  return {pos_clip, triangles, ranges, neighbours, target, cull_backfaces, next.integer("supersample")};
}

void silhouette_error_of_ranges(Arguments& next) {
  Compared compared = compared_ranges(next);
  compared.run(kNotGiven, next("error"), kNotGiven, next);
}

void silhouette_error_of_ranges_vjp(Arguments& next) {
  Compared compared = compared_ranges(next);
  Array grad_error = next("grad_error"), grad_pos_clip = next("grad_pos_clip");
  compared.run(grad_error, kNotGiven, grad_pos_clip, next);
}

void silhouette_error_vjp(Arguments& next) {
  Array derivative = next("derivative"), grad_error = next("grad_error"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(derivative, [&](auto scalar) {
    using T = decltype(scalar);
    int64_t batch = derivative.size(0), num_vertices = derivative.size(1);
    intaglio::silhouette_error_vjp(derivative.data<const T>({batch, num_vertices, 4}), grad_error.data<const T>({batch}), batch,
                                   num_vertices, grad_pos_clip.data<T>({batch, num_vertices, 4}));
  });
}

void antialias(Arguments& next) {
  Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
        ranges = next("ranges"), neighbours = next("neighbours"), out = next("out");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, ranges, neighbours);
    auto pixels = {s.raster.batch, s.raster.height, s.raster.width, s.channels};
    next.warning = warning_of_cut_walks(intaglio::antialias(s, out.data<T>(pixels)));
  });
}

void antialias_vjp(Arguments& next) {
  Array image = next("image"), triangle_id = next("triangle_id"), pos_clip = next("pos_clip"), triangles = next("triangles"),
        ranges = next("ranges"), neighbours = next("neighbours"), grad_out = next("grad_out");
  next.skip(2);  // which gradients are wanted
  Array grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    Surface<T> s = surface_of<T>(image, triangle_id, pos_clip, triangles, ranges, neighbours);
    auto pixels = {s.raster.batch, s.raster.height, s.raster.width, s.channels};
    intaglio::antialias_vjp(s, grad_out.data<const T>(pixels), grad_image.data<T>(pixels),
                            grad_pos_clip.data<T>({s.geometry.rows, s.geometry.num_vertices, 4}));
  });
}

void downsample(Arguments& next) {
  Array image = next("image");
  next.skip(1);  // the factor
  Array out = next("out");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r{out.size(0), out.size(1), out.size(2)};
    int64_t channels = out.size(3), factor = image.size(1) / r.height;
    intaglio::downsample(image.data<const T>({r.batch, factor * r.height, factor * r.width, channels}), r, channels, factor,
                         image_of<T>(out, r));
  });
}

void downsample_vjp(Arguments& next) {
  Array grad_out = next("grad_out");
  next.skip(1);  // the factor
  Array grad_image = next("grad_image");
  for_scalar_of(grad_out, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r{grad_out.size(0), grad_out.size(1), grad_out.size(2)};
    int64_t channels = grad_out.size(3), factor = grad_image.size(1) / r.height;
    intaglio::downsample_vjp(image_of<const T>(grad_out, r), r, channels, factor,
                             grad_image.data<T>({r.batch, factor * r.height, factor * r.width, channels}));
  });
}

void squared_error(Arguments& next) {
  Array image = next("image"), target = next("target"), out = next("out");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    int64_t count = image.count();
    intaglio::squared_error(image.flat<const T>(count), target.flat<const T>(count), count, out.flat<T>(1));
  });
}

void squared_error_vjp(Arguments& next) {
  Array image = next("image"), target = next("target"), grad_out = next("grad_out"), grad_image = next("grad_image");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    int64_t count = image.count();
    intaglio::squared_error_vjp(image.flat<const T>(count), target.flat<const T>(count), count, grad_out.flat<const T>(1),
                                grad_image.flat<T>(count));
  });
}

void smooth(Arguments& next) {
  Array values = next("values"), starts = next("starts"), ends = next("ends");
  int64_t rounds = next.integer("rounds");
  double share = next.number("share");
  Array out = next("out");
  for_scalar_of(values, [&](auto scalar) {
    using T = decltype(scalar);
    int64_t num_vertices = values.size(0), channels = values.size(1);
    Graph graph{starts.data<Index>({num_vertices + 1}), ends.data<Index>({-1}), num_vertices, ends.size(0)};
    intaglio::smooth(values.data<const T>({-1, -1}), graph, channels, rounds, (T)share, out.data<T>({num_vertices, channels}));
  });
}

}  // namespace bound

const Bindings& bindings() {
  static const Bindings all = [] {
    Bindings table{{"rasterize", "rasterize", bound::rasterize},
                   {"rasterize_behind", "rasterize", bound::rasterize_behind},
                   {"rasterize_vjp", "rasterize backward", bound::rasterize_vjp},
                   {"silhouette", "silhouette", bound::silhouette},
                   {"silhouette_error", "silhouette_error", bound::silhouette_error},
                   {"silhouette_error_vjp", "silhouette_error backward", bound::silhouette_error_vjp},
                   {"silhouette_error_of_ranges", "silhouette_error", bound::silhouette_error_of_ranges},
                   {"silhouette_error_of_ranges_vjp", "silhouette_error backward", bound::silhouette_error_of_ranges_vjp},
                   {"interpolate", "interpolate", bound::interpolate},
                   {"interpolate_vjp", "interpolate backward", bound::interpolate_vjp},
                   {"screen_derivatives", "screen_derivatives", bound::screen_derivatives},
                   {"edge_gradient_vjp", "edge_gradient backward", bound::edge_gradient_vjp},
                   {"antialias", "antialias", bound::antialias},
                   {"antialias_vjp", "antialias backward", bound::antialias_vjp},
                   {"downsample", "downsample", bound::downsample},
                   {"downsample_vjp", "downsample backward", bound::downsample_vjp},
                   {"squared_error", "squared_error", bound::squared_error},
                   {"squared_error_vjp", "squared_error backward", bound::squared_error_vjp},
                   {"smooth", "smooth", bound::smooth}};
    bind_texture(table);
    bind_textured(table);
    bind_sweep_gradient(table);
    bind_shade(table);
    bind_soft(table);
    bind_layers(table);
    bind_classic(table);
    return table;
  }();
  return all;
}

}  // namespace intaglio
