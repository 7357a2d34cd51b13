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

}  // namespace intaglio
