// SPDX-License-Identifier: MIT
// Bindings of shading.
#include "bind.h"

namespace intaglio {
namespace bound {

// What every shading begins with, and the gradients of that.
struct SeenArrays {
  Array positions, normals, viewer, triangle_id;

  explicit SeenArrays(Arguments& next)
      : positions(next("positions")), normals(next("normals")), viewer(next("viewer")), triangle_id(next("triangle_id")) {}

  template <class T>
  Seen<T> seen() const {
    Raster r = raster_of(triangle_id);
    bool own = viewer.axes() == 2;
    return {r,
            triangle_id.data<Index>({-1, -1, -1}),
            positions.data<const T>({r.batch, r.height, r.width, 3}),
            normals.data<const T>({r.batch, r.height, r.width, 3}),
            own ? viewer.data<const T>({r.batch, 4}) : viewer.data<const T>({4}),
            own};
  }
};

struct SeenGradArrays {
  Array positions, normals, viewer;

  explicit SeenGradArrays(Arguments& next)
      : positions(next("grad_positions")), normals(next("grad_normals")), viewer(next("grad_viewer")) {}

  template <class T>
  SeenGradients<T> of(const Seen<T>& seen) const {
    Raster r = seen.raster;
    return {positions.data<T>({r.batch, r.height, r.width, 3}), normals.data<T>({r.batch, r.height, r.width, 3}),
            seen.own_viewer ? viewer.data<T>({r.batch, 4}) : viewer.data<T>({4})};
  }
};

// [L, 12], or [batch, L, 12], like another array of that shape.
template <class T, class Element>
Element* fields_of(const Array& lights, Raster r, int64_t count, bool own) {
  return own ? lights.data<Element>({r.batch, count, 12}) : lights.data<Element>({count, 12});
}

template <class T>
Lights<T> lights_of(const Array& lights, Raster r) {
  bool own = lights.axes() == 3;
  int64_t count = lights.size(-2);
  return {fields_of<T, const T>(lights, r, count, own), count, own};
}

template <class T>
T* plane_of(const Array& array, Raster r, int64_t channels) {
  return array.data<T>({r.batch, r.height, r.width, channels});
}

// A model of surfaces under lights, of two planes [..., 3] and [..., channels]; `shade` is its op.
template <class Shade>
void bind_shading(Arguments& next, const char* first_name, const char* second_name, int64_t channels, const Shade& shade) {
  SeenArrays arrays(next);
  Array lights = next("lights"), first = next(first_name), second = next(second_name), out = next("out");
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    Raster r = seen.raster;
    shade(seen, lights_of<T>(lights, r), plane_of<const T>(first, r, 3), plane_of<const T>(second, r, channels),
          plane_of<T>(out, r, 3));
  });
}

template <class ShadeVjp>
void bind_shading_vjp(Arguments& next, const char* first_name, const char* second_name, int64_t channels,
                      const ShadeVjp& shade_vjp) {
  SeenArrays arrays(next);
  Array lights = next("lights"), first = next(first_name), second = next(second_name), grad_out = next("grad_out");
  next.skip(6);  // which gradients are wanted
  SeenGradArrays grads(next);
  Array grad_lights = next("grad_lights"), grad_first = next("grad_first"), grad_second = next("grad_second");
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    Raster r = seen.raster;
    Lights<T> l = lights_of<T>(lights, r);
    shade_vjp(seen, l, plane_of<const T>(first, r, 3), plane_of<const T>(second, r, channels),
              plane_of<const T>(grad_out, r, 3), grads.of(seen), fields_of<T, T>(grad_lights, r, l.count, l.own),
              plane_of<T>(grad_first, r, 3), plane_of<T>(grad_second, r, channels));
  });
}

void shade_metallic(Arguments& next) {
  bind_shading(next, "base_color", "roughness_metallic", 2, [](auto... a) { intaglio::shade_metallic(a...); });
}

void shade_metallic_vjp(Arguments& next) {
  bind_shading_vjp(next, "base_color", "roughness_metallic", 2, [](auto... a) { intaglio::shade_metallic_vjp(a...); });
}

