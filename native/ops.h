// SPDX-License-Identifier: MIT
// The native contract: what every back end offers to every front end. Raw pointers to dense row-major arrays and their
// sizes; the caller owns every buffer and has checked shapes; values (indices, finite positions) are checked here, before
// anything is written, by throwing std::invalid_argument, whose text follows the op's name in the caller's message.
// T is float or double. `grad_` buffers are written, not added to. What is small and constexpr runs on a GPU too.
#pragma once
#include <cstdint>

namespace intaglio {

// [begin, end) of a list.
struct Slice {
  int64_t begin, end;
  constexpr int64_t count() const { return end - begin; }
  constexpr bool holds(int64_t index) const { return index >= begin && index < end; }
};

// Images of triangles at rows of positions: image b shows all of them at row b; with ranges, image p * num_ranges + r shows the
// triangles of range r at row p. Ids of triangles are places in the list, whatever the image shows of it.
template <class T>
struct Geometry {
  const T* pos_clip;         // [rows, num_vertices, 4]
  const int32_t* triangles;  // [num_triangles, 3], or [rows, num_triangles, 3] if own_triangles
  int64_t rows, num_vertices, num_triangles;
  bool own_triangles;
  const int32_t* ranges = nullptr;  // [num_ranges, 2], the first triangle and the count of each; or null
  int64_t num_ranges = 1;
  bool cull_backfaces = false;  // draw only triangles whose corners run counter-clockwise on the screen

  constexpr int64_t images() const { return rows * num_ranges; }
  constexpr int64_t row_of(int64_t b) const { return ranges ? b / num_ranges : b; }
  constexpr const T* positions_of(int64_t b) const { return pos_clip + row_of(b) * num_vertices * 4; }
  constexpr const int32_t* triangles_of(int64_t b) const { return of_triangles(triangles, b); }
  // Of an array that is laid out like the triangles.
  constexpr const int32_t* of_triangles(const int32_t* array, int64_t b) const {
    return array + (own_triangles ? row_of(b) * num_triangles * 3 : 0);
  }
  // The triangles that an image shows.
  constexpr Slice shown(int64_t b) const {
    if (!ranges) return {0, num_triangles};
    const int32_t* range = ranges + 2 * (b % num_ranges);
    return {range[0], (int64_t)range[0] + range[1]};
  }
};

// Half of the guard band of the sub-pixel grid (math/triangle.h).
constexpr int64_t kMaxSize = 16384;

// A batch of images. Pixel arrays are [batch, height, width, ...].
struct Raster {
  int64_t batch, height, width;
  constexpr int64_t pixels() const { return height * width; }
};

// Per-vertex attributes [num_vertices, channels], or [batch, num_vertices, channels] if own_values, and their triangles.
template <class T>
struct Attributes {
  const T* values;
  const int32_t* triangles;  // [num_triangles, 3], or with a leading batch axis if own_triangles
  int64_t num_vertices, num_triangles, channels;
  bool own_values, own_triangles;

