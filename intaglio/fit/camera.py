# SPDX-License-Identifier: MIT
"""The place from which a picture was taken, found from the silhouette in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..array import as_float_array, namespace, to_numpy
from ..camera import Camera, orbit
from ..losses import squared_error
from ..mesh import Mesh
from ..rendering import render_silhouette
from .adam import Adam
from .frameworks import differentiable

__all__ = ["CameraStep", "fit_camera"]


class CameraStep(NamedTuple):
    """Where a fit of a camera stands.

    loss: sum of (alpha - target)^2.
    alpha: [H, W], the silhouette.
    eye: [3], whence it is seen, world space.
    """

    loss: float
    alpha: Any
    eye: Any


def fit_camera(
    mesh: Mesh,
    target: Any,
    eye: Any,
    *,
    visibility: str = "edge",
    learning_rate: float | None = None,
    supersample: int = 2,
) -> Iterator[CameraStep]:
    """Endless steps of Adam on the eye of a camera that looks at the origin; the first is the eye as it comes.

    Args:
        target: [H, W], the silhouette to find, from 0 to 1; any framework.
        eye: [3], where to begin, world space; any framework. It should see most of the mesh.

    Other arguments:
        visibility: as of `render`. With "sweep" the eye's coordinates move on their own, by 0.1, as in 2018; else
            its angles and the logarithm of its distance do, so that a step is as large from far away as from nearby.
        learning_rate: about how far each of them moves in a step; 0.05 (radians) by default.
        supersample: as of `render`.

    Raises:
        ValueError: `target` is not [H, W], or `eye` not [3].

    Example:
        >>> steps = fit_camera(shapes.teapot().normalized(), silhouette, eye=(6, 10, -14))
        >>> found = next(step.eye for step in steps if step.loss < 10)
    """
    if len(target.shape) != 2:
        raise ValueError(f"fit_camera: target must be [H, W]; got {list(target.shape)}")
    start = to_numpy(as_float_array(eye))
    if start.shape != (3,):
        raise ValueError(f"fit_camera: eye must be [3]; got {list(start.shape)}")
    mesh = differentiable(mesh)
    if visibility == "sweep":
        return _steps(mesh, target, start, lambda eye: 1 * eye, visibility, learning_rate or 0.1, supersample)
    return _steps(mesh, target, _place(start), _eye, visibility, learning_rate or 0.05, supersample)


def _place(eye: np.ndarray) -> np.ndarray:
    """[3] logarithm of the distance, elevation, azimuth (radians)."""
    distance = np.linalg.norm(eye)
    return np.array([np.log(distance), np.arcsin(eye[1] / distance), np.arctan2(eye[0], eye[2])])


def _eye(place: Any) -> Any:
    degrees = place * (180 / np.pi)
    return orbit(namespace(place).exp(place[0]), degrees[1], degrees[2])


def _steps(
    mesh: Mesh,
    target: Any,
    place: np.ndarray,
    eye_of: Callable[[Any], Any],
    visibility: str,
    learning_rate: float,
    supersample: int,
) -> Iterator[CameraStep]:
    xp = namespace(mesh.vertices)
    target = xp.constant(to_numpy(target), mesh.vertices)[None]

    def picture(place: Any) -> tuple[Any, Any, Any]:
        eye = eye_of(place)
        camera, size = Camera.look_at(eye), tuple(target.shape[1:])
        alpha = render_silhouette(mesh, camera, size, visibility=visibility, supersample=supersample)
        return squared_error(alpha, target), alpha, eye

    picture_and_grad = xp.value_and_grad(picture)
    places = Adam.start(xp.constant(place, mesh.vertices))
    while True:
        loss, alpha, eye, grad = picture_and_grad(places.parameter)
        yield CameraStep(float(loss), alpha[0], eye)
        places = places.step(grad, learning_rate)
