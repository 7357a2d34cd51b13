# SPDX-License-Identifier: MIT
"""STL in and out: triangles and nothing else. Their corners are welded where they coincide bit for bit."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path

import numpy as np

from ..mesh import Mesh
from .atomic import write_atomically
from .errors import InputError
from .limits import Limits, decoded_text, read_bytes
from .one_mesh import check_one_mesh
from .welding import weld

__all__ = ["load_stl", "save_stl"]

HEADER = 80
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
IS_WHOLE = "is it a whole STL file?"


def load_stl(path: str | Path, *, limits: Limits | None = None) -> Mesh:
    """A mesh from an STL file, text or binary: NumPy, float32, in the file's own place and size.

    Normals are passed over, the winding stands; so are the names of solids, whose triangles become one mesh, and the
    two bytes that some programs keep colours in.

    Raises:
        InputError: the file is missing, damaged or too large.
    """
    path, limits = Path(path), limits or Limits()
    data = read_bytes(path, limits)
    corners = _read_binary(path, data) if _is_binary(data) else _read_text(path, data)
    limits.check_vertices(path, len(corners))
    if not len(corners):
        raise InputError(path, "holds no triangles", remedy=IS_WHOLE)
    if not np.isfinite(corners).all():
        wrong = int(np.flatnonzero(~np.isfinite(corners).all(axis=-1))[0])
        raise InputError(path, f"triangle {wrong // 3 + 1} has a corner that is not finite in 32 bits")
    vertices, index = weld(corners)
    return Mesh(vertices, index.reshape(-1, 3))


def save_stl(path: str | Path, mesh: Mesh, *, text: bool = False) -> None:
    """Write a mesh as STL, whole or not at all: 32-bit positions and triangles; colours and uv find no place in it.

    Other arguments:
        text: True writes the form that people can read.

    Raises:
        InputError: `path` cannot be written to.
        ValueError: the mesh is a batch, or a position is beyond 32 bits.
    """
    mesh = check_one_mesh("save_stl", mesh)
    corners = mesh.vertices[mesh.triangles].astype(np.float32)
    normals = mesh.face_normals().astype(np.float32)
    if text:
        lines = ["solid intaglio"]
        for normal, (a, b, c) in zip(normals.tolist(), corners.tolist(), strict=True):
            lines += [_spelled("facet normal", normal), "outer loop"]
            lines += [_spelled("vertex", a), _spelled("vertex", b), _spelled("vertex", c), "endloop", "endfacet"]
        data = "\n".join([*lines, "endsolid intaglio", ""]).encode()
    else:
        rows = np.zeros(len(corners), dtype=TRIANGLE)
        rows["normal"], rows["corners"] = normals, corners
        data = b"intaglio".ljust(HEADER) + np.array(len(rows), dtype="<u4").tobytes() + rows.tobytes()
    write_atomically(path, lambda aside: aside.write_bytes(data))


def _spelled(words: str, numbers: list[float]) -> str:
    return words + " {:.9g} {:.9g} {:.9g}".format(*numbers)


def _is_binary(data: bytes) -> bool:
    """Many a binary file begins with 'solid' too: its length decides, then what stands in the text."""
    begin = data.removeprefix(BOM_UTF8)[:4096].lower()
    is_text = begin.lstrip()[:5] == b"solid" and (b"facet" in begin or b"endsolid" in begin)
    return len(data) == _declared_size(data) or not is_text


def _declared_size(data: bytes) -> int:
    return HEADER + 4 + int.from_bytes(data[HEADER : HEADER + 4], "little") * TRIANGLE.itemsize


def _read_binary(path: Path, data: bytes) -> np.ndarray:
    """[3 F, 3]."""
    if len(data) < HEADER + 4 or len(data) != _declared_size(data):
        wanted = max(_declared_size(data), HEADER + 4)
        raise InputError(path, f"declares {wanted} bytes; got {len(data)}", remedy=IS_WHOLE)
    return np.frombuffer(data, dtype=TRIANGLE, offset=HEADER + 4)["corners"].reshape(-1, 3)


def _read_text(path: Path, data: bytes) -> np.ndarray:
    """[3 F, 3]."""
    corners: list[list[float]] = []
    for number, line in enumerate(decoded_text(path, data).split("\n"), start=1):
        words = line.split()
        key = words[0].lower() if words else ""
        if key == "vertex":
            corners.append(_numbers(path, number, words[1:]))
        elif key == "endloop" and (len(corners) % 3 or not corners):
            raise InputError(path, "the loop that ends here has not three vertices", line=number)
    if len(corners) % 3:
        raise InputError(path, f"ends within a triangle: {len(corners)} vertices", remedy=IS_WHOLE)
    with np.errstate(over="ignore"):  # is infinite then, and named by who looks
        return np.array(corners, dtype=np.float32).reshape(-1, 3)


def _numbers(path: Path, line: int, words: list[str]) -> list[float]:
    try:
        x, y, z = (float(word) for word in words)
    except ValueError as error:
        raise InputError(path, f"vertex must have 3 numbers; got {' '.join(words)[:80]!r}", line=line) from error
    return [x, y, z]
