// SPDX-License-Identifier: MIT
#include "../math/normal_map.h"

#include "pixels.h"

namespace intaglio {
namespace {

template <class T>
struct MapBlock {
  Lanes3<T> normal;
  Lanes<T> tangent[4];
  Lanes3<T> texel, out;

  void gather_from(const NormalMap<T>& map, const PixelBlock& block) {
    gather(map.normals, block, normal);
    gather<4>(map.tangents, block, tangent);
    gather(map.texels, block, texel);
  }
  INTAGLIO_INLINE TangentFrame<T> frame(int i) const {
    return {normal[i], {tangent[0][i], tangent[1][i], tangent[2][i]}, tangent[3][i]};
  }
};

template <class T>
INTAGLIO_INLINE void map_lanes(MapBlock<T>& block, T scale) {
  for (int i = 0; i < kLanes; ++i) block.out.put(i, map_normal(block.frame(i), block.texel[i], scale));
}

// From the cotangents in out to those of the inputs, which replace them.
template <class T>
INTAGLIO_INLINE void map_lanes_vjp(MapBlock<T>& block, T scale, Lanes<T>& scale_sum) {
  for (int i = 0; i < kLanes; ++i) {
    MapNormalVjp<T> grad = map_normal_vjp(block.frame(i), block.texel[i], scale, block.out[i]);
    block.normal.put(i, grad.frame.normal);
    block.tangent[0][i] = grad.frame.tangent.x, block.tangent[1][i] = grad.frame.tangent.y;
    block.tangent[2][i] = grad.frame.tangent.z, block.tangent[3][i] = grad.frame.sign;
    block.texel.put(i, grad.texel);
    scale_sum[i] += grad.scale;
  }
}

INTAGLIO_CLONES void map_block(MapBlock<float>& block, float scale) {
  map_lanes(block, scale);
}
void map_block(MapBlock<double>& block, double scale) {
  map_lanes(block, scale);
}
INTAGLIO_CLONES void map_block_vjp(MapBlock<float>& block, float scale, Lanes<float>& scale_sum) {
  map_lanes_vjp(block, scale, scale_sum);
}
void map_block_vjp(MapBlock<double>& block, double scale, Lanes<double>& scale_sum) {
  map_lanes_vjp(block, scale, scale_sum);
}

}  // namespace

template <class T>
void map_normals(const NormalMap<T>& map, T* out) {
  for_each_band(map.raster, [&](int64_t, int64_t b, int64_t begin, int64_t end) {
    MapBlock<T> block;
    for_each_pixel_block<T>(map.triangle_id, begin, end, {{out, 3}}, [&](const PixelBlock& pixels) {
      block.gather_from(map, pixels);
      map_block(block, map.scale[map.own_scale ? b : 0]);
      scatter(block.out, pixels, out);
    });
  });
}

template <class T>
void map_normals_vjp(const NormalMap<T>& map, const T* grad_out, T* grad_normals, T* grad_tangents, T* grad_texels,
                     T* grad_scale) {
  auto add_band = [&](int64_t b, int64_t begin, int64_t end, Lanes<T>* sums) {
    MapBlock<T> block;
    for_each_pixel_block<T>(map.triangle_id, begin, end, {{grad_normals, 3}, {grad_tangents, 4}, {grad_texels, 3}},
                            [&](const PixelBlock& pixels) {
                              block.gather_from(map, pixels);
                              gather(grad_out, pixels, block.out);
                              map_block_vjp(block, map.scale[map.own_scale ? b : 0], sums[0]);
                              scatter(block.normal, pixels, grad_normals);
                              scatter<4>(block.tangent, pixels, grad_tangents);
                              scatter(block.texel, pixels, grad_texels);
                            });
  };
  put_sums(sum_over_pixels<T>(map.raster, 1, add_band), map.raster.batch, 0, 1, map.own_scale, grad_scale);
}

#define INTAGLIO_INSTANTIATE(T)                       \
  template void map_normals(const NormalMap<T>&, T*); \
  template void map_normals_vjp(const NormalMap<T>&, const T*, T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
