# SPDX-License-Identifier: MIT
"""SoftRas (Liu et al. 2019): probability that a triangle covers a pixel, and the blend of the nearest K by depth."""

import numpy as np

Array = np.ndarray


def squared_distance_to_segment(point: Array, start: Array, end: Array) -> Array:
    """point [...,2]; analytic where the nearest point does not change its kind."""
    along = end - start
    position = ((point - start) * along).sum(axis=-1) / (along * along).sum()
    position = np.where(position.real < 0, 0, np.where(position.real > 1, 1, position))
    offset = point - start - position[..., None] * along
    return (offset * offset).sum(axis=-1)


def probability(corners: Array, point: Array, sigma: float) -> Array:
    """sigmoid(sign * d^2 / sigma): d the distance of `point` [...,2] to the outline of corners [3,2], sign + inside."""
    distances = np.stack([squared_distance_to_segment(point, corners[k], corners[(k + 1) % 3]) for k in range(3)])
    nearest = np.take_along_axis(distances, distances.real.argmin(axis=0)[None], axis=0)[0]
    sides = []
    for k in range(3):
        edge, offset = corners[(k + 1) % 3] - corners[k], point - corners[k]
        sides.append((edge[0] * offset[..., 1] - edge[1] * offset[..., 0]).real)
    inside = (np.stack(sides) >= 0).all(axis=0) | (np.stack(sides) <= 0).all(axis=0)
    return 1 / (1 + np.exp(np.where(inside, -1, 1) * nearest / sigma))


def blend(
    colors: Array, probabilities: Array, depth: Array, is_used: Array, background: Array, gamma: float, eps: float
) -> tuple[Array, Array]:
    """Layers [...,K,C], [...,K], z/w [...,K], bool [...,K] -> (color [...,C], alpha [...]).

    Liu et al. 2019, equations 4 to 6: weights D_k exp(z_k / gamma), z_k from 1 (near) to 0 (far); background
    exp(eps / gamma).
    """
    nearness = np.where(is_used, (1 - depth) / 2, 0)
    top = np.maximum(nearness.real.max(axis=-1, initial=0.0), eps)[..., None]  # so that the exponentials stay finite
    weights = np.where(is_used, probabilities * np.exp((nearness - top) / gamma), 0)
    rest = np.exp((eps - top) / gamma)
    total = weights.sum(axis=-1, keepdims=True) + rest
    color = ((weights / total)[..., None] * colors).sum(axis=-2) + rest / total * background
    return color, 1 - np.where(is_used, 1 - probabilities, 1).prod(axis=-1)
