// SPDX-License-Identifier: MIT
#include "../math/smooth.h"

#include <vector>

#include "check.h"
#include "rows.h"

namespace intaglio {
namespace {

constexpr int64_t kVerticesPerTask = 4096;

void check_graph(const Graph& g) {
  for (int64_t v = 0; v < g.num_vertices; ++v)
    if (g.starts[v] > g.starts[v + 1]) throw_fall(v);
  check_ends(g.starts[0], g.starts[g.num_vertices], g.num_ends);
  check_indices("ends", g.ends, g.num_ends, 0, g.num_vertices, kEndsRemedy);
}

}  // namespace

template <class T>
void smooth(const T* values, const Graph& g, int64_t channels, int64_t rounds, T share, T* out) {
  check_graph(g);
  const int64_t count = g.num_vertices * channels;
  std::vector<T> weight(g.num_vertices), scaled(count);
  for (int64_t v = 0; v < g.num_vertices; ++v) weight[v] = smoothing_weight<T>(g.starts[v + 1] - g.starts[v]);
  std::copy(values, values + count, out);
  with_channels(channels, [&](auto channels) {
    auto each_vertex = [&](const auto& body) {
      parallel_for((g.num_vertices + kVerticesPerTask - 1) / kVerticesPerTask, [&](int64_t task) {
        int64_t end = std::min(g.num_vertices, (task + 1) * kVerticesPerTask);
        for (int64_t v = task * kVerticesPerTask; v < end; ++v) body(v);
      });
    };
    for (int64_t round = 0; round < rounds; ++round) {
      each_vertex([&](int64_t v) {
        for (int64_t c = 0; c < channels; ++c) scaled[v * channels + c] = weight[v] * out[v * channels + c];
      });
      each_vertex([&](int64_t v) {
        T* sum = out + v * channels;
        for (int64_t c = 0; c < channels; ++c) sum[c] = 0;
        for (int32_t e = g.starts[v]; e < g.starts[v + 1]; ++e)
          for (int64_t c = 0; c < channels; ++c) sum[c] += scaled[g.ends[e] * channels + c];
        for (int64_t c = 0; c < channels; ++c) sum[c] = smoothed(values[v * channels + c], share, weight[v], sum[c]);
      });
    }
  });
}

template void smooth(const float*, const Graph&, int64_t, int64_t, float, float*);
template void smooth(const double*, const Graph&, int64_t, int64_t, double, double*);

}  // namespace intaglio
