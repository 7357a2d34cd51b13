# SPDX-License-Identifier: MIT
"""Wavefront OBJ in: the shape, its colours and its texture, as a mesh. Nothing in the file is trusted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..mesh import Mesh
from ..picture import linear_from_srgb
from .errors import InputError
from .mtl import Material, inside_folder, load_materials, pack_pictures

__all__ = ["ObjContents", "load_obj", "read_obj"]

MAX_BYTES = 1 << 30
MAX_ATLAS_TEXELS = 1 << 28
MAX_INDEX = 1 << 31
NO_UV = -1
UV_SLACK = 1e-4  # exporters write 1.00001; the frame around each packed picture is a whole texel
SHAPE_ALONE = "load_obj(..., materials=False) reads the shape alone"


def load_obj(path: str | Path, *, materials: bool = True) -> Mesh:
    """A mesh from an OBJ file: NumPy, float32, in the file's own place and size (`Mesh.normalized` centres it).

    Polygons are cut into fans. Colours behind the positions become `vertex_colors`. Of the materials, plain colours
    (Kd) become `face_textures` of one texel, and a picture (map_Kd) becomes `texture`, whose Kd is passed over. Several
    pictures, or pictures and colours, are packed into one, which needs uv from 0 to 1. Colours are read as sRGB and
    become linear; the first row of a picture becomes v = 0. Groups, normals, lines and points are passed over.

    Args:
        path: the file. Its materials and pictures must lie in its folder or below.

    Other arguments:
        materials: False reads no other file.

    Raises:
        InputError: a file is missing, damaged, too large, or refers to what does not exist.
    """
    path = Path(path)
    found = _parse(path, _read_text(path))
    vertices, vertex_colors = _vertices(path, found)
    triangles = _checked_indices(path, found.lines, found.corners, len(found.vertices), "vertex")
    uv_triangles = _checked_indices(path, found.lines, found.uv_corners, len(found.uv), "texture coordinate")
    uv = _uv(path, found)
    uv[:, 1] = 1 - uv[:, 1]  # OBJ counts v from the bottom
    colours = _materials(path, found) if materials and found.libraries else None
    arrays = _coloured(path, found, colours, uv, uv_triangles) if colours else _with_uv(uv, uv_triangles)
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
        InputError: as `load_obj`, except that names of unknown materials and moved pictures are taken as they come.
    """
    path = Path(path)
    found = _parse(path, _read_text(path))
    vertices, _ = _vertices(path, found)
    known = _libraries(path, found, linear=False, may_move=True) if materials else {}
    nothing = Material()
    return ObjContents(
        vertices,
        _checked_indices(path, found.lines, found.corners, len(found.vertices), "vertex"),
        _uv(path, found),
        _checked_indices(path, found.lines, found.uv_corners, len(found.uv), "texture coordinate"),
        [known.get(name, nothing) for name in found.materials],
    )


