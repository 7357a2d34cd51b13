# SPDX-License-Identifier: MIT
"""The lines of an OBJ file as numbers: what it says, in its order, before it becomes a mesh."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..picture import linear_from_srgb
from .errors import InputError
from .limits import Limits, decoded_text, read_bytes
from .mtl_text import key_and_rest

__all__ = ["NONE", "NORMAL", "UV", "VERTEX", "ObjText", "first_row", "obj_normals", "obj_rows", "obj_vertices",
           "parse_obj"]  # fmt: skip

MAX_INDEX = 1 << 31
ROUNDING = 1e-3  # that colours may be above 1
NONE = -1
VERTEX, UV, NORMAL = 0, 1, 2  # columns of corners
CORNER_NAMES = ("vertex", "texture coordinate", "normal")


@dataclass
class ObjText:
    """What the file says. `corners` are those of all polygons, one after the other; indices begin at 0."""

    vertices: list[list[float]] = field(default_factory=list)  # 3, 4 (w), 6 (colour) or 7 numbers
    uv: list[list[float]] = field(default_factory=list)  # 1 to 3 numbers
    normals: list[list[float]] = field(default_factory=list)
    corners: array[int] = field(default_factory=lambda: array("q"))  # vertex, uv, normal, by turns
    counts: list[int] = field(default_factory=list)  # of each polygon
    lines: list[int] = field(default_factory=list)
    materials: list[str | None] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    libraries: list[tuple[int, str]] = field(default_factory=list)

    def checked_corners(self, path: Path, *, normals: bool = False) -> np.ndarray:
        """[N, 3] int64. normals: whether those are looked at.

        Raises:
            InputError: one names what is not there.
        """
        corners = np.array(self.corners, dtype=np.int64).reshape(-1, 3)
        for column, known in enumerate((self.vertices, self.uv, self.normals)[: 3 if normals else 2]):
            too_large = corners[:, column] >= len(known)
            if too_large.any():
                corner = int(np.flatnonzero(too_large)[0])
                line = self.lines[int(np.searchsorted(np.cumsum(self.counts), corner, side="right"))]
                what = f"f names {CORNER_NAMES[column]} {corners[corner, column] + 1} of {len(known)}"
                raise InputError(path, what, line=line)
        return corners


def parse_obj(path: Path, limits: Limits) -> ObjText:
    """What an OBJ file says.

    Raises:
        InputError: it is missing, too large, damaged, or has no faces.
    """
    text = decoded_text(path, read_bytes(path, limits))
    found = ObjText()
    material, group = None, ""
    for number, line in _lines(text):
        words = line.split()
        key = words[0] if words else ""
        if "#" in line and key not in ("usemtl", "mtllib", "g", "o"):  # whose names may hold it
            words = line.partition("#")[0].split()
        if key == "v":
            found.vertices.append(_numbers(path, number, words, (3, 4, 6, 7)))
        elif key == "f":
            _add_face(path, number, words[1:], found)
            found.materials.append(material)
            found.groups.append(group)
        elif key == "vt":
            found.uv.append(_numbers(path, number, words, (1, 2, 3)))
        elif key == "vn":
            found.normals.append(_numbers(path, number, words, (3,)))
        elif key == "usemtl":
            material = key_and_rest(line)[1]
        elif key == "mtllib":
            found.libraries.append((number, key_and_rest(line)[1]))
        elif key in ("g", "o"):
            group = key_and_rest(line)[1]
    if not found.corners:
        raise InputError(path, "holds no faces", remedy="is it a whole OBJ file?")
    limits.check_vertices(path, len(found.vertices))
    limits.check_triangles(path, len(found.corners) // 3 - 2 * len(found.counts))
    return found


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each with its number; those that end in a backslash go on in the next, unless they are comments."""
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) == 1:  # as very old systems end them
        lines = text.split("\r")
    begun, first = "", 0
    for number, line in enumerate(lines, start=1):
        line = begun + line
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun, first = line[:-1] + " ", first or number
            continue
        yield first or number, line
        begun, first = "", 0
    if begun:
        yield first, begun


