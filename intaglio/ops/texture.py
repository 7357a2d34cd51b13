# SPDX-License-Identifier: MIT
"""Colours from textures."""

from __future__ import annotations

from typing import Any

from . import calls
from .door import Door
from .geometry import Fragments, check_fragments

Array = Any


def sample_face_texture(textures: Array, fragments: Fragments) -> Array:
    """Colours from a cube of texels per triangle: [B, H, W, C], 0 on the background.

    textures: [F, T, T, T, C], or [B, F, T, T, T, C] where every image has its own. Differentiable.
    fragments: of `rasterize`. Not differentiated: shapes feel the colours at their silhouettes only, as in 2018.

    The weight of vertex k is the place along axis k of the triangle's cube, blended between texels: texel [T - 1, 0, 0]
    is seen at vertex 0, [0, T - 1, 0] at vertex 1 and [0, 0, T - 1] at vertex 2. T = 1 is one colour per triangle.

    Raises ValueError on shapes, dtypes and indices out of range.

    >>> textures = np.float32([[[[[0.2, 0.5, 0.7]]]]])  # one triangle, T = 1
    >>> pos_clip = np.float32([[[-1, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]])
    >>> sample_face_texture(textures, rasterize(pos_clip, np.int32([[0, 1, 2]]), (1, 1)))
    array([[[[0.2, 0.5, 0.7]]]], dtype=float32)

    Kato, Ushiku, Harada: Neural 3D Mesh Renderer, 2018.
    """
    door = Door("sample_face_texture", "textures", textures)
    check_fragments(door, fragments)
    cube = ("F", "T", "T", "T", "C")
    door.value("textures", textures, cube, ("B", *cube), remedy="one cube of T x T x T texels per triangle")
    if textures.shape[-2] == 0:
        door.fail("textures", "of at least one texel", "T = 0", "T = 1 is one colour per triangle")
    door.value("fragments.barycentrics", fragments.barycentrics, ("B", "H", "W", 2))
    inputs = (textures, fragments.triangle_id, fragments.barycentrics)
    return door.front.apply(calls.SAMPLE_FACE_TEXTURE, *inputs)[0]
