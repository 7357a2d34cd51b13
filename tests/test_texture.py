# SPDX-License-Identifier: MIT
"""Textures: hand numbers at texel centres and borders, the reference at random, and every gradient."""

import numpy as np
import pytest
import torch
from reference import agreement, scenes, shade
from reference.derivative import central, complex_step

from intaglio import ops

WRAPS = ["repeat", "mirror", "clamp"]
# 1 x 4 texels, centres at u = 1/8, 3/8, 5/8, 7/8.
STRIP = np.array([[[[10.0], [20.0], [30.0], [40.0]]]])


def uv_row(*u, v=0.5):
    return np.array([[[(x, v) for x in u]]])


def strip_at(*u, **options):
    return ops.sample_texture(STRIP, uv_row(*u), **options)[0, 0, :, 0].tolist()


# --- by hand


def test_bilinear_is_exact_at_texel_centres():
    assert strip_at(1 / 8, 3 / 8, 5 / 8, 7 / 8) == [10, 20, 30, 40]


def test_bilinear_is_the_mean_half_way():
    assert strip_at(1 / 4, 1 / 2, 3 / 4) == [15, 25, 35]


def test_the_origin_is_the_top_left_of_the_image():
    picture = np.array([[[[1.0], [2.0]], [[3.0], [4.0]]]])  # rows from the top
    corners = np.array([[[(0.25, 0.25), (0.75, 0.25)], [(0.25, 0.75), (0.75, 0.75)]]])
    assert ops.sample_texture(picture, corners)[0, ..., 0].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("wrap", "expected"), [("repeat", 25), ("mirror", 10), ("clamp", 10)])
def test_the_border_mixes_what_the_wrap_puts_there(wrap, expected):
    # u = 0 lies half-way between the first texel and what is left of it: the last (40), itself, itself.
    assert strip_at(0.0, wrap=wrap) == [expected]


@pytest.mark.parametrize(
    ("wrap", "expected"),
    [("repeat", [40, 30, 10, 20]), ("mirror", [10, 20, 40, 30]), ("clamp", [10, 10, 40, 40])],
)
def test_nearest_beyond_the_border(wrap, expected):
    assert strip_at(-1 / 8, -3 / 8, 9 / 8, 11 / 8, filter="nearest", wrap=wrap) == expected


def test_a_texture_without_a_batch_axis_serves_every_image():
    rng = np.random.default_rng(0)
    texture, uv = rng.normal(size=(5, 4, 3)), rng.uniform(-1, 2, (3, 6, 7, 2))
    np.testing.assert_array_equal(
        ops.sample_texture(texture, uv), ops.sample_texture(np.stack([texture] * 3), uv)
    )  # fmt: skip


def test_the_pyramid_halves_by_means_of_four():
    levels = ops.mip_pyramid(np.arange(8.0).reshape(1, 2, 4, 1))
    assert [level.shape for level in levels] == [(1, 2, 4, 1), (1, 1, 2, 1), (1, 1, 1, 1)]
    assert levels[1].ravel().tolist() == [2.5, 4.5]
    assert levels[2].ravel().tolist() == [3.5]


@pytest.mark.parametrize(("texels_per_pixel", "expected"), [(0.5, 40.0), (1, 40), (2, 25), (4, 25), (8, 25)])
def test_trilinear_takes_the_level_of_the_footprint(texels_per_pixel, expected):
    # Level 0 shows 40 at u = 7/8; both coarser levels show 25 everywhere.
    levels = (STRIP, np.full((1, 1, 2, 1), 25.0), np.full((1, 1, 1, 1), 25.0))
    derivatives = np.zeros((1, 1, 1, 2, 2))
    derivatives[..., 0, 0] = texels_per_pixel / 4
    sample = ops.sample_texture(levels, uv_row(7 / 8), filter="trilinear", uv_derivatives=derivatives)
    assert sample.item() == pytest.approx(expected, rel=1e-12)


def test_trilinear_blends_two_levels():
    # 2 ** 0.25 texels per pixel: a quarter of the way from level 0 to level 1.
    levels = (np.full((1, 4, 4, 1), 8.0), np.full((1, 2, 2, 1), 16.0), np.full((1, 1, 1, 1), 0.0))
    derivatives = np.zeros((1, 1, 1, 2, 2))
    derivatives[..., 1, 1] = 2**0.25 / 4
    sample = ops.sample_texture(levels, uv_row(0.3), filter="trilinear", uv_derivatives=derivatives)
    assert sample.item() == pytest.approx(10.0, rel=1e-12)


# --- against the reference


