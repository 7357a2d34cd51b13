# SPDX-License-Identifier: MIT
"""Lines of sight, read off a matrix from the world to clip space: whence it looks, and along which rays.

A pixel fixes x / w and y / w; what projects there is the null space of two combinations of the matrix' rows x, y and w,
which their cross products span. Nothing is inverted, so that parallel rays, whose eye is nowhere, need no other way.

Hartley & Zisserman, Multiple View Geometry, 2nd ed., sections 6.2.1 (the camera's centre) and 6.2.2 (back-projection).
"""

from __future__ import annotations

from typing import Any

from ..array import cross, namespace, unit
from .projections import Size

__all__ = ["adjugate", "eye_of", "in_world", "pixel_centres", "pixel_rays", "ray_basis", "through_pixels"]


def eye_of(rows: Any, forward: Any) -> Any:
    """[..., 3, 4] rows x, y, w -> [..., 4]: (eye, 1); (unit direction towards the viewer, 0) where rays are parallel.

    forward: [..., 3], a direction along which the depth grows. It tells the ends of parallel rays apart.
    """
    xp = namespace(rows)
    (columns, det), parallel = adjugate(rows[..., :3]), _is_parallel(rows)
    at_eye = (columns @ rows[..., 3:])[..., 0] / -xp.where(parallel, xp.ones_like(det), det)
    towards = unit(columns[..., 2] * _sign(-xp.sum(columns[..., 2] * forward, axis=-1, keepdims=True)))
    w = xp.where(parallel, xp.zeros_like(det), xp.ones_like(det))
    return xp.concat([xp.where(parallel, towards, at_eye), w], axis=-1)


def ray_basis(rows: Any, forward: Any) -> Any:
    """[..., 3, 4] rows x, y, w -> [..., 3, 3], which makes of (x, y, 1), ndc, a direction away from the viewer."""
    xp = namespace(rows)
    columns, det = adjugate(rows[..., :3])
    along = _sign(xp.sum(columns[..., 2] * forward, axis=-1, keepdims=True))
    return columns * xp.where(_is_parallel(rows), along, _sign(det))[..., None]


def pixel_rays(basis: Any, size: Size) -> Any:
    """[..., 3, 3], see `ray_basis` -> [..., H, W, 3] unit directions through the pixels' centres."""
    x, y = through_pixels(size, basis)
    of_x, of_y, middle = (basis[..., None, None, :, k] for k in range(3))
    return unit(of_x * x[..., None] + of_y * y[..., None] + middle)


def in_world(view_from_world: Any, directions: Any) -> Any:
    """[..., H, W, 3] directions in view space, not all of length 1 -> the same in the world, unit; 0 stays 0."""
    columns, det = adjugate(view_from_world[..., :3, :3])
    turn = namespace(columns).matrix_transpose(columns * _sign(det)[..., None])
    return unit(directions @ (turn if turn.ndim == 2 else turn[:, None]))


def pixel_centres(size: Size, other: Any) -> tuple[Any, Any]:
    """[1, W] x and [H, 1] y of the pixels' centres, in pixels from the upper left corner; made where `other` lies."""
    height, width = size
    counting = namespace(other).counting
    return counting(width, other)[None, :] + 0.5, counting(height, other)[:, None] + 0.5


def through_pixels(size: Size, other: Any) -> tuple[Any, Any]:
    """The same, ndc."""
    height, width = size
    x, y = pixel_centres(size, other)
    return (2 * x - width) / width, (height - 2 * y) / height  # rounded once: up to the division all is whole


def adjugate(matrix: Any) -> tuple[Any, Any]:
    """[..., 3, 3] -> [..., 3, 3] the inverse times the determinant, and the determinant [..., 1]."""
    xp = namespace(matrix)
    a, b, c = (matrix[..., k, :] for k in range(3))
    columns = [cross(b, c), cross(c, a), cross(a, b)]
    return xp.stack(columns, axis=-1), xp.sum(a * columns[0], axis=-1, keepdims=True)


def _is_parallel(rows: Any) -> Any:
    """[..., 1]: whether w is the same everywhere, but for rounding."""
    xp = namespace(rows)
    w = xp.stop_gradient(rows)[..., 2, :]
    squared = w * w
    slope, rest = xp.sqrt(xp.sum(squared[..., :3], axis=-1, keepdims=True)), xp.sqrt(squared[..., 3:])
    return rest + slope / 4 == rest


def _sign(x: Any) -> Any:
    """1 or -1; not differentiable."""
    xp = namespace(x)
    return xp.where(x < 0, -xp.ones_like(x), xp.ones_like(x))
