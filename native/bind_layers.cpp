// SPDX-License-Identifier: MIT
// Bindings of what is made of peeled layers.
#include "bind.h"

namespace intaglio {
namespace bound {

// colors [..., layers, channels] and what lies on its pixels.
template <class T, class Body>
void with_layers(const Array& colors, const Body& body) {
  const T* values = colors.data<const T>({-1, -1, -1, -1, -1});
  body(values, Raster{colors.size(0), colors.size(1), colors.size(2)}, colors.size(3), colors.size(4));
}

void composite(Arguments& next) {
  Array colors = next("colors"), out = next("out");
  for_scalar_of(colors, [&](auto scalar) {
    using T = decltype(scalar);
    with_layers<T>(colors, [&](const T* values, Raster r, int64_t layers, int64_t channels) {
      intaglio::composite(values, r, layers, channels, out.data<T>({r.batch, r.height, r.width, channels}));
    });
  });
}

void composite_vjp(Arguments& next) {
  Array colors = next("colors"), grad_out = next("grad_out"), grad_colors = next("grad_colors");
  for_scalar_of(colors, [&](auto scalar) {
    using T = decltype(scalar);
    with_layers<T>(colors, [&](const T* values, Raster r, int64_t layers, int64_t channels) {
      intaglio::composite_vjp(values, r, layers, channels, grad_out.data<const T>({r.batch, r.height, r.width, channels}),
                              grad_colors.data<T>({r.batch, r.height, r.width, layers, channels}));
    });
  });
}

void layered_edge_gradient_vjp(Arguments& next) {
  Array image = next("image"), colors = next("colors"), background = next("background"), triangle_id = next("triangle_id"),
        pos_clip = next("pos_clip"), triangles = next("triangles"), ranges = next("ranges"), neighbours = next("neighbours"),
        grad_image = next("grad_image"), grad_pos_clip = next("grad_pos_clip");
  for_scalar_of(image, [&](auto scalar) {
    using T = decltype(scalar);
    with_layers<T>(colors, [&](const T* values, Raster r, int64_t layers, int64_t channels) {
      Geometry<T> g = geometry_of<T>(pos_clip, triangles, ranges);
      auto pixels = {r.batch, r.height, r.width, channels};
      LayeredSurface<T> s{g,
                          neighbours_of(neighbours, g),
                          r,
                          layers,
                          channels,
                          triangle_id.data<Index>({g.images(), r.height, r.width, layers}),
                          image.data<const T>(pixels),
                          values,
                          background.data<const T>({-1, -1, -1, channels - 1})};
      if (s.background) {
        s.background_of_image = background.size(0) > 1, s.background_of_pixel = background.size(1) * background.size(2) > 1;
        background.data<const T>({s.background_of_image ? r.batch : 1, s.background_of_pixel ? r.height : 1,
                                  s.background_of_pixel ? r.width : 1, -1});
      }
      next.warning = warning_of_cut_walks(intaglio::layered_edge_gradient_vjp(
          s, grad_image.data<const T>(pixels), grad_pos_clip.data<T>({g.rows, g.num_vertices, 4})));
    });
  });
}

}  // namespace bound

void bind_layers(Bindings& to) {
  to.insert(to.end(), {{"composite", "composite", bound::composite},
                       {"composite_vjp", "composite backward", bound::composite_vjp},
                       {"layered_edge_gradient_vjp", "layered_edge_gradient backward", bound::layered_edge_gradient_vjp}});
}

}  // namespace intaglio
