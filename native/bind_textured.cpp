// SPDX-License-Identifier: MIT
// Bindings of textured meshes.
#include <algorithm>

#include "bind.h"

namespace intaglio {
namespace bound {

// What both directions begin with.
struct TexturedArguments {
  Array pos_clip, triangles, uv, uv_triangles, texture, neighbours;
  Wrap wrap;
  bool cull_backfaces;

  explicit TexturedArguments(Arguments& next)
      : pos_clip(next("pos_clip")),
        triangles(next("triangles")),
        uv(next("uv")),
        uv_triangles(next("uv_triangles")),
        texture(next("texture")),
        neighbours(next("neighbours")),
        wrap((Wrap)next.integer("wrap")),
        cull_backfaces(next.flag("cull_backfaces")) {}

  int64_t channels() const { return texture.size(-1); }

  template <class T>
  TexturedMesh<T> mesh(Raster raster) const {
    TexturedMesh<T> found{geometry_of<T>(pos_clip, triangles, Array(nullptr, "ranges"), cull_backfaces),
                          attributes_of<T>(uv, uv_triangles, raster), wrap};
    if (found.uv.channels != 2) uv.fail("must have two channels");
    if (found.uv.num_triangles != found.geometry.num_triangles) uv_triangles.fail("must have as many rows as triangles");
    if (found.geometry.rows != raster.batch) pos_clip.fail("must have as many images as were drawn");
    return found;
  }

  // The pyramid down to one texel, whose texels are given, or nothing is.
  template <class T>
  Texture<T> pyramid(const Array& texels, Raster raster) const {
    bool own = texture.axes() == 4;
    int64_t height = texture.size(-3), width = texture.size(-2), num_levels = 0, num_texels = 0;
    for (int64_t h = height, w = width, more = 1; more; h = std::max<int64_t>(h / 2, 1), w = std::max<int64_t>(w / 2, 1)) {
      more = std::max(h, w) > 1;
      ++num_levels, num_texels += h * w;
    }
    if (num_levels > kMaxLevels) texture.fail("must have 1 to 15 levels");
    int64_t stride = padded_channels(channels());
    const T* values =
        own ? texels.data<const T>({raster.batch, num_texels, stride}) : texels.data<const T>({num_texels, stride});
    return {values, height, width, num_levels, num_texels, stride, own};
  }

  // A buffer in the shape of the texture, or null.
  template <class T>
  T* like_texture(const Array& x, Raster raster) const {
    int64_t height = texture.size(-3), width = texture.size(-2);
    return texture.axes() == 4 ? x.data<T>({raster.batch, height, width, channels()}) : x.data<T>({height, width, channels()});
  }

  template <class T>
  T* like_uv(const Array& x, Raster raster) const {
    return uv.axes() == 3 ? x.data<T>({raster.batch, uv.size(1), 2}) : x.data<T>({uv.size(0), 2});
  }

