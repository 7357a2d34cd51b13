# SPDX-License-Identifier: MIT
"""The gradient of what moves when silhouettes move."""

from __future__ import annotations

from typing import Any

import numpy as np

from intaglio.array import from_numpy, is_known, namespace, to_numpy
from intaglio.topology import neighbours as _neighbours

from .calls.op import Op
from .calls.visibility import (
    ANTIALIAS,
    EDGE_GRADIENT,
    SILHOUETTE,
    SILHOUETTE_ERROR,
    SILHOUETTE_ERROR_OF_RANGES,
    SWEEP_GRADIENT,
)
from .door import Door
from .geometry import TRIANGLES, Fragments, check_fragments, check_geometry, check_size, rasterize_door

Array = Any


def _neighbours_as_drawn(door: Door, pos_clip: Array, triangles: Array, ranges: Array | None) -> Array:
    """The table for a mesh of which only clip-space positions are known: vertices that coincide there are welded."""
    if not (is_known(pos_clip) and is_known(triangles) and (ranges is None or is_known(ranges))):
        door.fail(
            "neighbours",
            f"given while {namespace(pos_clip).name} traces",
            "None",
            "build the table once: neighbours(triangles, positions)",
        )
    indices, num_vertices = to_numpy(triangles), pos_clip.shape[1]
    if indices.size and not 0 <= indices.min() <= indices.max() < num_vertices:
        wrong = indices.min() if indices.min() < 0 else indices.max()
        remedy = "indices count from 0 and must stay below the number of vertices"
        door.fail("triangles", f"in [0, {num_vertices})", str(wrong), remedy)
    positions = to_numpy(pos_clip)[..., [0, 1, 3]]
    if ranges is None:
        return _neighbours(triangles, positions)
    table = _neighbours_by_range(door, indices, positions, to_numpy(ranges))
    return from_numpy(table, like=triangles)


