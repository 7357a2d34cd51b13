# SPDX-License-Identifier: MIT
"""OBJ files with a cube of texels per face, in and out. NumPy; the frameworks' modules wrap it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..array import framework, to_numpy
from ..io import save_image, write_atomically
from ..io.mtl import MtlMaterial
from ..io.obj import ObjContents, read_obj

__all__ = ["WRAPPINGS", "atlas_of_cubes", "load_obj", "save_obj"]

WRAPPINGS = ("REPEAT", "MIRRORED_REPEAT", "CLAMP_TO_EDGE", "CLAMP_TO_BORDER")
UNPAINTED = 0.5
TILE = 16  # pixels along a side of a face's tile in the picture that save_obj writes
CLOSE_TO_LAST = 1e-5
TEXELS_AT_ONCE = 1 << 18


def load_obj(
    into: str,
    filename_obj: Any,
    normalization: bool,
    texture_size: int,
    load_texture: bool,
    texture_wrapping: str,
    use_bilinear: bool,
) -> tuple:
    """(vertices [N, 3] float32, faces [F, 3] int32[, textures [F, T, T, T, 3] float32]) of the framework `into`."""
    if texture_wrapping not in WRAPPINGS:
        raise ValueError(f"load_obj: texture_wrapping must be one of {', '.join(WRAPPINGS)}; got {texture_wrapping!r}")
    if not isinstance(texture_size, int | np.integer) or texture_size < 1:
        raise ValueError(f"load_obj: texture_size must be a whole number, 1 or more; got {texture_size!r}")
    contents = read_obj(filename_obj, materials=load_texture)
    vertices = _normalized(contents.vertices) if normalization else contents.vertices
    arrays = [vertices, contents.triangles]
    if load_texture:
        arrays.append(_textures(contents, int(texture_size), texture_wrapping, use_bilinear))
    return tuple(framework(into).from_numpy(array) for array in arrays)


def _normalized(vertices: np.ndarray) -> np.ndarray:
    """Centred, the longest side from -1 to 1."""
    moved = vertices - vertices.min(axis=0)
    longest = np.abs(moved).max()
    moved = moved / (longest if longest > 0 else 1) * 2
    return (moved - moved.max(axis=0) / 2).astype(np.float32)


def _textures(contents: ObjContents, resolution: int, wrapping: str, use_bilinear: bool) -> np.ndarray:
    textures = np.full((len(contents.triangles), *(resolution,) * 3, 3), UNPAINTED, dtype=np.float32)
    has_uv = (contents.uv_triangles >= 0).all(axis=1)
    distinct: dict[int, MtlMaterial] = {id(m): m for m in contents.materials}
    owner = np.array([id(m) for m in contents.materials])
    weights = _texel_weights(resolution)
    for key, material in distinct.items():
        faces = owner == key
        if material.color is not None:
            textures[faces] = material.color
        pictured = faces & has_uv
        if material.picture is None or not pictured.any():
            continue
        if wrapping == "CLAMP_TO_BORDER":
            textures[pictured] = 0
            continue
        for some in _parts(np.flatnonzero(pictured), len(weights)):
            uv = contents.uv[contents.uv_triangles[some]] * material.uv_scale + material.uv_offset
            uv = _inside(_wrapped(uv, wrapping), weights)
            texels = _sampled(material.picture[::-1], uv, use_bilinear)
            textures[some] = texels.reshape(-1, *textures.shape[1:])
    return textures


def _parts(faces: np.ndarray, num_texels: int) -> list[np.ndarray]:
    """So few at a time that what is made of their texels stays small beside the textures themselves."""
    return np.array_split(faces, -(-len(faces) * num_texels // TEXELS_AT_ONCE))


def _texel_weights(resolution: int) -> np.ndarray:
    """[T^3, 3]: which mixture of its corners' uv a texel looks at."""
    if resolution == 1:
        return np.full((1, 3), 1 / 3)
    index = np.stack(np.meshgrid(*[np.arange(resolution)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    total = index.sum(axis=1, keepdims=True)
    return index / np.maximum(total, 1)


def _wrapped(uv: np.ndarray, wrapping: str) -> np.ndarray:
    """The corners' uv [F, 3, 2] brought to the picture, as a new array.

    For REPEAT a face is moved by whole pictures; what still leaves the picture is wrapped texel by texel (`_inside`).
    """
    if wrapping == "CLAMP_TO_EDGE":
        return uv.clip(0, 1)
    if wrapping == "MIRRORED_REPEAT":
        whole = np.trunc(uv)
        part = np.abs(uv - whole)
        return np.where(whole.astype(int) % 2 == 0, part, 1 - part)
    low, high = uv.min(axis=1, keepdims=True), uv.max(axis=1, keepdims=True)
    return np.where((low >= 0) & (high <= 1), uv, uv - np.floor(low))


def _inside(uv: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[F, T^3, 2]: the uv of the texels, all of it from 0 to 1."""
    at = weights @ uv
    slack = 1e-6  # the weights' rounding must not wrap the picture's last pixel to its first
    return np.where(at > 1 + slack, at - (np.ceil(at - slack) - 1), at).clip(0, 1)


def _sampled(picture: np.ndarray, uv: np.ndarray, use_bilinear: bool) -> np.ndarray:
    """The picture [H, W, 3], row 0 at v = 0, of which 0 and 1 are the centres of the outermost pixels."""
    height, width = picture.shape[:2]
    at = uv * [width - 1, height - 1]
    if not use_bilinear:
        nearest = np.floor(at + 0.5).astype(int)
        return picture[nearest[..., 1], nearest[..., 0]]
    low = at.astype(int)
    x, y = low[..., 0], low[..., 1]
    right, up = np.minimum(x + 1, width - 1), np.minimum(y + 1, height - 1)
    part_x, part_y = (at - low)[..., :1], (at - low)[..., 1:]
    lower = picture[y, x] * (1 - part_x) + picture[y, right] * part_x
    upper = picture[up, x] * (1 - part_x) + picture[up, right] * part_x
    return lower * (1 - part_y) + upper * part_y


def save_obj(filename: Any, vertices: Any, faces: Any, textures: Any = None) -> None:
    """Write a mesh as OBJ; with textures an MTL and a PNG of its name too. Files appear whole or not at all.

    vertices: [N, 3]. faces: [F, 3], integers. textures: [F, T, T, T, 3], of which each face gets 16 x 16 pixels.

    The picture has 8 bits per colour and rows at whole places. `intaglio.save_obj` writes tiles that lose nothing of
    large textures and leave a border for filters.

    Raises ValueError on other shapes and on names that do not end in .obj.
    """
    path = Path(filename)
    if path.suffix.lower() != ".obj":
        raise ValueError(f"save_obj: filename must end in .obj; got {path.name!r}")
    positions, corners = to_numpy(vertices), to_numpy(faces)
    for name, x in (("vertices", positions), ("faces", corners)):
        if x.ndim != 2 or x.shape[1] != 3:
            raise ValueError(f"save_obj: {name} must be [N, 3]; got {list(x.shape)} (one mesh, without a batch axis)")
    lines = [f"# {path.name}", "#", ""]
    places = [f"v {x:.8f} {y:.8f} {z:.8f}" for x, y, z in positions.tolist()]
    if textures is None:
        lines += [*places, "", *(f"f {a} {b} {c}" for a, b, c in (corners + 1).tolist())]
    else:
        cubes = to_numpy(textures)
        if cubes.ndim != 5 or cubes.shape[0] != len(corners) or cubes.shape[4] != 3 or len(set(cubes.shape[1:4])) != 1:
            raise ValueError(f"save_obj: textures must be [{len(corners)}, T, T, T, 3]; got {list(cubes.shape)}")
        picture, uv = atlas_of_cubes(cubes)
        save_image(path.with_suffix(".png"), picture, linear=False)
        _write(path.with_suffix(".mtl"), ["newmtl material_1", f"map_Kd {path.with_suffix('.png').name}"])
        lines += [f"mtllib {path.with_suffix('.mtl').name}", "", *places, ""]
        lines += [*(f"vt {u:.8f} {v:.8f}" for u, v in uv.reshape(-1, 2).tolist()), "", "usemtl material_1"]
        lines += [
            f"f {a}/{3 * i + 1} {b}/{3 * i + 2} {c}/{3 * i + 3}" for i, (a, b, c) in enumerate((corners + 1).tolist())
        ]
    _write(path, [*lines, ""])


def _write(path: Path, lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda aside: aside.write_text(text, encoding="utf-8", newline="\n"))


def atlas_of_cubes(cubes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture cubes [F, T, T, T, 3] as tiles of one picture.

    Returns:
        The picture [H, W, 3], row 0 at the top, and the corners' uv [F, 3, 2], v counted from the bottom.
    """
    num_faces = len(cubes)
    columns = int((num_faces - 1) ** 0.5) + 1
    rows = (num_faces - 1) // columns + 1
    row, column = np.divmod(np.arange(num_faces), columns)
    left, low = column * TILE, row * TILE
    right, high = left + TILE - 1, low + TILE - 1
    corners = np.stack([np.stack([left, low], -1), np.stack([left, high], -1), np.stack([right, high], -1)], axis=1)
    tiles = np.zeros((rows * columns, TILE, TILE, 3), dtype=np.float32)
    tiles[:num_faces] = _tiles(cubes)
    size = (rows * TILE, columns * TILE)
    picture = tiles.reshape(rows, columns, TILE, TILE, 3).swapaxes(1, 2).reshape(*size, 3)
    uv = corners / [max(size[1] - 1, 1), max(size[0] - 1, 1)]
    return picture[::-1], uv.astype(np.float32)


def _tiles(cubes: np.ndarray) -> np.ndarray:
    """[F, 16, 16, 3], row 0 at v = 0: the face in the half below the diagonal x = y, its edge repeated beyond it."""
    last = cubes.shape[1] - 1
    y, x = np.meshgrid(np.arange(TILE), np.arange(TILE), indexing="ij")
    x = np.where(x == y + 1, x - 1, x)  # so that filters find the face's own colour across its longest edge
    steps = TILE - 1
    weights = np.stack([steps - y, y - x, x], axis=-1).reshape(-1, 3) / steps / (1 + CLOSE_TO_LAST)
    at = (weights * last).clip(0, max(last - CLOSE_TO_LAST, 0))
    low = at.astype(int)
    part = at - low
    result = np.zeros((len(cubes), TILE * TILE, 3), dtype=np.float32)
    for corner in np.ndindex(2, 2, 2):
        i, j, k = np.minimum(low + corner, last).T
        result += (cubes[:, i, j, k] * np.where(corner, part, 1 - part).prod(axis=-1)[:, None]).astype(np.float32)
    return result.reshape(-1, TILE, TILE, 3)
