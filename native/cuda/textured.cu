// SPDX-License-Identifier: MIT
// A mip-mapped texture seen on a mesh, made of the kernels of rasterize, interpolate, screen_derivatives and sample_texture.
// What lies between them is made again on the way back.
#include "../math/image.h"
#include "../math/texture.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

// Pixels or texels [count, channels] between a dense array and one of wider rows.
template <class T>
struct Repack {
  const T* from;
  int64_t from_channels, to_channels;
  T* to;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t at = i / to_channels, c = i % to_channels;
    to[i] = c < from_channels ? from[at * from_channels + c] : (T)0;
  }
};

template <class T>
void repack(const T* from, int64_t from_channels, int64_t count, int64_t to_channels, T* to) {
  for_each(count * to_channels, Repack<T>{from, from_channels, to_channels, to});
}

template <class T>
struct Add {
  const T* from;
  T* to;
  INTAGLIO_DEVICE void operator()(int64_t i) const { to[i] += from[i]; }
};

// body(texels of a level, the next level's, size of the former): for every two levels of every array, in that order or
// backwards.
template <class T, class Body>
void for_each_halving(const Texture<T>& pyramid, T* texels, int64_t arrays, bool backwards, const Body& body) {
  const int64_t C = pyramid.channels;
  for (int64_t array = 0; array < arrays; ++array)
    for (int64_t step = 0; step + 1 < pyramid.num_levels; ++step) {
      const int64_t level = backwards ? pyramid.num_levels - 2 - step : step;
      int64_t start = array * pyramid.num_texels;
      for (int64_t l = 0; l < level; ++l) start += level_size(pyramid.height, l) * level_size(pyramid.width, l);
      const Raster size{1, level_size(pyramid.height, level), level_size(pyramid.width, level)};
      body(texels + start * C, texels + (start + size.pixels()) * C, size);
    }
}

template <class T>
void build_pyramid(const T* texture, int64_t channels, const Texture<T>& pyramid, int64_t arrays, T* texels) {
  const int64_t C = pyramid.channels, base = pyramid.height * pyramid.width;
  for (int64_t array = 0; array < arrays; ++array)
    repack(texture + array * base * channels, channels, base, C, texels + array * pyramid.num_texels * C);
  for_each_halving(pyramid, texels, arrays, false, [&](T* from, T* to, Raster size) { halve_texture(from, size, C, to); });
}

// grad_texels ends as what the base alone has got.
template <class T>
void build_pyramid_vjp(T* grad_texels, const Texture<T>& pyramid, int64_t arrays, int64_t channels, T* grad_texture) {
  const int64_t C = pyramid.channels, base = pyramid.height * pyramid.width;
  T* room = scratch<T>(base * C);
  for_each_halving(pyramid, grad_texels, arrays, true, [&](T* to, T* from, Raster size) {
    halve_texture_vjp(from, size, C, room);
    for_each(size.pixels() * C, Add<T>{room, to});
  });
  for (int64_t array = 0; array < arrays; ++array)
    repack(grad_texels + array * pyramid.num_texels * C, C, base, channels, grad_texture + array * base * channels);
}

// Where every pixel looks into the texture.
template <class T>
struct Places {
  T *barycentrics, *uv, *uv_derivatives;
};

template <class T>
Places<T> find_places(const TexturedMesh<T>& mesh, Raster raster, int32_t* triangle_id) {
  check_size(raster);
  check_geometry(mesh.geometry);
  check_indices("uv_triangles", mesh.uv.triangles, (mesh.uv.own_triangles ? raster.batch : 1) * mesh.uv.num_triangles * 3, 0,
                mesh.uv.num_vertices, kUvRemedy);
  const int64_t pixels = raster.batch * raster.pixels();
  Places<T> places{scratch<T>(2 * pixels), scratch<T>(2 * pixels), scratch<T>(4 * pixels)};
  rasterize(mesh.geometry, raster, triangle_id, places.barycentrics, scratch<T>(pixels));
  interpolate(mesh.uv, raster, triangle_id, places.barycentrics, places.uv);
  screen_derivatives(mesh.uv, mesh.geometry, raster, triangle_id, places.uv_derivatives);
  return places;
}

