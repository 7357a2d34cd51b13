// SPDX-License-Identifier: MIT
// A tile of a textured mesh: its triangles and runs, uv of their pixels, and back from the cotangents of those.
#include <cstring>

#include "seen_texture.h"
#include "simd.h"

namespace intaglio {
namespace {

template <class T>
INTAGLIO_INLINE void add_triangle(const TexturedView<T>& view, int32_t id, int64_t x, int64_t y, TileTriangle<T>& t) {
  t.triangle_id = id, t.column = (int32_t)x, t.row = (int32_t)y;
  const T* corner[3];
  for (int i = 0; i < 3; ++i) corner[i] = view.uv + 2 * (int64_t)view.uv_triangles[3 * (int64_t)id + i];
  load_triangle(view.pos_clip, view.triangles, id, t.pos);
  t.is_extreme = is_extreme(t.pos);
  make_moderate(t.pos);
  t.anchor = {ndc_centre<T>(x, view.raster.width), -ndc_centre<T>(y, view.raster.height)};
  t.seen = seen_from(t.pos, t.anchor.x, t.anchor.y);
  t.plane = uv_plane(t.pos, t.seen, view.ndc_step(), corner);
}

// Bit i: pixel i of a row of kTileWidth shows another triangle than the one before it. The first does.
INTAGLIO_INLINE uint64_t starts_of_runs(const int32_t* ids) {
  uint32_t half[2];
  for (int h = 0; h < 2; ++h) {
    uint32_t bits = 0;
    const int32_t* at = ids + 32 * h;
    for (int i = 0; i < 31; ++i) bits |= (uint32_t)(at[i] != at[i + 1]) << (i + 1);
    half[h] = bits;
  }
  half[1] |= ids[31] != ids[32];
  return ((uint64_t)half[1] << 32 | half[0]) | 1;
}
static_assert(kTileWidth == 64, "a row is a word");

template <class T>
INTAGLIO_INLINE void find_runs(const TexturedView<T>& view, const int32_t* ids, int64_t pitch, uint32_t rows,
                               SeenTile<T>& tile) {
  TileTriangle<T>* triangles = tile.triangles.data();
  PixelRun* runs = tile.runs.data();
  int32_t *places = tile.place.data(), num_runs = 0, num_triangles = 0;
  int32_t padded[kTileWidth];
  for (int i = 0; i < kTileWidth; ++i) padded[i] = -1;
  for (int y = 0; y < tile.num_rows; ++y, ids += pitch) {
    tile.first_run[y] = num_runs;
    if (!(rows >> y & 1)) continue;
    const int32_t* row = ids;
    if (tile.num_columns < kTileWidth) std::memcpy(padded, ids, tile.num_columns * sizeof(int32_t)), row = padded;
    for (uint64_t left = starts_of_runs(row); left;) {
      const int begin = __builtin_ctzll(left);
      left &= left - 1;
      const int32_t id = row[begin], end = left ? __builtin_ctzll(left) : kTileWidth;
      if (id < 0) continue;
      // What is kept of earlier tiles is not believed.
      const int32_t place = places[id];
      runs[num_runs] = {y, begin, end, -1};
      if ((uint32_t)place < (uint32_t)num_triangles && triangles[place].triangle_id == id) {
        runs[triangles[place].last_run].next = num_runs;
        triangles[place].last_run = num_runs;
      } else {
        TileTriangle<T>& added = triangles[num_triangles];
        add_triangle(view, id, tile.column + begin, tile.row + y, added);
        added.first_run = added.last_run = num_runs;
        places[id] = num_triangles++;
      }
      ++num_runs;
    }
  }
  tile.first_run[tile.num_rows] = num_runs;
  tile.num_triangles = num_triangles;
}

// A step of lanes. By name, since a compiler would make branches of what is wanted in some of them only.
template <class T>
using Step = Vector<T, kRunStep>;

template <class T>
INTAGLIO_INLINE void load_step(const T* from, Step<T>& to) {
  std::memcpy(&to, from, sizeof to);
}
// 0, 1, 2 ...
template <class T>
INTAGLIO_INLINE void count_step(Step<T>& to) {
  static_assert(kRunStep == 8, "counted here");
  to = Step<T>{0, 1, 2, 3, 4, 5, 6, 7};
}
// Stores the first `count` lanes; those beyond a run belong to others, or to nothing.
template <class T>
INTAGLIO_INLINE void store_first(int count, const T* from, T* to) {
  Step<T> fresh, kept, index;
  load_step(from, fresh), load_step(to, kept), count_step<T>(index);
  kept = index < (T)count ? fresh : kept;
  std::memcpy(to, &kept, sizeof kept);
}
// Loads the first `count` lanes, and zeros.
template <class T>
INTAGLIO_INLINE void load_first(int count, const T* from, Step<T>& to) {
  Step<T> all, index;
  load_step(from, all), count_step<T>(index);
  to = index < (T)count ? all : Step<T>{};
}
// Whether none of the first `count` lanes is negative, or NaN.
template <class T>
INTAGLIO_INLINE bool is_positive(int count, const T* lanes) {
  Step<T> first;
  load_first(count, lanes, first);
  const auto is_wrong = ~(first >= 0);
  int64_t words[sizeof is_wrong / sizeof(int64_t)], any = 0;
  std::memcpy(words, &is_wrong, sizeof is_wrong);
  for (int64_t word : words) any |= word;
  return any == 0;
}
template <class T>
INTAGLIO_INLINE T total(const Step<T>& lanes) {
  static_assert(kRunStep == 8, "added up here");
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <class T>
INTAGLIO_INLINE void see_triangle(const TileTriangle<T>& triangle, T width, T height, SeenTile<T>& tile) {
  const UvPlane<T> plane = triangle.plane;
  const T across = (T)(tile.column - triangle.column);
  for (int32_t r = triangle.first_run; r >= 0;) {
    const PixelRun run = tile.runs.data()[r];
    r = run.next;
    const UvRow<T> edges = uv_row(plane, (T)(tile.row + run.row - triangle.row));
    for (int first = run.begin; first < run.end; first += kRunStep) {
      const int left = run.end - first;
      T u[kRunStep], v[kRunStep], footprint[kRunStep], margin[kRunStep];
      auto put = [&](int l, const UvPixel<T>& p) INTAGLIO_INLINED {
        u[l] = p.u, v[l] = p.v, footprint[l] = footprint_squared(p.derivative, width, height);
      };
      for (int l = 0; l < kRunStep; ++l) put(l, uv_within(plane, edges, across + (T)(first + l), margin[l]));
      if (!is_positive<T>(left, margin))  // some pixel's centre lies a hair outside
        for (int l = 0; l < kRunStep; ++l) put(l, uv_at(plane, edges, across + (T)(first + l)));
      store_first(left, u, tile.u[run.row] + first), store_first(left, v, tile.v[run.row] + first);
      store_first(left, footprint, tile.footprint[run.row] + first);
    }
  }
}

template <class T>
INTAGLIO_INLINE void see_all(const TexturedView<T>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row,
                             uint32_t rows, SeenTile<T>& tile) {
  tile.column = column, tile.row = row;
  tile.num_columns = (int)std::min<int64_t>(kTileWidth, view.raster.width - column);
  tile.num_rows = (int)std::min<int64_t>(kTileHeight, view.raster.height - row);
  if ((int64_t)tile.place.size() < view.num_triangles) tile.place.resize(view.num_triangles);
  find_runs(view, ids, pitch, rows, tile);
  std::memset(tile.footprint, 0, sizeof tile.footprint);
  for (int t = 0; t < tile.num_triangles; ++t)
    see_triangle(tile.triangles.data()[t], view.levels.width[0], view.levels.height[0], tile);
}

// What a triangle's pixels pass on, lane by lane.
template <class T>
struct TriangleSums {
  Step<T> edge[3] = {}, across[3] = {}, down[3] = {};  // UvPlaneGradient
  Step<T> u[3] = {}, v[3] = {};                        // of the corners
};

template <bool kToPositions, bool kToUv, class T>
INTAGLIO_INLINE void carry_triangle(const SeenTile<T>& tile, const TileTriangle<T>& triangle, TriangleSums<T>& sums) {
  const UvPlane<T> plane = triangle.plane;
  const T across = (T)(tile.column - triangle.column);
  Step<T> index;
  count_step<T>(index);
  for (int32_t r = triangle.first_run; r >= 0;) {
    const PixelRun run = tile.runs.data()[r];
    r = run.next;
    const T down = (T)(tile.row + run.row - triangle.row);
    const UvRow<T> edges = uv_row(plane, down);
    for (int first = run.begin; first < run.end; first += kRunStep) {
      const T *grad_u = tile.grad_u[run.row] + first, *grad_v = tile.grad_v[run.row] + first;
      T edge[3][kRunStep], u[3][kRunStep], v[3][kRunStep];
      for (int l = 0; l < kRunStep; ++l) {
        const UvWeights<T> at = uv_weights(plane, edges, across + (T)(first + l));
        if (kToPositions) {
          const Vec3<T> g = uv_at_vjp(plane, at, grad_u[l], grad_v[l]);
          edge[0][l] = g.x, edge[1][l] = g.y, edge[2][l] = g.z;
        }
        if (kToUv)
          for (int k = 0; k < 3; ++k) u[k][l] = at.weight[k] * grad_u[l], v[k][l] = at.weight[k] * grad_v[l];
      }
      const int left = run.end - first;
      const Step<T> x = index + (across + (T)first);
      Step<T> g;
      for (int k = 0; k < 3; ++k) {
        if (kToPositions) load_first(left, edge[k], g), sums.edge[k] += g, sums.across[k] += x * g, sums.down[k] += down * g;
        if (kToUv) load_first(left, u[k], g), sums.u[k] += g, load_first(left, v[k], g), sums.v[k] += g;
      }
    }
  }
}

template <bool kToPositions, bool kToUv, class T>
INTAGLIO_INLINE void carry_triangles(const TexturedView<T>& view, const SeenTile<T>& tile, T* positions, T* uv) {
  for (int i = 0; i < tile.num_triangles; ++i) {
    const TileTriangle<T>& t = tile.triangles.data()[i];
    TriangleSums<T> sums;
    carry_triangle<kToPositions, kToUv>(tile, t, sums);
    if (kToPositions && !t.is_extreme) {
      UvPlaneGradient<T> grad;
      for (int k = 0; k < 3; ++k)
        grad.edge[k] = total<T>(sums.edge[k]), grad.across[k] = total<T>(sums.across[k]), grad.down[k] = total<T>(sums.down[k]);
      Vec4<T> grad_v[3] = {};
      uv_plane_vjp(t.plane, t.pos, t.seen, t.anchor, view.ndc_step(), grad, grad_v);
      for (int k = 0; k < 3; ++k) {
        T* sum = positions + 4 * (int64_t)view.triangles[3 * (int64_t)t.triangle_id + k];
        sum[0] += grad_v[k].x, sum[1] += grad_v[k].y, sum[3] += grad_v[k].w;
      }
    }
    if (kToUv)
      for (int k = 0; k < 3; ++k) {
        T* sum = uv + 2 * (int64_t)view.uv_triangles[3 * (int64_t)t.triangle_id + k];
        sum[0] += total<T>(sums.u[k]), sum[1] += total<T>(sums.v[k]);
      }
  }
}

template <class T>
INTAGLIO_INLINE void carry_on(const TexturedView<T>& view, const SeenTile<T>& tile, T* positions, T* uv) {
  if (positions && uv) return carry_triangles<true, true>(view, tile, positions, uv);
  if (positions) return carry_triangles<true, false>(view, tile, positions, uv);
  if (uv) carry_triangles<false, true>(view, tile, positions, uv);
}

}  // namespace

INTAGLIO_CLONES void see_tile(const TexturedView<float>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row,
                              uint32_t rows, SeenTile<float>& tile) {
  see_all(view, ids, pitch, column, row, rows, tile);
}
void see_tile(const TexturedView<double>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row, uint32_t rows,
              SeenTile<double>& tile) {
  see_all(view, ids, pitch, column, row, rows, tile);
}

INTAGLIO_CLONES void carry_tile(const TexturedView<float>& view, const SeenTile<float>& tile, float* positions, float* uv) {
  carry_on(view, tile, positions, uv);
}
void carry_tile(const TexturedView<double>& view, const SeenTile<double>& tile, double* positions, double* uv) {
  carry_on(view, tile, positions, uv);
}

}  // namespace intaglio
