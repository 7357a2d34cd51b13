# SPDX-License-Identifier: MIT
"""Images whose pixels are means over many samples: what a render with one sample per pixel approximates."""

from collections.abc import Callable

import numpy as np

from reference import raster

Array = np.ndarray
Shade = Callable[[Array, Array], Array]  # (triangle_id, barycentrics) -> image, both [B,H,W,...]


def supersampled(pos_clip: Array, triangles: Array, size: tuple[int, int], factor: int, shade: Shade) -> Array:
    """[B,H,W,C]: box filter over factor x factor samples per pixel."""
    height, width = size
    fragments = raster.rasterize(pos_clip, triangles, (height * factor, width * factor))
    samples = shade(fragments.triangle_id, fragments.barycentrics)
    return samples.reshape(len(pos_clip), height, factor, width, factor, -1).mean(axis=(2, 4))


def loss_derivative(
    pos_clip_of: Callable[[float], Array], triangles: Array, weight: Array, factor: int, shade: Shade, step: float
) -> float:
    """d/dt of sum(weight * supersampled image of pos_clip_of(t)) at t = 0, by central differences."""
    size = weight.shape[1:3]
    images = [supersampled(pos_clip_of(t), triangles, size, factor, shade) for t in (step, -step)]
    return float(((images[0] - images[1]) * weight).sum() / (2 * step))
