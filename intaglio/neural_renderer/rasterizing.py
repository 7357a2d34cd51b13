# SPDX-License-Identifier: MIT
"""Faces to pictures, by the rules of 2018: what covers a pixel, how deep, in which colour, with which gradient."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..array import from_numpy, like, namespace
from ..ops import MAX_SIZE, downsample
from ..ops.calls.classic import CLASSIC_RASTERIZE, CLASSIC_SHADE, CLASSIC_SILHOUETTE, CLASSIC_SWEEP
from ..ops.door import Door

Array = Any

__all__ = [
    "DEFAULT_EPS",
    "FaceMaps",
    "RasterizeMethods",
    "draw",
    "rasterize",
    "rasterize_depth",
    "rasterize_maps",
    "rasterize_rgbad",
    "rasterize_silhouettes",
]

DEFAULT_IMAGE_SIZE = 256
DEFAULT_ANTI_ALIASING = True
DEFAULT_NEAR = 0.1
DEFAULT_FAR = 100
DEFAULT_EPS = 1e-4
DEFAULT_BACKGROUND_COLOR = (0, 0, 0)
WANTED_FACES = "see vertices_to_faces"


class FaceMaps(NamedTuple):
    """What every pixel shows, without anti-aliasing; row 0 is the top.

    face_index: [B, H, W] int32, -1 where there is nothing. With fill_back F + i is face i seen from behind.
    weights: [B, H, W, 3], of the corners on the screen, without perspective; the corners of F + i are those of i, last
        first. 0 where there is nothing.
    depth: [B, H, W]; `far` where there is nothing. Differentiable.
    """

    face_index: Array
    weights: Array
    depth: Array


def rasterize_rgbad(
    faces: Array,
    textures: Array | None = None,
    image_size: Any = DEFAULT_IMAGE_SIZE,
    anti_aliasing: bool = DEFAULT_ANTI_ALIASING,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    eps: float = DEFAULT_EPS,
    background_color: Any = DEFAULT_BACKGROUND_COLOR,
    return_rgb: bool = True,
    return_alpha: bool = True,
    return_depth: bool = True,
) -> dict[str, Array | None]:
    """Pictures of faces: {"rgb": [B, 3, H, W], "alpha": [B, H, W], "depth": [B, H, W]}, None where not asked for.

    faces: [B, F, 3, 3], x and y on the screen from -1 to 1, y upwards, z the distance. Only faces whose corners turn
        counter-clockwise are drawn. Differentiable: x and y by the gradient of the paper, z in depth alone.
    textures: [B, F, T, T, T, 3]; needed for rgb. Differentiable.

    Other arguments:
    image_size: a number, or (height, width). With anti_aliasing the picture is drawn at twice its size and averaged.
    near, far: what lies between them is drawn.
    eps: what keeps the distance of a pixel to an edge from zero in the gradient, and textures below their last texel.
    background_color: [3] or [B, 3].

    Raises ValueError on shapes, dtypes and devices.
    """
    if return_rgb and textures is None:
        raise ValueError("rasterize: textures must be given for rgb; got None (or pass return_rgb=False)")
    return draw(
        faces,
        textures if return_rgb else None,
        image_size,
        anti_aliasing=anti_aliasing,
        near=near,
        far=far,
        eps=eps,
        background_color=background_color,
        return_alpha=return_alpha,
        return_depth=return_depth,
    )


def rasterize(
    faces: Array,
    textures: Array,
    image_size: Any = DEFAULT_IMAGE_SIZE,
    anti_aliasing: bool = DEFAULT_ANTI_ALIASING,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    eps: float = DEFAULT_EPS,
    background_color: Any = DEFAULT_BACKGROUND_COLOR,
) -> Array:
    """The colours of `rasterize_rgbad`, [B, 3, H, W]."""
    return rasterize_rgbad(
        faces, textures, image_size, anti_aliasing, near, far, eps, background_color, True, False, False
    )["rgb"]


def rasterize_silhouettes(
    faces: Array,
    image_size: Any = DEFAULT_IMAGE_SIZE,
    anti_aliasing: bool = DEFAULT_ANTI_ALIASING,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    eps: float = DEFAULT_EPS,
) -> Array:
    """The alpha of `rasterize_rgbad`, [B, H, W]."""
    return rasterize_rgbad(faces, None, image_size, anti_aliasing, near, far, eps, (0, 0, 0), False, True, False)[
        "alpha"
    ]


def rasterize_depth(
    faces: Array,
    image_size: Any = DEFAULT_IMAGE_SIZE,
    anti_aliasing: bool = DEFAULT_ANTI_ALIASING,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    eps: float = DEFAULT_EPS,
) -> Array:
    """The depth of `rasterize_rgbad`, [B, H, W]; `far` where there is nothing, and averaged with it at borders."""
    return rasterize_rgbad(faces, None, image_size, anti_aliasing, near, far, eps, (0, 0, 0), False, False, True)[
        "depth"
    ]


def rasterize_maps(
    faces: Array,
    image_size: Any = DEFAULT_IMAGE_SIZE,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    *,
    fill_back: bool = False,
) -> FaceMaps:
    """Which face every pixel shows, and where on it. Not in the original's Python; depth alone is differentiable."""
    door = _faces_door(faces)
    size = _checked_size(door, image_size, 1)
    return FaceMaps(*door.front.apply(CLASSIC_RASTERIZE, faces, *_range(door, near, far), *size, bool(fill_back)))


