// SPDX-License-Identifier: MIT
// A block of a surface's pixels with its unit normals and the directions to the viewer, and the way back.
#pragma once
#include "../math/direction.h"
#include "pixels.h"

namespace intaglio {

template <class T>
struct SeenBlock {
  Lanes3<T> position, normal;
  Lanes3<T> n, v;  // unit

  void gather_from(const Seen<T>& seen, const PixelBlock& block) {
    gather(seen.positions, block, position);
    gather(seen.normals, block, normal);
  }
  INTAGLIO_INLINE void prepare(Vec4<T> viewer) {
    for (int i = 0; i < kLanes; ++i) {
      Sight<T> s = sight(viewer, position[i], normal[i]);
      n.put(i, s.n), v.put(i, s.v);
    }
  }
  INTAGLIO_INLINE Sight<T> of(int i) const { return {n[i], v[i]}; }
};

constexpr int kViewerItems = 4;

template <class T>
struct SeenGradBlock {
  Lanes3<T> position, n, v, normal;

  INTAGLIO_INLINE void clear() {
    for (int i = 0; i < kLanes; ++i) {
      position.put(i, {0, 0, 0});
      n.put(i, {0, 0, 0});
      v.put(i, {0, 0, 0});
    }
  }
  INTAGLIO_INLINE void add(int i, Sight<T> grad) { n.add(i, grad.n), v.add(i, grad.v); }
  // From n and v back to normal and position; the viewer's part is added to its kViewerItems sums.
  INTAGLIO_INLINE void finish(const SeenBlock<T>& of, Vec4<T> viewer, Lanes<T>* viewer_sums) {
    for (int i = 0; i < kLanes; ++i) {
      SightVjp<T> back = sight_vjp(viewer, of.position[i], of.normal[i], Sight<T>{n[i], v[i]});
      normal.put(i, back.normal);
      position.add(i, back.position);
      viewer_sums[0][i] += back.viewer.x, viewer_sums[1][i] += back.viewer.y;
      viewer_sums[2][i] += back.viewer.z, viewer_sums[3][i] += back.viewer.w;
    }
  }
  void scatter_to(const SeenGradients<T>& grads, const PixelBlock& block) const {
    scatter(position, block, grads.positions);
    scatter(normal, block, grads.normals);
  }
};

}  // namespace intaglio
