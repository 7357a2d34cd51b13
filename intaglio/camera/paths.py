# SPDX-License-Identifier: MIT
"""Paths that cameras take."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import as_float_array, like, namespace
from .camera import Camera
from .placing import orbit

__all__ = ["turntable"]


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
