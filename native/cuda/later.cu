// SPDX-License-Identifier: MIT
// Ops that have no kernels yet: they say so.
#include "launch.h"

namespace intaglio {

[[noreturn]] inline void fail() {
  throw intaglio_queue::NoKernels();
}

template <class T>
void composite(const T*, Raster, int64_t, int64_t, T*) {
  fail();
}
template void composite(const float*, Raster, int64_t, int64_t, float*);
template void composite(const double*, Raster, int64_t, int64_t, double*);
template <class T>
void composite_vjp(const T*, Raster, int64_t, int64_t, const T*, T*) {
  fail();
}
template void composite_vjp(const float*, Raster, int64_t, int64_t, const float*, float*);
template void composite_vjp(const double*, Raster, int64_t, int64_t, const double*, double*);
template <class T>
int64_t layered_edge_gradient_vjp(const LayeredSurface<T>&, const T*, T*) {
  fail();
}
template int64_t layered_edge_gradient_vjp(const LayeredSurface<float>&, const float*, float*);
template int64_t layered_edge_gradient_vjp(const LayeredSurface<double>&, const double*, double*);
template <class T>
void textured(const TexturedMesh<T>&, Raster, const T*, const Texture<T>&, int64_t, int32_t*, T*, T*) {
  fail();
}
template void textured(const TexturedMesh<float>&, Raster, const float*, const Texture<float>&, int64_t, int32_t*, float*,
                       float*);
template void textured(const TexturedMesh<double>&, Raster, const double*, const Texture<double>&, int64_t, int32_t*, double*,
                       double*);
template <class T>
int64_t textured_vjp(const TexturedMesh<T>&, const Surface<T>&, const Texture<T>&, const T*, T*, T*, T*, T*) {
  fail();
}
template int64_t textured_vjp(const TexturedMesh<float>&, const Surface<float>&, const Texture<float>&, const float*, float*,
                              float*, float*, float*);
template int64_t textured_vjp(const TexturedMesh<double>&, const Surface<double>&, const Texture<double>&, const double*,
                              double*, double*, double*, double*);
template <class T>
int64_t textured_error(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t, const T*, T*,
                       const TexturedGradients<T>&) {
  fail();
}
template int64_t textured_error(const TexturedMesh<float>&, const int32_t*, Raster, const float*, const Texture<float>&,
                                int64_t, const float*, float*, const TexturedGradients<float>&);
template int64_t textured_error(const TexturedMesh<double>&, const int32_t*, Raster, const double*, const Texture<double>&,
                                int64_t, const double*, double*, const TexturedGradients<double>&);
template <class T>
int64_t textured_error_vjp(const TexturedMesh<T>&, const int32_t*, Raster, const T*, const Texture<T>&, int64_t, const T*,
                           const TexturedGradients<const T>&, const T*, const TexturedGradients<T>&) {
  fail();
}
template int64_t textured_error_vjp(const TexturedMesh<float>&, const int32_t*, Raster, const float*, const Texture<float>&,
                                    int64_t, const float*, const TexturedGradients<const float>&, const float*,
                                    const TexturedGradients<float>&);
template int64_t textured_error_vjp(const TexturedMesh<double>&, const int32_t*, Raster, const double*, const Texture<double>&,
                                    int64_t, const double*, const TexturedGradients<const double>&, const double*,
                                    const TexturedGradients<double>&);
template <class T>
void prefilter_cube(const T*, int64_t, int64_t, int64_t, int64_t, T, T*) {
  fail();
}
template void prefilter_cube(const float*, int64_t, int64_t, int64_t, int64_t, float, float*);
template void prefilter_cube(const double*, int64_t, int64_t, int64_t, int64_t, double, double*);
template <class T>
void prefilter_cube_vjp(const T*, int64_t, int64_t, int64_t, int64_t, T, T*) {
  fail();
}
template void prefilter_cube_vjp(const float*, int64_t, int64_t, int64_t, int64_t, float, float*);
template void prefilter_cube_vjp(const double*, int64_t, int64_t, int64_t, int64_t, double, double*);
template <class T>
void shade_metallic(const Seen<T>&, const Lights<T>&, const T*, const T*, T*) {
  fail();
}
template void shade_metallic(const Seen<float>&, const Lights<float>&, const float*, const float*, float*);
template void shade_metallic(const Seen<double>&, const Lights<double>&, const double*, const double*, double*);
template <class T>
void shade_metallic_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, T*, T*) {
  fail();
}
template void shade_metallic_vjp(const Seen<float>&, const Lights<float>&, const float*, const float*, const float*,
                                 SeenGradients<float>, float*, float*, float*);
