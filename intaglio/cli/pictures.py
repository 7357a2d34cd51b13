# SPDX-License-Identifier: MIT
"""Pictures that the programs draw by themselves: what is fitted to, and how a fit stands."""

from __future__ import annotations

import numpy as np

__all__ = ["compared", "over_target", "square", "sunset"]

WHITE, ORANGE, BLUE = np.array([[0.9, 0.9, 0.9], [1.0, 0.3, 0.02], [0.02, 0.1, 0.4]])


def square(size: int) -> np.ndarray:
    """[size, size]: 1 in the middle half of rows and columns, as the reference of 2018."""
    inside = (np.arange(size) >= size // 4) & (np.arange(size) < size - size // 4)
    return np.outer(inside, inside).astype(np.float32)


def sunset(size: int) -> np.ndarray:
    """[size, size, 3] linear: a sun that sets over the sea, between rows 1/8 and 7/8; black above and below.

    It is painted from all sides at once: what changes from top to bottom stays, the rest becomes a mean.
    """
    x, y = np.meshgrid(*[(np.arange(size) + 0.5) / size * 2 - 1] * 2)
    height = np.clip(-y / 0.75, -1, 1)  # -1 to 1 within the picture
    skies = np.array([[1.0, 0.45, 0.05], [0.9, 0.1, 0.15], [0.3, 0.02, 0.35], [0.02, 0.02, 0.2]])
    heights = np.array([0.0, 0.15, 0.35, 0.6])
    sky = np.stack([np.interp(height, heights, skies[:, k]) for k in range(3)], axis=-1)
    waves = 0.5 + 0.5 * np.sin(60 * np.abs(height) ** 0.7 + 3 * np.sin(9 * x))
    glitter = np.clip(waves - 0.2 - 2 * np.abs(x), 0, 1)[..., None]
    sea = np.array([0.0, 0.12, 0.3]) * (0.4 + 0.6 * waves[..., None]) + glitter * np.array([1.0, 0.5, 0.1])
    is_sun = (x**2 + (y + 0.08) ** 2 < 0.2**2) & (height > 0)
    image = np.where((height > 0)[..., None], sky, sea)
    image = np.where(is_sun[..., None], np.array([1.0, 0.85, 0.2]), image)
    return (np.clip(image, 0, 1) * (np.abs(y) < 0.75)[..., None]).astype(np.float32)


def compared(alpha: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[H, W, 3]: white where two silhouettes agree, orange where `alpha` is alone, blue where `target` is."""
    shares = np.stack([alpha, target, alpha * target], axis=-1)
    return shares @ np.stack([ORANGE, BLUE, WHITE - ORANGE - BLUE]).astype(shares.dtype)


def over_target(color: np.ndarray, alpha: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[H, W, 3]: a render before the silhouette that it should have, in blue."""
    return color + ((1 - alpha) * target)[..., None] * BLUE.astype(color.dtype)
