# SPDX-License-Identifier: MIT
"""The surface walk of `edge_gradient`, one pair of pixels at a time, in projected pixel coordinates.

For meshes in front of the camera (every w > 0). From a pixel's centre the walk follows, in projection, the surface
that the pixel shows, towards the neighbouring centre, until it meets that pixel's triangle, a fold (the next triangle
faces the other way), a border, or the neighbour's centre. What it met says whether there is an edge and whose it is.
"""

from typing import NamedTuple

import numpy as np

from reference.derivative import gradient
from reference.edges import pixels_from_clip

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
    owner = folds[0] if len(folds) == 1 else int(depths[1] < depths[0])
    _, face, edge, distance, position = ends[owner]
    corners = surface.triangles[face]
    return Edge(int(corners[edge]), int(corners[(edge + 1) % 3]), distance, position, owner == 0)


def crossing_gradient(
    pos_clip: Array, pair: Array, change: Array, grad_here: Array, grad_other: Array, first: Array, axis: int,
    size: tuple[int, int],
) -> Array:  # fmt: skip
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
    grad = grad_here if distance(corners) < 0.5 else grad_other
    weight = -np.dot(change, grad) * slope[axis] ** 2 / np.dot(slope, slope)
    result = np.zeros_like(pos_clip)
    np.add.at(result, pair, weight * gradient(distance, corners))
    return result


def edge_gradient(
    image: Array, grad_image: Array, triangle_id: Array, depth: Array, pos_clip: Array, triangles: Array,
    neighbours: Array,
) -> Array:  # fmt: skip
    """One image: [H,W,C], [H,W,C], [H,W], [H,W], [V,4], [F,3], [F,3] -> gradient [V,4]."""
    size = triangle_id.shape
    pixels = pixels_from_clip(pos_clip, size)
    surface = Surface(triangles, neighbours, pos_clip, pixels[triangles], size)
    grad_pixels = np.zeros_like(pixels)
    result = np.zeros_like(pos_clip)
    for row, column, axis in np.ndindex(*size, 2):
        other = (row, column + 1) if axis == 0 else (row + 1, column)
        if other[0] >= size[0] or other[1] >= size[1]:
            continue
        here = (row, column)
        change = image[other] - image[here]
        ids = (int(triangle_id[here]), int(triangle_id[other]))
        if ids[0] == ids[1] or not change.any():
            continue
        found = classify(surface, ids, (depth[here], depth[other]), np.array([column + 0.5, row + 0.5]), axis)
        if found is None:
            continue
        if found == PASSED:
            first = np.array([column + 0.5, row + 0.5])
            result += crossing_gradient(
                pos_clip, triangles[list(ids)], change, grad_image[here], grad_image[other], first, axis, size
            )
            continue
        near, far = (here, other) if found.owner_is_first else (other, here)
        weight = -np.dot(change, grad_image[near if found.distance < 0.5 else far])
        grad_pixels[found.start, axis] += (1 - found.position) * weight
        grad_pixels[found.end, axis] += found.position * weight
    return result + clip_from_pixel_gradient(grad_pixels, pos_clip, size)


def clip_from_pixel_gradient(grad_pixels: Array, pos_clip: Array, size: tuple[int, int]) -> Array:
    """Cotangent of pixel positions [V,2] -> cotangent of pos_clip [V,4], through the perspective division."""
    height, width = size
    w = pos_clip[:, 3]
    grad_ndc = grad_pixels * [width / 2, -height / 2]
    result = np.zeros_like(pos_clip)
    result[:, :2] = grad_ndc / w[:, None]
    result[:, 3] = -(grad_ndc * pos_clip[:, :2]).sum(axis=1) / w**2
    return result
