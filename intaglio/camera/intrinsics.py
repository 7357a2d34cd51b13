# SPDX-License-Identifier: MIT
"""Calibrated cameras: OpenCV's matrix K and its lens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import as_float_array, leader, like, namespace
from ..trees import tree_of_fields
from .checking import check_planes
from .lens import bent, coefficients, is_unfolded, unbent
from .matrices import VIEW_FROM_OPENCV, z_row_perspective
from .pixels import ndc_from_pixels
from .projections import Size
from .sight import adjugate, pixel_centres

__all__ = ["Intrinsics", "unprojected"]


@tree_of_fields("image_size", "near", "far")
@dataclass(frozen=True, eq=False)
class Intrinsics:
    """A calibrated camera in OpenCV's pixels, whose centres are integers.

    Args:
        K: [3, 3] or [B, 3, 3], differentiable.
        image_size: (height, width) of the images that K was measured on. Other sizes show the same view, scaled.
        distortion: [N] or [B, N], differentiable: the first N = 4, 5, 8 or 12 of OpenCV's (k1, k2, p1, p2, k3, k4, k5,
            k6, s1, s2, s3, s4). It bends vertices, not the lines between them: long triangles want subdividing.
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
        K = as_float_array(self.K, np.float64)
        xp = namespace(K)
        xyw = like(ndc_from_pixels(self.image_size), K) @ K @ like(VIEW_FROM_OPENCV, K)  # rows x, y, w
        *z_row, offset = z_row_perspective(self.near, self.far)
        z_row = xp.zeros_like(xyw[..., :1, :]) + like(np.array(z_row), K)
        rows = xp.concat([xyw[..., :2, :], z_row, xyw[..., 2:, :]], axis=-2)
        w_column = like(np.array([[0.0], [0], [offset], [0]]), K)
        return xp.concat([rows, xp.zeros_like(rows[..., :1]) + w_column], axis=-1)

    def distort(self, pos_view: Any) -> Any:
        """[..., V, 3] view positions moved to where a lens without distortion would show them alike.

        Points behind the near plane, and those so far out that the polynomial has turned back towards the axis, where
        it means nothing, stay where they are.
        """
        xp = namespace(pos_view)
        lens = coefficients(self.distortion, pos_view, 1)
        depth = -pos_view[..., 2]
        in_front = depth > self.near
        depth = xp.where(in_front, depth, xp.ones_like(depth))
        x, y = pos_view[..., 0] / depth, -pos_view[..., 1] / depth
        bent_x, bent_y = bent(x, y, lens)
        moved = xp.stack([bent_x * depth, -bent_y * depth, pos_view[..., 2]], axis=-1)
        return xp.where((in_front & is_unfolded(x, y, lens))[..., None], moved, pos_view)

    def directions(self, size: Size) -> Any:
        """[H, W, 3] or [B, H, W, 3] view directions of the pixels, as the lens bends them; finite everywhere."""
        x, y = unprojected(self.K, self.image_size, size, leader(self.K, self.distortion))
        x, y = unbent(x, y, coefficients(self.distortion, x, 2))
        return namespace(x).stack([x, -y, -namespace(x).ones_like(x)], axis=-1)


def unprojected(K: Any, image_size: Size, size: Size, lead: Any) -> tuple[Any, Any]:
    """x and y [..., H, W] in OpenCV's plane at distance 1 that K puts at the pixels of an image of `size`.

    lead: the array whose framework the answer follows.
    """
    lead = as_float_array(lead, np.float64)
    (height, width), (x, y) = image_size, pixel_centres(size, lead)
    inverse, _ = adjugate(like(as_float_array(K, np.float64), lead))  # but for a factor, which w takes along
    of_column, of_row, rest = (inverse[..., None, None, :, k] for k in range(3))
    columns, rows = (x * (width / size[1]) - 0.5)[..., None], (y * (height / size[0]) - 0.5)[..., None]
    xyw = of_column * columns + of_row * rows + rest
    return xyw[..., 0] / xyw[..., 2], xyw[..., 1] / xyw[..., 2]
