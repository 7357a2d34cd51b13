# SPDX-License-Identifier: MIT
"""Meshes of any sizes as one: their arrays one behind the other, nothing padded, nothing copied.

Meshes that are shaded alike (the same kinds of colours, of material, of normals, textures of one size) make one mesh
together, their look; its textures and the numbers of its material have an axis for the meshes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .array import as_float_array, leader, like, namespace
from .material import is_white
from .mesh import Mesh, is_batch
from .mesh_arrays import FLOATS, INTEGERS
from .parts import ROWS_OF, Parts, joined_meshes, joined_triangles, one_array, where_is
from .trees import assembled, declare

__all__ = ["Look", "Pack", "pack"]


class Look(NamedTuple):
    """Meshes that are shaded alike: all in one, where each of them is in it, and their places in the pack."""

    mesh: Mesh
    parts: Parts
    members: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Pack:
    """What `pack` makes: meshes of any sizes to be drawn together. `len`, indices and loops give them back."""

    looks: tuple[Look, ...]
    _tables: dict[str, Any] = field(default_factory=dict)  # of several looks: what `geometry` is made of but vertices

    def __repr__(self) -> str:
        triangles = sum(len(look.mesh.triangles) for look in self.looks)
        framework = namespace(self.looks[0].mesh.vertices).name
        return f"Pack({len(self)} meshes, {triangles} triangles, {framework})"

    def __len__(self) -> int:
        return sum(len(look.members) for look in self.looks)

    def __iter__(self) -> Iterator[Mesh]:
        return iter(self._in_order([look.parts.meshes(look.mesh) for look in self.looks]))

    def __getitem__(self, index: int) -> Mesh:
        return list(self)[index]

    @property
    def geometry(self) -> Mesh:
        """The vertices and triangles of all meshes, one behind the other; double-sided if one of them is."""
        if len(self.looks) == 1:
            return self.looks[0].mesh
        pieces = [look.parts.separated("vertices", look.mesh.vertices) for look in self.looks]
        vertices = namespace(pieces[0][0]).concat(self._in_order(pieces), axis=0)
        shape = {"vertices": vertices, "double_sided": any(look.mesh.double_sided for look in self.looks)}
        return assembled(Mesh, dict.fromkeys((*FLOATS, *INTEGERS, "material")) | self._tables | shape)

    @property
    def parts(self) -> Parts:
        """Of `geometry`."""
        return self.looks[0].parts if len(self.looks) == 1 else self._tables["_kept"]["parts"]

    @property
    def ranges(self) -> np.ndarray:
        """[R, 2] int32, the first triangle and the count of each mesh in `geometry`, as the ops take them."""
        return self.parts.ranges

    def replace(self, **arrays: Sequence[Any]) -> Pack:
        """The pack with other arrays of the same shapes, cheap enough for every step of a fit.

        Args:
            arrays: by the names that they have in `Mesh`, a list with one for each mesh; None for those without.

        Raises:
            TypeError: no array of floats of a mesh is called that.
            ValueError: there are not as many as meshes, or a shape is another.

        Example:
            >>> packed.replace(vertices=[v + shift for v, shift in zip(vertices, shifts)])
        """
        if not arrays.keys() <= {*FLOATS}:
            unknown, known = (", ".join(sorted(x)) for x in (arrays.keys() - {*FLOATS}, FLOATS))
            raise TypeError(f"Pack.replace: arguments must name arrays of a mesh; got {unknown} (there are {known})")
        for name, values in arrays.items():
            if not isinstance(values, (list, tuple)) or len(values) != len(self):
                got = f"{len(values)}" if isinstance(values, (list, tuple)) else type(values).__name__
                raise ValueError(f"Pack.replace: {name} must be a list of {len(self)}, one for each mesh; got {got}")
        looks = []
        for look in self.looks:
            changes = {name: _replaced(look, name, values) for name, values in arrays.items()}
            looks.append(look._replace(mesh=look.mesh.replace(**changes)))
        return Pack(tuple(looks), self._tables)

    def to(self, name: str, device: Any = None) -> Pack:
        """The pack with its arrays in the framework called `name`, as of `Mesh.to`."""
        looks = tuple(look._replace(mesh=look.mesh.to(name, device)) for look in self.looks)
        return Pack(looks, _tables_of(self._in_order([look.parts.meshes(look.mesh) for look in looks]), looks))

    def _in_order(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """What each look has of each of its meshes, in the order of the pack."""
        found: list[Any] = [None] * len(self)
        for look, values in zip(self.looks, rows, strict=True):
            for place, value in zip(look.members, values, strict=True):
                found[place] = value
        return found


def pack(meshes: Sequence[Mesh]) -> Pack:
    """Meshes of any sizes as one object that `render` draws in one go, nothing padded.

    Args:
        meshes: of one framework (NumPy's give way to another) and one float type; none of them a batch. All their
            floats and those of their materials are differentiable through the pack.

    Returns:
        `Pack`. `render`, `render_silhouette`, `compare_silhouette` and `render_normals` take it in place of a mesh and
        give an image for each of its meshes, the image that `render` gives of the mesh alone. `list(packed)` are the
        meshes again. To JAX it is a tree of arrays.

    Meshes may differ in everything. Those that are shaded alike go through each step together: with the same kinds of
    colours and normals, one or two sides, textures of one size, materials of one class with the same kinds of maps of
    one size. Each other look costs one pass more, and as many looks as meshes cost what a loop does; silhouettes are
    drawn in one, unless some meshes are double-sided and others not. Textures are copied side by side, unless all
    meshes of a look have the same one.

    Raises:
        ValueError: there is no mesh, or they do not go together.

    Example:
        >>> packed = pack([shapes.cube(), shapes.icosphere(2), shapes.torus()])
        >>> render(packed, Camera.look_at((0, 0, 4)), (64, 64)).color.shape
        (3, 64, 64, 3)
    """
    meshes = _of_one_framework(_checked(meshes))
    members: dict[tuple, list[int]] = {}
    for k, mesh in enumerate(meshes):
        members.setdefault(_look(mesh), []).append(k)
    looks = []
    for places in members.values():
        alike = [meshes[k] for k in places]
        parts = Parts.of(alike)
        looks.append(Look(joined_meshes(alike, parts), parts, tuple(places)))
    return Pack(tuple(looks), _tables_of(meshes, looks))


def _checked(meshes: Sequence[Mesh]) -> Sequence[Mesh]:
    if not isinstance(meshes, (list, tuple)):
        raise ValueError(f"pack: meshes must be a list of them; got {type(meshes).__name__} (see intaglio.Mesh)")
    if not meshes:
        raise ValueError("pack: meshes must be at least one; got none")
    for k, mesh in enumerate(meshes):
        if not isinstance(mesh, Mesh):
            got = f"{type(mesh).__name__} (mesh {k}; list(packed) are those of a pack)"
            raise ValueError(f"pack: meshes must be a list of Mesh; got {got}")
        if is_batch(mesh):
            remedy = "take mesh.replace(vertices=vertices[k]) for each k"
            raise ValueError(f"pack: meshes must be none of them a batch; got {mesh!r} (mesh {k}; {remedy})")
    first = _dtype(meshes[0])
    for k, mesh in enumerate(meshes):
        if _dtype(mesh) != first:
            remedy = "Mesh follows its vertices: convert those"
            got = f"{first} and {_dtype(mesh)} (mesh {k}; {remedy})"
            raise ValueError(f"pack: meshes must have vertices of one float type; got {got}")
    return meshes


def _of_one_framework(meshes: Sequence[Mesh]) -> Sequence[Mesh]:
    lead, where = meshes[0].vertices, ""
    for k, mesh in enumerate(meshes):
        of_material = [] if mesh.material is None else mesh.material.arrays().values()
        found = leader(mesh.vertices, *of_material)
        if where == "" and namespace(found) is not namespace(0):
            lead, where = found, where_is(found)
        elif namespace(found) is not namespace(0) and where_is(found) != where:
            remedy = "Mesh.to(framework, device) moves them"
            got = f"{where} and {where_is(found)} (mesh {k}; {remedy})"
            raise ValueError(f"pack: meshes must be of one framework, on one device; got {got}")
    xp = namespace(lead)
    if where == "":
        return meshes
    device = getattr(lead, "device", None)
    return [mesh if namespace(mesh.vertices) is xp else mesh.to(xp.name, device) for mesh in meshes]


def _dtype(mesh: Mesh) -> str:
    return str(mesh.vertices.dtype).rpartition(".")[2]


def _look(mesh: Mesh) -> tuple:
    """What is the same for all meshes of a look."""
    shapes = {name: _shape(getattr(mesh, name)) for name in ("vertex_colors", "face_textures", "texture")}
    colors, faces, texture = shapes["vertex_colors"], shapes["face_textures"], shapes["texture"]
    has_own = (mesh.normals is None, mesh.tangents is None)
    look = (mesh.double_sided, colors and colors[1:], faces and faces[1:], texture, *has_own)
    material = mesh.material
    if material is None:
        return look
    maps = tuple(_shape(getattr(material, name)) for name in material.MAPS)
    lengths = tuple(_shape(as_float_array(getattr(material, name)))[-1:] for name in material.COLORS)
    kind = (type(material), material.alpha_mode, material.alpha_cutoff, is_white(material.base_color))
    return (*look, *kind, maps, lengths)


def _shape(x: Any) -> tuple:
    return () if x is None else tuple(x.shape)


def _tables_of(meshes: Sequence[Mesh], looks: Sequence[Look]) -> dict[str, Any]:
    """What `Pack.geometry` needs besides vertices, where there are several looks."""
    if len(looks) == 1:
        return {}
    parts = Parts.of([assembled(Mesh, _geometry_of(mesh)) for mesh in meshes])
    return {"triangles": joined_triangles(meshes, parts), "_kept": {"parts": parts}}


def _geometry_of(mesh: Mesh) -> dict[str, Any]:
    kept = {"vertices": mesh.vertices, "triangles": mesh.triangles, "_kept": mesh._kept}
    return dict.fromkeys((*FLOATS, *INTEGERS, "material")) | kept


def _replaced(look: Look, name: str, values: Sequence[Any]) -> Any:
    """The array called so of a look, of those of all meshes."""
    values = [None if values[k] is None else as_float_array(values[k]) for k in look.members]
    before, counts = getattr(look.mesh, name), look.parts.counts(name) if name != "texture" else []
    for k, (place, value) in enumerate(zip(look.members, values, strict=True)):
        row = look.parts.rows[k]
        has_some = before is not None and (name == "texture" or row[ROWS_OF.get(name, name)] is not None)
        expected = None if not has_some else (*counts[k : k + 1], *before.shape[-3 if name == "texture" else 1 :])
        got = None if value is None else tuple(value.shape)
        if got != expected:
            spelled, received = ("None" if x is None else str(list(x)) for x in (expected, got))
            raise ValueError(f"Pack.replace: {name} must be {spelled} in mesh {place}; got {received} (or pack anew)")
    lead = leader(*(x for x in values if x is not None)) if before is not None else None
    return one_array(name, [None if x is None else like(x, lead) for x in values])


class _Layout:
    """What of a pack is structure to JAX, compared by how many rows each mesh has, and in which look."""

    def __init__(self, pack: Pack) -> None:
        self.parts = [(look.parts, look.members) for look in pack.looks]
        self.tables = pack._tables

    def _numbers(self) -> list[tuple]:
        return [(parts.rows, members) for parts, members in self.parts]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Layout) and self._numbers() == other._numbers()

    def __hash__(self) -> int:
        return hash(tuple(members for _, members in self.parts))


def _flattened(pack: Pack) -> tuple[list, _Layout]:
    return [look.mesh for look in pack.looks], _Layout(pack)


def _unflattened(layout: _Layout, meshes: Sequence[Any]) -> Pack:
    looks = [Look(mesh, parts, members) for mesh, (parts, members) in zip(meshes, layout.parts, strict=True)]
    return assembled(Pack, {"looks": tuple(looks), "_tables": layout.tables})


declare(Pack, _flattened, _unflattened)
