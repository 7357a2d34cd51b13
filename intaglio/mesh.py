# SPDX-License-Identifier: MIT
"""A triangle mesh as plain arrays: checked once, when it is made; what depends on its topology alone is built once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np

from .array import cross, framework, from_numpy, is_known, namespace, to_numpy, unit
from .material import AnyMaterial, normal_mapped
from .mesh_arrays import FLOATS, INDEXED, INTEGERS, adopt, check_indices, check_shapes, check_values
from .tangents import TangentGroups, tangent_groups
from .topology import neighbours as find_neighbours
from .trees import assembled, declare

__all__ = [
    "FLOATS",
    "Mesh",
    "corner_index",
    "corner_positions",
    "face_index",
    "face_normals",
    "groups_of_tangents",
    "is_batch",
    "kept_neighbours",
    "triangles_of",
    "triangles_of_tangents",
    "vertex_normals",
]


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """Triangles, and what colours them. Colours multiply: a mesh without any is white, one without a material matt.

    All arrays take the framework of the first that is not NumPy's, the floats the dtype of `vertices`. All floats are
    differentiable.

    Args:
        vertices: [V, 3] or [B, V, 3] float32 or float64, world space.
        triangles: [F, 3] integers, counter-clockwise seen from outside; kept as int32.

    Other arguments:
        vertex_colors: [V, 3] or [B, V, 3], linear; with alpha where the last axis has 4.
        face_textures: [F, T, T, T, 3] or [B, F, T, T, T, 3], linear: a cube of texels for each triangle, addressed by
            its barycentric coordinates.
        texture: [H, W, 3] or [B, H, W, 3], linear; needs `uv`. With alpha where the last axis has 4.
        uv: [T, 2]; (0, 0) is the top left of the texture.
        uv_triangles: [F, 3] integers into `uv`; `triangles` where not given.
        normals: [N, 3] or [B, N, 3], outward, for smooth shading; those of `vertex_normals` where not given.
        normal_triangles: [F, 3] integers into `normals`; `triangles` where not given.
        tangents: [T, 4] or [B, T, 4], the direction of u and the sign of the bitangent, for normal maps; those of
            MikkTSpace's rule where not given.
        tangent_triangles: [F, 3] integers into `tangents`; `triangles` where not given.
        material: `Material`, `BlinnPhong` or `Unlit`; matt where not given.
        double_sided: whether both sides of a triangle are drawn; if not, those seen from behind (corners clockwise on
            the screen) are left out. Cameras whose pictures are mirror images draw both.
        neighbours: [F, 3] int32 as of `intaglio.neighbours`; built when first needed where not given.

    Raises:
        ValueError: a shape or a dtype is wrong, an index is out of range, a number is not finite.

    Example:
        >>> Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]])
        Mesh(3 vertices, 1 triangles, numpy)
    """

    vertices: Any
    triangles: Any
    _: KW_ONLY
    vertex_colors: Any = None
    face_textures: Any = None
    texture: Any = None
    uv: Any = None
    uv_triangles: Any = None
    normals: Any = None
    normal_triangles: Any = None
    tangents: Any = None
    tangent_triangles: Any = None
    material: AnyMaterial | None = None
    double_sided: bool = True
    neighbours: Any = None
    _kept: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        neighbours = self.__dict__.pop("neighbours")  # from here on _Neighbours answers
        adopt(self)
        check_shapes(self)
        check_values(self)
        if neighbours is not None:
            check_indices("neighbours", neighbours, len(self.triangles), len(self.triangles), lowest=-1)
            self._kept["neighbours"] = to_numpy(neighbours).astype(np.int32)

    def __repr__(self) -> str:
        shape = self.vertices.shape
        batch = f"{shape[0]} x " if len(shape) == 3 else ""
        extra = [name for name in FLOATS[1:] if getattr(self, name) is not None]
        extra += [type(self.material).__name__] if self.material is not None else []
        extra += [] if self.double_sided else ["single-sided"]
        counts = [f"{batch}{shape[-2]} vertices", f"{len(self.triangles)} triangles", namespace(self.vertices).name]
        return f"Mesh({', '.join(counts + extra)})"

    def replace(self, **changes: Any) -> Mesh:
        """The mesh with other arrays, cheap enough for every step of a fit.

        Values are checked anew, and what depends on the topology built anew, only where triangles change; the ops check
        that positions are finite.

        Raises:
            TypeError: no part of a mesh is called that.
            ValueError: a shape is wrong.
        """
        names = {*FLOATS, *INTEGERS, "material", "double_sided"}
        if not changes.keys() <= names:
            unknown, known = (", ".join(sorted(x)) for x in (changes.keys() - names, names))
            raise TypeError(f"Mesh.replace: arguments must name parts of a mesh; got {unknown} (there are {known})")
        arrays = {name: getattr(self, name) for name in names} | changes
        if changes.keys() & {*INTEGERS}:
            return Mesh(**arrays)
        if not is_known(arrays["vertices"]):
            _build_neighbours(self)
        mesh = object.__new__(Mesh)
        mesh.__dict__.update(arrays, _kept=self._kept)
        adopt(mesh)
        check_shapes(mesh)
        return mesh

    def to(self, name: str, device: Any = None) -> Mesh:
        """The mesh with its arrays in the framework called `name` ("numpy", "torch"), on `device` where it has those.

        From one framework to another the arrays are copied, so that a fit in place leaves the original alone, and
        lose their gradient.
        """
        xp = framework(name)
        mesh = object.__new__(Mesh)
        mesh.__dict__.update(double_sided=self.double_sided, _kept=self._kept)
        for array in FLOATS + INTEGERS:
            x = getattr(self, array)
            if x is not None:
                x = xp.on_device(x, device) if namespace(x) is xp else xp.from_numpy(to_numpy(x).copy(), device=device)
            mesh.__dict__[array] = x
        mesh.__dict__["material"] = None if self.material is None else self.material.to(name, device)
        return mesh

    def normalized(self) -> Mesh:
        """The mesh centred on the origin, the longest side of its box from -1 to 1."""
        xp = namespace(self.vertices)
        if self.vertices.shape[-2] == 0:
            return self
        low, high = xp.min(self.vertices, axis=-2, keepdims=True), xp.max(self.vertices, axis=-2, keepdims=True)
        half = xp.max(high - low, axis=-1, keepdims=True) / 2
        half = xp.where(half > 0, half, xp.ones_like(half))
        return self.replace(vertices=(self.vertices - (low + high) / 2) / half)

    def to_html(self) -> str:
        """A web page, whole in itself, that shows the mesh and turns it with the mouse; of a batch the first.

        Its light is that of `render`. Write it to a file and open that, or let a notebook show the mesh itself.

        Raises:
            ValueError: a number is not finite.
        """
        from .page import page  # only where a mesh is looked at

        return page(self)

    def _repr_html_(self) -> str | None:
        """What a notebook shows: that page; nothing but `repr` where it would make the notebook too large."""
        from .page import framed

        return framed(self.to_html())

    def face_normals(self) -> Any:
        """[F, 3] or [B, F, 3] unit normals; 0 for a triangle without area. Differentiable."""
        return unit(face_normals(self.vertices, corner_index(self)))

    def vertex_normals(self) -> Any:
        """[V, 3] or [B, V, 3] unit normals, faces weighted by area; 0 for a vertex without faces. Differentiable."""
        return unit(vertex_normals(self.vertices, corner_index(self)))


class _Neighbours:
    """[F, 3] int32 triangle across each edge, -1 for a border (`intaglio.neighbours`), coinciding vertices welded.

    Built when first asked for; every mesh made from this one by `replace` has the same. torch.compile cannot trace the
    building: ask once before. JAX need not be: a mesh whose positions are replaced by traced ones builds it beforehand.
    """

    def __get__(self, mesh: Mesh | None, owner: type | None = None) -> Any:
        if mesh is None:
            return self
        kept_neighbours(mesh)
        return _in_place_of("neighbours", mesh)


Mesh.neighbours = _Neighbours()


def kept_neighbours(mesh: Mesh) -> np.ndarray:
    """The same in NumPy; of several meshes in one, of each by itself."""
    kept = mesh._kept
    if "neighbours" not in kept and "parts" in kept:
        kept["neighbours"] = kept["parts"].neighbours(mesh)
    elif "neighbours" not in kept:
        kept["neighbours"] = find_neighbours(to_numpy(mesh.triangles), to_numpy(mesh.vertices))
    return kept["neighbours"]


def _build_neighbours(mesh: Mesh) -> None:
    """While positions can be read: for meshes made of this one in which they cannot."""
    if "neighbours" not in mesh._kept and is_known(mesh.vertices) and is_known(mesh.triangles):
        mesh.neighbours  # noqa: B018
    if normal_mapped(mesh.material) is not None and mesh.tangents is None and is_known(mesh.vertices):
        groups_of_tangents(mesh, is_smooth=True)


def is_batch(mesh: Mesh) -> bool:
    """Whether an array of the mesh or of its material has an axis for images."""
    axes = [(getattr(mesh, name), 3) for name in ("vertices", "vertex_colors", "normals", "tangents")]
    axes += [(mesh.face_textures, 6), (mesh.texture, 4)]
    has_batch = any(x is not None and x.ndim == count for x, count in axes)
    return has_batch or (mesh.material is not None and bool(mesh.material.batches()))


def triangles_of(mesh: Mesh, name: str) -> Any:
    """[F, 3] int32 into the mesh's "uv", "normals" or "tangents": triangles of their own, or those of the vertices."""
    own = getattr(mesh, INDEXED[name][0])
    return mesh.triangles if own is None else own


