# SPDX-License-Identifier: MIT
"""Polygons into triangles: fans where they do; else ears of small polygons, and a sweep over large ones.

Meisters, Polygons Have Ears, American Mathematical Monthly 82, 1975: a simple polygon has an ear to cut off, again and
again.
Hertel and Mehlhorn, Fast Triangulation of Simple Polygons, Foundations of Computation Theory (LNCS 158), 1983: a line
that sweeps over the polygon cuts off what it leaves behind, in N log N steps.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

__all__ = ["fans", "triangulate"]

# Ears are looked for in polygons of up to so many corners: more cost too much, as every look is at all corners.
MOST_EAR_CORNERS = 256
# Counted are corners looked at, in all polygons of a file together: about five seconds. Then small polygons are swept
# too, and what crosses itself, which the sweep refuses, becomes a fan.
MOST_LOOKS = 1 << 28
LOOKS_PER_CALL = 2000  # that NumPy could do in the time of calling it


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
    """As `fans`, but a polygon whose fan would leave it is cut along its inner diagonals instead.

    Right for every simple polygon, and for one that only touches itself, as where a bridge leads to a hole. One that
    crosses itself has no inside, yet becomes as many triangles.

    positions: [sum(counts), 3], finite, of all corners.
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
        cut, looks_left = _cut(_flat(positions[first : first + count], normals[polygon]), looks_left)
        corners[rows] = first + cut
    return corners, polygons