def obj_vertices(path: Path, found: ObjText) -> tuple[np.ndarray, np.ndarray | None]:
    """[V, 3] positions, and [V, 3] linear colours if any vertex has one; the others are white then."""
    positions = obj_rows(path, "v", [numbers[:3] for numbers in found.vertices], 3)
    if all(len(numbers) <= 4 for numbers in found.vertices):
        return positions, None
    # Of seven numbers the fourth is a weight, which is 1 then, or the last an alpha.
    first = 4 if all(numbers[3] == 1 for numbers in found.vertices if len(numbers) == 7) else 3
    starts = {6: 3, 7: first}
    srgb = np.array(
        [row[starts[n] : starts[n] + 3] if (n := len(row)) in starts else [1.0, 1.0, 1.0] for row in found.vertices]
    )
    wrong = ~((srgb >= 0) & (srgb <= 1 + ROUNDING))
    if wrong.any():
        remedy = "divide the colours by 255"
        raise InputError(path, f"v number {first_row(wrong) + 1} has a colour outside of 0 to 1", remedy=remedy)
    return positions, linear_from_srgb(np.minimum(srgb, 1)).astype(np.float32)


def obj_rows(path: Path, key: str, rows: list[list[float]], width: int) -> np.ndarray:
    """[N, width] float32: the first numbers of each row, zeros where there are fewer."""
    return _in_32_bits(path, key, _table(rows, width))


def obj_normals(path: Path, rows: list[list[float]]) -> np.ndarray:
    """[N, 3] float32; zeros for those that are not finite, as some programs write them for faces without area."""
    table = _table(rows, 3)
    table[~np.isfinite(table).all(axis=-1)] = 0
    return _in_32_bits(path, "vn", table)


def _table(rows: list[list[float]], width: int) -> np.ndarray:
    return np.array([(numbers + [0.0] * width)[:width] for numbers in rows]).reshape(-1, width)


def _in_32_bits(path: Path, key: str, table: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = table.astype(np.float32)
    if not np.isfinite(values).all():
        raise InputError(path, f"{key} number {first_row(~np.isfinite(values)) + 1} is not finite in 32 bits")
    return values


def first_row(wrong: np.ndarray) -> int:
    """Of [N, C] the first row that has a true value."""
    return int(np.flatnonzero(wrong.any(axis=-1))[0])


def _numbers(path: Path, line: int, words: list[str], counts: tuple[int, ...]) -> list[float]:
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    if len(values) not in counts:
        wanted = " or ".join([", ".join(map(str, counts[:-1])), f"{counts[-1]}"] if counts[1:] else [f"{counts[0]}"])
        raise InputError(path, f"{words[0]} must have {wanted} numbers; got {' '.join(words[1:])!r}", line=line)
    return values


def _add_face(path: Path, line: int, words: list[str], found: ObjText) -> None:
    if len(words) < 3:
        what = f"f must have at least 3 corners; got {len(words)}"
        raise InputError(path, what, line=line, remedy="is it a whole OBJ file?")
    known = (len(found.vertices), len(found.uv), len(found.normals))
    for word in words:
        parts = word.split("/")
        try:
            if len(parts) > 3:
                raise ValueError(word)
            vertex = _from_zero(parts[0], known[VERTEX])
            uv = _from_zero(parts[1], known[UV]) if parts[1:] and parts[1] else NONE
            normal = _from_zero(parts[2], known[NORMAL]) if parts[2:] and parts[2] else NONE
        except ValueError as error:
            what = "f must have corners v, v/vt, v//vn or v/vt/vn, counted from 1, or back from -1"
            raise InputError(path, f"{what}; got {word!r}", line=line) from error
        found.corners.extend((vertex, uv, normal))
    found.counts.append(len(words))
    found.lines.append(line)


def _from_zero(word: str, count: int) -> int:
    index = int(word)
    if index == 0 or index < -count or index > MAX_INDEX:
        raise ValueError(word)
    return index - 1 if index > 0 else count + index
