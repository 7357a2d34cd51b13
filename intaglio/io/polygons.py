# SPDX-License-Identifier: MIT
"""Polygons into triangles: fans where they do, else ears.

Meisters, Polygons Have Ears, American Mathematical Monthly 82, 1975: a simple polygon has an ear to cut off, again and
again.
"""

from __future__ import annotations

import numpy as np

__all__ = ["fans", "triangulate"]

# A polygon that crosses itself, or has thousands of corners, may offer no ear for long; then the rest becomes a fan.
# Counted are corners looked at, in all polygons of a file together: a second or two.
MOST_LOOKS = 1 << 28


def fans(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (0, k, k + 1) of polygons of `counts` [P] corners, listed one polygon after the other.

    Returns:
        corners: [F, 3] int64 into the list of all corners. polygons: [F] int64, whose each triangle is.
    """
    sizes = np.maximum(counts - 2, 0)
    polygons = np.repeat(np.arange(len(counts)), sizes)
    first = (np.cumsum(counts) - counts)[polygons]
    step = np.arange(len(polygons)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.stack([first, first + step + 1, first + step + 2], axis=-1), polygons


def triangulate(counts: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `fans`, but a polygon whose fan would leave it has its ears clipped instead.

    positions: [sum(counts), 3], of all corners.
    """
    corners, polygons = fans(counts)
    if not (counts > 3).any():
        return corners, polygons
    positions = positions.astype(np.float64)
    at = positions[corners]  # [F, 3, 3]
    areas = np.cross(at[:, 1] - at[:, 0], at[:, 2] - at[:, 0])
    normals = np.zeros((len(counts), 3))
    np.add.at(normals, polygons, areas)  # Newell's: twice the area of the polygon's shadows
    folds = (areas * normals[polygons]).sum(axis=-1) < 0
    looks_left = MOST_LOOKS
    for polygon in np.unique(polygons[folds]):
        rows = slice(*np.searchsorted(polygons, [polygon, polygon + 1]))
        first, count = int(corners[rows][0, 0]), int(counts[polygon])
        ears, looks_left = _ears(_flat(positions[first : first + count], normals[polygon]), looks_left)
        corners[rows] = first + ears
    return corners, polygons


def _flat(positions: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """[N, 2]: seen along the axis that the normal is closest to, counter-clockwise."""
    axis = int(np.abs(normal).argmax())
    x, y = ((1, 2), (2, 0), (0, 1))[axis]
    return positions[:, [x, y]] if normal[axis] > 0 else positions[:, [y, x]]


def _ears(points: np.ndarray, looks_left: int) -> tuple[np.ndarray, int]:
    """[N, 2] counter-clockwise -> [N - 2, 3], and what is left of the looks."""
    rest = list(range(len(points)))
    triangles = []
    k = since_last = 0
    while len(rest) > 3 and looks_left >= len(rest) > since_last:
        looks_left -= len(rest)
        k %= len(rest)
        corner = [rest[k - 1], rest[k], rest[(k + 1) % len(rest)]]
        if _is_ear(points, corner, rest):
            triangles.append(corner)
            del rest[k]
            k, since_last = k + (k < len(rest)), 0  # leave the neighbour for later: ears all around, not a fan
        else:
            k, since_last = k + 1, since_last + 1
    triangles += [[rest[0], rest[k], rest[k + 1]] for k in range(1, len(rest) - 1)]
    return np.array(triangles), looks_left


def _is_ear(points: np.ndarray, corner: list[int], rest: list[int]) -> bool:
    a, b, c = points[corner]
    if _side(a, b, c) <= 0:
        return False
    others = points[[k for k in rest if k not in corner]]
    # A corner that touches the ear's new edge from within is another visit of one place: a hole's bridge.
    same = (others[:, None] == points[corner]).all(axis=-1).any(axis=-1)
    inside = (_side(a, b, others) >= 0) & (_side(b, c, others) >= 0) & (_side(c, a, others) >= 0)
    return not (inside & ~same).any()


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Above 0 left of the line from a to b."""
    return (b[0] - a[0]) * (p[..., 1] - a[1]) - (b[1] - a[1]) * (p[..., 0] - a[0])