def _flat(positions: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """[N, 2]: seen along the axis that the normal is closest to, counter-clockwise."""
    axis = int(np.abs(normal).argmax())
    x, y = ((1, 2), (2, 0), (0, 1))[axis]
    return positions[:, [x, y]] if normal[axis] > 0 else positions[:, [y, x]]


def _cut(points: np.ndarray, looks_left: int) -> tuple[np.ndarray, int]:
    """[N, 2] counter-clockwise -> [N - 2, 3], and what is left of the looks."""
    ears = None
    if len(points) <= MOST_EAR_CORNERS:
        ears, looks_left = _ears(points, looks_left)
        if not _has_turned_over(points, ears):
            return ears, looks_left
    swept = _sweep(points)
    if swept is not None:
        return swept, looks_left
    return (ears, looks_left) if ears is not None else _ears(points, looks_left)


def _has_turned_over(points: np.ndarray, triangles: np.ndarray) -> bool:
    """Where none has, the triangles cover just the polygon: their areas sum up to its own whatever they are."""
    a, b, c = points[triangles].transpose(1, 2, 0)
    return bool((_side(a, b, c.T) < 0).any())


def _ears(points: np.ndarray, looks_left: int) -> tuple[np.ndarray, int]:
    """As `_cut`: what offers no ear, or none before the looks are spent, becomes a fan."""
    rest = np.arange(len(points))
    triangles = []
    k = since_last = 0
    while len(rest) > 3 and looks_left >= len(rest) > since_last:
        looks_left -= len(rest) + LOOKS_PER_CALL
        k %= len(rest)
        corner = rest[[k - 1, k, (k + 1) % len(rest)]]
        if _is_ear(points[corner], points[rest]):
            triangles.append(corner)
            rest = np.delete(rest, k)
            k, since_last = k + (k < len(rest)), 0  # leave the neighbour for later: ears all around, not a fan
        else:
            k, since_last = k + 1, since_last + 1
    fan = fans(np.array([len(rest)]))[0]
    return np.concatenate([np.array(triangles, dtype=np.int64).reshape(-1, 3), rest[fan]]), looks_left


def _is_ear(corner: np.ndarray, others: np.ndarray) -> bool:
    a, b, c = corner
    if _side(a, b, c) <= 0:
        return False
    inside = others[(_side(a, b, others) >= 0) & (_side(b, c, others) >= 0) & (_side(c, a, others) >= 0)]
    # What is at a corner is the corner itself or another visit of its place: a hole's bridge.
    return bool((inside[:, None] == corner).all(axis=-1).any(axis=-1).all())


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Above 0 left of the line from a to b."""
    return (b[0] - a[0]) * (p[..., 1] - a[1]) - (b[1] - a[1]) * (p[..., 0] - a[0])


def _sweep(points: np.ndarray) -> np.ndarray | None:
    """[N, 2] counter-clockwise -> [N - 2, 3], none turned over; or None where the polygon crosses itself.

    A line goes over the corners from left to right, those above each other from the bottom to the top. Its way through
    the polygon is a number of gaps, each from a floor (an edge that leads right) to a ceiling (one that leads left).
    """
    ring = _Ring(points)
    ring.cut_spikes()
    gaps: list[_Gap] = []  # from the bottom to the top
    gap_of_end: dict[int, _Gap] = {}  # by the right end of its floor
    for _, kind, v in ring.corners_from_left():
        ring.passed[v] = True
        gap = gap_of_end.pop(v, None) or _Gap(v, ring.after[v], v)
        node_above = v
        if kind != FLOOR:
            place = _place(ring, gaps, v, gap.left if kind in (CLOSE, MERGE) else ring.after[v])
            if kind in (CLOSE, MERGE) and gaps[place : place + 1] != [gap]:
                return None
            if kind in (MERGE, CEILING, SPLIT):
                if place == 0 or ring.is_cut(gaps[place - 1].last):
                    return None
                below = gaps[place - 1]
                if kind == SPLIT:
                    node_above = ring.split(v, below.last)
                below.last = v
            if kind in (CLOSE, MERGE):
                del gaps[place]
            if kind in (OPEN, SPLIT):
                gaps.insert(place, gap)
        if kind in (FLOOR, OPEN, SPLIT):
            gap.left, gap.right, gap.last = node_above, ring.after[node_above], node_above
            gap_of_end[gap.right] = gap
        ring.cut_behind(v, is_last=kind == CLOSE)
        if kind == SPLIT:
            ring.cut_behind(node_above, is_last=False)
    return np.array(ring.triangles) if ring.is_used_up() else None


# How the line meets a corner, and in which order those of one place: gaps end, go on and begin.
CLOSE, MERGE, CEILING, FLOOR, SPLIT, OPEN = range(6)


@dataclass(eq=False, slots=True)
class _Gap:
    """Its floor's ends, and the corner last passed that is in the gap or at its rim: all nodes of the ring."""

    left: int
    right: int
    last: int


def _place(ring: _Ring, gaps: list[_Gap], v: int, other: int) -> int:
    """How many gaps have their floor below v or, where it goes through v, below another node that v has an edge to."""
    side = ring.side
    return bisect_left(gaps, True, key=lambda g: (side(g.left, g.right, v) or side(g.left, g.right, other)) <= 0)


class _Ring:
    """What is left of a polygon: rings of nodes, first one node for each corner.

    at: whole numbers, so that no side is ever mistaken. passed: the line has been there.
    """

    def __init__(self, points: np.ndarray) -> None:
        self.count = count = len(points)
        ratios = [x.as_integer_ratio() for x in points.ravel().tolist()]
        finest = max(steps for _, steps in ratios)
        whole = [number * (finest // steps) for number, steps in ratios]
        self.at = list(zip(whole[::2], whole[1::2], strict=True))
        self.corner = list(range(count))
        self.before = [count - 1, *range(count - 1)]
        self.after = [*range(1, count), 0]
        self.passed = [False] * count
        self.triangles: list[tuple[int, int, int]] = []

    def side(self, a: int, b: int, p: int) -> int:
        """Above 0 left of the line from a to b."""
        (ax, ay), (bx, by), (px, py) = self.at[a], self.at[b], self.at[p]
        return (bx - ax) * (py - ay) - (by - ay) * (px - ax)

    def corners_from_left(self) -> list[tuple[tuple[int, int], int, int]]:
        """Of all nodes where they are, how the line meets them, and which they are."""
        return sorted((self.at[v], self._kind(v), v) for v in range(len(self.at)) if not self.is_cut(v))

    def _kind(self, v: int) -> int:
        a, b = self.before[v], self.after[v]
        is_from_left, is_to_right = self.at[a] < self.at[v], self.at[v] < self.at[b]
        if is_from_left == is_to_right:
            return FLOOR if is_to_right else CEILING
        if self.side(a, v, b) > 0:
            return OPEN if is_to_right else CLOSE
        return SPLIT if is_to_right else MERGE

    def is_cut(self, v: int) -> bool:
        return self.after[v] < 0

    def cut(self, v: int) -> None:
        a, b = self.before[v], self.after[v]
        self.triangles.append((self.corner[a], self.corner[v], self.corner[b]))
        self.after[a], self.before[b], self.after[v] = b, a, -1

    def split(self, v: int, u: int) -> int:
        """Along the line from u to v: they stay in the ring that leads from v to u. Returns v's copy in the other."""
        u_copy, v_copy = len(self.at), len(self.at) + 1
        for node in u, v:
            self.at.append(self.at[node])
            self.corner.append(self.corner[node])
            self.passed.append(True)
        self.before += [self.before[u], u_copy]
        self.after += [v_copy, self.after[v]]
        self.after[self.before[u]], self.before[self.after[v]] = u_copy, v_copy
        self.after[v], self.before[u] = u, v
        return v_copy

    def is_used_up(self) -> bool:
        """Then the areas of the triangles sum up to the polygon's."""
        are_flat = all(self.is_cut(v) or self.after[self.after[v]] == v for v in range(len(self.at)))
        return are_flat and len(self.triangles) == self.count - 2  # no split has joined two rings

    def cut_spikes(self) -> None:
        """Without corners where the way goes back on itself, or stays, no corner is both convex and reflex."""
        nodes = list(range(len(self.at)))
        while nodes:
            v = nodes.pop()
            a, b = self.before[v], self.after[v]
            if not self.is_cut(v) and a != b and self._is_spike(a, v, b):
                self.cut(v)
                nodes += [a, b]

    def _is_spike(self, a: int, v: int, b: int) -> bool:
        at_a, at_v, at_b = self.at[a], self.at[v], self.at[b]
        return self.side(a, v, b) == 0 and not (at_a < at_v < at_b or at_a > at_v > at_b)

    def cut_behind(self, v: int, *, is_last: bool) -> None:
        """Cut off, on both sides of v, what was passed and v can see. Where v is the last, no area is left behind."""
        before, after, passed = self.before, self.after, self.passed
        while passed[b := before[v]] and passed[a := before[b]] and a != v and self._is_seen(a, b, v, is_last):
            self.cut(b)
        while passed[a := after[v]] and passed[b := after[a]] and b != v and self._is_seen(v, a, b, is_last):
            self.cut(a)

    def _is_seen(self, a: int, v: int, b: int, is_last: bool) -> bool:
        side = self.side(a, v, b)
        return side > 0 or (side == 0 and (is_last or self._is_spike(a, v, b)))
