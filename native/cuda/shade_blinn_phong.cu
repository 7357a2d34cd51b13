// SPDX-License-Identifier: MIT
#include "../math/blinn_phong.h"
#include "lit.h"

namespace intaglio {
namespace {

template <class T>
struct BlinnPlanes {
  const T *diffuse, *specular;
  T *grad_diffuse, *grad_specular;

  struct Pixel {
    T diffuse[3], specular[3], shininess;
    T base[3] = {}, shine[3] = {};  // light received as one and as the other, all lights'

    INTAGLIO_DEVICE Pixel(const BlinnPlanes& of, const SeenPixel<T>& p) : shininess(of.specular[4 * p.at + 3]) {
      for (int c = 0; c < 3; ++c) diffuse[c] = of.diffuse[3 * p.at + c], specular[c] = of.specular[4 * p.at + c];
    }
    INTAGLIO_DEVICE void add(Vec3<T> color, T share, BlinnLobes<T> lobes) {
      const T channels[3] = {color.x, color.y, color.z};
      for (int c = 0; c < 3; ++c)
        base[c] += channels[c] * share * lobes.base, shine[c] += channels[c] * share * lobes.highlight;
    }
    INTAGLIO_DEVICE void receive(const SeenPixel<T>& p, const Light<T>& from, Arrival<T> arrival) {
      const T half_cosine = highlight_cosine(p.sight.n, p.sight.v, arrival.towards);
      add(from.color, arrival.share, {max_of(dot(p.sight.n, arrival.towards), (T)0), highlight(half_cosine, shininess)});
    }
    INTAGLIO_DEVICE T channel(int c) const { return diffuse[c] * base[c] + specular[c] * shine[c]; }
    INTAGLIO_DEVICE Vec3<T> color() const { return {channel(0), channel(1), channel(2)}; }
  };

  struct Back {
    Pixel pixel;
    T grad[3], grad_shininess = 0;

    INTAGLIO_DEVICE Back(const BlinnPlanes& of, const SeenPixel<T>& p, Vec3<T> g) : pixel(of, p), grad{g.x, g.y, g.z} {}
    INTAGLIO_DEVICE LitVjp<T> receive(const SeenPixel<T>& p, const Light<T>& from) {
      Arrival<T> arrival = arrive(from, p.position);
      const T half_cosine = highlight_cosine(p.sight.n, p.sight.v, arrival.towards);
      const BlinnLobes<T> lobes{max_of(dot(p.sight.n, arrival.towards), (T)0), highlight(half_cosine, pixel.shininess)};
      pixel.add(from.color, arrival.share, lobes);
      const T channels[3] = {from.color.x, from.color.y, from.color.z};
      T of_channel[3], grad_share = 0, grad_cosine = 0, grad_power = 0;
      for (int c = 0; c < 3; ++c) {
        BlinnLobes<T> to = blinn_lobes_vjp(pixel.diffuse[c], pixel.specular[c], grad[c]);
        of_channel[c] = blinn_light_vjp(lobes, to);
        grad_share += channels[c] * of_channel[c];
        grad_cosine += channels[c] * to.base, grad_power += channels[c] * to.highlight;
      }
      grad_cosine = lobes.base > 0 ? arrival.share * grad_cosine : (T)0;
      Vec2<T> back = highlight_vjp(half_cosine, pixel.shininess, arrival.share * grad_power);
      grad_shininess += back.y;
      BlinnLightVjp<T> from_vjp = blinn_cosines_vjp(from, p.position, p.sight, grad_cosine, back.x, grad_share);
      return {from_vjp.sight, arrival.share * Vec3<T>{of_channel[0], of_channel[1], of_channel[2]}, from_vjp.light};
    }
    INTAGLIO_DEVICE Sight<T> finish(const BlinnPlanes& of, const SeenPixel<T>& p, Sight<T> grad_sight) const {
      T grad_diffuse[3], grad_specular[4];
      for (int c = 0; c < 3; ++c) grad_diffuse[c] = grad[c] * pixel.base[c], grad_specular[c] = grad[c] * pixel.shine[c];
      grad_specular[3] = grad_shininess;
      store(of.grad_diffuse, p.at, 3, grad_diffuse), store(of.grad_specular, p.at, 4, grad_specular);
      return grad_sight;
    }
  };

  INTAGLIO_DEVICE void store_zero(int64_t at) const {
    intaglio::store_zero(grad_diffuse, at, 3), intaglio::store_zero(grad_specular, at, 4);
  }
};

}  // namespace

template <class T>
void shade_blinn_phong(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, T* out) {
  shade(seen, lights, BlinnPlanes<T>{diffuse, specular, nullptr, nullptr}, out);
}

template <class T>
void shade_blinn_phong_vjp(const Seen<T>& seen, const Lights<T>& lights, const T* diffuse, const T* specular, const T* grad_out,
                           SeenGradients<T> to, T* grad_lights, T* grad_diffuse, T* grad_specular) {
  shade_vjp(seen, lights, BlinnPlanes<T>{diffuse, specular, grad_diffuse, grad_specular}, grad_out, to, grad_lights);
}

#define INTAGLIO_INSTANTIATE(T)                                                                                             \
  template void shade_blinn_phong(const Seen<T>&, const Lights<T>&, const T*, const T*, T*);                                \
  template void shade_blinn_phong_vjp(const Seen<T>&, const Lights<T>&, const T*, const T*, const T*, SeenGradients<T>, T*, \
                                      T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
