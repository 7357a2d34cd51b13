# SPDX-License-Identifier: MIT
"""Where a camera stands and how it projects, in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import as_float_array, leader, like, namespace
from ..trees import tree_of_fields
from .checking import check_shape
from .intrinsics import VIEW_FROM_OPENCV, Intrinsics
from .matrices import product, rigid, transformed
from .placing import view_towards
from .projections import Orthographic, Perspective, RawMatrix, Size

__all__ = ["Camera"]


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class Camera:
    """Where a camera stands and how it projects.

    Args:
        view_from_world: [4, 4] or [B, 4, 4], differentiable.
        projection: `Perspective`, `Orthographic`, `Intrinsics` or `RawMatrix`.

    Example:
        >>> camera = Camera.look_at(eye=(0, 0, 2), fov_y_degrees=90)
        >>> camera.clip(np.array([[0.0, 1, 0]]), size=(64, 64))[0, 0].round(2)  # one up, two away
        array([0. , 1. , 1.8, 2. ])
    """

    view_from_world: Any
    projection: Any

    def __post_init__(self) -> None:
        check_shape("view_from_world", self.view_from_world, (4, 4))

    @staticmethod
    def look_at(
        eye: Any,
        at: Any = (0, 0, 0),
        up: Any = (0, 1, 0),
        *,
        fov_y_degrees: Any = 60.0,
        near: float = 0.1,
        far: float = 100.0,
    ) -> Camera:
        """A perspective camera at `eye` that looks at `at`; each [3] or [B, 3], world space, differentiable.

        Raises:
            ValueError: `eye` is `at`, `up` points along the view (both only seen in numbers and NumPy arrays), an
                argument is not finite, or `near`, `far` and `fov_y_degrees` make no pyramid.
        """
        return Camera(view_towards(eye, at, up), Perspective(fov_y_degrees, near, far))

    @staticmethod
    def orthographic(
        eye: Any,
        at: Any = (0, 0, 0),
        up: Any = (0, 1, 0),
        *,
        half_height: Any = 1.0,
        near: float = 0.1,
        far: float = 100.0,
    ) -> Camera:
        """As `look_at`, with parallel rays; the image shows `half_height` above and below `at`."""
        return Camera(view_towards(eye, at, up), Orthographic(half_height, near, far))

    @staticmethod
    def opencv(
        K: Any,
        R: Any,
        t: Any,
        image_size: Size,
        *,
        distortion: Any = None,
        near: float = 0.1,
        far: float = 100.0,
    ) -> Camera:
        """A calibrated camera, as OpenCV and COLMAP give it: x_camera = R x_world + t, x right, y down, z forward.

        Args:
            K: [3, 3] or [B, 3, 3], differentiable; pixel centres are integers.
            R: [3, 3] or [B, 3, 3] rotation, differentiable.
            t: [3] or [B, 3], differentiable.
            image_size: (height, width) of the images of the calibration; renders of other sizes show the same view.

        Other arguments:
            distortion: (k1, k2, p1, p2, k3), [5] or [B, 5], differentiable; see `Intrinsics`.
        """
        check_shape("K", K, (3, 3))
        check_shape("R", R, (3, 3))
        check_shape("t", t, (3,))
        if distortion is not None:
            check_shape("distortion", distortion, (5,))
        R, t = as_float_array(R, np.float64), as_float_array(t, np.float64)
        lead = leader(R, t)
        flip = like(VIEW_FROM_OPENCV, lead)
        view = rigid(flip @ like(R, lead), (flip @ like(t, lead)[..., None])[..., 0])
        return Camera(view, Intrinsics(K, image_size, distortion, near, far))

    @staticmethod
    def from_matrix(clip_from_world: Any) -> Camera:
        """A camera given as one matrix, [4, 4] or [B, 4, 4], from the world to OpenGL's clip space; differentiable."""
        check_shape("clip_from_world", clip_from_world, (4, 4))
        return Camera(np.eye(4), RawMatrix(clip_from_world))

    def clip(self, pos_world: Any, size: Size) -> Any:
        """[V, 3] or [B, V, 3] world positions -> [B, V, 4] clip positions for an image of (height, width).

        Framework, dtype and device are those of `pos_world` unless only the camera belongs to a framework other than
        NumPy. Differentiable in the positions and in the camera.

        Raises:
            ValueError: the batches of the camera and of the positions differ.
        """
        clip_from_view = self.projection.clip_from_view(size)
        distortion = getattr(self.projection, "distortion", None)
        lead = leader(pos_world, self.view_from_world, clip_from_view, distortion)
        if lead is not pos_world and namespace(pos_world) is not namespace(lead):
            pos_world = namespace(lead).from_numpy(pos_world, lead)
        if distortion is None:
            pos = transformed(product(clip_from_view, self.view_from_world), pos_world)
        else:
            pos_view = transformed(self.view_from_world, pos_world)[..., :3]
            pos = transformed(clip_from_view, self.projection.distort(pos_view))
        return pos if pos.ndim == 3 else pos[None]
