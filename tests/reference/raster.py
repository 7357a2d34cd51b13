# SPDX-License-Identifier: MIT
"""Who covers a pixel, with which weights, at which depth.

Coverage: vertices in front of the near plane are snapped to 1/256 pixel and tested as integers with the top-left
rule. A triangle that crosses the near plane is not clipped at all here: in homogeneous coordinates (Olano & Greer 1997,
Triangle Scan Conversion using 2D Homogeneous Coordinates) the visible part is where the three edge functions are
non-negative and z >= -w, and that statement needs no clipping. A renderer that does clip rounds the cut, so pixels
whose centre is nearly on an edge are reported as `doubtful` rather than decided.
"""

from typing import NamedTuple

import numpy as np

Array = np.ndarray

SUBPIXELS = 256  # 8 bits
# Beyond this a renderer may cut the triangle to a guard band before it snaps: 16384 pixels, twice the largest image.
SNAP_LIMIT = 16384 * SUBPIXELS
# The cut's new corners are rounded to the grid in x and y: half a sub-pixel each, sqrt(2)/2 together; rounded up.
CUT_SLACK_PIXELS = 1.0 / SUBPIXELS


class Fragments(NamedTuple):
    """Result of rasterize; `doubtful [B,H,W] bool` marks pixels where rounding may choose another triangle."""

    triangle_id: Array
    barycentrics: Array
    depth: Array
    doubtful: Array


def pixel_centres_ndc(size: tuple[int, int]) -> tuple[Array, Array]:
    """x [W] and y [H] of pixel centres; row 0 is the top, y points up."""
    height, width = size
    return (2 * np.arange(width) + 1) / width - 1, 1 - (2 * np.arange(height) + 1) / height


def snap(corners: Array, size: tuple[int, int]) -> Array:
    """Clip-space corners [3,4] -> sub-pixel integers [3,2], x right, y down, origin at the image centre."""
    height, width = size
    x = corners[:, 0] / corners[:, 3]
    y = corners[:, 1] / corners[:, 3]
    return np.rint(np.stack([x * width * 128, -y * height * 128], axis=-1))


