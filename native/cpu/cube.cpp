// SPDX-License-Identifier: MIT
// Cube maps on the CPU: where the texels of a block of pixels are; texels.h has what is done with them.
#include "../math/cube.h"

#include "check.h"
#include "simd.h"
#include "texels.h"

namespace intaglio {
namespace {

// Where the directions of a block of pixels meet the cube.
template <class T>
struct CubePlaces {
  int32_t face[kBlock];
  T s[kBlock], t[kBlock], major[kBlock];
};

// The texels of a block of pixels in one level each.
template <class T>
struct CubeBlock : TexelBlock<T> {
  // The level of each pixel: its size, its first texel, and its share of the sample.
  T size[kBlock], share[kBlock];
  int32_t start[kBlock];
  // The place among the texels, and which of them is none.
  T across[kBlock], down[kBlock];
  int32_t corner[kBlock];
};

template <class T>
INTAGLIO_INLINE void locate_places(const T* directions, CubePlaces<T>& places) {
  for (int i = 0; i < kBlock; ++i) {
    FaceVector<T> place = cube_place(Vec3<T>{directions[3 * i], directions[3 * i + 1], directions[3 * i + 2]});
    places.face[i] = place.face, places.s[i] = place.s, places.t[i] = place.t, places.major[i] = place.major;
  }
}

template <class T>
INTAGLIO_INLINE void locate_nearest(const CubePlaces<T>& places, CubeBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i) {
    T size = block.size[i];
    block.texel[0][i] = block.start[i] + cube_texel(places.face[i], face_texel_nearest(places.s[i], size),
                                                    face_texel_nearest(places.t[i], size), size);
    block.weight[0][i] = places.major[i] == 0 ? (T)0 : (T)1;
  }
}

template <class T>
INTAGLIO_INLINE void locate_bilinear(const CubePlaces<T>& places, CubeBlock<T>& block) {
  for (int i = 0; i < kBlock; ++i) {
    T size = block.size[i], weight[4];
    TexelPair<T> column = face_texel_pair(places.s[i], size), row = face_texel_pair(places.t[i], size);
    int32_t face = places.face[i], start = block.start[i], corner = beyond_corner(column, row, size);
    block.texel[0][i] = start + cube_texel(face, column.low, row.low, size);
    block.texel[1][i] = start + cube_texel(face, column.high, row.low, size);
    block.texel[2][i] = start + cube_texel(face, column.low, row.high, size);
    block.texel[3][i] = start + cube_texel(face, column.high, row.high, size);
    block.across[i] = column.place, block.down[i] = row.place, block.corner[i] = corner;
    bilinear_weights(column.place, row.place, weight);
    share_corner(corner, weight);
    T share = places.major[i] == 0 ? (T)0 : block.share[i];
    for (int k = 0; k < 4; ++k) block.weight[k][i] = weight[k] * share;
  }
}

INTAGLIO_CLONES void locate(const float* directions, CubePlaces<float>& places) {
  locate_places(directions, places);
}

void locate(const double* directions, CubePlaces<double>& places) {
  locate_places(directions, places);
}

INTAGLIO_CLONES void locate(const CubePlaces<float>& places, bool nearest, CubeBlock<float>& block) {
  nearest ? locate_nearest(places, block) : locate_bilinear(places, block);
}

void locate(const CubePlaces<double>& places, bool nearest, CubeBlock<double>& block) {
  nearest ? locate_nearest(places, block) : locate_bilinear(places, block);
}

// Finds the texels of one block of pixels after the other, in one or two levels.
template <class T>
class CubeLocator {
 public:
  CubeLocator(const CubeMap<T>& cube, Filter filter, const T* directions, const T* lod)
      : cube_(cube), filter_(filter), directions_(directions), lod_(lod) {
    for (int64_t level = 0, start = 0; level < cube.num_levels; ++level) {
      starts_[level] = (int32_t)start;
      start += 6 * level_size(cube.size, level) * level_size(cube.size, level);
    }
    for (int i = 0; i < kBlock; ++i) put_level(blocks_[0], i, 0, 1);
  }

  int num_blocks() const { return filter_ == Filter::kTrilinear ? 2 : 1; }
  int num_texels() const { return filter_ == Filter::kNearest ? 1 : 4; }
  const CubeBlock<T>& block(int n) const { return blocks_[n]; }

