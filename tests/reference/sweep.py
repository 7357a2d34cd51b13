# SPDX-License-Identifier: MIT
"""The backward pass of Kato, Ushiku & Harada 2018 (Neural 3D Mesh Renderer), one pixel at a time.

Here the raster has y up, as the original has, and a pixel's coordinate is its integer index; the image that comes in
has row 0 at the top. The original culls back faces and draws a reversed copy of each triangle in their place; turning
every triangle to the front is the same.
"""

import math

import numpy as np

Array = np.ndarray


def crossing(start: Array, end: Array, across: int, line: float) -> float:
    """Where the edge crosses the line `coordinate across = line`, along the other coordinate."""
    along = 1 - across
    slope = (end[along] - start[along]) / (end[across] - start[across])
    return start[along] + slope * (line - start[across])


def edge_updates(corners: Array, edge: int, across: int, face: int, ids: Array, image: Array, grad: Array, eps: float):
    """Yield (corner, gradient with respect to its ndc coordinate) for one directed edge and one axis.

    corners [3,2] (x, y) in pixel coordinates, counter-clockwise; across = 0: lines are columns, the walk goes along y.
    ids, image and grad are indexed [x, y].
    """
    along = 1 - across
    a, b, c = (corners[(edge + k) % 3] for k in range(3))
    if a[across] == b[across]:
        return
    size_across, size_along = ids.shape[across], ids.shape[along]
    is_forward = a[across] < b[across]
    out = (-1 if is_forward else 1) if across == 0 else (1 if is_forward else -1)

    def at(array: Array, line: int, place: int):
        return array[line, place] if across == 0 else array[place, line]

    low, high = sorted((a[across], b[across]))
    # The original's upper bound is a conversion to int: an edge that ends in (-1, 0) is continued to line 0.
    for line in range(max(math.ceil(low), 0), math.trunc(min(high, size_across - 1)) + 1):
        cut = crossing(a, b, across, line)
        inner = math.floor(cut) if out > 0 else math.ceil(cut)
        outer = inner + out
        if not (0 <= inner < size_along and 0 <= outer < size_along):
            continue
        places = []  # (place, colour that the place would take)
        if at(ids, line, inner) == face:
            border = size_along if out > 0 else -1
            places += [(place, at(image, line, inner)) for place in range(outer, border, out)]
        uses_ac = (line - a[across]) * (line - c[across]) < 0
        far_cut = crossing(a, c, across, line) if uses_ac else crossing(c, b, across, line)
        limit = math.ceil(far_cut) if out > 0 else math.floor(far_cut)
        limit = min(max(limit, 0), size_along - 1)
        for place in range(min(inner, limit), max(inner, limit) + 1):
            if at(ids, line, place) == face:
                places.append((place, at(image, line, outer)))
        for place, colour in places:
            gain = np.dot(at(image, line, place) - colour, at(grad, line, place))
            if gain <= 0:
                continue
            for corner, to_other in ((edge, b[across] - line), ((edge + 1) % 3, line - a[across])):
                if to_other == 0:
                    continue
                shift = (b[across] - a[across]) / to_other * (place - cut) * 2 / size_along
                shift += eps if shift > 0 else -eps
                yield corner, -gain / shift


def sweep_gradient_ndc(
    image: Array, grad_image: Array, triangle_id: Array, ndc: Array, triangles: Array, eps: float
) -> Array:
    """image, grad_image [H,W,C], triangle_id [H,W], ndc [V,2] -> gradient [V,2] with respect to ndc x and y."""
    height, width = triangle_id.shape
    ids, colours, grads = (np.swapaxes(array[::-1], 0, 1) for array in (triangle_id, image, grad_image))  # [x, y up]
    pixels = (ndc * [width, height] + [width - 1, height - 1]) / 2
    result = np.zeros_like(ndc)
    for face, indices in enumerate(triangles):
        a, b, c = pixels[indices]
        if (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) < 0:
            indices = indices[::-1]
        for edge in range(3):
            for across in (0, 1):
                for corner, value in edge_updates(pixels[indices], edge, across, face, ids, colours, grads, eps):
                    result[indices[corner], 1 - across] += value
    return result


def sweep_gradient(
    image: Array, grad_image: Array, triangle_id: Array, pos_clip: Array, triangles: Array, eps: float = 1e-4
) -> Array:
    """Batched, [B,...] each; returns the gradient [B,V,4] with respect to pos_clip, z untouched."""
    w = pos_clip[..., 3]
    ndc = pos_clip[..., :2] / w[..., None]
    items = range(len(pos_clip))
    grad_ndc = np.stack(
        [sweep_gradient_ndc(image[i], grad_image[i], triangle_id[i], ndc[i], triangles, eps) for i in items]
    )
    result = np.zeros_like(pos_clip)
    result[..., :2] = grad_ndc / w[..., None]
    result[..., 3] = -(grad_ndc * ndc).sum(axis=-1) / w
    return result