  constexpr const T* values_of(int64_t b) const { return values + (own_values ? b * num_vertices * channels : 0); }
  constexpr const int32_t* triangles_of(int64_t b) const { return triangles + (own_triangles ? b * num_triangles * 3 : 0); }
};

// triangle_id, barycentrics [..., 2] and depth of the nearest triangle at every pixel centre.
template <class T>
void rasterize(const Geometry<T>& geometry, Raster raster, int32_t* triangle_id, T* barycentrics, T* depth);

// The same of the nearest triangle behind the one that each pixel of a layer before shows, in the order of (depth, id); none
// where that shows none.
template <class T>
void rasterize_behind(const Geometry<T>& geometry, Raster raster, const int32_t* before_id, const T* before_depth,
                      int32_t* triangle_id, T* barycentrics, T* depth);

// The same triangle_id as of rasterize, and what a silhouette is made of: 1 where a triangle is seen, 0 elsewhere.
template <class T>
void rasterize_silhouette(const Geometry<T>& geometry, Raster raster, int32_t* triangle_id, T* covered);

// grad_barycentrics or grad_depth may be null.
template <class T>
void rasterize_vjp(const Geometry<T>& geometry, Raster raster, const int32_t* triangle_id, const T* grad_barycentrics,
                   const T* grad_depth, T* grad_pos_clip);

template <class T>
void interpolate(const Attributes<T>& attributes, Raster raster, const int32_t* triangle_id, const T* barycentrics, T* out);

// grad_values or grad_barycentrics may be null.
template <class T>
void interpolate_vjp(const Attributes<T>& attributes, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                     const T* grad_out, T* grad_values, T* grad_barycentrics);

// d attribute / d (x, y) in pixels, [..., channels, 2]; geometry has as many triangles as attributes.
template <class T>
void screen_derivatives(const Attributes<T>& attributes, const Geometry<T>& geometry, Raster raster, const int32_t* triangle_id,
                        T* out);

// An image [..., channels] shown over fragments, and the surface that it shows.
template <class T>
struct Surface {
  Geometry<T> geometry;
  const int32_t* neighbours;  // laid out like triangles
  Raster raster;
  const int32_t* triangle_id;
  const T* image;
  int64_t channels;
};

// A silhouette against `target` [batch, height, width], fused: per image the sum of (silhouette - target)^2, where a pixel of
// the silhouette is the covered share of factor x factor samples, and its gradient (or null) with that of the visible edges. No
// image is written. The number of surface walks that were cut short is returned. Where images share positions, each one's
// gradient is multiplied by its weight (of null: 1) before they are added up.
template <class T>
int64_t silhouette_error(const Geometry<T>& geometry, const int32_t* neighbours, Raster raster, int64_t factor, const T* target,
                         const T* weight, T* error, T* grad_pos_clip);

// Each view's derivative [batch, num_vertices, 4], as silhouette_error gives it, times the cotangent of its error.
template <class T>
void silhouette_error_vjp(const T* derivative, const T* grad_error, int64_t batch, int64_t num_vertices, T* grad_pos_clip);

// Gradient of the visible edges; the number of surface walks that were cut short is returned.
template <class T>
int64_t edge_gradient_vjp(const Surface<T>& surface, const T* grad_image, T* grad_pos_clip);

template <class T>
int64_t antialias(const Surface<T>& surface, T* out);

// Either gradient may be null.
template <class T>
int64_t antialias_vjp(const Surface<T>& surface, const T* grad_out, T* grad_image, T* grad_pos_clip);

// The gradient of Kato et al. 2018; neighbours are not used.
template <class T>
void sweep_gradient_vjp(const Surface<T>& surface, T eps, const T* grad_image, T* grad_pos_clip);

// The nearest `layers` triangles of every pixel that cover it with a probability, by depth: outputs [..., layers] (barycentrics
// [..., layers, 2]); -1, 0, depth 1 and probability 0 where there are fewer. sigma in squared ndc.
template <class T>
void soft_rasterize(const Geometry<T>& geometry, Raster raster, T sigma, int64_t layers, int32_t* triangle_id, T* barycentrics,
                    T* depth, T* probability);

// Any cotangent may be null.
template <class T>
void soft_rasterize_vjp(const Geometry<T>& geometry, Raster raster, T sigma, int64_t layers, const int32_t* triangle_id,
                        const T* grad_barycentrics, const T* grad_depth, const T* grad_probability, T* grad_pos_clip);

// Layers of an image [..., layers, channels], with their probability and depth [..., layers].
template <class T>
struct SoftImage {
  Raster raster;
  int64_t layers, channels;
  const T *image, *depth, *probability;
};

// The layers' part of the colour [..., channels], the probability that any covers, and the background's share of the colour.
template <class T>
void soft_blend(const SoftImage<T>& layers, T gamma, T* color, T* alpha, T* background);

// Any cotangent and any gradient may be null.
template <class T>
void soft_blend_vjp(const SoftImage<T>& layers, T gamma, const T* grad_color, const T* grad_alpha, const T* grad_background,
                    T* grad_image, T* grad_depth, T* grad_probability);

// Layers [..., layers, channels] over one another, nearest first: colours not yet multiplied by the alpha that is their last
// channel. `out` [..., channels]: the colour over black, which has been, and the alpha of all together.
template <class T>
void composite(const T* colors, Raster raster, int64_t layers, int64_t channels, T* out);

template <class T>
void composite_vjp(const T* colors, Raster raster, int64_t layers, int64_t channels, const T* grad_out, T* grad_colors);

// A composite image over a background, the layers that it is made of, and the surfaces that they show.
template <class T>
struct LayeredSurface {
  Geometry<T> geometry;
  const int32_t* neighbours;  // laid out like triangles
  Raster raster;
  int64_t layers, channels;
  const int32_t* triangle_id;  // [..., layers], nearest first, -1 behind the last
  const T* image;              // [..., channels]
  const T* colors;             // [..., layers, channels]
  const T* background;         // [channels - 1], for each image, for each pixel or for both; or null for black
  bool background_of_image = false, background_of_pixel = false;

