# SPDX-License-Identifier: MIT
"""OpenCV's lens: a pinhole's place (x, y) in the plane at distance 1, moved along and across its way from the axis.

OpenCV, Camera Calibration and 3D Reconstruction, 'Detailed description': (k1, k2, p1, p2[, k3[, k4, k5, k6[, s1, s2,
s3, s4]]]); radial, tangential and thin prism terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array import like, namespace

__all__ = ["COUNTS", "bent", "coefficients", "is_unfolded", "unbent"]

COUNTS = (4, 5, 8, 12)
# Where along the way out from the axis a lens is asked whether it has folded back yet.
FOLD_PROBES = (0.25, 0.5, 0.75, 1.0)
# Newton's steps double the digits that are right; from the first one or two it takes 5 to float64's last.
STEPS = 12
FARTHEST = 100.0  # 89.4 degrees off the axis, where steps towards what no place is bent to are caught


def coefficients(distortion: Any, other: Any, num_axes: int) -> Sequence[Any]:
    """[N] or [B, N] numbers, each of them [] or [B] with so many axes behind, like `other`."""
    numbers = like(distortion, other)
    return [numbers[(..., k) + (None,) * num_axes] for k in range(numbers.shape[-1])]


def bent(x: Any, y: Any, c: Sequence[Any]) -> tuple[Any, Any]:
    """Where the lens shows what a pinhole shows at (x, y)."""
    s = x * x + y * y  # never its root, whose gradient is infinite on the axis
    top, bottom = _radial(s, c)
    radial = top if bottom is None else top / bottom
    bent_x = x * radial + 2 * c[2] * x * y + c[3] * (s + 2 * x * x)
    bent_y = y * radial + c[2] * (s + 2 * y * y) + 2 * c[3] * x * y
    if len(c) > 8:
        bent_x, bent_y = bent_x + s * (c[8] + s * c[9]), bent_y + s * (c[10] + s * c[11])
    return bent_x, bent_y


def is_unfolded(x: Any, y: Any, c: Sequence[Any]) -> Any:
    """Whether the lens still moves outwards all the way from the axis to (x, y); beyond, it means nothing."""
    unfolded = None
    for probe in FOLD_PROBES:
        s = (x * x + y * y) * probe
        top, bottom = _radial(s, c)
        top_slope, bottom_slope = _radial_slope(s, c)
        if bottom is None:
            here = top + 2 * s * top_slope > 0  # d(r radial) / dr
        else:
            here = ((top * bottom + 2 * s * (top_slope * bottom - top * bottom_slope)) > 0) & (bottom > 0)
        unfolded = here if unfolded is None else unfolded & here
    return unfolded


def unbent(x: Any, y: Any, c: Sequence[Any]) -> tuple[Any, Any]:
    """What a pinhole shows where the lens shows what is at (x, y); finite, but no more, where there is no such place.

    Newton's method; its last step alone is differentiated, which gives the derivative of the exact answer.
    """
    xp = namespace(x)
    goal_x, goal_y = xp.stop_gradient(x), xp.stop_gradient(y)
    fixed = [xp.stop_gradient(k) for k in c]
    at_x, at_y = goal_x, goal_y
    for _ in range(STEPS - 1):
        at_x, at_y = (_within(v) for v in _step(at_x, at_y, goal_x, goal_y, fixed, fixed))
    return _step(at_x, at_y, x, y, c, fixed)


def _step(at_x: Any, at_y: Any, x: Any, y: Any, c: Sequence[Any], fixed: Sequence[Any]) -> tuple[Any, Any]:
    """From (at_x, at_y) towards what is bent to (x, y), along the slope of the lens `fixed`."""
    got_x, got_y = bent(at_x, at_y, c)
    (xx, xy), (yx, yy) = _jacobian(at_x, at_y, fixed)
    det = xx * yy - xy * yx
    xp = namespace(det)
    det = xp.where(det * det < 1e-12, 1e-6 * xp.ones_like(det), det)
    off_x, off_y = got_x - x, got_y - y
    return at_x - (yy * off_x - xy * off_y) / det, at_y - (xx * off_y - yx * off_x) / det


def _jacobian(x: Any, y: Any, c: Sequence[Any]) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Of `bent`: (d bent_x / dx, d bent_x / dy), (d bent_y / dx, d bent_y / dy)."""
    s = x * x + y * y
    (radial, bottom), (slope, bottom_slope) = _radial(s, c), _radial_slope(s, c)
    if bottom is not None:
        radial, slope = radial / bottom, (slope * bottom - radial * bottom_slope) / (bottom * bottom)
    prism_x = c[8] + 2 * s * c[9] if len(c) > 8 else 0.0
    prism_y = c[10] + 2 * s * c[11] if len(c) > 8 else 0.0
    across = 2 * x * y * slope + 2 * c[2] * x + 2 * c[3] * y
    return (
        (radial + 2 * x * x * slope + 2 * c[2] * y + 6 * c[3] * x + 2 * x * prism_x, across + 2 * y * prism_x),
        (across + 2 * x * prism_y, radial + 2 * y * y * slope + 6 * c[2] * y + 2 * c[3] * x + 2 * y * prism_y),
    )


def _radial(s: Any, c: Sequence[Any]) -> tuple[Any, Any]:
    """Numerator and denominator (or None) of the radial factor at r^2 = s."""
    top = 1 + s * (c[0] + s * (c[1] + s * c[4] if len(c) > 4 else c[1]))
    return top, 1 + s * (c[5] + s * (c[6] + s * c[7])) if len(c) > 5 else None


def _radial_slope(s: Any, c: Sequence[Any]) -> tuple[Any, Any]:
    """Their derivatives with respect to s."""
    top = c[0] + s * (2 * c[1] + s * 3 * c[4] if len(c) > 4 else 2 * c[1])
    return top, c[5] + s * (2 * c[6] + s * 3 * c[7]) if len(c) > 5 else None


def _within(x: Any) -> Any:
    xp = namespace(x)
    return -xp.maximum(-xp.maximum(x, -FARTHEST), -FARTHEST)
