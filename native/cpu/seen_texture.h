// SPDX-License-Identifier: MIT
// What a tile shows of a textured mesh, row by row while it is in the cache: uv are planes over its triangles, set up once for
// each in the tile; a row's runs of one triangle are worked out in lanes; then each pixel's texels are read once, for its
// colour and its slope, and its cotangent goes to them and back to the triangles.
#pragma once
#include "../math/uv_plane.h"
#include "draw.h"
#include "locate.h"
#include "pyramid.h"

namespace intaglio {

static_assert(kBlock == kTileWidth, "a row of a tile is a block of pixels");

// Runs are worked out in whole steps of lanes, up to kRunStep - 1 pixels too many.
constexpr int kRunStep = 8, kRunLanes = kBlock + kRunStep;

// One image of the scene.
template <class T>
struct TexturedView {
  const T *pos_clip, *uv;
  const int32_t *triangles, *uv_triangles;
  int64_t num_triangles;
  Raster raster;
  LevelTable<T> levels;
  Wrap wrap;

  TexturedView(const TexturedMesh<T>& mesh, Raster raster, const Texture<T>& pyramid, int64_t b)
      : pos_clip(mesh.geometry.positions_of(b)),
        uv(mesh.uv.values_of(b)),
        triangles(mesh.geometry.triangles_of(b)),
        uv_triangles(mesh.uv.triangles_of(b)),
        num_triangles(mesh.geometry.num_triangles),
        raster(raster),
        levels(pyramid),
        wrap(mesh.wrap) {}

  Vec2<T> ndc_step() const { return {(T)2 / (T)raster.width, (T)-2 / (T)raster.height}; }
};

// A triangle of a tile, as seen from the first of its pixels.
template <class T>
struct TileTriangle {
  int32_t triangle_id, column, row;
  int32_t first_run, last_run;  // a list of its runs
  bool is_extreme;              // (math/triangle.h)
  Vec2<T> anchor;               // that pixel, in ndc
  Vec4<T> pos[3];
  SeenTriangle<T> seen;
  UvPlane<T> plane;
};

// Pixels [begin, end) of a row of the tile, all of one triangle, and its next run.
struct PixelRun {
  int32_t row, begin, end, next;
};

// What a tile shows: triangles in the order in which they are met, their runs row by row, and uv of the pixels.
template <class T>
struct SeenTile {
  static constexpr int kMost = kTileWidth * kTileHeight;

  int64_t column = 0, row = 0;  // of its first pixel
  int num_columns = 0, num_rows = 0, num_triangles = 0;
  Room<TileTriangle<T>> triangles;
  Room<PixelRun> runs;
  int32_t first_run[kTileHeight + 1];  // of each row, and the end of the last
  T u[kTileHeight][kRunLanes] = {}, v[kTileHeight][kRunLanes] = {};
  T footprint[kTileHeight][kRunLanes];                               // squared (math/texture.h); 0 where nothing is seen
  T grad_u[kTileHeight][kRunLanes], grad_v[kTileHeight][kRunLanes];  // cotangents
  // The texels of one row: two levels each, or one where no pixel looks at the second.
  TextureBlock<T> blocks[2];
  int num_blocks = 0;
  std::vector<int32_t> place;  // of each triangle of the mesh among those of the tile it was last met in

  SeenTile() { triangles.hold(kMost), runs.hold(kMost); }

  // use(tile) with the calling thread's own.
  template <class Use>
  static void with(const Use& use) {
    thread_local std::unique_ptr<SeenTile> kept;
    if (!kept) kept.reset(new SeenTile);
    use(*kept);
    if (kept->place.capacity() > (16 << 20)) kept.reset();
  }
};

// Finds triangles, runs and uv of a tile whose first pixel is (column, row), from its ids, `pitch` apart; of those rows only
// whose bit is set in `rows`.
void see_tile(const TexturedView<float>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row, uint32_t rows,
              SeenTile<float>& tile);
void see_tile(const TexturedView<double>& view, const int32_t* ids, int64_t pitch, int64_t column, int64_t row, uint32_t rows,
              SeenTile<double>& tile);

// Finds the texels of those pixels of a row that show something.
template <class T>
void find_texels(const TexturedView<T>& view, int row, SeenTile<T>& tile);

// Texels of `channels`, `stride` values apart; `sums` of the gradient of those from begin to end, if they are wanted.
template <class T>
struct RowTexels {
  const T* texels;
  int64_t channels;
  T* sums = nullptr;
  int64_t begin = 0, end = INT64_MAX;
};

// The colours of a row whose texels have been found, to `out` [num_columns, channels].
void paint_row(const SeenTile<float>& tile, int row, const RowTexels<float>& texels, float* out);
void paint_row(const SeenTile<double>& tile, int row, const RowTexels<double>& texels, double* out);

// The same, and scale * (colour - target) as the cotangent of each: to its texels and to its cotangents of uv.
void compare_row(SeenTile<float>& tile, int row, const RowTexels<float>& texels, const float* target, float scale, float* out);
void compare_row(SeenTile<double>& tile, int row, const RowTexels<double>& texels, const double* target, double scale,
                 double* out);

// Carries cotangents `grad` [num_columns, channels] to texels, and to its cotangents of uv if `to_uv`.
void carry_row(SeenTile<float>& tile, int row, const RowTexels<float>& texels, const float* grad, bool to_uv);
void carry_row(SeenTile<double>& tile, int row, const RowTexels<double>& texels, const double* grad, bool to_uv);

// Carries the tile's cotangents of uv on to the gradients of positions [num_vertices, 4] and uv [num_vertices, 2], of which one
// may be null.
void carry_tile(const TexturedView<float>& view, const SeenTile<float>& tile, float* positions, float* uv);
void carry_tile(const TexturedView<double>& view, const SeenTile<double>& tile, double* positions, double* uv);

inline bool any_seen(const int32_t* ids, int64_t count) {
  int32_t any = -1;
  for (int64_t i = 0; i < count; ++i) any &= ids[i];
  return any >= 0;
}

}  // namespace intaglio