template <class T>
Sampler sampler_of(const TexturedMesh<T>& mesh) {
  return {Filter::kTrilinear, mesh.wrap, 1};
}

template <class T>
int64_t arrays_of(const Texture<T>& pyramid, Raster raster) {
  return pyramid.own_texels ? raster.batch : 1;
}

template <class T>
struct SquaredErrors {
  const T *image, *target;
  int64_t items;  // of each image
  INTAGLIO_DEVICE T operator()(int64_t b, int64_t i) const {
    const T difference = image[b * items + i] - target[b * items + i];
    return difference * difference;
  }
};

// grad_error of null: 1.
template <class T>
struct ErrorVjp {
  const T *image, *target, *grad_error;
  int64_t items;
  T* grad_image;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    grad_image[i] = squared_difference_vjp(grad_error ? grad_error[i / items] : (T)1, image[i] - target[i]);
  }
};

// An image drawn for what is made of it.
template <class T>
struct Drawn {
  int32_t* triangle_id;
  T *texels, *image;
};

template <class T>
Drawn<T> draw(const TexturedMesh<T>& mesh, Raster raster, const T* texture, const Texture<T>& pyramid, int64_t channels) {
  const int64_t pixels = raster.batch * raster.pixels();
  Drawn<T> drawn{scratch<int32_t>(pixels), scratch<T>(arrays_of(pyramid, raster) * pyramid.num_texels * pyramid.channels),
                 scratch<T>(pixels * channels)};
  textured(mesh, raster, texture, pyramid, channels, drawn.triangle_id, drawn.texels, drawn.image);
  return drawn;
}

// The gradients of the errors times grad_error.
template <class T>
int64_t go_back(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, Texture<T> pyramid, int64_t channels,
                const T* target, const Drawn<T>& drawn, const T* grad_error, const TexturedGradients<T>& to) {
  const int64_t items = raster.pixels() * channels;
  T* grad_image = scratch<T>(raster.batch * items);
  for_each(raster.batch * items, ErrorVjp<T>{drawn.image, target, grad_error, items, grad_image});
  pyramid.texels = drawn.texels;
  const int64_t num_texels = arrays_of(pyramid, raster) * pyramid.num_texels;
  T* grad_texels = to.texture ? scratch<T>(num_texels * pyramid.channels) : nullptr;
  const Surface<T> surface{mesh.geometry, neighbours, raster, drawn.triangle_id, drawn.image, channels};
  return textured_vjp(mesh, surface, pyramid, grad_image, to.pos_clip, to.uv, grad_texels, to.texture);
}

}  // namespace

template <class T>
void textured(const TexturedMesh<T>& mesh, Raster raster, const T* texture, const Texture<T>& pyramid, int64_t channels,
              int32_t* triangle_id, T* texels, T* image) {
  const Places<T> places = find_places(mesh, raster, triangle_id);
  build_pyramid(texture, channels, pyramid, arrays_of(pyramid, raster), texels);
  Texture<T> filled = pyramid;
  filled.texels = texels;
  const int64_t pixels = raster.batch * raster.pixels();
  T* sampled = scratch<T>(pixels * pyramid.channels);
  sample_texture(filled, sampler_of(mesh), raster, {places.uv, places.uv_derivatives, triangle_id}, sampled);
  repack(sampled, pyramid.channels, pixels, channels, image);
}

