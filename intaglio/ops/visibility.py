# SPDX-License-Identifier: MIT
"""The gradient of what moves when silhouettes move."""

from __future__ import annotations

from typing import Any

from intaglio.array import to_numpy
from intaglio.topology import neighbours as _neighbours

from . import calls
from .door import Door
from .geometry import TRIANGLES, Fragments, check_fragments

Array = Any


def _neighbours_as_drawn(pos_clip: Array, triangles: Array) -> Array:
    """The table for a mesh of which only clip-space positions are known: vertices that coincide there are welded."""
    return _neighbours(triangles, to_numpy(pos_clip)[..., [0, 1, 3]])


def _surface_door(
    op: str, image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, neighbours: Array | None
) -> tuple[Door, Array]:
    door = Door(op, "image", image)
    check_fragments(door, fragments)
    door.value("image", image, ("B", "H", "W", "C"), remedy="a single channel still has its axis: image[..., None]")
    door.value("pos_clip", pos_clip, ("B", "V", 4))
    door.index("triangles", triangles, *TRIANGLES)
    if neighbours is None:
        neighbours = _neighbours_as_drawn(pos_clip, triangles)
    door.index("neighbours", neighbours, TRIANGLES[len(triangles.shape) - 2])
    return door, neighbours


def edge_gradient(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, neighbours: Array | None = None
) -> Array:
    """The image, unchanged; backward it gives pos_clip the gradient of what moves when silhouettes, overhangs, borders
    and lines of intersection move.

    image: [B, H, W, C], shaded and composited over its background: colours on both sides of an edge count.
        Differentiable.
    fragments: of `rasterize`, the visible surface of this image.
    pos_clip: [B, V, 4]. Differentiable.
    triangles: [F, 3] or [B, F, 3] int32.

    Other arguments:
    neighbours: of `neighbours(triangles, positions)`, int32 in the shape of triangles. Without it the table is built
        anew at each call, which costs more than the op: keep one, or let `Mesh` keep it.

    For each pair of adjacent pixels that show different triangles the surface is walked to its fold, so that the
    gradient is right however small the triangles are. It has no tuned constants. The gradient has no second derivative
    (ValueError). Do not filter the image between `rasterize` and this op: supersampling is averaged after it.
    """
    door, table = _surface_door("edge_gradient", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.EDGE_GRADIENT, image, fragments.triangle_id, pos_clip, triangles, table)[0]


def antialias(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, neighbours: Array | None = None
) -> Array:
    """The image with its edges blended by coverage: [B, H, W, C]; backward, the derivative of that blend.

    Arguments as for `edge_gradient`, which differs in leaving the picture as it is. A pixel that several edges cross
    stays within the hull of the colours involved.
    """
    door, table = _surface_door("antialias", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.ANTIALIAS, image, fragments.triangle_id, pos_clip, triangles, table)[0]
