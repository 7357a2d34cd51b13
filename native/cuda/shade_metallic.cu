// SPDX-License-Identifier: MIT
#include "../math/brdf.h"
#include "lit.h"

namespace intaglio {
namespace {

template <class T>
struct MetallicPlanes {
  const T *color, *roughness_metallic;
  T *grad_color, *grad_roughness_metallic;

  struct Pixel {
    Metallic<T> m[3];
    T roughness, alpha2, mask;
    Received<T> light[3] = {};  // all lights', without that mask

    INTAGLIO_DEVICE Pixel(const MetallicPlanes& of, const SeenPixel<T>& p) {
      roughness = of.roughness_metallic[2 * p.at];
      for (int c = 0; c < 3; ++c) m[c] = {of.color[3 * p.at + c], of.roughness_metallic[2 * p.at + 1]};
      alpha2 = alpha_squared(roughness), mask = viewer_masking(p.sight, alpha2);
    }
    INTAGLIO_DEVICE void add(Vec3<T> color, Received<T> sent) {
      light[0] = light[0] + color.x * sent, light[1] = light[1] + color.y * sent, light[2] = light[2] + color.z * sent;
    }
    INTAGLIO_DEVICE void receive(const SeenPixel<T>& p, const Light<T>& from, Arrival<T> arrival) {
      add(from.color, received(arrival.share, lobes(p.sight, arrival.towards, alpha2)));
    }
    INTAGLIO_DEVICE T channel(int c) const { return give_back(m[c], masked(light[c], mask)); }
    INTAGLIO_DEVICE Vec3<T> color() const { return {channel(0), channel(1), channel(2)}; }
  };

  struct Back {
    Pixel pixel;
    T grad[3], grad_alpha2 = 0;
    Received<T> to[3];

    INTAGLIO_DEVICE Back(const MetallicPlanes& of, const SeenPixel<T>& p, Vec3<T> g) : pixel(of, p), grad{g.x, g.y, g.z} {
      for (int c = 0; c < 3; ++c) to[c] = masked(give_back_of_light(pixel.m[c], grad[c]), pixel.mask);
    }
    INTAGLIO_DEVICE LitVjp<T> receive(const SeenPixel<T>& p, const Light<T>& from) {
      Arrival<T> arrival = arrive(from, p.position);
      Lobes<T> lobe = lobes(p.sight, arrival.towards, pixel.alpha2);
      pixel.add(from.color, received(arrival.share, lobe));
      const T channels[3] = {from.color.x, from.color.y, from.color.z};
      T of_channel[3], grad_share = 0;
      Received<T> grad_sent{0, 0, 0};
      for (int c = 0; c < 3; ++c) {
        of_channel[c] = received_vjp(lobe, to[c]);
        grad_share += channels[c] * of_channel[c];
        grad_sent = grad_sent + channels[c] * to[c];
      }
      LobesVjp<T> back = lobes_vjp(p.sight, arrival.towards, pixel.alpha2, received_lobes_vjp(arrival.share, lobe, grad_sent));
      grad_alpha2 += back.alpha2;
      return {back.sight, arrival.share * Vec3<T>{of_channel[0], of_channel[1], of_channel[2]},
              arrive_vjp(from, p.position, Arrival<T>{back.l, grad_share})};
    }
    INTAGLIO_DEVICE Sight<T> finish(const MetallicPlanes& of, const SeenPixel<T>& p, Sight<T> grad_sight) const {
      T grad_color[3], grad_mask = 0, grad_metallic = 0;
      for (int c = 0; c < 3; ++c) {
        Metallic<T> back = give_back_vjp(pixel.m[c], masked(pixel.light[c], pixel.mask), grad[c]);
        grad_color[c] = back.color, grad_metallic += back.metallic;
        grad_mask += masked_vjp(pixel.light[c], give_back_of_light(pixel.m[c], grad[c]));
      }
      ViewerMaskingVjp<T> back = viewer_masking_vjp(p.sight, pixel.alpha2, grad_mask);
      const T surface[2] = {alpha_squared_vjp(pixel.roughness, grad_alpha2 + back.alpha2), grad_metallic};
      store(of.grad_color, p.at, 3, grad_color), store(of.grad_roughness_metallic, p.at, 2, surface);
      return grad_sight + back.sight;
    }
  };

  INTAGLIO_DEVICE void store_zero(int64_t at) const {
    intaglio::store_zero(grad_color, at, 3), intaglio::store_zero(grad_roughness_metallic, at, 2);
  }
};

}  // namespace

template <class T>
void shade_metallic(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic, T* out) {
  shade(seen, lights, MetallicPlanes<T>{color, roughness_metallic, nullptr, nullptr}, out);
}

template <class T>
void shade_metallic_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* color, const T* roughness_metallic,
                        const T* grad_out, SeenGradients<T> to, T* grad_lights, T* grad_color, T* grad_roughness_metallic) {
  MetallicPlanes<T> planes{color, roughness_metallic, grad_color, grad_roughness_metallic};
  shade_vjp(seen, lights, planes, grad_out, to, grad_lights);
}

#define INTAGLIO_INSTANTIATE(T)                                                                                              \
  template void shade_metallic(const Seen<T>&, const Lights<T>&, const T*, const T*, T*);                                    \
  template void shade_metallic_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, T*, \
                                   T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
