# SPDX-License-Identifier: MIT
"""The exact derivative of a box-filtered image where an edge moves: a line integral along the edge.

The image's pixel is the mean colour over its square, L = sum_p g_p . I_p. Moving the boundary of a region of colour
c_inside over c_outside by dx changes L by the integral along the boundary of g . (c_inside - c_outside) (n . dx) ds,
with g constant inside every pixel and 0 outside the image. Positions are in pixels, x right, y down, corner (0, 0).
"""

import numpy as np

Array = np.ndarray


def pixels_from_clip(pos_clip: Array, size: tuple[int, int]) -> Array:
    """[..., 4] -> [..., 2]; passes complex numbers through."""
    height, width = size
    ndc = pos_clip[..., :2] / pos_clip[..., 3:]
    return np.stack([(ndc[..., 0] + 1) * width / 2, (1 - ndc[..., 1]) * height / 2], axis=-1)


def cut_at_pixels(start: Array, end: Array) -> Array:
    """Sorted parameters in [0, 1] at which the segment crosses the borders of pixels."""
    cuts = [0.0, 1.0]
    for axis in (0, 1):
        low, high = sorted((start[axis], end[axis]))
        if high > low:
            borders = np.arange(np.ceil(low), np.floor(high) + 1)
            cuts.extend((borders - start[axis]) / (end[axis] - start[axis]))
    return np.unique(np.clip(cuts, 0.0, 1.0))


def segment_gradient(start: Array, end: Array, weight: Array) -> tuple[Array, Array]:
    """d/d start and d/d end of sum_p weight_p * (area of pixel p to the right of the segment, seen along it, y down).

    In coordinates with y down the right-hand side of a directed segment is its visual right as well; a polygon whose
    corners run clockwise on the screen has its inside there. Moving the segment against that side adds area.
    """
    height, width = weight.shape
    cuts = cut_at_pixels(start, end)
    middle = (cuts[:-1] + cuts[1:]) / 2
    column, row = np.floor(start[:, None] + (end - start)[:, None] * middle).astype(int)
    on_image = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    density = np.where(on_image, weight[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], 0.0)
    # Linear shape functions 1 - s and s integrate exactly with the midpoint rule on each piece.
    piece = density * np.diff(cuts)
    dx, dy = end - start
    outward = np.array([dy, -dx])  # times the length: the left-hand normal, y down
    return outward * np.sum(piece * (1 - middle)), outward * np.sum(piece * middle)


def polygon_gradient(corners: Array, weight: Array) -> Array:
    """d/d corners [N,2] of sum_p weight_p * (area of pixel p inside the polygon). Any orientation; exact."""
    following = np.roll(corners, -1, axis=0)
    signed_area = np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0])
    result = np.zeros_like(corners)
    for index in range(len(corners)):
        after = (index + 1) % len(corners)
        at_start, at_end = segment_gradient(corners[index], corners[after], weight)
        result[index] += np.sign(signed_area) * at_start
        result[after] += np.sign(signed_area) * at_end
    return result


def convex_hull(points: Array) -> Array:
    """Indices of the hull of points [N,2], in order (Andrew 1979, monotone chain): the silhouette of a convex body."""
    order = np.lexsort((points[:, 1], points[:, 0]))

    def chain(indices: Array) -> list[int]:
        hull: list[int] = []
        for index in indices:
            while len(hull) > 1:
                (ax, ay), (bx, by) = points[hull[-1]] - points[hull[-2]], points[index] - points[hull[-2]]
                if ax * by - ay * bx > 0:
                    break
                hull.pop()
            hull.append(int(index))
        return hull[:-1]

    return np.array(chain(order) + chain(order[::-1]))
