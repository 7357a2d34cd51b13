// SPDX-License-Identifier: MIT
// The native ops without Python, for the sanitizers: random, clipped, degenerate and huge triangles through every op, on one
// thread and on several, which must agree bit for bit.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cpu/pairs.h"
#include "cpu/pool.h"
#include "cpu/setup.h"
#include "expect.h"
#include "ops.h"

namespace {

using namespace intaglio;

template <class T>
struct Scene {
  std::vector<T> pos_clip;
  std::vector<int32_t> triangles, neighbours;
  Raster raster;
  bool own_triangles;
  int64_t num_vertices, num_triangles;

  Geometry<T> geometry() const {
    return {pos_clip.data(), triangles.data(), raster.batch, num_vertices, num_triangles, own_triangles};
  }
};

// Vertices of every kind: in view, behind the eye, on it, far outside the guard band, coinciding.
template <class T>
Scene<T> random_scene(unsigned seed, Raster raster, int64_t num_vertices, int64_t num_triangles, bool own_triangles) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(-1, 1);
  Scene<T> scene{{}, {}, {}, raster, own_triangles, num_vertices, num_triangles};
  for (int64_t i = 0; i < raster.batch * num_vertices; ++i) {
    double w = 1 + 0.8 * unit(random), size = 1.5;
    switch (random() % 12) {
      case 0:
        w = -w;
        break;
      case 1:
        w = 0;
        break;
      case 2:
        size = 1e6;
        break;
      case 3:
        size = 1e30;
        break;
      default:
        break;
    }
    for (double value : {size * unit(random), size * unit(random), 1.2 * unit(random), w}) scene.pos_clip.push_back((T)value);
    if (i > 0 && random() % 8 == 0)
      for (int k = 0; k < 4; ++k) scene.pos_clip[4 * i + k] = scene.pos_clip[4 * i - 4 + k];
  }
  for (int64_t i = 0; i < (own_triangles ? raster.batch : 1) * num_triangles * 3; ++i) {
    scene.triangles.push_back((int32_t)(random() % num_vertices));
    scene.neighbours.push_back((int32_t)(random() % (num_triangles + 1)) - 1);  // any table must be safe to walk
  }
  return scene;
}

template <class T>
struct Results {
  std::vector<int32_t> triangle_id;
  std::vector<std::vector<T>> values;

  bool operator==(const Results& other) const {
    if (triangle_id != other.triangle_id || values.size() != other.values.size()) return false;
    for (size_t i = 0; i < values.size(); ++i)  // bit for bit, NaN included
      if (std::memcmp(values[i].data(), other.values[i].data(), values[i].size() * sizeof(T)) != 0) return false;
    return true;
  }
};

// Runs ops one after the other and keeps what they write.
template <class T>
struct Run {
  const Scene<T>& scene;
  Raster r = scene.raster;
  int64_t pixels = r.batch * r.pixels(), positions = r.batch * scene.num_vertices * 4;
  Geometry<T> g = scene.geometry();
  Results<T> results;

  explicit Run(const Scene<T>& s) : scene(s) {
    results.values.reserve(256);  // references to them stay valid
    results.triangle_id.resize(pixels);
  }
  const int32_t* ids() const { return results.triangle_id.data(); }
  T* value(int64_t count) { return results.values.emplace_back((size_t)count).data(); }

  void geometry(T*& weights, T*& depth) {
    weights = value(2 * pixels), depth = value(pixels);
    rasterize(g, r, results.triangle_id.data(), weights, depth);
    rasterize_vjp(g, r, ids(), weights, depth, value(positions));
    Attributes<T> a{scene.pos_clip.data(), scene.triangles.data(), scene.num_vertices, scene.num_triangles, 4, true,
                    scene.own_triangles};
    T* image = value(4 * pixels);
    interpolate(a, r, ids(), weights, image);
    interpolate_vjp(a, r, ids(), weights, image, value(positions), value(2 * pixels));
    screen_derivatives(a, g, r, ids(), value(8 * pixels));
    std::vector<int32_t> again(pixels);
    rasterize_silhouette(g, r, again.data(), value(pixels));
    CHECK(again == results.triangle_id);
  }

