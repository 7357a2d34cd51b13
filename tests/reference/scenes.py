# SPDX-License-Identifier: MIT
"""Meshes and random scenes that several tests share. Built here so that the tests need nothing above the ops."""

from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Shape(NamedTuple):
    """vertices [V,3] float64, triangles [F,3] int32, counter-clockwise seen from outside."""

    vertices: Array
    triangles: Array


def icosphere(level: int) -> Shape:
    """Unit sphere of 20 * 4**level triangles."""
    golden = (1 + 5**0.5) / 2
    vertices = [
        (-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0),
        (0, -1, golden), (0, 1, golden), (0, -1, -golden), (0, 1, -golden),
        (golden, 0, -1), (golden, 0, 1), (-golden, 0, -1), (-golden, 0, 1),
    ]  # fmt: skip
    triangles = np.array([
        (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6),
        (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7),
        (9, 8, 1),
    ])  # fmt: skip
    points = np.array(vertices, dtype=np.float64)
    for _ in range(level):
        edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
        unique, inverse = np.unique(edges, axis=0, return_inverse=True)
        middle = len(points) + inverse.reshape(3, -1).T  # [F,3]: middle of edges 01, 12, 20
        points = np.concatenate([points, points[unique].mean(axis=1)])
        a, b, c = triangles.T
        ab, bc, ca = middle.T
        triangles = np.concatenate([np.stack(t, axis=1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return Shape(points, triangles.astype(np.int32))


def grid(num_cells: int, half_side: float = 1.0) -> Shape:
    """Square in the plane z = 0, facing +z, of 2 * num_cells**2 triangles."""
    ticks = np.linspace(-half_side, half_side, num_cells + 1)
    x, y = np.meshgrid(ticks, ticks)
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    corner = (np.arange(num_cells)[:, None] * (num_cells + 1) + np.arange(num_cells)[None, :]).ravel()
    right, above, across = corner + 1, corner + num_cells + 1, corner + num_cells + 2
    triangles = np.concatenate([np.stack([corner, right, across], 1), np.stack([corner, across, above], 1)])
    return Shape(vertices, triangles.astype(np.int32))


def cube() -> Shape:
    """Cube of side 2 with 8 shared vertices."""
    vertices = np.array([(x, y, z) for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], dtype=np.float64)
    quads = [(4, 5, 7, 6), (1, 0, 2, 3), (5, 1, 3, 7), (0, 4, 6, 2), (6, 7, 3, 2), (0, 1, 5, 4)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Shape(vertices, np.array(triangles, dtype=np.int32))


def join(*shapes: Shape) -> Shape:
    """One mesh of several, in this order."""
    offsets = np.cumsum([0] + [len(s.vertices) for s in shapes[:-1]])
    triangles = np.concatenate([s.triangles + offset for s, offset in zip(shapes, offsets, strict=True)])
    return Shape(np.concatenate([s.vertices for s in shapes]), triangles.astype(np.int32))


def rotation(axis: Array, angle: float) -> Array:
    """[3,3], right-handed (Rodrigues)."""
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew


def orthographic(size: tuple[int, int], depth_range: float) -> Array:
    """clip_from_pixels [4,4]: x, y in pixels from the image centre, y up, z towards the viewer in +-depth_range."""
    height, width = size
    return np.diag([2 / width, 2 / height, -1 / depth_range, 1.0])


def perspective(focal: float, near: float = 0.1, far: float = 100.0, aspect: float = 1.0) -> Array:
    """clip_from_view [4,4], OpenGL's: the camera looks down -z; focal = 1 / tan(fov_y / 2)."""
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = focal / aspect, focal
    matrix[2, 2], matrix[2, 3] = -(far + near) / (far - near), -2 * far * near / (far - near)
    matrix[3, 2] = -1
    return matrix


def project(matrix: Array, vertices: Array) -> Array:
    """[4,4], [V,3] -> pos_clip [1,V,4]."""
    homogeneous = np.concatenate([vertices, np.ones((len(vertices), 1))], axis=1)
    return (homogeneous @ matrix.T)[None]


def random_triangles(
    rng: np.random.Generator, batch: int, num_triangles: int, spread: float = 1.3
) -> tuple[Array, Array]:
    """pos_clip [B,3F,4] and triangles [F,3]: unconnected triangles of every size before the camera, w in [0.5, 3]."""
    centre = rng.uniform(-spread, spread, (batch, num_triangles, 1, 2))
    radius = np.exp(rng.uniform(np.log(0.02), np.log(1.5), (batch, num_triangles, 1, 1)))
    ndc = centre + radius * rng.normal(size=(batch, num_triangles, 3, 2))
    depth = rng.uniform(-0.95, 0.95, (batch, num_triangles, 3, 1))
    w = np.exp(rng.uniform(np.log(0.5), np.log(3), (batch, num_triangles, 3, 1)))
    pos_clip = np.concatenate([ndc * w, depth * w, w], axis=-1).reshape(batch, -1, 4)
    return pos_clip, np.arange(3 * num_triangles, dtype=np.int32).reshape(-1, 3)


def random_crossing_triangles(rng: np.random.Generator, batch: int, num_triangles: int) -> tuple[Array, Array]:
    """The same, seen by a camera in their midst: corners behind the eye (w <= 0), through the near plane, beyond."""
    view = rng.normal(size=(batch, num_triangles * 3, 3)) * [2, 2, 3]
    homogeneous = np.concatenate([view, np.ones((*view.shape[:2], 1))], axis=-1)
    pos_clip = homogeneous @ perspective(1.0, near=0.1, far=6.0).T
    return pos_clip, np.arange(3 * num_triangles, dtype=np.int32).reshape(-1, 3)