def covered_by_snapped(corners_sub: Array, size: tuple[int, int], rows: Array, columns: Array) -> Array:
    """[rows, columns] bool: the top-left rule on integers. An edge belongs to the triangle below it or right of it."""
    height, width = size
    a, b, c = corners_sub.astype(np.int64)
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area < 0:
        b, c = c, b
    x = (2 * columns[None, :] + 1 - width) * (SUBPIXELS // 2)
    y = (2 * rows[:, None] + 1 - height) * (SUBPIXELS // 2)
    inside = np.full((len(rows), len(columns)), area != 0)
    for start, end in ((a, b), (b, c), (c, a)):
        dx, dy = end - start
        edge = dx * (y - start[1]) - dy * (x - start[0])
        is_top_left = dy < 0 or (dy == 0 and dx > 0)
        inside &= edge >= 0 if is_top_left else edge > 0
    return inside


def window(corners_sub: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Rows and columns whose centres can lie within a pixel of the triangle."""
    low = np.floor(corners_sub.min(axis=0) / SUBPIXELS) - 2
    high = np.ceil(corners_sub.max(axis=0) / SUBPIXELS) + 2
    half = np.array([size[1], size[0]]) / 2
    first = np.clip(np.floor(low + half), 0, 2 * half).astype(np.int64)
    last = np.clip(np.ceil(high + half), 0, 2 * half).astype(np.int64)
    return np.arange(first[1], last[1]), np.arange(first[0], last[0])


def edge_functions(corners: Array) -> Array:
    """Rows k of [3,3]: beta_k(X, Y) = row . (X, Y, 1), so that sum_k beta_k (x_k, y_k, w_k) = (X, Y, 1).

    Then beta_k = b_k / w with b the perspective-correct weights, and z/w = sum_k beta_k z_k. NaN if the corners are
    seen edge-on, to within the rounding of the determinant.
    """
    xyw = corners[:, [0, 1, 3]]
    determinant = np.linalg.det(xyw)
    if not abs(determinant) > 1e-15 * np.prod(np.linalg.norm(xyw, axis=1)):
        return np.full((3, 3), np.nan)
    # Cramer's rule, by rows: cofactors over the determinant.
    return np.stack([np.cross(xyw[(k + 1) % 3], xyw[(k + 2) % 3]) for k in range(3)]) / determinant


def distance_to_line_pixels(line: Array, value: Array, size: tuple[int, int]) -> Array:
    """Distance in pixels from the line `line . (X, Y, 1) = 0` given in ndc, where `value` is line . (X, Y, 1)."""
    slope = np.hypot(line[0] * 2 / size[1], line[1] * 2 / size[0])
    return np.abs(value) / slope if slope > 0 else np.full(value.shape, np.inf)


class Coverage(NamedTuple):
    """One triangle on the window (rows, columns) of the image; covered and doubtful are bool."""

    rows: Array
    columns: Array
    covered: Array
    doubtful: Array
    depth: Array
    depth_error: Array


def coverage(corners: Array, size: tuple[int, int], slack_pixels: float, eps: float) -> Coverage | None:
    """Coverage of one triangle, the near and the far plane applied; None where there is nothing to see."""
    edges = edge_functions(corners)
    if not np.isfinite(edges).all():
        return None
    is_in_front = (corners[:, 3] > 0).all() and (corners[:, 2] >= -corners[:, 3]).all()
    corners_sub = snap(corners, size) if is_in_front else None
    is_snapped = corners_sub is not None and np.abs(corners_sub).max() <= SNAP_LIMIT
    rows, columns = window(corners_sub, size) if is_snapped else (np.arange(size[0]), np.arange(size[1]))
    if len(rows) == 0 or len(columns) == 0:
        return None

    x, y = pixel_centres_ndc(size)
    depth_line = corners[:, 2] @ edges
    one = np.array([0.0, 0.0, 1.0])
    lines = np.stack([*edges, depth_line + one, one - depth_line])  # edges, near plane, far plane
    value = lines[:, 0, None, None] * x[columns] + lines[:, 1, None, None] * y[rows, None] + lines[:, 2, None, None]
    depth = value[3] - 1
    pixel = np.stack(np.broadcast_arrays(x[columns], y[rows, None], 1.0), axis=-1)
    depth_error = rounding_bounds(corners, pixel, eps)[1] if eps > 0 else np.zeros_like(depth)
    if is_snapped:
        covered = covered_by_snapped(corners_sub, size, rows, columns) & (value[3:] >= 0).all(axis=0)
        slack = slack_pixels
    else:
        covered = (value >= 0).all(axis=0)
        slack = max(slack_pixels, CUT_SLACK_PIXELS)
    if slack == 0:
        return Coverage(rows, columns, covered, np.zeros_like(covered), depth, depth_error)
    close = np.stack([distance_to_line_pixels(line, v, size) <= slack for line, v in zip(lines, value, strict=True)])
    # In doubt: on the inner side of every line or close to it, and close to at least one.
    doubtful = ((value >= 0) | close).all(axis=0) & close.any(axis=0)
    return Coverage(rows, columns, covered, doubtful, depth, depth_error)


def rasterize(
    pos_clip: Array, triangles: Array, size: tuple[int, int], *, slack_pixels: float = 0.0, eps: float = 0.0
) -> Fragments:
    """Nearest triangle of every pixel; equal depths go to the lowest index.

    slack_pixels: how far a rounding of the renderer under test may move an edge; eps: that of the arithmetic in which
    it compares depths.
    """
    pos_clip = np.asarray(pos_clip, dtype=np.float64)
    batch = pos_clip.shape[0]
    triangles = np.broadcast_to(triangles, (batch, *np.shape(triangles)[-2:]))
    triangle_id = np.full((batch, *size), -1, dtype=np.int32)
    nearest = np.full((batch, *size), np.inf)
    error = np.zeros((batch, *size))  # of nearest
    rival = np.full(
        (batch, *size), np.inf
    )  # the least depth, rounding allowed for, that another triangle may have here
    for item in range(batch):
        for index, corner_indices in enumerate(triangles[item]):
            one = coverage(pos_clip[item, corner_indices], size, slack_pixels, eps)
            if one is None:
                continue
            place = (item, *np.ix_(one.rows, one.columns))
            best, best_error = nearest[place], error[place]
            wins = one.covered & (one.depth < best)
            loses = (one.covered & ~wins) | one.doubtful
            challenge = np.where(wins, best - best_error, np.inf)
            challenge = np.minimum(challenge, np.where(loses, one.depth - one.depth_error, np.inf))
            rival[place] = np.minimum(rival[place], challenge)
            nearest[place] = np.where(wins, one.depth, best)
            error[place] = np.where(wins, one.depth_error, best_error)
            triangle_id[place] = np.where(wins, index, triangle_id[place])
    doubtful = rival <= np.minimum(nearest, 1.0) + error
    barycentrics, depth = attributes_of_position(pos_clip, triangles, triangle_id)
    return Fragments(triangle_id, barycentrics, depth, doubtful)


def rounding_bounds(corners: Array, pixel: Array, eps: float) -> tuple[Array, Array]:
    """How far the barycentrics and z/w of corners [...,3,4] at pixel [...,3] = (X, Y, 1) may be off, rounding by eps.

    First-order running error analysis (Higham 2002, 3.3): however the edge function (x_j - X w_j)(y_k - Y w_k) - ... is
    arranged, it is a sum of products with at most 6 roundings each, so it is off by at most 6 eps times the sum with
    every sign made positive; the quotients follow.
    """
    reach_x = np.abs(corners[..., 0]) + np.abs(pixel[..., None, 0] * corners[..., 3])
    reach_y = np.abs(corners[..., 1]) + np.abs(pixel[..., None, 1] * corners[..., 3])
    x = corners[..., 0] - pixel[..., None, 0] * corners[..., 3]
    y = corners[..., 1] - pixel[..., None, 1] * corners[..., 3]
    after, before = np.array([1, 2, 0]), np.array([2, 0, 1])
    beta = x[..., after] * y[..., before] - y[..., after] * x[..., before]
    beta_error = 6 * eps * (reach_x[..., after] * reach_y[..., before] + reach_y[..., after] * reach_x[..., before])
    with np.errstate(divide="ignore", invalid="ignore"):
        total, determinant = beta.sum(axis=-1), (beta * corners[..., 3]).sum(axis=-1)
        depth = (beta * corners[..., 2]).sum(axis=-1) / determinant
        barycentric_error = beta_error + np.abs(beta / total[..., None]) * beta_error.sum(axis=-1, keepdims=True)
        barycentric_error = barycentric_error / np.abs(total)[..., None] + 2 * eps
        weight = np.abs(corners[..., 2]) + np.abs(depth)[..., None] * np.abs(corners[..., 3])
        depth_error = (beta_error * weight).sum(axis=-1) / np.abs(determinant) + 2 * eps
    return barycentric_error.max(axis=-1), depth_error


def attributes_of_position(pos_clip: Array, triangles: Array, triangle_id: Array) -> tuple[Array, Array]:
    """Barycentrics [B,H,W,2] and depth z/w [B,H,W] at pixel centres, the visible triangles being given.

    Snapping may put a centre into a triangle that misses it by a hair: a negative weight counts as zero.
    Analytic in pos_clip (complex numbers pass through), so this is also the function whose derivative rasterize has.
    """
    batch, height, width = triangle_id.shape
    triangles = np.broadcast_to(triangles, (batch, *np.shape(triangles)[-2:]))
    x, y = pixel_centres_ndc((height, width))
    barycentrics = np.zeros((batch, height, width, 2), dtype=pos_clip.dtype)
    depth = np.ones((batch, height, width), dtype=pos_clip.dtype)
    item, row, column = np.nonzero(triangle_id >= 0)
    corners = pos_clip[item[:, None], triangles[item, triangle_id[item, row, column]]]  # [N,3,4]
    pixel = np.stack([x[column], y[row], np.ones(len(row))], axis=-1)
    xyw = corners[..., [0, 1, 3]]
    # Cofactors of the corners dotted with the pixel; the common factor 1/determinant cancels in the ratios.
    cofactor = np.stack([np.cross(xyw[:, (k + 1) % 3], xyw[:, (k + 2) % 3]) for k in range(3)], axis=1)
    beta = np.einsum("nkc,nc->nk", cofactor, pixel)
    weights = beta / beta.sum(axis=1, keepdims=True)
    weights = np.where(weights.real > 0, weights, 0)
    barycentrics[item, row, column] = weights[:, :2] / weights.sum(axis=1, keepdims=True)
    depth[item, row, column] = (beta * corners[..., 2]).sum(axis=1) / (beta * corners[..., 3]).sum(axis=1)
    return barycentrics, depth
