# SPDX-License-Identifier: MIT
"""One row of those that are equal: files that cannot share a vertex repeat it."""

from __future__ import annotations

import numpy as np

__all__ = ["weld"]


def weld(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N, C] float32 -> the distinct rows [V, C] in order of first appearance, and [N] int32, where each is."""
    keys = np.ascontiguousarray(rows + np.float32(0)).view(np.uint32)  # -0 and 0 are one place
    order = np.lexsort(keys.T)
    starts = np.ones(len(keys), dtype=bool)
    starts[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    first = order[starts]  # lexsort is stable: the first of its equals
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    index = np.empty(len(keys), dtype=np.int32)
    index[order] = rank[np.cumsum(starts) - 1]
    return rows[np.sort(first)], index
