// SPDX-License-Identifier: MIT
// The renderer of 2018: a warp draws a face, a thread colours a pixel.
#include "../math/classic.h"
#include "check.h"
#include "nearest.h"
#include "sums.h"

namespace intaglio {
namespace {

template <class T, class Pixels>
struct DrawFace {
  ClassicFaces<T> faces;
  Raster raster;
  T near;
  Pixels pixels;

  INTAGLIO_DEVICE void operator()(int64_t i, int lane) const {
    const int64_t b = i / faces.num_drawn(), index = i % faces.num_drawn();
    ReadyFace<T> f;
    if (!make_ready(load_classic_face(faces.faces_of(b), faces.num_faces, index), index, raster.height, raster.width, f))
      return;
    const int64_t columns = f.column_end - f.column_begin, samples = columns * (f.row_end - f.row_begin);
    for (int64_t at = lane; at < samples; at += kWarp) {
      const int64_t x = f.column_begin + at % columns, y = f.row_begin + at / columns;
      const T X = classic_centre<T>(x, raster.width), Y = classic_centre<T>(y, raster.height);
      bool outside = false;
      for (int k = 0; k < 3; ++k) outside |= f.edge[k].left(Y) < f.edge[k].right(X);
      if (outside) continue;
      T depth = classic_sample(f.m, f.z, (T)x, (T)y).depth;
      if (!(depth <= near)) pixels.offer((b * raster.height + raster.height - 1 - y) * raster.width + x, depth, (int32_t)index);
    }
  }
};

// Where the values go; only face_index is always wanted.
template <class T>
struct Image {
  int32_t* face_index;
  T *weights, *depth, *alpha;
};

template <class T, class Pixels>
struct Resolve {
  ClassicFaces<T> faces;
  Raster raster;
  Pixels pixels;
  Image<T> out;
  INTAGLIO_DEVICE void operator()(int64_t b, int64_t y, int64_t x) const {
    const int64_t at = (b * raster.height + y) * raster.width + x;
    const int32_t index = pixels.id(at);
    out.face_index[at] = index;
    if (out.alpha) out.alpha[at] = index < 0 ? (T)0 : (T)1;
    if (out.depth) out.depth[at] = pixels.depth(at);
    if (!out.weights) return;
    ClassicSample<T> s{};
    if (index >= 0) {
      ClassicFace<T> f = load_classic_face(faces.faces_of(b), faces.num_faces, index);
      s = classic_sample(screen_inverse(f, raster.height, raster.width).m, f.z, (T)x, (T)(raster.height - 1 - y));
    }
    for (int k = 0; k < 3; ++k) out.weights[3 * at + k] = s.w[k];
  }
};

template <class T>
void draw(const ClassicFaces<T>& faces, Raster raster, T near, T far, Image<T> image) {
  check_size(raster);
  auto pixels = make_pixels(raster.batch * raster.pixels(), far);
  for_each(raster.batch * raster.pixels(), Clear<decltype(pixels)>{pixels});
  using Pixels = decltype(pixels);
  offer_all(pixels, [&](const Pixels& to, bool) {
    for_each_warp(raster.batch * faces.num_drawn(), DrawFace<T, Pixels>{faces, raster, near, to});
  });
  for_each_pixel(raster, Resolve<T, Pixels>{faces, raster, pixels, image});
}

// What colours the pixels.
template <class T>
struct Shading {
  FaceTextures<T> textures;
  const T* light;
  ClassicFaces<T> faces;
  ClassicFragments<T> f;
  T eps;

  // The face of a pixel, or -1.
  INTAGLIO_DEVICE int64_t face(int64_t pixel) const {
    int32_t index = f.face_index[pixel];
    return index >= 0 && index < faces.num_drawn() ? index : -1;
  }
  INTAGLIO_DEVICE int64_t image(int64_t pixel) const { return pixel / f.raster.pixels(); }
  INTAGLIO_DEVICE int64_t source(int64_t index) const { return classic_source(faces.num_faces, index); }
  INTAGLIO_DEVICE CubeCell<T> cell(int64_t pixel) const {
    return classic_cell(faces.faces_of(image(pixel)), faces.num_faces, f.face_index[pixel], f.weights + 3 * pixel,
                        f.depth[pixel], textures.resolution, eps);
  }
  INTAGLIO_DEVICE int64_t light_at(int64_t pixel, int64_t index) const {
    return (image(pixel) * faces.num_drawn() + index) * textures.channels;
  }
};

template <class T>
struct Shade {
  Shading<T> s;
  const T* background;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t C = s.textures.channels, index = s.face(pixel), b = s.image(pixel);
    T* color = out + pixel * (C + 1);
    color[C] = index < 0 ? (T)0 : (T)1;
    if (index < 0) {
      for (int64_t c = 0; c < C; ++c) color[c] = background[b * C + c];
      return;
    }
    sample_cube(s.textures.cube(b, s.source(index)), s.cell(pixel), C, color);
    for (int64_t c = 0; c < C; ++c) color[c] *= s.light[s.light_at(pixel, index) + c];
  }
};

template <class T, class Sums>
struct TexturesVjp {
  Shading<T> s;
  const T* grad_out;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t C = s.textures.channels, index = s.face(pixel);
    if (index < 0) return;
    const T *lit = s.light + s.light_at(pixel, index), *grad = grad_out + pixel * (C + 1);
    const int64_t first =
        ((s.textures.own_values ? s.image(pixel) * s.textures.num_triangles : 0) + s.source(index)) * s.textures.texels();
    for_each_corner(s.cell(pixel), [&](int64_t texel, T weight) {
      for (int64_t c = 0; c < C; ++c) sums.add((first + texel) * C + c, weight * lit[c] * grad[c]);
    });
  }
};

