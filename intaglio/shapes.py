# SPDX-License-Identifier: MIT
"""Meshes made from a few numbers: y up, counter-clockwise seen from outside, without duplicate vertices."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .mesh import Mesh

__all__ = ["cube", "icosphere", "plane", "sphere", "teapot", "torus"]

TEAPOT_TILES = (8, 4)  # across and down, of its uv
TEAPOT_PATCHES = Path(__file__).parent / "data" / "teapot_patches.txt"


def teapot(subdivisions: int = 6, *, tiled: bool = False) -> Mesh:
    """Martin Newell's teapot, the spout towards +x, standing on y = 0: about 70 subdivisions^2 triangles.

    Body, lid, handle and spout are four surfaces that pass through one another; each is open where it meets another,
    and nowhere else.

    Other arguments:
        tiled: with uv, by which a texture lies over the 32 patches in four rows of eight tiles.

    Example:
        >>> teapot()
        Mesh(1177 vertices, 2256 triangles, numpy)

    M. Newell, The Utilization of Procedure Models in Digital Image Synthesis, PhD thesis, University of Utah, 1975.
    """
    _check_count("teapot", "subdivisions", subdivisions, 1)
    corners = _teapot_patches()  # [32, 4, 4, 3]
    t = np.linspace(0, 1, subdivisions + 1)
    bernstein = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=-1)  # [n, 4]
    points = np.einsum("ui,vj,pijk->puvk", bernstein, bernstein, corners)
    # Patches share the control points of their borders, but in another order: equal but for rounding.
    _, first, welded = np.unique(points.reshape(-1, 3).round(9) + 0.0, axis=0, return_index=True, return_inverse=True)
    grid = _grid_triangles(subdivisions, subdivisions)[:, ::-1]  # the patches are numbered to be seen from inside
    offsets = np.arange(len(corners))[:, None, None] * (subdivisions + 1) ** 2
    uv_triangles = (grid + offsets).reshape(-1, 3)
    triangles = welded.ravel()[uv_triangles]
    z_up = points.reshape(-1, 3)[first]
    vertices = np.stack([z_up[:, 0], z_up[:, 2], -z_up[:, 1]], axis=-1)
    proper = _has_three_corners(triangles)
    if not tiled:
        return _mesh(vertices, triangles[proper])
    tile = np.stack(np.divmod(np.arange(len(corners)), TEAPOT_TILES[0])[::-1], axis=-1)  # [32, 2] column, row
    uv = (tile[:, None] + _grid_uv(subdivisions, subdivisions)[:, ::-1]) / TEAPOT_TILES
    return _mesh(vertices, triangles[proper], uv.reshape(-1, 2), uv_triangles[proper])


def sphere(segments: int = 32, rings: int = 16) -> Mesh:
    """The unit sphere by longitude and latitude, its uv a map of the world: 2 segments (rings - 1) triangles."""
    _check_count("sphere", "segments", segments, 3)
    _check_count("sphere", "rings", rings, 2)
    uv = _grid_uv(rings, segments)
    longitude, polar = 2 * np.pi * uv[:, 0], np.pi * uv[:, 1]
    vertices = np.stack([np.sin(polar) * np.sin(longitude), np.cos(polar), np.sin(polar) * np.cos(longitude)], axis=-1)
    row, column = np.divmod(np.arange(len(uv)), segments + 1)
    first_of_row = np.where((row == 0) | (row == rings), 0, column % segments) + row * (segments + 1)
    return _welded_grid(vertices, first_of_row, uv, _grid_triangles(rings, segments))


def icosphere(level: int = 3) -> Mesh:
    """The unit sphere as an icosahedron cut finer `level` times: 20 * 4^level triangles of about one size."""
    _check_count("icosphere", "level", level, 0)
    golden = (1 + 5**0.5) / 2
    rectangle = np.array([[s, t * golden, 0] for t in (1, -1) for s in (-1, 1)])
    vertices = np.concatenate([np.roll(rectangle, k, axis=1) for k in range(3)])
    distance = np.linalg.norm(vertices[:, None] - vertices, axis=-1)
    near = np.isclose(distance, 2)
    triangles = np.array(
        [(a, b, c) for a in range(12) for b in range(a) for c in range(b) if near[a, b] & near[b, c] & near[c, a]]
    )
    outward = np.linalg.det(vertices[triangles]) > 0
    triangles = np.where(outward[:, None], triangles, triangles[:, ::-1])
    for _ in range(level):
        vertices, triangles = _quartered(vertices / np.linalg.norm(vertices, axis=-1, keepdims=True), triangles)
    return _mesh(vertices / np.linalg.norm(vertices, axis=-1, keepdims=True), triangles)


def cube() -> Mesh:
    """The cube from -1 to 1: 8 vertices, 12 triangles; each side shows the whole texture upright."""
    sides = []
    for right, up in (((0, 0, -1), (0, 1, 0)), ((0, 0, 1), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)),
                      ((1, 0, 0), (0, 0, 1)), ((1, 0, 0), (0, 1, 0)), ((-1, 0, 0), (0, 1, 0))):  # fmt: skip
        x, y = np.array(right), np.array(up)
        sides.append(np.cross(x, y) + np.array([y - x, y + x, -y - x, -y + x]))  # in the order of a grid of 2 x 2
    corners = (np.stack(sides) > 0) @ [4, 2, 1]  # [6, 4] vertex index: its signs in binary
    vertices = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    grid = _grid_triangles(1, 1)
    return _mesh(vertices, corners[:, grid].reshape(-1, 3), _grid_uv(1, 1), np.tile(grid, (6, 1)))


def plane(subdivisions: int = 1) -> Mesh:
    """The square from -1 to 1 in x and y, at z = 0, seen from +z: 2 subdivisions^2 triangles, the texture upright."""
    _check_count("plane", "subdivisions", subdivisions, 1)
    uv = _grid_uv(subdivisions, subdivisions)
    vertices = np.stack([2 * uv[:, 0] - 1, 1 - 2 * uv[:, 1], np.zeros(len(uv))], axis=-1)
    triangles = _grid_triangles(subdivisions, subdivisions)
    return _mesh(vertices, triangles, uv, triangles)


def torus(tube_radius: float = 0.4, segments: int = 48, tube_segments: int = 24) -> Mesh:
    """A ring of radius 1 about the y axis: 2 segments tube_segments triangles."""
    _check_count("torus", "segments", segments, 3)
    _check_count("torus", "tube_segments", tube_segments, 3)
    if not 0 < tube_radius < 1:
        raise ValueError(f"torus: tube_radius must lie between 0 and 1; got {tube_radius}")
    uv = _grid_uv(tube_segments, segments)
    around, tube = 2 * np.pi * uv[:, 0], np.pi - 2 * np.pi * uv[:, 1]
    radius = 1 + tube_radius * np.cos(tube)
    vertices = np.stack([radius * np.sin(around), tube_radius * np.sin(tube), radius * np.cos(around)], axis=-1)
    row, column = np.divmod(np.arange(len(uv)), segments + 1)
    first_of_ring = row % tube_segments * (segments + 1) + column % segments
    return _welded_grid(vertices, first_of_ring, uv, _grid_triangles(tube_segments, segments))


def _teapot_patches() -> np.ndarray:
    """[32, 4, 4, 3] control points, z up."""
    lines = [line.split() for line in TEAPOT_PATCHES.read_text(encoding="ascii").splitlines()]
    points = np.array([[float(x) for x in line[1:]] for line in lines if line[0] == "v"])
    patches = np.array([[int(i) for i in line[1:]] for line in lines if line[0] == "p"])
    return points[patches].reshape(-1, 4, 4, 3)


def _grid_uv(rows: int, columns: int) -> np.ndarray:
    """[(rows + 1) * (columns + 1), 2] texture coordinates, row by row from the top left."""
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1), indexing="ij")
    return np.stack([u.ravel(), v.ravel()], axis=-1)


def _grid_triangles(rows: int, columns: int) -> np.ndarray:
    """[2 * rows * columns, 3] triangles of such a grid, counter-clockwise where rows go down and columns right."""
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    top_left, top_right, low_left, low_right = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    pairs = [np.stack([top_left, low_left, low_right], -1), np.stack([top_left, low_right, top_right], -1)]
    return np.stack(pairs, axis=2).reshape(-1, 3)


def _welded_grid(vertices: np.ndarray, same_as: np.ndarray, uv: np.ndarray, uv_triangles: np.ndarray) -> Mesh:
    """The mesh of a grid whose point i coincides with point `same_as[i]`; uv keep the grid's own indices."""
    kept, welded = np.unique(same_as, return_inverse=True)
    triangles = welded.ravel()[uv_triangles]
    proper = _has_three_corners(triangles)
    return _mesh(vertices[kept], triangles[proper], uv, uv_triangles[proper])


