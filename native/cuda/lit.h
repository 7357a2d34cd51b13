// SPDX-License-Identifier: MIT
// Surfaces under lights: a thread per pixel, for each model of a surface. A model loads what it is of a pixel, receives lights
// one after the other, and tells its colour; on the way back it receives them anew.
#pragma once
#include "../math/light.h"
#include "seen.h"

namespace intaglio {

// Of a model: Model::Pixel(model, seen pixel) with receive(light, arrival) and color().
template <class T, class Model>
struct Shade {
  Seen<T> seen;
  Lights<T> lights;
  Model model;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (seen.triangle_id[at] < 0) return store_zero(out, at, 3);
    SeenPixel<T> p(seen, at);
    typename Model::Pixel pixel(model, p);
    for (int64_t k = 0; k < lights.count; ++k) {
      Light<T> light = load_light(lights.lights_of(p.b) + kLightFields * k);
      pixel.receive(p, light, arrive(light, p.position));
    }
    store3(out, at, pixel.color());
  }
};

// What one light passes back.
template <class T>
struct LitVjp {
  Sight<T> sight;
  Vec3<T> color;  // of the light
  ArriveVjp<T> light;
};

// Of a model: Model::Back(model, seen pixel, cotangent of the colour) with receive(light), which returns a LitVjp, and
// finish(model, cotangent of the sight), which stores the cotangents of the material and adds to that of the sight; and
// store_zero(pixel) for the background.
template <class T, class Model, class Sums>
struct ShadeVjp {
  Seen<T> seen;
  Lights<T> lights;
  Model model;
  const T* grad_out;
  SeenGradients<T> to;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t at) const {
    if (seen.triangle_id[at] < 0) {
      store_zero(to.positions, at, 3), store_zero(to.normals, at, 3);
      return model.store_zero(at);
    }
    SeenPixel<T> p(seen, at);
    auto group = sums.group((uint64_t)p.b);
    typename Model::Back back(model, p, load3(grad_out, at));
    Sight<T> grad{{0, 0, 0}, {0, 0, 0}};
    Vec3<T> grad_position{0, 0, 0};
    int64_t first = num_viewer_sums(seen) + (lights.own ? p.b * lights.count * kLightFields : 0);
    for (int64_t k = 0; k < lights.count; ++k, first += kLightFields) {
      LitVjp<T> of = back.receive(p, load_light(lights.lights_of(p.b) + kLightFields * k));
      grad = grad + of.sight, grad_position = grad_position + of.light.position;
      const T fields[kLightFields] = {of.light.place.x, of.light.place.y, of.light.place.z, 0,
                                      of.color.x,       of.color.y,       of.color.z,       of.light.axis.x,
                                      of.light.axis.y,  of.light.axis.z,  of.light.scale,   of.light.offset};
      add_all(sums, group, fields, [first](int i) { return first + i; });
    }
    p.finish(seen, back.finish(model, p, grad), grad_position, to, sums, group);
  }
};

template <class T, class Model>
void shade(const Seen<T>& seen, const Lights<T>& lights, const Model& model, T* out) {
  for_each(seen.raster.batch * seen.raster.pixels(), Shade<T, Model>{seen, lights, model, out});
}

template <class T, class Model>
void shade_vjp(const Seen<T>& seen, const Lights<T>& lights, const Model& model, const T* grad_out, SeenGradients<T> to,
               T* grad_lights) {
  Wanted<T> of_lights{grad_lights, kLightFields * lights.count * (lights.own ? seen.raster.batch : 1)};
  accumulate_in_double(viewer_sums(seen, to), of_lights, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(seen.raster.batch * seen.raster.pixels(), ShadeVjp<T, Model, Sums>{seen, lights, model, grad_out, to, sums});
  });
}

}  // namespace intaglio
