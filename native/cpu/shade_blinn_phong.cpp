// SPDX-License-Identifier: MIT
// Direct light on surfaces after Blinn. Powers are taken lane by lane between the loops that are vector code.
#include "../math/blinn_phong.h"
#include "../math/light.h"
#include "seen.h"

namespace intaglio {
namespace {

template <class T>
struct BlinnBlock {
  SeenBlock<T> seen;
  Lanes<T> diffuse[3], specular[4];
  // Of the light at hand: its share, the cosines with the normal and of the highlight, and the latter's power.
  Lanes<T> share, cosine, half_cosine, power;
  Lanes<T> base[3], shine[3];  // light received as one and as the other, all lights'
  Lanes<T> out[3];

  void gather_from(const Seen<T>& s, const T* diffuse_plane, const T* specular_plane, const PixelBlock& pixels) {
    seen.gather_from(s, pixels);
    gather<3>(diffuse_plane, pixels, diffuse);
    gather<4>(specular_plane, pixels, specular);
  }
  INTAGLIO_INLINE void prepare(const T* viewer) {
    seen.prepare(load4(viewer));
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < kLanes; ++i) base[c][i] = shine[c][i] = 0;
  }
  INTAGLIO_INLINE void meet(const Light<T>& light) {
    for (int i = 0; i < kLanes; ++i) {
      Arrival<T> arrival = arrive(light, seen.position[i]);
      share[i] = arrival.share;
      cosine[i] = max_of(dot(seen.n[i], arrival.towards), (T)0);
      half_cosine[i] = highlight_cosine(seen.n[i], seen.v[i], arrival.towards);
    }
    for (int i = 0; i < kLanes; ++i) power[i] = highlight(half_cosine[i], specular[3][i]);
  }
  INTAGLIO_INLINE void receive(const Light<T>& light) {
    const T channels[3] = {light.color.x, light.color.y, light.color.z};
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < kLanes; ++i) {
        base[c][i] += channels[c] * share[i] * cosine[i];
        shine[c][i] += channels[c] * share[i] * power[i];
      }
  }
};

template <class T>
INTAGLIO_INLINE void shade_lanes(BlinnBlock<T>& block, const T* viewer, const T* lights, int64_t num_lights) {
  block.prepare(viewer);
  for (int64_t k = 0; k < num_lights; ++k) {
    Light<T> light = load_light(lights + kLightFields * k);
    block.meet(light);
    block.receive(light);
  }
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i)
      block.out[c][i] = block.diffuse[c][i] * block.base[c][i] + block.specular[c][i] * block.shine[c][i];
}

template <class T>
struct BlinnGradBlock {
  SeenGradBlock<T> seen;
  Lanes<T> out[3], diffuse[3], specular[4];
  Lanes<T> share, cosine, half_cosine, power;  // of the light at hand
};

template <class T>
INTAGLIO_INLINE void light_lanes_vjp(BlinnBlock<T>& block, BlinnGradBlock<T>& grads, const Light<T>& light, Lanes<T>* sums) {
  block.meet(light);
  block.receive(light);
  const T channels[3] = {light.color.x, light.color.y, light.color.z};
  for (int i = 0; i < kLanes; ++i) {
    T grad_share = 0, grad_cosine = 0, grad_power = 0;
    for (int c = 0; c < 3; ++c) {
      BlinnLobes<T> to = blinn_lobes_vjp(block.diffuse[c][i], block.specular[c][i], grads.out[c][i]);
      T grad = blinn_light_vjp(BlinnLobes<T>{block.cosine[i], block.power[i]}, to);
      sums[4 + c][i] += block.share[i] * grad;
      grad_share += channels[c] * grad;
      grad_cosine += channels[c] * to.base, grad_power += channels[c] * to.highlight;
    }
    grads.share[i] = grad_share;
    grads.cosine[i] = block.cosine[i] > 0 ? block.share[i] * grad_cosine : (T)0;
    grads.power[i] = block.share[i] * grad_power;
  }
  for (int i = 0; i < kLanes; ++i) {
    Vec2<T> back = highlight_vjp(block.half_cosine[i], block.specular[3][i], grads.power[i]);
    grads.half_cosine[i] = back.x;
    grads.specular[3][i] += back.y;
  }
  for (int i = 0; i < kLanes; ++i) {
    auto [sight, from] = blinn_cosines_vjp(light, block.seen.position[i], block.seen.of(i), grads.cosine[i],
                                           grads.half_cosine[i], grads.share[i]);
    grads.seen.add(i, sight);
    grads.seen.position.add(i, from.position);
    sums[0][i] += from.place.x, sums[1][i] += from.place.y, sums[2][i] += from.place.z;
    sums[7][i] += from.axis.x, sums[8][i] += from.axis.y, sums[9][i] += from.axis.z;
    sums[10][i] += from.scale, sums[11][i] += from.offset;
  }
}

