# SPDX-License-Identifier: MIT
"""Assertions that compare the ops' results with the reference, and say where and by how much they differ."""

import numpy as np

from reference import raster

Array = np.ndarray

EPS = {np.dtype(np.float32): 2.0**-23, np.dtype(np.float64): 2.0**-52}
# In float32 a snapped corner may round to the neighbouring sub-pixel: 1/256 in x and in y, sqrt(2)/256 together.
SNAP_SLACK = {np.dtype(np.float32): 1.5 / raster.SUBPIXELS, np.dtype(np.float64): 0.0}


def first_difference(differs: Array, got: Array, expected: Array) -> str:
    place = tuple(int(i) for i in np.argwhere(differs)[0])
    return f"{differs.sum()} of {differs.size} differ; first at {place}: got {got[place]}, expected {expected[place]}"


def assert_close(got: Array, expected: Array, tolerance: Array | float, what: str) -> None:
    """Every |got - expected| <= tolerance, NaN never; `tolerance` broadcasts."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    differs = ~(np.abs(got - expected) <= tolerance)
    assert not differs.any(), f"{what}: {first_difference(differs, got, expected)}"


def assert_fragments_agree(
    got, pos_clip: Array, triangles: Array, size: tuple[int, int], *, max_doubtful: float = 0.05
) -> None:  # fmt: skip
    """`got` (Fragments of NumPy arrays) against the reference: ids exactly, values within their rounding error.

    max_doubtful: the share of pixels that rounding may decide either way; a scene where it is larger proves little.
    """
    dtype = pos_clip.dtype
    expected = raster.rasterize(pos_clip, triangles, size, slack_pixels=SNAP_SLACK[dtype], eps=EPS[dtype])
    assert got.triangle_id.dtype == np.int32
    assert got.barycentrics.dtype == got.depth.dtype == dtype
    assert expected.doubtful.mean() <= max_doubtful, f"{expected.doubtful.mean():.1%} of the scene is in doubt"
    differs = (got.triangle_id != expected.triangle_id) & ~expected.doubtful
    assert not differs.any(), f"triangle_id: {first_difference(differs, got.triangle_id, expected.triangle_id)}"
    assert_values_agree(got, pos_clip, triangles)


def assert_values_agree(got, pos_clip: Array, triangles: Array) -> None:
    """Barycentrics and depth of the triangles that `got` itself shows; background 0 and 1."""
    exact = pos_clip.astype(np.float64)
    triangles = np.broadcast_to(triangles, (len(pos_clip), *np.shape(triangles)[-2:]))
    barycentrics, depth = raster.attributes_of_position(exact, triangles, got.triangle_id)
    barycentric_error, depth_error = np.zeros(depth.shape), np.zeros(depth.shape)
    item, row, column = np.nonzero(got.triangle_id >= 0)
    x, y = raster.pixel_centres_ndc(got.triangle_id.shape[1:])
    corners = exact[item[:, None], triangles[item, got.triangle_id[item, row, column]]]
    pixel = np.stack([x[column], y[row], np.ones(len(row))], axis=-1)
    # Both sides round: the op in its own precision, the reference in double.
    bounds = raster.rounding_bounds(corners, pixel, EPS[pos_clip.dtype] + EPS[np.dtype(np.float64)])
    barycentric_error[item, row, column], depth_error[item, row, column] = bounds
    assert_close(got.barycentrics, barycentrics, barycentric_error[..., None], "barycentrics")
    assert_close(got.depth, depth, depth_error, "depth")