  void visibility(int64_t channels) {
    T* image = value(channels * pixels);
    for (int64_t i = 0; i < pixels * channels; ++i) image[i] = (T)((ids()[i / channels] * 7 + i % channels * 3) % 11);
    Surface<T> s{g, scene.neighbours.data(), r, ids(), image, channels};
    edge_gradient_vjp(s, image, value(positions));
    antialias(s, value(channels * pixels));
    antialias_vjp(s, image, value(channels * pixels), value(positions));
    sweep_gradient_vjp(s, (T)1e-3, image, value(positions));
    T *errors = value(r.batch), *derivative = value(positions);
    silhouette_error(g, scene.neighbours.data(), r, (int64_t)1, image, (const T*)nullptr, errors, derivative);
    silhouette_error_vjp(derivative, errors, r.batch, scene.num_vertices, value(positions));
    if (r.height % 3 == 0 && r.width % 3 == 0)
      silhouette_error(g, scene.neighbours.data(), r, (int64_t)3, image, (const T*)nullptr, value(r.batch), value(positions));
    squared_error(image, scene.pos_clip.data(), std::min(channels * pixels, positions), value(1));
    const T two = 2;
    squared_error_vjp(image, scene.pos_clip.data(), std::min(channels * pixels, positions), &two, value(channels * pixels));
    const int32_t starts[] = {0, 1, 3, 4, 4}, ends[] = {1, 0, 2, 1};  // a path of three vertices, and one alone
    smooth(scene.pos_clip.data(), Graph{starts, ends, 4, 4}, std::min<int64_t>(channels, positions / 4), 3, (T)0.5,
           value(4 * channels));
    Raster coarse{r.batch, r.height / 2, r.width / 2};
    if (r.height % 2 == 0 && r.width % 2 == 0) {
      T* means = value(channels * pixels / 4);
      downsample(image, coarse, channels, (int64_t)2, means);
      downsample_vjp(means, coarse, channels, (int64_t)2, value(channels * pixels));
    }
  }

