# SPDX-License-Identifier: MIT
"""Cameras: where the eye is, and how it projects. Right-handed, y up, looking down -z; clip space is OpenGL's.

A matrix is named target_from_source. The projection is kept as numbers and becomes a matrix when the size of the image
is known, so that one camera serves every size. Numbers and lists are checked, and computed with in NumPy's float64;
arrays of a framework stay in it and carry gradients, and no value of theirs is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .array import as_float_array, cross, leader, like, namespace, to_numpy, unit
from .trees import tree_of_fields

__all__ = ["Camera", "Intrinsics", "Orthographic", "Perspective", "RawMatrix", "orbit"]

Size = tuple[int, int]

# OpenCV's view looks down +z with y down.
VIEW_FROM_OPENCV = np.diag([1.0, -1.0, -1.0])
# Where along the way out from the axis a lens distortion is asked whether it has folded back yet.
FOLD_PROBES = (0.25, 0.5, 0.75, 1.0)


@tree_of_fields("near", "far")
@dataclass(frozen=True, eq=False)
class Perspective:
    """A pinhole. `fov_y_degrees` is the full vertical angle: a number, or an array [] or [B], differentiable."""

    fov_y_degrees: Any = 60.0
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        _check_planes(self.near, self.far, lowest=0.0)
        if not _all_known(self.fov_y_degrees, lambda fov: 0 < fov < 180):
            raise ValueError(f"Camera: fov_y_degrees must lie between 0 and 180; got {self.fov_y_degrees}")

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]."""
        half = _float64(self.fov_y_degrees) * (math.pi / 360)
        xp = math if isinstance(half, float) else namespace(half)
        scale = xp.cos(half) / xp.sin(half)
        z_row = _z_row_perspective(self.near, self.far)
        rest = np.stack([np.zeros(4), np.zeros(4), z_row, np.array([0.0, 0, -1, 0])])
        return _scaled(scale, np.diag([size[0] / size[1], 1.0, 0, 0]), rest)


@tree_of_fields("near", "far")
@dataclass(frozen=True, eq=False)
class Orthographic:
    """Parallel rays. `half_height` shows above and below the middle: a number, or [] or [B], differentiable."""

    half_height: Any = 1.0
    near: float = 0.1
    far: float = 100.0

    def __post_init__(self) -> None:
        _check_planes(self.near, self.far, lowest=-np.inf)
        if not _all_known(self.half_height, lambda half_height: half_height > 0):
            raise ValueError(f"Camera: half_height must be positive; got {self.half_height}")

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]."""
        depth = self.far - self.near
        z_row = np.array([0, 0, -2 / depth, -(self.far + self.near) / depth])
        rest = np.stack([np.zeros(4), np.zeros(4), z_row, np.array([0.0, 0, 0, 1])])
        return _scaled(1 / _float64(self.half_height), np.diag([size[0] / size[1], 1.0, 0, 0]), rest)


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
        _check_planes(self.near, self.far, lowest=0.0)

    def clip_from_view(self, size: Size) -> Any:
        """[4, 4] or [B, 4, 4]. Does not depend on `size`."""
        height, width = self.image_size
        ndc_from_pixel = np.array([[2 / width, 0, 1 / width - 1], [0, -2 / height, 1 - 1 / height], [0, 0, 1]])
        K = as_float_array(self.K, np.float64)
        xp = namespace(K)
        xyw = like(ndc_from_pixel, K) @ K @ like(VIEW_FROM_OPENCV, K)  # rows x, y, w
        z_row = xp.zeros_like(xyw[..., :1, :]) + like(_z_row_perspective(self.near, self.far)[:3], K)
        rows = xp.concat([xyw[..., :2, :], z_row, xyw[..., 2:, :]], axis=-2)
        w_column = like(np.array([[0.0], [0], [_z_row_perspective(self.near, self.far)[3]], [0]]), K)
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


@tree_of_fields()
@dataclass(frozen=True, eq=False)
class RawMatrix:
    """A projection given as [4, 4] or [B, 4, 4], to OpenGL's clip space; differentiable."""

    matrix: Any

    def clip_from_view(self, size: Size) -> Any:
        return as_float_array(self.matrix, np.float64)


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
        _check_shape("view_from_world", self.view_from_world, (4, 4))

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
        return Camera(_view_from_world(eye, at, up), Perspective(fov_y_degrees, near, far))

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
        return Camera(_view_from_world(eye, at, up), Orthographic(half_height, near, far))

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
        _check_shape("K", K, (3, 3))
        _check_shape("R", R, (3, 3))
        _check_shape("t", t, (3,))
        if distortion is not None:
            _check_shape("distortion", distortion, (5,))
        R, t = as_float_array(R, np.float64), as_float_array(t, np.float64)
        lead = leader(R, t)
        flip = like(VIEW_FROM_OPENCV, lead)
        view = _rigid(flip @ like(R, lead), (flip @ like(t, lead)[..., None])[..., 0])
        return Camera(view, Intrinsics(K, image_size, distortion, near, far))

    @staticmethod
    def from_matrix(clip_from_world: Any) -> Camera:
        """A camera given as one matrix, [4, 4] or [B, 4, 4], from the world to OpenGL's clip space; differentiable."""
        _check_shape("clip_from_world", clip_from_world, (4, 4))
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
            pos = _transformed(_product(clip_from_view, self.view_from_world), pos_world)
        else:
            pos_view = _transformed(self.view_from_world, pos_world)[..., :3]
            pos = _transformed(clip_from_view, self.projection.distort(pos_view))
        return pos if pos.ndim == 3 else pos[None]


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


