# SPDX-License-Identifier: MIT
"""How a camera projects: through a pinhole, in parallel, or by a matrix of the caller's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import as_float_array, namespace
from ..trees import tree_of_fields
from .checking import all_known, check_planes
from .matrices import float64, scaled, z_row_perspective

__all__ = ["Orthographic", "Perspective", "RawMatrix", "Size"]

Size = tuple[int, int]


@tree_of_fields("near", "far")
@dataclass(frozen=True, eq=False)
class Perspective:
    """A pinhole. `fov_y_degrees` is the full vertical angle: a number, or an array [] or [B], differentiable."""

    fov_y_degrees: Any = 60.0
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        check_planes(self.near, self.far, lowest=0.0)
        if not all_known(self.fov_y_degrees, lambda fov: 0 < fov < 180):
            raise ValueError(f"Camera: fov_y_degrees must lie between 0 and 180; got {self.fov_y_degrees}")

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]."""
        half = float64(self.fov_y_degrees) * (math.pi / 360)
        xp = math if isinstance(half, float) else namespace(half)
        scale = xp.cos(half) / xp.sin(half)
        z_row = z_row_perspective(self.near, self.far)
        rest = np.array([[0.0] * 4, [0.0] * 4, z_row, [0.0, 0, -1, 0]])
        return scaled(scale, np.diag([size[0] / size[1], 1.0, 0, 0]), rest)


@tree_of_fields("near", "far")
@dataclass(frozen=True, eq=False)
class Orthographic:
    """Parallel rays. `half_height` shows above and below the middle: a number, or [] or [B], differentiable."""

    half_height: Any = 1.0
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        check_planes(self.near, self.far, lowest=-np.inf)
        if not all_known(self.half_height, lambda half_height: half_height > 0):
            raise ValueError(f"Camera: half_height must be positive; got {self.half_height}")

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]."""
        depth = self.far - self.near
        z_row = np.array([0, 0, -2 / depth, -(self.far + self.near) / depth])
        rest = np.stack([np.zeros(4), np.zeros(4), z_row, np.array([0.0, 0, 0, 1])])
        return scaled(1 / float64(self.half_height), np.diag([size[0] / size[1], 1.0, 0, 0]), rest)


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class RawMatrix:
    """A projection given as [4, 4] or [B, 4, 4], to OpenGL's clip space; differentiable."""

    matrix: Any

    def clip_from_view(self, size: Size) -> Any:
        return as_float_array(self.matrix, np.float64)