  // uv are the random positions: far outside the texture, huge, as they come.
  void textures(const T* weights, int64_t channels) {
    std::vector<T> uv(2 * pixels), derivatives(4 * pixels);
    for (int64_t i = 0; i < 2 * pixels; ++i) uv[i] = scene.pos_clip[i % positions];
    for (int64_t i = 0; i < 4 * pixels; ++i) derivatives[i] = scene.pos_clip[(7 * i) % positions];
    std::vector<int32_t> seen(pixels);
    for (int64_t i = 0; i < pixels; ++i) seen[i] = (int32_t)(i % 3) - 1;
    constexpr int64_t kHeight = 5, kWidth = 7, kLevels = 3, kTexels = 5 * 7 + 2 * 3 + 1 * 1;
    std::vector<T> texels(kTexels * channels, (T)0.5);
    for (Wrap wrap : {Wrap::kRepeat, Wrap::kMirror, Wrap::kClamp})
      for (Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kTrilinear}) {
        bool mip = filter == Filter::kTrilinear;
        int64_t num_texels = mip ? kTexels : kHeight * kWidth;
        Texture<T> texture{texels.data(), kHeight, kWidth, mip ? kLevels : 1, num_texels, channels, false};
        const T* d = mip ? derivatives.data() : nullptr;
        for (int64_t probes : {1, mip ? 3 : 1}) {
          Sampler sampler{filter, wrap, probes};
          T* out = value(channels * pixels);
          for (bool knows_background : {false, true}) {
            SamplePlaces<T> places{uv.data(), d, knows_background ? seen.data() : nullptr};
            sample_texture(texture, sampler, r, places, out);
            sample_texture_vjp(texture, sampler, r, places, out, value(num_texels * channels), value(2 * pixels));
          }
        }
      }
    halve_texture(texels.data(), Raster{1, kHeight, kWidth}, channels, value(2 * 3 * channels));
    halve_texture_vjp(texels.data(), Raster{1, kHeight, kWidth}, channels, value(kHeight * kWidth * channels));
    for (int64_t resolution : {1, 3}) {
      int64_t count = scene.num_triangles * resolution * resolution * resolution * channels;
      std::vector<T> cubes(count, (T)0.25);
      FaceTextures<T> faces{cubes.data(), scene.num_triangles, resolution, channels, false};
      T* out = value(channels * pixels);
      sample_face_texture(faces, r, ids(), weights, out);
      sample_face_texture_vjp(faces, r, ids(), weights, out, value(count));
    }
  }

  // The same texture on the mesh; uv are the random positions.
  void on_the_mesh(int64_t channels) {
    constexpr int64_t kHeight = 5, kWidth = 8, kTexels = 5 * 8 + 2 * 4 + 1 * 2 + 1;
    std::vector<T> uv(2 * scene.num_vertices), texture(kHeight * kWidth * channels);
    for (size_t i = 0; i < uv.size(); ++i) uv[i] = scene.pos_clip[i % positions];
    for (size_t i = 0; i < texture.size(); ++i) texture[i] = (T)(i % 13);
    TexturedMesh<T> mesh{
        g,
        {uv.data(), scene.triangles.data(), scene.num_vertices, scene.num_triangles, 2, false, g.own_triangles},
        Wrap::kRepeat};
    const int64_t stride = padded_channels(channels);
    T *texels = value(kTexels * stride), *image = value(channels * pixels), *edges = value(positions);
    Texture<T> pyramid{texels, kHeight, kWidth, 4, kTexels, stride, false};
    std::vector<int32_t> seen(pixels);
    textured(mesh, r, texture.data(), pyramid, channels, seen.data(), texels, image);
    Surface<T> surface{g, scene.neighbours.data(), r, seen.data(), image, channels};
    textured_vjp(mesh, surface, pyramid, image, edges, value(2 * scene.num_vertices), value(kTexels * stride),
                 value(kHeight * kWidth * channels));
    T *uv_grad = value(2 * scene.num_vertices), *texture_grad = value(kHeight * kWidth * channels), *errors = value(r.batch);
    const TexturedGradients<T> derivative{edges, uv_grad, texture_grad};
    textured_error(mesh, scene.neighbours.data(), r, texture.data(), pyramid, channels, image, errors, derivative);
    const TexturedGradients<T> grads{value(positions), value(2 * scene.num_vertices), value(kHeight * kWidth * channels)};
    for (bool is_known : {true, false})
      textured_error_vjp(mesh, scene.neighbours.data(), r, texture.data(), pyramid, channels, image,
                         TexturedGradients<const T>{is_known ? edges : nullptr, uv_grad, texture_grad}, errors, grads);
  }

  // The same positions as directions, and as levels of detail.
  void cubes(int64_t channels) {
    std::vector<T> directions(3 * pixels), lod(pixels);
    for (int64_t i = 0; i < 3 * pixels; ++i) directions[i] = scene.pos_clip[i % positions];
    for (int64_t i = 0; i < pixels; ++i) lod[i] = scene.pos_clip[(5 * i) % positions];
    constexpr int64_t kSize = 5, kTexels = 6 * (5 * 5 + 2 * 2 + 1);
    std::vector<T> texels(kTexels * channels);
    for (size_t i = 0; i < texels.size(); ++i) texels[i] = (T)(i % 13);
    for (Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kTrilinear}) {
      bool mip = filter == Filter::kTrilinear;
      int64_t num_texels = mip ? kTexels : 6 * kSize * kSize;
      CubeMap<T> cube{texels.data(), kSize, mip ? 3 : 1, num_texels, channels, false};
      T* out = value(channels * pixels);
      sample_cube(cube, filter, r, directions.data(), mip ? lod.data() : nullptr, out);
      sample_cube_vjp(cube, filter, r, directions.data(), mip ? lod.data() : nullptr, out, value(num_texels * channels),
                      value(3 * pixels), mip ? value(pixels) : nullptr);
    }
    for (int64_t size : {1, 3, 8})
      for (T roughness : {(T)1e-3, (T)0.4}) {
        std::vector<T> light(2 * 6 * 5 * 5 * channels, (T)0.5);
        T* rough = value(2 * 6 * size * size * channels);
        prefilter_cube(light.data(), 2, 5, size, channels, roughness, rough);
        prefilter_cube_vjp(rough, 2, 5, size, channels, roughness, value((int64_t)light.size()));
      }
  }

  // The same random positions as faces of 2018, seen from both sides.
  void classic(int64_t channels) {
    std::vector<T> corners;
    for (int64_t b = 0; b < r.batch; ++b)
      for (int64_t i = 0; i < 3 * scene.num_triangles; ++i) {
        const T* p = g.positions_of(b) + 4 * g.triangles_of(b)[i];
        corners.insert(corners.end(), {p[0], p[1], p[3]});
      }
    ClassicFaces<T> faces{corners.data(), r.batch, scene.num_triangles, true};
    std::vector<int32_t> index(pixels), again(pixels);
    T *weights = value(3 * pixels), *depth = value(pixels), *out = value((channels + 1) * pixels);
    int64_t count = (int64_t)corners.size(), num_light = r.batch * faces.num_drawn() * channels;
    classic_rasterize(faces, r, (T)0.1, (T)100, index.data(), weights, depth);
    classic_silhouette(faces, r, (T)0.1, (T)100, again.data(), value(pixels));
    CHECK(again == index);
    ClassicFragments<T> fragments{r, index.data(), weights, depth};
    classic_rasterize_vjp(faces, fragments, depth, value(count));
    std::vector<T> light(num_light, (T)0.5), background(r.batch * channels, (T)0.25);
    for (int64_t resolution : {1, 3}) {
      int64_t texels = r.batch * scene.num_triangles * resolution * resolution * resolution * channels;
      std::vector<T> cubes(texels, (T)0.75);
      FaceTextures<T> textures{cubes.data(), scene.num_triangles, resolution, channels, true};
      classic_shade(textures, light.data(), background.data(), faces, fragments, (T)1e-3, out);
      classic_shade_vjp(textures, light.data(), faces, fragments, (T)1e-3, out, value(texels), value(num_light));
    }
    for (int64_t i = 0; i < (channels + 1) * pixels; ++i) out[i] = (T)((index[i / (channels + 1)] * 7 + i * 3) % 11);
    classic_sweep_vjp(faces, r, index.data(), out, channels + 1, (T)1e-3, out, value(count));
  }

  // The random positions as surfaces and lights of any size: they may not shade to finite numbers, but to the same.
  void shading() {
    auto plane = [&](int64_t channels, int64_t stride) {
      T* values = value(channels * pixels);
      for (int64_t i = 0; i < channels * pixels; ++i) values[i] = scene.pos_clip[(stride * i + i / 5) % positions];
      return values;
    };
    T *places = plane(3, 1), *normals = plane(3, 3), *color = plane(3, 5), *surface = plane(2, 7), *wide = plane(4, 9);
    std::vector<T> viewers, lights, coefficients, table(2 * 5 * 5, (T)0.3);
    for (int64_t i = 0; i < 4 * r.batch; ++i) viewers.push_back(scene.pos_clip[i % positions]);
    for (int64_t i = 0; i < 3 * 12 * r.batch; ++i) lights.push_back(scene.pos_clip[(5 * i) % positions]);
    for (int64_t i = 0; i < 3 * 9 * r.batch; ++i) coefficients.push_back(scene.pos_clip[(3 * i) % positions]);
    for (bool own : {false, true}) {
      Seen<T> seen{r, ids(), places, normals, viewers.data(), own};
      Lights<T> three{lights.data(), 3, own};
      int64_t images = own ? r.batch : 1;
      auto grads = [&] { return SeenGradients<T>{value(3 * pixels), value(3 * pixels), value(4 * images)}; };
      T* out = value(3 * pixels);
      shade_metallic(seen, three, color, surface, out);
      shade_metallic_vjp(seen, three, color, surface, normals, grads(), value(36 * images), value(3 * pixels),
                         value(2 * pixels));
      shade_blinn_phong(seen, three, color, wide, value(3 * pixels));
      shade_blinn_phong_vjp(seen, three, color, wide, normals, grads(), value(36 * images), value(3 * pixels),
                            value(4 * pixels));
      reflect(seen, value(3 * pixels));
      reflect_vjp(seen, color, grads());
      Surrounded<T> surrounded{color, surface, places, normals, table.data(), 5};
      reflect_environment(seen, surrounded, value(3 * pixels));
      reflect_environment_vjp(seen, surrounded, normals, grads(),
                              {value(3 * pixels), value(2 * pixels), value(3 * pixels), value(3 * pixels)});
      Harmonics<T> harmonics{r, ids(), normals, coefficients.data(), own};
      spherical_harmonics(harmonics, value(3 * pixels));
      spherical_harmonics_vjp(harmonics, color, value(3 * pixels), value(27 * images));
      NormalMap<T> map{r, ids(), normals, wide, color, viewers.data(), own};
      map_normals(map, value(3 * pixels));
      map_normals_vjp(map, places, value(3 * pixels), value(4 * pixels), value(3 * pixels), value(images));
    }
  }

  // The scene peeled three layers deep, and these over one another; glass, walls and holes by turns.
  void layers(const Geometry<T>& shown, Raster raster, const int32_t* first_id, const T* first_depth) {
    constexpr int64_t kLayers = 3, kChannels = 4;
    const int64_t count = raster.batch * raster.pixels();
    std::vector<int32_t> before(first_id, first_id + count), behind(count), all(kLayers * count);
    std::vector<T> before_depth(first_depth, first_depth + count);
    for (int64_t k = 0; k < kLayers; ++k) {
      for (int64_t i = 0; i < count; ++i) all[i * kLayers + k] = before[i];
      T* depth = value(count);
      rasterize_behind(shown, raster, before.data(), before_depth.data(), behind.data(), value(2 * count), depth);
      for (int64_t i = 0; i < count; ++i)
        CHECK(behind[i] < 0 || (behind[i] != before[i] && before[i] >= 0 && !(depth[i] < before_depth[i])));
      before = behind;
      before_depth.assign(depth, depth + count);
    }
    T *colors = value(kLayers * kChannels * count), *image = value(kChannels * count);
    for (int64_t i = 0; i < kLayers * kChannels * count; ++i)
      colors[i] = i % kChannels == 3 ? (all[i / kChannels] < 0 ? (T)0 : (T)(i / 4 % 3) / 2) : (T)(i % 11);
    composite(colors, raster, kLayers, kChannels, image);
    composite_vjp(colors, raster, kLayers, kChannels, image, value(kLayers * kChannels * count));
    const T plain[] = {1, 2, 3};
    for (const T* background : {(const T*)nullptr, plain, (const T*)colors}) {  // of all, or of each pixel
      LayeredSurface<T> surface{shown,     scene.neighbours.data(), raster, kLayers, kChannels, all.data(), image, colors,
                                background};
      surface.background_of_pixel = surface.background_of_image = background == colors;
      layered_edge_gradient_vjp(surface, image, value(positions));
    }
  }

  // Images of parts of the triangles, of all and of none, that share the positions of a row.
  void parts(int64_t channels) {
    if (g.own_triangles || r.pixels() > 4096) return;  // the sanitizers take long as it is
    const int32_t whole = (int32_t)g.num_triangles, half = whole / 2;
    const int32_t ranges[] = {0, whole, half, whole - half, half, 0};
    const Geometry<T> shown{g.pos_clip, g.triangles, g.rows, g.num_vertices, g.num_triangles, false, ranges, 3};
    const Raster wide{3 * r.batch, r.height, r.width};
    const int64_t count = 3 * pixels;
    std::vector<int32_t> seen(count), again(count);
    T *weights = value(2 * count), *depth = value(count), *image = value(channels * count);
    rasterize(shown, wide, seen.data(), weights, depth);
    rasterize_silhouette(shown, wide, again.data(), value(count));
    CHECK(again == seen);
    for (int64_t i = 0; i < count; ++i) CHECK(seen[i] < 0 || shown.shown(i / r.pixels()).holds(seen[i]));
    rasterize_vjp(shown, wide, seen.data(), weights, depth, value(positions));
    for (int64_t i = 0; i < count * channels; ++i) image[i] = (T)((seen[i / channels] * 7 + i % channels * 3) % 11);
    Attributes<T> a{scene.pos_clip.data(), g.triangles, g.num_vertices, g.num_triangles, 2, false, false};
    screen_derivatives(a, shown, wide, seen.data(), value(4 * count));
    Surface<T> s{shown, scene.neighbours.data(), wide, seen.data(), image, channels};
    edge_gradient_vjp(s, image, value(positions));
    antialias(s, value(channels * count));
    antialias_vjp(s, image, value(channels * count), value(positions));
    sweep_gradient_vjp(s, (T)1e-3, image, value(positions));
    for (const T* weight : {(const T*)nullptr, (const T*)image})
      silhouette_error(shown, scene.neighbours.data(), wide, (int64_t)1, image, weight, value(wide.batch), value(positions));
    layers(shown, wide, seen.data(), depth);
  }

  void soft(int64_t layers, int64_t channels) {
    std::vector<int32_t> layer_ids(layers * pixels);
    T *weights = value(2 * layers * pixels), *depth = value(layers * pixels), *probability = value(layers * pixels);
    soft_rasterize(g, r, (T)1e-3, layers, layer_ids.data(), weights, depth, probability);
    soft_rasterize_vjp(g, r, (T)1e-3, layers, layer_ids.data(), weights, depth, probability, value(positions));
    std::vector<T> image(layers * pixels * channels, (T)0.5);
    SoftImage<T> blended{r, layers, channels, image.data(), depth, probability};
    T *color = value(channels * pixels), *alpha = value(pixels), *background = value(pixels);
    soft_blend(blended, (T)1e-2, color, alpha, background);
    soft_blend_vjp(blended, (T)1e-2, color, alpha, background, value(layers * pixels * channels), value(layers * pixels),
                   value(layers * pixels));
  }
};