template <class T>
int64_t textured_vjp(const TexturedMesh<T>& mesh, const Surface<T>& surface, const Texture<T>& pyramid, const T* grad_image,
                     T* grad_pos_clip, T* grad_uv, T* grad_texels, T* grad_texture) {
  const Raster raster = surface.raster;
  const int64_t pixels = raster.batch * raster.pixels(), channels = surface.channels;
  check_fragments(mesh.geometry, raster.pixels(), surface.triangle_id);
  int32_t* triangle_id = scratch<int32_t>(pixels);
  const Places<T> places = find_places(mesh, raster, triangle_id);
  T* grad_sampled = scratch<T>(pixels * pyramid.channels);
  repack(grad_image, channels, pixels, pyramid.channels, grad_sampled);
  T* grad_places = grad_pos_clip || grad_uv ? scratch<T>(2 * pixels) : nullptr;
  sample_texture_vjp(pyramid, sampler_of(mesh), raster, {places.uv, places.uv_derivatives, triangle_id}, grad_sampled,
                     grad_texels, grad_places);
  if (grad_texels) build_pyramid_vjp(grad_texels, pyramid, arrays_of(pyramid, raster), channels, grad_texture);
  if (!grad_places) return 0;
  T* grad_barycentrics = grad_pos_clip ? scratch<T>(2 * pixels) : nullptr;
  interpolate_vjp(mesh.uv, raster, triangle_id, places.barycentrics, grad_places, grad_uv, grad_barycentrics);
  if (!grad_pos_clip) return 0;
  const int64_t items = mesh.geometry.rows * mesh.geometry.num_vertices * 4;
  T* of_edges = scratch<T>(items);
  rasterize_vjp(mesh.geometry, raster, triangle_id, grad_barycentrics, (const T*)nullptr, grad_pos_clip);
  const int64_t cut = edge_gradient_vjp(surface, grad_image, of_edges);
  for_each(items, Add<T>{of_edges, grad_pos_clip});
  return cut;
}

template <class T>
int64_t textured_error(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                       const Texture<T>& pyramid, int64_t channels, const T* target, T* error,
                       const TexturedGradients<T>& derivative) {
  check_neighbours(mesh.geometry, neighbours);
  const Drawn<T> drawn = draw(mesh, raster, texture, pyramid, channels);
  const int64_t items = raster.pixels() * channels;
  if (error) sum_items(raster.batch, items, SquaredErrors<T>{drawn.image, target, items}, error);
  if (!derivative.pos_clip && !derivative.uv && !derivative.texture) return 0;
  return go_back(mesh, neighbours, raster, pyramid, channels, target, drawn, (const T*)nullptr, derivative);
}

template <class T>
int64_t textured_error_vjp(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                           const Texture<T>& pyramid, int64_t channels, const T* target,
                           const TexturedGradients<const T>& derivative, const T* grad_error,
                           const TexturedGradients<T>& grads) {
  // The derivative serves where all of it that is wanted is known, and is of one image.
  const T* const known[3] = {derivative.pos_clip, derivative.uv, derivative.texture};
  T* const wanted[3] = {grads.pos_clip, grads.uv, grads.texture};
  const bool is_own[3] = {true, mesh.uv.own_values, pyramid.own_texels};
  const int64_t items[3] = {mesh.geometry.num_vertices * 4, mesh.uv.num_vertices * 2,
                            pyramid.height * pyramid.width * channels};
  bool serves = true;
  for (int i = 0; i < 3; ++i) serves &= !wanted[i] || (known[i] && (is_own[i] || raster.batch == 1));
  if (!serves) {
    check_neighbours(mesh.geometry, neighbours);
    const Drawn<T> drawn = draw(mesh, raster, texture, pyramid, channels);
    return go_back(mesh, neighbours, raster, pyramid, channels, target, drawn, grad_error, grads);
  }
  for (int i = 0; i < 3; ++i)
    if (wanted[i]) for_each(raster.batch * items[i], Scale<T>{known[i], grad_error, items[i], wanted[i]});
  return 0;
}

#define INTAGLIO_INSTANTIATE(T)                                                                                             \
  template void textured(const TexturedMesh<T>&, Raster, const T*, const Texture<T>&, int64_t, int32_t*, T*, T*);           \
  template int64_t textured_vjp(const TexturedMesh<T>&, const Surface<T>&, const Texture<T>&, const T*, T*, T*, T*, T*);    \
  template int64_t textured_error(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t,     \
                                  const T*, T*, const TexturedGradients<T>&);                                               \
  template int64_t textured_error_vjp(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t, \
                                      const T*, const TexturedGradients<const T>&, const T*, const TexturedGradients<T>&);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
