// SPDX-License-Identifier: MIT
// The bindings: how a call's arguments become the native contract's structures. A binding knows no framework: the doors
// (door_python.cpp, door_xla.cpp) read what their callers gave into `Arguments`, run the binding, and carry back what it
// throws, after the op's name, and what it warns of. Every function takes its inputs, then the buffers that it fills.
#pragma once
#include "door_arguments.h"
#include "ops.h"

namespace intaglio {

using namespace intaglio_door;

using Index = const int32_t;

// All of them, each file's in turn.
const Bindings& bindings();
void bind_texture(Bindings& to);
void bind_textured(Bindings& to);
void bind_sweep_gradient(Bindings& to);
void bind_shade(Bindings& to);
void bind_soft(Bindings& to);
void bind_layers(Bindings& to);
void bind_classic(Bindings& to);

// Runs `body` for float or for double, as `leading` holds.
template <class Body>
void for_scalar_of(const Array& leading, const Body& body) {
  leading.holds<double>() ? body(double()) : body(float());
}

template <class T>
Geometry<T> geometry_of(const Array& pos_clip, const Array& triangles, const Array& ranges, bool cull_backfaces = false) {
  const T* positions = pos_clip.data<const T>({-1, -1, 4});
  bool own = triangles.axes() == 3;
  Index* indices = own ? triangles.data<Index>({pos_clip.size(0), -1, 3}) : triangles.data<Index>({-1, 3});
  Index* shown = ranges.data<Index>({-1, 2});
  return {positions, indices, pos_clip.size(0),           pos_clip.size(1), triangles.size(-2),
          own,       shown,   shown ? ranges.size(0) : 1, cull_backfaces};
}

inline Raster raster_of(const Array& triangle_id) {
  triangle_id.data<Index>({-1, -1, -1});
  return {triangle_id.size(0), triangle_id.size(1), triangle_id.size(2)};
}

template <class T>
Attributes<T> attributes_of(const Array& values, const Array& triangles, Raster raster) {
  bool own_values = values.axes() == 3, own_triangles = triangles.axes() == 3;
  const T* data = own_values ? values.data<const T>({raster.batch, -1, -1}) : values.data<const T>({-1, -1});
  Index* indices = own_triangles ? triangles.data<Index>({raster.batch, -1, 3}) : triangles.data<Index>({-1, 3});
  return {data, indices, values.size(-2), triangles.size(-2), values.size(-1), own_values, own_triangles};
}

template <class T>
T* image_of(const Array& array, Raster r) {
  return array.data<T>({r.batch, r.height, r.width, -1});
}

template <class T>
FaceTextures<T> face_textures_of(const Array& textures, Raster raster) {
  bool own = textures.axes() == 6;
  int64_t resolution = textures.size(-2);
  const T* values = own ? textures.data<const T>({raster.batch, -1, resolution, resolution, resolution, -1})
                        : textures.data<const T>({-1, resolution, resolution, resolution, -1});
  return {values, textures.size(own ? 1 : 0), resolution, textures.size(-1), own};
}

template <class T>
Index* neighbours_of(const Array& neighbours, const Geometry<T>& g) {
  return g.own_triangles ? neighbours.data<Index>({g.rows, g.num_triangles, 3}) : neighbours.data<Index>({g.num_triangles, 3});
}

// No sane mesh gets here, so it is said rather than counted: the edges of these pixels pass for edges without motion.
inline std::string warning_of_cut_walks(int64_t count) {
  if (count == 0) return {};
  return std::to_string(count) + " pixel pairs gave up after 4096 triangles within one pixel; their gradient may be wrong";
}

}  // namespace intaglio