def _neighbours_by_range(door: Door, triangles: np.ndarray, positions: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """[F, 3]: each range by itself, as a mesh alone; meshes that touch are not joined."""
    table = np.full_like(triangles, -1)
    end = 0
    for first, count in np.unique(ranges[ranges[:, 1] > 0], axis=0).tolist():
        if first < 0 or count < 0 or first + count > len(triangles):
            return table  # which the op will say of the ranges
        if first < end:
            remedy = "build one: neighbours(triangles, positions); what lies outside of a range counts as none"
            door.fail("neighbours", "given where ranges overlap", "None", remedy)
        end = first + count
        part = triangles[first:end]
        low, high = part.min(), part.max() + 1
        own = _neighbours(part - low, positions[..., low:high, :])
        table[first:end] = np.where(own >= 0, own + first, -1)
    return table


def _surface_door(
    op: str, image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, ranges: Array | None
) -> tuple[Door, Array | None]:
    door = Door(op, "image", image)
    check_fragments(door, fragments)
    door.value("image", image, ("B", "H", "W", "C"), remedy="a single channel still has its axis: image[..., None]")
    return door, check_geometry(door, pos_clip, triangles, ranges)


def checked_neighbours(
    door: Door, pos_clip: Array, triangles: Array, ranges: Array | None, neighbours: Array | None
) -> Array:
    if neighbours is None:
        neighbours = _neighbours_as_drawn(door, pos_clip, triangles, ranges)
    door.index("neighbours", neighbours, TRIANGLES[len(triangles.shape) - 2])
    return neighbours


def _apply_to_surface(
    op: Op,
    image: Array,
    fragments: Fragments,
    pos_clip: Array,
    triangles: Array,
    ranges: Array | None,
    neighbours: Array | None,
) -> Array:
    door, ranges = _surface_door(op.name, image, fragments, pos_clip, triangles, ranges)
    table = checked_neighbours(door, pos_clip, triangles, ranges, neighbours)
    return door.front.apply(op, image, fragments.triangle_id, pos_clip, triangles, ranges, table)[0]


def edge_gradient(
    image: Array,
    fragments: Fragments,
    pos_clip: Array,
    triangles: Array,
    *,
    neighbours: Array | None = None,
    ranges: Array | None = None,
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
    ranges: as for `rasterize`. A neighbour outside of an image's range counts as none.

    For each pair of adjacent pixels that show different triangles the surface is walked to its fold, so that the
    gradient is right however small the triangles are. It has no tuned constants. The gradient has no second derivative
    (ValueError). Do not filter the image between `rasterize` and this op: supersampling is averaged after it.
    """
    return _apply_to_surface(EDGE_GRADIENT, image, fragments, pos_clip, triangles, ranges, neighbours)


def silhouette(
    pos_clip: Array,
    triangles: Array,
    size: tuple[int, int],
    *,
    neighbours: Array | None = None,
    ranges: Array | None = None,
    cull_backfaces: bool = False,
) -> Array:
    """The silhouette, [B, H, W, 1]: 1 where a triangle is seen and 0 elsewhere, with the gradient of its moving edge.

    pos_clip, triangles, size: as for `rasterize`; pos_clip is differentiable.

    Other arguments:
    neighbours, ranges: as for `edge_gradient`.
    cull_backfaces: as for `rasterize`.

    The same image and the same gradient as `rasterize`, a mask and `edge_gradient` one after the other, without the
    barycentrics and depths that a silhouette does not need.
    """
    door, ranges = rasterize_door("silhouette", pos_clip, triangles, size, ranges, cull_backfaces)
    table = checked_neighbours(door, pos_clip, triangles, ranges, neighbours)
    return door.front.apply(SILHOUETTE, pos_clip, triangles, ranges, table, cull_backfaces, *size)[1]


def silhouette_error(
    pos_clip: Array,
    triangles: Array,
    target: Array,
    *,
    supersample: int = 1,
    neighbours: Array | None = None,
    ranges: Array | None = None,
    cull_backfaces: bool = False,
) -> Array:
    """How much the silhouette of each view differs from its target: the sum of (silhouette - target)^2, [B].

    pos_clip: [B, V, 4]. Differentiable.
    triangles: [F, 3] or [B, F, 3] int32.
    target: [B, H, W], from 0 to 1. Not differentiable: it is what was photographed.

    Other arguments:
    supersample: the silhouette is drawn at so many times H x W and averaged, 1 to 16.
    neighbours, ranges: as for `edge_gradient`. With ranges the gradient is found by drawing again.
    cull_backfaces: as for `rasterize`.

    The loss and the gradient of `silhouette`, `downsample` and `squared_error` one after the other, without an image in
    between: each view is drawn, compared and its edges walked while it is in the cache. Several times as fast, and the
    more so the larger the images.

    Raises ValueError on shapes, dtypes, non-finite positions, indices out of range and a target that wants a gradient.

    >>> pos_clip = torch.tensor([[[-0.5, -0.5, 0, 1], [0.5, -0.5, 0, 1], [0, 0.5, 0, 1]]], requires_grad=True)
    >>> triangles = torch.tensor([[0, 1, 2]], dtype=torch.int32)
    >>> silhouette_error(pos_clip, triangles, torch.ones(1, 16, 16)).sum().backward()
    >>> pos_clip.grad[0, :, 1] < 0  # the lower corners should move down, the upper one up
    tensor([ True,  True, False])
    """
    door = Door("silhouette_error", "pos_clip", pos_clip)
    ranges = check_geometry(door, pos_clip, triangles, ranges)
    door.value("target", target, ("B", "H", "W"), remedy="one picture per view, without channels")
    if not isinstance(supersample, int) or isinstance(supersample, bool) or not 1 <= supersample <= 16:
        door.fail("supersample", "an integer from 1 to 16", repr(supersample), "1 draws at the target's size")
    door.flag("cull_backfaces", cull_backfaces)
    check_size(door, (target.shape[1] * supersample, target.shape[2] * supersample))
    xp = namespace(pos_clip)
    if xp.is_tracked(target) and is_known(target):  # where it is not, the gradient says so if it is asked for
        door.fail(
            "target", "without gradient", "one that wants it", "detach it, or compose silhouette and squared_error"
        )
    table = checked_neighbours(door, pos_clip, triangles, ranges, neighbours)
    how = (cull_backfaces, supersample)
    if ranges is not None:
        return door.front.apply(SILHOUETTE_ERROR_OF_RANGES, pos_clip, triangles, ranges, table, target, *how)[0]
    needs_grad = bool(xp.is_tracked(pos_clip) or not is_known(pos_clip))
    return door.front.apply(SILHOUETTE_ERROR, pos_clip, triangles, table, target, *how, needs_grad)[0]


def antialias(
    image: Array,
    fragments: Fragments,
    pos_clip: Array,
    triangles: Array,
    *,
    neighbours: Array | None = None,
    ranges: Array | None = None,
) -> Array:
    """The image with its edges blended by coverage: [B, H, W, C]; backward, the derivative of that blend.

    Arguments as for `edge_gradient`, which differs in leaving the picture as it is. A pixel that several edges cross
    stays within the hull of the colours involved.
    """
    return _apply_to_surface(ANTIALIAS, image, fragments, pos_clip, triangles, ranges, neighbours)


def sweep_gradient(
    image: Array,
    fragments: Fragments,
    pos_clip: Array,
    triangles: Array,
    *,
    eps: float = 1e-4,
    ranges: Array | None = None,
) -> Array:
    """The image, unchanged; backward it gives pos_clip the approximate gradient of the Neural 3D Mesh Renderer (2018).

    image: [B, H, W, C], composited over its background. All channels count: the original's silhouettes are an image of
        alpha alone, its colours are red, green, blue and alpha. Differentiable.
    fragments: of `rasterize`, the visible surface of this image.
    pos_clip: [B, V, 4]. Differentiable in x, y and w, not in z.
    triangles: [F, 3] or [B, F, 3] int32.

    Other arguments:
    eps: what keeps the distance of a pixel to an edge from zero, in ndc. The original has 1e-4 for silhouettes and 1e-3
        for colours.
    ranges: as for `rasterize`.

    Every edge of a visible triangle is swept along the pixels of each row and column that crosses it: outwards to the
    border of the image, whatever is there, and inwards through the triangle. A pixel that would lower the loss by
    taking the colour on the other side of the edge pulls on the edge with its gain divided by its distance. Where the
    loss does not fall there is no gradient: it tells a direction that helps, even from far, and is not the derivative
    of anything (`edge_gradient` is).

    It behaves as the original with fill_back=True on a mesh of which both sides are seen: here every triangle counts
    once, with its corners in counter-clockwise order on the screen. Triangles with a corner at w <= 0 get no gradient.

    Raises ValueError on shapes, dtypes, non-finite positions and indices out of range.

    >>> pos_clip = torch.tensor([[[-0.5, -0.5, 0, 1], [0.5, -0.5, 0, 1], [0, 0.5, 0, 1]]], requires_grad=True)
    >>> triangles = torch.tensor([[0, 1, 2]], dtype=torch.int32)
    >>> fragments = rasterize(pos_clip, triangles, (16, 16))
    >>> alpha = sweep_gradient((fragments.triangle_id >= 0).float()[..., None], fragments, pos_clip, triangles)
    >>> (1 - alpha).square().sum().backward()  # the whole image should be covered
    >>> pos_clip.grad[0, :, 1] < 0  # so the two lower corners should move down, the upper one up
    tensor([False, False,  True])

    Kato, Ushiku, Harada: Neural 3D Mesh Renderer, CVPR 2018.
    """
    door, ranges = _surface_door("sweep_gradient", image, fragments, pos_clip, triangles, ranges)
    if not (isinstance(eps, int | float) and 0 < eps < float("inf")):
        door.fail("eps", "a positive number", repr(eps), "the original has 1e-4 for silhouettes, 1e-3 for colours")
    inputs = (image, fragments.triangle_id, pos_clip, triangles, ranges, float(eps))
    return door.front.apply(SWEEP_GRADIENT, *inputs)[0]
