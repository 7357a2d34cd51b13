// SPDX-License-Identifier: MIT
// Where does the surface end that a pixel shows, on the way to the next pixel, and who moves that end?
//
// The derivative of a box-filtered image with respect to the shape is a line integral along its visible edges:
//   dL = sum over edges of the integral of (c_inside - c_outside) . g (n . dx) ds
// (Li, Aittala, Durand, Lehtinen: Differentiable Monte Carlo Ray Tracing through Edge Sampling, 2018, section 3). Pairs of
// neighbouring pixels that show different triangles sample it: horizontal pairs take its x part, vertical pairs its y part. The
// triangle that a pixel shows rarely owns the edge: on a dense mesh the owner is thinner than a pixel and missed by every
// sample. So the edge is found by walking over the mesh, from triangle to triangle, until the surface folds back or ends.
//
// The walk is combinatorial: a vertex lies on one or the other side of the line through two pixel centres, as the grid on which
// coverage was decided says. "Along" is the axis of the pair, "across" the other one. Vertices without a place in the image
// (behind the eye) take part in homogeneous coordinates.
#pragma once
#include "triangle.h"

namespace intaglio {

// One image's mesh, read only.
template <class T>
struct WalkedMesh {
  const T* pos_clip;
  const int32_t* triangles;
  const int32_t* neighbours;
  int32_t first_triangle;  // of those that belong to it
  uint32_t num_triangles;
  const Subpixel* snapped;
  int64_t height, width;
  bool has_short_indices = false;  // three per triangle and two per vertex fit into 32 bits

