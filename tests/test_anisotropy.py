# SPDX-License-Identifier: MIT
"""Anisotropic filtering: the probes of ellipses by hand, a floor towards the horizon, gradients, the door."""

import re

import numpy as np
import pytest
import torch
from reference.derivative import central

from intaglio import ops

SIZE = (48, 64)
CHECKS = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((16, 16)))[..., None]  # 128 x 128 texels


def floor(x, y):
    """uv of a floor one unit below the eye at a place of the image in pixels; the horizon a little above its top."""
    height, width = SIZE
    distance = height / (y + 2.0)
    return np.stack([0.5 + distance * (x - width / 2) / height, distance], axis=-1)


def floor_pixels():
    """uv [1, H, W, 2] at pixel centres, and its derivatives by x and y [1, H, W, 2, 2]."""
    y, x = (np.indices(SIZE) + 0.5)[:, None]
    columns = [central(lambda at: floor(*at), np.array([x, y]), step[:, None, None, None]) for step in np.eye(2)]
    return floor(x, y), np.stack(columns, axis=-1)


def probed(texture, footprint, uv=(0.5, 0.5), most=16, **options):
    """One sample [C] with the footprint [[du/dx, du/dy], [dv/dx, dv/dy]], in texels of the finest level."""
    finest = texture[0] if isinstance(texture, tuple) else texture
    size = np.array([[finest.shape[-2]], [finest.shape[-3]]])
    derivatives = (np.array(footprint, float) / size)[None, None, None]
    at = np.array(uv, float)[None, None, None]
    return ops.sample_texture(
        texture, at, filter="trilinear", uv_derivatives=derivatives, max_anisotropy=most, **options
    )[0, 0, 0]


# --- by hand


def impulse(row, column, size=16):
    """A pyramid whose finest level has one texel of 1 and whose others are 0."""
    levels = tuple(np.zeros((size >> level, size >> level, 1)) for level in range(size.bit_length()))
    levels[0][row, column] = 1
    return levels


@pytest.mark.parametrize("footprint", [[[4, 0], [0, 1]], [[0, 4], [1, 0]], [[-4, 0], [0, -1]]])
def test_four_probes_share_four_texels_in_a_row(footprint):
    # Four texels wide and one high, around a border between texels: probes at the four centres.
    for column in range(16):
        expected = 0.25 if 6 <= column < 10 else 0
        assert probed(impulse(7, column), footprint, (0.5, 7.5 / 16)).item() == pytest.approx(expected, abs=1e-15)


def test_a_slanted_footprint_is_probed_along_its_slant():
    # Both axes of the screen run near the diagonal, which the ellipse is four texels long on and half a one across.
    footprint = np.array([[1.75, 2.25], [2.25, 1.75]])
    np.testing.assert_allclose(np.linalg.svd(footprint)[1], [4, 0.5])
    on, off = (probed(impulse(*place), footprint, (0.5, 0.5)).item() for place in ((6, 6), (6, 9)))
    assert on > 0.05
    assert off == 0


def test_a_round_footprint_takes_one_probe_at_its_level():
    levels = ops.mip_pyramid(np.random.default_rng(0).normal(size=(16, 16, 2)))
    np.testing.assert_array_equal(probed(levels, [[4, 0], [0, 4]]), probed(levels, [[4, 0], [0, 4]], most=1))
    np.testing.assert_array_equal(probed(levels, [[0, 4], [-4, 0]]), probed(levels, [[4, 0], [0, 4]], most=1))


def test_the_shorter_axis_chooses_the_level_and_fewer_probes_a_coarser_one():
    levels = tuple(np.full((16 >> level, 16 >> level, 1), float(level)) for level in range(5))
    assert probed(levels, [[8, 0], [0, 2]]) == pytest.approx(1)
    assert probed(levels, [[8, 0], [0, 2]], most=2) == pytest.approx(2)
    assert probed(levels, [[8, 0], [0, 2]], most=1) == pytest.approx(3)
    assert probed(levels, [[8, 0], [0, 0.01]]) == pytest.approx(0)  # not less than a texel apart


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e30, 1e200, float("inf"), float("nan")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strange_footprints_show_texels_that_exist(value, dtype):
    uv = np.full((1, 1, 1, 2), 0.3, dtype)
    for mask in ([[1, 0], [0, 0]], [[1, 0], [0, 1]], [[1, 1], [1, 1]], [[0, 0], [-1, 1]]):
        with np.errstate(invalid="ignore", over="ignore"):
            derivatives = np.broadcast_to((np.array(mask) * value).astype(dtype), (1, 1, 1, 2, 2))
        options = {"filter": "trilinear", "uv_derivatives": np.ascontiguousarray(derivatives), "max_anisotropy": 16}
        sample = ops.sample_texture(np.ones((8, 8, 1), dtype), uv, **options)
        assert sample.item() == pytest.approx(1, rel=1e-6)


