# SPDX-License-Identifier: MIT
"""Colours and pictures of several materials as the one texture that a mesh has, or as the colour of each face."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError
from .limits import Limits

__all__ = ["Surface", "painted"]

# By glTF's names; NumPy pads alike.
PADDING: dict[str, Any] = {"repeat": "wrap", "mirror": "symmetric", "clamp": "edge"}
UV_SLACK = 1e-4  # exporters write 1.00001; the frame around each packed picture is a whole texel


@dataclass(frozen=True, eq=False)
class Surface:
    """Faces [n] of a mesh that one material covers.

    color: linear; multiplies the picture. picture: [H, W, 3] linear, or None. uv: [n, 3, 2] from the top left, where
    there is a picture. wraps: "repeat", "mirror" or "clamp", along u and v. moved: whether `uv` are not the mesh's own.
    """

    faces: np.ndarray
    color: tuple[float, ...] = (1.0, 1.0, 1.0)
    picture: np.ndarray | None = None
    uv: np.ndarray | None = None
    wraps: tuple[str, str] = ("repeat", "repeat")
    moved: bool = False

    @property
    def is_white(self) -> bool:
        return tuple(self.color) == (1.0, 1.0, 1.0)


def painted(path: Path, num_faces: int, surfaces: list[Surface], limits: Limits, remedy: str) -> dict[str, Any]:
    """The arrays of a mesh that show its surfaces, which cover each face once.

    They are `texture` with `uv` and `uv_triangles`; `texture` alone where the surfaces' own uv fit it; `face_textures`
    of one texel where there are no pictures; or nothing for white.

    Raises:
        InputError: the pictures are too large for one; `path` and `remedy` are what it says.
    """
    surfaces = [s for s in surfaces if len(s.faces)]
    if all(s.picture is None for s in surfaces):
        if all(s.is_white for s in surfaces):
            return {}
        colors = np.ones((num_faces, 3), dtype=np.float32)
        for s in surfaces:
            colors[s.faces] = s.color
        return {"face_textures": colors[:, None, None, None, :]}
    first = surfaces[0]
    if first.picture is not None and all(_fits(s, first) for s in surfaces):
        return {"texture": _tinted(first)}
    tiles = [_tile(path, s, limits, remedy) for s in surfaces]
    distinct = {key: picture for key, picture, _ in tiles}
    atlas, scale, offset = pack_pictures(path, list(distinct.values()), limits, remedy)
    place = {key: k for k, key in enumerate(distinct)}
    uv = np.zeros((num_faces, 3, 2), dtype=np.float32)
    for s, (key, _, corners) in zip(surfaces, tiles, strict=True):
        uv[s.faces] = corners * scale[place[key]] + offset[place[key]]
    own = np.arange(3 * num_faces, dtype=np.int32).reshape(-1, 3)
    return {"texture": atlas, "uv": uv.reshape(-1, 2), "uv_triangles": own}


def pack_pictures(
    path: Path, pictures: list[np.ndarray], limits: Limits, remedy: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures one under the other, each with a frame of its own border texels.

    Returns:
        The atlas [H, W, 3], and for each picture the scale [N, 2] and offset [N, 2] that bring its uv to the atlas's.

    Raises:
        InputError: it would be too large.
    """
    heights, widths = (np.array([p.shape[axis] for p in pictures]) for axis in (0, 1))
    tops = np.cumsum(heights + 2) - heights - 1
    size = (int((heights + 2).sum()), int(widths.max()) + 2)
    if size[0] * size[1] > limits.max_pixels:
        raise InputError(path, "has too many and too large pictures to pack into one", remedy=remedy)
    atlas = np.zeros((*size, 3), dtype=np.float32)
    for picture, top, height, width in zip(pictures, tops, heights, widths, strict=True):
        atlas[top - 1 : top + height + 1, : width + 2] = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    per_texel = 1 / np.array([size[1], size[0]])
    scale = np.stack([widths, heights], axis=-1) * per_texel
    offset = np.stack([np.ones_like(tops), tops], axis=-1) * per_texel
    return atlas, scale, offset


def _fits(surface: Surface, first: Surface) -> bool:
    """Whether one texture that repeats serves both."""
    if surface.picture is not first.picture or surface.color != first.color or surface.uv is None or surface.moved:
        return False
    if surface.wraps == ("repeat", "repeat"):
        return True
    return bool(((surface.uv >= -UV_SLACK) & (surface.uv <= 1 + UV_SLACK)).all())


def _tinted(surface: Surface) -> np.ndarray:
    assert surface.picture is not None
    return surface.picture if surface.is_white else surface.picture * np.array(surface.color, dtype=np.float32)


def _tile(path: Path, surface: Surface, limits: Limits, remedy: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """A key that tells tiles apart, the picture [H, W, 3] as often as uv run over it, and uv in that [n, 3, 2]."""
    if surface.picture is None or surface.uv is None:
        texel = np.array(surface.color, dtype=np.float32).reshape(1, 1, 3)
        return tuple(surface.color), texel, np.full((len(surface.faces), 3, 2), 0.5)
    with np.errstate(all="ignore"):  # what is not finite runs over too many texels
        uv, low, high = _run(surface.uv.astype(np.float64), np.array([wrap == "repeat" for wrap in surface.wraps]))
    height, width = surface.picture.shape[:2]
    if not np.prod(high - low) * height * width <= limits.max_pixels:  # which is not a number where uv are not
        raise InputError(path, "has too many and too large pictures to pack into one", remedy=remedy)
    picture = _tinted(surface)
    for axis, (size, wrap) in enumerate(zip((width, height), surface.wraps, strict=True)):
        before, after = int(-low[axis]) * size, int(high[axis] - 1) * size
        if before or after:
            pads = [(0, 0)] * 3
            pads[1 - axis] = (before, after)
            picture = np.pad(picture, pads, mode=PADDING[wrap])
    key = (id(surface.picture), tuple(surface.color), surface.wraps, *low.tolist(), *high.tolist())
    return key, picture, (uv - low) / (high - low)


def _run(uv: np.ndarray, repeats: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n, 3, 2] uv, each face moved by whole pictures to where it begins, and from where to where [2] they run."""
    lowest, highest = uv.min(axis=1, keepdims=True), uv.max(axis=1, keepdims=True)
    is_outside = (lowest < -UV_SLACK) | (highest > 1 + UV_SLACK)
    uv = uv - np.where(repeats & is_outside, np.floor(lowest), 0)
    low = np.minimum(np.floor(uv.min(axis=(0, 1)) + UV_SLACK), 0)
    high = np.maximum(np.ceil(uv.max(axis=(0, 1)) - UV_SLACK), 1)
    return uv, low, high