  // The triangle across edge k; none where it is not of this mesh.
  INTAGLIO_HD int32_t neighbour(int32_t triangle_id, int k) const {
    int32_t found = neighbours[3 * (int64_t)triangle_id + k];
    return (uint32_t)found - (uint32_t)first_triangle < num_triangles ? found : -1;
  }
};

enum class Axis { kX, kY };

// A point where the line of a pair crosses a mesh edge: homogeneous weights that give it w = 1, so that it moves by
// weight * (dx - X dw, dy - Y dw) when a vertex moves in clip space.
template <class T>
struct Crossing {
  int32_t vertex[2];
  T weight[2];
  T distance;  // in pixels along the axis, from where the walk began; infinite behind the eye
};

enum class WalkEnd { kReached, kEdge, kPassed, kCut };

struct Walk {
  WalkEnd end;
  int32_t edge[2];      // the vertices of the last edge met
  int32_t triangle_id;  // the last triangle: if kReached the goal, if kPassed the one over or under the other centre
};

// No walk over a sane mesh takes as many steps within one pixel; the caller counts those that do (WalkEnd::kCut).
constexpr int kMaxSteps = 4096;

struct WalkLine {
  Axis axis;
  Subpixel from;  // the pixel centre where the walk begins
  int direction;  // along the axis: +1 or -1
};

INTAGLIO_HD int32_t along(Subpixel p, Axis axis) {
  return axis == Axis::kX ? p.x : p.y;
}
INTAGLIO_HD int32_t across(Subpixel p, Axis axis) {
  return axis == Axis::kX ? p.y : p.x;
}

// The vertex in homogeneous grid coordinates: (along, across, w).
struct LinePoint {
  double along, across, w;
};

template <class T>
INTAGLIO_HD LinePoint line_point(const WalkedMesh<T>& mesh, int32_t vertex, Axis axis) {
  Vec4<T> v = load4(mesh.pos_clip + 4 * (int64_t)vertex);
  double x = (double)v.x * (double)(mesh.width * kHalfPixel), y = -(double)v.y * (double)(mesh.height * kHalfPixel);
  return axis == Axis::kX ? LinePoint{x, y, (double)v.w} : LinePoint{y, x, (double)v.w};
}

// From unsnapped positions, so that it is as smooth as they are; the grid only decided that there is a crossing.
template <class T>
INTAGLIO_HD Crossing<T> cross_edge(const WalkedMesh<T>& mesh, int32_t a, int32_t b, const WalkLine& line) {
  LinePoint qa = line_point(mesh, a, line.axis), qb = line_point(mesh, b, line.axis);
  int32_t begin = along(line.from, line.axis), level = across(line.from, line.axis);
  double fa = qa.across - level * qa.w, fb = qb.across - level * qb.w;
  double s = fa == fb ? 0.5 : clamp(fa / (fa - fb), 0.0, 1.0);  // an edge within the grid's rounding may miss the line
  double w = (1 - s) * qa.w + s * qb.w, at = (1 - s) * qa.along + s * qb.along;
  bool behind = !(w > 0);
  return {{a, b}, {(T)((1 - s) / w), (T)(s / w)}, behind ? (T)INFINITY : (T)(line.direction * (at / w - begin) / kSubpixels)};
}

// Pixels along the line per pixel across it, of the line through an edge: from the cross product of its homogeneous ends.
template <class T>
INTAGLIO_HD T edge_slope(const WalkedMesh<T>& mesh, const Crossing<T>& c, Axis axis) {
  LinePoint qa = line_point(mesh, c.vertex[0], axis), qb = line_point(mesh, c.vertex[1], axis);
  return (T)((qa.along * qb.w - qa.w * qb.along) / (qa.across * qb.w - qa.w * qb.across));
}

// A triangle as the line sees it: its corners relative to where the walk begins, on which side of the line each lies (a vertex
// on the line counts as before it, as the top-left rule has it), and which way they turn, seen with "along" to the right and
// "across" down: +1, -1, or 0 without area. Edge k joins the corners k and k + 1.
struct CutTriangle {
  int32_t vertex[3], along[3], across[3];
  bool before[3], on_grid;
  int turn;
};

template <class T>
INTAGLIO_HD CutTriangle cut_triangle(const WalkedMesh<T>& mesh, int32_t triangle_id, const WalkLine& line) {
  CutTriangle cut;
  cut.on_grid = true;
  for (int i = 0; i < 3; ++i) {
    cut.vertex[i] = mesh.triangles[3 * (int64_t)triangle_id + i];
    Subpixel p = mesh.snapped[cut.vertex[i]];
    if (!p.valid()) cut.on_grid = false, p = line.from;
    cut.along[i] = along(p, line.axis) - along(line.from, line.axis);
    cut.across[i] = across(p, line.axis) - across(line.from, line.axis);
    cut.before[i] = cut.across[i] <= 0;
  }
  if (cut.on_grid) {
    int64_t area = area_twice({cut.along[0], cut.across[0]}, {cut.along[1], cut.across[1]}, {cut.along[2], cut.across[2]});
    cut.turn = (area > 0) - (area < 0);
    return cut;
  }
  LinePoint p[3];
  for (int i = 0; i < 3; ++i) {
    p[i] = line_point(mesh, cut.vertex[i], line.axis);
    if (!mesh.snapped[cut.vertex[i]].valid()) cut.before[i] = p[i].across - across(line.from, line.axis) * p[i].w <= 0;
  }
  double volume = p[0].along * (p[1].across * p[2].w - p[2].across * p[1].w) -
                  p[0].across * (p[1].along * p[2].w - p[2].along * p[1].w) +
                  p[0].w * (p[1].along * p[2].across - p[2].along * p[1].across);
  cut.turn = (volume > 0) - (volume < 0);
  return cut;
}

// The edge through which the line leaves, -1 if it misses the triangle. Of the two edges that it crosses one leads from before
// the line to behind it; at which end of the section it lies follows from the triangle's turn alone, also where the other lies
// behind the eye. A triangle without area has no turn: it is left by the edge that does not lead back.
template <class T>
INTAGLIO_HD int leaving_edge(const WalkedMesh<T>& mesh, const CutTriangle& cut, int32_t triangle_id, int32_t came_from,
                             const WalkLine& line) {
  bool outwards = (cut.turn > 0) == (line.direction > 0);
  int found = -1;
  for (int k = 0; k < 3; ++k) {
    if (cut.before[k] == cut.before[(k + 1) % 3]) continue;
    if (cut.turn != 0 ? cut.before[k] == outwards : found < 0 || mesh.neighbour(triangle_id, k) != came_from) found = k;
  }
  return found;
}

// Does the line cross edge k past the sample of the next pixel? Decided on the grid, so that it agrees with coverage: samples
// lie a hair beyond their centres (the top-left rule), so a crossing on the next centre is past it for walks back only.
template <class T>
INTAGLIO_HD bool is_beyond(const WalkedMesh<T>& mesh, const CutTriangle& cut, int k, const WalkLine& line) {
  int l = (k + 1) % 3;
  if (!cut.on_grid) return cross_edge(mesh, cut.vertex[k], cut.vertex[l], line).distance > 1;
  int64_t run = cut.across[l] - cut.across[k];
  int64_t ahead =
      (int64_t)(cut.along[k] - line.direction * kSubpixels) * run - (int64_t)cut.across[k] * (cut.along[l] - cut.along[k]);
  if ((run < 0) != (line.direction < 0)) ahead = -ahead;
  return line.direction > 0 ? ahead > 0 : ahead >= 0;
}

// A step of walk_surface along the axis, for the common case in small integers and without branches: through which neighbour
// the line leaves the triangle before the next centre, and which way it turns. The neighbour is -1 where there is none, and
// where the step is for walk_surface to take: corners (relative to where the walk begins) are far, or no edge is crossed, or
// past the next centre.
struct SureStep {
  int32_t neighbour, is_positive;
};

INTAGLIO_HD_INLINE SureStep sure_step(const int32_t neighbour[3], const int32_t along[3], const int32_t across[3]) {
  constexpr int32_t kFar = 1 << 14;  // products of two distances, and their differences, stay below 2^31
  int32_t is_near = 1, x[3], y[3];
  for (int k = 0; k < 3; ++k) is_near &= ((uint32_t)along[k] + kFar < 2 * kFar) & ((uint32_t)across[k] + kFar < 2 * kFar);
  for (int k = 0; k < 3; ++k) x[k] = is_near ? along[k] : 0, y[k] = is_near ? across[k] : 0;
  const int32_t area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0]), is_positive = area > 0;
  int32_t found = -1;
  for (int k = 0; k < 3; ++k) {
    const int l = (k + 1) % 3;
    const int32_t before = y[k] <= 0, before_next = y[l] <= 0, run = y[l] - y[k];  // as in leaving_edge and is_beyond
    const int32_t ahead = (x[k] - kSubpixels) * run - y[k] * (x[l] - x[k]);
    const int32_t is_within = run < 0 ? ahead >= 0 : ahead <= 0;
    found = (before != before_next) & (before == is_positive) & is_within ? neighbour[k] : found;
  }
  return {area != 0 ? found : -1, is_positive};
}

