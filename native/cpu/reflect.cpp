// SPDX-License-Identifier: MIT
// What surfaces mirror: in which direction, and how much of light from everywhere.
#include "../math/split_sum.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
INTAGLIO_INLINE void reflect_lanes(SeenBlock<T>& seen, const T* viewer, Lanes3<T>& out) {
  seen.prepare(load4(viewer));
  for (int i = 0; i < kLanes; ++i) out.put(i, mirrored(seen.n[i], seen.v[i]));
}

template <class T>
INTAGLIO_INLINE void reflect_lanes_vjp(SeenBlock<T>& seen, SeenGradBlock<T>& grads, const T* viewer, const Lanes3<T>& grad_out,
                                       Lanes<T>* sums) {
  seen.prepare(load4(viewer));
  grads.clear();
  for (int i = 0; i < kLanes; ++i) {
    MirroredVjp<T> back = mirrored_vjp(seen.n[i], seen.v[i], grad_out[i]);
    grads.n.put(i, back.n);
    grads.v.put(i, back.v);
  }
  grads.finish(seen, load4(viewer), sums);
}

template <class T>
struct SurroundedBlock {
  SeenBlock<T> seen;
  Lanes<T> color[3], surface[2], irradiance[3], radiance[3], cosine, scale, bias, out[3];

  void gather_from(const Seen<T>& s, const Surrounded<T>& from, const PixelBlock& pixels) {
    seen.gather_from(s, pixels);
    gather<3>(from.color, pixels, color);
    gather<2>(from.roughness_metallic, pixels, surface);
    gather<3>(from.irradiance, pixels, irradiance);
    gather<3>(from.radiance, pixels, radiance);
  }
  INTAGLIO_INLINE void prepare(const T* viewer, const T* table, int32_t size) {
    seen.prepare(load4(viewer));
    for (int i = 0; i < kLanes; ++i) cosine[i] = max_of(dot(seen.n[i], seen.v[i]), (T)0);
    for (int i = 0; i < kLanes; ++i) {  // apart: looking up is no vector code
      SplitSum<T> split = split_sum(table, size, cosine[i], surface[0][i]);
      scale[i] = split.scale, bias[i] = split.bias;
    }
  }
  INTAGLIO_INLINE Metallic<T> material(int c, int i) const { return {color[c][i], surface[1][i]}; }
  INTAGLIO_INLINE Surroundings<T> light(int c, int i) const { return {irradiance[c][i], radiance[c][i]}; }
};

template <class T>
INTAGLIO_INLINE void surround_lanes(SurroundedBlock<T>& block, const T* viewer, const T* table, int32_t size) {
  block.prepare(viewer, table, size);
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i)
      block.out[c][i] =
          surroundings_given_back(block.material(c, i), block.light(c, i), SplitSum<T>{block.scale[i], block.bias[i]});
}

template <class T>
struct SurroundedGradBlock {
  SeenGradBlock<T> seen;
  Lanes<T> out[3], color[3], surface[2], irradiance[3], radiance[3], cosine, scale, bias;
};

template <class T>
INTAGLIO_INLINE void surround_lanes_vjp(SurroundedBlock<T>& block, SurroundedGradBlock<T>& grads, const T* viewer,
                                        const T* table, int32_t size, Lanes<T>* sums) {
  block.prepare(viewer, table, size);
  grads.seen.clear();
  for (int i = 0; i < kLanes; ++i) {
    SplitSum<T> grad_split{0, 0};
    T grad_metallic = 0;
    for (int c = 0; c < 3; ++c) {
      SurroundingsVjp<T> back = surroundings_given_back_vjp(block.material(c, i), block.light(c, i),
                                                            SplitSum<T>{block.scale[i], block.bias[i]}, grads.out[c][i]);
      grads.color[c][i] = back.material.color, grad_metallic += back.material.metallic;
      grads.irradiance[c][i] = back.light.irradiance, grads.radiance[c][i] = back.light.radiance;
      grad_split.scale += back.split.scale, grad_split.bias += back.split.bias;
    }
    grads.scale[i] = grad_split.scale, grads.bias[i] = grad_split.bias;
    grads.surface[1][i] = grad_metallic;
  }
  for (int i = 0; i < kLanes; ++i) {
    SplitSum<T> grad_split{grads.scale[i], grads.bias[i]};
    Vec2<T> back = split_sum_vjp(table, size, block.cosine[i], block.surface[0][i], grad_split);
    grads.cosine[i] = back.x, grads.surface[0][i] = back.y;
  }
  for (int i = 0; i < kLanes; ++i) {
    T grad_cosine = block.cosine[i] > 0 ? grads.cosine[i] : (T)0;
    grads.seen.n.put(i, grad_cosine * block.seen.v[i]);
    grads.seen.v.put(i, grad_cosine * block.seen.n[i]);
  }
  grads.seen.finish(block.seen, load4(viewer), sums);
}

