# SPDX-License-Identifier: MIT
"""Which triangle a pixel shows, and what its vertices carry there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from intaglio.array import from_numpy, is_known, namespace, to_numpy

from .calls.geometry import INTERPOLATE, RASTERIZE, RASTERIZE_BEHIND, SCREEN_DERIVATIVES
from .door import Door

Array = Any

MAX_SIZE = 16384  # half of the guard band of the sub-pixel grid (native/math/triangle.h)

TRIANGLES = (("F", 3), ("B", "F", 3))


class Fragments(NamedTuple):
    """What every pixel shows.

    triangle_id: [B, H, W] int32, the nearest triangle, -1 for background. Discrete.
    barycentrics: [B, H, W, 2], perspective-correct weights of the triangle's vertices 0 and 1 (the third is 1 - both);
        0 on the background. Differentiable.
    depth: [B, H, W], z / w, -1 at the near plane and 1 at the far plane; 1 on the background. Differentiable.
    """

    triangle_id: Array
    barycentrics: Array
    depth: Array


def rasterize_door(
    op: str, pos_clip: Array, triangles: Array, size: tuple[int, int], ranges: Array | None, cull_backfaces: bool
) -> tuple[Door, Array | None]:
    door = Door(op, "pos_clip", pos_clip)
    remedy = "did you forget clip_from_world, or the batch axis?"
    ranges = check_geometry(door, pos_clip, triangles, ranges, remedy=remedy)
    check_size(door, size)
    door.flag("cull_backfaces", cull_backfaces)
    return door, ranges


def check_geometry(
    door: Door,
    pos_clip: Array,
    triangles: Array,
    ranges: Array | None,
    *,
    name: str = "triangles",
    vertices: str = "V",
    remedy: str = "see the op's docstring for the shapes",
) -> Array | None:
    """Checks what is drawn and how many images that makes; gives the ranges as an array of the front end.

    `name` is that of the triangles, `vertices` the letter for how many positions there are.
    """
    if ranges is None:
        door.value("pos_clip", pos_clip, ("B", vertices, 4), remedy=remedy)
        door.index(name, triangles, *TRIANGLES)
        return None
    door.value("pos_clip", pos_clip, ("P", vertices, 4), remedy=remedy)
    door.index(name, triangles, TRIANGLES[0], remedy="ranges are of one list of triangles, which all images share")
    ranges = _int32_ranges(door, ranges, pos_clip)
    door.index("ranges", ranges, ("R", 2), remedy="the first triangle and the count of each")
    images = pos_clip.shape[0] * ranges.shape[0]
    if door.sizes.setdefault("B", (images, "pos_clip and ranges"))[0] != images:
        size, source = door.sizes["B"]
        expected = f"[R, 2] with P x R = {size} from {source}"
        door.fail("ranges", expected, f"{pos_clip.shape[0]} x {ranges.shape[0]}", "one image for each row and range")
    return ranges


def _int32_ranges(door: Door, ranges: Any, pos_clip: Array) -> Array:
    """Integers of any kind where they can be read: there are few, and NumPy's are 64 bits wide."""
    if isinstance(ranges, list | tuple):
        ranges = np.asarray(ranges, None if is_known(pos_clip) else np.int32)
    if isinstance(ranges, door.front.ARRAY) and ranges.dtype == door.front.INDEX:
        return ranges  # unread: on a GPU the host would wait
    if not (is_known(pos_clip) and is_known(ranges)):
        return from_numpy(ranges, like=pos_clip) if isinstance(ranges, np.ndarray) else ranges
    numbers = to_numpy(ranges)
    if numbers.dtype.kind not in "iu" and numbers.size:
        door.fail("ranges", "integers", str(numbers.dtype), "the first triangle and the count of each")
    if numbers.size and not -(2**31) <= numbers.min() <= numbers.max() < 2**31:
        door.fail("ranges", "below 2^31", str(numbers.max()), "the first triangle and the count of each")
    return from_numpy(numbers.astype(np.int32), like=pos_clip)


def check_size(door: Door, size: tuple[int, int]) -> None:
    if not (
        isinstance(size, tuple | list)
        and len(size) == 2
        and all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= MAX_SIZE for n in size)
    ):
        door.fail("size", f"(height, width), each from 1 to {MAX_SIZE}", repr(size), "whole numbers of pixels")


