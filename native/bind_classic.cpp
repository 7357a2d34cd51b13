// SPDX-License-Identifier: MIT
// Bindings of the renderer of 2018.
#include "bind.h"

namespace intaglio {
namespace bound {

template <class T>
ClassicFaces<T> classic_faces_of(const Array& faces, bool fill_back) {
  const T* values = faces.data<const T>({-1, -1, 3, 3});
  return {values, faces.size(0), faces.size(1), fill_back};
}

template <class T>
ClassicFragments<T> classic_fragments_of(const Array& face_index, const Array& weights, const Array& depth, int64_t batch) {
  Raster r = raster_of(face_index);
  return {r, face_index.data<Index>({batch, -1, -1}), weights.data<const T>({r.batch, r.height, r.width, 3}),
          depth.data<const T>({r.batch, r.height, r.width})};
}

void classic_rasterize(Arguments& next) {
  Array faces = next("faces");
  double near = next.number("near"), far = next.number("far");
  next.skip(2);  // the size
  bool fill_back = next.flag("fill_back");
  Array face_index = next("face_index"), weights = next("weights"), depth = next("depth");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    Raster r = raster_of(face_index);
    intaglio::classic_rasterize(f, r, (T)near, (T)far, face_index.data<int32_t>({f.batch, -1, -1}),
                                weights.data<T>({r.batch, r.height, r.width, 3}), depth.data<T>({r.batch, r.height, r.width}));
  });
}

void classic_rasterize_vjp(Arguments& next) {
  Array faces = next("faces"), face_index = next("face_index"), weights = next("weights"), depth = next("depth");
  bool fill_back = next.flag("fill_back");
  Array grad_depth = next("grad_depth"), grad_faces = next("grad_faces");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    ClassicFragments<T> fragments = classic_fragments_of<T>(face_index, weights, depth, f.batch);
    Raster r = fragments.raster;
    intaglio::classic_rasterize_vjp(f, fragments, grad_depth.data<const T>({r.batch, r.height, r.width}),
                                    grad_faces.data<T>({f.batch, f.num_faces, 3, 3}));
  });
}

void classic_silhouette(Arguments& next) {
  Array faces = next("faces");
  double near = next.number("near"), far = next.number("far");
  next.skip(3);  // what its gradient needs, and the size
  bool fill_back = next.flag("fill_back");
  Array face_index = next("face_index"), alpha = next("alpha");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    Raster r = raster_of(face_index);
    intaglio::classic_silhouette(f, r, (T)near, (T)far, face_index.data<int32_t>({f.batch, -1, -1}),
                                 alpha.data<T>({r.batch, r.height, r.width, 1}));
  });
}

void classic_sweep_vjp(Arguments& next) {
  Array image = next("image"), face_index = next("face_index"), faces = next("faces");
  double eps = next.number("eps");
  bool fill_back = next.flag("fill_back");
  Array grad_image = next("grad_image"), grad_faces = next("grad_faces");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    Raster r = raster_of(face_index);
    int64_t channels = image.size(3);
    intaglio::classic_sweep_vjp(f, r, face_index.data<Index>({f.batch, -1, -1}), image_of<const T>(image, r), channels, (T)eps,
                                grad_image.data<const T>({r.batch, r.height, r.width, channels}),
                                grad_faces.data<T>({f.batch, f.num_faces, 3, 3}));
  });
}

// One cube for each of the faces, in every image its own or for all the same.
template <class T>
FaceTextures<T> classic_textures_of(const Array& textures, const ClassicFaces<T>& faces, Raster raster) {
  FaceTextures<T> f = face_textures_of<T>(textures, raster);
  if (f.num_triangles != faces.num_faces) textures.fail("must have one cube for each of the faces");
  return f;
}

void classic_shade(Arguments& next) {
  Array textures = next("textures"), light = next("light"), background = next("background"), faces = next("faces"),
        face_index = next("face_index"), weights = next("weights"), depth = next("depth");
  double eps = next.number("eps");
  bool fill_back = next.flag("fill_back");
  Array out = next("out");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    ClassicFragments<T> fragments = classic_fragments_of<T>(face_index, weights, depth, f.batch);
    Raster r = fragments.raster;
    FaceTextures<T> t = classic_textures_of(textures, f, r);
    intaglio::classic_shade(t, light.data<const T>({r.batch, f.num_drawn(), t.channels}),
                            background.data<const T>({r.batch, t.channels}), f, fragments, (T)eps,
                            out.data<T>({r.batch, r.height, r.width, t.channels + 1}));
  });
}

void classic_shade_vjp(Arguments& next) {
  Array textures = next("textures"), light = next("light"), faces = next("faces"), face_index = next("face_index"),
        weights = next("weights"), depth = next("depth");
  double eps = next.number("eps");
  bool fill_back = next.flag("fill_back");
  Array grad_out = next("grad_out");
  next.skip(2);  // which gradients are wanted
  Array grad_textures = next("grad_textures"), grad_light = next("grad_light");
  for_scalar_of(faces, [&](auto scalar) {
    using T = decltype(scalar);
    ClassicFaces<T> f = classic_faces_of<T>(faces, fill_back);
    ClassicFragments<T> fragments = classic_fragments_of<T>(face_index, weights, depth, f.batch);
    Raster r = fragments.raster;
    FaceTextures<T> t = classic_textures_of(textures, f, r);
    T* texels = grad_textures ? grad_textures.flat<T>(textures.count()) : nullptr;
    intaglio::classic_shade_vjp(t, light.data<const T>({r.batch, f.num_drawn(), t.channels}), f, fragments, (T)eps,
                                grad_out.data<const T>({r.batch, r.height, r.width, t.channels + 1}), texels,
                                grad_light.data<T>({r.batch, f.num_drawn(), t.channels}));
  });
}

}  // namespace bound

void bind_classic(Bindings& to) {
  to.insert(to.end(), {{"classic_rasterize", "neural_renderer", bound::classic_rasterize},
                       {"classic_rasterize_vjp", "neural_renderer backward", bound::classic_rasterize_vjp},
                       {"classic_silhouette", "neural_renderer", bound::classic_silhouette},
                       {"classic_sweep_vjp", "neural_renderer backward", bound::classic_sweep_vjp},
                       {"classic_shade", "neural_renderer", bound::classic_shade},
                       {"classic_shade_vjp", "neural_renderer backward", bound::classic_shade_vjp}});
}

}  // namespace intaglio
