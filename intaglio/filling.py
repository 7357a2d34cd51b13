# SPDX-License-Identifier: MIT
"""Colours for what has none: from the neighbours along a surface, or from those around it in a picture. NumPy."""

from __future__ import annotations

import numpy as np

from .topology import edge_ends

__all__ = ["filled_picture", "spread_over_edges"]

ROUNDS = 32
PADDING = 4  # texels: beyond them only a coarse mip level looks


def spread_over_edges(colors: np.ndarray, known: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Colours [V, C] where `known` [V] is False from the nearest known along edges, ring by ring: [V] known now.

    `colors` is written in place. What no known vertex is joined to stays unknown. In the end some rounds of means take
    the streaks out of what was spread.
    """
    given, known = known, known.copy()
    starts, ends = edge_ends(triangles, len(known))
    ring = np.flatnonzero(known)
    while ring.size:
        others, _ = _ends_of(ring, starts, ends)
        ring = np.unique(others[~known[others]])
        others, owner = _ends_of(ring, starts, ends)
        colors[ring] = _means(colors, others[known[others]], owner[known[others]], len(ring))
        known[ring] = True
    spread = np.flatnonzero(known & ~given)
    others, owner = _ends_of(spread, starts, ends)
    for _ in range(ROUNDS if spread.size else 0):
        colors[spread] = (colors[spread] + _means(colors, others, owner, len(spread))) / 2
    return known


def _means(colors: np.ndarray, others: np.ndarray, owner: np.ndarray, num_owners: int) -> np.ndarray:
    """[num_owners, C] means of the colours of `others`, each counted for its `owner`."""
    count = np.maximum(np.bincount(owner, minlength=num_owners), 1)
    return np.stack([np.bincount(owner, x, num_owners) / count for x in colors[others].T], axis=-1)


def _ends_of(vertices: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What these vertices are joined to, one after another, and the place among them of whose end each is."""
    first, count = starts[vertices], starts[vertices + 1] - starts[vertices]
    owner = np.repeat(np.arange(len(vertices)), count)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    return ends[first[owner] + offset], owner


def filled_picture(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A picture [H, W, C] whose pixels that are not `known` [H, W] have colours of those around them; 0 if none is.

    Rings of means around what is known, so that a bilinear lookup at its border finds its colour; beyond them ever
    coarser means.

    Gortler, Grzeszczuk, Szeliski, Cohen: The Lumigraph, 1996 (pull and push).
    """
    picture, known = np.where(known[..., None], picture, 0), known.copy()
    for _ in range(PADDING):
        if known.all():
            return picture
        rows, columns = np.nonzero(_grown(known) & ~known)
        total = np.zeros((len(rows), picture.shape[-1]), picture.dtype)
        count = np.zeros(len(rows), picture.dtype)
        for down, right in np.ndindex(3, 3):
            row, column = rows + down - 1, columns + right - 1
            is_inside = (row >= 0) & (row < known.shape[0]) & (column >= 0) & (column < known.shape[1])
            row, column = row.clip(0, known.shape[0] - 1), column.clip(0, known.shape[1] - 1)
            counts = is_inside & known[row, column]
            total += picture[row, column] * counts[:, None]
            count += counts
        picture[rows, columns] = total / count[:, None]
        known[rows, columns] = True
    return _pulled_and_pushed(picture, known.astype(picture.dtype)[..., None])


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask and the pixels around it, [H, W]."""
    mask = mask.copy()
    mask[1:] |= mask[:-1].copy()
    mask[:-1] |= mask[1:].copy()
    mask[:, 1:] |= mask[:, :-1].copy()
    mask[:, :-1] |= mask[:, 1:].copy()
    return mask


def _pulled_and_pushed(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """[H, W, C], [H, W, 1] from 0 to 1: `picture` is 0 where the weight is; what lacks weight from means of 2 x 2."""
    height, width = picture.shape[:2]
    if height * width == 1 or weight.all():
        return picture
    odd = ((0, height % 2), (0, width % 2), (0, 0))
    quads = [np.pad(x, odd).reshape((height + 1) // 2, 2, (width + 1) // 2, 2, -1) for x in (picture * weight, weight)]
    total, share = (x.sum(axis=(1, 3)) for x in quads)
    mean = total / np.where(share > 0, share, 1)
    coarse = _pulled_and_pushed(mean, np.minimum(share, 1))
    behind = coarse.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return picture * weight + behind * (1 - weight)
