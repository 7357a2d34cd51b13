# SPDX-License-Identifier: MIT
"""Wavefront OBJ in: the shape, its colours and its texture, as a mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..mesh import Mesh
from .asset_materials import Cover, covered, layout_use
from .limits import Limits
from .mtl import MtlMaterial, load_materials
from .mtl_asset import MtlAssets
from .mtl_text import SHAPE_ALONE, find_libraries
from .obj_text import NONE, NORMAL, UV, VERTEX, ObjText, obj_normals, obj_rows, obj_vertices, parse_obj
from .polygons import fans, triangulate

__all__ = ["ObjContents", "load_obj", "read_obj"]


def load_obj(path: str | Path, *, materials: bool = True, limits: Limits | None = None) -> Mesh:
    """A mesh from an OBJ file: NumPy, float32, in the file's own place and size (`Mesh.normalized` centres it).

    Vertices and their order are the file's; polygons become triangles. Colours behind the positions become
    `vertex_colors`. Of the materials, plain colours (Kd) become `face_textures` of one texel, and a picture (map_Kd)
    becomes `texture`, whose Kd is passed over. Several pictures, or pictures and colours, are packed into one, as often
    side by side as the uv run over them. What shines, glows, is bumpy or lets light through (`load_asset` lists the
    keys) becomes `material`, with maps where it differs. Colours are read as sRGB and become linear; the first row of
    a picture becomes v = 0. Normals are kept if all corners have a sound one. Groups, lines and points are passed over.

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
    arrays = _with_uv(uv, uv_triangles)
    if materials and found.libraries:
        library = MtlAssets(path, found.libraries, limits)
        covers = _covers(library, library.places(path, found)[polygons], uv, uv_triangles)
        arrays |= covered(path, library.asset(), covers, len(triangles), limits, SHAPE_ALONE)
    normals, normal_triangles = obj_normals(path, found.normals), corners[rows, NORMAL]
    has_normals = ((normal_triangles >= 0) & (normal_triangles < len(normals))).all()
    if has_normals and normals[normal_triangles].any(axis=-1).all():
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


def _covers(library: MtlAssets, places: np.ndarray, uv: np.ndarray, uv_triangles: np.ndarray) -> list[Cover]:
    """Which faces each material covers, by the place of each face's in the library."""
    lacks_uv = (uv_triangles == NONE).any(axis=1)
    places[lacks_uv] = [library.plain(place) for place in places[lacks_uv].tolist()]
    covers = []
    order = np.argsort(places, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(places[order])) + 1)
    for faces in sorted(parts, key=lambda part: int(part[0])):  # in the order of the file
        place = int(places[faces[0]])
        material = library.materials[place]
        use = layout_use(material)
        if use is None:
            covers.append(Cover(faces, material, None))
            continue
        own, is_moved = uv[uv_triangles[faces]], (use.scale, use.offset) != ((1.0, 1.0), (0.0, 0.0))
        with np.errstate(all="ignore"):  # what is not finite is named by who packs it
            covers.append(Cover(faces, material, use.transformed(own) if is_moved else own, is_moved))
    return covers
