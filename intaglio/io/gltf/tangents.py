# SPDX-License-Identifier: MIT
"""Tangents for what a normal map covers: files that leave them out mean MikkTSpace's, which not every program has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...tangents import tangent_groups, tangents
from ..asset import TRIANGLES, Asset, Geometry, Primitive

__all__ = ["with_tangents"]


def with_tangents(asset: Asset) -> Asset:
    """The asset with tangents wherever a normal map asks for them; vertices that have several are repeated at the end.

    Without normals faces are flat, as glTF has it. Where a map's uv are missing nothing is added.
    """

    def completed(primitive: Primitive) -> Primitive:
        use = asset.materials[primitive.material].normal_texture if primitive.material is not None else None
        uv = primitive.attributes.get(f"TEXCOORD_{use.uv_set}") if use is not None else None
        table = primitive.triangles()
        if use is None or uv is None or "TANGENT" in primitive.attributes or not len(table):
            return primitive
        if "NORMAL" not in primitive.attributes:
            primitive = _flat(primitive)
            table, uv = primitive.triangles(), primitive.attributes[f"TEXCOORD_{use.uv_set}"]
        positions, normals = primitive.attributes["POSITION"], primitive.attributes["NORMAL"]
        seen = use.transformed(uv)
        groups = tangent_groups(positions, table, seen, table, normals, table)
        vectors = tangents(positions.astype(np.float64), seen, normals.astype(np.float64), groups)
        return _indexed_by(primitive, table, groups.triangles, vectors.astype(np.float32))

    def of_geometry(geometry: Geometry) -> Geometry:
        return replace(geometry, primitives=tuple(completed(p) for p in geometry.primitives))

    return replace(asset, geometries=tuple(of_geometry(geometry) for geometry in asset.geometries))


def _flat(primitive: Primitive) -> Primitive:
    """Each face with corners of its own and its normal."""
    corners = primitive.triangles().reshape(-1)
    flat = _gathered(primitive, corners, np.arange(len(corners)).reshape(-1, 3))
    a, b, c = flat.attributes["POSITION"].astype(np.float64).reshape(-1, 3, 3).swapaxes(0, 1)
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = np.where(length > 0, normals / np.where(length > 0, length, 1), [1.0, 0, 0])
    return replace(flat, attributes=flat.attributes | {"NORMAL": normals.repeat(3, axis=0).astype(np.float32)})


def _indexed_by(primitive: Primitive, table: np.ndarray, of_tangents: np.ndarray, vectors: np.ndarray) -> Primitive:
    """Tangents [T, 4] with a table [F, 3] of their own, by the index of all else. The vertices' first ones stay."""
    vertex, tangent = table.reshape(-1).astype(np.int64), of_tangents.reshape(-1).astype(np.int64)
    pairs, corners = np.unique(np.stack([vertex, tangent], axis=-1), axis=0, return_inverse=True)
    num_vertices = len(primitive.attributes["POSITION"])
    first = np.diff(pairs[:, 0], prepend=-1) != 0
    place = np.where(first, pairs[:, 0], num_vertices + np.cumsum(~first) - 1)
    rows = np.concatenate([np.arange(num_vertices), pairs[~first, 0]])
    found = np.tile(np.array([1, 0, 0, 1], dtype=np.float32), (len(rows), 1))  # of vertices without faces
    found[place] = vectors[pairs[:, 1]]
    split = _gathered(primitive, rows, place[corners.reshape(-1)].reshape(-1, 3))
    return replace(split, attributes=split.attributes | {"TANGENT": found})


def _gathered(primitive: Primitive, rows: np.ndarray, table: np.ndarray) -> Primitive:
    """Its vertices in another order or number, and triangles [F, 3] of them."""
    return replace(
        primitive,
        attributes={name: values[rows] for name, values in primitive.attributes.items()},
        targets=tuple({name: values[rows] for name, values in target.items()} for target in primitive.targets),
        indices=table.reshape(-1).astype(np.uint32),
        mode=TRIANGLES,
    )
