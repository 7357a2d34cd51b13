// SPDX-License-Identifier: MIT
// The door's part for textures.
#include "bind.h"

namespace intaglio {
namespace {

template <class T>
FaceTextures<T> face_textures_of(const Array& textures, Raster raster) {
  bool own = textures.axes() == 6;
  int64_t resolution = textures.size(-2);
  const T* values = own ? textures.data<const T>({raster.batch, -1, resolution, resolution, resolution, -1})
                        : textures.data<const T>({-1, resolution, resolution, resolution, -1});
  return {values, textures.size(own ? 1 : 0), resolution, textures.size(-1), own};
}

void bind_face_texture(nb::module_& m) {
  m.def("sample_face_texture", [](nb::args args) {
    Arguments next(args);
    Array textures = next("textures"), triangle_id = next("triangle_id"), barycentrics = next("barycentrics"),
          out = next("out");
    dispatch("sample_face_texture", textures, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      FaceTextures<T> f = face_textures_of<T>(textures, r);
      return
          [=, id = triangle_id.data<Index>({-1, -1, -1}), weights = barycentrics.data<const T>({r.batch, r.height, r.width, 2}),
           values = out.data<T>({r.batch, r.height, r.width, f.channels})] { sample_face_texture(f, r, id, weights, values); };
    });
  });
  m.def("sample_face_texture_vjp", [](nb::args args) {
    Arguments next(args);
    Array textures = next("textures"), triangle_id = next("triangle_id"), barycentrics = next("barycentrics"),
          grad_out = next("grad_out"), grad_textures = next("grad_textures");
    dispatch("sample_face_texture backward", textures, [&](auto scalar) {
      using T = decltype(scalar);
      Raster r = raster_of(triangle_id);
      FaceTextures<T> f = face_textures_of<T>(textures, r), grad_f = face_textures_of<T>(grad_textures, r);
      if (grad_f.num_triangles != f.num_triangles || grad_f.texels() != f.texels() || grad_f.channels != f.channels ||
          grad_f.own_values != f.own_values)
        grad_textures.fail("must have the shape of textures");
      return
          [=, id = triangle_id.data<Index>({-1, -1, -1}), weights = barycentrics.data<const T>({r.batch, r.height, r.width, 2}),
           grad = grad_out.data<const T>({r.batch, r.height, r.width, f.channels})] {
            sample_face_texture_vjp(f, r, id, weights, grad, const_cast<T*>(grad_f.values));
          };
    });
  });
}

}  // namespace

void bind_texture(nb::module_& m) {
  bind_face_texture(m);
}

}  // namespace intaglio