def rasterize(
    pos_clip: Array,
    triangles: Array,
    size: tuple[int, int],
    *,
    ranges: Array | None = None,
    behind: Fragments | None = None,
    cull_backfaces: bool = False,
) -> Fragments:
    """The nearest triangle at every pixel centre, with its weights and depth.

    pos_clip: [B, V, 4] clip-space positions (OpenGL: x right, y up, visible where -w <= z <= w). Differentiable,
        through barycentrics and depth; the jumps at silhouettes are another op's: `edge_gradient`, `antialias`,
        `sweep_gradient`.
    triangles: [F, 3] int32, or [B, F, 3] where every image has its own. Both sides are drawn, but see
        `cull_backfaces`.
    size: (H, W), each from 1 to 16384. Row 0 is the top; pixel centres lie at half-integers.

    Other arguments:
    ranges: [R, 2] integers, the first triangle and the count of each of R parts of `triangles` [F, 3]: meshes of any
        sizes in one list. Row p of pos_clip [P, V, 4] and range r make image p R + r of B = P R, which shows that
        part alone. With P = 1 every mesh has its own vertices, seen by whatever camera put them there; with P
        cameras every camera sees every mesh. triangle_id counts in the whole list, so that attributes and textures
        which all meshes share serve all images. What an image costs depends on its own triangles; positions get the
        sum of the gradients of all images of their row.

    behind: what this op gave for the same geometry. Then each pixel shows the nearest triangle behind the one that it
        shows there, and nothing where it shows nothing. Again and again, this peels off layer after layer, in the order
        of depth and, at equal depth, of triangle_id: none is left out, none comes twice.
    cull_backfaces: whether triangles whose corners run clockwise on the screen are left out, as if they were not
        there. Of a closed mesh they are hidden anyway: the picture is the same, in less time.

    Coverage is decided on a grid of 1/256 pixel with the top-left rule: an edge shared by two triangles is covered
    once. Of triangles at equal depth the one with the lower index wins. Triangles through the near plane are clipped
    there.

    Raises ValueError on shapes, dtypes, non-finite positions and indices out of range.

    >>> pos_clip = np.float32([[[-1, -1, 0, 1], [1, -1, 0, 1], [0, 1, 0, 1]]])
    >>> rasterize(pos_clip, np.int32([[0, 1, 2]]), (3, 4)).triangle_id[0]
    array([[-1, -1, -1, -1],
           [-1,  0,  0, -1],
           [ 0,  0,  0,  0]], dtype=int32)

    Olano, Greer: Triangle Scan Conversion using 2D Homogeneous Coordinates, 1997. Everitt: Interactive
    Order-Independent Transparency, 2001.
    """
    door, ranges = rasterize_door("rasterize", pos_clip, triangles, size, ranges, cull_backfaces)
    if behind is None:
        return Fragments(*door.front.apply(RASTERIZE, pos_clip, triangles, ranges, cull_backfaces, *size))
    door.sizes |= {"H": (size[0], "size"), "W": (size[1], "size")}
    check_fragments(door, behind, "behind")
    door.value("behind.depth", behind.depth, ("B", "H", "W"))
    before = (behind.triangle_id, namespace(pos_clip).stop_gradient(behind.depth))
    return Fragments(*door.front.apply(RASTERIZE_BEHIND, pos_clip, triangles, ranges, cull_backfaces, *before))


def check_fragments(
    door: Door, fragments: Fragments, name: str = "fragments", shape: tuple[str, ...] = ("B", "H", "W")
) -> None:
    if not isinstance(fragments, Fragments):
        door.fail(name, "Fragments", type(fragments).__name__, "pass what rasterize returned")
    door.index(f"{name}.triangle_id", fragments.triangle_id, shape)


def interpolate(attributes: Array, fragments: Fragments, triangles: Array) -> Array:
    """Attributes of vertices at every pixel: [B, H, W, C], 0 on the background.

    attributes: [B, V, C], or [V, C] for all images. Differentiable.
    fragments: of `rasterize`. Differentiable in barycentrics.
    triangles: [F, 3] or [B, F, 3] int32, the attribute's own: texture coordinates pass theirs, so that a seam in uv is
        none in the shape. Row i must describe the triangle that was row i in `rasterize`.

    Raises ValueError on shapes, dtypes and indices out of range.
    """
    door = Door("interpolate", "attributes", attributes)
    check_fragments(door, fragments)
    door.value("attributes", attributes, ("V", "C"), ("B", "V", "C"))
    door.value("fragments.barycentrics", fragments.barycentrics, ("B", "H", "W", 2))
    door.index("triangles", triangles, *TRIANGLES)
    (out,) = door.front.apply(INTERPOLATE, attributes, triangles, fragments.triangle_id, fragments.barycentrics)
    return out


def screen_derivatives(
    attributes: Array,
    fragments: Fragments,
    triangles: Array,
    pos_clip: Array,
    pos_triangles: Array,
    *,
    ranges: Array | None = None,
) -> Array:
    """How attributes change per pixel to the right and per pixel down: [B, H, W, C, 2]; 0 on the background.

    They choose the mip level of `sample_texture`. Arguments as for `interpolate`, and the geometry that `rasterize`
    drew, with its ranges. Not differentiable.
    """
    door = Door("screen_derivatives", "attributes", attributes)
    check_fragments(door, fragments)
    door.value("attributes", attributes, ("V", "C"), ("B", "V", "C"))
    door.index("triangles", triangles, *TRIANGLES)
    ranges = check_geometry(door, pos_clip, pos_triangles, ranges, name="pos_triangles", vertices="N")
    inputs = (attributes, triangles, fragments.triangle_id, pos_clip, pos_triangles, ranges)
    return door.front.apply(SCREEN_DERIVATIVES, *inputs)[0]
