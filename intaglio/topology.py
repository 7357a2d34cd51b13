# SPDX-License-Identifier: MIT
"""Which triangle lies across each edge, and which edges there are: integer tables, built once per topology."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import from_numpy, to_numpy

__all__ = ["coinciding", "edge_ends", "edges", "neighbours"]

NO_TRIANGLE = -1


def neighbours(triangles: Any, positions: Any = None) -> Any:
    """The triangle across each edge of each triangle.

    Args:
        triangles: [F, 3] or [B, F, 3] integers, vertex indices.
        positions: [V, 3] or [B, V, 3], optional, not differentiated. Vertices whose positions are equal bit for bit (in
            every mesh of the batch) count as one, so that the seam of a uv map or of a crease is not a border.

    Returns:
        [F, 3] (or [B, F, 3]) int32 in the framework of `triangles`. Column k belongs to the edge from vertex k to
        vertex (k + 1) mod 3 and holds the triangle on its other side, or -1 where there is none: at a border, at an
        edge of more than two triangles, and all around a triangle that uses one vertex twice, which has no inside.

    Raises:
        ValueError: `triangles` or `positions` has the wrong shape, or an index is out of range.

    Example:
        >>> neighbours([[0, 1, 2], [2, 1, 3]]).tolist()
        [[-1, 1, -1], [0, -1, -1]]

    One sort of packed (smaller, larger) vertex pairs: edges that two triangles share come to lie side by side.
    """
    vertices = _triangles(to_numpy(triangles), "neighbours")
    batch_shape, num_faces = vertices.shape[:-2], vertices.shape[-2]
    num_vertices = int(vertices.max(initial=-1)) + 1
    if positions is not None:
        welded = _weld(to_numpy(positions), num_vertices)
        vertices, num_vertices = welded[vertices], welded.size
    if batch_shape:  # meshes of a batch share no vertex
        vertices = vertices + num_vertices * np.arange(batch_shape[0], dtype=np.int64)[:, None, None]
        num_vertices *= batch_shape[0]
    table = _pair_up(vertices.reshape(-1, 3), num_vertices).reshape(*batch_shape, num_faces, 3)
    if batch_shape:
        first_face = num_faces * np.arange(batch_shape[0], dtype=np.int64)[:, None, None]
        table = np.where(table >= 0, table - first_face, NO_TRIANGLE)
    return from_numpy(table.astype(np.int32), like=triangles)


def edges(triangles: Any) -> Any:
    """Every edge of a mesh once.

    Args:
        triangles: [F, 3] integers, vertex indices.

    Returns:
        [E, 2] int32 in the framework of `triangles`: vertex indices, the smaller first, in ascending order. An edge
        from a vertex to itself is left out.

    Raises:
        ValueError: `triangles` has the wrong shape, or an index is negative.

    Example:
        >>> edges([[0, 1, 2], [2, 1, 3]]).tolist()
        [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    """
    vertices = _triangles(to_numpy(triangles), "edges").reshape(-1, 3)
    num_vertices = max(int(vertices.max(initial=0)) + 1, 1)
    keys = np.sort(_edge_keys(vertices, num_vertices))  # numpy.unique takes 15 times as long
    keys = keys[np.diff(keys, prepend=-1) > 0]
    pairs = np.stack([keys // num_vertices, keys % num_vertices], axis=-1)
    return from_numpy(pairs[pairs[:, 0] != pairs[:, 1]].astype(np.int32), like=triangles)


def edge_ends(triangles: Any, num_vertices: int) -> tuple[Any, Any]:
    """The vertices that each vertex shares an edge with, one after another: what `ops.smooth` runs along.

    Args:
        triangles: [F, 3] integers, vertex indices.
        num_vertices: V; more than the highest index.

    Returns:
        starts [V + 1] and ends [2 E], int32 in the framework of `triangles`: ends[starts[v]:starts[v + 1]] are the
        neighbours of vertex v, in ascending order.

    Raises:
        ValueError: `triangles` has the wrong shape, or an index is out of range.

    Example:
        >>> [table.tolist() for table in edge_ends([[0, 1, 2]], 4)]
        [[0, 2, 4, 6, 6], [1, 2, 0, 2, 0, 1]]
    """
    pairs = edges(to_numpy(triangles))
    if pairs.size and pairs.max() >= num_vertices:
        raise ValueError(f"edge_ends: triangles must index {num_vertices} vertices; got {pairs.max()}")
    both_ways = np.concatenate([pairs, pairs[:, ::-1]])
    both_ways = both_ways[np.lexsort((both_ways[:, 1], both_ways[:, 0]))]
    starts = np.searchsorted(both_ways[:, 0], np.arange(num_vertices + 1)).astype(np.int32)
    return from_numpy(starts, like=triangles), from_numpy(both_ways[:, 1].copy(), like=triangles)


def _triangles(vertices: np.ndarray, op: str) -> np.ndarray:
    shape_is_right = vertices.ndim in (2, 3) and vertices.shape[-1] == 3
    if vertices.size == 0 and shape_is_right:
        return vertices.astype(np.int64)
    if not shape_is_right or vertices.dtype.kind not in "iu":
        got = f"{list(vertices.shape)} {vertices.dtype}"
        raise ValueError(f"{op}: triangles must be [F, 3] or [B, F, 3] integers; got {got}")
    if vertices.min() < 0:
        raise ValueError(f"{op}: triangles must hold vertex indices from 0 on; got {vertices.min()}")
    return vertices.astype(np.int64)


def _edge_keys(vertices: np.ndarray, num_vertices: int) -> np.ndarray:
    """[F, 3] vertices -> [F * 3] one integer per edge, the same for both directions."""
    start, end = vertices, vertices[:, [1, 2, 0]]
    return (np.minimum(start, end) * num_vertices + np.maximum(start, end)).ravel()


def _pair_up(vertices: np.ndarray, num_vertices: int) -> np.ndarray:
    """[F, 3] vertices -> [F, 3] neighbours, int64."""
    keys = _edge_keys(vertices, num_vertices)
    has_inside = (vertices != vertices[:, [1, 2, 0]]).all(axis=1)
    corners = np.flatnonzero(np.repeat(has_inside, 3))  # edge 3 f + k is edge k of triangle f
    order = corners[np.argsort(keys[corners])]
    same_as_next = np.zeros(order.size + 1, dtype=bool)  # [e]: edge e - 1 and edge e have one key
    same_as_next[1:-1] = keys[order[1:]] == keys[order[:-1]]
    joined, before, after = same_as_next[1:-1], same_as_next[:-2], same_as_next[2:]
    first = np.flatnonzero(joined & ~before & ~after)  # runs of exactly two
    one, other = order[first], order[first + 1]
    table = np.full(vertices.size, NO_TRIANGLE, dtype=np.int64)
    table[one], table[other] = other // 3, one // 3
    return table.reshape(-1, 3)


def _weld(positions: np.ndarray, num_vertices: int) -> np.ndarray:
    """[V] index of one vertex of each group of vertices that coincide."""
    if positions.ndim not in (2, 3) or positions.shape[-1] != 3:
        raise ValueError(f"neighbours: positions must be [V, 3] or [B, V, 3]; got {list(positions.shape)}")
    if positions.shape[-2] < num_vertices:
        got = f"index {num_vertices - 1} for {positions.shape[-2]} vertices"
        raise ValueError(f"neighbours: triangles must index positions; got {got}")
    return coinciding(positions)


def coinciding(rows: np.ndarray) -> np.ndarray:
    """[N, C] or [B, N, C] -> [N]: the index of one row of each group that is equal bit for bit (in all of a batch)."""
    if rows.ndim == 3:
        rows = rows.transpose(1, 0, 2).reshape(rows.shape[1], rows.shape[0] * rows.shape[2])
    rows = rows + 0.0  # -0 and 0 are one place
    order = np.lexsort(rows.T)
    ordered = rows[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    welded = np.empty(len(order), dtype=np.int64)
    welded[order] = order[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    return welded
