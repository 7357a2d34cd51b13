# SPDX-License-Identifier: MIT
"""A matrix from the world to pixels, made one to OpenGL's clip space."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import as_float_array, cross, like, namespace, unit
from .projections import Size

__all__ = ["clip_from_pixels", "ndc_from_pixels"]


def ndc_from_pixels(image_size: Size) -> np.ndarray:
    """[3, 3] of (column, row, 1), integers at the pixels' centres."""
    height, width = image_size
    return np.array([[2 / width, 0, 1 / width - 1], [0, -2 / height, 1 - 1 / height], [0, 0, 1]])


def clip_from_pixels(P: Any, image_size: Size, near: float, far: float, in_front: Any) -> Any:
    """[3, 4] or [B, 3, 4] -> [4, 4] or [B, 4, 4]. P is scaled so that w is the depth, 1 of parallel rays.

    Hartley & Zisserman, Multiple View Geometry, 2nd ed., equation 6.15: the depth of X is sign(det M) w / |m3| where
    P = (M | p4) and m3 is the last row of M, if its axes have the hand of the world's.
    """
    P = as_float_array(P, np.float64)
    xp, (m1, m2, m3), p34 = namespace(P), (P[..., k, :3] for k in range(3)), P[..., 2, 3:]
    squared = xp.sum(m3 * m3, axis=-1, keepdims=True)
    is_parallel, sideways = squared == 0, cross(m1, m2)
    if in_front is None:
        sided = xp.where(is_parallel, p34, xp.sum(sideways * m3, axis=-1, keepdims=True))
    else:
        sided = xp.sum(m3 * like(in_front, P), axis=-1, keepdims=True) + p34
    sign = xp.where(sided < 0, -xp.ones_like(sided), xp.ones_like(sided))
    length = sign * xp.sqrt(xp.where(is_parallel, xp.ones_like(squared), squared))
    P = P / xp.where(is_parallel, p34, length)[..., None]
    # Depth is w where rays meet; where they are parallel it grows across columns and rows, x right and y down.
    span, one = far - near, like(np.array([0.0, 0, 0, 1]), P)
    along = xp.concat([unit(sideways), xp.zeros_like(p34)], axis=-1)
    z_meeting = P[..., 2, :] * ((far + near) / span) - one * (2 * far * near / span)
    z_parallel = along * (2 / span) - one * ((far + near) / span)
    xyw = like(ndc_from_pixels(image_size), P) @ P
    z = xp.where(is_parallel, z_parallel, z_meeting)[..., None, :]
    return xp.concat([xyw[..., :2, :], z, xyw[..., 2:, :]], axis=-2)