class RasterizeMethods:
    """The module below the functions: maps as the kernels fill them, [B, H, W, ...] with row 0 at the bottom.

    Called with (faces, textures) it gives (rgb [B, H, W, 3], alpha, depth), empty where not asked for.
    """

    def __init__(
        self,
        image_size: Any,
        near: float,
        far: float,
        eps: float,
        background_color: Any,
        return_rgb: bool = False,
        return_alpha: bool = False,
        return_depth: bool = False,
    ):
        super().__init__()
        self.image_size = image_size
        self.near = near
        self.far = far
        self.eps = eps
        self.background_color = background_color
        self.return_rgb = return_rgb
        self.return_alpha = return_alpha
        self.return_depth = return_depth

    def forward(self, faces: Array, textures: Array | None = None) -> tuple[Array, Array, Array]:
        flags = (self.return_rgb, self.return_alpha, self.return_depth)
        maps = rasterize_rgbad(
            faces, textures, self.image_size, False, self.near, self.far, self.eps, self.background_color, *flags
        )
        xp = namespace(faces)
        rgb = maps["rgb"]
        upwards = {"rgb": None if rgb is None else xp.permute_dims(rgb, (0, 2, 3, 1))}
        upwards |= {name: maps[name] for name in ("alpha", "depth")}
        rgb, alpha, depth = (
            from_numpy(np.empty(0, np.float32), like=faces) if x is None else _flipped(x) for x in upwards.values()
        )
        return rgb, alpha, depth


def _flipped(image: Array) -> Array:
    xp = namespace(image)
    rows = xp.index_array(from_numpy(np.arange(image.shape[1])[::-1], like=image))
    return xp.take(image, rows, axis=1)