INTAGLIO_CLONES void reflect_block(SeenBlock<float>& seen, const float* viewer, Lanes3<float>& out) {
  reflect_lanes(seen, viewer, out);
}
void reflect_block(SeenBlock<double>& seen, const double* viewer, Lanes3<double>& out) {
  reflect_lanes(seen, viewer, out);
}
INTAGLIO_CLONES void reflect_block_vjp(SeenBlock<float>& seen, SeenGradBlock<float>& grads, const float* viewer,
                                       const Lanes3<float>& grad_out, Lanes<float>* sums) {
  reflect_lanes_vjp(seen, grads, viewer, grad_out, sums);
}
void reflect_block_vjp(SeenBlock<double>& seen, SeenGradBlock<double>& grads, const double* viewer,
                       const Lanes3<double>& grad_out, Lanes<double>* sums) {
  reflect_lanes_vjp(seen, grads, viewer, grad_out, sums);
}
INTAGLIO_CLONES void surround(SurroundedBlock<float>& block, const float* viewer, const float* table, int32_t size) {
  surround_lanes(block, viewer, table, size);
}
void surround(SurroundedBlock<double>& block, const double* viewer, const double* table, int32_t size) {
  surround_lanes(block, viewer, table, size);
}
INTAGLIO_CLONES void surround_vjp(SurroundedBlock<float>& block, SurroundedGradBlock<float>& grads, const float* viewer,
                                  const float* table, int32_t size, Lanes<float>* sums) {
  surround_lanes_vjp(block, grads, viewer, table, size, sums);
}
void surround_vjp(SurroundedBlock<double>& block, SurroundedGradBlock<double>& grads, const double* viewer, const double* table,
                  int32_t size, Lanes<double>* sums) {
  surround_lanes_vjp(block, grads, viewer, table, size, sums);
}

}  // namespace

template <class T>
void reflect(const Seen<T>& seen, T* out) {
  for_each_band(seen.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    SeenBlock<T> block;
    Lanes3<T> directions;
    for_each_pixel_block<T>(seen.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(seen, pixels);
      reflect_block(block, seen.viewer_of(b), directions);
      scatter(directions, pixels, out);
    });
  });
}

template <class T>
void reflect_vjp(const Seen<T>& seen, const T* grad_out, SeenGradients<T> to) {
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    SeenBlock<T> block;
    SeenGradBlock<T> grads;
    Lanes3<T> grad_directions;
    for_each_pixel_block<T>(seen.triangle_id, begin, end, {{to.positions, 3}, {to.normals, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(seen, pixels);
      gather(grad_out, pixels, grad_directions);
      reflect_block_vjp(block, grads, seen.viewer_of(b), grad_directions, sums);
      grads.scatter_to(to, pixels);
    });
  };
  put_sums(sum_over_pixels<T>(seen.raster, kViewerItems, add_band), seen.raster.batch, 0, kViewerItems, seen.own_viewer,
           to.viewer);
}

template <class T>
void reflect_environment(const Seen<T>& seen, const Surrounded<T>& surface, T* out) {
  for_each_band(seen.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    SurroundedBlock<T> block;
    for_each_pixel_block<T>(seen.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(seen, surface, pixels);
      surround(block, seen.viewer_of(b), surface.table, surface.size);
      scatter<3>(block.out, pixels, out);
    });
  });
}

template <class T>
void reflect_environment_vjp(const Seen<T>& seen, const Surrounded<T>& surface, const T* grad_out, SeenGradients<T> to,
                             SurroundedGradients<T> surface_to) {
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    SurroundedBlock<T> block;
    SurroundedGradBlock<T> grads;
    for_each_pixel_block<T>(seen.triangle_id, begin, end,
                            {{to.positions, 3},
                             {to.normals, 3},
                             {surface_to.color, 3},
                             {surface_to.roughness_metallic, 2},
                             {surface_to.irradiance, 3},
                             {surface_to.radiance, 3}},
                            [&](const PixelBlock& pixels) {
                              block.gather_from(seen, surface, pixels);
                              gather<3>(grad_out, pixels, grads.out);
                              surround_vjp(block, grads, seen.viewer_of(b), surface.table, surface.size, sums);
                              grads.seen.scatter_to(to, pixels);
                              scatter<3>(grads.color, pixels, surface_to.color);
                              scatter<2>(grads.surface, pixels, surface_to.roughness_metallic);
                              scatter<3>(grads.irradiance, pixels, surface_to.irradiance);
                              scatter<3>(grads.radiance, pixels, surface_to.radiance);
                            });
  };
  put_sums(sum_over_pixels<T>(seen.raster, kViewerItems, add_band), seen.raster.batch, 0, kViewerItems, seen.own_viewer,
           to.viewer);
}

#define INTAGLIO_INSTANTIATE(T)                                                                           \
  template void reflect(const Seen<T>&, T*);                                                              \
  template void reflect_vjp(const Seen<T>&, const T*, SeenGradients<T>);                                  \
  template void reflect_environment(const Seen<T>&, const Surrounded<T>&, T*);                            \
  template void reflect_environment_vjp(const Seen<T>&, const Surrounded<T>&, const T*, SeenGradients<T>, \
                                        SurroundedGradients<T>);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