  // `pixel` of the batch, which lies in `image`.
  constexpr const T* background_at(int64_t b, int64_t pixel) const {
    int64_t at = background_of_pixel   ? (background_of_image ? pixel : pixel - b * raster.pixels())
                 : background_of_image ? b
                                       : 0;
    return background + at * (channels - 1);
  }
};

// Gradient of the edges of all surfaces; the number of walks that were cut short is returned.
template <class T>
int64_t layered_edge_gradient_vjp(const LayeredSurface<T>& surface, const T* grad_image, T* grad_pos_clip);

// Levels of a pyramid one after the other, each [height, width, channels] of its size (math/texture.h); num_texels of all
// levels, with a leading batch axis if own_texels.
template <class T>
struct Texture {
  const T* texels;
  int64_t height, width, num_levels, num_texels, channels;
  bool own_texels;

  constexpr const T* texels_of(int64_t b) const { return texels + (own_texels ? b * num_texels * channels : 0); }
};

constexpr int64_t kMaxLevels = 15;  // of kMaxSize texels

enum class Filter : int32_t { kNearest, kBilinear, kTrilinear };
enum class Wrap : int32_t { kRepeat, kMirror, kClamp };

struct Sampler {
  Filter filter;
  Wrap wrap;
  int64_t max_anisotropy = 1;  // probes along a footprint, for kTrilinear
};

// Where samples are: uv [..., 2]; uv_derivatives [..., 2, 2] for kTrilinear, else null. What shows nothing, by triangle_id
// [...] if that is not null, is 0.
template <class T>
struct SamplePlaces {
  const T *uv, *uv_derivatives;
  const int32_t* triangle_id;

  constexpr bool is_seen(int64_t sample) const { return !triangle_id || triangle_id[sample] >= 0; }
};

// The raster is that of the samples.
template <class T>
void sample_texture(const Texture<T>& texture, Sampler sampler, Raster raster, const SamplePlaces<T>& places, T* out);

// grad_texels or grad_uv may be null.
template <class T>
void sample_texture_vjp(const Texture<T>& texture, Sampler sampler, Raster raster, const SamplePlaces<T>& places,
                        const T* grad_out, T* grad_texels, T* grad_uv);

// A mesh and where its texture lies: uv with two channels and as many triangles as the geometry.
template <class T>
struct TexturedMesh {
  Geometry<T> geometry;
  Attributes<T> uv;
  Wrap wrap;
};

// A texel of a pyramid that an op makes for itself takes this many channels.
constexpr int64_t padded_channels(int64_t channels) {
  return channels == 3 ? 4 : channels;
}

// A texture of `channels` seen on a mesh through trilinear filtering: rasterize, interpolate, screen_derivatives and
// sample_texture one after the other, 0 on the background. `pyramid` says the sizes of the padded `texels` that are written;
// its own pointer is not used.
template <class T>
void textured(const TexturedMesh<T>& mesh, Raster raster, const T* texture, const Texture<T>& pyramid, int64_t channels,
              int32_t* triangle_id, T* texels, T* image);

// `surface` shows the image that was made, `pyramid` its texels. grad_pos_clip, with the gradient of the visible edges, or
// grad_uv or both grad_texels, which are room to work in, and grad_texture may be null. The number of surface walks that were
// cut short is returned.
template <class T>
int64_t textured_vjp(const TexturedMesh<T>& mesh, const Surface<T>& surface, const Texture<T>& pyramid, const T* grad_image,
                     T* grad_pos_clip, T* grad_uv, T* grad_texels, T* grad_texture);

// Gradients in the shapes of what they are of; null where they are not wanted, or not known.
template <class T>
struct TexturedGradients {
  T *pos_clip, *uv, *texture;
};

// The same against `target` [batch, height, width, channels], fused: per image the sum of (textured - target)^2, and the
// gradients of the sum of all, with that of the visible edges. No image is written. `pyramid` says the sizes; its pointer is
// not used. The number of surface walks that were cut short is returned.
template <class T>
int64_t textured_error(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                       const Texture<T>& pyramid, int64_t channels, const T* target, T* error,
                       const TexturedGradients<T>& derivative);

// From the cotangents of the errors [batch]: the derivatives that textured_error gave, times these; where images of different
// cotangents share what a gradient is of, and where a derivative is not known, they are drawn again.
template <class T>
int64_t textured_error_vjp(const TexturedMesh<T>& mesh, const int32_t* neighbours, Raster raster, const T* texture,
                           const Texture<T>& pyramid, int64_t channels, const T* target,
                           const TexturedGradients<const T>& derivative, const T* grad_error,
                           const TexturedGradients<T>& grads);

// Levels of a pyramid of cube maps one after the other, each [6, size, size, channels] of its size, faces +x -x +y -y +z -z
// (math/cube.h); num_texels of all levels, with a leading batch axis if own_texels.
template <class T>
struct CubeMap {
  const T* texels;
  int64_t size, num_levels, num_texels, channels;
  bool own_texels;

