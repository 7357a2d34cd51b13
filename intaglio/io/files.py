# SPDX-License-Identifier: MIT
"""`load` and `save`: the reader and the writer by a file's ending."""

from __future__ import annotations

from pathlib import Path

from ..mesh import Mesh
from .errors import InputError
from .limits import Limits
from .obj import load_obj
from .obj_writer import save_obj
from .ply import load_ply
from .ply_writer import save_ply
from .stl import load_stl, save_stl

__all__ = ["load", "save"]

READERS = {".obj": load_obj, ".ply": load_ply, ".stl": load_stl}
WRITERS = {".obj": save_obj, ".ply": save_ply, ".stl": save_stl}


def load(path: str | Path, *, limits: Limits | None = None) -> Mesh:
    """A mesh from an OBJ, PLY or STL file: NumPy, float32, world space, linear colours, v from the top.

    Axes, place and size are the file's own (`Mesh.normalized` centres and scales it).

    Args:
        path: the file. What it refers to must lie in its folder or below.

    Other arguments:
        limits: how much a file may ask for.

    Raises:
        InputError: a file is missing, damaged, too large, of another kind, or refers to what does not exist.

    Example:
        >>> save("cube.ply", shapes.cube()); load("cube.ply")
        Mesh(8 vertices, 12 triangles, numpy)
    """
    reader = READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise InputError(path, "is of no known kind", remedy=f"the name must end in {_listed(list(READERS))}")
    return reader(path, limits=limits)


def save(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as OBJ, PLY (binary) or STL (binary), by the ending of `path`; whole or not at all.

    What a kind of file has no place for is named by its own writer (`save_obj`, `io.save_ply`, `io.save_stl`).

    Raises:
        InputError: `path` has another ending, or cannot be written to.
        ValueError: the mesh is a batch, or has both a texture and face textures.
    """
    writer = WRITERS.get(Path(path).suffix.lower())
    if writer is None:
        remedy = f"end the name in {_listed(list(WRITERS))}"
        raise InputError(path, "meshes are not written as this kind of file", remedy=remedy)
    writer(path, mesh)


def _listed(endings: list[str]) -> str:
    return f"{', '.join(endings[:-1])} or {endings[-1]}"
