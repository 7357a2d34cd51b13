# SPDX-License-Identifier: MIT
"""Where a camera stands and how it projects, in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..array import cross, leader, like, namespace
from ..trees import tree_of_fields
from .batches import batch_of, numbered, stacked
from .checking import check_counts, check_planes, check_shape, check_size
from .intrinsics import Intrinsics
from .lens import COUNTS
from .matrices import beside, product, transformed
from .pixels import clip_from_pixels
from .placing import view_of_opencv, view_towards
from .projections import Orthographic, Perspective, RawMatrix, Size
from .sight import eye_of, in_world, pixel_rays, ray_basis
from .wide import WIDE, Fisheye, Panorama

__all__ = ["Camera"]


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class Camera:
    """Where a camera stands and how it projects.

    Args:
        view_from_world: [4, 4] or [B, 4, 4], differentiable.
        projection: `Perspective`, `Orthographic`, `Intrinsics` or `RawMatrix`; `Fisheye` or `Panorama`.

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
        """A calibrated camera, as OpenCV gives it: x_camera = R x_world + t, x right, y down, z forward.

        Args:
            K: [3, 3] or [B, 3, 3], differentiable; pixel centres are integers.
            R: [3, 3] or [B, 3, 3] rotation, differentiable.
            t: [3] or [B, 3], differentiable.
            image_size: (height, width) of the images of the calibration; renders of other sizes show the same view.

        Other arguments:
            distortion: OpenCV's (k1, k2, p1, p2, k3, ...), [N] or [B, N], differentiable; see `Intrinsics`.
        """
        check_shape("K", K, (3, 3))
        if distortion is not None:
            check_counts("distortion", distortion, COUNTS)
        return Camera(view_of_opencv(R, t), Intrinsics(K, image_size, distortion, near, far))

    @staticmethod
    def fisheye(
        K: Any,
        R: Any,
        t: Any,
        image_size: Size,
        *,
        distortion: Any = None,
        fov_degrees: float = 360.0,
        near: float = 0.1,
        far: float = 100.0,
    ) -> Camera:
        """As `opencv`, with its model of fisheye lenses, which may see what is behind them; see `Fisheye`.

        Other arguments:
            distortion: (k1, k2, k3, k4), [4] or [B, 4], differentiable.
            fov_degrees: the full angle of the circle of view.
        """
        check_shape("K", K, (3, 3))
        if distortion is not None:
            check_counts("distortion", distortion, (4,))
        projection = Fisheye(K, image_size, distortion, fov_degrees, near, far)
        return Camera(view_of_opencv(R, t), projection)

    @staticmethod
    def panorama(
        eye: Any,
        at: Any = (0, 0, 0),
        up: Any = (0, 1, 0),
        *,
        near: float = 0.1,
        far: float = 100.0,
    ) -> Camera:
        """All that is seen from `eye`, in one equirectangular picture with `at` in its middle; see `Panorama`."""
        return Camera(view_towards(eye, at, up), Panorama(near, far))

    @staticmethod
    def from_matrix(clip_from_world: Any) -> Camera:
        """A camera given as one matrix, [4, 4] or [B, 4, 4], from the world to OpenGL's clip space; differentiable."""
        check_shape("clip_from_world", clip_from_world, (4, 4))
        return Camera(np.eye(4), RawMatrix(clip_from_world))

    @staticmethod
    def from_projection(
        P: Any, image_size: Size, *, near: float = 0.1, far: float = 100.0, in_front: Any = None
    ) -> Camera:
        """A camera given as a matrix from the world to pixels with integer centres, which need not factor into K, R, t.

        Args:
            P: [3, 4] or [B, 3, 4], to any scale, differentiable.
            image_size: (height, width) of the images that it projects to; renders of other sizes show the same view.

        Other arguments:
            near, far: in the world's units; of a camera with parallel rays along them, from the world's origin.
            in_front: a place that the camera sees, world space. Without one, a picture that is no mirror image says
                which side that is; it is wanted where rows count from the bottom, or columns from the right.

        Hartley & Zisserman, Multiple View Geometry, 2nd ed., equation 6.15 (depth of points).
        """
        check_shape("P", P, (3, 4))
        check_planes(near, far, lowest=-math.inf)
        return Camera(np.eye(4), RawMatrix(clip_from_pixels(P, image_size, near, far, in_front)))

    @staticmethod
    def stack(cameras: Sequence[Camera]) -> Camera:
        """One camera with a batch axis, of cameras with one kind of projection; those with a batch have it unrolled.

        Calibrated cameras of images of several sizes come to be of the first one's, which shows the same.

        Raises:
            ValueError: there are none, or kinds, near or far planes, or angles of view of fisheyes differ.

        Example:
            >>> len(Camera.stack([Camera.look_at((0, 0, 2)), Camera.look_at((0, 1, 2))]))
            2
        """
        if not cameras:
            raise ValueError("Camera: stack must get at least one camera; got none")
        return stacked(cameras)

    def __len__(self) -> int:
        """How many cameras the batch has; 1 without a batch axis."""
        count = batch_of(self)
        return 1 if count is None else count

    def __getitem__(self, index: Any) -> Camera:
        """Some of a batch: a number for one camera, without that axis; a slice or an array of numbers for a batch."""
        count = batch_of(self)
        if isinstance(index, (int, np.integer)) and not -len(self) <= index < len(self):
            raise IndexError(f"Camera: index must lie within a batch of {len(self)}; got {index}")
        return self if count is None else numbered(self, index)

    def clip(self, pos_world: Any, size: Size) -> Any:
        """[V, 3] or [B, V, 3] world positions -> [B, V, 4] clip positions for an image of (height, width).

        Framework, dtype and device are those of `pos_world` unless only the camera belongs to a framework other than
        NumPy. Differentiable in the positions and in the camera.

        Raises:
            ValueError: the batches of the camera and of the positions differ.
        """
        clip_from_view = self.projection.clip_from_view(size)
        distortion = getattr(self.projection, "distortion", None)
        pos_world = _beside(pos_world, self.view_from_world, clip_from_view, distortion)
        if distortion is None:
            pos = transformed(product(clip_from_view, self.view_from_world), pos_world)
        else:
            pos_view = transformed(self.view_from_world, pos_world)[..., :3]
            pos = transformed(clip_from_view, self.projection.distort(pos_view))
        return pos if pos.ndim == 3 else pos[None]

    def project(self, pos_world: Any, size: Size) -> Any:
        """[V, 3] or [B, V, 3] world positions -> [B, V, 2], where they land in an image of (height, width).

        In pixels from the upper left corner, x right, y down, so that the centre of the pixel in row r and column c is
        (c + 1/2, r + 1/2); OpenCV's pixels are half a pixel less. NaN, without a gradient, for what has no place: what
        is at the eye or behind it, or outside of a fisheye's circle of view. What is merely outside of the image has
        its place there. Framework and gradients as of `clip`.

        Example:
            >>> Camera.look_at(eye=(0, 0, 2), fov_y_degrees=90).project(np.array([[0.0, 1, 0]]), size=(64, 64))
            array([[[32., 16.]]])
        """
        check_size(size)
        if isinstance(self.projection, WIDE):
            pos_world = _beside(pos_world, self.view_from_world, *self.projection.arrays())
            pos_view = transformed(self.view_from_world, pos_world)[..., :3]
            pos_pixel = self.projection.pixels(pos_view, size)
            return pos_pixel if pos_pixel.ndim == 3 else pos_pixel[None]
        pos_clip = self.clip(pos_world, size)
        xp, w = namespace(pos_clip), pos_clip[..., 3]
        in_front = w > 0
        w = xp.where(in_front, w, xp.ones_like(w))
        x = (pos_clip[..., 0] / w + 1) * (size[1] / 2)
        y = (1 - pos_clip[..., 1] / w) * (size[0] / 2)
        pos_pixel = xp.stack([x, y], axis=-1)
        return xp.where(in_front[..., None], pos_pixel, xp.zeros_like(pos_pixel) + math.nan)

    def viewer(self, size: Size) -> Any:
        """[B, 4] whence the camera looks, in the world: (x, y, z, 1); parallel rays: (unit direction towards it, 0).

        Framework and dtype are the camera's; float64 of numbers. Differentiable in all of the camera.

        Example:
            >>> Camera.look_at(eye=(0, 0, 2)).viewer((64, 64))
            array([[0., 0., 2., 1.]])
        """
        viewer = eye_of(*self._lines_of_sight(size))
        return viewer if viewer.ndim == 2 else viewer[None]

    def handedness(self, size: Size) -> Any:
        """[B] or a number: -1 where the picture is a mirror image, as matrices to rows that count from the bottom make
        it, else 1. Not differentiable.

        Example:
            >>> Camera.opencv(np.diag([-100.0, 100, 1]), np.eye(3), np.zeros(3), (64, 64)).handedness((64, 64))
            array([-1.])
        """
        if not isinstance(self.projection, (Intrinsics, RawMatrix)):
            return 1
        rows = self._lines_of_sight(size)[0]
        xp = namespace(rows)
        x, y, w = (xp.stop_gradient(rows[..., k, :3]) for k in range(3))
        volume = xp.sum(x * cross(y, w), axis=-1)
        volume = volume if volume.ndim else volume[None]
        return xp.where(volume > 0, -xp.ones_like(volume), xp.ones_like(volume))

    def rays(self, size: Size, other: Any = None) -> Any:
        """[B, H, W, 3] unit directions in the world, away from the viewer, through the centres of the pixels.

        A lens' distortion is undone; where it shows no place at all, beyond its fold, a direction means nothing. 0 for
        pixels outside of a fisheye's circle of view.
        Framework and dtype are the camera's; float64 of numbers. Differentiable in all of the camera.
        other: an array whose framework, device and dtype they have instead.

        Example:
            >>> Camera.look_at(eye=(0, 0, 2), fov_y_degrees=90).rays((1, 3))[0, 0, 2].round(2)  # 90 degrees high, so
            array([ 0.89,  0.  , -0.45])
        """
        if not isinstance(self.projection, WIDE) and getattr(self.projection, "distortion", None) is None:
            basis = ray_basis(*self._lines_of_sight(size))
            rays = pixel_rays(basis if other is None else like(basis, other), size)
        else:
            directions = self.projection.directions(check_size(size))
            lead = leader(directions, view := self._view())
            if namespace(lead) is not namespace(0):
                directions = like(directions, lead)
            rays = in_world(beside(view, lead), directions)
        rays = rays if other is None else like(rays, other)
        return rays if rays.ndim == 4 else rays[None]

    def _view(self) -> Any:
        """view_from_world as an array."""
        view = self.view_from_world
        return np.asarray(view, np.float64) if isinstance(view, (list, tuple)) else view

    def _lines_of_sight(self, size: Size) -> tuple[Any, Any]:
        """[..., 3, 4] the rows x, y, w of the matrix from the world to clip space, and [..., 3] where depth grows."""
        check_size(size)
        if isinstance(self.projection, WIDE):
            return (view := self._view())[..., :3, :], -view[..., 2, :3]
        matrix = product(self.projection.clip_from_view(size), self.view_from_world)
        xp = namespace(matrix)
        return xp.concat([matrix[..., :2, :], matrix[..., 3:, :]], axis=-2), matrix[..., 2, :3]


def _beside(pos: Any, *arrays: Any) -> Any:
    """Positions as an array of the framework of those, where they are NumPy's and one of those is not."""
    lead = leader(pos, *arrays)
    if namespace(pos) is namespace(lead):
        return pos
    return namespace(lead).from_numpy(pos, lead)
