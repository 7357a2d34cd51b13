# SPDX-License-Identifier: MIT
"""Soft visibility: a blurred picture in which every triangle feels pixels that it does not cover."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from intaglio.array import as_float_array, like, namespace

from .calls.soft import SOFT_BLEND, SOFT_RASTERIZE
from .door import Array, Door
from .geometry import Fragments, rasterize_door

MAX_LAYERS = 256


class SoftFragments(NamedTuple):
    """What every pixel may show: its nearest K triangles, by depth.

    triangle_id: [B, H, W, K] int32, -1 where there are fewer. Discrete.
    barycentrics: [B, H, W, K, 2], perspective-correct weights of vertices 0 and 1, clamped to the triangle.
        Differentiable.
    depth: [B, H, W, K], z / w at those weights; 1 where there is no triangle. Differentiable.
    probability: [B, H, W, K], that the triangle covers the pixel; 0 where there is none. Differentiable.
    """

    triangle_id: Array
    barycentrics: Array
    depth: Array
    probability: Array

    def as_fragments(self) -> Fragments:
        """The layers of each pixel side by side, [B, H, W * K]: what `interpolate` and the textures take.

        Their colours go back by reshaping: [B, H, W * K, C] to [B, H, W, K, C].
        """
        xp = namespace(self.depth)
        batch, height, width, layers = self.triangle_id.shape
        return Fragments(
            xp.reshape(self.triangle_id, (batch, height, width * layers)),
            xp.reshape(self.barycentrics, (batch, height, width * layers, 2)),
            xp.reshape(self.depth, (batch, height, width * layers)),
        )


def _check_positive(door: Door, name: str, value: float, remedy: str) -> None:
    if not (isinstance(value, int | float) and 0 < value < float("inf")):
        door.fail(name, "a positive number", repr(value), remedy)


def soft_rasterize(
    pos_clip: Array,
    triangles: Array,
    size: tuple[int, int],
    *,
    sigma: float = 1e-4,
    layers: int = 8,
    ranges: Array | None = None,
    cull_backfaces: bool = False,
) -> SoftFragments:
    """The nearest triangles of every pixel that cover it with a probability.

    pos_clip: [B, V, 4] clip-space positions. Differentiable, through probability, barycentrics and depth; not through
        the choice and the order of the layers.
    triangles: [F, 3] or [B, F, 3] int32.
    size: (H, W), each from 1 to 16384.

    Other arguments:
    sigma: how far a triangle reaches, in squared ndc. The probability is sigmoid(+- d^2 / sigma), d being the distance
        from the pixel's centre to the triangle's outline, plus inside; where it falls below 1e-4, outside at a distance
        of 3.03 sqrt(sigma), the triangle is left out. The image is 2 wide and high in ndc, whatever its shape.
    layers: K, how many triangles a pixel keeps, the nearest by depth; of equal depths the lowest index.
    ranges, cull_backfaces: as for `rasterize`.

    Triangles with a corner at w <= 0 and those without area are left out; so is what lies before the near plane or
    beyond the far plane.

    Raises ValueError on shapes, dtypes, non-finite positions and indices out of range.

    >>> pos_clip = np.float32([[[-3, -1, 0, 1], [3, -1, 0, 1], [0, 0, 0, 1]]])  # the tip is the image's centre
    >>> soft = soft_rasterize(pos_clip, np.int32([[0, 1, 2]]), (3, 3), sigma=1.0, layers=2)
    >>> soft.triangle_id[0, 1, 1], soft.probability[0, 1, 1]
    (array([ 0, -1], dtype=int32), array([0.5, 0. ], dtype=float32))

    Liu, Li, Chen, Li: Soft Rasterizer, ICCV 2019.
    """
    door, ranges = rasterize_door("soft_rasterize", pos_clip, triangles, size, ranges, cull_backfaces)
    _check_positive(door, "sigma", sigma, "in squared ndc; the default is 1e-4")
    if not (isinstance(layers, int) and 1 <= layers <= MAX_LAYERS):
        door.fail("layers", f"a whole number from 1 to {MAX_LAYERS}", repr(layers), "the default is 8")
    inputs = (pos_clip, triangles, ranges, cull_backfaces, *size, float(sigma), layers)
    return SoftFragments(*door.front.apply(SOFT_RASTERIZE, *inputs))


def soft_blend(
    image: Array,
    soft_fragments: SoftFragments,
    *,
    gamma: float = 1e-4,
    background: Array | Sequence[float],
) -> tuple[Array, Array]:
    """Colour [B, H, W, C] and coverage [B, H, W] of the layers together.

    image: [B, H, W, K, C], the colour of every layer. Differentiable.
    soft_fragments: of `soft_rasterize`. Differentiable in depth and probability.

    Other arguments:
    gamma: how sharply a nearer layer hides a farther one. A layer's weight is its probability times exp(n / gamma), n
        running from 1 at the near plane to 0 at the far plane; the background's is exp(0.001 / gamma).
    background: C numbers, or an array [C], [B, C] or [B, H, W, C]. Differentiable.

    Coverage is 1 minus the product of (1 - probability) over the layers; it does not depend on gamma.

    Raises ValueError on shapes and dtypes.

    >>> soft = SoftFragments(np.zeros((1, 1, 1, 1), np.int32), np.zeros((1, 1, 1, 1, 2)), np.zeros((1, 1, 1, 1)),
    ...                      np.full((1, 1, 1, 1), 0.75))
    >>> color, alpha = soft_blend(np.ones((1, 1, 1, 1, 3)), soft, background=(0, 0, 0))
    >>> color, alpha
    (array([[[[1., 1., 1.]]]]), array([[[0.75]]]))

    Liu, Li, Chen, Li: Soft Rasterizer, ICCV 2019, equations 3 to 6.
    """
    door = Door("soft_blend", "image", image)
    if not isinstance(soft_fragments, SoftFragments):
        got = type(soft_fragments).__name__
        door.fail("soft_fragments", "SoftFragments", got, "pass what soft_rasterize returned")
    door.value("image", image, ("B", "H", "W", "K", "C"), remedy="the colour of every layer")
    door.value("soft_fragments.depth", soft_fragments.depth, ("B", "H", "W", "K"))
    door.value("soft_fragments.probability", soft_fragments.probability, ("B", "H", "W", "K"))
    _check_positive(door, "gamma", gamma, "the default is 1e-4")
    behind = like(as_float_array(background, np.float64), image)
    door.value("background", behind, ("C",), ("B", "C"), ("B", "H", "W", "C"))
    if len(behind.shape) == 2:
        behind = behind[:, None, None, :]
    color, alpha, share = door.front.apply(
        SOFT_BLEND, image, soft_fragments.depth, soft_fragments.probability, float(gamma)
    )
    return color + share[..., None] * behind, alpha