  bool find(int64_t at, int64_t count) {
    locate(padded_block(directions_ + 3 * at, 3, count, room_), places_);
    for (int i = 0; i < count && lod_; ++i) {
      LevelPair<T> levels = level_pair(lod_[at + i], cube_.num_levels);
      put_level(blocks_[0], i, levels.low, 1 - levels.share);
      put_level(blocks_[1], i, levels.high, levels.share);
    }
    for (int i = (int)count; i < kBlock && lod_; ++i) put_level(blocks_[0], i, 0, 1), put_level(blocks_[1], i, 0, 0);
    for (int n = 0; n < num_blocks(); ++n) locate(places_, filter_ == Filter::kNearest, blocks_[n]);
    return true;
  }

  FaceVector<T> place(int i) const { return {places_.face[i], places_.s[i], places_.t[i], places_.major[i]}; }

 private:
  void put_level(CubeBlock<T>& to, int i, int64_t level, T share) {
    to.size[i] = (T)level_size(cube_.size, level), to.start[i] = starts_[level], to.share[i] = share;
  }

  const CubeMap<T>& cube_;
  Filter filter_;
  const T *directions_, *lod_;
  int32_t starts_[kMaxLevels];
  T room_[3 * kBlock];
  CubePlaces<T> places_;
  CubeBlock<T> blocks_[2];
};

template <class T>
void check_cube(const CubeMap<T>& cube) {
  if (cube.size > kMaxSize)
    throw std::invalid_argument("cube maps must be at most " + std::to_string(kMaxSize) + " texels wide and high");
}

// What one pixel passes on: the cotangent of its place on the face; that of its level is the other half of its blend.
template <class T>
struct CubeGradient {
  Vec2<T> place;
  T sample;  // the level's own sample, times the cotangent
};

template <class T, class Channels>
CubeGradient<T> level_gradient(const T* texels, const CubeBlock<T>& block, int i, Channels channels, const T* grad_out) {
  T grad_weight[4], weight[4], size = block.size[i], across = block.across[i], down = block.down[i], sample = 0;
  weight_gradients(texels, block, i, channels, grad_out, grad_weight);
  share_corner_vjp(block.corner[i], grad_weight);
  bilinear_weights(across, down, weight);
  for (int k = 0; k < 4; ++k) sample += weight[k] * grad_weight[k];
  Vec2<T> place = bilinear_weights_vjp(across, down, grad_weight);
  T share = block.share[i];
  return {{share * face_texel_pair_vjp(place.x, size), share * face_texel_pair_vjp(place.y, size)}, sample};
}

}  // namespace

template <class T>
void sample_cube(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, T* out) {
  check_cube(cube);
  sample_map(cube, raster, [&] { return CubeLocator<T>(cube, filter, directions, lod); }, out);
}

template <class T>
void sample_cube_vjp(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, const T* grad_out,
                     T* grad_texels, T* grad_directions, T* grad_lod) {
  check_cube(cube);
  auto make_locator = [&] { return CubeLocator<T>(cube, filter, directions, lod); };
  if (grad_texels) spread_to_texels(cube, raster, make_locator, grad_out, grad_texels);
  const int64_t pixels = raster.batch * raster.pixels();
  if (grad_directions) fill_words(grad_directions, 3 * pixels, (T)0);
  if (grad_lod) fill_words(grad_lod, pixels, (T)0);
  if (filter == Filter::kNearest || !(grad_directions || grad_lod)) return;
  auto pass_on = [&](CubeLocator<T>& locator, const T* texels, int64_t at, int64_t count, const T* grad, auto channels) {
    for (int i = 0; i < count; ++i) {
      FaceVector<T> place = locator.place(i);
      if (place.major == 0 || all_zero(grad + i * channels, channels)) continue;
      CubeGradient<T> low = level_gradient(texels, locator.block(0), i, channels, grad + i * channels), high = {};
      if (lod) high = level_gradient(texels, locator.block(1), i, channels, grad + i * channels);
      if (grad_lod) grad_lod[at + i] = level_pair_vjp(lod[at + i], cube.num_levels, low.sample, high.sample);
      if (!grad_directions) continue;
      Vec3<T> d = cube_place_vjp(place, {low.place.x + high.place.x, low.place.y + high.place.y});
      T* to = grad_directions + 3 * (at + i);
      to[0] = d.x, to[1] = d.y, to[2] = d.z;
    }
  };
  for_each_block_with_gradient(cube, raster, make_locator, grad_out, pass_on);
}

#define INTAGLIO_INSTANTIATE(T)                                                         \
  template void sample_cube(const CubeMap<T>&, Filter, Raster, const T*, const T*, T*); \
  template void sample_cube_vjp(const CubeMap<T>&, Filter, Raster, const T*, const T*, const T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
