# SPDX-License-Identifier: MIT
"""Colours from textures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from intaglio.array import namespace

from .calls.texture import FILTERS, HALVE_TEXTURE, SAMPLE_FACE_TEXTURE, SAMPLE_LEVEL, SAMPLE_PYRAMID, WRAPS
from .door import Array, Door
from .geometry import MAX_SIZE, Fragments, check_fragments

MAX_ANISOTROPY = 64
_TEXTURE = (("H", "W", "C"), ("B", "H", "W", "C"))


def check_texture(door: Door, texture: Array, *others: tuple) -> None:
    door.value("texture", texture, *_TEXTURE, *others, remedy="a grey texture still has its axis: texture[..., None]")
    height, width = texture.shape[-3:-1]
    if not (1 <= height <= MAX_SIZE and 1 <= width <= MAX_SIZE):
        door.fail("texture", f"1 to {MAX_SIZE} texels wide and high", f"{height} x {width}", "resize it")


def check_wrap(door: Door, wrap: str) -> None:
    if wrap not in WRAPS:
        door.fail("wrap", f"one of {', '.join(WRAPS)}", repr(wrap), "what lies beyond the border")


def mip_pyramid(texture: Array) -> tuple[Array, ...]:
    """The levels of a texture, from itself down to one texel, each half as large as the one before.

    texture: [B, H, W, C] or [H, W, C]; or a cube map [6, N, N, C] or [B, 6, N, N, C], each face for itself.
        Differentiable. Level l has max(1, H >> l) x max(1, W >> l) texels; each is the mean of what it covers of the
        level before, by area where a size is odd.

    Raises ValueError on shapes and dtypes.

    >>> [level.shape for level in mip_pyramid(np.ones((6, 4, 3)))]
    [(6, 4, 3), (3, 2, 3), (1, 1, 3)]

    Williams: Pyramidal Parametrics, SIGGRAPH 1983.
    """
    door = Door("mip_pyramid", "texture", texture)
    check_texture(door, texture, ("B", 6, "N", "N", "C"))
    xp, (*batch, height, width, channels) = namespace(texture), texture.shape
    level = xp.reshape(texture, (math.prod(batch), height, width, channels))
    levels = [texture]
    while max(level.shape[1:3]) > 1:
        (level,) = door.front.apply(HALVE_TEXTURE, level)
        levels.append(xp.reshape(level, (*batch, *level.shape[1:])))
    return tuple(levels)


def _check_levels(door: Door, levels: tuple[Array, ...]) -> None:
    *batch, height, width, channels = levels[0].shape
    for index, level in enumerate(levels[1:], start=1):
        door.value(
            f"texture[{index}]",
            level,
            (*batch, max(height >> index, 1), max(width >> index, 1), channels),
            remedy="pass the levels that mip_pyramid gave, finest first",
        )
    if max(height, width) >> (len(levels) - 1) == 0:
        door.fail("texture", f"at most {max(height, width).bit_length()} levels", str(len(levels)), "see mip_pyramid")


def sample_texture(
    texture: Array | Sequence[Array],
    uv: Array,
    *,
    filter: str = "bilinear",
    wrap: str = "repeat",
    uv_derivatives: Array | None = None,
    max_anisotropy: int = 1,
    fragments: Fragments | None = None,
) -> Array:
    """Colours of a texture: [B, h, w, C].

    texture: [B, H, W, C], or [H, W, C] for all images, or the levels of `mip_pyramid`. Differentiable, every level.
    uv: [B, h, w, 2]. (0, 0) is the top left corner of the image, (1, 1) its bottom right one; texel centres lie at
        half-integers. Differentiable, through the weights of the texels.

    Other arguments:
    filter: "bilinear", "nearest", or "trilinear": between the two levels of the pyramid that fit the pixel's footprint.
        The level is log2 of the longer side of the footprint in texels; the choice of levels is not differentiated.
        "trilinear" of a mere texture makes the pyramid anew at each call; other filters take the finest level.
    wrap: what lies beyond the border: "repeat", "mirror" or "clamp" (the texels of the border).
    uv_derivatives: [B, h, w, 2, 2], uv per pixel to the right and per pixel down, of `screen_derivatives`; for
        "trilinear". Not differentiated.
    max_anisotropy: a whole number from 1 to 64, for "trilinear". 1 blurs a footprint that is longer than wide by its
        longer side in both directions; more takes up to so many samples along the longer axis of the pixel's ellipse
        (Heckbert), at the level of the shorter one: what is seen at a slant stays sharp across it.
    fragments: of `rasterize`, where uv are of a mesh: the sample is 0 on the background, which then costs nothing.
        Without them background pixels, whose uv are 0, take the colour there. Their triangle_id alone is looked at.

    Where uv is not finite the sample is NaN ("nearest": some texel).

    Raises ValueError on shapes, dtypes, unknown filters and wraps.

    >>> texture = np.float32([[[0.0], [1.0]]])  # one row of two texels
    >>> sample_texture(texture, np.float32([[[[0.25, 0.5], [0.5, 0.5]]]]))[..., 0]
    array([[[0. , 0.5]]], dtype=float32)

    Heckbert: Fundamentals of Texture Mapping and Image Warping, 1989. OpenGL 4.6, 8.14. McCormack, Perry, Farkas,
    Jouppi: Feline, Fast Elliptical Lines for Anisotropic Texture Mapping, SIGGRAPH 1999.
    """
    levels = tuple(texture) if isinstance(texture, tuple | list) else (texture,)
    if not levels:
        raise ValueError("sample_texture: texture must be an array or levels; got no level (see mip_pyramid)")
    door = Door("sample_texture", "texture", levels[0])
    check_texture(door, levels[0])
    _check_levels(door, levels)
    door.value("uv", uv, ("B", "h", "w", 2))
    check_wrap(door, wrap)
    _check_anisotropy(door, max_anisotropy, filter)
    if fragments is not None:
        check_fragments(door, fragments, shape=("B", "h", "w"))
    triangle_id = None if fragments is None else fragments.triangle_id
    height, width = levels[0].shape[-3:-1]
    border = WRAPS.index(wrap)
    if filter in FILTERS:
        texels, blend = _texels(levels[0]), FILTERS.index(filter)
        return door.front.apply(SAMPLE_LEVEL, texels, uv, triangle_id, height, width, blend, border)[0]
    if filter != "trilinear":
        door.fail("filter", f"one of {', '.join(FILTERS)}, trilinear", repr(filter), "how texels are blended")
    if uv_derivatives is None:
        door.fail("uv_derivatives", "given for trilinear", "None", "see screen_derivatives")
    door.value("uv_derivatives", uv_derivatives, ("B", "h", "w", 2, 2))
    if len(levels) == 1 and not isinstance(texture, tuple | list):
        levels = mip_pyramid(texture)
    texels = namespace(levels[0]).concat([_texels(level) for level in levels], axis=-2)
    footprint = namespace(uv).stop_gradient(uv_derivatives)
    inputs = (texels, uv, footprint, triangle_id, height, width, len(levels), border, max_anisotropy)
    return door.front.apply(SAMPLE_PYRAMID, *inputs)[0]


def _check_anisotropy(door: Door, max_anisotropy: int, filter: str) -> None:
    is_whole = isinstance(max_anisotropy, int) and not isinstance(max_anisotropy, bool)
    if not is_whole or not 1 <= max_anisotropy <= MAX_ANISOTROPY:
        expected = f"a whole number from 1 to {MAX_ANISOTROPY}"
        door.fail("max_anisotropy", expected, repr(max_anisotropy), "samples along a footprint; the default is 1")
    if max_anisotropy > 1 and filter in FILTERS:
        remedy = 'pass filter="trilinear", and uv_derivatives'
        door.fail("max_anisotropy", f"1 for {filter}", str(max_anisotropy), remedy)


def _texels(level: Array) -> Array:
    """[..., H, W, C] -> [..., H * W, C]."""
    *batch, height, width, channels = level.shape
    return namespace(level).reshape(level, (*batch, height * width, channels))


def sample_face_texture(textures: Array, fragments: Fragments) -> Array:
    """Colours from a cube of texels per triangle: [B, H, W, C], 0 on the background.

    textures: [F, T, T, T, C], or [B, F, T, T, T, C] where every image has its own. Differentiable.
    fragments: of `rasterize`. Not differentiated: shapes feel the colours at their silhouettes only, as in 2018.

    The weight of vertex k is the place along axis k of the triangle's cube, blended between texels: texel [T - 1, 0, 0]
    is seen at vertex 0, [0, T - 1, 0] at vertex 1 and [0, 0, T - 1] at vertex 2. T = 1 is one colour per triangle.

    Raises ValueError on shapes, dtypes and indices out of range.

    >>> textures = np.float32([[[[[0.2, 0.5, 0.7]]]]])  # one triangle, T = 1
    >>> pos_clip = np.float32([[[-1, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]])
    >>> sample_face_texture(textures, rasterize(pos_clip, np.int32([[0, 1, 2]]), (1, 1)))
    array([[[[0.2, 0.5, 0.7]]]], dtype=float32)

    Kato, Ushiku, Harada: Neural 3D Mesh Renderer, 2018.
    """
    door = Door("sample_face_texture", "textures", textures)
    check_fragments(door, fragments)
    cube = ("F", "T", "T", "T", "C")
    door.value("textures", textures, cube, ("B", *cube), remedy="one cube of T x T x T texels per triangle")
    if textures.shape[-2] == 0:
        door.fail("textures", "of at least one texel", "T = 0", "T = 1 is one colour per triangle")
    door.value("fragments.barycentrics", fragments.barycentrics, ("B", "H", "W", 2))
    barycentrics = namespace(textures).stop_gradient(fragments.barycentrics)
    inputs = (textures, fragments.triangle_id, barycentrics)
    return door.front.apply(SAMPLE_FACE_TEXTURE, *inputs)[0]
