# SPDX-License-Identifier: MIT
"""The ops: what each means, the checks at its door, and its dispatch to a front end by the type of its arguments.

Shapes: B images of H x W pixels, V vertices, F triangles, C channels. Values are float32 or float64 (all of one call alike),
indices int32. Errors are ValueErrors that name op, argument, what was expected, what came and the remedy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from intaglio import _native
from intaglio.array import to_numpy
from intaglio.topology import neighbours as _neighbours

from . import calls
from .door import Door

Array = Any

MAX_SIZE = 16384  # half of the guard band of the sub-pixel grid (native/math/triangle.h)


class Fragments(NamedTuple):
    """What every pixel shows.

    triangle_id: [B, H, W] int32, the nearest triangle, -1 for background. Discrete.
    barycentrics: [B, H, W, 2], perspective-correct weights of the triangle's vertices 0 and 1 (the third is 1 - both); 0 on the
        background. Differentiable.
    depth: [B, H, W], z / w, -1 at the near plane and 1 at the far plane; 1 on the background. Differentiable.
    """

    triangle_id: Array
    barycentrics: Array
    depth: Array


_TRIANGLES = (("F", 3), ("B", "F", 3))


def _rasterize_door(op: str, pos_clip: Array, triangles: Array, size: tuple[int, int]) -> Door:
    door = Door(op, "pos_clip", pos_clip)
    door.value("pos_clip", pos_clip, ("B", "V", 4), remedy="did you forget clip_from_world, or the batch axis?")
    door.index("triangles", triangles, *_TRIANGLES)
    if not (
        isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(n, int) and 1 <= n <= MAX_SIZE for n in size)
    ):
        door.fail("size", f"(height, width), each from 1 to {MAX_SIZE}", repr(size), "whole numbers of pixels")
    return door


def rasterize(pos_clip: Array, triangles: Array, size: tuple[int, int]) -> Fragments:
    """The nearest triangle at every pixel centre, with its weights and depth.

    pos_clip: [B, V, 4] clip-space positions (OpenGL: x right, y up, visible where -w <= z <= w). Differentiable, through
        barycentrics and depth; the jumps at silhouettes are another op's: `edge_gradient`, `antialias` or `sweep_gradient`.
    triangles: [F, 3] int32, or [B, F, 3] where every image has its own. Both sides are drawn.
    size: (H, W), each from 1 to 16384. Row 0 is the top; pixel centres lie at half-integers.

    Coverage is decided on a grid of 1/256 pixel with the top-left rule: an edge shared by two triangles is covered once. Of
    triangles at equal depth the one with the lower index wins. Triangles through the near plane are clipped there.

    Raises ValueError on shapes, dtypes, non-finite positions and indices out of range.

    >>> pos_clip = np.float32([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]])
    >>> rasterize(pos_clip, np.int32([[0, 1, 2]]), (3, 4)).triangle_id[0]
    array([[-1, -1, -1, -1],
           [-1,  0,  0, -1],
           [ 0,  0,  0,  0]], dtype=int32)

    Olano, Greer: Triangle Scan Conversion using 2D Homogeneous Coordinates, 1997.
    """
    door = _rasterize_door("rasterize", pos_clip, triangles, size)
    return Fragments(*door.front.apply(calls.RASTERIZE, pos_clip, triangles, size[0], size[1]))


def _check_fragments(door: Door, fragments: Fragments) -> None:
    if not isinstance(fragments, Fragments):
        door.fail("fragments", "Fragments", type(fragments).__name__, "pass what rasterize returned")
    door.index("fragments.triangle_id", fragments.triangle_id, ("B", "H", "W"))


def interpolate(attributes: Array, fragments: Fragments, triangles: Array) -> Array:
    """Attributes of vertices at every pixel: [B, H, W, C], 0 on the background.

    attributes: [B, V, C], or [V, C] for all images. Differentiable.
    fragments: of `rasterize`. Differentiable in barycentrics.
    triangles: [F, 3] or [B, F, 3] int32, the attribute's own: texture coordinates pass theirs, so that a seam in uv is none in
        the shape. Row i must describe the triangle that was row i in `rasterize`.

    Raises ValueError on shapes, dtypes and indices out of range.
    """
    door = Door("interpolate", "attributes", attributes)
    _check_fragments(door, fragments)
    door.value("attributes", attributes, ("V", "C"), ("B", "V", "C"))
    door.value("fragments.barycentrics", fragments.barycentrics, ("B", "H", "W", 2))
    door.index("triangles", triangles, *_TRIANGLES)
    (out,) = door.front.apply(calls.INTERPOLATE, attributes, triangles, fragments.triangle_id, fragments.barycentrics)
    return out


def screen_derivatives(attributes: Array, fragments: Fragments, triangles: Array, pos_clip: Array, pos_triangles: Array) -> Array:
    """How attributes change from pixel to pixel: [B, H, W, C, 2], per pixel to the right and per pixel down; 0 on background.

    They choose the mip level of `sample_texture`. Arguments as for `interpolate`, and the geometry that `rasterize` drew.
    Not differentiable.
    """
    door = Door("screen_derivatives", "attributes", attributes)
    _check_fragments(door, fragments)
    door.value("attributes", attributes, ("V", "C"), ("B", "V", "C"))
    door.index("triangles", triangles, *_TRIANGLES)
    door.value("pos_clip", pos_clip, ("B", "P", 4))
    door.index("pos_triangles", pos_triangles, *_TRIANGLES)
    inputs = (attributes, triangles, fragments.triangle_id, pos_clip, pos_triangles)
    return door.front.apply(calls.SCREEN_DERIVATIVES, *inputs)[0]


def _neighbours_as_drawn(pos_clip: Array, triangles: Array) -> Array:
    """The table for a mesh of which only clip-space positions are known: vertices that coincide there are welded."""
    return _neighbours(triangles, to_numpy(pos_clip)[..., [0, 1, 3]])


def _surface_door(
    op: str, image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, neighbours: Array | None
) -> tuple[Door, Array]:
    door = Door(op, "image", image)
    _check_fragments(door, fragments)
    door.value("image", image, ("B", "H", "W", "C"), remedy="an image of one channel still has an axis for it: image[..., None]")
    door.value("pos_clip", pos_clip, ("B", "V", 4))
    door.index("triangles", triangles, *_TRIANGLES)
    if neighbours is None:
        neighbours = _neighbours_as_drawn(pos_clip, triangles)
    door.index("neighbours", neighbours, _TRIANGLES[len(triangles.shape) - 2])
    return door, neighbours


def edge_gradient(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, neighbours: Array | None = None
) -> Array:
    """The image, unchanged; backward it gives pos_clip the gradient of what moves when silhouettes, overhangs, borders and lines
    of intersection move.

    image: [B, H, W, C], shaded and composited over its background: colours on both sides of an edge count. Differentiable.
    fragments: of `rasterize`, the visible surface of this image.
    pos_clip: [B, V, 4]. Differentiable.
    triangles: [F, 3] or [B, F, 3] int32.

    Other arguments:
    neighbours: of `neighbours(triangles, positions)`, int32 in the shape of triangles. Without it the table is built anew
        at each call, which costs more than the op: keep one, or let `Mesh` keep it.

    For each pair of adjacent pixels that show different triangles the surface is walked to its fold, so that the gradient is
    right however small the triangles are. It has no tuned constants. The gradient has no second derivative (ValueError).
    Do not filter the image between `rasterize` and this op: supersampling is averaged after it.
    """
    door, table = _surface_door("edge_gradient", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.EDGE_GRADIENT, image, fragments.triangle_id, pos_clip, triangles, table)[0]


def antialias(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, neighbours: Array | None = None
) -> Array:
    """The image with its edges blended by coverage: [B, H, W, C]; backward, the derivative of that blend.

    Arguments as for `edge_gradient`, which differs in leaving the picture as it is. A pixel that several edges cross stays within
    the hull of the colours involved.
    """
    door, table = _surface_door("antialias", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.ANTIALIAS, image, fragments.triangle_id, pos_clip, triangles, table)[0]


def set_num_threads(count: int) -> None:
    """How many threads the ops may use, the caller's included (default: all cores). Results do not depend on it."""
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"set_num_threads: count must be an integer of at least 1; got {count!r} (1 means no extra threads)")
    _native.set_num_threads(count)


def get_num_threads() -> int:
    """How many threads the ops may use."""
    return _native.num_threads()
