# SPDX-License-Identifier: MIT
"""One light from everywhere and one from a direction, flat on every face."""

from __future__ import annotations

from typing import Any

from ..array import cross, like, namespace
from .cameras import normalized

Array = Any

__all__ = ["face_light", "lighting"]


def lighting(
    faces: Array,
    textures: Array,
    intensity_ambient: Any = 0.5,
    intensity_directional: Any = 0.5,
    color_ambient: Any = (1, 1, 1),
    color_directional: Any = (1, 1, 1),
    direction: Any = (0, 1, 0),
) -> Array:
    """Textures [B, F, T, T, T, 3] times the light that falls on each face, as a new array. Differentiable in all.

    faces: [B, F, 3, 3] in the world. The normal is (v0 - v1) x (v2 - v1).
    color_ambient, color_directional, direction: [3] or [B, 3]. The direction points towards the light.

    Raises ValueError on other shapes.
    """
    light = face_light(faces, intensity_ambient, intensity_directional, color_ambient, color_directional, direction)
    shape = tuple(textures.shape)
    if len(shape) != 6 or shape[:2] != tuple(faces.shape[:2]) or shape[-1] != 3:
        wanted = f"[{faces.shape[0]}, {faces.shape[1]}, T, T, T, 3]"
        raise ValueError(f"lighting: textures must be {wanted} like faces; got {list(shape)}")
    return textures * light[:, :, None, None, None, :]


def face_light(
    faces: Array,
    intensity_ambient: Any,
    intensity_directional: Any,
    color_ambient: Any,
    color_directional: Any,
    direction: Any,
    *,
    fill_back: bool = False,
) -> Array:
    """The light on each face, [B, F, 3]; with fill_back [B, 2 F, 3]: the faces, then the same turned around."""
    shape = tuple(faces.shape)
    if len(shape) != 4 or shape[2:] != (3, 3):
        raise ValueError(f"lighting: faces must be [B, F, 3, 3]; got {list(shape)} (see vertices_to_faces)")
    xp = namespace(faces)
    num_drawn = shape[1] * (2 if fill_back else 1)
    light = xp.broadcast_to(intensity_ambient * _rows("color_ambient", color_ambient, faces), (shape[0], num_drawn, 3))
    if isinstance(intensity_directional, int | float) and intensity_directional == 0:
        return light
    middle = faces[:, :, 1]
    normals = normalized(cross(faces[:, :, 0] - middle, faces[:, :, 2] - middle))
    cosine = xp.sum(normals * _rows("direction", direction, faces), axis=-1, keepdims=True)  # [B, F, 1]
    if fill_back:
        cosine = xp.concat([cosine, -cosine], axis=1)
    lit = xp.where(cosine > 0, cosine, xp.zeros_like(cosine))
    return light + intensity_directional * (_rows("color_directional", color_directional, faces) * lit)


def _rows(name: str, x: Any, faces: Array) -> Array:
    """[3] or [B, 3] as [1 or B, 1, 3]."""
    x = like(x, faces)
    shape = tuple(x.shape)
    if shape not in ((3,), (1, 3), (faces.shape[0], 3)):
        raise ValueError(f"lighting: {name} must be [3] or [{faces.shape[0]}, 3]; got {list(shape)}")
    return namespace(faces).reshape(x, (-1, 1, 3))
