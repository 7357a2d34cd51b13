// SPDX-License-Identifier: MIT
// Direct light on metallic-roughness surfaces. A light's part is the same for all colours and metals but for three factors: so
// lights are summed first, a channel at a time, and the material comes last.
#include "../math/brdf.h"
#include "../math/light.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
struct LanesReceived {
  Lanes<T> base, facing, edge;
  INTAGLIO_INLINE Received<T> operator[](int i) const { return {base[i], facing[i], edge[i]}; }
  INTAGLIO_INLINE void put(int i, Received<T> r) { base[i] = r.base, facing[i] = r.facing, edge[i] = r.edge; }
};

template <class T>
struct MetallicBlock {
  SeenBlock<T> seen;
  Lanes<T> color[3], surface[2];  // roughness and metallic
  Lanes<T> alpha2, mask;          // the viewer's half of the visibility
  LanesReceived<T> light[3];      // all lights', without that mask
  Lanes<T> out[3];

  void gather_from(const Seen<T>& s, const T* colors, const T* roughness_metallic, const PixelBlock& block) {
    seen.gather_from(s, block);
    gather<3>(colors, block, color);
    gather<2>(roughness_metallic, block, surface);
  }
  INTAGLIO_INLINE void prepare(Vec4<T> viewer) {
    seen.prepare(viewer);
    for (int i = 0; i < kLanes; ++i) {
      alpha2[i] = alpha_squared(surface[0][i]);
      mask[i] = viewer_masking(seen.of(i), alpha2[i]);
    }
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < kLanes; ++i) light[c].put(i, {0, 0, 0});
  }
  INTAGLIO_INLINE Metallic<T> material(int c, int i) const { return {color[c][i], surface[1][i]}; }
};

template <class T>
INTAGLIO_INLINE void shade_lanes(MetallicBlock<T>& block, const T* viewer, const T* lights, int64_t num_lights) {
  block.prepare(load4(viewer));
  for (int64_t k = 0; k < num_lights; ++k) {
    Light<T> light = load_light(lights + kLightFields * k);
    const T channels[3] = {light.color.x, light.color.y, light.color.z};
    for (int i = 0; i < kLanes; ++i) {
      Arrival<T> arrival = arrive(light, block.seen.position[i]);
      Received<T> sent = received(arrival.share, lobes(block.seen.of(i), arrival.towards, block.alpha2[i]));
      for (int c = 0; c < 3; ++c) block.light[c].put(i, block.light[c][i] + channels[c] * sent);
    }
  }
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i)
      block.out[c][i] = give_back(block.material(c, i), masked(block.light[c][i], block.mask[i]));
}

template <class T>
struct MetallicGradBlock {
  SeenGradBlock<T> seen;
  Lanes<T> out[3], color[3], surface[2], alpha2;
  LanesReceived<T> light[3];
};

// The way back of one light: its fields' sums, and n, v, position, alpha2 of the lanes. The light is received anew on the way.
template <class T>
INTAGLIO_INLINE void light_lanes_vjp(MetallicBlock<T>& block, MetallicGradBlock<T>& grads, const Light<T>& light,
                                     Lanes<T>* sums) {
  const T channels[3] = {light.color.x, light.color.y, light.color.z};
  for (int i = 0; i < kLanes; ++i) {
    Arrival<T> arrival = arrive(light, block.seen.position[i]);
    Lobes<T> lobe = lobes(block.seen.of(i), arrival.towards, block.alpha2[i]);
    Received<T> sent = received(arrival.share, lobe), grad_sent{0, 0, 0};
    T grad_share = 0;
    for (int c = 0; c < 3; ++c) {
      block.light[c].put(i, block.light[c][i] + channels[c] * sent);
      T grad = received_vjp(lobe, grads.light[c][i]);
      sums[4 + c][i] += arrival.share * grad;
      grad_share += channels[c] * grad;
      grad_sent = grad_sent + channels[c] * grads.light[c][i];
    }
    LobesVjp<T> back =
        lobes_vjp(block.seen.of(i), arrival.towards, block.alpha2[i], received_lobes_vjp(arrival.share, lobe, grad_sent));
    ArriveVjp<T> from = arrive_vjp(light, block.seen.position[i], Arrival<T>{back.l, grad_share});
    grads.seen.add(i, back.sight);
    grads.seen.position.add(i, from.position);
    grads.alpha2[i] += back.alpha2;
    sums[0][i] += from.place.x, sums[1][i] += from.place.y, sums[2][i] += from.place.z;
    sums[7][i] += from.axis.x, sums[8][i] += from.axis.y, sums[9][i] += from.axis.z;
    sums[10][i] += from.scale, sums[11][i] += from.offset;
  }
}

