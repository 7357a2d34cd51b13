# SPDX-License-Identifier: MIT
"""Textures at their limits: odd sizes, coordinates out of this world, any number of threads, a strict door."""

import numpy as np
import pytest
import torch
from reference.derivative import central

from intaglio import ops

RNG_UV = np.random.default_rng(0).uniform(-1.5, 2.5, (2, 9, 70, 2))  # wider than a block of pixels
RNG_DERIVATIVES = np.random.default_rng(1).normal(size=(2, 9, 70, 2, 2)) * 0.1


def sample(texture, uv, filter="bilinear", **options):
    if filter == "trilinear":
        derivatives = RNG_DERIVATIVES.astype(np.float32 if str(uv.dtype).endswith("32") else np.float64)
        options["uv_derivatives"] = torch.from_numpy(derivatives) if isinstance(uv, torch.Tensor) else derivatives
    return ops.sample_texture(texture, uv, filter=filter, **options)


# --- the pyramid


def test_three_texels_become_one_by_their_mean():
    levels = ops.mip_pyramid(np.array([1.0, 2.0, 6.0]).reshape(1, 3, 1))
    assert [level.ravel().tolist() for level in levels] == [[1, 2, 6], [3]]


def test_five_texels_become_two_by_area():
    # Each of the two covers two and a half: (1 + 2 + 3/2) / 2.5 and (3/2 + 4 + 5) / 2.5.
    levels = ops.mip_pyramid(np.arange(1.0, 6.0).reshape(1, 5, 1))
    np.testing.assert_allclose(levels[1].ravel(), [4.5 / 2.5, 10.5 / 2.5], rtol=1e-15)


@pytest.mark.parametrize("size", [(7, 5), (1, 6), (13, 1), (16, 11)])
def test_the_mean_of_a_level_is_that_of_the_texture(size):
    texture = np.random.default_rng(2).normal(size=(*size, 2))
    for level in ops.mip_pyramid(texture):
        np.testing.assert_allclose(level.mean(axis=(0, 1)), texture.mean(axis=(0, 1)), atol=1e-14)


@pytest.mark.parametrize("size", [(7, 5), (1, 6), (13, 1), (9, 16)])
def test_the_gradient_of_odd_pyramids_is_their_adjoint(size):
    rng = np.random.default_rng(3)
    texture = torch.zeros((2, *size, 3), dtype=torch.float64, requires_grad=True)
    direction = torch.from_numpy(rng.normal(size=texture.shape))
    levels = ops.mip_pyramid(texture)
    weights = [torch.from_numpy(rng.normal(size=level.shape)) for level in levels]
    torch.autograd.backward(levels[1:], weights[1:])
    assert texture.grad is not None
    along = sum((a * b).sum() for a, b in zip(ops.mip_pyramid(direction)[1:], weights[1:], strict=True))
    torch.testing.assert_close((texture.grad * direction).sum(), along, rtol=1e-12, atol=1e-12)


def test_levels_have_the_axes_of_their_texture():
    assert [x.shape for x in ops.mip_pyramid(np.ones((2, 3, 1)))] == [(2, 3, 1), (1, 1, 1)]
    assert [x.shape for x in ops.mip_pyramid(np.ones((4, 2, 3, 1)))] == [(4, 2, 3, 1), (4, 1, 1, 1)]


# --- samples


def test_trilinear_of_a_mere_texture_makes_the_pyramid():
    texture = np.random.default_rng(2).normal(size=(2, 9, 6, 3))
    np.testing.assert_array_equal(
        sample(texture, RNG_UV, "trilinear"), sample(ops.mip_pyramid(texture), RNG_UV, "trilinear")
    )


def test_trilinear_of_one_level_is_bilinear():
    texture = np.random.default_rng(2).normal(size=(2, 9, 6, 3))
    np.testing.assert_array_equal(sample((texture,), RNG_UV, "trilinear"), sample(texture, RNG_UV))


