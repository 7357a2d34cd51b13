# SPDX-License-Identifier: MIT
"""PLY in: elements as the header declares them, then a mesh of vertices and faces.

Turk, The PLY Polygon File Format, 1994; `texcoord` and `TextureFile` as MeshLab and Blender write them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..mesh import Mesh
from ..picture import linear_from_srgb
from .errors import InputError
from .images import read_picture
from .limits import Limits, inside_folder, read_bytes
from .ply_elements import Element, Ragged, read_elements
from .polygons import triangulate

__all__ = ["load_ply"]

POSITION = ("x", "y", "z")
NORMAL = ("nx", "ny", "nz")
COLORS = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
ALPHA = ("alpha",)
UVS = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"))
CORNERS = ("vertex_indices", "vertex_index")
IS_WHOLE = "is it a whole PLY file?"


def load_ply(path: str | Path, *, limits: Limits | None = None) -> Mesh:
    """A mesh from a PLY file, text or binary: NumPy, float32, in the file's own place and size.

    Polygons and strips (`tristrips`) become triangles. Colours of the vertices, else of the faces, are read as sRGB and
    become linear; texture coordinates of vertices (s, t) or corners (texcoord) count v from the bottom and are turned
    over; the picture of a TextureFile comment becomes `texture`; nx, ny, nz become `normals` if all are finite.
    Vertices' alpha is kept where some is not full; other properties and other elements are passed over.

    Raises:
        InputError: a file is missing, damaged, too large, or refers to what does not exist.
    """
    path, limits = Path(path), limits or Limits()
    header, elements = read_elements(path, read_bytes(path, limits), limits)
    vertex, face = elements.get("vertex"), elements.get("face")
    corners = _corners(face) if face else _unstripped(_corners(elements.get("tristrips")))
    if vertex is None or corners is None or not len(corners.values):
        raise InputError(path, "holds no faces", remedy=IS_WHOLE)
    vertices = _columns(path, vertex, POSITION)
    if vertices is None:
        raise InputError(path, "its vertices have no x, y, z", remedy=IS_WHOLE)
    rows, polygons = _triangles(path, corners, vertices, limits)
    arrays: dict[str, Any] = {"vertex_colors": _colors(path, vertex), "normals": _normals(path, vertex)}
    triangles = corners.values[rows].astype(np.int32)
    face_colors = _colors(path, face) if face and arrays["vertex_colors"] is None else None
    if face_colors is not None:
        arrays["face_textures"] = face_colors[polygons][:, None, None, None, :3]
    arrays |= _uv(path, vertex, face.lists.get("texcoord") if face else None, corners, rows)
    files = list(dict.fromkeys(line[12:].strip() for line in header if line.lower().startswith("texturefile ")))
    if files and "uv" in arrays and face_colors is None:
        if len(files) > 1:
            remedy = "save it with one, or as OBJ or glTF"
            raise InputError(path, f"names {len(files)} pictures, of which one is read", remedy=remedy)
        found = inside_folder(path, path.parent / files[0], path.parent, at="TextureFile")
        arrays["texture"] = read_picture(found, limits, f"which {path.name} names")
    return Mesh(vertices, triangles, **arrays)


def _corners(element: Element | None) -> Ragged | None:
    return next((element.lists[name] for name in CORNERS if name in element.lists), None) if element else None


def _unstripped(strips: Ragged | None) -> Ragged | None:
    """The triangles of strips, in which -1 begins a new one and every second triangle is turned over."""
    if strips is None:
        return None
    values = np.insert(strips.values.astype(np.float64), np.cumsum(strips.counts), -1)
    place = np.arange(len(values))
    start = np.maximum.accumulate(np.where(values == -1, place + 1, 0))
    first, second, third = (values[k : len(values) - 2 + k] for k in range(3))
    is_odd = (place - start)[: len(first)] % 2 == 1
    triangles = np.stack([np.where(is_odd, second, first), np.where(is_odd, first, second), third], axis=-1)
    is_one = (triangles != -1).all(axis=-1) & (first != second) & (second != third) & (third != first)
    return Ragged(np.full(int(is_one.sum()), 3), triangles[is_one].reshape(-1))


def _triangles(path: Path, corners: Ragged, vertices: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """[F, 3] places in the list of corners, [F] polygons."""
    if (corners.counts < 3).any():
        wrong = int(np.flatnonzero(corners.counts < 3)[0])
        raise InputError(path, f"face {wrong} must have at least 3 corners; got {corners.counts[wrong]}")
    inside = (corners.values >= 0) & (corners.values < len(vertices))  # which NaN is not
    named = inside & (corners.values == np.floor(corners.values))
    if not named.all():
        wrong = int(np.flatnonzero(~named)[0])
        face = int(np.searchsorted(np.cumsum(corners.counts), wrong, side="right"))
        raise InputError(path, f"face {face} names vertex {corners.values[wrong]:.9g} of {len(vertices)}, from 0")
    limits.check_triangles(path, int(corners.counts.sum()) - 2 * len(corners.counts))
    return triangulate(corners.counts, vertices[corners.values.astype(np.int64)])


def _columns(path: Path, element: Element, names: tuple[str, ...]) -> np.ndarray | None:
    """[N, len(names)] float32, or None where the element has not all of them."""
    if not all(name in element.columns for name in names):
        return None
    with np.errstate(over="ignore"):
        values = np.stack([element.columns[name].astype(np.float32) for name in names], axis=-1)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values).all(axis=-1))[0])
        raise InputError(path, f"{element.name} {row}: {', '.join(names)} must be finite in 32 bits")
    return values


def _normals(path: Path, vertex: Element) -> np.ndarray | None:
    """[V, 3], or None where one is not finite, as some programs write it for points of no face."""
    is_sound = all(np.isfinite(vertex.columns[name]).all() for name in NORMAL if name in vertex.columns)
    return _columns(path, vertex, NORMAL) if is_sound else None


def _colors(path: Path, element: Element) -> np.ndarray | None:
    """[N, 3] linear, or [N, 4] where some alpha is not full."""
    srgb = next((found for names in COLORS if (found := _shares(path, element, names)) is not None), None)
    if srgb is None:
        return None
    colors, alpha = linear_from_srgb(srgb).astype(np.float32), _shares(path, element, ALPHA)
    return colors if alpha is None or (alpha == 1).all() else np.concatenate([colors, alpha], axis=-1, dtype=np.float32)


def _shares(path: Path, element: Element, names: tuple[str, ...]) -> np.ndarray | None:
    """[N, len(names)] from 0 to 1: integers by the range of their type, of more than 16 bits or signed by that of 8."""
    values = _columns(path, element, names)
    if values is None:
        return None
    dtype = element.types[names[0]]
    whole = 1 if dtype.kind == "f" else np.iinfo(dtype).max if dtype.kind == "u" and dtype.itemsize < 4 else 255
    shares = values if dtype.kind == "f" else values.astype(np.float64) / whole
    if not ((shares >= 0) & (shares <= 1)).all():
        row = int(np.flatnonzero(((shares < 0) | (shares > 1)).any(axis=-1))[0])
        raise InputError(path, f"{element.name} {row} has a colour outside of its range: {values[row].tolist()}")
    return shares


def _uv(
    path: Path, vertex: Element, texcoord: Ragged | None, corners: Ragged, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """`uv` and, where corners have their own, `uv_triangles`."""
    if texcoord is not None:
        if (texcoord.counts != 2 * corners.counts).any():
            wrong = int(np.flatnonzero(texcoord.counts != 2 * corners.counts)[0])
            what = f"face {wrong} of {corners.counts[wrong]} corners has {texcoord.counts[wrong]} texcoord numbers"
            raise InputError(path, what, remedy="there must be two for each corner")
        with np.errstate(over="ignore"):
            uv = texcoord.values.astype(np.float32).reshape(-1, 2)
        if not np.isfinite(uv).all():
            raise InputError(path, "a texcoord is not finite in 32 bits")
        return {"uv": _turned(uv), "uv_triangles": rows.astype(np.int32)}
    for names in UVS:
        found = _columns(path, vertex, names)
        if found is not None:
            return {"uv": _turned(found)}
    return {}


def _turned(uv: np.ndarray) -> np.ndarray:
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=-1)
