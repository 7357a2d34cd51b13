# SPDX-License-Identifier: MIT
"""Cube maps: each face by one known texel, no seams at edges and corners, an independent reference, every gradient."""

import itertools

import numpy as np
import pytest
import torch
from reference import cube as reference
from reference.derivative import central

from intaglio import ops

RNG = np.random.default_rng(0)
SIZES = [1, 2, 3, 5, 8]
CORNERS = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))


def random_cube(size, batch=(), seed=1):
    return np.random.default_rng(seed).normal(size=(*batch, 6, size, size, 3))


def directions_of(count, seed=2):
    """[1, count, 5, 3], of all lengths; every fourth near an edge of the cube, every fourth near a corner."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(count, 5, 3))
    signs = np.where(rng.normal(size=found.shape) < 0, -1, 1)
    found[1::4] = np.where(np.arange(3) == rng.integers(0, 3, (*found.shape[:2], 1)), found, signs * 2)[1::4]
    found[2::4] = signs[2::4]
    found[1::2] += 0.2 * rng.normal(size=found.shape)[1::2]
    found[2::4] += 0.2 * rng.normal(size=found.shape)[2::4]
    return (found * 10.0 ** rng.uniform(-3, 3, (count, 5, 1)))[None]


def at(cube, *directions, **options):
    """[number of directions, C]"""
    return ops.sample_cube(cube, np.array([[directions]], dtype=float), **options)[0, 0]


def middle_of_texels(levels, directions, lod=None):
    """Where neither a step of 1e-6 nor rounding comes across a texel's centre, a border of a face, or a level."""
    places = np.array([reference.place(d)[1:] for d in directions.reshape(-1, 3)]).reshape(*directions.shape[:3], 2)
    clear = np.ones(directions.shape[:3], bool)
    for level in levels:
        to_centre = np.abs((places * level.shape[-2]) % 1 - 0.5)
        clear &= (to_centre > 1e-4).all(-1)
    absolute = np.sort(np.abs(directions), axis=-1)
    clear &= absolute[..., 2] > 1.0001 * absolute[..., 1]
    return clear if lod is None else clear & (np.abs(lod - np.rint(lod)) > 1e-4)


# --- the layout


@pytest.mark.parametrize(
    ("face", "direction"),
    [  # towards the centre of the last texel of the first row of 4: s = 3/4, t = -3/4 of OpenGL's table
        (0, (1, 0.75, -0.75)),
        (1, (-1, 0.75, 0.75)),
        (2, (0.75, 1, -0.75)),
        (3, (0.75, -1, 0.75)),
        (4, (0.75, 0.75, 1)),
        (5, (-0.75, 0.75, -1)),
    ],
)
@pytest.mark.parametrize("filter", ["nearest", "bilinear"])
def test_a_face_lies_as_in_opengl(face, direction, filter):
    cube = np.zeros((6, 4, 4, 1))
    cube[face, 0, 3] = 1
    assert at(cube, direction, filter=filter) == 1


def test_half_way_between_two_faces_is_their_mean():
    cube = np.arange(6.0).reshape(6, 1, 1, 1)
    assert at(cube, (1, 0, 1), (1, 1, 0), (0, -1, -1)).ravel().tolist() == [2, 1, 4]


def test_three_texels_meet_at_a_corner():
    cube = np.array([3.0, 0, 6, 0, 9, 0]).reshape(6, 1, 1, 1)
    assert at(cube, (1, 1, 1)).item() == pytest.approx(6, rel=1e-15)


@pytest.mark.parametrize("size", SIZES)
def test_texels_are_exact_at_their_centres(size):
    cube = random_cube(size)
    centres = reference.centres(size)
    # A place is rounded a few times, at numbers below 8 texels; neighbours differ by less than 8.
    np.testing.assert_allclose(ops.sample_cube(cube[None].repeat(6, 0), centres), cube, atol=4 * 64 * 2.3e-16)


# --- against the reference


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES)
def test_samples_agree_with_the_reference(size, dtype):
    cube, directions = random_cube(size).astype(dtype), directions_of(60).astype(dtype)
    got = ops.sample_cube(cube, directions)
    expected = [reference.bilinear(cube.astype(float), d.astype(float)) for d in directions.reshape(-1, 3)]
    assert got.dtype == dtype
    # Half a dozen roundings of a place, of up to `size` texels that differ by less than 8; as many of values below 4.
    np.testing.assert_allclose(got.reshape(-1, 3), expected, rtol=0, atol=6 * (8 * size + 4) * np.finfo(dtype).eps)


