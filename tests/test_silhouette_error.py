# SPDX-License-Identifier: MIT
"""`silhouette_error`: the loss and the gradient of the ops that it stands for, without their images."""

import numpy as np
import pytest
import torch
from reference import scenes

import intaglio
from intaglio import ops
from intaglio.topology import neighbours

SIZES = [(1, 1), (7, 5), (64, 64), (65, 200), (130, 63)]


def views(dtype, batch=3, level=2, seed=0):
    """A bumpy sphere seen `batch` times, the views apart from one another."""
    rng = np.random.default_rng(seed)
    sphere = scenes.icosphere(level)
    vertices = sphere.vertices * (1 + 0.1 * rng.normal(size=(batch, len(sphere.vertices), 1)))
    vertices = vertices + np.array([0.1, -0.2, -4]) + 0.6 * rng.normal(size=(batch, 1, 3))
    pos_clip = np.concatenate([scenes.project(scenes.perspective(1.8), v) for v in vertices])
    table = torch.from_numpy(neighbours(sphere.triangles))
    return torch.tensor(pos_clip, dtype=dtype), torch.from_numpy(sphere.triangles), table


def random_target(batch, size, dtype, seed=1):
    return torch.tensor(np.random.default_rng(seed).uniform(size=(batch, *size)), dtype=dtype)


def composed(pos_clip, triangles, target, supersample, table):
    height, width = target.shape[1:]
    image = ops.silhouette(pos_clip, triangles, (supersample * height, supersample * width), neighbours=table)
    if supersample > 1:
        image = ops.downsample(image, supersample)
    return torch.stack([ops.squared_error(a, b[..., None]) for a, b in zip(image, target, strict=True)])


def value_and_grad(loss, pos_clip, weight):
    pos_clip = pos_clip.clone().requires_grad_()
    value = loss(pos_clip)
    (grad,) = torch.autograd.grad((value * weight).sum(), pos_clip)
    return value.detach(), grad


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_silhouette_and_squared_error_in_one(dtype, size):
    pos_clip, triangles, table = views(dtype)
    target = random_target(3, size, dtype)
    one = torch.ones(3, dtype=dtype)
    error, grad = value_and_grad(lambda p: ops.silhouette_error(p, triangles, target, neighbours=table), pos_clip, one)
    expected, expected_grad = value_and_grad(lambda p: composed(p, triangles, target, 1, table), pos_clip, one)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(error, expected, rtol=20 * eps, atol=0)  # sums are cut into other slices
    assert torch.equal(grad, expected_grad)


@pytest.mark.parametrize("supersample", [2, 3, 16])
@pytest.mark.parametrize("size", [(5, 7), (33, 65)])
def test_samples_are_averaged_before_they_are_compared(size, supersample):
    pos_clip, triangles, table = views(torch.float64)
    target = random_target(3, size, torch.float64)
    weight = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def ours(pos_clip):
        return ops.silhouette_error(pos_clip, triangles, target, supersample=supersample, neighbours=table)

    error, grad = value_and_grad(ours, pos_clip, weight)
    expected, expected_grad = value_and_grad(
        lambda p: composed(p, triangles, target, supersample, table), pos_clip, weight
    )
    torch.testing.assert_close(error, expected, rtol=1e-13, atol=0)
    torch.testing.assert_close(grad, expected_grad, rtol=0, atol=1e-12 * float(expected_grad.abs().max()))


def test_nothing_is_left_of_what_was_drawn_before():
    pos_clip, triangles, table = views(torch.float32, batch=8, seed=3)
    for size in [(200, 130), (64, 130), (200, 130), (300, 300)]:
        target = random_target(8, size, torch.float32)
        together = ops.silhouette_error(pos_clip, triangles, target, neighbours=table)
        expected = composed(pos_clip, triangles, target, 1, table)
        torch.testing.assert_close(together, expected, rtol=1e-5, atol=0)


def test_each_view_may_have_its_own_triangles():
    pos_clip, triangles, _ = views(torch.float64, batch=2)
    own = torch.stack([triangles, triangles.flip(0)])
    tables = torch.stack([torch.from_numpy(neighbours(t.numpy())) for t in own])
    target = random_target(2, (40, 40), torch.float64)
    one = torch.ones(2, dtype=torch.float64)
    error, grad = value_and_grad(lambda p: ops.silhouette_error(p, own, target, neighbours=tables), pos_clip, one)
    expected, expected_grad = value_and_grad(lambda p: composed(p, own, target, 1, tables), pos_clip, one)
    torch.testing.assert_close(error, expected, rtol=1e-13, atol=0)
    assert torch.equal(grad, expected_grad)