def draw(
    faces: Array,
    textures: Array | None,
    image_size: Any,
    *,
    light: Array | None = None,
    fill_back: bool = False,
    anti_aliasing: bool = DEFAULT_ANTI_ALIASING,
    near: float = DEFAULT_NEAR,
    far: float = DEFAULT_FAR,
    eps: float = DEFAULT_EPS,
    background_color: Any = DEFAULT_BACKGROUND_COLOR,
    return_alpha: bool = True,
    return_depth: bool = True,
) -> dict[str, Array | None]:
    """What all of the above come down to; rgb is drawn if there are textures.

    fill_back draws every face from behind too, as face F + i, without a copy of it. light [B, F, 3], or [B, 2 F, 3]
    with fill_back, multiplies the colours of each of them.
    """
    door = _faces_door(faces)
    factor = 2 if anti_aliasing else 1
    size = _checked_size(door, image_size, factor)
    limits = _range(door, near, far)
    if not (isinstance(eps, int | float) and 0 <= eps < float("inf")):
        door.fail("eps", "a number, 0 or more", repr(eps), "the original has 1e-4 for silhouettes, 1e-3 for colours")
    eps, fill_back = float(eps), bool(fill_back)
    pictures: dict[str, Array | None] = dict.fromkeys(("rgb", "alpha", "depth"))
    apply = door.front.apply
    if textures is not None or return_depth:
        maps = FaceMaps(*apply(CLASSIC_RASTERIZE, faces, *limits, *size, fill_back))
        if return_depth:
            pictures["depth"] = downsample(maps.depth[..., None], factor)[..., 0] if anti_aliasing else maps.depth
    if textures is not None:
        shaded = _shaded(door, faces, maps, textures, light, background_color, eps, fill_back)
        (image,) = apply(CLASSIC_SWEEP, shaded, maps.face_index, faces, eps, fill_back)
        image = downsample(image, factor)
        xp = namespace(faces)
        pictures["rgb"] = xp.contiguous(xp.permute_dims(xp.channels(image, 0, 3), (0, 3, 1, 2)))
        if return_alpha:
            pictures["alpha"] = xp.contiguous(xp.squeeze(xp.channels(image, 3, 4), -1))
    elif return_alpha:
        alpha = apply(CLASSIC_SILHOUETTE, faces, *limits, eps, *size, fill_back)[1]
        pictures["alpha"] = downsample(alpha, factor)[..., 0]
    return pictures


def _shaded(
    door: Door,
    faces: Array,
    maps: FaceMaps,
    textures: Array,
    light: Array | None,
    background_color: Any,
    eps: float,
    fill_back: bool,
) -> Array:
    """[B, H, W, 4]: the colours over their background, and alpha."""
    remedy = "one cube of T x T x T texels for each face"
    door.value("textures", textures, ("B", "F", "T", "T", "T", 3), remedy=remedy)
    if textures.shape[2] == 0:
        door.fail("textures", "of at least one texel", "T = 0", "T = 1 is one colour per face")
    xp = namespace(faces)
    batch, num_drawn = faces.shape[0], faces.shape[1] * (2 if fill_back else 1)
    if light is None:
        light = xp.ones_like(faces[:, :, 0])
        light = xp.concat([light, light], axis=1) if fill_back else light
    light = xp.broadcast_to(light, (batch, num_drawn, 3))
    background = like(background_color, faces)
    if tuple(background.shape) not in ((3,), (1, 3), (batch, 3)):
        door.fail("background_color", f"[3] or [{batch}, 3]", str(list(background.shape)), "red, green, blue")
    background = xp.broadcast_to(background, (batch, 3))
    return door.front.apply(CLASSIC_SHADE, textures, light, background, faces, *maps, eps, fill_back)[0]


def _faces_door(faces: Array) -> Door:
    door = Door("rasterize", "faces", faces)
    door.value("faces", faces, ("B", "F", 3, 3), remedy=WANTED_FACES)
    return door


def _checked_size(door: Door, image_size: Any, factor: int) -> tuple[int, int]:
    """(height, width) as drawn."""
    size = tuple(image_size) if isinstance(image_size, tuple | list) else (image_size, image_size)
    whole = all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and 1 <= n * factor <= MAX_SIZE for n in size
    )
    if len(size) != 2 or not whole:
        expected = f"a whole number from 1 to {MAX_SIZE // factor}, or (height, width)"
        door.fail("image_size", expected, repr(image_size), "in pixels")
    return int(size[0]) * factor, int(size[1]) * factor


def _range(door: Door, near: Any, far: Any) -> tuple[float, float]:
    try:
        limits = float(near), float(far)
    except (TypeError, ValueError):
        limits = float("nan"), float("nan")
    if any(x != x for x in limits):
        door.fail("near and far", "numbers", f"{near!r} and {far!r}", "distances from the camera")
    return limits
