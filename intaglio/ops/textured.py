# SPDX-License-Identifier: MIT
"""Textured meshes, drawn in one go."""

from __future__ import annotations

from intaglio.array import is_known, namespace

from .calls.texture import WRAPS
from .calls.textured import TEXTURED, TEXTURED_ERROR
from .door import Array, Door
from .geometry import TRIANGLES, check_geometry, check_size, rasterize_door
from .texture import check_texture, check_wrap
from .visibility import checked_neighbours


def textured(
    pos_clip: Array,
    triangles: Array,
    uv: Array,
    texture: Array,
    size: tuple[int, int],
    *,
    uv_triangles: Array | None = None,
    wrap: str = "repeat",
    neighbours: Array | None = None,
    cull_backfaces: bool = False,
) -> Array:
    """A mesh in the colours of its texture, filtered trilinearly: [B, H, W, C], 0 on the background.

    pos_clip, triangles, size: as for `rasterize`; pos_clip is differentiable.
    uv: [T, 2], or [B, T, 2] where every image has its own; as for `sample_texture`. Differentiable.
    texture: [h, w, C] for all images, or [B, h, w, C]. Differentiable.

    Other arguments:
    uv_triangles: [F, 3] or [B, F, 3] int32, where uv have corners of their own; else those of `triangles`.
    wrap: as for `sample_texture`.
    neighbours: as for `edge_gradient`.
    cull_backfaces: as for `rasterize`.

    The image and the gradients, to rounding, of `rasterize`, `interpolate`, `screen_derivatives`, `mip_pyramid`,
    `sample_texture`, a mask and `edge_gradient` one after the other, several times as fast: each tile is textured while
    it is in the cache, and nothing but ids and the image is written.

    Raises ValueError on shapes, dtypes, non-finite positions, indices out of range and unknown wraps.

    >>> pos_clip = np.float32([[[-1, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]])
    >>> uv, texture = np.float32([[0, 1], [2, 1], [0, -1]]), np.float32([[[1.0], [2.0]], [[3.0], [4.0]]])
    >>> textured(pos_clip, np.int32([[0, 1, 2]]), uv, texture, (2, 2))[0, ..., 0]
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    door, _ = rasterize_door("textured", pos_clip, triangles, size, None, cull_backfaces)
    inputs = _checked(door, pos_clip, triangles, uv, uv_triangles, texture, neighbours, wrap, cull_backfaces)
    return door.front.apply(TEXTURED, *inputs, *size)[2]


def textured_error(
    pos_clip: Array,
    triangles: Array,
    uv: Array,
    texture: Array,
    target: Array,
    *,
    uv_triangles: Array | None = None,
    wrap: str = "repeat",
    neighbours: Array | None = None,
    cull_backfaces: bool = False,
) -> Array:
    """How much each view of a textured mesh differs from its target: the sum of (textured - target)^2, [B].

    pos_clip, triangles, uv, texture: as for `textured`; all but triangles are differentiable.
    target: [B, H, W, C]. Not differentiable: it is what was photographed.

    Other arguments:
    uv_triangles, wrap, neighbours, cull_backfaces: as for `textured`.

    The loss and the gradients of `textured` and `squared_error` one after the other, without an image in between: each
    tile is drawn, textured, compared and its gradients carried back while it is in the cache. The gradients are found
    in the forward pass; backward multiplies them, or draws again where views share what a gradient is of (a texture,
    uv) and their errors count differently: `.sum()` and `.mean()` do not.

    Raises ValueError on shapes, dtypes, non-finite positions, indices out of range, unknown wraps and a target that
    wants a gradient.

    >>> pos_clip = torch.tensor([[[-1.0, -1, 0, 1], [3, -1, 0, 1], [-1, 3, 0, 1]]])  # all of the image
    >>> uv, texture = torch.tensor([[0.0, 1], [2, 1], [0, -1]]), torch.full((2, 2, 1), 0.75, requires_grad=True)
    >>> triangles = torch.tensor([[0, 1, 2]], dtype=torch.int32)
    >>> textured_error(pos_clip, triangles, uv, texture, torch.ones(1, 2, 2, 1)).sum().backward()
    >>> texture.grad[..., 0]  # each texel fills a pixel, which is a quarter too dark
    tensor([[-0.5000, -0.5000],
            [-0.5000, -0.5000]])
    """
    door = Door("textured_error", "pos_clip", pos_clip)
    check_geometry(door, pos_clip, triangles, None)
    inputs = _checked(door, pos_clip, triangles, uv, uv_triangles, texture, neighbours, wrap, cull_backfaces)
    shape = ("B", "rows", "columns", texture.shape[-1])  # H and W are the texture's
    door.value("target", target, shape, remedy="one picture per view, in the texture's channels")
    check_size(door, tuple(target.shape[1:3]))
    xp = namespace(pos_clip)
    if xp.is_tracked(target) and is_known(target):  # where it is not, the gradient says so if it is asked for
        door.fail("target", "without gradient", "one that wants it", "detach it, or compose textured and squared_error")
    wants = [bool(xp.is_tracked(x) or not is_known(x)) for x in (pos_clip, uv, texture)]
    return door.front.apply(TEXTURED_ERROR, *inputs, target, *wants)[0]


def _checked(
    door: Door,
    pos_clip: Array,
    triangles: Array,
    uv: Array,
    uv_triangles: Array | None,
    texture: Array,
    neighbours: Array | None,
    wrap: str,
    cull_backfaces: bool,
) -> tuple:
    """What both ops begin with, after pos_clip and triangles have been checked."""
    door.value("uv", uv, ("T", 2), ("B", "T", 2))
    if uv_triangles is None:
        uv_triangles = triangles
    door.index("uv_triangles", uv_triangles, *TRIANGLES, remedy="one row for each of triangles")
    check_texture(door, texture)
    check_wrap(door, wrap)
    door.flag("cull_backfaces", cull_backfaces)
    table = checked_neighbours(door, pos_clip, triangles, None, neighbours)
    return pos_clip, triangles, uv, uv_triangles, texture, table, WRAPS.index(wrap), cull_backfaces
