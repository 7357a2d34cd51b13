# SPDX-License-Identifier: MIT
"""The matrices that cameras are made of, in any framework. A matrix is named target_from_source."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import as_float_array, leader, like, namespace

__all__ = ["VIEW_FROM_OPENCV", "beside", "float64", "product", "rigid", "scaled", "transformed", "z_row_perspective"]

# OpenCV's view looks down +z with y down.
VIEW_FROM_OPENCV = np.diag([1.0, -1.0, -1.0])


def rigid(rotation: Any, translation: Any) -> Any:
    """[3, 3] or [B, 3, 3], [3] or [B, 3] -> [4, 4] or [B, 4, 4]."""
    xp = namespace(rotation)
    if translation.ndim == rotation.ndim:
        rotation = xp.broadcast_to(rotation, (translation.shape[0], 3, 3))
    top = xp.concat([rotation, xp.broadcast_to(translation, rotation.shape[:-1])[..., None]], axis=-1)
    last = xp.broadcast_to(like(np.array([[0.0, 0, 0, 1]]), top), (*top.shape[:-2], 1, 4))
    return xp.concat([top, last], axis=-2)


def float64(x: Any) -> Any:
    """Numbers and lists in double precision; numbers stay numbers, arrays of a framework what they are."""
    return float(x) if isinstance(x, (int, float)) else as_float_array(x, np.float64)


def beside(constant: np.ndarray, other: Any) -> Any:
    """A constant to compute with beside an array; NumPy's stay as they are, whose dtype torch.compile cannot trace."""
    return constant if namespace(other) is namespace(0) else like(constant, other)


def product(a: Any, b: Any) -> Any:
    """Matrix product of matrices that may belong to different frameworks."""
    lead = leader(a, b)
    return a @ b if namespace(lead) is namespace(0) else like(a, lead) @ like(b, lead)


def transformed(matrix: Any, pos: Any) -> Any:
    """[4, 4] or [B, 4, 4] times [V, 3] or [B, V, 3] -> [..., V, 4]."""
    matrix = like(matrix, pos)
    batches = {x.shape[0] for x in (matrix, pos) if x.ndim == 3} - {1}
    if len(batches) > 1:
        raise ValueError(
            f"Camera: batch must be that of the mesh; got {matrix.shape[0]} cameras for {pos.shape[0]} meshes"
        )
    columns = namespace(matrix).matrix_transpose(matrix)
    return pos @ columns[..., :3, :] + columns[..., 3:, :]


def scaled(scale: Any, per_scale: np.ndarray, rest: np.ndarray) -> Any:
    """scale * per_scale + rest: a number, [] or [B] -> [4, 4] or [B, 4, 4]."""
    if isinstance(scale, float):
        return scale * per_scale + rest
    return scale[..., None, None] * like(per_scale, scale) + like(rest, scale)


def z_row_perspective(near: float, far: float) -> tuple[float, float, float, float]:
    """z_clip = -w at the near plane, +w at the far plane."""
    return 0.0, 0.0, -(far + near) / (far - near), -2 * far * near / (far - near)
