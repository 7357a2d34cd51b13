# SPDX-License-Identifier: MIT
"""The gradient of what moves when silhouettes move."""

from __future__ import annotations

from typing import Any

from intaglio.array import is_known, namespace, to_numpy
from intaglio.topology import neighbours as _neighbours

from . import calls
from .door import Door
from .geometry import TRIANGLES, Fragments, check_fragments, check_size, rasterize_door

Array = Any


def _neighbours_as_drawn(door: Door, pos_clip: Array, triangles: Array) -> Array:
    """The table for a mesh of which only clip-space positions are known: vertices that coincide there are welded."""
    if not (is_known(pos_clip) and is_known(triangles)):
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
    return _neighbours(triangles, to_numpy(pos_clip)[..., [0, 1, 3]])


def _surface_door(op: str, image: Array, fragments: Fragments, pos_clip: Array, triangles: Array) -> Door:
    door = Door(op, "image", image)
    check_fragments(door, fragments)
    door.value("image", image, ("B", "H", "W", "C"), remedy="a single channel still has its axis: image[..., None]")
    door.value("pos_clip", pos_clip, ("B", "V", 4))
    door.index("triangles", triangles, *TRIANGLES)
    return door


def _checked_neighbours(door: Door, pos_clip: Array, triangles: Array, neighbours: Array | None) -> Array:
    if neighbours is None:
        neighbours = _neighbours_as_drawn(door, pos_clip, triangles)
    door.index("neighbours", neighbours, TRIANGLES[len(triangles.shape) - 2])
    return neighbours


def _connected_surface_door(
    op: str, image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, neighbours: Array | None
) -> tuple[Door, Array]:
    door = _surface_door(op, image, fragments, pos_clip, triangles)
    return door, _checked_neighbours(door, pos_clip, triangles, neighbours)


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
    door, table = _connected_surface_door("edge_gradient", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.EDGE_GRADIENT, image, fragments.triangle_id, pos_clip, triangles, table)[0]


def silhouette(pos_clip: Array, triangles: Array, size: tuple[int, int], *, neighbours: Array | None = None) -> Array:
    """The silhouette, [B, H, W, 1]: 1 where a triangle is seen and 0 elsewhere, with the gradient of its moving edge.

    pos_clip, triangles, size: as for `rasterize`; pos_clip is differentiable.

    Other arguments:
    neighbours: as for `edge_gradient`.

    The same image and the same gradient as `rasterize`, a mask and `edge_gradient` one after the other, without the
    barycentrics and depths that a silhouette does not need.
    """
    door = rasterize_door("silhouette", pos_clip, triangles, size)
    table = _checked_neighbours(door, pos_clip, triangles, neighbours)
    return door.front.apply(calls.SILHOUETTE, pos_clip, triangles, table, size[0], size[1])[1]


def silhouette_error(
    pos_clip: Array, triangles: Array, target: Array, *, supersample: int = 1, neighbours: Array | None = None
) -> Array:
    """How much the silhouette of each view differs from its target: the sum of (silhouette - target)^2, [B].

    pos_clip: [B, V, 4]. Differentiable.
    triangles: [F, 3] or [B, F, 3] int32.
    target: [B, H, W], from 0 to 1. Not differentiable: it is what was photographed.

    Other arguments:
    supersample: the silhouette is drawn at so many times H x W and averaged, 1 to 16.
    neighbours: as for `edge_gradient`.

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
    door.value("pos_clip", pos_clip, ("B", "V", 4))
    door.index("triangles", triangles, *TRIANGLES)
    door.value("target", target, ("B", "H", "W"), remedy="one picture per view, without channels")
    if not isinstance(supersample, int) or isinstance(supersample, bool) or not 1 <= supersample <= 16:
        door.fail("supersample", "an integer from 1 to 16", repr(supersample), "1 draws at the target's size")
    check_size(door, (target.shape[1] * supersample, target.shape[2] * supersample))
    xp = namespace(pos_clip)
    if xp.is_tracked(target) and is_known(target):  # where it is not, the gradient says so if it is asked for
        door.fail(
            "target", "without gradient", "one that wants it", "detach it, or compose silhouette and squared_error"
        )
    table = _checked_neighbours(door, pos_clip, triangles, neighbours)
    needs_grad = bool(xp.is_tracked(pos_clip) or not is_known(pos_clip))
    inputs = (pos_clip, triangles, table, target, supersample, needs_grad)
    return door.front.apply(calls.SILHOUETTE_ERROR, *inputs)[0]


def antialias(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, neighbours: Array | None = None
) -> Array:
    """The image with its edges blended by coverage: [B, H, W, C]; backward, the derivative of that blend.

    Arguments as for `edge_gradient`, which differs in leaving the picture as it is. A pixel that several edges cross
    stays within the hull of the colours involved.
    """
    door, table = _connected_surface_door("antialias", image, fragments, pos_clip, triangles, neighbours)
    return door.front.apply(calls.ANTIALIAS, image, fragments.triangle_id, pos_clip, triangles, table)[0]


def sweep_gradient(
    image: Array, fragments: Fragments, pos_clip: Array, triangles: Array, *, eps: float = 1e-4
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
    door = _surface_door("sweep_gradient", image, fragments, pos_clip, triangles)
    if not (isinstance(eps, int | float) and 0 < eps < float("inf")):
        door.fail("eps", "a positive number", repr(eps), "the original has 1e-4 for silhouettes, 1e-3 for colours")
    inputs = (image, fragments.triangle_id, pos_clip, triangles, float(eps))
    return door.front.apply(calls.SWEEP_GRADIENT, *inputs)[0]
