// SPDX-License-Identifier: MIT
// Ops that have no kernels yet: they say so.
#include "launch.h"

namespace intaglio {

[[noreturn]] inline void fail() {
  throw intaglio_queue::NoKernels();
}

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
}  // namespace intaglio