void shade_blinn_phong(Arguments& next) {
  bind_shading(next, "diffuse", "specular", 4, [](auto... a) { intaglio::shade_blinn_phong(a...); });
}

void shade_blinn_phong_vjp(Arguments& next) {
  bind_shading_vjp(next, "diffuse", "specular", 4, [](auto... a) { intaglio::shade_blinn_phong_vjp(a...); });
}

void reflect(Arguments& next) {
  SeenArrays arrays(next);
  Array out = next("out");
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    intaglio::reflect(seen, plane_of<T>(out, seen.raster, 3));
  });
}

void reflect_vjp(Arguments& next) {
  SeenArrays arrays(next);
  Array grad_out = next("grad_out");
  next.skip(3);  // which gradients are wanted
  SeenGradArrays grads(next);
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    intaglio::reflect_vjp(seen, plane_of<const T>(grad_out, seen.raster, 3), grads.of(seen));
  });
}

struct SurroundedArrays {
  Array color, surface, irradiance, radiance, table;

  explicit SurroundedArrays(Arguments& next)
      : color(next("base_color")),
        surface(next("roughness_metallic")),
        irradiance(next("irradiance")),
        radiance(next("radiance")),
        table(next("table")) {}

  template <class T>
  Surrounded<T> of(Raster r) const {
    int64_t size = table.size(0);
    if (size < 1 || size > kMaxSize) table.fail("must have 1 to 16384 rows");
    return {plane_of<const T>(color, r, 3),    plane_of<const T>(surface, r, 2),     plane_of<const T>(irradiance, r, 3),
            plane_of<const T>(radiance, r, 3), table.data<const T>({size, size, 2}), (int32_t)size};
  }
};

void reflect_environment(Arguments& next) {
  SeenArrays arrays(next);
  SurroundedArrays surface(next);
  Array out = next("out");
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    intaglio::reflect_environment(seen, surface.of<T>(seen.raster), plane_of<T>(out, seen.raster, 3));
  });
}

void reflect_environment_vjp(Arguments& next) {
  SeenArrays arrays(next);
  SurroundedArrays surface(next);
  Array grad_out = next("grad_out");
  next.skip(7);  // which gradients are wanted
  SeenGradArrays grads(next);
  Array grad_color = next("grad_base_color"), grad_surface = next("grad_roughness_metallic"),
        grad_irradiance = next("grad_irradiance"), grad_radiance = next("grad_radiance");
  for_scalar_of(arrays.positions, [&](auto scalar) {
    using T = decltype(scalar);
    Seen<T> seen = arrays.seen<T>();
    Raster r = seen.raster;
    SurroundedGradients<T> to{plane_of<T>(grad_color, r, 3), plane_of<T>(grad_surface, r, 2),
                              plane_of<T>(grad_irradiance, r, 3), plane_of<T>(grad_radiance, r, 3)};
    intaglio::reflect_environment_vjp(seen, surface.of<T>(r), plane_of<const T>(grad_out, r, 3), grads.of(seen), to);
  });
}

template <class T, class Element>
Element* coefficients_of(const Array& coefficients, Raster r, bool own) {
  return own ? coefficients.data<Element>({r.batch, 9, 3}) : coefficients.data<Element>({9, 3});
}

template <class T>
Harmonics<T> harmonics_of(const Array& directions, const Array& coefficients, const Array& triangle_id) {
  Raster r = raster_of(triangle_id);
  bool own = coefficients.axes() == 3;
  return {r, triangle_id.data<Index>({-1, -1, -1}), plane_of<const T>(directions, r, 3),
          coefficients_of<T, const T>(coefficients, r, own), own};
}

void spherical_harmonics(Arguments& next) {
  Array directions = next("directions"), coefficients = next("coefficients"), triangle_id = next("triangle_id"),
        out = next("out");
  for_scalar_of(directions, [&](auto scalar) {
    using T = decltype(scalar);
    Harmonics<T> harmonics = harmonics_of<T>(directions, coefficients, triangle_id);
    intaglio::spherical_harmonics(harmonics, plane_of<T>(out, harmonics.raster, 3));
  });
}

