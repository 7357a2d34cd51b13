// SPDX-License-Identifier: MIT
// Direct light on metallic-roughness surfaces. A light's part is the same for all colours and metals but for three factors: so
// lights are summed first, a channel at a time, and the material comes last.
#include "../math/brdf.h"
#include "../math/light.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
struct Received3 {
  Lanes<T> base[3], facing[3], edge[3];
};

template <class T>
struct MetallicBlock {
  SeenBlock<T> seen;
  Lanes<T> color[3], surface[2];  // roughness and metallic
  Lanes<T> alpha2, mask;          // the viewer's half of the visibility
  Received3<T> received;          // without that mask
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
      mask[i] = masking(max_of(dot(seen.n[i], seen.v[i]), (T)0), alpha2[i]);
    }
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < kLanes; ++i) received.base[c][i] = received.facing[c][i] = received.edge[c][i] = 0;
  }
  INTAGLIO_INLINE Received<T> masked(int c, int i) const {
    return {received.base[c][i], mask[i] * received.facing[c][i], mask[i] * received.edge[c][i]};
  }
};

// Adds what a light of this colour gives to the lanes.
template <class T>
INTAGLIO_INLINE void receive(Received3<T>& to, int i, Vec3<T> color, T share, Lobes<T> lobe) {
  T facing = share * (1 - lobe.fresnel), base = facing * lobe.diffuse, edge = share * lobe.fresnel * lobe.specular;
  facing *= lobe.specular;
  const T channels[3] = {color.x, color.y, color.z};
  for (int c = 0; c < 3; ++c) {
    to.base[c][i] += channels[c] * base;
    to.facing[c][i] += channels[c] * facing;
    to.edge[c][i] += channels[c] * edge;
  }
}

template <class T>
INTAGLIO_INLINE void shade_lanes(MetallicBlock<T>& block, const T* viewer, const T* lights, int64_t num_lights) {
  block.prepare(load4(viewer));
  for (int64_t k = 0; k < num_lights; ++k) {
    Light<T> light = load_light(lights + kLightFields * k);
    for (int i = 0; i < kLanes; ++i) {
      Arrival<T> arrival = arrive(light, block.seen.position[i]);
      Lobes<T> lobe = lobes(block.seen.n[i], block.seen.v[i], arrival.towards, block.alpha2[i]);
      receive(block.received, i, light.color, arrival.share, lobe);
    }
  }
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i)
      block.out[c][i] = give_back(Metallic<T>{block.color[c][i], block.surface[1][i]}, block.masked(c, i));
}

template <class T>
struct MetallicGradBlock {
  SeenGradBlock<T> seen;
  Lanes<T> out[3], color[3], surface[2], alpha2;
  Received3<T> received;
};

// The way back of one light: its fields' sums, and n, v, position, alpha2 of the lanes. The light is received anew on the way.
template <class T>
INTAGLIO_INLINE void light_lanes_vjp(MetallicBlock<T>& block, MetallicGradBlock<T>& grads, const Light<T>& light,
                                     Lanes<T>* sums) {
  const T channels[3] = {light.color.x, light.color.y, light.color.z};
  for (int i = 0; i < kLanes; ++i) {
    Arrival<T> arrival = arrive(light, block.seen.position[i]);
    Lobes<T> lobe = lobes(block.seen.n[i], block.seen.v[i], arrival.towards, block.alpha2[i]);
    receive(block.received, i, light.color, arrival.share, lobe);
    T facing = 1 - lobe.fresnel, grad_base = 0, grad_facing = 0, grad_edge = 0, grad_share = 0;
    for (int c = 0; c < 3; ++c) {
      T to_base = grads.received.base[c][i], to_facing = grads.received.facing[c][i], to_edge = grads.received.edge[c][i];
      T grad = facing * (to_base * lobe.diffuse + to_facing * lobe.specular) + lobe.fresnel * lobe.specular * to_edge;
      sums[4 + c][i] += arrival.share * grad;
      grad_share += channels[c] * grad;
      grad_base += channels[c] * to_base, grad_facing += channels[c] * to_facing, grad_edge += channels[c] * to_edge;
    }
    Lobes<T> grad_lobe{arrival.share * facing * grad_base, arrival.share * (facing * grad_facing + lobe.fresnel * grad_edge),
                       arrival.share * (lobe.specular * (grad_edge - grad_facing) - lobe.diffuse * grad_base)};
    LobesVjp<T> back = lobes_vjp(block.seen.n[i], block.seen.v[i], arrival.towards, block.alpha2[i], grad_lobe);
    ArriveVjp<T> from = arrive_vjp(light, block.seen.position[i], Arrival<T>{back.l, grad_share});
    grads.seen.n.add(i, back.n);
    grads.seen.v.add(i, back.v);
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
      Metallic<T> m{block.color[c][i], block.surface[1][i]};
      Metallic<T> back = give_back_vjp(m, block.masked(c, i), grads.out[c][i]);
      Received<T> of_light = give_back_of_light(m, grads.out[c][i]);
      grads.color[c][i] = back.color, grad_metallic += back.metallic;
      grad_mask += of_light.facing * block.received.facing[c][i] + of_light.edge * block.received.edge[c][i];
    }
    T cosine = dot(block.seen.n[i], block.seen.v[i]);
    MaskingVjp<T> back = masking_vjp(max_of(cosine, (T)0), block.alpha2[i], grad_mask);
    T grad_cosine = cosine > 0 ? back.cosine : (T)0;
    grads.seen.n.add(i, grad_cosine * block.seen.v[i]);
    grads.seen.v.add(i, grad_cosine * block.seen.n[i]);
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
    for (int i = 0; i < kLanes; ++i) {
      Received<T> to = give_back_of_light(Metallic<T>{block.color[c][i], block.surface[1][i]}, grads.out[c][i]);
      grads.received.base[c][i] = to.base;
      grads.received.facing[c][i] = to.facing * block.mask[i], grads.received.edge[c][i] = to.edge * block.mask[i];
    }
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
