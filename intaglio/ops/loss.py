# SPDX-License-Identifier: MIT
"""Losses that are worth an op."""

from __future__ import annotations

from .calls.loss import SQUARED_ERROR
from .door import Array, Door


def squared_error(image: Array, target: Array) -> Array:
    """The sum of (image - target)^2 over all elements, as a scalar array; no mean.

    image, target: the same shape, any. Differentiable. One pass over each, no array in between: on large images several
        times as fast as the same written out. Sums of float32 are rounded once per 16384 elements.

    Raises ValueError on shapes and dtypes that differ.
    """
    door = Door("squared_error", "image", image)
    shape = tuple(image.shape)
    door.value("image", image, shape)
    door.value("target", target, shape, remedy="target must have the shape of image")
    return door.front.apply(SQUARED_ERROR, image, target)[0]