  // Of arrays that may be empty instead: nobody wants them, or knows them.
  template <class T>
  TexturedGradients<T> gradients(const Array& of_pos_clip, const Array& of_uv, const Array& of_texture, Raster raster) const {
    auto is_given = [](const Array& x) { return x && !(x.axes() == 1 && x.size(0) == 0); };
    return {is_given(of_pos_clip) ? of_pos_clip.data<T>({raster.batch, pos_clip.size(1), 4}) : nullptr,
            is_given(of_uv) ? like_uv<T>(of_uv, raster) : nullptr,
            is_given(of_texture) ? like_texture<T>(of_texture, raster) : nullptr};
  }
};

void textured(Arguments& next) {
  TexturedArguments a(next);
  next.skip(2);  // the size
  Array triangle_id = next("triangle_id"), texels = next("texels"), image = next("image");
  for_scalar_of(a.pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    Texture<T> pyramid = a.pyramid<T>(texels, r);
    intaglio::textured(a.mesh<T>(r), r, a.like_texture<const T>(a.texture, r), pyramid, a.channels(),
                       triangle_id.data<int32_t>({r.batch, -1, -1}), const_cast<T*>(pyramid.texels),
                       image.data<T>({r.batch, r.height, r.width, a.channels()}));
  });
}

void textured_vjp(Arguments& next) {
  TexturedArguments a(next);
  next.skip(2);  // the size
  Array triangle_id = next("triangle_id"), texels = next("texels"), image = next("image"), grad_image = next("grad_image");
  next.skip(3);  // which gradients are wanted
  Array grad_pos_clip = next("grad_pos_clip"), grad_uv = next("grad_uv"), grad_texels = next("grad_texels"),
        grad_texture = next("grad_texture");
  for_scalar_of(a.pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of(triangle_id);
    TexturedMesh<T> mesh = a.mesh<T>(r);
    const Geometry<T>& g = mesh.geometry;
    auto pixels = {r.batch, r.height, r.width, a.channels()};
    Surface<T> surface{
        g,           neighbours_of(a.neighbours, g), r, triangle_id.data<Index>({g.rows, -1, -1}), image.data<const T>(pixels),
        a.channels()};
    Texture<T> pyramid = a.pyramid<T>(texels, r);
    T* room = grad_texels ? const_cast<T*>(a.pyramid<T>(grad_texels, r).texels) : nullptr;
    T* uv_out = a.like_uv<T>(grad_uv, r);
    next.warning = warning_of_cut_walks(intaglio::textured_vjp(mesh, surface, pyramid, grad_image.data<const T>(pixels),
                                                               grad_pos_clip.data<T>({g.rows, g.num_vertices, 4}), uv_out, room,
                                                               a.like_texture<T>(grad_texture, r)));
  });
}

Raster raster_of_target(const Array& target) {
  return {target.size(0), target.size(1), target.size(2)};
}

void textured_error(Arguments& next) {
  TexturedArguments a(next);
  Array target = next("target");
  next.skip(3);  // which derivatives are wanted
  Array error = next("error"), pos_clip = next("derivative_pos_clip"), uv = next("derivative_uv"),
        texture = next("derivative_texture");
  for_scalar_of(a.pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of_target(target);
    TexturedMesh<T> mesh = a.mesh<T>(r);
    next.warning = warning_of_cut_walks(
        intaglio::textured_error(mesh, neighbours_of(a.neighbours, mesh.geometry), r, a.like_texture<const T>(a.texture, r),
                                 a.pyramid<T>(Array(nullptr, "texels"), r), a.channels(),
                                 target.data<const T>({r.batch, r.height, r.width, a.channels()}), error.data<T>({r.batch}),
                                 a.gradients<T>(pos_clip, uv, texture, r)));
  });
}

void textured_error_vjp(Arguments& next) {
  TexturedArguments a(next);
  Array target = next("target"), pos_clip = next("derivative_pos_clip"), uv = next("derivative_uv"),
        texture = next("derivative_texture"), grad_error = next("grad_error");
  next.skip(3);  // which gradients are wanted
  Array grad_pos_clip = next("grad_pos_clip"), grad_uv = next("grad_uv"), grad_texture = next("grad_texture");
  for_scalar_of(a.pos_clip, [&](auto scalar) {
    using T = decltype(scalar);
    Raster r = raster_of_target(target);
    TexturedMesh<T> mesh = a.mesh<T>(r);
    next.warning = warning_of_cut_walks(intaglio::textured_error_vjp(
        mesh, neighbours_of(a.neighbours, mesh.geometry), r, a.like_texture<const T>(a.texture, r),
        a.pyramid<T>(Array(nullptr, "texels"), r), a.channels(),
        target.data<const T>({r.batch, r.height, r.width, a.channels()}), a.gradients<const T>(pos_clip, uv, texture, r),
        grad_error.data<const T>({r.batch}), a.gradients<T>(grad_pos_clip, grad_uv, grad_texture, r)));
  });
}

}  // namespace bound

void bind_textured(Bindings& to) {
  to.insert(to.end(), {{"textured", "textured", bound::textured},
                       {"textured_vjp", "textured backward", bound::textured_vjp},
                       {"textured_error", "textured_error", bound::textured_error},
                       {"textured_error_vjp", "textured_error backward", bound::textured_error_vjp}});
}

}  // namespace intaglio