// sums: those of the viewer, then those of every light.
template <class T>
INTAGLIO_INLINE void shade_lanes_vjp(BlinnBlock<T>& block, BlinnGradBlock<T>& grads, const T* viewer, const T* lights,
                                     int64_t num_lights, Lanes<T>* sums) {
  block.prepare(viewer);
  grads.seen.clear();
  for (int i = 0; i < kLanes; ++i) grads.specular[3][i] = 0;
  for (int64_t k = 0; k < num_lights; ++k)
    light_lanes_vjp(block, grads, load_light(lights + kLightFields * k), sums + kViewerItems + kLightFields * k);
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < kLanes; ++i) {
      grads.diffuse[c][i] = grads.out[c][i] * block.base[c][i];
      grads.specular[c][i] = grads.out[c][i] * block.shine[c][i];
    }
  grads.seen.finish(block.seen, load4(viewer), sums);
}

INTAGLIO_CLONES void shade(BlinnBlock<float>& block, const float* viewer, const float* lights, int64_t num_lights) {
  shade_lanes(block, viewer, lights, num_lights);
}
void shade(BlinnBlock<double>& block, const double* viewer, const double* lights, int64_t num_lights) {
  shade_lanes(block, viewer, lights, num_lights);
}
INTAGLIO_CLONES void shade_vjp(BlinnBlock<float>& block, BlinnGradBlock<float>& grads, const float* viewer, const float* lights,
                               int64_t num_lights, Lanes<float>* sums) {
  shade_lanes_vjp(block, grads, viewer, lights, num_lights, sums);
}
void shade_vjp(BlinnBlock<double>& block, BlinnGradBlock<double>& grads, const double* viewer, const double* lights,
               int64_t num_lights, Lanes<double>* sums) {
  shade_lanes_vjp(block, grads, viewer, lights, num_lights, sums);
}

}  // namespace

template <class T>
void shade_blinn_phong(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, T* out) {
  for_each_band(seen.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    BlinnBlock<T> block;
    for_each_pixel_block<T>(seen.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(seen, diffuse, specular, pixels);
      shade(block, seen.viewer_of(b), lights.lights_of(b), lights.count);
      scatter<3>(block.out, pixels, out);
    });
  });
}

template <class T>
void shade_blinn_phong_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, const T* grad_out,
                           SeenGradients<T> to, T* grad_lights, T* grad_diffuse, T* grad_specular) {
  int64_t items = kViewerItems + kLightFields * lights.count;
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    BlinnBlock<T> block;
    BlinnGradBlock<T> grads;
    for_each_pixel_block<T>(seen.triangle_id, begin, end,
                            {{to.positions, 3}, {to.normals, 3}, {grad_diffuse, 3}, {grad_specular, 4}},
                            [&](const PixelBlock& pixels) {
                              block.gather_from(seen, diffuse, specular, pixels);
                              gather<3>(grad_out, pixels, grads.out);
                              shade_vjp(block, grads, seen.viewer_of(b), lights.lights_of(b), lights.count, sums);
                              grads.seen.scatter_to(to, pixels);
                              scatter<3>(grads.diffuse, pixels, grad_diffuse);
                              scatter<4>(grads.specular, pixels, grad_specular);
                            });
  };
  std::vector<double> sums = sum_over_pixels<T>(seen.raster, items, add_band);
  put_sums(sums, seen.raster.batch, 0, kViewerItems, seen.own_viewer, to.viewer);
  put_sums(sums, seen.raster.batch, kViewerItems, items - kViewerItems, lights.own, grad_lights);
}

#define INTAGLIO_INSTANTIATE(T)                                                                                             \
  template void shade_blinn_phong(const Seen<T>&, const Lights<T>&, const T*, const T*, T*);                                \
  template void shade_blinn_phong_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, \
                                      T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
