# SPDX-License-Identifier: MIT
"""Wavefront OBJ out, with an MTL and a PNG beside it where the mesh has a texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..mesh import Mesh, triangles_of
from ..picture import srgb_from_linear
from .asset_of import material_asset
from .errors import InputError
from .mtl_writer import save_mtl, write_lines
from .one_mesh import check_one_mesh, with_one_texture

__all__ = ["save_obj"]


def save_obj(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as OBJ, whole or not at all; what `load_obj` reads again.

    Vertex colours stand behind the positions; normals are kept. A texture becomes NAME.png, named by NAME.mtl, which
    holds the material as Pr, Pm, Ke, d and maps too; a Blinn-Phong material, occlusion and alpha in pictures and
    colours have no place. Face textures are drawn into a picture first (`bake_face_textures`). Colours become sRGB, 8
    bits in a picture; v counts from the bottom, as OBJ has it. Positions keep all their 32 bits.

    Raises:
        InputError: `path` does not end in .obj, or cannot be written to.
        ValueError: the mesh is a batch, or has both a texture and face textures.
    """
    path = Path(path)
    if path.suffix.lower() != ".obj":
        raise InputError(path, "meshes are written as OBJ", remedy="end the name in .obj")
    mesh = check_one_mesh("save_obj", mesh)
    texture, uv, uv_triangles = with_one_texture("save_obj", mesh)
    header = []
    if texture is not None or mesh.material is not None:
        (name,) = save_mtl(path, material_asset("save_obj", mesh.material, texture))
        header = [f"mtllib {path.with_suffix('.mtl').name}", f"usemtl {name}"]
    normal_triangles = None if mesh.normals is None else triangles_of(mesh, "normals")
    faces = _face_lines(mesh.triangles, uv_triangles, normal_triangles)
    write_lines(path, [*header, *_vertex_lines(mesh), *_uv_lines(uv), *_normal_lines(mesh.normals), *faces])


def _vertex_lines(mesh: Mesh) -> list[str]:
    rows = mesh.vertices
    if mesh.vertex_colors is not None:
        rows = np.concatenate([rows, srgb_from_linear(mesh.vertex_colors[:, :3].clip(0, 1))], axis=-1)
    form = "v" + " {:.9g}" * rows.shape[-1]
    return [form.format(*row) for row in rows.tolist()]


def _uv_lines(uv: np.ndarray | None) -> list[str]:
    return [f"vt {u:.9g} {1 - v:.9g}" for u, v in uv.tolist()] if uv is not None else []


def _normal_lines(normals: np.ndarray | None) -> list[str]:
    return [f"vn {x:.9g} {y:.9g} {z:.9g}" for x, y, z in normals.tolist()] if normals is not None else []


def _face_lines(
    triangles: np.ndarray, uv_triangles: np.ndarray | None, normal_triangles: np.ndarray | None
) -> list[str]:
    tables = [table for table in (triangles, uv_triangles, normal_triangles) if table is not None]
    corner = "/".join(["{}"] * len(tables)) if normal_triangles is None or uv_triangles is not None else "{}//{}"
    form = " ".join(["f", corner, corner, corner])
    return [form.format(*row) for row in (np.stack(tables, axis=-1).reshape(-1, 3 * len(tables)) + 1).tolist()]
