# SPDX-License-Identifier: MIT
"""PLY out, with a PNG beside it where the mesh has a texture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..mesh import Mesh
from ..picture import srgb_from_linear
from .atomic import write_atomically
from .images import save_image
from .one_mesh import Textured, check_one_mesh, with_one_texture

__all__ = ["save_ply"]

ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
NAMES = {"f4": "float", "f8": "double", "u1": "uchar", "i4": "int"}
# A colour that came from a byte comes back to it within the rounding of its 32 bits in linear light.
NEAR_A_BYTE = 1e-4


def save_ply(path: str | Path, mesh: Mesh, *, form: str = "binary_little_endian") -> None:
    """Write a mesh as PLY, whole or not at all; what `load_ply` reads again.

    Normals are kept where each vertex has one. Vertex colours become sRGB: bytes where that loses nothing,
    else floats. Texture coordinates become s and t of the vertices, or where corners have their own, a texcoord list of
    each face; v counts from the bottom. A texture becomes NAME.png, named in a comment. Face textures are drawn into
    such a picture first, unless they are of one texel: then they become colours of the faces.

    Other arguments:
        form: "binary_little_endian", "binary_big_endian" or "ascii".

    Raises:
        InputError: `path` cannot be written to.
        ValueError: the mesh is a batch, or has both a texture and face textures; `form` is none of these.
    """
    path = Path(path)
    if form not in ORDERS:
        raise ValueError(f"save_ply: form must be one of {', '.join(ORDERS)}; got {form!r}")
    mesh = check_one_mesh("save_ply", mesh)
    face_colors = None
    if mesh.texture is None and mesh.vertex_colors is None and _is_plain(mesh.face_textures):
        face_colors = mesh.face_textures[:, 0, 0, 0]
        mesh = mesh.replace(face_textures=None)
    textured = with_one_texture("save_ply", mesh)
    comments = []
    if textured.texture is not None:
        save_image(path.with_suffix(".png"), textured.texture)
        comments = [f"comment TextureFile {path.with_suffix('.png').name}"]
    tables = [
        ("vertex", _vertex_fields(mesh, textured)),
        ("face", _face_fields(mesh, textured, face_colors)),
    ]
    header = ["ply", f"format {form} 1.0", *comments]
    bodies = []
    for name, fields in tables:
        header.append(f"element {name} {len(fields[0][1])}")
        header += [line for field, values in fields for line in _declared(field, values)]
        bodies.append(_text(fields) if form == "ascii" else _rows(fields, ORDERS[form]).tobytes())
    data = "\n".join([*header, "end_header", ""]).encode() + b"".join(bodies)
    write_atomically(path, lambda aside: aside.write_bytes(data))


# A field is the names of its columns and the columns; a field of one name over several columns is a list.
Fields = list[tuple[tuple[str, ...], np.ndarray]]


def _is_plain(face_textures: np.ndarray | None) -> bool:
    return face_textures is not None and face_textures.shape[1:] == (1, 1, 1, 3)


def _vertex_fields(mesh: Mesh, textured: Textured) -> Fields:
    fields: Fields = [(("x", "y", "z"), mesh.vertices)]
    normals = _normals_of_vertices(mesh)
    if normals is not None:
        fields.append((("nx", "ny", "nz"), normals))
    if mesh.vertex_colors is not None:
        fields.append((("red", "green", "blue"), _coded(mesh.vertex_colors[:, :3])))
        if mesh.vertex_colors.shape[-1] == 4:
            fields.append((("alpha",), _in_bytes(mesh.vertex_colors[:, 3:].clip(0, 1))))
    if textured.uv is not None and _is_per_vertex(mesh, textured):
        fields.append((("s", "t"), _turned(textured.uv)))
    return fields


def _normals_of_vertices(mesh: Mesh) -> np.ndarray | None:
    """[V, 3], or None where there are none or the corners at a vertex have several."""
    if mesh.normals is None or mesh.normal_triangles is None:
        return mesh.normals
    of_corners = mesh.normals[mesh.normal_triangles]
    of_vertices = np.zeros_like(mesh.vertices)
    of_vertices[mesh.triangles] = of_corners
    return of_vertices if (of_vertices[mesh.triangles] == of_corners).all() else None


def _face_fields(mesh: Mesh, textured: Textured, colors: np.ndarray | None) -> Fields:
    fields: Fields = [(("vertex_indices",), mesh.triangles)]
    if textured.uv is not None and not _is_per_vertex(mesh, textured):
        fields.append((("texcoord",), _turned(textured.uv)[textured.uv_triangles].reshape(-1, 6)))
    if colors is not None:
        fields.append((("red", "green", "blue"), _coded(colors)))
    return fields


def _is_per_vertex(mesh: Mesh, textured: Textured) -> bool:
    if textured.uv is None or textured.uv_triangles is None:
        return False
    return len(textured.uv) == len(mesh.vertices) and np.array_equal(textured.uv_triangles, mesh.triangles)


def _turned(uv: np.ndarray) -> np.ndarray:
    return np.stack([uv[:, 0], 1 - uv[:, 1]], axis=-1)


def _coded(linear: np.ndarray) -> np.ndarray:
    return _in_bytes(srgb_from_linear(linear.clip(0, 1)))


def _in_bytes(shares: np.ndarray) -> np.ndarray:
    """If that loses nothing."""
    steps = np.round(shares * 255)
    is_bytes = np.abs(shares * 255 - steps).max(initial=0) < NEAR_A_BYTE
    return steps.astype(np.uint8) if is_bytes else shares.astype(np.float32)


def _declared(names: tuple[str, ...], values: np.ndarray) -> list[str]:
    kind = NAMES[values.dtype.str[1:]]
    if len(names) < values.shape[1]:
        return [f"property list uchar {kind} {names[0]}"]
    return [f"property {kind} {name}" for name in names]


def _rows(fields: Fields, order: str) -> np.ndarray:
    dtype: list[Any] = []
    for names, values in fields:
        if len(names) < values.shape[1]:
            dtype.append((f"{names[0]} count", "u1"))
        dtype.append((names[0], order + values.dtype.str[1:], values.shape[1:]))
    rows = np.zeros(len(fields[0][1]), dtype=np.dtype(dtype))
    for names, values in fields:
        if len(names) < values.shape[1]:
            rows[f"{names[0]} count"] = values.shape[1]
        rows[names[0]] = values
    return rows


def _text(fields: Fields) -> bytes:
    """A line a row; nine digits tell all floats of 32 bits apart, seventeen those of 64."""
    columns = []
    for names, values in fields:
        number = {"f4": "{:.9g}", "f8": "{:.17g}"}.get(values.dtype.str[1:], "{}")
        count = [str(values.shape[1])] if len(names) < values.shape[1] else []
        form = " ".join([*count, *[number] * values.shape[1]])
        columns.append([form.format(*row) for row in values.tolist()])
    return "".join(" ".join(parts) + "\n" for parts in zip(*columns, strict=True)).encode()
