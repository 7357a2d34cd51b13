# SPDX-License-Identifier: MIT
"""The colours of a mesh, painted from a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..array import namespace, to_numpy
from ..camera import Camera
from ..light import AmbientLight
from ..losses import squared_error
from ..mesh import Mesh
from ..rendering import render
from .adam import Adam
from .frameworks import differentiable

__all__ = ["TextureStep", "fit_texture"]


class TextureStep(NamedTuple):
    """Where a fit of a texture stands.

    loss: sum of (color - target)^2 in the view of this step.
    color: [H, W, 3], linear, that view.
    mesh: the mesh painted so far, without gradient.
    """

    loss: float
    color: Any
    mesh: Mesh


def fit_texture(
    mesh: Mesh,
    target: Any,
    cameras: Iterable[Camera],
    *,
    resolution: int = 4,
    learning_rate: float = 0.1,
    supersample: int = 2,
) -> Iterator[TextureStep]:
    """Steps of Adam on face textures, one for each camera; the first shows the mesh black.

    Args:
        mesh: its colours are put aside.
        target: [H, W, 3], linear, what every camera is to see; any framework.
        cameras: a view for each step; the fit ends where they end.

    Other arguments:
        resolution: texels along each axis of the cube of a face.
        learning_rate: about how far a texel moves in a step, before tanh makes it a colour.
        supersample: as of `render`.

    Raises:
        ValueError: `target` is not [H, W, 3].

    Example:
        >>> around = (Camera.orthographic(orbit(2.732, 0, 36 * k)) for k in itertools.cycle(range(10)))
        >>> painted = next(itertools.islice(fit_texture(shapes.teapot().normalized(), picture, around), 300, None)).mesh

    Kato, Ushiku, Harada: Neural 3D Mesh Renderer, 2018: tanh and Adam's betas as in its third example.
    """
    if len(target.shape) != 3 or target.shape[-1] != 3:
        raise ValueError(f"fit_texture: target must be [H, W, 3]; got {list(target.shape)}")
    structure = {"neighbours": mesh.neighbours, "double_sided": mesh.double_sided}
    bare = differentiable(Mesh(mesh.vertices, mesh.triangles, **structure))
    return _steps(bare, target, cameras, resolution, learning_rate, supersample)


def _steps(
    mesh: Mesh, target: Any, cameras: Iterable[Camera], resolution: int, learning_rate: float, supersample: int
) -> Iterator[TextureStep]:
    xp = namespace(mesh.vertices)
    target = xp.constant(to_numpy(target), mesh.vertices)[None]

    def picture(colors: Any, camera: Camera) -> tuple[Any, Any]:
        painted = mesh.replace(face_textures=colors)
        size, lights = tuple(target.shape[1:3]), (AmbientLight(),)
        color = render(painted, camera, size, lights=lights, visibility=None, supersample=supersample).color
        return squared_error(color, target), color

    picture_and_grad = xp.value_and_grad(picture)
    texels = Adam.start(xp.constant(np.zeros((len(mesh.triangles), *(resolution,) * 3, 3)), mesh.vertices))
    for camera in cameras:
        colors = xp.tanh(texels.parameter)
        loss, color, grad = picture_and_grad(colors, camera)
        yield TextureStep(float(loss), color[0], mesh.replace(face_textures=colors))
        texels = texels.step(grad - grad * colors * colors, learning_rate, betas=(0.5, 0.999))
