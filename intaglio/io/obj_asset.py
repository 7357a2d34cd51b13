# SPDX-License-Identifier: MIT
"""Wavefront OBJ in, with its groups, normals and materials: as an asset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .asset import Asset, Geometry, Node, Primitive, SceneRoots
from .limits import Limits
from .mtl_asset import MtlAssets
from .obj_text import NONE, NORMAL, UV, VERTEX, obj_normals, obj_rows, obj_vertices, parse_obj
from .polygons import triangulate

__all__ = ["load_obj_asset"]


def load_obj_asset(path: str | Path, *, limits: Limits | None = None) -> Asset:
    """An OBJ file: a node and a geometry for each group or object, a primitive for each material of it.

    Faces with and without uv, with and without normals are primitives of their own; normals become unit normals. Kd, d
    (or Tr), Pr, Pm (or else Ns), Ke and the maps map_Kd, map_Ke, norm (or map_Bump), map_Pr and map_Pm become glTF's
    material with their -s, -o, -clamp and -bm; a Kd beside map_Kd is passed over, as is a grey map_Bump, which is no
    normal map.

    Raises:
        InputError: a file is missing, damaged, too large, or refers to what does not exist.
    """
    path, limits = Path(path), limits or Limits()
    found = parse_obj(path, limits)
    vertices, colors = obj_vertices(path, found)
    corners = found.checked_corners(path, normals=True)
    rows, polygons = triangulate(np.array(found.counts), vertices[corners[:, VERTEX]])
    uv = obj_rows(path, "vt", found.uv, 2)
    uv[:, 1] = 1 - uv[:, 1]
    tables = {"POSITION": vertices, "NORMAL": _unit(obj_normals(path, found.normals)), "TEXCOORD_0": uv}
    if colors is not None:
        tables["COLOR_0"] = colors
    materials = MtlAssets(path, found.libraries, limits)
    groups = {name: k for k, name in enumerate(dict.fromkeys(found.groups))}
    group = np.array([groups[name] for name in found.groups])
    corners = corners[rows]  # [F, 3 corners, 3 columns]
    corners[..., NORMAL][~_have_normals(corners, tables["NORMAL"])] = NONE
    lacks = (corners == NONE).any(axis=1)
    number = materials.places(path, found)[polygons]
    number[lacks[:, UV]] = [materials.plain(k) for k in number[lacks[:, UV]].tolist()]
    keys = np.stack([group[polygons], number, lacks[:, UV], lacks[:, NORMAL]], axis=-1)
    geometries: list[list[Primitive]] = [[] for _ in groups]
    order = np.lexsort(keys.T[::-1])
    starts = np.flatnonzero(np.any(np.diff(keys[order], axis=0, prepend=-2), axis=-1))
    for faces in np.split(order, starts[1:]):
        which, material, *_ = keys[faces[0]].tolist()
        primitive = _primitive(corners[np.sort(faces)].reshape(-1, 3), tables, material)
        geometries[which].append(primitive)
    return replace(
        materials.asset(),
        name=path.name,
        nodes=tuple(Node(geometry=k, name=name) for k, name in enumerate(groups)),
        geometries=tuple(Geometry(tuple(p), name=name) for p, name in zip(geometries, groups, strict=True)),
        scenes=(SceneRoots(tuple(range(len(groups)))),),
        scene=0,
    )


def _primitive(corners: np.ndarray, tables: dict[str, np.ndarray], material: int) -> Primitive:
    """[N, 3] corners of triangles as attributes of one index."""
    used: dict[str, Any] = {"POSITION": VERTEX}
    if "COLOR_0" in tables:
        used["COLOR_0"] = VERTEX
    for name, column in (("NORMAL", NORMAL), ("TEXCOORD_0", UV)):
        if (corners[:, column] != NONE).all():
            used[name] = column
    kept = sorted(set(used.values()))
    distinct, indices = np.unique(corners[:, kept], axis=0, return_inverse=True)
    attributes = {name: tables[name][distinct[:, kept.index(column)]] for name, column in used.items()}
    return Primitive(attributes, indices.reshape(-1).astype(np.uint32), material)


def _have_normals(corners: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """[F], whether all three corners have a normal that is not zero."""
    index = corners[..., NORMAL]
    if not len(normals):
        return np.zeros(len(index), dtype=bool)
    return ((index != NONE) & normals[index].any(axis=-1)).all(axis=1)


def _unit(normals: np.ndarray) -> np.ndarray:
    """A zero stays zero."""
    largest = np.abs(normals).max(axis=-1, keepdims=True, initial=0)
    scaled = normals.astype(np.float64) / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(scaled, axis=-1, keepdims=True)
    return (scaled / np.where(length > 0, length, 1)).astype(np.float32)
