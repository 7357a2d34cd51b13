// SPDX-License-Identifier: MIT
// What changes between two neighbouring pixels that show several surfaces each, one behind the other and let through: which of
// them end on the way, where, and by how much the picture changes there.
//
// Every surface that either pixel shows is walked (math/edge_gradient.h) until it meets a triangle that the other pixel shows,
// and is one surface with that; or ends at an edge; or goes on, hidden by what the other pixel shows instead. The picture is
// then a step function of the place between the two centres, known from the surfaces that are there: at each edge it changes by
// what begins and what ends at it. The two sheets that meet at a fold end together; an edge behind what lets nothing through
// changes nothing; edges less than a pixel apart each have their own share of the change.
#pragma once
#include "edge_gradient.h"

namespace intaglio {

constexpr int kMaxPeeled = 32;  // layers

// The triangles of one pixel, nearest first.
struct PixelLayers {
  const int32_t* triangle_id;
  int count;

  INTAGLIO_HD PixelLayers(const int32_t* ids, int layers) : triangle_id(ids), count(0) {
    while (count < layers && ids[count] >= 0) ++count;
  }
  // Its layer, -1 if there is none.
  INTAGLIO_HD int find(int32_t id) const {
    for (int k = 0; k < count; ++k)
      if (triangle_id[k] == id) return k;
    return -1;
  }
  INTAGLIO_HD bool operator()(int32_t id) const { return find(id) >= 0; }
};

// A surface on the way from A's centre to B's.
struct PairSurface {
  int layer[2];         // that shows it at either centre; -1 if none does
  int32_t triangle[2];  // of it, over or under either centre; -1 where it is not
  int edge;             // of the pair, at which it begins or ends; -1 if it is there all the way
};

// All surfaces and edges of a pair of pixels.
template <class T>
struct LayeredPair {
  Axis axis;
  int64_t column, row;
  int num_surfaces = 0, num_edges = 0;
  bool cut = false;               // a walk was cut short
  int surface_of[2][kMaxPeeled];  // by pixel and layer
  PairSurface surfaces[2 * kMaxPeeled];
  PairEdge<T> edges[2 * kMaxPeeled];
  T edge_depth[2 * kMaxPeeled];

