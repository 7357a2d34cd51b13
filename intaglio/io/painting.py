# SPDX-License-Identifier: MIT
"""Colours and pictures of several materials as the one texture that a mesh has, or as the colour of each face."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError
from .limits import Limits

__all__ = ["Surface", "painted"]

# By glTF's names; NumPy pads alike.
PADDING: dict[str, Any] = {"repeat": "wrap", "mirror": "symmetric", "clamp": "edge"}
COLOR = "color"  # among the pictures of a tile
LARGEST_SIDE = 1 << 14  # texels, of what can be sampled
UV_SLACK = 1e-4  # exporters write 1.00001; the frame around each packed picture is a whole texel


@dataclass(frozen=True, eq=False)
class Surface:
    """Faces [n] of a mesh that one material covers.

    color: linear; multiplies the picture, and is as long. picture: [H, W, 3 or 4] linear, or None. uv: [n, 3, 2] from
    the top left, where there is a picture. wraps: "repeat", "mirror" or "clamp", along u and v. moved: whether `uv` are
    not the mesh's own. maps: what else a material says of each place, [h, w, C] of any size, seen through the same uv;
    the same names in all surfaces.
    """

    faces: np.ndarray
    color: tuple[float, ...] = (1.0, 1.0, 1.0)
    picture: np.ndarray | None = None
    uv: np.ndarray | None = None
    wraps: tuple[str, str] = ("repeat", "repeat")
    moved: bool = False
    maps: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def is_white(self) -> bool:
        return all(part == 1 for part in self.color)


def painted(path: Path, num_faces: int, surfaces: list[Surface], limits: Limits, remedy: str) -> dict[str, Any]:
    """The arrays of a mesh that show its surfaces, which cover each face once.

    They are `texture` with `uv` and `uv_triangles`; `texture` alone where the surfaces' own uv fit it; `face_textures`
    of one texel where there are no pictures; or nothing for white. And the surfaces' `maps`, if they have any.

    Raises:
        InputError: the pictures are too large for one; `path` and `remedy` are what it says.
    """
    surfaces = [s for s in surfaces if len(s.faces)]
    if all(s.picture is None and not s.maps and len(s.color) == 3 for s in surfaces):
        if all(s.is_white for s in surfaces):
            return {}
        colors = np.ones((num_faces, 3), dtype=np.float32)
        for s in surfaces:
            colors[s.faces] = s.color
        return {"face_textures": colors[:, None, None, None, :]}
    first = surfaces[0]
    if (first.picture is not None or first.maps) and all(_fits(s, first) for s in surfaces):
        texture = {} if first.picture is None and first.is_white else {"texture": _tinted(first)}
        return texture | ({"maps": first.maps} if first.maps else {})
    tiles = _Tiles(path, limits, remedy)
    placed = [tiles.add(s) for s in surfaces]
    distinct = tiles.pictures
    packed = {}
    for name in next(iter(distinct.values())):
        packed[name], scale, offset = pack_pictures(path, [p[name] for p in distinct.values()], limits, remedy)
    place = {key: k for k, key in enumerate(distinct)}
    uv = np.zeros((num_faces, 3, 2), dtype=np.float32)
    for s, (key, corners) in zip(surfaces, placed, strict=True):
        uv[s.faces] = corners * scale[place[key]] + offset[place[key]]
    own = np.arange(3 * num_faces, dtype=np.int32).reshape(-1, 3)
    arrays = {"texture": packed.pop(COLOR), "uv": uv.reshape(-1, 2), "uv_triangles": own}
    return arrays | ({"maps": packed} if packed else {})


def pack_pictures(
    path: Path, pictures: list[np.ndarray], limits: Limits, remedy: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures side by side and one under the other, each with a frame of its own border texels.

    Returns:
        The atlas [H, W, C], and for each picture the scale [N, 2] and offset [N, 2] that bring its uv to the atlas's.

    Raises:
        InputError: it would be too large.
    """
    sizes = np.array([picture.shape[1::-1] for picture in pictures])  # across and down
    corners = on_shelves(sizes + 2)
    width, height = (corners + sizes + 2).max(axis=0).tolist()
    if width * height > limits.max_pixels or max(width, height) > LARGEST_SIDE:
        raise InputError(path, "has too many and too large pictures to pack into one", remedy=remedy)
    atlas = np.zeros((height, width, pictures[0].shape[-1]), dtype=np.float32)
    for picture, (left, top) in zip(pictures, corners.tolist(), strict=True):
        framed = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
        atlas[top : top + len(framed), left : left + framed.shape[1]] = framed
    return atlas, sizes / [width, height], (corners + 1) / [width, height]