template <class T, class Sums>
struct LightVjp {
  Shading<T> s;
  const T* grad_out;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t C = s.textures.channels, index = s.face(pixel);
    if (index < 0) return;
    const T *cube = s.textures.cube(s.image(pixel), s.source(index)), *grad = grad_out + pixel * (C + 1);
    const int64_t first = s.light_at(pixel, index);
    auto group = sums.group((uint64_t)first);
    const CubeCell<T> cell = s.cell(pixel);
    for (int64_t c = 0; c < C; ++c) {
      T sum = 0;
      for_each_corner(cell, [&](int64_t texel, T weight) { sum += weight * cube[texel * C + c] * grad[c]; });
      const T one[1] = {sum};
      add_all(sums, group, one, [&](int) { return first + c; });
    }
  }
};

template <class T, class Sums>
struct DepthVjp {
  ClassicFaces<T> faces;
  ClassicFragments<T> f;
  const T* grad_depth;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t pixel) const {
    const int64_t index = f.face_index[pixel], b = pixel / f.raster.pixels();
    if (index < 0 || index >= faces.num_drawn()) return;
    ClassicFace<T> face = load_classic_face(faces.faces_of(b), faces.num_faces, index);
    T grad[3][3] = {}, all[9];
    classic_depth_vjp(face, screen_inverse(face, f.raster.height, f.raster.width), f.weights + 3 * pixel, f.depth[pixel],
                      grad_depth[pixel], f.raster.height, f.raster.width, grad);
    auto group = sums.group((uint64_t)(b * faces.num_drawn() + index));
    for (int i = 0; i < 9; ++i) all[i] = grad[i / 3][i % 3];
    const int64_t first = b * faces.num_faces * 9;
    add_all(sums, group, all, [&](int i) { return first + classic_corner(faces.num_faces, index, i / 3) + i % 3; });
  }
};

}  // namespace

template <class T>
void classic_rasterize(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* weights, T* depth) {
  draw(faces, raster, near, far, Image<T>{face_index, weights, depth, nullptr});
}

template <class T>
void classic_silhouette(const ClassicFaces<T>& faces, Raster raster, T near, T far, int32_t* face_index, T* alpha) {
  draw(faces, raster, near, far, Image<T>{face_index, nullptr, nullptr, alpha});
}

template <class T>
void classic_rasterize_vjp(const ClassicFaces<T>& faces, const ClassicFragments<T>& f, const T* grad_depth, T* grad_faces) {
  const int64_t pixels = f.raster.batch * f.raster.pixels();
  check_fragments(faces.num_drawn(), pixels, f.face_index);
  accumulate(grad_faces, faces.batch * faces.num_faces * 9, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(pixels, DepthVjp<T, Sums>{faces, f, grad_depth, sums});
  });
}

template <class T>
void classic_shade(const FaceTextures<T>& textures, const T* light, const T* background, const ClassicFaces<T>& faces,
                   const ClassicFragments<T>& f, T eps, T* out) {
  const int64_t pixels = f.raster.batch * f.raster.pixels();
  check_fragments(faces.num_drawn(), pixels, f.face_index);
  for_each(pixels, Shade<T>{{textures, light, faces, f, eps}, background, out});
}

template <class T>
void classic_shade_vjp(const FaceTextures<T>& textures, const T* light, const ClassicFaces<T>& faces,
                       const ClassicFragments<T>& f, T eps, const T* grad_out, T* grad_textures, T* grad_light) {
  const int64_t pixels = f.raster.batch * f.raster.pixels(), C = textures.channels;
  check_fragments(faces.num_drawn(), pixels, f.face_index);
  const Shading<T> s{textures, light, faces, f, eps};
  if (grad_textures)
    accumulate(grad_textures, (textures.own_values ? f.raster.batch : 1) * faces.num_faces * textures.texels() * C,
               [&](const auto& sums) {
                 using Sums = std::decay_t<decltype(sums)>;
                 for_each(pixels, TexturesVjp<T, Sums>{s, grad_out, sums});
               });
  if (grad_light)
    accumulate(grad_light, f.raster.batch * faces.num_drawn() * C, [&](const auto& sums) {
      using Sums = std::decay_t<decltype(sums)>;
      for_each(pixels, LightVjp<T, Sums>{s, grad_out, sums});
    });
}

#define INTAGLIO_INSTANTIATE(T)                                                                                               \
  template void classic_rasterize(const ClassicFaces<T>&, Raster, T, T, int32_t*, T*, T*);                                    \
  template void classic_silhouette(const ClassicFaces<T>&, Raster, T, T, int32_t*, T*);                                       \
  template void classic_rasterize_vjp(const ClassicFaces<T>&, const ClassicFragments<T>&, const T*, T*);                      \
  template void classic_shade(const FaceTextures<T>&, const T*, const T*, const ClassicFaces<T>&, const ClassicFragments<T>&, \
                              T, T*);                                                                                         \
  template void classic_shade_vjp(const FaceTextures<T>&, const T*, const ClassicFaces<T>&, const ClassicFragments<T>&, T,    \
                                  const T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
