# SPDX-License-Identifier: MIT
"""All triangles of a pixel, sorted: what depth peeling should take off one by one."""

import numpy as np

from reference import raster

Array = np.ndarray


def layers(pos_clip: Array, triangles: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """(triangle_id, depth), both [B, H, W, N], by depth and then by id; -1 and infinity behind the last.

    N is the number of triangles that cover the fullest pixel, and one more.
    """
    pos_clip = np.asarray(pos_clip, dtype=np.float64)
    depth = np.full((len(pos_clip), *size, len(triangles) + 1), np.inf)
    for item, positions in enumerate(pos_clip):
        for index, corners in enumerate(triangles):
            one = raster.coverage(positions[corners], size, 0.0, 0.0)
            if one is not None:
                place = (item, *np.ix_(one.rows, one.columns), index)
                depth[place] = np.where(one.covered, one.depth, np.inf)
    order = np.argsort(depth, axis=-1, kind="stable")
    depth = np.take_along_axis(depth, order, axis=-1)
    triangle_id = np.where(np.isfinite(depth), order, -1).astype(np.int32)
    fullest = int((triangle_id >= 0).sum(axis=-1).max())
    return triangle_id[..., : fullest + 1], depth[..., : fullest + 1]
