// SPDX-License-Identifier: MIT
// Textures and cube maps, a thread per sample: it finds the texels of one level after the other, as math/ says, and reads or
// adds to them. What is read of levels and probes is one stream of texel sets, which forward and backward visit alike.
#include "../math/cube.h"
#include "check.h"
#include "sums.h"

namespace intaglio {
namespace {

// One set of texels: where they are in the map, their weights, and the place among them.
template <class T>
struct Texels {
  int count;  // 1 or 4
  int64_t texel[4];
  T weight[4];  // before `share`
  T across, down, share;
};

template <class T>
struct Level {
  T width, height;
  int64_t start;
};

// Where the samples of a texture are; visit(texels, width, height) for every set that a sample takes from.
template <class T>
struct TextureSamples {
  Texture<T> map;
  Sampler sampler;
  SamplePlaces<T> places;

  INTAGLIO_DEVICE Level<T> level(int64_t index) const {
    int64_t start = 0;
    for (int64_t l = 0; l < index; ++l) start += level_size(map.height, l) * level_size(map.width, l);
    return {(T)level_size(map.width, index), (T)level_size(map.height, index), start};
  }

  template <class Border, class Visit>
  INTAGLIO_DEVICE void visit_level(Vec2<T> at, int64_t index, T share, const Visit& visit) const {
    Level<T> l = level(index);
    Texels<T> found;
    found.share = share;
    if (sampler.filter == Filter::kNearest) {
      T column = wrap_texel<Border>(std::floor(at.x * l.width), l.width);
      T row = wrap_texel<Border>(std::floor(at.y * l.height), l.height);
      found.count = 1, found.weight[0] = 1, found.across = found.down = 0;
      found.texel[0] = l.start + (int64_t)row * (int64_t)l.width + (int64_t)column;
      return visit(found, l.width, l.height);
    }
    TexelPair<T> column = texel_pair<Border>(at.x, l.width), row = texel_pair<Border>(at.y, l.height);
    int64_t low = l.start + (int64_t)row.low * (int64_t)l.width, high = l.start + (int64_t)row.high * (int64_t)l.width;
    found.count = 4;
    found.texel[0] = low + (int64_t)column.low, found.texel[1] = low + (int64_t)column.high;
    found.texel[2] = high + (int64_t)column.low, found.texel[3] = high + (int64_t)column.high;
    found.across = column.place, found.down = row.place;
    bilinear_weights(column.place, row.place, found.weight);
    visit(found, l.width, l.height);
  }

  template <class Border, class Visit>
  INTAGLIO_DEVICE void visit_levels(int64_t sample, const Visit& visit) const {
    if (!places.is_seen(sample)) return;
    const Vec2<T> at{places.uv[2 * sample], places.uv[2 * sample + 1]};
    if (sampler.filter != Filter::kTrilinear) return visit_level<Border>(at, 0, (T)1, visit);
    const T* d = places.uv_derivatives + 4 * sample;
    ProbeLine<T> line{1, 0, 0, 0};
    if (sampler.max_anisotropy > 1)
      line = probe_line(d, (T)map.width, (T)map.height, map.num_levels, sampler.max_anisotropy);
    else
      line.level = level_of_detail(d, (T)map.width, (T)map.height, map.num_levels);
    const int64_t low = (int64_t)line.level, high = min_of(low + 1, map.num_levels - 1);
    const T share = line.level - (T)low, part = 1 / (T)line.count;
    for (int64_t i = 0; i < line.count; ++i) {
      Vec2<T> offset = line.offset(i), probe{at.x + offset.x, at.y + offset.y};
      visit_level<Border>(probe, low, (1 - share) * part, visit);
      visit_level<Border>(probe, high, share * part, visit);
    }
  }

  template <class Visit>
  INTAGLIO_DEVICE void visit(int64_t sample, const Visit& visit) const {
    if (sampler.wrap == Wrap::kRepeat) return visit_levels<Repeat>(sample, visit);
    if (sampler.wrap == Wrap::kMirror) return visit_levels<Mirror>(sample, visit);
    visit_levels<Clamp>(sample, visit);
  }
};

// The same of a cube map; visit(texels, corner, size).
template <class T>
struct CubeSamples {
  CubeMap<T> map;
  Filter filter;
  const T *directions, *lod;

