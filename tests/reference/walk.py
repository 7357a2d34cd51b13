# SPDX-License-Identifier: MIT
"""The surface walk of `edge_gradient`, one pair of pixels at a time, in projected pixel coordinates.

From a pixel's centre the walk follows, in projection, the surface that the pixel shows, towards the next centre,
until it meets that pixel's triangle, a fold (the next triangle faces the other way), a border, or the neighbour's
centre. What it met says whether there is an edge and whose it is. The crossing of a mesh edge with the line of two
centres is a point of that edge and moves with it: its homogeneous coordinates are a fixed mixture of those of the ends.
For meshes in front of the camera (every w > 0).
"""

from typing import NamedTuple

import numpy as np

from reference.derivative import gradient
from reference.edges import pixels_from_clip
from reference.raster import SUBPIXELS

Array = np.ndarray

REACHED, FOLD, PASSED = "reached", "fold", "passed"


class Edge(NamedTuple):
    """A silhouette edge between two neighbouring pixels: the mesh edge (start, end), its crossing, its owner."""

    start: int
    end: int
    distance: float  # from the owner's centre towards the other, in pixels
    position: float  # of the crossing along the mesh edge, 0 at start
    owner_is_first: bool


def neighbour_table(triangles: Array, positions: Array | None = None) -> Array:
    """[F,3]: the triangle across edge (k, k+1); -1 at a border or where more than two meet. Equal positions are one."""
    if positions is None:
        welded = np.arange(triangles.max(initial=-1) + 1)
    else:
        welded = np.unique(positions, axis=0, return_inverse=True)[1].reshape(-1)
    owners: dict[frozenset, list[tuple[int, int]]] = {}
    for face, corners in enumerate(triangles):
        for edge in range(3):
            key = frozenset((int(welded[corners[edge]]), int(welded[corners[(edge + 1) % 3]])))
            owners.setdefault(key, []).append((face, edge))
    table = np.full(triangles.shape, -1, dtype=np.int32)
    for sharing in owners.values():
        if len(sharing) == 2:
            (face, edge), (other_face, other_edge) = sharing
            table[face, edge], table[other_face, other_edge] = other_face, face
    return table


