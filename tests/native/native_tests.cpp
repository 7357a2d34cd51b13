// SPDX-License-Identifier: MIT
// The native ops without Python, for the sanitizers: random, clipped, degenerate and huge triangles through every op, on one
// thread and on several, which must agree bit for bit.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "cpu/pool.h"
#include "ops.h"

namespace {

using namespace intaglio;

#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

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

template <class T>
Results<T> run_all(const Scene<T>& scene) {
  Raster r = scene.raster;
  int64_t pixels = r.batch * r.pixels(), channels = 3, positions = r.batch * scene.num_vertices * 4;
  Geometry<T> g = scene.geometry();
  Results<T> results;
  auto value = [&](int64_t count) -> std::vector<T>& { return results.values.emplace_back((size_t)count); };
  results.values.reserve(32);
  results.triangle_id.resize(pixels);
  int32_t* ids = results.triangle_id.data();
  std::vector<T>&weights = value(2 * pixels), &depth = value(pixels);
  rasterize(g, r, ids, weights.data(), depth.data());
  rasterize_vjp(g, r, ids, weights.data(), depth.data(), value(positions).data());
  Attributes<T> a{scene.pos_clip.data(), scene.triangles.data(), scene.num_vertices, scene.num_triangles, 4, true,
                  scene.own_triangles};
  std::vector<T>&image4 = value(4 * pixels), &derivatives = value(8 * pixels);
  interpolate(a, r, ids, weights.data(), image4.data());
  interpolate_vjp(a, r, ids, weights.data(), image4.data(), value(positions).data(), value(2 * pixels).data());
  screen_derivatives(a, g, r, ids, derivatives.data());
  std::vector<T>& image = value(channels * pixels);
  for (int64_t i = 0; i < pixels * channels; ++i) image[i] = (T)((ids[i / channels] * 7 + i % channels * 3) % 11);
  Surface<T> s{g, scene.neighbours.data(), r, ids, image.data(), channels};
  edge_gradient_vjp(s, image.data(), value(positions).data());
  antialias(s, value(channels * pixels).data());
  antialias_vjp(s, image.data(), value(channels * pixels).data(), value(positions).data());
  return results;
}

template <class T>
void any_number_of_threads_gives_the_same_bits() {
  const Raster rasters[] = {{1, 1, 1}, {1, 37, 70}, {3, 65, 33}, {8, 16, 64}, {1, 200, 130}};
  for (unsigned seed = 0; seed < 20; ++seed) {
    Scene<T> scene = random_scene<T>(seed, rasters[seed % 5], 5 + seed * 7, 1 + seed * 9, seed % 2 == 1);
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

}  // namespace

int main() {
  any_number_of_threads_gives_the_same_bits<float>();
  any_number_of_threads_gives_the_same_bits<double>();
  an_empty_mesh_is_background();
  an_index_out_of_range_is_refused_before_it_is_used();
  std::puts("4 passed, 0 failed");
}
