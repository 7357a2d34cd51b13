// SPDX-License-Identifier: MIT
// What kernels that shade share: a pixel with how it is seen, the way back, and the sums over pixels for what all share.
#pragma once
#include "../math/direction.h"
#include "sums.h"

namespace intaglio {

template <class T>
INTAGLIO_DEVICE Vec3<T> load3(const T* plane, int64_t at) {
  return {plane[3 * at], plane[3 * at + 1], plane[3 * at + 2]};
}

// Into a plane, which may be null: nobody wants it.
template <class T>
INTAGLIO_DEVICE void store3(T* plane, int64_t at, Vec3<T> v) {
  if (plane) plane[3 * at] = v.x, plane[3 * at + 1] = v.y, plane[3 * at + 2] = v.z;
}
template <class T>
INTAGLIO_DEVICE void store(T* plane, int64_t at, int64_t channels, const T* values) {
  for (int64_t c = 0; plane && c < channels; ++c) plane[at * channels + c] = values[c];
}
template <class T>
INTAGLIO_DEVICE void store_zero(T* plane, int64_t at, int64_t channels) {
  for (int64_t c = 0; plane && c < channels; ++c) plane[at * channels + c] = 0;
}

constexpr int64_t kViewerItems = 4;

template <class T>
struct SeenPixel {
  int64_t b, at;
  Vec4<T> viewer;
  Vec3<T> position, normal;
  Sight<T> sight;

  INTAGLIO_DEVICE SeenPixel(const Seen<T>& seen, int64_t pixel)
      : b(pixel / seen.raster.pixels()),
        at(pixel),
        viewer(load4(seen.viewer_of(b))),
        position(load3(seen.positions, at)),
        normal(load3(seen.normals, at)),
        sight(intaglio::sight(viewer, position, normal)) {}

  // From the cotangents of sight and position; the viewer's are the first of the sums.
  template <class Sums, class Group>
  INTAGLIO_DEVICE void finish(const Seen<T>& seen, Sight<T> grad, Vec3<T> grad_position, const SeenGradients<T>& to,
                              const Sums& sums, const Group& group) const {
    SightVjp<T> back = sight_vjp(viewer, position, normal, grad);
    store3(to.positions, at, grad_position + back.position);
    store3(to.normals, at, back.normal);
    const int64_t first = seen.own_viewer ? kViewerItems * b : 0;
    const T viewer_items[4] = {back.viewer.x, back.viewer.y, back.viewer.z, back.viewer.w};
    add_all(sums, group, viewer_items, [first](int i) { return first + i; });
  }
};

template <class T>
INTAGLIO_HD int64_t num_viewer_sums(const Seen<T>& seen) {
  return kViewerItems * (seen.own_viewer ? seen.raster.batch : 1);
}

template <class T>
Wanted<T> viewer_sums(const Seen<T>& seen, const SeenGradients<T>& to) {
  return {to.viewer, num_viewer_sums(seen)};
}

}  // namespace intaglio
