// SPDX-License-Identifier: MIT
// A mip-mapped texture seen on a mesh, in one go: what rasterize, interpolate, screen_derivatives and sample_texture do one
// after the other, row by row of a tile while it is in the cache. Nothing lies between the ids and the image, so background
// costs nothing; the backward pass finds uv and texels anew from the ids.
#include <array>
#include <cstring>

#include "../math/uv_run.h"
#include "accumulate.h"
#include "draw.h"
#include "locate.h"
#include "pyramid.h"

namespace intaglio {
namespace {

// Runs are worked out in whole steps of lanes, up to kRunStep - 1 pixels too many.
constexpr int kRunStep = 8, kLanes = kBlock + kRunStep;

struct PixelRun {
  int begin, end;
  int32_t triangle_id;
  bool is_extreme;
};

// Texels that fill a register are added and scaled as one.
using Quad = float __attribute__((vector_size(4 * sizeof(float))));
template <class T, class Stride>
constexpr bool kIsQuad = std::is_same_v<T, float> && std::is_same_v<Stride, std::integral_constant<int64_t, 4>>;

INTAGLIO_INLINE Quad load_quad(const float* p) {
  Quad q;
  std::memcpy(&q, p, sizeof q);
  return q;
}
INTAGLIO_INLINE void store_quad(Quad q, float* p) {
  std::memcpy(p, &q, sizeof q);
}
INTAGLIO_INLINE float dot(Quad a, Quad b) {
  Quad product = a * b;
  return (product[0] + product[1]) + (product[2] + product[3]);
}

// What kBlock pixels of a row show: runs of one triangle each, their uv, and what these are made of.
template <class T>
struct SeenRow {
  int num_runs = 0;
  PixelRun runs[kBlock];
  T uv[2 * kLanes] = {}, lod[kLanes] = {}, weight[3][kLanes] = {}, inverse[kLanes] = {};
  // Two levels each, or one where no pixel looks at the second.
  TextureBlock<T> blocks[2];
  int num_blocks = 0;
};

// One image of the scene.
template <class T>
struct TexturedView {
  const T *pos_clip, *uv;
  const int32_t *triangles, *uv_triangles;
  Raster raster;
  T width, height;  // of the texture
  int64_t num_levels;

  Vec2<T> ndc_step() const { return {(T)2 / (T)raster.width, (T)-2 / (T)raster.height}; }
};

// A triangle at the first pixel of a run.
template <class T>
struct RunTriangle {
  Vec4<T> pos[3];
  SeenTriangle<T> seen;
  UvRun<T> uv;
  T X, Y;
  bool is_extreme;
};

template <class T>
INTAGLIO_INLINE RunTriangle<T> triangle_of_run(const TexturedView<T>& view, int32_t id, int64_t x, int64_t y) {
  RunTriangle<T> t;
  const T* corner[3];
  for (int i = 0; i < 3; ++i) corner[i] = view.uv + 2 * (int64_t)view.uv_triangles[3 * (int64_t)id + i];
  load_triangle(view.pos_clip, view.triangles, id, t.pos);
  t.is_extreme = is_extreme(t.pos);
  make_moderate(t.pos);
  t.X = ndc_centre<T>(x, view.raster.width), t.Y = -ndc_centre<T>(y, view.raster.height);
  t.seen = seen_from(t.pos, t.X, t.Y);
  t.uv = uv_run(t.pos, t.seen, view.ndc_step(), corner);
  return t;
}

// uv and levels of the pixels [0, count) of row y from column x on.
template <class T>
INTAGLIO_INLINE void see_runs(const TexturedView<T>& view, const int32_t* ids, int count, int64_t x, int64_t y,
                              SeenRow<T>& seen) {
  seen.num_runs = 0;
  for (int at = 0; at < count;) {
    int begin = at;
    int32_t id = ids[at];
    while (at < count && ids[at] == id) ++at;
    if (id < 0) continue;
    const RunTriangle<T> triangle = triangle_of_run(view, id, x + begin, y);
    const UvRun<T>& run = triangle.uv;
    seen.runs[seen.num_runs++] = {begin, at, id, triangle.is_extreme};
    for (int first = begin; first < at; first += kRunStep)
      for (int l = 0; l < kRunStep; ++l) {
        int i = first + l;
        UvPixel<T> p = uv_at(run, (T)(i - begin));
        seen.uv[2 * i] = p.u, seen.uv[2 * i + 1] = p.v;
        seen.lod[i] = footprint_squared(p.derivative, view.width, view.height);
        for (int k = 0; k < 3; ++k) seen.weight[k][i] = p.weight[k];
        seen.inverse[i] = p.inverse;
      }
  }
  T most = 0;
  for (int i = 0; i < kBlock; ++i) {
    seen.lod[i] = level_of_detail(seen.lod[i], view.num_levels);
    most = max_of(most, seen.lod[i]);
  }
  seen.num_blocks = most > 0 ? 2 : 1;
}

INTAGLIO_CLONES void see(const TexturedView<float>& view, const int32_t* ids, int count, int64_t x, int64_t y,
                         SeenRow<float>& seen) {
  see_runs(view, ids, count, x, y, seen);
}

void see(const TexturedView<double>& view, const int32_t* ids, int count, int64_t x, int64_t y, SeenRow<double>& seen) {
  see_runs(view, ids, count, x, y, seen);
}

bool any_seen(const int32_t* ids, int count) {
  int32_t any = -1;
  for (int i = 0; i < count; ++i) any &= ids[i];
  return any >= 0;
}

// Sees rows of pixels on a textured mesh, texels included.
template <class T>
class Viewer {
 public:
  Viewer(const TexturedMesh<T>& mesh, Raster raster, const Texture<T>& pyramid, int64_t b)
      : view_{mesh.geometry.positions_of(b),
              mesh.uv.values_of(b),
              mesh.geometry.triangles_of(b),
              mesh.uv.triangles_of(b),
              raster,
              (T)pyramid.width,
              (T)pyramid.height,
              pyramid.num_levels},
        table_(pyramid),
        wrap_(mesh.wrap) {}