// The one triangle that the next pixel shows.
struct OneGoal {
  int32_t triangle_id;  // -1 for background, which no walk reaches
  INTAGLIO_HD bool operator()(int32_t reached) const { return reached == triangle_id; }
};

// From the centre where `triangle_id` is seen towards the next centre, until is_goal(triangle) of what that shows.
template <class T, class IsGoal>
INTAGLIO_HD Walk walk_surface(const WalkedMesh<T>& mesh, int32_t triangle_id, const IsGoal& is_goal, const WalkLine& line) {
  CutTriangle cut = cut_triangle(mesh, triangle_id, line);
  const int front = cut.turn;
  Walk walk{WalkEnd::kPassed, {0, 0}, triangle_id};
  int leave = leaving_edge(mesh, cut, triangle_id, -1, line);
  if (leave < 0) return walk;  // only a triangle that clipping has cut can show a pixel and miss its line
  for (int step = 0; step < kMaxSteps; ++step) {
    walk.edge[0] = cut.vertex[leave], walk.edge[1] = cut.vertex[(leave + 1) % 3];
    walk.end = WalkEnd::kPassed;
    if (is_beyond(mesh, cut, leave, line)) return walk;
    int32_t next = mesh.neighbour(walk.triangle_id, leave);
    if (next >= 0 && is_goal(next)) return {WalkEnd::kReached, {walk.edge[0], walk.edge[1]}, next};
    walk.end = WalkEnd::kEdge;
    if (next < 0) return walk;
    cut = cut_triangle(mesh, next, line);
    if (cut.turn * front < 0) return walk;
    leave = leaving_edge(mesh, cut, next, walk.triangle_id, line);
    if (leave < 0) return walk;  // welded vertices that differ in their last bit: as good as a border
    walk.triangle_id = next;
  }
  walk.end = WalkEnd::kCut;
  return walk;
}