# --- the floor


def test_a_floor_towards_the_horizon_comes_nearer_to_the_truth():
    uv, derivatives = floor_pixels()
    y, x = np.indices((SIZE[0] * 32, SIZE[1] * 32)) / 32 + 1 / 64
    truth = ops.sample_texture(CHECKS, floor(x, y)[None]).reshape(SIZE[0], 32, SIZE[1], 32).mean(axis=(1, 3))
    error = {}
    for most in (1, 2, 4, 16):
        image = ops.sample_texture(CHECKS, uv, filter="trilinear", uv_derivatives=derivatives, max_anisotropy=most)
        error[most] = np.sqrt(np.square(image[0, ..., 0] - truth).mean())
    assert error[1] > 1.3 * error[2] > 1.3**2 * error[4] > 1.3**2 * error[16]
    assert error[16] < 0.4 * error[1]


def test_one_probe_is_the_filter_without():
    uv, derivatives = floor_pixels()
    options = {"filter": "trilinear", "uv_derivatives": derivatives}
    np.testing.assert_array_equal(
        ops.sample_texture(CHECKS, uv, **options, max_anisotropy=1), ops.sample_texture(CHECKS, uv, **options)
    )


# --- gradients


@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
def test_texels_and_uv_receive_the_weights_of_the_probes(wrap):
    rng = np.random.default_rng(1)
    texture, other = rng.normal(size=(2, 16, 24, 2))
    uv, derivatives = rng.uniform(-1, 2, (1, 9, 70, 2)), rng.normal(size=(1, 9, 70, 2, 2)) * 0.1
    weight = rng.normal(size=(1, 9, 70, 2))

    def sample(texture, uv):
        footprint = torch.from_numpy(derivatives) if isinstance(uv, torch.Tensor) else derivatives
        options = {"wrap": wrap, "uv_derivatives": footprint, "max_anisotropy": 5}
        return ops.sample_texture(texture, uv, filter="trilinear", **options)

    leaf, at = (torch.tensor(x, requires_grad=True) for x in (texture, uv))
    sample(leaf, at).backward(torch.from_numpy(weight))
    np.testing.assert_allclose(np.vdot(leaf.grad.numpy(), other), np.vdot(weight, sample(other, uv)), rtol=1e-12)
    for axis in (0, 1):
        expected = central(lambda at: sample(texture, at), uv, np.eye(2)[axis], step=1e-7)
        difference = np.abs(at.grad[..., axis].numpy() - (expected * weight).sum(-1))
        # Rounding 1e-16 * 4 / 1e-7; a step across some probe's texel centre, where the slope jumps, is rare.
        assert (difference > 1e-6).mean() < 0.005


def test_results_do_not_depend_on_the_threads():
    before = ops.get_num_threads()
    uv, derivatives = (torch.from_numpy(x.astype(np.float32)) for x in floor_pixels())
    results = []
    for threads in (1, 2, 7):
        ops.set_num_threads(threads)
        leaves = torch.from_numpy(CHECKS.astype(np.float32)).requires_grad_(), uv.clone().requires_grad_()
        image = ops.sample_texture(*leaves, filter="trilinear", uv_derivatives=derivatives, max_anisotropy=8)
        results.append((image, *torch.autograd.grad(image.square().sum(), leaves)))
    ops.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            assert torch.equal(got, expected)


# --- the door


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_anisotropy": 0}, "a whole number from 1 to 64; got 0 (samples along a footprint; the default is 1)"),
        ({"max_anisotropy": 65}, "a whole number from 1 to 64; got 65 (samples along a footprint; the default is 1)"),
        ({"max_anisotropy": 2.0}, "a whole number from 1 to 64; got 2.0 (samples along a footprint; the default is 1)"),
        (
            {"max_anisotropy": True},
            "a whole number from 1 to 64; got True (samples along a footprint; the default is 1)",
        ),
        (
            {"max_anisotropy": 4, "filter": "bilinear"},
            '1 for bilinear; got 4 (pass filter="trilinear", and uv_derivatives)',
        ),
    ],
)
def test_what_the_door_refuses(options, message):
    uv, derivatives = floor_pixels()
    options = {"filter": "trilinear", "uv_derivatives": derivatives} | options
    with pytest.raises(ValueError, match=f"^sample_texture: max_anisotropy must be {re.escape(message)}$"):
        ops.sample_texture(CHECKS, uv, **options)