def test_trilinear_samples_agree_with_the_reference():
    levels = [x[0] for x in ops.mip_pyramid(random_cube(11, batch=(1,)))]
    assert [x.shape[-2] for x in levels] == [11, 5, 2, 1]
    directions = directions_of(60)
    lod = np.random.default_rng(4).uniform(-1, 4, directions.shape[:3])
    got = ops.sample_cube(levels, directions, filter="trilinear", lod=lod).reshape(-1, 3)
    for sample, direction, level in zip(got, directions.reshape(-1, 3), lod.ravel(), strict=True):
        np.testing.assert_allclose(sample, reference.trilinear(levels, direction, level), atol=6 * 92 * 2.3e-16)


def test_a_smooth_function_is_reproduced_to_second_order():
    def smooth(d):
        return np.stack([np.sin(2 * d[..., 0] + d[..., 1]), d[..., 2] * d[..., 0], np.exp(d[..., 1])], axis=-1)

    directions = np.random.default_rng(5).normal(size=(1, 100, 100, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    faces = np.sort(np.abs(directions), axis=-1)
    inside = faces[..., 1] / faces[..., 2] < 1 - 1 / 16  # further from every border than half a texel of 16
    worst, mean = {}, {}
    for size in (16, 32, 64):
        error = np.abs(ops.sample_cube(smooth(reference.centres(size)), directions) - smooth(directions)).max(axis=-1)
        worst[size], mean[size] = error[inside].max(), error.mean()
    # Halving the texels quarters the error inside faces; at their borders, where rows of texels meet at an angle, it
    # halves it, on an area that is halved too.
    for size in (16, 32):
        assert 3.5 < worst[size] / worst[2 * size] < 4.5
        assert 3.5 < mean[size] / mean[2 * size] < 4.5
    assert worst[64] < 2 * (np.pi / 2 / 64) ** 2  # texel^2 / 8 times second derivatives below 8 in each direction


# --- no seams


def test_nothing_jumps_at_any_edge():
    rng = np.random.default_rng(6)
    for size in SIZES:
        cube = random_cube(size)
        for axis, first, second in itertools.product(range(3), (-1, 1), (-1, 1)):
            edge = np.insert(np.array([first, second], float), axis, 0)[None].repeat(20, 0)
            edge[:, axis] = rng.uniform(-1, 1, 20)
            across = np.insert(np.array([first, -second], float), axis, 0) * 1e-12
            # Texels differ by less than 8 per 1 / size.
            np.testing.assert_allclose(at(cube, *(edge + across)), at(cube, *(edge - across)), atol=1e-10)


def test_nothing_jumps_at_any_corner():
    cube, rng = random_cube(4), np.random.default_rng(7)
    for corner in CORNERS:
        around = at(cube, *(corner + 1e-12 * rng.normal(size=(50, 3))))
        np.testing.assert_allclose(around, np.broadcast_to(around[0], around.shape), atol=1e-10)


@pytest.mark.parametrize("size", SIZES)
def test_a_cube_of_one_colour_shows_that_colour_and_pulls_at_nothing(size):
    sizes = [max(size >> level, 1) for level in range(size.bit_length())]
    levels = [torch.full((6, n, n, 1), 0.7, dtype=torch.float64) for n in sizes]
    directions = torch.from_numpy(directions_of(60)).requires_grad_()
    lod = torch.zeros(directions.shape[:3], dtype=torch.float64).uniform_(-1, 4).requires_grad_()
    sample = ops.sample_cube(levels, directions, filter="trilinear", lod=lod)
    torch.testing.assert_close(sample, torch.full_like(sample, 0.7), rtol=8 * 2.3e-16, atol=0)
    sample.sum().backward()
    assert not directions.grad.any()
    torch.testing.assert_close(lod.grad, torch.zeros_like(lod), rtol=0, atol=8 * 2.3e-16)


# --- gradients


def gradients(cube, directions, lod=None, **options):
    """Of a weighted sum of samples: to texels of every level, directions, and lod."""
    levels = [torch.tensor(level, requires_grad=True) for level in (cube if isinstance(cube, tuple) else (cube,))]
    leaves = [torch.tensor(x, requires_grad=True) for x in (directions, lod) if x is not None]
    if lod is not None:
        options |= {"lod": leaves[1], "filter": "trilinear"}
    image = ops.sample_cube(levels, leaves[0], **options)
    weight = np.random.default_rng(8).normal(size=image.shape)
    image.backward(torch.from_numpy(weight))
    return weight, [level.grad.numpy() for level in levels], [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("size", SIZES)
def test_directions_move_the_sample_as_differences_say(size):
    cube, directions = random_cube(size), directions_of(80)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    weight, _, (grad,) = gradients(cube, directions)
    clear = middle_of_texels([cube], directions)
    assert clear.mean() > 0.95
    for axis in range(3):
        expected = central(lambda d: ops.sample_cube(cube, d), directions, np.eye(3)[axis], step=1e-6)
        # step^2 times third derivatives, size^2 * 50; rounding 1e-15 * 8 / 1e-6
        difference = grad[..., axis] - (expected * weight).sum(-1)
        assert np.abs(difference[clear]).max() < 1e-7


def test_trilinear_gradients_are_what_differences_say():
    levels = ops.mip_pyramid(random_cube(7))
    directions = directions_of(60)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lod = np.random.default_rng(9).uniform(-1, 3, directions.shape[:3])

    def sample(directions=directions, lod=lod):
        return ops.sample_cube(levels, directions, filter="trilinear", lod=lod)

    weight, _, (grad, grad_lod) = gradients(levels, directions, lod)
    clear = middle_of_texels(levels, directions, lod)
    assert clear.mean() > 0.95
    for axis in range(3):
        expected = central(lambda d: sample(directions=d), directions, np.eye(3)[axis], step=1e-6)
        assert np.abs((grad[..., axis] - (expected * weight).sum(-1))[clear]).max() < 1e-7
    expected = central(lambda x: sample(lod=x), lod, np.ones(lod.shape), step=1e-6)
    assert np.abs((grad_lod - (expected * weight).sum(-1))[clear]).max() < 1e-8
    assert (grad_lod[(lod < 0) | (lod > 2)] == 0).all()


@pytest.mark.parametrize("own", [False, True])
def test_the_gradient_of_texels_is_the_adjoint_of_sampling(own):
    batch = (2,) if own else ()
    levels = ops.mip_pyramid(random_cube(6, batch))
    other = ops.mip_pyramid(random_cube(6, batch, seed=10))
    directions = np.concatenate([directions_of(60), directions_of(60, seed=11)])
    lod = np.random.default_rng(9).uniform(-1, 3, directions.shape[:3])
    weight, grads, _ = gradients(levels, directions, lod)
    along = (ops.sample_cube(other, directions, filter="trilinear", lod=lod) * weight).sum()
    np.testing.assert_allclose(sum((a * b).sum() for a, b in zip(grads, other, strict=True)), along, rtol=1e-12)


def test_lod_pulls_by_the_difference_of_two_levels():
    levels = tuple(np.full((6, size, size, 1), value) for size, value in ((4, 1.0), (2, 3.0), (1, 10.0)))
    lod = np.array([[[-0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]]])
    directions = np.ones((1, 1, 7, 3))
    weight, _, (_, grad) = gradients(levels, directions, lod)
    np.testing.assert_allclose(grad / weight[..., 0], [[[0, 2, 2, 7, 7, 7, 0]]], rtol=1e-14)


def test_the_length_of_a_direction_does_not_matter():
    cube, directions = random_cube(5), directions_of(60)
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    expected = ops.sample_cube(cube, unit)
    for same in (directions, unit * 1e-300, unit * 1e300):
        np.testing.assert_allclose(ops.sample_cube(cube, same), expected, rtol=0, atol=6 * 44 * 2.3e-16)
    _, _, (grad,) = gradients(cube, unit)
    assert np.abs((grad * unit).sum(-1)).max() < 1e-13  # a few roundings of gradients of some 20
    assert np.abs(grad).max() > 1


# --- manners


@pytest.mark.parametrize("filter", ["nearest", "bilinear", "trilinear"])
def test_no_direction_gives_nothing_and_receives_nothing(filter):
    cube = torch.from_numpy(random_cube(4)).requires_grad_()
    directions = torch.zeros((1, 3, 70, 3), dtype=torch.float64)
    directions[0, 1, 5] = torch.tensor([0.3, 0.5, -0.2])
    directions[0, 2, 5] = -0.0
    directions.requires_grad_()
    lod = torch.full((1, 3, 70), 0.5, dtype=torch.float64, requires_grad=True) if filter == "trilinear" else None
    image = ops.sample_cube(cube, directions, filter=filter, lod=lod)
    image.sum().backward()
    assert image[0, 1, 5].all()
    assert cube.grad.sum().item() == pytest.approx(3, rel=1e-14)  # of the one pixel, three channels
    image.detach()[0, 1, 5] = 0
    directions.grad[0, 1, 5] = 0
    assert not image.any()
    assert not directions.grad.any()
    if lod is not None:
        assert lod.grad[0, 1, 5] != 0
        assert (lod.grad != 0).sum() == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("filter", ["nearest", "bilinear", "trilinear"])
def test_strange_directions_and_levels_stay_in_the_cube(filter, dtype):
    strange = [0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, float("inf"), -float("inf"), float("nan")]
    directions = torch.tensor(list(itertools.product(strange, repeat=3)), dtype=dtype)[None, None].requires_grad_()
    levels = [level.requires_grad_() for level in ops.mip_pyramid(torch.ones((6, 3, 3, 2), dtype=dtype))]
    lod = torch.tensor(np.resize(strange, (1, 1, directions.shape[2])), dtype=dtype, requires_grad=True)
    image = ops.sample_cube(levels, directions, filter=filter, lod=lod if filter == "trilinear" else None)
    finite = directions.isfinite().all(-1)
    if filter == "trilinear":
        finite &= ~lod.isnan()
    there = image[finite & (directions != 0).any(-1)]
    torch.testing.assert_close(there, torch.ones_like(there), rtol=1e-6, atol=0)
    if filter != "nearest":
        assert image[~finite & (directions != 0).any(-1)].isnan().all()
    image.sum().backward()  # must not write outside the texels either


def test_a_cube_without_a_batch_axis_serves_every_image():
    cube, directions = random_cube(5), np.concatenate([directions_of(20), directions_of(20, seed=12)])
    both = np.stack([cube, cube])
    np.testing.assert_array_equal(ops.sample_cube(cube, directions), ops.sample_cube(both, directions))
    _, (grad,), _ = gradients(cube, directions)
    _, (grads,), _ = gradients(both, directions)
    np.testing.assert_allclose(grad, grads.sum(axis=0), rtol=1e-13, atol=1e-13)


def test_every_image_has_its_own_cube():
    cubes, directions = random_cube(5, batch=(2,)), np.concatenate([directions_of(20), directions_of(20)])
    image = ops.sample_cube(cubes, directions)
    for b in (0, 1):
        np.testing.assert_array_equal(image[b], ops.sample_cube(cubes[b], directions[b : b + 1])[0])


def test_trilinear_of_a_mere_cube_makes_the_pyramid():
    cube, directions = random_cube(5, batch=(1,)), directions_of(20)
    options = {"filter": "trilinear", "lod": np.full(directions.shape[:3], 1.3)}
    assert [x.shape for x in ops.mip_pyramid(cube)] == [(1, 6, 5, 5, 3), (1, 6, 2, 2, 3), (1, 6, 1, 1, 3)]
    np.testing.assert_array_equal(
        ops.sample_cube(cube, directions, **options), ops.sample_cube(ops.mip_pyramid(cube), directions, **options)
    )


@pytest.mark.parametrize("own", [False, True])
def test_results_do_not_depend_on_the_threads(own):
    before = ops.get_num_threads()
    levels = tuple(x.astype(np.float32) for x in ops.mip_pyramid(random_cube(19, (2,) if own else ())))
    directions = np.concatenate([directions_of(90), directions_of(90, seed=13)]).astype(np.float32)
    lod = np.random.default_rng(9).uniform(-1, 5, directions.shape[:3]).astype(np.float32)
    results = []
    for threads in (1, 2, 7):
        ops.set_num_threads(threads)
        _, grads, others = gradients(levels, directions, lod)
        results.append([ops.sample_cube(levels, directions, filter="trilinear", lod=lod), *grads, *others])
    ops.set_num_threads(before)
    for other in results[1:]:
        for got, expected in zip(other, results[0], strict=True):
            np.testing.assert_array_equal(got, expected)


def test_an_empty_image_and_no_channels_are_fine():
    assert ops.sample_cube(random_cube(2)[..., :0], directions_of(3)).shape == (1, 3, 5, 0)
    assert ops.sample_cube(random_cube(2), directions_of(3)[:, :0]).shape == (1, 0, 5, 3)
