# SPDX-License-Identifier: MIT
"""`load` and `save`: the reader and the writer by a file's ending."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ..mesh import Mesh
from .asset import Asset
from .asset_of import asset_of
from .errors import InputError
from .gltf import read_gltf, write_gltf
from .limits import Limits
from .obj import load_obj
from .obj_asset import load_obj_asset
from .obj_asset_writer import save_obj_asset
from .obj_writer import save_obj
from .ply import load_ply
from .ply_writer import save_ply
from .stl import load_stl, save_stl

__all__ = ["load", "load_asset", "save"]

MESH_READERS = {".obj": load_obj, ".ply": load_ply, ".stl": load_stl}
MESH_WRITERS = {".obj": save_obj, ".ply": save_ply, ".stl": save_stl}
ASSETS = (".gltf", ".glb")
SAME_AXES = "axes, place and size: none, they are the file's own"
SAME_WINDING = "winding: none, counter-clockwise is outside"
TURNED_UV = "uv: v counted from the bottom, now from the top"
LINEAR = "colours: sRGB to linear"
TRIANGLES = "polygons: cut into triangles"
CHANGES = {
    ".obj": (SAME_AXES, SAME_WINDING, LINEAR, TURNED_UV, TRIANGLES, "normals: none", "numbers: to 32 bits",
             "materials: MTL to metallic and rough"),
    ".ply": (SAME_AXES, SAME_WINDING, LINEAR, TURNED_UV, TRIANGLES, "normals: none", "numbers: to 32 bits"),
    ".stl": (SAME_AXES, SAME_WINDING, "colours, uv: none, it has none", "vertices: corners that coincide became one",
             "normals: passed over"),
    ".gltf": (SAME_AXES, SAME_WINDING, "colours: none, pictures stay as they are", "uv: none, they count from the top",
              "numbers: normalized integers to 32-bit floats, sparse ones written out"),
}  # fmt: skip
CHANGES[".glb"] = CHANGES[".gltf"]
ENDINGS = (*MESH_READERS, *ASSETS)


def load(path: str | Path, *, limits: Limits | None = None) -> Mesh:
    """A mesh from an OBJ, PLY, STL, glTF or GLB file: NumPy, float32, world space, linear colours, v from the top.

    Axes, place and size are the file's own (`Mesh.normalized` centres and scales it). Of a glTF it is all that the
    scene shows, in one (`Asset.mesh` says how); `load_asset` keeps the parts, materials, skins and cameras.

    Args:
        path: the file. What it refers to must lie in its folder or below.

    Other arguments:
        limits: how much a file may ask for.

    Raises:
        InputError: a file is missing, damaged, too large, of another kind, or refers to what does not exist.

    Example:
        >>> save("cube.glb", shapes.cube()); load("cube.glb")
        Mesh(8 vertices, 12 triangles, numpy, uv)
    """
    ending = _ending(path)
    if ending in ASSETS:
        return read_gltf(path, limits=limits).mesh(limits=limits)
    return MESH_READERS[ending](path, limits=limits)


def load_asset(path: str | Path, *, limits: Limits | None = None) -> Asset:
    """All that a glTF or GLB file holds; of an OBJ its groups, normals and materials; of other kinds the one mesh.

    `Asset.changes` says what was converted on the way.

    Raises:
        InputError: as `load`.
    """
    ending = _ending(path)
    if ending in ASSETS:
        asset = read_gltf(path, limits=limits)
    elif ending == ".obj":
        asset = load_obj_asset(path, limits=limits)
    else:
        asset = asset_of("load_asset", MESH_READERS[ending](path, limits=limits))
    return replace(asset, name=Path(path).name, changes=CHANGES[ending])


def save(path: str | Path, mesh: Mesh | Asset) -> None:
    """Write a mesh or an asset as OBJ, PLY (binary), STL (binary), glTF or GLB by the ending of `path`.

    It is written whole or not at all. What a kind of file has no place for is named by its own writer (`save_obj`,
    `io.save_ply`, `io.save_stl`); of an asset OBJ takes groups and materials, the other two `Asset.mesh`. A mesh
    becomes a glTF of one matt material whose texture is the mesh's in 8-bit sRGB; vertices are repeated where uv have
    seams, and welded again by `load`.

    Raises:
        InputError: `path` has another ending, or cannot be written to.
        ValueError: the mesh is none, or a batch, or has both a texture and face textures.
    """
    if not isinstance(mesh, (Mesh, Asset)):
        remedy = "of a Pack save each of list(packed)"
        raise ValueError(f"save: mesh must be a Mesh or an Asset; got {type(mesh).__name__} ({remedy})")
    ending = Path(path).suffix.lower()
    if ending in ASSETS:
        write_gltf(path, mesh if isinstance(mesh, Asset) else asset_of("save", mesh))
        return
    if ending == ".obj" and isinstance(mesh, Asset):
        save_obj_asset(path, mesh)
        return
    writer: Callable[[str | Path, Mesh], None] | None = MESH_WRITERS.get(ending)
    if writer is None:
        raise InputError(path, "meshes are not written as this kind of file", remedy=f"end the name in {_listed()}")
    writer(path, mesh.mesh() if isinstance(mesh, Asset) else mesh)


def _ending(path: str | Path) -> str:
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise InputError(path, "is of no known kind", remedy=f"the name must end in {_listed()}")
    return ending


def _listed() -> str:
    return f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
