# SPDX-License-Identifier: MIT
"""A mesh with textures to be fitted."""

from __future__ import annotations

from typing import Any, ClassVar

from .files import load_obj

Array = Any

__all__ = ["MeshMethods"]


class MeshMethods:
    """One mesh: vertices [N, 3], faces [F, 3], textures [F, T, T, T, 3].

    Textures that are not given become a parameter of small random numbers, T = texture_size. Those that are given are
    kept, and their T is `texture_size`.
    """

    framework: ClassVar[str]

    def __init__(self, vertices: Array, faces: Array, textures: Array | None = None, texture_size: int = 4):
        self.vertices = vertices
        self.faces = faces
        self.num_vertices = vertices.shape[0]
        self.num_faces = faces.shape[0]
        if textures is None:
            self.textures = self.random_textures((self.num_faces, texture_size, texture_size, texture_size, 3))
            self.texture_size = texture_size
        else:
            self.textures = textures
            self.texture_size = textures.shape[1]

    @classmethod
    def fromobj(
        cls, filename_obj: Any, normalization: bool = True, load_texture: bool = False, texture_size: int = 4
    ) -> Any:
        """The mesh of an OBJ file; arguments as of `load_obj`."""
        vertices, faces, *textures = load_obj(
            cls.framework, filename_obj, normalization, texture_size, load_texture, "REPEAT", True
        )
        return cls(vertices, faces, textures[0] if textures else None, texture_size)

    from_obj = fromobj

    @staticmethod
    def random_textures(shape: tuple) -> Array:
        """A parameter of the framework: 0.05 times standard normal numbers."""
        raise NotImplementedError