def test_numpy_gets_the_error():
    pos_clip, triangles, table = (x.numpy() for x in views(torch.float32))
    target = random_target(3, (40, 40), torch.float32)
    expected = ops.silhouette_error(*map(torch.from_numpy, (pos_clip, triangles)), target)
    got = ops.silhouette_error(pos_clip, triangles, target.numpy(), neighbours=table)
    np.testing.assert_array_equal(got, expected.numpy())


def test_an_empty_mesh_differs_by_the_target_alone():
    target = random_target(2, (70, 9), torch.float64)
    pos_clip = torch.zeros(2, 0, 4, dtype=torch.float64, requires_grad=True)
    error = ops.silhouette_error(pos_clip, torch.zeros(0, 3, dtype=torch.int32), target)
    torch.testing.assert_close(error, target.square().sum((1, 2)), rtol=1e-13, atol=0)
    error.sum().backward()
    assert pos_clip.grad.shape == (2, 0, 4)


def test_no_views_have_no_errors():
    _, triangles, table = views(torch.float32)
    nothing = torch.zeros(0, triangles.max() + 1, 4)
    assert ops.silhouette_error(nothing, triangles, torch.zeros(0, 8, 8), neighbours=table).shape == (0,)


@pytest.mark.parametrize("batch", [1, 5])
def test_threads_do_not_change_a_bit(batch):
    pos_clip, triangles, table = views(torch.float32, batch=batch)
    target = random_target(batch, (150, 170), torch.float32)
    weight = torch.linspace(1, 2, batch)

    def run(threads):
        intaglio.set_num_threads(threads)
        return value_and_grad(lambda p: ops.silhouette_error(p, triangles, target, neighbours=table), pos_clip, weight)

    before = intaglio.get_num_threads()
    try:
        results = [run(threads) for threads in (1, 2, 3, 8)]
    finally:
        intaglio.set_num_threads(before)
    for error, grad in results[1:]:
        assert torch.equal(error, results[0][0])
        assert torch.equal(grad, results[0][1])


def test_the_functional_gradient_is_the_same():
    pos_clip, triangles, table = views(torch.float64)
    target = random_target(3, (40, 40), torch.float64)

    def loss(pos_clip):
        return ops.silhouette_error(pos_clip, triangles, target, neighbours=table).sum()

    _, expected = value_and_grad(loss, pos_clip, 1)
    assert torch.equal(torch.func.grad(loss)(pos_clip), expected)


BAD = {
    "a target of a colour picture": (
        lambda p, t, target: ops.silhouette_error(p, t, target[..., None]),
        "silhouette_error: target must be [B, H, W] with B = 3 from pos_clip; got [3, 8, 8, 1] "
        "(one picture per view, without channels)",
    ),
    "a target for another number of views": (
        lambda p, t, target: ops.silhouette_error(p, t, target[:2]),
        "silhouette_error: target must be [B, H, W] with B = 3 from pos_clip; got [2, 8, 8] "
        "(one picture per view, without channels)",
    ),
    "a target that wants a gradient": (
        lambda p, t, target: ops.silhouette_error(p, t, target.requires_grad_()),
        "silhouette_error: target must be without gradient; got one that wants it "
        "(detach it, or compose silhouette and squared_error)",
    ),
    "a target without pixels": (
        lambda p, t, target: ops.silhouette_error(p, t, target[:, :0]),
        "silhouette_error: size must be (height, width), each from 1 to 16384; got (0, 8) (whole numbers of pixels)",
    ),
    "samples beyond the largest image": (
        lambda p, t, target: ops.silhouette_error(p, t, target.repeat(1, 200, 1), supersample=16),
        "silhouette_error: size must be (height, width), each from 1 to 16384; got (25600, 128) "
        "(whole numbers of pixels)",
    ),
    "half a sample": (
        lambda p, t, target: ops.silhouette_error(p, t, target, supersample=0.5),
        "silhouette_error: supersample must be an integer from 1 to 16; got 0.5 (1 draws at the target's size)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, message = BAD[case]
    pos_clip, triangles, _ = views(torch.float32)
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call(pos_clip, triangles, random_target(3, (8, 8), torch.float32))
    assert str(error.value) == message