def _view_from_world(eye: Any, at: Any, up: Any) -> Any:
    """[4, 4] or [B, 4, 4]: rows are the camera's right, up and backward."""
    _check_shape("eye", eye, (3,))
    _check_shape("at", at, (3,))
    _check_shape("up", up, (3,))
    eye, at, up = (as_float_array(x, np.float64) for x in (eye, at, up))
    lead = leader(eye, at, up)
    if namespace(lead) is namespace(0):
        _check_directions(eye - at, up)
    eye, at, up = (like(x, lead) for x in (eye, at, up))
    backward = unit(eye - at)
    right = unit(cross(up, backward))
    axes = namespace(lead).stack([right, cross(backward, right), backward], axis=-2)
    return _rigid(axes, -(axes @ eye[..., None])[..., 0])


def _rigid(rotation: Any, translation: Any) -> Any:
    """[..., 3, 3], [..., 3] -> [..., 4, 4]."""
    xp = namespace(rotation)
    top = xp.concat([rotation, xp.broadcast_to(translation, rotation.shape[:-1])[..., None]], axis=-1)
    last = xp.broadcast_to(like(np.array([[0.0, 0, 0, 1]]), top), (*top.shape[:-2], 1, 4))
    return xp.concat([top, last], axis=-2)


def _float64(x: Any) -> Any:
    """Numbers and lists in double precision; numbers stay numbers, arrays of a framework what they are."""
    return float(x) if isinstance(x, (int, float)) else as_float_array(x, np.float64)


def _product(a: Any, b: Any) -> Any:
    """Matrix product of matrices that may belong to different frameworks."""
    lead = leader(a, b)
    return a @ b if namespace(lead) is namespace(0) else like(a, lead) @ like(b, lead)


def _transformed(matrix: Any, pos: Any) -> Any:
    """[4, 4] or [B, 4, 4] times [V, 3] or [B, V, 3] -> [..., V, 4]."""
    matrix = like(matrix, pos)
    batches = {x.shape[0] for x in (matrix, pos) if x.ndim == 3} - {1}
    if len(batches) > 1:
        raise ValueError(
            f"Camera: batch must be that of the mesh; got {matrix.shape[0]} cameras for {pos.shape[0]} meshes"
        )
    columns = namespace(matrix).matrix_transpose(matrix)
    return pos @ columns[..., :3, :] + columns[..., 3:, :]


def _scaled(scale: Any, per_scale: np.ndarray, rest: np.ndarray) -> Any:
    """scale * per_scale + rest: a number, [] or [B] -> [4, 4] or [B, 4, 4]."""
    if isinstance(scale, float):
        return scale * per_scale + rest
    return scale[..., None, None] * like(per_scale, scale) + like(rest, scale)


def _z_row_perspective(near: float, far: float) -> np.ndarray:
    """z_clip = -w at the near plane, +w at the far plane."""
    return np.array([0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)])


def _check_planes(near: float, far: float, lowest: float) -> None:
    if not lowest < near < far < np.inf:
        above = "0 < " if lowest == 0 else ""
        raise ValueError(f"Camera: near and far must satisfy {above}near < far; got {near} and {far}")


def _check_shape(name: str, x: Any, expected: tuple[int, ...]) -> None:
    shape = np.shape(x) if namespace(x) is namespace(0) else tuple(x.shape)
    if shape[-len(expected) :] != expected or len(shape) > len(expected) + 1:
        spelled = ", ".join(map(str, expected))
        raise ValueError(f"Camera: {name} must be [{spelled}] or [B, {spelled}]; got {list(shape)}")
    if not _all_known(x, math.isfinite):
        raise ValueError(f"Camera: {name} must be finite; got {to_numpy(x).tolist()}")


def _all_known(x: Any, holds: Callable[[float], bool]) -> bool:
    """Whether `holds` for all numbers of a number, list or NumPy array; True for arrays whose values are not read.

    Number by number in Python: under torch.compile, NumPy's own answer would be a tensor.
    """
    if isinstance(x, (int, float)):
        return holds(x)
    if isinstance(x, (list, tuple)):
        return all(_all_known(y, holds) for y in x)
    return namespace(x) is not namespace(0) or all(holds(y) for y in np.ravel(x).tolist())


def _check_directions(backward: np.ndarray, up: np.ndarray) -> None:
    if (np.abs(backward).max(axis=-1) == 0).any():
        raise ValueError("Camera: eye and at must be different places; got the same")
    right = np.linalg.norm(cross(unit(up), unit(backward)), axis=-1)
    if (right < 1e-6).any():
        raise ValueError(
            "Camera: up must not point along the view; got parallel directions (take (0, 0, 1) from above)"
        )
