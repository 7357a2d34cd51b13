# SPDX-License-Identifier: MIT
"""Cameras that see more than half the world, in whose pictures straight lines are curves: no matrix says where points
land. `render` draws them by way of the six faces of a cube around the eye.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from ..array import as_float_array, is_known, leader, like, namespace, to_numpy
from ..trees import tree_of_fields
from .checking import check_planes
from .intrinsics import unprojected
from .lens import coefficients
from .projections import Size
from .sight import through_pixels

__all__ = ["WIDE", "Fisheye", "Panorama"]

STEPS = 12  # of Newton's method, as for the lens of `Intrinsics`
# Where along the way out from the axis a lens is asked whether it has folded back yet.
FOLD_PROBES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
MAX_FACE = 16384


class Wide:
    """What both have: no matrix."""

    def clip_from_view(self, size: Size) -> NoReturn:
        """Raise ValueError: there is none."""
        remedy = "project and rays say where points land; render draws it by way of a cube"
        raise ValueError(f"Camera: projection must be one that a matrix makes; got {type(self).__name__} ({remedy})")


@tree_of_fields("image_size", "fov_degrees", "near", "far", "face_size")
@dataclass(frozen=True, eq=False)
class Fisheye(Wide):
    """OpenCV's fisheye: a ray at the angle theta off the axis lands at theta (1 + k1 theta^2 + ... + k4 theta^8), by K.

    Kannala & Brandt, A Generic Camera Model and Calibration Method for Conventional, Wide-Angle, and Fish-Eye Lenses,
    2006, equation 6; OpenCV, Fisheye camera model.

    Args:
        K: [3, 3] or [B, 3, 3], pixels with integer centres, differentiable.
        image_size: (height, width) of the images that K was measured on. Other sizes show the same view, scaled.
        distortion: [4] or [B, 4], (k1, k2, k3, k4), differentiable; 0 where not given.
        fov_degrees: the full angle of the circle of view, to 360; beyond it, and beyond where the polynomial turns
            back towards the axis, a picture shows nothing.
        near, far: distances along the axes of the cube that is drawn.
        face_size: pixels of the sides of that cube; by default so many that they are about as fine as the picture's
            (what is traced, so that K is not known, gets as many as the longer side of the picture).
    """

    K: Any
    image_size: Size
    distortion: Any = None
    fov_degrees: float = 360.0
    near: float = 0.1
    far: float = 100.0
    face_size: int | None = None

    def __post_init__(self) -> None:
        check_planes(self.near, self.far, lowest=0.0)
        if not 0 < self.fov_degrees <= 360:
            raise ValueError(f"Camera: fov_degrees must lie between 0 and 360; got {self.fov_degrees}")

    def arrays(self) -> Sequence[Any]:
        """What may belong to a framework."""
        return self.K, self.distortion

    def pixels(self, pos_view: Any, size: Size) -> Any:
        """[..., V, 3] view positions -> [..., V, 2] places in an image of `size`; NaN where it shows none."""
        xp = namespace(pos_view)
        k = coefficients(self._distortion(), pos_view, 1)
        x, y, z = pos_view[..., 0], -pos_view[..., 1], -pos_view[..., 2]
        squared = x * x + y * y
        is_off_axis = squared > 0
        radius = xp.sqrt(xp.where(is_off_axis, squared, xp.ones_like(squared)))
        theta = xp.atan2(xp.where(is_off_axis, radius, xp.zeros_like(radius)), xp.where(is_off_axis, z, abs(z) + 1))
        in_front = z > 0
        on_axis = 1 / xp.where(in_front, z, xp.ones_like(z))
        scale = xp.where(is_off_axis, theta * _radial(theta, k) / radius, on_axis)
        K = like(as_float_array(self.K, np.float64), pos_view)
        plane = xp.stack([x * scale, y * scale, xp.ones_like(x)], axis=-1) @ xp.matrix_transpose(K)
        height, width = size[0] / self.image_size[0], size[1] / self.image_size[1]
        found = xp.stack(
            [(plane[..., 0] / plane[..., 2] + 0.5) * width, (plane[..., 1] / plane[..., 2] + 0.5) * height], axis=-1
        )
        is_seen = (is_off_axis | in_front) & self._is_seen(theta, k)
        return xp.where(is_seen[..., None], found, xp.zeros_like(found) + math.nan)

    def directions(self, size: Size) -> Any:
        """[H, W, 3] or [B, H, W, 3] unit view directions of the pixels; 0 for those that show nothing."""
        lead = self.K if self.distortion is None else leader(self.K, self.distortion)
        x, y = unprojected(self.K, self.image_size, size, lead)
        xp, k = namespace(x), coefficients(self._distortion(), x, 2)
        squared = x * x + y * y
        is_off_axis = squared > 0
        radius = xp.sqrt(xp.where(is_off_axis, squared, xp.ones_like(squared)))
        theta = xp.where(is_off_axis, radius, xp.zeros_like(radius))
        theta = theta if self.distortion is None else _angle(theta, k)
        sine = xp.where(is_off_axis, xp.sin(theta) / radius, xp.ones_like(radius))
        found = xp.stack([x * sine, -y * sine, -xp.cos(theta)], axis=-1)
        off = theta * _radial(theta, k) - xp.where(is_off_axis, radius, xp.zeros_like(radius))
        is_seen = (off * off < 1e-6) & self._is_seen(theta, k)
        return xp.where(is_seen[..., None], found, xp.zeros_like(found))

    def cube_size(self, size: Size) -> int:
        """Pixels of the sides of the cube that shows as much as an image of `size`."""
        if self.face_size is not None:
            return self.face_size
        if not all(x is None or is_known(x) for x in self.arrays()):
            return min(max(size), MAX_FACE)
        K, distortion = (to_numpy(as_float_array(x, np.float64)) for x in (self.K, self._distortion()))
        (fx, fy), (height, width) = (np.abs(K[..., i, i]) for i in (0, 1)), self.image_size
        # Towards the corners the picture is larger than in the middle, across more than along.
        corner = float(np.max(np.hypot(width / fx, height / fy))) / 2
        theta = np.linspace(0, min(corner, math.radians(self.fov_degrees) / 2, math.pi - 0.1), 32)[1:, None]
        k = coefficients(distortion, theta, 1)
        larger = np.clip(np.maximum(_slope(theta, k), theta * _radial(theta, k) / np.sin(theta)).max(), 1, 2)
        per_radian = max(fx.max() * size[1] / width, fy.max() * size[0] / height)
        return int(np.clip(np.ceil(2 * per_radian * larger), 1, MAX_FACE))

    def _distortion(self) -> Any:
        return np.zeros(4) if self.distortion is None else self.distortion

    def _is_seen(self, theta: Any, k: Sequence[Any]) -> Any:
        is_seen = theta <= math.radians(self.fov_degrees) / 2
        for probe in () if self.distortion is None else FOLD_PROBES:
            is_seen = is_seen & (_slope(theta * probe, k) > 0)
        return is_seen


@tree_of_fields("near", "far", "face_size")
@dataclass(frozen=True, eq=False)
class Panorama(Wide):
    """All directions in one picture, equirectangular: the top row looks up, the middle column along the camera's -z,
    columns to the right of it towards +x. Its width is best twice its height.

    Args:
        near, far, face_size: as of `Fisheye`.
    """

    near: float = 0.1
    far: float = 100.0
    face_size: int | None = None

    def __post_init__(self) -> None:
        check_planes(self.near, self.far, lowest=0.0)

    def arrays(self) -> Sequence[Any]:
        """What may belong to a framework: nothing."""
        return ()

    def pixels(self, pos_view: Any, size: Size) -> Any:
        """[..., V, 3] view positions -> [..., V, 2] places in an image of `size`; NaN for the eye."""
        xp = namespace(pos_view)
        x, y, z = pos_view[..., 0], pos_view[..., 1], pos_view[..., 2]
        squared = x * x + z * z
        is_level = squared > 0  # neither straight up nor down, where all columns meet: the middle one is taken
        level = xp.where(is_level, xp.sqrt(xp.where(is_level, squared, xp.ones_like(squared))), xp.zeros_like(squared))
        is_seen = is_level | (y * y > 0)
        longitude = xp.atan2(xp.where(is_level, x, xp.zeros_like(x)), xp.where(is_level, -z, xp.ones_like(z)))
        latitude = xp.atan2(y, xp.where(is_seen, level, xp.ones_like(level)))
        found = xp.stack([(longitude / (2 * math.pi) + 0.5) * size[1], (0.5 - latitude / math.pi) * size[0]], axis=-1)
        return xp.where(is_seen[..., None], found, xp.zeros_like(found) + math.nan)

    def directions(self, size: Size) -> np.ndarray:
        """[H, W, 3] unit view directions of the pixels."""
        x, y = through_pixels(size, np.float64(0))
        longitude, latitude = x * math.pi, y * (math.pi / 2)
        level = np.cos(latitude)
        up = np.sin(latitude) + np.zeros_like(longitude)
        return np.stack([level * np.sin(longitude), up, -level * np.cos(longitude)], axis=-1)

    def cube_size(self, size: Size) -> int:
        """As of `Fisheye`."""
        if self.face_size is not None:
            return self.face_size
        return min(math.ceil(max(size[1], 2 * size[0]) / math.pi), MAX_FACE)


WIDE = (Fisheye, Panorama)


def _angle(radius: Any, k: Sequence[Any]) -> Any:
    """theta [0, pi] whose image is at `radius`, by Newton's method; its last step alone is differentiated, which gives
    the derivative of the exact answer. Where there is none, something else.
    """
    xp = namespace(radius)
    goal, fixed = xp.stop_gradient(radius), [xp.stop_gradient(x) for x in k]
    theta = -xp.maximum(-goal, -math.pi)
    for _ in range(STEPS - 1):
        theta = theta - (theta * _radial(theta, fixed) - goal) / _steepness(theta, fixed)
        theta = -xp.maximum(-xp.maximum(theta, 0.0), -math.pi)
    return theta - (theta * _radial(theta, k) - radius) / _steepness(theta, fixed)


def _radial(theta: Any, k: Sequence[Any]) -> Any:
    s = theta * theta
    return 1 + s * (k[0] + s * (k[1] + s * (k[2] + s * k[3])))


def _slope(theta: Any, k: Sequence[Any]) -> Any:
    """Of theta times `_radial`."""
    s = theta * theta
    return 1 + s * (3 * k[0] + s * (5 * k[1] + s * (7 * k[2] + s * 9 * k[3])))


def _steepness(theta: Any, k: Sequence[Any]) -> Any:
    """The slope, where it can be divided by."""
    xp, slope = namespace(theta), _slope(theta, k)
    return xp.where(slope * slope < 1e-12, 1e-6 * xp.ones_like(slope), slope)
