# SPDX-License-Identifier: MIT
"""Several meshes in one, their arrays one behind the other, and where in it each of them is.

Textures, and what numbers of materials differ, have an axis for the meshes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from .array import as_float_array, from_numpy, like, namespace, to_numpy
from .material import AnyMaterial
from .mesh import Mesh, groups_of_tangents, kept_neighbours, triangles_of
from .mesh_arrays import FLOATS, INDEXED, INTEGERS
from .tangents import TangentGroups
from .trees import assembled

__all__ = ["ROWS_OF", "Parts", "joined_meshes", "joined_triangles", "one_array", "where_is"]

# Whose rows an array has, where it is not its own; the texture has none.
ROWS_OF = {"vertex_colors": "vertices", "face_textures": "triangles"}


@dataclass(frozen=True, eq=False)
class Parts:
    """Where in one mesh the meshes are that it is made of.

    rows: of each how many rows its arrays have, None for those that it has not.
    tables: of each its own triangles, and what it keeps.
    """

    rows: tuple[dict[str, int | None], ...]
    tables: tuple[dict[str, Any], ...]

    @staticmethod
    def of(meshes: Sequence[Mesh]) -> Parts:
        arrays = ("triangles", "vertices", *INDEXED)
        rows = [{name: _num_rows(getattr(mesh, name)) for name in arrays} for mesh in meshes]
        tables = [{name: getattr(mesh, name) for name in (*INTEGERS, "_kept")} for mesh in meshes]
        return Parts(tuple(rows), tuple(tables))

    def counts(self, name: str) -> list[int]:
        return [row[ROWS_OF.get(name, name)] or 0 for row in self.rows]

    def starts(self, name: str) -> list[int]:
        return list(accumulate(self.counts(name)[:-1], initial=0))

    @property
    def ranges(self) -> np.ndarray:
        """[R, 2] int32, as the ops take them."""
        return np.array(list(zip(self.starts("triangles"), self.counts("triangles"), strict=True)), np.int32)

    def separated(self, name: str, x: Any) -> list[Any]:
        """The array called so of each mesh; None where it has none."""
        if x is None:
            return [None] * len(self.rows)
        if name == "texture":
            return [x] * len(self.rows) if x.ndim == 3 else namespace(x).unstack(x)
        counts = self.counts(name)
        pieces = namespace(x).split(x, counts) if len(counts) > 1 else [x]
        has_some = [row[ROWS_OF.get(name, name)] is not None for row in self.rows]
        return [piece if has else None for piece, has in zip(pieces, has_some, strict=True)]

    def meshes(self, mesh: Mesh) -> list[Mesh]:
        """Those that `mesh` is made of."""
        floats = zip(*(self.separated(name, getattr(mesh, name)) for name in FLOATS), strict=True)
        materials = _separated_material(mesh.material, len(self.rows))
        rest = [{"material": material, "double_sided": mesh.double_sided} for material in materials]
        rows = zip(floats, rest, self.tables, strict=True)
        return [
            assembled(Mesh, _beside(mesh, table) | dict(zip(FLOATS, arrays, strict=True)) | rest)
            for arrays, rest, table in rows
        ]

    def neighbours(self, mesh: Mesh) -> np.ndarray:
        """[F, 3] int32, of each mesh by itself: where two of them touch they are not joined."""
        found = [table["_kept"].get("neighbours") for table in self.tables]
        if any(x is None for x in found):
            found = [kept_neighbours(part) for part in self.meshes(mesh)]
        shifted = [np.where(x >= 0, x + start, -1) for x, start in zip(found, self.starts("triangles"), strict=True)]
        return np.concatenate(shifted).astype(np.int32)

    def groups_of_tangents(self, mesh: Mesh, *, is_smooth: bool) -> TangentGroups:
        """Of each mesh by itself."""
        found = [groups_of_tangents(part, is_smooth=is_smooth) for part in self.meshes(mesh)]
        of_normals = "triangles" if not is_smooth else "vertices" if mesh.normals is None else "normals"
        vertex, normal, uv = (self.starts(name) for name in ("vertices", of_normals, "uv"))
        num_tangents = [groups.signs.size for groups in found]
        tangent = np.cumsum(num_tangents) - num_tangents
        corners = [[[v], [v], [v], [n], [t]] for v, n, t in zip(vertex, normal, tangent, strict=True)]

        def joined(name: str, starts: Any = None, axis: int = 0) -> np.ndarray:
            arrays = [getattr(groups, name) for groups in found]
            if starts is not None:
                arrays = [(x + np.array(start)).astype(np.int32) for x, start in zip(arrays, starts, strict=True)]
            return np.concatenate(arrays, axis=axis)

        return TangentGroups(
            triangles=joined("triangles", tangent),
            signs=joined("signs"),
            normal=joined("normal", normal),
            corners=joined("corners", corners, axis=1),
            uv=joined("uv", uv, axis=1),
            turns=joined("turns"),
        )


def _separated_material(material: AnyMaterial | None, count: int) -> list[AnyMaterial | None]:
    if material is None or count == 1:
        return [material] * count
    rows = {name: namespace(x).unstack(x) for name, x in material.batches().items()}
    return [replace(material, **{name: values[k] for name, values in rows.items()}) for k in range(count)]


def _beside(mesh: Mesh, tables: dict[str, Any]) -> dict[str, Any]:
    """Tables in the framework and on the device of a mesh."""
    xp, where = namespace(mesh.triangles), where_is(mesh.triangles)
    return {
        name: x
        if x is None or name == "_kept" or (namespace(x) is xp and where_is(x) == where)
        else from_numpy(to_numpy(x), like=mesh.triangles)
        for name, x in tables.items()
    }


def joined_meshes(meshes: Sequence[Mesh], parts: Parts) -> Mesh:
    """One mesh of all; of one alone itself."""
    if len(meshes) == 1:
        return meshes[0]
    first = meshes[0]
    arrays = {name: one_array(name, [getattr(mesh, name) for mesh in meshes]) for name in FLOATS}
    tables = _joined_tables(meshes, parts)
    material = _joined_material([mesh.material for mesh in meshes], first.vertices)
    rest = {"material": material, "double_sided": first.double_sided, "_kept": {"parts": parts}}
    return assembled(Mesh, arrays | tables | rest)


def one_array(name: str, values: Sequence[Any]) -> Any:
    given = [x for x in values if x is not None]
    if not given or len(values) == 1:
        return values[0]
    xp = namespace(given[0])
    if name != "texture":
        return xp.concat(given, axis=0)
    return given[0] if all(x is given[0] for x in given) else xp.stack(given, axis=0)


def _joined_tables(meshes: Sequence[Mesh], parts: Parts) -> dict[str, Any]:
    """Triangles into the rows of all."""
    tables = {"triangles": joined_triangles(meshes, parts)}
    for name, (index, *_) in INDEXED.items():
        have = [row[name] is not None for row in parts.rows]
        if not any(have) or (all(have) and all(getattr(mesh, index) is None for mesh in meshes)):
            tables[index] = None
        else:  # what is of no mesh is never looked up
            pairs = zip(meshes, have, strict=True)
            own = [triangles_of(mesh, name) if has else np.zeros(mesh.triangles.shape, np.int32) for mesh, has in pairs]
            tables[index] = _shifted(own, parts.starts(name), meshes[0].vertices)
    return tables


def joined_triangles(meshes: Sequence[Mesh], parts: Parts) -> Any:
    return _shifted([mesh.triangles for mesh in meshes], parts.starts("vertices"), meshes[0].vertices)


def _shifted(tables: Sequence[Any], starts: Sequence[int], beside: Any) -> Any:
    """[F, 3] tables one behind the other, each by what its rows start with; like another array."""
    rows = [to_numpy(table) + start for table, start in zip(tables, starts, strict=True)]
    return from_numpy(np.concatenate(rows).astype(np.int32), like=beside)


def _joined_material(materials: Sequence[AnyMaterial | None], vertices: Any) -> AnyMaterial | None:
    first = materials[0]
    if first is None:
        return None
    arrays = {}
    for name in first.arrays():
        values = [getattr(material, name) for material in materials]
        if all(x is values[0] for x in values) or (all(map(_is_plain, values)) and len(set(values)) == 1):
            arrays[name] = values[0]
        else:
            floats = [like(as_float_array(x, np.float64), vertices) for x in values]
            arrays[name] = namespace(vertices).stack(floats, axis=0)
    return replace(first, **arrays)


def _is_plain(x: Any) -> bool:
    return isinstance(x, (int, float)) or (isinstance(x, tuple) and all(isinstance(y, (int, float)) for y in x))


def _num_rows(x: Any) -> int | None:
    return None if x is None else x.shape[0]


def where_is(x: Any) -> str:
    return f"{namespace(x).name} {getattr(x, 'place', None) or getattr(x, 'device', '')}"
