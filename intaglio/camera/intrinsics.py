# SPDX-License-Identifier: MIT
"""Calibrated cameras: OpenCV's matrix K and its lens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import as_float_array, like, namespace
from ..trees import tree_of_fields
from .checking import check_planes
from .matrices import z_row_perspective
from .projections import Size

__all__ = ["VIEW_FROM_OPENCV", "Intrinsics"]

# OpenCV's view looks down +z with y down.
VIEW_FROM_OPENCV = np.diag([1.0, -1.0, -1.0])
# Where along the way out from the axis a lens distortion is asked whether it has folded back yet.
FOLD_PROBES = (0.25, 0.5, 0.75, 1.0)


@tree_of_fields("image_size", "near", "far")
@dataclass(frozen=True, eq=False)
class Intrinsics:
    """A calibrated camera in OpenCV's pixels, whose centres are integers.

    Args:
        K: [3, 3] or [B, 3, 3], differentiable.
        image_size: (height, width) of the images that K was measured on. Other sizes show the same view, scaled.
        distortion: [5] or [B, 5], OpenCV's (k1, k2, p1, p2, k3), differentiable. It bends vertices, not the lines
            between them: long triangles want subdividing.
    """

    K: Any
    image_size: Size
    distortion: Any = None
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        check_planes(self.near, self.far, lowest=0.0)

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]. Does not depend on `size`."""
        height, width = self.image_size
        ndc_from_pixel = np.array([[2 / width, 0, 1 / width - 1], [0, -2 / height, 1 - 1 / height], [0, 0, 1]])
        K = as_float_array(self.K, np.float64)
        xp = namespace(K)
        xyw = like(ndc_from_pixel, K) @ K @ like(VIEW_FROM_OPENCV, K)  # rows x, y, w
        z_row = xp.zeros_like(xyw[..., :1, :]) + like(z_row_perspective(self.near, self.far)[:3], K)
        rows = xp.concat([xyw[..., :2, :], z_row, xyw[..., 2:, :]], axis=-2)
        w_column = like(np.array([[0.0], [0], [z_row_perspective(self.near, self.far)[3]], [0]]), K)
        return xp.concat([rows, xp.zeros_like(rows[..., :1]) + w_column], axis=-1)

    def distort(self, pos_view: Any) -> Any:
        """[..., V, 3] view positions moved to where a lens without distortion would show them alike.

        Points behind the near plane, and those so far out that the polynomial has turned back towards the axis, where
        it means nothing, stay where they are.

        OpenCV, Camera Calibration and 3D Reconstruction, 'Detailed description'.
        """
        xp = namespace(pos_view)
        k1, k2, p1, p2, k3 = (like(self.distortion, pos_view)[..., k, None] for k in range(5))
        depth = -pos_view[..., 2]
        in_front = depth > self.near
        depth = xp.where(in_front, depth, xp.ones_like(depth))
        x, y = pos_view[..., 0] / depth, -pos_view[..., 1] / depth
        r2 = x * x + y * y  # never its root, whose gradient is infinite on the axis
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        bent_x = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        bent_y = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        unfolded = in_front
        for probe in FOLD_PROBES:
            s = r2 * probe
            unfolded = unfolded & (1 + s * (3 * k1 + s * (5 * k2 + s * 7 * k3)) > 0)  # d(r radial) / dr
        moved = xp.stack([bent_x * depth, -bent_y * depth, pos_view[..., 2]], axis=-1)
        return xp.where(unfolded[..., None], moved, pos_view)
