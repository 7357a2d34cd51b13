// SPDX-License-Identifier: MIT
// Every texel of one cube gathers from those of another, block by block; blocks out of reach of the lobe are passed over. Sums
// run in lanes over the texels of a block, and the lanes are added last, in order.
#include "../math/prefilter.h"

#include <cmath>
#include <vector>

#include "pixels.h"
#include "rows.h"

namespace intaglio {
namespace {

constexpr int64_t kTile = 8;  // a block is a square of texels, so that its cone is narrow
static_assert(kTile * kTile == kLanes);

// The texels of a cube, tile by tile, as unit directions in blocks; the last is filled up with directions 0, which no lobe
// reaches.
template <class T>
struct Sphere {
  explicit Sphere(int64_t size) : size(size), count(6 * size * size), num_blocks((count + kLanes - 1) / kLanes) {
    x.resize(num_blocks), y.resize(num_blocks), z.resize(num_blocks), middle.resize(num_blocks), radius.resize(num_blocks);
    texels.reserve(count);
    for (int64_t face = 0; face < 6; ++face)
      for (int64_t top = 0; top < size; top += kTile)
        for (int64_t left = 0; left < size; left += kTile)
          for (int64_t row = top; row < std::min(top + kTile, size); ++row)
            for (int64_t column = left; column < std::min(left + kTile, size); ++column) add(face, row, column);
    for (int64_t block = 0; block < num_blocks; ++block) bound(block);
  }

  // Of the texel at a place among the blocks.
  Vec3<T> direction(int64_t place) const {
    return {x[place / kLanes][place % kLanes], y[place / kLanes][place % kLanes], z[place / kLanes][place % kLanes]};
  }
  T solid_angle(int64_t i) const {
    return (T)texel_solid_angle<double>((double)(i % size), (double)(i / size % size), (double)size);
  }

  int64_t size, count, num_blocks;
  std::vector<int64_t> texels;  // by place
  std::vector<Lanes<T>> x, y, z;
  std::vector<Vec3<T>> middle;
  std::vector<double> radius;  // of the cone around `middle` that holds the block, radians

 private:
  void add(int64_t face, int64_t row, int64_t column) {
    Vec3<double> d = texel_direction<double>((int32_t)face, (double)column, (double)row, (double)size);
    double length = std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
    const size_t block = texels.size() / kLanes, lane = texels.size() % kLanes;
    x[block][lane] = (T)(d.x / length), y[block][lane] = (T)(d.y / length), z[block][lane] = (T)(d.z / length);
    texels.push_back((face * size + row) * size + column);
  }

