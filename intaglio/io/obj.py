# SPDX-License-Identifier: MIT
"""Wavefront OBJ in: the shape, its colours and its texture, as a mesh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..mesh import Mesh
from .errors import InputError
from .limits import Limits
from .mtl import Material, find_libraries, load_materials, pack_pictures
from .obj_text import NONE, UV, VERTEX, ObjText, obj_rows, obj_vertices, parse_obj
from .polygons import fans, triangulate

__all__ = ["ObjContents", "load_obj", "read_obj"]

UV_SLACK = 1e-4  # exporters write 1.00001; the frame around each packed picture is a whole texel
SHAPE_ALONE = "load_obj(..., materials=False) reads the shape alone"


def load_obj(path: str | Path, *, materials: bool = True, limits: Limits | None = None) -> Mesh:
    """A mesh from an OBJ file: NumPy, float32, in the file's own place and size (`Mesh.normalized` centres it).

    Polygons become triangles. Colours behind the positions become `vertex_colors`. Of the materials, plain colours
    (Kd) become `face_textures` of one texel, and a picture (map_Kd) becomes `texture`, whose Kd is passed over. Several
    pictures, or pictures and colours, are packed into one, which needs uv from 0 to 1. Colours are read as sRGB and
    become linear; the first row of a picture becomes v = 0. Groups, normals, lines and points are passed over.

    Args:
        path: the file. Its materials and pictures must lie in its folder or below.

    Other arguments:
        materials: False reads no other file.
        limits: how much a file may ask for.

    Raises:
        InputError: a file is missing, damaged, too large, or refers to what does not exist.
    """
    path, limits = Path(path), limits or Limits()
    found = parse_obj(path, limits)
    vertices, vertex_colors = obj_vertices(path, found)
    corners = found.checked_corners(path)
    rows, polygons = triangulate(np.array(found.counts), vertices[corners[:, VERTEX]])
    triangles, uv_triangles = (corners[rows, column].astype(np.int32) for column in (VERTEX, UV))
    uv = obj_rows(path, "vt", found.uv, 2)
    uv[:, 1] = 1 - uv[:, 1]  # OBJ counts v from the bottom
    if materials and found.libraries:
        lines = np.array(found.lines)[polygons]
        colours = _materials(path, found, limits)
        of_triangle = [colours[polygon] for polygon in polygons.tolist()]
        arrays = _coloured(path, lines, of_triangle, uv, uv_triangles, limits)
    else:
        arrays = _with_uv(uv, uv_triangles)
    return Mesh(vertices, triangles, vertex_colors=vertex_colors, **arrays)


class ObjContents(NamedTuple):
    """An OBJ file as it is written, each polygon as a fan.

    vertices: [V, 3] float32. triangles: [F, 3] int32.
    uv: [T, 2] float32, v counted from the bottom. uv_triangles: [F, 3] int32, -1 where a corner has none.
    materials: of each triangle; one without colour and picture where the file names none that exists.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    materials: list[Material]


def read_obj(path: str | Path, *, materials: bool = True) -> ObjContents:
    """What an OBJ file says, colours and pictures in its own numbers. `load_obj` makes a mesh of it.

    Raises:
        InputError: as `load_obj`, except that names of unknown materials and moved pictures are taken as they come, and
            that pictures may lie beside the file's folder too, as in collections of `models` and `images`.
    """
    path, limits = Path(path), Limits()
    found = parse_obj(path, limits)
    vertices, _ = obj_vertices(path, found)
    corners = found.checked_corners(path)
    rows, polygons = fans(np.array(found.counts))
    around = path.resolve().parent.parent
    known = _known(path, found, limits, around, linear=False, may_move=True) if materials else {}
    nothing = Material()
    of_polygon = [known.get(name, nothing) for name in found.materials]
    return ObjContents(
        vertices,
        corners[rows, VERTEX].astype(np.int32),
        obj_rows(path, "vt", found.uv, 2),
        corners[rows, UV].astype(np.int32),
        [of_polygon[polygon] for polygon in polygons.tolist()],
    )


def _with_uv(uv: np.ndarray, uv_triangles: np.ndarray) -> dict[str, Any]:
    return {"uv": uv, "uv_triangles": uv_triangles} if (uv_triangles != NONE).all() else {}


def _known(path: Path, found: ObjText, limits: Limits, folder: Path, **reading: bool) -> dict[str | None, Material]:
    """All materials of all libraries by name; their pictures lie in `folder` or below."""
    known: dict[str | None, Material] = {None: Material()}
    for file in find_libraries(path, found.libraries):
        known.update(load_materials(file, folder, limits, **reading))
    return known


def _materials(path: Path, found: ObjText, limits: Limits) -> list[Material]:
    """The material of each polygon; white where it says no colour."""
    known = _known(path, found, limits, path.parent)
    for line, name in zip(found.lines, found.materials, strict=True):
        if name not in known:
            raise InputError(
                path, f"usemtl names no material of {found.libraries[-1][1]}: {name!r}", line=line, remedy=SHAPE_ALONE
            )
    white = {name: replace(m, color=m.color or (1.0, 1.0, 1.0)) for name, m in known.items()}
    return [white[name] for name in found.materials]


def _coloured(
    path: Path,
    lines: np.ndarray,
    materials: list[Material],
    uv: np.ndarray,
    uv_triangles: np.ndarray,
    limits: Limits,
) -> dict[str, Any]:
    """The arrays of a mesh that carry its materials, given for each triangle."""
    has_uv = (uv_triangles != NONE).all(axis=1)
    distinct = list({id(m): m for m in materials}.values())
    number = {id(m): k for k, m in enumerate(distinct)}
    material = np.array([number[id(m)] for m in materials])
    has_picture = np.array([m.picture is not None for m in distinct])
    pictured = has_picture[material] & has_uv
    if not pictured.any():
        colors = np.array([m.color for m in distinct], dtype=np.float32)[material]
        plain = {"face_textures": colors[:, None, None, None, :]} if (colors != 1).any() else {}
        return _with_uv(uv, uv_triangles) | plain
    if pictured.all() and len({id(m.picture) for m in distinct}) == 1:
        return _with_uv(uv, uv_triangles) | {"texture": distinct[0].picture}
    corners = uv[uv_triangles]  # [F, 3, 2]
    outside = pictured & ((corners < -UV_SLACK) | (corners > 1 + UV_SLACK)).any(axis=(1, 2))
    if outside.any():
        what = "texture coordinates must lie between 0 and 1 where there are several materials"
        raise InputError(path, what, line=int(lines[outside][0]), remedy=SHAPE_ALONE)
    # A material has up to two pictures: its own, and one texel of its colour for the faces without uv.
    texels = [np.array(m.color, dtype=np.float32).reshape(1, 1, 3) for m in distinct]
    pictures = texels + [
        m.picture if m.picture is not None else texel for m, texel in zip(distinct, texels, strict=True)
    ]
    atlas, scale, offset = pack_pictures(path, pictures, limits, remedy=SHAPE_ALONE)
    choice = np.where(pictured, material + len(distinct), material)
    corners = np.where(pictured[:, None, None], corners, 0.5) * scale[choice, None] + offset[choice, None]
    own_uv = np.arange(corners.size // 2, dtype=np.int32).reshape(-1, 3)
    return {"texture": atlas, "uv": corners.reshape(-1, 2).astype(np.float32), "uv_triangles": own_uv}
