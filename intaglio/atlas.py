# SPDX-License-Identifier: MIT
"""Face textures as one ordinary texture, for what knows uv only: OBJ files and web pages."""

from __future__ import annotations

import numpy as np

__all__ = ["bake_face_textures"]


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