template <class T>
Results<T> run_all(const Scene<T>& scene) {
  Run<T> run(scene);
  T *weights, *depth;
  run.geometry(weights, depth);
  run.visibility(3);
  run.textures(weights, 3);
  run.cubes(3);
  run.on_the_mesh(3);
  run.on_the_mesh(2);
  run.classic(3);
  run.shading();
  run.layers(run.g, run.r, run.ids(), depth);
  run.parts(2);
  run.soft(2, 3);
  return std::move(run.results);
}

template <class T>
void any_number_of_threads_gives_the_same_bits() {
  const Raster rasters[] = {{1, 1, 1}, {1, 37, 70}, {3, 65, 33}, {8, 16, 64}, {1, 201, 129}};
  for (unsigned seed = 0; seed < 10; ++seed) {  // each raster with triangles of its images' own and without
    Scene<T> scene = random_scene<T>(seed, rasters[seed % 5], 5 + seed * 15, 1 + seed * 19, seed % 2 == 1);
    set_num_threads(1);
    Results<T> alone = run_all(scene);
    for (int threads : {2, 5}) {
      set_num_threads(threads);
      CHECK(run_all(scene) == alone);
    }
  }
}

void an_empty_mesh_is_background() {
  Scene<float> scene = random_scene<float>(1, {2, 5, 3}, 4, 0, false);
  Results<float> results = run_all(scene);
  for (int32_t id : results.triangle_id) CHECK(id == -1);
}