def corner_index(mesh: Mesh) -> Any:
    """[3 * F] vertex of each corner, all first corners first; kept with the mesh."""
    if "corner_index" not in mesh._kept:
        mesh._kept["corner_index"] = to_numpy(mesh.triangles).T.ravel()
    return _in_place_of("corner_index", mesh)


def face_index(mesh: Mesh, rows: int = 1) -> Any:
    """[F, 3] int32, each face's own number three times: indexes values that belong to faces; kept with the mesh.

    [rows * F, 3] for as many rows of such values, one behind the other.
    """
    name = f"face_index of {rows}"
    if name not in mesh._kept:
        faces = np.arange(rows * len(mesh.triangles), dtype=np.int32)
        mesh._kept[name] = np.stack([faces] * 3, axis=-1)
    return _in_place_of(name, mesh)


def groups_of_tangents(mesh: Mesh, *, is_smooth: bool) -> TangentGroups:
    """Which corners share a tangent, where normals are those of the mesh or those of its faces; kept with the mesh."""
    name = "tangents" if is_smooth else "tangents of faces"
    if name not in mesh._kept:
        is_one = "parts" not in mesh._kept
        groups = (_find_groups if is_one else mesh._kept["parts"].groups_of_tangents)(mesh, is_smooth=is_smooth)
        mesh._kept[name], mesh._kept[f"triangles of {name}"] = groups, groups.triangles
    return mesh._kept[name]


