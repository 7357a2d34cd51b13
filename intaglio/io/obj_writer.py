# SPDX-License-Identifier: MIT
"""Wavefront OBJ out, with an MTL and a PNG beside it where the mesh has a texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..mesh import Mesh
from .atomic import write_atomically
from .errors import InputError
from .images import save_image, srgb_from_linear

__all__ = ["bake_face_textures", "save_obj"]


def save_obj(path: str | Path, mesh: Mesh) -> None:
    """Write a mesh as OBJ, whole or not at all; what `load_obj` reads again.

    Vertex colours stand behind the positions. A texture becomes NAME.png, named by NAME.mtl. Face textures are drawn
    into such a picture first (`bake_face_textures`). Colours become sRGB, 8 bits in a picture; v counts from the
    bottom, as OBJ has it. Positions keep all their 32 bits.

    Raises:
        InputError: `path` does not end in .obj, or cannot be written to.
        ValueError: the mesh is a batch, or has both a texture and face textures.
    """
    path = Path(path)
    if path.suffix.lower() != ".obj":
        raise InputError(path, "meshes are written as OBJ", remedy="end the name in .obj")
    mesh = mesh.to("numpy")
    if mesh.vertices.ndim == 3 or any(x is not None and x.ndim == n for x, n in _batched(mesh)):
        raise ValueError("save_obj: mesh must be one mesh; got a batch (take mesh.replace(vertices=vertices[0]))")
    if mesh.texture is not None and mesh.face_textures is not None:
        raise ValueError("save_obj: mesh must have a texture or face textures; got both")
    texture, uv, uv_triangles = mesh.texture, mesh.uv, mesh.uv_triangles
    if uv is not None and uv_triangles is None:
        uv_triangles = mesh.triangles
    if mesh.face_textures is not None and len(mesh.triangles):
        texture, uv, uv_triangles = bake_face_textures(mesh.face_textures)
    if texture is not None:
        save_image(path.with_suffix(".png"), texture)
        material = f"newmtl material\nKd 1 1 1\nmap_Kd {path.with_suffix('.png').name}\n"
        _write_text(path.with_suffix(".mtl"), material)
    header = [f"mtllib {path.with_suffix('.mtl').name}", "usemtl material"] if texture is not None else []
    _write_text(
        path, "\n".join([*header, *_vertex_lines(mesh), *_uv_lines(uv), *_face_lines(mesh.triangles, uv_triangles), ""])
    )


def bake_face_textures(face_textures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[F, T, T, T, 3] texture cubes as one picture, a square tile of 2 T + 2 texels for each face.

    Returns:
        texture [H, W, 3], uv [3 F, 2], uv_triangles [F, 3]. The corners of a face lie at texel centres, one
        texel away from the border of its tile; what lies beyond the face repeats its edge, so that filtering finds
        nothing foreign.
    """
    num_faces, resolution = face_textures.shape[:2]
    steps = 2 * resolution - 1  # from corner to corner
    side = steps + 3
    along = np.clip((np.arange(side) - 1) / steps, 0, 1)
    second, third = np.meshgrid(along, along)  # weights of vertices 1 and 2
    excess = np.maximum(second + third - 1, 0) / 2
    second, third = second - excess, third - excess
    weights = np.stack([1 - second - third, second, third], axis=-1).reshape(-1, 3).clip(0, 1)
    tiles = _sample_cubes(face_textures, weights).reshape(num_faces, side, side, 3)

    columns = int(np.ceil(np.sqrt(num_faces)))
    rows = -(-num_faces // columns)
    tiles = np.concatenate([tiles, np.zeros((rows * columns - num_faces, side, side, 3), tiles.dtype)])
    texture = tiles.reshape(rows, columns, side, side, 3).swapaxes(1, 2).reshape(rows * side, columns * side, 3)
    row, column = np.divmod(np.arange(num_faces), columns)
    corner = np.stack([column, row], axis=-1)[:, None] * side + 1.5  # [F, 1, 2] in texels
    texels = corner + steps * np.array([[0, 0], [1, 0], [0, 1]])
    uv = (texels / [columns * side, rows * side]).reshape(-1, 2).astype(np.float32)
    return texture.astype(np.float32), uv, np.arange(3 * num_faces, dtype=np.int32).reshape(-1, 3)


def _sample_cubes(cubes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[F, T, T, T, 3] at barycentric weights [N, 3] -> [F, N, 3]: trilinear in weight * (T - 1)."""
    last = cubes.shape[1] - 1
    low = np.minimum((weights * last).astype(int), max(last - 1, 0))
    part = weights * last - low
    result = np.zeros((len(cubes), len(weights), 3))
    for corner in np.ndindex(2, 2, 2):
        i, j, k = np.minimum(low + corner, last).T
        result += cubes[:, i, j, k] * np.where(corner, part, 1 - part).prod(axis=-1)[:, None]
    return result


def _batched(mesh: Mesh) -> list[tuple[np.ndarray | None, int]]:
    """The arrays that a batch may have its own of, and how many axes they have then."""
    return [(mesh.vertex_colors, 3), (mesh.face_textures, 6), (mesh.texture, 4)]


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda aside: aside.write_text(text, encoding="utf-8", newline="\n"))


def _vertex_lines(mesh: Mesh) -> list[str]:
    rows = mesh.vertices
    if mesh.vertex_colors is not None:
        rows = np.concatenate([rows, srgb_from_linear(mesh.vertex_colors.clip(0, 1))], axis=-1)
    form = "v" + " {:.9g}" * rows.shape[-1]
    return [form.format(*row) for row in rows.tolist()]


def _uv_lines(uv: np.ndarray | None) -> list[str]:
    return [f"vt {u:.9g} {1 - v:.9g}" for u, v in uv.tolist()] if uv is not None else []


def _face_lines(triangles: np.ndarray, uv_triangles: np.ndarray | None) -> list[str]:
    if uv_triangles is None:
        return [f"f {a} {b} {c}" for a, b, c in (triangles + 1).tolist()]
    corners = np.stack([triangles, uv_triangles], axis=-1).reshape(-1, 6) + 1
    return [f"f {a}/{d} {b}/{e} {c}/{f}" for a, d, b, e, c, f in corners.tolist()]