def random_texture(dtype=np.float64, batch=2):
    rng = np.random.default_rng(1)
    return rng.normal(size=(batch, 8, 16, 3)).astype(dtype), rng.uniform(-1.5, 2.5, (batch, 9, 11, 2)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("filter", ["nearest", "bilinear"])
def test_samples_agree_with_the_reference(filter, wrap, dtype):
    texture, uv = random_texture(dtype)
    got = ops.sample_texture(texture, uv, filter=filter, wrap=wrap)
    expected = shade.sample_texture([texture.astype(float)], uv.astype(float), filter, wrap)
    assert got.dtype == dtype
    # u * W is rounded once, at a size of up to 40; texels differ by less than 8; a dozen roundings of values below 4.
    tolerance = (40 * 8 + 12 * 4) * agreement.EPS[np.dtype(dtype)]
    if filter == "nearest":  # leave out what rounding may push into the next texel
        scaled = uv * [16, 8]
        clear = (np.abs(scaled - np.rint(scaled)) > 40 * agreement.EPS[np.dtype(dtype)]).all(axis=-1)
        assert clear.mean() > 0.99
        got, expected = got[clear], expected[clear]
    agreement.assert_close(got, expected, tolerance, "sample_texture")


def random_derivatives(shape):
    rng = np.random.default_rng(2)
    return rng.normal(size=(*shape[:-1], 2, 2)) * 10.0 ** rng.uniform(-2.5, 0.5, (*shape[:-1], 1, 1))


@pytest.mark.parametrize("wrap", WRAPS)
def test_trilinear_samples_agree_with_the_reference(wrap):
    texture, uv = random_texture()
    levels = ops.mip_pyramid(texture)
    derivatives = random_derivatives(uv.shape)
    got = ops.sample_texture(levels, uv, filter="trilinear", wrap=wrap, uv_derivatives=derivatives)
    lod = shade.level_of_detail(derivatives, (8, 16), len(levels))
    assert [(lod == 0).any(), (lod == len(levels) - 1).any(), ((lod > 1) & (lod < 2)).any()] == [True] * 3
    expected = shade.sample_texture(list(levels), uv, "trilinear", wrap, derivatives)
    agreement.assert_close(got, expected, 1e-12, "trilinear")


def test_the_pyramid_agrees_with_the_reference():
    texture, _ = random_texture()
    levels = ops.mip_pyramid(texture)
    agreement.assert_close(levels[0], texture, 0, "level 0")
    agreement.assert_close(levels[1], shade.halve(texture), 1e-15, "level 1")
    agreement.assert_close(levels[2], shade.halve(shade.halve(texture)), 1e-15, "level 2")


@pytest.mark.parametrize("size", [(5, 3), (1, 7), (6, 1), (7, 7)])
def test_the_pyramid_of_odd_sizes_keeps_constants_and_ends_at_one_texel(size):
    levels = ops.mip_pyramid(np.full((1, *size, 2), 3.25))
    assert levels[-1].shape == (1, 1, 1, 2)
    for level in levels:
        assert (level == 3.25).all()


# --- gradients


def gradients(loss, *inputs):
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    loss(*tensors).backward()
    return [x.grad.numpy() for x in tensors]


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("filter", ["nearest", "bilinear"])
def test_gradients_agree_with_the_reference(filter, wrap):
    texture, uv = random_texture()
    rng = np.random.default_rng(3)
    weight = rng.normal(size=(*uv.shape[:3], 3))

    def loss(texture, uv):
        return (ops.sample_texture(texture, uv, filter=filter, wrap=wrap) * torch.from_numpy(weight)).sum()

    grad_texture, grad_uv = gradients(loss, texture, uv)
    sample = lambda t, p: shade.sample_texture([t], p, filter, wrap)  # noqa: E731
    for _ in range(4):
        direction = rng.normal(size=texture.shape)  # linear in the texels: adjoint identity
        assert (grad_texture * direction).sum() == pytest.approx((sample(direction, uv) * weight).sum(), abs=1e-11)
    if filter == "nearest":
        assert not grad_uv.any()
        return
    for axis in (0, 1):
        direction = np.zeros(uv.shape)
        direction[..., axis] = 1
        per_sample = (complex_step(lambda p: sample(texture, p), uv, direction) * weight).sum(axis=-1)
        agreement.assert_close(grad_uv[..., axis], per_sample, 1e-11, "grad_uv")


def test_trilinear_gradients_reach_every_level_and_uv():
    texture, uv = random_texture()
    levels = [np.random.default_rng(4).normal(size=level.shape) for level in ops.mip_pyramid(texture)]
    derivatives = random_derivatives(uv.shape)
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(*uv.shape[:3], 3))

    def loss(uv, *levels):
        image = ops.sample_texture(
            levels, uv, filter="trilinear", uv_derivatives=torch.from_numpy(derivatives)
        )  # fmt: skip
        return (image * torch.from_numpy(weight)).sum()

    grad_uv, *grad_levels = gradients(loss, uv, *levels)
    for index, grad in enumerate(grad_levels):
        direction = [np.zeros_like(level) for level in levels]
        direction[index] = rng.normal(size=levels[index].shape)
        expected = (shade.sample_texture(direction, uv, "trilinear", "repeat", derivatives) * weight).sum()
        assert grad.any()
        assert (grad * direction[index]).sum() == pytest.approx(expected, abs=1e-11)
    direction = rng.normal(size=uv.shape)
    derivative = complex_step(
        lambda p: shade.sample_texture(levels, p, "trilinear", "repeat", derivatives), uv, direction
    )
    assert (grad_uv * direction).sum() == pytest.approx((derivative * weight).sum(), abs=1e-10)