def _has_three_corners(triangles: np.ndarray) -> np.ndarray:
    return (triangles != np.roll(triangles, 1, axis=1)).all(axis=1)


def _quartered(vertices: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every triangle cut into four at the middles of its edges, which neighbours share."""
    sides = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], axis=-1), axis=-1)  # [F, 3, 2]
    keys, middle = np.unique(sides @ [len(vertices), 1], return_inverse=True)
    ends = np.stack(np.divmod(keys, len(vertices)), axis=-1)
    a, b, c = triangles.T
    ab, bc, ca = (middle.reshape(-1, 3) + len(vertices)).T
    quarters = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=-1).reshape(-1, 3)
    return np.concatenate([vertices, vertices[ends].mean(axis=1)]), quarters


def _mesh(
    vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray | None = None, uv_triangles: np.ndarray | None = None
) -> Mesh:
    if uv is not None:
        uv = uv.astype(np.float32)
    return Mesh(vertices.astype(np.float32), triangles.astype(np.int32), uv=uv, uv_triangles=uv_triangles)


def _check_count(shape: str, name: str, count: int, lowest: int) -> None:
    if not isinstance(count, int | np.integer) or count < lowest:
        raise ValueError(f"{shape}: {name} must be an integer from {lowest} on; got {count}")
