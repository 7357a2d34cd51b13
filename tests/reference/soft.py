# SPDX-License-Identifier: MIT
"""SoftRas (Liu et al. 2019): the probability that a triangle covers a pixel, and the blend of the nearest K by depth.

Distances are in ndc, in which every image is 2 wide and 2 high. Smooth functions pass complex numbers through.
"""

import numpy as np

from reference.raster import pixel_centres_ndc

Array = np.ndarray

FLOOR = 1e-4  # below this probability a triangle is left out
BACKGROUND_NEARNESS = 1e-3  # the original's eps


def squared_distance_to_segment(point: Array, start: Array, end: Array) -> Array:
    """All [N,2]. Analytic where the nearest point does not pass from the segment's inside to an end."""
    along = end - start
    position = ((point - start) * along).sum(axis=-1) / (along * along).sum(axis=-1)
    position = np.where(position.real < 0, 0, np.where(position.real > 1, 1, position))
    offset = point - start - position[..., None] * along
    return (offset * offset).sum(axis=-1)


def cross(a: Array, b: Array) -> Array:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def probability(corners: Array, point: Array, sigma: float) -> Array:
    """sigmoid(sign * d^2 / sigma) of corners [N,3,2] at point [N,2]: d to the outline, sign + inside."""
    pairs = [(corners[:, k], corners[:, (k + 1) % 3]) for k in range(3)]
    distances = np.stack([squared_distance_to_segment(point, start, end) for start, end in pairs])
    nearest = np.take_along_axis(distances, distances.real.argmin(axis=0)[None], axis=0)[0]
    sides = np.stack([cross(end - start, point - start).real for start, end in pairs])
    inside = (sides > 0).all(axis=0) | (sides < 0).all(axis=0)
    exponent = np.where(inside, -1, 1) * nearest / sigma
    return 1 / (1 + np.exp(np.where(exponent.real < 600, exponent, 600)))


def values_at(corners: Array, point: Array, sigma: float) -> tuple[Array, Array, Array]:
    """corners [N,3,4], point [N,2] -> barycentrics [N,2], z/w, probability.

    Weights are clamped on the screen, where they keep their signs beyond a slanted plane's horizon, then divided by w.
    """
    outline, w = corners[..., :2] / corners[..., 3:], corners[..., 3]
    spokes = outline - point[:, None, :]
    areas = np.stack([cross(spokes[:, (k + 1) % 3], spokes[:, (k + 2) % 3]) for k in range(3)], axis=-1)
    shares = areas / areas.sum(axis=-1, keepdims=True)
    shares = np.where(shares.real > 0, shares, 0)
    shares = shares / shares.sum(axis=-1, keepdims=True)
    depth = (shares * corners[..., 2] / w).sum(axis=-1)
    weights = (shares / w) / (shares / w).sum(axis=-1, keepdims=True)
    return weights[:, :2], depth, probability(outline, point, sigma)


def values_of(pos_clip: Array, triangles: Array, triangle_id: Array, sigma: float) -> tuple[Array, Array, Array]:
    """Barycentrics [B,H,W,K,2], depth and probability [B,H,W,K] of given layers: what soft_rasterize differentiates."""
    shape = triangle_id.shape
    barycentrics = np.zeros((*shape, 2), dtype=pos_clip.dtype)
    depth, probabilities = np.ones(shape, dtype=pos_clip.dtype), np.zeros(shape, dtype=pos_clip.dtype)
    place = np.nonzero(triangle_id >= 0)
    x, y = pixel_centres_ndc(shape[1:3])
    point = np.stack([x[place[2]], y[place[1]]], axis=-1)
    corners = pos_clip[place[0][:, None], triangles[triangle_id[place]]]
    barycentrics[place], depth[place], probabilities[place] = values_at(corners, point, sigma)
    return barycentrics, depth, probabilities


def nearest_layers(pos_clip: Array, triangles: Array, size: tuple[int, int], sigma: float, layers: int) -> Array:
    """triangle_id [B,H,W,K]: the K nearest by depth of those that may cover the pixel; ties go to the lowest index."""
    batch = len(pos_clip)
    every = np.broadcast_to(np.arange(len(triangles), dtype=np.int32), (batch, *size, len(triangles)))
    corners = pos_clip[:, triangles]  # [B,F,3,4]
    is_drawn = (corners[..., 3] > 0).all(axis=-1)
    pixels = corners[..., :2] / np.where(corners[..., 3:] > 0, corners[..., 3:], 1)
    is_drawn &= cross(pixels[:, :, 1] - pixels[:, :, 0], pixels[:, :, 2] - pixels[:, :, 0]) != 0
    drawn = np.where(is_drawn[:, None, None, :], every, -1)
    _, depth, probabilities = values_of(pos_clip, triangles, drawn, sigma)
    may_cover = (drawn >= 0) & (probabilities >= FLOOR) & (depth >= -1) & (depth <= 1)
    order = np.argsort(np.where(may_cover, depth, np.inf), axis=-1, kind="stable")[..., :layers]
    chosen = np.where(np.take_along_axis(may_cover, order, axis=-1), order, -1).astype(np.int32)
    missing = max(layers - chosen.shape[-1], 0)
    return np.pad(chosen, ((0, 0), (0, 0), (0, 0), (0, missing)), constant_values=-1)


def blend(colors: Array, probabilities: Array, depth: Array, background: Array, gamma: float) -> tuple[Array, Array]:
    """Layers [...,K,C], [...,K], z/w [...,K] -> (color [...,C], alpha [...]). A probability of 0 is no layer.

    Liu et al. 2019, equations 3 to 6: weights D_k exp(z_k / gamma), z_k from 1 (near) to 0 (far); background
    exp(eps / gamma).
    """
    nearness = (1 - depth) / 2
    top = np.maximum(nearness.real.max(axis=-1), BACKGROUND_NEARNESS)[..., None]  # keeps the exponentials finite
    weights = probabilities * np.exp((nearness - top) / gamma)
    rest = np.exp((BACKGROUND_NEARNESS - top) / gamma)
    total = weights.sum(axis=-1, keepdims=True) + rest
    color = ((weights / total)[..., None] * colors).sum(axis=-2) + rest / total * background
    return color, 1 - (1 - probabilities).prod(axis=-1)