def test_the_gradient_of_the_pyramid_is_its_adjoint():
    texture, _ = random_texture()
    rng = np.random.default_rng(6)
    weights = [rng.normal(size=level.shape) for level in ops.mip_pyramid(texture)]

    def weighted(levels, convert):
        return sum((level * convert(weight)).sum() for level, weight in zip(levels, weights, strict=True))

    (grad,) = gradients(lambda t: weighted(ops.mip_pyramid(t), torch.from_numpy), texture)
    direction = rng.normal(size=texture.shape)
    assert (grad * direction).sum() == pytest.approx(weighted(ops.mip_pyramid(direction), np.asarray), abs=1e-11)


def test_bilinear_gradients_agree_with_central_differences_of_the_op():
    texture, uv = random_texture()
    rng = np.random.default_rng(7)
    weight, direction = rng.normal(size=(*uv.shape[:3], 3)), rng.normal(size=uv.shape)
    (grad_uv,) = gradients(
        lambda p: (ops.sample_texture(torch.from_numpy(texture), p) * torch.from_numpy(weight)).sum(), uv
    )  # fmt: skip
    step = 1e-7
    # Bilinear pieces are quadratic along a line: the difference is exact unless it steps over a texel's centre.
    same = (np.floor((uv + step * direction) * [16, 8] - 0.5) == np.floor((uv - step * direction) * [16, 8] - 0.5)).all(
        -1
    )
    derivative = (central(lambda p: ops.sample_texture(texture, p), uv, direction, step) * weight).sum(axis=-1)
    assert same.mean() > 0.99
    agreement.assert_close((grad_uv * direction).sum(axis=-1)[same], derivative[same], 1e-6, "grad_uv")


# --- the texture cubes of the 2018 renderer


def face_scene(resolution, dtype=np.float64, batch=2):
    pos_clip, triangles = scenes.random_triangles(np.random.default_rng(8), batch, 10)
    textures = np.random.default_rng(9).normal(size=(batch, 10, *(resolution,) * 3, 3)).astype(dtype)
    return textures, ops.rasterize(pos_clip.astype(dtype), triangles, (20, 24))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("resolution", [1, 2, 4])
def test_face_textures_agree_with_the_reference(resolution, dtype):
    textures, fragments = face_scene(resolution, dtype)
    got = ops.sample_face_texture(textures, fragments)
    expected = shade.sample_face_texture(
        textures.astype(float), fragments.triangle_id, fragments.barycentrics.astype(float)
    )  # fmt: skip
    # Weights of at most 3 texels along three axes, each rounded a few times; texels below 4 in size.
    agreement.assert_close(got, expected, 3 * 3 * 8 * 4 * agreement.EPS[np.dtype(dtype)], "sample_face_texture")


def test_a_face_texture_of_one_texel_is_a_constant():
    textures, fragments = face_scene(1)
    got = ops.sample_face_texture(textures, fragments)
    seen = fragments.triangle_id >= 0
    item = np.nonzero(seen)[0]
    np.testing.assert_array_equal(got[seen], textures[item, fragments.triangle_id[seen], 0, 0, 0])
    assert not got[~seen].any()


def test_the_corners_of_a_cube_are_the_vertices():
    # One triangle whose corners lie on pixel centres would be cut by the top-left rule; look at weights instead.
    textures = np.zeros((1, 1, 3, 3, 3, 3))
    textures[0, 0, 2, 0, 0, 0] = textures[0, 0, 0, 2, 0, 1] = textures[0, 0, 0, 0, 2, 2] = 1
    weights = np.array([[[[1, 0], [0, 1], [0, 0]]]], dtype=np.float64)
    fragments = ops.Fragments(np.zeros((1, 1, 3), np.int32), weights, np.zeros((1, 1, 3)))
    assert ops.sample_face_texture(textures, fragments)[0, 0].tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("resolution", [1, 2, 3])
@pytest.mark.parametrize("is_shared", [True, False])
def test_the_gradient_of_face_textures_is_their_adjoint(is_shared, resolution):
    textures, fragments = face_scene(resolution)
    if is_shared:
        textures = textures[0]
    rng = np.random.default_rng(10)
    weight = rng.normal(size=(*fragments.triangle_id.shape, 3))
    in_torch = ops.Fragments(*(torch.from_numpy(x) for x in fragments))
    (grad,) = gradients(lambda t: (ops.sample_face_texture(t, in_torch) * torch.from_numpy(weight)).sum(), textures)
    direction = rng.normal(size=textures.shape)
    expected = (ops.sample_face_texture(direction, fragments) * weight).sum()
    assert (grad * direction).sum() == pytest.approx(expected, abs=1e-10)
