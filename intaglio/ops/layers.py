# SPDX-License-Identifier: MIT
"""Pictures of several layers: what lies behind what lets light through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intaglio.array import as_float_array, like, namespace

from .calls.layers import COMPOSITE, LAYERED_EDGE_GRADIENT
from .door import Array, Door
from .geometry import Fragments, check_fragments, check_geometry
from .visibility import checked_neighbours

MAX_LAYERS = 32


def composite(colors: Array | Sequence[Array], *, background: Array | Sequence[float] | None = None) -> Array:
    """Layers over one another: [B, H, W, C + 1], the colour over the background and the alpha of all together.

    colors: [B, H, W, K, C + 1], or K arrays [B, H, W, C + 1], nearest first: the colour of each layer, not multiplied
        by anything, and its alpha. Where a layer shows nothing its alpha is 0. Differentiable.

    Other arguments:
    background: [C], [B, C] or [B, H, W, C] numbers; black where not given. Differentiable.

    Raises ValueError on shapes and dtypes.

    >>> glass, wall = np.float32([1, 0, 0, 0.25]), np.float32([0, 0, 1, 1])
    >>> composite([x.reshape(1, 1, 1, 4) for x in (glass, wall)])
    array([[[[0.25, 0.  , 0.75, 1.  ]]]], dtype=float32)

    Porter, Duff: Compositing Digital Images, SIGGRAPH 1984.
    """
    door, colors = _layers_door("composite", colors)
    (image,) = door.front.apply(COMPOSITE, colors)
    if background is None:
        return image
    xp, behind = namespace(image), _background(door, background, image)
    left = 1 - image[..., -1:]
    return image + left * xp.concat([behind, xp.zeros_like(behind[..., :1])], axis=behind.ndim - 1)


def layered_edge_gradient(
    image: Array,
    colors: Array | Sequence[Array],
    layers: Sequence[Fragments],
    pos_clip: Array,
    triangles: Array,
    *,
    background: Array | Sequence[float] | None = None,
    neighbours: Array | None = None,
    ranges: Array | None = None,
) -> Array:
    """The image, unchanged; backward it gives pos_clip the gradient of what moves when edges of any layer move.

    image: [B, H, W, C + 1], of `composite`. Differentiable.
    colors, background: what it was made of. Not differentiated here: `composite` does that.
    layers: the Fragments of each layer, nearest first: `rasterize`, and again `behind` the one before. At most 32.
    pos_clip, triangles, neighbours, ranges: as for `edge_gradient`.

    Between two pixels every surface that either of them shows is walked to where it meets the other pixel's surfaces or
    ends. The picture changes at each edge by what ends and begins there, seen through what is in front of it and before
    what is behind it: an edge behind something opaque changes nothing, a fold counts once though two sheets end at
    it, and edges less than a pixel apart have their own shares each. With one layer it is `edge_gradient`, but that a
    surface's own colours do not count as a change.
    """
    door, colors = _layers_door("layered_edge_gradient", colors)
    if not isinstance(layers, list | tuple):
        door.fail("layers", "a list of Fragments", type(layers).__name__, "one for each layer of colors")
    if not 1 <= len(layers) <= MAX_LAYERS or len(layers) != colors.shape[3]:
        expected = f"1 to {MAX_LAYERS} Fragments, as many as the {colors.shape[3]} layers of colors"
        door.fail("layers", expected, str(len(layers)), "one for each layer of colors")
    for k, fragments in enumerate(layers):
        check_fragments(door, fragments, f"layers[{k}]")
    door.value("image", image, ("B", "H", "W", "C"), remedy="pass what composite returned")
    ranges = check_geometry(door, pos_clip, triangles, ranges)
    table = checked_neighbours(door, pos_clip, triangles, ranges, neighbours)
    xp = namespace(image)
    behind = None if background is None else xp.stop_gradient(_background(door, background, image))
    triangle_id = xp.stack([fragments.triangle_id for fragments in layers], axis=3)
    inputs = (image, xp.stop_gradient(colors), behind, triangle_id, pos_clip, triangles, ranges, table)
    return door.front.apply(LAYERED_EDGE_GRADIENT, *inputs)[0]


def _layers_door(op: str, colors: Array | Sequence[Array]) -> tuple[Door, Array]:
    """Colours as one array [B, H, W, K, C]."""
    remedy = "a colour and an alpha for every layer, nearest first"
    stacked: Array = colors
    if isinstance(colors, list | tuple):
        if not colors:
            raise ValueError(f"{op}: colors must hold at least one layer; got none ({remedy})")
        door = Door(op, "colors", colors[0])
        for k, color in enumerate(colors):
            door.value(f"colors[{k}]", color, ("B", "H", "W", "C"), remedy=remedy)
        xp = namespace(colors[0])  # in Paddle a second derivative through its own stack fails without a word of why
        stacked = xp.concat([xp.reshape(x, (*x.shape[:3], 1, *x.shape[3:])) for x in colors], axis=3)
    else:
        door = Door(op, "colors", colors)
        door.value("colors", stacked, ("B", "H", "W", "K", "C"), remedy=remedy)
    layers, channels = stacked.shape[3:]
    if channels < 2 or layers < 1:
        got = f"{layers} layers of {channels} channels"
        door.fail("colors", "at least one layer of a colour and an alpha", got, remedy)
    return door, stacked


def _background(door: Door, background: Array | Sequence[float], image: Array) -> Array:
    """[1 or B, 1 or H, 1 or W, C]."""
    behind = like(as_float_array(background, np.float64), image)
    channels = image.shape[-1] - 1
    door.value("background", behind, (channels,), ("B", channels), ("B", "H", "W", channels))
    shape = tuple(behind.shape)
    return (
        behind
        if len(shape) == 4
        else namespace(behind).reshape(behind, (*shape[:-1], *(1,) * (4 - len(shape)), channels))
    )
