# SPDX-License-Identifier: MIT
"""The place from which a picture was taken, found from the silhouette in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch

from ..camera import Camera, orbit
from ..losses import squared_error
from ..mesh import Mesh
from ..rendering import render_silhouette
from .adam import Adam

__all__ = ["CameraStep", "fit_camera"]


class CameraStep(NamedTuple):
    """Where a fit of a camera stands.

    loss: sum of (alpha - target)^2.
    alpha: [H, W], the silhouette.
    eye: [3], whence it is seen, world space.
    """

    loss: float
    alpha: torch.Tensor
    eye: torch.Tensor


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
        mesh: any framework.
        target: [H, W], the silhouette to find, from 0 to 1; any framework.
        eye: [3], where to begin, world space. It should see most of the mesh.

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
    eye = torch.as_tensor(eye, dtype=torch.float32)
    if tuple(eye.shape) != (3,):
        raise ValueError(f"fit_camera: eye must be [3]; got {list(eye.shape)}")
    if visibility == "sweep":
        return _steps(
            mesh.to("torch"), target, eye.clone(), lambda eye: eye, visibility, learning_rate or 0.1, supersample
        )
    place = _place(eye)
    return _steps(mesh.to("torch"), target, place, _eye, visibility, learning_rate or 0.05, supersample)


def _place(eye: torch.Tensor) -> torch.Tensor:
    """[3] logarithm of the distance, elevation, azimuth (radians)."""
    distance = eye.norm()
    return torch.stack([distance.log(), torch.asin(eye[1] / distance), torch.atan2(eye[0], eye[2])])


def _eye(place: torch.Tensor) -> torch.Tensor:
    return orbit(place[0].exp(), torch.rad2deg(place[1]), torch.rad2deg(place[2]))


def _steps(
    mesh: Mesh,
    target: Any,
    place: torch.Tensor,
    eye_of: Callable[[torch.Tensor], torch.Tensor],
    visibility: str,
    learning_rate: float,
    supersample: int,
) -> Iterator[CameraStep]:
    target = torch.as_tensor(target).to(mesh.vertices)[None]
    place.requires_grad_()
    adam = Adam(place, learning_rate)
    while True:
        eye = eye_of(place)
        alpha = render_silhouette(
            mesh, Camera.look_at(eye), tuple(target.shape[1:]), visibility=visibility, supersample=supersample
        )
        loss = squared_error(alpha, target)
        yield CameraStep(loss.item(), alpha.detach()[0], eye.detach().clone())
        (grad,) = torch.autograd.grad(loss, place)
        adam.step(grad)