// Pixels A (column, row) and B, the next one along the axis, and what they show.
struct PixelPair {
  Axis axis;
  int64_t column, row;
  int32_t triangle_a, triangle_b;
};

enum class PairEdgeKind { kNone, kMeshEdge, kIntersection };

// The visible edge between A and B. `position` in [0, 1] runs from A's centre to B's.
template <class T>
struct PairEdge {
  PairEdgeKind kind;
  T slope;   // pixels along the axis per pixel across it, of the edge's line
  bool cut;  // a walk was cut short
  T position;
  Crossing<T> crossing;                // kMeshEdge: the edge that moves
  int32_t surface_a[2], surface_b[2];  // kIntersection: the triangle of each surface at A's centre and at B's
};

template <class T>
INTAGLIO_HD T crossing_depth(const WalkedMesh<T>& mesh, const Crossing<T>& c) {
  return c.weight[0] * mesh.pos_clip[4 * (int64_t)c.vertex[0] + 2] + c.weight[1] * mesh.pos_clip[4 * (int64_t)c.vertex[1] + 2];
}

// The two centres in ndc.
template <class T>
struct PairPoints {
  Vec2<T> a, b;
};

template <class T>
INTAGLIO_HD PairPoints<T> pair_points(const WalkedMesh<T>& mesh, const PixelPair& pair) {
  bool x = pair.axis == Axis::kX;
  return {{ndc_centre<T>(pair.column, mesh.width), -ndc_centre<T>(pair.row, mesh.height)},
          {ndc_centre<T>(pair.column + (x ? 1 : 0), mesh.width), -ndc_centre<T>(pair.row + (x ? 0 : 1), mesh.height)}};
}

template <class T>
INTAGLIO_HD T depth_at(const WalkedMesh<T>& mesh, int32_t triangle_id, Vec2<T> point) {
  Vec4<T> v[3];
  load_triangle(mesh.pos_clip, mesh.triangles, triangle_id, v);
  return plane_depth(v, point.x, point.y);
}

// How much nearer surface A is than surface B at each centre: negative at A and positive at B where they cross.
template <class T>
INTAGLIO_HD Vec2<T> depth_differences(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge) {
  PairPoints<T> at = pair_points<T>(mesh, pair);
  return {depth_at(mesh, edge.surface_a[0], at.a) - depth_at(mesh, edge.surface_b[0], at.a),
          depth_at(mesh, edge.surface_a[1], at.b) - depth_at(mesh, edge.surface_b[1], at.b)};
}

// Whether the two surfaces of `edge` cross between the centres, and where.
template <class T>
INTAGLIO_HD bool find_intersection(const WalkedMesh<T>& mesh, const PixelPair& pair, PairEdge<T>& edge) {
  Vec2<T> difference = depth_differences(mesh, pair, edge);
  if (!(difference.x <= 0 && difference.y >= 0 && difference.y > difference.x)) return false;
  edge.kind = PairEdgeKind::kIntersection;
  edge.position = -difference.x / (difference.y - difference.x);
  return true;
}

// How the difference of the surfaces' depths grows, per pixel along the axis and across it; `least` is the squared length below
// which it is rounding: then the surfaces nearly coincide, and where they cross says nothing.
template <class T>
struct DepthSlopes {
  T along, across, least;
};

constexpr double kLeastSlopeDifference = 0.01;  // of the surfaces' own slopes