def on_shelves(sizes: np.ndarray) -> np.ndarray:
    """[N, 2] upper left corners of rectangles [N, 2], across and down: about a square, in rows, the highest first."""
    corners = np.zeros_like(sizes)
    widest = max(int(sizes[:, 0].max()), math.isqrt(int(sizes.prod(axis=1).sum())))
    left = top = below = 0
    for k in np.argsort(-sizes[:, 1], kind="stable").tolist():
        width, height = sizes[k].tolist()
        if left + width > widest:
            left, top = 0, below
        corners[k] = left, top
        left, below = left + width, max(below, top + height)
    return corners


def _fits(surface: Surface, first: Surface) -> bool:
    """Whether one texture that repeats serves both."""
    if surface.picture is not first.picture or surface.color != first.color or surface.uv is None or surface.moved:
        return False
    if any(surface.maps[name] is not picture for name, picture in first.maps.items()):
        return False
    if surface.wraps == ("repeat", "repeat"):
        return True
    return bool(((surface.uv >= -UV_SLACK) & (surface.uv <= 1 + UV_SLACK)).all())


def _tinted(surface: Surface) -> np.ndarray:
    color = np.array(surface.color, dtype=np.float32)
    if surface.picture is None:
        return color.reshape(1, 1, -1)
    return surface.picture if surface.is_white else surface.picture * color


@dataclass
class _Tiles:
    """What is packed into one: pictures [H, W, C] by name and by a key that tells tiles apart.

    Thousands of surfaces may share a tile, and the limits hold for all tiles together.
    """

    path: Path
    limits: Limits
    remedy: str
    pictures: dict[Any, dict[str, np.ndarray]] = field(default_factory=dict)
    num_texels: int = 0

    def add(self, surface: Surface) -> tuple[Any, np.ndarray]:
        """The key of its tile, which holds its pictures as often as uv run over them, and uv in there [n, 3, 2]."""
        key: tuple = (id(surface.picture), tuple(surface.color), *(id(picture) for picture in surface.maps.values()))
        if surface.uv is None or (surface.picture is None and not surface.maps):
            self.pictures.setdefault(key, _pictures_of(surface))
            return key, np.full((len(surface.faces), 3, 2), 0.5)
        with np.errstate(all="ignore"):  # what is not finite runs over too many texels
            uv, low, high = _run(surface.uv.astype(np.float64), np.array([wrap == "repeat" for wrap in surface.wraps]))
        key = (*key, surface.wraps, *low.tolist(), *high.tolist())
        if key not in self.pictures:
            shapes = [picture.shape for picture in (surface.picture, *surface.maps.values()) if picture is not None]
            height, width = (max(shape[axis] for shape in shapes) for axis in (0, 1))
            times = np.prod(high - low)
            layers = 1 if times == 1 else 1 + len(surface.maps)  # as it is, each was counted when it was read
            num_texels = times * layers * height * width + self.num_texels
            if not num_texels <= self.limits.max_pixels:  # which is not a number where uv are not
                raise InputError(self.path, "has too many and too large pictures to pack into one", remedy=self.remedy)
            self.num_texels = int(num_texels)
            pads = [(int(-low[axis]) * size, int(high[axis] - 1) * size) for axis, size in ((1, height), (0, width))]
            self.pictures[key] = {
                name: _padded(resized(picture, height, width), pads, surface.wraps)
                for name, picture in _pictures_of(surface).items()
            }
        return key, (uv - low) / (high - low)


def _pictures_of(surface: Surface) -> dict[str, np.ndarray]:
    return {COLOR: _tinted(surface), **surface.maps}


def _padded(picture: np.ndarray, pads: list[tuple[int, int]], wraps: tuple[str, str]) -> np.ndarray:
    """Texels before and after, down and across, as `wraps` (across and down) continue the picture."""
    for axis, (pad, wrap) in enumerate(zip(pads, reversed(wraps), strict=True)):
        if any(pad):
            along = [(0, 0)] * 3
            along[axis] = pad
            picture = np.pad(picture, along, mode=PADDING[wrap])
    return picture


def resized(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """[h, w, C] -> [height, width, C], bilinear."""
    if picture.shape[:2] == (height, width):
        return picture
    if picture.shape[:2] == (1, 1):
        return np.broadcast_to(picture, (height, width, picture.shape[-1]))
    from PIL import Image  # half as costly to import as NumPy: only where it is used

    planes = [
        Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)
        for plane in np.moveaxis(picture, -1, 0)
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=-1)


def _run(uv: np.ndarray, repeats: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n, 3, 2] uv, each face moved by whole pictures to where it begins, and from where to where [2] they run."""
    lowest, highest = uv.min(axis=1, keepdims=True), uv.max(axis=1, keepdims=True)
    is_outside = (lowest < -UV_SLACK) | (highest > 1 + UV_SLACK)
    uv = uv - np.where(repeats & is_outside, np.floor(lowest), 0)
    low = np.minimum(np.floor(uv.min(axis=(0, 1)) + UV_SLACK), 0)
    high = np.maximum(np.ceil(uv.max(axis=(0, 1)) - UV_SLACK), 1)
    return uv, low, high