  INTAGLIO_DEVICE FaceVector<T> place(int64_t sample) const {
    const T* d = directions + 3 * sample;
    return cube_place(Vec3<T>{d[0], d[1], d[2]});
  }

  template <class Visit>
  INTAGLIO_DEVICE void visit_level(FaceVector<T> place, int64_t index, T share, const Visit& visit) const {
    int64_t start = 0;
    for (int64_t l = 0; l < index; ++l) start += 6 * level_size(map.size, l) * level_size(map.size, l);
    const T size = (T)level_size(map.size, index);
    Texels<T> found;
    found.share = place.major == 0 ? (T)0 : share;
    if (filter == Filter::kNearest) {
      T column = face_texel_nearest(place.s, size), row = face_texel_nearest(place.t, size);
      found.count = 1, found.weight[0] = 1, found.across = found.down = 0;
      found.texel[0] = start + cube_texel(place.face, column, row, size);
      return visit(found, (int32_t)-1, size);
    }
    TexelPair<T> column = face_texel_pair(place.s, size), row = face_texel_pair(place.t, size);
    found.count = 4;
    found.texel[0] = start + cube_texel(place.face, column.low, row.low, size);
    found.texel[1] = start + cube_texel(place.face, column.high, row.low, size);
    found.texel[2] = start + cube_texel(place.face, column.low, row.high, size);
    found.texel[3] = start + cube_texel(place.face, column.high, row.high, size);
    found.across = column.place, found.down = row.place;
    bilinear_weights(column.place, row.place, found.weight);
    int32_t corner = beyond_corner(column, row, size);
    share_corner(corner, found.weight);
    visit(found, corner, size);
  }

  template <class Visit>
  INTAGLIO_DEVICE void visit(int64_t sample, const Visit& visit) const {
    FaceVector<T> at = place(sample);
    if (!lod) return visit_level(at, 0, (T)1, visit);
    LevelPair<T> levels = level_pair(lod[sample], map.num_levels);
    visit_level(at, levels.low, 1 - levels.share, visit);
    visit_level(at, levels.high, levels.share, visit);
  }
};

template <class T, class Samples>
struct Sample {
  Samples samples;
  int64_t per_image;
  T* out;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t C = samples.map.channels;
    const T* texels = samples.map.texels_of(i / per_image);
    T* to = out + i * C;
    for (int64_t c = 0; c < C; ++c) to[c] = 0;
    samples.visit(i, [&](const Texels<T>& t, auto, T) {
      T all = 0;
      for (int k = 0; k < t.count; ++k) all += t.weight[k] * t.share;
      if (all == 0) return;
      for (int64_t c = 0; c < C; ++c) {
        T sum = 0;
        for (int k = 0; k < t.count; ++k) sum += t.weight[k] * t.share * texels[t.texel[k] * C + c];
        to[c] += sum;
      }
    });
  }
};

template <class T>
INTAGLIO_DEVICE bool all_zero(const T* values, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c)
    if (values[c] != 0) return false;
  return true;
}

template <class T, class Samples, class Sums>
struct TexelsVjp {
  Samples samples;
  int64_t per_image;
  const T* grad_out;
  Sums sums;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t C = samples.map.channels, first = samples.map.own_texels ? i / per_image * samples.map.num_texels : 0;
    const T* grad = grad_out + i * C;
    if (all_zero(grad, C)) return;
    samples.visit(i, [&](const Texels<T>& t, auto, T) {
      for (int k = 0; k < t.count; ++k) {
        T weight = t.weight[k] * t.share;
        if (weight == 0) continue;
        for (int64_t c = 0; c < C; ++c) sums.add((first + t.texel[k]) * C + c, weight * grad[c]);
      }
    });
  }
};