  void look(const int32_t* ids, int count, int64_t x, int64_t y) {
    see(view_, ids, count, x, y, row);
    choose_levels(table_, row.lod, row.blocks);
    for (int n = 0; n < row.num_blocks; ++n) locate(row.uv, false, wrap_, row.blocks[n]);
  }

  const TexturedView<T>& view() const { return view_; }
  SeenRow<T> row;

 private:
  TexturedView<T> view_;
  LevelTable<T> table_;
  Wrap wrap_;
};

// Adds up the texels of pixel i.
template <class T, class Stride>
INTAGLIO_INLINE void blend_pixel(const T* texels, const SeenRow<T>& row, int i, Stride stride, T* color) {
  for (int64_t c = 0; c < stride; ++c) color[c] = 0;
  for (int n = 0; n < row.num_blocks; ++n) {
    const TextureBlock<T>& block = row.blocks[n];
    if (block.share[i] == 0) continue;
    const T *t0 = texels + block.texel[0][i] * stride, *t1 = texels + block.texel[1][i] * stride;
    const T *t2 = texels + block.texel[2][i] * stride, *t3 = texels + block.texel[3][i] * stride;
    T w0 = block.weight[0][i], w1 = block.weight[1][i], w2 = block.weight[2][i], w3 = block.weight[3][i];
    if constexpr (kIsQuad<T, Stride>)
      store_quad(load_quad(color) + (w0 * load_quad(t0) + w1 * load_quad(t1) + w2 * load_quad(t2) + w3 * load_quad(t3)), color);
    else
      for (int64_t c = 0; c < stride; ++c) color[c] += w0 * t0[c] + w1 * t1[c] + w2 * t2[c] + w3 * t3[c];
  }
}

// Texels and their sums may be of any number of channels; those of a register have room on the stack.
template <class T, class Stride>
struct PixelRoom {
  explicit PixelRoom(Stride stride) : values(stride) {}
  std::vector<T> values;
  T* data() { return values.data(); }
};
template <class T, int64_t N>
struct PixelRoom<T, std::integral_constant<int64_t, N>> {
  explicit PixelRoom(std::integral_constant<int64_t, N>) {}
  alignas(16) T values[N];
  T* data() { return values; }
};

template <class T>
void check_mesh(const TexturedMesh<T>& mesh, Raster raster, const Texture<T>& pyramid) {
  check_size(raster);
  check_geometry(mesh.geometry);
  check_texture(pyramid);
  const Attributes<T>& uv = mesh.uv;
  check_indices("uv_triangles", uv.triangles, (uv.own_triangles ? raster.batch : 1) * uv.num_triangles * 3, 0, uv.num_vertices,
                "indices must stay below the number of uv");
}

}  // namespace

template <class T>
void textured(const TexturedMesh<T>& mesh, Raster raster, const T* texture, const Texture<T>& pyramid, int64_t channels,
              int32_t* triangle_id, T* texels, T* image) {
  check_mesh(mesh, raster, pyramid);
  build_pyramid(texture, pyramid, pyramid.own_texels ? raster.batch : 1, channels, texels);
  with_strides(channels, [&](auto c, auto stride) {
    auto draw = [&](int64_t b) {
      int32_t* ids = triangle_id + b * raster.pixels();
      T* out = image + b * raster.pixels() * c;
      const T* own = texels + (pyramid.own_texels ? b * pyramid.num_texels * stride : 0);
      auto begin_band = [&](int64_t begin, int64_t end) {
        std::memset(ids + begin * raster.width, 0xff, (end - begin) * raster.width * sizeof(int32_t));
        std::memset(out + begin * raster.width * c, 0, (end - begin) * raster.width * c * sizeof(T));
      };
      auto show = [&](const Tile<T>& tile, int column, int row) {
        int columns = (int)std::min<int64_t>(kTileWidth, raster.width - column);
        Viewer<T> viewer(mesh, raster, pyramid, b);
        PixelRoom<T, decltype(stride)> color(stride);
        for (int64_t y = row; y < std::min<int64_t>(row + kTileHeight, raster.height); ++y) {
          const int32_t* seen = tile.id + (y - row) * kTileWidth;
          if (!any_seen(seen, columns)) continue;
          int64_t first = y * raster.width + column;
          std::memcpy(ids + first, seen, columns * sizeof(int32_t));
          viewer.look(seen, columns, column, y);
          for (int r = 0; r < viewer.row.num_runs; ++r)
            for (int i = viewer.row.runs[r].begin; i < viewer.row.runs[r].end; ++i) {
              blend_pixel(own, viewer.row, i, stride, color.data());
              std::copy_n(color.data(), (int64_t)c, out + (first + i) * c);
            }
        }
      };
      Workspace<T>::with([&](Workspace<T>& work) { draw_image(mesh.geometry, b, raster, work, begin_band, show); });
    };
    for_each_image(raster.batch, draw);
  });
}

namespace {

// What goes back through the image of a textured mesh.
template <class T>
struct TexturedGradient {
  const TexturedMesh<T>& mesh;
  Raster raster;
  const Texture<T>& pyramid;  // padded texels
  int64_t channels;
  const int32_t* triangle_id;
  const T* grad_image;
};

// Adds what pixel i takes from its texels to those in [begin, end).
template <class T, class Stride, class Grad>
INTAGLIO_INLINE void spread_pixel(const SeenRow<T>& row, int i, Stride stride, Grad grad, int64_t begin, int64_t end, T* sums) {
  for (int n = 0; n < row.num_blocks; ++n) {
    const TextureBlock<T>& block = row.blocks[n];
    if (block.share[i] == 0) continue;
    for (int k = 0; k < 4; ++k) {
      int64_t texel = block.texel[k][i];
      if (texel < begin || texel >= end) continue;
      T weight = block.weight[k][i];
      T* sum = sums + texel * stride;
      if constexpr (kIsQuad<T, Stride>)
        store_quad(load_quad(sum) + grad * weight, sum);
      else
        for (int64_t c = 0; c < stride; ++c) sum[c] += grad[c] * weight;
    }
  }
}

// The cotangent of a pixel's uv.
template <class T, class Stride, class Grad>
INTAGLIO_INLINE Vec2<T> uv_gradient(const T* texels, const SeenRow<T>& row, int i, Stride stride, Grad grad) {
  Vec2<T> sum{0, 0};
  for (int n = 0; n < row.num_blocks; ++n) {
    const TextureBlock<T>& block = row.blocks[n];
    T share = block.share[i], across = block.across[i], down = block.down[i];
    if (share == 0) continue;
    const T *t0 = texels + block.texel[0][i] * stride, *t1 = texels + block.texel[1][i] * stride;
    const T *t2 = texels + block.texel[2][i] * stride, *t3 = texels + block.texel[3][i] * stride;
    T u = 0, v = 0;
    if constexpr (kIsQuad<T, Stride>) {
      const Quad corner[4] = {load_quad(t0), load_quad(t1), load_quad(t2), load_quad(t3)}, zero = {};
      Vec2<Quad> slope = bilinear_weights_vjp(zero + across, zero + down, corner);
      u = dot(slope.x, grad), v = dot(slope.y, grad);
    } else {
      for (int64_t c = 0; c < stride; ++c) {
        const T corner[4] = {t0[c], t1[c], t2[c], t3[c]};
        Vec2<T> slope = bilinear_weights_vjp(across, down, corner);
        u += slope.x * grad[c], v += slope.y * grad[c];
      }
    }
    sum.x += u * (share * block.width[i]), sum.y += v * (share * block.height[i]);
  }
  return sum;
}

// A pixel's cotangent, in a register where texels are.
template <class T, class C, class Stride>
INTAGLIO_INLINE auto padded(const T* grad, C, Stride) {
  if constexpr (std::is_same_v<C, Stride> && !kIsQuad<T, Stride>)
    return grad;
  else if constexpr (std::is_same_v<C, Stride>)
    return load_quad(grad);
  else if constexpr (kIsQuad<T, Stride>)
    return Quad{grad[0], grad[1], grad[2], 0};
  else
    return std::array<T, 4>{grad[0], grad[1], grad[2], 0};
}

// visit(viewer, run, i, grad) for the pixels of row y of image b that have a cotangent, then end(viewer, run, x, y) for each
// run of one triangle that has any; `grad` is padded with zeros.
template <class T, class C, class Stride, class Visit, class End>
void for_each_pixel(const TexturedGradient<T>& g, Viewer<T>& viewer, int64_t b, int64_t y, C c, Stride stride,
                    const Visit& visit, const End& end) {
  for (int64_t x = 0; x < g.raster.width; x += kBlock) {
    int count = (int)std::min<int64_t>(kBlock, g.raster.width - x);
    int64_t first = (b * g.raster.height + y) * g.raster.width + x;
    const int32_t* ids = g.triangle_id + first;
    const T* grads = g.grad_image + first * c;
    if (!any_seen(ids, count) || std::all_of(grads, grads + count * c, [](T value) { return value == 0; })) continue;
    viewer.look(ids, count, x, y);
    for (int r = 0; r < viewer.row.num_runs; ++r) {
      const PixelRun& run = viewer.row.runs[r];
      bool any = false;
      for (int i = run.begin; i < run.end; ++i) {
        if (all_zero(grads + i * c, c)) continue;
        any = true;
        visit(run, i, padded<T>(grads + i * c, c, stride));
      }
      if (any) end(run, x + run.begin);
    }
  }
}

// Positions, and texels too where `texel_sums` is given.
template <class T, class C, class Stride>
void spread_to_positions(const TexturedGradient<T>& g, C c, Stride stride, T* grad_pos_clip, T* texel_sums) {
  const Geometry<T>& geometry = g.mesh.geometry;
  accumulate_rows(
      g.raster, grad_pos_clip, geometry.num_vertices * 4, false, [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) {
        Viewer<T> viewer(g.mesh, g.raster, g.pyramid, b);
        const int64_t own = g.pyramid.own_texels ? b * g.pyramid.num_texels * stride : 0;
        const T* texels = g.pyramid.texels + own;
        T grad_uv[2][kBlock];
        uint64_t seen = 0;
        for (int64_t y = row_begin; y < row_end; ++y) {
          auto visit = [&](const PixelRun& run, int i, auto grad) {
            Vec2<T> uv = uv_gradient(texels, viewer.row, i, stride, grad);
            grad_uv[0][i] = uv.x, grad_uv[1][i] = uv.y;
            seen |= (uint64_t)1 << i;
            (void)run;
            if (texel_sums) spread_pixel(viewer.row, i, stride, grad, 0, g.pyramid.num_texels, texel_sums + own);
          };
          auto end = [&](const PixelRun& run, int64_t x) {
            RunTriangle<T> t = triangle_of_run(viewer.view(), run.triangle_id, x, y);
            UvRunGradient<T> along;
            for (int i = run.begin; i < run.end; ++i) {
              if (!(seen >> i & 1)) continue;
              const T weight[3] = {viewer.row.weight[0][i], viewer.row.weight[1][i], viewer.row.weight[2][i]};
              uv_at_vjp(t.uv, (T)(i - run.begin), weight, viewer.row.inverse[i], grad_uv[0][i], grad_uv[1][i], along);
            }
            seen = 0;
            Vec4<T> whole[3], grad_v[3] = {};
            load_triangle(geometry.positions_of(b), geometry.triangles_of(b), run.triangle_id, whole);
            if (is_extreme(whole)) return;
            uv_run_vjp(t.uv, t.pos, t.seen, t.X, t.Y, viewer.view().ndc_step().x, along, grad_v);
            for (int i = 0; i < 3; ++i) {
              T* sum = sums + 4 * (int64_t)geometry.triangles_of(b)[3 * (int64_t)run.triangle_id + i];
              sum[0] += grad_v[i].x, sum[1] += grad_v[i].y, sum[3] += grad_v[i].w;
            }
          };
          for_each_pixel(g, viewer, b, y, c, stride, visit, end);
        }
      });
}

template <class T, class C, class Stride>
void spread_to_texels(const TexturedGradient<T>& g, C c, Stride stride, T* texel_sums) {
  const int64_t pixels = g.raster.pixels();
  auto near = [&](int64_t b, int64_t pixel) -> int64_t {
    int32_t id = g.triangle_id[b * pixels + pixel];
    if (id < 0) return -1;
    Viewer<T> probe(g.mesh, g.raster, g.pyramid, b);
    probe.look(&id, 1, pixel % g.raster.width, pixel / g.raster.width);
    return probe.row.blocks[0].texel[0][0];
  };
  auto add_image = [&](int64_t b, int64_t begin, int64_t end, T* sums) {
    Viewer<T> viewer(g.mesh, g.raster, g.pyramid, b);
    auto visit = [&](const PixelRun&, int i, auto grad) { spread_pixel(viewer.row, i, stride, grad, begin, end, sums); };
    for (int64_t y = 0; y < g.raster.height; ++y)
      for_each_pixel(g, viewer, b, y, c, stride, visit, [](const PixelRun&, int64_t) {});
  };
  accumulate_owned(g.raster, texel_sums, g.pyramid.num_texels, (int64_t)stride, !g.pyramid.own_texels, near, add_image);
}

template <class T, class C, class Stride>
void spread_to_uv(const TexturedGradient<T>& g, C c, Stride stride, T* grad_values) {
  const Attributes<T>& uv = g.mesh.uv;
  accumulate_rows(g.raster, grad_values, uv.num_vertices * 2, !uv.own_values,
                  [&](int64_t b, int64_t row_begin, int64_t row_end, T* sums) {
                    Viewer<T> viewer(g.mesh, g.raster, g.pyramid, b);
                    const T* texels = g.pyramid.texels_of(b);
                    auto visit = [&](const PixelRun& run, int i, auto grad) {
                      Vec2<T> grad_uv = uv_gradient(texels, viewer.row, i, stride, grad);
                      for (int k = 0; k < 3; ++k) {
                        T* sum = sums + 2 * (int64_t)viewer.view().uv_triangles[3 * (int64_t)run.triangle_id + k];
                        T weight = viewer.row.weight[k][i];
                        sum[0] += weight * grad_uv.x, sum[1] += weight * grad_uv.y;
                      }
                    };
                    for (int64_t y = row_begin; y < row_end; ++y)
                      for_each_pixel(g, viewer, b, y, c, stride, visit, [](const PixelRun&, int64_t) {});
                  });
}

}  // namespace

template <class T>
int64_t textured_vjp(const TexturedMesh<T>& mesh, const Surface<T>& surface, const Texture<T>& pyramid, const T* grad_image,
                     T* grad_pos_clip, T* grad_uv, T* grad_texels, T* grad_texture) {
  const Raster raster = surface.raster;
  check_mesh(mesh, raster, pyramid);
  check_indices("fragments.triangle_id", surface.triangle_id, raster.batch * raster.pixels(), -1, mesh.geometry.num_triangles,
                "were these fragments made from other triangles?");
  TexturedGradient<T> g{mesh, raster, pyramid, surface.channels, surface.triangle_id, grad_image};
  int64_t arrays = pyramid.own_texels ? raster.batch : 1, cut = 0;
  with_strides(surface.channels, [&](auto c, auto stride) {
    // Both in one sweep where no threads share it: the order in which a texel's pixels are added is the same.
    bool together = grad_pos_clip && grad_texels && num_threads() == 1;
    if (together) std::memset(grad_texels, 0, arrays * pyramid.num_texels * stride * sizeof(T));
    if (grad_pos_clip) spread_to_positions(g, c, stride, grad_pos_clip, together ? grad_texels : nullptr);
    if (grad_texels && !together) spread_to_texels(g, c, stride, grad_texels);
    if (grad_uv) spread_to_uv(g, c, stride, grad_uv);
  });
  if (grad_texels) build_pyramid_vjp(grad_texels, pyramid, arrays, surface.channels, grad_texture);
  if (grad_pos_clip) {
    std::vector<T> of_edges(raster.batch * mesh.geometry.num_vertices * 4);
    cut = edge_gradient_vjp(surface, grad_image, of_edges.data());
    for (size_t i = 0; i < of_edges.size(); ++i) grad_pos_clip[i] += of_edges[i];
  }
  return cut;
}

#define INTAGLIO_INSTANTIATE(T)                                                                                   \
  template void textured(const TexturedMesh<T>&, Raster, const T*, const Texture<T>&, int64_t, int32_t*, T*, T*); \
  template int64_t textured_vjp(const TexturedMesh<T>&, const Surface<T>&, const Texture<T>&, const T*, T*, T*, T*, T*);
INTAGLIO_INSTANTIATE(float)
INTAGLIO_INSTANTIATE(double)

}  // namespace intaglio
