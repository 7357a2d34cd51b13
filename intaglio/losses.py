# SPDX-License-Identifier: MIT
"""Losses: scalars to minimise, differentiable in their first argument; of a batch, the mean of its meshes or images.

The losses of a mesh visit the corners and sides of its triangles, so that they need no list of edges: a side that two
triangles share is visited from both, one at a border once.
"""

from __future__ import annotations

import math
from typing import Any

from . import ops
from .array import from_numpy, like, namespace, to_numpy, unit
from .mesh import corner_positions, face_normals
from .topology import neighbours as find_neighbours

__all__ = ["edge_length", "laplacian", "normal_consistency", "silhouette_iou", "squared_error"]


def squared_error(image: Any, target: Any) -> Any:
    """Sum of (image - target)^2 over all pixels and channels, as the renderer of 2018 has it; no mean.

    Args:
        image, target: the same shape; `target` may be NumPy's.

    Raises:
        ValueError: the shapes differ.
    """
    return ops.squared_error(image, _target("squared_error", "image", image, target))


def silhouette_iou(alpha: Any, target: Any) -> Any:
    """1 - intersection / union of two silhouettes: 0 where they agree, 1 where they have nothing in common.

    Args:
        alpha: [H, W] or [B, H, W], from 0 to 1, differentiable.
        target: the same shape; may be NumPy's.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> float(silhouette_iou(np.array([[1.0, 1, 0]]), np.array([[0.0, 1, 1]])))  # one pixel of three
        0.6666666666666667

    Kato et al., Neural 3D Mesh Renderer, CVPR 2018, eq. 5. Two empty silhouettes agree.
    """
    target = _target("silhouette_iou", "alpha", alpha, target)
    xp = namespace(alpha)
    both = alpha * target
    intersection = xp.sum(both, axis=(-2, -1))
    union = xp.sum(alpha + target - both, axis=(-2, -1))
    nothing = union <= 0
    iou = xp.where(nothing, xp.ones_like(union), intersection / xp.where(nothing, xp.ones_like(union), union))
    return xp.mean(1 - iou)


def laplacian(vertices: Any, triangles: Any) -> Any:
    """How far vertices lie from the middle of their neighbours: mean over vertices of the squared distance.

    Args:
        vertices: [V, 3] or [B, V, 3], differentiable.
        triangles: [F, 3] integers.

    At a border the neighbours along it weigh half. A vertex without triangles counts as 0.
    """
    xp, corners = namespace(vertices), _corner_index(vertices, triangles)
    first, second, third = corner_positions(vertices, corners)
    face_sums = first + second + third
    around = xp.index_sum(xp.concat([face_sums] * 3, axis=-2), corners, vertices.shape[-2])
    num_faces = xp.index_sum(xp.ones_like(xp.take(vertices[..., :1], corners, axis=-2)), corners, vertices.shape[-2])
    # Each face around a vertex adds the vertex itself and two neighbours; without faces, 0.
    neighbour_sum = around - num_faces * vertices
    offset = neighbour_sum / xp.maximum(2 * num_faces, 1) - xp.where(num_faces > 0, vertices, xp.zeros_like(vertices))
    return _mean_of_squares(offset)


def normal_consistency(vertices: Any, triangles: Any, neighbours: Any = None) -> Any:
    """How much the surface bends at its edges: mean of 1 - cosine of the angle between the normals on both sides.

    Args:
        vertices: [V, 3] or [B, V, 3], differentiable.
        triangles: [F, 3] integers.
        neighbours: [F, 3] as of `Mesh.neighbours`; built on every call where not given.

    Borders do not count.
    """
    xp = namespace(vertices)
    if neighbours is None:
        neighbours = from_numpy(find_neighbours(to_numpy(triangles), to_numpy(vertices)), like=vertices)
    normals = unit(face_normals(vertices, _corner_index(vertices, triangles)))
    table = _columns(vertices, neighbours)
    across = xp.take(normals, xp.index_array(xp.maximum(table, 0)), axis=-2)
    cosine = xp.sum(across * xp.concat([normals] * 3, axis=-2), axis=-1)
    is_edge = like(table >= 0, vertices)
    return xp.sum((1 - cosine) * is_edge) / xp.maximum(xp.sum(xp.ones_like(cosine) * is_edge), 1)


def edge_length(vertices: Any, triangles: Any, target: float = 0.0) -> Any:
    """Mean over the sides of all triangles of (length - target)^2.

    Args:
        vertices: [V, 3] or [B, V, 3], differentiable; where a side has no length, with gradient 0.
        triangles: [F, 3] integers.
        target: the length that sides are drawn to.
    """
    xp = namespace(vertices)
    first, second, third = corner_positions(vertices, _corner_index(vertices, triangles))
    side = xp.concat([second - first, third - second, first - third], axis=-2)
    if target == 0:
        return _mean_of_squares(side)
    squared = xp.sum(side * side, axis=-1, keepdims=True)
    has_length = squared > 0
    length = xp.where(has_length, xp.sqrt(xp.where(has_length, squared, xp.ones_like(squared))), squared)
    return _mean_of_squares(length - target)


def _target(op: str, name: str, image: Any, target: Any) -> Any:
    if tuple(image.shape) != tuple(target.shape):
        got = f"{list(target.shape)} for {list(image.shape)}"
        raise ValueError(f"{op}: target must have the shape of {name}; got {got}")
    return like(target, image)


def _columns(vertices: Any, table: Any) -> Any:
    """[F, 3] -> [3 * F], column by column, in the framework of `vertices`."""
    table = table if namespace(table) is namespace(vertices) else from_numpy(to_numpy(table), like=vertices)
    return namespace(table).reshape(namespace(table).permute_dims(table, (1, 0)), (-1,))


def _corner_index(vertices: Any, triangles: Any) -> Any:
    return namespace(vertices).index_array(_columns(vertices, triangles))


def _mean_of_squares(rows: Any) -> Any:
    """Mean over all rows [..., C] of their squared lengths; 0 where there are none."""
    return namespace(rows).sum(rows * rows) / max(math.prod(rows.shape[:-1]), 1)
