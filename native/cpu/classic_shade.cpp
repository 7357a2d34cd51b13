// SPDX-License-Identifier: MIT
// Colours and cotangents of pixels whose faces are known (math/classic.h).
#include "../math/classic.h"
#include "check.h"
#include "owners.h"
#include "rows.h"

namespace intaglio {
namespace {

template <class T>
CubeCell<T> cell_at(const FaceTextures<T>& textures, const ClassicFaces<T>& faces, const ClassicFragments<T>& f, int64_t b,
                    int64_t pixel, T eps) {
  return classic_cell(faces.faces_of(b), faces.num_faces, f.face_index[pixel], f.weights + 3 * pixel, f.depth[pixel],
                      textures.resolution, eps);
}

// visit(pixel, face index) for every pixel of image b that shows one of the stored faces from begin to end.
template <class T, class Visit>
void for_each_owned(const ClassicFaces<T>& faces, const ClassicFragments<T>& f, int64_t b, int64_t begin, int64_t end,
                    const Visit& visit) {
  for (int64_t pixel = b * f.raster.pixels(); pixel < (b + 1) * f.raster.pixels(); ++pixel) {
    int32_t index = f.face_index[pixel];
    if (index == -1) continue;
    check_triangle_id(index, faces.num_drawn());
    int64_t source = classic_source(faces.num_faces, index);
    if (source >= begin && source < end) visit(pixel, index);
  }
}

template <class T>
void add_texels(const FaceTextures<T>& textures, const T* light, const ClassicFaces<T>& faces, const ClassicFragments<T>& f,
                T eps, const T* grad_out, T* grad_textures) {
  auto near = [&](int64_t b, int64_t pixel) -> int64_t {
    int64_t index = f.face_index[b * f.raster.pixels() + pixel];
    return classic_source(faces.num_faces, index);
  };
  const int64_t width = textures.texels() * textures.channels;
  with_channels(textures.channels, [&](auto channels) {
    accumulate_owned(f.raster, grad_textures, faces.num_faces, width, !textures.own_values, near,
                     [&](int64_t b, int64_t begin, int64_t end, T* sums) {
                       for_each_owned(faces, f, b, begin, end, [&](int64_t pixel, int64_t index) {
                         const T* lit = light + (b * faces.num_drawn() + index) * channels;
                         const T* grad = grad_out + pixel * (channels + 1);
                         T* cube = sums + classic_source(faces.num_faces, index) * width;
                         for_each_corner(cell_at(textures, faces, f, b, pixel, eps), [&](int64_t texel, T weight) {
                           for (int64_t c = 0; c < channels; ++c) cube[texel * channels + c] += weight * lit[c] * grad[c];
                         });
                       });
                     });
  });
}

template <class T>
void add_light(const FaceTextures<T>& textures, const ClassicFaces<T>& faces, const ClassicFragments<T>& f, T eps,
               const T* grad_out, T* grad_light) {
  const int64_t channels = textures.channels;
  auto near = [&](int64_t b, int64_t pixel) -> int64_t { return f.face_index[b * f.raster.pixels() + pixel]; };
  accumulate_owned(f.raster, grad_light, faces.num_drawn(), channels, false, near,
                   [&](int64_t b, int64_t begin, int64_t end, T* sums) {
                     for (int64_t pixel = b * f.raster.pixels(); pixel < (b + 1) * f.raster.pixels(); ++pixel) {
                       int32_t index = f.face_index[pixel];
                       if (index == -1) continue;
                       check_triangle_id(index, faces.num_drawn());
                       if (index < begin || index >= end) continue;
                       const T* cube = textures.cube(b, classic_source(faces.num_faces, index));
                       const T* grad = grad_out + pixel * (channels + 1);
                       for_each_corner(cell_at(textures, faces, f, b, pixel, eps), [&](int64_t texel, T weight) {
                         for (int64_t c = 0; c < channels; ++c)
                           sums[index * channels + c] += weight * cube[texel * channels + c] * grad[c];
                       });
                     }
                   });
}

}  // namespace

template <class T>
void classic_shade(const FaceTextures<T>& textures, const T* light, const T* background, const ClassicFaces<T>& faces,
                   const ClassicFragments<T>& f, T eps, T* out) {
  with_channels(textures.channels, [&](auto channels) {
    for_each_row(f.raster, [&](int64_t b, int64_t y) {
      int64_t begin = (b * f.raster.height + y) * f.raster.width;
      for (int64_t pixel = begin; pixel < begin + f.raster.width; ++pixel) {
        T* color = out + pixel * (channels + 1);
        int32_t index = f.face_index[pixel];
        color[channels] = index == -1 ? (T)0 : (T)1;
        if (index == -1) {
          for (int64_t c = 0; c < channels; ++c) color[c] = background[b * channels + c];
          continue;
        }
        check_triangle_id(index, faces.num_drawn());
        sample_cube(textures.cube(b, classic_source(faces.num_faces, index)), cell_at(textures, faces, f, b, pixel, eps),
                    channels, color);
        const T* lit = light + (b * faces.num_drawn() + index) * channels;
        for (int64_t c = 0; c < channels; ++c) color[c] *= lit[c];
      }
    });
  });
}

template <class T>
void classic_shade_vjp(const FaceTextures<T>& textures, const T* light, const ClassicFaces<T>& faces,
                       const ClassicFragments<T>& f, T eps, const T* grad_out, T* grad_textures, T* grad_light) {
  if (grad_textures) add_texels(textures, light, faces, f, eps, grad_out, grad_textures);
  if (grad_light) add_light(textures, faces, f, eps, grad_out, grad_light);
}

template <class T>
void classic_rasterize_vjp(const ClassicFaces<T>& faces, const ClassicFragments<T>& f, const T* grad_depth, T* grad_faces) {
  const int64_t height = f.raster.height, width = f.raster.width;
  auto near = [&](int64_t b, int64_t pixel) -> int64_t {
    return classic_source(faces.num_faces, f.face_index[b * f.raster.pixels() + pixel]);
  };
  accumulate_owned(f.raster, grad_faces, faces.num_faces, 9, false, near, [&](int64_t b, int64_t begin, int64_t end, T* sums) {
    for_each_owned(faces, f, b, begin, end, [&](int64_t pixel, int64_t index) {
      ClassicFace<T> face = load_classic_face(faces.faces_of(b), faces.num_faces, index);
      T grad[3][3] = {};
      classic_depth_vjp(face, screen_inverse(face, height, width), f.weights + 3 * pixel, f.depth[pixel], grad_depth[pixel],
                        height, width, grad);
      for (int k = 0; k < 3; ++k)
        for (int axis = 0; axis < 3; ++axis) sums[classic_corner(faces.num_faces, index, k) + axis] += grad[k][axis];
    });
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                                                               \
  template void classic_shade(const FaceTextures<T>&, const T*, const T*, const ClassicFaces<T>&, const ClassicFragments<T>&, \
                              T, T*);                                                                                         \
  template void classic_shade_vjp(const FaceTextures<T>&, const T*, const ClassicFaces<T>&, const ClassicFragments<T>&, T,    \
                                  const T*, T*, T*);                                                                          \
  template void classic_rasterize_vjp(const ClassicFaces<T>&, const ClassicFragments<T>&, const T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