template void shade_metallic_vjp(const Seen<double>&, const Lights<double>&, const double*, const double*, const double*,
                                 SeenGradients<double>, double*, double*, double*);
template <class T>
void shade_blinn_phong(const Seen<T>&, const Lights<T>&, const T*, const T*, T*) {
  fail();
}
template void shade_blinn_phong(const Seen<float>&, const Lights<float>&, const float*, const float*, float*);
template void shade_blinn_phong(const Seen<double>&, const Lights<double>&, const double*, const double*, double*);
template <class T>
void shade_blinn_phong_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, T*, T*) {
  fail();
}
template void shade_blinn_phong_vjp(const Seen<float>&, const Lights<float>&, const float*, const float*, const float*,
                                    SeenGradients<float>, float*, float*, float*);
template void shade_blinn_phong_vjp(const Seen<double>&, const Lights<double>&, const double*, const double*, const double*,
                                    SeenGradients<double>, double*, double*, double*);
template <class T>
void reflect(const Seen<T>&, T*) {
  fail();
}
template void reflect(const Seen<float>&, float*);
template void reflect(const Seen<double>&, double*);
template <class T>
void reflect_vjp(const Seen<T>&, const T*, SeenGradients<T>) {
  fail();
}
template void reflect_vjp(const Seen<float>&, const float*, SeenGradients<float>);
template void reflect_vjp(const Seen<double>&, const double*, SeenGradients<double>);
template <class T>
void reflect_environment(const Seen<T>&, const Surrounded<T>&, T*) {
  fail();
}
template void reflect_environment(const Seen<float>&, const Surrounded<float>&, float*);
template void reflect_environment(const Seen<double>&, const Surrounded<double>&, double*);
template <class T>
void reflect_environment_vjp(const Seen<T>&, const Surrounded<T>&, const T*, SeenGradients<T>, SurroundedGradients<T>) {
  fail();
}
template void reflect_environment_vjp(const Seen<float>&, const Surrounded<float>&, const float*, SeenGradients<float>,
                                      SurroundedGradients<float>);
template void reflect_environment_vjp(const Seen<double>&, const Surrounded<double>&, const double*, SeenGradients<double>,
                                      SurroundedGradients<double>);
template <class T>
void spherical_harmonics(const Harmonics<T>&, T*) {
  fail();
}
template void spherical_harmonics(const Harmonics<float>&, float*);
template void spherical_harmonics(const Harmonics<double>&, double*);
template <class T>
void spherical_harmonics_vjp(const Harmonics<T>&, const T*, T*, T*) {
  fail();
}
template void spherical_harmonics_vjp(const Harmonics<float>&, const float*, float*, float*);
template void spherical_harmonics_vjp(const Harmonics<double>&, const double*, double*, double*);
template <class T>
void map_normals(const NormalMap<T>&, T*) {
  fail();
}
template void map_normals(const NormalMap<float>&, float*);
template void map_normals(const NormalMap<double>&, double*);
template <class T>
void map_normals_vjp(const NormalMap<T>&, const T*, T*, T*, T*, T*) {
  fail();
}
template void map_normals_vjp(const NormalMap<float>&, const float*, float*, float*, float*, float*);
template void map_normals_vjp(const NormalMap<double>&, const double*, double*, double*, double*, double*);

}  // namespace intaglio
