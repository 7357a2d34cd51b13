// SPDX-License-Identifier: MIT
// Bindings of textures.
#include <algorithm>

#include "bind.h"

namespace intaglio {
namespace bound {

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

// What all samples begin with; a pyramid is read between two levels, one level with or without blending.
struct Samples {
  Array texels, uv, uv_derivatives, triangle_id;
  int64_t height, width, num_levels;
  Sampler sampler;

  Raster raster() const { return {uv.size(0), uv.size(1), uv.size(2)}; }

  template <class T>
  SamplePlaces<T> places() const {
    const T* at = uv.data<const T>({-1, -1, -1, 2});
    const Raster r = raster();
    return {at, uv_derivatives.data<const T>({r.batch, r.height, r.width, 2, 2}),
            triangle_id.data<Index>({r.batch, r.height, r.width})};
  }
};

Samples level_samples(Arguments& next) {
  Array texels = next("texels"), uv = next("uv"), triangle_id = next("triangle_id");
  int64_t height = next.integer("height"), width = next.integer("width");
  auto filter = next.integer("filter") != 0 ? Filter::kBilinear : Filter::kNearest;
  const Sampler sampler{filter, (Wrap)next.integer("wrap")};
  return {texels, uv, Array(nullptr, "uv_derivatives"), triangle_id, height, width, 1, sampler};
}

Samples pyramid_samples(Arguments& next) {
  Array texels = next("texels"), uv = next("uv"), uv_derivatives = next("uv_derivatives"), triangle_id = next("triangle_id");
  int64_t height = next.integer("height"), width = next.integer("width"), num_levels = next.integer("num_levels");
  auto wrap = (Wrap)next.integer("wrap");
  const Sampler sampler{Filter::kTrilinear, wrap, next.integer("max_anisotropy")};
  return {texels, uv, uv_derivatives, triangle_id, height, width, num_levels, sampler};
}

template <Samples (*read)(Arguments&)>
void sample(Arguments& next) {
  Samples s = read(next);
  Array out = next("out");
  for_scalar_of(s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const SamplePlaces<T> places = s.places<T>();
    Raster r = s.raster();
    Texture<T> t = texture_of<T>(s.texels, r, s.height, s.width, s.num_levels);
    sample_texture(t, s.sampler, r, places, out.data<T>({r.batch, r.height, r.width, t.channels}));
  });
}

template <Samples (*read)(Arguments&)>
void sample_vjp(Arguments& next) {
  Samples s = read(next);
  Array grad_out = next("grad_out");
  next.skip(2);  // which gradients are wanted
  Array grad_texels = next("grad_texels"), grad_uv = next("grad_uv");
  for_scalar_of(s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const SamplePlaces<T> places = s.places<T>();
    Raster r = s.raster();
    Texture<T> t = texture_of<T>(s.texels, r, s.height, s.width, s.num_levels);
    T* texels_out = t.own_texels ? grad_texels.data<T>({r.batch, t.num_texels, t.channels})
                                 : grad_texels.data<T>({t.num_texels, t.channels});
    sample_texture_vjp(t, s.sampler, r, places, grad_out.data<const T>({r.batch, r.height, r.width, t.channels}), texels_out,
                       grad_uv.data<T>({r.batch, r.height, r.width, 2}));
  });
}

// Texels [num_texels, channels] of the levels of a cube map, with or without a leading batch axis.
template <class T>
CubeMap<T> cube_of(const Array& texels, Raster raster, int64_t size, int64_t num_levels) {
  bool own = texels.axes() == 3;
  const T* values = own ? texels.data<const T>({raster.batch, -1, -1}) : texels.data<const T>({-1, -1});
  if (size < 1 || num_levels < 1 || num_levels > kMaxLevels) texels.fail("must have 1 to 15 levels of texels");
  int64_t num_texels = 0;
  for (int64_t l = 0; l < num_levels; ++l) num_texels += 6 * std::max<int64_t>(size >> l, 1) * std::max<int64_t>(size >> l, 1);
  if (texels.size(-2) != num_texels) texels.fail("must have as many texels as its levels");
  return {values, size, num_levels, num_texels, texels.size(-1), own};
}