@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
@pytest.mark.parametrize("filter", ["bilinear", "trilinear"])
def test_uv_moves_the_sample_as_differences_say(filter, wrap):
    texture = np.random.default_rng(2).normal(size=(2, 9, 6, 3))
    weight = np.random.default_rng(4).normal(size=(*RNG_UV.shape[:3], 3))
    uv = torch.tensor(RNG_UV, requires_grad=True)
    sample(torch.from_numpy(texture), uv, filter, wrap=wrap).backward(torch.from_numpy(weight))
    assert uv.grad is not None
    for axis in (0, 1):
        direction = np.zeros(RNG_UV.shape)
        direction[..., axis] = 1
        expected = central(lambda at: sample(texture, at, filter, wrap=wrap), RNG_UV, direction, step=1e-7)
        # Differences round to 1e-16 * 4 / 1e-7; a step across a texel's centre, where the slope jumps, is left out.
        scale = [6, 9][axis]
        smooth = np.abs((RNG_UV[..., axis] * scale * 4 + 0.5) % 1 - 0.5) > 1e-4
        assert smooth.mean() > 0.99
        np.testing.assert_allclose(uv.grad[..., axis].numpy()[smooth], (expected * weight).sum(-1)[smooth], atol=1e-6)


@pytest.mark.parametrize("wrap", ["repeat", "mirror", "clamp"])
@pytest.mark.parametrize("filter", ["nearest", "bilinear", "trilinear"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coordinates_out_of_this_world_stay_in_the_texture(filter, wrap, dtype):
    strange = [1e9, -1e9, 1e30, -1e30, float("inf"), -float("inf"), float("nan"), -0.0, 1.0, -1e-30, 16777217.0]
    uv = torch.tensor(np.resize(strange, RNG_UV.shape), dtype=dtype, requires_grad=True)
    texture = torch.ones((5, 7, 2), dtype=dtype, requires_grad=True)
    image = sample(texture, uv, filter, wrap=wrap)
    finite = image[uv.isfinite().all(dim=-1)]
    torch.testing.assert_close(finite, torch.ones_like(finite), rtol=1e-6, atol=0)
    if filter != "nearest":
        assert image[~uv.isfinite().all(dim=-1)].isnan().all()
    image.sum().backward()  # must not write outside the texels either


@pytest.mark.parametrize("value", [0.0, 1e30, float("inf"), float("nan")])
def test_strange_footprints_choose_a_level_that_exists(value):
    derivatives = np.full((1, 1, 1, 2, 2), value)
    levels = ops.mip_pyramid(np.random.default_rng(2).normal(size=(4, 4, 1)))
    got = ops.sample_texture(levels, np.full((1, 1, 1, 2), 0.3), filter="trilinear", uv_derivatives=derivatives)
    level = levels[-1] if value > 1 else levels[0]
    assert got == ops.sample_texture(level, np.full((1, 1, 1, 2), 0.3))


# --- gradients


def test_a_texture_for_all_images_gets_the_sum_of_their_gradients():
    rng = np.random.default_rng(2)
    texture = torch.from_numpy(rng.normal(size=(9, 6, 3))).requires_grad_()
    weight, uv = torch.from_numpy(rng.normal(size=(*RNG_UV.shape[:3], 3))), torch.from_numpy(RNG_UV)
    sample(texture, uv).backward(weight)
    both = texture.detach().expand(2, 9, 6, 3).clone().requires_grad_()
    sample(both, uv).backward(weight)
    assert texture.grad is not None
    assert both.grad is not None
    torch.testing.assert_close(texture.grad, both.grad.sum(dim=0), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("filter", ["nearest", "bilinear", "trilinear"])
def test_results_do_not_depend_on_the_threads(filter, own):
    before = ops.get_num_threads()
    rng = np.random.default_rng(5)
    weight = torch.from_numpy(rng.normal(size=(*RNG_UV.shape[:3], 3)).astype(np.float32))
    texels = torch.from_numpy(rng.normal(size=(*((2,) if own else ()), 19, 26, 3)).astype(np.float32))
    results = []
    for threads in (1, 2, 7):
        ops.set_num_threads(threads)
        texture, uv = texels.clone().requires_grad_(), torch.from_numpy(RNG_UV.astype(np.float32)).requires_grad_()
        image = sample(texture, uv, filter)
        results.append((image, *torch.autograd.grad(image, (texture, uv), weight)))
    ops.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            assert torch.equal(got, expected)


def test_levels_that_a_filter_does_not_read_need_no_gradient():
    levels = [level.requires_grad_() for level in ops.mip_pyramid(torch.ones((2, 2, 1), dtype=torch.float64))]
    sample(levels, torch.from_numpy(RNG_UV)).sum().backward()
    assert levels[0].grad is not None
    assert levels[1].grad is None


# --- what shows nothing


NOTHING = np.random.default_rng(6).integers(-1, 2, RNG_UV.shape[:3]).astype(np.int32)
NOTHING[1, 3:5], NOTHING[0, 2], NOTHING[0, 4, :64] = -1, 0, -1  # whole rows of either kind, and a whole block


def seen(triangle_id):
    return ops.Fragments(triangle_id, None, None)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("filter", ["nearest", "bilinear", "trilinear"])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_background_is_zero_and_all_else_as_without_it(filter, most, own, threads):
    """Bit for bit, gradients too, though nothing there is a number."""
    rng, before = np.random.default_rng(5), ops.get_num_threads()
    covered = torch.from_numpy(NOTHING >= 0)[..., None]
    weight = torch.from_numpy(rng.normal(size=(*RNG_UV.shape[:3], 3)).astype(np.float32))
    texels = torch.from_numpy(rng.normal(size=(*((2,) if own else ()), 19, 26, 3)).astype(np.float32))
    options = {"max_anisotropy": most} if filter == "trilinear" else {}
    ops.set_num_threads(threads)
    results = []
    for given in ({}, {"fragments": seen(torch.from_numpy(NOTHING))}):
        texture, uv = texels.clone().requires_grad_(), torch.from_numpy(RNG_UV.astype(np.float32)).requires_grad_()
        at = torch.where(covered, uv, float("nan")) if given else uv
        image = sample(texture, at, filter, **options, **given)
        kept = weight if given else weight * covered
        results.append((image if given else image * covered, *torch.autograd.grad(image, (texture, uv), kept)))
    ops.set_num_threads(before)
    for expected, got in zip(*results, strict=True):
        assert torch.equal(got, expected)
    assert results[0][1].abs().sum() > 0


# --- the door


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texture": np.ones((2, 2))}, r"texture must be \[H, W, C\] or \[B, H, W, C\]; got \[2, 2\] \(a grey"),
        ({"texture": np.ones((0, 2, 3))}, r"texture must be 1 to 16384 texels wide and high; got 0 x 2"),
        ({"texture": ()}, r"texture must be an array or levels; got no level"),
        ({"uv": np.ones((2, 9, 70, 3))}, r"uv must be \[B, h, w, 2\]; got \[2, 9, 70, 3\]"),
        ({"texture": np.ones((3, 4, 4, 1))}, r"uv must be \[B, h, w, 2\] with B = 3 from texture; got \[2, 9, 70, 2\]"),
        ({"uv": RNG_UV.astype(np.float32)}, r"uv must be float64 like texture; got float32 \(convert one of them\)"),
        ({"filter": "cubic"}, r"filter must be one of nearest, bilinear, trilinear; got 'cubic'"),
        ({"wrap": "border"}, r"wrap must be one of repeat, mirror, clamp; got 'border'"),
        ({"filter": "trilinear"}, r"uv_derivatives must be given for trilinear; got None \(see screen_derivatives\)"),
        ({"texture": (np.ones((4, 4, 1)), np.ones((3, 2, 1)))}, r"texture\[1\] must be \[2, 2, 1\]; got \[3, 2, 1\]"),
        ({"texture": (np.ones((1, 1, 1)),) * 2}, r"texture must be at most 1 levels; got 2"),
        ({"fragments": NOTHING}, r"fragments must be Fragments; got ndarray \(pass what rasterize returned\)"),
        ({"fragments": seen(NOTHING[:1])}, r"fragments.triangle_id must be \[B, h, w\] with B = 2 from uv"),
        ({"fragments": seen(NOTHING + 0.5)}, r"fragments.triangle_id must be int32; got float64"),
    ],
)
def test_what_the_door_refuses(arguments, message):
    arguments = {"texture": np.ones((4, 4, 1)), "uv": RNG_UV} | arguments
    with pytest.raises(ValueError, match=r"^sample_texture: " + message):
        ops.sample_texture(arguments.pop("texture"), arguments.pop("uv"), **arguments)