  constexpr const T* texels_of(int64_t b) const { return texels + (own_texels ? b * num_texels * channels : 0); }
};

// directions [..., 3] of any length; 0 is none, and its sample is 0. lod for kTrilinear, else null.
template <class T>
void sample_cube(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, T* out);

// grad_texels, grad_directions or grad_lod may be null.
template <class T>
void sample_cube_vjp(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, const T* grad_out,
                     T* grad_texels, T* grad_directions, T* grad_lod);

// The next level of a pyramid: each texel the mean of the 2 x 2 that it covers, by area where the size is odd.
template <class T>
void halve_texture(const T* texture, Raster size, int64_t channels, T* out);

template <class T>
void halve_texture_vjp(const T* grad_out, Raster size, int64_t channels, T* grad_texture);

// Texels [batch, 6 from_size^2, channels] of cube maps as a surface of this roughness (above 0) mirrors them: [batch, 6
// to_size^2, channels] (math/prefilter.h).
template <class T>
void prefilter_cube(const T* texels, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness, T* out);

template <class T>
void prefilter_cube_vjp(const T* grad_out, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness,
                        T* grad_texels);

// A cube of resolution^3 texels [channels] per triangle, with a leading batch axis if own_values.
template <class T>
struct FaceTextures {
  const T* values;
  int64_t num_triangles, resolution, channels;
  bool own_values;

  constexpr int64_t texels() const { return resolution * resolution * resolution; }
  constexpr const T* cube(int64_t b, int64_t triangle_id) const {
    return values + ((own_values ? b * num_triangles : 0) + triangle_id) * texels() * channels;
  }
};

template <class T>
void sample_face_texture(const FaceTextures<T>& textures, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                         T* out);

template <class T>
void sample_face_texture_vjp(const FaceTextures<T>& textures, Raster raster, const int32_t* triangle_id, const T* barycentrics,
                             const T* grad_out, T* grad_values);

// Faces as the renderer of 2018 takes them: x, y in ndc with y up, z the distance from the camera. Those whose corners turn
// clockwise are not drawn, unless fill_back: then face i turned around is drawn too, as face num_faces + i.
template <class T>
struct ClassicFaces {
  const T* values;  // [batch, num_faces, 3, 3]
  int64_t batch, num_faces;
  bool fill_back;

  constexpr const T* faces_of(int64_t b) const { return values + b * num_faces * 9; }
  constexpr int64_t num_drawn() const { return fill_back ? 2 * num_faces : num_faces; }
};

// face_index (-1: none), weights [..., 3] on the screen (0 where there is none) and depth (far where there is none) of the
// nearest face between near and far. Row 0 is the top.
template <class T>
void classic_rasterize(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* weights, T* depth);

// The same face_index, and 1 where there is a face, 0 elsewhere.
template <class T>
void classic_silhouette(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* alpha);

// What classic_rasterize made.
template <class T>
struct ClassicFragments {
  Raster raster;
  const int32_t* face_index;
  const T *weights, *depth;
};

template <class T>
void classic_rasterize_vjp(const ClassicFaces<T>& faces, const ClassicFragments<T>& fragments, const T* grad_depth,
                           T* grad_faces);

// light [batch, num_drawn, channels] multiplies the colours of face textures; background [batch, channels]. `out` has one more
// channel: 1 where there is a face, 0 elsewhere.
template <class T>
void classic_shade(const FaceTextures<T>& textures, const T* light, const T* background, const ClassicFaces<T>& faces,
                   const ClassicFragments<T>& fragments, T eps, T* out);

// grad_textures or grad_light may be null.
template <class T>
void classic_shade_vjp(const FaceTextures<T>& textures, const T* light, const ClassicFaces<T>& faces,
                       const ClassicFragments<T>& fragments, T eps, const T* grad_out, T* grad_textures, T* grad_light);

// The gradient of Kato et al. 2018 of an image [..., channels] that shows the faces.
template <class T>
void classic_sweep_vjp(const ClassicFaces<T>& faces, Raster raster, const int32_t* face_index, const T* image, int64_t channels,
                       T eps, const T* grad_image, T* grad_faces);

// [batch, factor height, factor width, channels] to [batch, height, width, channels]: means.
template <class T>
void downsample(const T* image, Raster out_size, int64_t channels, int64_t factor, T* out);

template <class T>
void downsample_vjp(const T* grad_out, Raster out_size, int64_t channels, int64_t factor, T* grad_image);

// The sum of (a - b)^2 over two arrays of `count` elements.
template <class T>
void squared_error(const T* a, const T* b, int64_t count, T* out);

// The cotangent of b is minus that of a; grad_out is one number.
template <class T>
void squared_error_vjp(const T* a, const T* b, int64_t count, const T* grad_out, T* grad_a);

// Which vertices are joined by edges: those at the ends of vertex v's are ends[starts[v]] ... ends[starts[v + 1] - 1].
struct Graph {
  const int32_t *starts, *ends;
  int64_t num_vertices, num_ends;
};

// [num_vertices, channels], spread over the edges: `rounds` edges far. Its own vjp.
template <class T>
void smooth(const T* values, const Graph& graph, int64_t channels, int64_t rounds, T share, T* out);

// What is seen of a surface, and from where; pixels without a triangle are 0 in whatever is made of it. Positions and normals
// [..., 3] in world space; normals need not be unit.
template <class T>
struct Seen {
  Raster raster;
  const int32_t* triangle_id;
  const T *positions, *normals;
  const T* viewer;  // [4]: a point (x, y, z, 1), or a direction towards it (x, y, z, 0); [batch, 4] if own_viewer
  bool own_viewer;