// What all samples of cube maps begin with.
struct CubeSamples {
  Array texels, directions, lod;
  int64_t size, num_levels;
  Filter filter;

  Raster raster() const { return {directions.size(0), directions.size(1), directions.size(2)}; }
};

CubeSamples cube_level_samples(Arguments& next) {
  Array texels = next("texels"), directions = next("directions");
  int64_t size = next.integer("size");
  return {texels, directions, Array(nullptr, "lod"),
          size,   1,          next.integer("filter") != 0 ? Filter::kBilinear : Filter::kNearest};
}

CubeSamples cube_pyramid_samples(Arguments& next) {
  Array texels = next("texels"), directions = next("directions"), lod = next("lod");
  int64_t size = next.integer("size");
  return {texels, directions, lod, size, next.integer("num_levels"), Filter::kTrilinear};
}

template <CubeSamples (*read)(Arguments&)>
void sample_cube(Arguments& next) {
  CubeSamples s = read(next);
  Array out = next("out");
  for_scalar_of(s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const T* directions = s.directions.data<const T>({-1, -1, -1, 3});
    Raster r = s.raster();
    CubeMap<T> cube = cube_of<T>(s.texels, r, s.size, s.num_levels);
    intaglio::sample_cube(cube, s.filter, r, directions, s.lod.data<const T>({r.batch, r.height, r.width}),
                          out.data<T>({r.batch, r.height, r.width, cube.channels}));
  });
}

template <CubeSamples (*read)(Arguments&), bool has_lod>
void sample_cube_vjp(Arguments& next) {
  CubeSamples s = read(next);
  Array grad_out = next("grad_out");
  next.skip(has_lod ? 3 : 2);  // which gradients are wanted
  Array grad_texels = next("grad_texels"), grad_directions = next("grad_directions"),
        grad_lod = has_lod ? next("grad_lod") : Array(nullptr, "grad_lod");
  for_scalar_of(s.texels, [&](auto scalar) {
    using T = decltype(scalar);
    const T* directions = s.directions.data<const T>({-1, -1, -1, 3});
    Raster r = s.raster();
    CubeMap<T> cube = cube_of<T>(s.texels, r, s.size, s.num_levels);
    T* texels_out = cube.own_texels ? grad_texels.data<T>({r.batch, cube.num_texels, cube.channels})
                                    : grad_texels.data<T>({cube.num_texels, cube.channels});
    intaglio::sample_cube_vjp(cube, s.filter, r, directions, s.lod.data<const T>({r.batch, r.height, r.width}),
                              grad_out.data<const T>({r.batch, r.height, r.width, cube.channels}), texels_out,
                              grad_directions.data<T>({r.batch, r.height, r.width, 3}),
                              grad_lod.data<T>({r.batch, r.height, r.width}));
  });
}

void prefilter_cube(Arguments& next) {
  Array texels = next("texels");
  int64_t from_size = next.integer("from_size"), to_size = next.integer("to_size");
  double roughness = next.number("roughness");
  Array out = next("out");
  for_scalar_of(texels, [&](auto scalar) {
    using T = decltype(scalar);
    const T* from = texels.data<const T>({-1, 6 * from_size * from_size, -1});
    int64_t batch = texels.size(0), channels = texels.size(2);
    intaglio::prefilter_cube(from, batch, from_size, to_size, channels, (T)roughness,
                             out.data<T>({batch, 6 * to_size * to_size, channels}));
  });
}

void prefilter_cube_vjp(Arguments& next) {
  Array grad_out = next("grad_out");
  int64_t from_size = next.integer("from_size"), to_size = next.integer("to_size");
  double roughness = next.number("roughness");
  Array grad_texels = next("grad_texels");
  for_scalar_of(grad_out, [&](auto scalar) {
    using T = decltype(scalar);
    const T* grad = grad_out.data<const T>({-1, 6 * to_size * to_size, -1});
    int64_t batch = grad_out.size(0), channels = grad_out.size(2);
    intaglio::prefilter_cube_vjp(grad, batch, from_size, to_size, channels, (T)roughness,
                                 grad_texels.data<T>({batch, 6 * from_size * from_size, channels}));
  });
}

