# SPDX-License-Identifier: MIT
"""Whole images."""

from __future__ import annotations

from .calls.image import DOWNSAMPLE
from .door import Array, Door


def downsample(image: Array, factor: int) -> Array:
    """The mean of factor x factor samples at every pixel: [B, H, W, C] from [B, factor H, factor W, C].

    image: a supersampled picture. Differentiable.
    factor: a whole number that divides its height and width.

    Visibility ops come before it: they look at samples, not at their means.
    """
    door = Door("downsample", "image", image)
    door.value("image", image, ("B", "H", "W", "C"))
    if not (isinstance(factor, int) and factor >= 1 and image.shape[1] % factor == 0 and image.shape[2] % factor == 0):
        size = f"{tuple(image.shape[1:3])}"
        door.fail(
            "factor", f"a whole number that divides the image's size {size}", repr(factor), "render at factor x size"
        )
    return image if factor == 1 else door.front.apply(DOWNSAMPLE, image, factor)[0]