void an_index_out_of_range_is_refused_before_it_is_used() {
  Scene<float> scene = random_scene<float>(1, {1, 8, 8}, 4, 2, false);
  scene.triangles[3] = 4;
  bool refused = false;
  try {
    run_all(scene);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  CHECK(refused);
}

// A sheet of n x n squares, shaken until it folds over itself, and which triangle lies across each edge.
Scene<float> shaken_sheet(unsigned seed, Raster raster, int n, double shake) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(-1, 1);
  Scene<float> scene{{}, {}, {}, raster, false, (n + 1) * (n + 1), 2 * n * n};
  for (int y = 0; y <= n; ++y)
    for (int x = 0; x <= n; ++x)
      for (double value : {2.2 * x / n - 1.1 + shake / n * unit(random), 2.2 * y / n - 1.1 + shake / n * unit(random),
                           0.5 * unit(random), 1 + 0.3 * unit(random)})
        scene.pos_clip.push_back((float)value);
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) {
      int32_t at = y * (n + 1) + x;
      for (int32_t vertex : {at, at + 1, at + n + 2, at, at + n + 2, at + n + 1}) scene.triangles.push_back(vertex);
      const int32_t lower = 2 * (y * n + x), upper = lower + 1;
      const int32_t across[6] = {y > 0 ? lower - 2 * n + 1 : -1, x + 1 < n ? lower + 3 : -1, upper, lower,
                                 y + 1 < n ? lower + 2 * n : -1, x > 0 ? lower - 2 : -1};
      scene.neighbours.insert(scene.neighbours.end(), across, across + 6);
    }
  return scene;
}