def _find_groups(mesh: Mesh, *, is_smooth: bool) -> TangentGroups:
    normals, index = mesh.normals, triangles_of(mesh, "normals")
    if not is_smooth:
        normals, index = mesh.face_normals(), face_index(mesh)
    elif normals is None:
        normals, index = mesh.vertex_normals(), mesh.triangles
    return tangent_groups(mesh.vertices, mesh.triangles, mesh.uv, triangles_of(mesh, "uv"), normals, index)


def triangles_of_tangents(mesh: Mesh, *, is_smooth: bool) -> Any:
    """[F, 3] int32 of `groups_of_tangents`, where the mesh is."""
    return _in_place_of("triangles of tangents" if is_smooth else "triangles of tangents of faces", mesh)


def corner_positions(vertices: Any, corners: Any) -> tuple[Any, Any, Any]:
    """[..., V, 3], [3 * F] -> three [..., F, 3]: the first, second and third corner of every face. Differentiable."""
    at = namespace(vertices).take(vertices, corners, axis=-2)
    num_faces = at.shape[-2] // 3
    return at[..., :num_faces, :], at[..., num_faces : 2 * num_faces, :], at[..., 2 * num_faces :, :]


def face_normals(vertices: Any, corners: Any) -> Any:
    """[..., V, 3], [3 * F] -> [..., F, 3] normals as long as twice the triangle's area. Differentiable."""
    first, second, third = corner_positions(vertices, corners)
    return cross(second - first, third - first)


def vertex_normals(vertices: Any, corners: Any) -> Any:
    """[..., V, 3], [3 * F] -> [..., V, 3] sums of the normals of the faces around each vertex. Differentiable."""
    xp = namespace(vertices)
    normals = face_normals(vertices, corners)
    return xp.index_sum(xp.concat([normals, normals, normals], axis=-2), corners, vertices.shape[-2])


def _in_place_of(name: str, mesh: Mesh) -> Any:
    """The kept table in the framework and on the device of the mesh, made once for each."""
    x = mesh.triangles
    key = f"{name} {namespace(x).name} {getattr(x, 'device', '')}"
    if key not in mesh._kept:
        table = from_numpy(mesh._kept[name], like=x)
        mesh._kept[key] = namespace(x).index_array(table) if name == "corner_index" else table
    return mesh._kept[key]


class _Topology:
    """What of a mesh is structure to JAX. It compiles a function for each, so they are compared by what they hold."""

    def __init__(self, mesh: Mesh) -> None:
        self.attributes = {name: getattr(mesh, name) for name in (*INTEGERS, "double_sided", "_kept")}

    def _tables(self) -> tuple:
        return (*(self.attributes[name] for name in INTEGERS), self.attributes["_kept"].get("neighbours"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Topology):
            return False
        if self.attributes["double_sided"] != other.attributes["double_sided"]:
            return False
        return all(a is b or _are_equal(a, b) for a, b in zip(self._tables(), other._tables(), strict=True))

    def __hash__(self) -> int:
        return hash(self.attributes["triangles"].shape)


def _are_equal(a: Any, b: Any) -> bool:
    return a is not None and b is not None and is_known(a) and is_known(b) and np.array_equal(to_numpy(a), to_numpy(b))


def _flattened(mesh: Mesh) -> tuple[list, _Topology]:
    _build_neighbours(mesh)
    return [getattr(mesh, name) for name in (*FLOATS, "material")], _Topology(mesh)


def _unflattened(topology: _Topology, parts: Sequence[Any]) -> Mesh:
    return assembled(Mesh, topology.attributes | dict(zip((*FLOATS, "material"), parts, strict=True)))


declare(Mesh, _flattened, _unflattened)