  void bound(int64_t block) {
    double sx = 0, sy = 0, sz = 0, lowest = 1;
    int64_t end = std::min<int64_t>(kLanes, count - block * kLanes);
    for (int64_t i = 0; i < end; ++i) sx += x[block][i], sy += y[block][i], sz += z[block][i];
    double length = std::sqrt(sx * sx + sy * sy + sz * sz);
    if (length < 1e-3) {  // all around
      middle[block] = {1, 0, 0}, radius[block] = 4;
      return;
    }
    for (int64_t i = 0; i < end; ++i)
      lowest = std::min(lowest, (sx * x[block][i] + sy * y[block][i] + sz * z[block][i]) / length);
    middle[block] = {(T)(sx / length), (T)(sy / length), (T)(sz / length)};
    radius[block] = std::acos(std::max(lowest, -1.0)) + 1e-3;
  }
};

// The lobe of one direction over a block: its weight in every lane; and what they weigh, added to the sums of each plane.
template <class T>
INTAGLIO_INLINE void add_lanes(Vec3<T> d, const Lanes<T>& x, const Lanes<T>& y, const Lanes<T>& z, T alpha2, T end,
                               const Lanes<T>* planes, int64_t stride, int64_t num_planes, Lanes<T>* sums) {
  T weight[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    T cosine = d.x * x[i] + d.y * y[i] + d.z * z[i], lobe = mirror_lobe(cosine, alpha2);
    weight[i] = cosine > end ? lobe : (T)0;
  }
  for (int64_t p = 0; p < num_planes; ++p)
    for (int i = 0; i < kLanes; ++i) sums[p][i] += weight[i] * planes[p * stride][i];
}

INTAGLIO_CLONES void add_block(Vec3<float> d, const Lanes<float>& x, const Lanes<float>& y, const Lanes<float>& z, float alpha2,
                               float end, const Lanes<float>* planes, int64_t stride, int64_t num_planes, Lanes<float>* sums) {
  add_lanes(d, x, y, z, alpha2, end, planes, stride, num_planes, sums);
}

void add_block(Vec3<double> d, const Lanes<double>& x, const Lanes<double>& y, const Lanes<double>& z, double alpha2,
               double end, const Lanes<double>* planes, int64_t stride, int64_t num_planes, Lanes<double>* sums) {
  add_lanes(d, x, y, z, alpha2, end, planes, stride, num_planes, sums);
}

// finish(i, sums of planes): for every texel i of `to`, what the lobe around it gathers of `planes`, which are blocks of
// `from`.
template <class T, class Finish>
void gather(const Sphere<T>& from, const std::vector<Lanes<T>>& planes, const Sphere<T>& to, T alpha2, const Finish& finish) {
  int64_t num_planes = (int64_t)planes.size() / from.num_blocks;
  T end = mirror_lobe_end(alpha2);
  std::vector<T> reach(from.num_blocks);
  for (int64_t block = 0; block < from.num_blocks; ++block)
    reach[block] = (T)std::cos(std::min(std::acos((double)end) + from.radius[block], 3.1415926535));
  for_each_row({1, 6 * to.size, to.size}, [&](int64_t, int64_t row) {
    std::vector<Lanes<T>> sums(num_planes);
    std::vector<T> totals(num_planes);
    for (int64_t place = row * to.size; place < (row + 1) * to.size; ++place) {
      std::fill(sums.begin(), sums.end(), Lanes<T>{});
      Vec3<T> d = to.direction(place);
      for (int64_t block = 0; block < from.num_blocks; ++block) {
        Vec3<T> m = from.middle[block];
        if (d.x * m.x + d.y * m.y + d.z * m.z < reach[block]) continue;
        add_block(d, from.x[block], from.y[block], from.z[block], alpha2, end, &planes[block], from.num_blocks, num_planes,
                  sums.data());
      }
      for (int64_t p = 0; p < num_planes; ++p) {
        totals[p] = 0;
        for (int lane = 0; lane < kLanes; ++lane) totals[p] += sums[p][lane];
      }
      finish(to.texels[place], totals.data());
    }
  });
}

// One plane of blocks: value(i) for every texel.
template <class T, class Value>
void fill_plane(const Sphere<T>& sphere, Lanes<T>* plane, const Value& value) {
  for (int64_t block = 0; block < sphere.num_blocks; ++block) plane[block] = {};
  for (int64_t place = 0; place < sphere.count; ++place) plane[place / kLanes][place % kLanes] = value(sphere.texels[place]);
}

}  // namespace

template <class T>
void prefilter_cube(const T* texels, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness, T* out) {
  Sphere<T> from(from_size), to(to_size);
  T alpha2 = mirror_lobe_width(roughness, from_size);
  std::vector<Lanes<T>> planes((batch * channels + 1) * from.num_blocks);  // the last is the light 1
  fill_plane(from, &planes[batch * channels * from.num_blocks], [&](int64_t i) { return from.solid_angle(i); });
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t c = 0; c < channels; ++c)
      fill_plane(from, &planes[(b * channels + c) * from.num_blocks],
                 [&](int64_t i) { return from.solid_angle(i) * texels[(b * from.count + i) * channels + c]; });
  gather(from, planes, to, alpha2, [&](int64_t i, const T* totals) {
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t c = 0; c < channels; ++c)
        out[(b * to.count + i) * channels + c] = totals[b * channels + c] / totals[batch * channels];
  });
}

template <class T>
void prefilter_cube_vjp(const T* grad_out, int64_t batch, int64_t from_size, int64_t to_size, int64_t channels, T roughness,
                        T* grad_texels) {
  Sphere<T> from(from_size), to(to_size);
  T alpha2 = mirror_lobe_width(roughness, from_size);
  std::vector<T> total(to.count);
  std::vector<Lanes<T>> light(from.num_blocks), planes(batch * channels * to.num_blocks);
  fill_plane(from, light.data(), [&](int64_t i) { return from.solid_angle(i); });
  gather(from, light, to, alpha2, [&](int64_t i, const T* totals) { total[i] = totals[0]; });
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t c = 0; c < channels; ++c)
      fill_plane(to, &planes[(b * channels + c) * to.num_blocks],
                 [&](int64_t i) { return grad_out[(b * to.count + i) * channels + c] / total[i]; });
  gather(to, planes, from, alpha2, [&](int64_t i, const T* totals) {
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t c = 0; c < channels; ++c)
        grad_texels[(b * from.count + i) * channels + c] = from.solid_angle(i) * totals[b * channels + c];
  });
}

#define INTAGLIO_INSTANTIATE(T)                                                      \
  template void prefilter_cube(const T*, int64_t, int64_t, int64_t, int64_t, T, T*); \
  template void prefilter_cube_vjp(const T*, int64_t, int64_t, int64_t, int64_t, T, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
