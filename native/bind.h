// SPDX-License-Identifier: MIT
// What the bindings share: how a call's arguments become the native contract's structures, and how errors come back.
#pragma once
#include "exchange.h"
#include "ops.h"

namespace intaglio {

using Index = const int32_t;

// Runs an op without the GIL; what it objects to becomes a ValueError that begins with the op's name.
template <class Run>
auto call(const char* op, const Run& run) {
  std::string complaint;
  try {
    nb::gil_scoped_release release;
    return run();
  } catch (const std::invalid_argument& error) {
    complaint = std::string(op) + ": " + error.what();
  }
  throw nb::value_error(complaint.c_str());
}

// Reads the arguments of an op with the GIL held, for float or for double as `leading` says, then runs what that returns.
template <class Prepare>
auto dispatch(const char* op, const Array& leading, const Prepare& prepare) {
  return leading.holds<double>() ? call(op, prepare(double())) : call(op, prepare(float()));
}

// The arguments of a call, in order. Arrays may be None; what serves the front ends' tracing alone is skipped.
class Arguments {
 public:
  explicit Arguments(nb::args args) : args_(args) {}
  Array operator()(const char* name) {
    if (at_ >= args_.size()) throw std::invalid_argument(std::string(name) + " is missing");
    return Array(args_[at_++], name);
  }
  void skip() { ++at_; }
  double number() { return nb::cast<double>(args_[at_++]); }

 private:
  nb::args args_;
  size_t at_ = 0;
};

template <class T>
Geometry<T> geometry_of(const Array& pos_clip, const Array& triangles) {
  const T* positions = pos_clip.data<const T>({-1, -1, 4});
  bool own = triangles.axes() == 3;
  Index* indices = own ? triangles.data<Index>({pos_clip.size(0), -1, 3}) : triangles.data<Index>({-1, 3});
  return {positions, indices, pos_clip.size(0), pos_clip.size(1), triangles.size(-2), own};
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

// The parts of the door that have files of their own.
void bind_texture(nb::module_& m);
void bind_sweep_gradient(nb::module_& m);
void bind_soft(nb::module_& m);

}  // namespace intaglio