def signed_area(corners: Array) -> float:
    (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[0]
    return ax * by - ay * bx


def exit_crossing(corners: Array, origin: Array, axis: int, sign: int, entry: int) -> tuple[int, float, float]:
    """The edge, other than `entry`, that the ray crosses farthest out: (edge, distance, position along the edge).

    A pixel may show a triangle that misses its centre by the rounding of coverage: the ray is moved onto the triangle.
    """
    across = 1 - axis
    line = np.clip(origin[across], corners[:, across].min(), corners[:, across].max())
    best = (-1, -np.inf, 0.0)
    for edge in range(3):
        start, end = corners[edge], corners[(edge + 1) % 3]
        low, high = sorted((start[across], end[across]))
        if edge == entry or low == high or not low <= line <= high:
            continue
        position = (line - start[across]) / (end[across] - start[across])
        distance = sign * (start[axis] + position * (end[axis] - start[axis]) - origin[axis])
        if distance > best[1]:
            best = (edge, distance, position)
    return best


class Surface(NamedTuple):
    """What a walk needs: triangles [F,3], neighbours [F,3], pos_clip [V,4], projected corners [F,3,2] in pixels."""

    triangles: Array
    neighbours: Array
    pos_clip: Array
    corners: Array
    size: tuple[int, int]

    def turns(self, face: int, following: int) -> bool:
        return signed_area(self.corners[following]) * signed_area(self.corners[face]) <= 0

    def walk(self, ids: tuple[int, int], target_depth: float, origin: Array, axis: int, sign: int):
        """From `origin` on triangle ids[0] towards the next centre, which shows ids[1] at z/w = target_depth.

        Returns (outcome, face at the end, edge, distance, position). Passing means to go on *behind* what the other
        pixel shows; a surface nearer than that was hidden there by the rounding of coverage only, so its edge is near.
        """
        face, target = ids
        entry = -1
        destination = origin + sign * np.eye(2)[axis]
        for _ in range(len(self.corners)):
            edge, distance, position = exit_crossing(self.corners[face], origin, axis, sign, entry)
            end = (face, edge, distance, position)
            if (
                distance >= 1
                and plane_depth(self.pos_clip[self.triangles[face]], self.size, destination) >= target_depth
            ):
                return (PASSED, *end)
            following = int(self.neighbours[face, edge])
            if following < 0 or self.turns(face, following):
                return (FOLD, *end)
            if following == target:
                return (REACHED, *end)
            entry = int(np.nonzero(self.neighbours[following] == face)[0][0])
            face = following
        raise AssertionError("the walk did not end")


def plane_depth(corners_clip: Array, size: tuple[int, int], pixel: Array):
    """z/w of the triangle's plane at a pixel position (continuous, x right, y down); analytic."""
    height, width = size
    point = np.stack([pixel[0] * 2 / width - 1, 1 - pixel[1] * 2 / height, np.ones_like(pixel[0])])
    xyw = corners_clip[:, [0, 1, 3]]
    beta = np.stack([np.cross(xyw[(k + 1) % 3], xyw[(k + 2) % 3]) for k in range(3)]) @ point
    return (beta * corners_clip[:, 2]).sum() / (beta * corners_clip[:, 3]).sum()


def crossing_depth(surface: Surface, end: tuple) -> float:
    """z/w where a walk met its fold; linear along the projected edge."""
    _, face, edge, _, position = end
    start, stop = surface.pos_clip[surface.triangles[face][[edge, (edge + 1) % 3]]]
    return (1 - position) * start[2] / start[3] + position * stop[2] / stop[3]


def classify(surface: Surface, ids: tuple[int, int], depths: tuple[float, float], first: Array, axis: int):
    """What lies between pixel centre `first` and the next along `axis`: an Edge, PASSED (surfaces cross), or None."""
    ends = []
    for here, there, sign in ((0, 1, 1), (1, 0, -1)):
        if ids[here] < 0:
            ends.append(None)
            continue
        target_depth = depths[there] if ids[there] >= 0 else np.inf
        outcome = surface.walk((ids[here], ids[there]), target_depth, first + here * np.eye(2)[axis], axis, sign)
        if outcome[0] == REACHED:
            return None
        ends.append(outcome)
    folds = [k for k in (0, 1) if ends[k] is not None and ends[k][0] == FOLD]
    if not folds:
        return PASSED
    owner = folds[0] if len(folds) == 1 else int(crossing_depth(surface, ends[1]) < crossing_depth(surface, ends[0]))
    _, face, edge, distance, position = ends[owner]
    corners = surface.triangles[face]
    return Edge(int(corners[edge]), int(corners[(edge + 1) % 3]), distance, position, owner == 0)


def crossing_gradient(
    pos_clip: Array, pair: Array, weights: tuple[float, float], first: Array, axis: int, size: tuple[int, int]
) -> Array:
    """Gradient [V,4] where the planes of the triangles pair [2,3] meet between `first` and the next centre.

    z/w of a plane is linear on the screen, so D = z_i - z_j vanishes at t = D(0) / (D(0) - D(1)). Pairs of either axis
    see the whole motion of the line; shares n_x^2 and n_y^2, n the line's normal, count it once.
    """

    def depth_difference(corners: Array, shift: Array):
        pixel = first + shift
        return plane_depth(corners[0], size, pixel) - plane_depth(corners[1], size, pixel)

    def distance(corners: Array):
        here = depth_difference(corners, np.zeros(2))
        return here / (here - depth_difference(corners, np.eye(2)[axis]))

    corners = pos_clip[pair]  # [2,3,4]
    here = depth_difference(corners, np.zeros(2))
    slope = np.array([depth_difference(corners, unit) - here for unit in np.eye(2)])
    weight = weights[0] if distance(corners) < 0.5 else weights[1]
    result = np.zeros_like(pos_clip)
    np.add.at(result, pair, weight * slope[axis] ** 2 / np.dot(slope, slope) * gradient(distance, corners))
    return result


class Estimate(NamedTuple):
    """Gradient [V,4]; how far snapping positions to 1/256 pixel before the walk may move it; pairs of each kind."""

    grad_pos_clip: Array
    tolerance: Array
    counts: dict[str, int]


def add_edge(
    estimate: Estimate, edge: Edge, axis: int, weight: float, doubt: float, pos_clip: Array, pixels: Array,
    size: tuple[int, int],
) -> None:  # fmt: skip
    """Hand the pair's derivative with respect to a shift of the crossing along the axis to the two ends of the edge.

    The position along the edge is off by a sub-pixel over the edge's extent across the axis, at most.
    """
    across = 1 - axis
    extent = abs(pixels[edge.end, across] - pixels[edge.start, across])
    shift = 1.0 / SUBPIXELS
    position_error = min(1.0, shift / extent)
    if min(edge.position, 1 - edge.position) < position_error:
        doubt += abs(weight)  # so close to a vertex that snapping may choose the edge beyond it
    ends = (edge.start, edge.end)
    crossing_ndc = (1 - edge.position) * ndc(pos_clip[edge.start]) + edge.position * ndc(pos_clip[edge.end])
    ndc_from_pixels = size[1] / 2 if axis == 0 else -size[0] / 2
    for vertex, share in zip(ends, (1 - edge.position, edge.position), strict=True):
        scale = ndc_from_pixels / pos_clip[vertex, 3]
        estimate.grad_pos_clip[vertex, axis] += scale * share * weight
        estimate.grad_pos_clip[vertex, 3] -= scale * share * weight * crossing_ndc[axis]
        tolerance = abs(scale) * (position_error * abs(weight) + doubt)
        estimate.tolerance[vertex, axis] += tolerance
        # The crossing itself moves along the edge as the position does.
        length = abs(ndc(pos_clip[edge.end]) - ndc(pos_clip[edge.start]))[axis] + 2 * shift / min(size)
        estimate.tolerance[vertex, 3] += tolerance * abs(crossing_ndc[axis])
        estimate.tolerance[vertex, 3] += abs(scale * weight) * position_error * length


def ndc(corner: Array) -> Array:
    return corner[:2] / corner[3]


def edge_gradient(
    image: Array, grad_image: Array, triangle_id: Array, depth: Array, pos_clip: Array, triangles: Array,
    neighbours: Array,
) -> Estimate:  # fmt: skip
    """One image: [H,W,C], [H,W,C], [H,W], [H,W], [V,4], [F,3], [F,3]."""
    size = triangle_id.shape
    pixels = pixels_from_clip(pos_clip, size)
    surface = Surface(triangles, neighbours, pos_clip, pixels[triangles], size)
    estimate = Estimate(np.zeros_like(pos_clip), np.zeros_like(pos_clip), {"edges": 0, "crossings": 0})
    for row, column, axis in np.ndindex(*size, 2):
        here, other = (row, column), ((row, column + 1) if axis == 0 else (row + 1, column))
        if other[0] >= size[0] or other[1] >= size[1]:
            continue
        change = image[other] - image[here]
        ids = (int(triangle_id[here]), int(triangle_id[other]))
        if ids[0] == ids[1] or not change.any():
            continue
        first = np.array([column + 0.5, row + 0.5])
        found = classify(surface, ids, (depth[here], depth[other]), first, axis)
        weight_here, weight_other = -np.dot(change, grad_image[here]), -np.dot(change, grad_image[other])
        if found == PASSED:
            pair = triangles[list(ids)]
            grad = crossing_gradient(pos_clip, pair, (weight_here, weight_other), first, axis, size)
            estimate.grad_pos_clip[:] += grad
            estimate.counts["crossings"] += 1
        elif found is not None:
            in_owner = found.distance < 0.5
            weight = weight_here if in_owner == found.owner_is_first else weight_other
            start, end = pixels[found.start], pixels[found.end]
            slope = abs((end - start)[axis] / (end - start)[1 - axis])
            undecided = abs(found.distance - 0.5) < (1 + slope) / SUBPIXELS
            doubt = abs(weight_here - weight_other) if undecided else 0.0
            estimate.counts["edges"] += 1
            add_edge(estimate, found, axis, weight, doubt, pos_clip, pixels, size)
    return estimate


class Crossed(NamedTuple):
    """Two pixels and the place of the edge between their centres, counted from the first, 0 to 1."""

    first: tuple[int, int]
    second: tuple[int, int]
    distance: float


def silhouette_between(surface: Surface, triangle_id: Array, depth: Array, here: tuple, axis: int) -> Crossed | None:
    """Where the pair of `here` and its right (axis 0) or lower (axis 1) neighbour is cut, if along its dominant axis.

    An edge is blended by pairs along the axis that its normal is nearer to, and by those only: across it they see all
    of the area, and together with the pairs of the other axis they would see it twice.
    """
    row, column = here
    other = (row, column + 1) if axis == 0 else (row + 1, column)
    if other[0] >= triangle_id.shape[0] or other[1] >= triangle_id.shape[1] or triangle_id[here] == triangle_id[other]:
        return None
    first = np.array([column + 0.5, row + 0.5])
    ids = (int(triangle_id[here]), int(triangle_id[other]))
    found = classify(surface, ids, (depth[here], depth[other]), first, axis)
    if found is None or found == PASSED:
        return None
    start, end = (pixels_from_clip(surface.pos_clip[k], surface.size) for k in (found.start, found.end))
    along, across = np.abs(end - start)[[axis, 1 - axis]]
    if across < along or (across == along and axis == 1):
        return None
    distance = float(np.clip(found.distance if found.owner_is_first else 1 - found.distance, 0, 1))
    return Crossed(here, other, distance)


def antialias(
    image: Array, triangle_id: Array, depth: Array, pos_clip: Array, triangles: Array, neighbours: Array
) -> Array:
    """[H,W,C]: each pixel takes from its neighbours' colours the share of itself that lies beyond the edge."""
    size = triangle_id.shape
    surface = Surface(triangles, neighbours, pos_clip, pixels_from_clip(pos_clip, size)[triangles], size)
    taken = np.zeros_like(image)
    total = np.zeros(size)
    for row, column, axis in np.ndindex(*size, 2):
        crossed = silhouette_between(surface, triangle_id, depth, (row, column), axis)
        if crossed is None:
            continue
        # The edge lies in the first pixel up to 1/2, in the second one from there on.
        taker, giver = (crossed.first, crossed.second) if crossed.distance < 0.5 else (crossed.second, crossed.first)
        share = abs(crossed.distance - 0.5)
        total[taker] += share
        taken[taker] += share * (image[giver] - image[taker])
    return image + taken / np.maximum(total, 1.0)[..., None]