void no_edge_lies_between_pairs_that_are_left_out() {
  int left_out = 0, kept = 0;
  for (unsigned seed = 0; seed < 12; ++seed) {
    const Raster r{1, 90, 130};
    Scene<float> scene = shaken_sheet(seed, r, seed % 3 == 0 ? 60 : 20, 0.2 * (seed % 5));
    const Geometry<float> g = scene.geometry();
    std::vector<int32_t> ids(r.pixels());
    std::vector<float> weights(2 * r.pixels()), depth(r.pixels());
    rasterize(g, r, ids.data(), weights.data(), depth.data());
    std::vector<Subpixel> snapped;
    snap_all(g.pos_clip, g.num_vertices, r, snapped);
    const WalkedMesh<float> mesh = walked_mesh(g, scene.neighbours.data(), 0, snapped.data(), r);
    for (int y = 0; y + 1 < r.height; ++y)
      for (int is_y : {0, 1}) {
        PairList pairs;
        std::vector<PixelPair> all;
        for (int x = 0; x + 1 < r.width; ++x) {
          const int32_t a = ids[y * r.width + x], b = ids[y * r.width + x + (is_y ? r.width : 1)];
          if (a == b) continue;
          const int at = pairs.size++;
          pairs.column[at] = x, pairs.row[at] = y, pairs.is_y[at] = is_y, pairs.a[at] = a, pairs.b[at] = b;
          all.push_back({is_y ? Axis::kY : Axis::kX, x, y, a, b});
        }
        drop_surface(mesh, pairs);
        int next = 0;
        for (const PixelPair& pair : all) {
          const bool is_kept = next < pairs.size && pairs.column[next] == pair.column;
          next += is_kept, kept += is_kept, left_out += !is_kept;
          if (is_kept) continue;
          PairEdge<float> edge = find_edge(mesh, pair);
          CHECK(edge.kind == PairEdgeKind::kNone && !edge.cut);
        }
        CHECK(next == pairs.size);
      }
  }
  CHECK(left_out > 10000 && kept > 10000);
}

}  // namespace

int main() {
  any_number_of_threads_gives_the_same_bits<float>();
  any_number_of_threads_gives_the_same_bits<double>();
  an_empty_mesh_is_background();
  an_index_out_of_range_is_refused_before_it_is_used();
  no_edge_lies_between_pairs_that_are_left_out();
  std::puts("5 passed, 0 failed");
}