void halve_texture(Arguments& next) {
  Array texture = next("texture"), out = next("out");
  for_scalar_of(texture, [&](auto scalar) {
    using T = decltype(scalar);
    const T* from = texture.data<const T>({-1, -1, -1, -1});
    Raster size{texture.size(0), texture.size(1), texture.size(2)};
    int64_t channels = texture.size(3), height = std::max<int64_t>(size.height / 2, 1),
            width = std::max<int64_t>(size.width / 2, 1);
    intaglio::halve_texture(from, size, channels, out.data<T>({size.batch, height, width, channels}));
  });
}

void halve_texture_vjp(Arguments& next) {
  Array grad_out = next("grad_out");
  next.skip(2);  // the size
  Array grad_texture = next("grad_texture");
  for_scalar_of(grad_out, [&](auto scalar) {
    using T = decltype(scalar);
    T* to = grad_texture.data<T>({-1, -1, -1, -1});
    Raster size{grad_texture.size(0), grad_texture.size(1), grad_texture.size(2)};
    int64_t channels = grad_texture.size(3), height = std::max<int64_t>(size.height / 2, 1),
            width = std::max<int64_t>(size.width / 2, 1);
    intaglio::halve_texture_vjp(grad_out.data<const T>({size.batch, height, width, channels}), size, channels, to);
  });
}

void sample_face_texture(Arguments& next) {
  Array textures = next("textures"), triangle_id = next("triangle_id"), barycentrics = next("barycentrics"), out = next("out");
  for_scalar_of(textures, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    FaceTextures<T> f = face_textures_of<T>(textures, r);
    intaglio::sample_face_texture(f, r, triangle_id.data<Index>({-1, -1, -1}),
                                  barycentrics.data<const T>({r.batch, r.height, r.width, 2}),
                                  out.data<T>({r.batch, r.height, r.width, f.channels}));
  });
}

void sample_face_texture_vjp(Arguments& next) {
  Array textures = next("textures"), triangle_id = next("triangle_id"), barycentrics = next("barycentrics"),
        grad_out = next("grad_out"), grad_textures = next("grad_textures");
  for_scalar_of(textures, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    FaceTextures<T> f = face_textures_of<T>(textures, r), grad_f = face_textures_of<T>(grad_textures, r);
    if (grad_f.num_triangles != f.num_triangles || grad_f.texels() != f.texels() || grad_f.channels != f.channels ||
        grad_f.own_values != f.own_values)
      grad_textures.fail("must have the shape of textures");
    intaglio::sample_face_texture_vjp(
        f, r, triangle_id.data<Index>({-1, -1, -1}), barycentrics.data<const T>({r.batch, r.height, r.width, 2}),
        grad_out.data<const T>({r.batch, r.height, r.width, f.channels}), const_cast<T*>(grad_f.values));
  });
}

}  // namespace bound

void bind_texture(Bindings& to) {
  using namespace bound;
  to.insert(to.end(), {{"halve_texture", "mip_pyramid", bound::halve_texture},
                       {"halve_texture_vjp", "mip_pyramid backward", bound::halve_texture_vjp},
                       {"sample_level", "sample_texture", sample<level_samples>},
                       {"sample_level_vjp", "sample_texture backward", sample_vjp<level_samples>},
                       {"sample_pyramid", "sample_texture", sample<pyramid_samples>},
                       {"sample_pyramid_vjp", "sample_texture backward", sample_vjp<pyramid_samples>},
                       {"sample_cube_level", "sample_cube", bound::sample_cube<cube_level_samples>},
                       {"sample_cube_level_vjp", "sample_cube backward", bound::sample_cube_vjp<cube_level_samples, false>},
                       {"sample_cube_pyramid", "sample_cube", bound::sample_cube<cube_pyramid_samples>},
                       {"sample_cube_pyramid_vjp", "sample_cube backward", bound::sample_cube_vjp<cube_pyramid_samples, true>},
                       {"prefilter_cube", "prefilter_cube", bound::prefilter_cube},
                       {"prefilter_cube_vjp", "prefilter_cube backward", bound::prefilter_cube_vjp},
                       {"sample_face_texture", "sample_face_texture", bound::sample_face_texture},
                       {"sample_face_texture_vjp", "sample_face_texture backward", bound::sample_face_texture_vjp}});
}

}  // namespace intaglio