// The cotangents of the weights: each the sum over channels of texel times cotangent.
template <class T>
INTAGLIO_DEVICE void weight_gradients(const T* texels, const Texels<T>& t, int64_t channels, const T* grad, T grad_weight[4]) {
  for (int k = 0; k < 4; ++k) {
    grad_weight[k] = 0;
    for (int64_t c = 0; c < channels; ++c) grad_weight[k] += texels[t.texel[k] * channels + c] * grad[c];
  }
}

template <class T>
struct UvVjp {
  TextureSamples<T> samples;
  int64_t per_image;
  const T* grad_out;
  T* grad_uv;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t C = samples.map.channels;
    const T *texels = samples.map.texels_of(i / per_image), *grad = grad_out + i * C;
    Vec2<T> sum{0, 0};
    if (samples.sampler.filter != Filter::kNearest && !all_zero(grad, C))
      samples.visit(i, [&](const Texels<T>& t, T width, T height) {
        T grad_weight[4];
        weight_gradients(texels, t, C, grad, grad_weight);
        Vec2<T> place = bilinear_weights_vjp(t.across, t.down, grad_weight);
        sum.x += place.x * width * t.share, sum.y += place.y * height * t.share;
      });
    grad_uv[2 * i] = sum.x, grad_uv[2 * i + 1] = sum.y;
  }
};

template <class T>
struct DirectionsVjp {
  CubeSamples<T> samples;
  int64_t per_image;
  const T* grad_out;
  T *grad_directions, *grad_lod;
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t C = samples.map.channels;
    const T *texels = samples.map.texels_of(i / per_image), *grad = grad_out + i * C;
    FaceVector<T> at = samples.place(i);
    Vec2<T> sum{0, 0};
    T level_sample[2] = {0, 0};  // each level's own, times the cotangent
    int level = 0;
    if (samples.filter != Filter::kNearest && at.major != 0 && !all_zero(grad, C))
      samples.visit(i, [&](const Texels<T>& t, int32_t corner, T size) {
        T grad_weight[4], weight[4];
        weight_gradients(texels, t, C, grad, grad_weight);
        share_corner_vjp(corner, grad_weight);
        bilinear_weights(t.across, t.down, weight);
        for (int k = 0; k < 4; ++k) level_sample[level] += weight[k] * grad_weight[k];
        Vec2<T> place = bilinear_weights_vjp(t.across, t.down, grad_weight);
        sum.x += t.share * face_texel_pair_vjp(place.x, size), sum.y += t.share * face_texel_pair_vjp(place.y, size);
        ++level;
      });
    if (grad_lod)
      grad_lod[i] =
          level == 2 ? level_pair_vjp(samples.lod[i], samples.map.num_levels, level_sample[0], level_sample[1]) : (T)0;
    if (!grad_directions) return;
    Vec3<T> d = level > 0 ? cube_place_vjp(at, sum) : Vec3<T>{0, 0, 0};
    grad_directions[3 * i] = d.x, grad_directions[3 * i + 1] = d.y, grad_directions[3 * i + 2] = d.z;
  }
};

template <class T, class Samples>
void sample_map(const Samples& samples, Raster raster, T* out) {
  for_each(raster.batch * raster.pixels(), Sample<T, Samples>{samples, raster.pixels(), out});
}

template <class T, class Samples>
void spread_to_texels(const Samples& samples, Raster raster, const T* grad_out, T* grad_texels) {
  const int64_t items = (samples.map.own_texels ? raster.batch : 1) * samples.map.num_texels * samples.map.channels;
  accumulate(grad_texels, items, [&](const auto& sums) {
    using Sums = std::decay_t<decltype(sums)>;
    for_each(raster.batch * raster.pixels(), TexelsVjp<T, Samples, Sums>{samples, raster.pixels(), grad_out, sums});
  });
}

void check_side(const char* what, int64_t size) {
  if (size > kMaxSize)
    throw std::invalid_argument(std::string(what) + " must be at most " + std::to_string(kMaxSize) + " texels wide and high");
}

