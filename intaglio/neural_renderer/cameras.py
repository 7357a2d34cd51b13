# SPDX-License-Identifier: MIT
"""Where the 2018 renderer sees things from: its four transformations and what they start from.

Its coordinates on the screen: x to the right and y upwards from -1 to 1, z the distance from the camera.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..array import cross, from_numpy, like, namespace, to_numpy

Array = Any

__all__ = ["get_points_from_angles", "look", "look_at", "perspective", "projection", "vertices_to_faces"]


def get_points_from_angles(distance: Any, elevation: Any, azimuth: Any, degrees: bool = True) -> Any:
    """Where a camera stands that orbits the origin: azimuth 0 is on -z.

    Numbers give a tuple (x, y, z); arrays [B] give [B, 3] and are differentiable.
    """
    if isinstance(distance, int | float):
        if degrees:
            elevation, azimuth = math.radians(elevation), math.radians(azimuth)
        flat = distance * math.cos(elevation)
        return flat * math.sin(azimuth), distance * math.sin(elevation), -flat * math.cos(azimuth)
    xp = namespace(distance)
    elevation, azimuth = like(elevation, distance), like(azimuth, distance)
    if degrees:
        elevation, azimuth = elevation * (math.pi / 180), azimuth * (math.pi / 180)
    flat = distance * xp.cos(elevation)
    return xp.stack([flat * xp.sin(azimuth), distance * xp.sin(elevation), -flat * xp.cos(azimuth)], axis=-1)


def normalized(v: Array, eps: float = 1e-5) -> Array:
    """`v` divided by its length along the last axis, or by eps if that is longer."""
    xp = namespace(v)
    squared = xp.sum(v * v, axis=-1, keepdims=True)
    length = xp.sqrt(xp.where(squared > eps * eps, squared, xp.ones_like(squared) * (eps * eps)))
    return v / length


def look_at(vertices: Array, eye: Any, at: Any = (0, 0, 0), up: Any = (0, 1, 0)) -> Array:
    """Vertices [B, N, 3] as seen from `eye` towards `at`, which come to lie on +z. Differentiable in all.

    eye, at, up: [3] or [B, 3]; lists, NumPy arrays or the framework's own.

    The picture is left-handed, as it always was: mirrored beside what a right-handed viewer shows.

    Raises ValueError on other shapes.
    """
    vertices = _checked("look_at", vertices)
    eye = _vectors("look_at", "eye", eye, vertices)
    return _turned(
        vertices, eye, _vectors("look_at", "at", at, vertices) - eye, _vectors("look_at", "up", up, vertices)
    )


def look(vertices: Array, eye: Any, direction: Any = (0, 1, 0), up: Any = None) -> Array:
    """Vertices [B, N, 3] as seen from `eye` along `direction`; arguments as for `look_at`. Differentiable in all.

    up: None is (0, 1, 0). The default direction is parallel to it, as it was in 2018, and shows nothing: always give
        one.
    """
    vertices = _checked("look", vertices)
    up = _vectors("look", "up", (0, 1, 0) if up is None else up, vertices)
    eye = _vectors("look", "eye", eye, vertices)
    return _turned(vertices, eye, _vectors("look", "direction", direction, vertices), up)


def _turned(vertices: Array, eye: Array, forward: Array, up: Array) -> Array:
    """Into the axes x = up x z, y = z x x, z = forward."""
    xp = namespace(vertices)
    z = normalized(forward)
    x = normalized(cross(up, z))
    y = normalized(cross(z, x))
    axes = xp.stack([x, y, z], axis=-1)  # [B or 1, 3, 3], one in each column
    return (vertices - eye[:, None, :]) @ axes


def perspective(vertices: Array, angle: Any = 30.0) -> Array:
    """x and y of vertices [B, N, 3] divided by z tan(angle); z stays. Differentiable in both.

    angle: in degrees, HALF of the field of view; a number, or an array [B].

    Raises ValueError on other shapes.
    """
    vertices = _checked("perspective", vertices)
    xp = namespace(vertices)
    if isinstance(angle, int | float):
        width: Any = math.tan(math.radians(angle))
    else:
        radians = xp.reshape(like(angle, vertices) * (math.pi / 180), (-1, 1))
        width = xp.sin(radians) / xp.cos(radians)
    x, y, z = (vertices[..., k] for k in range(3))
    return xp.stack([x / z / width, y / z / width, z], axis=-1)


def projection(vertices: Array, K: Any, R: Any, t: Any, dist_coeffs: Any, orig_size: Any, eps: float = 1e-9) -> Array:
    """Vertices [B, N, 3] through a camera as OpenCV calibrates it: x right, y down, z forwards. Differentiable.

    K, R: [B, 3, 3]; t: [B, 1, 3]; dist_coeffs: [B, 5] (k1, k2, p1, p2, k3); a batch of 1 serves all.
    orig_size: of the picture that was calibrated, in pixels; a number, or (height, width).

    u runs from 0 at the left border of the picture, so the centre of pixel i is i + 0.5: calibrations that count from
    pixel centres must add 0.5 to cx and cy.

    Raises ValueError on other shapes.
    """
    vertices = _checked("projection", vertices)
    xp = namespace(vertices)
    K, R = (_batch("projection", name, x, vertices, (3, 3)) for name, x in (("K", K), ("R", R)))
    t = like(t, vertices)
    dist_coeffs = _batch("projection", "dist_coeffs", dist_coeffs, vertices, (5,))
    placed = vertices @ xp.matrix_transpose(R) + t
    z = placed[..., 2]
    x, y = placed[..., 0] / (z + eps), placed[..., 1] / (z + eps)
    k1, k2, p1, p2, k3 = (dist_coeffs[:, k : k + 1] for k in range(5))
    squared = x * x + y * y  # of which no root is taken: on the axis that has no gradient
    radial = 1 + k1 * squared + k2 * squared**2 + k3 * squared**3
    bent_x = x * radial + 2 * p1 * x * y + p2 * (squared + 2 * x * x)
    bent_y = y * radial + p1 * (squared + 2 * y * y) + 2 * p2 * x * y
    pixel = xp.stack([bent_x, bent_y, xp.ones_like(z)], axis=-1) @ xp.matrix_transpose(K)
    height, width = orig_size if isinstance(orig_size, tuple | list) else (orig_size, orig_size)
    u, v = pixel[..., 0], height - pixel[..., 1]
    return xp.stack([2 * (u - width / 2) / width, 2 * (v - height / 2) / height, z], axis=-1)


def vertices_to_faces(vertices: Array, faces: Array) -> Array:
    """The corners [B, F, 3, 3] of faces [B, F, 3], or [F, 3] for all, of vertices [B, N, 3]. Differentiable.

    Raises ValueError on other shapes and on indices out of range.
    """
    vertices = _checked("vertices_to_faces", vertices)
    batch, num_vertices = vertices.shape[0], vertices.shape[1]
    shape = tuple(faces.shape)
    if len(shape) not in (2, 3) or shape[-1] != 3 or (len(shape) == 3 and shape[0] != batch):
        raise ValueError(f"vertices_to_faces: faces must be [{batch}, F, 3] or [F, 3]; got {list(shape)}")
    _check_indices(faces, num_vertices)
    xp = namespace(vertices)
    index = xp.index_array(faces if namespace(faces) is xp else from_numpy(to_numpy(faces), like=vertices))
    if len(shape) == 2:
        corners = xp.take(vertices, xp.reshape(index, (-1,)), axis=1)
    else:
        first = from_numpy(np.arange(batch, dtype=np.int64)[:, None, None] * num_vertices, like=vertices)
        rows = xp.reshape(vertices, (batch * num_vertices, 3))
        corners = xp.take(rows, xp.reshape(index + first, (-1,)), axis=0)
    return xp.reshape(corners, (batch, shape[-2], 3, 3))


def _check_indices(faces: Array, num_vertices: int) -> None:
    indices = to_numpy(faces)
    if indices.dtype.kind not in "iu":
        raise ValueError(f"vertices_to_faces: faces must be integers; got {indices.dtype} (convert them to int32)")
    if indices.size and not 0 <= indices.min() <= indices.max() < num_vertices:
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise ValueError(
            f"vertices_to_faces: faces must be in [0, {num_vertices}); got {wrong} "
            "(indices count from 0 and must stay below the number of vertices)"
        )


def _checked(function: str, vertices: Array) -> Array:
    shape = tuple(vertices.shape)
    if len(shape) != 3 or shape[-1] != 3:
        remedy = "a single mesh still has its batch axis: vertices[None]"
        raise ValueError(f"{function}: vertices must be [B, N, 3]; got {list(shape)} ({remedy})")
    return vertices


def _vectors(function: str, name: str, x: Any, vertices: Array) -> Array:
    """A vector for all, or one for each of the batch, as [1 or B, 3]."""
    x = like(x, vertices)
    if len(x.shape) == 1:
        x = x[None]
    return _batch(function, name, x, vertices, (3,))


def _batch(function: str, name: str, x: Any, vertices: Array, tail: tuple[int, ...]) -> Array:
    x = like(x, vertices)
    shape = tuple(x.shape)
    if shape == tail:
        return x[None]
    if len(shape) != len(tail) + 1 or shape[1:] != tail or shape[0] not in (1, vertices.shape[0]):
        wanted = ", ".join(map(str, tail))
        raise ValueError(f"{function}: {name} must be [{vertices.shape[0]}, {wanted}] or [{wanted}]; got {list(shape)}")
    return x
