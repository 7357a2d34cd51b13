# SPDX-License-Identifier: MIT
"""Colours from cube maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intaglio.array import namespace

from .calls.cube import PREFILTER_CUBE, SAMPLE_CUBE, SAMPLE_CUBE_PYRAMID
from .calls.texture import FILTERS
from .door import Array, Door
from .geometry import MAX_SIZE
from .texture import mip_pyramid

# Axes of the faces: right and up in their pictures, and their middles. OpenGL 4.6, table 8.19.
FACES = (
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
)
_FACES = ((6, "N", "N", "C"), ("B", 6, "N", "N", "C"))


def sample_cube(
    cube: Array | Sequence[Array],
    directions: Array,
    *,
    filter: str = "bilinear",
    lod: Array | None = None,
) -> Array:
    """Colours of a cube map: [B, h, w, C].

    cube: [6, N, N, C] for all images, or [B, 6, N, N, C], or levels of such, finest first, level l of N >> l texels
        (`mip_pyramid` makes them). Faces +x, -x, +y, -y, +z, -z as OpenGL lays them out: seen from outside with y up,
        rows run down and columns to the right; row 0 of +y lies at z = -1, that of -y at z = 1. Differentiable, every
        level.
    directions: [B, h, w, 3], from the cube's middle outwards; their length does not matter. Differentiable: the
        gradient is at right angles to the direction. Where the direction is 0 there is none: the sample is 0, and
        nothing receives a gradient, so that the background of an image can be left as it is.

    Other arguments:
    filter: "bilinear", "nearest", or "trilinear": between the two levels around `lod`. "trilinear" of a mere cube makes
        the pyramid anew at each call; other filters take the finest level.
    lod: [B, h, w] for "trilinear": the level to look at, 0 the finest, clamped to those there are. Differentiable: the
        difference of the two levels' samples (at a whole level towards the coarser one, at the last from the finer
        one), 0 beyond the levels.

    Filtering has no seams: beyond the border of a face come the texels of the next face. At a corner of the cube, where
    three texels meet, their mean stands for the fourth. A smooth function comes back to second order in 1 / N, and to
    first order within half a texel of a border, where rows of texels meet at an angle. A direction that is not finite
    gives NaN ("nearest": some texel), as does lod = NaN.

    Raises ValueError on shapes, dtypes and unknown filters.

    >>> faces = np.arange(6, dtype=np.float32).reshape(6, 1, 1, 1)  # one texel per face
    >>> sample_cube(faces, np.float32([[[[0, 0, -1], [1, 1, 1]]]]), filter="nearest")[..., 0]
    array([[[5., 0.]]], dtype=float32)

    Greene: Environment Mapping and Other Applications of World Projections, 1986. OpenGL 4.6, table 8.19 and 8.13.1,
    Seamless Cube Map Filtering.
    """
    levels = tuple(cube) if isinstance(cube, tuple | list) else (cube,)
    if not levels:
        raise ValueError("sample_cube: cube must be an array or levels; got no level (see mip_pyramid)")
    door = Door("sample_cube", "cube", levels[0])
    _check_levels(door, levels)
    door.value("directions", directions, ("B", "h", "w", 3))
    if filter not in (*FILTERS, "trilinear"):
        door.fail("filter", f"one of {', '.join(FILTERS)}, trilinear", repr(filter), "how texels are blended")
    size = levels[0].shape[-2]
    if filter != "trilinear":
        if lod is not None:
            door.fail("lod", f"None for {filter}", "an array", 'pass filter="trilinear" to read between levels')
        return door.front.apply(SAMPLE_CUBE, _texels(levels[0]), directions, size, FILTERS.index(filter))[0]
    if lod is None:
        door.fail("lod", "given for trilinear", "None", "the level of each pixel, [B, h, w]")
    door.value("lod", lod, ("B", "h", "w"))
    if len(levels) == 1 and not isinstance(cube, tuple | list):
        levels = mip_pyramid(cube)
    texels = namespace(levels[0]).concat([_texels(level) for level in levels], axis=-2)
    return door.front.apply(SAMPLE_CUBE_PYRAMID, texels, directions, lod, size, len(levels))[0]


def prefilter_cube(cube: Array, size: int, roughness: float) -> Array:
    """A cube map as a rough surface mirrors it, seen head-on: [6, size, size, C] or [B, 6, size, size, C].

    cube: [6, N, N, C] or [B, 6, N, N, C], as of `sample_cube`. Differentiable.
    size: of the faces of the result.
    roughness: above 0, to 1; its square is the width of the GGX lobe.

    Each texel is the mean of the light around it, weighted by the lobe, the cosine, and exact solid angles, so that a
    constant stays what it is. What lies where the lobe is below a ten-thousandth of its peak is left out; a lobe that
    would reach between the texels of a small cube is as wide as reaches one.

    Raises ValueError on shapes and dtypes, and where size or roughness is none.

    >>> prefilter_cube(np.ones((6, 8, 8, 1), np.float32), 4, 0.5).mean().round(5)
    1.0

    Karis: Real Shading in Unreal Engine 4, 2013.
    """
    door = Door("prefilter_cube", "cube", cube)
    _check_levels(door, (cube,))
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= MAX_SIZE:
        door.fail("size", f"a whole number from 1 to {MAX_SIZE}", repr(size), "texels along a face")
    if not (isinstance(roughness, int | float) and 0 < roughness <= 1):
        door.fail("roughness", "a number above 0, at most 1", repr(roughness), "a mirror shows the cube itself")
    xp, (*batch, _, from_size, _, channels) = namespace(cube), cube.shape
    texels = xp.reshape(cube, (-1, 6 * from_size * from_size, channels))
    (out,) = door.front.apply(PREFILTER_CUBE, texels, from_size, size, float(roughness))
    return xp.reshape(out, (*batch, 6, size, size, channels))


def cube_directions(size: int) -> np.ndarray:
    """[6, size, size, 3] float64: where the texels' centres lie, on the cube from -1 to 1.

    >>> cube_directions(1)[:, 0, 0].tolist()[:2]
    [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    """
    along = (2 * np.arange(size) + 1) / size - 1
    right, up, middle = np.moveaxis(np.array(FACES, np.float64)[:, :, None, None], 1, 0)
    return middle + along[:, None] * right - along[:, None, None] * up


def _check_levels(door: Door, levels: tuple[Array, ...]) -> None:
    door.value("cube", levels[0], *_FACES, remedy="six square faces; grey ones still have their axis: cube[..., None]")
    *batch, size, _, channels = levels[0].shape
    if not 1 <= size <= MAX_SIZE:
        door.fail("cube", f"1 to {MAX_SIZE} texels wide", f"{size}", "resize it")
    for index, level in enumerate(levels[1:], start=1):
        side = max(size >> index, 1)
        remedy = "pass the levels that mip_pyramid gave, finest first"
        door.value(f"cube[{index}]", level, (*batch, side, side, channels), remedy=remedy)
    if size >> (len(levels) - 1) == 0:
        door.fail("cube", f"at most {size.bit_length()} levels", str(len(levels)), "see mip_pyramid")


def _texels(level: Array) -> Array:
    """[..., 6, N, N, C] -> [..., 6 N N, C]."""
    *batch, faces, height, width, channels = level.shape
    return namespace(level).reshape(level, (*batch, faces * height * width, channels))
