# SPDX-License-Identifier: MIT
"""Paths that cameras take."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import as_float_array, cross, like, namespace, unit
from .batches import batch_of, blended
from .camera import Camera
from .matrices import rigid
from .placing import orbit

__all__ = ["camera_path", "turntable"]


def turntable(
    count: int,
    distance: Any = 3.0,
    elevation_degrees: Any = 20.0,
    *,
    at: Any = (0.0, 0.0, 0.0),
    azimuth_degrees: Any = 0.0,
    fov_y_degrees: Any = 60.0,
    near: float = 0.1,
    far: float = 100.0,
) -> Camera:
    """A batch of `count` cameras evenly around a place, as of an object that turns once before a camera.

    Args:
        distance: to `at`: a number, or one for each camera, [count]; as are all other angles. Differentiable.
        elevation_degrees: above the level of `at`.

    Other arguments:
        at: [3], what they look at, world space.
        azimuth_degrees: of the first camera; the others follow to the right of it, as of `orbit`.
        fov_y_degrees, near, far: as of `Camera.look_at`.

    Raises:
        ValueError: `count` is no whole number from 1 on, and as `Camera.look_at`.

    Example:
        >>> turntable(4, distance=2, elevation_degrees=0).viewer((64, 64))[1].round(3)
        array([2., 0., 0., 1.])
    """
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"turntable: count must be a whole number from 1 on; got {count!r}")
    first = as_float_array(azimuth_degrees, np.float64)
    turned = first + like(np.arange(count) * (360.0 / count), first)
    around = orbit(distance, elevation_degrees, turned)
    at = as_float_array(at, np.float64)
    eye = around + like(at, around) if namespace(at) is namespace(0) else like(around, at) + at
    return Camera.look_at(eye, at, fov_y_degrees=fov_y_degrees, near=near, far=far)


def camera_path(keys: Camera, count: int, *, closed: bool = False) -> Camera:
    """A batch of `count` cameras on a smooth way through some, evenly from the first to the last.

    Eyes follow Catmull and Rom's spline through those of the keys; axes and lenses are blended between neighbours,
    which must be turned by less than half a turn against each other.

    Args:
        keys: a batch of at least two cameras (`Camera.stack` makes one), differentiable.

    Other arguments:
        closed: the way leads back to the first key, which is not repeated at the end.

    Raises:
        ValueError: `keys` are no batch of two or more, or `count` is no whole number from 2 on.

    Example:
        >>> keys = Camera.stack([Camera.look_at((0, 0, 2)), Camera.look_at((2, 0, 0))])
        >>> camera_path(keys, 3).viewer((64, 64))[:, :3].round(3).tolist()
        [[0.0, 0.0, 2.0], [1.0, 0.0, 1.0], [2.0, 0.0, 0.0]]

    Catmull & Rom, A Class of Local Interpolating Splines, 1974.
    """
    number = batch_of(keys) or 1
    if number < 2:
        raise ValueError(f"camera_path: keys must be a batch of at least 2 cameras; got {number} (see Camera.stack)")
    if not isinstance(count, int) or count < 2:
        raise ValueError(f"camera_path: count must be a whole number from 2 on; got {count!r}")
    linear, smooth = _weights(number, count, closed)
    view = as_float_array(keys.view_from_world, np.float64)
    view = view if view.ndim == 3 else namespace(view).broadcast_to(view, (number, 4, 4))
    axes, place = view[:, :3, :3], view[:, :3, 3:]
    eyes = like(smooth, view) @ -(namespace(view).matrix_transpose(axes) @ place)[..., 0]
    backward = unit(like(linear, view) @ axes[:, 2])
    right = unit(cross(like(linear, view) @ axes[:, 1], backward))
    turned = namespace(view).stack([right, cross(backward, right), backward], axis=-2)
    return Camera(rigid(turned, -(turned @ eyes[..., None])[..., 0]), blended(keys, linear))


def _weights(number: int, count: int, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """[count, number] each: of the keys on both sides, and of the spline."""
    at = np.arange(count) * (number / count) if closed else np.linspace(0, number - 1, count)
    start = np.minimum(np.floor(at).astype(np.int64), number - (1 if closed else 2))
    s = (at - start)[:, None]
    around = start[:, None] + np.arange(-1, 3)
    around = around % number if closed else around.clip(0, number - 1)
    s2, s3 = s**2, s**3
    cubic = np.concatenate([2 * s2 - s3 - s, 2 - 5 * s2 + 3 * s3, s + 4 * s2 - 3 * s3, s3 - s2], axis=-1) / 2
    linear, smooth = np.zeros((count, number)), np.zeros((count, number))
    rows = np.arange(count)[:, None]
    np.add.at(linear, (rows, around[:, 1:3]), np.concatenate([1 - s, s], axis=-1))
    np.add.at(smooth, (rows, around), cubic)
    return linear, smooth