  constexpr const T* viewer_of(int64_t b) const { return viewer + (own_viewer ? 4 * b : 0); }
};

// [count, 12], or [batch, count, 12] if own: math/light.h.
template <class T>
struct Lights {
  const T* fields;
  int64_t count;
  bool own;

  constexpr const T* lights_of(int64_t b) const { return fields + (own ? b * count * 12 : 0); }
};

// What a shading's gradients go to; each may be null.
template <class T>
struct SeenGradients {
  T *positions, *normals, *viewer;
};

// color [..., 3]; roughness and metallic [..., 2]; out [..., 3].
template <class T>
void shade_metallic(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic, T* out);

template <class T>
void shade_metallic_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic,
                        const T* grad_out, SeenGradients<T> grads, T* grad_lights, T* grad_color, T* grad_roughness_metallic);

// diffuse [..., 3]; specular [..., 4]: a colour and its shininess.
template <class T>
void shade_blinn_phong(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, T* out);

template <class T>
void shade_blinn_phong_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, const T* grad_out,
                           SeenGradients<T> grads, T* grad_lights, T* grad_diffuse, T* grad_specular);

// Unit directions [..., 3] in which the viewer would see himself, were the surface a mirror.
template <class T>
void reflect(const Seen<T>& seen, T* out);

template <class T>
void reflect_vjp(const Seen<T>& seen, const T* grad_out, SeenGradients<T> grads);

// A metallic-roughness surface, color [..., 3] and roughness and metallic [..., 2], under light from everywhere: irradiance
// over pi and blurred radiance [..., 3], and the split sum's table [size, size, 2].
template <class T>
struct Surrounded {
  const T *color, *roughness_metallic, *irradiance, *radiance, *table;
  int32_t size;
};

// Each may be null.
template <class T>
struct SurroundedGradients {
  T *color, *roughness_metallic, *irradiance, *radiance;
};

template <class T>
void reflect_environment(const Seen<T>& seen, const Surrounded<T>& surface, T* out);

template <class T>
void reflect_environment_vjp(const Seen<T>& seen, const Surrounded<T>& surface, const T* grad_out, SeenGradients<T> grads,
                             SurroundedGradients<T> surface_grads);

// Real spherical harmonics to degree 2 [9, 3], or [batch, 9, 3] if own, at directions [..., 3] of any length.
template <class T>
struct Harmonics {
  Raster raster;
  const int32_t* triangle_id;
  const T *directions, *coefficients;
  bool own;
};

template <class T>
void spherical_harmonics(const Harmonics<T>& harmonics, T* out);

// Either gradient may be null.
template <class T>
void spherical_harmonics_vjp(const Harmonics<T>& harmonics, const T* grad_out, T* grad_directions, T* grad_coefficients);

// Normals and texels [..., 3] and tangents [..., 4] to unit normals [..., 3]; scale [1], or [batch] if own_scale.
template <class T>
struct NormalMap {
  Raster raster;
  const int32_t* triangle_id;
  const T *normals, *tangents, *texels, *scale;
  bool own_scale;
};

template <class T>
void map_normals(const NormalMap<T>& map, T* out);

// Each gradient may be null.
template <class T>
void map_normals_vjp(const NormalMap<T>& map, const T* grad_out, T* grad_normals, T* grad_tangents, T* grad_texels,
                     T* grad_scale);

}  // namespace intaglio
