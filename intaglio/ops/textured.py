# SPDX-License-Identifier: MIT
"""Textured meshes, drawn in one go."""

from __future__ import annotations

from intaglio.array import namespace

from .calls.texture import WRAPS
from .calls.textured import TEXTURED
from .door import Array
from .geometry import TRIANGLES, rasterize_door
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
) -> Array:
    """A mesh in the colours of its texture, filtered trilinearly: [B, H, W, C], 0 on the background.

    pos_clip, triangles, size: as for `rasterize`; pos_clip is differentiable.
    uv: [T, 2], or [B, T, 2] where every image has its own; as for `sample_texture`. Differentiable.
    texture: [h, w, C] for all images, or [B, h, w, C]. Differentiable.

    Other arguments:
    uv_triangles: [F, 3] or [B, F, 3] int32, where uv have corners of their own; else those of `triangles`.
    wrap: as for `sample_texture`.
    neighbours: as for `edge_gradient`.

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
    door, _ = rasterize_door("textured", pos_clip, triangles, size, None)
    door.value("uv", uv, ("T", 2), ("B", "T", 2))
    if uv_triangles is None or uv_triangles is triangles:  # torch.compile wants each tensor once
        uv_triangles = namespace(triangles).reshape(triangles, tuple(triangles.shape))
    door.index("uv_triangles", uv_triangles, *TRIANGLES, remedy="one row for each of triangles")
    check_texture(door, texture)
    check_wrap(door, wrap)
    table = checked_neighbours(door, pos_clip, triangles, None, neighbours)
    inputs = (pos_clip, triangles, uv, uv_triangles, texture, table, WRAPS.index(wrap), *size)
    return door.front.apply(TEXTURED, *inputs)[2]
