// SPDX-License-Identifier: MIT
// The door's part for textures.
#include <algorithm>

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

// Texels [num_texels, channels] of the levels of a [height, width] texture, with or without a leading batch axis.
template <class T>
Texture<T> texture_of(const Array& texels, Raster raster, int64_t height, int64_t width, int64_t num_levels) {
  bool own = texels.axes() == 3;
  const T* values = own ? texels.data<const T>({raster.batch, -1, -1}) : texels.data<const T>({-1, -1});
  if (height < 1 || width < 1 || num_levels < 1 || num_levels > kMaxLevels) texels.fail("must have 1 to 15 levels of texels");
  int64_t num_texels = 0;
  for (int64_t l = 0; l < num_levels; ++l) num_texels += std::max<int64_t>(height >> l, 1) * std::max<int64_t>(width >> l, 1);
  if (texels.size(-2) != num_texels) texels.fail("must have as many texels as its levels");
  return {values, height, width, num_levels, num_texels, texels.size(-1), own};
}

// What the samples of both filters have in common: texels, uv and the wanted outputs.
struct Samples {
  const Array &texels, &uv;
  int64_t height, width, num_levels;
  Sampler sampler;

  Raster raster() const { return {uv.size(0), uv.size(1), uv.size(2)}; }
};

void run_sample(const char* op, const Samples& s, const Array& uv_derivatives, const Array& out) {
  dispatch(op, s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const T* uv = s.uv.data<const T>({-1, -1, -1, 2});
    Raster r = s.raster();
    Texture<T> t = texture_of<T>(s.texels, r, s.height, s.width, s.num_levels);
    return [=, sampler = s.sampler, derivatives = uv_derivatives.data<const T>({r.batch, r.height, r.width, 2, 2}),
            values = out.data<T>({r.batch, r.height, r.width, t.channels})] {
      sample_texture(t, sampler, r, uv, derivatives, values);
    };
  });
}

void run_sample_vjp(const char* op, const Samples& s, const Array& uv_derivatives, const Array& grad_out,
                    const Array& grad_texels, const Array& grad_uv) {
  dispatch(op, s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const T* uv = s.uv.data<const T>({-1, -1, -1, 2});
    Raster r = s.raster();
    Texture<T> t = texture_of<T>(s.texels, r, s.height, s.width, s.num_levels);
    T* texels_out = t.own_texels ? grad_texels.data<T>({r.batch, t.num_texels, t.channels})
                                 : grad_texels.data<T>({t.num_texels, t.channels});
    return [=, sampler = s.sampler, derivatives = uv_derivatives.data<const T>({r.batch, r.height, r.width, 2, 2}),
            grad = grad_out.data<const T>({r.batch, r.height, r.width, t.channels}),
            uv_out = grad_uv.data<T>({r.batch, r.height, r.width, 2})] {
      sample_texture_vjp(t, sampler, r, uv, derivatives, grad, texels_out, uv_out);
    };
  });
}

// One level, read with or without blending.
Samples level_samples(Arguments& next, const Array& texels, const Array& uv) {
  auto height = (int64_t)next.number(), width = (int64_t)next.number();
  auto filter = next.number() != 0 ? Filter::kBilinear : Filter::kNearest;
  return {texels, uv, height, width, 1, {filter, (Wrap)(int)next.number()}};
}

// A pyramid, read between two levels.
Samples pyramid_samples(Arguments& next, const Array& texels, const Array& uv) {
  auto height = (int64_t)next.number(), width = (int64_t)next.number(), num_levels = (int64_t)next.number();
  return {texels, uv, height, width, num_levels, {Filter::kTrilinear, (Wrap)(int)next.number()}};
}

void bind_sample_texture(nb::module_& m) {
  m.def("sample_level", [](nb::args args) {
    Arguments next(args);
    Array texels = next("texels"), uv = next("uv"), none(nb::none(), "uv_derivatives");
    Samples samples = level_samples(next, texels, uv);
    Array out = next("out");
    run_sample("sample_texture", samples, none, out);
  });
  m.def("sample_level_vjp", [](nb::args args) {
    Arguments next(args);
    Array texels = next("texels"), uv = next("uv"), none(nb::none(), "uv_derivatives");
    Samples samples = level_samples(next, texels, uv);
    Array grad_out = next("grad_out");
    next.skip();
    next.skip();
    Array grad_texels = next("grad_texels"), grad_uv = next("grad_uv");
    run_sample_vjp("sample_texture backward", samples, none, grad_out, grad_texels, grad_uv);
  });
  m.def("sample_pyramid", [](nb::args args) {
    Arguments next(args);
    Array texels = next("texels"), uv = next("uv"), uv_derivatives = next("uv_derivatives");
    Samples samples = pyramid_samples(next, texels, uv);
    Array out = next("out");
    run_sample("sample_texture", samples, uv_derivatives, out);
  });
  m.def("sample_pyramid_vjp", [](nb::args args) {
    Arguments next(args);
    Array texels = next("texels"), uv = next("uv"), uv_derivatives = next("uv_derivatives");
    Samples samples = pyramid_samples(next, texels, uv);
    Array grad_out = next("grad_out");
    next.skip();
    next.skip();
    Array grad_texels = next("grad_texels"), grad_uv = next("grad_uv");
    run_sample_vjp("sample_texture backward", samples, uv_derivatives, grad_out, grad_texels, grad_uv);
  });
}

void bind_mip_pyramid(nb::module_& m) {
  m.def("halve_texture", [](nb::args args) {
    Arguments next(args);
    Array texture = next("texture"), out = next("out");
    dispatch("mip_pyramid", texture, [&](auto scalar) {
      using T = decltype(scalar);
      const T* from = texture.data<const T>({-1, -1, -1, -1});
      Raster size{texture.size(0), texture.size(1), texture.size(2)};
      int64_t channels = texture.size(3), height = std::max<int64_t>(size.height / 2, 1),
              width = std::max<int64_t>(size.width / 2, 1);
      return [=, to = out.data<T>({size.batch, height, width, channels})] { halve_texture(from, size, channels, to); };
    });
  });
  m.def("halve_texture_vjp", [](nb::args args) {
    Arguments next(args);
    Array grad_out = next("grad_out");
    next.skip();
    next.skip();
    Array grad_texture = next("grad_texture");
    dispatch("mip_pyramid backward", grad_out, [&](auto scalar) {
      using T = decltype(scalar);
      T* to = grad_texture.data<T>({-1, -1, -1, -1});
      Raster size{grad_texture.size(0), grad_texture.size(1), grad_texture.size(2)};
      int64_t channels = grad_texture.size(3), height = std::max<int64_t>(size.height / 2, 1),
              width = std::max<int64_t>(size.width / 2, 1);
      return [=, from = grad_out.data<const T>({size.batch, height, width, channels})] {
        halve_texture_vjp(from, size, channels, to);
      };
    });
  });
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
  bind_mip_pyramid(m);
  bind_sample_texture(m);
  bind_face_texture(m);
}

}  // namespace intaglio
