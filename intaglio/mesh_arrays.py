# SPDX-License-Identifier: MIT
"""What the arrays of a mesh must be: their names, frameworks, dtypes, shapes and values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import as_float_array, from_numpy, is_known, leader, like, namespace, to_numpy
from .material import AnyMaterial

__all__ = ["FLOATS", "INDEXED", "INTEGERS", "adopt", "check_indices", "check_shapes", "check_values"]

FLOATS = ("vertices", "vertex_colors", "face_textures", "texture", "uv", "normals", "tangents")
INTEGERS = ("triangles", "uv_triangles", "normal_triangles", "tangent_triangles")
# What is indexed by triangles of its own, or else by those of the vertices; with its shape.
INDEXED = {
    "uv": ("uv_triangles", "T", 2),
    "normals": ("normal_triangles", "N", 3),
    "tangents": ("tangent_triangles", "T", 4),
}


def adopt(mesh: Any) -> None:
    """Give all arrays one framework and the floats one dtype."""
    arrays = mesh.__dict__
    floats = {name: as_float_array(arrays[name]) for name in FLOATS if arrays[name] is not None}
    lead = leader(*floats.values())
    vertices = floats["vertices"]
    if str(vertices.dtype).rpartition(".")[2] not in ("float32", "float64"):
        raise ValueError(f"Mesh: vertices must be float32 or float64; got {vertices.dtype}")
    if namespace(vertices) is not namespace(lead):
        vertices = from_numpy(vertices, like=lead)
    arrays.update({name: like(x, vertices) for name, x in floats.items()}, vertices=vertices)
    for name in INTEGERS:
        x = arrays[name]
        if x is None or _is_int32(x, namespace(vertices)):
            continue
        integers = to_numpy(x)
        if integers.dtype.kind not in "iu" and integers.size:
            raise ValueError(f"Mesh: {name} must be integers; got {integers.dtype}")
        if integers.size and integers.max() > np.iinfo(np.int32).max:
            raise ValueError(f"Mesh: {name} must fit int32; got {integers.max()}")
        arrays[name] = from_numpy(integers.astype(np.int32), like=vertices)


def _is_int32(x: Any, xp: Any) -> bool:
    return namespace(x) is xp and str(getattr(x, "dtype", "")).endswith("int32")


def check_shapes(mesh: Any) -> None:
    """Compare ranks and sizes; no value is read."""
    vertices, triangles = tuple(mesh.vertices.shape), tuple(mesh.triangles.shape)
    if len(vertices) not in (2, 3) or vertices[-1] != 3:
        raise ValueError(f"Mesh: vertices must be [V, 3] or [B, V, 3]; got {list(vertices)}")
    if len(triangles) != 2 or triangles[1] != 3:
        raise ValueError(f"Mesh: triangles must be [F, 3]; got {list(triangles)}")
    if mesh.texture is not None and mesh.uv is None:
        raise ValueError("Mesh: texture must come with uv; got none (face_textures need no uv)")
    num_vertices, num_faces = vertices[-2], triangles[0]
    _check_shape("vertex_colors", mesh.vertex_colors, f"[{num_vertices}, 3]", (num_vertices, (3, 4)))
    _check_shape("face_textures", mesh.face_textures, f"[{num_faces}, T, T, T, 3]", (num_faces, None, None, None, 3))
    _check_shape("texture", mesh.texture, "[H, W, 3]", (None, None, (3, 4)))
    for name, (index, count, channels) in INDEXED.items():
        values = getattr(mesh, name)
        _check_shape(name, values, f"[{count}, {channels}]", (None, channels), batched=name != "uv")
        _check_shape(index, getattr(mesh, index), f"[{num_faces}, 3]", (num_faces, 3), batched=False)
        if values is not None and getattr(mesh, index) is None and values.shape[-2] != num_vertices:
            remedy = f"give {index} where {name} and vertices are not indexed alike"
            raise ValueError(f"Mesh: {name} must be [{num_vertices}, {channels}]; got {list(values.shape)} ({remedy})")
    if not isinstance(mesh.material, AnyMaterial | None):
        got = type(mesh.material).__name__
        raise ValueError(f"Mesh: material must be a Material, BlinnPhong or Unlit; got {got} (see intaglio.Material)")
    if not isinstance(mesh.double_sided, bool):
        raise ValueError(f"Mesh: double_sided must be True or False; got {mesh.double_sided!r}")
    if (
        mesh.material is not None
        and mesh.uv is None
        and any(getattr(mesh.material, x) is not None for x in mesh.material.MAPS)
    ):
        raise ValueError("Mesh: material must come with uv for its maps; got none")


def _check_shape(name: str, x: Any, spelled: str, expected: tuple[Any, ...], batched: bool = True) -> None:
    if x is None:
        return
    shape = tuple(x.shape)
    tail = shape[1:] if batched and len(shape) == len(expected) + 1 else shape
    fits = len(tail) == len(expected) and all(_is_size(n, m) for n, m in zip(tail, expected, strict=True))
    if not fits or (name == "face_textures" and len(set(tail[1:4])) != 1):
        batch = f" or [B, {spelled[1:]}" if batched else ""
        raise ValueError(f"Mesh: {name} must be {spelled}{batch}; got {list(shape)}")


def _is_size(n: int, expected: Any) -> bool:
    """`expected` is a number, several of which any will do, or None for whatever."""
    return expected is None or (n in expected if isinstance(expected, tuple) else n == expected)


def check_values(mesh: Any) -> None:
    for name in FLOATS:
        x = getattr(mesh, name)
        if x is not None and is_known(x) and not np.isfinite(to_numpy(x)).all():
            raise ValueError(f"Mesh: {name} must be finite; got {_first_not_finite(to_numpy(x))}")
    num_faces = len(mesh.triangles)
    check_indices("triangles", mesh.triangles, num_faces, mesh.vertices.shape[-2])
    for name, (index, *_) in INDEXED.items():
        if getattr(mesh, index) is not None:
            values = getattr(mesh, name)
            check_indices(index, getattr(mesh, index), num_faces, 0 if values is None else values.shape[-2])


def _first_not_finite(x: np.ndarray) -> str:
    place = np.unravel_index(np.flatnonzero(~np.isfinite(x.ravel()))[0], x.shape)
    return f"{x[place]} at {[int(i) for i in place]}"


def check_indices(name: str, indices: Any, num_faces: int, count: int, *, lowest: int = 0) -> None:
    values = to_numpy(indices)
    if values.shape != (num_faces, 3):
        raise ValueError(f"Mesh: {name} must be [{num_faces}, 3]; got {list(values.shape)}")
    if values.size and (values.min() < lowest or values.max() >= count):
        wrong = values.min() if values.min() < lowest else values.max()
        raise ValueError(f"Mesh: {name} must lie in {lowest} ... {count - 1}; got {wrong}")
