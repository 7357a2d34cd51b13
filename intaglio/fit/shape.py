# SPDX-License-Identifier: MIT
"""A mesh, deformed until its silhouette is that of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ..array import namespace, to_numpy
from ..camera import Camera
from ..losses import squared_error
from ..mesh import Mesh
from ..rendering import render_silhouette
from .adam import Adam
from .frameworks import differentiable
from .smoothing import surface_smoother

__all__ = ["ShapeStep", "fit_shape"]


class ShapeStep(NamedTuple):
    """Where a fit of a shape stands.

    loss: sum of (alpha - target)^2.
    alpha: [H, W], the silhouette.
    mesh: the mesh that has it, without gradient.
    """

    loss: float
    alpha: Any
    mesh: Mesh


def fit_shape(
    mesh: Mesh,
    target: Any,
    camera: Camera,
    *,
    visibility: str = "edge",
    learning_rate: float | None = None,
    smoothing: int | None = None,
    supersample: int = 2,
) -> Iterator[ShapeStep]:
    """Endless steps of Adam on the vertices; the first is the mesh as it comes.

    Args:
        mesh: vertices [V, 3]; left as it is.
        target: [H, W], the silhouette to reach, from 0 to 1; any framework.
        camera: what sees it.

    Other arguments:
        visibility: as of `render`. With "sweep" the defaults are those of 2018: learning rate 0.001, no smoothing.
        learning_rate: about how far the fastest vertex moves in a step, in units of the mesh; 0.07 by default: from 0.1
            on, a few pixels begin to flicker in the end.
        smoothing: how many edges far a vertex takes its neighbours along (see `surface_smoother`); 20 by default. 0
            moves each vertex on its own.
        supersample: as of `render`.

    Raises:
        ValueError: `target` is not [H, W], or `mesh` is a batch.

    Example:
        >>> steps = fit_shape(shapes.teapot().normalized(), square, Camera.look_at(orbit(2.732, 0, 90)))
        >>> fitted = next(itertools.islice(steps, 120, None)).mesh
    """
    if len(target.shape) != 2:
        raise ValueError(f"fit_shape: target must be [H, W]; got {list(target.shape)}")
    if len(mesh.vertices.shape) != 2:
        raise ValueError(f"fit_shape: mesh must have vertices [V, 3]; got {list(mesh.vertices.shape)} (fit one by one)")
    as_in_2018 = visibility == "sweep"
    if learning_rate is None:
        learning_rate = 0.001 if as_in_2018 else 0.07
    if smoothing is None:
        smoothing = 0 if as_in_2018 else 20
    return _steps(differentiable(mesh), target, camera, visibility, learning_rate, smoothing, supersample)


def _steps(
    mesh: Mesh, target: Any, camera: Camera, visibility: str, learning_rate: float, smoothing: int, supersample: int
) -> Iterator[ShapeStep]:
    xp = namespace(mesh.vertices)
    start = xp.stop_gradient(mesh.vertices)
    target = xp.constant(to_numpy(target), start)[None]
    smooth = surface_smoother(mesh, smoothing)

    def picture(vertices: Any) -> tuple[Any, Any]:
        seen = mesh.replace(vertices=vertices)
        size = tuple(target.shape[1:])
        alpha = render_silhouette(seen, camera, size, visibility=visibility, supersample=supersample)
        return squared_error(alpha, target), alpha

    picture_and_grad = xp.value_and_grad(picture)
    moves = Adam.start(xp.zeros_like(start))
    while True:
        vertices = start + smooth(moves.parameter)
        loss, alpha, grad = picture_and_grad(vertices)
        yield ShapeStep(float(loss), alpha[0], mesh.replace(vertices=vertices))
        moves = moves.step(smooth(grad), learning_rate, uniform=smoothing > 0)