  INTAGLIO_HD PixelPair pixels() const { return {axis, column, row, -1, -1}; }
};

// The number of the edge that a walk along `line` met; one that has been met before keeps its number.
template <class T>
INTAGLIO_HD int add_edge(const WalkedMesh<T>& mesh, const Walk& walk, const WalkLine& line, LayeredPair<T>& pair) {
  for (int e = 0; e < pair.num_edges; ++e) {
    const int32_t* known = pair.edges[e].crossing.vertex;
    if ((known[0] == walk.edge[0] && known[1] == walk.edge[1]) || (known[0] == walk.edge[1] && known[1] == walk.edge[0]))
      return e;
  }
  PairEdge<T>& edge = pair.edges[pair.num_edges];
  edge.kind = PairEdgeKind::kMeshEdge;
  edge.cut = false;
  edge.crossing = cross_edge(mesh, walk.edge[0], walk.edge[1], line);
  edge.position = clamp(line.direction > 0 ? edge.crossing.distance : 1 - edge.crossing.distance, (T)0, (T)1);
  pair.edge_depth[pair.num_edges] = crossing_depth(mesh, edge.crossing);
  return pair.num_edges++;
}

// Walks the surfaces that pixel `side` (0: A, 1: B) shows and that are not known yet.
template <class T>
INTAGLIO_HD void trace_surfaces(const WalkedMesh<T>& mesh, int side, const PixelLayers& own, const PixelLayers& other,
                                const WalkLine& line, LayeredPair<T>& pair) {
  const int far = 1 - side;
  for (int k = 0; k < own.count; ++k) {
    if (pair.surface_of[side][k] >= 0) continue;
    Walk walk = walk_surface(mesh, own.triangle_id[k], other, line);
    int layer = walk.end == WalkEnd::kReached ? other.find(walk.triangle_id) : -1;
    int known = layer >= 0 ? pair.surface_of[far][layer] : -1;
    if (known >= 0 && pair.surfaces[known].layer[side] < 0 && pair.surfaces[known].edge < 0) {
      // From there it went past this triangle, by a rounding.
      pair.surfaces[known].layer[side] = k, pair.surfaces[known].triangle[side] = own.triangle_id[k];
      pair.surface_of[side][k] = known;
      continue;
    }
    pair.surface_of[side][k] = pair.num_surfaces;
    PairSurface& surface = pair.surfaces[pair.num_surfaces++];
    surface.layer[side] = k, surface.triangle[side] = own.triangle_id[k];
    surface.layer[far] = -1, surface.triangle[far] = -1, surface.edge = -1;
    if (walk.end == WalkEnd::kEdge) surface.edge = add_edge(mesh, walk, line, pair);
    if (walk.end == WalkEnd::kPassed || walk.end == WalkEnd::kReached) surface.triangle[far] = walk.triangle_id;
    if (layer >= 0 && known < 0) surface.layer[far] = layer, pair.surface_of[far][layer] = pair.num_surfaces - 1;
    pair.cut |= walk.end == WalkEnd::kCut;
  }
}

template <class T>
INTAGLIO_HD void find_surfaces(const WalkedMesh<T>& mesh, const PixelLayers& a, const PixelLayers& b, LayeredPair<T>& pair) {
  for (int k = 0; k < b.count; ++k) pair.surface_of[1][k] = -1;
  for (int k = 0; k < a.count; ++k) {
    int same = b.find(a.triangle_id[k]);
    pair.surface_of[0][k] = same >= 0 ? pair.num_surfaces : -1;
    if (same < 0) continue;
    pair.surface_of[1][same] = pair.num_surfaces;
    pair.surfaces[pair.num_surfaces++] = {{k, same}, {a.triangle_id[k], a.triangle_id[k]}, -1};
  }
  const PairLines lines = pair_lines(mesh, pair.axis, pair.column, pair.row);
  trace_surfaces(mesh, 0, a, b, lines.a, pair);
  trace_surfaces(mesh, 1, b, a, lines.b, pair);
}

// All surfaces, nearest first, as the pixel `side` has them. One that is not among its layers is behind those that are, but for
// one that ends on the way: that is where the other pixel shows it; of two that end, the nearer at its edge is in front.
template <class T>
INTAGLIO_HD void order_surfaces(const LayeredPair<T>& pair, int side, const int num_layers[2], int* order) {
  bool placed[2 * kMaxPeeled] = {};
  int count = 0, own = 0, other = 0;
  auto place = [&](int surface) { placed[surface] = true, order[count++] = surface; };
  while (count < pair.num_surfaces) {
    while (own < num_layers[side] && placed[pair.surface_of[side][own]]) ++own;
    while (other < num_layers[1 - side] && placed[pair.surface_of[1 - side][other]]) ++other;
    int p = own < num_layers[side] ? pair.surface_of[side][own] : -1;
    int q = other < num_layers[1 - side] ? pair.surface_of[1 - side][other] : -1;
    if (p < 0 || q < 0) {
      place(p < 0 ? q : p);
      continue;
    }
    const int edge_p = pair.surfaces[p].edge, edge_q = pair.surfaces[q].edge;
    bool q_is_nearer = edge_q >= 0 && (edge_p < 0 || pair.edge_depth[edge_q] < pair.edge_depth[edge_p]);
    place(q_is_nearer ? q : p);
  }
}

// What a layer is to the loss: its alpha, and what it would add if it were all of the picture.
template <class T>
struct LayerGain {
  T alpha, gain;
};

// `color` [channels], the last of them alpha; `grad` is the cotangent of a picture's pixel.
template <class T>
INTAGLIO_HD LayerGain<T> layer_gain(const T* color, const T* grad, int64_t channels) {
  const int64_t alpha = channels - 1;
  T total = grad[alpha];
  for (int64_t c = 0; c < alpha; ++c) total += color[c] * grad[c];
  return {color[alpha], total};
}

// Of a background [channels - 1], which has no alpha.
template <class T>
INTAGLIO_HD T background_gain(const T* color, const T* grad, int64_t channels) {
  T total = 0;
  for (int64_t c = 0; c + 1 < channels; ++c) total += color[c] * grad[c];
  return total;
}

// Whether the surface is there just before (`after`: just behind) edge e on the way from A to B.
template <class T>
INTAGLIO_HD bool is_present(const LayeredPair<T>& pair, int surface, int e, bool after) {
  const PairSurface& s = pair.surfaces[surface];
  if (s.edge < 0) return true;
  const bool ends = s.layer[0] >= 0;  // it is A's
  if (s.edge == e) return ends != after;
  T at = pair.edges[s.edge].position, here = pair.edges[e].position;
  bool is_past = at < here || (at == here && s.edge < e);  // its edge lies before e
  return ends != is_past;
}

// The gain of the picture whose surfaces are `order`, of those that is_there(surface): no more of them than there are layers.
template <class T, class IsThere, class GainOf>
INTAGLIO_HD T picture_gain(const int* order, int count, int layers, T background, const IsThere& is_there,
                           const GainOf& gain_of) {
  T total = 0, left = 1;
  for (int i = 0, shown = 0; i < count && shown < layers; ++i) {
    if (!is_there(order[i])) continue;
    LayerGain<T> layer = gain_of(order[i]);
    total += left * layer.alpha * layer.gain;
    left *= 1 - layer.alpha;
    ++shown;
  }
  return total + left * background;
}

// Where surfaces cross, which is where their order changes: visit(edge, order, place of the one that is in front at A, place of
// the other).
template <class T, class Visit>
INTAGLIO_HD void for_each_intersection(const WalkedMesh<T>& mesh, const LayeredPair<T>& pair, const int* order_a,
                                       const int* order_b, const Visit& visit) {
  int rank[2 * kMaxPeeled];
  for (int i = 0; i < pair.num_surfaces; ++i) rank[order_b[i]] = i;
  for (int i = 0; i < pair.num_surfaces; ++i)
    for (int k = i + 1; k < pair.num_surfaces; ++k) {
      const PairSurface &front = pair.surfaces[order_a[i]], &back = pair.surfaces[order_a[k]];
      if (rank[order_a[i]] < rank[order_a[k]] || front.edge >= 0 || back.edge >= 0) continue;
      PairEdge<T> edge;
      for (int side = 0; side < 2; ++side)
        edge.surface_a[side] = front.triangle[side], edge.surface_b[side] = back.triangle[side];
      if (edge.surface_a[0] < 0 || edge.surface_a[1] < 0 || edge.surface_b[0] < 0 || edge.surface_b[1] < 0) continue;
      if (find_intersection(mesh, pair.pixels(), edge)) visit(edge, i, k);
    }
}

// Emits what the edges between two pixels pass on to the vertices: emit(vertex, gradient). gain_of(side, layer) and
// background_of(side) are of the layers of a pixel under a cotangent of the picture at pixel `holder`: gain_of(holder, side,
// layer). The edge's motion changes the pixel that holds it.
template <class T, class GainOf, class BackgroundOf, class Emit>
INTAGLIO_HD void layered_edges_vjp(const WalkedMesh<T>& mesh, const PixelLayers& a, const PixelLayers& b, int layers,
                                   LayeredPair<T>& pair, const GainOf& gain_of, const BackgroundOf& background_of,
                                   const Emit& emit) {
  find_surfaces(mesh, a, b, pair);
  bool is_same = pair.num_edges == 0;
  for (int i = 0; i < pair.num_surfaces; ++i) is_same &= pair.surfaces[i].layer[0] == pair.surfaces[i].layer[1];
  if (is_same) return;  // layer by layer the same surfaces
  const int num_layers[2] = {a.count, b.count};
  int order[2][2 * kMaxPeeled];
  for (int side = 0; side < 2; ++side) order_surfaces(pair, side, num_layers, order[side]);
  // Of a surface that both pixels show, something in between.
  auto gain_at = [&](int holder, T position, int surface) {
    const int* layer = pair.surfaces[surface].layer;
    if (layer[1] < 0) return gain_of(holder, 0, layer[0]);
    if (layer[0] < 0) return gain_of(holder, 1, layer[1]);
    LayerGain<T> at_a = gain_of(holder, 0, layer[0]), at_b = gain_of(holder, 1, layer[1]);
    return LayerGain<T>{at_a.alpha + position * (at_b.alpha - at_a.alpha), at_a.gain + position * (at_b.gain - at_a.gain)};
  };
  auto background_at = [&](int holder, T position) {
    return background_of(holder, 0) + position * (background_of(holder, 1) - background_of(holder, 0));
  };
  auto pass_on = [&](const PairEdge<T>& edge, const int* before, const int* after, const auto& is_there) {
    const int holder = edge.position < (T)0.5 ? 0 : 1;
    auto gain = [&](int surface) { return gain_at(holder, edge.position, surface); };
    T background = background_at(holder, edge.position);
    T gains[2];
    for (int side = 0; side < 2; ++side) {
      auto there = [&](int surface) { return is_there(surface, side == 1); };
      gains[side] = picture_gain(side == 0 ? before : after, pair.num_surfaces, layers, background, there, gain);
    }
    T grad_position = gains[0] - gains[1];
    if (grad_position != 0) edge_position_vjp(mesh, pair.pixels(), edge, grad_position, emit);
  };
  for (int e = 0; e < pair.num_edges; ++e) {
    const int* near = order[pair.edges[e].position < (T)0.5 ? 0 : 1];
    pass_on(pair.edges[e], near, near, [&](int surface, bool after) { return is_present(pair, surface, e, after); });
  }
  for_each_intersection(mesh, pair, order[0], order[1], [&](const PairEdge<T>& edge, int i, int k) {
    int swapped[2 * kMaxPeeled];
    for (int n = 0; n < pair.num_surfaces; ++n) swapped[n] = order[0][n];
    swapped[i] = order[0][k], swapped[k] = order[0][i];
    // What ends or begins on the way is there in the half of it where the surfaces cross.
    auto is_there = [&](int surface, bool) {
      const PairSurface& s = pair.surfaces[surface];
      return s.edge < 0 || (s.layer[0] >= 0) == (edge.position < pair.edges[s.edge].position);
    };
    pass_on(edge, order[0], swapped, is_there);
  });
}

}  // namespace intaglio