template <class T>
INTAGLIO_HD DepthSlopes<T> depth_slopes(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge) {
  bool x = pair.axis == Axis::kX;
  PairPoints<T> at = pair_points<T>(mesh, pair);
  T dX = x ? 0 : (T)2 / (T)mesh.width, dY = x ? (T)-2 / (T)mesh.height : 0;  // a pixel across
  T a_at_a = depth_at(mesh, edge.surface_a[0], at.a), b_at_b = depth_at(mesh, edge.surface_b[1], at.b);
  T along_a = depth_at(mesh, edge.surface_a[1], at.b) - a_at_a, along_b = b_at_b - depth_at(mesh, edge.surface_b[0], at.a);
  T across_a = depth_at(mesh, edge.surface_a[0], {at.a.x + dX, at.a.y + dY}) - a_at_a;
  T across_b = depth_at(mesh, edge.surface_b[1], {at.b.x + dX, at.b.y + dY}) - b_at_b;
  T own = along_a * along_a + along_b * along_b + across_a * across_a + across_b * across_b;
  return {along_a - along_b, across_a - across_b, (T)(kLeastSlopeDifference * kLeastSlopeDifference) * own};
}

// The walks from A's centre to B's and back.
struct PairLines {
  WalkLine a, b;
};

template <class T>
INTAGLIO_HD PairLines pair_lines(const WalkedMesh<T>& mesh, Axis axis, int64_t column, int64_t row) {
  bool x = axis == Axis::kX;
  Subpixel centre_a{pixel_centre(column, mesh.width), pixel_centre(row, mesh.height)};
  Subpixel centre_b{centre_a.x + (x ? kSubpixels : 0), centre_a.y + (x ? 0 : kSubpixels)};
  return {{axis, centre_a, +1}, {axis, centre_b, -1}};
}

template <class T>
INTAGLIO_HD PairEdge<T> find_edge(const WalkedMesh<T>& mesh, const PixelPair& pair) {
  PairEdge<T> found;
  found.kind = PairEdgeKind::kNone;
  found.cut = false;
  const PairLines lines = pair_lines(mesh, pair.axis, pair.column, pair.row);
  const WalkLine &line_a = lines.a, &line_b = lines.b;
  Walk a, b;
  a.end = b.end = WalkEnd::kReached;
  bool has_a = pair.triangle_a >= 0, has_b = pair.triangle_b >= 0;
  if (has_a) {
    a = walk_surface(mesh, pair.triangle_a, OneGoal{pair.triangle_b}, line_a);
    if (a.end == WalkEnd::kReached) return found;
  }
  if (has_b) {
    b = walk_surface(mesh, pair.triangle_b, OneGoal{pair.triangle_a}, line_b);
    if (b.end == WalkEnd::kReached) return found;
  }
  found.cut = (has_a && a.end == WalkEnd::kCut) || (has_b && b.end == WalkEnd::kCut);
  bool ends_a = has_a && a.end == WalkEnd::kEdge, ends_b = has_b && b.end == WalkEnd::kEdge;
  Crossing<T> at_a, at_b;
  if (ends_a) at_a = cross_edge(mesh, a.edge[0], a.edge[1], line_a);
  if (ends_b) at_b = cross_edge(mesh, b.edge[0], b.edge[1], line_b);
  if (ends_a && ends_b) (crossing_depth(mesh, at_a) <= crossing_depth(mesh, at_b) ? ends_b : ends_a) = false;
  if (ends_a || ends_b) {
    found.kind = PairEdgeKind::kMeshEdge;
    found.crossing = ends_a ? at_a : at_b;
    found.position = clamp(ends_a ? at_a.distance : 1 - at_b.distance, (T)0, (T)1);
    found.slope = edge_slope(mesh, found.crossing, pair.axis);
  } else if (has_a && has_b && a.end == WalkEnd::kPassed && b.end == WalkEnd::kPassed) {
    found.surface_a[0] = pair.triangle_a, found.surface_a[1] = a.triangle_id;
    found.surface_b[0] = b.triangle_id, found.surface_b[1] = pair.triangle_b;
    if (find_intersection(mesh, pair, found)) {
      DepthSlopes<T> slopes = depth_slopes(mesh, pair, found);
      found.slope = -slopes.across / slopes.along;
    }
  }
  return found;
}

