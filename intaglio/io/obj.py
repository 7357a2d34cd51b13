# SPDX-License-Identifier: MIT
"""Wavefront OBJ in: the shape, its colours and its texture, as a mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..mesh import Mesh
from .errors import InputError
from .limits import Limits
from .mtl import MtlMaterial, load_materials
from .mtl_text import find_libraries
from .obj_text import NONE, NORMAL, UV, VERTEX, ObjText, obj_rows, obj_vertices, parse_obj
from .painting import Surface, painted
from .polygons import fans, triangulate

__all__ = ["ObjContents", "load_obj", "read_obj"]

SHAPE_ALONE = "load_obj(..., materials=False) reads the shape alone"


def load_obj(path: str | Path, *, materials: bool = True, limits: Limits | None = None) -> Mesh:
    """A mesh from an OBJ file: NumPy, float32, in the file's own place and size (`Mesh.normalized` centres it).

    Polygons become triangles. Colours behind the positions become `vertex_colors`. Of the materials, plain colours
    (Kd) become `face_textures` of one texel, and a picture (map_Kd) becomes `texture`, whose Kd is passed over. Several
    pictures, or pictures and colours, are packed into one, as often side by side as the uv run over them. Colours are
    read as sRGB and become linear; the first row of a picture becomes v = 0. Normals are kept if all corners have one.
    Groups, lines and points are passed over.

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
        colours = _materials(path, found, limits)
        of_triangle = [colours[polygon] for polygon in polygons.tolist()]
        arrays = _coloured(path, of_triangle, uv, uv_triangles, limits)
    else:
        arrays = _with_uv(uv, uv_triangles)
    normals, normal_triangles = obj_rows(path, "vn", found.normals, 3), corners[rows, NORMAL]
    if ((normal_triangles >= 0) & (normal_triangles < len(normals))).all():
        arrays |= {"normals": normals, "normal_triangles": normal_triangles.astype(np.int32)}
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
    materials: list[MtlMaterial]


def read_obj(path: str | Path, *, materials: bool = True) -> ObjContents:
    """What an OBJ file says, colours and pictures in its own numbers. `load_obj` makes a mesh of it.

    Raises:
        InputError: as `load_obj`, except that names of unknown materials are taken as they come, and that pictures may
            lie beside the file's folder too, as in collections of `models` and `images`.
    """
    path, limits = Path(path), Limits()
    found = parse_obj(path, limits)
    vertices, _ = obj_vertices(path, found)
    corners = found.checked_corners(path)
    rows, polygons = fans(np.array(found.counts))
    around = path.resolve().parent.parent
    known = _known(path, found, limits, around, linear=False) if materials else {}
    nothing = MtlMaterial()
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


def _known(path: Path, found: ObjText, limits: Limits, folder: Path, **reading: bool) -> dict[str | None, MtlMaterial]:
    """All materials of all libraries by name; their pictures lie in `folder` or below."""
    known: dict[str | None, MtlMaterial] = {None: MtlMaterial()}
    for file in find_libraries(path, found.libraries):
        known.update(load_materials(file, folder, limits, **reading))
    return known


def _materials(path: Path, found: ObjText, limits: Limits) -> list[MtlMaterial]:
    """The material of each polygon."""
    known = _known(path, found, limits, path.parent)
    for line, name in zip(found.lines, found.materials, strict=True):
        if name not in known:
            raise InputError(
                path, f"usemtl names no material of {found.libraries[-1][1]}: {name!r}", line=line, remedy=SHAPE_ALONE
            )
    return [known[name] for name in found.materials]


def _coloured(
    path: Path, materials: list[MtlMaterial], uv: np.ndarray, uv_triangles: np.ndarray, limits: Limits
) -> dict[str, Any]:
    """The arrays of a mesh that carry its materials, given for each triangle."""
    has_uv = (uv_triangles != NONE).all(axis=1)
    distinct = list({id(m): m for m in materials}.values())
    number = {id(m): k for k, m in enumerate(distinct)}
    material = np.array([number[id(m)] for m in materials])
    surfaces = []
    for k, m in enumerate(distinct):
        color = m.color or (1.0, 1.0, 1.0)
        pictured = (material == k) & has_uv & (m.picture is not None)
        surfaces.append(Surface(np.flatnonzero((material == k) & ~pictured), color))
        faces = np.flatnonzero(pictured)
        wrap = "clamp" if m.clamp else "repeat"
        seen = _moved(m, uv[uv_triangles[faces]]) if m.moves else uv[uv_triangles[faces]]
        surfaces.append(Surface(faces, picture=m.picture, uv=seen, wraps=(wrap, wrap), moved=m.moves))
    return _with_uv(uv, uv_triangles) | painted(path, len(materials), surfaces, limits, SHAPE_ALONE)


def _moved(material: MtlMaterial, uv: np.ndarray) -> np.ndarray:
    """uv from the top, scaled and moved where v counts from the bottom."""
    from_bottom = np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1).astype(np.float64)
    with np.errstate(all="ignore"):  # what is not finite is named by who packs it
        moved = from_bottom * material.uv_scale + material.uv_offset
    return np.stack([moved[..., 0], 1 - moved[..., 1]], axis=-1)