void spherical_harmonics_vjp(Arguments& next) {
  Array directions = next("directions"), coefficients = next("coefficients"), triangle_id = next("triangle_id"),
        grad_out = next("grad_out");
  next.skip(2);  // which gradients are wanted
  Array grad_directions = next("grad_directions"), grad_coefficients = next("grad_coefficients");
  for_scalar_of(directions, [&](auto scalar) {
    using T = decltype(scalar);
    Harmonics<T> harmonics = harmonics_of<T>(directions, coefficients, triangle_id);
    Raster r = harmonics.raster;
    intaglio::spherical_harmonics_vjp(harmonics, plane_of<const T>(grad_out, r, 3), plane_of<T>(grad_directions, r, 3),
                                      coefficients_of<T, T>(grad_coefficients, r, harmonics.own));
  });
}

template <class T>
NormalMap<T> normal_map_of(const Array& normals, const Array& tangents, const Array& texels, const Array& scale,
                           const Array& triangle_id) {
  Raster r = raster_of(triangle_id);
  bool own = scale.count() == r.batch;  // by the count: NumPy makes [] to [1]
  return {r,
          triangle_id.data<Index>({-1, -1, -1}),
          plane_of<const T>(normals, r, 3),
          plane_of<const T>(tangents, r, 4),
          plane_of<const T>(texels, r, 3),
          scale.flat<const T>(own ? r.batch : 1),
          own};
}

void map_normals(Arguments& next) {
  Array normals = next("normals"), tangents = next("tangents"), texels = next("texels"), scale = next("scale"),
        triangle_id = next("triangle_id"), out = next("out");
  for_scalar_of(normals, [&](auto scalar) {
    using T = decltype(scalar);
    NormalMap<T> map = normal_map_of<T>(normals, tangents, texels, scale, triangle_id);
    intaglio::map_normals(map, plane_of<T>(out, map.raster, 3));
  });
}

void map_normals_vjp(Arguments& next) {
  Array normals = next("normals"), tangents = next("tangents"), texels = next("texels"), scale = next("scale"),
        triangle_id = next("triangle_id"), grad_out = next("grad_out");
  next.skip(4);  // which gradients are wanted
  Array grad_normals = next("grad_normals"), grad_tangents = next("grad_tangents"), grad_texels = next("grad_texels"),
        grad_scale = next("grad_scale");
  for_scalar_of(normals, [&](auto scalar) {
    using T = decltype(scalar);
    NormalMap<T> map = normal_map_of<T>(normals, tangents, texels, scale, triangle_id);
    Raster r = map.raster;
    intaglio::map_normals_vjp(map, plane_of<const T>(grad_out, r, 3), plane_of<T>(grad_normals, r, 3),
                              plane_of<T>(grad_tangents, r, 4), plane_of<T>(grad_texels, r, 3),
                              grad_scale ? grad_scale.flat<T>(map.own_scale ? r.batch : 1) : nullptr);
  });
}

}  // namespace bound

void bind_shade(Bindings& to) {
  using namespace bound;
  to.insert(to.end(), {{"shade_metallic", "shade_metallic", bound::shade_metallic},
                       {"shade_metallic_vjp", "shade_metallic backward", bound::shade_metallic_vjp},
                       {"shade_blinn_phong", "shade_blinn_phong", bound::shade_blinn_phong},
                       {"shade_blinn_phong_vjp", "shade_blinn_phong backward", bound::shade_blinn_phong_vjp},
                       {"reflect", "reflect", bound::reflect},
                       {"reflect_vjp", "reflect backward", bound::reflect_vjp},
                       {"reflect_environment", "reflect_environment", bound::reflect_environment},
                       {"reflect_environment_vjp", "reflect_environment backward", bound::reflect_environment_vjp},
                       {"spherical_harmonics", "spherical_harmonics", bound::spherical_harmonics},
                       {"spherical_harmonics_vjp", "spherical_harmonics backward", bound::spherical_harmonics_vjp},
                       {"map_normals", "map_normals", bound::map_normals},
                       {"map_normals_vjp", "map_normals backward", bound::map_normals_vjp}});
}

}  // namespace intaglio
