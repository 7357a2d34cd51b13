# SPDX-License-Identifier: MIT
"""What a writer makes of a mesh before it writes: NumPy, one of a batch, at most one texture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..atlas import bake_face_textures
from ..mesh import FLOATS, Mesh, is_batch, triangles_of

__all__ = ["Textured", "check_one_mesh", "with_one_texture"]


class Textured(NamedTuple):
    """texture: [H, W, 3] or None. uv: [T, 2] or None, from the top. uv_triangles: [F, 3], wherever there is uv."""

    texture: np.ndarray | None
    uv: np.ndarray | None
    uv_triangles: np.ndarray | None


def check_one_mesh(writer: str, mesh: Mesh) -> Mesh:
    """The mesh in NumPy.

    Raises:
        ValueError: it is a batch, or a number of it is not finite; `writer` is who says so.
    """
    mesh = mesh.to("numpy")
    if is_batch(mesh):
        raise ValueError(f"{writer}: mesh must be one mesh; got a batch (take mesh.replace(vertices=vertices[0]))")
    for name in FLOATS:
        values = getattr(mesh, name)
        if values is not None and not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values).all(axis=tuple(range(1, values.ndim))))[0])
            raise ValueError(f"{writer}: {name} must be finite; got {values[row].ravel()[:4].tolist()} in row {row}")
    return mesh


def with_one_texture(writer: str, mesh: Mesh) -> Textured:
    """The texture of a mesh, face textures drawn into one.

    Raises:
        ValueError: it has both.
    """
    if mesh.texture is not None and mesh.face_textures is not None:
        raise ValueError(f"{writer}: mesh must have a texture or face textures; got both")
    if mesh.face_textures is not None and len(mesh.triangles):
        return Textured(*bake_face_textures(mesh.face_textures))
    return Textured(mesh.texture, mesh.uv, None if mesh.uv is None else triangles_of(mesh, "uv"))
