# SPDX-License-Identifier: MIT
"""Attributes and textures at the visible points. Every function passes complex numbers through its smooth arguments."""

import numpy as np

Array = np.ndarray


def weights3(barycentrics: Array) -> Array:
    """[...,2] -> [...,3]: the third weight is what is left."""
    return np.concatenate([barycentrics, 1 - barycentrics.sum(axis=-1, keepdims=True)], axis=-1)


def interpolate(attributes: Array, triangle_id: Array, barycentrics: Array, triangles: Array) -> Array:
    """[B,V,C] or [V,C] -> [B,H,W,C]; background 0."""
    batch, height, width = triangle_id.shape
    if attributes.ndim == 2:
        attributes = np.broadcast_to(attributes, (batch, *attributes.shape))
    triangles = np.broadcast_to(triangles, (batch, *np.shape(triangles)[-2:]))
    dtype = np.result_type(attributes, barycentrics)
    image = np.zeros((batch, height, width, attributes.shape[-1]), dtype=dtype)
    item, row, column = np.nonzero(triangle_id >= 0)
    corners = attributes[item[:, None], triangles[item, triangle_id[item, row, column]]]  # [N,3,C]
    image[item, row, column] = np.einsum("nk,nkc->nc", weights3(barycentrics[item, row, column]), corners)
    return image


def wrap_index(index: Array, count: int, wrap: str) -> Array:
    """Integer texel index -> index inside [0, count)."""
    if wrap == "repeat":
        return index % count
    if wrap == "mirror":
        folded = index % (2 * count)
        return np.where(folded < count, folded, 2 * count - 1 - folded)
    return np.clip(index, 0, count - 1)


def sample_level(texture: Array, uv: Array, filter: str, wrap: str) -> Array:
    """texture [B,H,W,C], uv [B,h,w,2] -> [B,h,w,C]; (0,0) is the outer corner of texel (row 0, column 0)."""
    height, width = texture.shape[1:3]
    item = np.arange(texture.shape[0])[:, None, None]
    u, v = uv[..., 0] * width, uv[..., 1] * height
    if filter == "nearest":
        column = wrap_index(np.floor(u.real).astype(int), width, wrap)
        row = wrap_index(np.floor(v.real).astype(int), height, wrap)
        return texture[item, row, column]
    u, v = u - 0.5, v - 0.5
    left, top = np.floor(u.real).astype(int), np.floor(v.real).astype(int)
    result = 0
    for row_step, row_weight in ((0, top + 1 - v), (1, v - top)):
        for column_step, column_weight in ((0, left + 1 - u), (1, u - left)):
            row = wrap_index(top + row_step, height, wrap)
            column = wrap_index(left + column_step, width, wrap)
            result = result + (row_weight * column_weight)[..., None] * texture[item, row, column]
    return result


def level_of_detail(uv_derivatives: Array, size: tuple[int, int], num_levels: int) -> Array:
    """log2 of the longer side of the pixel's footprint in texels, clamped to the levels (OpenGL 4.6, 8.14)."""
    scale = np.array([size[1], size[0]])[:, None]  # u counts columns
    footprint = np.sqrt(((uv_derivatives * scale) ** 2).sum(axis=-2)).max(axis=-1)
    with np.errstate(divide="ignore"):
        return np.clip(np.log2(footprint), 0, num_levels - 1)


def sample_texture(
    levels: list[Array], uv: Array, filter: str, wrap: str, uv_derivatives: Array | None = None
) -> Array:
    """levels: the pyramid, finest first. `trilinear` blends the bilinear samples of the two levels around the lod."""
    if filter != "trilinear":
        return sample_level(levels[0], uv, filter, wrap)
    assert uv_derivatives is not None
    lod = level_of_detail(uv_derivatives, levels[0].shape[1:3], len(levels))
    samples = np.stack([sample_level(level, uv, "bilinear", wrap) for level in levels])
    lower = np.minimum(np.floor(lod).astype(int), len(levels) - 1)
    upper = np.minimum(lower + 1, len(levels) - 1)
    fraction = (lod - lower)[..., None]
    pick = np.indices(lod.shape)
    return (1 - fraction) * samples[(lower, *pick)] + fraction * samples[(upper, *pick)]


def halve(texture: Array) -> Array:
    """One step of the pyramid for even sizes: the mean of 2 x 2 texels."""
    batch, height, width, channels = texture.shape
    assert (height % 2, width % 2) == (0, 0)
    return texture.reshape(batch, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def sample_face_texture(textures: Array, triangle_id: Array, barycentrics: Array) -> Array:
    """[B,F,T,T,T,C] cubes, trilinear at t_k = b_k (T - 1); texel [T-1,0,0] is vertex 0. T = 1 is a constant.

    Kato et al. 2018, forward_texture_sampling, without its clamp to T - 1 - eps, which only keeps it inside the array.
    """
    resolution, channels = textures.shape[2], textures.shape[-1]
    image = np.zeros((*triangle_id.shape, channels))
    last = resolution - 1
    for item, row, column in zip(*np.nonzero(triangle_id >= 0), strict=True):
        cube = textures[item, triangle_id[item, row, column]]
        if resolution == 1:
            image[item, row, column] = cube[0, 0, 0]
            continue
        weights = np.clip(weights3(barycentrics[item, row, column]), 0, 1) * last
        low = np.minimum(np.floor(weights).astype(int), last - 1)
        high_share = weights - low
        for corner in np.ndindex(2, 2, 2):
            share = np.prod(np.where(corner, high_share, 1 - high_share))
            image[item, row, column] += share * cube[tuple(low + corner)]
    return image