@dataclass
class _Found:
    """What the file says, in its order. A face has one entry for each triangle of its fan; indices begin at 0."""

    vertices: list[list[float]] = field(default_factory=list)  # 3, 4, 6 or 7 numbers
    uv: list[list[float]] = field(default_factory=list)  # 1 to 3 numbers
    corners: list[tuple[int, int, int]] = field(default_factory=list)
    uv_corners: list[tuple[int, int, int]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    materials: list[str | None] = field(default_factory=list)
    libraries: list[tuple[int, str]] = field(default_factory=list)


def _read_text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(path, f"is too large: {size} bytes", remedy=f"{MAX_BYTES} at most")
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise InputError(path, "there is no such file") from error
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from error


def _parse(path: Path, text: str) -> _Found:
    found = _Found()
    material = None
    for number, line in enumerate(text.replace("\\\r\n", " ").replace("\\\n", " ").split("\n"), start=1):
        words = line.split()
        key = words[0] if words else ""
        if "#" in line and key not in ("usemtl", "mtllib"):  # whose names may hold it
            words = line.partition("#")[0].split()
        if key == "v":
            found.vertices.append(_numbers(path, number, words, (3, 4, 6, 7)))
        elif key == "f":
            _add_face(path, number, words[1:], material, found)
        elif key == "vt":
            found.uv.append(_numbers(path, number, words, (1, 2, 3)))
        elif key == "usemtl":
            material = " ".join(words[1:])
        elif key == "mtllib":
            found.libraries.append((number, " ".join(words[1:])))
    if not found.corners:
        raise InputError(path, "holds no faces", remedy="is it a whole OBJ file?")
    return found


def _numbers(path: Path, line: int, words: list[str], counts: tuple[int, ...]) -> list[float]:
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    if len(values) not in counts:
        wanted = ", ".join(map(str, counts[:-1])) + f" or {counts[-1]}"
        raise InputError(path, f"{words[0]} must have {wanted} numbers; got {' '.join(words[1:])!r}", line=line)
    return values


def _add_face(path: Path, line: int, words: list[str], material: str | None, found: _Found) -> None:
    if len(words) < 3:
        what = f"f must have at least 3 corners; got {len(words)}"
        raise InputError(path, what, line=line, remedy="is it a whole OBJ file?")
    num_vertices, num_uv = len(found.vertices), len(found.uv)
    corners, uv_corners = [], []
    for word in words:
        vertex, _, rest = word.partition("/")
        uv = rest.partition("/")[0]
        try:
            corners.append(_from_zero(vertex, num_vertices))
            uv_corners.append(_from_zero(uv, num_uv) if uv else NO_UV)
        except ValueError as error:
            what = "f must have corners v, v/vt, v//vn or v/vt/vn, counted from 1, or back from -1"
            raise InputError(path, f"{what}; got {word!r}", line=line) from error
    for k in range(1, len(words) - 1):
        found.corners.append((corners[0], corners[k], corners[k + 1]))
        found.uv_corners.append((uv_corners[0], uv_corners[k], uv_corners[k + 1]))
        found.lines.append(line)
        found.materials.append(material)


def _from_zero(word: str, count: int) -> int:
    index = int(word)
    if index == 0 or index < -count or index > MAX_INDEX:
        raise ValueError(word)
    return index - 1 if index > 0 else count + index


def _vertices(path: Path, found: _Found) -> tuple[np.ndarray, np.ndarray | None]:
    """[V, 3] positions, and [V, 3] linear colours if any vertex has one; the others are white then."""
    with np.errstate(over="ignore"):
        positions = np.array([numbers[:3] for numbers in found.vertices], dtype=np.float32).reshape(-1, 3)
    if not np.isfinite(positions).all():
        raise InputError(path, f"v number {_first_row(~np.isfinite(positions)) + 1} is not finite in 32 bits")
    if all(len(numbers) <= 4 for numbers in found.vertices):
        return positions, None
    srgb = np.array([numbers[-3:] if len(numbers) > 4 else (1.0, 1.0, 1.0) for numbers in found.vertices])
    wrong = ~((srgb >= 0) & (srgb <= 1))
    if wrong.any():
        raise InputError(path, f"v number {_first_row(wrong) + 1} has a colour outside of 0 to 1")
    return positions, linear_from_srgb(srgb).astype(np.float32)


def _uv(path: Path, found: _Found) -> np.ndarray:
    """[T, 2], as the file has them."""
    uv = np.array([[*numbers, 0.0][:2] for numbers in found.uv], dtype=np.float32).reshape(-1, 2)
    if not np.isfinite(uv).all():
        raise InputError(path, f"vt number {_first_row(~np.isfinite(uv)) + 1} is not finite")
    return uv


def _checked_indices(
    path: Path, lines: list[int], rows: list[tuple[int, int, int]], count: int, what: str
) -> np.ndarray:
    indices = np.array(rows, dtype=np.int64)
    too_large = indices >= count
    if too_large.any():
        row = _first_row(too_large)
        raise InputError(path, f"f names {what} {indices[row].max() + 1} of {count}", line=lines[row])
    return indices.astype(np.int32)


def _first_row(wrong: np.ndarray) -> int:
    return int(np.flatnonzero(wrong.any(axis=-1))[0])


def _with_uv(uv: np.ndarray, uv_triangles: np.ndarray) -> dict[str, Any]:
    return {"uv": uv, "uv_triangles": uv_triangles} if (uv_triangles != NO_UV).all() else {}


def _libraries(path: Path, found: _Found, **reading: bool) -> dict[str | None, Material]:
    """All materials of all libraries by name."""
    known: dict[str | None, Material] = {None: Material()}
    for line, names in found.libraries:
        whole = inside_folder(path, line, path.parent / names, path.parent)
        for library in [names] if whole.exists() else names.split():  # a name may hold spaces, a line several names
            file = inside_folder(path, line, path.parent / library, path.parent)
            known.update(load_materials(file, path.parent, **reading))
    return known


def _materials(path: Path, found: _Found) -> list[Material]:
    """The material of each triangle; white where it says no colour."""
    known = _libraries(path, found)
    for line, name in zip(found.lines, found.materials, strict=True):
        if name not in known:
            raise InputError(
                path, f"usemtl names no material of {found.libraries[-1][1]}: {name!r}", line=line, remedy=SHAPE_ALONE
            )
    white = {name: replace(m, color=m.color or (1.0, 1.0, 1.0)) for name, m in known.items()}
    return [white[name] for name in found.materials]


def _coloured(
    path: Path, found: _Found, materials: list[Material], uv: np.ndarray, uv_triangles: np.ndarray
) -> dict[str, Any]:
    """The arrays of a mesh that carry its materials, given for each triangle."""
    has_uv = (uv_triangles != NO_UV).all(axis=1)
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
        raise InputError(path, what, line=found.lines[int(np.flatnonzero(outside)[0])], remedy=SHAPE_ALONE)
    # A material has up to two pictures: its own, and one texel of its colour for the faces without uv.
    texels = [np.array(m.color, dtype=np.float32).reshape(1, 1, 3) for m in distinct]
    pictures = texels + [
        m.picture if m.picture is not None else texel for m, texel in zip(distinct, texels, strict=True)
    ]
    if sum(p.shape[0] + 2 for p in pictures) * (max(p.shape[1] for p in pictures) + 2) > MAX_ATLAS_TEXELS:
        raise InputError(path, "has too many and too large pictures to pack into one", remedy=SHAPE_ALONE)
    atlas, scale, offset = pack_pictures(pictures)
    choice = np.where(pictured, material + len(distinct), material)
    corners = np.where(pictured[:, None, None], corners, 0.5) * scale[choice, None] + offset[choice, None]
    own_uv = np.arange(corners.size // 2, dtype=np.int32).reshape(-1, 3)
    return {"texture": atlas, "uv": corners.reshape(-1, 2).astype(np.float32), "uv_triangles": own_uv}