// Every texel of `to` as the weighted mean of a few of `from`.
template <class T, bool kIsVjp>
struct Resample {
  const T* from;
  Raster from_size, to_size;
  int64_t channels, tap_height, tap_width;
  T* to;
  INTAGLIO_DEVICE static Taps<T> taps(int64_t index, int64_t size) {
    return kIsVjp ? halving_taps_vjp<T>(index, size) : halving_taps<T>(index, size);
  }
  INTAGLIO_DEVICE void operator()(int64_t i) const {
    const int64_t c = i % channels, texel = i / channels, x = texel % to_size.width, y = texel / to_size.width % to_size.height;
    const T* image = from + texel / to_size.pixels() * from_size.pixels() * channels;
    const Taps<T> rows = taps(y, tap_height), columns = taps(x, tap_width);
    T sum = 0;
    for (int j = 0; j < rows.count; ++j)
      for (int k = 0; k < columns.count; ++k)
        sum +=
            rows.weight[j] * columns.weight[k] * image[((rows.first + j) * from_size.width + columns.first + k) * channels + c];
    to[i] = sum / (rows.total * columns.total);
  }
};

Raster halved(Raster size) {
  return {size.batch, level_size(size.height, 1), level_size(size.width, 1)};
}

}  // namespace

template <class T>
void sample_texture(const Texture<T>& t, Sampler sampler, Raster raster, const SamplePlaces<T>& places, T* out) {
  check_side("textures", t.height > t.width ? t.height : t.width);
  sample_map(TextureSamples<T>{t, sampler, places}, raster, out);
}

template <class T>
void sample_texture_vjp(const Texture<T>& t, Sampler sampler, Raster raster, const SamplePlaces<T>& places, const T* grad_out,
                        T* grad_texels, T* grad_uv) {
  check_side("textures", t.height > t.width ? t.height : t.width);
  TextureSamples<T> samples{t, sampler, places};
  if (grad_texels) spread_to_texels(samples, raster, grad_out, grad_texels);
  if (grad_uv) for_each(raster.batch * raster.pixels(), UvVjp<T>{samples, raster.pixels(), grad_out, grad_uv});
}

template <class T>
void sample_cube(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, T* out) {
  check_side("cube maps", cube.size);
  sample_map(CubeSamples<T>{cube, filter, directions, lod}, raster, out);
}

template <class T>
void sample_cube_vjp(const CubeMap<T>& cube, Filter filter, Raster raster, const T* directions, const T* lod, const T* grad_out,
                     T* grad_texels, T* grad_directions, T* grad_lod) {
  check_side("cube maps", cube.size);
  CubeSamples<T> samples{cube, filter, directions, lod};
  if (grad_texels) spread_to_texels(samples, raster, grad_out, grad_texels);
  if (grad_directions || grad_lod)
    for_each(raster.batch * raster.pixels(), DirectionsVjp<T>{samples, raster.pixels(), grad_out, grad_directions, grad_lod});
}

template <class T>
void halve_texture(const T* texture, Raster size, int64_t channels, T* out) {
  Raster to = halved(size);
  for_each(to.batch * to.pixels() * channels, Resample<T, false>{texture, size, to, channels, size.height, size.width, out});
}

template <class T>
void halve_texture_vjp(const T* grad_out, Raster size, int64_t channels, T* grad_texture) {
  for_each(size.batch * size.pixels() * channels,
           Resample<T, true>{grad_out, halved(size), size, channels, size.height, size.width, grad_texture});
}

#define INTAGLIO_INSTANTIATE(T)                                                                                   \
  template void sample_texture(const Texture<T>&, Sampler, Raster, const SamplePlaces<T>&, T*);                   \
  template void sample_texture_vjp(const Texture<T>&, Sampler, Raster, const SamplePlaces<T>&, const T*, T*, T*); \
  template void sample_cube(const CubeMap<T>&, Filter, Raster, const T*, const T*, T*);                           \
  template void sample_cube_vjp(const CubeMap<T>&, Filter, Raster, const T*, const T*, const T*, T*, T*, T*);     \
  template void halve_texture(const T*, Raster, int64_t, T*);                                                     \
  template void halve_texture_vjp(const T*, Raster, int64_t, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
