# SPDX-License-Identifier: MIT
"""Where cameras stand: looking at a place, and on a circle around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array import as_float_array, cross, leader, like, namespace, unit
from .checking import check_directions, check_shape
from .matrices import VIEW_FROM_OPENCV, rigid

__all__ = ["orbit", "view_of_opencv", "view_towards"]


def orbit(distance: Any, elevation_degrees: Any, azimuth_degrees: Any) -> Any:
    """The eye of a camera that circles the origin: [3], or [B, 3] from arguments [B]. Differentiable.

    Azimuth 0 lies on +z, azimuth 90 on +x, elevation 90 on +y.

    Example:
        >>> orbit(2, 0, 90).round(3)
        array([2., 0., 0.])
    """
    distance, elevation, azimuth = (
        as_float_array(x, np.float64) for x in (distance, elevation_degrees, azimuth_degrees)
    )
    lead = leader(distance, elevation, azimuth)
    xp = namespace(lead)
    distance, elevation, azimuth = (like(x, lead) for x in (distance, elevation, azimuth))
    elevation, azimuth = elevation * (np.pi / 180), azimuth * (np.pi / 180)
    level = distance * xp.cos(elevation)
    x, y, z = level * xp.sin(azimuth), distance * xp.sin(elevation), level * xp.cos(azimuth)
    shape = (x + y + z).shape
    return xp.stack([xp.broadcast_to(v, shape) for v in (x, y, z)], axis=-1)


def view_towards(eye: Any, at: Any, up: Any) -> Any:
    """[4, 4] or [B, 4, 4]: rows are the camera's right, up and backward."""
    check_shape("eye", eye, (3,))
    check_shape("at", at, (3,))
    check_shape("up", up, (3,))
    eye, at, up = (as_float_array(x, np.float64) for x in (eye, at, up))
    lead = leader(eye, at, up)
    if namespace(lead) is namespace(0):
        check_directions(eye - at, up)
    eye, at, up = (like(x, lead) for x in (eye, at, up))
    backward = unit(eye - at)
    right = unit(cross(up, backward))
    axes = namespace(lead).stack([right, cross(backward, right), backward], axis=-2)
    return rigid(axes, -(axes @ eye[..., None])[..., 0])


def view_of_opencv(R: Any, t: Any) -> Any:
    """view_from_world [4, 4] or [B, 4, 4] of x_camera = R x_world + t, x right, y down, z forward."""
    check_shape("R", R, (3, 3))
    check_shape("t", t, (3,))
    R, t = as_float_array(R, np.float64), as_float_array(t, np.float64)
    lead = leader(R, t)
    flip = like(VIEW_FROM_OPENCV, lead)
    return rigid(flip @ like(R, lead), (flip @ like(t, lead)[..., None])[..., 0])