template <class T>
INTAGLIO_INLINE void material_lanes_vjp(MetallicBlock<T>& block, MetallicGradBlock<T>& grads) {
  for (int i = 0; i < kLanes; ++i) {
    T grad_mask = 0, grad_metallic = 0;
    for (int c = 0; c < 3; ++c) {
      const Metallic<T> m = block.material(c, i);
      Metallic<T> back = give_back_vjp(m, masked(block.light[c][i], block.mask[i]), grads.out[c][i]);
      grads.color[c][i] = back.color, grad_metallic += back.metallic;
      grad_mask += masked_vjp(block.light[c][i], give_back_of_light(m, grads.out[c][i]));
    }
    ViewerMaskingVjp<T> back = viewer_masking_vjp(block.seen.of(i), block.alpha2[i], grad_mask);
    grads.seen.add(i, back.sight);
    grads.surface[0][i] = alpha_squared_vjp(block.surface[0][i], grads.alpha2[i] + back.alpha2);
    grads.surface[1][i] = grad_metallic;
  }
}

// sums: those of the viewer, then those of every light.
template <class T>
INTAGLIO_INLINE void shade_lanes_vjp(MetallicBlock<T>& block, MetallicGradBlock<T>& grads, const T* viewer, const T* lights,
                                     int64_t num_lights, Lanes<T>* sums) {
  block.prepare(load4(viewer));
  grads.seen.clear();
  for (int i = 0; i < kLanes; ++i) grads.alpha2[i] = 0;
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i)
      grads.light[c].put(i, masked(give_back_of_light(block.material(c, i), grads.out[c][i]), block.mask[i]));
  for (int64_t k = 0; k < num_lights; ++k)
    light_lanes_vjp(block, grads, load_light(lights + kLightFields * k), sums + kViewerItems + kLightFields * k);
  material_lanes_vjp(block, grads);
  grads.seen.finish(block.seen, load4(viewer), sums);
}

INTAGLIO_CLONES void shade(MetallicBlock<float>& block, const float* viewer, const float* lights, int64_t num_lights) {
  shade_lanes(block, viewer, lights, num_lights);
}
void shade(MetallicBlock<double>& block, const double* viewer, const double* lights, int64_t num_lights) {
  shade_lanes(block, viewer, lights, num_lights);
}

INTAGLIO_CLONES void shade_vjp(MetallicBlock<float>& block, MetallicGradBlock<float>& grads, const float* viewer,
                               const float* lights, int64_t num_lights, Lanes<float>* sums) {
  shade_lanes_vjp(block, grads, viewer, lights, num_lights, sums);
}
void shade_vjp(MetallicBlock<double>& block, MetallicGradBlock<double>& grads, const double* viewer, const double* lights,
               int64_t num_lights, Lanes<double>* sums) {
  shade_lanes_vjp(block, grads, viewer, lights, num_lights, sums);
}

}  // namespace

template <class T>
void shade_metallic(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic, T* out) {
  for_each_band(seen.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    MetallicBlock<T> block;
    for_each_pixel_block<T>(seen.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(seen, color, roughness_metallic, pixels);
      shade(block, seen.viewer_of(b), lights.lights_of(b), lights.count);
      scatter<3>(block.out, pixels, out);
    });
  });
}

template <class T>
void shade_metallic_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic,
                        const T* grad_out, SeenGradients<T> to, T* grad_lights, T* grad_color, T* grad_roughness_metallic) {
  int64_t items = kViewerItems + kLightFields * lights.count;
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    MetallicBlock<T> block;
    MetallicGradBlock<T> grads;
    for_each_pixel_block<T>(seen.triangle_id, begin, end,
                            {{to.positions, 3}, {to.normals, 3}, {grad_color, 3}, {grad_roughness_metallic, 2}},
                            [&](const PixelBlock& pixels) {
                              block.gather_from(seen, color, roughness_metallic, pixels);
                              gather<3>(grad_out, pixels, grads.out);
                              shade_vjp(block, grads, seen.viewer_of(b), lights.lights_of(b), lights.count, sums);
                              grads.seen.scatter_to(to, pixels);
                              scatter<3>(grads.color, pixels, grad_color);
                              scatter<2>(grads.surface, pixels, grad_roughness_metallic);
                            });
  };
  std::vector<double> sums = sum_over_pixels<T>(seen.raster, items, add_band);
  put_sums(sums, seen.raster.batch, 0, kViewerItems, seen.own_viewer, to.viewer);
  put_sums(sums, seen.raster.batch, kViewerItems, items - kViewerItems, lights.own, grad_lights);
}

#define INTAGLIO_INSTANTIATE(T)                                                                                              \
  template void shade_metallic(const Seen<T>&, const Lights<T>&, const T*, const T*, T*);                                    \
  template void shade_metallic_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, T*, \
                                   T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