// Carries the motion of the crossing point (in pixels, along the axis towards B and across it) to the ends of its edge.
template <class T, class Emit>
INTAGLIO_HD void crossing_vjp(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge, T grad_along,
                              T grad_across, const Emit& emit) {
  bool x = pair.axis == Axis::kX;
  PairPoints<T> at = pair_points<T>(mesh, pair);
  T X = at.a.x + edge.position * (at.b.x - at.a.x), Y = at.a.y + edge.position * (at.b.y - at.a.y);
  T grad_X = (x ? grad_along : grad_across) * (T)mesh.width / 2, grad_Y = (x ? grad_across : grad_along) * (T)mesh.height / -2;
  for (int i = 0; i < 2; ++i) {
    T gx = edge.crossing.weight[i] * grad_X, gy = edge.crossing.weight[i] * grad_Y;
    emit(edge.crossing.vertex[i], Vec4<T>{gx, gy, 0, -X * gx - Y * gy});
  }
}

// Carries the cotangent of the difference of depths, where it is zero, to the triangles of both surfaces.
template <class T, class Emit>
INTAGLIO_HD void intersection_vjp(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge, T grad_difference,
                                  const Emit& emit) {
  PairPoints<T> at = pair_points<T>(mesh, pair);
  T share_a = (1 - edge.position) * grad_difference, share_b = edge.position * grad_difference;
  int32_t triangle_id[4] = {edge.surface_a[0], edge.surface_b[0], edge.surface_a[1], edge.surface_b[1]};
  T grad_depth[4] = {share_a, -share_a, share_b, -share_b};
  for (int i = 0; i < 4; ++i) {
    Vec4<T> v[3], grad_v[3] = {};
    load_triangle(mesh.pos_clip, mesh.triangles, triangle_id[i], v);
    Vec2<T> p = i < 2 ? at.a : at.b;
    plane_depth_vjp(v, p.x, p.y, grad_depth[i], grad_v);
    for (int k = 0; k < 3; ++k) emit(mesh.triangles[3 * (int64_t)triangle_id[i] + k], grad_v[k]);
  }
}

// This pair's part of the line integral: emit(vertex, gradient) for a cotangent of the edge's position (in pixels, towards B).
// A mesh edge takes the axis' part of its ends' motion, since the other axis' pairs carry the other part. A line of
// intersection is known by its normal speed alone: this axis takes it by its component of the normal, squared.
template <class T, class Emit>
INTAGLIO_HD void edge_position_vjp(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge, T grad_position,
                                   const Emit& emit) {
  if (edge.kind == PairEdgeKind::kMeshEdge) return crossing_vjp(mesh, pair, edge, grad_position, (T)0, emit);
  DepthSlopes<T> d = depth_slopes(mesh, pair, edge);
  T steepness = max_of(d.along * d.along + d.across * d.across, d.least);
  if (steepness > 0) intersection_vjp(mesh, pair, edge, -grad_position * d.along / steepness, emit);
}

// The derivative of the position itself, as antialiasing needs it: where the line of a moving edge meets the line of the pair.
template <class T, class Emit>
INTAGLIO_HD void crossing_position_vjp(const WalkedMesh<T>& mesh, const PixelPair& pair, const PairEdge<T>& edge,
                                       T grad_position, const Emit& emit) {
  if (edge.kind == PairEdgeKind::kMeshEdge)
    return crossing_vjp(mesh, pair, edge, grad_position, -edge.slope * grad_position, emit);
  DepthSlopes<T> d = depth_slopes(mesh, pair, edge);
  T steepness = max_of(d.along * d.along, d.least);
  if (steepness > 0) intersection_vjp(mesh, pair, edge, -grad_position * d.along / steepness, emit);
}

// Edges that run more along the pair's axis than across it are crossed by more pairs of the other axis: these blend them.
template <class T>
INTAGLIO_HD bool is_blended_by(const PairEdge<T>& edge, Axis axis) {
  if (edge.kind == PairEdgeKind::kNone) return false;
  return axis == Axis::kX ? std::fabs(edge.slope) <= 1 : std::fabs(edge.slope) < 1;
}

}  // namespace intaglio
